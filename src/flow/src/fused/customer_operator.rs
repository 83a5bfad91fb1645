//! Customers: their own features, what their entities add up to, the moments they are in, and what
//! is decided of these.
//!
//! ```text
//! incoming ──▶ ready ──▶ features, rollups, attributes ──▶ moments ──▶ policy ──▶ decisions
//!                                                     └────────┴──────────────▶ transitions, views
//! ```

use std::hint::black_box;
use std::sync::Arc;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::Scope;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::empty_view::empty_row;
use crate::policy::{Decision, EntityViews, HolidayTable, Policy, PolicyState, Snapshot};
use crate::state::StateHandle;
use crate::{BuildOptions, Event, Transition, Updates, ViewPart};
use propice_define::Plan;
use propice_define::expr::{Env, Predicate};
use propice_define::plan::{Feature, FeatureSource};
use propice_model::time::FOREVER;
use propice_model::{FeatureId, Id, KindId, LogicalTime, Value};

use super::bit_set::BitSet;
use super::capabilities::CapabilityHolder;
use super::chunked_vec::ChunkedVec;
use super::complete::{CompleteBatch, UnappliedChanges, first_time, next_at};
use super::customer_state::CustomerKeeper;
use super::dirty::DirtyEntity;
use super::entities::{Entities, facet};
use super::features::Contributed;
use super::inputs::{InputPorts, Inputs};
use super::moments::{ConditionStates, CustomerUpdate, Moments, Part};
use super::{frontier_of, interest};

/// What is taken from customers.
pub(super) struct Taken<'scope> {
    pub events: Updates<'scope, Event>,
    /// Their own parts of their views, when they are asked for.
    pub views: Option<Updates<'scope, ViewPart>>,
}

/// The operator.
pub(super) fn customers<'scope>(
    plan: &Arc<Plan>,
    scope: Scope<'scope, LogicalTime>,
    inputs: Inputs<'scope>,
    options: &BuildOptions,
) -> Taken<'scope> {
    let state = options.state.as_ref();
    let mut customers = CustomerOperator::new(plan.clone(), options);
    let mut builder = OperatorBuilder::new("Customers".to_owned(), scope);
    let mut ports = InputPorts::new(&mut builder, inputs, (plan, state));
    let (events, event_stream) = builder.new_output::<Vec<(Event, LogicalTime, isize)>>();
    let views = options.with_views.then(|| builder.new_output::<Vec<(ViewPart, LogicalTime, isize)>>());
    let (views, view_stream) = views.unzip();
    let mut events = OutputBuilder::<_, CapacityContainerBuilder<_>>::from(events);
    let mut views = views.map(OutputBuilder::<_, CapacityContainerBuilder<_>>::from);
    let (inputs, outputs) = (builder.shape().inputs(), builder.shape().outputs());
    (0..inputs).for_each(|input| builder.set_notify_for(input, interest(state)));
    builder.build(move |capabilities| {
        let mut holder = CapabilityHolder::new(outputs);
        if let Some(at) = customers.seeded() {
            holder.begin(capabilities, at);
        }
        let mut ready = CompleteBatch::default();
        let mut out = Out::default();
        move |frontiers| {
            ports.receive(&mut holder);
            // When one input is closed the run has ended. Others are then held open by deadlines of
            // entities, to which time does not come.
            let open = frontiers.iter().filter_map(frontier_of).min();
            let frontier = open.filter(|_| frontiers.iter().all(|frontier| frontier_of(frontier).is_some()));
            if holder.is_empty() {
                ports.answer(frontier.unwrap_or_default());
                customers.answer(frontier.unwrap_or_default());
                return;
            }
            let before = open.unwrap_or(LogicalTime::MAX);
            ports.drain_before(before, &mut ready);
            let has_work = !ready.is_empty();
            customers.advance(&mut ready, frontier, &mut out);
            if !out.transitions.is_empty() || !out.decisions.is_empty() {
                let transitions = out.transitions.drain(..).map(|transition| {
                    let time = transition.time;
                    (Event::Transition(transition), time, 1)
                });
                let decisions = out.decisions.drain(..).map(|decision| {
                    let time = decision.time;
                    (Event::Decision(decision), time, 1)
                });
                events.activate().session(&holder.all()[0]).give_iterator(transitions.chain(decisions));
            }
            if let Some(views) = &mut views
                && !out.views.is_empty()
            {
                views.activate().session(&holder.all()[1]).give_container(&mut out.views);
                out.views.clear();
            }
            let due = frontier.and(customers.entities.next_deadline());
            let next = [ports.next(), due, frontier.and(customers.seeded())].into_iter().flatten().min();
            holder.wait_until(next, frontier.filter(|_| has_work));
        }
    });
    Taken { events: event_stream, views: view_stream }
}

