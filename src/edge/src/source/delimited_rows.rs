//! Records of delimited files: one line each, or several where a quoted value holds newlines.
//!
//! A stray quote must not swallow the rest of a file. So a record of several lines is one only if
//! its quote closes within bounds, at the end of a value, and the number of its values fits;
//! otherwise its first line alone is bad, and reading goes on with the second.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use propice_define::plan::Format;
use propice_flow::decode::RecordError;
use propice_flow::decode::delimited::Values;
use propice_model::limits::{QUOTED_LINES, RECORD_BYTES};

use super::lines::too_long;
use super::lines::{LineRead, Lines};

/// Reads records.
pub(super) struct DelimitedRows<R> {
    lines: Lines<R>,
    parser: Reader,
    /// Lines that were read for a record that turned out to be none, without the first.
    again: VecDeque<TakenLine>,
    /// What ended the input while lines were still to be read again.
    failure: Option<ReadFailure>,
    current: TakenLine,
    /// The values of the current record, and where they end.
    values: Vec<u8>,
    ends: Vec<usize>,
    written: usize,
    count: usize,
    /// Where newlines within values stand behind a carriage return.
    returns: Vec<usize>,
    delimiter: u8,
    quote: u8,
}

/// A line, or several that were joined.
#[derive(Debug, Default)]
struct TakenLine {
    bytes: Vec<u8>,
    number: u64,
    too_long: bool,
    /// What stood behind it, for when it goes on.
    end: &'static [u8],
}

/// An input that cannot be read further, with what was read of the last line.
struct ReadFailure {
    error: io::Error,
    line: TakenLine,
}

/// What was read.
pub(super) enum Next {
    /// Values of a record.
    Values,
    /// Lines that are no record.
    Bad(RecordError),
    /// The end.
    End,
}

impl<R: BufRead> DelimitedRows<R> {
    pub(super) fn new(input: R, format: &Format) -> DelimitedRows<R> {
        let mut builder = ReaderBuilder::new();
        // Lines are found before; a carriage return within one is part of a value.
        builder.delimiter(format.delimiter).quote(format.quote).terminator(Terminator::Any(b'\n'));
        DelimitedRows {
            lines: Lines::new(input),
            parser: builder.build(),
            again: VecDeque::new(),
            failure: None,
            current: TakenLine::default(),
            values: vec![0; 1_024],
            ends: vec![0; 64],
            written: 0,
            count: 0,
            returns: Vec::new(),
            delimiter: format.delimiter,
            quote: format.quote,
        }
    }

