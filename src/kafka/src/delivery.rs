//! A producer without transactions that tells when a record is acknowledged.

use std::sync::mpsc::{Receiver, Sender, channel};

use rdkafka::ClientContext;
use rdkafka::producer::{DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};

use super::error::{Doing, KafkaError};
use super::record::Outgoing;
use super::settings::Settings;
use super::transaction::send;

/// What became of a record.
#[derive(Debug)]
pub struct Delivered {
    /// What its sender calls it.
    pub token: u64,
    /// Its offset, or why it was not delivered.
    pub offset: Result<i64, KafkaError>,
}

/// Hands over what became of each record.
struct Reports(Sender<Delivered>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, result: &DeliveryResult<'_>, token: Box<u64>) {
        use rdkafka::Message as _;
        let offset = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, message)) => Err(KafkaError::new(Doing::Sending(message.topic().to_owned()), error)),
        };
        // Nobody listens any more when the process ends.
        let _ = self.0.send(Delivered { token: *token, offset });
    }
}

/// An idempotent producer: in order per partition, nothing twice.
pub struct DeliveryProducer {
    producer: ThreadedProducer<Reports>,
}

impl DeliveryProducer {
    /// A producer, and what becomes of its records, in the order in which that is known.
    ///
    /// # Errors
    /// When the settings are refused.
    pub fn new(settings: &Settings) -> Result<(DeliveryProducer, Receiver<Delivered>), KafkaError> {
        let (sender, receiver) = channel();
        let producer = settings
            .producer()
            .create_with_context(Reports(sender))
            .map_err(|error| KafkaError::new(Doing::Connecting, &error))?;
        Ok((DeliveryProducer { producer }, receiver))
    }

    /// Sends a record. Waits while the queue of the client is full.
    ///
    /// # Errors
    /// When the client does not take it.
    pub fn send(&self, record: &Outgoing, token: u64) -> Result<(), KafkaError> {
        send(record, Box::new(token), |record| self.producer.send(record))
    }

    /// How many records are on their way.
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.producer.in_flight_count()).unwrap_or_default()
    }
}
