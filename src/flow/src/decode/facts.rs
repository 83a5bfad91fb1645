//! From a typed row to a fact: which entities a record names, and what it contributes to which of
//! their features.
//!
//! Everything that can fail for a record fails here, before anything of it takes effect: an
//! expression over it that overflows makes the whole record a dead letter, and it contributes to
//! nothing. What expressions read is known when the pack is loaded, so an [`Extractor`] holds, for
//! one input, just the features that it feeds.

use std::sync::Arc;

use propice_define::Plan;
use propice_define::expr::{Env, EvalError, Expr};
use propice_define::plan::{Aggregate, Feature, FeatureSource, Input, Interval};
use propice_model::time::{FOREVER, LATEST_EVENT_TIME_MS};
use propice_model::{
    Changes, Contribution, EntityChange, EventTime, Fact, FeatureId, FieldId, Id, InputId, KindId, LogicalTime, Origin,
    Rank, Row, Value,
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
    /// Whether any of them is a `first` or `last`: only these ask for the order of records.
    ordered: bool,
    /// Whether the kind is what the policy keeps of a customer.
    implied: bool,
}

impl Extractor {
    /// For the records of `input`.
    pub fn new(plan: Arc<Plan>, input: InputId) -> Extractor {
        let mut targets: Vec<Target> = Vec::new();
        if let Some((key, kind)) = plan.inputs[input.index()].about {
            target(&mut targets, &plan, kind, key);
        }
        let mut relations = Vec::new();
        for (position, entity) in plan.entities.iter().enumerate() {
            let kind = KindId(position as u16);
            for (feature_position, feature) in entity.features.iter().enumerate() {
                if let FeatureSource::Records { input: from, key } = feature.source
                    && from == input
                {
                    let target = target(&mut targets, &plan, kind, key);
                    target.features.push(FeatureId(feature_position as u16));
                    target.ordered |= matches!(feature.aggregate, Aggregate::First | Aggregate::Last);
                }
            }
            if entity.relation.as_ref().is_some_and(|relation| relation.input == input) {
                relations.push(kind);
            }
        }
        Extractor { plan, input, targets, relations }
    }

    /// The input whose records it takes.
    pub fn input(&self) -> InputId {
        self.input
    }

