//! Entities that belong to customers: their views, as parts of the views of those they belong to.
//!
//! ```text
//! changes of accounts ──by account──▶ features, attributes, owners ──▶ (customer, account, slots) ±1
//! ```
//!
//! A part is taken back and given again when its slots change, and moves in the same logical time
//! when the entity changes hands: a joint account is a part of both holders' views.

use std::sync::Arc;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::invariant::broken;
use crate::shard::shard;
use crate::state::{Cut, EntitySeed, Entry, Report, StateHandle, StatePort};
use crate::{Updates, ViewPart};
use propice_define::Plan;
use propice_model::{EntityChange, Id, KindId, LogicalTime, Value};

use super::capabilities::CapabilityHolder;
use super::chunked_vec::ChunkedVec;
use super::entities::{Entities, facet};
use super::stash::Stash;
use super::{frontier_of, interest};

type Parts = Vec<(ViewPart, LogicalTime, isize)>;

/// The parts that the entities of a kind are of their customers' views.
pub(super) fn parts<'scope>(
    plan: &Arc<Plan>,
    kind: KindId,
    changes: Updates<'scope, EntityChange>,
    state: Option<&StateHandle>,
) -> Updates<'scope, ViewPart> {
    let mut owned = EntityOperator::new(plan.clone(), kind, state);
    let name = format!("Entities: {}", plan.entities[kind.index()].name);
    let by_entity = Exchange::new(|(change, _, _): &(EntityChange, LogicalTime, isize)| shard(&change.id));
    let mut builder = OperatorBuilder::new(name, changes.scope());
    let mut input = builder.new_input(changes, by_entity);
    builder.set_notify_for(0, interest(state));
    let (output, stream) = builder.new_output();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Parts>>::from(output);
    builder.build(move |capabilities| {
        let mut holder = CapabilityHolder::new(1);
        if let Some((at, _)) = &owned.seeds {
            holder.begin(capabilities, *at);
        }
        let mut stash = Stash::default();
        let mut ready = Vec::new();
        let mut out = Parts::new();
        move |frontiers| {
            input.for_each(|received, changes| {
                holder.hold(&received);
                stash.extend(changes);
            });
            let frontier = frontier_of(&frontiers[0]);
            let Some(capability) = holder.all().first() else {
                owned.answer(frontier.unwrap_or_default());
                return;
            };
            stash.drain_before(frontier.unwrap_or(LogicalTime::MAX), &mut ready);
            let has_work = !ready.is_empty();
            owned.advance(&mut ready, frontier, &mut out);
            if !out.is_empty() {
                output.activate().session(capability).give_container(&mut out);
                out.clear();
            }
            let waiting = [stash.next(), owned.entities.next_deadline(), owned.seeded()];
            holder.wait_until(frontier.and(waiting.into_iter().flatten().min()), frontier.filter(|_| has_work));
        }
    });
    stream
}

/// The entities of a kind, and to whom they belong.
struct EntityOperator {
    kind: KindId,
    entities: Entities,
    /// The customers of each entity.
    owners: ChunkedVec<Vec<Owner>>,
    /// What was given last: the slots, and to whom.
    published: ChunkedVec<Published>,
    state: Option<StatePort>,
    /// What it goes on from, and as of which time.
    seeds: Option<(LogicalTime, Vec<EntitySeed>)>,
}

/// A customer whom records relate to an entity.
struct Owner {
    customer: Id,
    /// How many live rows of tables do.
    rows: i32,
    /// Whether a record of a stream did: that lasts.
    by_stream: bool,
}

impl Owner {
    fn owns(&self) -> bool {
        self.by_stream || self.rows > 0
    }
}

#[derive(Clone)]
struct Published {
    slots: Arc<[Value]>,
    customers: Vec<Id>,
}

impl EntityOperator {
    fn new(plan: Arc<Plan>, kind: KindId, state: Option<&StateHandle>) -> EntityOperator {
        let seeds = state.and_then(|state| Some((state.restored_at()?, state.take_entities(kind))));
        EntityOperator {
            kind,
            entities: Entities::new(plan, kind, state.is_some()),
            owners: ChunkedVec::new(),
            published: ChunkedVec::new(),
            state: state.map(StateHandle::port),
            seeds,
        }
    }

    /// The time of what it goes on from, until it has.
    fn seeded(&self) -> Option<LogicalTime> {
        self.seeds.as_ref().map(|(at, _)| *at)
    }

    /// Something of a time is about to be gone through: a cut before it is answered.
    fn answer(&mut self, next: LogicalTime) {
        let Some(cut) = self.state.as_ref().and_then(|port| port.due(next)) else { return };
        let report = self.report(cut);
        if let Some(port) = &mut self.state {
            port.give(cut, report);
        }
    }

