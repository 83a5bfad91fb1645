//! What a run gave against what it must give.

use std::collections::BTreeSet;

use propice_run::{LineTexts, Summary};

use crate::files::File;
use crate::generate::Case;
use crate::oracle::{Dead, Expected};

/// The first difference, in words.
pub(crate) fn difference(expected: &Expected, files: Option<&[File]>, found: &LineTexts) -> Option<String> {
    lines("episodes", &expected.episodes, &found.episodes)
        .or_else(|| lines("views", &expected.views, &found.view_changes))
        .or_else(|| lines("decisions", &expected.decisions, &found.decisions))
        .or_else(|| dead_letters(&expected.dead, files, expected.cut, &found.dead_letters))
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

/// How many records and dead letters there were, and how many of the records came late.
pub(crate) fn counts(expected: &Expected, case: &Case, are_files: bool, found: &Summary) -> Option<String> {
    if expected.cut {
        return None;
    }
    let read = found.records + found.dead_letters;
    let counted = |expected: &Expected| (expected.records, expected.dead.len() as u64, expected.late);
    let found = (found.records, found.dead_letters, found.late);
    if counted(expected) != found {
        return Some(format!("records, dead letters, late records: {found:?}, not {:?}", counted(expected)));
    }
    (!are_files && read != case.lines.len() as u64).then(|| format!("{} lines, but {read} were read", case.lines.len()))
}

/// A dead letter: its file, its line, and why it is one.
type Letter = (String, u64, String);

/// Those of a file come in the order of its lines. Behind the end of a run some may have been read
/// ahead.
fn dead_letters(expected: &[Dead], files: Option<&[File]>, cut: bool, found: &str) -> Option<String> {
    let name = |file: usize| files.map_or("lines", |files| &files[file].name).to_owned();
    let expected: Vec<Letter> =
        expected.iter().map(|dead| (name(dead.place.0), dead.place.1 as u64, dead.reason.to_owned())).collect();
    let letter = |letter: &str| -> Letter {
        let letter: serde_json::Value = serde_json::from_str(letter).expect("a dead letter");
        let text = |key: &str| letter[key].as_str().unwrap_or_default().to_owned();
        let file = text("file");
        let file = file.rsplit('/').next().unwrap_or_default().to_owned();
        (file, letter["line"].as_u64().unwrap_or(0), text("reason"))
    };
    let found: Vec<Letter> = found.lines().map(letter).collect();
    let of_file = |letters: &[Letter], file: &str| -> Vec<Letter> {
        letters.iter().filter(|(other, ..)| other == file).cloned().collect()
    };
    let all: BTreeSet<&String> = expected.iter().chain(&found).map(|(file, ..)| file).collect();
    for file in all {
        let (expected, mut found) = (of_file(&expected, file), of_file(&found, file));
        if cut {
            found.truncate(expected.len());
        }
        if expected != found {
            return Some(format!("dead letters:\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_differs() {
        assert!(lines("x", "a\nb\n", "a\nb\n").is_none());
        assert!(lines("x", "{\"a\":0.3}", "{\"a\":0.30000000000000004}").is_some());
        assert!(lines("x", "a\n", "a\nb\n").is_some());
        let dead = [Dead { place: (0, 2), reason: "wrong_type" }];
        let found = |line, reason| format!("{{\"file\":\"lines\",\"line\":{line},\"reason\":\"{reason}\"}}");
        assert!(dead_letters(&dead, None, false, &found(2, "wrong_type")).is_none());
        assert!(dead_letters(&dead, None, false, &found(3, "wrong_type")).is_some());
        assert!(dead_letters(&dead, None, false, &found(2, "missing_field")).is_some());
        assert!(dead_letters(&[], None, false, &found(2, "wrong_type")).is_some());
        assert!(dead_letters(&[], None, true, &found(2, "wrong_type")).is_none(), "it was read ahead");
    }
}
