//! What a trigger says: the `data` of its event. The JSON Schema in `docs/schema/trigger.json` is
//! made of these types.
//!
//! The contract with subscribers: fields are only ever added, and what is added is optional.
//! `tests/integrated/triggers.rs` holds old triggers that still have to be read.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use propice_define::plan::{Ending, Gate, OnExpiry, Purpose, ValueKind};
use propice_model::time::{LATEST_EVENT_TIME_MS, format_time};
use propice_model::{LogicalTime, Type, Value};

/// What a trigger says. Nothing of the customer's view is in it but what the moment `shares`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Payload {
    /// The customer.
    pub customer: String,
    /// What the customer is to the sender.
    pub party_type: PartyType,
    /// What it is about (a held product, a project), where that is not the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// The moment.
    pub moment: String,
    /// What people call it, where the pack says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Words>,
    /// Its version.
    pub version: String,
    /// The episode: all triggers of it have the same.
    pub episode: String,
    /// What the moment is for.
    pub purpose: Purpose,
    /// What it is worth to the customer.
    pub value: ValueStatement,
    /// Steps asked of the customer.
    pub effort: u32,
    /// What was decided.
    pub verdict: Published,
    /// The gates that failed, in order: none for what was released.
    #[serde(default)]
    pub gates: Vec<FailedGate>,
    /// Where it stands among others.
    pub rank: Rank,
    /// The group of the customer, for a moment that has a control group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Treatment>,
    /// The recent state of mind as a coarse band.
    pub mood: Mood,
    /// What the moment shares, with its values at this time.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Why, in words; for what is withdrawn: what became of it.
    pub reason: Words,
    /// For what is withdrawn: how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// A hint to whoever writes or speaks.
    pub tone: String,
    /// When it is of use.
    pub validity: Validity,
    /// Where it goes.
    pub routing: Routing,
    /// On what consent it rests, where the pack declares any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// When what happened.
    pub times: Times,
    /// How it is seen that it helped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<Success>,
}

/// What the customer is to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartyType {
    /// A person that the views are about.
    Customer,
}

/// Something that belongs to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entity {
    /// Its kind, as the pack calls it.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What people call its kind, where the pack says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// How what is withdrawn ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// In a word.
    pub how: Ending,
    /// The moments that overtook it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<Overtaking>,
}

/// A moment that overtook another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Overtaking {
    /// The moment.
    pub moment: String,
    /// What people call it, where the pack says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What it is worth to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValueStatement {
    /// The kind of value.
    pub kind: ValueKind,
    /// One line in the customer's terms.
    pub benefit: String,
    /// Its language, where the pack says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The verdicts that are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Published {
    /// Get in touch.
    Released,
    /// A person takes over.
    HandedToHuman,
    /// What was released or handed over is true no more.
    Withdrawn,
}

impl Published {
    /// All of them, in the order of an episode's life.
    pub const ALL: [Published; 3] = [Published::Released, Published::HandedToHuman, Published::Withdrawn];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Published::Released => "released",
            Published::HandedToHuman => "handed_to_human",
            Published::Withdrawn => "withdrawn",
        }
    }
}

/// A gate that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedGate {
    /// Which.
    pub gate: Gate,
    /// What failed in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When it passes if nothing else changes; absent when nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// Where a trigger stands among others of the same customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rank {
    /// By purpose, 1 (safety) to 5 (sales).
    pub purpose_class: u8,
    /// By the moment's priority and what the customer's ratings add to it; greater is more.
    pub priority: f64,
}

/// The group of a customer who gets a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Not of the control group.
    Treated,
}

/// The recent state of mind as a coarse band; nothing more of it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// Beyond the threshold of the pack.
    Negative,
    /// Not beyond it.
    Calm,
}

/// A value that the moment shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// As the pack spells it.
    pub name: String,
    /// What people call it, where the pack says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its type: `int`, `decimal(2)`, `text`, `time`, …
    #[serde(rename = "type")]
    pub ty: String,
    /// The value; absent when it is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// The kind of data to which the customer does not consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// How far back it looks, as `30d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// What the condition compares it with, as `< 50.00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
}

/// Words for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Words {
    /// One or two sentences.
    pub text: String,
    /// Their language: `en`, `fr`, or what else the pack has a template for.
    pub language: String,
}

/// When a trigger is of use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Validity {
    /// Not earlier.
    pub not_before: Instant,
    /// Not later: at this time it is of use no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// What happens to the moment then, if it was not released before.
    pub on_expiry: OnExpiry,
}

/// Where a trigger goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Routing {
    /// The channel that was chosen; absent for a moment without channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Whether people are at its end.
    pub human: bool,
    /// The channels of the moment, in order of preference.
    #[serde(default)]
    pub channels: Vec<String>,
    /// The customer's language, where it is known: `fr`, `fr-FR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The customer's time zone, or that of the pack.
    pub time_zone: String,
}

/// On what consent a trigger rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    /// The condition for contacts of this purpose; absent when none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The kinds of data that the moment uses, each with its condition.
    #[serde(default)]
    pub data: Vec<DataConsent>,
}

/// The consent to the use of a kind of data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DataConsent")]
pub struct DataConsent {
    /// The kind of data.
    pub kind: String,
    /// Its condition.
    pub condition: String,
}

/// When what happened, each as text and in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Times {
    /// When the episode opened: the condition has held since.
    pub event: Instant,
    /// The same in milliseconds.
    pub event_ms: u64,
    /// The logical time of the verdict.
    pub decided: Instant,
    /// The same in milliseconds.
    pub decided_ms: u64,
    /// For what is withdrawn: when it was released or handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Instant>,
}

/// How it is seen that a trigger helped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Success {
    /// What has to hold.
    pub condition: String,
    /// Within this time after the release, as `30d`.
    pub within: String,
}

/// A time: RFC 3339 in UTC, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(i64);

impl Instant {
    /// At a logical time; what is behind the year 9999 is its end.
    pub fn at(time: LogicalTime) -> Instant {
        Instant(time.min(LATEST_EVENT_TIME_MS) as i64)
    }

    /// The time that a text spells.
    pub fn parse(text: &str) -> Option<Instant> {
        text.parse::<jiff::Timestamp>().ok().map(|timestamp| Instant(timestamp.as_millisecond()))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_time(self.0))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Instant::parse(&text).ok_or_else(|| de::Error::custom(format_args!("`{text}` is not a time of RFC 3339")))
    }
}

impl JsonSchema for Instant {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// A value as it stands in JSON: a decimal keeps all its decimals.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// A value of a type.
    pub fn of(value: &Value, ty: &Type) -> Json {
        let mut json = String::new();
        value.write_json(ty, &mut json);
        // What a value writes is JSON.
        Json(RawValue::from_string(json).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.text() == other.text()
    }
}

impl JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["null", "boolean", "number", "string", "array"] })
    }
}
