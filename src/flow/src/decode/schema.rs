//! The rules of a record, whatever its format: what is required, what deletes, what is said of what
//! does not fit.

use std::fmt::Write as _;
use std::sync::Arc;

use propice_define::Plan;
use propice_define::expr::Env;
use propice_define::plan::{Field, TimeUnit};
use propice_model::time::{LATEST_EVENT_TIME_MS, USUAL_TIMES_MS};
use propice_model::{FieldId, InputId, KindId, Row, Type, Value};

use super::connect::{Column, Encoding};
use super::numbers::Misfit;
use super::text::ValueReader;
use super::{Decoded, OddTime, RecordError};

/// The column or key that marks the deletion of a row of a table.
pub(super) const DELETED: &str = "_deleted";
/// How much of a value an error shows.
const SHOWN_CHARS: usize = 40;

/// The fields of one input, ready to read records.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) fields: Vec<FieldReader>,
    /// Whether [`DELETED`] marks a deletion: unless the pack declares such a column itself. (Of a
    /// stream, whose records cannot be deleted, it makes the record a dead letter.)
    pub(super) deletable: bool,
    /// Whether a record with nothing but its key deletes: of a table with another field that is
    /// required.
    bare_key_deletes: bool,
    pub(super) plan: Arc<Plan>,
    input: InputId,
    /// The row of a record that nobody needs any more.
    spare: Row,
}

/// One field of an input.
#[derive(Debug)]
pub(super) struct FieldReader {
    pub(super) name: String,
    pub(super) column: String,
    pub(super) optional: bool,
    pub(super) values: ValueReader,
    /// How messages call the type.
    type_name: String,
    /// Whether also a deletion needs it: of the key, or the event time.
    identifies: bool,
    is_event_time: bool,
    /// How Kafka Connect encodes its values, where it does.
    pub(super) connect: Option<Box<Column>>,
    /// The first time outside of the usual years.
    odd: Odd,
}

/// Whether a field had a time outside of the usual years.
#[derive(Debug)]
enum Odd {
    None,
    Found(OddTime),
    Told,
}

impl Schema {
    pub(super) fn new(plan: &Arc<Plan>, input: InputId) -> Schema {
        let declared = &plan.inputs[input.index()];
        let key: &[FieldId] = declared.table.as_ref().map_or(&[], |table| &table.key);
        let fields: Vec<FieldReader> = (0..declared.fields.len() as u16)
            .map(FieldId)
            .map(|id| {
                let is_event_time = declared.time == Some(id);
                let identifies = is_event_time || key.contains(&id);
                FieldReader::new(plan, &declared.fields[id.index()], identifies, is_event_time)
            })
            .collect();
        let is_table = declared.is_table();
        Schema {
            deletable: fields.iter().all(|field| field.column != DELETED),
            bare_key_deletes: is_table && fields.iter().any(|field| !field.identifies && !field.optional),
            fields,
            plan: Arc::clone(plan),
            input,
            spare: Row::new(),
        }
    }

    /// The position of the first field of a column.
    pub(super) fn field_of(&self, column: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.column == column)
    }

    /// A row for a record, all null; in the allocation of one that was recycled, if there is any.
    pub(super) fn row(&mut self) -> Row {
        let mut row = std::mem::take(&mut self.spare);
        row.clear();
        row.resize(self.fields.len(), Value::Null);
        row
    }

    /// Takes back a record that is done with.
    pub(super) fn recycle(&mut self, decoded: Decoded) {
        self.spare = decoded.row;
    }

    /// What the values of a record amount to. `found` holds what was wrong with single fields.
    pub(super) fn finish(
        &self,
        row: Vec<Value>,
        marked: bool,
        found: &[(usize, RecordError)],
    ) -> Result<Decoded, RecordError> {
        let bare = self.bare_key_deletes
            && found.is_empty()
            && self.fields.iter().zip(&row).all(|(field, value)| field.identifies || value.is_null());
        self.settle(row, marked || bare, found)
    }

    /// The same where it is known whether the record deletes, unless the condition of the pack says
    /// so.
    pub(super) fn settle(
        &self,
        row: Vec<Value>,
        mut deleted: bool,
        found: &[(usize, RecordError)],
    ) -> Result<Decoded, RecordError> {
        if let Some(error) = self.misfit(&row, deleted, found) {
            // A deletion needs the key and the time only, also where a condition says that it is
            // one.
            deleted = self.condition_deletes(&row);
            let kept = if deleted { self.misfit(&row, deleted, found) } else { Some(error) };
            if let Some(error) = kept {
                return Err(error);
            }
        }
        Ok(Decoded { row, deleted })
    }

    /// The first thing that is wrong with a record, in the order of the fields.
    fn misfit(&self, row: &[Value], deleted: bool, found: &[(usize, RecordError)]) -> Option<RecordError> {
        let needed = |field: &FieldReader| !deleted || field.identifies;
        let wrong = found.iter().filter(|(at, _)| needed(&self.fields[*at])).min_by_key(|(at, _)| *at);
        if let Some((_, error)) = wrong {
            return Some(error.clone());
        }
        let missing = |(field, value): &(&FieldReader, &Value)| {
            value.is_null() && needed(field) && (field.identifies || !field.optional)
        };
        self.fields.iter().zip(row).find(missing).map(|(field, _)| RecordError {
            reason: "missing_field",
            message: format!("`{}` is missing or null", field.name),
        })
    }

    /// The first time of each field that lies outside of the usual years, once.
    pub(super) fn odd_times(&mut self) -> Vec<OddTime> {
        let take = |field: &mut FieldReader| match std::mem::replace(&mut field.odd, Odd::Told) {
            Odd::Found(odd) => Some(odd),
            odd => {
                field.odd = odd;
                None
            }
        };
        self.fields.iter_mut().filter_map(take).collect()
    }

    fn condition_deletes(&self, row: &[Value]) -> bool {
        let table = self.plan.inputs[self.input.index()].table.as_ref();
        table.and_then(|table| table.delete.as_ref()).is_some_and(|delete| delete.holds(&Env::of(row, 0)))
    }
}