    /// The fields that say whom a record is about, each with the kind of entity that it names.
    pub fn subjects(&self) -> Vec<(FieldId, KindId)> {
        let kind_of = |target: &Target| if target.implied { KindId::CUSTOMER } else { target.kind };
        let mut subjects: Vec<_> = self.targets.iter().map(|target| (target.key, kind_of(target))).collect();
        for &kind in &self.relations {
            let relation = self.plan.entities[kind.index()].relation.iter();
            subjects.extend(relation.flat_map(|by| [(by.customer, KindId::CUSTOMER), (by.entity, kind)]));
        }
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    /// Whether a record matters to everybody, whomever it is about.
    pub fn is_for_everybody(&self) -> bool {
        self.plan.policy.holidays.is_some_and(|holidays| holidays.input == self.input)
    }

    /// What a record says.
    ///
    /// # Errors
    /// When its event time is out of range or an expression over it fails: then it contributes to
    /// nothing.
    pub fn fact_of(&self, record: &Decoded, origin: Origin) -> Result<Fact, RecordError> {
        let event_time = event_time(&self.plan.inputs[self.input.index()], &record.row)?;
        self.fact_at(record, event_time, origin)
    }

    /// What a record says whose event time stands somewhere else than in its fields.
    ///
    /// # Errors
    /// When an expression over it fails: then it contributes to nothing.
    pub fn fact_at(&self, record: &Decoded, event_time: EventTime, origin: Origin) -> Result<Fact, RecordError> {
        let input = &self.plan.inputs[self.input.index()];
        let row = &record.row;
        let order = input.order.map_or(Value::Null, |field| row[field.index()].clone());
        let rank = Rank { event_time, order, origin };
        let Some(table) = &input.table else {
            if record.deleted {
                let message = format!("`{}` is a stream, whose records cannot be deleted", input.name);
                return Err(RecordError { reason: "wrong_type", message });
            }
            let mut changes = self.changes(input, row, &rank)?;
            changes.iter_mut().for_each(|change| change.lasting = true);
            return Ok(Fact { input: self.input, rank, key: Vec::new(), changes, row: None });
        };
        let key = table.key.iter().map(|field| row[field.index()].clone()).collect();
        let deleted = record.deleted || condition(table.delete.as_ref(), false, row, "delete")?;
        let changes = if deleted { Changes::new() } else { self.changes(input, row, &rank)? };
        let row = (self.plan.keeps_rows && !deleted).then(|| Box::new(row.clone()));
        Ok(Fact { input: self.input, rank, key, changes, row })
    }

    fn changes(&self, input: &Input, row: &Row, rank: &Rank) -> Result<Changes, RecordError> {
        let mut changes = Changes::new();
        for target in &self.targets {
            let Value::Id(id) = &row[target.key.index()] else { continue };
            if let Some(known) = position(&changes, target.kind, id) {
                self.contribute(target, row, rank, &mut changes[known])?;
                continue;
            }
            let mut new = change(target.kind, id.clone(), rank);
            self.contribute(target, row, rank, &mut new)?;
            if target.implied {
                // What the policy keeps of a customer belongs to it, and is there only when
                // something is kept.
                if new.contributions.is_empty() {
                    continue;
                }
                new.owner = Some(id.clone());
            }
            changes.push(new);
        }
        for &kind in &self.relations {
            self.relate(kind, row, rank, &mut changes)?;
        }
        changes.extend(self.holiday(row, rank));
        debug_assert!(input.is_table() || changes.iter().all(|change| change.names));
        Ok(changes)
    }

    /// Adds what a record contributes to the features of a target.
    fn contribute(
        &self,
        target: &Target,
        row: &Row,
        rank: &Rank,
        change: &mut EntityChange,
    ) -> Result<(), RecordError> {
        let features = &self.plan.entities[target.kind.index()].features;
        if target.ordered && change.order.is_null() {
            change.order.clone_from(&rank.order);
        }
        for (position, &id) in target.features.iter().enumerate() {
            if let Some(contribution) = contribution(id, &features[id.index()], row, rank.event_time)? {
                if change.contributions.capacity() == change.contributions.len() {
                    // Once, for all that may follow.
                    change.contributions.reserve_exact(target.features.len() - position);
                }
                change.contributions.push(contribution);
            }
        }
        Ok(())
    }

    /// The holiday that a row of their table says: a day and a region.
    fn holiday(&self, row: &Row, rank: &Rank) -> Option<EntityChange> {
        let holidays = self.plan.policy.holidays.filter(|holidays| holidays.input == self.input)?;
        let region = holidays.region.map_or(Value::Null, |region| row[region.index()].clone());
        let value = Value::List(Arc::from([row[holidays.day.index()].clone(), region]));
        let day = Contribution { feature: FeatureId(0), from: 0, until: FOREVER, value };
        let of_calendar = change(KindId::CALENDAR, Id::Number(0), rank);
        Some(EntityChange { names: false, contributions: vec![day], ..of_calendar })
    }

    /// Relates an entity to a customer, if the record does.
    fn relate(&self, kind: KindId, row: &Row, rank: &Rank, changes: &mut Changes) -> Result<(), RecordError> {
        let Some(relation) = &self.plan.entities[kind.index()].relation else { return Ok(()) };
        let (Value::Id(customer), Value::Id(entity)) = (&row[relation.customer.index()], &row[relation.entity.index()])
        else {
            return Ok(());
        };
        if condition(relation.filter.as_ref(), true, row, "belongs_to.where")? {
            change_of(changes, kind, entity, rank).owner = Some(customer.clone());
            change_of(changes, KindId::CUSTOMER, customer, rank);
        }
        Ok(())
    }
}

/// The target of a kind and key field, made when there is none yet.
fn target<'a>(targets: &'a mut Vec<Target>, plan: &Plan, kind: KindId, key: FieldId) -> &'a mut Target {
    let position = match targets.iter().position(|target| target.kind == kind && target.key == key) {
        Some(position) => position,
        None => {
            let implied = plan.entities[kind.index()].implied;
            targets.push(Target { kind, key, features: Vec::new(), ordered: false, implied });
            targets.len() - 1
        }
    };
    &mut targets[position]
}

