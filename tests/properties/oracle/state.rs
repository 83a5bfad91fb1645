//! Everything there is at one logical time, from all the records.

use std::collections::{BTreeMap, BTreeSet};

use super::aggregate::{Counted, aggregate};
use super::decode::{Contribution, Record};
use super::eval::Scope;
use super::pack::{Kind, Pack, Source, over_nothing};
use super::value::{Id, V};

/// The records that count once so many have arrived: those of streams, and of each key of a table
/// the latest unless it deletes. With what they contribute, by kind, feature and entity.
pub(crate) struct Live<'a> {
    pub(crate) records: Vec<&'a Record>,
    contributions: BTreeMap<(usize, usize, Id), Vec<(&'a Record, &'a Contribution)>>,
}

impl<'a> Live<'a> {
    pub(crate) fn of(pack: &Pack, arrived: &'a [Record]) -> Live<'a> {
        let supersedes = |a: &Record, b: &Record| {
            (a.event_time.cmp(&b.event_time))
                .then_with(|| a.order.order(&b.order))
                .then_with(|| a.place.cmp(&b.place))
                .is_gt()
        };
        let mut live = Live { records: Vec::new(), contributions: BTreeMap::new() };
        for record in arrived {
            let is_table = pack.inputs[record.input].key.is_some();
            let same_key = |other: &&Record| (other.input, &other.key) == (record.input, &record.key);
            let superseded = || arrived.iter().filter(same_key).any(|other| supersedes(other, record));
            if is_table && (record.deletion || superseded()) {
                continue;
            }
            live.records.push(record);
            for one in &record.contributions {
                let place = (one.kind, one.feature, one.entity.clone());
                live.contributions.entry(place).or_default().push((record, one));
            }
        }
        live
    }

    /// The event time of the latest record that a feature of a customer counts: the one that `last`
    /// shows.
    pub(crate) fn latest(&self, feature: usize, customer: &Id, now: i64) -> Option<i64> {
        let all = self.contributions.get(&(0, feature, customer.clone())).into_iter().flatten();
        all.filter(|(_, one)| (one.from..one.until).contains(&now)).map(|(record, _)| record.event_time).max()
    }
}

/// The entities that exist at one logical time, with their slots.
pub(crate) struct State {
    pub(crate) now: i64,
    /// By kind: the slots of every entity that exists.
    pub(crate) entities: Vec<BTreeMap<Id, Vec<V>>>,
    /// Customer, kind, entity.
    pub(crate) related: BTreeSet<(Id, usize, Id)>,
}

impl State {
    /// What the live records amount to.
    pub(crate) fn at(now: i64, pack: &Pack, live: &Live<'_>) -> State {
        let mut exists: Vec<BTreeSet<Id>> = pack.kinds.iter().map(|_| BTreeSet::new()).collect();
        let mut related = BTreeSet::new();
        for record in &live.records {
            for (kind, id) in &record.names {
                exists[*kind].insert(id.clone());
            }
            for (kind, entity, customer) in &record.relates {
                related.insert((customer.clone(), *kind, entity.clone()));
            }
        }
        let mut state = State { now, entities: pack.kinds.iter().map(|_| BTreeMap::new()).collect(), related };
        for kind in (0..pack.kinds.len()).rev() {
            for id in &exists[kind] {
                let slots = state.slots(pack, kind, id, live);
                state.entities[kind].insert(id.clone(), slots);
            }
        }
        state
    }

    fn slots(&self, pack: &Pack, kind: usize, id: &Id, live: &Live<'_>) -> Vec<V> {
        let declared = &pack.kinds[kind];
        let mut features = Vec::new();
        for (number, feature) in declared.features.iter().enumerate() {
            let mut counted = Vec::new();
            match feature.source {
                Source::Records(..) => {
                    let all = live.contributions.get(&(kind, number, id.clone())).into_iter().flatten();
                    let counts = all.filter(|(_, one)| (one.from..one.until).contains(&self.now));
                    counted.extend(counts.map(|(record, one)| Counted {
                        event_time: record.event_time,
                        order: &record.order,
                        value: one.value.clone(),
                    }));
                }
                Source::Entities(over) => {
                    for (_, _, entity) in self.related.iter().filter(|(c, k, _)| (c, *k) == (id, over)) {
                        let scope = Scope::of(&self.entities[over][entity], self.now);
                        if feature.filter.as_ref().is_some_and(|filter| !filter.holds(scope)) {
                            continue;
                        }
                        let value = match &feature.argument {
                            Some(argument) => argument.value(scope).unwrap_or(V::Null),
                            None => V::Bool(true),
                        };
                        if !value.is_null() {
                            counted.push(Counted { event_time: 0, order: &V::Null, value });
                        }
                    }
                }
            }
            features.push(aggregate(feature, &counted));
        }
        let extras = declared.extras.iter().map(|(input, field)| {
            let current =
                live.records.iter().find(|record| record.input == *input && record.key == [V::Id(id.clone())]);
            current.map_or(V::Null, |record| record.row[*field].clone())
        });
        with_attributes(declared, features, extras.collect(), self.now)
    }

    /// The slots of an entity, or those over nothing when it does not exist.
    pub(crate) fn slots_or_nothing(&self, pack: &Pack, kind: usize, id: &Id) -> Vec<V> {
        self.entities[kind].get(id).cloned().unwrap_or_else(|| nothing(&pack.kinds[kind], self.now))
    }
}

/// The slots of an entity to which nothing contributes.
pub(crate) fn nothing(kind: &Kind, now: i64) -> Vec<V> {
    let features = kind.features.iter().map(over_nothing).collect();
    with_attributes(kind, features, vec![V::Null; kind.extras.len()], now)
}

fn with_attributes(kind: &Kind, features: Vec<V>, extras: Vec<V>, now: i64) -> Vec<V> {
    let mut slots = features;
    let behind = slots.len();
    slots.extend(vec![V::Null; kind.attributes.len()]);
    slots.extend(extras);
    for &position in &kind.evaluation {
        let value = kind.attributes[position].expr.value(Scope::of(&slots, now)).unwrap_or(V::Null);
        slots[behind + position] = value;
    }
    slots
}
