//! Which worker a key belongs to.
//!
//! The hash is stable within a run and nothing more: it is never stored, so it may change with any
//! release.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

use propice_model::{InputId, Value};

/// The shard of a key: the same on every worker of a run.
#[inline]
pub fn shard<K: Hash + ?Sized>(key: &K) -> u64 {
    FixedState::with_seed(0x7072_6f70).hash_one(key)
}

/// The shard of a row of a table.
#[inline]
pub fn of_row(input: InputId, key: &[Value]) -> u64 {
    shard(&(input, key))
}

/// The worker, of so many, to whom timely's exchange hands what is of a shard.
pub fn worker_of(shard: u64, peers: usize) -> usize {
    (shard % peers.max(1) as u64) as usize
}