#[derive(Default)]
struct Out {
    transitions: Vec<Transition>,
    decisions: Vec<Decision>,
    views: Vec<(ViewPart, LogicalTime, isize)>,
}

/// What is known of one customer besides its slots.
#[derive(Default)]
pub(super) struct Customer {
    pub parts: Vec<Part>,
    pub conditions: ConditionStates,
    /// What the policy remembers of it, if anything.
    pub policy_state: Option<Box<PolicyState>>,
    pub existed: bool,
    /// Whether the policy has something to decide though nothing happens.
    pub busy: bool,
    pub published: Option<Arc<[Value]>>,
}

impl Customer {
    /// Brings near what is soon needed of it ([`Entities::prefetch`]).
    #[inline]
    fn prefetch(&self) {
        black_box((
            self.conditions.first_is_open(),
            self.policy_state.as_ref().is_some_and(|policy_state| policy_state.is_pending()),
        ));
    }

    /// Whether what the policy reads beyond the view changed at a time.
    fn own_part_changed(&self, plan: &Plan, time: LogicalTime) -> bool {
        plan.policy.kind.is_some_and(|kind| self.parts.iter().any(|part| part.kind == kind && part.changed_at == time))
    }
}

impl EntityViews for Vec<Part> {
    fn slots(&self, kind: KindId, id: &Id) -> Option<&[Value]> {
        self.iter().find(|part| part.kind == kind && part.id == *id).map(|part| part.slots.as_ref())
    }
}

/// All customers of this worker.
pub(super) struct CustomerOperator {
    pub plan: Arc<Plan>,
    pub entities: Entities,
    pub customers: ChunkedVec<Customer>,
    pub moments: Moments,
    pub policy: Policy,
    pub holidays: HolidayTable,
    pub with_views: bool,
    /// Where state is kept.
    pub keeper: Option<Box<CustomerKeeper>>,
    /// The windows whose ends the customer at hand waits for; kept for its allocation.
    awaited: BitSet,
    /// The customers of the changes at hand; kept for its allocation.
    positions: Vec<u32>,
}

impl CustomerOperator {
    fn new(plan: Arc<Plan>, options: &BuildOptions) -> CustomerOperator {
        let state = options.state.as_ref();
        let mut holidays = HolidayTable::default();
        state.into_iter().flat_map(StateHandle::take_holidays).for_each(|fact| holidays.apply(fact));
        CustomerOperator {
            entities: Entities::new(plan.clone(), KindId::CUSTOMER, state.is_some()),
            keeper: state.map(|state| Box::new(CustomerKeeper::new(&plan, state))),
            customers: ChunkedVec::new(),
            moments: Moments::new(plan.clone()),
            policy: Policy::new(&plan),
            holidays,
            with_views: options.with_views,
            awaited: BitSet::new(plan.entities[0].slots()),
            positions: Vec::new(),
            plan,
        }
    }

