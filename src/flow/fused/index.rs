//! Dense indexes of ids: the position of an entity's state in every column of this worker.
//!
//! They are this worker's own business and never leave it.

use hashbrown::hash_table::Entry;

use crate::model::Id;

use super::paged::Paged;
use super::sharded::Sharded;

/// Ids in order of first sight.
#[derive(Debug, Default)]
pub(super) struct Index {
    positions: Sharded<Id, u32>,
    ids: Paged<Id>,
}

impl Index {
    /// The position of an id, and whether it is new.
    #[inline]
    pub(super) fn resolve(&mut self, id: &Id) -> (u32, bool) {
        let position = self.ids.len() as u32;
        match self.positions.entry(id) {
            Entry::Occupied(known) => return (known.get().1, false),
            Entry::Vacant(place) => place.insert((id.clone(), position)),
        };
        self.ids.push(id.clone());
        (position, true)
    }

    /// The id at a position.
    pub(super) fn id(&self, position: u32) -> &Id {
        &self.ids[position]
    }
}
