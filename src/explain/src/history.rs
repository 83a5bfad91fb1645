//! What concerns one customer in a run: its view as of a time, how long each condition has held by
//! then, and everything that was decided of it.
//!
//! The sink keeps the view as of one logical time, the *instant*, and goes on collecting
//! transitions and decisions behind it: a trigger is explained by what was known when it was
//! published, its course by what came afterwards. How long a condition has held is found as the
//! engines find it: it is looked at when the view changes, and when the condition turns by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use propice_define::Plan;
use propice_define::expr::Env;
use propice_edge::sink::{OutgoingDecision, OutgoingTransition, Sink};
use propice_edge::source::DeadLetter;
use propice_flow::policy::Decision;
use propice_flow::{Transition, ViewPart};
use propice_model::{Id, KindId, LogicalTime, MomentId, Value};

/// What a moment is about: the customer, or one of its entities.
pub type MomentSubject = Option<(KindId, Id)>;

type SharedSlots = Arc<[Value]>;

/// What is known of one customer: its view at an instant, and what was decided of it.
#[derive(Default)]
pub struct Life {
    /// Its slots at the instant; `None` when it does not exist.
    pub row: Option<SharedSlots>,
    /// Its entities at the instant.
    pub parts: BTreeMap<(KindId, Id), SharedSlots>,
    /// How each condition has fared until the instant.
    pub phases: BTreeMap<(MomentId, MomentSubject), ConditionPhase>,
    /// Its transitions, in order, to the end.
    pub transitions: Vec<Transition>,
    /// What was decided of it, in order, to the end.
    pub decisions: Vec<Decision>,
    /// Whether it existed at some time of the run.
    pub seen: bool,
}

/// How a condition has fared.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConditionPhase {
    /// Since when it has held without interruption.
    pub since: Option<LogicalTime>,
    /// When it last stopped holding.
    pub ended: Option<LogicalTime>,
    /// When it may turn by itself.
    turn: Option<LogicalTime>,
}

impl Life {
    /// What an expression about a subject is evaluated over; `None` when the customer or the entity
    /// is not there.
    pub(super) fn env(&self, subject: &MomentSubject, now: LogicalTime) -> Option<Env<'_>> {
        let row = self.row.as_deref()?;
        let entity: &[Value] = match subject {
            None => &[],
            Some(key) => self.parts.get(key)?,
        };
        Some(Env { row, entity, now })
    }

    /// The entities of a kind.
    pub(super) fn of_kind(&self, kind: KindId) -> impl Iterator<Item = &Id> {
        self.parts.keys().filter(move |(of, _)| *of == kind).map(|(_, id)| id)
    }

    /// The slots of an entity, or of the customer.
    pub(super) fn slots(&self, kind: KindId, id: &Id) -> Option<&[Value]> {
        if kind == KindId::CUSTOMER { self.row.as_deref() } else { Some(self.parts.get(&(kind, id.clone()))?) }
    }

    fn apply(&mut self, updates: &[(&ViewPart, isize)]) {
        for (part, _) in updates.iter().filter(|(_, diff)| *diff < 0) {
            match &part.entity {
                None => self.row = None,
                Some(entity) => drop(self.parts.remove(entity)),
            }
        }
        for (part, _) in updates.iter().filter(|(_, diff)| *diff > 0) {
            match &part.entity {
                None => self.row = Some(Arc::clone(&part.slots)),
                Some(entity) => drop(self.parts.insert(entity.clone(), Arc::clone(&part.slots))),
            }
        }
    }

    /// Looks at every condition.
    fn look(&mut self, plan: &Plan, now: LogicalTime) {
        let mut keys: BTreeSet<(MomentId, MomentSubject)> = self.phases.keys().cloned().collect();
        for (at, moment) in plan.moments.iter().enumerate() {
            let moment_id = MomentId(at as u16);
            match moment.about {
                None => drop(keys.insert((moment_id, None))),
                Some(kind) => keys.extend(self.of_kind(kind).map(|id| (moment_id, Some((kind, id.clone()))))),
            }
        }
        for key in keys {
            let when = &plan.moments[key.0.index()].when;
            let env = self.env(&key.1, now);
            let holds = env.is_some_and(|env| when.holds(&env));
            let turn = env.and_then(|env| when.next_change_point(&env));
            let phase = self.phases.entry(key).or_default();
            phase.turn = turn;
            if holds {
                phase.since.get_or_insert(now);
            } else if phase.since.take().is_some() {
                phase.ended = Some(now);
            }
        }
    }

    /// Lets time pass, to before (or at the end: including) a time.
    fn pass(&mut self, plan: &Plan, through: LogicalTime) {
        while let Some(turn) = self.phases.values().filter_map(|phase| phase.turn).min().filter(|turn| *turn <= through)
        {
            self.look(plan, turn);
        }
    }
}

/// Keeps the life of one customer. Clones keep the same.
#[derive(Clone)]
pub(super) struct History {
    plan: Arc<Plan>,
    customer: Id,
    /// `None`: the end of the run.
    instant: Option<LogicalTime>,
    life: Arc<Mutex<Life>>,
}

impl History {
    pub(super) fn new(plan: &Arc<Plan>, customer: &Id, instant: Option<LogicalTime>) -> History {
        History { plan: Arc::clone(plan), customer: customer.clone(), instant, life: Arc::default() }
    }

    /// What was kept.
    pub(super) fn take(&self) -> Life {
        std::mem::take(&mut self.life())
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        // Nothing here leaves half of a change behind, so what a failed thread held is still good.
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_before(&self, time: LogicalTime) -> bool {
        self.instant.is_none_or(|instant| time <= instant)
    }
}

impl Sink for History {
    fn transitions(&mut self, transitions: &[OutgoingTransition<'_>]) -> io::Result<()> {
        let own = transitions.iter().map(|outgoing| outgoing.transition);
        let own = own.filter(|transition| transition.customer == self.customer);
        self.life().transitions.extend(own.cloned());
        Ok(())
    }

    fn decisions(&mut self, decisions: &[OutgoingDecision<'_>]) -> io::Result<()> {
        let own = decisions.iter().map(|outgoing| outgoing.decision);
        let own = own.filter(|decision| decision.customer == self.customer);
        self.life().decisions.extend(own.cloned());
        Ok(())
    }

    fn views(&mut self, updates: &[(ViewPart, LogicalTime, isize)]) -> io::Result<()> {
        let mut life = self.life();
        for of_one_time in updates.chunk_by(|a, b| a.1 == b.1) {
            let time = of_one_time[0].1;
            let own: Vec<(&ViewPart, isize)> = (of_one_time.iter())
                .filter(|(part, _, _)| part.customer == self.customer)
                .map(|(part, _, diff)| (part, *diff))
                .collect();
            life.seen |= own.iter().any(|(part, diff)| part.entity.is_none() && *diff > 0);
            if !own.is_empty() && self.is_before(time) {
                life.pass(&self.plan, time.saturating_sub(1));
                life.apply(&own);
                life.look(&self.plan, time);
            }
        }
        Ok(())
    }

    fn dead_letters(&mut self, _letters: &[DeadLetter]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, through: LogicalTime) -> io::Result<()> {
        let end = self.instant.unwrap_or(through).min(through);
        self.life().pass(&self.plan, end);
        Ok(())
    }
}
