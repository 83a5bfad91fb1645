//! Reading one TOML table: what is asked for is known, what is left over is a mistake.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::problem::{Problem, Problems};
use super::spot::{Spot, Text};
use super::words::shortened;
use propice_model::limits::DURATION_MS;
use propice_model::nearest::nearest;
use propice_model::{Duration, time};

/// What keys of an entity are.
pub(super) const ENTITY_KEYS: [&str; 3] = ["feature", "attribute", "labels"];

/// A value of a table with its place.
pub(crate) type TomlItem<'s> = &'s Spanned<DeValue<'s>>;

/// A table that is being read.
pub(crate) struct Section<'s> {
    /// As messages call it.
    pub place: String,
    /// Where it is declared.
    pub span: Range<usize>,
    table: &'s DeTable<'s>,
    known: Vec<&'static str>,
    /// Keys that belong to somebody else.
    known_elsewhere: Vec<&'static str>,
    /// Whether something in it could not be read.
    pub damaged: bool,
}

impl<'s> Section<'s> {
    /// A table; `span` is where a key that is missing is reported.
    pub(crate) fn new(place: String, span: Range<usize>, table: &'s DeTable<'s>) -> Section<'s> {
        Section { place, span, table, known: Vec::new(), known_elsewhere: Vec::new(), damaged: false }
    }

    /// The table behind a value, or a report of what else it is.
    pub(crate) fn of(place: String, key: &str, item: TomlItem<'s>, problems: &mut Problems) -> Option<Section<'s>> {
        match item.get_ref() {
            DeValue::Table(table) => Some(Section::new(place, item.span(), table)),
            other => {
                problems.add(wrong_type(key, "a table", other), &item.span());
                None
            }
        }
    }

    /// The value of a key, which is known from now on.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<TomlItem<'s>> {
        self.known.push(key);
        self.table.get(key)
    }

    /// The value of a key that is needed.
    pub(crate) fn wanted(
        &mut self,
        key: &'static str,
        what: &'static str,
        problems: &mut Problems,
    ) -> Option<TomlItem<'s>> {
        let item = self.get(key);
        if item.is_none() {
            self.missing(key, what, problems);
        }
        item
    }

    /// Whether a key is there and a table.
    pub(crate) fn is_table(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|item| item.get_ref().is_table())
    }

    /// Leaves the features and attributes of an entity to whoever reads them: it may be called like
    /// this section.
    pub(crate) fn leave_views(&mut self) {
        let keys: Vec<&str> = ENTITY_KEYS.into_iter().filter(|key| self.is_table(key)).collect();
        self.known_elsewhere.extend(keys);
    }

    /// Whether a key is there, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// All entries with the names of their keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Text, TomlItem<'s>)> + use<'s> {
        self.table.iter().map(|(key, value)| (Spot::new(key.get_ref().to_string(), key.span()), value))
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<Text> {
        let item = self.get(key)?;
        let text = text_of(key, item, problems);
        self.damaged |= text.is_none();
        text
    }

    /// A text that is not empty.
    pub(crate) fn filled(&mut self, key: &'static str, problems: &mut Problems) -> Option<Text> {
        let text = self.text(key, problems)?;
        if text.value.trim().is_empty() {
            self.damaged = true;
            problems.add(Problem::Empty { key: key.to_owned() }, &text.span);
            return None;
        }
        Some(text)
    }

    /// A text that is needed and not empty.
    pub(crate) fn needed(&mut self, key: &'static str, what: &'static str, problems: &mut Problems) -> Option<Text> {
        if !self.has(key) {
            self.missing(key, what, problems);
        }
        self.filled(key, problems)
    }

    /// Reports that a key is not there.
    pub(crate) fn missing(&mut self, key: &'static str, what: &'static str, problems: &mut Problems) {
        self.known.push(key);
        self.damaged = true;
        problems.add(Problem::Missing { place: self.place.clone(), key, what }, &self.span);
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, key: &'static str, problems: &mut Problems) -> Option<bool> {
        let item = self.get(key)?;
        match item.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => {
                self.damaged = true;
                problems.add(wrong_type(key, "true or false", other), &item.span());
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        (least, most): (u64, u64),
        problems: &mut Problems,
    ) -> Option<Spot<u64>> {
        let item = self.get(key)?;
        let DeValue::Integer(number) = item.get_ref() else {
            self.damaged = true;
            problems.add(wrong_type(key, "a whole number", item.get_ref()), &item.span());
            return None;
        };
        let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
        if let Some(value) = value.filter(|value| (least..=most).contains(value)) {
            return Some(Spot::new(value, item.span()));
        }
        self.damaged = true;
        problems.add(Problem::OutOfRange { key: key.to_owned(), least, most }, &item.span());
        None
    }

    /// A number, with or without a point, for which `fits` holds.
    pub(crate) fn real(
        &mut self,
        key: &'static str,
        bounds: &'static str,
        fits: fn(f64) -> bool,
        problems: &mut Problems,
    ) -> Option<Spot<f64>> {
        let item = self.get(key)?;
        let number = number_of(key, item, problems);
        if let Some(number) = number.filter(|number| fits(*number)) {
            return Some(Spot::new(number, item.span()));
        }
        self.damaged = true;
        if number.is_some() {
            problems.add(Problem::OutOfBounds { key, bounds }, &item.span());
        }
        None
    }

    /// A duration; `zero` says whether it may be nothing at all.
    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        zero: bool,
        problems: &mut Problems,
    ) -> Option<Spot<Duration>> {
        let text = self.text(key, problems)?;
        let key = key.to_owned();
        let problem = match time::parse_duration(text.value.trim()) {
            None => Problem::BadDuration { found: shortened(&text.value) },
            Some(ms) if ms < 0 => Problem::DurationNegative { key },
            Some(0) if !zero => Problem::DurationNotPositive { key },
            Some(ms) if ms > DURATION_MS => Problem::DurationTooLong { key },
            Some(ms) => return Some(Spot::new(ms, text.span)),
        };
        self.damaged = true;
        problems.add(problem, &text.span);
        None
    }

    /// One of a list of words.
    pub(crate) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        what: &'static str,
        words: &[(&str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.text(key, problems)?;
        let word = word_of(&text, what, words, problems);
        self.damaged |= word.is_none();
        word
    }

    /// A list of words.
    pub(crate) fn words<T: Copy>(
        &mut self,
        key: &'static str,
        what: &'static str,
        words: &[(&str, T)],
        problems: &mut Problems,
    ) -> Vec<T> {
        let texts = self.texts(key, problems).map_or_else(Vec::new, |texts| texts.value);
        texts.iter().filter_map(|text| word_of(text, what, words, problems)).collect()
    }

    /// A list.
    pub(crate) fn list(&mut self, key: &'static str, problems: &mut Problems) -> Option<Spot<&'s DeArray<'s>>> {
        let item = self.get(key)?;
        match item.get_ref() {
            DeValue::Array(array) => Some(Spot::new(array, item.span())),
            other => {
                self.damaged = true;
                problems.add(wrong_type(key, "a list", other), &item.span());
                None
            }
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, key: &'static str, problems: &mut Problems) -> Option<Spot<Vec<Text>>> {
        let list = self.list(key, problems)?;
        let mut texts: Vec<Text> = Vec::new();
        for item in list.value {
            let Some(text) = text_of(key, item, problems) else {
                self.damaged = true;
                continue;
            };
            texts.push(text);
        }
        Some(Spot::new(texts, list.span))
    }

    /// A list of texts, none of them empty or twice; one that is not there is empty, one that is
    /// there is not.
    pub(crate) fn filled_texts(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Text> {
        let Some(list) = self.texts(key, problems) else { return Vec::new() };
        if list.value.is_empty() && !self.damaged {
            self.damaged = true;
            problems.add(Problem::Empty { key: key.to_owned() }, &list.span);
        }
        let mut texts: Vec<Text> = Vec::new();
        for text in list.value {
            let problem = if text.value.trim().is_empty() {
                Problem::Empty { key: key.to_owned() }
            } else if texts.iter().any(|other| other.value == text.value) {
                Problem::Duplicate { what: "text", name: shortened(&text.value) }
            } else {
                texts.push(text);
                continue;
            };
            self.damaged = true;
            problems.add(problem, &text.span);
        }
        texts
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(self, problems: &mut Problems) -> bool {
        let mut damaged = self.damaged;
        for (key, _) in self.entries() {
            if self.known.contains(&key.value.as_str()) || self.known_elsewhere.contains(&key.value.as_str()) {
                continue;
            }
            damaged = true;
            let mut known: Vec<String> = self.known.iter().map(|key| (*key).to_owned()).collect();
            known.sort();
            known.dedup();
            let nearest = nearest(&key.value, self.known.iter().copied());
            let key_text = shortened(&key.value);
            problems.add(Problem::UnknownKey { key: key_text, place: self.place.clone(), nearest, known }, &key.span);
        }
        damaged
    }
}

/// The text of a value, or a report of what else it is.
pub(crate) fn text_of(key: &str, item: TomlItem<'_>, problems: &mut Problems) -> Option<Text> {
    match item.get_ref() {
        DeValue::String(text) => Some(Spot::new(text.to_string(), item.span())),
        other => {
            problems.add(wrong_type(key, "a text", other), &item.span());
            None
        }
    }
}

/// The number of a value, or a report of what else it is.
pub(crate) fn number_of(key: &str, item: TomlItem<'_>, problems: &mut Problems) -> Option<f64> {
    let number = match item.get_ref() {
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number as f64)
        }
        DeValue::Float(number) => number.as_str().parse().ok(),
        other => {
            problems.add(wrong_type(key, "a number", other), &item.span());
            return None;
        }
    };
    let number = number.filter(|number: &f64| number.is_finite());
    if number.is_none() {
        problems.add(Problem::NotFinite { key: shortened(key) }, &item.span());
    }
    number
}

/// One of a list of words, or a report that it is none.
pub(crate) fn word_of<T: Copy>(
    text: &Text,
    what: &'static str,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    if let Some((_, word)) = words.iter().find(|(word, _)| *word == text.value) {
        return Some(*word);
    }
    let known = words.iter().map(|(word, _)| (*word).to_owned()).collect();
    let nearest = nearest(&text.value, words.iter().map(|(word, _)| *word));
    problems.add(Problem::UnknownWord { what, found: shortened(&text.value), known, nearest }, &text.span);
    None
}

/// The report that a value is of another type.
pub(crate) fn wrong_type(key: &str, expected: &'static str, found: &DeValue<'_>) -> Problem {
    let found = match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Problem::WrongType { key: shortened(key), expected, found }
}

/// A text that is not empty.
pub(super) fn filled_of(key: &str, item: TomlItem<'_>, problems: &mut Problems) -> Option<Text> {
    let text = text_of(key, item, problems)?;
    if text.value.trim().is_empty() {
        problems.add(Problem::Empty { key: shortened(key) }, &text.span);
        return None;
    }
    Some(text)
}
