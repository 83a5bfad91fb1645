//! propice beside Kafka: records in as they arrive, triggers out, exactly once.
//!
//! ```text
//! read thread           workers                                   publishing threads
//! poll, decode ──────▶ Binder ──▶ dataflow ──▶ output ──────────▶ Outbox ──▶ transactions
//! (pauses partitions)    └── binding ────────────────────────────────┘
//! ```
//!
//! `protocol` says what is done when; the other modules do it. `docs/live.md` explains why nothing
//! is lost and nothing said twice. Checked by `tests/simulation` (seeded schedules of faults around
//! the same state machines) and `tests/live` (a real broker, kill −9).

mod arrival;
mod at_least_once;
mod backlog;
mod checkpoints;
mod clock;
mod cutting;
mod discovery;
mod error;
mod exactly_once;
mod keeping;
mod outbox;
mod output;
mod process;
pub mod protocol;
mod reading;
mod records;
mod render;
mod shared;
mod sources;
mod start;
mod topics;
mod worker;

pub use error::LiveError;
pub use render::LOGICAL_TIME;
pub use start::{Options, client_settings, run};
