//! From text to tokens, and to the text that the CEL parser is given.
//!
//! The parser of the `cel` crate knows neither durations (`7d`) nor `has` of a plain name,
//! complains in the terms of its generator, and recurses as deep as a text tells it to. So a text
//! is cut into tokens here first: what cannot be a token, brackets that do not match and a nesting
//! that is too deep are found before the parser sees anything. It is then given the same tokens,
//! spelled so that it understands them; every place in that text leads back to a token.

use std::ops::Range;

use super::token::{Token, TokenKind};
use super::{Mistake, nesting};
use propice_model::{limits, time};

/// A text, its tokens, and the text for the parser.
pub(super) struct SourceText<'a> {
    /// As it was written.
    pub(super) text: &'a str,
    /// Its tokens.
    pub(super) tokens: Vec<Token>,
    /// What the parser is given.
    pub(super) rewritten: String,
    /// Where each token starts in `rewritten`.
    starts: Vec<usize>,
    /// Pairs of brackets, as tokens.
    brackets: Vec<(usize, usize)>,
}

/// Two-character operators, then the others.
const OPERATORS: [&str; 20] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "-", "+", "*", "/", "%", "?", ":", ",", ".", "{", "}"];

/// Words that the parser keeps for itself although they may be names here, and the macros that it
/// would expand.
const MANGLED: [&str; 24] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "has",
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "map",
    "filter",
];

impl<'a> SourceText<'a> {
    /// Cuts a text into tokens.
    pub(super) fn read(text: &'a str) -> Result<SourceText<'a>, Vec<Mistake>> {
        if text.chars().count() > limits::EXPRESSION_CHARS {
            return Err(vec![
                Mistake::new(0..text.len(), "the expression is too long")
                    .help(format!("an expression has at most {} characters", limits::EXPRESSION_CHARS)),
            ]);
        }
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Err(vec![Mistake::new(0..text.len(), "the expression is empty")]);
        }
        let brackets = nesting::brackets(text, &tokens).map_err(|mistake| vec![mistake])?;
        if nesting::depth(text, &tokens) > limits::EXPRESSION_DEPTH {
            return Err(vec![
                Mistake::new(0..text.len(), "the expression is nested too deep")
                    .help(format!("at most {} deep; attributes can name its parts", limits::EXPRESSION_DEPTH)),
            ]);
        }
        let mut source = SourceText { text, tokens, rewritten: String::new(), starts: Vec::new(), brackets };
        source.rewrite();
        Ok(source)
    }

    /// The text of a token.
    pub(super) fn spelled(&self, token: usize) -> &'a str {
        self.tokens.get(token).map_or("", |token| &self.text[token.span.clone()])
    }

    /// How often an operator stands in the text.
    pub(super) fn count(&self, operator: &str) -> usize {
        (0..self.tokens.len()).filter(|&token| self.spelled(token) == operator).count()
    }

    /// The token at a place of the text for the parser.
    pub(super) fn token_at(&self, rewritten_byte: usize) -> usize {
        self.starts.partition_point(|&start| start <= rewritten_byte).saturating_sub(1)
    }

    /// The other bracket of a pair.
    pub(super) fn partner(&self, token: usize) -> Option<usize> {
        self.brackets.iter().find(|(open, _)| *open == token).map(|(_, close)| *close)
    }

    /// The bracket that this one closes.
    pub(super) fn opening(&self, token: usize) -> Option<usize> {
        self.brackets.iter().find(|(_, close)| *close == token).map(|(open, _)| *open)
    }

    /// Widens a range of the text until it holds no bracket without its partner.
    pub(super) fn balanced(&self, mut span: Range<usize>) -> Range<usize> {
        loop {
            let before = span.clone();
            for (open, close) in &self.brackets {
                let (open, close) = (&self.tokens[*open].span, &self.tokens[*close].span);
                if span.contains(&open.start) != span.contains(&close.start) {
                    span = span.start.min(open.start)..span.end.max(close.end);
                }
            }
            if span == before {
                return span;
            }
        }
    }

    /// Spells the tokens as the parser wants them.
    fn rewrite(&mut self) {
        let mut out = String::with_capacity(self.text.len() + 64);
        let mut end = 0;
        for (position, token) in self.tokens.iter().enumerate() {
            if token.span.start > end {
                out.push(' ');
            }
            end = token.span.end;
            self.starts.push(out.len());
            let spelled = &self.text[token.span.clone()];
            let selected = position > 0 && self.spelled(position - 1) == ".";
            let called =
                self.tokens.get(position + 1).is_some_and(|next| self.text[next.span.clone()].starts_with('('));
            match token.kind {
                TokenKind::Duration => out.extend(["duration('", spelled, "')"]),
                TokenKind::Name if MANGLED.contains(&spelled) && (called || !selected) => out.extend(["_", spelled]),
                _ => out.push_str(spelled),
            }
        }
        self.rewritten = out;
    }
}

