//! From bytes to facts: `bytes ──Decoder──▶ Row ──facts──▶ Fact`.

pub mod facts;

use crate::model::Row;

/// A typed record, or the deletion of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// One value per field. Of a deletion only the key and the time are sure to be there.
    pub row: Row,
    /// Whether the bytes themselves say that the key is deleted (`_deleted`, or nothing but the key).
    pub deleted: bool,
}

/// Why a record goes to the dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// A stable word for programs: `unreadable`, `missing_field`, `wrong_type`, `out_of_range`, `unknown_input`, `too_long`, `expression`.
    pub reason: &'static str,
    /// For people, names the field.
    pub message: String,
}

/// Turns the bytes of one record into a typed row. One implementation per format.
pub trait Decoder {
    /// Decodes one record.
    ///
    /// # Errors
    /// When the bytes are not a record of the input.
    fn decode(&mut self, bytes: &[u8]) -> Result<Decoded, RecordError>;
}
