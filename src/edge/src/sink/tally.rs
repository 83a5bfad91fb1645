//! What was decided, counted: what the closing summary of a run tells.
//!
//! An episode is counted once in everything that happened to it, however often its verdict was
//! given again. What is remembered is bounded by the episodes that are open and not final.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use propice_define::plan::{Ending, Gate, Verdict};
use propice_flow::policy::{Decision, EpisodeKey, Judgement, What};
use propice_model::{Id, LogicalTime, MomentId};

/// What was decided, counted.
#[derive(Clone, Debug, Default)]
pub struct DecisionTally {
    /// Releases by moment and channel (position in `Plan::channels`).
    pub released: BTreeMap<(MomentId, Option<u16>), u64>,
    /// What was handed to a person, likewise.
    pub handed_over: BTreeMap<(MomentId, Option<u16>), u64>,
    /// Episodes that were deferred, by gate: each for every gate that deferred it.
    pub deferred_by: BTreeMap<Gate, u64>,
    /// Stretches of deferral that ended, by their length in ms.
    pub deferrals: BTreeMap<u64, u64>,
    /// Episodes that were suppressed, by gate: each for every gate that suppressed it.
    pub suppressed_by: BTreeMap<Gate, u64>,
    /// Episodes that were deferred.
    pub deferred: u64,
    /// Episodes that were suppressed.
    pub suppressed: u64,
    /// Episodes that ended before they were released or handed over.
    pub withdrawn_before: u64,
    /// Episodes that ended after it.
    pub withdrawn_after: u64,
    /// How they ended.
    pub ended_after: BTreeMap<Ending, u64>,
    /// Episodes that were of use no more.
    pub expired: u64,
    waiting: HashMap<(Id, EpisodeKey), WaitingEpisode>,
}

/// An episode that is open and not final.
#[derive(Clone, Debug, Default)]
struct WaitingEpisode {
    deferred_since: Option<LogicalTime>,
    was_deferred: bool,
    was_suppressed: bool,
    /// One bit per gate that has been counted for it: those that deferred it, and those that
    /// suppressed it.
    deferred_by: u16,
    suppressed_by: u16,
}

impl DecisionTally {
    /// Counts a decision. They come in their order.
    pub fn count(&mut self, decision: &Decision) {
        let (Some(episode), What::Verdict(judgement)) = (&decision.episode, &decision.what) else { return };
        match judgement.verdict {
            Verdict::Released => add(&mut self.released, (episode.moment, judgement.channel)),
            Verdict::HandedToHuman => add(&mut self.handed_over, (episode.moment, judgement.channel)),
            Verdict::Withdrawn if judgement.released_at.is_some() => {
                self.withdrawn_after += 1;
                judgement.ended.iter().for_each(|ended| add(&mut self.ended_after, ended.how));
            }
            Verdict::Withdrawn => self.withdrawn_before += 1,
            Verdict::Expired => self.expired += 1,
            Verdict::Deferred | Verdict::Suppressed => {}
        }
        let key = (decision.customer.clone(), episode.clone());
        if is_final(judgement) {
            if let Some(waiting) = self.waiting.remove(&key) {
                self.end_deferral(waiting.deferred_since, decision.time);
            }
        } else {
            self.wait(key, decision.time, judgement);
        }
    }

    fn wait(&mut self, key: (Id, EpisodeKey), time: LogicalTime, judgement: &Judgement) {
        let mut waiting = self.waiting.remove(&key).unwrap_or_default();
        let defers = judgement.verdict == Verdict::Deferred;
        let gates = judgement.gates.iter().map(|failed| failed.gate);
        if defers {
            self.deferred += u64::from(!std::mem::replace(&mut waiting.was_deferred, true));
            count_gates(&mut self.deferred_by, &mut waiting.deferred_by, gates);
            waiting.deferred_since.get_or_insert(time);
        } else {
            self.suppressed += u64::from(!std::mem::replace(&mut waiting.was_suppressed, true));
            let gates: Vec<Gate> = gates.collect();
            count_gates(&mut self.suppressed_by, &mut waiting.suppressed_by, Gate::suppressing(&gates));
            self.end_deferral(waiting.deferred_since.take(), time);
        }
        self.waiting.insert(key, waiting);
    }

