//! Checking moments: their conditions, what they are about, what they use.

use super::problem::{Problem, Problems};
use super::raw;
use super::scope::{Ground, Lookup, SlotState, View, ViewScope, compile};
use super::words::{nearest, shortened};
use crate::define::expr::{Expected, Expr};
use crate::define::plan::{Evidence, Moment, OnExpiry, OnSuppressed, Reason, ValueStatement};
use crate::model::KindId;

/// A moment.
pub(super) fn moment(
    ground: &Ground<'_>,
    views: &[View],
    channels: &[String],
    (raw, version): (&raw::Moment, &str),
    requests: &mut Vec<Lookup>,
    problems: &mut Problems,
) -> Option<Moment> {
    let about = about(ground, raw, problems);
    let channels = channels_of(raw, channels, problems);
    let about = about?;
    let mut scope = ViewScope::about(ground, views, about);
    let when = raw.when.as_ref().and_then(|text| compile(ground, text, &mut scope, &Expected::Condition, problems));
    let priority = raw.priority.as_ref().map(|text| compile(ground, text, &mut scope, &Expected::Number, problems));
    let success = raw.success.as_ref().map(|text| compile(ground, text, &mut scope, &Expected::Condition, problems));
    requests.append(&mut scope.requests);
    let when = when?;
    let (kind, benefit) = raw.value.clone()?;
    Some(Moment {
        name: raw.name.value.clone(),
        version: raw.version.clone().unwrap_or_else(|| version.to_owned()),
        about,
        for_ms: raw.for_ms,
        shares: evidence(views, about, &when),
        evidence: evidence(views, about, &when),
        when,
        purpose: raw.purpose?,
        value: ValueStatement { kind, benefit },
        effort: raw.effort,
        priority: priority.map_or(Some(None), |priority| priority.map(Some))?,
        valid_for_ms: raw.valid_for_ms,
        cooldown_ms: raw.cooldown_ms,
        channels,
        on_negative_mood: raw.on_negative_mood,
        success: success.map_or(Some(None), |success| success.map(Some))?,
        success_data: 0,
        success_within_ms: 30 * crate::model::time::DAY_MS,
        data: 0,
        enough: Vec::new(),
        silence: None,
        holdout: None,
        on_suppressed: OnSuppressed::Wait,
        on_expiry: OnExpiry::Expire,
        human_channel: None,
        reason: Reason::new(),
        tone: None,
        description: raw.description.clone(),
    })
}

/// What a moment is about; `None` when that could not be understood.
#[allow(clippy::option_option)] // Not understood, the customer, or an entity: three answers.
fn about(ground: &Ground<'_>, raw: &raw::Moment, problems: &mut Problems) -> Option<Option<KindId>> {
    let Some(text) = &raw.about else { return Some(None) };
    match ground.kind(&text.value) {
        Some(KindId::CUSTOMER) => Some(None),
        Some(kind) => Some(Some(kind)),
        None => {
            let nearest = nearest(&text.value, ground.kinds.iter().map(String::as_str));
            problems.add(Problem::UndeclaredEntity { name: shortened(&text.value), nearest }, &text.span);
            None
        }
    }
}

/// The positions of its channels.
fn channels_of(raw: &raw::Moment, channels: &[String], problems: &mut Problems) -> Vec<usize> {
    let mut found = Vec::new();
    for text in &raw.channels {
        let position = channel_named(text, channels, problems);
        if position.is_some_and(|position| found.contains(&position)) {
            problems.add(Problem::Duplicate { what: "channel", name: text.value.clone() }, &text.span);
        }
        found.extend(position);
    }
    found
}

/// The position of a channel, or a report that there is none of that name.
pub(super) fn channel_named(text: &raw::Text, channels: &[String], problems: &mut Problems) -> Option<usize> {
    let position = channels.iter().position(|channel| *channel == text.value);
    if position.is_none() {
        let nearest = nearest(&text.value, channels.iter().map(String::as_str));
        let (what, name, place) = ("channel", shortened(&text.value), String::new());
        problems.add(Problem::Unknown { what, name, place, nearest, known: channels.to_vec() }, &text.span);
    }
    position
}

/// What a condition uses.
fn evidence(views: &[View], about: Option<KindId>, when: &Expr) -> Vec<Evidence> {
    let of = |scope: u8| if scope == 0 { KindId::CUSTOMER } else { about.unwrap_or(KindId::CUSTOMER) };
    when.refs()
        .iter()
        .filter_map(|(reference, name)| {
            let slots = &views[of(reference.scope).index()].slots;
            match slots.get(usize::from(reference.slot)) {
                Some((_, SlotState::Known { ty, .. })) => Some(Evidence {
                    name: name.clone(),
                    scope: reference.scope,
                    slot: reference.slot,
                    ty: ty.clone(),
                    data: 0,
                }),
                _ => None,
            }
        })
        .collect()
}
