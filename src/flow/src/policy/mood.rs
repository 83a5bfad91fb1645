//! The recent state of mind: signals of many sources, fused with decay.
//!
//! Every signal counts `± w · 2^(−(t − e) / half_life)`. All decay alike, so that between two
//! changes the sum keeps its sign and only shrinks: when it is above the threshold it crosses it
//! once, and that instant is found by bisection.

use propice_define::plan::{MoodPolicy, MoodSource, SIGNAL_HALF_LIVES, signal};
use propice_model::{LogicalTime, Value};

use super::Policy;
use super::context::{EvaluationContext, Mood};

/// A signal that counts: with its sign, and when it happened.
#[derive(Clone, Copy)]
struct Signal {
    weight: f64,
    event_time: LogicalTime,
}

impl Policy {
    /// The mood of the customer. Asks to be called again when it turns.
    pub(super) fn mood(&self, context: &EvaluationContext<'_>) -> Mood {
        let Some(policy) = &self.plan.policy.mood else { return Mood::default() };
        let signals = match &policy.source {
            MoodSource::Latest { slot, at } => latest(policy, context, *slot, *at),
            MoodSource::Signals(sources) => {
                let lists = sources.iter().filter_map(|source| context.own_slots()?.get(usize::from(source.slot)));
                lists.flat_map(|list| signals(policy, context, list)).collect()
            }
        };
        let mood = Decaying { policy, signals: &signals }.at(context.now());
        if let Some(until) = mood.until {
            context.wake.at(until);
        }
        mood
    }
}

fn latest(policy: &MoodPolicy, context: &EvaluationContext<'_>, slot: u16, at: Option<u16>) -> Vec<Signal> {
    let label = context.snapshot.row.get(usize::from(slot));
    let weight = label.map_or(0.0, |label| sign(policy, label));
    let at = at.and_then(|at| context.own_slots()?.get(usize::from(at)));
    let event_time = if let Some(Value::Time(at)) = at { at.max(&0).unsigned_abs() } else { context.now() };
    if weight == 0.0 { Vec::new() } else { vec![Signal { weight, event_time }] }
}

fn signals(policy: &MoodPolicy, context: &EvaluationContext<'_>, list: &Value) -> Vec<Signal> {
    let Value::List(list) = list else { return Vec::new() };
    list.iter().filter_map(|record| signal_of(policy, context, record)).collect()
}

/// A signal that counts; `None` for one that does not.
fn signal_of(policy: &MoodPolicy, context: &EvaluationContext<'_>, record: &Value) -> Option<Signal> {
    let Value::List(parts) = record else { return None };
    let Value::Int(time) = parts.get(signal::TIME)? else { return None };
    if let Some(Value::Text(modality)) = parts.get(signal::MODALITY)
        && let Some(allowed) = policy.modalities.get(modality.as_ref())
        && !allowed.as_ref().is_some_and(|allowed| context.holds(allowed))
    {
        return None;
    }
    let factor = |position: usize| match parts.get(position) {
        Some(Value::Float(number)) => number.get().clamp(0.0, 1.0),
        _ => 1.0,
    };
    let weight = sign(policy, parts.get(signal::LABEL)?) * (factor(signal::INTENSITY) * factor(signal::CONFIDENCE));
    (weight != 0.0).then_some(Signal { weight, event_time: time.unsigned_abs() })
}

/// `1` for a negative label, `-1` for a positive one.
fn sign(policy: &MoodPolicy, label: &Value) -> f64 {
    let Value::Text(label) = label else { return 0.0 };
    match policy.labels.get(label.as_ref()) {
        None => 0.0,
        Some(true) => 1.0,
        Some(false) => -1.0,
    }
}

/// Signals with how they decay.
struct Decaying<'a> {
    policy: &'a MoodPolicy,
    signals: &'a [Signal],
}

