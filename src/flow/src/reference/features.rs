//! From what counts to the values of features.
//!
//! `count`, `sum`, `avg` and `stddev` need only a [`Tally`], which is a group: the tallies of all
//! such features of an entity are the *difference* with which the entity is in a collection, so
//! that an event costs the same however many came before it. All other aggregates look at
//! everything that counts: a `reduce`.

use std::sync::Arc;

use differential_dataflow::AsCollection;
use differential_dataflow::difference::{IsZero, Semigroup};
use differential_dataflow::operators::CountTotal;
use serde::{Deserialize, Serialize};
use timely::dataflow::operators::vec::Map;

use crate::aggregate::Tally;
use propice_define::Plan;
use propice_define::expr::{Env, Expr};
use propice_define::plan::{Aggregate, Feature, FeatureSource};
use propice_model::{EventTime, FeatureId, Id, KindId, Type, Value};

use super::intervals::Ordered;
use super::view_rows::{Cells, Slots};
use super::{Collection, Subject};

/// A feature of one entity.
pub(super) type FeatureKey = (Subject, FeatureId);
/// A value that counts, in the order of `first` and `last`: by event time, the input's `order`, the
/// value.
pub(super) type RankedValue = (EventTime, Value, Value);

/// What a contribution adds to which feature.
pub(super) fn item(
    subject: Subject,
    Ordered { event_time, order, contribution }: Ordered,
) -> (FeatureKey, RankedValue) {
    ((subject, contribution.feature), (event_time, order, contribution.value))
}

/// What the entities of a customer add to the features of the customer.
pub(super) fn rollups<'scope>(
    plan: &Arc<Plan>,
    belonging: Collection<'scope, (Id, Subject, Slots)>,
) -> Collection<'scope, (FeatureKey, RankedValue)> {
    let plan = Arc::clone(plan);
    belonging.flat_map(move |(customer, (kind, _), row)| {
        let features = plan.entities[KindId::CUSTOMER.index()].features.iter().enumerate();
        let of_kind = features.filter(|(_, feature)| feature.source == FeatureSource::Entities(kind));
        let items = of_kind.filter_map(|(at, feature)| {
            let key = ((KindId::CUSTOMER, customer.clone()), FeatureId(at as u16));
            Some((key, (0, Value::Null, argument(feature, &row)?)))
        });
        items.collect::<Vec<_>>()
    })
}

/// What an entity adds to a rollup; `None` when the filter does not hold or the argument is null or
/// fails.
fn argument(feature: &Feature, row: &[Value]) -> Option<Value> {
    let env = Env::of(row, 0);
    let value = match &feature.argument {
        _ if feature.filter.as_ref().is_some_and(|filter| !filter.holds(&env)) => Value::Null,
        Some(argument) => argument.eval(&env).unwrap_or_default(),
        None => Value::Bool(true),
    };
    (!value.is_null()).then_some(value)
}

/// The values of features over something, some at a time: (entity, [(slot, value)]).
pub(super) fn features<'scope>(
    plan: &Arc<Plan>,
    items: Collection<'scope, (FeatureKey, RankedValue)>,
) -> Collection<'scope, (Subject, Cells)> {
    let tallied = tallied(plan, items.clone().filter(with(plan, is_tallied)));
    let reduced = reduced(plan, items.filter(with(plan, |aggregate| !is_tallied(aggregate))));
    tallied.concat(reduced.map(|((subject, feature), value)| (subject, vec![(feature.0, value)])))
}

/// Features of which a tally of their items is enough, all of an entity at once.
fn tallied<'scope>(
    plan: &Arc<Plan>,
    items: Collection<'scope, (FeatureKey, RankedValue)>,
) -> Collection<'scope, (Subject, Cells)> {
    let (before, after) = (Arc::clone(plan), Arc::clone(plan));
    let tallies = items.inner.map(move |((key, (_, _, value)), time, diff)| {
        let tally = Tally::of(feature(&before, key.0.0, key.1).aggregate, &value, diff as i64);
        (key.0, time, Tallies(vec![(key.1, tally)]))
    });
    tallies.as_collection().count_total().map(move |(subject, Tallies(tallies))| {
        let finished = tallies.into_iter().map(|(id, tally)| {
            let feature = feature(&after, subject.0, id);
            let argument = feature.argument.as_ref().map_or(&Type::Bool, Expr::ty);
            (id.0, tally.finish(feature.aggregate, &feature.ty, argument))
        });
        let finished = finished.collect();
        (subject, finished)
    })
}

/// Features that look at all of their items.
fn reduced<'scope>(
    plan: &Arc<Plan>,
    items: Collection<'scope, (FeatureKey, RankedValue)>,
) -> Collection<'scope, (FeatureKey, Value)> {
    let ordered = with(plan, |aggregate| matches!(aggregate, Aggregate::First | Aggregate::Last));
    let plan = Arc::clone(plan);
    items
        .map(move |item| if ordered(&item) { item } else { (item.0, (0, Value::Null, item.1.2)) })
        .reduce(move |key, items, value| value.push((over(feature(&plan, key.0.0, key.1).aggregate, items), 1)))
}

/// Whether an item is of a feature with such an aggregate.
fn with(
    plan: &Arc<Plan>,
    such: impl Fn(Aggregate) -> bool + 'static,
) -> impl Fn(&(FeatureKey, RankedValue)) -> bool + 'static {
    let plan = Arc::clone(plan);
    move |(key, _)| such(feature(&plan, key.0.0, key.1).aggregate)
}

fn feature(plan: &Plan, kind: KindId, feature: FeatureId) -> &Feature {
    &plan.entities[kind.index()].features[feature.index()]
}

fn is_tallied(aggregate: Aggregate) -> bool {
    matches!(aggregate, Aggregate::Count | Aggregate::Sum | Aggregate::Avg | Aggregate::Stddev)
}

/// The value over everything that counts: different items in their order, each with how often it
/// counts; at least one.
fn over(aggregate: Aggregate, items: &[(&RankedValue, isize)]) -> Value {
    let values = || items.iter().map(|((_, _, value), _)| value.clone());
    // Equally frequent values stay in their order: the least comes first.
    let by_frequency = || {
        let mut items = items.to_vec();
        items.sort_by_key(|(_, times)| -times);
        items.into_iter().map(|((_, _, value), _)| value.clone())
    };
    let value = match aggregate {
        Aggregate::Min | Aggregate::First => values().next(),
        Aggregate::Max | Aggregate::Last => values().next_back(),
        Aggregate::Distinct => Some(Value::Int(items.len() as i64)),
        Aggregate::Set(at_most) => Some(Value::List(values().take(at_most).collect())),
        Aggregate::Top => by_frequency().next(),
        Aggregate::TopList(at_most) => Some(Value::List(by_frequency().take(at_most).collect())),
        Aggregate::Count | Aggregate::Sum | Aggregate::Avg | Aggregate::Stddev => None,
    };
    value.unwrap_or_default()
}

/// The tallies of the features of one entity, by feature, without those that are zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Tallies(Vec<(FeatureId, Tally)>);

impl IsZero for Tallies {
    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

impl Semigroup for Tallies {
    fn plus_equals(&mut self, Tallies(others): &Self) {
        for (feature, other) in others {
            match self.0.binary_search_by_key(feature, |tally| tally.0) {
                Err(at) => self.0.insert(at, (*feature, other.clone())),
                Ok(at) => {
                    self.0[at].1.plus(other);
                    if self.0[at].1.is_zero() {
                        self.0.remove(at);
                    }
                }
            }
        }
    }
}
