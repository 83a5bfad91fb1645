//! The reference engine: the executable meaning of a plan, as an ordinary differential program.
//!
//! ```text
//! facts ─▶ live ─┬─▶ exists ─────────────────────────────────┐
//!                ├─▶ relation ────────────────────┐          │
//!                └─▶ contributions ─▶ intervals ─▶ features ─▶ rows of entities ─▶ rollups ─┐
//!                                                     features ◀───────────────────────────┘
//!                                                        ▼
//!                                            rows of customers ─▶ parts of views ─▶ moments ─▶ transitions
//!                                                                        └──────────────┴────▶ policy ─▶ decisions
//! ```
//!
//! Every stage is a collection at every logical time, computed from the stages before it. Most are
//! operators of differential dataflow. Four things are not relational and are written as
//! [`machine`]s that are stepped once per logical time: contributions that count from or until a
//! time to come ([`intervals`]), attributes that change as time passes ([`view_rows`]), conditions
//! that have to hold for a while ([`moments`]), and the policy ([`policy`]). They hold what is to
//! come themselves: to leave it to differential, as updates at future times, would cost work on
//! every advance.
//!
//! The property tests compare this engine with the fused one and with a naive recomputation at
//! every logical time.

mod features;
mod intervals;
mod machine;
mod moments;
mod policy;
#[cfg(test)]
mod tests;
mod view;
mod view_rows;

use std::sync::Arc;

use differential_dataflow::operators::ThresholdTotal;
use differential_dataflow::{AsCollection, VecCollection};

use crate::{Event, Flow, Updates, ViewPart};
use propice_define::Plan;
use propice_model::{EntityChange, Fact, Id, KindId, LogicalTime};

use intervals::{Intervals, Ordered};
use machine::stepped;
use moments::MomentStepper;

/// What is known at every logical time.
type Collection<'scope, D> = VecCollection<'scope, LogicalTime, D, isize>;
/// A customer, or another entity.
type Subject = (KindId, Id);

/// Builds the dataflow.
pub fn build<'scope>(
    plan: &Arc<Plan>,
    facts: Updates<'scope, Fact>,
    holidays: Option<Updates<'scope, Fact>>,
    with_views: bool,
) -> Flow<'scope> {
    let facts = live(plan, facts.as_collection());
    let exists = facts.clone().flat_map(named).distinct_total();
    let relation = facts.clone().flat_map(related).distinct_total();
    let counting = stepped("Intervals", facts.flat_map(contributions), Intervals::default());
    let counting = counting.map(|(subject, contribution)| features::item(subject, contribution));

    let of_entities = counting.clone().filter(|((subject, _), _)| subject.0 != KindId::CUSTOMER);
    let of_entities = features::features(plan, of_entities);
    let entities = view_rows::rows(plan, exists.clone().filter(|subject| subject.0 != KindId::CUSTOMER), of_entities);
    let belonging = relation.join_map(entities, |entity, owner, row| (owner.clone(), entity.clone(), row.clone()));

    let of_customers = counting.filter(|((subject, _), _)| subject.0 == KindId::CUSTOMER);
    let of_customers = features::features(plan, of_customers.concat(features::rollups(plan, belonging.clone())));
    let customers = view_rows::rows(plan, exists.filter(|subject| subject.0 == KindId::CUSTOMER), of_customers);

    let parts = customers
        .map(|((_, customer), slots)| ViewPart { customer, entity: None, slots })
        .concat(belonging.map(|(customer, entity, slots)| ViewPart { customer, entity: Some(entity), slots }));
    let transitions = stepped("Moments", parts.clone(), MomentStepper::new(plan));
    let decisions =
        policy::decisions(plan, transitions.clone(), parts.clone(), holidays.map(AsCollection::as_collection));
    let implied = plan.policy.kind;
    let declared = parts.filter(move |part| part.entity.as_ref().is_none_or(|(kind, _)| Some(*kind) != implied));
    let views = with_views.then(|| declared.consolidate().inner);
    let events = transitions.map(Event::Transition).concat(decisions.map(Event::Decision));
    Flow { events: events.inner, views }
}

/// The facts that count: all those of streams, and of each key of a table the latest. A deletion
/// may be the latest; it says nothing. Facts of one key order by their rank.
fn live<'scope>(plan: &Arc<Plan>, facts: Collection<'scope, Fact>) -> Collection<'scope, Fact> {
    let plan = Arc::clone(plan);
    let of_table = move |fact: &Fact| plan.inputs[fact.input.index()].is_table();
    let of_stream = {
        let of_table = of_table.clone();
        move |fact: &Fact| !of_table(fact)
    };
    let latest = facts
        .clone()
        .filter(of_table)
        .map(|fact| ((fact.input, fact.key.clone()), fact))
        .reduce(|_, versions, latest| latest.extend(versions.last().map(|(fact, _)| ((*fact).clone(), 1))))
        .map(|(_, fact)| fact);
    facts.filter(of_stream).concat(latest)
}

/// The entities that a fact makes exist.
fn named(fact: Fact) -> impl Iterator<Item = Subject> {
    fact.changes.into_iter().filter(|change| change.names).map(|change| (change.kind, change.id))
}

/// The entities that a fact relates, each with its owner.
fn related(fact: Fact) -> impl Iterator<Item = (Subject, Id)> {
    fact.changes.into_iter().filter_map(|change| Some(((change.kind, change.id), change.owner?)))
}

/// What a fact contributes to which entity.
fn contributions(fact: Fact) -> impl Iterator<Item = (Subject, Ordered)> {
    fact.changes.into_iter().flat_map(|change| {
        let EntityChange { kind, id, event_time, order, contributions, .. } = change;
        contributions
            .into_iter()
            .map(move |contribution| ((kind, id.clone()), Ordered { event_time, order: order.clone(), contribution }))
    })
}
