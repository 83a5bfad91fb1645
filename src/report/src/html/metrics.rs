//! How wide texts are, about: a page is written before anybody knows in which font it will be
//! shown. The widths are those of a broad one among the usual fonts of screens, so that in the
//! others there is room left.

fn is_square(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}')
}

/// About how wide a character is, as a part of the size of the font.
pub(super) fn char_ems(c: char) -> f64 {
    match c {
        '\u{202f}' => 0.2,
        ' ' | '\u{a0}' | ',' | '.' | ':' | ';' | '\'' | '’' | '|' | 'i' | 'j' | 'l' | 'I' => 0.32,
        '(' | ')' | '-' | 't' | 'f' | 'r' => 0.41,
        '_' | '–' | 's' | 'c' | 'z' => 0.54,
        '+' | '−' | '<' | '>' | '=' | 'w' => 0.84,
        'm' | '%' | '…' | 'M' | 'W' => 1.0,
        // The scripts of East Asia, whose characters are squares.
        _ if is_square(c) => 1.0,
        'A'..='Z' => 0.77,
        '\u{1f000}'.. => 1.4,
        _ => 0.64,
    }
}

/// About how wide a text is, as a multiple of the size of the font.
pub(super) fn text_ems(text: &str) -> f64 {
    text.chars().map(char_ems).sum()
}
