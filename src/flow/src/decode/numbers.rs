//! Numbers as they are written, times that are written as numbers, and times that are most likely
//! not what they are taken for.

use std::borrow::Cow;
use std::fmt;

use propice_define::plan::TimeUnit;
use propice_model::time::{USUAL_TIMES_MS, format_time};
use propice_model::{Decimal, Value};

/// The decimals of a nanosecond in seconds, and of a millisecond.
const NANOSECOND_SCALE: u8 = 9;
const MILLISECOND_SCALE: u8 = 3;

/// Why a text is not a value of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// See [`RecordError`](super::RecordError).
    pub(super) reason: &'static str,
    /// What is wrong with it, when the type alone does not say.
    pub(super) detail: Option<Cow<'static, str>>,
}

impl Misfit {
    /// Not of the type.
    pub(super) const TYPE: Misfit = Misfit { reason: "wrong_type", detail: None };

    pub(super) fn range(detail: &'static str) -> Misfit {
        Misfit { reason: "out_of_range", detail: Some(Cow::Borrowed(detail)) }
    }
}

/// Digits, with a sign perhaps.
pub(super) fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number as JSON writes it: `-12.50`, `1.25e1`. Leading zeros are let pass.
pub(super) fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    [whole, fraction, exponent].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A whole number of 64 bit.
pub(super) fn whole(text: &str) -> Result<i64, Misfit> {
    if is_whole(text)
        && let Ok(number) = text.parse()
    {
        return Ok(number);
    }
    // `12.0` and `1e3` are whole numbers too. What was read fits 64 bit.
    decimal(text, 0).map(|number| number.units() as i64)
}

/// A finite number.
pub(super) fn float(text: &str) -> Result<Value, Misfit> {
    if !is_number(text) {
        return Err(Misfit::TYPE);
    }
    match text.parse() {
        Ok(number) if f64::is_finite(number) => Ok(Value::float(number)),
        _ => Err(Misfit::range("a float is finite")),
    }
}

/// An exact number with so many decimals.
pub(super) fn decimal(text: &str, scale: u8) -> Result<Decimal, Misfit> {
    Decimal::parse(text, scale).ok_or_else(|| {
        if !is_number(text) {
            return Misfit::TYPE;
        }
        let units = text.parse::<f64>().unwrap_or(f64::INFINITY).abs() * 10_f64.powi(i32::from(scale));
        if units >= i64::MAX as f64 {
            return Misfit::range("it does not fit 64 bit");
        }
        let detail = match scale {
            0 => Cow::Borrowed("it is not whole"),
            1 => Cow::Borrowed("it has more than 1 decimal"),
            _ => Cow::Owned(format!("it has more than {scale} decimals")),
        };
        Misfit { reason: "wrong_type", detail: Some(detail) }
    })
}

/// The time that a number of units since 1970 is, in milliseconds. What is finer is cut off.
pub(super) fn time_of(text: &str, unit: TimeUnit) -> Result<i64, Misfit> {
    match unit {
        TimeUnit::Seconds => seconds(text),
        TimeUnit::Milliseconds => whole(text),
        TimeUnit::Microseconds => whole(text).map(|number| number.div_euclid(1_000)),
        TimeUnit::Nanoseconds => whole(text).map(|number| number.div_euclid(1_000_000)),
    }
}

/// Seconds with decimals or without.
fn seconds(text: &str) -> Result<i64, Misfit> {
    // What was read fits 64 bit. Nanoseconds since 1970 do until 2262, coarser units for longer.
    let read = |scale: u8| Some((scale, Decimal::parse(text, scale)?.units() as i64));
    if let Some((scale, units)) = (MILLISECOND_SCALE..=NANOSECOND_SCALE).find_map(read) {
        return Ok(units.div_euclid(10_i64.pow(u32::from(scale - MILLISECOND_SCALE))));
    }
    if let Some((whole, fraction)) = text.split_once('.')
        && fraction.len() <= usize::from(NANOSECOND_SCALE)
        && fraction.bytes().all(|digit| digit.is_ascii_digit())
        && let Ok(ns) = format!("{fraction:0<9}").parse::<i64>()
        && let Some(ms) = whole.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000))
        && let Some(ms) = if whole.starts_with('-') {
            ms.checked_sub((ns + 999_999) / 1_000_000)
        } else {
            ms.checked_add(ns / 1_000_000)
        }
    {
        return Ok(ms);
    }
    decimal(text, NANOSECOND_SCALE).map(|ns| (ns.units() as i64).div_euclid(1_000_000))
}

