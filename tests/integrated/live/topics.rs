//! What stands in topics, as those read it who subscribe to them.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use propice_kafka::{Partition, ScanEnd, scan};
use propice_model::LogicalTime;
use serde_json::Value;

use super::broker::Broker;

/// How long an open transaction is waited for.
const DECIDED: Duration = Duration::from_secs(70);

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Read {
    /// The key, as text.
    pub(super) fn key(&self) -> String {
        text(self.key.as_deref().unwrap_or_default())
    }

    /// A header, as text.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().rev().find(|(known, _)| known == name).map(|(_, value)| text(value))
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Everything that is committed in a topic, partition by partition.
pub(super) fn committed(broker: &Broker, topic: &str) -> Vec<Read> {
    read(broker, topic, ScanEnd::Decided(DECIDED))
}

/// Everything in a topic, committed or not.
pub(super) fn appended(broker: &Broker, topic: &str) -> Vec<Read> {
    read(broker, topic, ScanEnd::Appended)
}

fn read(broker: &Broker, topic: &str, end: ScanEnd) -> Vec<Read> {
    let partitions = broker.topics().all().expect("topics").get(topic).map_or(0, |info| info.partitions);
    // Clients take a while to come and go: all at once.
    std::thread::scope(|scope| {
        let of_all: Vec<_> =
            (0..partitions).map(|partition| scope.spawn(move || of_partition(broker, topic, partition, end))).collect();
        of_all.into_iter().flat_map(|thread| thread.join().expect("it is read")).collect()
    })
}

fn of_partition(broker: &Broker, topic: &str, partition: i32, end: ScanEnd) -> Vec<Read> {
    let mut all = Vec::new();
    let scanned = scan(&broker.settings(), topic, partition, 0, end, |received| {
        all.push(Read {
            partition: received.partition,
            offset: received.offset,
            timestamp_ms: received.timestamp_ms,
            key: received.key.map(<[u8]>::to_vec),
            value: received.value.map(<[u8]>::to_vec),
            headers: received.headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
        });
    });
    scanned.unwrap_or_else(|error| panic!("{topic}/{partition}: {error}"));
    all
}

/// The offset behind the last record of each partition of a topic.
pub(super) fn ends(broker: &Broker, topic: &str) -> BTreeMap<i32, i64> {
    let topics = broker.topics();
    let count = topics.all().expect("topics").get(topic).map_or(0, |info| info.partitions);
    let end = |number| topics.watermarks(&Partition { topic: topic.to_owned(), number }).expect("watermarks").1;
    (0..count).map(|number| (number, end(number))).collect()
}

/// What a subscriber sees with Kafka's own client: of each record its partition, its headers, its
/// key and its value, in order.
pub(super) fn by_console(broker: &Broker, topic: &str, count: usize) -> Vec<[String; 4]> {
    let mut arguments = vec!["--topic", topic, "--from-beginning", "--isolation-level", "read_committed"];
    // One more than there has to be: what is too much is seen.
    let most = (count + 1).to_string();
    arguments.extend(["--max-messages", &most, "--timeout-ms", "4000"]);
    for property in ["print.partition=true", "print.headers=true", "print.key=true"] {
        arguments.extend(["--property", property]);
    }
    let output = broker
        .tool("org.apache.kafka.tools.consumer.ConsoleConsumer", &arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the console consumer of Kafka");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = said.lines().map(|line| {
        let columns: Vec<String> = line.splitn(4, '\t').map(str::to_owned).collect();
        <[String; 4]>::try_from(columns).unwrap_or_else(|columns| panic!("four columns: {columns:?}"))
    });
    lines.collect()
}

/// The bindings of a topic, as `docs/live.md` has them: of each partition times and upper offsets,
/// both increasing, and where reading began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bound {
    pub uppers: BTreeMap<(String, i32), Vec<(LogicalTime, i64)>>,
    pub starts: BTreeMap<(String, i32), i64>,
    /// The last time to which a record is bound.
    pub greatest: LogicalTime,
}

impl Bound {
    /// Below which offset a partition is bound.
    pub(super) fn upper(&self, topic: &str, partition: i32) -> i64 {
        let uppers = self.uppers.get(&(topic.to_owned(), partition));
        uppers.and_then(|uppers| uppers.last()).map_or(0, |(_, upper)| *upper)
    }

    /// When the record at an offset takes effect.
    pub(super) fn time(&self, topic: &str, partition: i32, offset: i64) -> Option<LogicalTime> {
        let place = (topic.to_owned(), partition);
        if self.starts.get(&place).is_some_and(|start| offset < *start) {
            return None;
        }
        self.uppers.get(&place)?.iter().find(|(_, upper)| offset < *upper).map(|(time, _)| *time)
    }

    /// Reads the records of a topic, in order. What a generation binds behind the mark of a later
    /// one is void.
    pub(super) fn of(records: &[Read]) -> Bound {
        let (mut bound, mut mark) = (Bound::default(), 0);
        for record in records {
            let value: Value = serde_json::from_slice(record.value.as_deref().expect("a value")).expect("JSON");
            if let Some(generation) = value.get("begins") {
                mark = mark.max(generation.as_u64().expect("a number"));
                continue;
            }
            let binding = &value["binding"];
            let generation = binding["generation"].as_u64().expect("a number");
            if generation < mark {
                continue;
            }
            mark = generation;
            let time = binding["time"].as_u64().expect("a time");
            let uppers = places(&binding["uppers"]);
            if !uppers.is_empty() {
                bound.greatest = bound.greatest.max(time);
            }
            for (place, start) in places(&binding["starts"]) {
                bound.starts.entry(place).or_insert(start);
            }
            for (place, upper) in uppers {
                bound.uppers.entry(place).or_default().push((time, upper));
            }
        }
        for (place, uppers) in &mut bound.uppers {
            uppers.sort_unstable();
            let increases = uppers.is_sorted_by(|before, after| before.0 < after.0 && before.1 < after.1);
            assert!(increases, "the bindings of {place:?} increase: {uppers:?}");
        }
        bound
    }
}

fn places(offsets: &Value) -> Vec<((String, i32), i64)> {
    let topics = offsets.as_object().into_iter().flatten();
    let all = topics.flat_map(|(topic, partitions)| {
        partitions.as_object().into_iter().flatten().map(move |(partition, offset)| {
            ((topic.clone(), partition.parse().expect("a partition")), offset.as_i64().expect("an offset"))
        })
    });
    all.collect()
}

/// Through which time everything is visible: the greatest that the topic of progress says.
pub(super) fn visible(broker: &Broker, topic: &str) -> LogicalTime {
    let said = committed(broker, topic).into_iter().filter_map(|record| {
        let value: Value = serde_json::from_slice(record.value.as_deref()?).expect("JSON");
        assert_eq!((&value["from"], &value["to"]), (&0.into(), &256.into()), "one chain speaks for all");
        value["visible"].as_u64()
    });
    said.max().unwrap_or_default()
}
