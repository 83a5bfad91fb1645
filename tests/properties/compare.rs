//! What a run gave against what it must give.

use propice_run::LineTexts;

use crate::oracle::Expected;

/// The first difference, in words.
pub(crate) fn difference(expected: &Expected, found: &LineTexts) -> Option<String> {
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
            (Some(expected), Some(found)) if expected == found => {}
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
    fn finds_what_differs() {
        assert!(lines("x", "a\nb\n", "a\nb\n").is_none());
        assert!(lines("x", "{\"a\":0.3}", "{\"a\":0.30000000000000004}").is_some());
        assert!(lines("x", "a\n", "a\nb\n").is_some());
        assert!(dead_letters(&[2], false, "{\"line\":3}").is_some());
    }
}
