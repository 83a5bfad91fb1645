//! Reads partitions that we assign; each can be paused by itself.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError as Native;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message as _, Offset, TopicPartitionList};

use super::error::{Doing, KafkaError};
use super::record::{Partition, Received, RecordHeaders};
use super::settings::{Isolation, Settings};

/// Where reading of a partition begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// The first record that is there.
    Earliest,
    /// What comes from now on.
    Latest,
    /// This offset.
    Offset(i64),
}

impl From<StartAt> for Offset {
    fn from(start: StartAt) -> Offset {
        match start {
            StartAt::Earliest => Offset::Beginning,
            StartAt::Latest => Offset::End,
            StartAt::Offset(offset) => Offset::Offset(offset),
        }
    }
}

/// Reads partitions. Nothing is ever committed to a consumer group.
pub struct Reader {
    consumer: BaseConsumer,
}

impl Reader {
    /// Begins to read.
    ///
    /// # Errors
    /// When the settings are refused.
    pub fn new(
        settings: &Settings,
        isolation: Isolation,
        partitions: &[(Partition, StartAt)],
    ) -> Result<Reader, KafkaError> {
        let consumer: BaseConsumer =
            settings.consumer(isolation).create().map_err(|error| KafkaError::new(Doing::Connecting, &error))?;
        let reader = Reader { consumer };
        let list = list(partitions.iter().map(|(partition, start)| (partition, Some(*start))))?;
        reader.consumer.assign(&list).map_err(|error| KafkaError::new(Doing::Reading, &error))?;
        Ok(reader)
    }

    /// Reads partitions more.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn add(&self, partitions: &[(Partition, StartAt)]) -> Result<(), KafkaError> {
        let list = list(partitions.iter().map(|(partition, start)| (partition, Some(*start))))?;
        self.consumer.incremental_assign(&list).map_err(|error| KafkaError::new(Doing::Reading, &error))
    }

    /// Hands over what is there: waits for the first record at most so long, and for no other one.
    /// Returns how many there were.
    ///
    /// # Errors
    /// When the broker says that records are gone, or that this client may not read.
    pub fn poll(&self, wait: Duration, most: usize, mut each: impl FnMut(Received<'_>)) -> Result<usize, KafkaError> {
        let mut timeout = wait;
        for count in 0..most {
            match self.consumer.poll(timeout) {
                Some(Ok(message)) => each(received(&message)),
                Some(Err(Native::PartitionEOF(_))) => {}
                Some(Err(error)) => {
                    let error = KafkaError::new(Doing::Reading, &error);
                    // The client goes on by itself when a broker comes back.
                    if !error.is_unreachable() {
                        return Err(error);
                    }
                    tracing::warn!(%error, "reading waits");
                    return Ok(count);
                }
                None => return Ok(count),
            }
            timeout = Duration::ZERO;
        }
        Ok(most)
    }

    /// Stops fetching these partitions; what was fetched already may still come.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn pause(&self, partitions: &[Partition]) -> Result<(), KafkaError> {
        let list = list(partitions.iter().map(|partition| (partition, None)))?;
        self.consumer.pause(&list).map_err(|error| KafkaError::new(Doing::Reading, &error))
    }

    /// Goes on with them.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn resume(&self, partitions: &[Partition]) -> Result<(), KafkaError> {
        let list = list(partitions.iter().map(|partition| (partition, None)))?;
        self.consumer.resume(&list).map_err(|error| KafkaError::new(Doing::Reading, &error))
    }

    /// Ends it on a thread of its own: a consumer takes 100 to 200 ms to be dropped.
    pub fn leave(self: Arc<Reader>) {
        std::thread::spawn(move || drop(self));
    }
}

fn received<'a>(message: &'a BorrowedMessage<'a>) -> Received<'a> {
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

fn list<'a>(
    partitions: impl Iterator<Item = (&'a Partition, Option<StartAt>)>,
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (Partition { topic, number }, start) in partitions {
        match start {
            Some(start) => list
                .add_partition_offset(topic, *number, start.into())
                .map_err(|error| KafkaError::new(Doing::Reading, &error))?,
            None => drop(list.add_partition(topic, *number)),
        }
    }
    Ok(list)
}
