//! The records of one file as a source takes them: all of them, or those about one customer.

use super::item::Item;
use super::own::OwnRecords;
use super::records::Records;

/// The records of one file.
pub(super) enum FileRecords {
    All(Box<Records>),
    Own(Box<OwnRecords>),
}

impl FileRecords {
    /// What reads them.
    pub(super) fn reader(&self) -> &Records {
        match self {
            FileRecords::All(records) => records,
            FileRecords::Own(own) => &own.records,
        }
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Item> {
        match self {
            FileRecords::All(records) => records.next(),
            FileRecords::Own(own) => own.next(),
        }
    }

    /// What people should know of the records since this was asked last.
    pub(super) fn warnings(&mut self) -> Vec<String> {
        match self {
            FileRecords::All(records) => records.warnings(),
            FileRecords::Own(own) => own.records.warnings(),
        }
    }

    /// How long the last record was, with what was passed before it.
    pub(super) fn record_bytes(&self) -> usize {
        match self {
            FileRecords::All(records) => records.record_bytes(),
            FileRecords::Own(own) => own.record_bytes(),
        }
    }
}
