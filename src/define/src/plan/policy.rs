//! What a plan says of policy: the gates between an episode and a trigger. `docs/policy.md` says
//! what they mean.
//!
//! What the policy reads of a customer beyond its view (signals of mood, receipts) is kept as
//! features of an entity of its own, which belongs to the customer and has the customer's id: so it
//! has windows, corrections and order like everything else. [`Policy::kind`] is that kind.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expr::{Env, Expr};
use propice_model::{Duration, FieldId, InputId, KindId, LogicalTime, MomentId, Real};

use super::Purpose;

/// A set of kinds of data, one bit per position in [`Policy::data`].
pub type DataKinds = u32;

/// Everything between an episode and a trigger that is not said by the moment itself.
#[derive(Debug, Default)]
pub struct Policy {
    /// Over the customer: it refuses personalised contact.
    pub refusal: Option<Expr>,
    /// Over the customer, by [`Purpose::index`]: it consents to contacts for the purpose. `None`:
    /// none is needed.
    pub purposes: [Option<Expr>; 5],
    /// Kinds of data that need consent, in the order of their names; at most 32.
    pub data: Vec<DataConsent>,
    /// How mood counts.
    pub mood: Option<MoodPolicy>,
    /// When to be quiet.
    pub quiet: Vec<QuietRule>,
    /// The table of holidays.
    pub holidays: Option<Holidays>,
    /// A text over the customer: its IANA zone.
    pub zone: Option<Expr>,
    /// A text over the customer: the region whose holidays are its own.
    pub region: Option<Expr>,
    /// A text over the customer: its language.
    pub locale: Option<Expr>,
    /// Budgets of contacts, in the order of the pack.
    pub pressure: Vec<Budget>,
    /// How many releases at once.
    pub arbitration: Arbitration,
    /// What makes a moment rest.
    pub rest: Vec<Rest>,
    /// How long a snooze without an end lasts, in ms.
    pub snooze_ms: Duration,
    /// What receipts of a kind add to the priority.
    pub rating: BTreeMap<ReceiptKind, Real>,
    /// The slot of [`Policy::kind`] with the receipts: a list of [`receipt`] records, the latest
    /// first.
    pub receipts: Option<u16>,
    /// How long releases and receipts are remembered, in ms.
    pub keep_ms: Duration,
    /// The channel for what is handed to a human and has no channel of people of its own (position
    /// in `Plan::channels`).
    pub human: Option<usize>,
    /// The kind of entity that holds what the policy reads, if it reads anything of the kind. Not
    /// part of views.
    pub kind: Option<KindId>,
    /// What passes every gate before this time is not said: it counts as no contact. Set by a run,
    /// never by a pack.
    pub publish_from: LogicalTime,
}

impl Policy {
    /// The kinds of data that a customer does not consent to.
    pub fn denied(&self, customer: &Env<'_>) -> DataKinds {
        let kinds = self.data.iter().enumerate().filter(|(_, kind)| !kind.allowed.holds(customer));
        kinds.fold(0, |denied, (bit, _)| denied | 1 << bit)
    }

    /// Those of a set of kinds of data, in order.
    pub fn kinds(&self, kinds: DataKinds) -> impl Iterator<Item = &DataConsent> {
        self.data.iter().enumerate().filter(move |(bit, _)| kinds & 1 << bit != 0).map(|(_, kind)| kind)
    }
}

/// A kind of data that needs the customer's consent.
#[derive(Debug)]
pub struct DataConsent {
    /// Its name.
    pub name: String,
    /// Over the customer: it may be used.
    pub allowed: Expr,
}

/// How mood counts.
#[derive(Debug)]
pub struct MoodPolicy {
    /// What a label counts: `true` against contact, `false` in favour; labels that are not in it
    /// count nothing. As signals spell them: `map` is resolved.
    pub labels: BTreeMap<String, bool>,
    /// After how long a signal counts half, in ms; `None`: it does not decay.
    pub half_life_ms: Option<Duration>,
    /// The mood is negative above it.
    pub threshold: f64,
    /// Where signals come from.
    pub source: MoodSource,
    /// Modalities that count only under a condition over the customer; `None`: never.
    pub modalities: BTreeMap<String, Option<Expr>>,
}

/// Where signals of mood come from.
#[derive(Debug)]
pub enum MoodSource {
    /// The latest label, a slot of the customer.
    Latest {
        /// The slot of the customer with the label.
        slot: u16,
        /// The slot of [`Policy::kind`] with the event time of the latest signal; always there with
        /// a half-life.
        at: Option<u16>,
    },
    /// Slots of [`Policy::kind`], each with a list of [`signal`] records, the latest first.
    Signals(Vec<SignalSource>),
}

/// A source of signals.
#[derive(Debug)]
pub struct SignalSource {
    /// The name of its input: what signals without a source of their own are called after.
    pub name: String,
    /// The slot of [`Policy::kind`].
    pub slot: u16,
}

/// How many half-lives a signal of mood counts: what is left of it then is a thousandth.
pub const SIGNAL_HALF_LIVES: Duration = 10;

/// Positions in the list that stands for a signal of mood. All but the first two may be null.
pub mod signal {
    /// `Int`: the event time, negated, so that the latest is the least.
    pub const TIME: usize = 0;
    /// `Text`.
    pub const LABEL: usize = 1;
    /// `Float`
    pub const INTENSITY: usize = 2;
    /// `Float`
    pub const CONFIDENCE: usize = 3;
    /// `Text`
    pub const MODALITY: usize = 4;
    /// `Text`
    pub const SOURCE: usize = 5;
}

