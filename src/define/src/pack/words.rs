//! Names and words: what a name may look like, which one was probably meant.

use super::problem::{Problem, Problems};
use super::spot::Spot;
use propice_model::limits::NAME_BYTES;

/// Words of the expression language: a thing that is called so could not be used in an expression.
const EXPRESSION_WORDS: [&str; 5] = ["false", "in", "now", "null", "true"];

/// Keys of views that are not features or attributes.
const VIEW_WORDS: [&str; 3] = ["customer", "logical_time_ms", "entities"];

/// Whether a text is a name.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES
        && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Checks the name of something that expressions do not name.
pub(crate) fn check_name(what: &'static str, name: &Spot<String>, problems: &mut Problems) {
    if !is_name(&name.value) {
        problems.add(Problem::BadName { what, name: shortened(&name.value) }, &name.span);
    }
}

/// Checks the name of something that expressions name.
pub(crate) fn check_expression_name(what: &'static str, name: &Spot<String>, problems: &mut Problems) {
    check_name(what, name, problems);
    if EXPRESSION_WORDS.contains(&name.value.as_str()) {
        let remedy = if what == "a field" {
            "give it another name, and its own one as `column`: { type = \"…\", column = \"…\" }"
        } else {
            "give it another name"
        };
        let why = "it is a word of the expression language";
        problems.add(Problem::ReservedName { what, name: name.value.clone(), why, remedy }, &name.span);
    }
}

/// Checks the name of a feature or an attribute; `taken` are the entities and tables of the pack.
pub(crate) fn check_slot_name(what: &'static str, name: &Spot<String>, taken: &[&str], problems: &mut Problems) {
    check_expression_name(what, name, problems);
    let why = if VIEW_WORDS.contains(&name.value.as_str()) {
        "views have a key of their own that is called so"
    } else if taken.contains(&name.value.as_str()) {
        "an entity or a table of the pack is called so"
    } else {
        return;
    };
    let remedy = "give it another name";
    problems.add(Problem::ReservedName { what, name: name.value.clone(), why, remedy }, &name.span);
}

/// A text from the pack as a message shows it.
pub(crate) fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(SHOWN).collect();
    out.push('…');
    out
}

/// `a, b or c`.
pub(crate) fn join_or(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_short() {
        assert!(is_name("a_1"));
        for bad in ["", "1a", "_a", "A", "a-b", "é", &"a".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
