//! Which topics there are, and making those that are missing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic as Native, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};

use super::error::{Doing, KafkaError};
use super::record::Partition;
use super::settings::{Isolation, Settings};

/// How long a broker is given for an answer.
const ASK: Duration = Duration::from_secs(10);
/// librdkafka looks for what it does not know only after a while; asking twice is quicker.
const AGAIN: Duration = Duration::from_millis(12);

/// A topic that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its partitions, from 0.
    pub partitions: i32,
    /// On how many brokers each is.
    pub replication: i32,
}

/// A topic that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: i32,
    /// On how many brokers.
    pub replication: i32,
    /// Settings of the topic, by the names of Kafka.
    pub settings: Vec<(&'static str, String)>,
}

/// Asks a cluster about its topics.
pub struct Topics {
    settings: Settings,
    consumer: BaseConsumer,
}

impl Topics {
    /// Connects.
    ///
    /// # Errors
    /// When the settings are refused.
    pub fn new(settings: &Settings) -> Result<Topics, KafkaError> {
        let consumer = settings
            .consumer(Isolation::Committed)
            .create()
            .map_err(|error| KafkaError::new(Doing::Connecting, &error))?;
        Ok(Topics { settings: settings.clone(), consumer })
    }

    /// Waits until a broker answers, at most so long.
    ///
    /// # Errors
    /// When none does.
    pub fn reachable(&self, within: Duration) -> Result<(), KafkaError> {
        let started = Instant::now();
        loop {
            match self.consumer.fetch_metadata(Some("__consumer_offsets"), Duration::from_millis(500)) {
                Ok(_) => return Ok(()),
                Err(error) if started.elapsed() >= within => {
                    return Err(KafkaError::new(Doing::Connecting, &error));
                }
                // With the broker down this fails at once.
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// All topics.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn all(&self) -> Result<BTreeMap<String, TopicInfo>, KafkaError> {
        let metadata = self
            .consumer
            .fetch_metadata(None, ASK)
            .map_err(|error| KafkaError::new(Doing::Asking("*".to_owned()), &error))?;
        let topics = metadata.topics().iter().filter(|topic| topic.error().is_none());
        Ok(topics
            .map(|topic| {
                let replication = topic.partitions().iter().map(|part| part.replicas().len()).min().unwrap_or_default();
                let info = TopicInfo {
                    partitions: i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX),
                    replication: i32::try_from(replication).unwrap_or(i32::MAX),
                };
                (topic.name().to_owned(), info)
            })
            .collect())
    }

    /// All partitions of topics, in order; none of a topic that is not there.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn partitions<'a>(&self, topics: impl IntoIterator<Item = &'a str>) -> Result<Vec<Partition>, KafkaError> {
        let there = self.all()?;
        let of_topic = |topic: &'a str| {
            let count = there.get(topic).map_or(0, |info| info.partitions);
            (0..count).map(move |number| Partition { topic: topic.to_owned(), number })
        };
        Ok(topics.into_iter().flat_map(of_topic).collect())
    }

    /// Makes topics, and waits until the brokers know them.
    ///
    /// # Errors
    /// When one is refused; that it is there already is none.
    pub fn create(&self, topics: &[NewTopic]) -> Result<(), KafkaError> {
        let Some(first) = topics.first() else { return Ok(()) };
        let doing = |name: &str| Doing::Creating(name.to_owned());
        let admin: AdminClient<DefaultClientContext> =
            self.settings.admin().create().map_err(|error| KafkaError::new(doing(&first.name), &error))?;
        let natives: Vec<Native<'_>> = topics
            .iter()
            .map(|topic| {
                let replication = TopicReplication::Fixed(topic.replication);
                let native = Native::new(&topic.name, topic.partitions, replication);
                topic.settings.iter().fold(native, |native, (name, value)| native.set(name, value))
            })
            .collect();
        let options = AdminOptions::new().operation_timeout(Some(ASK)).request_timeout(Some(ASK));
        let results = futures_executor::block_on(admin.create_topics(&natives, &options))
            .map_err(|error| KafkaError::new(doing(&first.name), &error))?;
        for result in results {
            if let Err((name, code)) = result
                && code != rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists
            {
                return Err(KafkaError::of_code(doing(&name), code, code.to_string()));
            }
        }
        self.known(topics)
    }

    /// Deletes the records of a partition before an offset.
    ///
    /// # Errors
    /// When the broker refuses.
    pub fn delete_before(&self, partition: &Partition, offset: i64) -> Result<(), KafkaError> {
        let failed =
            |error: &rdkafka::error::KafkaError| KafkaError::new(Doing::Asking(partition.topic.clone()), error);
        let admin: AdminClient<DefaultClientContext> =
            self.settings.admin().create().map_err(|error| failed(&error))?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(offset))
            .map_err(|error| failed(&error))?;
        let options = AdminOptions::new().operation_timeout(Some(ASK)).request_timeout(Some(ASK));
        let deleted = futures_executor::block_on(admin.delete_records(&list, &options));
        let deleted = deleted.map_err(|error| failed(&error))?;
        deleted.elements().iter().try_for_each(|element| element.error().map_err(|error| failed(&error)))
    }

    /// Waits until topics are known.
    fn known(&self, topics: &[NewTopic]) -> Result<(), KafkaError> {
        let started = Instant::now();
        loop {
            let all = self.all()?;
            let Some(missing) = topics.iter().find(|topic| !all.contains_key(&topic.name)) else { return Ok(()) };
            if started.elapsed() > ASK {
                return Err(KafkaError::of_text(Doing::Creating(missing.name.clone()), "it does not appear"));
            }
            std::thread::sleep(AGAIN);
        }
    }

    /// The first offset of a partition and the one behind its last record.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn watermarks(&self, partition: &Partition) -> Result<(i64, i64), KafkaError> {
        self.consumer
            .fetch_watermarks(&partition.topic, partition.number, ASK)
            .map_err(|error| KafkaError::new(Doing::Asking(partition.topic.clone()), &error))
    }

    /// Of each partition the first offset whose record is not before a time (milliseconds since
    /// 1970), or its end.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn offsets_at(&self, partitions: &[Partition], time_ms: i64) -> Result<Vec<i64>, KafkaError> {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(time_ms))
                .map_err(|error| KafkaError::new(Doing::Asking(partition.topic.clone()), &error))?;
        }
        let found = self
            .consumer
            .offsets_for_times(list, ASK)
            .map_err(|error| KafkaError::new(Doing::Asking("*".to_owned()), &error))?;
        partitions
            .iter()
            .map(|partition| {
                let offset = found.find_partition(&partition.topic, partition.number).map(|found| found.offset());
                match offset {
                    Some(Offset::Offset(offset)) => Ok(offset),
                    _ => Ok(self.watermarks(partition)?.1),
                }
            })
            .collect()
    }
}
