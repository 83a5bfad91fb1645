//! Which conditions hold for a customer, since when, and which episodes are open.
//!
//! A condition is looked at once per logical time, after everything that takes effect at that time,
//! and only when something that it uses has changed, or `now` may have turned it; and not while its
//! predicate is false ([`PredicateIndex`]).
//!
//! ```text
//!           condition turns true                    it has held for `for`
//! (nothing) ────────────────────▶ holds since t ─────────────────────────▶ open since t + for
//!     ▲                                │                                        │
//!     └────────────────────────────────┴──── condition turns false ◀────────────┘  closed
//! ```

use std::cell::Cell;
use std::sync::Arc;

use crate::Transition;
use crate::empty_view::empty_row;
use crate::state::ConditionSeed;
use propice_define::Plan;
use propice_define::expr::{Env, Predicate};
use propice_define::plan::Moment;
use propice_model::time::FOREVER;
use propice_model::{Id, KindId, LogicalTime, MomentId, Value};

use super::bit_set::BitSet;
use super::entities::slots_of;
use super::predicate_index::PredicateIndex;

/// An entity of a customer, as a moment sees it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub kind: KindId,
    pub id: Id,
    pub slots: Arc<[Value]>,
    /// The logical time at which its slots changed last.
    pub changed_at: LogicalTime,
}

/// A condition that holds.
#[derive(Debug)]
struct HeldCondition {
    moment: MomentId,
    entity: Option<(KindId, Id)>,
    since: LogicalTime,
    opened: Option<LogicalTime>,
}

/// What is known of the conditions of one customer.
#[derive(Default, Debug)]
pub(super) struct ConditionStates {
    holding: Vec<HeldCondition>,
}

impl ConditionStates {
    /// Conditions that held when the run goes on.
    pub(super) fn restored(held: Vec<ConditionSeed>) -> ConditionStates {
        let held = held.into_iter().map(|ConditionSeed { moment, entity, since, opened }| HeldCondition {
            moment,
            entity,
            since,
            opened,
        });
        ConditionStates { holding: held.collect() }
    }

    /// Those that hold.
    pub(super) fn held(&self) -> impl Iterator<Item = ConditionSeed> {
        self.holding.iter().map(|HeldCondition { moment, entity, since, opened }| ConditionSeed {
            moment: *moment,
            entity: entity.clone(),
            since: *since,
            opened: *opened,
        })
    }

    /// Whether the first of the conditions that hold has held for long enough.
    #[inline]
    pub(super) fn first_is_open(&self) -> bool {
        self.holding.first().is_some_and(|holding| holding.opened.is_some())
    }
}

/// A customer at a logical time.
#[derive(Clone, Copy)]
pub(super) struct CustomerUpdate<'a> {
    pub time: LogicalTime,
    pub customer: &'a Id,
    pub row: &'a [Value],
    pub parts: &'a [Part],
    /// The slots of the customer that changed at this time.
    pub changed: &'a BitSet,
    /// Whether a deadline was reached, so that conditions may have turned by themselves.
    pub woken: bool,
    /// Whether everything has to be looked at: the customer is new.
    pub all: bool,
}

/// The moments of a plan.
pub(super) struct Moments {
    plan: Arc<Plan>,
    predicates: PredicateIndex,
    /// The slots of the customer that each moment uses.
    uses: Vec<BitSet>,
    /// The moments that depend on `now`.
    timed: BitSet,
    /// The moments about entities of each kind.
    about: Vec<Vec<MomentId>>,
    /// Those that are looked at; kept for its allocation.
    again: BitSet,
    /// Whether something about which conditions hold changed since that was last asked.
    has_moved: Cell<bool>,
}

impl Moments {
    pub(super) fn new(plan: Arc<Plan>) -> Moments {
        let moments = plan.moments.len();
        let uses = plan.moments.iter().map(|moment| slots_of(&moment.when, plan.entities[0].slots())).collect();
        let mut timed = BitSet::new(moments);
        let mut about = vec![Vec::new(); plan.entities.len()];
        for (position, moment) in plan.moments.iter().enumerate() {
            if moment.when.depends_on_now() {
                timed.insert(position);
            }
            if let Some(kind) = moment.about {
                about[kind.index()].push(MomentId(position as u16));
            }
        }
        Moments {
            predicates: PredicateIndex::new(&plan),
            uses,
            timed,
            about,
            again: BitSet::new(moments),
            has_moved: Cell::new(false),
            plan,
        }
    }

