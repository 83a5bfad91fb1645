//! The rows of tables: of each primary key the record of the greatest rank counts.
//!
//! When another one becomes it, what the one before said is taken back at the same logical time. A
//! deletion is a record without changes: it takes part like any other, and is kept so that an older
//! record which comes later does not bring the row back.

use hashbrown::hash_table::Entry;

use propice_model::{Changes, EntityChange, Fact, InputId, Rank, Value};

use super::segmented_map::{SegmentedMap, hash_of};

/// A table, and a primary key of it.
type TableKey = (InputId, Vec<Value>);

/// The current row of a key: its rank, and what it says.
#[derive(Debug)]
struct Current {
    rank: Rank,
    changes: Changes,
}

/// The current rows of tables, those of this worker.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: SegmentedMap<(TableKey, Current)>,
}

impl Rows {
    /// Makes a record the current one of its key, if it ranks higher; `give` takes what is live
    /// from now on, and what no more.
    pub(super) fn upsert(&mut self, fact: Fact, mut emit: impl FnMut(EntityChange, isize)) {
        // The copy is what is kept: it takes no more room than it needs.
        let copy = |said: &Changes| Current { rank: fact.rank.clone(), changes: said.clone() };
        let key = (fact.input, fact.key);
        let replaced = match self.rows.entry(hash_of(&key), |(known, _)| *known == key, |(known, _)| hash_of(known)) {
            Entry::Vacant(place) => {
                place.insert((key, copy(&fact.changes)));
                Changes::new()
            }
            Entry::Occupied(known) if known.get().1.rank >= fact.rank => return,
            Entry::Occupied(mut known) => std::mem::replace(&mut known.get_mut().1, copy(&fact.changes)).changes,
        };
        fact.changes.into_iter().for_each(|said| emit(said, 1));
        replaced.into_iter().for_each(|said| emit(said, -1));
    }
}
