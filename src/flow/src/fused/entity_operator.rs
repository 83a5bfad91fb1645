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
use timely::progress::operate::FrontierInterest;

use crate::shard::shard;
use crate::{Updates, ViewPart};
use propice_define::Plan;
use propice_model::{EntityChange, Id, KindId, LogicalTime, Value};

use super::capabilities::CapabilityHolder;
use super::chunked_vec::ChunkedVec;
use super::entities::Entities;
use super::frontier_of;
use super::stash::Stash;

type Parts = Vec<(ViewPart, LogicalTime, isize)>;

/// The parts that the entities of a kind are of their customers' views.
pub(super) fn parts<'scope>(
    plan: &Arc<Plan>,
    kind: KindId,
    changes: Updates<'scope, EntityChange>,
) -> Updates<'scope, ViewPart> {
    let mut owned = EntityOperator::new(plan.clone(), kind);
    let name = format!("Entities: {}", plan.entities[kind.index()].name);
    let by_entity = Exchange::new(|(change, _, _): &(EntityChange, LogicalTime, isize)| shard(&change.id));
    let mut builder = OperatorBuilder::new(name, changes.scope());
    let mut input = builder.new_input(changes, by_entity);
    builder.set_notify_for(0, FrontierInterest::IfCapability);
    let (output, stream) = builder.new_output();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Parts>>::from(output);
    builder.build(move |_| {
        let mut holder = CapabilityHolder::new(1);
        let mut stash = Stash::default();
        let mut ready = Vec::new();
        let mut out = Parts::new();
        move |frontiers| {
            input.for_each(|received, changes| {
                holder.hold(&received);
                stash.extend(changes);
            });
            let Some(capability) = holder.all().first() else { return };
            let frontier = frontier_of(&frontiers[0]);
            stash.drain_before(frontier.unwrap_or(LogicalTime::MAX), &mut ready);
            let has_work = !ready.is_empty();
            owned.advance(&mut ready, frontier, &mut out);
            if !out.is_empty() {
                output.activate().session(capability).give_container(&mut out);
                out.clear();
            }
            let waiting = [stash.next(), owned.entities.next_deadline()];
            holder.wait_until(frontier.and(waiting.into_iter().flatten().min()), frontier.filter(|_| has_work));
        }
    });
    stream
}

/// The entities of a kind, and to whom they belong.
struct EntityOperator {
    kind: KindId,
    entities: Entities,
    /// The customers of each entity, with how many live records relate them.
    owners: ChunkedVec<Vec<(Id, i64)>>,
    /// What was given last: the slots, and to whom.
    published: ChunkedVec<Published>,
}

#[derive(Clone)]
struct Published {
    slots: Arc<[Value]>,
    customers: Vec<Id>,
}

impl EntityOperator {
    fn new(plan: Arc<Plan>, kind: KindId) -> EntityOperator {
        let entities = Entities::new(plan, kind);
        EntityOperator { kind, entities, owners: ChunkedVec::new(), published: ChunkedVec::new() }
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
            let time = changes.peek().map_or(due, |(_, time, _)| due.min(*time));
            if time >= limit {
                return;
            }
            self.entities.wake(time);
            while let Some((change, _, diff)) = changes.next_if(|(_, at, _)| *at == time) {
                self.apply(&change, time, diff);
            }
            self.recompute(time, out);
        }
    }

    fn apply(&mut self, change: &EntityChange, time: LogicalTime, diff: isize) {
        let entity = self.entities.resolve(&change.id);
        self.entities.apply(entity, change, time, diff);
        if entity as usize == self.owners.len() {
            self.owners.push(Vec::new());
            self.published.push(Published { slots: Arc::from([]), customers: Vec::new() });
        }
        let Some(owner) = &change.owner else { return };
        let owners = &mut self.owners[entity];
        match owners.iter().position(|(customer, _)| customer == owner) {
            Some(position) => {
                owners[position].1 += diff as i64;
                if owners[position].1 == 0 {
                    owners.swap_remove(position);
                }
            }
            None => owners.push((owner.clone(), diff as i64)),
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
        let owns = |customer: &Id| owners.iter().any(|(owner, count)| owner == customer && *count > 0);
        let before = published.clone();
        if changed || published.slots.is_empty() {
            published.slots = Arc::from(self.entities.row(entity));
        }
        for customer in &before.customers {
            if changed || !owns(customer) {
                out.push((part(customer, &before.slots), time, -1));
            }
        }
        for (customer, count) in owners {
            if *count > 0 && (changed || !before.customers.contains(customer)) {
                out.push((part(customer, &published.slots), time, 1));
            }
        }
        published.customers.clear();
        published.customers.extend(owners.iter().filter(|(_, count)| *count > 0).map(|(customer, _)| customer.clone()));
    }
}
