//! The recent state of mind, and when it turns.

use std::cmp::Ordering;

use super::super::eval::{Failed, Scope};
use super::super::state::Live;
use super::super::value::{Id, V, decimal_to_float};
use super::{Mood, Source};

/// A signal of mood, as a record gives it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signal {
    pub(crate) event_time: i64,
    label: String,
    intensity: Option<f64>,
    confidence: Option<f64>,
    modality: Option<String>,
    source: Option<String>,
}

impl Signal {
    /// What a record says, if it says anything.
    pub(crate) fn of(source: &Source, row: &[V], event_time: i64) -> Result<Option<Signal>, Failed> {
        let scope = Scope::of(row, 0);
        if let Some(filter) = &source.filter
            && !filter.value(scope)?.holds()
        {
            return Ok(None);
        }
        let V::Text(label) = source.label.value(scope)? else { return Ok(None) };
        let number = |at: usize| match &source.numbers[at] {
            None => Ok(None),
            Some(node) => node.value(scope).map(|value| float(&value)),
        };
        let text = |at: usize| match &source.texts[at] {
            None => Ok(None),
            Some(node) => node.value(scope).map(|value| match value {
                V::Text(text) => Some(text),
                _ => None,
            }),
        };
        let (intensity, confidence) = (number(0)?, number(1)?);
        Ok(Some(Signal { event_time, label, intensity, confidence, modality: text(0)?, source: text(1)? }))
    }

    fn order(&self, other: &Signal) -> Ordering {
        let numbers = |a: Option<f64>, b: Option<f64>| a.partial_cmp(&b).expect("floats are finite");
        (other.event_time.cmp(&self.event_time))
            .then_with(|| self.label.cmp(&other.label))
            .then_with(|| numbers(self.intensity, other.intensity))
            .then_with(|| numbers(self.confidence, other.confidence))
            .then_with(|| self.modality.cmp(&other.modality))
            .then_with(|| self.source.cmp(&other.source))
    }

    fn weight(&self) -> f64 {
        let part = |number: Option<f64>| number.map_or(1.0, |number| number.clamp(0.0, 1.0));
        part(self.intensity) * part(self.confidence)
    }
}

/// A number of any type as a float; null is none.
pub(crate) fn float(value: &V) -> Option<f64> {
    match value {
        V::Int(number) => Some(*number as f64),
        V::Float(number) => Some(*number),
        V::Decimal(units, scale) => Some(decimal_to_float(*units, *scale)),
        _ => None,
    }
}

/// The signals of a customer that count now, with their signs, in the order in which they are
/// summed.
pub(crate) struct Felt {
    signals: Vec<(f64, i64, i64)>,
    half_life: Option<i64>,
    threshold: f64,
}

const MOST_SIGNALS: usize = 1_000;

impl Felt {
    pub(crate) fn of(mood: &Mood, live: &Live<'_>, customer: &Id, slots: &[V], now: i64) -> Felt {
        let mut felt = Felt { signals: Vec::new(), half_life: mood.half_life, threshold: mood.threshold };
        if let Some(slot) = mood.from {
            if let V::Text(label) = &slots[slot] {
                let at = mood.half_life.map_or(0, |_| live.latest(slot, customer, now).expect("a record"));
                felt.signals.push((mood.sign(label), at, i64::MAX));
            }
            return felt;
        }
        let life = 10 * mood.half_life.expect("signals decay");
        for number in 0..mood.sources.len() {
            let mut signals: Vec<&Signal> = live
                .records
                .iter()
                .filter(|record| record.about.as_ref() == Some(customer))
                .flat_map(|record| &record.signals)
                .filter(|(source, signal)| *source == number && now < signal.event_time + life)
                .map(|(_, signal)| signal)
                .collect();
            signals.sort_by(|a, b| a.order(b));
            signals.dedup();
            for signal in signals.into_iter().take(MOST_SIGNALS) {
                let counts = match signal.modality.as_ref().and_then(|modality| mood.modalities.get(modality)) {
                    None => true,
                    Some(None) => false,
                    Some(Some(condition)) => condition.holds(Scope::of(slots, now)),
                };
                if counts {
                    let weight = mood.sign(&signal.label) * signal.weight();
                    felt.signals.push((weight, signal.event_time, signal.event_time + life));
                }
            }
        }
        felt
    }

    /// Whether the mood is negative, if nothing else is heard.
    pub(crate) fn is_negative(&self, at: i64) -> bool {
        let mut sum = 0.0;
        for (weight, event_time, until) in &self.signals {
            if at < *until {
                sum += match self.half_life {
                    Some(half_life) => weight * (-((at - event_time) as f64) / half_life as f64).exp2(),
                    None => *weight,
                };
            }
        }
        sum > self.threshold
    }

    /// When a negative mood is not negative any more, if nothing else is heard.
    pub(crate) fn end(&self, now: i64) -> Option<i64> {
        let half_life = self.half_life?;
        // Between the ends of signals it only decays.
        let mut ends: Vec<i64> = self.ends().into_iter().filter(|end| *end > now).collect();
        ends.push(now + 100 * half_life);
        let mut from = now;
        for end in ends {
            if !self.is_negative(from) {
                return Some(from);
            }
            if !self.is_negative(end - 1) {
                let (mut low, mut high) = (from, end - 1);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if self.is_negative(middle) { low = middle } else { high = middle }
                }
                return Some(high);
            }
            from = end;
        }
        (!self.is_negative(from)).then_some(from)
    }

    /// When signals stop counting, in order.
    pub(crate) fn ends(&self) -> Vec<i64> {
        let mut ends: Vec<i64> =
            self.signals.iter().map(|(_, _, until)| *until).filter(|end| *end < i64::MAX).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }
}

impl Mood {
    /// Against contact, in favour, or nothing.
    fn sign(&self, label: &str) -> f64 {
        let label = self.map.get(label).map_or(label, String::as_str);
        let among = |labels: &[String]| labels.iter().any(|other| other == label);
        if among(&self.negative) {
            1.0
        } else if among(&self.positive) {
            -1.0
        } else {
            0.0
        }
    }
}
