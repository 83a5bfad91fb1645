//! Reading `[[test]]`.

use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::problem::{Problem, Problems};
use super::raw::{Expected, Given, Test};
use super::section::{Section, TomlItem, text_of, word_of, wrong_type};
use super::spot::{Spot, Text};
use crate::plan::{DeadLetters, ExpectedEvent, Gate, Verdict};
use propice_model::value::write_json_with;

const TRANSITIONS: [(&str, ExpectedEvent); 2] = [("opened", ExpectedEvent::Opened), ("closed", ExpectedEvent::Closed)];

/// Why a record is refused, as dead letters say it.
const REASONS: [(&str, &str); 7] = [
    ("unreadable", "unreadable"),
    ("missing_field", "missing_field"),
    ("wrong_type", "wrong_type"),
    ("out_of_range", "out_of_range"),
    ("unknown_input", "unknown_input"),
    ("too_long", "too_long"),
    ("expression", "expression"),
];

/// One case.
pub(super) fn case(item: TomlItem<'_>, problems: &mut Problems) -> Option<Test> {
    let mut section = Section::of("a test".to_owned(), "test", item, problems)?;
    let name = section.needed("name", "what the case shows", problems);
    if let Some(name) = &name {
        section.place = format!("test `{}`", super::words::shortened(&name.value));
    }
    let given = given(&mut section, problems);
    let mut expect = Vec::new();
    if let Some(list) = section.list("expect", problems) {
        expect.extend(list.value.iter().filter_map(|item| expected(item, problems)));
        section.damaged |= expect.len() < list.value.len();
    }
    let silent = section.texts("silent", problems).map_or_else(Vec::new, |texts| texts.value);
    let unreleased = section.texts("unreleased", problems).map_or_else(Vec::new, |texts| texts.value);
    let until = section.get("until").and_then(|item| time_text("until", item, problems));
    let dead_letters = dead_letters(&mut section, problems);
    let expects_nothing = expect.is_empty() && silent.is_empty() && unreleased.is_empty() && dead_letters.is_none();
    if !section.damaged && expects_nothing {
        problems.add(Problem::ExpectsNothing, &section.span);
    }
    let span = section.span.clone();
    section.leave_views();
    section.finish(problems);
    let name = name.map_or_else(String::new, |name| name.value);
    Some(Test { span, name, given, expect, silent, unreleased, dead_letters, until })
}

/// `dead_letters = 2`, `dead_letters = ["wrong_type"]` or `dead_letters = true`
fn dead_letters(section: &mut Section<'_>, problems: &mut Problems) -> Option<DeadLetters> {
    let item = section.get("dead_letters")?;
    match item.get_ref() {
        DeValue::Boolean(true) => Some(DeadLetters::Some),
        DeValue::Boolean(false) => Some(DeadLetters::Count(0)),
        DeValue::Integer(_) => section
            .number("dead_letters", (0, u64::from(u32::MAX)), problems)
            .map(|spot| DeadLetters::Count(spot.value)),
        DeValue::Array(_) => {
            let reasons = section.words("dead_letters", "reason of a dead letter", &REASONS, problems);
            Some(DeadLetters::Reasons(reasons.into_iter().map(str::to_owned).collect()))
        }
        other => {
            section.damaged = true;
            problems.add(wrong_type("dead_letters", "a whole number, a list of reasons or true", other), &item.span());
            None
        }
    }
}

/// `given = "PATH"` or `given = [ { … }, … ]`
fn given(section: &mut Section<'_>, problems: &mut Problems) -> Option<Given> {
    let item = section.wanted("given", "the records", problems)?;
    match item.get_ref() {
        DeValue::String(_) => section.filled("given", problems).map(|path| Given::Path(path.value)),
        DeValue::Array(records) => {
            Some(Given::Records(records.iter().filter_map(|item| record(item, problems)).collect()))
        }
        other => {
            section.damaged = true;
            problems.add(wrong_type("given", "a path or a list of records", other), &item.span());
            None
        }
    }
}

/// A record as a line of JSON, with its input.
fn record(item: TomlItem<'_>, problems: &mut Problems) -> Option<(Text, String)> {
    let mut section = Section::of("a record".to_owned(), "given", item, problems)?;
    let input = section.needed("stream", "the name of its stream or table", problems)?;
    let mut json = String::new();
    write_json(item.get_ref(), &mut json);
    Some((input, json))
}

