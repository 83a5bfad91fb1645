//! The entities of one kind that live on this worker: their features, attributes and deadlines.
//!
//! Used by the operators of entities and of customers in the same way. At each logical time, in
//! order:
//!
//! 1. [`Entities::wake`]: entities whose deadlines are due are touched: contributions begin to
//!    count. Whoever is touched, for whatever reason, first lets go what has expired;
//! 2. [`Entities::apply`] and [`Entities::column_mut`]: what records change;
//! 3. [`Entities::recompute`], once per touched entity: the slots that changed are read again,
//!    attributes follow;
//! 4. [`Entities::arm`]: the next time at which the entity has to be looked at.
//!
//! So everything that takes effect at one logical time does so together, whatever order it came in.

mod state;

use std::hint::black_box;
use std::sync::Arc;

use crate::empty_view::empty_features;
use crate::invariant::broken;
use propice_define::Plan;
use propice_define::expr::{Env, Expr, Predicate};
use propice_define::plan::Entity;
use propice_model::time::FOREVER;
use propice_model::{Contribution, EntityChange, FeatureId, Id, KindId, LogicalTime, Value};

use super::bit_set::BitSet;
use super::chunked_vec::ChunkedVec;
use super::deadlines::Deadlines;
use super::dirty::{DirtyEntity, DirtySet, TOGETHER};
use super::features::{Column, Contributed, column};
use super::id_index::IdIndex;
use super::pending::{PendingContributions, When};

pub(super) use state::facet;

use state::Tracker;

/// The mark of an entity that was not touched at the current time.
const CLEAN: u32 = u32::MAX;

/// What is asked of an entity whenever it is touched, in one place.
struct State {
    /// Its view: one value per slot.
    row: Box<[Value]>,
    /// When the first contribution to each of the windows expires.
    expiries: Box<[LogicalTime]>,
    /// The least of them.
    soonest: LogicalTime,
    /// By when all contributions to windows have expired.
    end: LogicalTime,
    /// When it has to be looked at again; `FOREVER` when nothing is waited for.
    armed: LogicalTime,
    /// When the first entry for it among the deadlines comes: never later than `armed`; `FOREVER`
    /// without one.
    queued: LogicalTime,
    /// How many live rows of tables name it.
    named: i64,
    /// Where it stands among those that were touched at the current time.
    dirty_entity: u32,
    /// Whether it was settled before.
    computed: bool,
    /// Whether a record of a stream named it: then it exists for ever.
    by_stream: bool,
}

impl State {
    /// Brings near what it points to ([`Entities::prefetch`]).
    #[inline]
    fn prefetch(&self) {
        black_box((self.row.first().is_some_and(Value::is_null), self.expiries.first().copied()));
    }
}

/// All entities of a kind on this worker.
pub(super) struct Entities {
    plan: Arc<Plan>,
    kind: KindId,
    index: IdIndex,
    states: ChunkedVec<State>,
    columns: Vec<Box<dyn Column>>,
    /// The features with a window.
    windows: Vec<usize>,
    /// Of each feature its position in `windows`, if it is there.
    window_of: Vec<Option<u16>>,
    pending: PendingContributions,
    deadlines: Deadlines,
    /// Who is due at the current time; kept for its allocation.
    due: Vec<u32>,
    dirty: DirtySet,
    /// The current logical time.
    now: LogicalTime,
    /// A view over nothing, features only.
    empty: Vec<Value>,
    /// The slots that each attribute uses.
    dependencies: Vec<BitSet>,
    /// The attributes that depend on `now`.
    timed: Vec<usize>,
    /// What changed, where state is kept.
    tracker: Option<Box<Tracker>>,
}

