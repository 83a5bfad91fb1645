//! JSON Lines: one object per record, from its bytes straight to the typed row.
//!
//! Every value is taken as it is written and read by the type of its field, so that a number is
//! exact whatever its length; there is no tree of JSON values in between. Keys of records of one
//! file come in one order as a rule, so the key behind the last one is tried first. Nearly all
//! lines are plain and read by [`plain`]; what is not plain, or has a mistake, is read by
//! `serde_json`.
//!
//! No key may be given twice, also none that the pack does not declare ([`super::undeclared`]).
//! What is read as plain only suspects such a key; `serde_json` then finds it, and says which.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use propice_define::Plan;
use propice_model::{InputId, Row, Value};

use super::connect::Encoding;
use super::glance::{Glance, Glancer, Spelt};
use super::numbers::Misfit;
use super::plain;
use super::schema::{DELETED, FieldReader, Schema, shortened};
use super::text::ValueReader;
use super::undeclared::{FewKeys, ManyKeys};
use super::{Decoded, Decoder, OddTime, RecordError};

/// Decodes the records of one input from lines of JSON.
#[derive(Debug)]
pub struct JsonDecoder {
    schema: Schema,
    keys: Keys,
    /// For each field the number of the last record that had it.
    seen: Vec<u64>,
    /// The undeclared keys of a record that is not plain.
    undeclared: ManyKeys,
    records: u64,
}

/// Which key of the data is which field.
#[derive(Debug)]
struct Keys {
    by_name: HashMap<String, Key, foldhash::fast::FixedState>,
    /// Keys in the order of the fields, each once: where its first field is.
    in_order: Vec<Option<String>>,
    /// For each field the next one that is read from the same key.
    same_key: Vec<Option<usize>>,
}

/// What a key of a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Field(usize),
    Deleted,
    Unknown,
}

impl JsonDecoder {
    /// A decoder of the records of an input.
    pub fn new(plan: &Arc<Plan>, input: InputId) -> JsonDecoder {
        JsonDecoder::of(Schema::new(plan, input))
    }

    /// A decoder of rows of a database as Kafka Connect writes them: no key of theirs marks a
    /// deletion.
    pub(super) fn of_rows(plan: &Arc<Plan>, input: InputId) -> JsonDecoder {
        let mut schema = Schema::new(plan, input);
        schema.deletable = false;
        let mut decoder = JsonDecoder::of(schema);
        decoder.encode(|_| Encoding::Plain);
        decoder
    }

    fn of(schema: Schema) -> JsonDecoder {
        let mut by_name = HashMap::default();
        if schema.deletable {
            by_name.insert(DELETED.to_owned(), Key::Deleted);
        }
        let mut in_order = vec![None; schema.fields.len()];
        let mut same_key = vec![None; schema.fields.len()];
        for (at, field) in schema.fields.iter().enumerate() {
            same_key[at] = (at + 1..schema.fields.len()).find(|&later| schema.fields[later].column == field.column);
            if schema.field_of(&field.column) == Some(at) {
                in_order[at] = Some(field.column.clone());
                by_name.insert(field.column.clone(), Key::Field(at));
            }
        }
        let seen = vec![0; schema.fields.len()];
        let keys = Keys { by_name, in_order, same_key };
        JsonDecoder { schema, keys, seen, undeclared: ManyKeys::default(), records: 0 }
    }
}

/// What an object says, before it is known whether that is a record.
#[derive(Debug)]
pub(super) struct Values {
    /// One per field, null where there is none.
    pub(super) row: Row,
    /// What did not fit, by the position of its field.
    pub(super) wrong: Vec<(usize, RecordError)>,
    /// Whether [`DELETED`] says that the key is deleted.
    marked: bool,
}

impl JsonDecoder {
    /// Nothing yet.
    pub(super) fn nothing(&mut self) -> Values {
        Values { row: self.schema.row(), wrong: Vec::new(), marked: false }
    }

    /// The values of an object.
    pub(super) fn values(&mut self, text: &str) -> Result<Values, RecordError> {
        let row = self.schema.row();
        self.records += 1;
        let mut record = Record {
            row,
            marked: false,
            wrong_mark: None,
            wrong: Vec::new(),
            seen: &mut self.seen,
            undeclared: &mut self.undeclared,
            number: self.records,
        };
        if !read_plain(&mut record, &mut self.schema.fields, &self.keys, text) {
            self.records += 1;
            record.begin_again(self.records);
            let mut json = serde_json::Deserializer::from_str(text);
            let read = RecordSeed { record: &mut record, fields: &mut self.schema.fields, keys: &self.keys };
            read.deserialize(&mut json).and_then(|()| json.end()).map_err(|error| not_json(&error))?;
        }
        let Record { row, marked, wrong_mark, wrong, .. } = record;
        if let Some(error) = wrong_mark {
            return Err(error);
        }
        Ok(Values { row, wrong, marked })
    }

