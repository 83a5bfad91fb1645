//! Reading reasons in words: text with names in braces.

use std::ops::Range;

/// A part of a reason: as it stands, or a name with its place in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TemplatePart {
    Text(String),
    Name(String, Range<usize>),
}

/// What is wrong with a brace.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NotClosed,
    NotAName(String),
}

/// The parts of a reason; `{{` and `}}` are braces.
///
/// # Errors
/// A brace that is never closed, or what is no name in one; with its place in the text.
pub(super) fn parts(text: &str) -> Result<Vec<TemplatePart>, (Fault, Range<usize>)> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(['{', '}']) {
        plain.push_str(&text[at..at + found]);
        let brace = &text[at + found..];
        let start = at + found + 1;
        if brace.starts_with("{{") || brace.starts_with('}') {
            plain.push_str(&brace[..1]);
            at = start + usize::from(brace.starts_with("{{") || brace.starts_with("}}"));
            continue;
        }
        let Some(length) = text[start..].find('}') else {
            return Err((Fault::NotClosed, start - 1..text.len()));
        };
        let inner = &text[start..start + length];
        let name = inner.trim();
        let begin = start + inner.len() - inner.trim_start().len();
        if !is_path(name) {
            return Err((Fault::NotAName(name.to_owned()), start - 1..start + length + 1));
        }
        if !plain.is_empty() {
            parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
        }
        parts.push(TemplatePart::Name(name.to_owned(), begin..begin + name.len()));
        at = start + length + 1;
    }
    plain.push_str(&text[at..]);
    if !plain.is_empty() {
        parts.push(TemplatePart::Text(plain));
    }
    Ok(parts)
}

/// `balance` or `account.balance`.
pub(super) fn is_path(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    text.split('.').count() <= 2 && text.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_braces() {
        let text = |text: &str| TemplatePart::Text(text.to_owned());
        let name = |name: &str, place| TemplatePart::Name(name.to_owned(), place);
        assert_eq!(parts("only words"), Ok(vec![text("only words")]));
        assert_eq!(
            parts("{a} and { account.b }{c}!"),
            Ok(vec![name("a", 1..2), text(" and "), name("account.b", 10..19), name("c", 22..23), text("!")])
        );
        assert_eq!(parts("{{a}} {{ }"), Ok(vec![text("{a} { }")]));
        assert_eq!(parts(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        assert_eq!(parts("a {b"), Err((Fault::NotClosed, 2..4)));
        for bad in ["{}", "{a + 1}", "{A}", "{a.b.c}", "{a {b}"] {
            assert!(matches!(parts(bad), Err((Fault::NotAName(_), _))), "{bad}");
        }
    }
}