/// The units by which a number is a time as people have to do with, with these times.
pub fn time_units(number: &str) -> Vec<(TimeUnit, String)> {
    let times = TimeUnit::ALL.into_iter().filter_map(|(_, unit)| Some((unit, time_of(number, unit).ok()?)));
    times.filter(|(_, time_ms)| USUAL_TIMES_MS.contains(time_ms)).map(|(unit, ms)| (unit, format_time(ms))).collect()
}

/// A time outside of the years in which customers live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddTime {
    /// The field.
    pub field: String,
    /// Its column or key, when it is not called like the field.
    pub column: Option<String>,
    /// As it is written.
    pub written: String,
    /// As which number it was read; `None` for a text.
    pub unit: Option<TimeUnit>,
    /// What was read.
    pub time_ms: i64,
}

impl fmt::Display for OddTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OddTime { field, written, time_ms, .. } = self;
        write!(f, "`{field}` has times outside of 1990 to 2100, such as {} (", format_time(*time_ms))?;
        let Some(read) = self.unit else {
            return write!(f, "{written}); see whether that is when it happened, and how the pack says it is written");
        };
        write!(f, "{written}, read as {})", read.words())?;
        let Some((unit, time)) = time_units(written).into_iter().next() else { return Ok(()) };
        let column = self.column.as_ref().map_or_else(String::new, |column| format!(", column = \"{column}\""));
        write!(
            f,
            "; as {} it is {time}: {field} = {{ type = \"time\"{column}, unit = \"{}\" }} in the pack says so",
            unit.words(),
            unit.name()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_unit() {
        let read = |text, unit| time_of(text, unit).map_err(|misfit| misfit.reason);
        for (text, unit, time) in [
            ("1772442000", TimeUnit::Seconds, 1_772_442_000_000),
            ("1772442000.1239", TimeUnit::Seconds, 1_772_442_000_123),
            ("1.772442e9", TimeUnit::Seconds, 1_772_442_000_000),
            ("-0.0001", TimeUnit::Seconds, -1),
            ("33900000000.000585", TimeUnit::Seconds, 33_900_000_000_000),
            ("33900000000.123456789", TimeUnit::Seconds, 33_900_000_000_123),
            ("-33900000000.000000001", TimeUnit::Seconds, -33_900_000_000_001),
            ("9000000000000000", TimeUnit::Seconds, 9_000_000_000_000_000_000),
            ("1772442000000", TimeUnit::Milliseconds, 1_772_442_000_000),
            ("1772442000000999", TimeUnit::Microseconds, 1_772_442_000_000),
            ("-1", TimeUnit::Microseconds, -1),
            ("1772442000000999999", TimeUnit::Nanoseconds, 1_772_442_000_000),
            ("-1000000", TimeUnit::Nanoseconds, -1),
        ] {
            assert_eq!(read(text, unit), Ok(time), "{text} {}", unit.name());
        }
        for (text, unit, reason) in [
            ("1.5", TimeUnit::Milliseconds, "wrong_type"),
            ("1.5", TimeUnit::Nanoseconds, "wrong_type"),
            ("0.0000000001", TimeUnit::Seconds, "wrong_type"),
            ("9300000000000000", TimeUnit::Seconds, "out_of_range"),
            ("9223372036854775.9000001", TimeUnit::Seconds, "out_of_range"),
            ("-9223372036854775807.0000001", TimeUnit::Seconds, "out_of_range"),
            ("33900000000.-00000001", TimeUnit::Seconds, "wrong_type"),
            ("99999999999999999999", TimeUnit::Nanoseconds, "out_of_range"),
            ("", TimeUnit::Seconds, "wrong_type"),
        ] {
            assert_eq!(read(text, unit), Err(reason), "{text} {}", unit.name());
        }
    }

    #[test]
    fn the_unit_that_was_most_likely_meant() {
        let unit = |number| time_units(number).into_iter().map(|(unit, time)| (unit.name(), time)).collect::<Vec<_>>();
        let time = "2026-03-02T09:00:00Z".to_owned();
        assert_eq!(unit("1772442000"), [("s", time.clone())]);
        assert_eq!(unit("1772442000000000"), [("us", time.clone())]);
        assert_eq!(unit("1772442000000000000"), [("ns", time)]);
        assert_eq!(unit("20260302"), []);
    }
}
