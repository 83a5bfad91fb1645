//! From views to episodes: each moment's condition, looked at once per logical time, for everyone
//! it may concern.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::empty_view::empty_row;
use crate::shard::shard;
use crate::{Transition, ViewPart};
use propice_define::Plan;
use propice_define::expr::Env;
use propice_define::plan::Moment;
use propice_model::{Id, LogicalTime, MomentId, Value};

use super::Subject;
use super::machine::{Alarms, Differences, Machine};
use super::view::View;
use super::view_rows::{Slots, earliest, next_change_point};

/// The episodes of all customers, with the views that decide on them.
pub(super) struct MomentStepper {
    plan: Arc<Plan>,
    customers: HashMap<Id, KnownCustomer>,
    alarms: Alarms<Id>,
}

/// What is known of a customer.
#[derive(Default)]
struct KnownCustomer {
    view: View,
    /// Where the condition holds, by moment and what it is about.
    phases: BTreeMap<(MomentId, Option<Subject>), Phase>,
}

/// How far an episode has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The condition has held since then, not yet for long enough.
    Holding(LogicalTime),
    /// The episode has been open since then.
    Open(LogicalTime),
}

impl Phase {
    /// The phase at a time at which the condition holds.
    fn after(before: Option<Phase>, now: LogicalTime, moment: &Moment) -> Phase {
        let since = match before {
            Some(open @ Phase::Open(_)) => return open,
            Some(Phase::Holding(since)) => since,
            None => now,
        };
        if now >= opening(since, moment) { Phase::Open(now) } else { Phase::Holding(since) }
    }
}

/// When an episode opens whose condition holds since then.
fn opening(since: LogicalTime, moment: &Moment) -> LogicalTime {
    since.saturating_add(u64::try_from(moment.for_ms).unwrap_or(0))
}

impl MomentStepper {
    pub(super) fn new(plan: &Arc<Plan>) -> MomentStepper {
        MomentStepper { plan: Arc::clone(plan), customers: HashMap::new(), alarms: Alarms::default() }
    }
}

impl Machine<ViewPart, Transition> for MomentStepper {
    fn shard(part: &ViewPart) -> u64 {
        shard(&part.customer)
    }

    fn next(&self) -> Option<LogicalTime> {
        self.alarms.next()
    }

    fn step(&mut self, now: LogicalTime, changes: Vec<(ViewPart, isize)>, out: &mut Differences<Transition>) {
        let mut touched: BTreeSet<Id> = self.alarms.ring(now).into_iter().collect();
        // What goes, goes first: a part that changes is taken away and put back.
        let (gone, come): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, diff)| *diff < 0);
        for (part, diff) in gone.into_iter().chain(come) {
            touched.insert(part.customer.clone());
            self.customers.entry(part.customer.clone()).or_default().view.apply(part, diff);
        }
        for id in touched {
            let Some(customer) = self.customers.get_mut(&id) else { continue };
            let next = customer.look(&self.plan, &id, now, out);
            if customer.view.slots.is_none() && customer.view.entities.is_empty() {
                self.customers.remove(&id);
            }
            self.alarms.set(id, next);
        }
    }
}

impl KnownCustomer {
    /// Looks at every condition that may have changed. Returns when to look again though nothing
    /// changes.
    fn look(
        &mut self,
        plan: &Plan,
        id: &Id,
        now: LogicalTime,
        out: &mut Differences<Transition>,
    ) -> Option<LogicalTime> {
        let mut subjects: BTreeSet<_> = self.phases.keys().cloned().collect();
        for (at, moment) in plan.moments.iter().enumerate() {
            let at = MomentId(at as u16);
            match moment.about {
                None => drop(subjects.insert((at, None))),
                Some(kind) => {
                    let entities = self.view.entities.keys().filter(|entity| entity.0 == kind);
                    subjects.extend(entities.map(|entity| (at, Some(entity.clone()))));
                }
            }
        }
        let mut next = None;
        for (at, entity) in subjects {
            let moment = &plan.moments[at.index()];
            let before = self.phases.get(&(at, entity.clone())).copied();
            let (after, turn) = self.phase(moment, entity.as_ref(), before, now);
            next = earliest(next, turn);
            if let Some((opened, since)) = transition(before, after) {
                let evidence = self.evidence(plan, moment, entity.as_ref(), now);
                let (customer, entity) = (id.clone(), entity.clone());
                out.push((Transition { time: now, customer, entity, moment: at, opened, since, evidence }, now, 1));
            }
            match after {
                Some(after) => drop(self.phases.insert((at, entity), after)),
                None => drop(self.phases.remove(&(at, entity))),
            }
        }
        next
    }

    /// The phase of an episode at a time, and when to look again.
    fn phase(
        &self,
        moment: &Moment,
        entity: Option<&Subject>,
        before: Option<Phase>,
        now: LogicalTime,
    ) -> (Option<Phase>, Option<LogicalTime>) {
        let of_entity = entity.map(|entity| self.view.entities.get(entity));
        let (Some(row), None | Some(Some(_))) = (&self.view.slots, of_entity) else { return (None, None) };
        let env = Env { row, entity: of_entity.flatten().map_or(&[], |slots| slots), now };
        let turn = next_change_point(&moment.when, &env);
        if !moment.when.holds(&env) {
            return (None, turn);
        }
        let after = Phase::after(before, now, moment);
        match after {
            Phase::Holding(since) => (Some(after), earliest(turn, Some(opening(since, moment)))),
            Phase::Open(_) => (Some(after), turn),
        }
    }

    /// The values that the condition uses; of what does not exist, the values over nothing.
    fn evidence(&self, plan: &Plan, moment: &Moment, entity: Option<&Subject>, now: LogicalTime) -> Vec<Value> {
        let nothing = |kind| Slots::from(empty_row(plan, kind, now));
        let row = self.view.row(plan, now);
        let of_entity = entity
            .map(|entity| self.view.entities.get(entity).cloned().unwrap_or_else(|| nothing(entity.0)))
            .unwrap_or_default();
        let scopes = [row, of_entity];
        moment.evidence.iter().map(|used| scopes[usize::from(used.scope)][usize::from(used.slot)].clone()).collect()
    }
}

/// Whether an episode opens (`true`) or closes, and since when it was open.
fn transition(before: Option<Phase>, after: Option<Phase>) -> Option<(bool, LogicalTime)> {
    match (before, after) {
        (Some(Phase::Open(_)), Some(_)) => None,
        (_, Some(Phase::Open(since))) => Some((true, since)),
        (Some(Phase::Open(since)), None) => Some((false, since)),
        _ => None,
    }
}