    /// The values of the last record.
    pub(super) fn values(&self) -> Values<'_> {
        Values { bytes: &self.values[..self.written], ends: &self.ends[..self.count] }
    }

    /// The bytes of the last record, also of a bad one, and the number of its first line.
    pub(super) fn raw(&self) -> (&[u8], u64) {
        (&self.current.bytes, self.current.number)
    }

    /// Reads the next record. `fits` tells whether a record can have so many values.
    pub(super) fn next(&mut self, fits: impl Fn(usize) -> bool) -> io::Result<Next> {
        loop {
            let buffer = std::mem::take(&mut self.current.bytes);
            match self.take_line(buffer) {
                Ok(Some(line)) => self.current = line,
                Ok(None) => return Ok(Next::End),
                Err(ReadFailure { error, line }) => {
                    self.current = line;
                    return Err(error);
                }
            }
            if self.current.too_long {
                return Ok(Next::Bad(too_long()));
            }
            if !self.current.bytes.is_empty() {
                break;
            }
        }
        self.parser.reset();
        (self.written, self.count) = (0, 0);
        self.returns.clear();
        let line = std::mem::take(&mut self.current.bytes);
        let is_whole = self.feed(&line) || self.end_line(self.current.end);
        self.current.bytes = line;
        if is_whole { Ok(Next::Values) } else { Ok(self.over_several_lines(fits)) }
    }

    /// Goes on with a record whose first line ended within quotes.
    fn over_several_lines(&mut self, fits: impl Fn(usize) -> bool) -> Next {
        let mut more: VecDeque<TakenLine> = VecDeque::new();
        let mut joined = self.current.bytes.clone();
        let mut end = self.current.end;
        let wrong = loop {
            let line = match self.take_line(Vec::new()) {
                Ok(Some(line)) => line,
                Ok(None) => break "a quote is not closed".to_owned(),
                Err(failure) => {
                    self.failure = Some(failure);
                    break "a quote is not closed".to_owned();
                }
            };
            joined.extend_from_slice(end);
            joined.extend_from_slice(&line.bytes);
            let beyond = line.too_long || joined.len() > RECORD_BYTES || more.len() + 2 > QUOTED_LINES;
            let is_whole = !beyond && (self.feed(&line.bytes) || self.end_line(line.end));
            end = line.end;
            more.push_back(line);
            if beyond {
                break format!("a quote is not closed within {QUOTED_LINES} lines and {RECORD_BYTES} bytes");
            }
            if is_whole && fits(self.count) && self.is_well_quoted(&joined) {
                self.restore_returns();
                self.current.bytes = joined;
                return Next::Values;
            }
            if is_whole {
                break format!("a quote is closed {} lines on, and what comes of it is no record", more.len());
            }
        };
        while let Some(line) = more.pop_back() {
            self.again.push_front(line);
        }
        Next::Bad(RecordError { reason: "unreadable", message: wrong })
    }

    /// Whether every closing quote stands at the end of its value. The parser lets others pass.
    fn is_well_quoted(&self, record: &[u8]) -> bool {
        let mut rest = record;
        loop {
            if rest.first() == Some(&self.quote) {
                rest = &rest[1..];
                while let Some(at) = memchr::memchr(self.quote, rest) {
                    rest = &rest[at + 1..];
                    if rest.first() != Some(&self.quote) {
                        break;
                    }
                    rest = &rest[1..];
                }
                if rest.first().is_some_and(|byte| *byte != self.delimiter) {
                    return false;
                }
            }
            match memchr::memchr(self.delimiter, rest) {
                Some(at) => rest = &rest[at + 1..],
                None => return true,
            }
        }
    }

    /// The next line; the buffer is for its bytes.
    fn take_line(&mut self, mut bytes: Vec<u8>) -> Result<Option<TakenLine>, ReadFailure> {
        if let Some(line) = self.again.pop_front() {
            return Ok(Some(line));
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let result = self.lines.next(&mut bytes);
        let end: &[u8] = if self.lines.carriage_return() { b"\r\n" } else { b"\n" };
        let number = self.lines.number();
        match result {
            Ok(LineRead::End) => Ok(None),
            Ok(kind) => Ok(Some(TakenLine { bytes, number, too_long: kind == LineRead::TooLong, end })),
            Err(error) => Err(ReadFailure { error, line: TakenLine { bytes, number, too_long: false, end } }),
        }
    }

    /// Gives the end of a line to the parser; whether the record ended with it.
    fn end_line(&mut self, end: &[u8]) -> bool {
        if self.feed(b"\n") {
            return true;
        }
        // Within quotes it is part of the value, and so is a carriage return in front of it.
        if end.len() > 1 {
            self.returns.extend(self.written.checked_sub(1));
        }
        false
    }

    /// Puts carriage returns where they were.
    fn restore_returns(&mut self) {
        for at in self.returns.drain(..).rev() {
            self.values.insert(at, b'\r');
            self.written += 1;
            for end in self.ends[..self.count].iter_mut().filter(|end| **end > at) {
                *end += 1;
            }
        }
    }

    /// Gives bytes to the parser; whether the record ended with them.
    fn feed(&mut self, mut input: &[u8]) -> bool {
        // To the parser nothing at all would mean the end of everything.
        while !input.is_empty() {
            let (result, read, written, ends) =
                self.parser.read_record(input, &mut self.values[self.written..], &mut self.ends[self.count..]);
            input = &input[read..];
            self.written += written;
            self.count += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.values.resize(self.values.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => return true,
            }
        }
        false
    }
}
