//! Progress: through which logical time all that was to be said is visible, by key range.

use serde::{Deserialize, Serialize};

use propice_model::{KeyRange, LogicalTime};

use super::GenerationNumber;

/// How many key ranges there are.
pub const RANGES: u16 = KeyRange::COUNT as u16;

/// What a slot says of its span of key ranges, in the same transaction as its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Who says so.
    pub generation: GenerationNumber,
    /// Which producer of transactions, or chain of them.
    pub slot: u16,
    /// The first key range.
    pub from: u16,
    /// The one behind the last.
    pub to: u16,
    /// All that was to be said of customers in them up to this time is committed.
    pub visible: LogicalTime,
}

impl Progress {
    /// The key under which it stands in its compacted topic: its span. Were it the slot, then a
    /// slot that has another span in the next generation would overwrite all that is known of the
    /// ranges that it had before.
    pub fn key(&self) -> String {
        format!("{}-{}", self.from, self.to)
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Numbers have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The progress that bytes spell.
    ///
    /// # Errors
    /// When they spell none.
    pub fn parse(bytes: &[u8]) -> Result<Progress, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// Through which time output is visible, by key range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible(Vec<LogicalTime>);

impl Default for Visible {
    fn default() -> Self {
        Visible(vec![0; usize::from(RANGES)])
    }
}

impl Visible {
    /// Learns what somebody said. Of a range the greatest time counts.
    pub fn learn(&mut self, progress: &Progress) {
        let span = usize::from(progress.from)..usize::from(progress.to.min(RANGES));
        for visible in self.0.get_mut(span).into_iter().flatten() {
            *visible = progress.visible.max(*visible);
        }
    }

    /// Through which time output of a range is visible.
    pub fn of(&self, range: u16) -> LogicalTime {
        self.0.get(usize::from(range)).copied().unwrap_or_default()
    }

    /// The least over all ranges.
    pub fn least(&self) -> LogicalTime {
        self.0.iter().copied().min().unwrap_or_default()
    }

    /// The greatest over all ranges.
    pub fn greatest(&self) -> LogicalTime {
        self.0.iter().copied().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_range_the_greatest_time_counts() {
        let mut visible = Visible::default();
        let progress = |from, to, visible| Progress { generation: GenerationNumber(1), slot: 0, from, to, visible };
        for said in [progress(0, 256, 5), progress(10, 20, 9), progress(0, 128, 7), progress(200, 999, 6)] {
            visible.learn(&said);
        }
        let of = [0, 10, 19, 20, 128, 200, 255].map(|range| visible.of(range));
        assert_eq!((of, visible.least(), visible.greatest()), ([7, 9, 9, 7, 5, 6, 6], 5, 9));
        let said = progress(3, 4, 8);
        assert_eq!(said.key(), "3-4");
        assert_eq!(Progress::parse(&said.to_bytes()).expect("progress"), said);
        let text = String::from_utf8(said.to_bytes()).expect("text");
        assert_eq!(text, r#"{"generation":1,"slot":0,"from":3,"to":4,"visible":8}"#);
    }
}
