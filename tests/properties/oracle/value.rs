//! The oracle's own values, types and their text forms. Nothing here comes from the crate under
//! test.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::exact::{Fraction, nearest, of_decimal};

/// A type of the pack language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Bool,
    Int,
    Float,
    Decimal(u8),
    /// A literal such as `1.50`, with so many decimals: exact next to a decimal.
    Literal(u8),
    /// A fraction of exact numbers: a float as soon as somebody asks for its value, or as it meets
    /// one.
    Fraction,
    Text,
    Time,
    Duration,
    /// The id of an entity of the kind at this position.
    Id(usize),
    List(Box<Ty>),
}

impl Ty {
    /// Whether its values are exact numbers.
    pub(crate) fn is_exact(&self) -> bool {
        matches!(self, Ty::Int | Ty::Decimal(_) | Ty::Literal(_) | Ty::Fraction)
    }

    /// The type of what is kept: of an attribute, of the argument of a feature.
    pub(crate) fn kept(&self) -> Ty {
        match self {
            Ty::Literal(_) | Ty::Fraction => Ty::Float,
            Ty::List(of) => Ty::List(Box::new(of.kept())),
            other => other.clone(),
        }
    }
}

/// An id: numbers before texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Id {
    Number(u64),
    Text(String),
}

impl Id {
    pub(crate) fn of(text: &str) -> Id {
        match text.parse::<u64>() {
            Ok(number) if number.to_string() == text => Id::Number(number),
            _ => Id::Text(text.to_owned()),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Id::Number(number) => number.to_string(),
            Id::Text(text) => text.clone(),
        }
    }
}

/// A value; decimals carry their scale.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum V {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Units and scale.
    Decimal(i128, u8),
    /// Never the value of a slot.
    Fraction(Fraction),
    Text(String),
    Time(i64),
    Duration(i64),
    Id(Id),
    List(Vec<V>),
}

impl V {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, V::Null)
    }

    /// As a condition: null is false.
    pub(crate) fn holds(&self) -> bool {
        matches!(self, V::Bool(true))
    }

    /// The order of the type; null is least.
    pub(crate) fn order(&self, other: &V) -> Ordering {
        match (self, other) {
            (V::Null, V::Null) => Ordering::Equal,
            (V::Null, _) => Ordering::Less,
            (_, V::Null) => Ordering::Greater,
            (V::Bool(a), V::Bool(b)) => a.cmp(b),
            (V::Int(a), V::Int(b)) | (V::Time(a), V::Time(b)) | (V::Duration(a), V::Duration(b)) => a.cmp(b),
            (V::Float(a), V::Float(b)) => a.partial_cmp(b).expect("floats are finite"),
            (V::Decimal(a, m), V::Decimal(b, n)) => {
                let scale = *m.max(n);
                rescale(*a, *m, scale).expect("small").cmp(&rescale(*b, *n, scale).expect("small"))
            }
            (V::Fraction(a), V::Fraction(b)) => a.cmp(b),
            (V::Text(a), V::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (V::Id(a), V::Id(b)) => a.cmp(b),
            (a, b) => panic!("{a:?} and {b:?} have no common order"),
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> String {
        match self {
            V::Null => "null".to_owned(),
            V::Bool(flag) => flag.to_string(),
            V::Int(number) => number.to_string(),
            V::Float(number) => json_of(number),
            V::Decimal(units, scale) => decimal_text(*units, *scale),
            V::Fraction(_) => panic!("a fraction is no value"),
            V::Text(text) => json_of(text),
            V::Time(ms) => json_of(&time_text(*ms)),
            V::Duration(ms) => json_of(&duration_text(*ms)),
            V::Id(id) => json_of(&id.text()),
            V::List(values) => format!("[{}]", values.iter().map(V::json).collect::<Vec<_>>().join(",")),
        }
    }
}

pub(crate) fn json_of<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("has a JSON form")
}

/// Units of one scale as units of another that is not smaller.
pub(crate) fn rescale(units: i128, from: u8, to: u8) -> Option<i128> {
    units.checked_mul(10_i128.pow(u32::from(to - from)))
}

/// The nearest float.
pub(crate) fn decimal_to_float(units: i128, scale: u8) -> f64 {
    nearest(&of_decimal(units, scale)).expect("not too large")
}

fn decimal_text(units: i128, scale: u8) -> String {
    let digits = format!("{:0width$}", units.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let sign = if units < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Reads `-12.5` exactly: units and how many decimals are written.
pub(crate) fn read_decimal(text: &str) -> Option<(i128, u8)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || digits.ends_with('.') {
        return None;
    }
    let units: i128 = format!("{whole}{fraction}").parse().ok()?;
    Some((if text.starts_with('-') { -units } else { units }, u8::try_from(fraction.len()).ok()?))
}

/// A time as it is published.
pub(crate) fn time_text(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).expect("within the calendar").to_string()
}

const UNITS: [(&str, i64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A duration as it is published: days and smaller, without weeks.
pub(crate) fn duration_text(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = if ms < 0 { "-".to_owned() } else { String::new() };
    let mut rest = ms.abs();
    for (unit, size) in &UNITS[1..] {
        if rest / size > 0 {
            let _ = write!(text, "{}{unit}", rest / size);
        }
        rest %= size;
    }
    text
}

/// Reads `1d12h` or `-5ms`.
pub(crate) fn read_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut total = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|&at| at > 0)?;
        let behind = &rest[digits..];
        let letters = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (_, size) = UNITS.iter().find(|(unit, _)| *unit == &behind[..letters])?;
        total += rest[..digits].parse::<i64>().ok()? * size;
        rest = &behind[letters..];
    }
    Some(sign * total)
}
