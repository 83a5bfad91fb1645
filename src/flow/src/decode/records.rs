//! Records of topics: a key and a value. The value may be missing (a tombstone), or be the change
//! of a row as Debezium writes it; the key of a table's row may stand in the record's key.
//!
//! What is a change and what it does is fixed in `docs/debezium.md`.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::sync::Arc;

use foldhash::fast::FixedState;

use propice_define::Plan;
use propice_define::deployment::{KeyFrom, RecordFormat};
use propice_model::limits::RECORD_BYTES;
use propice_model::{EventTime, Fact, InputId, Origin, Value};

use super::connect::{Encodings, Part};
use super::debezium::{self, Change, Message, Op};
use super::facts::Extractor;
use super::json::{JsonDecoder, Values, not_utf8};
use super::keyed::{KeyReader, key_fields};
use super::{Decoded, Decoder as _, RecordError};

/// A record of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// When it was written, in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
}

/// Makes facts of the records of one input.
pub struct RecordDecoder {
    extractor: Extractor,
    values: JsonDecoder,
    keys: KeyReader,
    encodings: Encodings,
    input: Shape,
    /// The key of the row before the change that is read.
    before: Vec<Value>,
    deletions: Deletions,
}

/// What is to be known of the input.
struct Shape {
    name: String,
    is_table: bool,
    is_debezium: bool,
    /// Whether the key of a row stands in the record's key.
    is_keyed: bool,
    /// Where the fields of the key are in a row, with their names.
    key: Vec<(usize, String)>,
    /// Where the event time is.
    time: Option<usize>,
}

impl RecordDecoder {
    /// For the records of `input`, written like this.
    pub fn new(plan: &Arc<Plan>, input: InputId, format: RecordFormat, key: KeyFrom) -> RecordDecoder {
        let declared = &plan.inputs[input.index()];
        let is_debezium = format == RecordFormat::Debezium;
        let name_of = |at: usize| (at, declared.fields[at].name.clone());
        RecordDecoder {
            extractor: Extractor::new(Arc::clone(plan), input),
            values: if is_debezium { JsonDecoder::of_rows(plan, input) } else { JsonDecoder::new(plan, input) },
            keys: KeyReader::new(plan, input),
            encodings: Encodings::default(),
            input: Shape {
                name: declared.name.clone(),
                is_table: declared.is_table(),
                is_debezium,
                is_keyed: declared.is_table() && key == KeyFrom::Record,
                key: key_fields(plan, input).into_iter().map(name_of).collect(),
                time: declared.time.map(propice_model::FieldId::index),
            },
            before: Vec::new(),
            deletions: Deletions::default(),
        }
    }

    /// What a record says; `None` when that is nothing.
    ///
    /// # Errors
    /// When this is not a record of the input.
    pub fn fact(&mut self, record: &RawRecord<'_>, origin: Origin) -> Result<Option<Fact>, RecordError> {
        for (part, bytes) in [("its value is", record.value), ("its key is", record.key)] {
            if bytes.is_some_and(|bytes| bytes.len() > RECORD_BYTES) {
                let message = format!("{part} longer than {RECORD_BYTES} bytes");
                return Err(RecordError { reason: "too_long", message });
            }
        }
        match record.value {
            None => self.tombstone(record, origin),
            Some(value) if self.input.is_debezium => {
                let text = std::str::from_utf8(value).map_err(|error| not_utf8(error.valid_up_to()))?;
                match debezium::message(text)? {
                    Message::Nothing => Ok(None),
                    Message::Tombstone => self.tombstone(record, origin),
                    Message::Change(change) if change.op == Op::Delete => self.deletion(&change, record, origin),
                    Message::Change(change) => self.upsert(&change, record, origin),
                }
            }
            Some(value) => self.line(value, record, origin),
        }
    }

    /// A record that is written like a line of a file.
    fn line(&mut self, value: &[u8], record: &RawRecord<'_>, origin: Origin) -> Result<Option<Fact>, RecordError> {
        let decoded = if self.input.is_keyed {
            let text = std::str::from_utf8(value).map_err(|error| not_utf8(error.valid_up_to()))?;
            let mut values = self.values.values(text)?;
            self.fill(&mut values, record)?;
            self.values.finish(values)?
        } else {
            self.values.decode(value)?
        };
        self.said(decoded, None, origin)
    }