impl FieldReader {
    fn new(plan: &Plan, field: &Field, identifies: bool, is_event_time: bool) -> FieldReader {
        FieldReader {
            name: field.name.clone(),
            column: field.column.clone(),
            optional: field.optional,
            values: ValueReader::new(field.ty.clone(), &plan.timezone, field.format.as_deref()).in_unit(field.unit),
            type_name: type_name(plan, field),
            identifies,
            is_event_time,
            connect: None,
            odd: Odd::None,
        }
    }

    /// Says how Kafka Connect encodes its values.
    pub(super) fn encode(&mut self, zone: &str, encoding: Encoding) {
        match &mut self.connect {
            Some(column) => column.encoding = encoding,
            None => self.connect = Some(Box::new(Column::new(zone, encoding))),
        }
    }

    /// Checks what only the place of the value in the record decides, and names the field in what
    /// is wrong.
    pub(super) fn accept(&mut self, value: Result<Value, Misfit>, shown: &str) -> Result<Value, RecordError> {
        let checked = match value {
            Ok(Value::Time(time_ms)) if self.is_event_time && !is_event_time(time_ms) => {
                Misfit::range("an event time is between 1970 and 9999")
            }
            Ok(Value::Time(time_ms)) => {
                if !USUAL_TIMES_MS.contains(&time_ms) {
                    self.doubt(time_ms, shown);
                }
                return Ok(Value::Time(time_ms));
            }
            Ok(value) => return Ok(value),
            Err(misfit) => misfit,
        };
        let mut message = format!("`{}` is not {}: {}", self.name, self.type_name, shortened(shown));
        if let Some(detail) = checked.detail {
            let _ = write!(message, " ({detail})");
        }
        Err(RecordError { reason: checked.reason, message })
    }
}

impl FieldReader {
    /// Notes a time outside of the usual years. A text that is no event time may well be one: a
    /// birth, a far end.
    fn doubt(&mut self, time_ms: i64, shown: &str) {
        let unit = self.values.unit_of(shown);
        if !matches!(self.odd, Odd::None) || (unit.is_none() && !self.is_event_time) {
            return;
        }
        self.odd = Odd::Found(OddTime {
            field: self.name.clone(),
            column: (self.column != self.name).then(|| self.column.clone()),
            written: shortened(shown),
            unit,
            time_ms,
        });
    }
}

fn is_event_time(time_ms: i64) -> bool {
    u64::try_from(time_ms).is_ok_and(|time| time <= LATEST_EVENT_TIME_MS)
}

/// As packs spell it.
fn type_name(plan: &Plan, field: &Field) -> String {
    match (&field.ty, &field.format) {
        (Type::Id(KindId(kind)), _) => plan
            .entities
            .get(usize::from(*kind))
            .map_or_else(|| "id".to_owned(), |entity| format!("id({})", entity.name)),
        (Type::Time, Some(pattern)) => format!("time by {pattern}"),
        (Type::Time, None) if field.unit.is_some_and(|unit| unit != TimeUnit::Milliseconds) => {
            format!("time in {}", field.unit.map_or("ms", TimeUnit::name))
        }
        (ty, _) => ty.to_string(),
    }
}

/// The start of a value, on one line.
pub(super) fn shortened(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(SHOWN_CHARS) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
