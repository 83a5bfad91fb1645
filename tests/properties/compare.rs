//! What a run gave against what it must give.

use std::collections::BTreeMap;

use propice::edge::sink::Texts;

use crate::oracle::Expected;

/// The first difference, in words.
pub(crate) fn difference(expected: &Expected, found: &Texts) -> Option<String> {
    let mut episodes = Episodes::default();
    lines("episodes", &expected.episodes, &found.episodes, &mut episodes)
        .or_else(|| lines("views", &expected.views, &found.views, &mut episodes))
        .or_else(|| dead_letters(&expected.dead, &found.dead_letters))
}

/// Which text stands for which of the oracle's episodes.
#[derive(Default)]
struct Episodes {
    texts: BTreeMap<String, String>,
    numbers: BTreeMap<String, String>,
}

impl Episodes {
    /// Whether number and text always stand for each other.
    fn agree(&mut self, number: &str, text: &str) -> bool {
        let known_text = self.texts.entry(number.to_owned()).or_insert_with(|| text.to_owned());
        let known_number = self.numbers.entry(text.to_owned()).or_insert_with(|| number.to_owned());
        known_text == text && known_number == number && text.len() >= 16
    }
}

fn lines(what: &str, expected: &str, found: &str, episodes: &mut Episodes) -> Option<String> {
    let mut expected = expected.lines();
    let mut found = found.lines();
    for line in 1.. {
        match (expected.next(), found.next()) {
            (None, None) => return None,
            (Some(expected), Some(found)) if same(expected, found, episodes) => {}
            (expected, found) => {
                let shown = |line: Option<&str>| line.unwrap_or("(nothing)").to_owned();
                return Some(format!(
                    "{what}, line {line}:\n  expected {}\n  found    {}",
                    shown(expected),
                    shown(found)
                ));
            }
        }
    }
    None
}

/// Equal but for `~number`, which has a tolerance, and `@episode`, which stands for any text.
fn same(mut expected: &str, mut found: &str, episodes: &mut Episodes) -> bool {
    while let Some(at) = expected.find(['~', '@']) {
        if !found.is_char_boundary(at) || expected.get(..at) != found.get(..at) {
            return false;
        }
        let marker = expected.as_bytes()[at];
        (expected, found) = (&expected[at + 1..], &found[at..]);
        let end = |text: &str, ends: &[char]| text.find(ends).unwrap_or(text.len());
        let ends: &[char] = if marker == b'~' { &[',', ']', '}'] } else { &['"'] };
        let (left, right) = (&expected[..end(expected, ends)], &found[..end(found, ends)]);
        let agree = match marker {
            b'~' => match (left.parse::<f64>(), right.parse::<f64>()) {
                (Ok(a), Ok(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-6),
                _ => false,
            },
            _ => episodes.agree(left, right),
        };
        if !agree {
            return false;
        }
        (expected, found) = (&expected[left.len()..], &found[right.len()..]);
    }
    expected == found
}

fn dead_letters(expected: &[usize], found: &str) -> Option<String> {
    let line_of = |letter: &str| {
        let letter: serde_json::Value = serde_json::from_str(letter).ok()?;
        letter["line"].as_u64()
    };
    let found: Vec<Option<u64>> = found.lines().map(line_of).collect();
    let expected: Vec<Option<u64>> = expected.iter().map(|&line| Some(line as u64)).collect();
    (expected != found).then(|| format!("dead letters of lines:\n  expected {expected:?}\n  found    {found:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerates_only_what_is_marked() {
        let mut episodes = Episodes::default();
        assert!(same("{\"a\":~0.3,\"b\":1}", "{\"a\":0.30000000000000004,\"b\":1}", &mut episodes));
        assert!(!same("{\"a\":0.3}", "{\"a\":0.30000000000000004}", &mut episodes));
        assert!(!same("{\"a\":~0.3}", "{\"a\":0.3001}", &mut episodes));
        assert!(same("\"@0\"", "\"0123456789abcdef\"", &mut episodes));
        assert!(!same("\"@1\"", "\"0123456789abcdef\"", &mut episodes));
        assert!(!same("\"@0\"", "\"0123456789abcdee\"", &mut episodes));
        assert!(lines("x", "a\n", "a\nb\n", &mut episodes).is_some());
        assert!(dead_letters(&[2], "{\"line\":3}").is_some());
    }
}
