//! The plan: a checked pack, as data. What both engines run, and what `propice plan` prints.
//!
//! Positions ([`InputId`], [`KindId`], …) index the vectors of this plan. The *slots* of an entity
//! are its features, in order, followed by its attributes, in order; a view of it is one
//! [`Value`](propice_model::Value) per slot.

mod feature;
mod policy;
mod unit;
mod verdict;
mod words;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use propice_model::{Duration, FieldId, InputId, KindId, Type};

use super::diagnostic::Diagnostic;
use super::expr::{Expr, Ref};

pub use feature::{Aggregate, Feature, FeatureSource, Interval};
pub use policy::{
    Arbitration, Budget, DataConsent, DataKinds, Holidays, MoodPolicy, MoodSource, OnExpiry, OnSuppressed, Per, Period,
    Policy, QuietRule, Reason, ReasonPart, ReceiptKind, Rest, SIGNAL_HALF_LIVES, SignalSource, Silence, receipt,
    signal,
};
pub use unit::TimeUnit;
pub use verdict::{Ending, Gate, Verdict};
pub use words::{EndedWords, Texts, said};

/// Everything a pack says, checked.
#[derive(Debug)]
pub struct Plan {
    /// Name of the pack; part of every episode's id.
    pub name: String,
    /// Version of the pack.
    pub version: String,
    /// IANA zone of times without an offset.
    pub timezone: String,
    /// The language of people who read about it, and of words that name none: `fr`.
    pub language: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Streams and tables, in the order of the pack.
    pub inputs: Vec<Input>,
    /// Kinds of entities; the customer is the first.
    pub entities: Vec<Entity>,
    /// Moments, in the order of their names.
    pub moments: Vec<Moment>,
    /// What the policy says.
    pub policy: Policy,
    /// Where triggers go, in the order of their names.
    pub channels: Vec<Channel>,
    /// The cases of the pack.
    pub tests: Vec<TestCase>,
    /// What is allowed and yet most likely not meant.
    pub warnings: Vec<Diagnostic>,
    /// Facts of tables carry their rows, so that these can be kept. Set by a run whose state is
    /// kept, never by a pack.
    pub keeps_rows: bool,
}

impl Evidence {
    /// Where its value is found.
    pub fn reference(&self) -> Ref {
        Ref { scope: self.scope, slot: self.slot }
    }
}

impl Plan {
    /// One of the texts for a reader of some locale, see [`said`].
    pub fn text<'a>(&'a self, texts: &'a Texts, locale: Option<&str>) -> Option<&'a str> {
        said(texts, locale, self.language.as_deref()).map(|(_, text)| text.as_str())
    }
}

/// A stream or a table.
#[derive(Debug)]
pub struct Input {
    /// Its name: of its files too.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Its fields, in the order of the pack.
    pub fields: Vec<Field>,
    /// The field with the event time. `None` only for tables: known since logical time 0.
    pub time: Option<FieldId>,
    /// The field that orders records of equal event time.
    pub order: Option<FieldId>,
    /// The field that names the entity it is about, and the kind of that entity.
    pub about: Option<(FieldId, KindId)>,
    /// What makes it a table; `None` for a stream.
    pub table: Option<Table>,
    /// How its delimited files are written.
    pub format: Format,
    /// Whether a run may lack it.
    pub optional: bool,
}

impl Input {
    /// Whether its records can be taken back.
    pub fn is_table(&self) -> bool {
        self.table.is_some()
    }

    /// The position of a field by its name.
    pub fn field(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|field| field.name == name).map(|at| FieldId(at as u16))
    }
}

/// What a table has and a stream has not.
#[derive(Debug)]
pub struct Table {
    /// The fields of the primary key.
    pub key: Vec<FieldId>,
    /// A condition over the fields: a record that fulfils it deletes its key.
    pub delete: Option<Expr>,
}

/// A field of an input.
#[derive(Debug)]
pub struct Field {
    /// Its name in expressions.
    pub name: String,
    /// Its name in the data: a column, a JSON key.
    pub column: String,
    /// Its type.
    pub ty: Type,
    /// Whether it may be missing or null.
    pub optional: bool,
    /// The pattern of a time (strftime), where it is not RFC 3339.
    pub format: Option<String>,
    /// What a time counts that is written as a number; `None`: milliseconds, and nobody said so.
    pub unit: Option<TimeUnit>,
}

