//! Topics: their names, and that no two of them get in each other's way.

use std::collections::BTreeMap;

use super::desk::Desk;
use super::problem::Problem;
use super::types::{InputTopics, Select, SelectBy};
use crate::pack::problem::Span;
use crate::pack::words::shortened;
use propice_model::limits::TOPIC_BYTES;

/// A topic that is written to.
pub(super) struct TopicUse {
    pub topic: String,
    /// What is written there, as messages call it.
    pub what: String,
    /// Where it is said; `None`: in the pack, or by default.
    pub span: Option<Span>,
    /// Where a mistake is shown that nobody wrote.
    pub near: Span,
}

impl TopicUse {
    fn place(&self) -> &Span {
        self.span.as_ref().unwrap_or(&self.near)
    }
}

/// Why a topic cannot be called so.
pub(super) fn mistake_in_topic(topic: &str) -> Option<&'static str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if topic.len() > TOPIC_BYTES {
        Some("it is too long")
    } else if matches!(topic, "" | "." | "..") {
        Some("it names a folder")
    } else if matches!(topic, "__consumer_offsets" | "__transaction_state") {
        Some("Kafka itself keeps something there")
    } else if topic.bytes().all(fits) {
        None
    } else {
        Some("it has other characters")
    }
}

/// Checks the names of all topics of the output, and all topics against each other.
pub(super) fn check(desk: &mut Desk<'_>, inputs: &[(InputTopics, Span, Vec<Span>)]) {
    let topics = std::mem::take(&mut desk.topics);
    for topic in &topics {
        if let Some(why) = mistake_in_topic(&topic.topic) {
            let of = format!(" of {}", topic.what);
            desk.found.add(Problem::BadTopic { topic: shortened(&topic.topic), of, why }, topic.place());
        }
    }
    outputs(desk, &topics);
    loops(desk, &topics, inputs);
    shared(desk, inputs);
}

/// No two outputs share a topic: neither their keys nor their compaction would fit.
fn outputs(desk: &mut Desk<'_>, topics: &[TopicUse]) {
    let mut seen: BTreeMap<String, &TopicUse> = BTreeMap::new();
    for topic in topics {
        let metric = topic.topic.replace('.', "_");
        let Some(other) = seen.get(&metric) else {
            seen.insert(metric, topic);
            continue;
        };
        // It is shown where somebody wrote it.
        let (one, other) = if topic.span.is_none() && other.span.is_some() { (*other, topic) } else { (topic, *other) };
        let what = |topic: &TopicUse| topic.what.clone();
        let problem = if one.topic == other.topic {
            Problem::SharedTopic { topic: shortened(&one.topic), one: what(one), other: what(other) }
        } else {
            Problem::TopicsCollide {
                topic: shortened(&one.topic),
                one: what(one),
                other_topic: shortened(&other.topic),
                other: what(other),
            }
        };
        desk.found.add(problem, one.place());
    }
}

/// Nothing that is written is read again.
fn loops(desk: &mut Desk<'_>, topics: &[TopicUse], inputs: &[(InputTopics, Span, Vec<Span>)]) {
    for topic in topics {
        let reads = |(input, ..): &&(InputTopics, Span, Vec<Span>)| input.topics.contains(&topic.topic);
        let Some((input, near, spans)) = inputs.iter().find(reads) else { continue };
        let at = input.topics.iter().position(|read| *read == topic.topic);
        let read = at.and_then(|at| spans.get(at)).unwrap_or(near);
        let span = topic.span.as_ref().unwrap_or(read);
        let (output, input) = (topic.what.clone(), input.name.clone());
        desk.found.add(Problem::Loop { topic: shortened(&topic.topic), output, input }, span);
    }
}

/// Inputs that share a topic select what is their own, so that no record is of two of them.
fn shared(desk: &mut Desk<'_>, inputs: &[(InputTopics, Span, Vec<Span>)]) {
    let mut readers: BTreeMap<&str, Vec<(&InputTopics, &Span)>> = BTreeMap::new();
    for (input, near, spans) in inputs {
        for (at, topic) in input.topics.iter().enumerate() {
            readers.entry(topic).or_default().push((input, spans.get(at).unwrap_or(near)));
        }
    }
    for (topic, readers) in readers.into_iter().filter(|(_, readers)| readers.len() > 1) {
        let names: Vec<String> = readers.iter().map(|(input, _)| format!("`{}`", input.name)).collect();
        let mut before: Vec<(&InputTopics, &Select)> = Vec::new();
        for (input, span) in readers {
            let Some(select) = &input.select else {
                let (topic, input, inputs) = (topic.to_owned(), input.name.clone(), names.clone());
                desk.found.add(Problem::NotSelected { topic, input, inputs }, span);
                continue;
            };
            if let Some((other, _)) = before.iter().find(|(_, other)| overlap(select, other)) {
                let (one, other) = (other.name.clone(), input.name.clone());
                desk.found.add(Problem::SelectsOverlap { topic: topic.to_owned(), one, other }, span);
            }
            before.push((input, select));
        }
    }
}

/// Whether one record can be of both.
fn overlap(one: &Select, other: &Select) -> bool {
    let is_same = match (&one.by, &other.by) {
        (SelectBy::Header(one), SelectBy::Header(other)) | (SelectBy::Field(one), SelectBy::Field(other)) => {
            one == other
        }
        _ => false,
    };
    !is_same || one.equals == other.equals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_topics() {
        for good in ["a", "bank.triggers.push", "A-1_b", &"a".repeat(249)] {
            assert_eq!(mistake_in_topic(good), None, "{good}");
        }
        for bad in ["", ".", "..", "a b", "a/b", "é", "__consumer_offsets", &"a".repeat(250)] {
            assert!(mistake_in_topic(bad).is_some(), "{bad}");
        }
    }
}
