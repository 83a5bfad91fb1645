//! Which records make a feature what it is.
//!
//! A record counts towards a feature of an entity when its contribution does at the instant,
//! `[max(t, from), until)`; `t` is given by the same clock as in a run. Of a table only the latest
//! row of a key counts; so the rank of every row of a table that matters is kept, as the dataflow
//! keeps it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use propice_define::Plan;
use propice_define::plan::{Aggregate, FeatureSource as Of};
use propice_flow::clock::EventClock;
use propice_model::{EntityChange, EventTime, Fact, FeatureId, Id, InputId, KindId, LogicalTime, Origin, Rank, Value};

/// What records are asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum RecordsKey {
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
pub(super) type Hits = BTreeMap<RecordsKey, Vec<Hit>>;

/// What the records of a customer are looked up by.
pub(super) struct Search<'a> {
    pub(super) plan: &'a Plan,
    /// In order of arrival.
    pub(super) facts: &'a [Fact],
    pub(super) customer: &'a Id,
    pub(super) wanted: &'a BTreeSet<RecordsKey>,
    pub(super) instant: LogicalTime,
}

/// The current row of a key of a table.
struct CurrentRow<'f> {
    rank: &'f Rank,
    hits: Vec<(RecordsKey, Hit)>,
}

impl Search<'_> {
    /// Goes through the records up to the instant.
    pub(super) fn hits(&self) -> Hits {
        let inputs = self.inputs();
        let mut clock = EventClock::default();
        let mut hits = Hits::new();
        let mut tables: HashMap<(InputId, &[Value]), CurrentRow<'_>> = HashMap::new();
        for fact in self.facts {
            // What cannot matter moves the clock all the same.
            let time = clock.bind(fact.rank.event_time);
            if time > self.instant {
                break;
            }
            if !inputs.contains(&fact.input) {
                continue;
            }
            let found = self.found(fact, time);
            if fact.key.is_empty() {
                found.into_iter().for_each(|(key, hit)| hits.entry(key).or_default().push(hit));
                continue;
            }
            let row = CurrentRow { rank: &fact.rank, hits: found };
            match tables.entry((fact.input, &fact.key)) {
                Entry::Vacant(entry) => {
                    entry.insert(row);
                }
                Entry::Occupied(mut entry) if entry.get().rank <= row.rank => drop(entry.insert(row)),
                Entry::Occupied(_) => {}
            }
        }
        for (key, hit) in tables.into_values().flat_map(|current| current.hits) {
            hits.entry(key).or_default().push(hit);
        }
        for of_key in hits.values_mut() {
            of_key.sort_by(|left, right| right.rank().cmp(&left.rank()));
        }
        hits
    }

    /// The inputs that can matter.
    fn inputs(&self) -> BTreeSet<InputId> {
        let of = |key: &RecordsKey| match key {
            RecordsKey::Feature(kind, _, feature) => {
                match self.plan.entities[kind.index()].features[feature.index()].source {
                    Of::Records { input, .. } => Some(input),
                    Of::Entities(_) => None,
                }
            }
            RecordsKey::Belongs(kind, _) => {
                self.plan.entities[kind.index()].relation.as_ref().map(|relation| relation.input)
            }
        };
        self.wanted.iter().filter_map(of).collect()
    }

    /// What a record contributes at the instant, of what is asked for.
    fn found(&self, fact: &Fact, time: LogicalTime) -> Vec<(RecordsKey, Hit)> {
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
                let key = RecordsKey::Belongs(*kind, id.clone());
                if self.wanted.contains(&key) {
                    found.push((key, hit(&Value::Null, &Value::Null, LogicalTime::MAX)));
                }
            }
            for contribution in contributions {
                let key = RecordsKey::Feature(*kind, id.clone(), contribution.feature);
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
