//! Exact sums of floating-point and of whole numbers, which everything that was added can be taken
//! back from.

use num_bigint::{BigInt, Sign};
use serde::{Deserialize, Serialize};

use propice_model::rounding;

/// An exact sum of floating-point or whole numbers: digits of weight 2³²ᵖ, each a wide signed
/// number, so that up to 2³² additions need no carry. Without carries each addition is undone
/// exactly by its opposite, also in representation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExactSum {
    /// `(p, units)` by rising `p`, none of them 0.
    digits: Vec<(i16, i128)>,
}

impl ExactSum {
    /// Adds a finite number `times` over.
    pub fn add(&mut self, number: f64, times: i64) {
        let (mantissa, exponent) = parts(number);
        self.add_units(u128::from(mantissa), exponent, if number < 0.0 { -times } else { times });
    }

    /// Adds the square of a finite number `times` over.
    pub fn add_square(&mut self, number: f64, times: i64) {
        let (mantissa, exponent) = parts(number);
        self.add_units(u128::from(mantissa) * u128::from(mantissa), 2 * exponent, times);
    }

    /// Adds a whole number `times` over.
    pub fn add_whole(&mut self, number: i128, times: i64) {
        self.add_units(number.unsigned_abs(), 0, if number < 0 { -times } else { times });
    }

    /// Adds the square of a whole number `times` over.
    pub fn add_whole_square(&mut self, number: i128, times: i64) {
        let (high, low) = halves(number.unsigned_abs());
        self.add_units(low * low, 0, times);
        self.add_units(low * high, 65, times);
        self.add_units(high * high, 128, times);
    }

    /// Adds another sum.
    pub fn plus(&mut self, other: &ExactSum) {
        for &(place, units) in &other.digits {
            self.add_digit(place, units);
        }
    }

    /// Whether everything that was added was taken back.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The nearest floating-point number, ties to even; infinite when it is too large.
    pub fn value(&self) -> f64 {
        self.over(1)
    }

    /// The floating-point number nearest to the sum, divided by `n > 0`.
    pub fn over(&self, n: i64) -> f64 {
        let n = n.unsigned_abs();
        match self.short() {
            Some((units, exponent)) => rounding::quotient(units < 0, units.unsigned_abs(), u128::from(n), exponent),
            None => {
                let (units, exponent) = self.long();
                rounding::big_quotient(units.sign() == Sign::Minus, units.magnitude(), &n.into(), exponent)
            }
        }
    }

    /// The sum of whole numbers; `None` beyond 127 bit.
    pub fn whole(&self) -> Option<i128> {
        let short = self.short().and_then(|(units, exponent)| shifted(units, exponent));
        let long = || {
            let (units, exponent) = self.long();
            i128::try_from(units << u64::try_from(exponent).ok()?).ok()
        };
        // −2¹²⁷ is beyond, so that every sum has an opposite.
        short.or_else(long).filter(|total| *total != i128::MIN)
    }

    /// The square root of `n·Σx² − (Σx)²` (which is never negative) over `n` times 10 to the
    /// `scale`, rounded once.
    pub fn deviation(n: i64, sum: &ExactSum, squares: &ExactSum, scale: u8) -> f64 {
        let unit = 10_u64.pow(u32::from(scale));
        let short = sum.short_spread(n, squares).zip(n.unsigned_abs().checked_mul(unit));
        if let Some(((spread, exponent), divisor)) = short {
            return rounding::root(spread.unsigned_abs(), divisor, exponent);
        }
        let ((sum, exponent), (squares, of_squares)) = (sum.long(), squares.long());
        // Both in units of the smaller one, which is an even power of two.
        let (of_sum, least) = (2 * exponent, of_squares.min(2 * exponent));
        let spread =
            ((squares * n) << (of_squares - least).unsigned_abs()) - ((&sum * &sum) << (of_sum - least).unsigned_abs());
        let divisor = BigInt::from(n) * unit;
        rounding::big_root(spread.magnitude(), (&divisor * &divisor).magnitude(), least / 2)
    }

