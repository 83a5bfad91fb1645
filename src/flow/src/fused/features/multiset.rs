//! Aggregates over the values themselves: `min max distinct set top`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use propice_model::Value;

use crate::invariant::broken;
use crate::state::Kept;

use super::kept::{kept_value, times, values};
use super::panes::Single;
use super::{Accumulate, Contributed};

/// The values that count, each with how often it does.
#[derive(Default)]
pub(super) struct Multiset {
    values: BTreeMap<Value, u64>,
}

impl Accumulate for Multiset {
    type Item = Value;
    type Pane = Single<Value>;
    type Retractable = Single<Value>;

    fn item(contributed: &Contributed<'_>) -> Value {
        contributed.value.clone()
    }

    fn insert(&mut self, item: &Value) {
        count_one(&mut self.values, item);
    }

    fn retract(&mut self, item: &Value) {
        if !uncount_one(&mut self.values, item) {
            broken("a value that no feature holds was taken back");
        }
    }

    fn kept(item: &Value) -> Kept {
        kept_value(item)
    }

    fn items(kept: &Kept, each: &mut dyn FnMut(&Value)) -> bool {
        values(kept, each)
    }

    fn all(&self) -> Vec<Kept> {
        self.values.iter().map(|(value, &count)| times(kept_value(value), count)).collect()
    }
}

/// Counts an item once more. Only one that is new is cloned.
pub(super) fn count_one<T: Clone + Ord>(counts: &mut BTreeMap<T, u64>, item: &T) {
    if let Some(count) = counts.get_mut(item) {
        *count += 1;
    } else {
        counts.insert(item.clone(), 1);
    }
}

/// Counts an item once less; whether it was counted.
pub(super) fn uncount_one<T: Ord>(counts: &mut BTreeMap<T, u64>, item: &T) -> bool {
    match counts.get_mut(item) {
        Some(1) => drop(counts.remove(item)),
        Some(count) => *count -= 1,
        None => return false,
    }
    true
}

impl Multiset {
    pub(super) fn min(&self) -> Value {
        self.values.keys().next().cloned().unwrap_or_default()
    }

    pub(super) fn max(&self) -> Value {
        self.values.keys().next_back().cloned().unwrap_or_default()
    }

    pub(super) fn distinct(&self) -> Value {
        Value::Int(self.values.len() as i64)
    }

    pub(super) fn set(&self, at_most: usize) -> Value {
        list(self.values.keys().take(at_most).cloned().collect())
    }

    pub(super) fn top(&self) -> Value {
        let most = self.values.iter().max_by_key(|&(value, &count)| (count, Reverse(value)));
        most.map(|(value, _)| value.clone()).unwrap_or_default()
    }

    pub(super) fn top_list(&self, at_most: usize) -> Value {
        let mut ranked: Vec<(Reverse<u64>, &Value)> =
            self.values.iter().map(|(value, &count)| (Reverse(count), value)).collect();
        ranked.sort_unstable();
        list(ranked.into_iter().take(at_most).map(|(_, value)| value.clone()).collect())
    }
}

fn list(values: Vec<Value>) -> Value {
    if values.is_empty() { Value::Null } else { Value::List(Arc::from(values)) }
}

/// Which of two values is kept.
pub(super) trait Prefer {
    /// Whether `new` is kept instead of `old`.
    fn replaces(new: &Value, old: &Value) -> bool;
}

/// Keeps the least.
pub(super) struct Least;
impl Prefer for Least {
    fn replaces(new: &Value, old: &Value) -> bool {
        new < old
    }
}

/// Keeps the greatest.
pub(super) struct Greatest;
impl Prefer for Greatest {
    fn replaces(new: &Value, old: &Value) -> bool {
        new > old
    }
}

/// The best of values none of which is ever taken back.
pub(super) struct Extreme<P> {
    best: Value,
    prefer: std::marker::PhantomData<P>,
}

impl<P> Default for Extreme<P> {
    fn default() -> Self {
        Extreme { best: Value::Null, prefer: std::marker::PhantomData }
    }
}

impl<P: Prefer> Accumulate for Extreme<P> {
    type Item = Value;
    type Pane = Single<Value>;
    type Retractable = Single<Value>;

    fn item(contributed: &Contributed<'_>) -> Value {
        contributed.value.clone()
    }

    fn insert(&mut self, item: &Value) {
        if self.best.is_null() || P::replaces(item, &self.best) {
            self.best = item.clone();
        }
    }

    fn retract(&mut self, _item: &Value) {
        broken("something was taken back from a feature from which the plan says that nothing is");
    }

    fn kept(item: &Value) -> Kept {
        kept_value(item)
    }

    fn items(kept: &Kept, each: &mut dyn FnMut(&Value)) -> bool {
        values(kept, each)
    }

    fn all(&self) -> Vec<Kept> {
        if self.best.is_null() { Vec::new() } else { vec![kept_value(&self.best)] }
    }
}

impl<P> Extreme<P> {
    pub(super) fn value(&self) -> Value {
        self.best.clone()
    }
}
