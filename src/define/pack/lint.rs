//! What the mission forbids: contact for a mood alone, selling without a budget.
//!
//! *About mood* is the slot that `policy.mood` takes it from; a feature whose argument (without one: whose `where`) uses
//! nothing but the fields behind that slot, or fields called `mood`; a rollup or an attribute that uses nothing but slots
//! about mood. A moment whose condition uses slots, all of them about mood, is refused.

use std::collections::HashSet;

use super::check::KindDone;
use super::problem::{Problem, Problems};
use super::raw;
use crate::define::expr::{Expr, Ref};
use crate::define::plan::{Feature, Moment, MoodSource, Policy, Purpose, Source};
use crate::model::{InputId, KindId};

/// Checks the moments that could be understood.
pub(super) fn check(
    kinds: &[KindDone],
    mood_fields: &HashSet<(InputId, u16)>,
    moments: &[(&raw::Moment, Option<&Moment>)],
    policy: &Policy,
    problems: &mut Problems,
) {
    let mood = MoodSlots::find(kinds, mood_fields, policy);
    for (raw, moment) in moments {
        let name = || raw.name.value.clone();
        if raw.purpose == Some(Purpose::Sales) && !has_budget(*moment, policy) {
            problems.add(Problem::NoBudget { name: name() }, &raw.name.span);
        }
        let Some(moment) = moment else { continue };
        let about = moment.about.unwrap_or(KindId::CUSTOMER);
        let is_mood = |(reference, _): &(Ref, String)| {
            mood.contains(if reference.scope == 0 { KindId::CUSTOMER } else { about }, reference.slot)
        };
        let uses = moment.when.refs();
        if !uses.is_empty() && uses.iter().all(is_mood) {
            let span = raw.when.as_ref().map_or(&raw.name.span, |when| &when.span);
            problems.add(Problem::MoodOnly { name: name() }, span);
        }
    }
}

/// Whether selling is limited on every channel of a moment. A moment that could not be understood is given the benefit
/// of the doubt as to its channels.
fn has_budget(moment: Option<&Moment>, policy: &Policy) -> bool {
    let applies = |budget: &&crate::define::plan::Budget| {
        budget.purpose.is_none_or(|purpose| purpose == Purpose::Sales) && !budget.except.contains(&Purpose::Sales)
    };
    let mut budgets = policy.pressure.iter().filter(applies);
    let Some(moment) = moment else { return budgets.next().is_some() };
    let channels: Vec<Option<usize>> = budgets.map(|budget| budget.channel).collect();
    let limited = |channel: &usize| channels.contains(&Some(*channel));
    channels.contains(&None) || (!moment.channels.is_empty() && moment.channels.iter().all(limited))
}

/// The slots that are about mood.
struct MoodSlots {
    slots: HashSet<(KindId, u16)>,
}

impl MoodSlots {
    fn contains(&self, kind: KindId, slot: u16) -> bool {
        self.slots.contains(&(kind, slot))
    }

    fn find(kinds: &[KindDone], fields: &HashSet<(InputId, u16)>, policy: &Policy) -> MoodSlots {
        let mut fields = fields.clone();
        let mut mood = MoodSlots { slots: HashSet::new() };
        if let Some(MoodSource::Latest { slot: from, .. }) = policy.mood.as_ref().map(|mood| &mood.source) {
            let from = *from;
            mood.slots.insert((KindId::CUSTOMER, from));
            if let Some(Some(Feature { source: Source::Records { input, .. }, argument: Some(argument), .. })) =
                kinds.first().and_then(|customer| customer.features.get(usize::from(from)))
            {
                fields.extend(argument.refs().iter().map(|(reference, _)| (*input, reference.slot)));
            }
        }
        // The customer comes last: its rollups look at the slots of its entities.
        for (position, kind) in kinds.iter().enumerate().skip(1).chain(kinds.iter().enumerate().take(1)) {
            mood.add_kind(KindId(position as u16), kind, &fields);
        }
        mood
    }

    fn add_kind(&mut self, id: KindId, kind: &KindDone, fields: &HashSet<(InputId, u16)>) {
        for (slot, feature) in kind.features.iter().enumerate() {
            let Some(feature) = feature else { continue };
            let Some(criterion) = feature.argument.as_ref().or(feature.filter.as_ref()) else { continue };
            let is_mood = match feature.source {
                Source::Records { input, .. } => all_refs(criterion, |slot| fields.contains(&(input, slot))),
                Source::Entities(of) => all_refs(criterion, |slot| self.contains(of, slot)),
            };
            if is_mood {
                self.slots.insert((id, slot as u16));
            }
        }
        for &position in &kind.evaluation {
            let Some(attribute) = &kind.attributes[position] else { continue };
            if all_refs(&attribute.expr, |slot| self.contains(id, slot)) {
                self.slots.insert((id, (kind.features.len() + position) as u16));
            }
        }
    }
}

fn all_refs(expr: &Expr, is_mood: impl Fn(u16) -> bool) -> bool {
    !expr.refs().is_empty() && expr.refs().iter().all(|(reference, _)| is_mood(reference.slot))
}