    fn report(&mut self, cut: Cut) -> Report {
        let mut report = Report::to(cut);
        let owners = &self.owners;
        self.entities.report(cut, &mut report, |told, report| {
            if told.facets & facet::OWNERS != 0 {
                let by_stream = owners[told.entity].iter().filter(|owner| owner.by_stream);
                let mut customers: Vec<Id> = by_stream.map(|owner| owner.customer.clone()).collect();
                customers.sort_unstable();
                let entry = (!customers.is_empty()).then_some(Entry::Owners(customers));
                report.add(&told.collections.owners, told.range, &told.key, entry);
            }
        });
        report
    }

    /// Begins with what was held, if that is of this time.
    fn restore(&mut self, time: LogicalTime) -> bool {
        let Some((_, seeds)) = self.seeds.take_if(|(at, _)| *at == time) else { return false };
        for seed in seeds {
            let entity = self.entities.seed(&seed);
            self.make_room(entity);
            self.owners[entity].extend(seed.owners.into_iter().map(|customer| Owner {
                customer,
                rows: 0,
                by_stream: true,
            }));
        }
        true
    }

    /// Goes through all complete times: those of `changes` (in order of time, emptied) and of
    /// deadlines before `frontier`.
    fn advance(
        &mut self,
        changes: &mut Vec<(EntityChange, LogicalTime, isize)>,
        frontier: Option<LogicalTime>,
        out: &mut Parts,
    ) {
        let limit = frontier.unwrap_or_else(|| changes.last().map_or(0, |(_, time, _)| time + 1));
        let mut changes = changes.drain(..).peekable();
        loop {
            let due = self.entities.next_deadline().unwrap_or(LogicalTime::MAX);
            let due = self.seeded().map_or(due, |at| due.min(at));
            let time = changes.peek().map_or(due, |(_, time, _)| due.min(*time));
            self.answer(time.min(limit));
            if time >= limit {
                return;
            }
            if let Some(port) = &self.state {
                port.pass(time);
            }
            self.entities.wake(time);
            let restored = self.restore(time);
            while let Some((change, _, diff)) = changes.next_if(|(_, at, _)| *at == time) {
                self.apply(&change, time, diff);
            }
            self.recompute(time, out);
            if restored {
                self.entities.forget_marks();
            }
        }
    }

    fn make_room(&mut self, entity: u32) {
        if entity as usize == self.owners.len() {
            self.owners.push(Vec::new());
            self.published.push(Published { slots: Arc::from([]), customers: Vec::new() });
        }
    }

    fn apply(&mut self, change: &EntityChange, time: LogicalTime, diff: isize) {
        let entity = self.entities.resolve(&change.id);
        self.entities.apply(entity, change, time, diff);
        self.make_room(entity);
        let Some(customer) = &change.owner else { return };
        let owners = &mut self.owners[entity];
        let known = owners.iter().position(|owner| owner.customer == *customer);
        let position = known.unwrap_or_else(|| {
            owners.push(Owner { customer: customer.clone(), rows: 0, by_stream: false });
            owners.len() - 1
        });
        let owner = &mut owners[position];
        if change.lasting && diff > 0 {
            if !std::mem::replace(&mut owner.by_stream, true) {
                self.entities.note(entity, facet::OWNERS);
            }
            return;
        }
        match owner.rows.checked_add(diff as i32) {
            Some(rows) if rows >= 0 => owner.rows = rows,
            _ => broken("a relation was taken back that nothing is known of"),
        }
        if !owner.owns() {
            owners.swap_remove(position);
        }
    }

    /// Publishes the net change of every entity that was touched at `time`.
    fn recompute(&mut self, time: LogicalTime, out: &mut Parts) {
        let mut dirty = self.entities.take_dirty();
        for dirty_entity in dirty.iter_mut() {
            self.entities.recompute(dirty_entity, time);
            self.publish(dirty_entity.entity, !dirty_entity.changed.is_empty(), time, out);
            self.entities.arm(dirty_entity.entity, time, LogicalTime::MAX, None);
        }
        self.entities.put_back(dirty);
    }

    fn publish(&mut self, entity: u32, changed: bool, time: LogicalTime, out: &mut Parts) {
        let id = self.entities.id(entity);
        let part = |customer: &Id, slots: &Arc<[Value]>| ViewPart {
            customer: customer.clone(),
            entity: Some((self.kind, id.clone())),
            slots: slots.clone(),
        };
        let published = &mut self.published[entity];
        let owners = &self.owners[entity];
        let owns = |customer: &Id| owners.iter().any(|owner| owner.customer == *customer && owner.owns());
        let before = published.clone();
        if changed || published.slots.is_empty() {
            published.slots = Arc::from(self.entities.row(entity));
        }
        for customer in &before.customers {
            if changed || !owns(customer) {
                out.push((part(customer, &before.slots), time, -1));
            }
        }
        for owner in owners.iter().filter(|owner| owner.owns()) {
            if changed || !before.customers.contains(&owner.customer) {
                out.push((part(&owner.customer, &published.slots), time, 1));
            }
        }
        published.customers.clear();
        published.customers.extend(owners.iter().filter(|owner| owner.owns()).map(|owner| owner.customer.clone()));
    }
}
