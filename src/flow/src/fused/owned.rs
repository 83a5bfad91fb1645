//! Entities that belong to customers: their views, as parts of the views of those they belong to.
//!
//! ```text
//! changes of accounts ──by account──▶ features, attributes, owners ──▶ (customer, account, slots) ±1
//! ```
//!
//! A part is taken back and given again when its slots change, and moves in the same logical time when the entity changes
//! hands: a joint account is a part of both holders' views.

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

use super::entities::Entities;
use super::frontier_of;
use super::held::Held;
use super::inbox::Inbox;
use super::paged::Paged;

type Parts = Vec<(ViewPart, LogicalTime, isize)>;

/// The parts that the entities of a kind are of their customers' views.
pub(super) fn parts<'scope>(
    plan: &Arc<Plan>,
    kind: KindId,
    changes: Updates<'scope, EntityChange>,
) -> Updates<'scope, ViewPart> {
    let mut owned = Owned::new(plan.clone(), kind);
    let name = format!("Entities: {}", plan.entities[kind.index()].name);
    let by_entity = Exchange::new(|(change, _, _): &(EntityChange, LogicalTime, isize)| shard(&change.id));
    let mut builder = OperatorBuilder::new(name, changes.scope());
    let mut input = builder.new_input(changes, by_entity);
    builder.set_notify_for(0, FrontierInterest::IfCapability);
    let (output, stream) = builder.new_output();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Parts>>::from(output);
    builder.build(move |_| {
        let mut held = Held::new(1);
        let mut inbox = Inbox::default();
        let mut ready = Vec::new();
        let mut out = Parts::new();
        move |frontiers| {
            input.for_each(|received, changes| {
                held.hold(&received);
                inbox.extend(changes);
            });
            let Some(capability) = held.all().first() else { return };
            let frontier = frontier_of(&frontiers[0]);
            inbox.drain_before(frontier.unwrap_or(LogicalTime::MAX), &mut ready);
            let has_work = !ready.is_empty();
            owned.advance(&mut ready, frontier, &mut out);
            if !out.is_empty() {
                output.activate().session(capability).give_container(&mut out);
                out.clear();
            }
            let waiting = [inbox.next(), owned.entities.next_deadline()];
            held.wait_until(frontier.and(waiting.into_iter().flatten().min()), frontier.filter(|_| has_work));
        }
    });
    stream
}

/// The entities of a kind, and to whom they belong.
struct Owned {
    kind: KindId,
    entities: Entities,
    /// The customers of each entity, with how many live records relate them.
    owners: Paged<Vec<(Id, i64)>>,
    /// What was given last: the slots, and to whom.
    published: Paged<Published>,
}

#[derive(Clone)]
struct Published {
    slots: Arc<[Value]>,
    customers: Vec<Id>,
}

impl Owned {
    fn new(plan: Arc<Plan>, kind: KindId) -> Owned {
        let entities = Entities::new(plan, kind);
        Owned { kind, entities, owners: Paged::new(), published: Paged::new() }
    }

    /// Goes through all complete times: those of `changes` (in order of time, emptied) and of deadlines before `frontier`.
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
            self.settle(time, out);
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
    fn settle(&mut self, time: LogicalTime, out: &mut Parts) {
        let mut touched = self.entities.take_touched();
        for touch in touched.iter_mut() {
            self.entities.settle(touch, time);
            self.publish(touch.entity, !touch.changed.is_empty(), time, out);
            self.entities.arm(touch.entity, time, LogicalTime::MAX, None);
        }
        self.entities.put_back(touched);
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
