//! Records as they come and go.

use rdkafka::Message as _;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Header, Headers as _, OwnedHeaders};

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic.
    pub topic: String,
    /// Its number, from 0.
    pub number: i32,
}

/// A record that was read; it borrows from the client.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// When it was made or appended, in milliseconds since 1970, where the broker says so.
    pub timestamp_ms: Option<i64>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers.
    pub headers: RecordHeaders<'a>,
}

impl<'a> Received<'a> {
    pub(crate) fn of(message: &'a BorrowedMessage<'a>) -> Received<'a> {
        Received {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis(),
            key: message.key(),
            value: message.payload(),
            headers: RecordHeaders(message.headers()),
        }
    }
}

/// The headers of a record.
#[derive(Clone, Copy)]
pub struct RecordHeaders<'a>(pub(crate) Option<&'a BorrowedHeaders>);

impl std::fmt::Debug for RecordHeaders<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> RecordHeaders<'a> {
    /// The last value of a header, if it is there.
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        let headers = self.0?;
        (0..headers.count()).rev().map(|at| headers.get(at)).find(|header| header.key == name)?.value
    }

    /// All names and values, in order.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let all = self.0.into_iter().flat_map(|headers| (0..headers.count()).map(|at| headers.get(at)));
        all.map(|header| (header.key, header.value.unwrap_or_default()))
    }
}

/// A record to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub topic: std::sync::Arc<str>,
    /// To which partition; by the hash of the key unless said.
    pub partition: Option<i32>,
    /// The key.
    pub key: Vec<u8>,
    /// The value; none is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Names and values.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Outgoing {
    pub(crate) fn owned_headers(&self) -> Option<OwnedHeaders> {
        if self.headers.is_empty() {
            return None;
        }
        let headers = OwnedHeaders::new_with_capacity(self.headers.len());
        let add = |headers: OwnedHeaders, (key, value): &(String, Vec<u8>)| {
            headers.insert(Header { key, value: Some(value.as_slice()) })
        };
        Some(self.headers.iter().fold(headers, add))
    }
}
