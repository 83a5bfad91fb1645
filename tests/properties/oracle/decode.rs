//! From a line to a record: typed fields, and what they contribute. A line that does not fit
//! contributes to nothing.

use std::collections::BTreeMap;

use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::eval::{Failed, Scope};
use super::pack::{Field, Input, Interval, Pack, Source};
use super::policy::Signal;
use super::value::{Id, Ty, V, read_decimal, read_duration};

/// A record that took effect.
pub(crate) struct Record {
    pub(crate) input: usize,
    /// Logical time.
    pub(crate) t: i64,
    pub(crate) event_time: i64,
    pub(crate) order: V,
    /// Position in the source.
    pub(crate) line: usize,
    /// The primary key; empty for a stream.
    pub(crate) key: Vec<V>,
    pub(crate) deletion: bool,
    pub(crate) row: Vec<V>,
    pub(crate) contributions: Vec<Contribution>,
    /// Kind and id of the entities that it makes exist.
    pub(crate) names: Vec<(usize, Id)>,
    /// Kind, entity and customer.
    pub(crate) relates: Vec<(usize, Id, Id)>,
    /// The customer that it is about.
    pub(crate) about: Option<Id>,
    /// What it says of mood, by the position of the source.
    pub(crate) signals: Vec<(usize, Signal)>,
}

/// A value that counts during `[from, until)`.
pub(crate) struct Contribution {
    pub(crate) kind: usize,
    pub(crate) feature: usize,
    pub(crate) entity: Id,
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) value: V,
}

/// The keys of an object, each given once.
struct Keys(BTreeMap<String, Box<RawValue>>);

impl<'de> serde::Deserialize<'de> for Keys {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Keys, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Keys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if keys.insert(key, value).is_some() {
                        return Err(A::Error::custom("a key is given twice"));
                    }
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Once)
    }
}

/// What became of lines.
pub(crate) struct Decoded {
    pub(crate) records: Vec<Record>,
    /// The lines, from 1, that became dead letters.
    pub(crate) dead: Vec<usize>,
    /// Whether there was a record after the end.
    pub(crate) cut: bool,
    /// How many records came behind the clock.
    pub(crate) late: u64,
}

/// Reads lines in order of arrival, up to the first record that is after `until`.
pub(crate) fn records(pack: &Pack, lines: &[String], until: Option<i64>) -> Decoded {
    let mut clock = 0;
    let mut decoded = Decoded { records: Vec::new(), dead: Vec::new(), cut: false, late: 0 };
    for (position, line) in lines.iter().enumerate() {
        match record(pack, line, position + 1, clock) {
            Some(record) if until.is_some_and(|until| record.t > until) => {
                decoded.cut = true;
                break;
            }
            Some(record) => {
                decoded.late += u64::from(record.event_time < clock);
                clock = record.t;
                decoded.records.push(record);
            }
            None => decoded.dead.push(position + 1),
        }
    }
    decoded
}

fn record(pack: &Pack, line: &str, number: usize, clock: i64) -> Option<Record> {
    let Keys(json) = serde_json::from_str(line).ok()?;
    let name: String = serde_json::from_str(json.get("stream")?.get()).ok()?;
    let position = pack.inputs.iter().position(|input| input.name == name)?;
    let input = &pack.inputs[position];
    let (row, deleted) = decode(input, &json)?;
    let event_time = match input.time.map(|field| &row[field]) {
        Some(V::Time(ms)) => *ms,
        Some(_) => return None,
        None => 0,
    };
    if !(0..=253_402_300_799_999).contains(&event_time) {
        return None;
    }
    let scope = Scope::of(&row, 0);
    let deletion = deleted
        || match &input.delete {
            Some(condition) => condition.value(scope).ok()?.holds(),
            None => false,
        };
    let mut record = Record {
        input: position,
        t: clock.max(event_time),
        event_time,
        order: input.order.map_or(V::Null, |field| row[field].clone()),
        line: number,
        key: input.key.iter().flatten().map(|&field| row[field].clone()).collect(),
        deletion,
        row: Vec::new(),
        contributions: Vec::new(),
        names: Vec::new(),
        relates: Vec::new(),
        about: None,
        signals: Vec::new(),
    };
    if !deletion {
        contribute(pack, position, &row, &mut record).ok()?;
    }
    record.row = row;
    Some(record)
}

fn contribute(pack: &Pack, position: usize, row: &[V], record: &mut Record) -> Result<(), Failed> {
    let scope = Scope::of(row, 0);
    let about = pack.inputs[position].about;
    for (field, kind) in
        about.into_iter().chain(pack.feeds.iter().filter(|feed| feed.0 == position).map(|feed| (feed.1, feed.2)))
    {
        if let V::Id(id) = &row[field] {
            record.names.push((kind, id.clone()));
        }
    }
    feel(pack, position, row, record)?;
    for (kind, declared) in pack.kinds.iter().enumerate() {
        if let Some(relation) = declared.relation.as_ref().filter(|relation| relation.input == position) {
            let holds = match &relation.filter {
                Some(filter) => filter.value(scope)?.holds(),
                None => true,
            };
            if let (true, V::Id(entity), V::Id(customer)) = (holds, &row[relation.entity], &row[relation.customer]) {
                record.relates.push((kind, entity.clone(), customer.clone()));
                record.names.extend([(kind, entity.clone()), (0, customer.clone())]);
            }
        }
        for (number, feature) in declared.features.iter().enumerate() {
            let Source::Records(input, field) = feature.source else { continue };
            if input != position {
                continue;
            }
            let V::Id(entity) = &row[field] else { continue };
            if let Some(filter) = &feature.filter
                && !filter.value(scope)?.holds()
            {
                continue;
            }
            let value = match &feature.argument {
                Some(argument) => argument.value(scope)?,
                None => V::Bool(true),
            };
            if value.is_null() {
                continue;
            }
            if matches!(value, V::Decimal(units, _) if i64::try_from(units).is_err()) {
                return Err(Failed);
            }
            let (from, until) = match &feature.interval {
                Interval::Always => (record.t, i64::MAX),
                Interval::Window(length, None) => (record.t, record.event_time + length),
                Interval::Window(length, Some(pane)) => {
                    let end = record.event_time + length;
                    (record.t, (end + pane - 1).div_euclid(*pane) * pane)
                }
                Interval::During(first, second) => match (first.value(scope)?, second.value(scope)?) {
                    (V::Time(first), V::Time(second)) => (record.t.max(first), second),
                    _ => continue,
                },
            };
            if from < until {
                record.contributions.push(Contribution {
                    kind,
                    feature: number,
                    entity: entity.clone(),
                    from,
                    until,
                    value,
                });
            }
        }
    }
    Ok(())
}

