//! What a condition is made of: features and attributes with their values, down to the records.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{At, Entity, Feature, Record, Typed};
use super::history::Life;
use super::records::{Hit, Hits, RecordsKey};
use super::render::{Rendered, data_name};
use super::words;
use propice_define::Plan;
use propice_define::expr::{Expr, Ref};
use propice_define::plan::{self, Aggregate, DataKinds, Evidence, FeatureSource, Interval};
use propice_edge::source::InputFile;
use propice_model::time::FOREVER;
use propice_model::{FieldId, Id, InputId, KindId, Origin, Row, Value};

/// A slot of an entity, or of the customer.
type Slot = (KindId, Id, u16);

/// Grows the trees of what conditions use. What was told once is not told again.
pub(super) struct Trees<'a> {
    pub(super) told: &'a Rendered<'a>,
    pub(super) life: &'a Life,
    pub(super) customer: &'a Id,
    /// How many entities and records are shown of each.
    pub(super) shown: usize,
    seen: BTreeSet<Slot>,
    /// Entities of which it is told why they are the customer's.
    related: BTreeSet<(KindId, Id)>,
    /// The records that are asked for.
    pub(super) wanted: BTreeSet<RecordsKey>,
}

impl<'a> Trees<'a> {
    pub(super) fn new(told: &'a Rendered<'a>, life: &'a Life, customer: &'a Id, shown: usize) -> Trees<'a> {
        Trees { told, life, customer, shown, seen: BTreeSet::new(), related: BTreeSet::new(), wanted: BTreeSet::new() }
    }

    /// What an expression about a subject uses.
    pub(super) fn of(&mut self, expr: &Expr, entity: Option<&(KindId, Id)>) -> Vec<Feature> {
        let mut trees = Vec::new();
        for (reference, name) in expr.refs() {
            let (kind, id) = match (reference.scope, entity) {
                (1, Some((kind, id))) => (*kind, id.clone()),
                _ => (KindId::CUSTOMER, self.customer.clone()),
            };
            let denied = self.denied(*reference);
            trees.push(self.slot(&(kind, id, reference.slot), name, denied));
        }
        trees
    }

    fn denied(&self, reference: Ref) -> DataKinds {
        let is_it = |known: &&Evidence| (known.scope, known.slot) == (reference.scope, reference.slot);
        self.told.evidence.iter().find(is_it).map_or(0, |known| known.data) & self.told.denied
    }

    /// What a condition of the policy uses of the customer.
    pub(super) fn of_customer(&mut self, expr: &Expr) -> Vec<Feature> {
        let mut trees = Vec::new();
        for (reference, name) in expr.refs() {
            trees.push(self.slot(&(KindId::CUSTOMER, self.customer.clone(), reference.slot), name, 0));
        }
        trees
    }

    /// A slot of the customer.
    pub(super) fn of_slot(&mut self, slot: u16) -> Feature {
        let name = self.plan().entities[0].slot(usize::from(slot)).0.to_owned();
        self.slot(&(KindId::CUSTOMER, self.customer.clone(), slot), &name, 0)
    }

    /// A slot that the policy keeps of the customer.
    pub(super) fn of_policy(&mut self, slot: u16) -> Option<Feature> {
        let kind = self.plan().policy.kind?;
        let name = self.plan().entities[kind.index()].slot(usize::from(slot)).0.to_owned();
        Some(self.slot(&(kind, self.customer.clone(), slot), &name, 0))
    }

    fn plan(&self) -> &'a Plan {
        self.told.plan
    }

    fn slot(&mut self, slot: &Slot, name: &str, denied: DataKinds) -> Feature {
        let (kind, id, at) = slot;
        let plan = self.plan();
        let entity = &plan.entities[kind.index()];
        let is_customer = *kind == KindId::CUSTOMER || entity.implied;
        let of = (!is_customer).then(|| Entity { kind: entity.name.clone(), id: id.to_string() });
        let ty = entity.slot(usize::from(*at)).1.clone();
        let mut tree = Feature {
            name: name.to_owned(),
            of,
            value: None,
            withheld: data_name(plan, denied).map(str::to_owned),
            told: String::new(),
            shown: String::new(),
            uses: Vec::new(),
            records: Vec::new(),
            more: None,
            key: None,
            entities: Vec::new(),
        };
        let again = !self.seen.insert(slot.clone());
        let feature = entity.features.get(usize::from(*at));
        tree.told = match feature {
            Some(feature) => words::feature(self.told.teller, plan, feature),
            None => entity.attributes[usize::from(*at) - entity.features.len()].expr.source().to_owned(),
        };
        if denied != 0 {
            return tree;
        }
        let value = self.life.slots(*kind, id).and_then(|slots| slots.get(usize::from(*at))).cloned();
        let value = value.unwrap_or_default();
        if !entity.implied {
            tree.shown = self.told.shown(&value, &ty);
            tree.value = Some(Typed(value, ty));
        }
        if again {
            tree.more = Some(words::told_above(self.told.teller));
            return tree;
        }
        match feature {
            None => {
                let expr = &entity.attributes[usize::from(*at) - entity.features.len()].expr;
                for (reference, name) in expr.refs() {
                    tree.uses.push(self.slot(&(*kind, id.clone(), reference.slot), name, 0));
                }
            }
            Some(feature) => match feature.source {
                FeatureSource::Entities(of) => self.roll_up(&mut tree, feature, of),
                FeatureSource::Records { .. } => {
                    let key = (*kind, id.clone(), propice_model::FeatureId(*at));
                    self.wanted.insert(RecordsKey::Feature(key.0, key.1.clone(), key.2));
                    tree.key = Some(key);
                }
            },
        }
        tree
    }

    /// Asks why an entity is the customer's; whether that was not asked before.
    pub(super) fn relates(&mut self, kind: KindId, id: &Id) -> bool {
        self.wanted.insert(RecordsKey::Belongs(kind, id.clone()));
        self.related.insert((kind, id.clone()))
    }

    /// The entities that are rolled up, each with what is used of it.
    fn roll_up(&mut self, tree: &mut Feature, feature: &plan::Feature, kind: KindId) {
        let ids: Vec<Id> = self.life.of_kind(kind).cloned().collect();
        let mut slots: Vec<(u16, String)> = Vec::new();
        for (reference, name) in feature.argument.iter().chain(&feature.filter).flat_map(Expr::refs) {
            if !slots.iter().any(|(slot, _)| *slot == reference.slot) {
                slots.push((reference.slot, name.clone()));
            }
        }
        for id in ids.iter().take(self.shown) {
            if self.relates(kind, id) {
                tree.entities.push((kind, id.clone()));
            }
            for (slot, name) in &slots {
                let used = self.slot(&(kind, id.clone(), *slot), name, 0);
                tree.uses.push(used);
            }
        }
        let entity = &self.plan().entities[kind.index()].name;
        tree.more = if slots.is_empty() || ids.len() > self.shown {
            Some(words::entities(self.told.teller, entity, &ids, self.shown))
        } else {
            None
        };
    }
}

