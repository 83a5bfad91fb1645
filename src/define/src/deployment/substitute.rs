//! Variables: what stands for `${NAME}` and `${file:PATH}` in the texts of a file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::origin::{Used, Variable};
use super::problem::{Found, Problem};
use propice_model::limits::VARIABLE_BYTES;

/// Says what a variable stands for: `None` when there is no such thing.
///
/// # Errors
/// Why it cannot be read, for people.
pub type Lookup<'a> = dyn Fn(&Variable) -> Result<Option<String>, String> + 'a;

/// What was done to which texts, by where they begin.
#[derive(Debug, Default)]
pub(super) struct Substituted {
    /// Texts with variables.
    pub used: BTreeMap<usize, Vec<Used>>,
    /// Texts with a variable that stands for nothing, which has been reported.
    pub broken: BTreeSet<usize>,
}

/// Puts what they stand for in the place of all variables.
pub(super) fn substitute(text: &str, table: &mut DeTable<'_>, lookup: &Lookup<'_>, found: &mut Found) -> Substituted {
    let mut work = Work { text, lookup, found, done: Substituted::default() };
    work.table(table);
    work.done
}

struct Work<'a> {
    text: &'a str,
    lookup: &'a Lookup<'a>,
    found: &'a mut Found,
    done: Substituted,
}

impl Work<'_> {
    // The parser limits how deep this goes.
    fn table(&mut self, table: &mut DeTable<'_>) {
        for (_, item) in table.iter_mut() {
            self.item(item);
        }
    }

    fn item(&mut self, item: &mut Spanned<DeValue<'_>>) {
        let span = item.span();
        match item.get_mut() {
            DeValue::Table(table) => self.table(table),
            DeValue::Array(array) => array.iter_mut().for_each(|item| self.item(item)),
            DeValue::String(text) if text.contains('$') => *text = Cow::Owned(self.resolve(text, &span)),
            _ => {}
        }
    }

    /// A text without its variables.
    fn resolve(&mut self, value: &str, span: &Range<usize>) -> String {
        let (mut out, mut used) = (String::new(), Vec::new());
        let mut from = span.start;
        for piece in pieces(value) {
            let (raw, variable, default) = match piece {
                Piece::Text(text) => {
                    out += text;
                    continue;
                }
                Piece::Variable { raw, variable, default } => (raw, Some(variable), default),
                Piece::Bad { raw } => (raw, None, None),
            };
            let place = self.place(raw, from, span);
            from = place.end.max(from);
            let resolved = match &variable {
                Some(variable) => self.one(variable, default),
                None => Err(Problem::BadVariable),
            };
            match resolved {
                Ok((text, is_default)) => {
                    out += &text;
                    used.extend(variable.map(|variable| Used { variable, is_default }));
                }
                Err(problem) => {
                    self.found.add(problem, &place);
                    self.done.broken.insert(span.start);
                }
            }
        }
        if !used.is_empty() {
            self.done.used.insert(span.start, used);
        }
        out
    }

    /// What a variable stands for, and whether that is its default.
    fn one(&self, variable: &Variable, default: Option<&str>) -> Result<(String, bool), Problem> {
        let found =
            (self.lookup)(variable).map_err(|reason| Problem::Unreadable { variable: variable.clone(), reason })?;
        let is_file = matches!(variable, Variable::File(_));
        match (found, default) {
            // As in a shell, the default also stands for what is empty.
            (found, Some(default)) if found.as_ref().is_none_or(String::is_empty) => Ok((default.to_owned(), true)),
            (Some(text), _) if text.len() > VARIABLE_BYTES => {
                Err(Problem::VariableTooLarge { variable: variable.clone(), limit: VARIABLE_BYTES })
            }
            (Some(text), _) if is_file => Ok((without_last_line_break(text), false)),
            (Some(text), _) => Ok((text, false)),
            (None, _) => Err(match variable {
                Variable::Environment(name) => Problem::NotSet { name: name.clone() },
                Variable::File(path) => Problem::NoFile { path: path.clone() },
            }),
        }
    }

    /// Where a piece of a text stands; the whole text where it is written in another way.
    fn place(&self, raw: &str, from: usize, span: &Range<usize>) -> Range<usize> {
        let found = self.text.get(from..span.end).and_then(|text| text.find(raw));
        found.map_or_else(|| span.clone(), |at| from + at..from + at + raw.len())
    }
}

