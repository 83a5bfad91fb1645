//! The reference pack, and what is made of it to see what its size costs.

use std::fmt::Write as _;
use std::sync::Arc;

use propice_define::{self as define, Plan};

use super::Failed;

/// The pack that means what `limit` does.
pub const REFERENCE: &str = include_str!("../../../benches/reference/reference.toml");

/// The plan of the reference pack.
///
/// # Errors
/// When the pack has mistakes.
pub fn plan() -> Result<Arc<Plan>, Failed> {
    loaded(REFERENCE)
}

/// The reference pack with more moments, `moments` in all. They have the shapes of the five, with
/// thresholds that no customer reaches: so they are looked at like the others, and emissions stay
/// the same.
///
/// # Errors
/// When the pack has mistakes.
pub fn with_moments(moments: usize) -> Result<Arc<Plan>, Failed> {
    let mut text = REFERENCE.to_owned();
    for number in 5..moments {
        let far = 1_000 + number;
        let when = match number % 5 {
            0 => format!("balance < -{far}000000 && debits_60m > {far}000000"),
            1 => format!("transactions_10m >= {far}00 && !(mood == 'angry')"),
            2 => format!("bad_moods_30m >= {far}00"),
            3 => format!("largest_debit_60m > {far}000000 && 0 in held && 1 in granted"),
            _ => format!("channels_60m >= {far}"),
        };
        let _ = write!(
            text,
            "\n[moment.n{number:04}]\nwhen = \"{when}\"\npurpose = \"assistance\"\n\
             value = {{ kind = \"functional\", benefit = \"None\" }}\ncooldown = \"60m\"\nchannels = [\"app\"]\n\
             on_suppressed = \"drop\"\n"
        );
    }
    loaded(&text)
}

/// The reference pack with moments that no customer reaches: nothing is kept but features.
///
/// # Errors
/// When the pack has mistakes.
pub fn features_alone() -> Result<Arc<Plan>, Failed> {
    let mut text = String::new();
    for line in REFERENCE.lines() {
        match line.strip_prefix("when ").and_then(|rest| rest.split_once('"')) {
            Some((sign, condition)) => {
                let _ = writeln!(text, "when {sign}\"balance < -9000000000000000 && {condition}");
            }
            None => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    loaded(&text)
}

/// The reference pack without its policy: every episode is released as it opens.
///
/// # Errors
/// When the pack has mistakes.
pub fn without_policy() -> Result<Arc<Plan>, Failed> {
    let mut text = String::new();
    let mut in_policy = false;
    for line in REFERENCE.lines() {
        if line.starts_with('[') {
            in_policy = line.starts_with("[policy");
        }
        if !in_policy && !line.starts_with("cooldown") && !line.starts_with("on_suppressed") {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str("[policy]\narbitration = \"0s\"\n");
    loaded(&text)
}

fn loaded(text: &str) -> Result<Arc<Plan>, Failed> {
    define::load("reference.toml", text)
        .map(Arc::new)
        .map_err(|errors| Failed(format!("the pack has mistakes: {errors:?}")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_of_them_load() {
        assert_eq!(super::plan().unwrap().moments.len(), 5);
        assert_eq!(super::with_moments(1_000).unwrap().moments.len(), 1_000);
        let alone = super::features_alone().unwrap();
        assert!(alone.moments.iter().all(|moment| moment.when.source().starts_with("balance < -9000000000000000 && ")));
        assert_eq!(super::without_policy().unwrap().moments[0].cooldown_ms, None);
    }
}
