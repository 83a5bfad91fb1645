//! Reading `[moment.NAME]` and `[policy]`.

use toml::de::DeValue;

use super::problem::{Problem, Problems};
use super::raw::{Moment, Mood, Policy, Pressure, Quiet, Spot, Text};
use super::section::{Item, Section};
use super::words::{check_name, shortened};
use crate::define::plan::{OnNegativeMood, Purpose, ValueKind};

const PURPOSES: [(&str, Purpose); 5] = [
    ("safety", Purpose::Safety),
    ("assistance", Purpose::Assistance),
    ("service", Purpose::Service),
    ("relationship", Purpose::Relationship),
    ("sales", Purpose::Sales),
];
const VALUE_KINDS: [(&str, ValueKind); 4] = [
    ("economic", ValueKind::Economic),
    ("functional", ValueKind::Functional),
    ("experiential", ValueKind::Experiential),
    ("symbolic", ValueKind::Symbolic),
];
const ON_NEGATIVE_MOOD: [(&str, OnNegativeMood); 4] = [
    ("defer", OnNegativeMood::Defer),
    ("cancel", OnNegativeMood::Cancel),
    ("human", OnNegativeMood::Human),
    ("ignore", OnNegativeMood::Ignore),
];
const DAYS: [(&str, u8); 7] =
    [("sunday", 0), ("monday", 1), ("tuesday", 2), ("wednesday", 3), ("thursday", 4), ("friday", 5), ("saturday", 6)];

/// `[moment.NAME]`
pub(super) fn moment(name: Text, item: Item<'_>, problems: &mut Problems) -> Option<Moment> {
    check_name("a moment", &name, problems);
    let mut section = Section::of(format!("moment `{}`", shortened(&name.value)), &name.value, item, problems)?;
    section.span = name.span.clone();
    if !section.has("purpose") {
        problems.add(Problem::NoPurpose { name: shortened(&name.value) }, &name.span);
    }
    let moment = Moment {
        when: section.needed("when", "the condition", problems),
        about: section.filled("about", problems),
        for_ms: section.duration("for", true, problems).map_or(0, |spot| spot.value),
        version: section.filled("version", problems).map(|text| text.value),
        purpose: section.word("purpose", "purpose", &PURPOSES, problems),
        value: value(&mut section, &name, problems),
        effort: section.number("effort", (0, u64::from(u32::MAX)), problems).map_or(0, |spot| spot.value as u32),
        priority: priority(&mut section, problems),
        valid_for_ms: section.duration("valid_for", false, problems).map(|spot| spot.value),
        cooldown_ms: section.duration("cooldown", false, problems).map(|spot| spot.value),
        channels: section.texts("channels", problems).map_or_else(Vec::new, |texts| texts.value),
        on_negative_mood: section
            .word("on_negative_mood", "reaction to a negative mood", &ON_NEGATIVE_MOOD, problems)
            .unwrap_or(OnNegativeMood::Defer),
        success: section.filled("success", problems),
        description: section.text("description", problems).map(|text| text.value),
        name,
    };
    section.finish(problems);
    Some(moment)
}

/// `value = { kind = "…", benefit = "…" }`
fn value(section: &mut Section<'_>, moment: &Text, problems: &mut Problems) -> Option<(ValueKind, String)> {
    let name = shortened(&moment.value);
    let place = format!("the value of moment `{name}`");
    let Some(item) = section.get("value") else {
        problems.add(Problem::NoValue { name }, &moment.span);
        return None;
    };
    let mut inner = Section::of(place, "value", item, problems)?;
    if inner.span.is_empty() {
        inner.span = moment.span.clone();
    }
    if !inner.has("kind") {
        inner.missing("kind", "economic, functional, experiential or symbolic", problems);
    }
    let kind = inner.word("kind", "kind of value", &VALUE_KINDS, problems);
    let benefit = if inner.has("benefit") { inner.text("benefit", problems) } else { None };
    if !inner.has("benefit") || benefit.as_ref().is_some_and(|text| text.value.trim().is_empty()) {
        let span = benefit.as_ref().map_or_else(|| inner.span.clone(), |text| text.span.clone());
        problems.add(Problem::NoBenefit { name }, &span);
    }
    if let Some(text) = benefit.as_ref().filter(|text| text.value.trim().contains(['\n', '\r'])) {
        problems.add(Problem::LongBenefit, &text.span);
    }
    inner.get("benefit");
    inner.finish(problems);
    Some((kind?, benefit?.value.trim().to_owned()))
}