impl Entities {
    /// With `keeps_state` it knows what changed since that was last asked for.
    pub(super) fn new(plan: Arc<Plan>, kind: KindId, keeps_state: bool) -> Entities {
        let entity = &plan.entities[kind.index()];
        let windows: Vec<usize> = windows_of(entity).collect();
        let window_of = |feature| windows.iter().position(|&window| window == feature).map(|at| at as u16);
        let dependencies = entity.attributes.iter().map(|attribute| slots_of(&attribute.expr, entity.slots()));
        let timed = |position: &usize| entity.attributes[*position].expr.depends_on_now();
        Entities {
            kind,
            index: IdIndex::default(),
            states: ChunkedVec::new(),
            columns: entity.features.iter().map(column).collect(),
            window_of: (0..entity.features.len()).map(window_of).collect(),
            windows,
            pending: PendingContributions::default(),
            deadlines: Deadlines::default(),
            due: Vec::new(),
            dirty: DirtySet::default(),
            now: 0,
            empty: empty_features(entity),
            dependencies: dependencies.collect(),
            timed: (0..entity.attributes.len()).filter(timed).collect(),
            tracker: keeps_state.then(|| Box::new(Tracker::new(&plan, kind))),
            plan,
        }
    }

    /// The id of an entity.
    pub(super) fn id(&self, entity: u32) -> &Id {
        self.index.id(entity)
    }

    /// How many there are, existing or not.
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether a live record names it.
    pub(super) fn exists(&self, entity: u32) -> bool {
        let state = &self.states[entity];
        state.by_stream || state.named > 0
    }

    /// Its view.
    pub(super) fn row(&self, entity: u32) -> &[Value] {
        &self.states[entity].row
    }

    /// The position of an entity, made when it is new.
    #[inline]
    pub(super) fn resolve(&mut self, id: &Id) -> u32 {
        let (entity, new) = self.index.resolve(id);
        if new {
            self.columns.iter_mut().for_each(|column| column.grow());
            self.states.push(State {
                row: Box::from(self.empty.as_slice()),
                expiries: vec![FOREVER; self.windows.len()].into_boxed_slice(),
                soonest: FOREVER,
                end: 0,
                armed: FOREVER,
                queued: FOREVER,
                named: 0,
                dirty_entity: CLEAN,
                computed: false,
                by_stream: false,
            });
        }
        entity
    }

    /// Brings what is kept of an entity near, which is soon needed for a change. Where state is
    /// larger than caches, waiting for memory is most of the work: for entities that are asked for
    /// one right after the other, all of it comes at once.
    #[inline]
    pub(super) fn prefetch(&self, entity: u32, change: &EntityChange) {
        self.states[entity].prefetch();
        for contribution in &change.contributions {
            self.columns[contribution.feature.index()].prefetch(entity);
        }
    }

    /// The same for entities whose windows end.
    fn prefetch_deadlines(&self, entities: &[u32]) {
        for &entity in entities {
            self.states[entity].prefetch();
            self.windows.iter().for_each(|&feature| self.columns[feature].prefetch(entity));
        }
    }

    /// Marks an entity as touched at the current time. What has expired meanwhile, and nobody
    /// waited for, goes first. Says where it stands.
    #[inline]
    pub(super) fn mark_dirty(&mut self, entity: u32) -> u32 {
        let state = &mut self.states[entity];
        if state.dirty_entity == CLEAN {
            state.dirty_entity = self.dirty.add(entity, self.empty.len());
            if state.soonest <= self.now {
                let dirty_entity = self.dirty.at(state.dirty_entity);
                for (&expiry, &feature) in state.expiries.iter().zip(&self.windows) {
                    if expiry <= self.now {
                        self.columns[feature].expire(entity, self.now);
                        dirty_entity.dirty.insert(feature);
                    }
                }
            }
        }
        state.dirty_entity
    }

    /// The next time at which anything is due.
    pub(super) fn next_deadline(&self) -> Option<LogicalTime> {
        self.deadlines.next()
    }

    /// Begins a logical time: touches the entities that are due, and lets contributions begin.
    pub(super) fn wake(&mut self, time: LogicalTime) {
        self.now = time;
        let mut due = std::mem::take(&mut self.due);
        self.pop_due(time, &mut due);
        for together in due.chunks(TOGETHER) {
            self.prefetch_deadlines(together);
            for &entity in together {
                let at = self.mark_dirty(entity);
                self.dirty.at(at).woken = true;
                let beginning = self.pending.begin(entity, time);
                if !beginning.is_empty() {
                    self.note(entity, facet::PENDING);
                }
                for waiting in beginning {
                    let when = (waiting.event_time, &waiting.order);
                    self.apply_one(entity, at, when, &waiting.contribution, time, 1);
                }
            }
        }
        due.clear();
        self.due = due;
    }

