//! The entities that were touched at the current logical time, in order of first touch.

use super::bit_set::BitSet;

/// For how many entities at once what is kept of them is asked for. Memory answers some dozen
/// questions at a time.
pub(super) const TOGETHER: usize = 16;

/// An entity that was touched at the current logical time.
pub(super) struct DirtyEntity {
    pub entity: u32,
    /// The features that have to be read again.
    pub dirty: BitSet,
    /// The slots that changed, once the entity is settled.
    pub changed: BitSet,
    /// Whether a deadline was reached, so that none is armed.
    pub woken: bool,
}

/// A list that keeps its entries, with their allocations, for the next logical time.
#[derive(Default)]
pub(super) struct DirtySet {
    touches: Vec<DirtyEntity>,
    /// How many of them are of the current time.
    count: usize,
}

impl DirtySet {
    /// Adds an entity of so many slots that is not there yet; where it stands.
    #[inline]
    pub(super) fn add(&mut self, entity: u32, slots: usize) -> u32 {
        let position = self.count;
        self.count += 1;
        match self.touches.get_mut(position) {
            Some(dirty_entity) => {
                dirty_entity.entity = entity;
                dirty_entity.dirty.clear();
                dirty_entity.changed.clear();
                dirty_entity.woken = false;
            }
            None => {
                let (dirty, changed) = (BitSet::new(slots), BitSet::new(slots));
                self.touches.push(DirtyEntity { entity, dirty, changed, woken: false });
            }
        }
        position as u32
    }

    #[inline]
    pub(super) fn at(&mut self, position: u32) -> &mut DirtyEntity {
        &mut self.touches[position as usize]
    }

    /// Those of the current time.
    #[inline]
    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, DirtyEntity> {
        self.touches[..self.count].iter_mut()
    }

    /// The same, some together.
    pub(super) fn chunks_mut(&mut self) -> std::slice::ChunksMut<'_, DirtyEntity> {
        self.touches[..self.count].chunks_mut(TOGETHER)
    }

    /// Ends the current time.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }
}