/// Editors end a file with a line break, which belongs to no password.
fn without_last_line_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    Variable {
        raw: &'a str,
        variable: Variable,
        default: Option<&'a str>,
    },
    /// A dollar that is neither a variable nor written twice.
    Bad {
        raw: &'a str,
    },
}

/// The pieces of a text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find('$') {
        pieces.push(Piece::Text(&rest[..at]));
        let behind = &rest[at + 1..];
        let (piece, length) = if behind.starts_with('$') {
            (Piece::Text("$"), 2)
        } else if let Some(end) = behind.starts_with('{').then(|| behind.find('}')).flatten() {
            let raw = &rest[at..at + end + 2];
            (variable(raw), raw.len())
        } else {
            let raw = &rest[at..=at];
            (Piece::Bad { raw }, 1)
        };
        pieces.push(piece);
        rest = &rest[at + length..];
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    pieces
}

/// `${NAME}`, `${NAME:-default}`, `${file:PATH}`
fn variable(raw: &str) -> Piece<'_> {
    let inner = raw.trim_start_matches("${").trim_end_matches('}');
    let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
    let variable = match name.strip_prefix("file:") {
        Some(path) if !path.trim().is_empty() => Variable::File(path.to_owned()),
        None if is_name(name) => Variable::Environment(name.to_owned()),
        _ => return Piece::Bad { raw },
    };
    Piece::Variable { raw, variable, default }
}

/// Whether something in the environment can be called so.
fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Variable {
        Variable::Environment(name.to_owned())
    }

    #[test]
    fn texts_fall_into_pieces() {
        assert_eq!(pieces("abc"), [Piece::Text("abc")]);
        assert_eq!(pieces("a$$b"), [Piece::Text("a"), Piece::Text("$"), Piece::Text("b")]);
        let raw = "${A_1:-x:-y}";
        assert_eq!(
            pieces("h${A_1:-x:-y}:9"),
            [
                Piece::Text("h"),
                Piece::Variable { raw, variable: environment("A_1"), default: Some("x:-y") },
                Piece::Text(":9")
            ]
        );
        let raw = "${file:/run/secrets/x}";
        let variable = Variable::File("/run/secrets/x".to_owned());
        assert_eq!(pieces(raw), [Piece::Variable { raw, variable, default: None }]);
        // Written twice, a dollar begins no variable.
        assert_eq!(pieces("$${A}"), [Piece::Text("$"), Piece::Text("{A}")]);
    }

    #[test]
    fn a_lone_dollar_is_a_mistake() {
        for bad in ["$", "$A", "${A", "${}", "${1A}", "${a b}", "${file:}", "${env:A}", "a${-}"] {
            assert!(pieces(bad).iter().any(|piece| matches!(piece, Piece::Bad { .. })), "{bad}");
        }
    }

    #[test]
    fn what_is_empty_gives_way_to_the_default() {
        let mut found = Found::default();
        let lookup = |variable: &Variable| match variable {
            Variable::Environment(name) if name == "EMPTY" => Ok(Some(String::new())),
            Variable::Environment(name) if name == "FULL" => Ok(Some("full\n".to_owned())),
            Variable::File(_) => Ok(Some("line\r\n".to_owned())),
            Variable::Environment(_) => Ok(None),
        };
        let text = "a = \"${EMPTY:-x}\"\nb = \"${EMPTY}\"\nc = '${FULL}'\nd = ['${file:f}${NONE:-}']\ne = '${NONE}'";
        let mut table = DeTable::parse(text).expect("TOML").into_inner();
        let done = substitute(text, &mut table, &lookup, &mut found);
        let of = |key: &str| table[key].get_ref().as_str().map(str::to_owned);
        assert_eq!(of("a").as_deref(), Some("x"));
        assert_eq!(of("b").as_deref(), Some(""));
        assert_eq!(of("c").as_deref(), Some("full\n"), "the environment is taken as it is");
        assert_eq!(table["d"].get_ref()[0].get_ref().as_str(), Some("line"));
        assert_eq!(done.broken.len(), 1);
        let [(Problem::NotSet { name }, span)] = &found.0[..] else { panic!("{found:?}") };
        assert_eq!((name.as_str(), &text[span.clone()]), ("NONE", "${NONE}"));
    }
}