    /// Whether something about which conditions hold changed since that was last asked.
    #[inline]
    pub(super) fn take_moved(&self) -> bool {
        self.has_moved.replace(false)
    }

    /// As [`Moments::next_evaluation`], of a customer that is as it was.
    pub(super) fn next_of_restored(
        &mut self,
        conditions: &ConditionStates,
        update: &CustomerUpdate<'_>,
    ) -> LogicalTime {
        self.predicates.read(update.row);
        self.next_evaluation(conditions, update)
    }

    /// The next end of a window by which a condition may turn of the customer that was looked at
    /// last; `until` tells when one breaks a predicate. Windows each of whose ends may turn one are
    /// added to those that are waited for.
    pub(super) fn next_end(
        &self,
        conditions: &ConditionStates,
        to: &mut BitSet,
        until: impl Fn(&Predicate) -> LogicalTime,
    ) -> LogicalTime {
        self.predicates.add_turning(to);
        let ends = conditions.holding.iter().map(|holding| self.predicates.ends_at(holding.moment, to, &until));
        ends.min().unwrap_or(FOREVER)
    }

    /// Looks at a customer that exists. Transitions go to `out`.
    pub(super) fn evaluate(
        &mut self,
        conditions: &mut ConditionStates,
        update: &CustomerUpdate<'_>,
        out: &mut Vec<Transition>,
    ) {
        let mut again = std::mem::take(&mut self.again);
        self.predicates.read(update.row);
        self.find(conditions, update, &mut again);
        for position in again.iter() {
            let (id, moment) = (MomentId(position as u16), &self.plan.moments[position]);
            match moment.about {
                None => {
                    let holds = moment.when.holds(&Env::of(update.row, update.time));
                    self.set_condition(conditions, id, None, holds, update, out);
                }
                Some(kind) => {
                    for part in update.parts.iter().filter(|part| part.kind == kind) {
                        self.evaluate_part(conditions, id, part, update, out);
                    }
                }
            }
        }
        for part in update.parts.iter().filter(|part| part.changed_at == update.time) {
            for &id in self.about[part.kind.index()].iter().filter(|id| !again.contains(id.index())) {
                self.evaluate_part(conditions, id, part, update, out);
            }
        }
        again.clear();
        self.again = again;
        self.close_parted(conditions, update, out);
        self.open_due(conditions, update, out);
    }

    /// Finds the moments whose condition may have turned.
    fn find(&self, conditions: &ConditionStates, update: &CustomerUpdate<'_>, again: &mut BitSet) {
        let is_concerned = |moment: MomentId| {
            update.all
                || self.uses[moment.index()].intersects(update.changed)
                || (update.woken && self.timed.contains(moment.index()))
        };
        self.predicates.awake(|moment| {
            if is_concerned(moment) {
                again.insert(moment.index());
            }
        });
        // What has held may sleep from now on.
        for holding in conditions.holding.iter().filter(|holding| is_concerned(holding.moment)) {
            again.insert(holding.moment.index());
        }
    }

    fn evaluate_part(
        &self,
        conditions: &mut ConditionStates,
        id: MomentId,
        part: &Part,
        update: &CustomerUpdate<'_>,
        out: &mut Vec<Transition>,
    ) {
        let env = Env { row: update.row, entity: &part.slots, now: update.time };
        self.set_condition(conditions, id, Some(part), self.moment(id).when.holds(&env), update, out);
    }

    /// Closes everything of a customer that ceased to exist.
    pub(super) fn close_all(
        &self,
        conditions: &mut ConditionStates,
        customer: &Id,
        time: LogicalTime,
        out: &mut Vec<Transition>,
    ) {
        let row = empty_row(&self.plan, KindId::CUSTOMER, time);
        let changed = BitSet::default();
        let update =
            CustomerUpdate { time, customer, row: &row, parts: &[], changed: &changed, woken: false, all: true };
        self.has_moved.set(true);
        for holding in conditions.holding.drain(..) {
            self.close(&holding, &update, out);
        }
    }

