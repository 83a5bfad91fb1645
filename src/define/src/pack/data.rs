//! Which slots are of which kinds of data: what is named, and everything that is computed of it.

use super::checked::CheckedKind;
use super::features::input_named;
use super::problem::{Problem, Problems};
use super::raw_policy as raw;
use super::scope::{Ground, KindView};
use super::spot::Text;
use super::words::shortened;
use crate::expr::{Expr, Ref};
use crate::plan::{DataConsent, DataKinds, Evidence, Feature, FeatureSource, Moment, ReasonPart};
use propice_model::KindId;
use propice_model::nearest::nearest;

/// The kinds of data of every slot, by kind of entity.
pub(super) struct DataOf {
    slots: Vec<Vec<DataKinds>>,
}

impl DataOf {
    /// Finds them. `known` are the kinds of data that could be understood; a position in it is a
    /// bit.
    pub(super) fn find(
        ground: &Ground<'_>,
        views: &[KindView],
        kinds: &[CheckedKind],
        (raw, known): (&[raw::Data], &[DataConsent]),
        problems: &mut Problems,
    ) -> DataOf {
        let mut inputs = vec![0; ground.inputs.len()];
        let mut data = DataOf { slots: views.iter().map(|view| vec![0; view.slots.len()]).collect() };
        for raw in raw {
            // One that could not be understood has been reported; its names are checked all the
            // same.
            let bit = known.iter().position(|data| data.name == raw.name.value).map_or(0, |at| 1 << at);
            for name in &raw.inputs {
                if let Some(input) = input_named(ground, name, problems) {
                    inputs[input.index()] |= bit;
                }
            }
            for name in &raw.features {
                if let Some((kind, slot)) = slot_named(ground, views, name, problems) {
                    data.slots[kind.index()][slot] |= bit;
                }
            }
        }
        // The customer comes last: its rollups look at the slots of its entities.
        for position in (1..kinds.len()).chain(0..kinds.len().min(1)) {
            data.spread(KindId(position as u16), &kinds[position], &inputs);
        }
        data
    }

    /// To everything that is computed of it.
    fn spread(&mut self, kind: KindId, done: &CheckedKind, inputs: &[DataKinds]) {
        for (slot, feature) in done.features.iter().enumerate() {
            let Some(feature) = feature else { continue };
            let of = match feature.source {
                FeatureSource::Records { input, .. } => inputs[input.index()],
                FeatureSource::Entities(of) => self.of_feature(of, feature),
            };
            self.slots[kind.index()][slot] |= of;
        }
        for &position in &done.evaluation {
            if let Some(attribute) = &done.attributes[position] {
                let of = self.of_refs(&attribute.expr, |_| kind);
                self.slots[kind.index()][done.features.len() + position] |= of;
            }
        }
    }

    fn of_feature(&self, of: KindId, feature: &Feature) -> DataKinds {
        feature.argument.iter().chain(&feature.filter).map(|expr| self.of_refs(expr, |_| of)).fold(0, |a, b| a | b)
    }

    fn of_refs(&self, expr: &Expr, kind: impl Fn(&Ref) -> KindId) -> DataKinds {
        let slot = |reference: &Ref| self.slots[kind(reference).index()].get(usize::from(reference.slot)).copied();
        expr.refs().iter().filter_map(|(reference, _)| slot(reference)).fold(0, |a, b| a | b)
    }

    /// Notes in a moment what it uses.
    pub(super) fn mark(&self, moment: &mut Moment) {
        let about = moment.about.unwrap_or(KindId::CUSTOMER);
        let kind = |scope: u8| if scope == 0 { KindId::CUSTOMER } else { about };
        let uses = |expr: &Expr| self.of_refs(expr, |reference| kind(reference.scope));
        moment.data =
            std::iter::once(&moment.when).chain(&moment.priority).chain(&moment.enough).map(uses).fold(0, |a, b| a | b);
        moment.success_data = moment.success.as_ref().map_or(0, uses);
        let mark = |evidence: &mut Evidence| {
            let slots = &self.slots[kind(evidence.scope).index()];
            evidence.data = slots.get(usize::from(evidence.slot)).copied().unwrap_or(0);
        };
        moment.evidence.iter_mut().chain(&mut moment.shares).for_each(mark);
        for part in moment.reason.values_mut().flatten() {
            if let ReasonPart::Slot(evidence) = part {
                mark(evidence);
            }
        }
    }
}

/// `FEATURE` of the customer, or `ENTITY.FEATURE`.
fn slot_named(
    ground: &Ground<'_>,
    views: &[KindView],
    name: &Text,
    problems: &mut Problems,
) -> Option<(KindId, usize)> {
    let (kind, feature) = match name.value.split_once('.') {
        Some((entity, feature)) => (ground.kind(entity), feature),
        None => (Some(KindId::CUSTOMER), name.value.as_str()),
    };
    let found = kind.and_then(|kind| views[kind.index()].slot(feature).map(|slot| (kind, slot)));
    let is_broken = |kind: KindId| views[kind.index()].broken.iter().any(|broken| broken == feature);
    if found.is_none() && !kind.is_some_and(is_broken) {
        let mut known = Vec::new();
        for (kind, view) in ground.kinds.iter().zip(views) {
            let of = if kind == "customer" { String::new() } else { format!("{kind}.") };
            known.extend(
                view.slots.iter().filter(|(name, _)| !name.contains('.')).map(|(name, _)| format!("{of}{name}")),
            );
        }
        let nearest = nearest(&name.value, known.iter().map(String::as_str));
        let (what, name_text, place) = ("feature", shortened(&name.value), String::new());
        problems.add(Problem::Unknown { what, name: name_text, place, nearest, known }, &name.span);
    }
    found
}
