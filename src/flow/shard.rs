//! Which worker keeps what: a hash of the key, the same on every worker of a run.
//!
//! It decides only where something is kept while a process runs. It is never stored and never published: another
//! version, or another hash, may place keys elsewhere.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

/// The shard of a key; a worker keeps the shards that are equal to its index modulo the number of workers.
#[inline]
pub fn shard<K: Hash + ?Sized>(key: &K) -> u64 {
    FixedState::with_seed(0x9e37_79b9_7f4a_7c15).hash_one(key)
}
