//! From a line to a record: typed fields, and what they contribute. A line that does not fit
//! contributes to nothing, and is told with a reason.

use super::eval::{Failed, Scope};
use super::pack::{Field, Input, Interval, Pack, Source};
use super::policy::Signal;
use super::raw::{Arrivals, Line, Raw, arrivals};
use super::typed::typed;
use super::value::{Id, V};

/// Why a line is no record, in the words of `docs/output.md`.
pub(crate) type Reason = &'static str;

/// A record that took effect.
pub(crate) struct Record {
    pub(crate) input: usize,
    /// Logical time.
    pub(crate) t: i64,
    pub(crate) event_time: i64,
    pub(crate) order: V,
    /// Position in the source: its file, and its line in it.
    pub(crate) place: Place,
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

/// A file, and a line of it, from 1.
pub(crate) type Place = (usize, usize);

/// A value that counts during `[from, until)`.
pub(crate) struct Contribution {
    pub(crate) kind: usize,
    pub(crate) feature: usize,
    pub(crate) entity: Id,
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) value: V,
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dead {
    pub(crate) place: Place,
    pub(crate) reason: Reason,
}

/// What became of lines.
#[derive(Default)]
pub(crate) struct Decoded {
    pub(crate) records: Vec<Record>,
    pub(crate) dead: Vec<Dead>,
    /// Whether there was a record after the end.
    pub(crate) cut: bool,
    /// How many records came behind the clock.
    pub(crate) late: u64,
}

/// Reads lines in order of arrival, up to the first record that is after `until`. Of several files
/// the one whose next record is earliest is read first; of equal ones the first.
pub(crate) fn records(pack: &Pack, given: Arrivals<'_>, until: Option<i64>) -> Decoded {
    let mut files: Vec<_> = arrivals(pack, given).into_iter().map(Vec::into_iter).collect();
    let mut heads: Vec<Option<(Line, i64)>> = files.iter().map(|_| None).collect();
    let mut decoded = Decoded::default();
    let mut clock = 0;
    loop {
        for (file, head) in heads.iter_mut().enumerate() {
            while head.is_none()
                && let Some(line) = files[file].next()
            {
                match record(pack, &line, 0) {
                    Ok(record) => *head = Some((line, record.event_time)),
                    Err(reason) => decoded.dead.push(Dead { place: line.place, reason }),
                }
            }
        }
        let next = (0..heads.len()).filter(|at| heads[*at].is_some());
        let Some(next) = next.min_by_key(|at| heads[*at].as_ref().map(|(_, time)| *time)) else { return decoded };
        let (line, event_time) = heads[next].take().expect("a record");
        let record = record(pack, &line, clock).expect("it was one before");
        if until.is_some_and(|until| record.t > until) {
            decoded.cut = true;
            return decoded;
        }
        decoded.late += u64::from(event_time < clock);
        clock = record.t;
        decoded.records.push(record);
    }
}

fn record(pack: &Pack, line: &Line, clock: i64) -> Result<Record, Reason> {
    let (position, raw) = line.content.as_ref().map_err(|reason| *reason)?;
    let position = *position;
    let input = &pack.inputs[position];
    let (row, deleted) = decode(pack, input, raw)?;
    let event_time = match input.time.map(|field| &row[field]) {
        Some(V::Time(ms)) => *ms,
        Some(other) => panic!("an event time that is {other:?}"),
        None => 0,
    };
    let scope = Scope::of(&row, 0);
    let deletion = deleted
        || match &input.delete {
            Some(condition) => condition.value(scope)?.holds(),
            None => false,
        };
    let mut record = Record {
        input: position,
        t: clock.max(event_time),
        event_time,
        order: input.order.map_or(V::Null, |field| row[field].clone()),
        place: line.place,
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
        contribute(pack, position, &row, &mut record)?;
    }
    record.row = row;
    Ok(record)
}

impl From<Failed> for Reason {
    fn from(_: Failed) -> Reason {
        "expression"
    }
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
///
/// Of several things that are wrong, a value that does not fit is told before one that is not
/// there, and of values that of the first field.
fn decode(pack: &Pack, input: &Input, raw: &Raw) -> Result<(Vec<V>, bool), Reason> {
    let identifying = |at: usize| input.key.as_ref().is_some_and(|key| key.contains(&at)) || input.time == Some(at);
    let zone = &pack.policy.timezone;
    let marked = raw.is_marked()?;
    let (mut row, mut wrong) = (Vec::new(), Vec::new());
    for (at, field) in input.fields.iter().enumerate() {
        let value = match raw.cell(&field.column) {
            None => Ok(V::Null),
            Some(cell) => typed(&cell, &field.ty, &field.unit, zone),
        };
        let value = value.and_then(|value| in_range(value, input.time == Some(at)));
        wrong.extend(value.as_ref().err().map(|reason| (at, *reason)));
        row.push(value.unwrap_or(V::Null));
    }
    let misfit = |deleted: bool| -> Option<Reason> {
        let needed = |at: usize| !deleted || identifying(at);
        let missing = |(at, field): (usize, &Field)| {
            needed(at) && (identifying(at) || !field.optional) && raw.cell(&field.column).is_none()
        };
        let first_wrong = wrong.iter().find(|(at, _)| needed(*at)).map(|(_, reason)| *reason);
        first_wrong.or_else(|| input.fields.iter().enumerate().any(missing).then_some("missing_field"))
    };
    let others = || input.fields.iter().enumerate().filter(|(at, _)| !identifying(*at));
    let bare =
        || others().all(|(_, field)| raw.cell(&field.column).is_none()) && others().any(|(_, field)| !field.optional);
    let deleted = marked || (input.key.is_some() && bare());
    let deletes = || input.delete.as_ref().is_some_and(|condition| condition.holds(Scope::of(&row, 0)));
    let deleted = match misfit(deleted) {
        None => deleted,
        // Where the condition says that it is a deletion, it needs no more than one.
        Some(reason) if misfit(true).is_some() || !deletes() => return Err(reason),
        Some(_) => true,
    };
    if deleted && input.key.is_none() {
        return Err("wrong_type");
    }
    Ok((row, deleted))
}

/// An event time is between 1970 and 9999.
fn in_range(value: V, is_event_time: bool) -> Result<V, Reason> {
    match value {
        V::Time(ms) if is_event_time && !(0..=253_402_300_799_999).contains(&ms) => Err("out_of_range"),
        value => Ok(value),
    }
}
