//! Lines of bounded length, with their numbers.

use std::io::{self, BufRead};

use propice_flow::decode::RecordError;
use propice_model::limits::{KEPT_BYTES, RECORD_BYTES};

/// Reads lines; `\n` and `\r\n` end them, a byte order mark at the start is skipped.
pub struct Lines<R> {
    input: R,
    number: u64,
    carriage_return: bool,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineRead {
    /// A line, without what ends it.
    Whole,
    /// A line beyond the limit: only its first part is kept.
    TooLong,
    /// There are no more.
    End,
}

impl<R: BufRead> Lines<R> {
    /// Lines of `input`, from its start.
    pub fn new(input: R) -> Lines<R> {
        Lines { input, number: 0, carriage_return: false }
    }

    /// The number of the last line, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether the last line ended with `\r\n`, or with a lone `\r` at the end of the input.
    pub(super) fn carriage_return(&self) -> bool {
        self.carriage_return
    }

    /// Reads the next line into `line`. Also after an error it holds what was read of it.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next(&mut self, line: &mut Vec<u8>) -> io::Result<LineRead> {
        line.clear();
        self.number += 1;
        let mut too_long = false;
        let mut ended = false;
        while !ended {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                if line.is_empty() && !too_long {
                    return Ok(LineRead::End);
                }
                break;
            }
            let newline = memchr::memchr(b'\n', buffer);
            let part = &buffer[..newline.unwrap_or(buffer.len())];
            // One byte more than the limit, since what ends the line may have two.
            too_long = too_long || line.len() + part.len() > RECORD_BYTES + 1;
            let room = if too_long { KEPT_BYTES.saturating_sub(line.len()) } else { part.len() };
            line.extend_from_slice(&part[..room.min(part.len())]);
            let length = part.len() + usize::from(newline.is_some());
            self.input.consume(length);
            ended = newline.is_some();
        }
        self.carriage_return = !too_long && line.pop_if(|last| *last == b'\r').is_some();
        if self.number == 1 && line.starts_with(b"\xEF\xBB\xBF") {
            line.drain(..3);
        }
        if too_long || line.len() > RECORD_BYTES {
            line.truncate(KEPT_BYTES);
            return Ok(LineRead::TooLong);
        }
        Ok(LineRead::Whole)
    }
}

/// A line beyond the limit.
pub(super) fn too_long() -> RecordError {
    let message = format!("longer than {RECORD_BYTES} bytes; its first {KEPT_BYTES} are kept");
    RecordError { reason: "too_long", message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<(LineRead, String, u64)> {
        let mut lines = Lines::new(io::BufReader::with_capacity(7, text));
        let mut line = Vec::new();
        let mut found = Vec::new();
        loop {
            let kind = lines.next(&mut line).unwrap();
            if kind == LineRead::End {
                return found;
            }
            found.push((kind, String::from_utf8(line.clone()).unwrap(), lines.number()));
        }
    }

    #[test]
    fn lines_end_in_every_way() {
        let found = all(b"\xEF\xBB\xBFone\r\n\ntwo, longer than a buffer\nlast\xEF\xBB\xBF");
        let texts: Vec<(&str, u64)> = found.iter().map(|(_, text, number)| (text.as_str(), *number)).collect();
        assert_eq!(texts, [("one", 1), ("", 2), ("two, longer than a buffer", 3), ("last\u{feff}", 4)]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped() {
        for (length, kind) in [
            (RECORD_BYTES, LineRead::Whole),
            (RECORD_BYTES + 1, LineRead::TooLong),
            (3 * RECORD_BYTES, LineRead::TooLong),
        ] {
            for end in ["\n", "\r\n"] {
                let text = format!("{}{end}next", "x".repeat(length));
                let found = all(text.as_bytes());
                assert_eq!(found.len(), 2);
                assert_eq!(found[0].0, kind, "{length}");
                assert_eq!(found[0].1.len(), if kind == LineRead::Whole { length } else { KEPT_BYTES });
                assert_eq!(found[1], (LineRead::Whole, "next".to_owned(), 2));
            }
        }
    }
}
