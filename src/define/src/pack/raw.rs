//! A pack as it is written: declarations with their places, texts not yet understood.

use std::ops::Range;

use super::raw_policy::Policy;
use super::spot::{Spot, Text};
use crate::plan::{DeadLetters, Ending, ExpectedEvent, OnExpiry, OnNegativeMood, OnSuppressed, Purpose, ValueKind};
use propice_model::Duration;

/// One text, in languages; the empty one is not said.
pub(super) type Said = Vec<(String, Text)>;

/// Everything that stands in a pack.
#[derive(Debug, Default)]
pub(super) struct Pack {
    pub name: Option<Text>,
    pub version: Option<Text>,
    pub timezone: Option<Text>,
    pub language: Option<Text>,
    pub description: Option<String>,
    pub inputs: Vec<Input>,
    /// Without the customer.
    pub entities: Vec<Entity>,
    /// `[ENTITY.feature]` and `[ENTITY.attribute]`.
    pub views: Vec<View>,
    pub moments: Vec<Moment>,
    pub policy: Policy,
    pub channels: Vec<Channel>,
    pub tests: Vec<Test>,
}

#[derive(Debug)]
pub(super) struct Input {
    pub name: Text,
    pub table: bool,
    pub fields: Vec<Field>,
    /// Fields that are declared in a way that could not be read: not unknown, but of no known type.
    pub broken: Vec<String>,
    /// Whether there are no fields to speak of.
    pub fieldless: bool,
    pub time: Option<Text>,
    pub about: Option<Text>,
    pub order: Option<Text>,
    pub personal: Vec<Text>,
    pub key: Option<Spot<Vec<Text>>>,
    pub delete: Option<Text>,
    pub format: Format,
    pub optional: bool,
    pub description: Option<String>,
}

impl Input {
    /// As messages call it.
    pub(super) fn place(&self) -> String {
        format!("{} `{}`", if self.table { "table" } else { "stream" }, self.name.value)
    }
}

#[derive(Debug)]
pub(super) struct Field {
    pub name: Text,
    pub ty: Text,
    pub column: Option<Text>,
    pub format: Option<Text>,
    pub unit: Option<Text>,
}

#[derive(Debug, Default)]
pub(super) struct Format {
    /// Whether it is there, so that the input is a CSV.
    pub declared: bool,
    pub delimiter: Option<Text>,
    pub quote: Option<Text>,
    pub encoding: Option<Text>,
    pub header: Option<bool>,
}

#[derive(Debug)]
pub(super) struct Entity {
    pub name: Text,
    pub label: Said,
    pub belongs_to: Option<BelongsTo>,
}

#[derive(Debug)]
pub(super) struct BelongsTo {
    pub span: Range<usize>,
    pub by: Option<Text>,
    pub customer: Option<Text>,
    pub entity: Option<Text>,
    pub filter: Option<Text>,
}

#[derive(Debug)]
pub(super) struct View {
    pub entity: Text,
    pub features: Vec<Feature>,
    pub attributes: Vec<Attribute>,
    /// What people call them, by name.
    pub labels: Vec<(Text, Said)>,
    /// Names that are declared in a way that could not be read.
    pub broken: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Feature {
    pub name: Text,
    pub from: Option<Text>,
    pub by: Option<Text>,
    pub over: Option<Text>,
    /// The aggregates that are named, by name.
    pub aggregates: Vec<(&'static str, Spot<Argument>)>,
    pub filter: Option<Text>,
    pub window: Option<Spot<Duration>>,
    pub pane: Option<Spot<Duration>>,
    pub during: Option<Spot<Vec<Text>>>,
    pub at_most: Option<Spot<u64>>,
    pub description: Option<String>,
    /// Something in it could not be read and has been reported: what is missing may be that.
    pub damaged: bool,
}

/// What stands behind the name of an aggregate.
#[derive(Debug)]
pub(super) enum Argument {
    /// `count = true`
    Records,
    /// An expression.
    Expression(String),
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub name: Text,
    pub expression: Text,
}

#[derive(Debug)]
pub(super) struct Moment {
    pub name: Text,
    pub label: Said,
    pub when: Option<Text>,
    pub about: Option<Text>,
    pub for_ms: Duration,
    pub version: Option<String>,
    pub purpose: Option<Purpose>,
    pub value: Option<(ValueKind, Said)>,
    pub effort: u32,
    pub priority: Option<Text>,
    pub valid_for_ms: Option<Duration>,
    pub cooldown_ms: Option<Duration>,
    pub channels: Vec<Text>,
    pub on_negative_mood: OnNegativeMood,
    pub success: Option<Text>,
    pub success_within_ms: Option<Duration>,
    pub evidence: Vec<Text>,
    pub silence: Option<Silence>,
    pub holdout: Option<Spot<f64>>,
    pub on_suppressed: OnSuppressed,
    pub on_expiry: Option<Spot<OnExpiry>>,
    pub reason: Said,
    /// However it ended; and for a kind of ending, where it has words of its own.
    pub ended: Vec<(Option<Ending>, Said)>,
    pub tone: Option<String>,
    pub shares: Option<Vec<Text>>,
    pub description: Option<String>,
}

#[derive(Debug)]
pub(super) struct Silence {
    pub span: Range<usize>,
    pub purposes: Vec<Purpose>,
    pub moments: Vec<Text>,
    pub except: Vec<Purpose>,
    pub after_ms: Duration,
}

#[derive(Debug)]
pub(super) struct Channel {
    pub name: Text,
    pub label: Said,
    pub topic: Option<String>,
    pub human: bool,
}

#[derive(Debug)]
pub(super) struct Test {
    pub span: Range<usize>,
    pub name: String,
    pub given: Option<Given>,
    pub expect: Vec<Expected>,
    pub silent: Vec<Text>,
    pub unreleased: Vec<Text>,
    pub dead_letters: Option<DeadLetters>,
    pub until: Option<Text>,
}

#[derive(Debug)]
pub(super) enum Given {
    Path(String),
    /// Each record as a line of JSON, with the name of its input.
    Records(Vec<(Text, String)>),
}

#[derive(Debug)]
pub(super) struct Expected {
    pub span: Range<usize>,
    pub customer: String,
    pub entity: Option<Text>,
    pub moment: Text,
    pub event: ExpectedEvent,
    pub at: Text,
}
