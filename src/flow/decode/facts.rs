//! From a typed row to a fact: which entities a record names, and what it contributes to which of their features.
//!
//! Everything that can fail for a record fails here, before anything of it takes effect: an expression over it that
//! overflows makes the whole record a dead letter, and it contributes to nothing. What expressions read is known when the
//! pack is loaded, so an [`Extractor`] holds, for one input, just the features that it feeds.

use std::sync::Arc;

use crate::define::Plan;
use crate::define::expr::{Env, EvalError, Expr};
use crate::define::plan::{Aggregate, Feature, Input, Interval, Source};
use crate::model::time::{FOREVER, LATEST_EVENT_TIME_MS};
use crate::model::{
    Contribution, EntityChange, EventTime, Fact, FeatureId, FieldId, Id, InputId, KindId, LogicalTime, Origin, Rank,
    Row, Value,
};

use super::{Decoded, RecordError};

/// Makes facts of the records of one input.
pub struct Extractor {
    plan: Arc<Plan>,
    input: InputId,
    targets: Vec<Target>,
    /// The kinds that this input relates to customers.
    relations: Vec<KindId>,
}

/// An entity that records of the input name, and the features of it that they feed.
struct Target {
    kind: KindId,
    key: FieldId,
    features: Vec<FeatureId>,
}

impl Extractor {
    /// For the records of `input`.
    pub fn new(plan: Arc<Plan>, input: InputId) -> Extractor {
        let mut targets: Vec<Target> = Vec::new();
        if let Some((key, kind)) = plan.inputs[input.index()].about {
            target(&mut targets, kind, key);
        }
        let mut relations = Vec::new();
        for (position, entity) in plan.entities.iter().enumerate() {
            let kind = KindId(position as u16);
            for (feature_position, feature) in entity.features.iter().enumerate() {
                if let Source::Records { input: from, key } = feature.source
                    && from == input
                {
                    target(&mut targets, kind, key).features.push(FeatureId(feature_position as u16));
                }
            }
            if entity.relation.as_ref().is_some_and(|relation| relation.input == input) {
                relations.push(kind);
            }
        }
        Extractor { plan, input, targets, relations }
    }

    /// What a record says.
    ///
    /// # Errors
    /// When its event time is out of range or an expression over it fails: then it contributes to nothing.
    pub fn fact_of(&self, record: &Decoded, origin: Origin) -> Result<Fact, RecordError> {
        let input = &self.plan.inputs[self.input.index()];
        let row = &record.row;
        let event_time = event_time(input, row)?;
        let order = input.order.map_or(Value::Null, |field| row[field.index()].clone());
        let rank = Rank { event_time, order, origin };
        let Some(table) = &input.table else {
            if record.deleted {
                let message = format!("`{}` is a stream, whose records cannot be deleted", input.name);
                return Err(RecordError { reason: "wrong_type", message });
            }
            let changes = self.changes(input, row, &rank)?;
            return Ok(Fact { input: self.input, rank, key: Vec::new(), changes });
        };
        let key = table.key.iter().map(|field| row[field.index()].clone()).collect();
        let deleted = record.deleted || condition(table.delete.as_ref(), false, row, "delete")?;
        let changes = if deleted { Vec::new() } else { self.changes(input, row, &rank)? };
        Ok(Fact { input: self.input, rank, key, changes })
    }

    fn changes(&self, input: &Input, row: &Row, rank: &Rank) -> Result<Vec<EntityChange>, RecordError> {
        let mut changes = Vec::with_capacity(self.targets.len());
        for target in &self.targets {
            if let Value::Id(id) = &row[target.key.index()] {
                let contributions = self.contributions(target, row, rank)?;
                // What the policy keeps of a customer belongs to it, and is there only when something is kept.
                let is_implied = self.plan.entities[target.kind.index()].implied;
                if is_implied && contributions.is_empty() {
                    continue;
                }
                let change = change(&mut changes, target.kind, id);
                change.contributions.extend(contributions);
                if is_implied {
                    change.owner = Some(id.clone());
                }
            }
        }
        for &kind in &self.relations {
            self.relate(kind, row, &mut changes)?;
        }
        changes.extend(self.holiday(row, rank));
        debug_assert!(input.is_table() || changes.iter().all(|change| change.names));
        Ok(changes)
    }

    /// The holiday that a row of their table says: a day and a region.
    fn holiday(&self, row: &Row, rank: &Rank) -> Option<EntityChange> {
        let holidays = self.plan.policy.holidays.filter(|holidays| holidays.input == self.input)?;
        let region = holidays.region.map_or(Value::Null, |region| row[region.index()].clone());
        let value = Value::List(Arc::from([row[holidays.day.index()].clone(), region]));
        let (feature, event_time) = (FeatureId(0), rank.event_time);
        let day = Contribution { feature, from: 0, until: FOREVER, event_time, order: Value::Null, value };
        let (kind, id) = (KindId::CALENDAR, Id::Number(0));
        Some(EntityChange { kind, id, names: false, owner: None, contributions: vec![day] })
    }

