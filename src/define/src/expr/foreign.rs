//! What people write who come from SQL or from other languages, and how it is written here.
//!
//! Only a text that does not parse is looked at. Two operands never stand side by side in a sound
//! expression, so a word between two operands, such as `is` in `x is not null`, is never a name
//! that was meant.

use std::ops::Range;

use super::Mistake;
use super::source::SourceText;
use super::token::TokenKind;

/// All of it, in the order of the text.
pub(super) fn mistakes(source: &SourceText<'_>) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut token = 0;
    while token < source.tokens.len() {
        match found_at(source, token) {
            Some((mistake, next)) => {
                found.push(mistake);
                token = next.max(token + 1);
            }
            None => token += 1,
        }
    }
    found
}

/// What begins with this token, and the token to go on with.
fn found_at(source: &SourceText<'_>, token: usize) -> Option<(Mistake, usize)> {
    let phrase = Phrase { source, at: token };
    let word = source.spelled(token).to_ascii_lowercase();
    match source.tokens.get(token)?.kind {
        TokenKind::Operator => phrase.unequal(),
        TokenKind::Name => match word.as_str() {
            "is" => phrase.is(),
            "not" => phrase.not(),
            "and" => phrase.infix("&&"),
            "or" => phrase.infix("||"),
            "in" => phrase.is_in(false),
            "like" | "ilike" | "between" => phrase.test(&word, token, false),
            "contains" | "startswith" | "endswith" | "matches" | "rlike" | "regexp" => phrase.method(&word),
            "eq" | "equals" => phrase.infix("=="),
            "ne" => phrase.infix("!="),
            "lt" => phrase.infix("<"),
            "le" => phrase.infix("<="),
            "gt" => phrase.infix(">"),
            "ge" => phrase.infix(">="),
            "case" | "if" if phrase.begins_operand(token + 1) && source.spelled(token + 1) != "(" => {
                phrase.said(token + 1, "write `a ? b : c`")
            }
            "as" if phrase.before().is_some() && phrase.begins_operand(token + 1) => {
                phrase.said(token + 1, "conversions are written `int(x)`, `double(x)` or `string(x)`")
            }
            "interval" if phrase.kind(token + 1) == Some(TokenKind::Text) => {
                phrase.said(token + 2, "durations are written `7d`, `48h`, `10m`")
            }
            "date" | "timestamp" if phrase.kind(token + 1) == Some(TokenKind::Text) => {
                phrase.said(token + 2, "a time is written `timestamp('2026-03-02T09:00:00Z')`")
            }
            _ => None,
        },
        _ => None,
    }
}

/// A word at a place of a text, with what stands around it.
struct Phrase<'a> {
    source: &'a SourceText<'a>,
    at: usize,
}

type Found = Option<(Mistake, usize)>;

