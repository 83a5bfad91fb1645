//! The records of one file, decoded: facts and dead letters in the order of its lines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use propice_define::Plan;
use propice_flow::decode::delimited::DelimitedDecoder;
use propice_flow::decode::facts::Extractor;
use propice_flow::decode::json::JsonDecoder;
use propice_flow::decode::{Decoded, Decoder, RecordError};
use propice_model::limits::{KEPT_BYTES, RECORD_BYTES};
use propice_model::{Fact, Origin, Row};

use super::DeadLetter;
use super::cut::Cut;
use super::diagnosis::Expected;
use super::files::{InputFile, SourceError};
use super::lines::{Line, Lines};
use super::open::{Bytes, Opened, open};
use super::rows::{Next, Rows};

/// What stands in the place of a record.
#[derive(Debug)]
pub(super) enum Item {
    Fact(Fact),
    Dead(Box<DeadLetter>),
    /// What was read of the record in which the file failed. There is nothing behind it.
    Failed(Box<DeadLetter>, Cut),
}

/// The records of one file.
pub(super) struct Records {
    layout: Reader,
    extractor: Extractor,
    /// The input, and the file as it was named.
    expected: Expected,
    /// Which of the files of the run.
    position: u16,
    read: Arc<AtomicU64>,
    size: Option<u64>,
    ended: bool,
}

enum Reader {
    JsonLines { lines: Lines<Bytes>, line: Vec<u8>, decoder: JsonDecoder },
    Delimited { rows: Box<Rows<Bytes>>, decoder: DelimitedDecoder },
}

/// The typed rows of some records of a file, by their lines. Reads no further than it has to.
///
/// # Errors
/// When the file cannot be read any more.
pub fn rows_at(plan: &Arc<Plan>, file: &InputFile, lines: &BTreeSet<u64>) -> Result<BTreeMap<u64, Row>, SourceError> {
    let mut rows = BTreeMap::new();
    let mut records = Records::open(plan, file, 0)?;
    while rows.len() < lines.len() {
        match records.layout.step().map_err(|error| SourceError::unreadable(&file.path, error))? {
            Step::Record(Ok(record), line) if lines.contains(&line) => drop(rows.insert(line, record.row)),
            Step::Record(..) | Step::Blank => {}
            Step::End => break,
        }
    }
    Ok(rows)
}

/// One step in a file: a record or why it is none, with its line and bytes.
enum Step {
    Record(Result<Decoded, RecordError>, u64),
    Blank,
    End,
}

/// A line beyond the limit.
pub(super) fn too_long() -> RecordError {
    let message = format!("longer than {RECORD_BYTES} bytes; its first {KEPT_BYTES} are kept");
    RecordError { reason: "too_long", message }
}

impl Records {
    /// Opens a file and reads its header, if it has one.
    ///
    /// # Errors
    /// When it cannot be opened, or its header lacks a required column.
    pub(super) fn open(plan: &Arc<Plan>, file: &InputFile, position: u16) -> Result<Records, SourceError> {
        let input = &plan.inputs[file.input.index()];
        let Opened { bytes, delimited, read, size } =
            open(file, &input.format.encoding).map_err(|error| SourceError::unreadable(&file.path, error))?;
        let expected = Expected::new(plan, file, delimited);
        let layout = if delimited {
            let mut rows = Rows::new(bytes, &input.format);
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
            ended: false,
        })
    }

    /// The size of the file, when that is known.
    pub(super) fn size(&self) -> Option<u64> {
        self.size
    }

    /// The file as it was named, and what is expected of it.
    pub(super) fn expected(&self) -> &Expected {
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
            match self.layout.step() {
                Ok(Step::Blank) => {}
                Ok(Step::End) => self.ended = true,
                Ok(Step::Record(record, line)) => {
                    let origin = Origin { file: self.position, line };
                    let fact = record.and_then(|record| {
                        let fact = self.extractor.fact_of(&record, origin);
                        self.layout.recycle(record);
                        fact
                    });
                    return Some(fact.map_or_else(|error| Item::Dead(self.dead(error)), Item::Fact));
                }
                Err(error) => {
                    self.ended = true;
                    let message = format!("the rest of the file cannot be read: {error}");
                    let letter = self.dead(RecordError { reason: "unreadable", message });
                    let cut = Cut::unreadable(&letter.file, letter.line.saturating_sub(1), &error);
                    return Some(Item::Failed(letter, cut));
                }
            }
        }
        None
    }

    fn dead(&self, error: RecordError) -> Box<DeadLetter> {
        let (record, line) = self.raw();
        let Expected { input, file, .. } = &self.expected;
        Box::new(DeadLetter::new(Some(input), file, line, error, record))
    }

    fn raw(&self) -> (&[u8], u64) {
        match &self.layout {
            Reader::JsonLines { lines, line, .. } => (line, lines.number()),
            Reader::Delimited { rows, .. } => rows.raw(),
        }
    }
}

impl Reader {
    fn step(&mut self) -> std::io::Result<Step> {
        match self {
            Reader::JsonLines { lines, line, decoder } => {
                let kind = lines.next(line)?;
                Ok(match kind {
                    Line::End => Step::End,
                    Line::TooLong => Step::Record(Err(too_long()), lines.number()),
                    Line::Whole if line.iter().all(u8::is_ascii_whitespace) => Step::Blank,
                    Line::Whole => Step::Record(decoder.decode(line), lines.number()),
                })
            }
            Reader::Delimited { rows, decoder } => {
                let next = rows.next(|values| decoder.fits(values))?;
                let record = match next {
                    Next::End => return Ok(Step::End),
                    Next::Bad(error) => Err(error),
                    Next::Values => decoder.decode(rows.values()),
                };
                Ok(Step::Record(record, rows.raw().1))
            }
        }
    }

    fn recycle(&mut self, record: Decoded) {
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

/// The decoder that the header of a file asks for. A file without anything in it has no records, and needs no header.
fn decoder_of(plan: &Arc<Plan>, file: &InputFile, rows: &mut Rows<Bytes>) -> Result<DelimitedDecoder, Broken> {
    if !plan.inputs[file.input.index()].format.header {
        return Ok(DelimitedDecoder::without_header(plan, file.input));
    }
    match rows.next(|_| true).map_err(Broken::Unreadable)? {
        Next::Values => DelimitedDecoder::with_header(plan, file.input, rows.values()).map_err(Broken::Header),
        Next::End => Ok(DelimitedDecoder::without_header(plan, file.input)),
        Next::Bad(error) => Err(Broken::Unreadable(std::io::Error::other(format!("its header: {}", error.message)))),
    }
}