/// Where the change of an entity is: a record has at most one per entity.
fn position(changes: &Changes, kind: KindId, id: &Id) -> Option<usize> {
    changes.iter().position(|change| change.kind == kind && change.id == *id)
}

/// The change of an entity, made when there is none yet.
fn change_of<'a>(changes: &'a mut Changes, kind: KindId, id: &Id, rank: &Rank) -> &'a mut EntityChange {
    let position = position(changes, kind, id).unwrap_or_else(|| {
        changes.push(change(kind, id.clone(), rank));
        changes.len() - 1
    });
    &mut changes[position]
}

/// A record names an entity, and says nothing else of it yet.
fn change(kind: KindId, id: Id, rank: &Rank) -> EntityChange {
    let (event_time, order) = (rank.event_time, Value::Null);
    EntityChange { kind, id, names: true, lasting: false, owner: None, event_time, order, contributions: Vec::new() }
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
            let message = format!("`{name}` is outside of 1970 to 9999: {}", propice_model::time::format_time(time_ms));
            Err(RecordError { reason: "out_of_range", message })
        }
    }
}

fn contribution(
    id: FeatureId,
    feature: &Feature,
    row: &Row,
    event_time: EventTime,
) -> Result<Option<Contribution>, RecordError> {
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
    let Some((from, until)) = interval(feature, row, event_time)? else { return Ok(None) };
    Ok(Some(Contribution { feature: id, from, until, value }))
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

#[cfg(test)]
mod tests {
    use super::super::Decoder as _;
    use super::super::json::JsonDecoder;
    use super::*;
    use propice_define::load;

    const PACK: &str = r#"
[pack]
name = "small"

[stream.calls]
about  = "customer"
time   = "at"
order  = "number"
fields = { customer = "id(customer)", at = "time", number = "int", by = "text?" }

[stream.visits]
about  = "customer"
time   = "at"
order  = "number"
fields = { customer = "id(customer)", at = "time", number = "int" }

[customer.feature]
calls     = { from = "calls", count = true, window = "1h" }
last_by   = { from = "calls", last = "by" }
different = { from = "calls", distinct = "by" }
visits    = { from = "visits", count = true }
"#;

    fn change_of(input: u16, json: &str) -> EntityChange {
        let plan = Arc::new(load("small.toml", PACK).unwrap_or_else(|errors| panic!("{errors:?}")));
        let record = JsonDecoder::new(&plan, InputId(input)).decode(json.as_bytes()).expect("a record");
        let extractor = Extractor::new(plan, InputId(input));
        let fact = extractor.fact_of(&record, Origin { file: 0, line: 1 }).expect("a fact");
        assert!(!fact.changes.spilled(), "a record about one entity takes no allocation for its change");
        fact.changes.into_iter().next().expect("a change")
    }

    #[test]
    fn what_all_contributions_share_stands_once() {
        let change = change_of(0, r#"{"customer":7,"at":5000,"number":3,"by":"phone"}"#);
        assert_eq!((change.id, change.event_time, change.order), (Id::Number(7), 5_000, Value::Int(3)));
        let of = |feature, until, value| Contribution { feature: FeatureId(feature), from: 0, until, value };
        let phone = Value::text("phone");
        let expected = [of(0, 3_605_000, Value::Bool(true)), of(1, FOREVER, phone.clone()), of(2, FOREVER, phone)];
        assert_eq!(change.contributions, expected);
        assert_eq!(change.contributions.capacity(), 3);
        let change = change_of(0, r#"{"customer":7,"at":5000,"number":3}"#);
        assert_eq!(change.contributions.len(), 1, "null contributes nothing");
    }

    #[test]
    fn only_first_and_last_ask_for_the_order() {
        assert_eq!(change_of(1, r#"{"customer":7,"at":5000,"number":3}"#).order, Value::Null);
    }
}
