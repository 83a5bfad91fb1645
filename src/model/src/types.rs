//! The types of fields, features, attributes and expressions.

use std::fmt;

use super::names::KindId;
use super::value::Value;

/// The type of a value. Every type also holds null.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bit.
    Int,
    /// A finite floating-point number of 64 bit.
    Float,
    /// An exact number with so many decimals.
    Decimal(u8),
    /// Unicode text.
    Text,
    /// An instant, in milliseconds since 1970.
    Time,
    /// A span of time, in milliseconds.
    Duration,
    /// The id of an entity of this kind.
    Id(KindId),
    /// Several values of one type, in a stable order.
    List(Box<Type>),
}

impl Type {
    /// Whether arithmetic is defined on it.
    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int | Type::Float | Type::Decimal(_))
    }

    /// Whether a value is one of it, or null.
    pub fn admits(&self, value: &Value) -> bool {
        matches!(
            (self, value),
            (_, Value::Null)
                | (Type::Bool, Value::Bool(_))
                | (Type::Int, Value::Int(_))
                | (Type::Float, Value::Float(_))
                | (Type::Decimal(_), Value::Decimal(_))
                | (Type::Text, Value::Text(_))
                | (Type::Time, Value::Time(_))
                | (Type::Duration, Value::Duration(_))
                | (Type::Id(_), Value::Id(_))
                | (Type::List(_), Value::List(_))
        )
    }
}

/// As packs spell it; an id without the name of its entity, which only the pack knows.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Decimal(scale) => write!(f, "decimal({scale})"),
            Type::Text => f.write_str("text"),
            Type::Time => f.write_str("time"),
            Type::Duration => f.write_str("duration"),
            Type::Id(_) => f.write_str("id"),
            Type::List(of) => write!(f, "list of {of}"),
        }
    }
}
