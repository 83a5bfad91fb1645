//! Values of fields, features and attributes.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use super::id::Id;
use super::types::Type;

/// A finite floating-point number with a total order. Zero has one sign.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Real(f64);

impl Real {
    /// `None` for what is not finite.
    #[inline]
    pub fn new(number: f64) -> Option<Real> {
        // Adding zero turns −0 into +0, so that equal numbers have equal bits.
        number.is_finite().then_some(Real(number + 0.0))
    }

    /// The number.
    #[inline]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Real {}
impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Real {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
impl Hash for Real {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// A value of any [`Type`], or null. Ordered within a type by the order of the type; null is least.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Value {
    /// Nothing is known.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite floating-point number.
    Float(Real),
    /// An exact number, in units of the scale of its type.
    Decimal(Decimal),
    /// Unicode text.
    Text(Arc<str>),
    /// An instant, in milliseconds since 1970.
    Time(i64),
    /// A span of time, in milliseconds.
    Duration(i64),
    /// The id of an entity.
    Id(Id),
    /// Several values.
    List(Arc<[Value]>),
}

impl Value {
    /// Text.
    pub fn text(text: &str) -> Value {
        Value::Text(Arc::from(text))
    }

    /// A floating-point number, null when it is not finite.
    pub fn float(number: f64) -> Value {
        Real::new(number).map_or(Value::Null, Value::Float)
    }

    /// A decimal of so many units.
    pub fn decimal(units: i128) -> Value {
        Value::Decimal(Decimal::new(units))
    }

    /// Whether nothing is known.
    #[inline]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// As JSON: numbers as numbers with every decimal of their scale, times as RFC 3339, durations
    /// as `48h`, ids as text.
    pub fn write_json(&self, ty: &Type, out: &mut String) {
        match (self, ty) {
            (Value::Null, _) => out.push_str("null"),
            (Value::Bool(flag), _) => out.push_str(if *flag { "true" } else { "false" }),
            (Value::Int(number), _) => out.push_str(&number.to_string()),
            (Value::Float(number), _) => write_json_with(out, &number.get()),
            (Value::Decimal(number), Type::Decimal(scale)) => number.write(out, *scale),
            (Value::Decimal(number), _) => number.write(out, 0),
            (Value::Text(text), _) => write_json_with(out, text.as_ref()),
            (Value::Time(time_ms), _) => write_json_with(out, &super::time::format_time(*time_ms)),
            (Value::Duration(ms), _) => write_json_with(out, &super::time::format_duration(*ms)),
            (Value::Id(id), _) => write_json_with(out, &id.to_string()),
            (Value::List(values), ty) => {
                let of = if let Type::List(of) = ty { of } else { ty };
                out.push('[');
                for (position, value) in values.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    value.write_json(of, out);
                }
                out.push(']');
            }
        }
    }
}

/// Appends anything that serde can write as JSON.
pub fn write_json_with<T: Serialize + ?Sized>(out: &mut String, value: &T) {
    // Texts and finite numbers always have a JSON form.
    if let Ok(json) = serde_json::to_string(value) {
        out.push_str(&json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_three_words() {
        assert_eq!(size_of::<Value>(), 24);
    }

    #[test]
    fn zero_has_one_sign_and_nothing_is_infinite() {
        assert_eq!(Real::new(-0.0), Real::new(0.0));
        assert_eq!(Value::float(f64::NAN), Value::Null);
    }

    #[test]
    fn json_keeps_every_decimal() {
        let mut out = String::new();
        Value::List(Arc::from([Value::decimal(1250), Value::Null]))
            .write_json(&Type::List(Box::new(Type::Decimal(2))), &mut out);
        assert_eq!(out, "[12.50,null]");
    }
}
