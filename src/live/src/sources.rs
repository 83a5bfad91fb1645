//! Topics become facts: which input a record belongs to, and what it says.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use propice_define::Plan;
use propice_define::deployment::{InputTopics, RecordFormat, Select, SelectBy};
use propice_flow::decode::records::{RawRecord, RecordDecoder};
use propice_flow::decode::{RecordError, debezium};
use propice_kafka::{Partition, Received};
use propice_model::Origin;

use super::arrival::{Arrival, DeadRecord, Item};
use super::protocol::PartitionIndex;
use super::protocol::binding::Offsets;

/// The partitions that are read, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Partitions(RwLock<Vec<Partition>>);

impl Partitions {
    /// A partition more.
    pub(crate) fn add(&self, partition: Partition) -> PartitionIndex {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.push(partition);
        PartitionIndex(all.len() as u32 - 1)
    }

    /// The partition at an index.
    pub(crate) fn get(&self, index: PartitionIndex) -> Option<Partition> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(index.0 as usize).cloned()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Each of them, in order.
    pub(crate) fn all(&self) -> Vec<Partition> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Offsets by name.
    pub(crate) fn offsets(&self, offsets: &[(PartitionIndex, i64)]) -> Offsets {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut named = Offsets::new();
        for (index, offset) in offsets {
            let Partition { topic, number } = &all[index.0 as usize];
            named.entry(topic.clone()).or_default().insert(*number, *offset);
        }
        named
    }
}

/// Decodes the records of all topics.
pub(crate) struct Sources {
    topics: HashMap<String, Topic>,
}

/// The inputs that share a topic, and which of its partitions are where.
#[derive(Default)]
struct Topic {
    inputs: Vec<Input>,
    partitions: BTreeMap<i32, PartitionIndex>,
}

struct Input {
    name: String,
    select: Option<Select>,
    format: RecordFormat,
    decoder: RecordDecoder,
}

impl Sources {
    /// For these inputs of a plan.
    pub(crate) fn new(plan: &Arc<Plan>, inputs: &[InputTopics]) -> Sources {
        let mut topics: HashMap<String, Topic> = HashMap::new();
        for declared in inputs {
            for topic in &declared.topics {
                topics.entry(topic.clone()).or_default().inputs.push(Input::new(plan, declared));
            }
        }
        Sources { topics }
    }

    /// A partition that is read.
    pub(crate) fn add(&mut self, partition: &Partition, index: PartitionIndex) {
        if let Some(topic) = self.topics.get_mut(&partition.topic) {
            topic.partitions.insert(partition.number, index);
        }
    }

    /// What a record says.
    pub(crate) fn decode(&mut self, received: &Received<'_>) -> Option<Arrival> {
        let topic = self.topics.get_mut(received.topic)?;
        let partition = *topic.partitions.get(&received.partition)?;
        let own = topic.inputs.iter().position(|input| input.selects(received));
        let item = match own {
            Some(own) => topic.inputs[own].decode(received),
            // The deletion in front of a tombstone has said it, which tells what it belongs to.
            None if received.value.is_none() && topic.inputs.iter().all(Input::has_deletions) => Item::Nothing,
            None => {
                let names: Vec<&str> = topic.inputs.iter().map(|input| input.name.as_str()).collect();
                let error = format!("belongs to none of the inputs of this topic: {}", names.join(", "));
                Item::Dead(Box::new(DeadRecord::new(received, None, "unknown_input", error)))
            }
        };
        Some(Arrival { partition, offset: received.offset, item })
    }
}

impl Input {
    fn new(plan: &Arc<Plan>, declared: &InputTopics) -> Input {
        let InputTopics { input, name, select, format, key, .. } = declared;
        Input {
            name: name.clone(),
            select: select.clone(),
            format: *format,
            decoder: RecordDecoder::new(plan, *input, *format, *key),
        }
    }

    /// Whether a record of its topic is its own.
    fn selects(&self, received: &Received<'_>) -> bool {
        let Some(Select { by, equals }) = &self.select else { return true };
        match by {
            SelectBy::Header(name) => received.headers.get(name) == Some(equals.as_bytes()),
            SelectBy::Field(name) => match (self.format, received.value) {
                (_, None) => received.key.is_some_and(|key| field_is(key, name, equals)),
                (RecordFormat::Json, Some(value)) => field_is(value, name, equals),
                (RecordFormat::Debezium, Some(value)) => {
                    debezium::field(value, name).is_some_and(|field| is(&field, equals))
                }
            },
        }
    }

    /// Whether a tombstone only says once more what a record before it said.
    fn has_deletions(&self) -> bool {
        self.format == RecordFormat::Debezium
    }

    fn decode(&mut self, received: &Received<'_>) -> Item {
        let record = RawRecord { key: received.key, value: received.value, timestamp_ms: received.timestamp_ms };
        let origin = Origin { file: received.partition as u16, line: received.offset as u64 };
        match self.decoder.fact(&record, origin) {
            Ok(Some(fact)) => Item::Fact(fact),
            Ok(None) => Item::Nothing,
            Err(RecordError { reason, message }) => {
                Item::Dead(Box::new(DeadRecord::new(received, Some(&self.name), reason, message)))
            }
        }
    }
}

/// Whether the field of a JSON object has this value: a text as it is, anything else as JSON
/// writes it.
fn field_is(value: &[u8], name: &str, equals: &str) -> bool {
    let Ok(fields) = serde_json::from_slice::<HashMap<String, &serde_json::value::RawValue>>(value) else {
        return false;
    };
    fields.get(name).is_some_and(|field| is(field.get(), equals))
}

fn is(field: &str, equals: &str) -> bool {
    match serde_json::from_str::<String>(field) {
        Ok(text) => text == equals,
        Err(_) => field == equals,
    }
}

/// The topics that are read, with the inputs that begin at each: a topic that is shared begins
/// where the first of its inputs says.
pub(crate) fn read_topics(inputs: &[InputTopics]) -> BTreeMap<&str, &InputTopics> {
    let mut topics = BTreeMap::new();
    for input in inputs {
        for topic in &input.topics {
            topics.entry(topic.as_str()).or_insert(input);
        }
    }
    topics
}
