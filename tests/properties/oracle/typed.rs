//! One value from its text, as JSON or as a delimited file writes it.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::decode::Reason;
use super::raw::Cell;
use super::value::{Id, Ty, V, read_duration};

const WRONG: Reason = "wrong_type";
const RANGE: Reason = "out_of_range";

/// A value as a type. Numbers that stand for a time count so many of a unit; a time that names no
/// offset is one of the zone of the pack.
pub(crate) fn typed(cell: &Cell, ty: &Ty, unit: &str, zone: &str) -> Result<V, Reason> {
    match cell {
        Cell::Json(raw) => of_json(raw, ty, unit, zone),
        Cell::Text(text) => of_text(text, ty, unit, zone),
    }
}

fn of_json(raw: &str, ty: &Ty, unit: &str, zone: &str) -> Result<V, Reason> {
    match raw.as_bytes()[0] {
        b'{' | b'[' => Err(WRONG),
        b't' | b'f' => {
            if *ty == Ty::Bool {
                Ok(V::Bool(raw == "true"))
            } else {
                Err(WRONG)
            }
        }
        b'"' => {
            let text: String = serde_json::from_str(raw).map_err(|_| "unreadable")?;
            match ty {
                Ty::Text => Ok(V::Text(text)),
                Ty::Time => time(&text, zone),
                Ty::Duration => read_duration(&text).map(V::Duration).ok_or(WRONG),
                Ty::Id(_) if text.is_empty() => Err(WRONG),
                Ty::Id(_) => Ok(V::Id(Id::of(&text))),
                Ty::Decimal(scale) => decimal(&text, *scale),
                _ => Err(WRONG),
            }
        }
        _ => match ty {
            Ty::Id(_) if Number::read(raw).is_some_and(|number| number.is_plain) => Ok(V::Id(Id::of(raw))),
            Ty::Id(_) => whole(raw).map(|number| V::Id(Id::of(&number.to_string()))),
            _ => number(raw, ty, unit),
        },
    }
}

/// A value of a delimited file, which is not empty.
fn of_text(text: &str, ty: &Ty, unit: &str, zone: &str) -> Result<V, Reason> {
    let is_whole = || Number::read(text).is_some_and(|number| number.is_plain);
    match ty {
        Ty::Bool => match text {
            "true" | "1" => Ok(V::Bool(true)),
            "false" | "0" => Ok(V::Bool(false)),
            _ => Err(WRONG),
        },
        Ty::Text => Ok(V::Text(text.to_owned())),
        Ty::Id(_) => Ok(V::Id(Id::of(text))),
        Ty::Time if is_whole() || (unit == "s" && Number::read(text).is_some()) => number(text, ty, unit),
        Ty::Time => time(text, zone),
        Ty::Duration if !is_whole() => read_duration(text).map(V::Duration).ok_or(WRONG),
        _ => number(text, ty, unit),
    }
}

fn number(text: &str, ty: &Ty, unit: &str) -> Result<V, Reason> {
    match ty {
        Ty::Int => whole(text).map(V::Int),
        Ty::Duration => whole(text).map(V::Duration),
        Ty::Decimal(scale) => decimal(text, *scale),
        Ty::Float => match text.parse::<f64>() {
            _ if Number::read(text).is_none() => Err(WRONG),
            Ok(number) if number.is_finite() => Ok(V::Float(number + 0.0)),
            _ => Err(RANGE),
        },
        Ty::Time => Ok(V::Time(match unit {
            // Nanoseconds are the finest that is written.
            "s" => {
                let ns = Number::read(text).ok_or(WRONG)?.units_within(9, 28)?;
                i64::try_from(ns.div_euclid(1_000_000)).map_err(|_| RANGE)?
            }
            "us" => whole(text)?.div_euclid(1_000),
            "ns" => whole(text)?.div_euclid(1_000_000),
            _ => whole(text)?,
        })),
        _ => Err(WRONG),
    }
}

fn whole(text: &str) -> Result<i64, Reason> {
    let units = Number::read(text).ok_or(WRONG)?.units(0)?;
    i64::try_from(units).map_err(|_| RANGE)
}

/// A decimal of at most so many decimals, trailing zeros aside, and 64 bit of units.
fn decimal(text: &str, scale: u8) -> Result<V, Reason> {
    let units = Number::read(text).ok_or(WRONG)?.units(scale)?;
    i64::try_from(units).map_err(|_| RANGE)?;
    Ok(V::Decimal(units, scale))
}

/// A time with an offset, or one of the zone: of a time that is there twice the first, of one that
/// is not there the one by the offset that held before.
fn time(text: &str, zone: &str) -> Result<V, Reason> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(V::Time(time.as_millisecond()));
    }
    let local: DateTime = text.parse().map_err(|_| WRONG)?;
    let zone = TimeZone::get(zone).expect("a known zone");
    let time = local.to_zoned(zone).expect("within the calendar").timestamp();
    Ok(V::Time(time.as_millisecond()))
}

/// A number as it is written: `-12.50`, `1.25e1`.
struct Number {
    negative: bool,
    /// Without a point.
    digits: String,
    /// How many of the digits stand behind the point.
    decimals: i64,
    /// Neither a point nor an exponent.
    is_plain: bool,
}

impl Number {
    fn read(text: &str) -> Option<Number> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let pointless = !unsigned.contains('.');
        if whole.is_empty() || !plain(whole) || !plain(fraction) || (fraction.is_empty() && !pointless) {
            return None;
        }
        let exponent: i64 = exponent.parse().ok()?;
        Some(Number {
            negative: mantissa.starts_with('-'),
            digits: format!("{whole}{fraction}"),
            decimals: fraction.len() as i64 - exponent,
            is_plain: pointless && !text.contains(['e', 'E']),
        })
    }

    /// How many units of so many decimals it is.
    fn units(&self, scale: u8) -> Result<i128, Reason> {
        self.units_within(scale, 19)
    }

    /// The same, of a number of at most so many digits.
    fn units_within(&self, scale: u8, digits_most: i64) -> Result<i128, Reason> {
        let digits = self.digits.trim_start_matches('0');
        let kept = digits.trim_end_matches('0');
        if kept.is_empty() {
            return Ok(0);
        }
        let decimals = self.decimals - (digits.len() - kept.len()) as i64;
        let power = i64::from(scale) - decimals;
        if kept.len() as i64 + power > digits_most {
            return Err(RANGE);
        }
        if power < 0 {
            // Large comes before too fine.
            let above = kept.len() as i64 + power > 0
                && kept[..(kept.len() as i64 + power) as usize]
                    .parse::<i128>()
                    .is_ok_and(|units| i64::try_from(units).is_err());
            return Err(if above { RANGE } else { WRONG });
        }
        let units = kept.parse::<i128>().map_err(|_| RANGE)? * 10_i128.pow(power as u32);
        Ok(if self.negative { -units } else { units })
    }
}
