//! From what counts to the values of features.
//!
//! `count`, `sum`, `avg` and `stddev` need only a [`Tally`], which is a group: it is used as the difference of the
//! collection, so that an event costs the same however many came before it. All other aggregates look at everything that
//! counts: a `reduce`.

use std::sync::Arc;

use differential_dataflow::AsCollection;
use differential_dataflow::difference::{IsZero, Semigroup};
use differential_dataflow::operators::CountTotal;
use timely::dataflow::operators::vec::Map;

use crate::define::Plan;
use crate::define::expr::{Env, Expr};
use crate::define::plan::{Aggregate, Feature, Source};
use crate::flow::aggregate::Tally;
use crate::model::{Contribution, EventTime, FeatureId, Id, KindId, Type, Value};

use super::rows::Slots;
use super::{Collection, Subject};

/// A feature of one entity.
pub(super) type Key = (Subject, FeatureId);
/// A value that counts, in the order of `first` and `last`: by event time, the input's `order`, the value.
pub(super) type Item = (EventTime, Value, Value);

/// What a contribution adds to which feature.
pub(super) fn item(subject: Subject, contribution: Contribution) -> (Key, Item) {
    ((subject, contribution.feature), (contribution.event_time, contribution.order, contribution.value))
}

/// What the entities of a customer add to the features of the customer.
pub(super) fn rollups<'scope>(
    plan: &Arc<Plan>,
    belonging: Collection<'scope, (Id, Subject, Slots)>,
) -> Collection<'scope, (Key, Item)> {
    let plan = Arc::clone(plan);
    belonging.flat_map(move |(customer, (kind, _), row)| {
        let features = plan.entities[KindId::CUSTOMER.index()].features.iter().enumerate();
        let of_kind = features.filter(|(_, feature)| feature.source == Source::Entities(kind));
        let items = of_kind.filter_map(|(at, feature)| {
            let key = ((KindId::CUSTOMER, customer.clone()), FeatureId(at as u16));
            Some((key, (0, Value::Null, argument(feature, &row)?)))
        });
        items.collect::<Vec<_>>()
    })
}

/// What an entity adds to a rollup; `None` when the filter does not hold or the argument is null or fails.
fn argument(feature: &Feature, row: &[Value]) -> Option<Value> {
    let env = Env::of(row, 0);
    let value = match &feature.argument {
        _ if feature.filter.as_ref().is_some_and(|filter| !filter.holds(&env)) => Value::Null,
        Some(argument) => argument.eval(&env).unwrap_or_default(),
        None => Value::Bool(true),
    };
    (!value.is_null()).then_some(value)
}

/// The values of all features over something: (entity, (slot, value)).
pub(super) fn features<'scope>(
    plan: &Arc<Plan>,
    items: Collection<'scope, (Key, Item)>,
) -> Collection<'scope, (Subject, (u16, Value))> {
    let tallied = {
        let plan = Arc::clone(plan);
        move |key: &Key| is_tallied(feature(&plan, key).aggregate)
    };
    let tallies = {
        let tallied = tallied.clone();
        items.clone().filter(move |(key, _)| tallied(key))
    };
    let tallies = {
        let plan = Arc::clone(plan);
        tallies.inner.map(move |((key, (_, _, value)), time, diff)| {
            let tally = Tally::of(feature(&plan, &key).aggregate, &value, diff as i64);
            (key, time, tally)
        })
    };
    let finished = {
        let plan = Arc::clone(plan);
        tallies.as_collection().count_total().map(move |(key, tally)| {
            let feature = feature(&plan, &key);
            let value =
                tally.finish(feature.aggregate, &feature.ty, feature.argument.as_ref().map_or(&Type::Bool, Expr::ty));
            (key, value)
        })
    };
    let reduced = {
        let plan = Arc::clone(plan);
        let is_ordered = {
            let plan = Arc::clone(&plan);
            move |key: &Key| is_ordered(feature(&plan, key).aggregate)
        };
        items
            .filter(move |(key, _)| !tallied(key))
            .map(move |(key, item)| if is_ordered(&key) { (key, item) } else { (key, (0, Value::Null, item.2)) })
            .reduce(move |key, items, value| value.push((over(feature(&plan, key).aggregate, items), 1)))
    };
    finished.concat(reduced).map(|((subject, feature), value)| (subject, (feature.0, value)))
}

fn feature<'plan>(plan: &'plan Plan, ((kind, _), feature): &Key) -> &'plan Feature {
    &plan.entities[kind.index()].features[feature.index()]
}

fn is_tallied(aggregate: Aggregate) -> bool {
    matches!(aggregate, Aggregate::Count | Aggregate::Sum | Aggregate::Avg | Aggregate::Stddev)
}

fn is_ordered(aggregate: Aggregate) -> bool {
    matches!(aggregate, Aggregate::First | Aggregate::Last)
}

/// The value over everything that counts: different items in their order, each with how often it counts; at least one.
fn over(aggregate: Aggregate, items: &[(&Item, isize)]) -> Value {
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

impl IsZero for Tally {
    fn is_zero(&self) -> bool {
        Tally::is_zero(self)
    }
}

impl Semigroup for Tally {
    fn plus_equals(&mut self, other: &Self) {
        self.plus(other);
    }
}
