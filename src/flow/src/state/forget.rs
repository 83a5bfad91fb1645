//! Forgetting: everything stored that belongs to a customer, found from the customer.
//!
//! A customer owns entities; those that nobody else owns go with it, and with each the rows about
//! it. What others own stays, and belongs to them alone from then on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use propice_define::Plan;
use propice_define::plan::Input;
use propice_model::{Id, InputId, KindId, Type, Value};

use crate::decode::Decoded;
use crate::decode::facts::Extractor;

use super::collection::Collection;
use super::entry::{Entry, Key, RowEntry};
use super::{StateError, meaning};

/// An entry with the name of its collection and its key.
pub type Stored = (Arc<str>, Key, Entry);

/// What goes when an entity is forgotten.
#[derive(Clone, Debug)]
pub struct Forgotten {
    plan: Arc<Plan>,
    gone: BTreeSet<(KindId, Id)>,
}

/// Forgets an entity, and what belongs to it alone, in what is stored. What is left is that of one
/// who was never there.
///
/// # Errors
/// When the pack has no such kind, or a row does not fit it.
pub fn forget(
    plan: &Arc<Plan>,
    kind: &str,
    id: &Id,
    entries: Vec<Stored>,
) -> Result<(Vec<Stored>, Forgotten), StateError> {
    let forgotten =
        Forgotten::find(plan, kind, id, entries.iter().map(|(name, key, entry)| (name.as_ref(), key, entry)))?;
    let left = entries.into_iter().filter_map(|(name, key, entry)| {
        let entry = forgotten.strip(&name, &key, entry)?;
        Some((name, key, entry))
    });
    Ok((left.collect(), forgotten))
}

impl Forgotten {
    /// What goes with an entity: all entries are looked at once.
    ///
    /// # Errors
    /// When the pack has no such kind, or a row does not fit it.
    pub fn find<'e>(
        plan: &Arc<Plan>,
        kind: &str,
        id: &Id,
        entries: impl IntoIterator<Item = (&'e str, &'e Key, &'e Entry)>,
    ) -> Result<Forgotten, StateError> {
        let Some(kind) = meaning::kind_named(plan, kind) else {
            return Err(StateError::general(format!("the pack has no entity `{kind}`")));
        };
        let mut gone = BTreeSet::from([(kind, id.clone())]);
        if kind == KindId::CUSTOMER {
            for ((kind, entity), owners) in owners(plan, entries)? {
                if owners.len() == 1 && owners.contains(id) {
                    gone.insert((kind, entity));
                }
            }
            // What the policy reads of it has its id.
            gone.extend(plan.policy.kind.map(|kind| (kind, id.clone())));
        }
        Ok(Forgotten { plan: Arc::clone(plan), gone })
    }

    /// The entities that go, each with the name of its kind.
    pub fn entities(&self) -> impl Iterator<Item = (&str, &Id)> {
        self.gone.iter().map(|(kind, id)| (meaning::kind_name(&self.plan.entities[kind.index()]), id))
    }

    /// What is left of an entry; `None`: nothing.
    pub fn strip(&self, collection: &str, key: &Key, entry: Entry) -> Option<Entry> {
        let named = Collection::named(collection)?;
        match (named, key, entry) {
            (Collection::Rows(table), Key::Row(values), Entry::Row(row)) => {
                (!self.is_about(table, values, &row)).then_some(Entry::Row(row))
            }
            (named, Key::Id(id), entry) => {
                let kind = named.kind().map_or(Some(KindId::CUSTOMER), |kind| self.kind(kind));
                if kind.is_some_and(|kind| self.gone.contains(&(kind, id.clone()))) {
                    return None;
                }
                match entry {
                    Entry::Owners(mut owners) => {
                        owners.retain(|owner| !self.gone.contains(&(KindId::CUSTOMER, owner.clone())));
                        (!owners.is_empty()).then_some(Entry::Owners(owners))
                    }
                    entry => Some(entry),
                }
            }
            (_, _, entry) => Some(entry),
        }
    }

    fn kind(&self, name: &str) -> Option<KindId> {
        meaning::kind_named(&self.plan, name)
    }

    /// Whether a row names something that goes, in its key or in any of its fields.
    fn is_about(&self, table: &str, key: &[Value], row: &RowEntry) -> bool {
        let Some(input) = self.plan.inputs.iter().find(|input| input.name == table) else { return false };
        let names = |ty: &Type, value: &Value| match (ty, value) {
            (Type::Id(kind), Value::Id(id)) => self.gone.contains(&(*kind, id.clone())),
            _ => false,
        };
        let of_key = input.table.iter().flat_map(|table| &table.key).zip(key);
        let mut of_key = of_key.map(|(field, value)| (&input.fields[field.index()].ty, value));
        let fields = row.fields.iter().flatten();
        let mut fields = fields.filter_map(|(name, value)| Some((&input.fields[input.field(name)?.index()].ty, value)));
        of_key.any(|(ty, value)| names(ty, value)) || fields.any(|(ty, value)| names(ty, value))
    }
}

/// The customers of every entity: by streams, as it is stored, and by tables, as their rows say it.
fn owners<'e>(
    plan: &Arc<Plan>,
    entries: impl IntoIterator<Item = (&'e str, &'e Key, &'e Entry)>,
) -> Result<BTreeMap<(KindId, Id), BTreeSet<Id>>, StateError> {
    let mut owners: BTreeMap<(KindId, Id), BTreeSet<Id>> = BTreeMap::new();
    let extractor = |at: usize| Extractor::new(Arc::clone(plan), InputId(at as u16));
    let extractors: Vec<Extractor> = (0..plan.inputs.len()).map(extractor).collect();
    for (name, key, entry) in entries {
        match (Collection::named(name), key, entry) {
            (Some(Collection::Owners(kind)), Key::Id(id), Entry::Owners(customers)) => {
                if let Some(kind) = meaning::kind_named(plan, kind) {
                    owners.entry((kind, id.clone())).or_default().extend(customers.iter().cloned());
                }
            }
            (Some(Collection::Rows(table)), Key::Row(_), Entry::Row(RowEntry { rank, fields: Some(fields) })) => {
                let Some(at) = plan.inputs.iter().position(|input| input.name == table) else { continue };
                let row = typed(&plan.inputs[at], fields);
                let fact = extractors[at].fact_of(&Decoded { row, deleted: false }, rank.origin.clone());
                let fact = fact.map_err(|error| StateError::of(name, key, error.message))?;
                for change in fact.changes {
                    if let Some(owner) = change.owner {
                        owners.entry((change.kind, change.id)).or_default().insert(owner);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(owners)
}

fn typed(input: &Input, fields: &[(Arc<str>, Value)]) -> Vec<Value> {
    let mut row = vec![Value::Null; input.fields.len()];
    for (name, value) in fields {
        if let Some(field) = input.field(name) {
            row[field.index()] = value.clone();
        }
    }
    row
}
