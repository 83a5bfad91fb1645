//! How many records of each partition were read and are not bound yet.
//!
//! Partitions are paused one by one: over a channel that is bounded as a whole, replay that waits
//! for one partition would wait for ever behind another.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::protocol::PartitionIndex;

/// Above so many records a partition is paused.
pub(crate) const HIGH: usize = 50_000;
/// Below so many it goes on.
pub(crate) const LOW: usize = 10_000;
/// How many partitions a process reads at most.
pub(crate) const PARTITIONS: usize = 4_096;

/// Counted by the thread that reads and by workers.
#[derive(Debug)]
pub(crate) struct Backlog(Vec<AtomicUsize>);

impl Default for Backlog {
    fn default() -> Self {
        Backlog((0..PARTITIONS).map(|_| AtomicUsize::new(0)).collect())
    }
}

impl Backlog {
    /// A record was read.
    pub(crate) fn read(&self, partition: PartitionIndex) {
        self.0[partition.0 as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Records were bound.
    pub(crate) fn taken(&self, partition: PartitionIndex, count: usize) {
        self.0[partition.0 as usize].fetch_sub(count, Ordering::Relaxed);
    }

    /// How many records of a partition wait.
    pub(crate) fn waiting(&self, partition: PartitionIndex) -> usize {
        self.0[partition.0 as usize].load(Ordering::Relaxed)
    }
}
