//! How many records may be refused before a run ends.
//!
//! One bad record must not stop a run. An input *all* of whose records are bad is no bad record,
//! though: it is read in a way in which it was not written, and a run over it says nothing about
//! the customers.

use std::str::FromStr;

use propice_model::limits::REFUSED_RECORDS;

use super::DeadLetter;
use super::counts::RecordCounts;
use super::cut::Cut;
use super::diagnosis::ExpectedRecords;

/// How many records may become dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DeadLetterLimit {
    /// Any number.
    #[default]
    None,
    /// Any number, but not all records of an input.
    NotAll,
    /// So many over all inputs.
    Count(u64),
    /// So many of a hundred of every input.
    Percent(f64),
}

impl FromStr for DeadLetterLimit {
    type Err = String;

    /// `100`, `5%`, `0.1%`.
    fn from_str(text: &str) -> Result<DeadLetterLimit, String> {
        let wrong = || "a number such as 100, or a share such as 5%, is wanted".to_owned();
        let Some(percent) = text.strip_suffix('%') else {
            return text.parse().map(DeadLetterLimit::Count).map_err(|_| wrong());
        };
        let is_number = percent.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let percent = percent.parse().ok().filter(|percent| is_number && (0.0..=100.0).contains(percent));
        let percent: f64 = percent.ok_or_else(|| format!("{}, from 0% to 100%", wrong()))?;
        // At a hundred all of them may be.
        Ok(if percent < 100.0 { DeadLetterLimit::Percent(percent) } else { DeadLetterLimit::None })
    }
}

/// Counts what is refused, against the limit.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    pub(super) limit: DeadLetterLimit,
    /// Over all files.
    refused: u64,
}

impl Refusals {
    /// A record of a file is refused.
    ///
    /// # Errors
    /// When that is one too many.
    pub(super) fn refuse(
        &mut self,
        tally: &mut RecordCounts,
        letter: &DeadLetter,
        expected: &ExpectedRecords,
    ) -> Result<(), Cut> {
        tally.refuse(letter);
        self.refused += 1;
        let is_enough = tally.read() >= REFUSED_RECORDS;
        match self.limit {
            DeadLetterLimit::NotAll if is_enough && tally.taken == 0 => Err(expected.all_refused(tally, false)),
            DeadLetterLimit::Count(most) if self.refused > most => Err(self.too_many(tally, expected)),
            DeadLetterLimit::Percent(most) if is_enough && is_above(tally, most) => Err(self.too_many(tally, expected)),
            _ => Ok(()),
        }
    }

    /// A file is at its end.
    ///
    /// # Errors
    /// When too many of its records were refused.
    pub(super) fn end(&self, tally: &RecordCounts, expected: &ExpectedRecords) -> Result<(), Cut> {
        match self.limit {
            DeadLetterLimit::NotAll if tally.refused > 0 && (tally.taken == 0 || tally.is_array()) => {
                Err(expected.all_refused(tally, true))
            }
            DeadLetterLimit::Percent(most) if is_above(tally, most) => Err(self.too_many(tally, expected)),
            _ => Ok(()),
        }
    }

    fn too_many(&self, tally: &RecordCounts, expected: &ExpectedRecords) -> Cut {
        let head = match self.limit {
            DeadLetterLimit::Percent(most) => format!(
                "{}: {} of {} records of `{}` are refused, and --max-dead-letters allows {most}%",
                expected.file,
                tally.refused,
                tally.read(),
                expected.input
            ),
            DeadLetterLimit::Count(most) => {
                format!("{} dead letters, and --max-dead-letters allows {most}", self.refused)
            }
            DeadLetterLimit::None | DeadLetterLimit::NotAll => String::new(),
        };
        expected.refused(head, tally)
    }
}

/// Whether more of a hundred records were refused.
fn is_above(tally: &RecordCounts, percent: f64) -> bool {
    tally.refused as f64 * 100.0 > percent * tally.read() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_or_shares() {
        for (text, limit) in [
            ("0", DeadLetterLimit::Count(0)),
            ("1000", DeadLetterLimit::Count(1_000)),
            ("0%", DeadLetterLimit::Percent(0.0)),
            ("0.5%", DeadLetterLimit::Percent(0.5)),
            ("100%", DeadLetterLimit::None),
        ] {
            assert_eq!(text.parse(), Ok(limit), "{text}");
        }
        for text in ["", "%", "-1", "1.5", "101%", "-1%", "nan%", "inf%", "5 %", "many"] {
            assert!(text.parse::<DeadLetterLimit>().is_err(), "{text}");
        }
    }
}
