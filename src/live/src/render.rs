//! What is said becomes records of topics.
//!
//! | topic | key | value |
//! | --- | --- | --- |
//! | a channel | customer | the data of a CloudEvent (binary mode), or all of it (structured) |
//! | decisions | customer | as a line of `decisions.jsonl` |
//! | episodes, compacted | episode | a line of `episodes.jsonl` while open; then a tombstone |
//! | views, compacted | customer, entity | a part of the view; a tombstone when it is gone |
//! | dead letters | that of the record | the record, whole; in headers where it stood and why |

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use propice_define::Plan;
use propice_define::deployment::{self, EventMode, ViewsForm};
use propice_edge::sink::json::{write_decision, write_transition};
use propice_edge::sink::views::shown;
use propice_edge::sink::{OutgoingDecision, OutgoingTransition};
use propice_edge::trigger::{TopicRecord, Trigger, channel_name};
use propice_flow::ViewPart;
use propice_kafka::Outgoing;
use propice_model::{KindId, LogicalTime};

use super::arrival::DeadRecord;
use super::output::Output;

/// The header with the logical time: consumers rebuild consistent cuts with it.
pub const LOGICAL_TIME: &str = "propice-logical-time-ms";
/// The media type of a trigger in structured mode.
const STRUCTURED: &str = "application/cloudevents+json; charset=UTF-8";

/// Makes records of what is said.
pub(crate) struct Renderer {
    plan: Arc<Plan>,
    mode: EventMode,
    /// Channels by name.
    channels: BTreeMap<String, Arc<str>>,
    decisions: Option<Arc<str>>,
    episodes: Option<Arc<str>>,
    views: Option<(Arc<str>, ViewsForm)>,
    dead_letters: Arc<str>,
    /// What is earlier is not said.
    publish_from: LogicalTime,
}

impl Renderer {
    pub(crate) fn new(plan: &Arc<Plan>, output: &deployment::Output) -> Renderer {
        let topic = |topic: &Option<String>| topic.as_deref().map(Arc::from);
        Renderer {
            plan: plan.clone(),
            mode: output.mode,
            channels: output
                .channels
                .iter()
                .map(|channel| (channel.name.clone(), Arc::from(channel.topic.as_str())))
                .collect(),
            decisions: topic(&output.decisions),
            episodes: topic(&output.episodes),
            views: output.views.as_ref().map(|views| (Arc::from(views.topic.as_str()), views.form)),
            dead_letters: Arc::from(output.dead_letters.as_str()),
            publish_from: plan.policy.publish_from,
        }
    }

    /// The records of what is said at one logical time, by all workers.
    pub(crate) fn render(&self, time: LogicalTime, outputs: Vec<Output>, records: &mut Vec<Outgoing>) {
        let (mut transitions, mut decisions, mut views) = (Vec::new(), Vec::new(), Vec::new());
        for output in outputs {
            match output {
                Output::Transition(transition) => transitions.push(*transition),
                Output::Decision(decision) => decisions.push(*decision),
                Output::View(part, diff) => views.push((part, diff)),
                Output::DeadLetter(record) => records.push(self.dead_letter(*record, time)),
            }
        }
        if time >= self.publish_from {
            transitions.sort_unstable();
            decisions.sort_unstable();
            self.transitions(&OutgoingTransition::all(&self.plan, &transitions), records);
            self.decisions(time, &OutgoingDecision::all(&self.plan, &decisions), records);
        }
        self.views(time, &views, records);
    }

