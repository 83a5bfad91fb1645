//! Tables: of each primary key the latest record counts.
//!
//! Facts of streams pass as they come. Facts of tables go to the worker of their key and wait until their logical time is
//! complete; then the record of the greatest rank replaces the current one, whose changes are taken back at the same
//! logical time. A deletion is a record without changes: it takes part like any other, and is kept so that an older
//! record which comes later does not bring the row back.
//!
//! ```text
//! (fact, t, +1) ──by key──▶ current row per key ──▶ (change, t, ±1), one output per kind of entity
//! ```

use std::sync::Arc;

use hashbrown::HashMap;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::define::Plan;
use crate::flow::Updates;
use crate::flow::shard::shard;
use crate::model::{Changes, EntityChange, Fact, InputId, LogicalTime, Rank, Value};

use super::frontier_of;
use super::inbox::Inbox;

type Updated = Vec<(EntityChange, LogicalTime, isize)>;

/// The current row of a key: its rank, and what it says.
struct Current {
    rank: Rank,
    changes: Changes,
}

type Rows = HashMap<(InputId, Vec<Value>), Current, foldhash::fast::FixedState>;

/// The changes that live records make, by kind of entity (position in the plan).
pub(super) fn live_changes<'scope>(
    plan: &Arc<Plan>,
    facts: Updates<'scope, Fact>,
) -> Vec<Updates<'scope, EntityChange>> {
    let scope = facts.scope();
    let here = scope.index() as u64;
    let mut builder = OperatorBuilder::new("Tables".to_owned(), scope);
    let by_key = Exchange::new(
        move |(fact, _, _): &(Fact, LogicalTime, isize)| {
            if fact.key.is_empty() { here } else { shard(&(fact.input, &fact.key)) }
        },
    );
    let mut input = builder.new_input(facts, by_key);
    let mut outputs = Vec::new();
    let mut streams = Vec::new();
    for _ in &plan.entities {
        let (output, stream) = builder.new_output();
        outputs.push(OutputBuilder::<_, CapacityContainerBuilder<Updated>>::from(output));
        streams.push(stream);
    }
    builder.build(move |capabilities| {
        let mut capabilities = Some(capabilities);
        let mut inbox = Inbox::default();
        let mut ready = Vec::new();
        let mut rows = Rows::default();
        let mut changes: Vec<Updated> = outputs.iter().map(|_| Vec::new()).collect();
        move |frontiers| {
            let Some(held) = &mut capabilities else { return };
            input.for_each(|_, facts| {
                pass_streams(facts, &mut changes);
                inbox.extend(facts);
            });
            let frontier = frontier_of(&frontiers[0]);
            inbox.drain_before(frontier.unwrap_or(LogicalTime::MAX), &mut ready);
            for (fact, time, _) in ready.drain(..) {
                upsert(&mut rows, fact, time, &mut changes);
            }
            for ((output, capability), changes) in outputs.iter_mut().zip(held.iter_mut()).zip(&mut changes) {
                if !changes.is_empty() {
                    output.activate().session(capability).give_container(changes);
                    changes.clear();
                }
                if let Some(frontier) = frontier {
                    capability.downgrade(&frontier);
                }
            }
            if frontier.is_none() {
                capabilities = None;
            }
        }
    });
    streams
}

/// Moves the changes of the facts of streams on, and leaves the facts of tables.
fn pass_streams(facts: &mut Vec<(Fact, LogicalTime, isize)>, changes: &mut [Updated]) {
    for (fact, time, diff) in facts.extract_if(.., |(fact, _, _)| fact.key.is_empty()) {
        for change in fact.changes {
            changes[change.kind.index()].push((change, time, diff));
        }
    }
}

/// Makes a record the current one of its key, if it ranks higher.
fn upsert(rows: &mut Rows, fact: Fact, time: LogicalTime, changes: &mut [Updated]) {
    let new = Current { rank: fact.rank, changes: fact.changes };
    let replaced = match rows.entry((fact.input, fact.key)) {
        hashbrown::hash_map::Entry::Vacant(entry) => {
            emit(&new.changes, time, 1, changes);
            entry.insert(new);
            return;
        }
        hashbrown::hash_map::Entry::Occupied(mut entry) => {
            if entry.get().rank >= new.rank {
                return;
            }
            emit(&new.changes, time, 1, changes);
            entry.insert(new)
        }
    };
    emit(&replaced.changes, time, -1, changes);
}

fn emit(of: &[EntityChange], time: LogicalTime, diff: isize, changes: &mut [Updated]) {
    for change in of {
        changes[change.kind.index()].push((change.clone(), time, diff));
    }
}
