//! Verdicts and gates by name: what the policy decides, and why not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the policy decides of an open episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A trigger is published.
    Released,
    /// A person takes over.
    HandedToHuman,
    /// It waits for time or for the customer's state to pass.
    Deferred,
    /// It waits for a fact to change.
    Suppressed,
    /// The condition stopped holding.
    Withdrawn,
    /// It is of use no more.
    Expired,
}

impl Verdict {
    /// All of them with their names.
    pub const ALL: [(&'static str, Verdict); 6] = [
        ("released", Verdict::Released),
        ("handed_to_human", Verdict::HandedToHuman),
        ("deferred", Verdict::Deferred),
        ("suppressed", Verdict::Suppressed),
        ("withdrawn", Verdict::Withdrawn),
        ("expired", Verdict::Expired),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Verdict::ALL[self as usize].0
    }
}

/// How an episode ended that is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The moment's `success` holds.
    Succeeded,
    /// The condition holds no more, and nothing else is known of it.
    NoLongerSo,
    /// Another moment has taken its place.
    Overtaken,
}

impl Ending {
    /// All of them with their names.
    pub const ALL: [(&'static str, Ending); 3] =
        [("succeeded", Ending::Succeeded), ("no_longer_so", Ending::NoLongerSo), ("overtaken", Ending::Overtaken)];

    /// Its name.
    pub fn name(self) -> &'static str {
        Ending::ALL[self as usize].0
    }
}

/// What stands between an episode and a trigger, in the order in which it is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// The customer refuses personalised contact.
    Refusal,
    /// For the purpose, and for the data used.
    Consent,
    /// Another moment imposes it.
    Silence,
    /// The customer is in the control group.
    Holdout,
    /// Released too recently, or resting.
    Cooldown,
    /// What is known is too old or too little.
    Evidence,
    /// The state of mind.
    Mood,
    /// Quiet hours, quiet days.
    Quiet,
    /// Budgets of contacts.
    Pressure,
    /// Another episode was released.
    Arbitration,
}

impl Gate {
    /// All of them with their names, in order.
    pub const ALL: [(&'static str, Gate); 10] = [
        ("refusal", Gate::Refusal),
        ("consent", Gate::Consent),
        ("silence", Gate::Silence),
        ("holdout", Gate::Holdout),
        ("cooldown", Gate::Cooldown),
        ("evidence", Gate::Evidence),
        ("mood", Gate::Mood),
        ("quiet", Gate::Quiet),
        ("pressure", Gate::Pressure),
        ("arbitration", Gate::Arbitration),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Gate::ALL[self as usize].0
    }

    /// Whether it is in the way of a decision of the customer or of the bank (1 to 5), not of the
    /// moment.
    pub fn suppresses(self) -> bool {
        self <= Gate::Cooldown
    }

    /// Of the gates that failed of what is suppressed, those because of which it is: where none is
    /// that always suppresses, the mood cancels.
    pub fn suppressing(failed: &[Gate]) -> impl Iterator<Item = Gate> {
        let cancels = !failed.iter().any(|gate| gate.suppresses());
        failed.iter().copied().filter(move |gate| gate.suppresses() || (cancels && *gate == Gate::Mood))
    }

    /// Whether it is one of those that are met last and pass with time: quiet, pressure,
    /// arbitration.
    pub fn is_contact(self) -> bool {
        self >= Gate::Quiet
    }
}
