//! The records that nearly all lines are: one object of plain values, read in one pass over its
//! bytes.
//!
//! Plain is a text without escapes, a number without an exponent, `true`, `false` and `null`. Of
//! anything else (nested values, escapes, a syntax error) nothing is said here: the line is read
//! again from its start by `serde_json`, which also words what is wrong with it. So what is taken
//! here has to be JSON, and not all JSON has to be taken.

/// Hands over each key (without quotes) with its value as it is written, until `each` says that it
/// does not want more. `None` unless the whole text is an object of plain values that were all
/// wanted.
pub(super) fn members<'t>(text: &'t str, mut each: impl FnMut(&'t str, &'t str) -> bool) -> Option<()> {
    let bytes = text.as_bytes();
    let mut at = expect(bytes, space(bytes, 0), b'{')?;
    loop {
        let key = expect(bytes, space(bytes, at), b'"')?;
        let key_end = text_end(bytes, key)?;
        let value = space(bytes, expect(bytes, space(bytes, key_end + 1), b':')?);
        let value_end = value_end(bytes, value)?;
        if !each(text.get(key..key_end)?, text.get(value..value_end)?) {
            return None;
        }
        at = space(bytes, value_end);
        match bytes.get(at)? {
            b',' => at += 1,
            b'}' => break,
            _ => return None,
        }
    }
    (space(bytes, at + 1) == bytes.len()).then_some(())
}

/// Where the first byte is that is not white space.
#[inline]
fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Behind a byte that has to be there.
#[inline]
fn expect(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (*bytes.get(at)? == byte).then_some(at + 1)
}

/// Where the quote is that ends a text without escapes.
#[inline]
fn text_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' | 0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

/// Where a plain value ends.
#[inline]
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    let word = |word: &[u8]| bytes[at..].starts_with(word).then_some(at + word.len());
    match *bytes.get(at)? {
        b'"' => Some(text_end(bytes, at + 1)? + 1),
        b'-' => number_end(bytes, at + 1),
        b'0'..=b'9' => number_end(bytes, at),
        b't' => word(b"true"),
        b'f' => word(b"false"),
        b'n' => word(b"null"),
        _ => None,
    }
}

/// Where a number without an exponent ends. What follows it decides whether it is one.
#[inline]
fn number_end(bytes: &[u8], from: usize) -> Option<usize> {
    let whole_end = digits_end(bytes, from);
    let leading_zero = bytes.get(from) == Some(&b'0') && whole_end > from + 1;
    if whole_end == from || leading_zero {
        return None;
    }
    if bytes.get(whole_end) != Some(&b'.') {
        return Some(whole_end);
    }
    let end = digits_end(bytes, whole_end + 1);
    (end > whole_end + 1).then_some(end)
}

#[inline]
fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    fn read(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        members(text, |key, value| {
            found.push((key, value));
            true
        })?;
        Some(found)
    }

    #[test]
    fn plain_objects() {
        let text = r#" { "a":1 , "b" : -0.50,"c":"é x","d":true,"e":false,"":null,"f":""} "#;
        let expected = [("a", "1"), ("b", "-0.50"), ("c", "\"é x\""), ("d", "true"), ("e", "false"), ("", "null")];
        assert_eq!(read(text).expect("plain")[..6], expected);
        assert_eq!(read(text).expect("plain")[6], ("f", "\"\""));
        assert_eq!(members(text, |key, _| key != "b"), None);
    }

    #[test]
    fn what_is_not_plain_is_left() {
        for text in [
            "",
            "{",
            "{}",
            "[]",
            "1",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1"#,
            r#"{"a":1}}"#,
            r#"{"a":1} x"#,
            r#"{"a":1,}"#,
            r"{a:1}",
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":-}"#,
            r#"{"a":+1}"#,
            r#"{"a":1e3}"#,
            r#"{"a":1 2}"#,
            r#"{"a":tru}"#,
            r#"{"a":truex}"#,
            r#"{"a":"b\n"}"#,
            r#"{"a\n":1}"#,
            "{\"a\":\"\u{1}\"}",
            r#"{"a":[1]}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":"b}"#,
            "{\"a\":1}\u{a0}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        /// Texts of the bytes that matter, so that many are nearly right.
        #[test]
        fn what_is_taken_is_json(text in r#"(\{"a":1,)?[ -.0-9a-b{}\[\]":,\\ntruefalsE+]{0,12}\}?"#) {
            if let Some(found) = read(&text) {
                let of_serde: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
                let last: Map<String, Value> =
                    found.iter().map(|(key, value)| ((*key).to_owned(), serde_json::from_str(value).expect("a value"))).collect();
                prop_assert_eq!(last, of_serde);
            }
        }

        #[test]
        fn all_that_is_plain_is_taken(members in prop::collection::btree_map("[a-zé ]{0,4}", prop_oneof![
            Just("true".to_owned()), Just("null".to_owned()), "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,4})?", "\"[^\"\\\\\u{0}-\u{1f}]{0,8}\"",
        ], 1..6)) {
            let text: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            let text = format!("{{{}}}", text.join(","));
            let found = read(&text).expect("plain");
            prop_assert!(found.into_iter().eq(members.iter().map(|(key, value)| (key.as_str(), value.as_str()))));
        }
    }
}
