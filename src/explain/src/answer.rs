//! What an explanation says, as data: `--format json` writes it, [`text`](super::text) lays it out
//! for people.
//!
//! Values stand in it as they are, times in RFC 3339 in UTC. `told` is in words, in the language of
//! the question.

use serde::{Serialize, Serializer};

use propice_edge::trigger::payload::Json;
use propice_model::time::format_time;
use propice_model::{FeatureId, Id, KindId, LogicalTime, Type, Value};

/// An answer.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The pack.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// Whom it is about.
    pub customer: String,
    /// As of when.
    pub at: At,
    /// The zone in which times are told.
    pub zone: String,
    /// The language in which it is told.
    pub language: &'static str,
    /// How many records could not be read.
    pub unread: u64,
    /// One moment, for what it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explained: Vec<Timeline>,
    /// In short.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub summary: Vec<Line>,
}

/// A logical or event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(pub LogicalTime);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_time(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }
}

/// A value with its type.
#[derive(Clone, Debug)]
pub struct Typed(pub Value, pub Type);

impl Serialize for Typed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Json::of(&self.0, &self.1).serialize(serializer)
    }
}

/// An entity by its kind and id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// A moment in one line.
#[derive(Debug, Serialize)]
pub struct Line {
    /// The moment.
    pub moment: String,
    /// What it is about, where it is not the customer.
    pub entity: Option<Entity>,
    /// How it stands.
    pub state: State,
    /// In words.
    pub told: String,
}

/// How a moment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum State {
    /// Its episode is open.
    Open {
        /// Since when.
        since: At,
    },
    /// Its condition holds, not yet for long enough.
    Holding {
        /// Since when.
        since: At,
        /// When its episode opens if nothing changes.
        opens: At,
    },
    /// Its condition does not hold.
    Silent {
        /// When it last stopped holding.
        ended: Option<At>,
    },
    /// What it is about is not there.
    Gone,
}

/// Everything about a moment, for what it is about.
#[derive(Debug, Serialize)]
pub struct Timeline {
    /// The moment.
    pub moment: String,
    /// What people call it, where the pack says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its version.
    pub version: String,
    /// What it is for.
    pub purpose: &'static str,
    /// What the customer has of it.
    pub benefit: String,
    /// What it is about, where it is not the customer.
    pub entity: Option<Entity>,
    /// How it stands.
    pub state: State,
    /// In words.
    pub told: String,
    /// The record that makes the entity the customer's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub belongs: Vec<Record>,
    /// The condition, clause by clause.
    pub condition: Clause,
    /// When it does not hold: the first clauses that fail, in words. Several when one of them would
    /// do.
    pub fails: Vec<String>,
    /// What the condition is made of.
    pub features: Vec<Feature>,
    /// What was decided of its episodes, the latest episode last.
    pub episodes: Vec<Episode>,
    /// What the gates that fail now have looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Feature>,
    /// What would have to change.
    pub remedies: Vec<String>,
}

/// A condition, or a part of one.
#[derive(Debug, Serialize)]
pub struct Clause {
    /// As the pack spells it.
    pub text: String,
    /// Whether it holds; null when that is withheld.
    pub holds: Option<bool>,
    /// With its values, in words; empty for one that its parts tell.
    pub told: String,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Clause>,
    /// How its parts are joined: `all`, `any`, `not`, `is`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<&'static str>,
}

/// A feature or an attribute, with what it is made of.
#[derive(Debug, Serialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// Of which entity, where it is not the customer's.
    pub of: Option<Entity>,
    /// Its value; null also when it is withheld.
    pub value: Option<Typed>,
    /// The kind of data that the customer does not consent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// How it is computed, in words.
    pub told: String,
    /// Its value in words.
    #[serde(skip)]
    pub shown: String,
    /// What it is computed of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Feature>,
    /// The records that count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Record>,
    /// How many more there are, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// Of which feature, for its records.
    #[serde(skip)]
    pub key: Option<(KindId, Id, FeatureId)>,
    /// The entities that are rolled up and were not told before.
    #[serde(skip)]
    pub entities: Vec<(KindId, Id)>,
}

/// A record that counts.
#[derive(Debug, Serialize)]
pub struct Record {
    /// Where it was read.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// When it happened; null for one that has no time.
    pub event_time: Option<At>,
    /// Until when it counts; null: for ever.
    pub until: Option<At>,
    /// What matters of it.
    #[serde(serialize_with = "by_name")]
    pub fields: Vec<(String, Typed)>,
}

fn by_name<S: Serializer>(fields: &[(String, Typed)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, value)| (name, value)))
}

/// An episode and what was decided of it.
#[derive(Debug, Serialize)]
pub struct Episode {
    /// Its id.
    pub id: String,
    /// When it opened.
    pub opened: At,
    /// When it closed.
    pub closed: Option<At>,
    /// Verdicts, receipts, outcome, in order.
    pub events: Vec<Event>,
}

/// Something that was decided or learnt.
#[derive(Debug, Serialize)]
pub struct Event {
    /// When.
    pub time: At,
    /// `verdict`, `receipt` or `outcome`.
    pub what: &'static str,
    /// The verdict, receipt or outcome by its name.
    pub name: String,
    /// In words.
    pub told: String,
    /// The gates that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
}

/// A gate that failed.
#[derive(Clone, Debug, Serialize)]
pub struct Gate {
    /// Its name.
    pub gate: &'static str,
    /// What failed in it, as `docs/policy.md` says.
    pub why: Option<String>,
    /// When it passes if nothing else changes.
    pub until: Option<At>,
    /// In words.
    pub told: String,
    /// What would have to change, in words.
    pub remedy: String,
}