/// Puts the records into their places.
pub(super) struct Filler<'a> {
    pub(super) told: &'a Rendered<'a>,
    pub(super) files: &'a [InputFile],
    pub(super) hits: &'a Hits,
    pub(super) rows: &'a BTreeMap<Origin, Row>,
    pub(super) shown: usize,
}

/// The records of a feature that are shown, and how many there are besides.
fn chosen<'h>(plan: &Plan, hits: &'h Hits, key: &RecordsKey, value: &Value, shown: usize) -> (Vec<&'h Hit>, usize) {
    let Some(all) = hits.get(key) else { return (Vec::new(), 0) };
    let aggregate = match key {
        RecordsKey::Feature(kind, _, feature) => Some(plan.entities[kind.index()].features[feature.index()].aggregate),
        RecordsKey::Belongs(..) => None,
    };
    let chosen: Vec<&Hit> = match aggregate {
        Some(Aggregate::Last) => all.first().into_iter().collect(),
        Some(Aggregate::First) => all.last().into_iter().collect(),
        Some(Aggregate::Min | Aggregate::Max) => all.iter().filter(|hit| hit.value == *value).take(shown).collect(),
        _ => all.iter().take(shown).collect(),
    };
    let more = all.len() - chosen.len();
    (chosen, more)
}

