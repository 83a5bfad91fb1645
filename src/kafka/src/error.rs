//! What can go wrong, with what was being done.

use std::fmt;

use rdkafka::error::KafkaError as Native;
use rdkafka::types::RDKafkaErrorCode;

/// What was being done when Kafka failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// A client was made of its settings.
    Connecting,
    /// Metadata or watermarks of a topic were asked for.
    Asking(String),
    /// A topic was made.
    Creating(String),
    /// Partitions were read.
    Reading,
    /// A transactional id was taken over.
    Fencing(String),
    /// A transaction was begun, filled or committed.
    Transaction(String),
    /// A record was sent to a topic.
    Sending(String),
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doing::Connecting => write!(f, "making a client"),
            Doing::Asking(topic) => write!(f, "asking for topic `{topic}`"),
            Doing::Creating(topic) => write!(f, "creating topic `{topic}`"),
            Doing::Reading => write!(f, "reading"),
            Doing::Fencing(id) => write!(f, "taking over transactional id `{id}`"),
            Doing::Transaction(id) => write!(f, "in a transaction of `{id}`"),
            Doing::Sending(topic) => write!(f, "sending to topic `{topic}`"),
        }
    }
}

/// An error of Kafka.
#[derive(Clone, Debug, thiserror::Error)]
#[error("Kafka, {doing}: {text}")]
pub struct KafkaError {
    /// What was being done.
    pub doing: Doing,
    /// What the client or the broker says.
    pub text: String,
    code: Option<RDKafkaErrorCode>,
}

impl KafkaError {
    pub(crate) fn new(doing: Doing, error: &Native) -> KafkaError {
        KafkaError { doing, text: error.to_string(), code: error.rdkafka_error_code() }
    }

    pub(crate) fn of_code(doing: Doing, code: RDKafkaErrorCode, text: String) -> KafkaError {
        KafkaError { doing, text, code: Some(code) }
    }

    pub(crate) fn of_text(doing: Doing, text: impl Into<String>) -> KafkaError {
        KafkaError { doing, text: text.into(), code: None }
    }

    /// Whether the records that were asked for are gone from the broker, or never were there.
    pub fn is_out_of_range(&self) -> bool {
        matches!(self.code, Some(RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset))
    }

    /// Whether no broker could be reached.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self.code,
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::Resolve
                    | RDKafkaErrorCode::OperationTimedOut
            )
        )
    }

    /// Whether there is no room for the record in the queue of the client.
    pub(crate) fn is_queue_full(&self) -> bool {
        self.code == Some(RDKafkaErrorCode::QueueFull)
    }
}
