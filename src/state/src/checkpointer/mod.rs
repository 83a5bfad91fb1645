//! Writes checkpoints, in order, and leaves the store tidy.
//!
//! ```text
//! cut at T ──▶ parts written ──┐
//! positions at T ──────────────┼─▶ put manifest ─▶ mark ─▶ list ─▶ delete ─▶ idle
//! V ≥ T for every key range ───┘
//! ```
//!
//! [`Machine`] decides and does nothing; [`Checkpointer`] does what it says with a store. A
//! simulation drives the same machine.

mod executor;
mod machine;

pub use executor::Checkpointer;
pub use machine::{Action, Cut, Done, Machine, NotCut, Report, Write};

#[cfg(test)]
mod tests;
