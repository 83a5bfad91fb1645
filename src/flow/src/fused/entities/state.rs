//! What is held of the entities of a kind, by meaning: which of them changed since that was last
//! asked for, and how they begin with what was held before.

use hashbrown::HashMap;

use crate::invariant::broken;
use crate::state::{Cut, EntitySeed, Entry, Extent, Fingerprint, Held, Key, OfKind, Report, ToCome, canonical};
use propice_define::Plan;
use propice_model::time::FOREVER;
use propice_model::{KeyRange, KindId, LogicalTime};

use super::super::bit_set::BitSet;
use super::Entities;

/// What there is of an entity beside its features, a bit each.
pub(in crate::fused) mod facet {
    /// It exists by a stream.
    pub(in crate::fused) const EXISTS: u8 = 1;
    /// What is to count later.
    pub(in crate::fused) const PENDING: u8 = 2;
    /// To whom it belongs by a stream.
    pub(in crate::fused) const OWNERS: u8 = 4;
    /// The conditions that hold.
    pub(in crate::fused) const CONDITIONS: u8 = 8;
    /// What the policy remembers.
    pub(in crate::fused) const POLICY: u8 = 16;
    /// All of them.
    pub(in crate::fused) const ALL: u8 = 31;
}

/// What changed of an entity.
struct Mark {
    features: BitSet,
    facets: u8,
}

/// What changed of all entities since it was last asked for.
pub(super) struct Tracker {
    marks: HashMap<u32, Mark, foldhash::fast::FixedState>,
    slots: usize,
    collections: OfKind,
}

/// An entity of which something is to be told.
pub(in crate::fused) struct Told<'a> {
    pub entity: u32,
    pub range: KeyRange,
    pub key: Key,
    /// What of it beside its features.
    pub facets: u8,
    pub collections: &'a OfKind,
}

impl Tracker {
    pub(super) fn new(plan: &Plan, kind: KindId) -> Tracker {
        let slots = plan.entities[kind.index()].slots();
        Tracker { marks: HashMap::default(), slots, collections: OfKind::of(plan, kind) }
    }

    pub(super) fn note(&mut self, entity: u32, facets: u8) {
        self.mark(entity).facets |= facets;
    }

    pub(super) fn note_features(&mut self, entity: u32, features: &BitSet) {
        self.mark(entity).features.union(features);
    }

    fn mark(&mut self, entity: u32) -> &mut Mark {
        let slots = self.slots;
        self.marks.entry(entity).or_insert_with(|| Mark { features: BitSet::new(slots), facets: 0 })
    }
}

impl Entities {
    /// Something of an entity changed, beside its features.
    #[inline]
    pub(in crate::fused) fn note(&mut self, entity: u32, facets: u8) {
        if let Some(tracker) = &mut self.tracker {
            tracker.note(entity, facets);
        }
    }

    /// What changed so far is no news.
    pub(in crate::fused) fn forget_marks(&mut self) {
        if let Some(tracker) = &mut self.tracker {
            tracker.marks.clear();
        }
    }

    /// Begins with what was held of an entity, at the current time; where it is.
    pub(in crate::fused) fn seed(&mut self, seed: &EntitySeed) -> u32 {
        let entity = self.resolve(&seed.id);
        let at = self.mark_dirty(entity);
        self.states[entity].by_stream |= seed.exists;
        for (feature, held) in &seed.features {
            if held.until != FOREVER {
                let end = &mut self.states[entity].end;
                *end = held.until.max(*end);
            }
            if !self.column_mut(at, *feature).restore(entity, held) {
                broken("a feature was restored with what it cannot hold");
            }
        }
        for pending in &seed.pending {
            self.pending.add(entity, (pending.event_time, &pending.order), &pending.contribution);
        }
        entity
    }

    /// Tells what is held of every entity that a cut is about; `more` adds what there is beside.
    pub(in crate::fused) fn report(
        &mut self,
        cut: Cut,
        report: &mut Report,
        mut more: impl FnMut(&Told<'_>, &mut Report),
    ) {
        let Some(mut tracker) = self.tracker.take() else { return };
        let mut marks: Vec<(u32, Option<Mark>)> = match cut.extent {
            Extent::Whole => (0..self.len() as u32).map(|entity| (entity, None)).collect(),
            Extent::Changed => tracker.marks.drain().map(|(entity, mark)| (entity, Some(mark))).collect(),
        };
        tracker.marks.clear();
        marks.sort_unstable_by_key(|(entity, _)| *entity);
        for (entity, mark) in marks {
            let id = self.id(entity).clone();
            let told = Told {
                entity,
                range: KeyRange::of_id(&tracker.collections.kind, &id),
                key: Key::Id(id),
                facets: mark.as_ref().map_or(facet::ALL, |mark| mark.facets),
                collections: &tracker.collections,
            };
            self.tell(&told, mark.as_ref().map(|mark| &mark.features), cut.at, report);
            more(&told, report);
        }
        self.tracker = Some(tracker);
    }

    /// Tells of one entity; of the features only some, or all.
    fn tell(&self, told: &Told<'_>, features: Option<&BitSet>, at: LogicalTime, report: &mut Report) {
        let Told { entity, range, key, facets, collections } = told;
        if facets & facet::EXISTS != 0 {
            let entry = self.states[*entity].by_stream.then_some(Entry::Exists);
            report.add(&collections.exists, *range, key, entry);
        }
        for (feature, collection) in collections.features.iter().enumerate() {
            let Some(collection) = collection else { continue };
            if features.is_none_or(|features| features.contains(feature)) {
                let held: Vec<Held> = canonical(self.columns[feature].held(*entity, at));
                report.add(collection, *range, key, (!held.is_empty()).then_some(Entry::Feature(held)));
            }
        }
        if facets & facet::PENDING != 0 {
            let mut pending: Vec<ToCome> = Vec::new();
            for waiting in self.pending.of(*entity) {
                let contribution = &waiting.contribution;
                let Some(feature) = collections.prints[contribution.feature.index()] else { continue };
                pending.push(ToCome {
                    feature,
                    from: contribution.from,
                    until: contribution.until,
                    event_time: waiting.event_time,
                    order: waiting.order.clone(),
                    value: contribution.value.clone(),
                });
            }
            pending.sort_unstable();
            // Of two features that mean the same one stands for both.
            let twins = |feature: &Fingerprint| {
                collections.prints.iter().filter(|print| print.as_ref() == Some(feature)).count()
            };
            if pending.iter().any(|to_come| twins(&to_come.feature) > 1) {
                let mut kept: Vec<ToCome> = Vec::new();
                for same in pending.chunk_by(|one, other| one == other) {
                    kept.extend_from_slice(&same[..same.len() / twins(&same[0].feature).max(1)]);
                }
                pending = kept;
            }
            report.add(&collections.pending, *range, key, (!pending.is_empty()).then_some(Entry::Pending(pending)));
        }
    }
}
