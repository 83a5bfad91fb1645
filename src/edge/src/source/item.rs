//! What the reader of a file hands over: facts and dead letters, in chunks.

use propice_model::Fact;

use super::DeadLetter;
use super::cut::Cut;

/// What stands in the place of a record.
#[derive(Debug)]
pub(super) enum Item {
    Fact(Fact),
    Dead(Box<DeadLetter>),
    /// What was read of the record in which the file failed. There is nothing behind it.
    Failed(Box<DeadLetter>, Cut),
}

/// What the thread of a file hands over.
pub(super) enum Chunk {
    Items { items: Vec<Item>, bytes_read: u64, warnings: Vec<String> },
    End,
}