impl Filler<'_> {
    /// Fills the trees.
    pub(super) fn fill(&self, trees: &mut [Feature]) {
        for tree in trees {
            self.fill(&mut tree.uses);
            tree.records = tree.entities.iter().flat_map(|(kind, id)| self.belonging(*kind, id)).collect();
            let Some((kind, id, feature)) = tree.key.clone() else { continue };
            let key = RecordsKey::Feature(kind, id, feature);
            let value = tree.value.as_ref().map_or(Value::Null, |value| value.0.clone());
            let (chosen, more) = chosen(self.told.plan, self.hits, &key, &value, self.shown);
            let declared = &self.told.plan.entities[kind.index()].features[feature.index()];
            tree.records = chosen.iter().map(|hit| self.record(hit, &self.fields(hit.input, declared))).collect();
            tree.more = match (chosen.is_empty(), more) {
                (true, _) => Some(words::no_record(self.told.teller)),
                (false, 0) => None,
                (false, more) => Some(words::more(self.told.teller, declared.aggregate, more)),
            };
        }
    }

    /// The records that make an entity the customer's.
    pub(super) fn belonging(&self, kind: KindId, id: &Id) -> Vec<Record> {
        let key = RecordsKey::Belongs(kind, id.clone());
        let (chosen, _) = chosen(self.told.plan, self.hits, &key, &Value::Null, 1);
        let relation = self.told.plan.entities[kind.index()].relation.as_ref();
        let fields = relation.map_or_else(Vec::new, |relation| vec![relation.entity, relation.customer]);
        chosen.iter().map(|hit| self.record(hit, &fields)).collect()
    }

    fn record(&self, hit: &Hit, fields: &[FieldId]) -> Record {
        let input = &self.told.plan.inputs[hit.input.index()];
        let file = self.files.get(usize::from(hit.origin.file)).map(InputFile::name).unwrap_or_default();
        let value = |row: &Row, at: FieldId| {
            let field = &input.fields[at.index()];
            (field.name.clone(), Typed(row[at.index()].clone(), field.ty.clone()))
        };
        let row = self.rows.get(&hit.origin);
        let fields = row.map_or_else(Vec::new, |row| fields.iter().map(|at| value(row, *at)).collect());
        Record {
            file,
            line: hit.origin.line,
            event_time: input.time.map(|_| At(hit.event_time)),
            until: (hit.until < FOREVER).then_some(At(hit.until)),
            fields,
        }
    }

    /// The fields that matter for a feature: those that it reads; the key, when it reads none. The
    /// event time is told anyway.
    fn fields(&self, input: InputId, feature: &plan::Feature) -> Vec<FieldId> {
        let mut exprs: Vec<&Expr> = feature.argument.iter().chain(&feature.filter).collect();
        if let Interval::During { from, until } = &feature.interval {
            exprs.extend([from, until]);
        }
        let input = &self.told.plan.inputs[input.index()];
        let mut fields: Vec<FieldId> = Vec::new();
        for (reference, _) in exprs.into_iter().flat_map(Expr::refs) {
            let field = FieldId(reference.slot);
            if Some(field) != input.time && !fields.contains(&field) {
                fields.push(field);
            }
        }
        if fields.is_empty() {
            fields.extend(input.table.iter().flat_map(|table| table.key.iter().copied()));
        }
        fields
    }
}