    fn end_deferral(&mut self, since: Option<LogicalTime>, time: LogicalTime) {
        if let Some(since) = since {
            add(&mut self.deferrals, time.saturating_sub(since));
        }
    }

    /// Episodes that are open, and neither released nor expired.
    pub fn still_open(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// How many of them are deferred.
    pub fn still_deferred(&self) -> u64 {
        self.waiting.values().filter(|waiting| waiting.deferred_since.is_some()).count() as u64
    }

    /// The median length of the deferrals that ended, in ms: of an even number, the lower one in
    /// the middle.
    pub fn median_deferral_ms(&self) -> Option<u64> {
        let all: u64 = self.deferrals.values().sum();
        let mut seen = 0;
        self.deferrals.iter().find_map(|(length, count)| {
            seen += count;
            (2 * seen >= all).then_some(*length)
        })
    }
}

fn is_final(judgement: &Judgement) -> bool {
    !matches!(judgement.verdict, Verdict::Deferred | Verdict::Suppressed)
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}

fn count_gates(counts: &mut BTreeMap<Gate, u64>, counted: &mut u16, gates: impl Iterator<Item = Gate>) {
    for gate in gates {
        let bit = 1 << gate as u16;
        if *counted & bit == 0 {
            *counted |= bit;
            add(counts, gate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Verdicts on one episode per customer: time, customer, verdict, gates.
    fn counted(verdicts: &[(u64, u64, Verdict, &[Gate])]) -> DecisionTally {
        let mut tally = DecisionTally::default();
        for (time, customer, verdict, gates) in verdicts {
            let episode = Some(EpisodeKey { moment: MomentId(0), entity: None, since: 0 });
            let what = What::Verdict(Judgement::bare(*verdict, gates));
            tally.count(&Decision { time: *time, customer: Id::Number(*customer), episode, what });
        }
        tally
    }

    #[test]
    fn a_deferral_lasts_until_another_kind_of_verdict() {
        let tally = counted(&[
            (10, 1, Verdict::Deferred, &[Gate::Quiet]),
            (20, 1, Verdict::Deferred, &[Gate::Quiet, Gate::Pressure]),
            (20, 2, Verdict::Deferred, &[Gate::Mood]),
            (60, 1, Verdict::Released, &[]),
            (80, 2, Verdict::Suppressed, &[Gate::Refusal, Gate::Mood, Gate::Quiet]),
            (90, 2, Verdict::Deferred, &[Gate::Mood]),
            (95, 3, Verdict::Deferred, &[Gate::Quiet]),
            (96, 3, Verdict::Withdrawn, &[]),
        ]);
        assert_eq!((tally.deferred, tally.suppressed), (3, 1));
        assert_eq!(tally.deferred_by, BTreeMap::from([(Gate::Mood, 1), (Gate::Quiet, 2), (Gate::Pressure, 1)]));
        assert_eq!(tally.suppressed_by, BTreeMap::from([(Gate::Refusal, 1)]));
        assert_eq!(tally.deferrals, BTreeMap::from([(1, 1), (50, 1), (60, 1)]));
        assert_eq!(tally.median_deferral_ms(), Some(50));
        assert_eq!((tally.still_open(), tally.still_deferred()), (1, 1));
        assert_eq!((tally.withdrawn_before, tally.withdrawn_after), (1, 0));
    }

    #[test]
    fn of_an_even_number_the_lower_one_in_the_middle_is_the_median() {
        for (lengths, median) in [
            (&[][..], None),
            (&[7], Some(7)),
            (&[3, 5], Some(3)),
            (&[1, 2, 8], Some(2)),
            (&[1, 2, 8, 9], Some(2)),
            (&[4, 4, 4, 9], Some(4)),
            (&[1, 9, 9, 9], Some(9)),
        ] {
            let mut tally = DecisionTally::default();
            lengths.iter().for_each(|length| add(&mut tally.deferrals, *length));
            assert_eq!(tally.median_deferral_ms(), median, "{lengths:?}");
        }
    }
}