    /// A row that is there now.
    fn upsert(
        &mut self,
        change: &Change<'_>,
        record: &RawRecord<'_>,
        origin: Origin,
    ) -> Result<Option<Fact>, RecordError> {
        let is_update = change.op == Op::Update;
        if is_update && !self.input.is_table {
            let name = &self.input.name;
            return Err(wrong(format!("`{name}` is a stream, whose records cannot be changed: `op` is u")));
        }
        self.encodings.learn(change.schema, Part::Rows, &mut self.values)?;
        self.before.clear();
        if let (true, Some(before)) = (is_update, change.before()?) {
            let Values { row, .. } = self.values.values(before)?;
            self.before.extend(self.input.key.iter().map(|(at, _)| row[*at].clone()));
            self.values.recycle(Decoded { row, deleted: false });
        }
        let mut values = self.values.values(change.after()?)?;
        if self.input.is_keyed {
            self.fill(&mut values, record)?;
        }
        for ((at, name), before) in self.input.key.iter().zip(&self.before) {
            let after = &values.row[*at];
            if !before.is_null() && !after.is_null() && before != after {
                return Err(wrong(format!(
                    "`{name}` is another one in `after` than in `before`, so the row of that one would stay: the \
                     key of a table has to be what Debezium takes for its key, of which a change comes as a \
                     deletion and a new row; see `message.key.columns` of the connector"
                )));
            }
        }
        // A row says by itself when it became so, where the pack asks for that.
        let event_time = match self.input.time {
            Some(_) => None,
            None => Some(changed_at(change, record)?),
        };
        let decoded = self.values.settle(values, false)?;
        self.said(decoded, event_time, origin)
    }

    /// A row that is gone.
    fn deletion(
        &mut self,
        change: &Change<'_>,
        record: &RawRecord<'_>,
        origin: Origin,
    ) -> Result<Option<Fact>, RecordError> {
        if !self.input.is_table {
            let name = &self.input.name;
            return Err(wrong(format!("`{name}` is a stream, whose records cannot be deleted: `op` is d")));
        }
        self.encodings.learn(change.schema, Part::Rows, &mut self.values)?;
        let mut values = match change.before()? {
            Some(before) => self.values.values(before)?,
            None => self.values.nothing(),
        };
        values.wrong.retain(|(at, _)| self.input.key.iter().any(|(key, _)| key == at));
        if self.input.is_keyed || (record.key.is_some() && self.absent(&values).is_some()) {
            self.fill(&mut values, record)?;
        }
        if let Some(name) = self.absent(&values) {
            let message = format!(
                "`{name}` is missing in `before` and in the record's key, so it is not known which row is gone; \
                 in PostgreSQL `ALTER TABLE … REPLICA IDENTITY FULL` makes the database tell it"
            );
            return Err(RecordError { reason: "missing_field", message });
        }
        let mut at = changed_at(change, record)?;
        if let Some(time) = self.input.time {
            // What was so until later than now is over now all the same.
            if let Value::Time(of_row) = values.row[time] {
                at = at.max(debezium::event_time(of_row).unwrap_or(0));
            }
            values.row[time] = Value::Time(at.cast_signed());
        }
        let decoded = self.values.settle(values, true)?;
        self.deletions.remember(self.input.key.iter().map(|(at, _)| &decoded.row[*at]), at);
        self.said(decoded, Some(at), origin)
    }

    /// A null value: the key of the record is gone.
    fn tombstone(&mut self, record: &RawRecord<'_>, origin: Origin) -> Result<Option<Fact>, RecordError> {
        let Shape { is_table, is_debezium, is_keyed, time, .. } = self.input;
        if !is_table || (is_debezium && !is_keyed && record.key.is_none()) {
            return Ok(None);
        }
        if !is_keyed && !is_debezium {
            let message = "a tombstone, whose key alone says which row is gone; the key of this table is read from \
                           values: say `key = \"record\"` for this input";
            return Err(RecordError { reason: "unreadable", message: message.to_owned() });
        }
        let mut values = self.values.nothing();
        self.fill(&mut values, record)?;
        if let Some(name) = self.absent(&values) {
            // The `d` in front of it has said it.
            if !is_keyed {
                return Ok(None);
            }
            let message = format!("`{name}` is missing in the record's key, which a tombstone deletes");
            return Err(RecordError { reason: "missing_field", message });
        }
        let mut at = 0;
        if is_debezium || time.is_some() {
            let remembered = self.deletions.take(self.input.key.iter().map(|(at, _)| &values.row[*at]));
            at = match remembered {
                Some(at) => at,
                None => written_at(record)?,
            };
        }
        if let Some(time) = time {
            values.row[time] = Value::Time(at.cast_signed());
        }
        let decoded = self.values.settle(values, true)?;
        self.said(decoded, Some(at), origin)
    }

