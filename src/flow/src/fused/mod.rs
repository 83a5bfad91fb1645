//! The fused engine: stateful operators that take and give differences and keep their state in
//! place.
//!
//! ```text
//!                    by key                by entity                    by customer
//! facts ──────────▶ tables ──┬─▶ entities of a kind (≥ 1) ──parts──┬──▶ customers ──▶ transitions, decisions
//!                            │                                     ├──────────────▶ views
//!                            └─────────── of the customer ─────────┴──▶
//! ```
//!
//! Where every fact is about one customer and nothing else, facts go to the customers as they are:
//! one operator ([`inputs::customer_routing`]).
//!
//! One exchange per entity, no arrangement on the way of an event. Every operator works on complete
//! logical times only, in order, deadlines included, and holds capabilities just for what waits in
//! it: the frontier goes through an operator that has nothing to do before it. When its input
//! closes, what is still pending does not fire: the run has ended.
//!
//! Checked against the `reference` engine and against the oracle of `tests/properties`, at every
//! logical time.

mod bit_set;
mod capabilities;
mod chunked_vec;
mod complete;
mod customer_operator;
mod customer_state;
mod deadlines;
mod dirty;
mod entities;
mod entity_operator;
mod features;
mod id_index;
mod inputs;
mod moments;
mod pending;
mod predicate_index;
mod segmented_map;
mod stash;
mod table_operator;
mod table_rows;

use std::sync::Arc;

use timely::dataflow::operators::Concatenate as _;
use timely::dataflow::operators::vec::Filter as _;
use timely::progress::frontier::MutableAntichain;
use timely::progress::operate::FrontierInterest;

use propice_define::Plan;
use propice_model::{Fact, KindId, LogicalTime};

use super::state::StateHandle;
use super::{BuildOptions, Flow, Updates, ViewPart};

use inputs::{CustomerChanges, Inputs};

pub(crate) use features::fits;
pub(crate) use inputs::{CustomerRouting, customer_routing};

/// Builds the dataflow of a plan.
pub fn build<'scope>(
    plan: &Arc<Plan>,
    facts: Updates<'scope, Fact>,
    holidays: Option<Updates<'scope, Fact>>,
    options: &BuildOptions,
) -> Flow<'scope> {
    let scope = facts.scope();
    let (changes, parts) = match inputs::customer_routing(plan) {
        Some(home) => (CustomerChanges::Facts(facts, home), Vec::new()),
        None => by_kind(plan, facts, options.state.as_ref()),
    };
    let declared = parts.iter().filter(|(kind, _)| Some(*kind) != plan.policy.kind);
    let declared: Vec<_> = declared.map(|(_, parts)| parts.clone()).collect();
    let parts = together(parts.into_iter().map(|(_, parts)| parts));
    let inputs = Inputs { changes, parts, holidays };
    let customer_operator::Taken { events, views } = customer_operator::customers(plan, scope, inputs, options);
    let views = views.and_then(|views| together(std::iter::once(views).chain(declared)));
    // What was as it is when the run goes on is taken by customers, and nobody is told.
    let views = match (views, options.state.as_ref().and_then(StateHandle::restored_at)) {
        (Some(views), Some(at)) => Some(views.filter(move |(_, time, _)| *time > at)),
        (views, _) => views,
    };
    Flow { events, views }
}

/// What live records change of customers; and the entities of each kind that belong to them.
fn by_kind<'scope>(
    plan: &Arc<Plan>,
    facts: Updates<'scope, Fact>,
    state: Option<&StateHandle>,
) -> (CustomerChanges<'scope>, Vec<(KindId, Updates<'scope, ViewPart>)>) {
    let scope = facts.scope();
    let mut changes = table_operator::live_changes(plan, facts, state).into_iter();
    let of_customers = changes.next().unwrap_or_else(|| timely::dataflow::operators::generic::operator::empty(scope));
    let kinds = changes.zip(1..).map(|(of_kind, kind)| (KindId(kind), of_kind));
    let parts = kinds.map(|(kind, of_kind)| (kind, entity_operator::parts(plan, kind, of_kind, state)));
    (CustomerChanges::Changes(of_customers), parts.collect())
}

/// All of these streams in one. What is not needed is not there, since also an operator without
/// work takes part in progress.
fn together<'scope, D: Clone + 'static>(
    streams: impl IntoIterator<Item = Updates<'scope, D>>,
) -> Option<Updates<'scope, D>> {
    let mut streams: Vec<_> = streams.into_iter().collect();
    if streams.len() > 1 {
        let scope = streams[0].scope();
        return Some(scope.concatenate(streams));
    }
    streams.pop()
}

/// Whether an operator that holds nothing back wants to know how far its input is: only to answer
/// what is asked of its state.
fn interest(state: Option<&StateHandle>) -> FrontierInterest {
    if state.is_some() { FrontierInterest::Always } else { FrontierInterest::IfCapability }
}

/// The time that a frontier has come to; `None` when it is closed.
fn frontier_of(frontier: &MutableAntichain<LogicalTime>) -> Option<LogicalTime> {
    frontier.frontier().as_option().copied()
}
