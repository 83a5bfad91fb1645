//! Dense indexes of ids: the position of an entity's state in every column of this worker.
//!
//! They are this worker's own business and never leave it.

use hashbrown::HashMap;

use crate::model::Id;

use super::paged::Paged;

/// Ids in order of first sight.
#[derive(Debug, Default)]
pub(super) struct Index {
    positions: HashMap<Id, u32, foldhash::fast::FixedState>,
    ids: Paged<Id>,
}

impl Index {
    /// The position of an id, and whether it is new.
    #[inline]
    pub(super) fn resolve(&mut self, id: &Id) -> (u32, bool) {
        if let Some(&position) = self.positions.get(id) {
            return (position, false);
        }
        let position = self.ids.len() as u32;
        self.positions.insert(id.clone(), position);
        self.ids.push(id.clone());
        (position, true)
    }

    /// The id at a position.
    pub(super) fn id(&self, position: u32) -> &Id {
        &self.ids[position]
    }
}
