//! What one record says, once it is decoded: the only thing that enters the dataflow.
//!
//! `flow/decode` turns bytes into a typed [`Row`], and a row into a [`Fact`]: which entities it
//! names, what it contributes to which of their features, and during which interval. From there on
//! nobody needs the fields.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::id::Id;
use super::names::{FeatureId, InputId, KindId};
use super::time::{EventTime, LogicalTime};
use super::value::Value;

/// The typed fields of one record, in the order of `Input::fields`.
pub type Row = Vec<Value>;

/// Where a record was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Which of the files of the run.
    pub file: u16,
    /// Its line, from 1.
    pub line: u64,
}

/// What decides which record of a key is the latest: event time, then the input's `order`, then the
/// position in the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rank {
    /// The event time of the record.
    pub event_time: EventTime,
    /// The value of the input's `order` field, null without one.
    pub order: Value,
    /// The file and line of the record.
    pub origin: Origin,
}

/// What a record contributes to one feature: `value` during `[max(t, from), until)`, where `t` is
/// the logical time at which the record takes effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Contribution {
    /// The feature, of the kind of the [`EntityChange`] that holds this.
    pub feature: FeatureId,
    /// The first logical time at which it may count: 0, except for `during`.
    pub from: LogicalTime,
    /// The first logical time at which it counts no more; `FOREVER` without a window.
    pub until: LogicalTime,
    /// The argument of the aggregate, never null. `true` for `count = true`.
    pub value: Value,
}

/// What a record says of one entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityChange {
    /// The kind of entity.
    pub kind: KindId,
    /// Which one.
    pub id: Id,
    /// Whether the record makes the entity exist (it is about it, or relates it).
    pub names: bool,
    /// Whether the record is of a stream, and so never taken back.
    pub lasting: bool,
    /// The customer to whom the record relates the entity.
    pub owner: Option<Id>,
    /// When it happened: what `first` and `last` order by.
    pub event_time: EventTime,
    /// The input's `order` field: what `first` and `last` order by next. Null when the record feeds
    /// none of these.
    pub order: Value,
    /// What it contributes to the features of the entity.
    pub contributions: Vec<Contribution>,
}

/// The changes that one record makes: for nearly every record one, which then takes no allocation
/// of its own.
pub type Changes = SmallVec<[EntityChange; 1]>;

/// What one record says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// The stream or table it belongs to.
    pub input: InputId,
    /// What decides whether it is the latest of its key.
    pub rank: Rank,
    /// The primary key; empty for a stream.
    pub key: Vec<Value>,
    /// What it says of entities: at most one change per entity. Empty for a deletion.
    pub changes: Changes,
    /// The fields of a record of a table, where state is kept; `None` for a deletion, for a stream,
    /// and where nothing is kept.
    pub row: Option<Box<Row>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every event moves through the dataflow as one of these.
    #[test]
    fn a_fact_is_small() {
        assert_eq!(size_of::<Contribution>(), 48);
        assert!(size_of::<EntityChange>() <= 104, "{}", size_of::<EntityChange>());
        assert!(size_of::<Fact>() <= 208, "{}", size_of::<Fact>());
    }
}
