//! Sinks: where transitions, decisions, triggers, views and dead letters go.
//!
//! What they write is fixed in `docs/output.md`; `tests/integrated/files.rs` checks it.

pub mod columns;
mod decision;
mod directory;
pub mod json;
mod memory;
mod outgoing;
mod row;
mod tally;
mod tee;
mod terminal;
pub mod views;

pub use decision::DecisionLine;
pub use directory::DirectorySink;
pub use memory::{MemorySink, OutputTexts};
pub use outgoing::{OutgoingDecision, OutgoingTransition};
pub use tally::DecisionTally;
pub use tee::{Counts, Tee};
pub use terminal::{Show, TerminalFormat, TerminalSink};
pub use views::{LatestViews, ViewMode, Views};

use propice_flow::ViewPart;
use propice_model::LogicalTime;

use super::source::DeadLetter;

/// Takes what a run gives. Everything comes in a stable order, the same for every engine and worker
/// count.
pub trait Sink: Send {
    /// Transitions of complete logical times, sorted.
    ///
    /// # Errors
    /// When the outside world does not take them.
    fn transitions(&mut self, transitions: &[OutgoingTransition<'_>]) -> std::io::Result<()>;
    /// Decisions of complete logical times, sorted; what was decided at one logical time is never
    /// split over two calls.
    ///
    /// # Errors
    /// When the outside world does not take them.
    fn decisions(&mut self, decisions: &[OutgoingDecision<'_>]) -> std::io::Result<()>;
    /// Consolidated, sorted by (time, part): the differences of views at complete logical times.
    ///
    /// # Errors
    /// When the outside world does not take them.
    fn views(&mut self, updates: &[(ViewPart, LogicalTime, isize)]) -> std::io::Result<()>;
    /// Dead letters in order of arrival.
    ///
    /// # Errors
    /// When the outside world does not take them.
    fn dead_letters(&mut self, letters: &[DeadLetter]) -> std::io::Result<()>;
    /// The end: everything up to and including this logical time was handed over.
    ///
    /// # Errors
    /// When the outside world does not take what is still buffered.
    fn finish(&mut self, through: LogicalTime) -> std::io::Result<()>;
}
