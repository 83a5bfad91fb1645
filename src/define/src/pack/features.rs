//! Checking features: what they aggregate, how, and of which type the result is.

use super::inputs::field_named;
use super::problem::{Problem, Problems};
use super::raw::{self, Argument};
use super::scope::{FieldScope, Ground, KindView, Lookup, Scope, SlotState, ViewScope, compile};
use super::spot::{Spot, Text};
use super::words::shortened;
use crate::expr::{Expected, Expr};
use crate::plan::{Aggregate, Feature, FeatureSource, Interval};
use propice_model::limits::SET_DEFAULT;
use propice_model::nearest::nearest;
use propice_model::{FieldId, InputId, KindId, Type};

/// How a feature aggregates, with its compiled expressions.
struct Aggregation {
    aggregate: Aggregate,
    argument: Option<Expr>,
    filter: Option<Expr>,
    ty: Type,
}

/// Whether a feature is over entities rather than records.
pub(super) fn is_rollup(raw: &raw::Feature) -> bool {
    raw.over.is_some() && raw.from.is_none()
}

/// What the keys of a feature must and must not be together, whatever they name.
pub(super) fn check_keys(raw: &raw::Feature, problems: &mut Problems) {
    let name = || shortened(&raw.name.value);
    match (&raw.from, &raw.over) {
        (None, None) if !raw.damaged => problems.add(Problem::NoSource { name: name() }, &raw.name.span),
        (Some(_), Some(over)) => problems.add(Problem::FromAndOver { name: name() }, &over.span),
        _ => {}
    }
    match raw.aggregates.as_slice() {
        [] if !raw.damaged => problems.add(Problem::NoAggregate { name: name() }, &raw.name.span),
        [] | [_] => {}
        [_, second, ..] => {
            let found = raw.aggregates.iter().map(|(aggregate, _)| (*aggregate).to_owned()).collect();
            problems.add(Problem::SeveralAggregates { name: name(), found }, &second.1.span);
        }
    }
    if let Some(pane) = raw.pane.as_ref().filter(|_| raw.window.is_none() && !raw.damaged) {
        problems.add(Problem::UselessWithout { key: "pane", with: "window" }, &pane.span);
    }
    if let Some(during) = &raw.during {
        if raw.window.is_some() {
            problems.add(Problem::WindowAndDuring, &during.span);
        }
        if during.value.len() != 2 && !raw.damaged {
            problems.add(Problem::DuringNotTwo { found: during.value.len() }, &during.span);
        }
    }
    let shows_values = raw.aggregates.iter().any(|(aggregate, _)| matches!(*aggregate, "set" | "top"));
    if let Some(at_most) = raw.at_most.as_ref().filter(|_| !shows_values && !raw.damaged) {
        problems.add(Problem::UselessWithout { key: "at_most", with: "set` or `top" }, &at_most.span);
    }
    if is_rollup(raw) {
        check_rollup_keys(raw, problems);
    }
}

fn check_rollup_keys(raw: &raw::Feature, problems: &mut Problems) {
    let time = "the entities count as they are now; windows belong to their features";
    let keys = [
        ("by", raw.by.as_ref().map(|spot| &spot.span), "the entities of the customer are taken"),
        ("window", raw.window.as_ref().map(|spot| &spot.span), time),
        ("pane", raw.pane.as_ref().map(|spot| &spot.span), time),
        ("during", raw.during.as_ref().map(|spot| &spot.span), time),
    ];
    for (key, span, why) in keys {
        if let Some(span) = span {
            problems.add(Problem::NotWithOver { key: key.to_owned(), why }, span);
        }
    }
    for (aggregate, argument) in &raw.aggregates {
        if matches!(*aggregate, "first" | "last") {
            let (key, why) = ((*aggregate).to_owned(), "entities have no order in time");
            problems.add(Problem::NotWithOver { key, why }, &argument.span);
        }
    }
}

/// A feature over records.
pub(super) fn of_records(
    ground: &Ground<'_>,
    kind: KindId,
    raw: &raw::Feature,
    problems: &mut Problems,
) -> Option<Feature> {
    let from = raw.from.as_ref()?;
    let input = input_named(ground, from, problems)?;
    let key = entity_field(ground, kind, raw, input, from, problems);
    let mut scope = FieldScope::new(ground, input);
    let aggregation = aggregation(ground, raw, &mut scope, problems);
    let interval = interval(ground, raw, &mut scope, problems);
    let aggregation = aggregation?;
    Some(Feature {
        name: raw.name.value.clone(),
        ty: aggregation.ty,
        source: FeatureSource::Records { input, key: key? },
        aggregate: aggregation.aggregate,
        argument: aggregation.argument,
        filter: aggregation.filter,
        interval: interval?,
        retracts: ground.inputs[input.index()].input.is_table(),
        implied: false,
        description: raw.description.clone(),
    })
}

