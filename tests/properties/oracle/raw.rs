//! What stands in lines, before it has types: JSON, and the values of delimited files.

use std::collections::BTreeMap;

use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::decode::{Place, Reason};
use super::pack::{Input, Pack};
use crate::files::File;

/// Lines as they arrive.
#[derive(Clone, Copy)]
pub(crate) enum Arrivals<'a> {
    /// JSON of several inputs, each line with the name of its own in `stream`.
    Lines(&'a [String]),
    /// Files, each of one input.
    Files(&'a [File]),
}

/// A line, or several of a value that holds newlines.
pub(crate) struct Line {
    pub(crate) place: Place,
    /// Its input, and what stands in it.
    pub(crate) content: Result<(usize, Raw), Reason>,
}

/// A record without types.
pub(crate) enum Raw {
    Json(BTreeMap<String, Box<RawValue>>),
    /// By column.
    Texts(BTreeMap<String, String>),
}

/// One value, as it is written.
pub(crate) enum Cell {
    Json(String),
    Text(String),
}

impl Raw {
    /// The value of a column, if there is one.
    pub(crate) fn cell(&self, column: &str) -> Option<Cell> {
        match self {
            Raw::Json(keys) => {
                let raw = keys.get(column).map(|raw| raw.get()).filter(|raw| *raw != "null");
                raw.map(|raw| Cell::Json(raw.to_owned()))
            }
            Raw::Texts(columns) => columns.get(column).filter(|text| !text.is_empty()).cloned().map(Cell::Text),
        }
    }

    /// Whether it says that it is a deletion.
    pub(crate) fn is_marked(&self) -> Result<bool, Reason> {
        match self.cell("_deleted") {
            None => Ok(false),
            Some(Cell::Json(raw)) if ["true", "false"].contains(&raw.as_str()) => Ok(raw == "true"),
            Some(Cell::Text(text)) if ["true", "1", "false", "0"].contains(&text.as_str()) => {
                Ok(["true", "1"].contains(&text.as_str()))
            }
            Some(_) => Err("wrong_type"),
        }
    }
}

/// The lines of each file that are not blank.
pub(crate) fn arrivals(pack: &Pack, given: Arrivals<'_>) -> Vec<Vec<Line>> {
    match given {
        Arrivals::Lines(lines) => {
            let line = |(at, text): (usize, &String)| Line { place: (0, at + 1), content: mixed(pack, text) };
            vec![lines.iter().enumerate().map(line).collect()]
        }
        Arrivals::Files(files) => files.iter().enumerate().map(|(at, file)| of_file(pack, at, file)).collect(),
    }
}

fn mixed(pack: &Pack, line: &str) -> Result<(usize, Raw), Reason> {
    let Keys(keys, twice) = serde_json::from_str(line).map_err(|_| "unreadable")?;
    if twice.iter().any(|key| key == "stream") {
        return Err("unreadable");
    }
    // Which input it is of is looked at before the record is.
    let name: String = keys.get("stream").and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let input = pack.inputs.iter().position(|input| input.name == name).ok_or("unknown_input")?;
    if twice.is_empty() { Ok((input, Raw::Json(keys))) } else { Err("unreadable") }
}

fn of_file(pack: &Pack, file: usize, given: &File) -> Vec<Line> {
    let input = pack.input_of(&given.input);
    let text: Vec<&str> = given.text.split('\n').collect();
    if given.name.ends_with(".csv") {
        return delimited(&pack.inputs[input], &text)
            .into_iter()
            .map(|(line, texts)| Line { place: (file, line), content: texts.map(|texts| (input, Raw::Texts(texts))) })
            .collect();
    }
    let lines = text.iter().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let content = match serde_json::from_str(line) {
                Ok(Keys(keys, twice)) if twice.is_empty() => Ok((input, Raw::Json(keys))),
                _ => Err("unreadable"),
            };
            Line { place: (file, at + 1), content }
        })
        .collect()
}

type Texts = BTreeMap<String, String>;

/// The records of a delimited file, each with its first line.
fn delimited(input: &Input, lines: &[&str]) -> Vec<(usize, Result<Texts, Reason>)> {
    let mut columns: Option<Vec<String>> =
        (!input.header).then(|| input.fields.iter().map(|field| field.column.clone()).collect());
    let mut records = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let first = at + 1;
        if lines[at].trim_end_matches('\r').is_empty() {
            at += 1;
            continue;
        }
        let fits = |count: usize| match &columns {
            None => true,
            Some(columns) if input.header => count == columns.len(),
            Some(columns) => count >= columns.len(),
        };
        let Some((values, taken)) = values(&lines[at..], input.delimiter, &fits) else {
            records.push((first, Err("unreadable")));
            at += 1;
            continue;
        };
        at += taken;
        let Some(columns) = &columns else {
            columns = Some(values);
            continue;
        };
        let texts = || columns.iter().cloned().zip(values.iter().cloned()).collect();
        records.push((first, if fits(values.len()) { Ok(texts()) } else { Err("unreadable") }));
    }
    records
}

/// The values of the record that begins here, and how many lines it has. None when a quote is not
/// closed, or is closed on another line and what comes of it is no record.
fn values(lines: &[&str], delimiter: char, fits: &dyn Fn(usize) -> bool) -> Option<(Vec<String>, usize)> {
    let mut values = vec![String::new()];
    let (mut quoted, mut well_quoted) = (false, true);
    for (number, line) in lines.iter().enumerate() {
        // What ends a line is part of a value only within quotes.
        let content = line.strip_suffix('\r').unwrap_or(line);
        if number > 0 && number + 1 == lines.len() && content.is_empty() {
            return None;
        }
        let mut starts = number == 0;
        let mut characters = content.chars().peekable();
        while let Some(character) = characters.next() {
            let value = values.last_mut().expect("a value");
            if quoted {
                if character != '"' {
                    value.push(character);
                } else if characters.peek() == Some(&'"') {
                    value.push('"');
                    characters.next();
                } else {
                    quoted = false;
                    well_quoted &= characters.peek().is_none_or(|next| *next == delimiter);
                }
            } else if character == delimiter {
                values.push(String::new());
                starts = true;
                continue;
            } else if character == '"' && starts {
                quoted = true;
            } else {
                value.push(character);
            }
            starts = false;
        }
        if !quoted {
            let is_one = number == 0 || (fits(values.len()) && well_quoted);
            return is_one.then_some((values, number + 1));
        }
        *values.last_mut().expect("a value") += &format!("{}\n", &line[content.len()..]);
    }
    None
}

/// The keys of an object, and those that were given before.
struct Keys(BTreeMap<String, Box<RawValue>>, Vec<String>);

impl<'de> serde::Deserialize<'de> for Keys {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Keys, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Keys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let (mut keys, mut twice) = (BTreeMap::new(), Vec::new());
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if keys.insert(key.clone(), value).is_some() {
                        twice.push(key);
                    }
                }
                Ok(Keys(keys, twice))
            }
        }
        deserializer.deserialize_map(All)
    }
}