/// One expected transition or verdict.
fn expected(item: TomlItem<'_>, problems: &mut Problems) -> Option<Expected> {
    let mut section = Section::of("an expectation".to_owned(), "expect", item, problems)?;
    let event = event(&mut section, problems);
    let customer = section.wanted("customer", "the id of the customer", problems);
    let customer = customer.and_then(|item| id_text("customer", item, problems));
    let entity = section.get("entity").and_then(|item| id_text("entity", item, problems));
    let moment = section.needed("moment", "the name of the moment", problems);
    let at = section.wanted("at", "the logical time", problems).and_then(|item| time_text("at", item, problems));
    let span = section.span.clone();
    section.finish(problems);
    // What is missing here has been reported; whatever else stands there is still worth checking.
    let event = event.unwrap_or(ExpectedEvent::Opened);
    Some(Expected { span, customer: customer?.value, entity, moment: moment?, event, at: at? })
}

/// `transition = "…"`, or `verdict = "…"` with the gates that fail.
fn event(section: &mut Section<'_>, problems: &mut Problems) -> Option<ExpectedEvent> {
    match (section.get("transition"), section.get("verdict")) {
        (Some(_), Some(verdict)) => {
            problems.add(Problem::TransitionAndVerdict, &verdict.span());
            return None;
        }
        (None, None) => {
            section.missing("transition", "whether the episode opens or closes, or `verdict`", problems);
            return None;
        }
        (Some(_), None) => {
            if let Some(item) = section.get("gates") {
                problems.add(Problem::UselessWithout { key: "gates", with: "verdict" }, &item.span());
            }
            let text = section.text("transition", problems)?;
            let found = TRANSITIONS.iter().find(|(name, _)| *name == text.value).map(|(_, event)| event.clone());
            return found.or_else(|| {
                let words = TRANSITIONS.map(|(name, _)| (name, ()));
                word_of(&text, "transition", &words, problems);
                None
            });
        }
        (None, Some(_)) => {}
    }
    let verdict = section.word("verdict", "verdict", &Verdict::ALL, problems);
    let gates = section.has("gates").then(|| section.words("gates", "gate", &Gate::ALL, problems));
    Some(ExpectedEvent::Verdict { verdict: verdict?, gates })
}

/// An id: a text or a whole number.
fn id_text(key: &'static str, item: TomlItem<'_>, problems: &mut Problems) -> Option<Text> {
    match item.get_ref() {
        DeValue::Integer(number) => Some(Spot::new(decimal(number), item.span())),
        DeValue::String(text) if text.is_empty() => {
            problems.add(Problem::Empty { key: key.to_owned() }, &item.span());
            None
        }
        _ => text_of(key, item, problems),
    }
}

/// A time: a text or a date of TOML.
fn time_text(key: &'static str, item: TomlItem<'_>, problems: &mut Problems) -> Option<Text> {
    match item.get_ref() {
        DeValue::Datetime(time) => Some(Spot::new(time.to_string(), item.span())),
        _ => text_of(key, item, problems),
    }
}

/// A value of TOML as JSON: numbers keep their digits, dates become texts.
fn write_json(value: &DeValue<'_>, out: &mut String) {
    match value {
        DeValue::String(text) => write_json_with(out, text.as_ref()),
        DeValue::Integer(number) => out.push_str(&decimal(number)),
        DeValue::Float(number) => {
            let digits = number.as_str().trim_start_matches('+');
            // JSON has no infinity: as a text it becomes what any other text is for a number, a
            // dead letter.
            if digits.contains(['i', 'n']) { write_json_with(out, digits) } else { out.push_str(digits) }
        }
        DeValue::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
        DeValue::Datetime(time) => write_json_with(out, &time.to_string()),
        DeValue::Array(items) => write_list(items, out),
        DeValue::Table(table) => write_object(table, out),
    }
}

fn write_list(items: &DeArray<'_>, out: &mut String) {
    out.push('[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_json(item.get_ref(), out);
    }
    out.push(']');
}

fn write_object(table: &DeTable<'_>, out: &mut String) {
    out.push('{');
    for (position, (key, item)) in table.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_json_with(out, key.get_ref().as_ref());
        out.push(':');
        write_json(item.get_ref(), out);
    }
    out.push('}');
}

/// A whole number in decimal digits, however it is written.
fn decimal(number: &DeInteger<'_>) -> String {
    match i128::from_str_radix(number.as_str(), number.radix()) {
        Ok(number) => number.to_string(),
        Err(_) => number.as_str().trim_start_matches('+').to_owned(),
    }
}
