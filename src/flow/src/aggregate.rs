//! How values become one value: the arithmetic that both engines share.
//!
//! Everything here is exact until the very end and a commutative group: whatever was added can be taken back, in any
//! order, and leaves nothing behind. Whole numbers are kept as whole numbers, floating-point numbers as whole numbers
//! of powers of two ([`ExactSum`]); only the result is rounded, once. So results depend neither on the order of arrival
//! nor on how often a value came and went. The unit tests check the sums against another
//! algorithm (Shewchuk's, as in Python's `math.fsum`); the results are checked by the oracle of the property tests, which
//! shares no code with this.
//!
//! A [`Tally`] is all that `count`, `sum`, `avg` and `stddev` need to know. An engine that keeps less than a tally (a bare
//! `i128`, a counter) finishes it with [`sum`], [`avg`] and [`stddev`].

use serde::{Deserialize, Serialize};

use propice_define::plan::Aggregate;
use propice_model::{Type, Value};

/// The value of a feature over nothing: 0 of its type for `count`, `sum` and `distinct`, null for all others.
pub fn null_or_zero(aggregate: Aggregate, ty: &Type) -> Value {
    match aggregate {
        Aggregate::Count | Aggregate::Distinct => Value::Int(0),
        Aggregate::Sum if *ty == Type::Float => Value::float(0.0),
        Aggregate::Sum => sum(0, ty),
        _ => Value::Null,
    }
}

/// A sum of `int`: null beyond 64 bit.
pub fn int_sum(total: i128) -> Value {
    i64::try_from(total).map_or(Value::Null, Value::Int)
}

/// A sum of type `int`, `duration` (null beyond 64 bit) or `decimal`.
pub fn sum(total: i128, ty: &Type) -> Value {
    match ty {
        Type::Decimal(_) => Value::decimal(total),
        Type::Duration => i64::try_from(total).map_or(Value::Null, Value::Duration),
        _ => int_sum(total),
    }
}

/// The mean of `n > 0` whole numbers. `ty` is the type of the result: `decimal`, `duration` and `time` are rounded half
/// to even, `float` (of ints) is the quotient of the nearest floats.
pub fn avg(total: i128, n: i64, ty: &Type) -> Value {
    match ty {
        Type::Decimal(_) => Value::decimal(quotient_half_even(total, n)),
        Type::Duration => i64::try_from(quotient_half_even(total, n)).map_or(Value::Null, Value::Duration),
        Type::Time => i64::try_from(quotient_half_even(total, n)).map_or(Value::Null, Value::Time),
        _ => Value::float(total as f64 / n as f64),
    }
}

fn quotient_half_even(total: i128, n: i64) -> i128 {
    let n = i128::from(n);
    let (floor, rest) = (total.div_euclid(n), total.rem_euclid(n));
    match (2 * rest).cmp(&n) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Equal => floor + floor.rem_euclid(2),
        std::cmp::Ordering::Greater => floor + 1,
    }
}

/// The standard deviation of a population of `n > 0` values, from their sum and the sum of their squares: the square root
/// of `n·Σx² − (Σx)²` (which is exact), divided by `n`. `scale`: how many decimals the values have in whole units.
pub fn stddev(n: i64, sum: &ExactSum, squares: &ExactSum, scale: u8) -> Value {
    let spread = ExactSum::spread(n, sum, squares).value();
    Value::float(spread.sqrt() / n as f64 / 10_f64.powi(i32::from(scale)))
}

/// The units of a value that is a whole number of them.
pub fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Int(number) | Value::Time(number) | Value::Duration(number) => Some(i128::from(*number)),
        Value::Decimal(number) => Some(number.units()),
        _ => None,
    }
}

/// What `count`, `sum`, `avg` and `stddev` need to know of the values that count. A commutative group.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tally {
    n: i64,
    /// The sum of the whole numbers of 64 bit.
    total: i128,
    /// Of all others, and of all values of a `stddev`. `None` when they sum to nothing.
    exact: Option<Box<Exact>>,
}

