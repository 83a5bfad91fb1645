//! How a key, an entry and an index become bytes. The only module that knows bincode.
//!
//! Serde's data model, little endian, whole numbers in as few bytes as they need. A type that is
//! stored derives `Serialize` and `Deserialize` plainly: its fields follow one another without
//! names, so what serde can only do with names (`flatten`, `untagged`, fields that are skipped)
//! does not read back. A key must give the same bytes whenever it is equal: no hash map in it.

use bincode::Options;
use propice_model::limits::STATE_ENTRY_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn options() -> impl Options {
    bincode::DefaultOptions::new().with_little_endian().with_varint_encoding().reject_trailing_bytes()
}

/// Appends what a value is stored as.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, into: &mut Vec<u8>) -> Result<(), String> {
    options().with_limit(STATE_ENTRY_BYTES).serialize_into(into, value).map_err(|error| error.to_string())
}

/// Reads a value from all of the bytes.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    options().with_limit(STATE_ENTRY_BYTES).deserialize(bytes).map_err(|error| error.to_string())
}

/// Appends a whole number in seven bits a byte.
pub(crate) fn put_number(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Takes a whole number from the front of the bytes.
pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let digits = u64::from(byte & 0x7f);
        if shift == 63 && digits > 1 {
            return None;
        }
        number |= digits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes bytes behind their length from the front.
pub(crate) fn take_bytes<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_number(number, &mut bytes);
            let mut rest = bytes.as_slice();
            assert_eq!(take_number(&mut rest), Some(number));
            assert!(rest.is_empty());
            assert_eq!(take_number(&mut &bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(take_number(&mut [0xff; 10].as_slice()), None);
    }

    #[test]
    fn bytes_are_those_of_format_1() {
        let mut bytes = Vec::new();
        encode(&("a7", Some(-2i64), 300u32, [1u8, 2]), &mut bytes).expect("plain values");
        assert_eq!(bytes, [2, b'a', b'7', 1, 3, 251, 44, 1, 1, 2]);
        assert_eq!(decode::<(String, Option<i64>, u32, [u8; 2])>(&bytes), Ok(("a7".to_owned(), Some(-2), 300, [1, 2])));
        assert!(decode::<(String, Option<i64>)>(&bytes).is_err(), "trailing bytes");
    }
}
