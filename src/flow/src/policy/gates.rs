//! The ten gates, in their order. Each says what failed in it, and when it passes if nothing else
//! changes.

use crate::episode::part;
use propice_define::expr::{Env, Expr};
use propice_define::plan::{Gate, OnNegativeMood, ReceiptKind};
use propice_model::LogicalTime;

use super::budgets::{Blocked, Contact};
use super::context::EvaluationContext;
use super::receipts::{Answer, rests_until, snoozed_until};
use super::state::{PolicyState, Release};
use super::{EpisodeKey, FailedGate};

/// What quiet hours and budgets say.
pub(super) struct Reach {
    pub failed: Vec<FailedGate>,
    /// The way to the customer, if one is free.
    pub free: Option<Free>,
}

/// A way to the customer.
#[derive(Clone, Copy)]
pub(super) struct Free {
    /// `None` for a moment without channels.
    pub channel: Option<u16>,
}

fn failed(gate: Gate, why: Option<String>, until: Option<LogicalTime>) -> FailedGate {
    FailedGate { gate, why, until }
}

/// The texts joined, if there are any.
fn joined(parts: &[&str], between: &str) -> Option<String> {
    (!parts.is_empty()).then(|| parts.join(between))
}

impl EvaluationContext<'_> {
    /// Gates 1 to 7: facts, and the customer's state. Asks to be called again when one of them
    /// passes.
    pub(super) fn grounds(&self, key: &EpisodeKey, state: &PolicyState) -> Vec<FailedGate> {
        let mut grounds = self.facts(key, state);
        let mood = if self.moment(key).on_negative_mood == OnNegativeMood::Ignore { None } else { Some(self.mood()) };
        if let Some(mood) = mood.filter(|mood| mood.is_negative) {
            grounds.push(failed(Gate::Mood, Some("negative".to_owned()), mood.until));
        }
        grounds
    }

    /// Gates 1 to 6.
    pub(super) fn facts(&self, key: &EpisodeKey, state: &PolicyState) -> Vec<FailedGate> {
        let mut facts = Vec::new();
        if self.policy.plan.policy.refusal.as_ref().is_some_and(|refusal| self.holds(refusal)) {
            facts.push(failed(Gate::Refusal, None, None));
        }
        facts.extend(self.consent(key).map(|why| failed(Gate::Consent, Some(why), None)));
        facts.extend(self.silence(key, state));
        if self.is_held_out(key) {
            facts.push(failed(Gate::Holdout, None, None));
        }
        facts.extend(self.cooldown(key, state));
        facts.extend(self.evidence(key).map(|why| failed(Gate::Evidence, Some(why), None)));
        facts
    }

    fn consent(&self, key: &EpisodeKey) -> Option<String> {
        let policy = &self.policy.plan.policy;
        let moment = self.moment(key);
        let purpose = policy.purposes[moment.purpose.index()].as_ref();
        let mut missing = Vec::new();
        if purpose.is_some_and(|condition| !self.holds(condition)) {
            missing.push("purpose");
        }
        if moment.data != 0 {
            missing.extend(policy.kinds(moment.data & self.denied()).map(|kind| kind.name.as_str()));
        }
        joined(&missing, ",")
    }

    fn silence(&self, key: &EpisodeKey, state: &PolicyState) -> Option<FailedGate> {
        let mut names = Vec::new();
        let mut until = Some(0);
        for &silencer in &self.policy.silencers[key.moment.index()] {
            let is_open = state.episodes.iter().any(|episode| episode.key.moment == silencer);
            let lingering = state.lingering.iter().filter(|(moment, _)| *moment == silencer).map(|(_, until)| *until);
            let end = lingering.max();
            if !is_open && end.is_none() {
                continue;
            }
            names.push(self.policy.moment(silencer).name.as_str());
            if is_open {
                until = None;
            } else if let Some(end) = end {
                self.wake.at(end);
                until = until.map(|until| until.max(end));
            }
        }
        joined(&names, ",").map(|why| failed(Gate::Silence, Some(why), until))
    }

    fn is_held_out(&self, key: &EpisodeKey) -> bool {
        let moment = self.moment(key);
        let Some(share) = moment.holdout else { return false };
        let mut hasher = blake3::Hasher::new();
        for text in ["holdout", &self.policy.plan.name, &moment.name, &self.snapshot.customer.to_string()] {
            part(&mut hasher, text.as_bytes());
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        (u64::from_be_bytes(first) as f64) / 2_f64.powi(64) < share
    }

    fn cooldown(&self, key: &EpisodeKey, state: &PolicyState) -> Option<FailedGate> {
        let moment = self.moment(key);
        let of_moment = |release: &&Release| release.key.moment == key.moment && release.key.entity == key.entity;
        let released = moment.cooldown_ms.and_then(|cooldown| {
            let last = state.releases.iter().filter(of_moment).map(|release| release.at).max()?;
            Some(last.saturating_add(cooldown.unsigned_abs()).min(self.forgotten(last))).filter(|end| self.now() < *end)
        });
        let (rest, snooze) = self.rest_and_snooze(key, &state.releases);
        let ends = [("released", released), ("rest", rest), ("snoozed", snooze)];
        let ends: Vec<(&str, LogicalTime)> = ends.into_iter().filter_map(|(why, end)| Some((why, end?))).collect();
        ends.iter().for_each(|(_, end)| self.wake.at(*end));
        let why: Vec<&str> = ends.iter().map(|(why, _)| *why).collect();
        joined(&why, ",").map(|why| failed(Gate::Cooldown, Some(why), ends.iter().map(|(_, end)| *end).max()))
    }

    fn rest_and_snooze(&self, key: &EpisodeKey, releases: &[Release]) -> (Option<LogicalTime>, Option<LogicalTime>) {
        let policy = &self.policy.plan.policy;
        if policy.receipts.is_none() || releases.iter().all(|release| release.key.moment != key.moment) {
            return (None, None);
        }
        // The latest come first; rules count from the earliest.
        let of_moment = || {
            let heard = self.heard().iter().rev();
            heard.filter_map(|heard| {
                Some((heard, self.forgotten(heard.answers(key.moment, releases)?.at.min(heard.at))))
            })
        };
        let answers: Vec<_> =
            of_moment().filter_map(|(heard, until)| Some(Answer { at: heard.at, kind: heard.kind?, until })).collect();
        let snoozes = of_moment().filter(|(heard, _)| heard.kind == Some(ReceiptKind::Snoozed));
        let snoozes = snoozes.map(|(heard, forgotten)| {
            let end = heard.until.unwrap_or(heard.at.saturating_add(policy.snooze_ms.unsigned_abs()));
            (heard.at, end.min(forgotten))
        });
        (rests_until(&policy.rest, &answers, self.now()), snoozed_until(snoozes, self.now()))
    }

    /// When something that happened at a time is remembered no more.
    fn forgotten(&self, happened: LogicalTime) -> LogicalTime {
        happened.saturating_add(self.policy.plan.policy.keep_ms.unsigned_abs())
    }

    fn evidence(&self, key: &EpisodeKey) -> Option<String> {
        let conditions = &self.moment(key).enough;
        if conditions.is_empty() {
            return None;
        }
        self.with_env(key, |env: &Env<'_>| {
            let missing: Vec<&str> =
                (conditions.iter()).filter(|condition| !self.holds_in(condition, env)).map(Expr::source).collect();
            joined(&missing, "; ")
        })
    }

    /// Gates 8 and 9, over all channels of the moment. With `wakes` it asks to be called again when
    /// one of them turns.
    pub(super) fn reach(&self, key: &EpisodeKey, releases: &[Release], wakes: bool) -> Reach {
        let moment = self.moment(key);
        let policy = &self.policy.plan.policy;
        if policy.quiet.is_empty() && policy.pressure.is_empty() {
            return Reach {
                failed: Vec::new(),
                free: Some(Free { channel: moment.channels.first().map(|channel| *channel as u16) }),
            };
        }
        let wake = |time: Option<LogicalTime>| {
            if let Some(time) = time.filter(|_| wakes) {
                self.wake.at(time);
            }
        };
        let contacts = if policy.pressure.is_empty() { Vec::new() } else { self.contacts(releases) };
        let channels: Vec<Option<usize>> = moment.ways().collect();
        let (mut quiet, mut used_up) = (Vec::new(), Vec::new());
        for &channel in &channels {
            let (is_quiet, turn) = self.hours(channel, moment.purpose).at(self.now());
            wake(turn);
            quiet.push(is_quiet.then_some(Blocked { until: turn }));
            let budgets = self.used_up_on(key, channel, &contacts);
            budgets.iter().for_each(|(_, blocked)| wake(blocked.until));
            used_up.push(budgets);
        }
        let free = (0..channels.len()).find(|&at| quiet[at].is_none() && used_up[at].is_empty());
        let failed = if free.is_some() { Vec::new() } else { unreachable_because(&quiet, &used_up) };
        Reach { failed, free: free.map(|at| Free { channel: channels[at].map(|channel| channel as u16) }) }
    }

    /// The budgets (by number, from 1) that are used up on a channel, each with its end.
    fn used_up_on(&self, key: &EpisodeKey, channel: Option<usize>, contacts: &[Contact]) -> Vec<(usize, Blocked)> {
        let purpose = self.moment(key).purpose;
        let budgets = self.policy.plan.policy.pressure.iter().enumerate();
        let applying = budgets.filter(|(_, budget)| budget.limits(purpose, channel));
        applying.filter_map(|(at, budget)| Some((at + 1, self.used_up(budget, contacts)?))).collect()
    }

    /// Gate 10: whether another episode was released too recently.
    pub(super) fn arbitration(&self, key: &EpisodeKey, releases: &[Release]) -> Option<FailedGate> {
        let arbitration = &self.policy.plan.policy.arbitration;
        if arbitration.window_ms == 0 || arbitration.except.contains(&self.moment(key).purpose) {
            return None;
        }
        let contacts = || releases.iter().filter(|release| !release.handed);
        let last = contacts().map(|release| release.at).max()?;
        let end = last.saturating_add(arbitration.window_ms.unsigned_abs()).min(self.forgotten(last));
        if end <= self.now() {
            return None;
        }
        self.wake.at(end);
        let winner = contacts().find(|release| release.at == last)?;
        Some(failed(Gate::Arbitration, Some(self.moment(&winner.key).name.clone()), Some(end)))
    }
}

/// Why no channel is free. By channel: until when it is quiet, if it is; the budgets that are used
/// up.
fn unreachable_because(quiet: &[Option<Blocked>], used_up: &[Vec<(usize, Blocked)>]) -> Vec<FailedGate> {
    let all_quiet = quiet.iter().all(Option::is_some);
    let all_used_up = used_up.iter().all(|budgets| !budgets.is_empty());
    let neither = !all_quiet && !all_used_up;
    let mut gates = Vec::new();
    if all_quiet || neither {
        let until = quiet.iter().flatten().filter_map(|blocked| blocked.until).min();
        gates.push(failed(Gate::Quiet, None, until));
    }
    if all_used_up || neither {
        // On a channel the budget that lasts longest decides; one that lasts for ever is never
        // over.
        let ends = used_up.iter().filter(|budgets| !budgets.is_empty());
        let ends = ends.filter_map(|budgets| {
            budgets.iter().map(|(_, blocked)| blocked.until).collect::<Option<Vec<_>>>()?.into_iter().max()
        });
        let mut numbers: Vec<usize> = used_up.iter().flatten().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        gates.push(failed(Gate::Pressure, Some(numbers.join(",")), ends.min()));
    }
    gates
}
