//! Compares what stands in the topics with what has to be there. It shares no code with the
//! runtime: it reads every topic as a subscriber does, takes the bindings and the records, and runs
//! an engine over them as over files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use propice_define::Plan;
use propice_flow::Engine;
use serde_json::Value;

use super::broker::Broker;
use super::expected::{Expected, Facts, Told, expected};
use super::feeder::INPUTS;
use super::topics::{Bound, Read, appended, by_console, committed, text, visible};

/// The header that says when a record was decided.
const LOGICAL_TIME: &str = "propice-logical-time-ms";

/// What was compared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Compared {
    pub records: usize,
    pub triggers: usize,
    pub decisions: usize,
    pub refused: usize,
    pub repeated: usize,
}

impl std::ops::AddAssign for Compared {
    fn add_assign(&mut self, more: Compared) {
        self.records += more.records;
        self.triggers += more.triggers;
        self.decisions += more.decisions;
        self.refused += more.refused;
        self.repeated += more.repeated;
    }
}

/// What is to be compared.
pub(super) struct Checker<'a> {
    pub broker: &'a Broker,
    pub plan: &'a Arc<Plan>,
    /// What the names of all topics begin with.
    pub prefix: &'a str,
    /// Whether nothing may be there twice, as those see it who read what is committed.
    pub exactly_once: bool,
    pub with_views: bool,
    /// Whether Kafka's own client is asked as well.
    pub with_console: bool,
}