    fn transitions(&self, transitions: &[OutgoingTransition<'_>], records: &mut Vec<Outgoing>) {
        let Some(topic) = &self.episodes else { return };
        for outgoing in transitions {
            let transition = outgoing.transition;
            let value = transition.opened.then(|| {
                let mut line = String::new();
                write_transition(&self.plan, outgoing, &mut line);
                line.truncate(line.trim_end().len());
                line.into_bytes()
            });
            let key = outgoing.episode_id().as_bytes().to_vec();
            records.push(record(topic, key, value, transition.time));
        }
    }

    fn decisions(&self, time: LogicalTime, decisions: &[OutgoingDecision<'_>], records: &mut Vec<Outgoing>) {
        if let Some(topic) = &self.decisions {
            for decision in decisions {
                let mut line = String::new();
                write_decision(&self.plan, decision, &mut line);
                line.truncate(line.trim_end().len());
                let key = decision.decision.customer.to_string().into_bytes();
                records.push(record(topic, key, Some(line.into_bytes()), time));
            }
        }
        for decision in decisions {
            let Some(trigger) = decision.trigger() else { continue };
            // Every channel of the plan has a topic, and so has what goes to none.
            if let Some(topic) = self.channels.get(channel_name(&self.plan, decision.channel())) {
                records.push(self.trigger(topic, trigger, time));
            }
        }
    }

    fn trigger(&self, topic: &Arc<str>, trigger: &Trigger, time: LogicalTime) -> Outgoing {
        match self.mode {
            EventMode::Binary => {
                // Everything in a trigger has a JSON form.
                let value = serde_json::to_vec(&trigger.data).unwrap_or_default();
                let mut outgoing = record(topic, trigger.partitionkey.clone().into_bytes(), Some(value), time);
                let binary = TopicRecord::tombstone(trigger);
                let headers = binary.headers.into_iter();
                outgoing.headers.extend(headers.map(|(name, value)| (name.to_owned(), value.into_bytes())));
                outgoing
            }
            EventMode::Structured => {
                let value = serde_json::to_vec(trigger).unwrap_or_default();
                let mut outgoing = record(topic, trigger.partitionkey.clone().into_bytes(), Some(value), time);
                outgoing.headers.push(("content-type".to_owned(), STRUCTURED.as_bytes().to_vec()));
                outgoing
            }
        }
    }

    /// Parts of views whose slots changed: as a whole, or the slots that did.
    fn views(&self, time: LogicalTime, views: &[(ViewPart, isize)], records: &mut Vec<Outgoing>) {
        let Some((topic, form)) = &self.views else { return };
        let mut parts: BTreeMap<_, (Option<&ViewPart>, Option<&ViewPart>)> = BTreeMap::new();
        for (part, diff) in views {
            let change = parts.entry((&part.customer, &part.entity)).or_default();
            *(if *diff < 0 { &mut change.0 } else { &mut change.1 }) = Some(part);
        }
        for ((customer, entity), (before, after)) in parts {
            let kind = entity.as_ref().map_or(KindId::CUSTOMER, |(kind, _)| *kind);
            if self.plan.entities[kind.index()].implied {
                continue;
            }
            let mut key = serde_json::Map::new();
            key.insert("customer".to_owned(), customer.to_string().into());
            if let Some((kind, id)) = entity {
                let kind = self.plan.entities[kind.index()].name.as_str();
                key.insert("entity".to_owned(), serde_json::json!({ "kind": kind, "id": id.to_string() }));
            }
            let key = serde_json::Value::Object(key).to_string().into_bytes();
            let value = after.map(|after| self.view(time, kind, before, after, *form));
            records.push(record(topic, key, value.map(String::into_bytes), time));
        }
    }

    /// A part of a view as JSON: its slots, or those that are not as before.
    fn view(
        &self,
        time: LogicalTime,
        kind: KindId,
        before: Option<&ViewPart>,
        after: &ViewPart,
        form: ViewsForm,
    ) -> String {
        let before = before.filter(|_| form == ViewsForm::Changes);
        let before = before.map(|before| shown(&self.plan, kind, &before.slots).map(|(_, value)| value).collect());
        let before: Vec<String> = before.unwrap_or_default();
        let mut json = format!("{{\"logical_time_ms\":{time},\"values\":{{");
        let mut first = true;
        for (position, (name, value)) in shown(&self.plan, kind, &after.slots).enumerate() {
            if before.get(position) != Some(&value) {
                let comma = if std::mem::replace(&mut first, false) { "" } else { "," };
                let _ = write!(json, "{comma}\"{name}\":{value}");
            }
        }
        json.push_str("}}");
        json
    }

    fn dead_letter(&self, dead: DeadRecord, time: LogicalTime) -> Outgoing {
        let DeadRecord { topic, partition, offset, timestamp_ms, input, reason, error, key, value, headers } = dead;
        let mut outgoing = record(&self.dead_letters, key.unwrap_or_default(), value, time);
        let text = |name: &str, value: String| (name.to_owned(), value.into_bytes());
        outgoing.headers.extend(headers);
        outgoing.headers.push(text("propice-topic", topic));
        outgoing.headers.push(text("propice-partition", partition.to_string()));
        outgoing.headers.push(text("propice-offset", offset.to_string()));
        outgoing.headers.extend(timestamp_ms.map(|at| text("propice-timestamp-ms", at.to_string())));
        outgoing.headers.extend(input.map(|input| text("propice-input", input)));
        outgoing.headers.push(text("propice-reason", reason));
        outgoing.headers.push(text("propice-error", error));
        outgoing
    }
}

fn record(topic: &Arc<str>, key: Vec<u8>, value: Option<Vec<u8>>, time: LogicalTime) -> Outgoing {
    let headers = vec![(LOGICAL_TIME.to_owned(), time.to_string().into_bytes())];
    Outgoing { topic: topic.clone(), partition: None, key, value, headers }
}
