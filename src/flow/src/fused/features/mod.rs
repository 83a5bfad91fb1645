//! Features: one column of state per feature, one entry per entity.
//!
//! A column takes what records contribute ([`Column::insert`]), takes it back
//! ([`Column::retract`]), lets it expire, and says what the aggregate is now. It is a pure function
//! of the multiset of contributions that count: the order in which they came leaves no trace. A new
//! kind of feature is a new file here and a line in [`column()`].
//!
//! ```text
//!            give / take                        value
//! record ───────────────▶ accumulator ───────────────────▶ slot of the view
//!             │               ▲
//!             └─▶ due ────────┘ expire: what counts until now or earlier
//! ```
//!
//! Checked by the oracle of `tests/properties` at every logical time, and against the `reference`
//! engine.

mod kept;
mod latest;
mod monotone_window;
mod multiset;
mod panes;
mod totals;
mod windowed;

use propice_define::expr::Predicate;
use propice_define::plan::{Aggregate, Feature};
use propice_model::time::FOREVER;
use propice_model::{EventTime, LogicalTime, Type, Value};

pub(crate) use kept::fits;

use crate::state::{Held, Kept};

use latest::{Earliest, Latest, Sequence};
use monotone_window::{EarliestFirst, LatestFirst, MonotoneWindow, WindowedValues};
use multiset::{Extreme, Greatest, Least, Multiset};
use panes::Pane;
use panes::Total;
use totals::{Count, FloatTotal, Squared};
use windowed::{Always, Windowed};

/// A contribution, as a column takes it.
#[derive(Clone, Copy, Debug)]
pub(in crate::fused) struct Contributed<'a> {
    /// The first logical time at which it counts no more.
    pub until: LogicalTime,
    /// When it happened.
    pub event_time: EventTime,
    /// The input's `order` field.
    pub order: &'a Value,
    /// The argument of the aggregate.
    pub value: &'a Value,
}

