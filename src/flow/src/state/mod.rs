//! State by name: what the operators of `fused` hold, by meaning, and how they go on from it.
//!
//! ```text
//!                        cut at T                                     restoring at T
//! operators ──changes──▶ StateHandle ──take──▶ (collection, range, key, entry or gone)
//!                                                     │ encoded, kept, read again: not here
//! operators ◀──seeds──── StateHandle ◀──restoring─────┘
//! ```
//!
//! What is stored is primary: rows of tables, who exists by streams, what features hold of streams,
//! what has yet to begin, owners by streams, conditions that hold since when, what the policy
//! remembers. Everything else is derived when it is restored: what features hold of tables,
//! rollups, views, deadlines, indexes, the calendar. So a feature that is new over a table is
//! filled from the rows by the same way as all others.
//!
//! Nothing here knows how bytes look, where they lie, or how an operator keeps what it holds.
//! `docs/state.md` lists the collections. Checked in every random case of `tests/properties`
//! (`restore.rs`).

mod collection;
mod entry;
mod forget;
mod handle;
pub mod meaning;
mod names;
mod placement;
mod restore;
mod shape;

pub use collection::Collection;
pub use entry::{
    Change, Entry, EpisodeEntry, Fingerprint, Held, HeldSince, Kept, Key, NamedEntity, NamedEpisode, PolicyEntry,
    Progress, ReleaseEntry, RowEntry, ToCome, WatchEntry,
};
pub use forget::{Forgotten, Stored, forget};
pub use handle::{Extent, StateHandle};
pub use placement::Placement;
pub use restore::Restoring;
pub use shape::{Comparison, Fate, FeatureShape, FieldShape, InputShape, KindShape, MomentShape, PlanShape, compare};

pub(crate) use collection::OfKind;
pub(crate) use entry::canonical;
pub(crate) use handle::{Cut, Report, StatePort};
pub(crate) use names::Names;
pub(crate) use restore::{ConditionSeed, CustomerSeed, EntitySeed};

use std::fmt;

/// Why state cannot be given, or does not fit a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct StateError {
    /// The collection; empty when it is about none.
    pub collection: String,
    /// The key; empty when it is about none.
    pub key: String,
    /// What is wrong.
    pub reason: String,
}

impl StateError {
    /// About a key of a collection.
    pub fn of(collection: &str, key: &Key, reason: impl Into<String>) -> StateError {
        StateError { collection: collection.to_owned(), key: key.to_string(), reason: reason.into() }
    }

    fn general(reason: impl Into<String>) -> StateError {
        StateError { collection: String::new(), key: String::new(), reason: reason.into() }
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.collection.is_empty(), self.key.is_empty()) {
            (true, _) => f.write_str(&self.reason),
            (_, true) => write!(f, "state of `{}`: {}", self.collection, self.reason),
            _ => write!(f, "state of `{}`, key `{}`: {}", self.collection, self.key, self.reason),
        }
    }
}
