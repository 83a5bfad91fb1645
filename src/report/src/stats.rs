//! Shares and differences of shares, with intervals of 95 percent confidence.
//!
//! Intervals are score intervals: Wilson's for a share (1927), and Newcombe's method 10 (1998),
//! which is made of two of them, for the difference of two. Unlike the textbook ones they stay
//! within 0 and 1 and keep what they promise when there are few, or none.

use serde::Serialize;

/// The 97.5th percentile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Fewer than these in either group are too few to compare.
pub(super) const LEAST_WATCHED: u64 = 20;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Share {
    pub(super) count: u64,
    pub(super) of: u64,
    /// Null of nothing.
    pub(super) rate: Option<f64>,
    /// Ends of the interval.
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

/// What is between two shares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Difference {
    pub(super) difference: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) says: Says,
}

/// What a difference allows to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Says {
    TooFewToTell,
    HelpsMore,
    HelpsLess,
    NoDifferenceShown,
}

impl Share {
    pub(super) fn of(count: u64, of: u64) -> Share {
        if of == 0 {
            return Share::default();
        }
        let (low, high) = wilson(count, of);
        let rate = count as f64 / of as f64;
        Share { count, of, rate: Some(written(rate)), low: Some(written(low)), high: Some(written(high)) }
    }
}

impl Difference {
    /// Of the first and the second; `None` when one of them is of nothing.
    pub(super) fn of(one: Share, other: Share) -> Option<Difference> {
        if one.of == 0 || other.of == 0 {
            return None;
        }
        let (difference, low, high) = newcombe(one, other);
        let says = match () {
            () if one.of.min(other.of) < LEAST_WATCHED => Says::TooFewToTell,
            () if low > 0.0 => Says::HelpsMore,
            () if high < 0.0 => Says::HelpsLess,
            () => Says::NoDifferenceShown,
        };
        Some(Difference { difference: written(difference), low: written(low), high: written(high), says })
    }
}

/// As it is written: to a hundredth of a percent, the same on every machine.
fn written(share: f64) -> f64 {
    let rounded = (share * 10_000.0).round() / 10_000.0;
    // Not `-0.0`.
    if rounded == 0.0 { 0.0 } else { rounded }
}

fn wilson(count: u64, of: u64) -> (f64, f64) {
    let (n, p) = (of as f64, count as f64 / of as f64);
    let z2 = Z * Z;
    let middle = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends the interval is exact, and rounding must not move it.
    let low = if count == 0 { 0.0 } else { (middle - half) / scale };
    let high = if count == of { 1.0 } else { (middle + half) / scale };
    (low, high)
}

fn newcombe(one: Share, other: Share) -> (f64, f64, f64) {
    let rate = |share: Share| share.count as f64 / share.of as f64;
    let (p1, p2) = (rate(one), rate(other));
    let (low1, high1) = wilson(one.count, one.of);
    let (low2, high2) = wilson(other.count, other.of);
    let difference = p1 - p2;
    let low = difference - ((p1 - low1).powi(2) + (high2 - p2).powi(2)).sqrt();
    let high = difference + ((high1 - p1).powi(2) + (p2 - low2).powi(2)).sqrt();
    (difference, low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3.
    #[test]
    fn shares_of_the_literature() {
        for (count, of, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let share = Share::of(count, of);
            assert_eq!((share.low, share.high), (Some(low), Some(high)), "{count} of {of}");
        }
        assert_eq!(Share::of(0, 0), Share::default());
        assert_eq!(Share::of(7, 7).high, Some(1.0));
    }

    /// Newcombe, Interval estimation for the difference between independent proportions, 1998,
    /// table II, method 10.
    #[test]
    fn differences_of_the_literature() {
        for ((count1, of1), (count2, of2), low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 10), -0.2775, 0.2775),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            let found = Difference::of(Share::of(count1, of1), Share::of(count2, of2)).expect("a difference");
            assert_eq!((found.low, found.high), (low, high), "{count1}/{of1} - {count2}/{of2}");
        }
    }

    #[test]
    fn few_say_nothing_and_many_say_what_they_show() {
        let says = |one: (u64, u64), other: (u64, u64)| {
            Difference::of(Share::of(one.0, one.1), Share::of(other.0, other.1)).map(|difference| difference.says)
        };
        assert_eq!(says((19, 19), (0, 200)), Some(Says::TooFewToTell));
        assert_eq!(says((20, 20), (0, 20)), Some(Says::HelpsMore));
        assert_eq!(says((0, 20), (20, 20)), Some(Says::HelpsLess));
        assert_eq!(says((10, 20), (9, 20)), Some(Says::NoDifferenceShown));
        assert_eq!(says((10, 20), (0, 0)), None);
    }
}
