//! Text in columns: how wide the place is, and how texts that come from records are fitted to it.

use std::io::{self, IsTerminal as _};

use comfy_table::Table;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns where nobody says how many there are.
const COLUMNS: usize = 100;
/// Fewer are of no use.
const LEAST: usize = 20;

/// Where lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How many columns there are: those of the terminal; where there is none what `COLUMNS` says, or
/// 100.
pub fn columns(place: OutputStream) -> usize {
    let mut table = Table::new();
    let is_terminal = match place {
        OutputStream::Out => io::stdout().is_terminal(),
        OutputStream::Err => {
            table.use_stderr();
            io::stderr().is_terminal()
        }
    };
    let of_terminal = table.width().filter(|width| is_terminal && *width > 0).map(usize::from);
    let asked = || std::env::var("COLUMNS").ok()?.trim().parse().ok().filter(|columns| *columns > 0);
    of_terminal.or_else(asked).unwrap_or(COLUMNS).max(LEAST)
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// What controls a terminal is shown, not sent.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// A text cut to so many columns.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut short = fitting(text, columns.saturating_sub(1)).to_owned();
    short.push('…');
    short
}

/// As much of a text as fits.
fn fitting(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return &text[..at];
        }
    }
    text
}

/// A text in lines of at most so many columns, broken between words; a longer word is broken where
/// the line ends.
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        while line.is_empty() && width(word) > columns {
            let mut part = fitting(word, columns);
            if part.is_empty() {
                // A character that is wider than the line is a line of its own.
                part = &word[..word.chars().next().map_or(0, char::len_utf8)];
            }
            lines.push(part.to_owned());
            word = &word[part.len()..];
        }
        if !line.is_empty() && !word.is_empty() {
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
        assert_eq!(shown("a\x1b[2Jb"), "a·[2Jb");
        assert_eq!(cut("longer than that", 8), "longer …");
        assert_eq!(cut("日本語", 4), "日…");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a considerable word", 5), ["a", "consi", "derab", "le", "word"]);
        assert_eq!(wrapped("日本語", 4), ["日本", "語"]);
        assert!(wrapped(" ", 5).is_empty());
    }
}
