//! The envelope that Debezium puts around the change of a row: what was done, the row before and
//! after, and when the database did it.
//!
//! Nothing is copied: what is found is where it stands in the record. With `schemas.enable` of the
//! converter the envelope is the `payload` of an object that also has the `schema`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use propice_model::EventTime;
use propice_model::time::LATEST_EVENT_TIME_MS;

use super::RecordError;
use super::json::not_json;
use super::schema::shortened;

/// What a record says.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// A row was made, read or changed, or is gone.
    Change(Change<'a>),
    /// A key is gone: `null`, in the clothes of a schema.
    Tombstone,
    /// Nothing of a row.
    Nothing,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// `c`, or `r`: it was made, or found by a snapshot.
    Create,
    /// `u`
    Update,
    /// `d`
    Delete,
}

/// The change of a row.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) op: Op,
    /// The text of the schema.
    pub(super) schema: Option<&'a str>,
    envelope: Envelope<'a>,
}

#[derive(Debug, Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "given")]
    schema: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    op: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    before: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    after: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    source: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    ts_ms: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Source<'a> {
    #[serde(borrow, default, deserialize_with = "given")]
    ts_ms: Option<&'a RawValue>,
}

/// A value that is there, be it null.
fn given<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// An object, and not its values in a list, which Serde takes as well.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        // Of anything else it words what is wrong.
        return Err(match serde_json::from_str::<HashMap<String, &RawValue>>(text) {
            Err(error) => error,
            Ok(_) => serde::de::Error::custom("not an object"),
        });
    }
    serde_json::from_str(text)
}

/// The text of a value, unless it is null.
fn known(value: Option<&RawValue>) -> Option<&str> {
    value.map(RawValue::get).filter(|raw| *raw != "null")
}

/// What a record says, as far as its envelope does.
///
/// # Errors
/// When it has no envelope of Debezium, or one that cannot be followed.
pub(super) fn message(text: &str) -> Result<Message<'_>, RecordError> {
    let (schema, envelope) = envelope(text)?;
    let Some(envelope) = envelope else { return Ok(Message::Tombstone) };
    let op = match envelope.op.map(RawValue::get) {
        Some(r#""c""# | r#""r""#) => Op::Create,
        Some(r#""u""#) => Op::Update,
        Some(r#""d""#) => Op::Delete,
        Some(r#""m""#) => return Ok(Message::Nothing),
        Some(r#""t""#) => {
            return Err(error(
                "wrong_type",
                "`op` is t: the table was emptied by TRUNCATE, which names no keys, so its rows are still \
                 known here; empty it by DELETE, or write a tombstone (a null value) for every key, and let \
                 `skipped.operations` of the connector have t",
            ));
        }
        Some(other) => {
            let message = format!("`op` is {}, which is none of c, r, u, d, t and m", shortened(other));
            return Err(RecordError { reason: "unreadable", message });
        }
        None => {
            return Err(error(
                "unreadable",
                "`op` is missing: this is no change as Debezium writes it; rows without their envelope \
                 (ExtractNewRecordState) are read by `format = \"json\"`",
            ));
        }
    };
    Ok(Message::Change(Change { op, schema, envelope }))
}

/// The schema and the envelope; no envelope where the payload is null.
fn envelope(text: &str) -> Result<(Option<&str>, Option<Envelope<'_>>), RecordError> {
    let unreadable = |error: serde_json::Error| {
        let RecordError { reason, message } = not_json(&error);
        RecordError { reason, message: format!("{message}, in the envelope of a change") }
    };
    let outer: Envelope<'_> = object(text).map_err(unreadable)?;
    match (outer.op, outer.payload) {
        (None, Some(payload)) => {
            let schema = known(outer.schema);
            let inner = known(Some(payload)).map(object).transpose().map_err(unreadable)?;
            Ok((schema, inner))
        }
        _ => Ok((None, Some(outer))),
    }
}

/// The value of a field by which inputs of one topic are told apart, as it is written: of the row,
/// or with `source.` of where it comes from (`source.table`).
pub fn field(value: &[u8], name: &str) -> Option<String> {
    let (_, envelope) = envelope(std::str::from_utf8(value).ok()?).ok()?;
    let envelope = envelope?;
    let of = |object: Option<&RawValue>, name: &str| {
        let fields: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(known(object)?).ok()?;
        fields.get(name).map(|value| value.get().to_owned())
    };
    match name.strip_prefix("source.") {
        Some(name) => of(envelope.source, name),
        None => of(envelope.after, name).or_else(|| of(envelope.before, name)),
    }
}

impl<'a> Change<'a> {
    /// The row as it is now.
    ///
    /// # Errors
    /// When it is not there, or not as databases have rows.
    pub(super) fn after(&self) -> Result<&'a str, RecordError> {
        row("after", self.envelope.after)?.ok_or_else(|| {
            error(
                "missing_field",
                "`after` is missing or null: the row as it is now; of MongoDB, `capture.mode` of the \
                 connector has to give whole documents",
            )
        })
    }

    /// The row as it was, or what the database still knew of it.
    ///
    /// # Errors
    /// When it is not as databases have rows.
    pub(super) fn before(&self) -> Result<Option<&'a str>, RecordError> {
        row("before", self.envelope.before)
    }

    /// When the database did it; if it does not say so, when Debezium saw it.
    ///
    /// # Errors
    /// When what is there is not a time.
    pub(super) fn changed_at(&self) -> Result<Option<EventTime>, RecordError> {
        let source: Option<Source<'_>> = known(self.envelope.source)
            .map(object)
            .transpose()
            .map_err(|error| RecordError { reason: "unreadable", message: format!("`source`: {error}") })?;
        // Snapshots of some connectors have no time, which is 0.
        let of_source = source.and_then(|source| known(source.ts_ms)).filter(|ts_ms| *ts_ms != "0");
        match of_source {
            Some(ts_ms) => time("source.ts_ms", ts_ms).map(Some),
            None => known(self.envelope.ts_ms).map(|ts_ms| time("ts_ms", ts_ms)).transpose(),
        }
    }
}

/// A row of the envelope.
fn row<'a>(name: &str, value: Option<&'a RawValue>) -> Result<Option<&'a str>, RecordError> {
    let Some(raw) = known(value) else { return Ok(None) };
    let message = match raw.as_bytes().first() {
        Some(b'{') => return Ok(Some(raw)),
        Some(b'"') => format!(
            "`{name}` is a text, as the connector of MongoDB writes documents; let its transformation \
             ExtractNewDocumentState bring the fields to the top, and read them by `format = \"json\"`"
        ),
        _ => format!("`{name}` is not the object of a row: {}", shortened(raw)),
    };
    Err(RecordError { reason: "wrong_type", message })
}

fn time(name: &str, raw: &str) -> Result<EventTime, RecordError> {
    // A converter may write whole numbers of 64 bit as texts.
    let Ok(time_ms) = raw.trim_matches('"').parse::<i64>() else {
        let message = format!("`{name}` is not a whole number of milliseconds: {}", shortened(raw));
        return Err(RecordError { reason: "wrong_type", message });
    };
    event_time(time_ms).ok_or_else(|| {
        let message = format!("`{name}` is outside of 1970 to 9999: {}", shortened(raw));
        RecordError { reason: "out_of_range", message }
    })
}

/// A time that may be one of a record.
pub(super) fn event_time(time_ms: i64) -> Option<EventTime> {
    EventTime::try_from(time_ms).ok().filter(|time| *time <= LATEST_EVENT_TIME_MS)
}

fn error(reason: &'static str, message: &str) -> RecordError {
    RecordError { reason, message: message.to_owned() }
}
