//! What has to stand in the topics: the records at the times to which they are bound, through an
//! engine, as over files.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use propice_define::Plan;
use propice_define::deployment::{KeyFrom, RecordFormat};
use propice_edge::sink::json::{write_decision, write_transition};
use propice_edge::sink::views::shown;
use propice_edge::sink::{OutgoingDecision, OutgoingTransition};
use propice_edge::trigger::{TopicRecord, channel_name};
use propice_flow::Engine;
use propice_flow::decode::RecordError;
use propice_flow::decode::records::{RawRecord, RecordDecoder};
use propice_model::{Fact, InputId, KindId, LogicalTime, Origin};
use propice_run::Session;
use propice_run::gather::Complete;
use serde_json::{Value, json};

use super::topics::{Bound, Read};

/// A trigger, as its record has it: headers by name, and the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub headers: BTreeMap<String, String>,
    pub value: String,
}

/// A record that is refused: which, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub record: Read,
    pub input: String,
    pub reason: String,
}

/// What has to be there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// By channel and customer, in order.
    pub triggers: BTreeMap<(String, String), Vec<Told>>,
    /// By customer, in order.
    pub decisions: BTreeMap<String, Vec<String>>,
    /// The episodes that are open, by id.
    pub open: BTreeMap<String, String>,
    /// By key of their records.
    pub views: BTreeMap<String, Value>,
}

/// Makes facts of what stood in topics: those that are bound, by time, and what is refused.
pub(super) struct Facts {
    pub by_time: BTreeMap<LogicalTime, Vec<Fact>>,
    /// By topic, partition, offset.
    pub refused: BTreeMap<(String, i32, i64), Refused>,
    pub records: usize,
}

impl Facts {
    /// Of these inputs: name, topic, records.
    pub(super) fn of(plan: &Arc<Plan>, inputs: &[(&str, String, Vec<Read>)], bound: &Bound) -> Facts {
        let mut facts = Facts { by_time: BTreeMap::new(), refused: BTreeMap::new(), records: 0 };
        for (name, topic, records) in inputs {
            let input = plan.inputs.iter().position(|input| input.name == *name).expect("an input of the pack");
            let input = InputId(input as u16);
            let mut decoder = RecordDecoder::new(plan, input, RecordFormat::Json, KeyFrom::Value);
            for record in records {
                let Some(time) = bound.time(topic, record.partition, record.offset) else { continue };
                facts.records += 1;
                let raw = RawRecord {
                    key: record.key.as_deref(),
                    value: record.value.as_deref(),
                    timestamp_ms: record.timestamp_ms,
                };
                let origin = Origin { file: record.partition as u16, line: record.offset as u64 };
                match decoder.fact(&raw, origin) {
                    Ok(fact) => facts.by_time.entry(time).or_default().extend(fact),
                    Err(RecordError { reason, .. }) => {
                        let place = (topic.clone(), record.partition, record.offset);
                        let (input, reason) = ((*name).to_owned(), reason.to_owned());
                        facts.refused.insert(place, Refused { record: record.clone(), input, reason });
                    }
                }
            }
        }
        facts
    }
}

/// Runs an engine over facts, through a time.
pub(super) fn expected(plan: &Arc<Plan>, engine: Engine, facts: &Facts, through: LogicalTime) -> Expected {
    let complete = Rc::new(RefCell::new(Complete::default()));
    let into = complete.clone();
    let mut session = Session::alone(plan, engine, true, move |gathered, frontier| {
        let more = gathered.take_before(frontier);
        let mut all = into.borrow_mut();
        all.transitions.extend(more.transitions);
        all.decisions.extend(more.decisions);
        all.views.extend(more.views);
    });
    for (time, facts) in facts.by_time.range(..=through) {
        session.feed(&mut facts.iter().map(|fact| (fact.clone(), *time, 1)).collect());
    }
    session.advance(through + 1);
    let mut all = complete.take();
    all.transitions.retain(|transition| transition.time <= through);
    all.decisions.retain(|decision| decision.time <= through);
    all.views.retain(|(_, time, _)| *time <= through);
    of(plan, &all)
}

/// What is said, as it stands in topics.
fn of(plan: &Plan, all: &Complete) -> Expected {
    let mut expected = Expected::default();
    let line = |write: &dyn Fn(&mut String)| {
        let mut line = String::new();
        write(&mut line);
        line.trim_end().to_owned()
    };
    for outgoing in &OutgoingTransition::all(plan, &all.transitions) {
        let id = outgoing.episode_id().to_owned();
        if outgoing.transition.opened {
            expected.open.insert(id, line(&|line| write_transition(plan, outgoing, line)));
        } else {
            expected.open.remove(&id);
        }
    }
    for at_once in all.decisions.chunk_by(|one, next| one.time == next.time) {
        for outgoing in &OutgoingDecision::all(plan, at_once) {
            let customer = outgoing.decision.customer.to_string();
            expected.decisions.entry(customer).or_default().push(line(&|line| write_decision(plan, outgoing, line)));
            let Some(trigger) = outgoing.trigger() else { continue };
            let place = (channel_name(plan, outgoing.channel()).to_owned(), trigger.partitionkey.clone());
            let record = TopicRecord::new(trigger).expect("a trigger has a JSON form");
            let headers = record.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let value = String::from_utf8(record.value.expect("a value")).expect("JSON");
            expected.triggers.entry(place).or_default().push(Told { headers, value });
        }
    }
    let mut counts = BTreeMap::new();
    for (part, _, diff) in &all.views {
        *counts.entry(part).or_insert(0) += diff;
    }
    for (part, count) in counts {
        assert!(count == 0 || count == 1, "a part of a view is there or not: {part:?}, {count}");
        let kind = part.entity.as_ref().map_or(KindId::CUSTOMER, |(kind, _)| *kind);
        if count == 1 {
            let mut key = json!({ "customer": part.customer.to_string() });
            if let Some((kind, id)) = &part.entity {
                key["entity"] = json!({ "kind": plan.entities[kind.index()].name, "id": id.to_string() });
            }
            let values = shown(plan, kind, &part.slots)
                .map(|(name, value)| (name.to_owned(), serde_json::from_str(&value).expect("JSON")));
            expected.views.insert(key.to_string(), Value::Object(values.collect()));
        }
    }
    expected
}