/// Positions in the list that stands for a receipt. All but the first two may be null.
pub mod receipt {
    /// `Int`: the event time, negated, so that the latest is the least.
    pub const TIME: usize = 0;
    /// `Text`
    pub const KIND: usize = 1;
    /// `Text`: the id of the trigger, or of the episode.
    pub const TRIGGER: usize = 2;
    /// `Text`
    pub const CHANNEL: usize = 3;
    /// `Text`
    pub const PURPOSE: usize = 4;
    /// `Time`
    pub const UNTIL: usize = 5;
}

/// What a receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// It reached the customer's device or a person.
    Delivered,
    /// The customer saw it.
    Seen,
    /// The customer did what it proposes.
    Acted,
    /// The customer waved it away.
    Dismissed,
    /// Not now.
    Snoozed,
    /// It helped.
    Useful,
    /// It did not help.
    NotUseful,
    /// What it says is not true.
    Wrong,
    /// Another system has been in touch.
    Contacted,
}

impl ReceiptKind {
    /// All of them with their names.
    pub const ALL: [(&'static str, ReceiptKind); 9] = [
        ("delivered", ReceiptKind::Delivered),
        ("seen", ReceiptKind::Seen),
        ("acted", ReceiptKind::Acted),
        ("dismissed", ReceiptKind::Dismissed),
        ("snoozed", ReceiptKind::Snoozed),
        ("useful", ReceiptKind::Useful),
        ("not_useful", ReceiptKind::NotUseful),
        ("wrong", ReceiptKind::Wrong),
        ("contacted", ReceiptKind::Contacted),
    ];

    /// The kind of that name.
    pub fn named(name: &str) -> Option<ReceiptKind> {
        ReceiptKind::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

/// When to be quiet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuietRule {
    /// From and until, in minutes of the customer's day; from may be behind until: over midnight.
    pub hours: Vec<(u16, u16)>,
    /// Days of the week, 0 is Sunday.
    pub days: Vec<u8>,
    /// On holidays.
    pub holidays: bool,
    /// On these channels only (positions in `Plan::channels`); empty: on all.
    pub channels: Vec<usize>,
    /// For these purposes only; empty: for all.
    pub purposes: Vec<Purpose>,
    /// Purposes that need not be quiet.
    pub except: Vec<Purpose>,
}

impl QuietRule {
    /// Whether it is for what has a purpose, on a channel; `None` is the way of a moment without
    /// channels.
    pub fn applies(&self, purpose: Purpose, channel: Option<usize>) -> bool {
        (self.channels.is_empty() || channel.is_some_and(|channel| self.channels.contains(&channel)))
            && (self.purposes.is_empty() || self.purposes.contains(&purpose))
            && !self.except.contains(&purpose)
    }
}

/// The table of holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holidays {
    /// The table.
    pub input: InputId,
    /// Its field with the day, a text `2026-05-01`.
    pub day: FieldId,
    /// Its field with the region, a text.
    pub region: Option<FieldId>,
}

/// At most so many contacts per window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Of this purpose only.
    pub purpose: Option<Purpose>,
    /// On this channel only (position in `Plan::channels`).
    pub channel: Option<usize>,
    /// How many.
    pub at_most: u32,
    /// In which time.
    pub per: Per,
    /// Purposes that do not count.
    pub except: Vec<Purpose>,
}

impl Budget {
    /// Whether it is for what has a purpose.
    pub fn is_for(&self, purpose: Purpose) -> bool {
        self.purpose.is_none_or(|own| own == purpose) && !self.except.contains(&purpose)
    }

    /// Whether it limits what has a purpose, on a channel; `None` is the way of a moment without
    /// channels.
    pub fn limits(&self, purpose: Purpose, channel: Option<usize>) -> bool {
        self.is_for(purpose) && (self.channel.is_none() || self.channel == channel)
    }
}

/// The window of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// So many ms back from now.
    Rolling(Duration),
    /// So many days of the customer's calendar: today and those before.
    Days(u32),
    /// The current one in the customer's calendar.
    Current(Period),
}

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
    /// From the first of January, April, July or October.
    Quarter,
    /// From the first of January.
    Year,
}

/// How many releases at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arbitration {
    /// At most one release in this time, in ms; 0: no limit.
    pub window_ms: Duration,
    /// Purposes that do not wait.
    pub except: Vec<Purpose>,
}

impl Default for Arbitration {
    fn default() -> Self {
        Arbitration { window_ms: 60_000, except: Vec::new() }
    }
}

/// Receipts that make a moment rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// From the so manyth on.
    pub after: u32,
    /// Of these kinds.
    pub of: Vec<ReceiptKind>,
    /// When they are less than this apart, in ms.
    pub within_ms: Option<Duration>,
    /// For how long, in ms.
    pub for_ms: Duration,
}

/// What a moment silences while its episode is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// The moments that it silences, never itself; in order.
    pub moments: Vec<MomentId>,
    /// How much longer, after it has closed, in ms.
    pub after_ms: Duration,
}

/// Whether what is suppressed is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnSuppressed {
    /// It is looked at again when a fact changes.
    #[default]
    Wait,
    /// It expires.
    Drop,
}

/// What happens at the end of its validity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// It expires.
    #[default]
    Expire,
    /// A person takes over.
    Human,
}

/// A part of a reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasonPart {
    /// As it stands.
    Text(String),
    /// The value of a slot.
    Slot(super::Evidence),
}

/// Why, in words, by language (`en`, `fr`; the empty one is of any language).
pub type Reason = BTreeMap<String, Vec<ReasonPart>>;
