//! Text in columns: what a terminal shows of texts that come from records.

/// A text in so many columns, and two more.
pub(super) fn cell(text: &str, width: usize) -> String {
    format!("{:<width$}  ", cut(&shown(text), width))
}

/// What controls a terminal is shown, not sent.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// A text cut to so many characters.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// A text in lines of at most so many characters, broken between words; a longer word is a line of its own.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_record_reaches_the_terminal_as_a_command() {
        assert_eq!(cell("a\x1b[2Jb", 8), "a·[2Jb    ");
        assert_eq!(cell("longer than that", 8), "longer …  ");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a considerable word", 5), ["a", "considerable", "word"]);
        assert!(wrapped(" ", 5).is_empty());
    }
}