    /// Notes that a condition holds or does not.
    fn set_condition(
        &self,
        conditions: &mut ConditionStates,
        moment: MomentId,
        part: Option<&Part>,
        holds: bool,
        update: &CustomerUpdate<'_>,
        out: &mut Vec<Transition>,
    ) {
        let known = conditions.holding.iter().position(|holding| {
            holding.moment == moment
                && match (&holding.entity, part) {
                    (None, None) => true,
                    (Some((kind, id)), Some(part)) => *kind == part.kind && *id == part.id,
                    _ => false,
                }
        });
        match (known, holds) {
            (None, true) => {
                let entity = part.map(|part| (part.kind, part.id.clone()));
                self.has_moved.set(true);
                conditions.holding.push(HeldCondition { moment, entity, since: update.time, opened: None });
            }
            (Some(position), false) => {
                self.has_moved.set(true);
                let holding = conditions.holding.swap_remove(position);
                self.close(&holding, update, out);
            }
            _ => {}
        }
    }

    /// Closes what is about an entity that belongs to the customer no more.
    fn close_parted(&self, conditions: &mut ConditionStates, update: &CustomerUpdate<'_>, out: &mut Vec<Transition>) {
        if conditions.holding.is_empty() {
            return;
        }
        let parted = |holding: &mut HeldCondition| match &holding.entity {
            None => false,
            Some((kind, id)) => !update.parts.iter().any(|part| part.kind == *kind && part.id == *id),
        };
        for holding in conditions.holding.extract_if(.., parted) {
            self.has_moved.set(true);
            self.close(&holding, update, out);
        }
    }

    /// Opens what has held for long enough.
    fn open_due(&self, conditions: &mut ConditionStates, update: &CustomerUpdate<'_>, out: &mut Vec<Transition>) {
        for holding in conditions.holding.iter_mut().filter(|holding| holding.opened.is_none()) {
            if self.opens_at(holding) <= update.time {
                holding.opened = Some(update.time);
                self.has_moved.set(true);
                out.push(self.transition(holding, true, update.time, update));
            }
        }
    }

    fn close(&self, holding: &HeldCondition, update: &CustomerUpdate<'_>, out: &mut Vec<Transition>) {
        if let Some(since) = holding.opened {
            out.push(self.transition(holding, false, since, update));
        }
    }

    fn opens_at(&self, holding: &HeldCondition) -> LogicalTime {
        holding.since.saturating_add(self.moment(holding.moment).for_ms.unsigned_abs())
    }

    fn moment(&self, moment: MomentId) -> &Moment {
        &self.plan.moments[moment.index()]
    }

    fn transition(
        &self,
        holding: &HeldCondition,
        opened: bool,
        since: LogicalTime,
        update: &CustomerUpdate<'_>,
    ) -> Transition {
        let empty;
        let entity: &[Value] = match &holding.entity {
            None => &[],
            Some((kind, id)) => match update.parts.iter().find(|part| part.kind == *kind && part.id == *id) {
                Some(part) => &part.slots,
                None => {
                    empty = empty_row(&self.plan, *kind, update.time);
                    &empty
                }
            },
        };
        let evidence = self.moment(holding.moment).evidence.iter().map(|evidence| {
            let row = if evidence.scope == 0 { update.row } else { entity };
            row[usize::from(evidence.slot)].clone()
        });
        Transition {
            time: update.time,
            customer: update.customer.clone(),
            entity: holding.entity.clone(),
            moment: holding.moment,
            opened,
            since,
            evidence: evidence.collect(),
        }
    }

    /// The next time after `look.time` at which a condition may turn by itself, or has held for
    /// long enough.
    pub(super) fn next_evaluation(&self, conditions: &ConditionStates, update: &CustomerUpdate<'_>) -> LogicalTime {
        let waiting = conditions.holding.iter().filter(|holding| holding.opened.is_none());
        let mut next = waiting.map(|holding| self.opens_at(holding)).min().unwrap_or(FOREVER);
        if self.timed.is_empty() {
            return next;
        }
        self.predicates.awake(|id| {
            if !self.timed.contains(id.index()) {
                return;
            }
            let moment = self.moment(id);
            let mut change_points = |entity: &[Value]| {
                let env = Env { row: update.row, entity, now: update.time };
                next = next.min(moment.when.next_change_point(&env).unwrap_or(FOREVER));
            };
            match moment.about {
                None => change_points(&[]),
                Some(kind) => {
                    update.parts.iter().filter(|part| part.kind == kind).for_each(|part| change_points(&part.slots));
                }
            }
        });
        next
    }
}
