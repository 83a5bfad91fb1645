//! From episodes to decisions: [`Policy`], stepped for every customer that may be concerned.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::policy::{Decision, HolidayTable, Policy, PolicyState, Snapshot};
use crate::shard::shard;
use crate::{Transition, ViewPart};
use propice_define::Plan;
use propice_model::{Fact, Id, LogicalTime};

use super::Collection;
use super::machine::{Alarms, Differences, Machine, stepped};
use super::view::View;

/// What concerns the policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Change {
    Part(ViewPart),
    Transition(Transition),
    /// A holiday, for one of the workers: it is there already.
    Holiday(u64, Fact),
}

/// The decisions.
pub(super) fn decisions<'scope>(
    plan: &Arc<Plan>,
    transitions: Collection<'scope, Transition>,
    parts: Collection<'scope, ViewPart>,
    holidays: Option<Collection<'scope, Fact>>,
) -> Collection<'scope, Decision> {
    let here = parts.inner.scope().index() as u64;
    let mut changes = parts.map(Change::Part).concat(transitions.map(Change::Transition));
    if let Some(holidays) = holidays {
        changes = changes.concat(holidays.map(move |fact| Change::Holiday(here, fact)));
    }
    let machine = Decisions {
        plan: Arc::clone(plan),
        policy: Policy::new(plan),
        customers: HashMap::new(),
        holidays: HolidayTable::default(),
        alarms: Alarms::default(),
    };
    stepped("Policy", changes, machine)
}

/// All customers of a worker.
struct Decisions {
    plan: Arc<Plan>,
    policy: Policy,
    customers: HashMap<Id, CustomerPolicy>,
    holidays: HolidayTable,
    alarms: Alarms<Id>,
}

#[derive(Default)]
struct CustomerPolicy {
    view: View,
    policy_state: PolicyState,
}

impl Machine<Change, Decision> for Decisions {
    fn shard(change: &Change) -> u64 {
        match change {
            Change::Part(part) => shard(&part.customer),
            Change::Transition(transition) => shard(&transition.customer),
            Change::Holiday(worker, _) => *worker,
        }
    }

    fn next(&self) -> Option<LogicalTime> {
        self.alarms.next()
    }

    fn step(&mut self, now: LogicalTime, changes: Vec<(Change, isize)>, out: &mut Differences<Decision>) {
        let mut touched: BTreeSet<Id> = self.alarms.ring(now).into_iter().collect();
        let mut transitions: HashMap<Id, Vec<Transition>> = HashMap::new();
        // What goes, goes first: a part that changes is taken away and put back.
        let (gone, come): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, diff)| *diff < 0);
        for (change, diff) in gone.into_iter().chain(come) {
            match change {
                Change::Part(part) => {
                    touched.insert(part.customer.clone());
                    self.customers.entry(part.customer.clone()).or_default().view.apply(part, diff);
                }
                Change::Transition(transition) => {
                    touched.insert(transition.customer.clone());
                    transitions.entry(transition.customer.clone()).or_default().push(transition);
                }
                Change::Holiday(_, fact) => {
                    self.holidays.apply(fact);
                    touched.extend(self.customers.keys().cloned());
                }
            }
        }
        let mut decisions = Vec::new();
        for id in touched {
            let transitions = transitions.remove(&id).unwrap_or_default();
            let Some(customer) = self.customers.get_mut(&id) else { continue };
            let row = customer.view.row(&self.plan, now);
            let snapshot = Snapshot {
                time: now,
                customer: &id,
                exists: customer.view.slots.is_some(),
                row: &row,
                parts: &customer.view,
                holidays: &self.holidays,
            };
            let next = self.policy.step(&mut customer.policy_state, &snapshot, &transitions, &mut decisions);
            self.alarms.set(id, next);
        }
        out.extend(decisions.into_iter().map(|decision| (decision, now, 1)));
    }
}
