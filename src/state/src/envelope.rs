//! Small objects (generations, manifests, marks) as JSON in an envelope that says what it is, which
//! format, and a checksum of the rest.
//!
//! ```text
//! {"propice":"checkpoint","format":1,"checksum":"…32 hex digits…","body":{…}}
//! ```
//!
//! The envelope stays the same in all formats, so that every propice can tell a newer format from
//! damage.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Error;

/// The newest format of small objects that is known here, and the one that is written.
pub(crate) const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    propice: &'a str,
    format: u32,
    checksum: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// A checksum of 128 bit as text, over parts that cannot run into one another.
pub(crate) fn checksum(parts: &[&[u8]]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(32);
    for byte in digest(parts) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A checksum of 128 bit.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    digest
}

fn sum(what: &str, format: u32, body: &str) -> String {
    checksum(&[what.as_bytes(), &format.to_le_bytes(), body.as_bytes()])
}

fn wrap(what: &str, format: u32, checksum: &str, body: &str) -> Vec<u8> {
    format!("{{\"propice\":\"{what}\",\"format\":{format},\"checksum\":\"{checksum}\",\"body\":{body}}}\n").into_bytes()
}

/// Puts a body into its envelope.
pub(crate) fn seal<T: Serialize>(name: &str, what: &str, body: &T) -> Result<Vec<u8>, Error> {
    seal_as(name, what, FORMAT, body)
}

pub(crate) fn seal_as<T: Serialize>(name: &str, what: &str, format: u32, body: &T) -> Result<Vec<u8>, Error> {
    let body = serde_json::to_string(body).map_err(|error| Error::Entry {
        name: name.to_owned(),
        collection: what.to_owned(),
        cause: error.to_string(),
    })?;
    Ok(wrap(what, format, &sum(what, format, &body), &body))
}

/// Takes a body out of its envelope. Every changed bit is damage.
pub(crate) fn open<T: DeserializeOwned>(name: &str, what: &str, content: &[u8]) -> Result<T, Error> {
    let envelope: Envelope<'_> = serde_json::from_slice(content)
        .map_err(|error| Error::damaged(name, format!("it is no envelope of propice: {error}")))?;
    let body = envelope.body.get();
    if sum(envelope.propice, envelope.format, body) != envelope.checksum {
        return Err(Error::damaged(name, "its checksum does not match"));
    }
    if envelope.format > FORMAT {
        return Err(Error::Newer { name: name.to_owned(), format: envelope.format, ours: FORMAT });
    }
    // Blanks and spellings that mean the same: not as it was written either.
    if wrap(envelope.propice, envelope.format, &envelope.checksum, body) != content {
        return Err(Error::damaged(name, "its envelope was changed"));
    }
    if envelope.propice != what {
        return Err(Error::damaged(name, format!("it holds a {}, not a {what}", envelope.propice)));
    }
    serde_json::from_str(body).map_err(|error| Error::damaged(name, format!("it does not read as a {what}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;

    #[test]
    fn every_bit_counts() {
        let sealed = seal("x", "thing", &vec!["a".to_owned(), "b c".to_owned()]).expect("plain text");
        let opened: Vec<String> = open("x", "thing", &sealed).expect("as it was written");
        assert_eq!(opened, ["a", "b c"]);
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                let error = open::<Vec<String>>("x", "thing", &changed).expect_err("a changed bit");
                assert!(matches!(error.fault(), Some(Fault::Damaged(_))), "byte {at}, bit {bit}: {error}");
            }
            open::<Vec<String>>("x", "thing", &sealed[..at]).expect_err("cut short");
        }
    }

    #[test]
    fn a_newer_format_is_not_damage() {
        let sealed = seal_as("x", "thing", FORMAT + 1, &"anything").expect("plain text");
        let error = open::<Vec<String>>("x", "thing", &sealed).expect_err("a newer format");
        assert_eq!(error.fault(), Some(Fault::Newer { format: FORMAT + 1 }));
        let other = seal("x", "else", &Vec::<String>::new()).expect("plain text");
        assert!(open::<Vec<String>>("x", "thing", &other).is_err());
    }
}
