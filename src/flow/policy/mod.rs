//! The policy: what is decided of every open episode. `docs/policy.md` says what it means.

mod decision;

pub use decision::{Decision, EpisodeKey, FailedGate, Group, Judgement, Outcome, Receipt, Shown, What};
