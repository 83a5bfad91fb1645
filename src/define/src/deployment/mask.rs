//! Mistakes are shown with the lines in which they stand, and the line beside may be a password:
//! secrets that are written into the file itself are made unreadable in what is shown of it.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::pack::depth;

/// What the name of a secret has in it.
const SECRET_WORDS: [&str; 7] = ["pass", "pwd", "secret", "token", "_key", "pem", "credential"];

/// Whether what is called so is a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// The text of a deployment file as it may be shown beside mistakes and warnings: secrets are made
/// unreadable, all else stays where it is.
pub fn shown_text(text: &str) -> String {
    if depth::too_deep(text).is_some() {
        return String::new();
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    masked(text, table.get_ref(), errors.is_empty())
}

/// The text with secrets made unreadable; all else stays where it is. `is_whole`: the text could be
/// read to its end.
pub(super) fn masked(text: &str, table: &DeTable<'_>, is_whole: bool) -> String {
    let mut spans = Vec::new();
    secrets(table, false, &mut spans);
    if !is_whole {
        spans.extend(lines_with_secrets(text));
    }
    let mut bytes = text.as_bytes().to_vec();
    for span in spans {
        let places = bytes.get_mut(span).into_iter().flatten();
        places.filter(|byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\'')).for_each(|byte| *byte = b'*');
    }
    String::from_utf8(bytes).unwrap_or_default()
}

// The parser limits how deep this goes.
fn secrets(table: &DeTable<'_>, inside: bool, spans: &mut Vec<Range<usize>>) {
    for (key, item) in table {
        let is_secret = inside || is_secret_name(key.get_ref());
        secrets_of(item, is_secret, spans);
    }
}

fn secrets_of(item: &Spanned<DeValue<'_>>, is_secret: bool, spans: &mut Vec<Range<usize>>) {
    match item.get_ref() {
        DeValue::Table(table) => secrets(table, is_secret, spans),
        DeValue::Array(array) => array.iter().for_each(|item| secrets_of(item, is_secret, spans)),
        DeValue::String(text) if is_one_variable(text) => {}
        _ if is_secret => spans.push(item.span()),
        _ => {}
    }
}

/// Whether a text only says where the secret is.
fn is_one_variable(text: &str) -> bool {
    let inner = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.contains('}') && !inner.contains(":-"))
}

/// What stands behind the names of secrets, to the ends of their lines.
fn lines_with_secrets(text: &str) -> Vec<Range<usize>> {
    let (mut spans, mut begin) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        let name = SECRET_WORDS.iter().filter_map(|word| lower.find(word)).min();
        if let Some(at) = name.and_then(|at| lower[at..].find('=').map(|equals| at + equals + 1)) {
            spans.push(begin + at..begin + line.len());
        }
        begin += line.len();
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        shown_text(text)
    }

    #[test]
    fn secrets_are_unreadable_and_all_else_stays() {
        let cases = [
            ("password = \"hunter2\" # x", "password = \"*******\" # x"),
            ("a = { username = 'me', password = 'é' }\n", "a = { username = 'me', password = '**' }\n"),
            ("password = \"${KAFKA}\"", "password = \"${KAFKA}\""),
            ("password = \"${file:/x}\"", "password = \"${file:/x}\""),
            ("password = \"${A:-hunter}\"", "password = \"************\""),
            ("password = \"${A}hunter${B}\"", "password = \"**************\""),
            ("password = 1234", "password = ****"),
            ("ssl.key.password = 'x'", "ssl.key.password = '*'"),
            ("password = hunter2\nname = 'x'", "password =********\nname = 'x'"),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text), expected);
        }
        assert_eq!(of("password = \"\"\"a\nb\"\"\""), "password = \"\"\"*\n*\"\"\"");
    }
}
