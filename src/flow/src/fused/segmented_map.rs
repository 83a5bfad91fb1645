//! A hash map that grows without stopping for all of it.
//!
//! A map that doubles hashes every key again: tens of milliseconds for a hundred thousand rows, and
//! whoever comes next waits. Of these shards each grows by itself, at another time.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

const SHARDS: usize = 256;
/// A shard looks at the least and at the greatest bits of a hash; these are between.
const SHIFT: u32 = 40;

/// The hash of a key.
#[inline]
pub(super) fn hash_of<K: Hash>(key: &K) -> u64 {
    FixedState::default().hash_one(key)
}

/// Entries by the hash of their key. Where that is, in the entry or elsewhere, is known to whoever
/// asks.
#[derive(Debug)]
pub(super) struct SegmentedMap<T> {
    shards: Vec<HashTable<T>>,
}

impl<T> Default for SegmentedMap<T> {
    fn default() -> Self {
        SegmentedMap { shards: std::iter::repeat_with(HashTable::new).take(SHARDS).collect() }
    }
}

impl<T> SegmentedMap<T> {
    /// The entry of a hash which `is_it`, or the place where it goes; `hash` tells the hash of any
    /// entry.
    #[inline]
    pub(super) fn entry(
        &mut self,
        hashed: u64,
        is_it: impl FnMut(&T) -> bool,
        hash: impl Fn(&T) -> u64,
    ) -> Entry<'_, T> {
        self.shards[(hashed >> SHIFT) as usize % SHARDS].entry(hashed, is_it, hash)
    }

    /// The entry of a hash which `is_it`.
    pub(super) fn find_mut(&mut self, hashed: u64, is_it: impl FnMut(&T) -> bool) -> Option<&mut T> {
        self.shards[(hashed >> SHIFT) as usize % SHARDS].find_mut(hashed, is_it)
    }

    /// All entries, in any order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.shards.iter_mut().flat_map(HashTable::iter_mut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(map: &mut SegmentedMap<(u64, u64)>, key: u64) -> Entry<'_, (u64, u64)> {
        map.entry(hash_of(&key), |(known, _)| *known == key, |(known, _)| hash_of(known))
    }

    #[test]
    fn what_is_put_in_is_found_again() {
        let mut map = SegmentedMap::default();
        for key in 0..10_000 {
            assert!(matches!(entry(&mut map, key), Entry::Vacant(_)));
            entry(&mut map, key).insert((key, key + 1));
        }
        entry(&mut map, 7).insert((7, 0));
        let mut known = |key| match entry(&mut map, key) {
            Entry::Occupied(known) => Some(known.get().1),
            Entry::Vacant(_) => None,
        };
        assert_eq!((known(7), known(9_999), known(10_000)), (Some(0), Some(10_000), None));
        assert!(map.shards.iter().all(|shard| shard.len() < 200), "every shard has its share");
    }
}
