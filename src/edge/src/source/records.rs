//! The records of one file, decoded: facts and dead letters in the order of its lines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use propice_define::Plan;
use propice_flow::decode::delimited::{DelimitedDecoder, Values};
use propice_flow::decode::facts::Extractor;
use propice_flow::decode::glance::{Glance, Glancer};
use propice_flow::decode::json::JsonDecoder;
use propice_flow::decode::{Decoded, Decoder, RecordError};
use propice_model::Origin;

use super::DeadLetter;
use super::cut::Cut;
use super::delimited_rows::{DelimitedRows, Next};
use super::diagnosis::ExpectedRecords;
use super::files::{InputFile, SourceError};
use super::item::Item;
use super::lines::{LineRead, Lines, too_long};
use super::live::Live;
use super::open::{Bytes, Opened, open};

/// The records of one file.
pub(super) struct Records {
    pub(super) layout: Reader,
    pub(super) extractor: Extractor,
    /// The input, and the file as it was named.
    expected: ExpectedRecords,
    /// Which of the files of the run.
    pub(super) position: u16,
    read: Arc<AtomicU64>,
    size: Option<u64>,
    live: Option<Arc<Live>>,
    pub(super) ended: bool,
}

/// Reads the records of a layout.
pub(super) enum Reader {
    JsonLines { lines: Lines<Bytes>, line: Vec<u8>, decoder: JsonDecoder },
    Delimited { rows: Box<DelimitedRows<Bytes>>, decoder: DelimitedDecoder },
}

/// What was found behind the last record.
pub(super) enum NextRecord {
    /// The bytes or values of a record, not decoded yet.
    Record,
    /// Something that is none.
    Bad(RecordError),
    Blank,
    End,
}

impl Records {
    /// Opens a file and reads its header, if it has one.
    ///
    /// # Errors
    /// When it cannot be opened, or its header lacks a required column.
    pub(super) fn open(plan: &Arc<Plan>, file: &InputFile, position: u16) -> Result<Records, SourceError> {
        Records::open_bytes(plan, file, position, None)
    }

    /// Opens a file, or what was held of it.
    ///
    /// # Errors
    /// As [`Records::open`].
    pub(super) fn open_bytes(
        plan: &Arc<Plan>,
        file: &InputFile,
        position: u16,
        held: Option<Opened>,
    ) -> Result<Records, SourceError> {
        let input = &plan.inputs[file.input.index()];
        let opened = held.map_or_else(|| open(file, &input.format.encoding), Ok);
        let Opened { bytes, delimited, read, size, live } =
            opened.map_err(|error| SourceError::unreadable(&file.path, error))?;
        let expected = ExpectedRecords::new(plan, file, delimited);
        let layout = if delimited {
            let mut rows = DelimitedRows::new(bytes, &input.format);
            let decoder = decoder_of(plan, file, &mut rows).map_err(|error| match error {
                Broken::Header(error) => {
                    let remedy = expected.remedy_of_header(rows.raw().0);
                    SourceError::Header { path: file.name(), error, remedy }
                }
                Broken::Unreadable(error) => SourceError::unreadable(&file.path, error),
            })?;
            Reader::Delimited { rows: Box::new(rows), decoder }
        } else {
            let decoder = JsonDecoder::new(plan, file.input);
            Reader::JsonLines { lines: Lines::new(bytes), line: Vec::new(), decoder }
        };
        Ok(Records {
            layout,
            extractor: Extractor::new(Arc::clone(plan), file.input),
            expected,
            position,
            read,
            size,
            live,
            ended: false,
        })
    }

    /// The size of the file, when that is known.
    pub(super) fn size(&self) -> Option<u64> {
        self.size
    }

    /// There for what comes while it is read.
    pub(super) fn live(&self) -> Option<Arc<Live>> {
        self.live.clone()
    }

    /// The file as it was named, and what is expected of it.
    pub(super) fn expected(&self) -> &ExpectedRecords {
        &self.expected
    }

    /// What people should know of the records since this was asked last.
    pub(super) fn warnings(&mut self) -> Vec<String> {
        let odd = match &mut self.layout {
            Reader::JsonLines { decoder, .. } => decoder.odd_times(),
            Reader::Delimited { decoder, .. } => decoder.odd_times(),
        };
        odd.iter().map(|odd| format!("{}: {odd}", self.expected.file)).collect()
    }

