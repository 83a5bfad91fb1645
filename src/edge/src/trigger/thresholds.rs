//! What a condition compares a name with, where it does so plainly: `balance < 50.00 && …` compares
//! `balance` with `< 50.00`. Anything that is more involved than a name, an operator and a literal
//! has no threshold: it would take the whole condition to say it.

const OPERATORS: [&str; 6] = ["<=", ">=", "==", "!=", "<", ">"];

/// The operator and the literal that a condition compares a name with, both as it spells them.
/// `None` when it does not, or more than once.
pub(super) fn threshold<'a>(condition: &'a str, name: &str) -> Option<(&'static str, &'a str)> {
    let mut found = conjuncts(condition)?.into_iter().filter_map(|part| comparison(part, name));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn comparison<'a>(part: &'a str, name: &str) -> Option<(&'static str, &'a str)> {
    let behind = part.trim().strip_prefix(name)?.trim_start();
    let operator = OPERATORS.into_iter().find(|operator| behind.starts_with(operator))?;
    let literal = behind[operator.len()..].trim();
    is_literal(literal).then_some((operator, literal))
}

/// A number or a duration, a text in quotes, `true` or `false`.
fn is_literal(text: &str) -> bool {
    if text == "true" || text == "false" {
        return true;
    }
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        return text.len() >= 2 && text.ends_with(quote) && text.matches(quote).count() == 2 && !text.contains('\\');
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase() || c == '.')
}

/// What is joined by `&&`, outside of parentheses and quotes; `None` when there is `||` or `?`
/// there, so that no part has to hold.
fn conjuncts(condition: &str) -> Option<Vec<&str>> {
    let bytes = condition.as_bytes();
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_u32);
    let mut quote: Option<u8> = None;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), _) => quote = quote.filter(|_| byte != open),
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, b'|' | b'?') if depth == 0 => return None,
            (None, b'&') if depth == 0 && bytes.get(at + 1) == Some(&b'&') => {
                parts.push(&condition[from..at]);
                at += 1;
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&condition[from..]);
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::threshold;

    #[test]
    fn only_what_is_plain_has_a_threshold() {
        let condition = "balance < 50.00 && (a > 1 || b > 2) && status == 'a && b' && age >= 48h && n >= 1 && n <= 3";
        assert_eq!(threshold(condition, "balance"), Some(("<", "50.00")));
        assert_eq!(threshold(condition, "status"), Some(("==", "'a && b'")));
        assert_eq!(threshold(condition, "age"), Some((">=", "48h")));
        for name in ["a", "b", "n", "bal", "other"] {
            assert_eq!(threshold(condition, name), None, "{name}");
        }
        assert_eq!(threshold("a > 1 || b > 2", "a"), None);
        assert_eq!(threshold("a > b", "a"), None);
        assert_eq!(threshold("a > 1 ? b : c", "a"), None);
        assert_eq!(threshold("été == 'é' && a > 1", "a"), Some((">", "1")));
    }
}
