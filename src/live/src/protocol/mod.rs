//! The protocol of a running cluster, without a broker, a disk or a clock: state machines that are
//! given what happened and say what is to be done.
//!
//! ```text
//! records ──▶ Binder ──bindings──────────────┐
//!               │                            ▼
//!               └──facts──▶ dataflow ──▶ Pending ──▶ Chain ──▶ transactions
//!                                                                  │
//! bindings, progress ──▶ Start ──▶ Recovered ──▶ Binder of the next generation
//! ```
//!
//! `live` drives them with Kafka and the clock of the wall, `simulation` with seeded schedules of
//! faults. `docs/live.md` says why nothing is lost and nothing said twice.

pub mod binder;
pub mod binding;
pub mod chain;
pub mod durable;
pub mod on_the_way;
pub mod pending;
pub mod progress;
pub mod recovered;
pub mod release;
pub mod start;

use std::fmt;

use serde::{Deserialize, Serialize};

/// One life of a cluster, numbered from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GenerationNumber(pub u64);

impl fmt::Display for GenerationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A partition that is read, by its position in the list of all of this generation. Never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionIndex(pub u32);
