//! Delimited files (CSV): one record, already split into its values, by the columns of the header.

use std::sync::Arc;

use propice_define::Plan;
use propice_model::InputId;

use super::glance::{Glance, Glancer, Spelt};
use super::json::{not_utf8, wrong_mark};
use super::schema::{DELETED, Schema};
use super::{Decoded, Decoder, OddTime, RecordError};

/// The values of one record, one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// All values, without delimiters and quotes.
    pub bytes: &'a [u8],
    /// Where each value ends.
    pub ends: &'a [usize],
}

impl<'a> Values<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// One of them.
    pub fn get(&self, at: usize) -> Option<&'a [u8]> {
        let from = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        self.bytes.get(from..*self.ends.get(at)?)
    }
}

/// Why the records of a file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The header lacks a required column.
    #[error("it has no column `{column}`; its columns are {}", .columns.join(", "))]
    Missing {
        /// The column.
        column: String,
        /// Those it has.
        columns: Vec<String>,
    },
    /// The header has a column of the input twice.
    #[error("it has the column `{0}` twice")]
    Twice(String),
    /// The header is not text.
    #[error("its header is not UTF-8; `format.encoding` names another encoding")]
    Unreadable,
}

/// Decodes the records of one input from delimited values.
#[derive(Debug)]
pub struct DelimitedDecoder {
    schema: Schema,
    /// For each field its column in the file.
    columns: Vec<Option<usize>>,
    deleted: Option<usize>,
    width: Width,
}

/// How many values a record has.
#[derive(Clone, Copy, Debug)]
enum Width {
    /// As many as the header has columns.
    Header(usize),
    /// At least as many as there are fields.
    Fields(usize),
}

impl DelimitedDecoder {
    /// A decoder for a file that names its columns.
    ///
    /// # Errors
    /// When a required column is missing, or a column is there twice.
    pub fn with_header(plan: &Arc<Plan>, input: InputId, header: Values<'_>) -> Result<DelimitedDecoder, HeaderError> {
        let schema = Schema::new(plan, input);
        let names = (0..header.len())
            .map(|at| header.get(at).and_then(|name| std::str::from_utf8(name).ok()).ok_or(HeaderError::Unreadable))
            .collect::<Result<Vec<&str>, HeaderError>>()?;
        let find = |column: &str| {
            let mut places = names.iter().enumerate().filter(|(_, name)| **name == column).map(|(at, _)| at);
            match (places.next(), places.next()) {
                (place, None) => Ok(place),
                _ => Err(HeaderError::Twice(column.to_owned())),
            }
        };
        let mut columns = Vec::with_capacity(schema.fields.len());
        for field in &schema.fields {
            let place = find(&field.column)?;
            if place.is_none() && !field.optional {
                let columns = names.iter().map(|name| (*name).to_owned()).collect();
                return Err(HeaderError::Missing { column: field.column.clone(), columns });
            }
            columns.push(place);
        }
        let deleted = if schema.deletable { find(DELETED)? } else { None };
        Ok(DelimitedDecoder { schema, columns, deleted, width: Width::Header(header.len()) })
    }

    /// A decoder for a file without a header: its columns are in the order of the fields.
    pub fn without_header(plan: &Arc<Plan>, input: InputId) -> DelimitedDecoder {
        let schema = Schema::new(plan, input);
        let fields = schema.fields.len();
        DelimitedDecoder {
            schema,
            columns: (0..fields).map(Some).collect(),
            deleted: None,
            width: Width::Fields(fields),
        }
    }

    /// Whether a record can have so many values.
    pub fn fits(&self, values: usize) -> bool {
        match self.width {
            Width::Header(columns) => values == columns,
            Width::Fields(fields) => values >= fields,
        }
    }

    /// What the values of a record are about, as far as that can be told without decoding them.
    pub fn glance(&mut self, values: Values<'_>, glancer: &mut Glancer) -> Glance {
        if !glancer.begin() || !self.fits(values.len()) {
            return glancer.end(false);
        }
        for (at, (field, column)) in self.schema.fields.iter_mut().zip(&self.columns).enumerate() {
            if !glancer.looks_at(at) {
                continue;
            }
            let text = column.map(|column| values.get(column).map(std::str::from_utf8));
            let go_on = match text {
                None | Some(Some(Ok(""))) => true,
                Some(Some(Ok(text))) => glancer.look(at, Spelt::Text(text), || {
                    let value = field.values.read_text(text);
                    field.accept(value, text)
                }),
                Some(_) => false,
            };
            if !go_on {
                return glancer.end(false);
            }
        }
        glancer.end(true)
    }

    fn wrong_width(&self, values: usize) -> RecordError {
        let (expected, of) = match self.width {
            Width::Header(columns) => (columns, "the header has"),
            Width::Fields(fields) => (fields, "the fields are"),
        };
        RecordError { reason: "unreadable", message: format!("it has {values} values where {of} {expected}") }
    }
}

impl Decoder for DelimitedDecoder {
    type Raw<'a> = Values<'a>;

    fn decode(&mut self, raw: Values<'_>) -> Result<Decoded, RecordError> {
        if !self.fits(raw.len()) {
            return Err(self.wrong_width(raw.len()));
        }
        // Checked once for the record; a boundary within a character shows when the value is cut
        // out.
        let text = std::str::from_utf8(raw.bytes).map_err(|error| not_utf8(error.valid_up_to()))?;
        let value_at = |column: usize| {
            let from = if column == 0 { 0 } else { raw.ends[column - 1] };
            text.get(from..raw.ends[column]).ok_or_else(|| not_utf8(from))
        };
        let mut row = self.schema.row();
        let mut wrong = Vec::new();
        for (at, (field, column)) in self.schema.fields.iter_mut().zip(&self.columns).enumerate() {
            let Some(column) = column else { continue };
            let text = value_at(*column)?;
            if text.is_empty() {
                continue;
            }
            let value = field.values.read_text(text);
            match field.accept(value, text) {
                Ok(value) => row[at] = value,
                Err(error) => wrong.push((at, error)),
            }
        }
        let marked = match self.deleted.map(value_at).transpose()? {
            Some("true" | "1") => true,
            None | Some("" | "false" | "0") => false,
            Some(other) => return Err(wrong_mark(other)),
        };
        self.schema.finish(row, marked, &wrong)
    }

    fn recycle(&mut self, decoded: Decoded) {
        self.schema.recycle(decoded);
    }

    fn odd_times(&mut self) -> Vec<OddTime> {
        self.schema.odd_times()
    }
}
