//! What is held of customers, by meaning, and how they go on from what was held.

use std::sync::Arc;

use crate::policy::{Policy, PolicyState, Snapshot};
use crate::state::{
    ConditionSeed, CustomerSeed, Cut, EntitySeed, Entry, HeldSince, Names, Report, StateHandle, StatePort,
};
use propice_define::Plan;
use propice_model::time::FOREVER;
use propice_model::{Id, KindId, LogicalTime, Value};

use super::customer_operator::{Customer, CustomerOperator};
use super::dirty::DirtyEntity;
use super::entities::facet;
use super::moments::{ConditionStates, CustomerUpdate, Part};

/// What the operator of customers needs where state is kept.
pub(super) struct CustomerKeeper {
    pub port: StatePort,
    names: Names,
    /// The collections that are of customers alone.
    conditions: Arc<str>,
    policy: Arc<str>,
    /// What it goes on from.
    seeds: Option<CustomerSeeds>,
    /// When every customer is looked at again: the plan decides otherwise than before.
    pub look_again: Option<LogicalTime>,
}

/// What was held of customers.
struct CustomerSeeds {
    at: LogicalTime,
    entities: Vec<EntitySeed>,
    customers: Vec<CustomerSeed>,
}

impl CustomerKeeper {
    pub(super) fn new(plan: &Plan, state: &StateHandle) -> CustomerKeeper {
        let seeds = state.restored_at().map(|at| CustomerSeeds {
            at,
            entities: state.take_entities(KindId::CUSTOMER),
            customers: state.take_customers(),
        });
        CustomerKeeper {
            port: state.port(),
            names: Names::of(plan),
            conditions: Arc::from("conditions"),
            policy: Arc::from("policy"),
            look_again: seeds.as_ref().filter(|_| state.looks_again()).map(|seeds| seeds.at + 1),
            seeds,
        }
    }

    /// The time of what it goes on from, until it has.
    pub(super) fn seeded(&self) -> Option<LogicalTime> {
        self.seeds.as_ref().map(|seeds| seeds.at)
    }
}

impl CustomerOperator {
    /// Something of a time is about to be gone through: a cut before it is answered.
    pub(super) fn answer(&mut self, next: LogicalTime) {
        let Some(keeper) = &mut self.keeper else { return };
        let Some(cut) = keeper.port.due(next) else { return };
        let report = report(keeper, &mut self.entities, &self.customers, cut);
        keeper.port.give(cut, report);
    }

    /// Begins with what was held, if that is of this time.
    pub(super) fn restore(&mut self, time: LogicalTime) -> bool {
        let seeds = self.keeper.as_mut().and_then(|keeper| keeper.seeds.take_if(|seeds| seeds.at == time));
        let Some(seeds) = seeds else { return false };
        for seed in seeds.entities {
            self.entities.seed(&seed);
        }
        self.make_room();
        for CustomerSeed { id, conditions, policy } in seeds.customers {
            let position = self.entities.resolve(&id);
            self.entities.mark_dirty(position);
            self.make_room();
            let customer = &mut self.customers[position];
            customer.conditions = ConditionStates::restored(conditions);
            if let (Some(policy), Some(keeper)) = (policy, &self.keeper) {
                customer.policy_state = Some(Box::new(PolicyState::restored(&self.plan, &keeper.names, &id, &policy)));
            }
        }
        true
    }

    /// A customer is as it was: nothing is said of it, and what it waits for is found again.
    pub(super) fn settle_restored(&mut self, dirty_entity: &DirtyEntity, time: LogicalTime) {
        let position = dirty_entity.entity;
        let exists = self.entities.exists(position);
        let id = self.entities.id(position).clone();
        let plan = Arc::clone(&self.plan);
        let customer = &mut self.customers[position];
        customer.existed = exists;
        know_receipts(&plan, customer, &id);
        let mut next = FOREVER;
        let empty;
        let row = if exists {
            self.entities.row(position)
        } else {
            empty = crate::empty_view::empty_row(&plan, KindId::CUSTOMER, time);
            &empty
        };
        if exists {
            let update = CustomerUpdate {
                time,
                customer: &id,
                row,
                parts: &customer.parts,
                changed: &dirty_entity.changed,
                woken: false,
                all: false,
            };
            next = self.moments.next_of_restored(&customer.conditions, &update);
            if self.with_views {
                customer.published = Some(Arc::from(row));
            }
        }
        if let Some(policy_state) = &customer.policy_state {
            customer.busy = !policy_state.is_idle();
            if customer.busy {
                let snapshot =
                    Snapshot { time, customer: &id, exists, row, parts: &customer.parts, holidays: &self.holidays };
                next = next.min(wait_of(&self.policy, policy_state, &snapshot));
            }
        }
        if let Some(again) = self.keeper.as_ref().and_then(|keeper| keeper.look_again) {
            next = next.min(again);
        }
        self.arm(position, time, next);
    }
}

/// When the policy decides next of what it has decided already.
///
/// What it gives does not depend on how often it is asked. So it is asked with a copy, and what it
/// says now is no news.
fn wait_of(policy: &Policy, state: &PolicyState, snapshot: &Snapshot<'_>) -> LogicalTime {
    policy.step(&mut state.clone(), snapshot, &[], &mut Vec::new()).unwrap_or(FOREVER)
}

fn know_receipts(plan: &Plan, customer: &mut Customer, id: &Id) {
    let (Some(kind), Some(slot)) = (plan.policy.kind, plan.policy.receipts) else { return };
    let own = |part: &&Part| part.kind == kind && part.id == *id;
    let receipts: Option<Value> =
        customer.parts.iter().find(own).and_then(|part| part.slots.get(usize::from(slot)).cloned());
    if receipts.is_some() || customer.policy_state.is_some() {
        customer.policy_state.get_or_insert_default().know_receipts(receipts.as_ref());
    }
}

fn report(
    keeper: &CustomerKeeper,
    entities: &mut super::entities::Entities,
    customers: &super::chunked_vec::ChunkedVec<Customer>,
    cut: Cut,
) -> Report {
    let mut report = Report::to(cut);
    entities.report(cut, &mut report, |told, report| {
        let customer = &customers[told.entity];
        if told.facets & facet::CONDITIONS != 0 {
            let conditions = customer.conditions.entry(&keeper.names);
            let entry = (!conditions.is_empty()).then_some(Entry::Conditions(conditions));
            report.add(&keeper.conditions, told.range, &told.key, entry);
        }
        if told.facets & facet::POLICY != 0 {
            let entry = customer.policy_state.as_ref().and_then(|state| state.entry(&keeper.names));
            report.add(&keeper.policy, told.range, &told.key, entry.map(Entry::Policy));
        }
    });
    report
}

impl ConditionStates {
    /// The conditions that hold, by name, in order.
    fn entry(&self, names: &Names) -> Vec<HeldSince> {
        let held = self.held().map(|ConditionSeed { moment, entity, since, opened }| HeldSince {
            moment: names.moment(moment),
            condition: names.condition(moment),
            entity: names.entity(entity.as_ref()),
            since,
            opened,
        });
        let mut held: Vec<HeldSince> = held.collect();
        held.sort_unstable();
        held
    }
}