/// How delimited files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Between values.
    pub delimiter: u8,
    /// Around values that hold a delimiter.
    pub quote: u8,
    /// A label of the WHATWG Encoding Standard.
    pub encoding: String,
    /// Whether the first line names the columns.
    pub header: bool,
}

impl Default for Format {
    fn default() -> Self {
        Format { delimiter: b',', quote: b'"', encoding: "utf-8".to_owned(), header: true }
    }
}

/// A kind of entity: the customer, or what belongs to customers.
#[derive(Debug)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: Texts,
    /// What people call its slots, by their names.
    pub labels: BTreeMap<String, Texts>,
    /// What relates it to customers; `None` for the customer.
    pub relation: Option<Relation>,
    /// Its features: the first slots.
    pub features: Vec<Feature>,
    /// Not declared, but what the policy reads: not part of views.
    pub implied: bool,
    /// Its attributes: the slots behind the features, in the order of the pack.
    pub attributes: Vec<Attribute>,
    /// The attributes (positions in `attributes`) in an order in which each comes after those it
    /// uses.
    pub evaluation: Vec<usize>,
}

impl Entity {
    /// How many slots a view of it has.
    pub fn slots(&self) -> usize {
        self.features.len() + self.attributes.len()
    }

    /// The names and types of the slots, in order.
    pub fn slot(&self, slot: usize) -> (&str, &Type) {
        match self.features.get(slot) {
            Some(feature) => (&feature.name, &feature.ty),
            None => {
                let attribute = &self.attributes[slot - self.features.len()];
                (&attribute.name, &attribute.ty)
            }
        }
    }
}

/// What relates an entity to customers.
#[derive(Debug)]
pub struct Relation {
    /// The input whose records relate.
    pub input: InputId,
    /// Its field with the customer.
    pub customer: FieldId,
    /// Its field with the entity.
    pub entity: FieldId,
    /// Only records that fulfil it relate.
    pub filter: Option<Expr>,
}

/// A value computed from the slots of one entity.
#[derive(Debug)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// The type of its value.
    pub ty: Type,
    /// Over the slots of the entity; may depend on `now`.
    pub expr: Expr,
}

/// A named condition over a view, with the policy that goes with it.
#[derive(Debug)]
pub struct Moment {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: Texts,
    /// Part of the episode's id.
    pub version: String,
    /// `None`: per customer. Otherwise per customer and entity of this kind.
    pub about: Option<KindId>,
    /// Over the slots of the customer (scope 0) and of the entity (scope 1); may depend on `now`.
    pub when: Expr,
    /// How long the condition must have held, in ms.
    pub for_ms: Duration,
    /// What the condition uses, named as it names it, in order of first use.
    pub evidence: Vec<Evidence>,
    /// What it is for.
    pub purpose: Purpose,
    /// What it is worth to the customer.
    pub value: ValueStatement,
    /// Steps asked of the customer.
    pub effort: u32,
    /// Over the same slots as `when`; a number.
    pub priority: Option<Expr>,
    /// How long an open episode is of use, in ms.
    pub valid_for_ms: Option<Duration>,
    /// Least time between two releases, in ms.
    pub cooldown_ms: Option<Duration>,
    /// Positions in `Plan::channels`, in order of preference.
    pub channels: Vec<usize>,
    /// What a negative mood does.
    pub on_negative_mood: OnNegativeMood,
    /// A condition that shows that it helped, over the same slots as `when`.
    pub success: Option<Expr>,
    /// The kinds of data that `success` uses.
    pub success_data: DataKinds,
    /// How long success is watched, in ms.
    pub success_within_ms: Duration,
    /// The kinds of data that `when`, `priority` and `enough` use.
    pub data: DataKinds,
    /// Conditions that must hold for the evidence to be enough, over the same slots as `when`.
    pub enough: Vec<Expr>,
    /// What it silences.
    pub silence: Option<Silence>,
    /// The share of the customers in the control group.
    pub holdout: Option<f64>,
    /// Whether what is suppressed is waited for.
    pub on_suppressed: OnSuppressed,
    /// What happens at the end of `valid_for`.
    pub on_expiry: OnExpiry,
    /// Where it goes when it is handed over (position in `Plan::channels`): its first channel of
    /// people, or that of the policy, or its first one.
    pub human_channel: Option<usize>,
    /// Why, in words; empty: told from the condition.
    pub reason: Reason,
    /// What is said when it is true no more.
    pub ended: EndedWords,
    /// A hint to whoever writes or speaks.
    pub tone: Option<String>,
    /// What leaves with a trigger.
    pub shares: Vec<Evidence>,
    /// For people.
    pub description: Option<String>,
}