    /// The entities that have to be looked at now.
    ///
    /// What is waited for mostly moves on, with every event of a customer that keeps a window from
    /// running empty. Its entry stays where it is and moves when it comes: that is cheaper than a
    /// look in vain.
    fn pop_due(&mut self, time: LogicalTime, due: &mut Vec<u32>) {
        let states = &mut self.states;
        self.deadlines.pop_until(time, |entity| {
            let state = &mut states[entity];
            // Otherwise another entry stands for it.
            if state.queued == time {
                state.queued = FOREVER;
                due.push(entity);
            }
        });
        due.retain(|&entity| {
            let state = &mut self.states[entity];
            if state.armed <= time {
                state.armed = FOREVER;
                return true;
            }
            if state.armed != FOREVER {
                state.queued = state.armed;
                self.deadlines.push(state.armed, entity);
            }
            false
        });
    }

    /// Applies what a record says of an entity, or takes it back.
    pub(super) fn apply(&mut self, entity: u32, change: &EntityChange, time: LogicalTime, diff: isize) {
        let at = self.mark_dirty(entity);
        if change.names {
            self.name(entity, change.lasting, diff);
        }
        let when = (change.event_time, &change.order);
        for contribution in &change.contributions {
            self.apply_one(entity, at, when, contribution, time, diff);
        }
    }

    /// A record names an entity, or does no more.
    #[inline]
    fn name(&mut self, entity: u32, lasting: bool, diff: isize) {
        let state = &mut self.states[entity];
        if lasting && diff > 0 {
            if !state.by_stream {
                state.by_stream = true;
                self.note(entity, facet::EXISTS);
            }
            return;
        }
        state.named += diff as i64;
        if state.named < 0 {
            broken("a row was taken back that nothing is known of");
        }
    }

    /// Gives a contribution to an entity that stands `at` among the touched ones, or takes it back;
    /// or notes that it is to come.
    #[inline]
    fn apply_one(
        &mut self,
        entity: u32,
        at: u32,
        when: When<'_>,
        contribution: &Contribution,
        time: LogicalTime,
        diff: isize,
    ) {
        if contribution.until <= time {
            return;
        }
        match (contribution.from > time, diff > 0) {
            (true, true) => {
                self.note(entity, facet::PENDING);
                return self.pending.add(entity, when, contribution);
            }
            (true, false) => {
                self.note(entity, facet::PENDING);
                return self.pending.remove(entity, when, contribution);
            }
            _ => {}
        }
        if diff > 0 && contribution.until != FOREVER {
            let end = &mut self.states[entity].end;
            *end = contribution.until.max(*end);
        }
        let column = self.column_mut(at, contribution.feature);
        if diff > 0 {
            column.insert(entity, &contributed(when, contribution));
        } else {
            column.retract(entity, &contributed(when, contribution));
        }
    }

    /// The column of a feature, which is about to change for the entity that stands `at` among the
    /// touched ones.
    #[inline]
    pub(super) fn column_mut(&mut self, at: u32, feature: FeatureId) -> &mut dyn Column {
        self.dirty.at(at).dirty.insert(feature.index());
        &mut *self.columns[feature.index()]
    }

    /// Takes what was touched at the current time, in order of first touch. Ends the current time.
    pub(super) fn take_dirty(&mut self) -> DirtySet {
        for dirty_entity in self.dirty.iter_mut() {
            self.states[dirty_entity.entity].dirty_entity = CLEAN;
        }
        std::mem::take(&mut self.dirty)
    }

    /// Gives the list of what was touched back, for the next time.
    pub(super) fn put_back(&mut self, mut dirty: DirtySet) {
        dirty.clear();
        self.dirty = dirty;
    }

    /// The first expiry behind which a predicate over a feature, which holds, may hold no more.
    pub(super) fn holds_until(&self, entity: u32, predicate: &Predicate) -> LogicalTime {
        self.columns[usize::from(predicate.slot)].holds_until(entity, predicate)
    }

