//! Which records make a feature what it is: the sources are read once more.
//!
//! A record counts towards a feature of an entity when its contribution does at the instant, `[max(t, from), until)`; `t` is given
//! by the same clock as in a run. Of a table only the latest row of a key counts; so the rank of every row of a table that
//! matters is kept, as the dataflow keeps it. Records that do not matter are not kept. What a record says, field by field, is
//! read at last, and only of those that are shown.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use propice_define::Plan;
use propice_define::plan::{Aggregate, Source as Of};
use propice_edge::source::{Batch, InputFile, MergedSource, Source as _, SourceError, rows_at};
use propice_flow::clock::EventClock;
use propice_model::{
    EntityChange, EventTime, Fact, FeatureId, Id, InputId, KindId, LogicalTime, Origin, Rank, Row, Value,
};

/// What records are asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    /// What counts towards a feature of an entity.
    Feature(KindId, Id, FeatureId),
    /// What makes an entity the customer's.
    Belongs(KindId, Id),
}

/// A record that counts.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) input: InputId,
    pub(super) origin: Origin,
    pub(super) event_time: EventTime,
    /// What `first` and `last` order by, behind the event time.
    pub(super) order: Value,
    /// What it contributes.
    pub(super) value: Value,
    /// Until when it counts.
    pub(super) until: LogicalTime,
}

impl Hit {
    /// Later ones are greater.
    pub(super) fn rank(&self) -> (EventTime, &Value, &Value, &Origin) {
        (self.event_time, &self.order, &self.value, &self.origin)
    }
}

/// All records that count, by what was asked for; the newest first.
pub(super) type Hits = BTreeMap<Key, Vec<Hit>>;

/// What the records of a customer are looked up by.
pub(super) struct Search<'a> {
    pub(super) plan: &'a Arc<Plan>,
    pub(super) files: &'a [InputFile],
    pub(super) customer: &'a Id,
    pub(super) wanted: &'a BTreeSet<Key>,
    pub(super) instant: LogicalTime,
}

/// The current row of a key of a table.
struct Current {
    rank: Rank,
    hits: Vec<(Key, Hit)>,
}

/// Why records cannot be read again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Search<'_> {
    /// Reads the sources up to the instant.
    pub(super) fn hits(&self) -> Result<Hits, Unread> {
        let inputs = self.inputs();
        // All files, also those that cannot matter: the clock goes by all of them.
        let mut source = MergedSource::open(self.plan, self.files, &Arc::new(AtomicBool::new(false)))?;
        let mut clock = EventClock::default();
        let mut hits = Hits::new();
        let mut tables: HashMap<(InputId, Vec<Value>), Current> = HashMap::new();
        'reading: loop {
            let mut batch = Batch::default();
            let more = source.fill(&mut batch)?;
            for fact in batch.facts {
                let time = clock.bind(fact.rank.event_time);
                if time > self.instant {
                    break 'reading;
                }
                if !inputs.contains(&fact.input) {
                    continue;
                }
                let found = self.found(&fact, time);
                if !self.plan.inputs[fact.input.index()].is_table() {
                    found.into_iter().for_each(|(key, hit)| hits.entry(key).or_default().push(hit));
                    continue;
                }
                let row = Current { rank: fact.rank, hits: found };
                match tables.entry((fact.input, fact.key)) {
                    Entry::Vacant(entry) => {
                        entry.insert(row);
                    }
                    Entry::Occupied(mut entry) if entry.get().rank <= row.rank => drop(entry.insert(row)),
                    Entry::Occupied(_) => {}
                }
            }
            if !more {
                break;
            }
        }
        for (key, hit) in tables.into_values().flat_map(|current| current.hits) {
            hits.entry(key).or_default().push(hit);
        }
        for of_key in hits.values_mut() {
            of_key.sort_by(|left, right| right.rank().cmp(&left.rank()));
        }
        Ok(hits)
    }

    /// The inputs that can matter.
    fn inputs(&self) -> BTreeSet<InputId> {
        let of = |key: &Key| match key {
            Key::Feature(kind, _, feature) => match self.plan.entities[kind.index()].features[feature.index()].source {
                Of::Records { input, .. } => Some(input),
                Of::Entities(_) => None,
            },
            Key::Belongs(kind, _) => self.plan.entities[kind.index()].relation.as_ref().map(|relation| relation.input),
        };
        self.wanted.iter().filter_map(of).collect()
    }

    /// What a record contributes at the instant, of what is asked for.
    fn found(&self, fact: &Fact, time: LogicalTime) -> Vec<(Key, Hit)> {
        let hit = |order: &Value, value: &Value, until: LogicalTime| Hit {
            input: fact.input,
            origin: fact.rank.origin.clone(),
            event_time: fact.rank.event_time,
            order: order.clone(),
            value: value.clone(),
            until,
        };
        let mut found = Vec::new();
        for EntityChange { kind, id, owner, order, contributions, .. } in &fact.changes {
            if owner.as_ref() == Some(self.customer) {
                let key = Key::Belongs(*kind, id.clone());
                if self.wanted.contains(&key) {
                    found.push((key, hit(&Value::Null, &Value::Null, LogicalTime::MAX)));
                }
            }
            for contribution in contributions {
                let key = Key::Feature(*kind, id.clone(), contribution.feature);
                let counts = contribution.from.max(time) <= self.instant && self.instant < contribution.until;
                if counts && self.wanted.contains(&key) {
                    let feature = &self.plan.entities[kind.index()].features[contribution.feature.index()];
                    let order = if matches!(feature.aggregate, Aggregate::First | Aggregate::Last) {
                        order
                    } else {
                        &Value::Null
                    };
                    found.push((key, hit(order, &contribution.value, contribution.until)));
                }
            }
        }
        found
    }
}

/// The typed rows of records, by file and line.
pub(super) fn rows(
    plan: &Arc<Plan>,
    files: &[InputFile],
    origins: &BTreeSet<Origin>,
) -> Result<BTreeMap<Origin, Row>, SourceError> {
    let mut rows = BTreeMap::new();
    for (position, file) in files.iter().enumerate() {
        let position = position as u16;
        let lines: BTreeSet<u64> =
            origins.iter().filter(|origin| origin.file == position).map(|origin| origin.line).collect();
        if !lines.is_empty() {
            let of_file = rows_at(plan, file, &lines)?;
            rows.extend(of_file.into_iter().map(|(line, row)| (Origin { file: position, line }, row)));
        }
    }
    Ok(rows)
}

/// When the first record takes effect that names a customer; and when the first record does at all.
pub(super) fn first_seen(
    plan: &Arc<Plan>,
    files: &[InputFile],
    customer: &Id,
) -> Result<(Option<LogicalTime>, Option<LogicalTime>), Unread> {
    let mut source = MergedSource::open(plan, files, &Arc::new(AtomicBool::new(false)))?;
    let mut clock = EventClock::default();
    let mut first = None;
    loop {
        let mut batch = Batch::default();
        let more = source.fill(&mut batch)?;
        for fact in batch.facts {
            let time = clock.bind(fact.rank.event_time);
            first.get_or_insert(time);
            if fact.changes.iter().any(|change| change.kind == KindId::CUSTOMER && change.id == *customer) {
                return Ok((Some(time), first));
            }
        }
        if !more {
            return Ok((None, first));
        }
    }
}
