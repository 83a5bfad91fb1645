//! Aggregates, each from all its values at once.

use std::cmp::Ordering;

use num_bigint::BigInt;

use super::exact::{Fraction, nearest, nearest_root};
use super::pack::{Feature, over_nothing};
use super::value::{Ty, V};

/// A value that counts, with what `first` and `last` order by.
pub(crate) struct Counted<'a> {
    pub(crate) event_time: i64,
    pub(crate) order: &'a V,
    pub(crate) value: V,
}

/// The aggregate of what counts now.
pub(crate) fn aggregate(feature: &Feature, counted: &[Counted<'_>]) -> V {
    if counted.is_empty() {
        return over_nothing(feature);
    }
    let values = || counted.iter().map(|counted| &counted.value);
    let in_order = || {
        let mut sorted: Vec<&Counted<'_>> = counted.iter().collect();
        sorted.sort_by(|a, b| {
            (a.event_time.cmp(&b.event_time)).then_with(|| a.order.order(b.order)).then_with(|| a.value.order(&b.value))
        });
        sorted
    };
    match feature.aggregate.as_str() {
        "count" => V::Int(counted.len() as i64),
        "sum" => sum(values(), &feature.ty),
        "avg" => average(values(), counted.len(), &feature.ty),
        "stddev" => deviation(values(), counted.len()),
        "min" => values().min_by(|a, b| a.order(b)).expect("not empty").clone(),
        "max" => values().max_by(|a, b| a.order(b)).expect("not empty").clone(),
        "first" => in_order()[0].value.clone(),
        "last" => in_order()[counted.len() - 1].value.clone(),
        "distinct" => V::Int(distinct(values()).len() as i64),
        "set" => {
            let all = distinct(values()).into_iter().map(|(value, _)| value);
            V::List(all.take(feature.at_most.unwrap_or(100)).collect())
        }
        "top" => top(values(), feature.at_most),
        other => panic!("not an aggregate: {other}"),
    }
}

/// The different values, in order, each with how often it occurs.
fn distinct<'a>(values: impl Iterator<Item = &'a V>) -> Vec<(V, usize)> {
    let mut sorted: Vec<&V> = values.collect();
    sorted.sort_by(|a, b| a.order(b));
    let mut all: Vec<(V, usize)> = Vec::new();
    for value in sorted {
        match all.last_mut() {
            Some((last, times)) if last.order(value) == Ordering::Equal => *times += 1,
            _ => all.push((value.clone(), 1)),
        }
    }
    all
}

fn top<'a>(values: impl Iterator<Item = &'a V>, at_most: Option<usize>) -> V {
    let mut all = distinct(values);
    all.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    match at_most {
        None => all.swap_remove(0).0,
        Some(most) => V::List(all.into_iter().take(most).map(|(value, _)| value).collect()),
    }
}

/// As a whole number of units of `2^unit`; all but floats as so many of their own.
fn units(value: &V, unit: i32) -> BigInt {
    match value {
        V::Int(number) | V::Time(number) | V::Duration(number) => BigInt::from(*number),
        V::Decimal(units, _) => BigInt::from(*units),
        V::Float(number) => {
            let (mantissa, exponent) = decoded(*number);
            BigInt::from(mantissa) << (exponent - unit)
        }
        other => panic!("cannot be summed: {other:?}"),
    }
}

/// An odd whole number and a power of two whose product is the number.
fn decoded(number: f64) -> (i64, i32) {
    let bits = number.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, (bits & ((1 << 52) - 1)) as i64);
    let (magnitude, exponent) = if exponent == 0 { (fraction, -1074) } else { (fraction + (1 << 52), exponent - 1075) };
    if magnitude == 0 {
        return (0, 0);
    }
    let zeros = magnitude.trailing_zeros();
    let odd = magnitude >> zeros;
    (if number < 0.0 { -odd } else { odd }, exponent + zeros as i32)
}

/// The power of two of which all floats are multiples.
fn common_unit(values: &[&V]) -> i32 {
    let exponents = values.iter().map(|value| if let V::Float(number) = value { decoded(*number).1 } else { 0 });
    exponents.min().expect("not empty").min(0)
}

fn total(values: &[&V], unit: i32) -> BigInt {
    values.iter().map(|value| units(value, unit)).sum()
}

/// What a whole number of units of `2^unit` is, over another number.
fn over(total: BigInt, unit: i32, divisor: BigInt) -> Fraction {
    Fraction::new(total, divisor << unit.unsigned_abs())
}

fn sum<'a>(values: impl Iterator<Item = &'a V>, ty: &Ty) -> V {
    let values: Vec<&V> = values.collect();
    let unit = common_unit(&values);
    let total = total(&values, unit);
    match ty {
        Ty::Int => i64::try_from(total).map_or(V::Null, V::Int),
        Ty::Decimal(scale) => i128::try_from(total).map_or(V::Null, |total| V::Decimal(total, *scale)),
        Ty::Float => nearest(&over(total, unit, BigInt::from(1))).map_or(V::Null, V::Float),
        _ => i64::try_from(total).map_or(V::Null, V::Duration),
    }
}

fn average<'a>(values: impl Iterator<Item = &'a V>, count: usize, ty: &Ty) -> V {
    let values: Vec<&V> = values.collect();
    let unit = common_unit(&values);
    let total = total(&values, unit);
    let whole = |total: BigInt| half_even(i128::try_from(total).expect("small"), count as i128);
    match ty {
        Ty::Decimal(scale) => V::Decimal(whole(total), *scale),
        Ty::Duration => V::Duration(whole(total) as i64),
        Ty::Time => V::Time(whole(total) as i64),
        _ => nearest(&over(total, unit, BigInt::from(count))).map_or(V::Null, V::Float),
    }
}

/// A division, rounded half to even.
fn half_even(total: i128, count: i128) -> i128 {
    let (quotient, rest) = (total.div_euclid(count), total.rem_euclid(count));
    match (rest * 2).cmp(&count) {
        Ordering::Less => quotient,
        Ordering::Greater => quotient + 1,
        Ordering::Equal => quotient + quotient.rem_euclid(2),
    }
}

/// √((n·Σx² − (Σx)²) / n²), rounded once.
fn deviation<'a>(values: impl Iterator<Item = &'a V>, count: usize) -> V {
    let values: Vec<&V> = values.collect();
    let unit = common_unit(&values);
    let scale = if let V::Decimal(_, scale) = values[0] { *scale } else { 0 };
    let total = total(&values, unit);
    let squares: BigInt = values.iter().map(|value| units(value, unit).pow(2)).sum();
    let count = BigInt::from(count);
    let divisor = &count * BigInt::from(10).pow(u32::from(scale));
    let variance = over(&count * squares - total.pow(2), 2 * unit, divisor.pow(2));
    V::Float(nearest_root(&variance).expect("not too large"))
}