/// A feature over the entities of a customer.
pub(super) fn of_entities(
    ground: &Ground<'_>,
    views: &[KindView],
    kind: KindId,
    raw: &raw::Feature,
    requests: &mut Vec<Lookup>,
    problems: &mut Problems,
) -> Option<Feature> {
    let over = raw.over.as_ref()?;
    let Some(of) = ground.kind(&over.value) else {
        let nearest = nearest(&over.value, ground.kinds.iter().skip(1).map(String::as_str));
        problems.add(Problem::UndeclaredEntity { name: shortened(&over.value), nearest }, &over.span);
        return None;
    };
    if kind != KindId::CUSTOMER {
        let entity = ground.kinds[kind.index()].clone();
        problems.add(Problem::RollupOfEntity { entity }, &over.span);
        return None;
    }
    if of == KindId::CUSTOMER {
        problems.add(Problem::RollupOfCustomers, &over.span);
        return None;
    }
    let mut scope = ViewScope::of(ground, views, of, false);
    let aggregation = aggregation(ground, raw, &mut scope, problems);
    requests.append(&mut scope.requests);
    let aggregation = aggregation?;
    Some(Feature {
        name: raw.name.value.clone(),
        ty: aggregation.ty,
        source: FeatureSource::Entities(of),
        aggregate: aggregation.aggregate,
        argument: aggregation.argument,
        filter: aggregation.filter,
        interval: Interval::Always,
        retracts: true,
        implied: false,
        description: raw.description.clone(),
    })
}

/// The feature that `table.field` stands for: the field of the current row.
pub(super) fn implied(ground: &Ground<'_>, input: InputId, field: FieldId, problems: &mut Problems) -> Option<Feature> {
    let shape = &ground.inputs[input.index()];
    let declared = &shape.input.fields[field.index()];
    let key = *shape.input.table.as_ref()?.key.first()?;
    let text = Spot::new(declared.name.clone(), 0..0);
    let argument = compile(ground, &text, &mut FieldScope::new(ground, input), &Expected::Anything, problems)?;
    Some(Feature {
        name: format!("{}.{}", shape.input.name, declared.name),
        ty: declared.ty.clone(),
        source: FeatureSource::Records { input, key },
        aggregate: Aggregate::Last,
        argument: Some(argument),
        filter: None,
        interval: Interval::Always,
        retracts: true,
        implied: true,
        description: None,
    })
}

/// What a slot knows of a feature.
pub(super) fn state_of(feature: Option<&Feature>) -> SlotState {
    feature.map_or(SlotState::Broken, |feature| SlotState::Known {
        ty: feature.ty.clone(),
        never_negative: matches!(feature.aggregate, Aggregate::Count | Aggregate::Distinct),
    })
}

/// The input of a name, or a report that there is none.
pub(super) fn input_named(ground: &Ground<'_>, name: &Text, problems: &mut Problems) -> Option<InputId> {
    let found = ground.input(&name.value);
    if found.is_none() {
        let known: Vec<String> = ground.inputs.iter().map(|shape| shape.input.name.clone()).collect();
        let nearest = nearest(&name.value, known.iter().map(String::as_str));
        let (what, name_text, place) = ("stream or table", shortened(&name.value), String::new());
        problems.add(Problem::Unknown { what, name: name_text, place, nearest, known }, &name.span);
    }
    found
}

/// The field that names the entity: `by`, or the one the input is about, or the only one of that
/// type.
fn entity_field(
    ground: &Ground<'_>,
    kind: KindId,
    raw: &raw::Feature,
    input: InputId,
    from: &Text,
    problems: &mut Problems,
) -> Option<FieldId> {
    let shape = &ground.inputs[input.index()];
    let place = place_of(ground, input);
    if let Some(by) = &raw.by {
        let field = field_named(shape, &place, by, problems)?;
        let found = &shape.input.fields[field.index()].ty;
        if *found != Type::Id(kind) {
            let expected = format!("`{}`", ground.type_name(&Type::Id(kind)));
            let (name, found) = (by.value.clone(), ground.type_name(found));
            problems.add(Problem::FieldType { key: "by", field: name, expected, found }, &by.span);
            return None;
        }
        return Some(field);
    }
    if let Some((field, about)) = shape.input.about.filter(|(_, about)| *about == kind) {
        debug_assert_eq!(about, kind);
        return Some(field);
    }
    only_id_field(ground, kind, input, "by", &from.span, problems)
}