impl Phrase<'_> {
    fn kind(&self, token: usize) -> Option<TokenKind> {
        self.source.tokens.get(token).map(|token| token.kind)
    }

    /// A word as it is compared.
    fn word(&self, token: usize) -> String {
        self.source.spelled(token).to_ascii_lowercase()
    }

    fn begins_operand(&self, token: usize) -> bool {
        match self.kind(token) {
            Some(TokenKind::Operator) => matches!(self.source.spelled(token), "!" | "-"),
            Some(TokenKind::Close) | None => false,
            Some(TokenKind::Name) => self.source.spelled(token) != "in",
            Some(_) => true,
        }
    }

    /// The bytes of some tokens.
    fn span(&self, tokens: &Range<usize>) -> Range<usize> {
        let start = self.source.tokens.get(tokens.start).map_or(0, |token| token.span.start);
        let end = tokens.end.checked_sub(1).and_then(|last| self.source.tokens.get(last));
        start..end.map_or(start, |token| token.span.end).max(start)
    }

    fn text(&self, tokens: &Range<usize>) -> &str {
        &self.source.text[self.span(tokens)]
    }

    /// The tokens of the operand that ends before the word.
    fn before(&self) -> Option<Range<usize>> {
        let mut start = self.at;
        loop {
            let last = start.checked_sub(1)?;
            if matches!(self.word(last).as_str(), "and" | "or" | "not" | "in") {
                return None;
            }
            start = match self.kind(last)? {
                TokenKind::Operator | TokenKind::Open => return None,
                TokenKind::Close => {
                    let open = self.source.opening(last)?;
                    let is_call = open > 0 && self.kind(open - 1) == Some(TokenKind::Name);
                    if is_call { open - 1 } else { open }
                }
                _ => last,
            };
            // Before a point stands the rest of a path, or what a function is called on.
            match start.checked_sub(1).map(|before| self.source.spelled(before)) {
                Some(".") => start -= 1,
                _ => return Some(start..self.at),
            }
        }
    }

    /// The tokens of the operand that begins here.
    fn operand(&self, from: usize) -> Option<Range<usize>> {
        let mut end = from;
        while matches!(self.source.spelled(end), "!" | "-") {
            end += 1;
        }
        end = match self.kind(end)? {
            TokenKind::Operator | TokenKind::Close => return None,
            TokenKind::Open => self.source.partner(end)? + 1,
            _ => end + 1,
        };
        loop {
            match self.source.spelled(end) {
                "." => end += 2,
                "(" if self.kind(end.checked_sub(1)?) == Some(TokenKind::Name) => {
                    end = self.source.partner(end)? + 1;
                }
                _ => return Some(from..end.min(self.source.tokens.len())),
            }
        }
    }

    /// From the word to a token, with a remedy.
    #[expect(clippy::unnecessary_wraps, reason = "as every finder gives it")]
    fn said(&self, end: usize, help: &str) -> Found {
        let tokens = self.at..end.min(self.source.tokens.len());
        let message = format!("`{}` means nothing here", self.text(&tokens));
        Some((Mistake::new(self.span(&tokens), message).help(help), end))
    }

    /// `x is not null`, `x is true`, `x is 5`
    fn is(&self) -> Found {
        let operand = self.before()?;
        let x = self.text(&operand);
        let negated = self.word(self.at + 1) == "not";
        let from = self.at + 1 + usize::from(negated);
        let help = match (self.word(from).as_str(), negated) {
            ("null" | "none" | "nil" | "missing" | "unknown", true) => format!("write `has({x})`"),
            ("null" | "none" | "nil" | "missing" | "unknown", false) => format!("write `!has({x})`"),
            ("true", false) | ("false", true) => format!("write `{x}`"),
            ("true", true) | ("false", false) => format!("write `!{x}`"),
            (_, negated) => {
                let value = self.operand(from)?;
                let operator = if negated { "!=" } else { "==" };
                format!("write `{x} {operator} {}`", self.text(&value))
            }
        };
        let end = self.operand(from).map_or(from + 1, |value| value.end);
        self.said(end, &help)
    }

    /// `not x`, `x not in (1, 2)`
    fn not(&self) -> Found {
        if self.before().is_some() {
            return match self.word(self.at + 1).as_str() {
                "in" => self.is_in(true),
                word @ ("like" | "ilike" | "between") => self.test(word, self.at + 1, true),
                _ => None,
            };
        }
        // `not(x)` is a call, and told of as one.
        if !self.begins_operand(self.at + 1) || self.source.spelled(self.at + 1) == "(" {
            return None;
        }
        self.said(self.at + 1, "write `!`")
    }

    /// `x and y`
    fn infix(&self, operator: &str) -> Found {
        self.before()?;
        if !self.begins_operand(self.at + 1) {
            return None;
        }
        self.said(self.at + 1, &format!("write `{operator}`"))
    }

    /// `x <> y`
    fn unequal(&self) -> Found {
        let [first, second] = [self.source.tokens.get(self.at)?, self.source.tokens.get(self.at + 1)?];
        if (self.source.spelled(self.at), self.source.spelled(self.at + 1)) != ("<", ">")
            || first.span.end != second.span.start
        {
            return None;
        }
        let help = match self.before() {
            Some(operand) if self.word(self.at + 2) == "null" => format!("write `has({})`", self.text(&operand)),
            _ => "write `!=`".to_owned(),
        };
        self.said(self.at + 2, &help)
    }

    /// `x in (1, 2)`, `x IN [1, 2]`, `x not in [1, 2]`
    fn is_in(&self, negated: bool) -> Found {
        let x = self.before()?;
        let word = self.at + usize::from(negated);
        let list = self.operand(word + 1)?;
        let is_row = self.source.spelled(word + 1) == "(" && self.has_comma(&list);
        if !negated && self.source.spelled(word) == "in" && !is_row {
            return None;
        }
        let values = self.text(&list);
        let inner = values.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
        let values = inner.map_or_else(|| values.to_owned(), |inner| format!("[{}]", inner.trim()));
        let written = format!("{} in {values}", self.text(&x));
        let help = if negated { format!("write `!({written})`") } else { format!("write `{written}`") };
        self.said(list.end, &help)
    }

    /// Whether a comma stands in parentheses, and not deeper.
    fn has_comma(&self, list: &Range<usize>) -> bool {
        let mut at = list.start + 1;
        while at + 1 < list.end {
            match (self.source.spelled(at), self.kind(at)) {
                (",", _) => return true,
                (_, Some(TokenKind::Open)) => at = self.source.partner(at).unwrap_or(at),
                _ => {}
            }
            at += 1;
        }
        false
    }

    /// `x like 'a%'`, `x between 1 and 5`, with or without `not` before it.
    fn test(&self, word: &str, at: usize, negated: bool) -> Found {
        let operand = self.before()?;
        let x = self.text(&operand);
        let first = self.operand(at + 1)?;
        let (written, end) = if word == "between" {
            if self.word(first.end) != "and" {
                return self.said(at + 1, "write `x >= a && x <= b`");
            }
            let second = self.operand(first.end + 1)?;
            (format!("{x} >= {} && {x} <= {}", self.text(&first), self.text(&second)), second.end)
        } else {
            (like(x, self.text(&first), word == "ilike"), first.end)
        };
        let help = if negated && (word == "between" || written.contains(" == ")) {
            format!("write `!({written})`")
        } else if negated {
            format!("write `!{written}`")
        } else {
            format!("write `{written}`")
        };
        self.said(end, &help)
    }

    /// `x contains 'a'`
    fn method(&self, word: &str) -> Found {
        let operand = self.before()?;
        let value = self.operand(self.at + 1)?;
        let name = match word {
            "startswith" => "startsWith",
            "endswith" => "endsWith",
            "contains" => "contains",
            _ => "matches",
        };
        let value_text = self.text(&value);
        let argument = value_text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(value_text);
        self.said(value.end, &format!("write `{}.{name}({argument})`", self.text(&operand)))
    }
}

