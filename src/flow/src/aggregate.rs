//! How values become one value: the arithmetic that both engines share.
//!
//! Everything here is exact until the very end and a commutative group: whatever was added can be
//! taken back, in any order, and leaves nothing behind. Whole numbers are kept as whole numbers,
//! floating-point numbers as whole numbers of powers of two ([`ExactSum`]); only the result (sum,
//! mean, deviation) is rounded, once. So results depend neither on the order of arrival nor on how
//! often a value came and went. The unit tests check the sums against another algorithm
//! (Shewchuk's, as in Python's `math.fsum`); the results are checked by the oracle of the property
//! tests, which shares no code with this.
//!
//! A [`Tally`] is all that `count`, `sum`, `avg` and `stddev` need to know. An engine that keeps
//! less than a tally (a bare `i128`, a counter) finishes it with [`sum`], [`avg`] and [`stddev`].

use serde::{Deserialize, Serialize};

use propice_define::plan::Aggregate;
use propice_model::{Type, Value, rounding};

use super::exact_sum::ExactSum;

/// The value of a feature over nothing: 0 of its type for `count`, `sum` and `distinct`, null for
/// all others.
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

/// The mean of `n > 0` whole numbers. `ty` is the type of the result: `decimal`, `duration` and
/// `time` are rounded half to even, `float` (of ints) is the float nearest to the exact quotient.
pub fn avg(total: i128, n: i64, ty: &Type) -> Value {
    match ty {
        Type::Decimal(_) => Value::decimal(quotient_half_even(total, n)),
        Type::Duration => i64::try_from(quotient_half_even(total, n)).map_or(Value::Null, Value::Duration),
        Type::Time => i64::try_from(quotient_half_even(total, n)).map_or(Value::Null, Value::Time),
        _ => Value::float(rounding::quotient(total < 0, total.unsigned_abs(), u128::from(n.unsigned_abs()), 0)),
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

/// The standard deviation of a population of `n > 0` values, from their sum and the sum of their
/// squares: the float nearest to the square root of the exact variance. `scale`: how many decimals
/// the values have in whole units.
pub fn stddev(n: i64, sum: &ExactSum, squares: &ExactSum, scale: u8) -> Value {
    Value::float(ExactSum::deviation(n, sum, squares, scale))
}

/// The units of a value that is a whole number of them.
pub fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Int(number) | Value::Time(number) | Value::Duration(number) => Some(i128::from(*number)),
        Value::Decimal(number) => Some(number.units()),
        _ => None,
    }
}

/// What `count`, `sum`, `avg` and `stddev` need to know of the values that count. A commutative
/// group.
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

    /// Whether more was taken back than added.
    pub fn is_negative(&self) -> bool {
        self.n < 0
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
            (Aggregate::Avg, Type::Float) => Value::float(exact.sum.over(self.n)),
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

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "what is exact is compared exactly")]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    fn finished(aggregate: Aggregate, values: &[Value], ty: &Type, argument: &Type) -> Value {
        let mut tally = Tally::default();
        values.iter().for_each(|value| tally.add(aggregate, value, 1));
        tally.finish(aggregate, ty, argument)
    }

    proptest! {
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
        fn a_deviation_of_whole_numbers_is_the_nearest_float(numbers in proptest::collection::vec(-1_000_000_000..1_000_000_000_i64, 1..30)) {
            let n = numbers.len() as i128;
            let sum: i128 = numbers.iter().map(|x| i128::from(*x)).sum();
            let squares: i128 = numbers.iter().map(|x| i128::from(*x) * i128::from(*x)).sum();
            let ints: Vec<_> = numbers.iter().map(|x| Value::Int(*x)).collect();
            let found = finished(Aggregate::Stddev, &ints, &Type::Float, &Type::Int);
            let floats: Vec<_> = numbers.iter().map(|x| Value::float(*x as f64)).collect();
            prop_assert_eq!(&finished(Aggregate::Stddev, &floats, &Type::Float, &Type::Float), &found);
            let Value::Float(found) = found else { panic!("a float") };
            // Half way to its neighbours, times n, squared, and the spread, which lies between: in
            // units of 2⁻¹⁶².
            let units = |number: f64| BigInt::from((number * 2_f64.powi(80)) as u128);
            for (neighbour, is_above) in [(found.get().next_up(), true), (found.get().next_down(), false)] {
                let half = (units(found.get()) + units(neighbour)) * n;
                let (square, spread) = (&half * &half, BigInt::from(n * squares - sum * sum) << 162);
                let is_near = if is_above { spread <= square } else { spread >= square };
                prop_assert!(found.get() == 0.0 || is_near, "{} is nearer", neighbour);
            }
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