/// Sums of what is not a whole number of 64 bit.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Exact {
    sum: ExactSum,
    /// For `stddev`.
    squares: ExactSum,
}

impl Tally {
    /// The tally of one value, `times` over (negative: taken back).
    pub fn of(aggregate: Aggregate, value: &Value, times: i64) -> Tally {
        let mut tally = Tally::default();
        tally.add(aggregate, value, times);
        tally
    }

    /// Adds a value `times` over (negative: takes it back).
    pub fn add(&mut self, aggregate: Aggregate, value: &Value, times: i64) {
        self.n += times;
        let squared = aggregate == Aggregate::Stddev;
        match (aggregate, value) {
            (Aggregate::Count, _) => {}
            (_, Value::Float(real)) => self.change_exact(|exact| {
                exact.sum.add(real.get(), times);
                if squared {
                    exact.squares.add_square(real.get(), times);
                }
            }),
            (_, value) => {
                let units = whole(value).unwrap_or_default();
                match i64::try_from(units) {
                    Ok(small) if !squared => self.total += i128::from(small) * i128::from(times),
                    _ => self.change_exact(|exact| {
                        exact.sum.add_whole(units, times);
                        if squared {
                            exact.squares.add_whole_square(units, times);
                        }
                    }),
                }
            }
        }
    }

    /// Adds another tally of the same feature.
    pub fn plus(&mut self, other: &Tally) {
        self.n += other.n;
        self.total += other.total;
        if let Some(other) = &other.exact {
            self.change_exact(|exact| {
                exact.sum.plus(&other.sum);
                exact.squares.plus(&other.squares);
            });
        }
    }

    /// Whether nothing is left.
    pub fn is_zero(&self) -> bool {
        self.n == 0 && self.total == 0 && self.exact.is_none()
    }

    fn change_exact(&mut self, change: impl FnOnce(&mut Exact)) {
        let exact = self.exact.get_or_insert_default();
        change(exact);
        if exact.sum.is_zero() && exact.squares.is_zero() {
            self.exact = None;
        }
    }

    /// The value of a feature of type `ty`. `argument` is the type of what was added.
    pub fn finish(&self, aggregate: Aggregate, ty: &Type, argument: &Type) -> Value {
        if self.n <= 0 {
            return null_or_zero(aggregate, ty);
        }
        let nothing = Exact::default();
        let exact = self.exact.as_deref().unwrap_or(&nothing);
        match (aggregate, argument) {
            (Aggregate::Count, _) => Value::Int(self.n),
            (Aggregate::Stddev, Type::Decimal(scale)) => stddev(self.n, &exact.sum, &exact.squares, *scale),
            (Aggregate::Stddev, _) => stddev(self.n, &exact.sum, &exact.squares, 0),
            (Aggregate::Avg, Type::Float) => Value::float(exact.sum.value() / self.n as f64),
            (Aggregate::Avg, _) => self.whole_total().map_or(Value::Null, |total| avg(total, self.n, ty)),
            (_, Type::Float) => Value::float(exact.sum.value()),
            (_, _) => self.whole_total().map_or(Value::Null, |total| sum(total, ty)),
        }
    }

    /// The sum of whole numbers; `None` beyond 127 bit.
    fn whole_total(&self) -> Option<i128> {
        let Some(exact) = &self.exact else { return Some(self.total) };
        let mut all = exact.sum.clone();
        all.add_whole(self.total, 1);
        all.whole()
    }
}

/// An exact sum of floating-point or whole numbers: digits of weight 2³²ᵖ, each a wide signed number, so that up to 2³²
/// additions need no carry. Without carries each addition is undone exactly by its opposite, also in representation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExactSum {
    /// `(p, units)` by rising `p`, none of them 0.
    digits: Vec<(i16, i128)>,
}

