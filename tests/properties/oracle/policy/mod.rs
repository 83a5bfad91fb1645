//! What the policy decides, written from `docs/policy.md` section by section: at every instant
//! everything is recomputed from the records, the episodes and the list of what was released
//! before.
//!
//! `read` reads what the pack says, `mood`, `calendar` and `receipts` are about one customer at one
//! instant, `gates` are what an episode meets, and `decide` goes through the steps of one logical
//! time.

mod by_hand;
mod calendar;
mod decide;
mod ended;
mod gates;
mod mood;
mod read;
mod receipts;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use calendar::{Calendar, Zone};
pub(crate) use decide::{Memory, Release, Subject};
pub(crate) use gates::Client;
pub(crate) use mood::Signal;
pub(crate) use read::moment;

use super::expr::{Node, Uses};
use super::pack::Moment;

/// What a pack says of policy, as it says it.
#[derive(Default)]
pub(crate) struct Policy {
    pub(crate) refusal: Option<Node>,
    pub(crate) purposes: BTreeMap<String, Node>,
    /// In the order of their names.
    pub(crate) data: Vec<Data>,
    pub(crate) mood: Option<Mood>,
    pub(crate) quiet: Vec<Quiet>,
    /// Table, day and region.
    pub(crate) holidays: Option<(usize, usize, Option<usize>)>,
    pub(crate) zone: Option<Node>,
    pub(crate) region: Option<Node>,
    pub(crate) timezone: String,
    pub(crate) pressure: Vec<Budget>,
    pub(crate) window: i64,
    pub(crate) window_except: Vec<String>,
    pub(crate) rest: Vec<Rest>,
    pub(crate) snooze: i64,
    pub(crate) rating: BTreeMap<String, f64>,
    pub(crate) receipts: Option<Receipts>,
    pub(crate) keep: i64,
    pub(crate) human: Option<String>,
    /// Channels of people.
    pub(crate) people: BTreeSet<String>,
}

/// A kind of data, and by kind of entity and slot whether it is of this kind.
pub(crate) struct Data {
    pub(crate) name: String,
    pub(crate) allowed: Node,
    pub(crate) inputs: Vec<String>,
    pub(crate) features: Vec<String>,
    pub(crate) marks: Vec<Vec<bool>>,
}

pub(crate) struct Mood {
    pub(crate) negative: Vec<String>,
    pub(crate) positive: Vec<String>,
    pub(crate) map: BTreeMap<String, String>,
    pub(crate) half_life: Option<i64>,
    pub(crate) threshold: f64,
    /// `None`: never.
    pub(crate) modalities: BTreeMap<String, Option<Node>>,
    /// A slot of the customer with the latest label.
    pub(crate) from: Option<usize>,
    pub(crate) sources: Vec<Source>,
}

/// Where signals come from: an input and expressions over its records.
pub(crate) struct Source {
    pub(crate) input: usize,
    pub(crate) filter: Option<Node>,
    pub(crate) label: Node,
    /// Intensity, confidence.
    pub(crate) numbers: [Option<Node>; 2],
    /// Modality, source.
    pub(crate) texts: [Option<Node>; 2],
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Quiet {
    /// Minutes of the day.
    pub(crate) hours: Vec<(i64, i64)>,
    /// Names, in English.
    pub(crate) days: Vec<String>,
    pub(crate) holidays: bool,
    pub(crate) channels: Vec<String>,
    pub(crate) purposes: Vec<String>,
    pub(crate) except: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Budget {
    pub(crate) purpose: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) at_most: usize,
    pub(crate) per: Per,
    pub(crate) except: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Per {
    Rolling(i64),
    Days(i64),
    /// `day`, `week`, …
    Current(String),
}

pub(crate) struct Rest {
    pub(crate) after: usize,
    pub(crate) of: Vec<String>,
    pub(crate) within: Option<i64>,
    pub(crate) length: i64,
}

/// Input and fields.
pub(crate) struct Receipts {
    pub(crate) input: usize,
    pub(crate) kind: usize,
    pub(crate) trigger: Option<usize>,
    pub(crate) channel: Option<usize>,
    pub(crate) purpose: Option<usize>,
    pub(crate) until: Option<usize>,
}

/// What a moment says of policy.
pub(crate) struct Rules {
    pub(crate) purpose: String,
    pub(crate) channels: Vec<String>,
    pub(crate) priority: Node,
    pub(crate) valid_for: Option<i64>,
    pub(crate) cooldown: Option<i64>,
    pub(crate) on_negative_mood: String,
    pub(crate) success: Option<(Node, Uses)>,
    pub(crate) success_within: i64,
    /// As written.
    pub(crate) evidence: Vec<(String, Node)>,
    /// Slots that `when`, `priority` and `evidence` use: scope and slot.
    pub(crate) used: BTreeSet<(usize, usize)>,
    pub(crate) silence: Option<Silence>,
    pub(crate) holdout: f64,
    pub(crate) drops: bool,
    pub(crate) expires_to_human: bool,
    /// Positions of the kinds of data that it uses.
    pub(crate) data: BTreeSet<usize>,
}

pub(crate) struct Silence {
    pub(crate) purposes: Vec<String>,
    pub(crate) moments: Vec<String>,
    pub(crate) except: Vec<String>,
    pub(crate) after: i64,
}

impl Silence {
    /// Whether a moment, which is another one, is silenced.
    pub(crate) fn concerns(&self, moment: &Moment) -> bool {
        let purpose = &moment.rules.purpose;
        let named = self.purposes.contains(purpose) || self.moments.contains(&moment.name);
        let all = self.purposes.is_empty() && self.moments.is_empty();
        (named || all) && !self.except.contains(purpose)
    }
}

/// From the first that goes first.
pub(crate) const PURPOSES: [&str; 5] = ["safety", "assistance", "service", "relationship", "sales"];
