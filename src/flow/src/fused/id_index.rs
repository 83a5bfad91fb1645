//! Dense indexes of ids: the position of an entity's state in every column of this worker.
//!
//! They are this worker's own business and never leave it.

use hashbrown::hash_table::Entry;

use propice_model::Id;

use super::chunked_vec::ChunkedVec;
use super::segmented_map::{SegmentedMap, hash_of};

/// Ids in order of first sight.
#[derive(Debug, Default)]
pub(super) struct IdIndex {
    /// Positions by the hashes of the ids there: an id is kept once.
    positions: SegmentedMap<u32>,
    ids: ChunkedVec<Id>,
}

impl IdIndex {
    /// The position of an id, and whether it is new.
    #[inline]
    pub(super) fn resolve(&mut self, id: &Id) -> (u32, bool) {
        let position = self.ids.len() as u32;
        let ids = &self.ids;
        match self.positions.entry(hash_of(id), |&known| ids[known] == *id, |&known| hash_of(&ids[known])) {
            Entry::Occupied(known) => return (*known.get(), false),
            Entry::Vacant(place) => place.insert(position),
        };
        self.ids.push(id.clone());
        (position, true)
    }

    /// The id at a position.
    pub(super) fn id(&self, position: u32) -> &Id {
        &self.ids[position]
    }
}
