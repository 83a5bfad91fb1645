//! The fused engine: stateful operators that take and give differences and keep their state in place.
//!
//! ```text
//!                    by key                by entity                    by customer
//! facts ──────────▶ tables ──┬─▶ entities of a kind (≥ 1) ──parts──┬──▶ customers ──▶ transitions, decisions
//!                            │                                     ├──────────────▶ views
//!                            └─────────── of the customer ─────────┴──▶
//! ```
//!
//! One exchange per entity, no arrangement on the way of an event. Every operator keeps one capability, at the frontier of
//! its input; it works on complete logical times only, in order, deadlines included, and sends what they give under that
//! capability. When its input closes, what is still pending does not fire: the run has ended.
//!
//! Checked against the `reference` engine and against the oracle of `tests/properties`, at every logical time.

mod bits;
mod customers;
mod deadlines;
mod entities;
mod features;
mod inbox;
mod index;
mod moments;
mod owned;
mod tables;

use std::sync::Arc;

use timely::dataflow::operators::Concatenate;
use timely::dataflow::operators::vec::Filter as _;
use timely::progress::frontier::MutableAntichain;

use crate::define::Plan;
use crate::model::{Fact, KindId, LogicalTime};

use super::{Flow, Updates, ViewPart};

/// Builds the dataflow of a plan.
pub fn build<'scope>(
    plan: &Arc<Plan>,
    facts: Updates<'scope, Fact>,
    holidays: Updates<'scope, Fact>,
    with_views: bool,
) -> Flow<'scope> {
    let scope = facts.scope();
    let mut changes = tables::live_changes(plan, facts).into_iter();
    let of_customers = changes.next().unwrap_or_else(|| timely::dataflow::operators::generic::operator::empty(scope));
    let mut parts = Vec::new();
    for (position, of_kind) in changes.enumerate() {
        parts.push(owned::parts(plan, KindId(position as u16 + 1), of_kind));
    }
    let parts = scope.concatenate(parts);
    let given = customers::Given { changes: of_customers, parts: parts.clone(), holidays };
    let customers::Taken { transitions, decisions, views } = customers::customers(plan, given, with_views);
    let views = if with_views { scope.concatenate([views, declared(plan, parts)]) } else { views };
    Flow { transitions, decisions, views }
}

/// The parts of views that the pack declares.
fn declared<'scope>(plan: &Plan, parts: Updates<'scope, ViewPart>) -> Updates<'scope, ViewPart> {
    match plan.policy.kind {
        None => parts,
        Some(implied) => {
            parts.filter(move |(part, _, _)| part.entity.as_ref().is_none_or(|(kind, _)| *kind != implied))
        }
    }
}

/// The time that a frontier has come to; `None` when it is closed.
fn frontier_of(frontier: &MutableAntichain<LogicalTime>) -> Option<LogicalTime> {
    frontier.frontier().as_option().copied()
}