    /// What values amount to by the rules of JSON lines.
    pub(super) fn finish(&self, values: Values) -> Result<Decoded, RecordError> {
        self.schema.finish(values.row, values.marked, &values.wrong)
    }

    /// What values amount to where something else says whether they are a deletion.
    pub(super) fn settle(&self, values: Values, deleted: bool) -> Result<Decoded, RecordError> {
        self.schema.settle(values.row, deleted, &values.wrong)
    }

    /// Says how Kafka Connect encodes the values of each column.
    pub(super) fn encode(&mut self, mut encoding_of: impl FnMut(&str) -> Encoding) {
        let Schema { fields, plan, .. } = &mut self.schema;
        for field in fields {
            let encoding = encoding_of(&field.column);
            field.encode(&plan.timezone, encoding);
        }
    }

    /// The fields of the input.
    pub(super) fn fields(&mut self) -> &mut [FieldReader] {
        &mut self.schema.fields
    }

    /// The name of a field.
    pub(super) fn field_name(&self, at: usize) -> &str {
        &self.schema.fields[at].name
    }

    /// What a line is about, as far as that can be told without decoding it.
    pub fn glance(&mut self, line: &[u8], glancer: &mut Glancer) -> Glance {
        let text = std::str::from_utf8(line);
        let (true, Ok(text)) = (glancer.begin(), text) else { return glancer.end(false) };
        let (fields, keys) = (&mut self.schema.fields, &self.keys);
        let mut expected = 0;
        let mut undeclared = FewKeys::default();
        let read = plain::members(text, |key, raw| {
            let first = match keys.find(key, expected) {
                Key::Field(first) => first,
                Key::Deleted => return true,
                Key::Unknown => return undeclared.is_first(key),
            };
            expected = first + 1;
            let mut next = Some(first);
            while let Some(at) = next {
                if !glancer.look(at, spelt(raw), || read(&mut fields[at], raw)) {
                    return false;
                }
                next = keys.same_key[at];
            }
            true
        });
        glancer.end(read.is_some())
    }
}

impl Decoder for JsonDecoder {
    type Raw<'a> = &'a [u8];

    fn decode(&mut self, raw: &[u8]) -> Result<Decoded, RecordError> {
        let text = std::str::from_utf8(raw).map_err(|error| not_utf8(error.valid_up_to()))?;
        let values = self.values(text)?;
        self.finish(values)
    }

    fn recycle(&mut self, decoded: Decoded) {
        self.schema.recycle(decoded);
    }

    fn odd_times(&mut self) -> Vec<OddTime> {
        self.schema.odd_times()
    }
}

/// A line that is not UTF-8.
pub(super) fn not_utf8(valid_bytes: usize) -> RecordError {
    RecordError { reason: "unreadable", message: format!("not UTF-8 behind byte {valid_bytes}") }
}

/// A line that is not JSON, or not an object.
pub fn not_json(error: &serde_json::Error) -> RecordError {
    let message = error.to_string().replace(" at line 1 column ", " at column ");
    RecordError { reason: "unreadable", message: format!("not a JSON object: {message}") }
}

/// A mark of a deletion that says neither yes nor no.
pub(super) fn wrong_mark(value: &str) -> RecordError {
    RecordError { reason: "wrong_type", message: format!("`{DELETED}` is true or false, not {}", shortened(value)) }
}

/// A record that is being read.
struct Record<'d> {
    row: Vec<Value>,
    marked: bool,
    /// What is wrong with the value of [`DELETED`].
    wrong_mark: Option<RecordError>,
    wrong: Vec<(usize, RecordError)>,
    seen: &'d mut [u64],
    undeclared: &'d mut ManyKeys,
    number: u64,
}

impl Record<'_> {
    /// Forgets what was read; `number` is one that no record had.
    fn begin_again(&mut self, number: u64) {
        self.row.fill(Value::Null);
        self.wrong.clear();
        self.undeclared.clear();
        self.number = number;
    }

    /// Whether the key of a field comes for the first time.
    fn is_first(&mut self, field: usize) -> bool {
        std::mem::replace(&mut self.seen[field], self.number) != self.number
    }

    /// Takes the value of a key as it is written, for its first field and all others that are read
    /// from it.
    fn take(&mut self, first: usize, fields: &mut [FieldReader], keys: &Keys, raw: &str) {
        let mut next = Some(first);
        while let Some(at) = next {
            match read(&mut fields[at], raw) {
                Ok(value) => self.row[at] = value,
                Err(error) => self.wrong.push((at, error)),
            }
            next = keys.same_key[at];
        }
    }
}