/// The state of one feature for all entities of this worker.
pub(in crate::fused) trait Column {
    /// Makes room for one more entity, to which nothing contributes yet.
    fn grow(&mut self);
    /// A contribution begins to count.
    fn insert(&mut self, entity: u32, contributed: &Contributed<'_>);
    /// A contribution that was given and has not expired is taken back.
    fn retract(&mut self, entity: u32, contributed: &Contributed<'_>);
    /// Lets go of all that counts until `now` or earlier.
    fn expire(&mut self, entity: u32, now: LogicalTime);
    /// The next time at which something expires; `FOREVER` when nothing does.
    fn deadline(&self, entity: u32) -> LogicalTime;
    /// The value of the feature.
    fn value(&self, entity: u32) -> Value;
    /// What counts behind `now`, by meaning, in any order.
    fn held(&self, entity: u32, now: LogicalTime) -> Vec<Held>;
    /// Takes what an entity held; `false` when it is not of such a feature.
    fn restore(&mut self, entity: u32, held: &Held) -> bool;
    /// The first expiry behind which a predicate that holds may hold no more, if nothing else
    /// happens. Earlier is allowed, later is not.
    fn holds_until(&self, entity: u32, _guard: &Predicate) -> LogicalTime {
        self.deadline(entity)
    }
    /// Brings what is kept of an entity near, which is soon needed
    /// ([`super::entities::Entities::prefetch`]).
    fn prefetch(&self, _entity: u32) {}
}

/// What a column keeps of one entity's contributions.
pub(in crate::fused) trait Accumulate: Default {
    /// What it takes to give a contribution, and to take it back.
    type Item: Clone + PartialEq;
    /// Items of streams that expire together.
    type Pane: Pane<Self::Item>;
    /// The same of tables, whose records are taken back when they change.
    type Retractable: Pane<Self::Item>;
    /// What is needed of a contribution.
    fn item(contributed: &Contributed<'_>) -> Self::Item;
    /// An item begins to count.
    fn insert(&mut self, item: &Self::Item);
    /// An item counts no more.
    fn retract(&mut self, item: &Self::Item);
    /// An item, by meaning.
    fn kept(item: &Self::Item) -> Kept;
    /// Hands over the items that something stands for; `false` when it stands for none of these.
    fn items(kept: &Kept, each: &mut dyn FnMut(&Self::Item)) -> bool;
    /// All that counts, by meaning.
    fn all(&self) -> Vec<Kept>;
    /// Adds what counted.
    fn restore(&mut self, kept: &Kept) -> bool {
        Self::items(kept, &mut |item| self.insert(item))
    }
    /// The same again, where that costs nothing: to see what would come of it.
    fn copied(&self) -> Option<Self> {
        None
    }
}

/// The column of a feature.
pub(in crate::fused) fn column(feature: &Feature) -> Box<dyn Column> {
    let ty = feature.argument.as_ref().map_or(Type::Bool, |argument| argument.ty().clone());
    let result = feature.ty.clone();
    match feature.aggregate {
        Aggregate::Count => build(feature, |count: &Count| count.value()),
        Aggregate::Sum if ty == Type::Float => build(feature, FloatTotal::sum),
        Aggregate::Avg if ty == Type::Float => build(feature, FloatTotal::avg),
        Aggregate::Sum => build(feature, move |total: &Total| total.sum(&result)),
        Aggregate::Avg => build(feature, move |total: &Total| total.avg(&result)),
        Aggregate::Stddev => build(feature, move |squared: &Squared| squared.stddev(&ty)),
        Aggregate::Min if keeps_one(feature) => build(feature, |extreme: &Extreme<Least>| extreme.value()),
        Aggregate::Max if keeps_one(feature) => build(feature, |extreme: &Extreme<Greatest>| extreme.value()),
        Aggregate::First if keeps_one(feature) => build(feature, |first: &Earliest| first.value()),
        Aggregate::Last if keeps_one(feature) => build(feature, |last: &Latest| last.value()),
        Aggregate::Min if only_expires(feature) => Box::new(MonotoneWindow::<Least>::new()),
        Aggregate::Max if only_expires(feature) => Box::new(MonotoneWindow::<Greatest>::new()),
        Aggregate::First if only_expires(feature) => Box::new(MonotoneWindow::<EarliestFirst>::new()),
        Aggregate::Last if only_expires(feature) => Box::new(MonotoneWindow::<LatestFirst>::new()),
        Aggregate::Distinct if only_expires(feature) => Box::new(WindowedValues::new(None)),
        Aggregate::Set(at_most) if only_expires(feature) => Box::new(WindowedValues::new(Some(at_most))),
        Aggregate::Min => build(feature, Multiset::min),
        Aggregate::Max => build(feature, Multiset::max),
        Aggregate::First => build(feature, Sequence::first),
        Aggregate::Last => build(feature, Sequence::last),
        Aggregate::Distinct => build(feature, Multiset::distinct),
        Aggregate::Set(at_most) => build(feature, move |bag: &Multiset| bag.set(at_most)),
        Aggregate::Top => build(feature, Multiset::top),
        Aggregate::TopList(at_most) => build(feature, move |bag: &Multiset| bag.top_list(at_most)),
    }
}

/// Whether nothing that was given ever goes: then the best is all that has to be kept.
fn keeps_one(feature: &Feature) -> bool {
    !feature.retracts && !feature.interval.ends()
}

/// Whether what was given goes by expiring, and in no other way.
fn only_expires(feature: &Feature) -> bool {
    !feature.retracts && feature.interval.ends()
}

fn build<A: Accumulate + 'static>(feature: &Feature, read: impl Fn(&A) -> Value + 'static) -> Box<dyn Column> {
    match (feature.interval.ends(), feature.retracts) {
        (false, _) => Box::new(Always::new(read)),
        (true, true) => Box::new(Windowed::<A, A::Retractable, _>::new(read)),
        (true, false) => Box::new(Windowed::<A, A::Pane, _>::new(read)),
    }
}

/// `FOREVER`, or the given time.
fn or_forever(time: Option<LogicalTime>) -> LogicalTime {
    time.unwrap_or(FOREVER)
}