/// An expression; a bare number is one too.
fn priority(section: &mut Section<'_>, problems: &mut Problems) -> Option<Text> {
    if let Some(item) = section.get("priority") {
        match item.get_ref() {
            DeValue::Integer(number) => return Some(Spot::new(number.to_string(), item.span())),
            DeValue::Float(number) => return Some(Spot::new(number.as_str().to_owned(), item.span())),
            _ => {}
        }
    }
    section.filled("priority", problems)
}

/// `[policy]`
pub(super) fn policy(item: Item<'_>, problems: &mut Problems) -> Policy {
    let mut policy = Policy::default();
    let Some(mut section) = Section::of("[policy]".to_owned(), "policy", item, problems) else { return policy };
    if let Some(item) = section.get("mood") {
        policy.mood = mood(item, problems);
    }
    if let Some(item) = section.get("quiet") {
        policy.quiet = quiet(item, problems);
    }
    if let Some(list) = section.list("pressure", problems) {
        policy.pressure = list.value.iter().filter_map(|item| pressure(item, problems)).collect();
    }
    section.finish(problems);
    policy
}

fn mood(item: Item<'_>, problems: &mut Problems) -> Option<Mood> {
    let mut section = Section::of("`policy.mood`".to_owned(), "mood", item, problems)?;
    if !section.has("negative") {
        section.missing("negative", "the moods that are negative", problems);
    }
    let negative = section.texts("negative", problems);
    if let Some(negative) = negative.as_ref().filter(|texts| texts.value.is_empty()) {
        problems.add(Problem::Empty { key: "negative".to_owned() }, &negative.span);
    }
    if !section.has("half_life") {
        section.missing("half_life", "after how long a mood counts half", problems);
    }
    let half_life = section.duration("half_life", false, problems);
    let from = section.needed("from", "the feature or attribute of the customer with the latest mood", problems);
    section.finish(problems);
    let negative = negative?.value.into_iter().map(|text| text.value).collect();
    Some(Mood { negative, half_life_ms: half_life?.value, from: from? })
}

fn quiet(item: Item<'_>, problems: &mut Problems) -> Option<Quiet> {
    let mut section = Section::of("`policy.quiet`".to_owned(), "quiet", item, problems)?;
    let text = section.text("hours", problems);
    let hours = text.as_ref().and_then(|text| {
        let hours = hours(&text.value);
        if hours.is_none() {
            problems.add(Problem::BadHours { found: shortened(&text.value) }, &text.span);
        }
        hours
    });
    let days = section.words("days", "day", &DAYS, problems);
    let except = section.words("except", "purpose", &PURPOSES, problems);
    if !section.has("hours") && !section.has("days") {
        problems.add(Problem::QuietNever, &section.span);
    }
    section.finish(problems);
    Some(Quiet { hours, days, except })
}

/// `20:00-08:00`, in minutes of the day.
fn hours(text: &str) -> Option<(u16, u16)> {
    let (from, until) = text.split_once('-')?;
    let (from, until) = (minutes(from.trim())?, minutes(until.trim())?);
    (from != until && from < 1440).then_some((from, until))
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= 1440).then_some(total)
}

fn pressure(item: Item<'_>, problems: &mut Problems) -> Option<Pressure> {
    let mut section = Section::of("an entry of `policy.pressure`".to_owned(), "pressure", item, problems)?;
    if !section.has("at_most") {
        section.missing("at_most", "how many contacts", problems);
    }
    if !section.has("per") {
        section.missing("per", "in which time", problems);
    }
    let purpose = section.word("purpose", "purpose", &PURPOSES, problems);
    let channel = section.filled("channel", problems);
    let at_most = section.number("at_most", (0, u64::from(u32::MAX)), problems);
    let per = section.duration("per", false, problems);
    let except = section.words("except", "purpose", &PURPOSES, problems);
    section.finish(problems);
    Some(Pressure { purpose, channel, at_most: at_most?.value as u32, per_ms: per?.value, except })
}
