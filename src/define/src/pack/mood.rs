//! Checking `policy.mood`.

use std::collections::BTreeMap;

use super::customer::CustomerScope;
use super::features::{is_rollup, of_records};
use super::implied::Implied;
use super::problem::{Problem, Problems};
use super::raw;
use super::raw_policy::{Mood, MoodSource as RawSource};
use super::scope::SlotState;
use super::spot::{Spot, Text};
use super::words::shortened;
use crate::expr::Expected;
use crate::plan::{MoodPolicy, MoodSource, SignalSource};
use propice_model::nearest::nearest;
use propice_model::{Duration, KindId, Type};

/// How mood counts.
pub(super) fn mood(customer: &mut CustomerScope<'_>, raw: &Mood, implied: &mut Implied<'_>) -> Option<MoodPolicy> {
    let labels = labels(raw, customer.problems);
    let threshold = raw.threshold.map_or(0.5, propice_model::Real::get);
    let mut modalities = BTreeMap::new();
    for (name, condition) in &raw.modalities {
        // One that could not be understood has been reported; what follows is checked all the same.
        modalities.insert(name.value.clone(), customer.over(condition.as_ref(), &Expected::Condition));
    }
    let source = match raw.source.as_ref()? {
        RawSource::From(from) => {
            if let Some((name, _)) = raw.modalities.first() {
                let (key, with) = ("modalities", "signals");
                customer.problems.add(Problem::UselessWithout { key, with }, &name.span);
            }
            latest(customer, from, raw.half_life.as_ref(), implied)?
        }
        RawSource::Signals(signals) => {
            let half_life_ms = raw.half_life.as_ref()?.value;
            let sources = signals.iter().filter_map(|raw| {
                let (name, slot) = implied.signals(raw, half_life_ms, customer.problems)?;
                Some(SignalSource { name, slot })
            });
            MoodSource::Signals(sources.collect())
        }
    };
    let half_life_ms = raw.half_life.as_ref().map(|spot| spot.value);
    Some(MoodPolicy { labels, half_life_ms, threshold, source, modalities })
}

/// What labels count, as signals spell them.
fn labels(raw: &Mood, problems: &mut Problems) -> BTreeMap<String, bool> {
    let mut labels = BTreeMap::new();
    for (texts, is_negative) in [(&raw.negative, true), (&raw.positive, false)] {
        for text in texts {
            if labels.insert(text.value.clone(), is_negative).is_some_and(|other| other != is_negative) {
                problems.add(Problem::BothMoods { label: shortened(&text.value) }, &text.span);
            }
        }
    }
    let declared = labels.clone();
    for (label, mood) in &raw.map {
        match declared.get(&mood.value) {
            Some(is_negative) => drop(labels.insert(label.value.clone(), *is_negative)),
            None => {
                let known: Vec<String> = declared.keys().cloned().collect();
                let nearest = nearest(&mood.value, known.iter().map(String::as_str));
                let (what, name, place) = ("mood", shortened(&mood.value), " in `negative` or `positive`".to_owned());
                problems.add(Problem::Unknown { what, name, place, nearest, known }, &mood.span);
            }
        }
    }
    labels
}

/// The slot with the latest label, and with a half-life the one with its event time.
fn latest(
    customer: &mut CustomerScope<'_>,
    from: &Text,
    half_life: Option<&Spot<Duration>>,
    implied: &mut Implied<'_>,
) -> Option<MoodSource> {
    let against = customer.against;
    let view = &against.views[KindId::CUSTOMER.index()];
    let name = &from.value;
    let Some(slot) = view.slot(name).filter(|_| !name.contains('.')) else {
        if !view.broken.contains(name) {
            let known = view.slots.iter().map(|(name, _)| name.clone()).filter(|name| !name.contains('.'));
            let known: Vec<String> = known.collect();
            let nearest = nearest(name, known.iter().map(String::as_str));
            let (what, name, place) = ("feature or attribute", shortened(name), " of the customer".to_owned());
            customer.problems.add(Problem::Unknown { what, name, place, nearest, known }, &from.span);
        }
        return None;
    };
    let SlotState::Known { ty, .. } = &view.slots[slot].1 else { return None };
    if *ty != Type::Text {
        let (field, expected, found) = (name.clone(), "`text`".to_owned(), against.ground.type_name(ty));
        customer.problems.add(Problem::SlotType { key: "from", field, expected, found }, &from.span);
        return None;
    }
    let slot = u16::try_from(slot).ok()?;
    if half_life.is_none() {
        return Some(MoodSource::Latest { slot, at: None });
    }
    let Some(raw) = last_of_records(against.raw, name) else {
        customer.problems.add(Problem::MoodNotLast { name: shortened(name) }, &from.span);
        return None;
    };
    // It is a feature already, so that whatever is wrong with it has been reported.
    let feature = of_records(against.ground, KindId::CUSTOMER, raw, &mut Problems::default())?;
    let at = implied.time_of(feature, from, customer.problems)?;
    Some(MoodSource::Latest { slot, at: Some(at) })
}

/// The feature of the customer of that name, if it is a `last` of records.
fn last_of_records<'a>(raw: &'a raw::Pack, name: &str) -> Option<&'a raw::Feature> {
    let view = raw.views.iter().find(|view| view.entity.value == "customer")?;
    let feature = view.features.iter().find(|feature| feature.name.value == name)?;
    let is_last = matches!(feature.aggregates.as_slice(), [("last", _)]);
    (is_last && !is_rollup(feature)).then_some(feature)
}