    /// Relates an entity to a customer, if the record does.
    fn relate(&self, kind: KindId, row: &Row, changes: &mut Vec<EntityChange>) -> Result<(), RecordError> {
        let Some(relation) = &self.plan.entities[kind.index()].relation else { return Ok(()) };
        let (Value::Id(customer), Value::Id(entity)) = (&row[relation.customer.index()], &row[relation.entity.index()])
        else {
            return Ok(());
        };
        if condition(relation.filter.as_ref(), true, row, "belongs_to.where")? {
            change(changes, kind, entity).owner = Some(customer.clone());
            change(changes, KindId::CUSTOMER, customer);
        }
        Ok(())
    }

    fn contributions(&self, target: &Target, row: &Row, rank: &Rank) -> Result<Vec<Contribution>, RecordError> {
        let features = &self.plan.entities[target.kind.index()].features;
        let mut contributions = Vec::with_capacity(target.features.len());
        for &id in &target.features {
            contributions.extend(contribution(id, &features[id.index()], row, rank)?);
        }
        Ok(contributions)
    }
}

/// The target of a kind and key field, made when there is none yet.
fn target(targets: &mut Vec<Target>, kind: KindId, key: FieldId) -> &mut Target {
    let position = match targets.iter().position(|target| target.kind == kind && target.key == key) {
        Some(position) => position,
        None => {
            targets.push(Target { kind, key, features: Vec::new() });
            targets.len() - 1
        }
    };
    &mut targets[position]
}

/// The change of an entity, made when there is none yet: a record has at most one per entity.
fn change<'a>(changes: &'a mut Vec<EntityChange>, kind: KindId, id: &Id) -> &'a mut EntityChange {
    let position = match changes.iter().position(|change| change.kind == kind && change.id == *id) {
        Some(position) => position,
        None => {
            changes.push(EntityChange { kind, id: id.clone(), names: true, owner: None, contributions: Vec::new() });
            changes.len() - 1
        }
    };
    &mut changes[position]
}

fn event_time(input: &Input, row: &Row) -> Result<EventTime, RecordError> {
    let Some(field) = input.time else { return Ok(0) };
    let name = &input.fields[field.index()].name;
    let Value::Time(time_ms) = row[field.index()] else {
        return Err(RecordError {
            reason: "missing_field",
            message: format!("`{name}` is missing: it is the event time"),
        });
    };
    match EventTime::try_from(time_ms) {
        Ok(time) if time <= LATEST_EVENT_TIME_MS => Ok(time),
        _ => {
            let message = format!("`{name}` is outside of 1970 to 9999: {}", crate::model::time::format_time(time_ms));
            Err(RecordError { reason: "out_of_range", message })
        }
    }
}

fn contribution(id: FeatureId, feature: &Feature, row: &Row, rank: &Rank) -> Result<Option<Contribution>, RecordError> {
    if !condition(feature.filter.as_ref(), true, row, &feature.name)? {
        return Ok(None);
    }
    let value = match &feature.argument {
        None => Value::Bool(true),
        Some(argument) => eval(argument, row, &feature.name)?,
    };
    if value.is_null() {
        return Ok(None);
    }
    if let Value::Decimal(number) = &value
        && i64::try_from(number.units()).is_err()
    {
        return Err(failed(EvalError::Overflow, &feature.name));
    }
    let Some((from, until)) = interval(feature, row, rank.event_time)? else { return Ok(None) };
    let order = match feature.aggregate {
        Aggregate::First | Aggregate::Last => rank.order.clone(),
        _ => Value::Null,
    };
    Ok(Some(Contribution { feature: id, from, until, event_time: rank.event_time, order, value }))
}

/// The interval during which the record counts; `None` when it never does.
fn interval(
    feature: &Feature,
    row: &Row,
    event_time: EventTime,
) -> Result<Option<(LogicalTime, LogicalTime)>, RecordError> {
    Ok(match &feature.interval {
        Interval::Always => Some((0, FOREVER)),
        Interval::Window { length_ms, pane_ms } => {
            let end = event_time + length_ms.unsigned_abs();
            let until = pane_ms.map_or(end, |pane_ms| end.div_ceil(pane_ms.unsigned_abs()) * pane_ms.unsigned_abs());
            Some((0, until))
        }
        Interval::During { from, until } => {
            let (from, until) = (eval(from, row, &feature.name)?, eval(until, row, &feature.name)?);
            match (from, until) {
                (Value::Time(from), Value::Time(until)) if until > from.max(0) => {
                    Some((from.max(0).unsigned_abs(), until.unsigned_abs()))
                }
                _ => None,
            }
        }
    })
}

/// A condition over a record; without one, `otherwise`.
fn condition(condition: Option<&Expr>, otherwise: bool, row: &Row, place: &str) -> Result<bool, RecordError> {
    match condition {
        None => Ok(otherwise),
        Some(condition) => Ok(eval(condition, row, place)? == Value::Bool(true)),
    }
}

fn eval(expr: &Expr, row: &Row, place: &str) -> Result<Value, RecordError> {
    expr.eval(&Env::of(row, 0)).map_err(|error| failed(error, place))
}

fn failed(error: EvalError, place: &str) -> RecordError {
    RecordError { reason: "expression", message: format!("{error}, in an expression of `{place}`") }
}
