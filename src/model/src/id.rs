//! Ids of customers and of the entities that belong to them.
//!
//! A numeric id is kept as a number: it costs no allocation and hashes fast. An id is numeric when
//! it is a whole number in its shortest form, so that the number and its text are the same id (`12`
//! and `"12"`), and `"012"` is another. Numeric ids order before all others, by number; the others
//! by bytes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The id of a customer or of another entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Id {
    /// A whole number in its shortest form.
    Number(u64),
    /// Anything else.
    Text(Arc<str>),
}

impl Id {
    /// The id that a text spells.
    pub fn parse(text: &str) -> Id {
        match Id::number(text) {
            Some(number) => Id::Number(number),
            None => Id::Text(Arc::from(text)),
        }
    }

    /// The number that a text spells in its shortest form, if it does.
    fn number(text: &str) -> Option<u64> {
        let bytes = text.as_bytes();
        let shortest = match bytes {
            [b'0'] => true,
            [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
            _ => false,
        };
        if shortest { text.parse().ok() } else { None }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Number(number) => write!(f, "{number}"),
            Id::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_shortest_text_are_one_id() {
        assert_eq!(Id::parse("12"), Id::Number(12));
        assert_eq!(Id::parse("0"), Id::Number(0));
        for other in ["012", "+12", "-1", "1.0", "", "99999999999999999999", "c1"] {
            assert_eq!(Id::parse(other), Id::Text(Arc::from(other)));
            assert_eq!(Id::parse(other).to_string(), other);
        }
    }
}
