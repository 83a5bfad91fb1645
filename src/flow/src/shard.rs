//! Which worker a key belongs to.
//!
//! The hash is stable within a run and nothing more: it is never stored, so it may change with any
//! release.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

/// The shard of a key: the same on every worker of a run.
#[inline]
pub fn shard<K: Hash + ?Sized>(key: &K) -> u64 {
    FixedState::with_seed(0x7072_6f70).hash_one(key)
}