/// The sum of floating-point numbers, correctly rounded.
pub type FloatSum = ExactSum;

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
        let (negative, limbs, lowest) = self.limbs();
        let Some(length) = limbs.iter().rposition(|limb| *limb != 0) else { return 0.0 };
        let top = 32 * length as i32 + 31 - limbs[length].leading_zeros() as i32;
        let bit = |at: i32| at >= 0 && (limbs[at as usize / 32] >> (at % 32)) & 1 == 1;
        // The last bit that a float of this size has, counted from the lowest bit of the limbs.
        let last = (top - 52).max(-1074 - lowest);
        let mantissa = (last..=top).rev().fold(0_u64, |bits, at| (bits << 1) | u64::from(bit(at)));
        let up = bit(last - 1) && (mantissa & 1 == 1 || (0..last - 1).any(bit));
        let magnitude = (mantissa + u64::from(up)) as f64 * power_of_two(last + lowest);
        if negative { -magnitude } else { magnitude }
    }

    /// The sum of whole numbers; `None` beyond 127 bit.
    pub fn whole(&self) -> Option<i128> {
        let (negative, limbs, lowest) = self.limbs();
        let mut total: i128 = 0;
        for (at, &limb) in limbs.iter().enumerate().filter(|(_, limb)| **limb != 0) {
            let shift = 32 * at as u32 + u32::try_from(lowest).ok()?;
            let units = i128::from(limb).checked_mul(1_i128.checked_shl(shift).filter(|unit| *unit > 0)?)?;
            total = total.checked_add(units)?;
        }
        Some(if negative { -total } else { total })
    }

    /// `n·Σx² − (Σx)²`, which is never negative.
    fn spread(n: i64, sum: &ExactSum, squares: &ExactSum) -> ExactSum {
        let mut spread = ExactSum::default();
        let (_, limbs, lowest) = squares.limbs();
        for (at, &limb) in limbs.iter().enumerate() {
            spread.add_digit((lowest / 32) as i16 + at as i16, i128::from(limb) * i128::from(n));
        }
        let (_, limbs, lowest) = sum.limbs();
        for (i, &left) in limbs.iter().enumerate() {
            for (j, &right) in limbs.iter().enumerate() {
                let place = 2 * (lowest / 32) as i16 + (i + j) as i16;
                spread.add_digit(place, -i128::from(u64::from(left) * u64::from(right)));
            }
        }
        spread
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

    /// Its sign, its magnitude in limbs of 32 bit from the least, and the exponent of the least limb.
    fn limbs(&self) -> (bool, Vec<u32>, i32) {
        let Some(&(lowest, _)) = self.digits.first() else { return (false, Vec::new(), 0) };
        match carried(&self.digits, lowest, 1) {
            Some(limbs) => (false, limbs, 32 * i32::from(lowest)),
            None => (true, carried(&self.digits, lowest, -1).unwrap_or_default(), 32 * i32::from(lowest)),
        }
    }
}