impl Moment {
    /// The ways to the customer: its channels in order of preference; without any, one that has no
    /// name.
    pub fn ways(&self) -> impl Iterator<Item = Option<usize>> {
        self.channels.iter().copied().map(Some).chain(self.channels.is_empty().then_some(None))
    }
}

/// A slot that a condition uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// As the condition spells it.
    pub name: String,
    /// 0: the customer, 1: the entity the moment is about.
    pub scope: u8,
    /// The slot.
    pub slot: u16,
    /// The type of the slot.
    pub ty: Type,
    /// The kinds of data that it is of.
    pub data: DataKinds,
}

/// What a moment is for, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Fraud, danger.
    Safety,
    /// Help with what the customer holds or plans.
    Assistance,
    /// What the contract needs.
    Service,
    /// Keeping in touch.
    Relationship,
    /// Selling.
    Sales,
}

impl Purpose {
    /// All of them with their names, the most important first.
    pub const ALL: [(&'static str, Purpose); 5] = [
        ("safety", Purpose::Safety),
        ("assistance", Purpose::Assistance),
        ("service", Purpose::Service),
        ("relationship", Purpose::Relationship),
        ("sales", Purpose::Sales),
    ];

    /// Its position in [`Purpose::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Purpose::ALL[self.index()].0
    }

    /// The purpose of that name.
    pub fn named(name: &str) -> Option<Purpose> {
        Purpose::ALL.iter().find(|(known, _)| *known == name).map(|(_, purpose)| *purpose)
    }
}

/// What a contact is worth to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueStatement {
    /// The kind of value.
    pub kind: ValueKind,
    /// One line in the customer's terms.
    pub benefit: Texts,
}

/// The four kinds of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Money.
    Economic,
    /// Something works, or works with less effort.
    Functional,
    /// A better experience.
    Experiential,
    /// Recognition, meaning.
    Symbolic,
}

/// What a negative mood does to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnNegativeMood {
    /// Wait until it has passed.
    Defer,
    /// Be silent.
    Cancel,
    /// Hand over to a human.
    Human,
    /// Go on.
    Ignore,
}

/// Where triggers go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: Texts,
    /// Its topic.
    pub topic: Option<String>,
    /// Whether people are at its end, who take over what is handed to them.
    pub human: bool,
}

/// A case of the pack: what is given, what is expected.
#[derive(Debug)]
pub struct TestCase {
    /// What it shows.
    pub name: String,
    /// Line of the pack where it stands, from 1.
    pub line: usize,
    /// What is given.
    pub given: Given,
    /// Every transition of the moments that it names with one, and every verdict of those that it
    /// names with a verdict.
    pub expect: Vec<ExpectedEpisode>,
    /// Moments (names) that must not open.
    pub silent: Vec<String>,
    /// Moments (names) that must not be released or handed over.
    pub unreleased: Vec<String>,
    /// Records that must be refused; without it none may be.
    pub dead_letters: Option<DeadLetters>,
    /// The clock is moved on to this logical time after the last record.
    pub until: Option<u64>,
}

/// Which of the records of a case are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetters {
    /// One or more.
    Some,
    /// So many.
    Count(u64),
    /// One for each of these reasons, in any order.
    Reasons(Vec<String>),
}

/// What a case is given.
#[derive(Debug)]
pub enum Given {
    /// A file of mixed records or a folder, relative to the pack.
    Path(String),
    /// The records, each as one line of JSON with its input in `stream`.
    Records(Vec<String>),
}

/// What a case expects of an episode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedEpisode {
    /// The customer.
    pub customer: String,
    /// The entity, for a moment about one.
    pub entity: Option<String>,
    /// The moment.
    pub moment: String,
    /// What happens.
    pub event: ExpectedEvent,
    /// The logical time, in ms.
    pub at: u64,
}

/// What happens to an episode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedEvent {
    /// It opens.
    Opened,
    /// It closes.
    Closed,
    /// It gets another verdict.
    Verdict {
        /// Which.
        verdict: Verdict,
        /// The gates that fail, when the case names them.
        gates: Option<Vec<Gate>>,
    },
}
