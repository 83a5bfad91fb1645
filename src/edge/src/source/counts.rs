//! What became of the records of one file, counted.

use super::DeadLetter;

/// What became of the records of one file.
#[derive(Debug, Default)]
pub(super) struct RecordCounts {
    pub(super) taken: u64,
    pub(super) refused: u64,
    /// The first that was refused.
    pub(super) first: Option<DeadLetter>,
    /// Whether the last one that was refused is what a JSON array ends with.
    closes_array: bool,
}

impl RecordCounts {
    /// How many records there were.
    pub(super) fn read(&self) -> u64 {
        self.taken + self.refused
    }

    /// Notes a record that was refused.
    pub(super) fn refuse(&mut self, letter: &DeadLetter) {
        self.refused += 1;
        self.closes_array = letter.record.trim_ascii() == b"]";
        if self.first.is_none() {
            self.first = Some(letter.clone());
        }
    }

    /// Whether all lines are those of a JSON array. Its last element alone, behind which there is
    /// no comma, looks like a record.
    pub(super) fn is_array(&self) -> bool {
        let opens = |letter: &DeadLetter| letter.line == 1 && letter.record.trim_ascii_start().starts_with(b"[");
        self.taken <= 1 && self.closes_array && self.first.as_ref().is_some_and(opens)
    }
}