/// The only field with the id of an entity of this kind.
pub(super) fn only_id_field(
    ground: &Ground<'_>,
    kind: KindId,
    input: InputId,
    key: &'static str,
    span: &std::ops::Range<usize>,
    problems: &mut Problems,
) -> Option<FieldId> {
    let shape = &ground.inputs[input.index()];
    let of_kind: Vec<usize> =
        (0..shape.input.fields.len()).filter(|&at| shape.input.fields[at].ty == Type::Id(kind)).collect();
    let (input, entity) = (place_of(ground, input), ground.kinds[kind.index()].clone());
    match of_kind.as_slice() {
        [only] => return Some(FieldId(*only as u16)),
        [] if shape.fieldless || !shape.broken.is_empty() => {}
        [] => problems.add(Problem::NoIdField { input, entity }, span),
        several => {
            let fields = several.iter().map(|&at| shape.input.fields[at].name.clone()).collect();
            problems.add(Problem::SeveralIdFields { input, entity, fields, key }, span);
        }
    }
    None
}

/// An input as messages call it.
pub(super) fn place_of(ground: &Ground<'_>, input: InputId) -> String {
    let input = &ground.inputs[input.index()].input;
    format!("{} `{}`", if input.is_table() { "table" } else { "stream" }, input.name)
}

fn aggregation(
    ground: &Ground<'_>,
    raw: &raw::Feature,
    scope: &mut impl Scope,
    problems: &mut Problems,
) -> Option<Aggregation> {
    let filter = raw.filter.as_ref().map(|text| compile(ground, text, scope, &Expected::Condition, problems));
    let (word, spot) = raw.aggregates.first()?;
    let shown = raw.at_most.as_ref().map(|spot| usize::try_from(spot.value).unwrap_or(SET_DEFAULT));
    let aggregate = aggregate_of(word, shown);
    let argument = match &spot.value {
        Argument::Records => None,
        Argument::Expression(text) => {
            let text = Spot::new(text.clone(), spot.span.clone());
            let argument = compile(ground, &text, scope, &expected_by(aggregate), problems)?;
            if matches!(argument.ty(), Type::List(_)) && aggregate != Aggregate::Count {
                let ty = ground.type_name(argument.ty());
                problems.add(Problem::CannotAggregate { aggregate: word, ty }, &spot.span);
                return None;
            }
            Some(argument)
        }
    };
    // A filter that is there and could not be compiled has been reported.
    let filter = filter.map_or(Some(None), |filter| filter.map(Some))?;
    let ty = result_type(aggregate, argument.as_ref().map(Expr::ty));
    Some(Aggregation { aggregate, argument, filter, ty })
}

fn aggregate_of(word: &str, shown: Option<usize>) -> Aggregate {
    match word {
        "sum" => Aggregate::Sum,
        "avg" => Aggregate::Avg,
        "stddev" => Aggregate::Stddev,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "first" => Aggregate::First,
        "last" => Aggregate::Last,
        "distinct" => Aggregate::Distinct,
        "set" => Aggregate::Set(shown.unwrap_or(SET_DEFAULT)),
        "top" => shown.map_or(Aggregate::Top, Aggregate::TopList),
        _ => Aggregate::Count,
    }
}

fn expected_by(aggregate: Aggregate) -> Expected {
    match aggregate {
        Aggregate::Sum => Expected::Summable,
        Aggregate::Avg => Expected::Averageable,
        Aggregate::Stddev => Expected::Number,
        _ => Expected::Anything,
    }
}

fn result_type(aggregate: Aggregate, argument: Option<&Type>) -> Type {
    let argument = argument.cloned().unwrap_or(Type::Bool);
    match aggregate {
        Aggregate::Count | Aggregate::Distinct => Type::Int,
        Aggregate::Avg if argument == Type::Int => Type::Float,
        Aggregate::Stddev => Type::Float,
        Aggregate::Set(_) | Aggregate::TopList(_) => Type::List(Box::new(argument)),
        _ => argument,
    }
}

fn interval(
    ground: &Ground<'_>,
    raw: &raw::Feature,
    scope: &mut impl Scope,
    problems: &mut Problems,
) -> Option<Interval> {
    if let Some(during) = &raw.during {
        let [from, until] = during.value.as_slice() else { return None };
        let from = compile(ground, from, scope, &Expected::Time, problems);
        let until = compile(ground, until, scope, &Expected::Time, problems);
        return Some(Interval::During { from: from?, until: until? });
    }
    Some(match &raw.window {
        Some(window) => Interval::Window { length_ms: window.value, pane_ms: raw.pane.as_ref().map(|pane| pane.value) },
        None => Interval::Always,
    })
}
