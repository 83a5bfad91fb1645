//! Reading single values: with their variables, noting where they came from.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::origin::{Origin, Origins, Used, Variable};
use super::problem::{Found, Problem};
use super::secret::{HIDDEN, Secret, Setting};
use super::substitute::Substituted;
use super::topics::TopicUse;
use crate::pack::parse_instant;
use crate::pack::problem::{Problem as Common, Problems};
use crate::pack::section::{Section, TomlItem, text_of, word_of, wrong_type};
use crate::pack::spot::{Spot, Text};
use crate::pack::words::shortened;
use crate::plan::Plan;
use propice_model::time::{format_duration, parse_duration};
use propice_model::{Duration, LogicalTime};

/// A table that is being read, with its path: `kafka.sasl`.
pub(super) struct Part<'s> {
    pub section: Section<'s>,
    pub path: String,
}

impl Part<'_> {
    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// A topic, or none on purpose.
pub(super) enum Switch {
    /// `false`
    Off,
    /// `true`, or nothing at all
    On,
    /// Something else.
    Said,
}

/// What reading needs and what it has found.
pub(super) struct Desk<'a> {
    /// Where the lines of the text end.
    pub line_breaks: Vec<usize>,
    pub plan: &'a Plan,
    pub done: Substituted,
    /// Mistakes of this kind of file.
    pub found: Found,
    /// Mistakes that packs can hold too.
    pub common: Problems,
    pub origins: Origins,
    /// Topics that are written to.
    pub topics: Vec<TopicUse>,
}

