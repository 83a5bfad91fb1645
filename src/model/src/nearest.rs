//! Which name was probably meant.

use super::limits::NAME_BYTES;

/// The name that was probably meant: near enough, and the nearest.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const NEAR: f64 = 0.6;
    const LONGEST: usize = 2 * NAME_BYTES;
    // Longer texts are no misspelt names, and comparing them costs the product of the lengths.
    if name.len() > LONGEST {
        return None;
    }
    let lower = name.to_lowercase();
    known
        .into_iter()
        // Of so different a length they cannot be near, and need not be compared.
        .filter(|other| other.len() * 5 >= name.len() * 2 && name.len() * 5 >= other.len() * 2)
        .map(|other| (strsim::normalized_damerau_levenshtein(&lower, &other.to_lowercase()), other))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(a, left), (b, right)| a.total_cmp(b).then_with(|| right.cmp(left)))
        .map(|(_, other)| other.to_owned())
}

/// ` (did you mean …?)` when a name is near.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |other| format!(" (did you mean `{other}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("ammount", ["amount", "account"]), Some("amount".to_owned()));
        assert_eq!(nearest("balance", ["x", "colour"]), None);
        assert_eq!(nearest("Europe/pariss", ["Europe/Paris"]), Some("Europe/Paris".to_owned()));
    }
}
