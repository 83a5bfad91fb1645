//! The names of the collections.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use propice_define::Plan;
use propice_define::plan::{Feature, FeatureSource};
use propice_model::{FeatureId, KindId};

use super::entry::Fingerprint;
use super::meaning;

/// A collection, as its name says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection<'a> {
    /// `rows/TABLE`
    Rows(&'a str),
    /// `exists/KIND`
    Exists(&'a str),
    /// `owners/KIND`
    Owners(&'a str),
    /// `feature/KIND/FINGERPRINT`
    Feature(&'a str, &'a str),
    /// `pending/KIND`
    Pending(&'a str),
    /// `conditions`
    Conditions,
    /// `policy`
    Policy,
}

impl<'a> Collection<'a> {
    /// The collection of a name; `None` for one that is none.
    pub fn named(name: &'a str) -> Option<Collection<'a>> {
        match name.split_once('/') {
            None if name == "conditions" => Some(Collection::Conditions),
            None if name == "policy" => Some(Collection::Policy),
            Some(("rows", table)) => Some(Collection::Rows(table)),
            Some(("exists", kind)) => Some(Collection::Exists(kind)),
            Some(("owners", kind)) => Some(Collection::Owners(kind)),
            Some(("pending", kind)) => Some(Collection::Pending(kind)),
            Some(("feature", rest)) => rest.split_once('/').map(|(kind, print)| Collection::Feature(kind, print)),
            _ => None,
        }
    }

    /// The kind of entity that its keys are of; `None` for rows, and for those of customers.
    pub fn kind(&self) -> Option<&'a str> {
        match self {
            Collection::Exists(kind)
            | Collection::Owners(kind)
            | Collection::Feature(kind, _)
            | Collection::Pending(kind) => Some(kind),
            _ => None,
        }
    }
}

impl fmt::Display for Collection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Collection::Rows(table) => write!(f, "rows/{table}"),
            Collection::Exists(kind) => write!(f, "exists/{kind}"),
            Collection::Owners(kind) => write!(f, "owners/{kind}"),
            Collection::Feature(kind, print) => write!(f, "feature/{kind}/{print}"),
            Collection::Pending(kind) => write!(f, "pending/{kind}"),
            Collection::Conditions => f.write_str("conditions"),
            Collection::Policy => f.write_str("policy"),
        }
    }
}

/// The collections of a kind of entity.
#[derive(Clone, Debug)]
pub(crate) struct OfKind {
    /// The name of the kind: part of what the range of a key is a hash of.
    pub kind: Arc<str>,
    pub exists: Arc<str>,
    pub owners: Arc<str>,
    pub pending: Arc<str>,
    /// By feature: its fingerprint, of one that is stored.
    pub prints: Vec<Option<Fingerprint>>,
    /// By feature: its collection. `None` for what is derived, and for the second of two features
    /// that mean the same.
    pub features: Vec<Option<Arc<str>>>,
}

impl OfKind {
    pub(crate) fn of(plan: &Plan, kind: KindId) -> OfKind {
        let entity = &plan.entities[kind.index()];
        let kind_name = meaning::kind_name(entity);
        let name = |collection: Collection<'_>| Arc::from(collection.to_string());
        let stored = |feature: &Feature| {
            if is_stored(plan, feature) { meaning::of_feature(plan, kind, feature) } else { None }
        };
        let prints: Vec<Option<Fingerprint>> = entity.features.iter().map(stored).collect();
        let first = |at: usize| prints[at].filter(|print| !prints[..at].contains(&Some(*print)));
        let features =
            (0..prints.len()).map(|at| first(at).map(|print| name(Collection::Feature(kind_name, &print.to_string()))));
        OfKind {
            kind: Arc::from(kind_name),
            exists: name(Collection::Exists(kind_name)),
            owners: name(Collection::Owners(kind_name)),
            pending: name(Collection::Pending(kind_name)),
            features: features.collect(),
            prints,
        }
    }

    /// The features that mean something, by its fingerprint in hexadecimal.
    pub(crate) fn by_print(&self) -> BTreeMap<String, Vec<FeatureId>> {
        let mut by_print: BTreeMap<String, Vec<FeatureId>> = BTreeMap::new();
        for (at, print) in self.prints.iter().enumerate() {
            if let Some(print) = print {
                by_print.entry(print.to_string()).or_default().push(FeatureId(at as u16));
            }
        }
        by_print
    }
}

/// Whether what a feature holds is stored. What it holds of a table follows from the rows, and a
/// rollup from the entities.
pub(crate) fn is_stored(plan: &Plan, feature: &Feature) -> bool {
    matches!(feature.source, FeatureSource::Records { input, .. } if !plan.inputs[input.index()].is_table())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_collection_it_is() {
        for name in ["rows/a", "exists/a", "owners/a", "feature/a/00ff", "pending/a", "conditions", "policy"] {
            assert_eq!(Collection::named(name).map(|it| it.to_string()).as_deref(), Some(name));
        }
        for name in ["", "rows", "feature/a", "other/a", "policy/a"] {
            assert_eq!(Collection::named(name), None, "{name}");
        }
    }
}