/// Cuts a text into tokens; finds everything that is none.
fn tokens(text: &str) -> Result<Vec<Token>, Vec<Mistake>> {
    let bytes = text.as_bytes();
    let (mut tokens, mut mistakes) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if bytes[at..].starts_with(b"//") {
            at += text[at..].find('\n').unwrap_or(text.len() - at);
            continue;
        }
        let in_text = matches!(bytes[at..], [b'"' | b'\'', ..] | [b'r' | b'R', b'"' | b'\'', ..]);
        let read = match byte {
            b'0'..=b'9' => number(text, at),
            b'.' if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => number(text, at),
            b'"' | b'\'' => quoted(text, at, 0),
            b'(' | b'[' => Ok((TokenKind::Open, at + 1)),
            b')' | b']' => Ok((TokenKind::Close, at + 1)),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => name(text, at),
            _ => operator(text, at),
        };
        match read {
            Ok((kind, end)) => {
                tokens.push(Token { kind, span: at..end });
                at = end;
            }
            Err(mistake) => {
                at = mistake.span.end.max(at + 1);
                mistakes.push(mistake);
                // Behind a text that is wrong it is not known where texts start and end.
                if in_text {
                    break;
                }
            }
        }
    }
    if mistakes.is_empty() { Ok(tokens) } else { Err(mistakes) }
}

