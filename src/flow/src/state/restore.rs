//! From entries to what operators begin with: names become positions of the plan, and what does not
//! fit it is refused before anything runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use propice_define::Plan;
use propice_define::plan::Input;
use propice_model::{Contribution, EventTime, Fact, FeatureId, Id, InputId, KindId, LogicalTime, MomentId, Row, Value};

use crate::decode::Decoded;
use crate::decode::facts::Extractor;
use crate::fused::fits;
use crate::shard::{shard, worker_of};

use super::collection::{Collection, OfKind};
use super::entry::{Entry, Held, HeldSince, Key, NamedEntity, PolicyEntry, RowEntry, ToCome};
use super::placement::Placement;
use super::shape::PlanShape;
use super::{StateError, meaning};

/// What a dataflow goes on from.
#[derive(Clone, Copy)]
pub struct Restoring<'a> {
    /// The plan that it runs.
    pub plan: &'a Arc<Plan>,
    /// The logical time at which the entries were held.
    pub at: LogicalTime,
    /// Which worker this is.
    pub worker: usize,
    /// Of how many.
    pub workers: usize,
    /// What the plan stored that gave the entries; `None`: the same as this one does.
    pub before: Option<&'a PlanShape>,
}

/// What operators begin with.
pub(crate) struct Seeds {
    pub at: LogicalTime,
    /// The rows that this worker keeps.
    pub rows: Vec<Fact>,
    /// Those of the table of holidays, all of them.
    pub holidays: Vec<Fact>,
    /// The entities of this worker, by kind.
    pub kinds: Vec<Vec<EntitySeed>>,
    pub customers: Vec<CustomerSeed>,
    /// Whether conditions or the policy are others than before.
    pub looks_again: bool,
}

/// What was held of an entity.
pub(crate) struct EntitySeed {
    pub id: Id,
    /// A record of a stream named it.
    pub exists: bool,
    /// To whom records of streams relate it.
    pub owners: Vec<Id>,
    pub features: Vec<(FeatureId, Held)>,
    pub pending: Vec<PendingSeed>,
}

/// A contribution that does not count yet.
pub(crate) struct PendingSeed {
    pub event_time: EventTime,
    pub order: Value,
    pub contribution: Contribution,
}

/// What was held of a customer beyond its features.
pub(crate) struct CustomerSeed {
    pub id: Id,
    pub conditions: Vec<ConditionSeed>,
    pub policy: Option<PolicyEntry>,
}

/// A condition that held.
#[derive(Clone, Debug)]
pub(crate) struct ConditionSeed {
    pub moment: MomentId,
    pub entity: Option<(KindId, Id)>,
    pub since: LogicalTime,
    pub opened: Option<LogicalTime>,
}

impl Seeds {
    /// What of the entries belongs to a worker, checked against the plan.
    pub(super) fn resolve(
        restoring: &Restoring<'_>,
        entries: impl IntoIterator<Item = (Arc<str>, Key, Entry)>,
    ) -> Result<Seeds, StateError> {
        let mut resolver = Resolver::new(restoring);
        for (collection, key, entry) in entries {
            resolver.take(&collection, &key, entry)?;
        }
        Ok(resolver.finish())
    }
}

/// Resolves entries one by one.
struct Resolver<'a> {
    restoring: Restoring<'a>,
    plan: &'a Arc<Plan>,
    placement: Placement,
    extractors: Vec<Extractor>,
    /// By kind: the features that mean something, by fingerprint.
    prints: Vec<BTreeMap<String, Vec<FeatureId>>>,
    /// By moment: the fingerprint of its condition.
    conditions: Vec<super::Fingerprint>,
    rows: Vec<Fact>,
    holidays: Vec<Fact>,
    kinds: Vec<HashMap<Id, EntitySeed>>,
    customers: HashMap<Id, CustomerSeed>,
}

