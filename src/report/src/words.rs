//! How numbers and names are written for people.

/// What stands where there is nothing to say.
pub(super) const NOTHING: &str = "–";

/// Characters of a name that are shown.
const NAME_CHARS: usize = 60;

/// A name from the data: what would control a terminal or turn the direction of the text is shown, not sent, and what is very long is cut.
pub(super) fn name(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        if at == NAME_CHARS {
            out.push('…');
            break;
        }
        match c {
            c if c.is_control() || is_directional(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Unicode's marks that turn the direction of what follows, and its separators of lines.
fn is_directional(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A number with commas: `2,000,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 release`, `2 releases`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// A share of a whole, where there is one.
pub(super) fn percent_of(count: u64, of: u64) -> String {
    if of == 0 { NOTHING.to_owned() } else { percent(count as f64 / of as f64) }
}

/// The two greatest units of a length: `3d 4h`, `45m`, `12s`.
pub(super) fn length(length_ms: u64) -> String {
    const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let Some(first) = UNITS.iter().position(|(_, size)| length_ms >= *size) else { return "0s".to_owned() };
    let (unit, size) = UNITS[first];
    let whole = format!("{}{unit}", grouped(length_ms / size));
    match UNITS.get(first + 1) {
        Some((unit, smaller)) if length_ms % size >= *smaller => {
            format!("{whole} {}{unit}", length_ms % size / smaller)
        }
        _ => whole,
    }
}

/// A length, or that there is none.
pub(super) fn some_length(length_ms: Option<u64>) -> String {
    length_ms.map_or_else(|| NOTHING.to_owned(), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (2_000_000, "2,000,000")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn lengths_have_two_units_at_most() {
        let second = 1_000;
        for (ms, text) in [
            (0, "0s"),
            (999, "999ms"),
            (12 * second, "12s"),
            (3_600 * second, "1h"),
            (5_430 * second, "1h 30m"),
            (90_061 * second, "1d 1h"),
            (86_400 * 1_234 * second, "1,234d"),
            (86_459 * second, "1d"),
        ] {
            assert_eq!(length(ms), text);
        }
    }

    #[test]
    fn names_cannot_command() {
        assert_eq!(name("a\u{1b}[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(name("é <b>"), "é <b>");
        assert_eq!(name(""), "(empty)");
        assert_eq!(name(&"x".repeat(100)).chars().count(), 61);
    }
}