    /// How many bytes of it were read, as it is on disk.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// How long the last record was.
    pub(super) fn record_bytes(&self) -> usize {
        self.raw().0.len()
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Item> {
        while !self.ended {
            match self.layout.advance() {
                Ok(NextRecord::Blank) => {}
                Ok(NextRecord::End) => self.ended = true,
                Ok(NextRecord::Bad(error)) => return Some(Item::Dead(Box::new(self.dead(error)))),
                Ok(NextRecord::Record) => {
                    let origin = Origin { file: self.position, line: self.raw().1 };
                    let fact = self.layout.decode().and_then(|record| {
                        let fact = self.extractor.fact_of(&record, origin);
                        self.layout.recycle(record);
                        fact
                    });
                    return Some(fact.map_or_else(|error| Item::Dead(Box::new(self.dead(error))), Item::Fact));
                }
                Err(error) => {
                    self.ended = true;
                    return Some(self.unreadable(&error));
                }
            }
        }
        None
    }

    pub(super) fn unreadable(&self, error: &std::io::Error) -> Item {
        let message = format!("the rest of the file cannot be read: {error}");
        let letter = self.dead(RecordError { reason: "unreadable", message });
        let cut = Cut::unreadable(&letter.file, letter.line.saturating_sub(1), error);
        Item::Failed(Box::new(letter), cut)
    }

    pub(super) fn dead(&self, error: RecordError) -> DeadLetter {
        let (record, line) = self.raw();
        let ExpectedRecords { input, file, .. } = &self.expected;
        DeadLetter::new(Some(input), file, line, error, record)
    }

    /// The bytes of the last record, and its line.
    pub(super) fn raw(&self) -> (&[u8], u64) {
        match &self.layout {
            Reader::JsonLines { lines, line, .. } => (line, lines.number()),
            Reader::Delimited { rows, .. } => rows.raw(),
        }
    }
}

impl Reader {
    /// Goes on to the next record.
    pub(super) fn advance(&mut self) -> std::io::Result<NextRecord> {
        match self {
            Reader::JsonLines { lines, line, .. } => Ok(match lines.next(line)? {
                LineRead::End => NextRecord::End,
                LineRead::TooLong => NextRecord::Bad(too_long()),
                LineRead::Whole if line.iter().all(u8::is_ascii_whitespace) => NextRecord::Blank,
                LineRead::Whole => NextRecord::Record,
            }),
            Reader::Delimited { rows, decoder } => Ok(match rows.next(|values| decoder.fits(values))? {
                Next::End => NextRecord::End,
                Next::Bad(error) => NextRecord::Bad(error),
                Next::Values => NextRecord::Record,
            }),
        }
    }

    /// What the record at hand is about.
    pub(super) fn glance(&mut self, glancer: &mut Glancer) -> Glance {
        match self {
            Reader::JsonLines { line, decoder, .. } => decoder.glance(line, glancer),
            Reader::Delimited { rows, decoder } => decoder.glance(rows.values(), glancer),
        }
    }

    /// Decodes the record at hand.
    pub(super) fn decode(&mut self) -> Result<Decoded, RecordError> {
        match self {
            Reader::JsonLines { line, decoder, .. } => decoder.decode(line),
            Reader::Delimited { rows, decoder } => decoder.decode(rows.values()),
        }
    }

    /// What the record at hand is decoded of: its bytes, or those of its values and where each
    /// ends.
    pub(super) fn values(&self) -> (&[u8], &[usize]) {
        match self {
            Reader::JsonLines { line, .. } => (line, &[]),
            Reader::Delimited { rows, .. } => (rows.values().bytes, rows.values().ends),
        }
    }

    /// Decodes a record that was at hand before.
    pub(super) fn decode_values(&mut self, bytes: &[u8], ends: &[usize]) -> Result<Decoded, RecordError> {
        match self {
            Reader::JsonLines { decoder, .. } => decoder.decode(bytes),
            Reader::Delimited { decoder, .. } => decoder.decode(Values { bytes, ends }),
        }
    }

    pub(super) fn recycle(&mut self, record: Decoded) {
        match self {
            Reader::JsonLines { decoder, .. } => decoder.recycle(record),
            Reader::Delimited { decoder, .. } => decoder.recycle(record),
        }
    }
}

/// Why a delimited file cannot be read at all.
enum Broken {
    Header(propice_flow::decode::delimited::HeaderError),
    Unreadable(std::io::Error),
}

/// The decoder that the header of a file asks for. A file without anything in it has no records,
/// and needs no header.
fn decoder_of(plan: &Arc<Plan>, file: &InputFile, rows: &mut DelimitedRows<Bytes>) -> Result<DelimitedDecoder, Broken> {
    if !plan.inputs[file.input.index()].format.header {
        return Ok(DelimitedDecoder::without_header(plan, file.input));
    }
    match rows.next(|_| true).map_err(Broken::Unreadable)? {
        Next::Values => DelimitedDecoder::with_header(plan, file.input, rows.values()).map_err(Broken::Header),
        Next::End => Ok(DelimitedDecoder::without_header(plan, file.input)),
        Next::Bad(error) => Err(Broken::Unreadable(std::io::Error::other(format!("its header: {}", error.message)))),
    }
}
