//! Sources: what hands over facts in order of arrival.
//!
//! ```text
//! files ─▶ open ─▶ lines ─▶ rows (CSV) ─▶ records ─▶ thread ─┐
//! which    unpack  bounded  quotes       decode     one per  ├─▶ merge by event time
//!          decode                                   file    ─┘
//! ```
//!
//! A record that cannot be taken becomes a [`DeadLetter`] in its place and the run goes on; only
//! what makes a whole file meaningless (it is not there, its header lacks a column) is an error,
//! and that at the start. A file that is damaged, or all of whose records are refused, ends the
//! source ([`Cut`]). Checked by `tests/integrated/files.rs` and `first_hour_inputs.rs`.

mod counts;
mod cut;
mod delimited_rows;
mod diagnosis;
mod file_records;
pub mod files;
mod item;
mod lines;
mod live;
pub mod merge;
pub mod missing;
pub mod mixed;
mod open;
mod own;
mod records;
mod refusals;

pub use cut::Cut;
pub use files::{InputFile, SourceError};
pub use lines::{LineRead, Lines};
pub use merge::MergedSource;
pub use mixed::LinesSource;
pub use open::open_path;
pub use own::{Own, OwnRows};
pub use refusals::DeadLetterLimit;

use propice_flow::decode::RecordError;
use propice_model::Fact;

/// A record that could not be taken, whole, with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The stream or table, where it is known.
    pub input: Option<String>,
    /// The file as it was named.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// A stable word for programs.
    pub reason: &'static str,
    /// For people.
    pub error: String,
    /// The bytes of the record.
    pub record: Vec<u8>,
}

impl DeadLetter {
    /// A record of `input` that could not be taken.
    pub fn new(input: Option<&str>, file: &str, line: u64, error: RecordError, record: &[u8]) -> DeadLetter {
        DeadLetter {
            input: input.map(str::to_owned),
            file: file.to_owned(),
            line,
            reason: error.reason,
            error: error.message,
            record: record.to_vec(),
        }
    }
}

/// What a source hands over at once.
#[derive(Debug, Default)]
pub struct Batch {
    /// In order of arrival (merged by event time over files).
    pub facts: Vec<Fact>,
    /// In order of arrival.
    pub dead: Vec<DeadLetter>,
    /// Bytes of input behind this batch since the last one, as they are on disk; for progress.
    pub bytes_read: u64,
    /// What people should know of the records, a text each: nothing is done about it.
    pub warnings: Vec<String>,
    /// Nothing more came for a while: what is due at the last record need not wait for another.
    pub is_idle: bool,
}

impl Batch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.dead.is_empty() && self.bytes_read == 0 && !self.is_idle
    }
}

/// Hands over facts in order of arrival, in bounded batches. Runs on a thread of its own; may
/// block.
pub trait Source: Send {
    /// Fills the (empty) batch; `Ok(false)` at the end. What is in the batch counts also when it
    /// fails.
    ///
    /// # Errors
    /// When the outside world fails in a way that no dead letter can hold: a file that cannot be
    /// read further, or whose records are all refused. Then it holds a [`Cut`].
    fn fill(&mut self, batch: &mut Batch) -> std::io::Result<bool>;
    /// How many bytes there are in all, when that is known.
    fn total_bytes(&self) -> Option<u64>;
    /// Whether it ended before everything was read, because somebody stopped it. Then the clock
    /// stays at the last record.
    fn is_interrupted(&self) -> bool {
        false
    }
}