impl Decaying<'_> {
    fn at(&self, now: LogicalTime) -> Mood {
        if !self.is_negative(now) {
            return Mood::default();
        }
        Mood { is_negative: true, until: self.turn(now) }
    }

    fn is_negative(&self, time: LogicalTime) -> bool {
        self.sum(time) > self.policy.threshold
    }

    fn sum(&self, time: LogicalTime) -> f64 {
        let Some(half_life) = self.policy.half_life_ms else {
            return self.signals.iter().map(|signal| signal.weight).sum();
        };
        let counting = self.signals.iter().filter(|signal| time < self.end(signal));
        counting.fold(0.0, |sum, signal| {
            let age = time as f64 - signal.event_time as f64;
            sum + signal.weight * (-age / half_life as f64).exp2()
        })
    }

    /// When a signal counts no more.
    fn end(&self, signal: &Signal) -> LogicalTime {
        match (&self.policy.source, self.policy.half_life_ms) {
            (MoodSource::Signals(_), Some(half_life)) => {
                signal.event_time.saturating_add(half_life.saturating_mul(SIGNAL_HALF_LIVES).unsigned_abs())
            }
            _ => LogicalTime::MAX,
        }
    }

    /// The first time after `now`, at which it is negative, at which it is not.
    fn turn(&self, now: LogicalTime) -> Option<LogicalTime> {
        let half_life = self.policy.half_life_ms?.unsigned_abs();
        let mut ends: Vec<LogicalTime> = self.signals.iter().map(|signal| self.end(signal)).collect();
        ends.retain(|end| *end > now && *end < LogicalTime::MAX);
        // A thousand signals of full weight count for less than any threshold that matters after so
        // many half-lives.
        ends.push(now.saturating_add(100 * half_life));
        ends.sort_unstable();
        let mut from = now;
        for end in ends {
            if !self.is_negative(end - 1) {
                return Some(self.bisect(from, end - 1));
            }
            if !self.is_negative(end) {
                return Some(end);
            }
            from = end;
        }
        None
    }

    /// The first time in `(negative, calm]` that is not negative.
    fn bisect(&self, mut negative: LogicalTime, mut calm: LogicalTime) -> LogicalTime {
        while calm - negative > 1 {
            let middle = negative + (calm - negative) / 2;
            if self.is_negative(middle) {
                negative = middle;
            } else {
                calm = middle;
            }
        }
        calm
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn policy(source: MoodSource) -> MoodPolicy {
        MoodPolicy {
            labels: BTreeMap::new(),
            half_life_ms: Some(1_000),
            threshold: 0.5,
            source,
            modalities: BTreeMap::new(),
        }
    }

    #[test]
    fn a_full_signal_passes_after_its_half_life() {
        let policy = policy(MoodSource::Signals(Vec::new()));
        let signals = [Signal { weight: 1.0, event_time: 5_000 }];
        let mood = Decaying { policy: &policy, signals: &signals };
        assert_eq!(mood.at(5_000), Mood { is_negative: true, until: Some(6_000) });
        assert_eq!(mood.at(5_999), Mood { is_negative: true, until: Some(6_000) });
        assert_eq!(mood.at(6_000), Mood::default());
    }

    #[test]
    fn signals_add_up_and_joy_counts_against_anger() {
        let policy = policy(MoodSource::Signals(Vec::new()));
        let two = [Signal { weight: 1.0, event_time: 0 }, Signal { weight: 1.0, event_time: 0 }];
        assert_eq!(Decaying { policy: &policy, signals: &two }.at(0).until, Some(2_000));
        let joy = [Signal { weight: 1.0, event_time: 0 }, Signal { weight: -0.6, event_time: 0 }];
        assert_eq!(Decaying { policy: &policy, signals: &joy }.at(0), Mood::default());
    }

    #[test]
    fn a_mood_without_half_life_lasts() {
        let policy = MoodPolicy { half_life_ms: None, ..policy(MoodSource::Latest { slot: 0, at: None }) };
        let signals = [Signal { weight: 1.0, event_time: 0 }];
        let mood = Decaying { policy: &policy, signals: &signals }.at(1 << 40);
        assert_eq!(mood, Mood { is_negative: true, until: None });
    }
}