    /// Reads the dirty features and the attributes that follow from them, and notes which slots
    /// changed.
    pub(super) fn recompute(&mut self, dirty_entity: &mut DirtyEntity, time: LogicalTime) {
        if let Some(tracker) = &mut self.tracker {
            tracker.note_features(dirty_entity.entity, &dirty_entity.dirty);
        }
        let state = &mut self.states[dirty_entity.entity];
        for feature in dirty_entity.dirty.iter() {
            let column = &self.columns[feature];
            let value = column.value(dirty_entity.entity);
            let slot = &mut state.row[feature];
            if *slot != value {
                *slot = value;
                dirty_entity.changed.insert(feature);
            }
            if let Some(window) = self.window_of[feature] {
                state.expiries[usize::from(window)] = column.deadline(dirty_entity.entity);
            }
        }
        state.soonest = state.expiries.iter().copied().min().unwrap_or(FOREVER);
        // The attributes of a view over nothing have values too: the first settling evaluates all
        // of them.
        let fresh = !std::mem::replace(&mut state.computed, true);
        let kind = &self.plan.entities[self.kind.index()];
        for &position in &kind.evaluation {
            let attribute = &kind.attributes[position];
            let turned = dirty_entity.woken && attribute.expr.depends_on_now();
            if fresh || turned || dirty_entity.changed.intersects(&self.dependencies[position]) {
                let slot = kind.features.len() + position;
                let value = attribute.expr.eval(&Env::of(&state.row, time)).unwrap_or_default();
                if state.row[slot] != value {
                    state.row[slot] = value;
                    dirty_entity.changed.insert(slot);
                }
            }
        }
    }

    /// Arms the deadline of an entity: the least of its features', its attributes' and `other`.
    ///
    /// Of the features' only those of the windows that are `awaited` (`None`: all). When none is,
    /// the entity is woken only some time after everything has expired, to let go of it. What is
    /// armed is never later than what is due.
    pub(super) fn arm(&mut self, entity: u32, time: LogicalTime, other: LogicalTime, awaited: Option<&BitSet>) {
        let state = &mut self.states[entity];
        let mut next = other.min(self.pending.next(entity));
        if state.soonest != FOREVER {
            next = next.min(state.end.saturating_add(patience(entity, state.end - time)));
            match awaited {
                None => next = next.min(state.soonest),
                Some(awaited) if awaited.is_empty() => {}
                Some(awaited) => {
                    for (&expiry, &feature) in state.expiries.iter().zip(&self.windows) {
                        if awaited.contains(feature) {
                            next = next.min(expiry);
                        }
                    }
                }
            }
        }
        for &position in &self.timed {
            let attribute = &self.plan.entities[self.kind.index()].attributes[position];
            next = next.min(attribute.expr.next_change_point(&Env::of(&state.row, time)).unwrap_or(FOREVER));
        }
        state.armed = next;
        if next < state.queued {
            state.queued = next;
            self.deadlines.push(next, entity);
        }
    }
}

/// How long what has expired stays when nobody waits for it: up to a quarter of the time that it
/// counted, another span for each entity. Panes end together; to let go of them need not.
fn patience(entity: u32, span: LogicalTime) -> LogicalTime {
    // The fractions of the multiples of the golden ratio are spread evenly.
    let phase = u64::from(entity.wrapping_mul(0x9e37_79b9) >> 16);
    (span / 4).saturating_mul(phase) >> 16
}

fn contributed<'a>((event_time, order): When<'a>, contribution: &'a Contribution) -> Contributed<'a> {
    Contributed { until: contribution.until, event_time, order, value: &contribution.value }
}

/// The features of an entity from which contributions go by themselves.
pub(super) fn windows_of(entity: &Entity) -> impl Iterator<Item = usize> {
    let features = entity.features.iter().enumerate();
    features.filter(|(_, feature)| feature.interval.ends()).map(|(position, _)| position)
}

/// The slots of scope 0 that an expression uses, of so many.
pub(super) fn slots_of(expr: &Expr, slots: usize) -> BitSet {
    let used = expr.refs().iter().filter(|(reference, _)| reference.scope == 0);
    BitSet::of(slots, used.map(|(reference, _)| usize::from(reference.slot)))
}
