//! What a run gave against what it must give.

use propice_run::Texts;

use crate::oracle::Expected;

/// The first difference, in words.
pub(crate) fn difference(expected: &Expected, found: &Texts) -> Option<String> {
    lines("episodes", &expected.episodes, &found.episodes)
        .or_else(|| lines("views", &expected.views, &found.view_changes))
        .or_else(|| lines("decisions", &expected.decisions, &found.decisions))
        .or_else(|| dead_letters(&expected.dead, expected.cut, &found.dead_letters))
}

fn lines(what: &str, expected: &str, found: &str) -> Option<String> {
    let mut expected = expected.lines();
    let mut found = found.lines();
    for line in 1.. {
        match (expected.next(), found.next()) {
            (None, None) => return None,
            (Some(expected), Some(found)) if same(expected, found) => {}
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

/// Equal but for `~number`, which has a tolerance.
fn same(mut expected: &str, mut found: &str) -> bool {
    while let Some(at) = expected.find('~') {
        if expected.get(..at) != found.get(..at) {
            return false;
        }
        (expected, found) = (&expected[at + 1..], &found[at..]);
        let number = |text: &str| text.find([',', ']', '}']).unwrap_or(text.len());
        let (left, right) = (&expected[..number(expected)], &found[..number(found)]);
        let close = match (left.parse::<f64>(), right.parse::<f64>()) {
            (Ok(a), Ok(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-6),
            _ => false,
        };
        if !close {
            return false;
        }
        (expected, found) = (&expected[left.len()..], &found[right.len()..]);
    }
    expected == found
}

fn dead_letters(expected: &[usize], cut: bool, found: &str) -> Option<String> {
    let line_of = |letter: &str| {
        let letter: serde_json::Value = serde_json::from_str(letter).ok()?;
        letter["line"].as_u64()
    };
    let mut found: Vec<Option<u64>> = found.lines().map(line_of).collect();
    if cut {
        found.truncate(expected.len());
    }
    let expected: Vec<Option<u64>> = expected.iter().map(|&line| Some(line as u64)).collect();
    (expected != found).then(|| format!("dead letters of lines:\n  expected {expected:?}\n  found    {found:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerates_only_what_is_marked() {
        assert!(same("{\"a\":~0.3,\"b\":1}", "{\"a\":0.30000000000000004,\"b\":1}"));
        assert!(!same("{\"a\":0.3}", "{\"a\":0.30000000000000004}"));
        assert!(!same("{\"a\":~0.3}", "{\"a\":0.3001}"));
        assert!(lines("x", "a\n", "a\nb\n").is_some());
        assert!(dead_letters(&[2], false, "{\"line\":3}").is_some());
    }
}
