//! The event around a payload: CloudEvents 1.0, in structured mode as it stands (one JSON object),
//! in binary mode by [`super::binary`].
//!
//! Attributes are what a router, a queue or an auditor reads without looking into the data. Each
//! has one rule here; `docs/triggers.md` tells them.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::payload::{Instant, Payload, Published};

/// The version of the specification.
pub const SPEC_VERSION: &str = "1.0";
/// The media type of the data.
pub const DATA_CONTENT_TYPE: &str = "application/json";
/// What `dataschema` says: the `$id` of `docs/schema/trigger.json`.
pub const DATA_SCHEMA: &str = "urn:propice:schema:trigger:v1";
/// What `dataclassification` says: it is about a person.
pub const CLASSIFICATION: &str = "confidential";

/// A trigger: a CloudEvent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trigger {
    /// `1.0`
    pub specversion: String,
    /// EPISODE-VERDICT: the same in every replay, so that what has been seen can be dropped.
    #[schemars(length(min = 1))]
    pub id: String,
    /// `/propice/PACK`
    #[schemars(length(min = 1), extend("format" = "uri-reference"))]
    pub source: String,
    /// What happened.
    #[serde(rename = "type")]
    pub ty: TriggerType,
    /// The customer.
    #[schemars(length(min = 1))]
    pub subject: String,
    /// When it was decided: the logical time of the verdict.
    pub time: Instant,
    /// `application/json`
    pub datacontenttype: String,
    /// The schema of the data.
    #[schemars(extend("format" = "uri"))]
    pub dataschema: String,
    /// The customer: what is of one customer stays in order.
    pub partitionkey: String,
    /// Greater for what comes later of the same customer, as text.
    pub sequence: String,
    /// When it is of use no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expirytime: Option<Instant>,
    /// The episode.
    pub correlationid: String,
    /// What caused it: the opening of the episode, or its closing.
    pub causationid: String,
    /// The logical time at which it was recorded; no wall clock.
    pub recordedtime: Instant,
    /// `confidential`: it is about a person.
    pub dataclassification: String,
    /// The trace that it belongs to, when one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What it says.
    pub data: Payload,
}

/// The types of triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TriggerType {
    /// Get in touch.
    #[serde(rename = "propice.trigger.released.v1")]
    Released,
    /// A person takes over.
    #[serde(rename = "propice.trigger.handed_to_human.v1")]
    HandedToHuman,
    /// What was released or handed over is true no more.
    #[serde(rename = "propice.trigger.withdrawn.v1")]
    Withdrawn,
}

impl TriggerType {
    /// All of them, in the order of an episode's life.
    pub const ALL: [TriggerType; 3] = [TriggerType::Released, TriggerType::HandedToHuman, TriggerType::Withdrawn];

    /// Its name in a word.
    pub(crate) fn key(self) -> &'static str {
        match self {
            TriggerType::Released => "released",
            TriggerType::HandedToHuman => "handed_to_human",
            TriggerType::Withdrawn => "withdrawn",
        }
    }

    /// What it says.
    pub(crate) fn title(self) -> &'static str {
        match self {
            TriggerType::Released => "Get in touch",
            TriggerType::HandedToHuman => "A person takes over",
            TriggerType::Withdrawn => "What was published is true no more",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            TriggerType::Released => "propice.trigger.released.v1",
            TriggerType::HandedToHuman => "propice.trigger.handed_to_human.v1",
            TriggerType::Withdrawn => "propice.trigger.withdrawn.v1",
        }
    }

    /// The type of that name.
    pub fn named(name: &str) -> Option<TriggerType> {
        TriggerType::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl From<Published> for TriggerType {
    fn from(verdict: Published) -> TriggerType {
        match verdict {
            Published::Released => TriggerType::Released,
            Published::HandedToHuman => TriggerType::HandedToHuman,
            Published::Withdrawn => TriggerType::Withdrawn,
        }
    }
}

impl Trigger {
    /// In structured mode: one JSON object, of the media type `application/cloudevents+json`.
    ///
    /// # Errors
    /// Never, for what was made here: everything in it has a JSON form.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Reads what is in structured mode.
    ///
    /// # Errors
    /// When it is no trigger.
    pub fn from_json(json: &str) -> serde_json::Result<Trigger> {
        serde_json::from_str(json)
    }
}

/// A text as an attribute: the specification forbids control characters there, so they are
/// percent-encoded.
pub(super) fn attribute(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut bytes = [0; 4];
    for c in text.chars() {
        if c.is_control() {
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The source of everything that a pack publishes.
pub(super) fn source(pack: &str) -> String {
    format!("/propice/{pack}")
}