impl Checker<'_> {
    /// Reads it all, and panics where something is not as it has to be.
    pub(super) fn check(&self) -> Compared {
        let (facts, expected) = self.expected();
        let mut compared = Compared { records: facts.records, refused: facts.refused.len(), ..Compared::default() };
        self.triggers(&expected, &mut compared);
        self.decisions(&expected, &mut compared);
        self.episodes(&expected);
        self.views(&expected);
        self.dead_letters(&facts, &mut compared);
        compared
    }

    /// Looks at one topic only.
    pub(super) fn only(&self, topic: &str) {
        let (facts, expected) = self.expected();
        let compared = &mut Compared::default();
        match topic {
            "decisions" => self.decisions(&expected, compared),
            "episodes" => self.episodes(&expected),
            "views" => self.views(&expected),
            "dead_letters" => self.dead_letters(&facts, compared),
            _ => self.triggers(&expected, compared),
        }
    }

    /// What was read and bound, and what has to be there.
    fn expected(&self) -> (Facts, Expected) {
        let inputs = INPUTS.map(|input| {
            let topic = self.topic(input);
            let records = committed(self.broker, &topic);
            (input, topic, records)
        });
        let bound = self.bound();
        let visible = visible(self.broker, &self.topic("progress"));
        assert!(visible >= bound.greatest, "visible through {visible}, bound through {}", bound.greatest);
        for (_, topic, records) in &inputs {
            for Read { partition, offset, .. } in records {
                assert!(bound.time(topic, *partition, *offset).is_some(), "{topic}/{partition}/{offset} is not bound");
            }
        }
        let facts = Facts::of(self.plan, &inputs, &bound);
        let reference = expected(self.plan, Engine::Reference, &facts, visible);
        let fused = expected(self.plan, Engine::Fused, &facts, visible);
        assert!(reference == fused, "both engines mean the same: {}", differ(&reference, &fused));
        (facts, reference)
    }

    fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    pub(super) fn bound(&self) -> Bound {
        let topic = self.topic("bindings");
        let records = if self.exactly_once { committed(self.broker, &topic) } else { appended(self.broker, &topic) };
        Bound::of(&records)
    }

    fn triggers(&self, expected: &Expected, compared: &mut Compared) {
        for channel in ["push", "letter", "default"] {
            let topic = self.topic(&format!("triggers.{channel}"));
            let mut told: BTreeMap<String, Vec<Told>> = BTreeMap::new();
            let (mut ids, mut places) = (BTreeMap::new(), BTreeMap::new());
            for record in committed(self.broker, &topic) {
                let customer = record.key();
                let place = *places.entry(customer.clone()).or_insert(record.partition);
                assert_eq!(place, record.partition, "{topic}: {customer} is in one partition");
                let id = record.header("ce_id").expect("an id");
                let told_now = as_told(&record);
                if let Some(before) = ids.get(&id) {
                    assert!(!self.exactly_once, "{topic}: {id} is said twice");
                    assert_eq!(before, &told_now, "{topic}: {id} is said twice, and not the same");
                    compared.repeated += 1;
                    continue;
                }
                ids.insert(id, told_now.clone());
                told.entry(customer).or_default().push(told_now);
            }
            let of_channel = expected.triggers.iter().filter(|((of, _), _)| of == channel);
            let wanted: BTreeMap<&String, &Vec<Told>> =
                of_channel.map(|((_, customer), told)| (customer, told)).collect();
            compared.triggers += wanted.values().map(|told| told.len()).sum::<usize>();
            let customers: BTreeSet<&String> = told.keys().chain(wanted.keys().copied()).collect();
            for customer in customers {
                let (is, wants) = (told.get(customer), wanted.get(customer).copied());
                same(
                    &format!("{topic} of {customer}"),
                    is.map_or(&[], Vec::as_slice),
                    wants.map_or(&[], Vec::as_slice),
                );
            }
            if self.with_console && channel == "push" {
                self.console(&topic, &wanted);
            }
        }
    }

    /// The same through Kafka's own client.
    fn console(&self, topic: &str, wanted: &BTreeMap<&String, &Vec<Told>>) {
        let count: usize = wanted.values().map(|told| told.len()).sum();
        let mut seen: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for [_, headers, key, value] in by_console(self.broker, topic, if self.exactly_once { count } else { 1 << 30 })
        {
            let id = headers.split(',').find_map(|header| header.strip_prefix("ce_id:")).expect("an id").to_owned();
            if ids.insert(id.clone()) {
                seen.entry(key).or_default().push((id, value));
            } else {
                assert!(!self.exactly_once, "{topic}: {id} is said twice");
            }
        }
        let of = |told: &Told| (told.headers["ce_id"].clone(), told.value.clone());
        let wanted: BTreeMap<String, Vec<(String, String)>> =
            wanted.iter().map(|(customer, told)| ((*customer).clone(), told.iter().map(of).collect())).collect();
        assert_eq!(seen, wanted, "{topic}: as the console consumer of Kafka sees it");
    }

    fn decisions(&self, expected: &Expected, compared: &mut Compared) {
        let topic = self.topic("decisions");
        let mut decided: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in committed(self.broker, &topic) {
            let of_customer = decided.entry(record.key()).or_default();
            let line = text(record.value.as_deref().expect("a value"));
            let time: Value = serde_json::from_str(&line).expect("JSON");
            assert_eq!(record.header(LOGICAL_TIME), Some(time["logical_time_ms"].to_string()), "{topic}: {line}");
            if !self.exactly_once && of_customer.contains(&line) {
                compared.repeated += 1;
            } else {
                of_customer.push(line);
            }
        }
        compared.decisions += expected.decisions.values().map(Vec::len).sum::<usize>();
        let customers: BTreeSet<&String> = decided.keys().chain(expected.decisions.keys()).collect();
        for customer in customers {
            let of = |all: &BTreeMap<String, Vec<String>>| all.get(customer).cloned().unwrap_or_default();
            same(&format!("{topic} of {customer}"), &of(&decided), &of(&expected.decisions));
        }
    }

    /// The last record of each key of a compacted topic.
    fn latest(&self, topic: &str) -> BTreeMap<String, String> {
        let mut latest = BTreeMap::new();
        for record in committed(self.broker, topic) {
            match &record.value {
                Some(value) => latest.insert(record.key(), text(value)),
                None => latest.remove(&record.key()),
            };
        }
        latest
    }

    fn episodes(&self, expected: &Expected) {
        let topic = self.topic("episodes");
        same_keys(&topic, &self.latest(&topic), &expected.open);
    }

    fn views(&self, expected: &Expected) {
        if self.with_views {
            let topic = self.topic("views");
            let values = self.latest(&topic).into_iter().map(|(key, value)| {
                let key: Value = serde_json::from_str(&key).expect("JSON");
                let value: Value = serde_json::from_str(&value).expect("JSON");
                (key.to_string(), value["values"].clone())
            });
            same_keys(&topic, &values.collect(), &expected.views);
        }
    }

    /// Each record that was refused is there, whole, once.
    fn dead_letters(&self, facts: &Facts, compared: &mut Compared) {
        let topic = self.topic("dead_letters");
        let mut seen: BTreeMap<(String, i32, i64), Read> = BTreeMap::new();
        for letter in committed(self.broker, &topic) {
            let number = |name: &str| letter.header(name).expect("a header").parse::<i64>().expect("a number");
            let origin = letter.header("propice-topic").expect("a topic");
            let place = (origin, number("propice-partition") as i32, number("propice-offset"));
            let dead = facts.refused.get(&place).unwrap_or_else(|| panic!("{topic}: {place:?} is not to be refused"));
            let record = &dead.record;
            assert_eq!(letter.value, record.value, "{topic}: the value of {place:?}");
            assert_eq!(
                letter.key.clone().unwrap_or_default(),
                record.key.clone().unwrap_or_default(),
                "{topic}: {place:?}"
            );
            let own: Vec<_> =
                letter.headers.iter().filter(|(name, _)| !name.starts_with("propice-")).cloned().collect();
            assert_eq!(own, record.headers, "{topic}: the headers of {place:?}");
            assert_eq!(letter.header("propice-reason").as_ref(), Some(&dead.reason), "{topic}: {place:?}");
            assert_eq!(letter.header("propice-input").as_ref(), Some(&dead.input), "{topic}: {place:?}");
            assert_eq!(letter.header("propice-timestamp-ms"), record.timestamp_ms.map(|at| at.to_string()), "{topic}");
            assert!(letter.header("propice-error").is_some_and(|error| !error.is_empty()), "{topic}: why {place:?}");
            if let Some(before) = seen.insert(place.clone(), letter.clone()) {
                assert!(!self.exactly_once, "{topic}: {place:?} is there twice");
                assert_eq!(before.headers, letter.headers, "{topic}: {place:?} is there twice, and not the same");
                compared.repeated += 1;
            }
        }
        let lost: Vec<_> = facts.refused.keys().filter(|place| !seen.contains_key(place)).collect();
        assert!(lost.is_empty(), "{topic}: {lost:?} are lost");
    }
}

