//! Tables: of each primary key the latest record counts.
//!
//! Facts of streams pass as they come, on the worker that read them. Facts of tables go to the
//! worker of their key and wait until their logical time is complete ([`Rows`]).
//!
//! What passes goes on under the capability with which it came, and capabilities are held only
//! while rows wait: for streams the frontier goes through without this operator being scheduled for
//! it, a step of the worker less for every epoch.
//!
//! ```text
//! (fact, t, +1) ──by key──▶ current row per key ──▶ (change, t, ±1), one output per kind of entity
//! ```

use std::sync::Arc;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::Updates;
use crate::shard::of_row;
use crate::state::StateHandle;
use propice_define::Plan;
use propice_model::{EntityChange, Fact, LogicalTime};

use super::capabilities::CapabilityHolder;
use super::stash::Stash;
use super::table_rows::Rows;
use super::{frontier_of, interest};

type Updated = Vec<(EntityChange, LogicalTime, isize)>;

/// The changes that live records make, by kind of entity (position in the plan).
pub(super) fn live_changes<'scope>(
    plan: &Arc<Plan>,
    facts: Updates<'scope, Fact>,
    state: Option<&StateHandle>,
) -> Vec<Updates<'scope, EntityChange>> {
    let scope = facts.scope();
    let here = scope.index() as u64;
    let mut builder = OperatorBuilder::new("Tables".to_owned(), scope);
    let by_key = Exchange::new(
        move |(fact, _, _): &(Fact, LogicalTime, isize)| {
            if fact.key.is_empty() { here } else { of_row(fact.input, &fact.key) }
        },
    );
    let mut input = builder.new_input(facts, by_key);
    builder.set_notify_for(0, interest(state));
    let mut rows = Rows::new(plan, state);
    let mut restored = state.and_then(|state| Some((state.restored_at()?, state.take_rows())));
    let mut outputs = Vec::new();
    let mut streams = Vec::new();
    for _ in &plan.entities {
        let (output, stream) = builder.new_output();
        outputs.push(OutputBuilder::<_, CapacityContainerBuilder<Updated>>::from(output));
        streams.push(stream);
    }
    builder.build(move |capabilities| {
        let mut holder = CapabilityHolder::new(outputs.len());
        if let Some((at, _)) = &restored {
            holder.begin(capabilities, *at);
        }
        let mut stash = Stash::default();
        let mut ready = Vec::new();
        let mut changes: Vec<Updated> = outputs.iter().map(|_| Vec::new()).collect();
        move |frontiers| {
            input.for_each(|received, facts| {
                pass_streams(facts, &mut changes);
                for (output, changes) in outputs.iter_mut().zip(&mut changes).filter(|(_, changes)| !changes.is_empty())
                {
                    let count = changes.len();
                    output.activate().session(&received).give_container(changes);
                    changes.clear();
                    // The next batch is about as large as this one.
                    changes.reserve(count);
                }
                if !facts.is_empty() {
                    stash.extend(facts);
                    holder.hold(&received);
                }
            });
            let frontier = frontier_of(&frontiers[0]);
            if holder.is_empty() {
                rows.answer(frontier.unwrap_or_default());
                return;
            }
            if let Some((at, facts)) = restored.take() {
                rows.restore(facts, |change| changes[change.kind.index()].push((change, at, 1)));
            }
            stash.drain_before(frontier.unwrap_or(LogicalTime::MAX), &mut ready);
            for (fact, time, _) in ready.drain(..) {
                rows.answer(time);
                rows.pass(time);
                rows.upsert(fact, |change, diff| changes[change.kind.index()].push((change, time, diff)));
            }
            rows.answer(frontier.unwrap_or_default());
            for ((output, capability), changes) in outputs.iter_mut().zip(holder.all()).zip(&mut changes) {
                if !changes.is_empty() {
                    output.activate().session(capability).give_container(changes);
                    changes.clear();
                }
            }
            holder.wait_until(frontier.filter(|_| stash.next().is_some()), None);
        }
    });
    streams
}

/// Moves the changes of the facts of streams on, and leaves the facts of tables.
fn pass_streams(facts: &mut Vec<(Fact, LogicalTime, isize)>, changes: &mut [Updated]) {
    facts.retain_mut(|(fact, time, diff)| {
        if fact.key.is_empty() {
            for change in fact.changes.drain(..) {
                changes[change.kind.index()].push((change, *time, *diff));
            }
        }
        !fact.key.is_empty()
    });
}
