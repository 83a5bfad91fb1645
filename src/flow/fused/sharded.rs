//! A hash map that grows without stopping for all of it.
//!
//! A map that doubles hashes every key again: tens of milliseconds for a hundred thousand rows, and whoever comes next waits. Of these shards
//! each grows by itself, at another time.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

const SHARDS: usize = 256;
/// A shard looks at the least and at the greatest bits of a hash; these are between.
const SHIFT: u32 = 40;

/// Values by key.
#[derive(Debug)]
pub(super) struct Sharded<K, V> {
    hasher: FixedState,
    shards: Vec<HashTable<(K, V)>>,
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        let shards = std::iter::repeat_with(HashTable::new).take(SHARDS).collect();
        Sharded { hasher: FixedState::default(), shards }
    }
}

impl<K: Hash + Eq, V> Sharded<K, V> {
    /// The value of a key, or the place where it goes.
    #[inline]
    pub(super) fn entry(&mut self, key: &K) -> Entry<'_, (K, V)> {
        let (hash, hasher) = (self.hasher.hash_one(key), &self.hasher);
        let shard = &mut self.shards[Sharded::<K, V>::shard(hash)];
        shard.entry(hash, |(known, _)| known == key, |(known, _)| hasher.hash_one(known))
    }

    #[inline]
    fn shard(hash: u64) -> usize {
        (hash >> SHIFT) as usize % SHARDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_found_again() {
        let mut map = Sharded::<u64, u64>::default();
        for key in 0..10_000 {
            assert!(matches!(map.entry(&key), Entry::Vacant(_)));
            map.entry(&key).insert((key, key + 1));
        }
        map.entry(&7).insert((7, 0));
        let mut known = |key| match map.entry(&key) {
            Entry::Occupied(known) => Some(known.get().1),
            Entry::Vacant(_) => None,
        };
        assert_eq!((known(7), known(9_999), known(10_000)), (Some(0), Some(10_000), None));
        assert!(map.shards.iter().all(|shard| shard.len() < 200), "every shard has its share");
    }
}
