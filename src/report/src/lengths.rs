//! How long things lasted: counts of lengths, rounded so that there are few different ones.

use std::collections::BTreeMap;

use propice_model::time::{DAY_MS, SECOND_MS};

const MINUTE_MS: u64 = 60 * SECOND_MS as u64;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY: u64 = DAY_MS as u64;

/// Lengths. Those under a minute are kept to the millisecond, under an hour to the second, under
/// two days to the minute, under a year to the hour, and longer ones to the day: within one part in
/// a hundred, in bounded memory, and whole numbers of what people count in.
#[derive(Clone, Debug, Default)]
pub(super) struct Lengths {
    counts: BTreeMap<u64, u64>,
    count: u64,
    longest_ms: u64,
}

impl Lengths {
    pub(super) fn add(&mut self, length_ms: u64) {
        *self.counts.entry(rounded(length_ms)).or_default() += 1;
        self.count += 1;
        self.longest_ms = self.longest_ms.max(length_ms);
    }

    pub(super) fn merge(&mut self, other: &Lengths) {
        for (length, count) in &other.counts {
            *self.counts.entry(*length).or_default() += count;
        }
        self.count += other.count;
        self.longest_ms = self.longest_ms.max(other.longest_ms);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The greatest, to the millisecond.
    pub(super) fn longest_ms(&self) -> Option<u64> {
        (self.count > 0).then_some(self.longest_ms)
    }

    /// The least length that so many percent of all do not exceed.
    pub(super) fn percentile_ms(&self, percent: u64) -> Option<u64> {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let mut below = 0;
        self.counts.iter().find_map(|(length, count)| {
            below += u128::from(*count);
            (below >= rank).then_some((*length).min(self.longest_ms))
        })
    }
}

/// To the nearest whole unit.
fn rounded(length_ms: u64) -> u64 {
    let unit = match length_ms {
        0..MINUTE_MS => 1,
        MINUTE_MS..HOUR_MS => SECOND_MS as u64,
        length if length < 2 * DAY => MINUTE_MS,
        length if length < 365 * DAY => HOUR_MS,
        _ => DAY,
    };
    (length_ms + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let mut lengths = Lengths::default();
        assert_eq!((lengths.percentile_ms(50), lengths.longest_ms()), (None, None));
        for minutes in 1..=10 {
            lengths.add(minutes * MINUTE_MS);
        }
        assert_eq!(lengths.percentile_ms(50), Some(5 * MINUTE_MS));
        assert_eq!(lengths.percentile_ms(90), Some(9 * MINUTE_MS));
        assert_eq!(lengths.percentile_ms(100), Some(10 * MINUTE_MS));
        assert_eq!(lengths.longest_ms(), Some(10 * MINUTE_MS));
        let mut two = Lengths::default();
        two.add(3);
        two.add(5);
        assert_eq!((two.percentile_ms(50), two.percentile_ms(51)), (Some(3), Some(5)));
    }

    #[test]
    fn lengths_are_rounded_by_a_hundredth_at_most() {
        let mut length = 1;
        while length < 500 * DAY {
            let off = rounded(length).abs_diff(length);
            assert!(off * 100 <= length, "{length} is off by {off}");
            length += length / 7 + 1;
        }
    }

    #[test]
    fn what_was_rounded_up_is_not_beyond_the_longest() {
        let mut lengths = Lengths::default();
        lengths.add(MINUTE_MS + 700);
        assert_eq!(lengths.percentile_ms(50), Some(MINUTE_MS + 700));
    }
}
