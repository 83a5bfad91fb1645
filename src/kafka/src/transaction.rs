//! A producer of transactions.
//!
//! Fenced, timed out and dead look alike: any error ends the use of the producer, and whoever uses
//! it starts again as a whole (`docs/live.md`).

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::producer::{DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, producer::BaseRecord};

use super::error::{Doing, KafkaError};
use super::native;
use super::record::Outgoing;
use super::settings::Settings;

/// How long a step of a transaction may take before the broker is taken for dead.
const STEP: Duration = Duration::from_secs(30);
/// The first time-out of a take-over. librdkafka retries what it needs only every 500 ms: asking
/// again with a new client is quicker (117 ms instead of 500 to 1,500).
const FIRST_TRY: Duration = Duration::from_millis(60);

/// Remembers the first record that could not be delivered.
#[derive(Clone, Default)]
struct Failures(Arc<Mutex<Option<KafkaError>>>);

impl ClientContext for Failures {}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, message)) = result {
            use rdkafka::Message as _;
            let error = KafkaError::new(Doing::Sending(message.topic().to_owned()), error);
            if let Ok(mut first) = self.0.lock() {
                first.get_or_insert(error);
            }
        }
    }
}

/// A producer that has taken over its transactional id: nobody else commits under it any more.
pub struct TransactionalProducer {
    id: String,
    producer: ThreadedProducer<Failures>,
    failures: Failures,
}

impl TransactionalProducer {
    /// Takes a transactional id over: whoever had it before is fenced, and an open transaction of
    /// its is aborted. Blocks until that is so, at most so long.
    ///
    /// # Errors
    /// When the broker does not answer in time, or refuses.
    pub fn take_over(settings: &Settings, id: &str, within: Duration) -> Result<TransactionalProducer, KafkaError> {
        let doing = Doing::Fencing(id.to_owned());
        let started = Instant::now();
        let mut timeout = FIRST_TRY;
        loop {
            let failures = Failures::default();
            let config = settings.transactional(id);
            let producer: ThreadedProducer<Failures> =
                config.create_with_context(failures.clone()).map_err(|error| KafkaError::new(doing.clone(), &error))?;
            match producer.init_transactions(timeout) {
                Ok(()) => return Ok(TransactionalProducer { id: id.to_owned(), producer, failures }),
                Err(error) => {
                    let error = KafkaError::new(doing.clone(), &error);
                    // Dropping a client takes as long as what it waits for.
                    std::thread::spawn(move || drop(producer));
                    if started.elapsed() > within {
                        return Err(error);
                    }
                    tracing::debug!(%error, ?timeout, "asking again");
                    timeout = (timeout * 2).min(STEP);
                }
            }
        }
    }

    fn doing(&self) -> Doing {
        Doing::Transaction(self.id.clone())
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// When the producer was fenced or has failed.
    pub fn begin(&self) -> Result<(), KafkaError> {
        self.producer.begin_transaction().map_err(|error| KafkaError::new(self.doing(), &error))
    }

    /// Sends a record in the transaction. Waits while the queue of the client is full.
    ///
    /// # Errors
    /// When the client does not take it.
    pub fn send(&self, record: &Outgoing) -> Result<(), KafkaError> {
        send(record, (), |record| self.producer.send(record))
    }

    /// Waits until everything that was sent is acknowledged.
    ///
    /// # Errors
    /// When something could not be delivered.
    pub fn flush(&self) -> Result<(), KafkaError> {
        native::flush(self.producer.client(), STEP, &self.doing())?;
        match self.failures.0.lock().ok().and_then(|mut first| first.take()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// When it is not sure that it was committed.
    pub fn commit(&self) -> Result<(), KafkaError> {
        native::commit(self.producer.client(), STEP, &self.doing())
    }
}

/// How often a record is offered again while the queue of the client is full.
const FULL: Duration = Duration::from_millis(1);

/// Sends a record; waits while the queue of the client is full.
pub(crate) fn send<O: rdkafka::util::IntoOpaque>(
    record: &Outgoing,
    opaque: O,
    mut send: impl FnMut(
        BaseRecord<'_, [u8], [u8], O>,
    ) -> Result<(), (rdkafka::error::KafkaError, BaseRecord<'_, [u8], [u8], O>)>,
) -> Result<(), KafkaError> {
    let mut opaque = Some(opaque);
    loop {
        let Some(opaque_now) = opaque.take() else { return Ok(()) };
        let mut native = BaseRecord::with_opaque_to(&record.topic, opaque_now).key(record.key.as_slice());
        native.payload = record.value.as_deref();
        native.partition = record.partition;
        native.headers = record.owned_headers();
        match send(native) {
            Ok(()) => return Ok(()),
            Err((error, back)) => {
                let error = KafkaError::new(Doing::Sending(record.topic.to_string()), &error);
                if !error.is_queue_full() {
                    return Err(error);
                }
                opaque = Some(back.delivery_opaque);
                std::thread::sleep(FULL);
            }
        }
    }
}
