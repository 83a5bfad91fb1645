//! Checking the policy.

use super::moments::channel_named;
use super::problem::{Problem, Problems};
use super::raw;
use super::scope::{Ground, SlotState, View};
use super::words::{nearest, shortened};
use std::collections::BTreeMap;

use crate::define::plan::{Budget, MoodPolicy, MoodSource, Per, Policy, QuietRule};
use crate::model::{KindId, Type};

/// The policy of a pack.
pub(super) fn policy(
    ground: &Ground<'_>,
    views: &[View],
    channels: &[String],
    raw: &raw::Policy,
    problems: &mut Problems,
) -> Policy {
    Policy {
        mood: raw.mood.as_ref().and_then(|mood| self::mood(ground, &views[KindId::CUSTOMER.index()], mood, problems)),
        quiet: (raw.quiet.iter())
            .map(|quiet| QuietRule {
                hours: quiet.hours.into_iter().collect(),
                days: quiet.days.clone(),
                except: quiet.except.clone(),
                ..QuietRule::default()
            })
            .collect(),
        pressure: raw.pressure.iter().map(|entry| budget(entry, channels, problems)).collect(),
        snooze_ms: 7 * crate::model::time::DAY_MS,
        keep_ms: 400 * crate::model::time::DAY_MS,
        ..Policy::default()
    }
}

fn mood(ground: &Ground<'_>, customer: &View, raw: &raw::Mood, problems: &mut Problems) -> Option<MoodPolicy> {
    let name = &raw.from.value;
    let Some(slot) = customer.slot(name) else {
        if !customer.broken.contains(name) {
            let known: Vec<String> = customer.slots.iter().map(|(name, _)| name.clone()).collect();
            let nearest = nearest(name, known.iter().map(String::as_str));
            let (what, name, place) = ("feature or attribute", shortened(name), " of the customer".to_owned());
            problems.add(Problem::Unknown { what, name, place, nearest, known }, &raw.from.span);
        }
        return None;
    };
    let SlotState::Known { ty, .. } = &customer.slots[slot].1 else { return None };
    if *ty != Type::Text {
        let (field, expected, found) = (name.clone(), "`text`".to_owned(), ground.type_name(ty));
        problems.add(Problem::SlotType { key: "from", field, expected, found }, &raw.from.span);
    }
    Some(MoodPolicy {
        labels: raw.negative.iter().map(|label| (label.clone(), true)).collect(),
        half_life_ms: None,
        threshold: 0.5,
        source: MoodSource::Latest { slot: u16::try_from(slot).ok()?, at: None },
        modalities: BTreeMap::new(),
    })
}

fn budget(raw: &raw::Pressure, channels: &[String], problems: &mut Problems) -> Budget {
    Budget {
        purpose: raw.purpose,
        channel: raw.channel.as_ref().and_then(|text| channel_named(text, channels, problems)),
        at_most: raw.at_most,
        per: Per::Rolling(raw.per_ms),
        except: raw.except.clone(),
    }
}