impl<'a> Resolver<'a> {
    fn new(restoring: &Restoring<'a>) -> Resolver<'a> {
        let plan = restoring.plan;
        let kinds = || (0..plan.entities.len() as u16).map(KindId);
        let inputs = (0..plan.inputs.len() as u16).map(InputId);
        Resolver {
            restoring: *restoring,
            plan,
            placement: Placement::of(plan),
            extractors: inputs.map(|input| Extractor::new(Arc::clone(plan), input)).collect(),
            prints: kinds().map(|kind| OfKind::of(plan, kind).by_print()).collect(),
            conditions: plan.moments.iter().map(|moment| meaning::of_condition(plan, moment)).collect(),
            rows: Vec::new(),
            holidays: Vec::new(),
            kinds: kinds().map(|_| HashMap::new()).collect(),
            customers: HashMap::new(),
        }
    }

    fn finish(self) -> Seeds {
        let shape = PlanShape::of(self.plan);
        Seeds {
            at: self.restoring.at,
            rows: self.rows,
            holidays: self.holidays,
            kinds: self.kinds.into_iter().map(|seeds| seeds.into_values().collect()).collect(),
            customers: self.customers.into_values().collect(),
            looks_again: self.restoring.before.is_some_and(|before| !before.decides_like(&shape)),
        }
    }

    fn take(&mut self, collection: &str, key: &Key, entry: Entry) -> Result<(), StateError> {
        let wrong = |key: &Key, reason: &str| StateError::of(collection, key, reason);
        let Some(named) = Collection::named(collection) else {
            return Err(wrong(key, "no collection is called so"));
        };
        if let Collection::Rows(table) = named {
            let Entry::Row(row) = entry else { return Err(wrong(key, NOT_SUCH)) };
            return self.row(table, key, row).map_err(|reason| wrong(key, &reason));
        }
        let Key::Id(id) = key else { return Err(wrong(key, "its keys are ids")) };
        if worker_of(shard(id), self.restoring.workers) != self.restoring.worker {
            return Ok(());
        }
        let taken = match (named, entry) {
            (Collection::Exists(kind), Entry::Exists) => self.entity(kind, id).map(|seed| seed.exists = true),
            (Collection::Owners(kind), Entry::Owners(owners)) => self.owners(kind, id, owners),
            (Collection::Feature(kind, print), Entry::Feature(held)) => self.feature(kind, print, id, &held),
            (Collection::Pending(kind), Entry::Pending(pending)) => self.pending(kind, id, pending),
            (Collection::Conditions, Entry::Conditions(conditions)) => {
                self.conditions(id, conditions);
                Ok(())
            }
            (Collection::Policy, Entry::Policy(policy)) => {
                self.customer(id).policy = Some(policy);
                Ok(())
            }
            _ => Err(NOT_SUCH.to_owned()),
        };
        taken.map_err(|reason| wrong(key, &reason))
    }

    fn kind(&self, name: &str) -> Result<KindId, String> {
        meaning::kind_named(self.plan, name).ok_or_else(|| format!("the pack has no entity `{name}`"))
    }

    fn entity(&mut self, kind: &str, id: &Id) -> Result<&mut EntitySeed, String> {
        let kind = self.kind(kind)?;
        Ok(self.kinds[kind.index()].entry(id.clone()).or_insert_with(|| EntitySeed {
            id: id.clone(),
            exists: false,
            owners: Vec::new(),
            features: Vec::new(),
            pending: Vec::new(),
        }))
    }

    fn customer(&mut self, id: &Id) -> &mut CustomerSeed {
        self.customers.entry(id.clone()).or_insert_with(|| CustomerSeed {
            id: id.clone(),
            conditions: Vec::new(),
            policy: None,
        })
    }

    fn owners(&mut self, kind: &str, id: &Id, owners: Vec<Id>) -> Result<(), String> {
        let entity = &self.plan.entities[self.kind(kind)?.index()];
        let by_stream = match &entity.relation {
            Some(relation) => !self.plan.inputs[relation.input.index()].is_table(),
            // What the policy reads belongs to whom it is about.
            None => entity.implied,
        };
        if !by_stream {
            return Err(format!("no stream relates `{kind}` to customers"));
        }
        self.entity(kind, id)?.owners = owners;
        Ok(())
    }

    /// What a feature held that the plan has no more is let go.
    fn feature(&mut self, kind: &str, print: &str, id: &Id, held: &[Held]) -> Result<(), String> {
        let (kind_id, at) = (self.kind(kind)?, self.restoring.at);
        let features = self.prints[kind_id.index()].get(print).cloned().unwrap_or_default();
        for feature in features {
            let declared = &self.plan.entities[kind_id.index()].features[feature.index()];
            if !held.iter().all(|held| fits(declared, &held.kept)) {
                return Err(format!("it is not what `{}` holds", declared.name));
            }
            let counting = held.iter().filter(|held| held.until > at).cloned();
            let counting: Vec<_> = counting.map(|held| (feature, held)).collect();
            self.entity(kind, id)?.features.extend(counting);
        }
        Ok(())
    }

    fn pending(&mut self, kind: &str, id: &Id, pending: Vec<ToCome>) -> Result<(), String> {
        let kind_id = self.kind(kind)?;
        for to_come in pending {
            let ToCome { feature: print, from, until, event_time, order, value } = to_come;
            let features = self.prints[kind_id.index()].get(&print.to_string()).cloned().unwrap_or_default();
            for feature in features {
                let declared = &self.plan.entities[kind_id.index()].features[feature.index()];
                if declared.argument.as_ref().is_some_and(|argument| !argument.ty().admits(&value)) {
                    return Err(format!("it is not what `{}` takes", declared.name));
                }
                let contribution = Contribution { feature, from, until, value: value.clone() };
                self.entity(kind, id)?.pending.push(PendingSeed { event_time, order: order.clone(), contribution });
            }
        }
        Ok(())
    }

    /// Conditions of moments that the plan has no more are let go. One that is another than before
    /// has to hold for as long as it must anew; but an open episode stays, until the condition is
    /// looked at.
    fn conditions(&mut self, id: &Id, conditions: Vec<HeldSince>) {
        for held in conditions {
            let Some(moment) = self.plan.moments.iter().position(|moment| moment.name == *held.moment) else {
                continue;
            };
            let about = self.plan.moments[moment].about;
            let Ok(entity) = self.entity_of(held.entity.as_ref()) else { continue };
            if about != entity.as_ref().map(|(kind, _)| *kind) {
                continue;
            }
            if self.conditions[moment] != held.condition && held.opened.is_none() {
                continue;
            }
            let moment = MomentId(moment as u16);
            let seed = ConditionSeed { moment, entity, since: held.since, opened: held.opened };
            self.customer(id).conditions.push(seed);
        }
    }

    fn entity_of(&self, entity: Option<&NamedEntity>) -> Result<Option<(KindId, Id)>, String> {
        entity.map(|(kind, id)| Ok((self.kind(kind)?, id.clone()))).transpose()
    }

    /// A row becomes the fact that a record with these fields would be.
    fn row(&mut self, table: &str, key: &Key, entry: RowEntry) -> Result<(), String> {
        // A table that the plan has no more: its rows are let go.
        let Some(at) = self.plan.inputs.iter().position(|input| input.name == table) else { return Ok(()) };
        let input = &self.plan.inputs[at];
        if !input.is_table() {
            return Err(format!("`{table}` is a stream"));
        }
        let Key::Row(values) = key else { return Err("its keys are primary keys".to_owned()) };
        let is_mine = self.placement.row_worker(table, values, self.restoring.workers) == self.restoring.worker;
        let is_for_everybody = self.placement.is_for_everybody(table);
        if !is_mine && !is_for_everybody {
            return Ok(());
        }
        let mut fact = match entry.fields {
            None => Fact {
                input: InputId(at as u16),
                rank: entry.rank,
                key: values.clone(),
                changes: propice_model::Changes::new(),
                row: None,
            },
            Some(fields) => {
                let row = typed_row(input, fields)?;
                let decoded = Decoded { row, deleted: false };
                let fact = self.extractors[at].fact_of(&decoded, entry.rank.origin.clone());
                let fact = fact.map_err(|error| error.message)?;
                Fact { rank: entry.rank, row: fact.row.or(Some(Box::new(decoded.row))), ..fact }
            }
        };
        if fact.key != *values {
            return Err(format!("it is not the primary key of its row in `{table}`"));
        }
        if is_for_everybody {
            self.holidays.push(fact.clone());
            fact.changes.retain(|change| change.kind != KindId::CALENDAR);
        }
        if is_mine {
            self.rows.push(fact);
        }
        Ok(())
    }
}

const NOT_SUCH: &str = "it holds entries of another kind";

/// The fields of a row in the order of the plan. Those that the plan has no more are let go.
fn typed_row(input: &Input, fields: Vec<(Arc<str>, Value)>) -> Result<Row, String> {
    let mut row = vec![Value::Null; input.fields.len()];
    for (name, value) in fields {
        let Some(field) = input.field(&name) else { continue };
        if !input.fields[field.index()].ty.admits(&value) {
            return Err(format!("`{name}` is no {}", input.fields[field.index()].ty));
        }
        row[field.index()] = value;
    }
    Ok(row)
}