/// The end of the run of characters from `at` that satisfy `keep`.
fn run(text: &str, at: usize, keep: impl Fn(char) -> bool) -> usize {
    text[at..].find(|c| !keep(c)).map_or(text.len(), |length| at + length)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

type Read = Result<(TokenKind, usize), Mistake>;

/// A name; or a text with a prefix (`r'raw'`).
fn name(text: &str, at: usize) -> Read {
    let end = run(text, at, is_word);
    if !matches!(text.as_bytes().get(end), Some(b'"' | b'\'')) {
        return Ok((TokenKind::Name, end));
    }
    match &text[at..end] {
        "r" | "R" => quoted(text, at, 1),
        "b" | "B" | "br" | "bR" | "Br" | "BR" => {
            let span = at..quoted(text, at, end - at)?.1;
            Err(Mistake::new(span, "bytes are not supported").help("write a text: `'…'`"))
        }
        _ => Ok((TokenKind::Name, end)),
    }
}

/// A number or a duration.
fn number(text: &str, at: usize) -> Read {
    let mut end = run(text, at, is_word);
    let mut point = false;
    loop {
        let rest = &text.as_bytes()[end..];
        let follows = match rest {
            [b'.', digit, ..] => digit.is_ascii_digit() && !std::mem::replace(&mut point, true),
            [b'+' | b'-', digit, ..] => {
                digit.is_ascii_digit() && text[at..end].ends_with(['e', 'E']) && !text[at..end].starts_with("0x")
            }
            _ => false,
        };
        if !follows {
            break;
        }
        end = run(text, end + 1, is_word);
    }
    let word = &text[at..end];
    if is_number(word) {
        return Ok((TokenKind::Number, end));
    }
    match time::parse_duration(word) {
        Some(ms) if ms <= limits::DURATION_MS => Ok((TokenKind::Duration, end)),
        Some(_) => Err(Mistake::new(at..end, "the duration is too long").help("a duration is at most 100 years")),
        None if word.ends_with(['u', 'U']) && is_number(&word[..word.len() - 1]) => {
            Err(Mistake::new(at..end, "unsigned numbers are not supported")
                .help(format!("write `{}`", &word[..word.len() - 1])))
        }
        None => Err(Mistake::new(at..end, format!("`{word}` is neither a number nor a duration"))
            .help("numbers are written `12` or `1.50`, durations `500ms`, `30s`, `10m`, `48h`, `7d`, `2w` or `1d12h`")),
    }
}

/// Whether a word is a number of CEL.
fn is_number(word: &str) -> bool {
    if let Some(hex) = word.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let plain = word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    plain && word.parse::<f64>().is_ok()
}

/// A text, behind a prefix of so many bytes.
fn quoted(text: &str, at: usize, prefix: usize) -> Read {
    let raw = prefix > 0 && text[at..at + prefix].contains(['r', 'R']);
    let start = at + prefix;
    let quote = &text[start..=start];
    let triple = text[start..].starts_with(&quote.repeat(3));
    let mark = if triple { quote.repeat(3) } else { quote.to_owned() };
    let mut inside = start + mark.len();
    loop {
        let rest = &text[inside..];
        if rest.starts_with(&mark) {
            return Ok((TokenKind::Text, inside + mark.len()));
        }
        let Some(next) = rest.chars().next().filter(|&c| triple || !matches!(c, '\n' | '\r')) else {
            return Err(Mistake::new(at..inside, "the text does not end").help(format!("close it with `{mark}`")));
        };
        inside += next.len_utf8();
        if next == '\\' && !raw {
            let escape = escape(&text[inside..]).ok_or_else(|| {
                Mistake::new(
                    inside - 1..inside + rest.chars().nth(1).map_or(0, char::len_utf8),
                    "an unknown escape in a text",
                )
                .help("a backslash is written `\\\\`, or `r'…'` around the text")
            })?;
            inside += escape;
        }
    }
}

/// The length of the escape behind a backslash.
fn escape(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    let digits = |count: usize, radix: u32| {
        rest.get(1..=count).and_then(|digits| u32::from_str_radix(digits, radix).ok()).and_then(char::from_u32)
    };
    match first {
        'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '"' | '\'' | '\\' | '?' | '`' => Some(1),
        'x' | 'X' => digits(2, 16).map(|_| 3),
        'u' => digits(4, 16).map(|_| 5),
        'U' => digits(8, 16).map(|_| 9),
        '0'..='3' => rest.get(..3).filter(|octal| octal.bytes().all(|digit| matches!(digit, b'0'..=b'7'))).map(|_| 3),
        _ => None,
    }
}

/// An operator.
fn operator(text: &str, at: usize) -> Read {
    if let Some(operator) = OPERATORS.iter().find(|operator| text[at..].starts_with(**operator)) {
        return Ok((TokenKind::Operator, at + operator.len()));
    }
    let character = text[at..].chars().next().unwrap_or(' ');
    let mistake = Mistake::new(at..at + character.len_utf8(), format!("`{character}` means nothing here"));
    Err(match character {
        '=' => {
            let rest = &text[at + 1..];
            let is_null = rest.trim_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case("null"));
            mistake.help(match rest.bytes().next() {
                Some(b'<') => "write `<=`",
                Some(b'>') => "write `>=`",
                _ if text[..at].ends_with("!=") => "write `!=`",
                _ if is_null => "write `!has(x)`: whether `x` is not known",
                _ => "write `==`",
            })
        }
        '~' => mistake.help("write `x.matches('regex')`"),
        '&' => mistake.help("write `&&`"),
        '|' => mistake.help("write `||`"),
        '’' | '‘' | '“' | '”' => mistake.help("write straight quotes: `'…'`"),
        _ => mistake,
    })
}
