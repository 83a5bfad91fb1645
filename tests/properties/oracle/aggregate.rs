//! Aggregates, each from all its values at once.

use std::cmp::Ordering;

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

/// Floats of the tests are multiples of 2⁻¹⁰ below 2⁶⁰: whole numbers of these are exact.
const FLOAT_UNIT: f64 = 1_024.0;

/// As a whole number of some unit.
fn units(value: &V) -> i128 {
    match value {
        V::Int(number) | V::Time(number) | V::Duration(number) => i128::from(*number),
        V::Decimal(units, _) => *units,
        V::Float(number) => {
            let units = number * FLOAT_UNIT;
            assert!(units.fract() == 0.0 && units.abs() < 2_f64.powi(70), "not exact here: {number}");
            units as i128
        }
        other => panic!("cannot be summed: {other:?}"),
    }
}

fn sum<'a>(values: impl Iterator<Item = &'a V>, ty: &Ty) -> V {
    let Some(total) = values.map(units).try_fold(0_i128, i128::checked_add) else { return V::Null };
    match ty {
        Ty::Int => i64::try_from(total).map_or(V::Null, V::Int),
        Ty::Decimal(scale) => V::Decimal(total, *scale),
        Ty::Float => V::Float(total as f64 / FLOAT_UNIT),
        _ => i64::try_from(total).map_or(V::Null, V::Duration),
    }
}

fn average<'a>(values: impl Iterator<Item = &'a V>, count: usize, ty: &Ty) -> V {
    let values: Vec<&V> = values.collect();
    let total: i128 = values.iter().map(|value| units(value)).sum();
    let count = count as i128;
    match (ty, values[0]) {
        (Ty::Decimal(scale), _) => V::Decimal(half_even(total, count), *scale),
        (Ty::Duration, _) => V::Duration(half_even(total, count) as i64),
        (Ty::Time, _) => V::Time(half_even(total, count) as i64),
        (_, V::Float(_)) => V::Float(total as f64 / FLOAT_UNIT / count as f64),
        _ => V::Float(total as f64 / count as f64),
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

/// √(n·Σx² − (Σx)²) / n, exact up to the root.
fn deviation<'a>(values: impl Iterator<Item = &'a V>, count: usize) -> V {
    let values: Vec<&V> = values.collect();
    let unit = match values[0] {
        V::Decimal(_, scale) => 10_f64.powi(i32::from(*scale)),
        V::Float(_) => FLOAT_UNIT,
        _ => 1.0,
    };
    let total: i128 = values.iter().map(|value| units(value)).sum();
    let squares: i128 = values.iter().map(|value| units(value) * units(value)).sum();
    let inner = count as i128 * squares - total * total;
    V::Float((inner as f64).sqrt() / count as f64 / unit)
}
