//! The rows of tables: of each primary key the record of the greatest rank counts.
//!
//! When another one becomes it, what the one before said is taken back at the same logical time. A
//! deletion is a record without changes: it takes part like any other, and is kept so that an older
//! record which comes later does not bring the row back.
//!
//! Where state is kept a row is kept as its typed fields too: what it says follows from them, also
//! what it says to a feature that a later plan adds.

use std::sync::Arc;

use hashbrown::hash_table::Entry;

use crate::state::{Collection, Extent, Key as StateKey, Report, RowEntry, StateHandle, StatePort};
use propice_define::Plan;
use propice_model::{Changes, EntityChange, Fact, InputId, KeyRange, LogicalTime, Rank, Row, Value};

use super::segmented_map::{SegmentedMap, hash_of};

/// A table, and a primary key of it.
type TableKey = (InputId, Vec<Value>);

/// The current row of a key: its rank, and what it says.
#[derive(Debug)]
struct Current {
    rank: Rank,
    changes: Changes,
    /// Its fields, where state is kept; `None` for the mark of a deletion.
    fields: Option<Box<Row>>,
    /// It changed since that was last asked for.
    is_news: bool,
}

/// The current rows of tables, those of this worker.
#[derive(Default)]
pub(super) struct Rows {
    rows: SegmentedMap<(TableKey, Current)>,
    kept: Option<Kept>,
}

/// The collection of a table, and the names of its fields.
type KeptTable = (Arc<str>, Vec<Arc<str>>);

/// What it takes to tell what changed.
struct Kept {
    port: StatePort,
    /// The keys that changed since that was last asked for.
    news: Vec<TableKey>,
    /// By input: the collection of a table, and the names of its fields.
    tables: Vec<Option<KeptTable>>,
    plan: Arc<Plan>,
}

impl Rows {
    /// Rows that can tell what they hold, where that is asked for.
    pub(super) fn new(plan: &Arc<Plan>, state: Option<&StateHandle>) -> Rows {
        let table = |input: &propice_define::plan::Input| {
            let names = input.fields.iter().map(|field| Arc::from(field.name.as_str()));
            input.is_table().then(|| (Arc::from(Collection::Rows(&input.name).to_string()), names.collect()))
        };
        let kept = state.map(|state| Kept {
            port: state.port(),
            news: Vec::new(),
            tables: plan.inputs.iter().map(table).collect(),
            plan: Arc::clone(plan),
        });
        Rows { rows: SegmentedMap::default(), kept }
    }

    /// Makes a record the current one of its key, if it ranks higher; `give` takes what is live
    /// from now on, and what no more.
    pub(super) fn upsert(&mut self, fact: Fact, mut emit: impl FnMut(EntityChange, isize)) {
        let keeps = self.kept.is_some();
        // The copy is what is kept: it takes no more room than it needs.
        let copy =
            |said: &Changes, fields| Current { rank: fact.rank.clone(), changes: said.clone(), fields, is_news: keeps };
        let key = (fact.input, fact.key);
        let fields = fact.row.filter(|_| keeps);
        let replaced = match self.rows.entry(hash_of(&key), |(known, _)| *known == key, |(known, _)| hash_of(known)) {
            Entry::Vacant(place) => {
                let new = copy(&fact.changes, fields);
                if let Some(kept) = &mut self.kept {
                    kept.news.push(key.clone());
                }
                place.insert((key, new));
                Changes::new()
            }
            Entry::Occupied(known) if known.get().1.rank >= fact.rank => return,
            Entry::Occupied(mut known) => {
                let before = std::mem::replace(&mut known.get_mut().1, copy(&fact.changes, fields));
                if let Some(kept) = self.kept.as_mut().filter(|_| !before.is_news) {
                    kept.news.push(known.get().0.clone());
                }
                before.changes
            }
        };
        fact.changes.into_iter().for_each(|said| emit(said, 1));
        replaced.into_iter().for_each(|said| emit(said, -1));
    }

    /// Begins with rows that were held; `give` takes what they say.
    pub(super) fn restore(&mut self, rows: Vec<Fact>, mut emit: impl FnMut(EntityChange)) {
        for fact in rows {
            self.upsert(fact, |change, _| emit(change));
        }
        if let Some(kept) = &mut self.kept {
            for key in kept.news.drain(..) {
                if let Some((_, current)) = self.rows.find_mut(hash_of(&key), |(known, _)| *known == key) {
                    current.is_news = false;
                }
            }
        }
    }

    /// Something of a time is about to be gone through: a cut before it is answered.
    pub(super) fn answer(&mut self, next: LogicalTime) {
        let Some(kept) = &mut self.kept else { return };
        let Some(cut) = kept.port.due(next) else { return };
        let mut report = Report::to(cut);
        let news = std::mem::take(&mut kept.news);
        match cut.extent {
            Extent::Changed => {
                for key in news {
                    if let Some((key, current)) = self.rows.find_mut(hash_of(&key), |(known, _)| *known == key) {
                        current.is_news = false;
                        kept.tell(key, current, &mut report);
                    }
                }
            }
            Extent::Whole => {
                for (key, current) in self.rows.iter_mut() {
                    current.is_news = false;
                    kept.tell(key, current, &mut report);
                }
            }
        }
        kept.port.give(cut, report);
    }

    /// A time is gone through.
    pub(super) fn pass(&self, time: LogicalTime) {
        if let Some(kept) = &self.kept {
            kept.port.pass(time);
        }
    }
}

impl Kept {
    fn tell(&self, (input, key): &TableKey, current: &Current, report: &mut Report) {
        let Some((collection, names)) = &self.tables[input.index()] else { return };
        let named = |row: &Row| -> Vec<(Arc<str>, Value)> {
            let fields = names.iter().zip(row).filter(|(_, value)| !value.is_null());
            fields.map(|(name, value)| (Arc::clone(name), value.clone())).collect()
        };
        let range = KeyRange::of_row(&self.plan.inputs[input.index()].name, key);
        let row = RowEntry { rank: current.rank.clone(), fields: current.fields.as_deref().map(named) };
        report.add(collection, range, &StateKey::Row(key.clone()), Some(crate::state::Entry::Row(row)));
    }
}