impl Keys {
    /// What a key is; `expected` is the field that is tried first.
    fn find(&self, key: &str, expected: usize) -> Key {
        if self.in_order.get(expected).is_some_and(|name| name.as_deref() == Some(key)) {
            return Key::Field(expected);
        }
        self.by_name.get(key).copied().unwrap_or(Key::Unknown)
    }
}

/// Reads a record of plain values. `false` when it is none, or there is something to be said about
/// its keys.
fn read_plain(record: &mut Record<'_>, fields: &mut [FieldReader], keys: &Keys, text: &str) -> bool {
    let mut expected = 0;
    let mut undeclared = FewKeys::default();
    let read = plain::members(text, |key, raw| match keys.find(key, expected) {
        Key::Field(first) => {
            expected = first + 1;
            let is_first = record.is_first(first);
            if is_first {
                record.take(first, fields, keys, raw);
            }
            is_first
        }
        Key::Deleted => false,
        Key::Unknown => undeclared.is_first(key),
    });
    read.is_some()
}

/// Reads the value of a field as it is written.
pub(super) fn read(field: &mut FieldReader, raw: &str) -> Result<Value, RecordError> {
    if raw.as_bytes().first() == Some(&b'n') {
        return Ok(Value::Null);
    }
    let FieldReader { values, connect, .. } = field;
    let value = match connect {
        None => value_of(values, raw),
        Some(column) => column.read(values, raw),
    };
    field.accept(value, raw)
}

/// What a value is by its type, as JSON writes it. It is not null.
pub(super) fn value_of(values: &mut ValueReader, raw: &str) -> Result<Value, Misfit> {
    match raw.as_bytes().first() {
        Some(b't') => values.read_bool(true),
        Some(b'f') => values.read_bool(false),
        Some(b'"') => match unquoted(raw) {
            Some(text) => values.read_json_text(&text),
            None => Err(Misfit { reason: "unreadable", detail: Some(Cow::Borrowed("it has a broken escape")) }),
        },
        Some(b'-' | b'0'..=b'9') => values.read_number(raw),
        _ => Err(Misfit::TYPE),
    }
}

/// How a plain value spells an id.
fn spelt(raw: &str) -> Spelt<'_> {
    match raw.as_bytes() {
        [b'"', .., b'"'] => Spelt::Text(&raw[1..raw.len() - 1]),
        [b'n' | b't' | b'f', ..] => Spelt::None,
        digits if digits.iter().all(u8::is_ascii_digit) => Spelt::Text(raw),
        _ => Spelt::Unclear,
    }
}

/// The text between quotes; borrowed unless there are escapes.
pub(super) fn unquoted(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw).ok().map(Cow::Owned)
}

struct RecordSeed<'r, 'd> {
    record: &'r mut Record<'d>,
    fields: &'r mut [FieldReader],
    keys: &'r Keys,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        let mut marks = 0;
        loop {
            let seed = KeySeed { keys: self.keys, expected, undeclared: &mut *self.record.undeclared };
            let Some(key) = map.next_key_seed(seed)? else { return Ok(()) };
            match key {
                Key::Field(first) => {
                    expected = first + 1;
                    if !self.record.is_first(first) {
                        let column = &self.fields[first].column;
                        return Err(A::Error::custom(format_args!("`{column}` is given twice")));
                    }
                    let raw: &RawValue = map.next_value()?;
                    self.record.take(first, self.fields, self.keys, raw.get());
                }
                Key::Deleted => {
                    marks += 1;
                    if marks > 1 {
                        return Err(A::Error::custom(format_args!("`{DELETED}` is given twice")));
                    }
                    let raw: &RawValue = map.next_value()?;
                    match raw.get() {
                        "true" => self.record.marked = true,
                        "false" | "null" => {}
                        other => self.record.wrong_mark = Some(wrong_mark(other)),
                    }
                }
                Key::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}

struct KeySeed<'k> {
    keys: &'k Keys,
    /// The field that is tried first.
    expected: usize,
    undeclared: &'k mut ManyKeys,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Key, E> {
        let found = self.keys.find(key, self.expected);
        if found == Key::Unknown && !self.undeclared.is_first(key) {
            return Err(E::custom(format_args!("`{}` is given twice", shortened(key))));
        }
        Ok(found)
    }
}
