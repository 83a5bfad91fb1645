//! From bytes to facts: `bytes ──Decoder──▶ Row ──facts──▶ Fact`.
//!
//! ```text
//! JSON line ──json, plain─┐
//!                         ├─▶ text (one value) ─▶ schema (the rules of a record) ─▶ Decoded
//! CSV values ─delimited───┘
//!
//! record of a topic ──records──▶ keyed (its key), debezium (its envelope) ──▶ json
//! ```
//!
//! What is a record and what is not is fixed in `docs/packs.md`, "Inputs"; the unit tests of these
//! files hold it, and `tests/integrated/files.rs` throws mutated lines at them.

mod connect;
pub mod debezium;
pub mod delimited;
pub mod facts;
pub mod glance;
pub mod json;
mod keyed;
mod numbers;
mod plain;
pub mod records;
mod schema;
mod text;
mod times;
mod undeclared;

pub use numbers::{OddTime, time_units};

use propice_model::Row;

/// A typed record, or the deletion of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// One value per field. Of a deletion only the key and the time are sure to be there.
    pub row: Row,
    /// Whether the bytes themselves say that the key is deleted (`_deleted`, or nothing but the
    /// key).
    pub deleted: bool,
}

/// Why a record goes to the dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// A stable word for programs: `unreadable`, `missing_field`, `wrong_type`, `out_of_range`,
    /// `unknown_input`, `too_long`, `expression`.
    pub reason: &'static str,
    /// For people, names the field.
    pub message: String,
}

/// Turns one record, as its format hands it over, into a typed row. One implementation per format.
pub trait Decoder {
    /// What the format hands over: the bytes of a line, the values of a row.
    type Raw<'a>;

    /// Decodes one record.
    ///
    /// # Errors
    /// When this is not a record of the input.
    fn decode(&mut self, raw: Self::Raw<'_>) -> Result<Decoded, RecordError>;

    /// Takes back a record that is done with: its allocation serves the next one.
    fn recycle(&mut self, _: Decoded) {}

    /// The first time of each field that lies outside of the usual years, once.
    fn odd_times(&mut self) -> Vec<OddTime>;
}
