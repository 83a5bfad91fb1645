//! Key ranges: what is stored, moved and made visible goes by one of 256 ranges of a hash, which is
//! ours and never changes. Numbers of workers and hashes of a library are in nothing that is kept.
//!
//! The hash is FNV-1a of 64 bit over a name and the parts of a key, each behind its length in bytes
//! (4 bytes, little endian), so that no two lists of parts are the same bytes. What comes out is
//! mixed once (the finalizer of `MurmurHash3`), since the high bits of FNV-1a hardly depend on the
//! last bytes. The range is its highest byte.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::Id;
use super::value::Value;

/// One of the ranges of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyRange(pub u8);

impl KeyRange {
    /// How many there are.
    pub const COUNT: usize = 256;

    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = KeyRange> {
        (0..=u8::MAX).map(KeyRange)
    }

    /// Of a key in parts, under a name.
    pub fn of<'a>(name: &str, key: impl IntoIterator<Item = &'a str>) -> KeyRange {
        let mut hash = Fnv::default();
        hash.part(name);
        key.into_iter().for_each(|part| hash.part(part));
        KeyRange((hash.mixed() >> 56) as u8)
    }

    /// Of an entity: the name of its kind, and its id as text.
    pub fn of_id(kind: &str, id: &Id) -> KeyRange {
        match id {
            Id::Number(number) => KeyRange::of(kind, [number.to_string().as_str()]),
            Id::Text(text) => KeyRange::of(kind, [text.as_ref()]),
        }
    }

    /// Of a row: the name of its table, and the values of its primary key as texts ([`key_text`]).
    pub fn of_row(table: &str, key: &[Value]) -> KeyRange {
        let texts: Vec<String> = key.iter().map(key_text).collect();
        KeyRange::of(table, texts.iter().map(String::as_str))
    }
}

impl fmt::Display for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}", self.0)
    }
}

/// A value of a primary key as text: numbers in decimal (decimals in units of their scale, times
/// and durations in milliseconds), texts and ids as they are, null as nothing.
pub fn key_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) | Value::Time(number) | Value::Duration(number) => number.to_string(),
        Value::Float(number) => number.get().to_string(),
        Value::Decimal(number) => number.units().to_string(),
        Value::Text(text) => text.to_string(),
        Value::Id(id) => id.to_string(),
        Value::List(values) => values.iter().map(key_text).collect::<Vec<_>>().join(","),
    }
}

/// FNV-1a.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn part(&mut self, part: &str) {
        self.bytes(&(part.len() as u32).to_le_bytes());
        self.bytes(part.as_bytes());
    }

    fn mixed(&self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is stored goes by these: they never change. Computed by another program.
    #[test]
    fn ranges_never_change() {
        #[rustfmt::skip]
        let golden = [("customer", "0", 0xf3), ("customer", "1", 0x91), ("customer", "12", 0xc4), ("customer", "c1", 0x3b), ("customer", "ÿ", 0x2f), ("customer", "", 0xd7), ("account", "1", 0x81), ("account", "a7", 0xe5)];
        for (kind, id, range) in golden {
            assert_eq!(KeyRange::of_id(kind, &Id::parse(id)).0, range, "{kind} {id}");
        }
        let key = [Value::Int(-5), Value::text("a,b"), Value::Null, Value::Bool(true)];
        assert_eq!(KeyRange::of_row("dispositions", &key).0, 0xbb);
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(KeyRange::of("a", ["bc"]), KeyRange::of("ab", ["c"]));
        assert_eq!(KeyRange::of_id("customer", &Id::Number(12)), KeyRange::of("customer", ["12"]));
        assert_eq!(KeyRange(7).to_string(), "07");
    }

    #[test]
    fn every_range_has_its_share() {
        let mut counts = [0; KeyRange::COUNT];
        (0..25_600_u64).for_each(|id| counts[usize::from(KeyRange::of_id("customer", &Id::Number(id)).0)] += 1);
        assert!(counts.iter().all(|count| (50..160).contains(count)), "{counts:?}");
        assert_eq!(KeyRange::all().count(), KeyRange::COUNT);
    }
}
