//! Features: what is aggregated, how, and for how long a record counts.

use crate::expr::Expr;
use propice_model::{Duration, FieldId, InputId, KindId, Type};

/// An incrementally maintained aggregate of an entity.
#[derive(Debug)]
pub struct Feature {
    /// Its name; `table.field` for one that stands for a field of a table.
    pub name: String,
    /// The type of its value.
    pub ty: Type,
    /// What is aggregated.
    pub source: FeatureSource,
    /// How.
    pub aggregate: Aggregate,
    /// The argument of the aggregate; `None` for `count = true`.
    pub argument: Option<Expr>,
    /// Only what fulfils it counts.
    pub filter: Option<Expr>,
    /// During which interval a record counts.
    pub interval: Interval,
    /// Whether contributions can be taken back before their interval ends: of tables and rollups,
    /// yes.
    pub retracts: bool,
    /// Not declared but implied (`table.field` in an expression): not shown in views.
    pub implied: bool,
    /// For people.
    pub description: Option<String>,
}

/// What a feature aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureSource {
    /// The records of an input; the field names the entity.
    Records {
        /// The stream or table.
        input: InputId,
        /// The field with the id of the entity.
        key: FieldId,
    },
    /// The views of the entities of this kind that belong to the customer. Expressions are over the
    /// slots of the entity.
    Entities(KindId),
}

/// How a feature aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// How many.
    Count,
    /// Their exact sum.
    Sum,
    /// Their mean.
    Avg,
    /// Their standard deviation, of the population.
    Stddev,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The earliest, by event time, `order`, value.
    First,
    /// The latest, by event time, `order`, value.
    Last,
    /// How many different ones.
    Distinct,
    /// Which, the so many least.
    Set(usize),
    /// The most frequent one.
    Top,
    /// The so many most frequent ones.
    TopList(usize),
}

impl Aggregate {
    /// What it is called; how many are shown is no part of it. Stored: never changes.
    pub fn name(self) -> &'static str {
        match self {
            Aggregate::Count => "count",
            Aggregate::Sum => "sum",
            Aggregate::Avg => "avg",
            Aggregate::Stddev => "stddev",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
            Aggregate::First => "first",
            Aggregate::Last => "last",
            Aggregate::Distinct => "distinct",
            Aggregate::Set(_) => "set",
            Aggregate::Top => "top",
            Aggregate::TopList(_) => "top list",
        }
    }
}

/// During which interval of logical time a record counts.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one per feature of a plan")]
pub enum Interval {
    /// `[t, ∞)`
    Always,
    /// `[t, e + length)`, or until the end of the pane in which that falls.
    Window {
        /// Length of the window, in ms.
        length_ms: Duration,
        /// Length of a pane, in ms.
        pane_ms: Option<Duration>,
    },
    /// `[max(t, from), until)`
    During {
        /// An expression of type time over the record.
        from: Expr,
        /// An expression of type time over the record.
        until: Expr,
    },
}

impl Interval {
    /// Whether a contribution ceases to count by itself.
    pub fn ends(&self) -> bool {
        !matches!(self, Interval::Always)
    }
}