fn as_told(record: &Read) -> Told {
    let headers = record.headers.iter().filter(|(name, _)| name != LOGICAL_TIME);
    let headers = headers.map(|(name, value)| (name.clone(), text(value))).collect();
    Told { headers, value: text(record.value.as_deref().expect("a value")) }
}

/// Panics with the first place at which two sequences differ.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &[T], wanted: &[T]) {
    if is != wanted {
        let at = is.iter().zip(wanted).position(|(is, wanted)| is != wanted).unwrap_or(is.len().min(wanted.len()));
        let (is_at, wanted_at) = (is.get(at), wanted.get(at));
        let (here, there) = (is.len(), wanted.len());
        panic!("{what}: {here} are there, {there} have to be; at {at}\n  is     {is_at:?}\n  wanted {wanted_at:?}");
    }
}

fn same_keys<T: PartialEq + std::fmt::Debug>(what: &str, is: &BTreeMap<String, T>, wanted: &BTreeMap<String, T>) {
    let keys: BTreeSet<&String> = is.keys().chain(wanted.keys()).collect();
    let wrong: Vec<_> = keys.into_iter().filter(|key| is.get(*key) != wanted.get(*key)).collect();
    if let Some(key) = wrong.first() {
        let (is, wanted) = (is.get(*key), wanted.get(*key));
        panic!("{what}: {} keys are wrong; {key}\n  is     {is:?}\n  wanted {wanted:?}", wrong.len());
    }
}

fn differ(one: &Expected, other: &Expected) -> &'static str {
    match () {
        () if one.triggers != other.triggers => "triggers",
        () if one.decisions != other.decisions => "decisions",
        () if one.open != other.open => "episodes",
        () => "views",
    }
}