/// Digits times `sign` with all carries done; `None` when that is negative.
fn carried(digits: &[(i16, i128)], lowest: i16, sign: i128) -> Option<Vec<u32>> {
    let mut limbs = Vec::new();
    let mut carry: i128 = 0;
    let mut rest = digits.iter().peekable();
    for place in lowest.. {
        if rest.peek().is_none() && (carry == 0 || carry == -1) {
            break;
        }
        if let Some((_, units)) = rest.next_if(|digit| digit.0 == place) {
            carry += sign * units;
        }
        limbs.push(carry as u32);
        carry >>= 32;
    }
    (carry == 0).then_some(limbs)
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

/// 2 to the `exponent`, which is at least −1074; infinite when it is too large.
fn power_of_two(exponent: i32) -> f64 {
    match exponent {
        ..-1022 => f64::from_bits(1 << (exponent + 1074)),
        -1022..=1023 => f64::from_bits(((exponent + 1023) as u64) << 52),
        1024.. => f64::INFINITY,
    }
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

    fn finished(aggregate: Aggregate, values: &[Value], ty: &Type, argument: &Type) -> Value {
        let mut tally = Tally::default();
        values.iter().for_each(|value| tally.add(aggregate, value, 1));
        tally.finish(aggregate, ty, argument)
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
        fn what_is_taken_back_leaves_nothing(
            numbers in proptest::collection::vec(any::<i64>(), 1..20),
            floats in proptest::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 1..20),
        ) {
            let values = numbers.iter().map(|n| Value::Int(*n)).chain(floats.iter().map(|x| Value::float(*x)));
            let values: Vec<_> = values.collect();
            for aggregate in [Aggregate::Count, Aggregate::Sum, Aggregate::Avg, Aggregate::Stddev] {
                let mut tally = Tally::default();
                values.iter().for_each(|value| tally.add(aggregate, value, 1));
                values.iter().rev().for_each(|value| tally.plus(&Tally::of(aggregate, value, -1)));
                prop_assert!(tally.is_zero());
            }
        }

        #[test]
        fn the_spread_of_whole_numbers_is_exact(numbers in proptest::collection::vec(-1_000_000_000..1_000_000_000_i64, 1..30)) {
            let n = numbers.len() as i128;
            let sum: i128 = numbers.iter().map(|x| i128::from(*x)).sum();
            let squares: i128 = numbers.iter().map(|x| i128::from(*x) * i128::from(*x)).sum();
            let expected = ((n * squares - sum * sum) as f64).sqrt() / n as f64;
            let ints: Vec<_> = numbers.iter().map(|x| Value::Int(*x)).collect();
            prop_assert_eq!(finished(Aggregate::Stddev, &ints, &Type::Float, &Type::Int), Value::float(expected));
            let floats: Vec<_> = numbers.iter().map(|x| Value::float(*x as f64)).collect();
            prop_assert_eq!(finished(Aggregate::Stddev, &floats, &Type::Float, &Type::Float), Value::float(expected));
        }
    }

    #[test]
    fn means_round_half_to_even() {
        for (total, n, expected) in
            [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (10, 3, 3), (11, 3, 4), (-10, 3, -3)]
        {
            assert_eq!(avg(total, n, &Type::Decimal(2)), Value::decimal(expected), "{total} / {n}");
        }
        assert_eq!(avg(5, 2, &Type::Float), Value::float(2.5));
        assert_eq!(avg(3, 2, &Type::Time), Value::Time(2));
    }

    #[test]
    fn a_standard_deviation_of_equal_values_is_zero() {
        let values = vec![Value::float(0.1); 3];
        assert_eq!(finished(Aggregate::Stddev, &values, &Type::Float, &Type::Float), Value::float(0.0));
        let values = vec![Value::decimal(100), Value::decimal(300)];
        assert_eq!(finished(Aggregate::Stddev, &values, &Type::Float, &Type::Decimal(2)), Value::float(1.0));
    }

    #[test]
    fn sums_that_do_not_fit_are_null_and_come_back() {
        let most = Value::Int(i64::MAX);
        assert_eq!(finished(Aggregate::Sum, &[most.clone(), most], &Type::Int, &Type::Int), Value::Null);
        let (ty, huge) = (Type::Decimal(2), Value::decimal(i128::MAX));
        let mut tally = Tally::of(Aggregate::Sum, &huge, 1);
        tally.add(Aggregate::Sum, &Value::decimal(1), 1);
        assert_eq!(tally.finish(Aggregate::Sum, &ty, &ty), Value::Null);
        tally.add(Aggregate::Sum, &Value::decimal(-1), 1);
        assert_eq!(tally.finish(Aggregate::Sum, &ty, &ty), huge);
    }

    #[test]
    fn over_nothing() {
        assert_eq!(null_or_zero(Aggregate::Count, &Type::Int), Value::Int(0));
        assert_eq!(null_or_zero(Aggregate::Sum, &Type::Float), Value::float(0.0));
        assert_eq!(null_or_zero(Aggregate::Sum, &Type::Duration), Value::Duration(0));
        assert_eq!(null_or_zero(Aggregate::Sum, &Type::Decimal(2)), Value::decimal(0));
        assert_eq!(null_or_zero(Aggregate::Avg, &Type::Decimal(2)), Value::Null);
    }
}
