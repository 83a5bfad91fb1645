//! A topic of ours, whole: read from an offset to its end.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError as Native;
use rdkafka::{Offset, TopicPartitionList};

use super::error::{Doing, KafkaError};
use super::record::Received;
use super::settings::{Isolation, Settings};

/// How long the broker is asked for watermarks.
const ASK: Duration = Duration::from_secs(10);
/// How long between two questions whether an open transaction has ended.
const OPEN: Duration = Duration::from_millis(5);

/// Up to where a topic is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEnd {
    /// All that is committed, once everything that was appended until now is decided: a reader of
    /// committed records waits for open transactions, at most so long.
    Decided(Duration),
    /// All that was appended.
    Appended,
}

/// How far a topic was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// The first offset that was there.
    pub low: i64,
    /// The offset behind the last one.
    pub end: i64,
}

/// Reads a partition of a topic from `from` (or its first offset, if that is later) to its end.
///
/// # Errors
/// When the broker does not answer, or a transaction stays open for too long.
pub fn scan(
    settings: &Settings,
    topic: &str,
    partition: i32,
    from: i64,
    end: ScanEnd,
    mut each: impl FnMut(Received<'_>),
) -> Result<Scanned, KafkaError> {
    let isolation = if end == ScanEnd::Appended { Isolation::Uncommitted } else { Isolation::Committed };
    let failed = |error: &Native| KafkaError::new(Doing::Asking(topic.to_owned()), error);
    let mut config = settings.consumer(isolation);
    config.set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create().map_err(|error| failed(&error))?;
    let (low, high) = watermarks(settings, topic, partition)?;
    if let ScanEnd::Decided(within) = end {
        decided(&consumer, topic, partition, high, within)?;
    }
    let scanned = Scanned { low, end: high };
    let start = from.max(low);
    if start < high {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(start)).map_err(|error| failed(&error))?;
        consumer.assign(&list).map_err(|error| failed(&error))?;
        let started = Instant::now();
        let mut silent_since = started;
        loop {
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    silent_since = Instant::now();
                    each(Received::of(&message));
                }
                Some(Err(Native::PartitionEOF(_))) => break,
                Some(Err(error)) => {
                    let error = failed(&error);
                    if !error.is_unreachable() {
                        return Err(error);
                    }
                }
                None => {}
            }
            if silent_since.elapsed() > ASK {
                return Err(KafkaError::of_text(Doing::Asking(topic.to_owned()), "the broker does not answer"));
            }
        }
    }
    // Dropping a consumer takes 100 to 200 ms.
    std::thread::spawn(move || drop(consumer));
    Ok(scanned)
}

/// The first offset of a partition, and the one behind its last record, committed or not.
fn watermarks(settings: &Settings, topic: &str, partition: i32) -> Result<(i64, i64), KafkaError> {
    let failed = |error: &Native| KafkaError::new(Doing::Asking(topic.to_owned()), error);
    let consumer: BaseConsumer = settings.consumer(Isolation::Uncommitted).create().map_err(|error| failed(&error))?;
    let marks = consumer.fetch_watermarks(topic, partition, ASK).map_err(|error| failed(&error));
    std::thread::spawn(move || drop(consumer));
    marks
}

/// Waits until every transaction before an offset has ended.
fn decided(
    consumer: &BaseConsumer,
    topic: &str,
    partition: i32,
    high: i64,
    within: Duration,
) -> Result<(), KafkaError> {
    let doing = || Doing::Asking(topic.to_owned());
    let started = Instant::now();
    loop {
        let (_, stable) =
            consumer.fetch_watermarks(topic, partition, ASK).map_err(|error| KafkaError::new(doing(), &error))?;
        if stable >= high {
            return Ok(());
        }
        if started.elapsed() > within {
            let text = format!("a transaction that was open at offset {stable} does not end");
            return Err(KafkaError::of_text(doing(), text));
        }
        std::thread::sleep(OPEN);
    }
}