    /// The first field of the key that is neither there nor wrong.
    fn absent(&self, values: &Values) -> Option<&str> {
        let absent = |at: usize| values.row[at].is_null() && values.wrong.iter().all(|(wrong, _)| *wrong != at);
        self.input.key.iter().find(|(at, _)| absent(*at)).map(|(_, name)| name.as_str())
    }

    /// Takes the fields of the key from the record's key. What the value says of them is the same.
    fn fill(&mut self, values: &mut Values, record: &RawRecord<'_>) -> Result<(), RecordError> {
        let of_key = self.keys.read(record.key)?;
        for (at, name) in &self.input.key {
            let (known, of_key) = (&mut values.row[*at], &of_key[*at]);
            if of_key.is_null() || values.wrong.iter().any(|(wrong, _)| wrong == at) {
                continue;
            }
            if known.is_null() {
                known.clone_from(of_key);
            } else if known != of_key {
                return Err(wrong(format!(
                    "`{name}` is another one in the value than in the record's key; leave it out of the value, or \
                     say `key = \"value\"` for this input"
                )));
            }
        }
        Ok(())
    }

    fn said(
        &mut self,
        decoded: Decoded,
        event_time: Option<EventTime>,
        origin: Origin,
    ) -> Result<Option<Fact>, RecordError> {
        let fact = match event_time {
            None => self.extractor.fact_of(&decoded, origin),
            Some(event_time) => self.extractor.fact_at(&decoded, event_time, origin),
        };
        self.values.recycle(decoded);
        fact.map(Some)
    }
}

/// When the database changed a row. It decides which change of a row is the latest, where the pack
/// names no field for that.
fn changed_at(change: &Change<'_>, record: &RawRecord<'_>) -> Result<EventTime, RecordError> {
    match change.changed_at()? {
        Some(at) => Ok(at),
        None => written_at(record).map_err(|RecordError { reason, .. }| RecordError {
            reason,
            message: "`source.ts_ms` is missing: when the database changed the row".to_owned(),
        }),
    }
}

/// When a record was written, as the broker says.
fn written_at(record: &RawRecord<'_>) -> Result<EventTime, RecordError> {
    record.timestamp_ms.and_then(debezium::event_time).ok_or_else(|| RecordError {
        reason: "missing_field",
        message: "the record has no timestamp, which says when its key was deleted".to_owned(),
    })
}

fn wrong(message: String) -> RecordError {
    RecordError { reason: "wrong_type", message }
}

/// When the last keys were deleted, so that the tombstone behind a deletion says the same again. It
/// has no time of the database itself. The time at which it was written may lie behind that of a
/// row which takes the place of the deleted one, and would delete that as well.
///
/// A key has one place, and another key with the same place takes it over: a tombstone comes right
/// behind its deletion.
#[derive(Debug, Default)]
struct Deletions {
    places: Vec<Option<(u64, EventTime)>>,
}

impl Deletions {
    /// Keys that are remembered, a power of two.
    const PLACES: usize = 1_024;

    fn remember<'v>(&mut self, key: impl Iterator<Item = &'v Value>, at: EventTime) {
        if self.places.is_empty() {
            self.places.resize(Deletions::PLACES, None);
        }
        let hash = hash_of(key);
        self.places[hash as usize % Deletions::PLACES] = Some((hash, at));
    }

    fn take<'v>(&mut self, key: impl Iterator<Item = &'v Value>) -> Option<EventTime> {
        let hash = hash_of(key);
        let place = self.places.get_mut(hash as usize % Deletions::PLACES)?;
        place.take_if(|(known, _)| *known == hash).map(|(_, at)| at)
    }
}

fn hash_of<'v>(key: impl Iterator<Item = &'v Value>) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    key.for_each(|value| value.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests;