    /// `n·Σx² − (Σx)²` as `units · 2^(2 · exponent)`, when all of it fits.
    fn short_spread(&self, n: i64, squares: &ExactSum) -> Option<(i128, i64)> {
        let ((sum, of_sum), (squares, of_squares)) = (self.short_even()?, squares.short_even()?);
        let exponent = of_sum.min(of_squares / 2);
        let sum = shifted(sum, of_sum - exponent)?;
        let squares = shifted(squares, of_squares - 2 * exponent)?;
        Some((squares.checked_mul(i128::from(n))?.checked_sub(sum.checked_mul(sum)?)?, exponent))
    }

    /// As `units · 2^exponent` with an even exponent and as few units as can be.
    fn short_even(&self) -> Option<(i128, i64)> {
        let (units, exponent) = self.short()?;
        let zeros = if units == 0 { 0 } else { units.trailing_zeros() & !1 };
        Some((units >> zeros, exponent + i64::from(zeros)))
    }

    /// As `units · 2^exponent`, when the units fit.
    fn short(&self) -> Option<(i128, i64)> {
        let Some(&(lowest, _)) = self.digits.first() else { return Some((0, 0)) };
        let mut total: i128 = 0;
        for &(place, units) in &self.digits {
            total = total.checked_add(shifted(units, 32 * i64::from(place - lowest))?)?;
        }
        Some((total, 32 * i64::from(lowest)))
    }

    /// As `units · 2^exponent`.
    fn long(&self) -> (BigInt, i64) {
        let Some(&(lowest, _)) = self.digits.first() else { return (BigInt::ZERO, 0) };
        let digit = |&(place, units): &(i16, i128)| BigInt::from(units) << (32 * i64::from(place - lowest));
        (self.digits.iter().map(digit).sum(), 32 * i64::from(lowest))
    }

    /// Adds `magnitude · 2^exponent`, `times` over.
    fn add_units(&mut self, magnitude: u128, exponent: i32, times: i64) {
        let (place, shift) = (exponent.div_euclid(32) as i16, exponent.rem_euclid(32));
        let (high, low) = halves(magnitude);
        self.add_digit(place, ((low << shift) as i128) * i128::from(times));
        self.add_digit(place + 2, ((high << shift) as i128) * i128::from(times));
    }

    fn add_digit(&mut self, place: i16, units: i128) {
        if units == 0 {
            return;
        }
        match self.digits.binary_search_by_key(&place, |digit| digit.0) {
            Ok(at) => {
                self.digits[at].1 += units;
                if self.digits[at].1 == 0 {
                    self.digits.remove(at);
                }
            }
            Err(at) => self.digits.insert(at, (place, units)),
        }
    }
}

/// `units · 2^exponent`, when that is whole and fits.
fn shifted(units: i128, exponent: i64) -> Option<i128> {
    let unit = 1_i128.checked_shl(u32::try_from(exponent).ok()?).filter(|unit| *unit > 0)?;
    units.checked_mul(unit)
}

/// Mantissa and exponent of the magnitude of a finite number.
fn parts(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let (exponent, fraction) = (((bits >> 52) & 0x7ff) as i32, bits & ((1 << 52) - 1));
    if exponent == 0 { (fraction, -1074) } else { (fraction | (1 << 52), exponent - 1075) }
}

