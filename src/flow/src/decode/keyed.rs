//! The key of a table's row, from the key of a record: an object with its fields, the same with a
//! schema of Kafka Connect, or, of a key of one field, its value alone as JSON or as text.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use propice_define::Plan;
use propice_model::{InputId, Value};

use super::connect::{Encodings, Part};
use super::json::{JsonDecoder, Values, read, unquoted};
use super::schema::{FieldReader, shortened};
use super::{Decoded, Decoder as _, RecordError};

/// Reads the keys of records.
#[derive(Debug)]
pub(super) struct KeyReader {
    decoder: JsonDecoder,
    encodings: Encodings,
    /// Where the fields of the key are in a row.
    key: Vec<usize>,
    /// Whether `payload` is a column of the key, and so not what is in a schema's clothes.
    has_payload: bool,
    /// What the last key said.
    row: Vec<Value>,
}

/// With `schemas.enable` of the converter.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    schema: &'a RawValue,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl KeyReader {
    /// Of the keys of a table.
    pub(super) fn new(plan: &Arc<Plan>, input: InputId) -> KeyReader {
        let mut decoder = JsonDecoder::of_rows(plan, input);
        let key: Vec<usize> = key_fields(plan, input);
        let has_payload = key.iter().any(|&at| decoder.fields()[at].column == "payload");
        KeyReader { decoder, encodings: Encodings::default(), key, has_payload, row: Vec::new() }
    }

    /// A row in which only the fields of the key count: null where the key does not have them.
    pub(super) fn read(&mut self, key: Option<&[u8]>) -> Result<&[Value], RecordError> {
        let bytes = key.filter(|bytes| !bytes.is_empty()).ok_or_else(|| self.missing("the record has no key"))?;
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let byte = error.valid_up_to();
            unreadable(&format!(
                "not UTF-8 behind byte {byte}; propice reads keys as JSON or text, so `key.serializer` or \
                 `key.converter` of whoever writes them has to be one of these"
            ))
        })?;
        let (schema, text) = self.unwrapped(text);
        self.encodings.learn(schema, Part::Whole, &mut self.decoder).map_err(of_key)?;
        let row = std::mem::take(&mut self.row);
        self.decoder.recycle(Decoded { row, deleted: false });
        let values = if text.trim_ascii_start().starts_with('{') {
            self.decoder.values(text).map_err(of_key)?
        } else {
            self.alone(text, schema.is_some())?
        };
        let wrong = values.wrong.into_iter().find(|(at, _)| self.key.contains(at));
        self.row = values.row;
        match wrong {
            Some((_, error)) => Err(of_key(error)),
            None => Ok(&self.row),
        }
    }

    /// The schema of a key, if it has one, and the key itself.
    fn unwrapped<'a>(&self, text: &'a str) -> (Option<&'a str>, &'a str) {
        if self.has_payload || !text.starts_with('{') || !text.contains("\"payload\"") {
            return (None, text);
        }
        match serde_json::from_str::<Wrapped<'_>>(text) {
            Ok(Wrapped { schema, payload }) => (Some(schema.get()), payload.get()),
            Err(_) => (None, text),
        }
    }

    /// A key that is the value of its only field.
    fn alone(&mut self, text: &str, is_json: bool) -> Result<Values, RecordError> {
        if text.starts_with("Struct{") {
            return Err(unreadable(
                "written as text by Kafka Connect; `key.converter` of the connector has to be \
                 org.apache.kafka.connect.json.JsonConverter",
            ));
        }
        let [at] = self.key[..] else {
            let names: Vec<String> = self.key.iter().map(|&at| format!("`{}`", self.name(at))).collect();
            let names = names.join(", ");
            return Err(unreadable(&format!("the key of this table is an object with {names}: {}", shortened(text))));
        };
        if text == "null" {
            return Err(self.missing("the record's key is null"));
        }
        let mut values = self.decoder.nothing();
        let field = &mut self.decoder.fields()[at];
        values.row[at] = if is_json { read(field, text) } else { read_alone(field, text) }.map_err(of_key)?;
        Ok(values)
    }

    fn missing(&self, why: &str) -> RecordError {
        let name = self.key.first().map_or("", |&at| self.name(at));
        RecordError { reason: "missing_field", message: format!("`{name}` is missing: {why}") }
    }

    fn name(&self, at: usize) -> &str {
        self.decoder.field_name(at)
    }
}

/// Where the fields of a table's key are in a row; nowhere for a stream.
pub(super) fn key_fields(plan: &Plan, input: InputId) -> Vec<usize> {
    let table = plan.inputs[input.index()].table.iter();
    table.flat_map(|table| table.key.iter().map(|field| field.index())).collect()
}

/// A text of JSON, or a text that is nothing but the value.
fn read_alone(field: &mut FieldReader, text: &str) -> Result<Value, RecordError> {
    let value = match text.starts_with('"').then(|| serde_json::from_str::<&RawValue>(text)) {
        None => field.values.read_text(text),
        Some(quoted) => {
            let inner = quoted.ok().and_then(|raw| unquoted(raw.get()));
            let inner = inner.ok_or_else(|| unreadable(&format!("not a text of JSON: {}", shortened(text))))?;
            field.values.read_json_text(&inner)
        }
    };
    field.accept(value, text)
}

fn unreadable(why: &str) -> RecordError {
    of_key(RecordError { reason: "unreadable", message: why.to_owned() })
}

/// The same, with where it stood.
fn of_key(RecordError { reason, message }: RecordError) -> RecordError {
    RecordError { reason, message: format!("the record's key: {message}") }
}
