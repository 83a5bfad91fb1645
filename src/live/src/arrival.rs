//! What comes out of the thread that reads, and into workers.

use propice_kafka::Received;
use propice_model::Fact;

use super::protocol::PartitionIndex;

/// What the thread that reads tells a worker.
#[derive(Debug)]
pub(crate) enum FromReader {
    /// Records, in order of their partitions.
    Records(Vec<Arrival>),
    /// A partition that was not there when the process began.
    Partition {
        /// Which one.
        index: PartitionIndex,
        /// The offset at which reading begins.
        start: i64,
    },
}

/// A record that was read and decoded.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// Where it stood.
    pub partition: PartitionIndex,
    /// Its offset.
    pub offset: i64,
    /// What it says.
    pub item: Item,
}

/// What a record says.
#[derive(Debug)]
pub(crate) enum Item {
    /// It is a fact.
    Fact(Fact),
    /// It could not be taken.
    Dead(Box<DeadRecord>),
    /// It says nothing: a tombstone of a stream.
    Nothing,
}

/// A record that could not be taken, whole, with its origin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeadRecord {
    /// The topic it stood in.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The time that the broker says, in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
    /// The stream or table, where it is known.
    pub input: Option<String>,
    /// A stable word for programs.
    pub reason: String,
    /// For people.
    pub error: String,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl DeadRecord {
    pub(crate) fn new(received: &Received<'_>, input: Option<&str>, reason: &str, error: String) -> DeadRecord {
        DeadRecord {
            topic: received.topic.to_owned(),
            partition: received.partition,
            offset: received.offset,
            timestamp_ms: received.timestamp_ms,
            input: input.map(str::to_owned),
            reason: reason.to_owned(),
            error,
            key: received.key.map(<[u8]>::to_vec),
            value: received.value.map(<[u8]>::to_vec),
            headers: received.headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
        }
    }
}