fn halves(number: u128) -> (u128, u128) {
    (number >> 64, number & u128::from(u64::MAX))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "what is exact is compared exactly")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(numbers: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        numbers.iter().for_each(|number| sum.add(*number, 1));
        sum.value()
    }

    #[test]
    fn sums_of_floats_round_once() {
        assert_eq!(exact(&[0.1; 10]), 1.0);
        assert_eq!(exact(&[1e308, 1e308, -1e308]), 1e308);
        assert_eq!(exact(&[1e308, 1e308]), f64::INFINITY);
        assert_eq!(exact(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(exact(&[5e-324, 5e-324]), 1e-323);
        assert_eq!(exact(&[9_007_199_254_740_992.0, 1.0]), 9_007_199_254_740_992.0);
        assert_eq!(exact(&[9_007_199_254_740_992.0, 1.0, 5e-324]), 9_007_199_254_740_994.0);
        assert_eq!(exact(&[-0.5, 0.25]), -0.25);
        assert_eq!(exact(&[]), 0.0);
    }

    /// Keeps parts that do not overlap, least first; the error of every addition is itself a part.
    fn shewchuk(numbers: &[f64]) -> f64 {
        let mut parts: Vec<f64> = Vec::new();
        for &number in numbers {
            let mut x = number;
            let mut kept = Vec::new();
            for &part in &parts {
                let (big, small) = if x.abs() < part.abs() { (part, x) } else { (x, part) };
                x = big + small;
                let error = small - (x - big);
                if error != 0.0 {
                    kept.push(error);
                }
            }
            kept.push(x);
            parts = kept;
        }
        let Some(mut high) = parts.pop() else { return 0.0 };
        let mut low = 0.0;
        while let Some(part) = parts.pop() {
            let before = high;
            high = before + part;
            low = part - (high - before);
            if low != 0.0 {
                break;
            }
        }
        // Exactly half way: what comes below decides.
        if parts.last().is_some_and(|part| (low < 0.0) == (*part < 0.0) && low != 0.0) {
            let nudged = high + 2.0 * low;
            if 2.0 * low == nudged - high {
                high = nudged;
            }
        }
        high
    }

    #[test]
    fn means_and_deviations_round_once() {
        let of = |numbers: &[f64]| {
            let (mut sum, mut squares) = (ExactSum::default(), ExactSum::default());
            for number in numbers {
                sum.add(*number, 1);
                squares.add_square(*number, 1);
            }
            let n = numbers.len() as i64;
            (sum.over(n), ExactSum::deviation(n, &sum, &squares, 0))
        };
        assert_eq!(of(&[0.2, 0.2, 0.2]), (0.2, 0.0));
        assert_eq!(of(&[1e308, 1e308]), (1e308, 0.0));
        assert_eq!(of(&[f64::MAX, -f64::MAX]), (0.0, f64::MAX));
        assert_eq!(of(&[5e-324, 0.0]), (0.0, 0.0));
        assert_eq!(of(&[5e-324, 0.0, 5e-324, 5e-324]), (5e-324, 0.0));
        assert_eq!(of(&[1e300, 1.0, -1e300]), (1.0 / 3.0, 8.164_965_809_277_261e299));
        // √(2/3), and the same of numbers that are no multiples of one another.
        assert_eq!(of(&[1.0, 2.0, 3.0]).1, 0.816_496_580_927_726);
        assert_eq!(of(&[0.1, 0.2, 0.3]).1, 0.081_649_658_092_772_6);
    }

    proptest! {
        #[test]
        fn sums_of_floats_are_those_of_shewchuk(
            numbers in proptest::collection::vec(
                prop_oneof![any::<f64>().prop_filter("no overflow on the way", |x| x.abs() < 1e300), -1e6..1e6_f64], 0..40)
        ) {
            prop_assert_eq!(exact(&numbers), shewchuk(&numbers));
            prop_assert_eq!(exact(&numbers[..numbers.len().min(1)]), numbers.first().copied().unwrap_or(0.0));
        }

        #[test]
        fn short_and_long_sums_are_the_same(
            numbers in proptest::collection::vec(prop_oneof![-1e6..1e6_f64, (-1_000..1_000_i32).prop_map(f64::from)], 1..9)
        ) {
            let (mut sum, mut squares) = (ExactSum::default(), ExactSum::default());
            for number in &numbers {
                sum.add(*number, 1);
                squares.add_square(*number, 1);
            }
            let n = numbers.len() as i64;
            let (units, exponent) = sum.long();
            let mean = rounding::big_quotient(units.sign() == Sign::Minus, units.magnitude(), &n.unsigned_abs().into(), exponent);
            prop_assert_eq!(sum.over(n), mean);
            // As it is computed of what does not fit.
            let ((sum_units, of_sum), (square_units, of_squares)) = (sum.long(), squares.long());
            let least = of_squares.min(2 * of_sum);
            let squared = (&sum_units * &sum_units) << (2 * of_sum - least).unsigned_abs();
            let spread = ((square_units * n) << (of_squares - least).unsigned_abs()) - squared;
            let long = rounding::big_root(spread.magnitude(), BigInt::from(n * n).magnitude(), least / 2);
            prop_assert_eq!(ExactSum::deviation(n, &sum, &squares, 0), long);
        }
    }
}
