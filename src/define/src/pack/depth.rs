//! Keys that are nested absurdly deep are refused before they are parsed: a dotted key makes a
//! table per dot, and giving back a nested table takes stack. What nests by brackets the parser
//! limits itself.

use std::ops::Range;

/// How many dots a key may have; a pack needs three.
pub(crate) const DOTS: usize = 16;

/// The first key with too many dots.
pub(crate) fn too_deep(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut at, mut begin, mut dots) = (0, 0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = behind_string(bytes, at);
                continue;
            }
            b'#' => {
                at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at);
                continue;
            }
            b'\n' | b',' | b'=' | b'[' | b'{' => (begin, dots) = (at + 1, 0),
            b'.' => dots += 1,
            _ => {}
        }
        if dots > DOTS {
            return Some(begin..at + 1);
        }
        at += 1;
    }
    None
}

/// Where the text that begins at a quote is over. A text of one line ends with its line at the
/// latest.
fn behind_string(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let three = bytes[at..].starts_with(&[quote; 3]);
    let mut next = at + if three { 3 } else { 1 };
    while let Some(&byte) = bytes.get(next) {
        match byte {
            b'\\' if quote == b'"' => next += 1,
            b'\n' if !three => return next,
            _ if three && bytes[next..].starts_with(&[quote; 3]) => return next + 3,
            _ if !three && byte == quote => return next + 1,
            _ => {}
        }
        next += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_count() {
        let dots = "a.".repeat(20);
        assert_eq!(too_deep(&format!("x = \"{dots}\" # {dots}\ny = '''\n{dots}'''")), None);
        assert_eq!(
            too_deep("x = [1.5, 2.5, 3.5, 1.5, 2.5, 3.5, 1.5, 2.5, 3.5, 1.5, 2.5, 3.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]"),
            None
        );
        assert!(too_deep(&format!("[{dots}a]")).is_some());
        assert!(too_deep(&format!("x = {{ {dots}a = 1 }}")).is_some());
        assert_eq!(too_deep("\"\\"), None);
        assert_eq!(too_deep("'''"), None);
    }
}
