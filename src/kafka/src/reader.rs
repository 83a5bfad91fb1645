//! Reads partitions that we assign; each can be paused by itself.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError as Native;
use rdkafka::{Offset, TopicPartitionList};

use super::error::{Doing, KafkaError};
use super::record::{Partition, Received};
use super::settings::{Isolation, Settings};

/// Reads partitions. Nothing is ever committed to a consumer group.
pub struct Reader {
    consumer: BaseConsumer,
}

impl Reader {
    /// Begins to read, each partition from an offset.
    ///
    /// # Errors
    /// When the settings are refused.
    pub fn new(
        settings: &Settings,
        isolation: Isolation,
        partitions: &[(Partition, i64)],
    ) -> Result<Reader, KafkaError> {
        let consumer: BaseConsumer =
            settings.consumer(isolation).create().map_err(|error| KafkaError::new(Doing::Connecting, &error))?;
        let reader = Reader { consumer };
        let list = list(partitions.iter().map(|(partition, offset)| (partition, Some(*offset))))?;
        reader.consumer.assign(&list).map_err(|error| KafkaError::new(Doing::Reading, &error))?;
        Ok(reader)
    }

    /// Reads partitions more, each from an offset.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn add(&self, partitions: &[(Partition, i64)]) -> Result<(), KafkaError> {
        let list = list(partitions.iter().map(|(partition, offset)| (partition, Some(*offset))))?;
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
                Some(Ok(message)) => each(Received::of(&message)),
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

fn list<'a>(partitions: impl Iterator<Item = (&'a Partition, Option<i64>)>) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (Partition { topic, number }, offset) in partitions {
        match offset {
            Some(offset) => list
                .add_partition_offset(topic, *number, Offset::Offset(offset))
                .map_err(|error| KafkaError::new(Doing::Reading, &error))?,
            None => drop(list.add_partition(topic, *number)),
        }
    }
    Ok(list)
}
