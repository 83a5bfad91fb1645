//! The fused engine: stateful operators that take and give differences and keep their state in place.
//!
//! ```text
//!                    by key                by entity                    by customer
//! facts ──────────▶ tables ──┬─▶ entities of a kind (≥ 1) ──parts──┬──▶ customers ──▶ transitions, decisions
//!                            │                                     ├──────────────▶ views
//!                            └─────────── of the customer ─────────┴──▶
//! ```
//!
//! Where every fact is about one customer and nothing else, facts go to the customers as they are: one operator ([`incoming::home`]).
//!
//! One exchange per entity, no arrangement on the way of an event. Every operator works on complete logical times only, in order,
//! deadlines included, and holds capabilities just for what waits in it: the frontier goes through an operator that has nothing
//! to do before it. When its input closes, what is still pending does not fire: the run has ended.
//!
//! Checked against the `reference` engine and against the oracle of `tests/properties`, at every logical time.

mod bits;
mod coming;
mod customers;
mod deadlines;
mod entities;
mod features;
mod guards;
mod held;
mod inbox;
mod incoming;
mod index;
mod moments;
mod owned;
mod paged;
mod ready;
mod rows;
mod sharded;
mod tables;
mod touched;

use std::sync::Arc;

use timely::dataflow::operators::Concatenate as _;
use timely::progress::frontier::MutableAntichain;

use propice_define::Plan;
use propice_model::{Fact, KindId, LogicalTime};

use super::{Flow, Updates, ViewPart};

use incoming::{Given, Said};

/// Builds the dataflow of a plan.
pub fn build<'scope>(
    plan: &Arc<Plan>,
    facts: Updates<'scope, Fact>,
    holidays: Option<Updates<'scope, Fact>>,
    with_views: bool,
) -> Flow<'scope> {
    let scope = facts.scope();
    let (said, parts) = match incoming::home(plan) {
        Some(home) => (Said::Facts(facts, home), Vec::new()),
        None => by_kind(plan, facts),
    };
    let declared = parts.iter().filter(|(kind, _)| Some(*kind) != plan.policy.kind);
    let declared: Vec<_> = declared.map(|(_, parts)| parts.clone()).collect();
    let parts = together(parts.into_iter().map(|(_, parts)| parts));
    let given = Given { said, parts, holidays };
    let customers::Taken { events, views } = customers::customers(plan, scope, given, with_views);
    let views = views.and_then(|views| together(std::iter::once(views).chain(declared)));
    Flow { events, views }
}

/// What live records change of customers; and the entities of each kind that belong to them.
fn by_kind<'scope>(
    plan: &Arc<Plan>,
    facts: Updates<'scope, Fact>,
) -> (Said<'scope>, Vec<(KindId, Updates<'scope, ViewPart>)>) {
    let scope = facts.scope();
    let mut changes = tables::live_changes(plan, facts).into_iter();
    let of_customers = changes.next().unwrap_or_else(|| timely::dataflow::operators::generic::operator::empty(scope));
    let kinds = changes.zip(1..).map(|(of_kind, kind)| (KindId(kind), of_kind));
    let parts = kinds.map(|(kind, of_kind)| (kind, owned::parts(plan, kind, of_kind)));
    (Said::Changes(of_customers), parts.collect())
}

/// All of these streams in one. What is not needed is not there, since also an operator without work takes part in progress.
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

/// The time that a frontier has come to; `None` when it is closed.
fn frontier_of(frontier: &MutableAntichain<LogicalTime>) -> Option<LogicalTime> {
    frontier.frontier().as_option().copied()
}
