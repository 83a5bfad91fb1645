//! Reading `[input.NAME]`.

use super::desk::{Desk, Part};
use super::problem::Problem;
use super::topics::mistake_in_topic;
use super::types::{InputTopics, KeyFrom, RecordFormat, Select, SelectBy, Start};
use crate::pack::problem::{Problem as Common, Span};
use crate::pack::section::TomlItem;
use crate::pack::spot::Text;
use crate::pack::words::shortened;
use propice_model::InputId;
use propice_model::limits::INPUT_TOPICS;
use propice_model::nearest::nearest;

/// An input, where it is declared, and where its topics stand.
pub(super) type Read = (InputTopics, Span, Vec<Span>);

/// All inputs of the plan, with what the file says of them. One whose topics could not be read has
/// none.
pub(super) fn inputs(part: &Part<'_>, desk: &mut Desk<'_>) -> Vec<Read> {
    let mut inputs: Vec<Read> =
        desk.plan.inputs.iter().enumerate().map(|(at, input)| default(at, &input.name)).collect();
    for (name, item) in part.section.entries() {
        let at = desk.plan.inputs.iter().position(|input| input.name == name.value);
        match at.and_then(|at| inputs.get_mut(at)) {
            Some(read) => input(name, item, read, desk),
            None => unknown(&name, desk),
        }
    }
    inputs
}

/// What holds where the file says nothing.
fn default(at: usize, name: &str) -> Read {
    let topics = InputTopics {
        input: InputId(at as u16),
        name: name.to_owned(),
        topics: vec![name.to_owned()],
        format: RecordFormat::Json,
        select: None,
        key: KeyFrom::Value,
        start: Start::Earliest,
    };
    (topics, 0..0, Vec::new())
}

fn unknown(name: &Text, desk: &mut Desk<'_>) {
    let known: Vec<String> = desk.plan.inputs.iter().map(|input| input.name.clone()).collect();
    let nearest = nearest(&name.value, known.iter().map(String::as_str));
    let (what, place) = ("stream or table", " in the pack".to_owned());
    desk.common.add(Common::Unknown { what, name: shortened(&name.value), place, nearest, known }, &name.span);
}

/// `[input.NAME]`
fn input(name: Text, item: TomlItem<'_>, read: &mut Read, desk: &mut Desk<'_>) {
    let path = format!("input.{}", name.value);
    let Some(mut part) = desk.part(&format!("[{path}]"), &path, item) else { return };
    part.section.span = name.span.clone();
    let declared = desk.plan.inputs.get(read.0.input.index());
    let (is_table, is_optional) = declared.map_or((false, false), |input| (input.is_table(), input.optional));
    if part.section.has("topic") || part.section.has("topics") {
        let (topics, spans) = topics(&mut part, &name, is_optional, desk).unwrap_or_default();
        (read.0.topics, read.2) = (topics, spans);
    }
    read.1 = name.span;
    if let Some(format) = desk.word(&mut part, "format", "format of records", &RecordFormat::ALL) {
        read.0.format = format.value;
        if format.value == RecordFormat::Debezium && !is_table {
            let problem = Problem::ForTables { value: "debezium", input: read.0.name.clone() };
            desk.found.add(problem, &format.span);
        }
    }
    if let Some(key) = desk.word(&mut part, "key", "place of the key", &KeyFrom::ALL) {
        read.0.key = key.value;
        if key.value == KeyFrom::Record && !is_table {
            let problem = Problem::ForTables { value: "record", input: read.0.name.clone() };
            desk.found.add(problem, &key.span);
        }
    }
    if let Some(start) = start(&mut part, desk) {
        read.0.start = start;
    }
    let is_selected = part.section.has("select");
    read.0.select = desk.item(&mut part, "select").and_then(|item| select(item, &path, desk));
    if is_selected && read.0.select.is_none() {
        // It has been reported: that others share its topics is not to be said as well.
        read.0.topics.clear();
    }
    desk.finish(part);
}

/// `topics = ["…"]` or `topic = "…"`, with their places.
fn topics(
    part: &mut Part<'_>,
    name: &Text,
    is_optional: bool,
    desk: &mut Desk<'_>,
) -> Option<(Vec<String>, Vec<Span>)> {
    if let Some(item) = part.section.get("topic").filter(|_| part.section.has("topics")) {
        desk.found.add(Problem::Either { one: "topic", other: "topics" }, &item.span());
        part.section.get("topics");
        return None;
    }
    let path = format!("input.{}.topics", name.value);
    let texts = if part.section.has("topic") {
        let topic = desk.text(part, "topic")?;
        desk.note(path, &topic.span);
        vec![topic]
    } else {
        let texts = desk.texts(part, "topics")?;
        if texts.value.is_empty() && !is_optional {
            desk.found.add(Problem::NoTopic { input: format!("`{}`", name.value) }, &texts.span);
        }
        texts.value
    };
    if let Some(text) = texts.get(INPUT_TOPICS) {
        desk.common.add(Common::TooMany { what: "topics", limit: INPUT_TOPICS }, &text.span);
        return None;
    }
    let mut topics = Vec::new();
    for text in &texts {
        if let Some(why) = mistake_in_topic(&text.value) {
            let (topic, of) = (shortened(&text.value), String::new());
            desk.found.add(Problem::BadTopic { topic, of, why }, &text.span);
        } else if topics.contains(&text.value) {
            desk.common.add(Common::Duplicate { what: "topic", name: shortened(&text.value) }, &text.span);
        } else {
            topics.push(text.value.clone());
        }
    }
    (topics.len() == texts.len()).then(|| (topics, texts.into_iter().map(|text| text.span).collect()))
}

/// `start = "earliest"`, `"latest"` or a time.
fn start(part: &mut Part<'_>, desk: &mut Desk<'_>) -> Option<Start> {
    let time = desk.instant(part, "start")?;
    match time.value {
        Ok(time) => Some(Start::At(time)),
        Err(text) if text == "earliest" => Some(Start::Earliest),
        Err(text) if text == "latest" => Some(Start::Latest),
        Err(text) => {
            desk.found.add(Problem::BadStart { found: shortened(&text) }, &time.span);
            None
        }
    }
}

/// `select = { header = "…", equals = "…" }` or `{ field = "…", equals = "…" }`
fn select(item: TomlItem<'_>, path: &str, desk: &mut Desk<'_>) -> Option<Select> {
    const PLACE: &str = "`select`";
    let mut part = desk.part(PLACE, &format!("{path}.select"), item)?;
    let both = part.section.has("header") && part.section.has("field");
    if both {
        desk.found.add(Problem::Either { one: "header", other: "field" }, &item.span());
    } else if !part.section.has("field") {
        let example = ("what tells its records apart, or `field`", "select = { header = \"…\", equals = \"…\" }");
        desk.need(&part, PLACE, "header", example);
    }
    desk.need(&part, PLACE, "equals", ("what the header or field has to be", "equals = \"…\""));
    let header = desk.text(&mut part, "header").map(|text| SelectBy::Header(text.value));
    let field = desk.text(&mut part, "field").map(|text| SelectBy::Field(text.value));
    let equals = desk.text(&mut part, "equals").map(|text| text.value);
    desk.finish(part);
    let by = header.or(field).filter(|_| !both)?;
    Some(Select { by, equals: equals? })
}