impl Desk<'_> {
    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        use crate::diagnostic::Severity;
        !self.common.has_errors() && self.found.0.iter().all(|(problem, _)| problem.severity() == Severity::Warning)
    }

    /// The variables of a value.
    fn used(&self, span: &Range<usize>) -> Vec<Used> {
        let within = self.done.used.range(span.start..span.end.max(span.start + 1));
        within.flat_map(|(_, used)| used.iter().cloned()).collect()
    }

    pub(super) fn is_from_file(&self, span: &Range<usize>) -> bool {
        self.used(span).iter().any(|used| matches!(used.variable, Variable::File(_)))
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, place: usize) -> usize {
        self.line_breaks.partition_point(|&at| at < place) + 1
    }

    /// Notes that a value is said here.
    pub(super) fn note(&mut self, path: String, span: &Range<usize>) {
        let line = self.line(span.start);
        let variables = self.used(span);
        self.origins.note(path, Origin::File { line, variables });
    }

    /// A table of a table; its keys begin with `path`.
    pub(super) fn part<'s>(&mut self, place: &str, path: &str, item: TomlItem<'s>) -> Option<Part<'s>> {
        let section = Section::of(place.to_owned(), path, item, &mut self.common)?;
        Some(Part { section, path: path.to_owned() })
    }

    /// `[key]` of the whole file; an empty one where it is not there.
    pub(super) fn top<'s>(&mut self, top: &mut Section<'s>, key: &'static str, empty: &'s DeTable<'s>) -> Part<'s> {
        let place = format!("[{key}]");
        let part = top.get(key).and_then(|item| self.part(&place, key, item));
        part.unwrap_or_else(|| Part { section: Section::new(place, 0..0, empty), path: key.to_owned() })
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(&mut self, part: Part<'_>) {
        part.section.finish(&mut self.common);
    }

    /// A value, unless a variable of it stands for nothing.
    pub(super) fn item<'s>(&mut self, part: &mut Part<'s>, key: &'static str) -> Option<TomlItem<'s>> {
        let item = part.section.get(key)?;
        self.note(part.path_of(key), &item.span());
        if self.done.broken.contains(&item.span().start) {
            part.section.damaged = true;
            return None;
        }
        Some(item)
    }

    /// A value that is shown in logs.
    fn open<'s>(&mut self, part: &mut Part<'s>, key: &'static str) -> Option<TomlItem<'s>> {
        let item = self.item(part, key)?;
        self.is_open(key, item).then_some(item)
    }

    fn is_open(&mut self, key: &str, item: TomlItem<'_>) -> bool {
        let is_secret = self.is_from_file(&item.span());
        if is_secret {
            self.found.add(Problem::SecretShown { key: key.to_owned() }, &item.span());
        }
        !is_secret
    }

    /// A text that is not empty.
    fn filled(&mut self, key: &str, item: TomlItem<'_>) -> Option<Text> {
        let text = text_of(key, item, &mut self.common)?;
        if text.value.trim().is_empty() {
            self.common.add(Common::Empty { key: shortened(key) }, &text.span);
            return None;
        }
        if text.value == HIDDEN {
            self.found.add(Problem::HiddenSecret, &text.span);
            return None;
        }
        Some(text)
    }

    /// A text that is shown in logs.
    pub(super) fn text(&mut self, part: &mut Part<'_>, key: &'static str) -> Option<Text> {
        let item = self.open(part, key)?;
        self.filled(key, item)
    }

    /// Texts that are shown in logs. One that could not be read is left out, and reported.
    pub(super) fn texts(&mut self, part: &mut Part<'_>, key: &'static str) -> Option<Spot<Vec<Text>>> {
        let item = self.item(part, key)?;
        let DeValue::Array(list) = item.get_ref() else {
            self.common.add(wrong_type(key, "a list", item.get_ref()), &item.span());
            return None;
        };
        let mut texts = Vec::new();
        for item in list {
            let is_broken = self.done.broken.contains(&item.span().start);
            if !is_broken && self.is_open(key, item) {
                texts.extend(self.filled(key, item));
            }
        }
        (texts.len() == list.len()).then(|| Spot::new(texts, item.span()))
    }

    /// A text that is not shown when it came from a file.
    pub(super) fn setting(&mut self, part: &mut Part<'_>, key: &'static str) -> Option<Spot<Setting>> {
        let item = self.item(part, key)?;
        let text = self.filled(key, item)?;
        let setting = if self.is_from_file(&text.span) {
            Setting::Secret(Secret::new(text.value))
        } else {
            Setting::Plain(text.value)
        };
        Some(Spot::new(setting, text.span))
    }

    /// A text that is never shown.
    pub(super) fn secret(&mut self, part: &mut Part<'_>, key: &'static str) -> Option<Secret> {
        let item = self.item(part, key)?;
        self.filled(key, item).map(|text| Secret::new(text.value))
    }

    /// A whole number; as a text only from a variable.
    pub(super) fn number(&mut self, part: &mut Part<'_>, key: &'static str, bounds: (u64, u64)) -> Option<u64> {
        let item = self.open(part, key)?;
        let DeValue::String(text) = item.get_ref() else {
            return part.section.number(key, bounds, &mut self.common).map(|spot| spot.value);
        };
        if self.used(&item.span()).is_empty() {
            self.common.add(wrong_type(key, "a whole number", item.get_ref()), &item.span());
            return None;
        }
        let Ok(number) = text.trim().replace('_', "").parse::<u64>() else {
            let found = shortened(text);
            self.found.add(Problem::NotANumber { key: key.to_owned(), found }, &item.span());
            return None;
        };
        let (least, most) = bounds;
        if !(least..=most).contains(&number) {
            self.common.add(Common::OutOfRange { key: key.to_owned(), least, most }, &item.span());
            return None;
        }
        Some(number)
    }

    /// A duration from `least` to `most`, in ms.
    pub(super) fn duration(
        &mut self,
        part: &mut Part<'_>,
        key: &'static str,
        (least, most): (Duration, Duration),
    ) -> Option<Duration> {
        let text = self.text(part, key)?;
        let Some(duration_ms) = parse_duration(text.value.trim()) else {
            self.common.add(Common::BadDuration { found: shortened(&text.value) }, &text.span);
            return None;
        };
        if !(least..=most).contains(&duration_ms) {
            let (least, most) = (format_duration(least), format_duration(most));
            self.found.add(Problem::DurationOutOfRange { key, least, most }, &text.span);
            return None;
        }
        Some(duration_ms)
    }

    /// One of a list of words.
    pub(super) fn word<T: Copy>(
        &mut self,
        part: &mut Part<'_>,
        key: &'static str,
        what: &'static str,
        words: &[(&str, T)],
    ) -> Option<Spot<T>> {
        let text = self.text(part, key)?;
        word_of(&text, what, words, &mut self.common).map(|word| Spot::new(word, text.span))
    }

    /// A time as text or as TOML writes it; the text where it is none.
    pub(super) fn instant(
        &mut self,
        part: &mut Part<'_>,
        key: &'static str,
    ) -> Option<Spot<Result<LogicalTime, String>>> {
        let item = self.open(part, key)?;
        let text = match item.get_ref() {
            DeValue::Datetime(time) => Spot::new(time.to_string(), item.span()),
            _ => self.filled(key, item)?,
        };
        let instant = parse_instant(&text.value, &self.plan.timezone).ok_or(text.value);
        Some(Spot::new(instant, text.span))
    }

    /// `true` or `false`, also from a variable; or something else.
    pub(super) fn switch(&self, item: TomlItem<'_>) -> Switch {
        let is_variable = !self.used(&item.span()).is_empty();
        match item.get_ref() {
            DeValue::Boolean(true) => Switch::On,
            DeValue::Boolean(false) => Switch::Off,
            DeValue::String(text) if is_variable && text == "true" => Switch::On,
            DeValue::String(text) if is_variable && text == "false" => Switch::Off,
            _ => Switch::Said,
        }
    }

    /// A key that is needed and is not there.
    pub(super) fn need(
        &mut self,
        part: &Part<'_>,
        place: &'static str,
        key: &'static str,
        (what, example): (&'static str, &'static str),
    ) {
        if !part.section.has(key) {
            self.found.add(Problem::Missing { place, key, what, example }, &part.section.span.clone());
        }
    }
}