    /// Goes through all complete times: those of the inputs (in order of time, emptied) and of
    /// deadlines before `frontier`.
    fn advance(&mut self, ready: &mut CompleteBatch, frontier: Option<LogicalTime>, out: &mut Out) {
        let limit = frontier.unwrap_or_else(|| ready.end());
        // Ids first, for all of them: look-ups that wait for memory wait together.
        let mut positions = std::mem::take(&mut self.positions);
        positions.extend(ready.changes.iter().map(|(change, _, _)| self.entities.resolve(&change.id)));
        self.make_room();
        let mut changes = UnappliedChanges { changes: &ready.changes, positions: &positions };
        let mut parts = ready.parts.as_slice();
        let mut holidays = ready.holidays.as_slice();
        loop {
            let due = self.entities.next_deadline().unwrap_or(LogicalTime::MAX);
            let declared = first_time(holidays);
            let due = self.seeded().map_or(due, |at| due.min(at));
            let time = due.min(first_time(changes.changes)).min(first_time(parts)).min(declared);
            self.answer(time.min(limit));
            if time >= limit {
                break;
            }
            if let Some(keeper) = &self.keeper {
                keeper.port.pass(time);
            }
            self.entities.wake(time);
            let restored = self.restore(time);
            while first_time(changes.changes) == time {
                self.prefetch(&changes);
                let Some((customer, change, diff)) = changes.next_at(time) else { break };
                self.entities.apply(customer, change, time, diff);
            }
            while let Some((part, diff)) = next_at(&mut parts, time) {
                self.apply_part(part, time, diff);
            }
            if declared == time {
                while let Some((day, _)) = next_at(&mut holidays, time) {
                    self.holidays.apply(day.clone());
                }
                self.mark_undecided();
            }
            if restored {
                self.recompute_restored(time);
            } else {
                self.recompute(time, out);
            }
        }
        positions.clear();
        self.positions = positions;
        ready.clear();
    }

    /// Now and then brings near what is kept of the customers of the next changes.
    #[inline]
    fn prefetch(&self, changes: &UnappliedChanges<'_>) {
        for (customer, change) in changes.soon().into_iter().flatten() {
            self.entities.prefetch(customer, change);
            self.customers[customer].prefetch();
        }
    }

    /// Has everybody looked at for whom something is not decided for good.
    fn mark_undecided(&mut self) {
        for (position, customer) in self.customers.iter().enumerate() {
            if customer.policy_state.as_ref().is_some_and(|policy_state| policy_state.is_pending()) {
                self.entities.mark_dirty(position as u32);
            }
        }
    }

    /// A part of the customer's view comes or goes: its rollups follow.
    fn apply_part(&mut self, part: &ViewPart, time: LogicalTime, diff: isize) {
        let Some((kind, id)) = &part.entity else { return };
        let kind = *kind;
        let position = self.entities.resolve(&part.customer);
        let at = self.entities.mark_dirty(position);
        self.make_room();
        for (feature_position, feature) in self.plan.entities[0].features.iter().enumerate() {
            let Some(value) = rolled_up(feature, kind, &part.slots) else { continue };
            let given = Contributed { until: FOREVER, event_time: 0, order: &Value::Null, value: &value };
            let column = self.entities.column_mut(at, FeatureId(feature_position as u16));
            if diff > 0 {
                column.insert(position, &given);
            } else {
                column.retract(position, &given);
            }
        }
        let Customer { parts, busy, .. } = &mut self.customers[position];
        let known = parts.iter().position(|known| known.kind == kind && known.id == *id);
        match (known, diff > 0) {
            (Some(known), true) => {
                parts[known].slots = Arc::clone(&part.slots);
                parts[known].changed_at = time;
            }
            (None, true) => {
                parts.push(Part { kind, id: id.clone(), slots: Arc::clone(&part.slots), changed_at: time });
            }
            // Differences of one time come in any order: what was given again meanwhile stays.
            (Some(known), false) if parts[known].slots == part.slots => {
                parts.swap_remove(known);
                // What the policy reads beyond the view is gone, which nothing else tells it.
                *busy |= self.plan.policy.kind == Some(kind);
            }
            (_, false) => {}
        }
    }

    /// The time of what it goes on from, until it has.
    fn seeded(&self) -> Option<LogicalTime> {
        self.keeper.as_ref().and_then(|keeper| keeper.seeded())
    }

    /// Settles every customer of which something was held, without a word.
    fn recompute_restored(&mut self, time: LogicalTime) {
        let mut dirty = self.entities.take_dirty();
        for dirty_entity in dirty.iter_mut() {
            self.entities.recompute(dirty_entity, time);
            self.settle_restored(dirty_entity, time);
        }
        self.entities.put_back(dirty);
        self.entities.forget_marks();
    }

    pub(super) fn make_room(&mut self) {
        for _ in self.customers.len()..self.entities.len() {
            self.customers.push(Customer::default());
        }
    }