/// The customer that a record is about, and what it says of mood.
fn feel(pack: &Pack, position: usize, row: &[V], record: &mut Record) -> Result<(), Failed> {
    if let Some((field, 0)) = pack.inputs[position].about
        && let V::Id(customer) = &row[field]
    {
        record.about = Some(customer.clone());
        let sources = pack.policy.mood.iter().flat_map(|mood| &mood.sources).enumerate();
        for (number, source) in sources.filter(|(_, source)| source.input == position) {
            let signal = Signal::of(source, row, record.event_time)?;
            record.signals.extend(signal.map(|signal| (number, signal)));
        }
    }
    Ok(())
}

/// The row, and whether the record deletes its key. A deletion needs the key and the time only.
fn decode(input: &Input, json: &BTreeMap<String, Box<RawValue>>) -> Option<(Vec<V>, bool)> {
    let raw = |field: &Field| json.get(&field.column).map(|raw| raw.get()).filter(|raw| *raw != "null");
    let identifying = |at: usize| input.key.as_ref().is_some_and(|key| key.contains(&at)) || input.time == Some(at);
    let (mut row, mut fits, mut identified) = (Vec::new(), true, true);
    for (at, field) in input.fields.iter().enumerate() {
        let value = match raw(field) {
            None if field.optional => Some(V::Null),
            None => None,
            Some(raw) => typed(raw, &field.ty, &field.unit),
        };
        fits &= value.is_some();
        identified &= value.is_some() || !identifying(at);
        row.push(value.unwrap_or(V::Null));
    }
    let others = || input.fields.iter().enumerate().filter(|(at, _)| !identifying(*at));
    let marked = json.get("_deleted").is_some_and(|raw| raw.get() == "true");
    if marked && input.key.is_none() {
        return None;
    }
    let bare = others().all(|(_, field)| raw(field).is_none()) && others().any(|(_, field)| !field.optional);
    let condition = || input.delete.as_ref().is_some_and(|condition| condition.holds(Scope::of(&row, 0)));
    let deleted = input.key.is_some() && (marked || bare || (!fits && condition()));
    (fits || (deleted && identified)).then_some((row, deleted))
}

/// A JSON value as a type; numbers that stand for a time count so many of a unit.
fn typed(raw: &str, ty: &Ty, unit: &str) -> Option<V> {
    let text: Option<String> = serde_json::from_str(raw).ok();
    let whole: Option<i64> = raw.parse().ok();
    let without_point = raw.split_once('.').filter(|(_, behind)| behind.bytes().all(|byte| byte == b'0'));
    Some(match ty {
        Ty::Bool => V::Bool(serde_json::from_str(raw).ok()?),
        Ty::Int => V::Int(whole.or_else(|| without_point?.0.parse().ok())?),
        Ty::Float => V::Float(serde_json::from_str::<f64>(raw).ok()? + 0.0),
        Ty::Decimal(scale) => decimal(text.as_deref().unwrap_or(raw), *scale)?,
        Ty::Text => V::Text(text?),
        Ty::Time => match (text, whole) {
            (Some(text), _) => V::Time(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()),
            (None, whole) => V::Time(match unit {
                "s" => {
                    let (number, decimals) = read_decimal(raw)?;
                    i64::try_from((number * 1_000).div_euclid(10_i128.pow(u32::from(decimals)))).ok()?
                }
                "us" => whole?.div_euclid(1_000),
                "ns" => whole?.div_euclid(1_000_000),
                _ => whole?,
            }),
        },
        Ty::Duration => match (text, whole) {
            (Some(text), _) => V::Duration(read_duration(&text)?),
            (None, whole) => V::Duration(whole?),
        },
        Ty::Id(_) => {
            let id = text.or_else(|| whole.map(|number| number.to_string()))?;
            if id.is_empty() {
                return None;
            }
            V::Id(Id::of(&id))
        }
        other => panic!("not a type of a field: {other:?}"),
    })
}

/// A decimal of at most so many decimals, trailing zeros aside, and 64 bit of units.
fn decimal(text: &str, scale: u8) -> Option<V> {
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    let (units, written) = read_decimal(trimmed)?;
    if written > scale || text.ends_with('.') {
        return None;
    }
    let units = units * 10_i128.pow(u32::from(scale - written));
    i64::try_from(units).ok()?;
    Some(V::Decimal(units, scale))
}
