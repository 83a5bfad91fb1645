//! What is about mood.
//!
//! *About mood* is the slot that `policy.mood` takes it from; a feature whose argument (without
//! one: whose `where`) uses nothing but the fields behind that slot, the fields of its signals, or
//! fields called `mood`; a rollup or an attribute that uses nothing but slots about mood. *Touched
//! by mood* is what uses any of these, beside whatever else.

use std::collections::HashSet;

use super::Lint;
use crate::expr::{Expr, Ref};
use crate::pack::checked::CheckedKind;
use crate::plan::{Feature, FeatureSource, MoodSource};
use propice_model::{InputId, KindId};

/// Slots of kinds of entities.
type KindSlots = HashSet<(KindId, u16)>;

/// The slots that are about mood, and those that are touched by it.
pub(super) struct MoodSlots {
    about: KindSlots,
    touched: KindSlots,
}

impl MoodSlots {
    /// Whether a slot tells of mood and of nothing else.
    pub(super) fn is_about(&self, kind: KindId, slot: u16) -> bool {
        self.about.contains(&(kind, slot))
    }

    /// Whether mood makes a difference to a slot.
    pub(super) fn is_touched(&self, kind: KindId, slot: u16) -> bool {
        self.touched.contains(&(kind, slot))
    }

    /// Finds them.
    pub(super) fn find(lint: &Lint<'_>) -> MoodSlots {
        let kinds = lint.kinds;
        let mut fields = lint.mood_fields.clone();
        let mut mood = MoodSlots { about: KindSlots::new(), touched: KindSlots::new() };
        if let Some(MoodSource::Latest { slot: from, .. }) = lint.policy.mood.as_ref().map(|mood| &mood.source) {
            let from = *from;
            mood.about.insert((KindId::CUSTOMER, from));
            mood.touched.insert((KindId::CUSTOMER, from));
            if let Some(Some(Feature {
                source: FeatureSource::Records { input, .. }, argument: Some(argument), ..
            })) = kinds.first().and_then(|customer| customer.features.get(usize::from(from)))
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

    fn add_kind(&mut self, id: KindId, kind: &CheckedKind, fields: &HashSet<(InputId, u16)>) {
        for (slot, feature) in kind.features.iter().enumerate() {
            let Some(feature) = feature else { continue };
            let is_about = |slot| match feature.source {
                FeatureSource::Records { input, .. } => fields.contains(&(input, slot)),
                FeatureSource::Entities(of) => self.is_about(of, slot),
            };
            let is_touched = |slot| match feature.source {
                FeatureSource::Records { .. } => is_about(slot),
                FeatureSource::Entities(of) => self.is_touched(of, slot),
            };
            let about = feature.argument.as_ref().or(feature.filter.as_ref()).is_some_and(|expr| all(expr, is_about));
            let touched = feature.argument.iter().chain(&feature.filter).any(|expr| any(expr, is_touched));
            self.add((id, slot as u16), about, touched);
        }
        for &position in &kind.evaluation {
            let Some(attribute) = &kind.attributes[position] else { continue };
            let about = all(&attribute.expr, |slot| self.is_about(id, slot));
            let touched = any(&attribute.expr, |slot| self.is_touched(id, slot));
            self.add((id, (kind.features.len() + position) as u16), about, touched);
        }
    }

    fn add(&mut self, slot: (KindId, u16), about: bool, touched: bool) {
        if about {
            self.about.insert(slot);
        }
        if about || touched {
            self.touched.insert(slot);
        }
    }
}

fn slots(expr: &Expr) -> impl Iterator<Item = &Ref> {
    expr.refs().iter().map(|(reference, _)| reference)
}

fn all(expr: &Expr, is_mood: impl Fn(u16) -> bool) -> bool {
    !expr.refs().is_empty() && slots(expr).all(|reference| is_mood(reference.slot))
}

fn any(expr: &Expr, is_mood: impl Fn(u16) -> bool) -> bool {
    slots(expr).any(|reference| is_mood(reference.slot))
}