    /// Settles every customer that was touched at `time`: slots, then moments, then the next
    /// deadline.
    fn recompute(&mut self, time: LogicalTime, out: &mut Out) {
        let mut dirty = self.entities.take_dirty();
        for together in dirty.chunks_mut() {
            if together.len() > 1 {
                together.iter().for_each(|dirty_entity| self.customers[dirty_entity.entity].prefetch());
            }
            for dirty_entity in together {
                self.entities.recompute(dirty_entity, time);
                self.evaluate(dirty_entity, time, out);
            }
        }
        self.entities.put_back(dirty);
    }

    fn evaluate(&mut self, dirty_entity: &DirtyEntity, time: LogicalTime, out: &mut Out) {
        let (position, changed) = (dirty_entity.entity, &dirty_entity.changed);
        let exists = self.entities.exists(position);
        let id = self.entities.id(position);
        let customer = &mut self.customers[position];
        let existed = std::mem::replace(&mut customer.existed, exists);
        let mut other = FOREVER;
        let transitions_before = out.transitions.len();
        if exists {
            let row = self.entities.row(position);
            let update = CustomerUpdate {
                time,
                customer: id,
                row,
                parts: &customer.parts,
                changed,
                woken: dirty_entity.woken,
                all: !existed || self.keeper.as_ref().is_some_and(|keeper| keeper.look_again == Some(time)),
            };
            self.moments.evaluate(&mut customer.conditions, &update, &mut out.transitions);
            other = self.moments.next_evaluation(&customer.conditions, &update);
        } else if existed {
            self.moments.close_all(&mut customer.conditions, id, time, &mut out.transitions);
        }
        if self.moments.take_moved() {
            self.entities.note(position, facet::CONDITIONS);
        }
        let id = self.entities.id(position);
        let transitions = &out.transitions[transitions_before..];
        if self.policy.concerns(customer.busy, transitions, || customer.own_part_changed(&self.plan, time)) {
            let empty;
            let row = if exists {
                self.entities.row(position)
            } else {
                empty = empty_row(&self.plan, KindId::CUSTOMER, time);
                &empty
            };
            let snapshot =
                Snapshot { time, customer: id, exists, row, parts: &customer.parts, holidays: &self.holidays };
            let policy_state = customer.policy_state.get_or_insert_default();
            let next = self.policy.step(policy_state, &snapshot, transitions, &mut out.decisions);
            other = other.min(next.unwrap_or(FOREVER));
            customer.busy = !policy_state.is_idle();
            self.entities.note(position, facet::POLICY);
        }
        let id = self.entities.id(position);
        if self.with_views && (exists != existed || (exists && !changed.is_empty())) {
            let slots = exists.then(|| Arc::from(self.entities.row(position)));
            let part = |slots| ViewPart { customer: id.clone(), entity: None, slots };
            if let Some(before) = customer.published.take() {
                out.views.push((part(before), time, -1));
            }
            if let Some(slots) = &slots {
                out.views.push((part(Arc::clone(slots)), time, 1));
            }
            customer.published = slots;
        }
        self.arm(position, time, other);
    }

    /// Waits for what is due next, and for the ends of the windows that somebody may look at:
    /// whoever takes views, the policy while it has something to decide, and moments that may turn.
    pub(super) fn arm(&mut self, customer: u32, time: LogicalTime, other: LogicalTime) {
        if self.with_views || self.customers[customer].busy {
            self.entities.arm(customer, time, other, None);
            return;
        }
        self.awaited.clear();
        let mut next = other;
        if self.entities.exists(customer) {
            let conditions = &self.customers[customer].conditions;
            let until = |predicate: &Predicate| self.entities.holds_until(customer, predicate);
            next = next.min(self.moments.next_end(conditions, &mut self.awaited, until));
        }
        self.entities.arm(customer, time, next, Some(&self.awaited));
    }
}

/// What an entity contributes to a rollup: the argument over its slots, if the rollup is over its
/// kind and counts it.
fn rolled_up(feature: &Feature, kind: KindId, slots: &[Value]) -> Option<Value> {
    if feature.source != FeatureSource::Entities(kind) {
        return None;
    }
    let env = Env::of(slots, 0);
    if feature.filter.as_ref().is_some_and(|filter| !filter.holds(&env)) {
        return None;
    }
    match &feature.argument {
        None => Some(Value::Bool(true)),
        Some(argument) => argument.eval(&env).ok().filter(|value| !value.is_null()),
    }
}
