//! What the policy gives: verdicts, receipts that were heard, outcomes.

use serde::{Deserialize, Serialize};

use crate::episode::EpisodeKey;
use propice_define::plan::{Ending, Gate, ReceiptKind, Verdict};
use propice_model::{EventTime, Id, LogicalTime, MomentId, Real, Value};

/// Something that was decided or learnt. Sorted as it is published: by time, customer, moment,
/// entity, opening, what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub time: LogicalTime,
    /// Of whom.
    pub customer: Id,
    /// Of which episode; `None` for a receipt that answers no release.
    pub episode: Option<EpisodeKey>,
    /// What.
    pub what: What,
}

impl Decision {
    /// The verdict, when it is one.
    pub fn judgement(&self) -> Option<&Judgement> {
        if let What::Verdict(judgement) = &self.what { Some(judgement) } else { None }
    }

    /// Whether something is said to somebody for the first time: released, or handed to a person.
    pub fn is_release(&self) -> bool {
        self.judgement()
            .is_some_and(|judgement| matches!(judgement.verdict, Verdict::Released | Verdict::HandedToHuman))
    }
}

/// What was decided or learnt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum What {
    /// A verdict.
    Verdict(Judgement),
    /// A receipt that counts from now on.
    Receipt(Receipt),
    /// Whether a release (or what was held out) helped.
    Outcome(Outcome),
}

/// A verdict with its grounds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Every gate that failed, in order.
    pub gates: Vec<FailedGate>,
    /// When all of them pass if nothing else changes; `None` when nobody knows, or none failed.
    pub until: Option<LogicalTime>,
    /// Where it is published (position in `Plan::channels`), for a moment with channels.
    pub channel: Option<u16>,
    /// When it was released or handed over, for those verdicts and for `withdrawn`.
    pub released_at: Option<LogicalTime>,
    /// For `withdrawn`: how it ended.
    pub ended: Option<Ended>,
    /// With what receipts add to it.
    pub priority: Real,
    /// Whether the mood is negative at this time.
    pub mood_is_negative: bool,
    /// The values of the moment's evidence, at this time.
    pub evidence: Vec<Shown>,
    /// The values of what the moment shares with a trigger, at this time. Empty for what is not
    /// published.
    pub shared: Vec<Shown>,
    /// The customer's language ([`Policy::locale`](propice_define::plan::Policy::locale)), of what
    /// is published.
    pub locale: Option<String>,
    /// The customer's zone, as [`Policy::zone`](propice_define::plan::Policy::zone) says it, of
    /// what is published.
    pub zone: Option<String>,
}

impl Judgement {
    /// A verdict because of gates, with everything else empty: for the tests of the crates above.
    #[doc(hidden)]
    pub fn bare(verdict: Verdict, gates: &[Gate]) -> Judgement {
        Judgement {
            verdict,
            gates: gates.iter().map(|gate| FailedGate { gate: *gate, why: None, until: None }).collect(),
            until: None,
            channel: None,
            released_at: None,
            ended: None,
            priority: Real::default(),
            mood_is_negative: false,
            evidence: Vec::new(),
            shared: Vec::new(),
            locale: None,
            zone: None,
        }
    }
}

/// How what is withdrawn ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ended {
    /// In a word.
    pub how: Ending,
    /// The moments that overtook it, in the order of their names; empty for another ending.
    pub by: Vec<MomentId>,
}

/// A gate that failed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FailedGate {
    /// Which.
    pub gate: Gate,
    /// What failed in it, as `docs/policy.md` says.
    pub why: Option<String>,
    /// When it passes if nothing else changes; `None`: nobody knows.
    pub until: Option<LogicalTime>,
}

/// A value, or that it is withheld.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Shown {
    /// The value.
    Value(Value),
    /// The customer does not consent to this kind of data (position in `Policy::data`; the first of
    /// several).
    Withheld(u8),
}

/// A receipt, as it was heard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Receipt {
    /// When it happened.
    pub at: EventTime,
    /// What it says, as it spells it.
    pub kind: String,
    /// What it says, if that is known.
    pub known: Option<ReceiptKind>,
    /// The trigger (or episode) that it names.
    pub trigger: Option<String>,
    /// The channel that it names.
    pub channel: Option<String>,
    /// It was noted before, when what it answers was not released yet.
    pub heard_before: bool,
}

/// Whether it helped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Outcome {
    /// The moment's `success` held in time.
    pub helped: bool,
    /// Released, or held out.
    pub group: Group,
    /// Since when it was watched.
    pub started: LogicalTime,
}

/// Whom a moment reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// It was released.
    Treated,
    /// It was held out.
    Holdout,
}