/// What a pattern of SQL asks, in the functions of the language.
fn like(x: &str, pattern: &str, any_case: bool) -> String {
    let quote = pattern.chars().next().filter(|quote| matches!(quote, '\'' | '"')).unwrap_or('\'');
    let inner = pattern.trim_matches(quote);
    let core = inner.trim_matches('%');
    let is_plain = !any_case && !core.contains(['%', '_', '\\']);
    match (inner.starts_with('%'), inner.ends_with('%')) {
        (true, true) if is_plain => format!("{x}.contains({quote}{core}{quote})"),
        (false, true) if is_plain => format!("{x}.startsWith({quote}{core}{quote})"),
        (true, false) if is_plain => format!("{x}.endsWith({quote}{core}{quote})"),
        (false, false) if is_plain => format!("{x} == {quote}{core}{quote}"),
        _ => {
            let case = if any_case { "(?i)" } else { "" };
            let escaped = regex::escape(inner).replace('%', ".*").replace('_', ".");
            // A backslash in a text is written twice.
            format!("{x}.matches({quote}{case}^{}${quote})", escaped.replace('\\', "\\\\"))
        }
    }
}

/// Functions of other languages, and what is written here instead.
const FUNCTIONS: [(&[&str], &str); 19] = [
    (&["not"], "write `!(…)`"),
    (&["isnull", "is_null", "isnone", "is_missing", "isna"], "write `!has(x)`"),
    (&["isnotnull", "is_not_null", "notnull", "defined", "is_known", "present"], "write `has(x)`"),
    (&["ifnull", "nvl", "if_null", "default"], "write `coalesce(x, y)`"),
    (&["length", "len", "char_length", "cardinality"], "write `size(x)`"),
    (&["now", "current_timestamp", "getdate", "current_time"], "`now` is written without parentheses"),
    (&["today", "current_date"], "write a comparison with `now`, as in `now - x < 24h`"),
    (&["if", "iif", "case", "when", "ifelse"], "write `a ? b : c`"),
    (&["cast", "convert", "to_number", "to_char", "decimal", "float"], "write `int(x)`, `double(x)` or `string(x)`"),
    (&["concat"], "write `x + y`"),
    (&["lower", "upper", "lowerascii", "tolower", "toupper"], "`x.matches('(?i)…')` disregards the case"),
    (&["floor", "trunc", "truncate"], "`int(x)` cuts off what is behind the point"),
    (&["year"], "write `x.getFullYear()`"),
    (&["month"], "write `x.getMonth()`, from 0 to 11"),
    (&["day", "dayofmonth"], "write `x.getDate()`, from 1 to 31"),
    (&["weekday", "dayofweek"], "write `x.getDayOfWeek()`, from 0 for Sunday to 6"),
    (&["hour"], "write `x.getHours()`"),
    (&["datediff", "date_diff", "timestampdiff"], "the difference of two times is a duration: `x - y > 7d`"),
    (
        &["count", "sum", "avg", "mean", "stddev", "first", "last", "distinct"],
        "what is counted or summed over records is a feature: [customer.feature] NAME = { from = \"…\", count = true }",
    ),
];

/// How what a function of another language does is written here.
pub(super) fn function(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    FUNCTIONS.iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, help)| *help)
}

/// How a word of another language is written here.
pub(super) fn word(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "null" | "none" | "nil" | "undefined" => Some("`has(x)` asks whether `x` is known".to_owned()),
        "true" | "false" => Some(format!("write `{lower}`")),
        "current_timestamp" => Some("write `now`".to_owned()),
        _ => None,
    }
}
