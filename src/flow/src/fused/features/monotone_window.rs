//! Windows over values that are never taken back: what can still matter is kept, and nothing else.
//!
//! A record of a stream leaves a window only by expiring. So of equal values only the one that
//! lasts longest matters to `distinct` and `set`, and a value matters to `min`, `max`, `first` or
//! `last` only as long as no better one lasts at least as long. What is kept is bounded by the
//! different values of a window, or by its descending steps, however many records fall into it.
//!
//! ```text
//! max, by expiry ──▶    9 until 10:00 · 7 until 10:20 · 2 until 10:45        (a 5 until 10:10 came, and is not kept: the 7 lasts longer)
//! ```

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;

use propice_define::expr::Predicate;
use propice_model::time::FOREVER;
use propice_model::{LogicalTime, Value};

use crate::invariant::broken;
use crate::state::{Held, Kept};

use super::super::chunked_vec::ChunkedVec;
use super::kept::{kept_place, kept_value, places, values};
use super::latest::{Place, place};
use super::multiset::Prefer;
use super::panes::{let_go, make_room};
use super::{Column, Contributed};

/// The different values of a window, each with when the last of them expires.
#[derive(Default)]
struct Different {
    /// In the order of the values.
    values: Vec<(Value, LogicalTime)>,
    /// The least expiry.
    least: LogicalTime,
}

impl Different {
    fn insert(&mut self, value: &Value, until: LogicalTime) {
        match self.values.binary_search_by(|(known, _)| known.cmp(value)) {
            Ok(at) => {
                let before = self.values[at].1;
                self.values[at].1 = until.max(before);
                if before == self.least {
                    self.find_least();
                }
            }
            Err(at) => {
                if self.values.len() == self.values.capacity() {
                    self.values.reserve_exact(2);
                }
                self.values.insert(at, (value.clone(), until));
                self.least = if self.values.len() == 1 { until } else { self.least.min(until) };
            }
        }
    }

    fn expire(&mut self, now: LogicalTime) {
        self.values.retain(|(_, until)| *until > now);
        if self.values.is_empty() {
            self.values = Vec::new();
        }
        self.find_least();
    }

    fn find_least(&mut self) {
        self.least = self.values.iter().map(|(_, until)| *until).min().unwrap_or(FOREVER);
    }
}

/// `distinct` and `set` over a window of a stream.
pub(super) struct WindowedValues {
    entities: ChunkedVec<Different>,
    /// How many values are shown; `None`: how many there are.
    shown: Option<usize>,
}

impl WindowedValues {
    pub(super) fn new(shown: Option<usize>) -> WindowedValues {
        WindowedValues { entities: ChunkedVec::new(), shown }
    }
}

impl Column for WindowedValues {
    fn grow(&mut self) {
        self.entities.push(Different { values: Vec::new(), least: FOREVER });
    }

    fn insert(&mut self, entity: u32, contributed: &Contributed<'_>) {
        self.entities[entity].insert(contributed.value, contributed.until);
    }

    fn retract(&mut self, _entity: u32, _given: &Contributed<'_>) {
        broken("something was taken back from a feature from which the plan says that nothing is");
    }

    fn expire(&mut self, entity: u32, now: LogicalTime) {
        self.entities[entity].expire(now);
    }

    fn deadline(&self, entity: u32) -> LogicalTime {
        self.entities[entity].least
    }

    fn holds_until(&self, entity: u32, predicate: &Predicate) -> LogicalTime {
        const FEW: usize = 16;
        let values = &self.entities[entity].values;
        if self.shown.is_some() || values.len() > FEW {
            return self.deadline(entity);
        }
        let mut ends = [FOREVER; FEW];
        ends.iter_mut().zip(values).for_each(|(end, (_, until))| *end = *until);
        let ends = &mut ends[..values.len()];
        ends.sort_unstable();
        let left = |position: usize| Value::Int((values.len() - position - 1) as i64);
        let broken = (0..ends.len()).find(|position| !predicate.holds(&left(*position)));
        broken.map_or(self.deadline(entity), |position| ends[position])
    }

    fn prefetch(&self, entity: u32) {
        black_box(self.entities[entity].values.first().map(|(_, until)| *until));
    }

    fn held(&self, entity: u32, now: LogicalTime) -> Vec<Held> {
        let values = self.entities[entity].values.iter().filter(|(_, until)| *until > now);
        values.map(|(value, until)| Held { until: *until, kept: kept_value(value) }).collect()
    }

    fn restore(&mut self, entity: u32, held: &Held) -> bool {
        values(&held.kept, &mut |value| self.entities[entity].insert(value, held.until))
    }

    fn value(&self, entity: u32) -> Value {
        let values = &self.entities[entity].values;
        match self.shown {
            None => Value::Int(values.len() as i64),
            Some(_) if values.is_empty() => Value::Null,
            Some(at_most) => {
                let shown: Vec<Value> = values.iter().take(at_most).map(|(value, _)| value.clone()).collect();
                Value::List(Arc::from(shown))
            }
        }
    }
}

/// What is wanted of a window: the best contribution by some order.
pub(super) trait Best: 'static {
    /// What contributions are compared by.
    type Key: Clone;
    /// The key of a contribution.
    fn key(contributed: &Contributed<'_>) -> Self::Key;
    /// Whether one is better than another.
    fn beats(one: &Self::Key, other: &Self::Key) -> bool;
    /// The value behind a key.
    fn value(key: &Self::Key) -> Value;
    /// A key, by meaning.
    fn kept(key: &Self::Key) -> Kept;
    /// Hands over the key that something stands for; `false` when it stands for none of these.
    fn keys(kept: &Kept, each: &mut dyn FnMut(&Self::Key)) -> bool;
}

impl<P: Prefer + 'static> Best for P {
    type Key = Value;

    fn key(contributed: &Contributed<'_>) -> Value {
        contributed.value.clone()
    }

    fn beats(one: &Value, other: &Value) -> bool {
        P::replaces(one, other)
    }

    fn value(key: &Value) -> Value {
        key.clone()
    }

    fn kept(key: &Value) -> Kept {
        kept_value(key)
    }

    fn keys(kept: &Kept, each: &mut dyn FnMut(&Value)) -> bool {
        values(kept, each)
    }
}

/// `first` over a window.
pub(super) struct EarliestFirst;
/// `last` over a window.
pub(super) struct LatestFirst;

macro_rules! by_place {
    ($name:ident, $better:tt) => {
        impl Best for $name {
            type Key = Place;

            fn key(contributed: &Contributed<'_>) -> Place {
                place(contributed)
            }

            fn beats(one: &Place, other: &Place) -> bool {
                one $better other
            }

            fn value((_, _, value): &Place) -> Value {
                value.clone()
            }

            fn kept(key: &Place) -> Kept {
                kept_place(key)
            }

            fn keys(kept: &Kept, each: &mut dyn FnMut(&Place)) -> bool {
                places(kept, each)
            }
        }
    };
}

by_place!(EarliestFirst, <);
by_place!(LatestFirst, >);

/// `min`, `max`, `first` and `last` over a window of a stream.
pub(super) struct MonotoneWindow<B: Best> {
    /// By expiry, each worse than the one before it.
    entities: ChunkedVec<VecDeque<(LogicalTime, B::Key)>>,
}

impl<B: Best> MonotoneWindow<B> {
    pub(super) fn new() -> MonotoneWindow<B> {
        MonotoneWindow { entities: ChunkedVec::new() }
    }

    fn add(&mut self, entity: u32, until: LogicalTime, key: B::Key) {
        let steps = &mut self.entities[entity];
        // Whatever expires later and is not worse makes it superfluous; whatever expires sooner and
        // is not better becomes so.
        let mut at = steps.partition_point(|(known, _)| *known < until);
        if steps.get(at).is_some_and(|(_, known)| !B::beats(&key, known)) {
            return;
        }
        if steps.get(at).is_some_and(|(known, _)| *known == until) {
            steps.remove(at);
        }
        while at > 0 && !B::beats(&steps[at - 1].1, &key) {
            at -= 1;
            steps.remove(at);
        }
        make_room(steps);
        steps.insert(at, (until, key));
    }
}

impl<B: Best> Column for MonotoneWindow<B> {
    fn grow(&mut self) {
        self.entities.push(VecDeque::new());
    }

    fn insert(&mut self, entity: u32, contributed: &Contributed<'_>) {
        self.add(entity, contributed.until, B::key(contributed));
    }

    fn held(&self, entity: u32, now: LogicalTime) -> Vec<Held> {
        let steps = self.entities[entity].iter().filter(|(until, _)| *until > now);
        steps.map(|(until, key)| Held { until: *until, kept: B::kept(key) }).collect()
    }

    fn restore(&mut self, entity: u32, held: &Held) -> bool {
        B::keys(&held.kept, &mut |key| self.add(entity, held.until, key.clone()))
    }

    fn retract(&mut self, _entity: u32, _given: &Contributed<'_>) {
        broken("something was taken back from a feature from which the plan says that nothing is");
    }

    fn expire(&mut self, entity: u32, now: LogicalTime) {
        let steps = &mut self.entities[entity];
        while steps.pop_front_if(|(until, _)| *until <= now).is_some() {}
        let_go(steps);
    }

    fn deadline(&self, entity: u32) -> LogicalTime {
        self.entities[entity].front().map_or(FOREVER, |(until, _)| *until)
    }

    fn holds_until(&self, entity: u32, predicate: &Predicate) -> LogicalTime {
        // Each is worse than the one before: the last one that fulfils the predicate keeps it.
        let steps = self.entities[entity].iter();
        steps
            .take_while(|(_, key)| predicate.holds(&B::value(key)))
            .last()
            .map_or(self.deadline(entity), |(until, _)| *until)
    }

    fn prefetch(&self, entity: u32) {
        black_box(self.entities[entity].back().map(|(until, _)| *until));
    }

    fn value(&self, entity: u32) -> Value {
        self.entities[entity].front().map(|(_, key)| B::value(key)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::multiset::{Greatest, Least};
    use super::*;
    use propice_define::expr::Side;

    fn contributed(until: LogicalTime, value: &Value) -> Contributed<'_> {
        Contributed { until, event_time: 0, order: &Value::Null, value }
    }

    proptest! {
        #[test]
        fn they_say_what_all_values_together_say(
            steps in prop::collection::vec((1_u64..40, 0_i64..6, 0_u64..4), 1..80),
        ) {
            let (mut most, mut least) = (MonotoneWindow::<Greatest>::new(), MonotoneWindow::<Least>::new());
            let (mut count, mut which) = (WindowedValues::new(None), WindowedValues::new(Some(3)));
            let mut all: Vec<(u64, i64)> = Vec::new();
            let mut now = 0;
            {
                let columns: [&mut dyn Column; 4] = [&mut most, &mut least, &mut count, &mut which];
                columns.into_iter().for_each(Column::grow);
            }
            for (ahead, number, step) in steps {
                let value = Value::Int(number);
                now += step;
                all.push((now + ahead, number));
                all.retain(|(until, _)| *until > now);
                let columns: [&mut dyn Column; 4] = [&mut most, &mut least, &mut count, &mut which];
                for column in columns {
                    column.expire(0, now);
                    column.insert(0, &contributed(now + ahead, &value));
                    prop_assert!(column.deadline(0) > now);
                }
                let mut numbers: Vec<i64> = all.iter().map(|(_, number)| *number).collect();
                numbers.sort_unstable();
                numbers.dedup();
                let shown: Vec<Value> = numbers.iter().take(3).map(|number| Value::Int(*number)).collect();
                // A predicate ends with the first expiry that breaks it.
                for constant in 0..6 {
                    let predicate = |side| Predicate { slot: 0, side, constant: Value::Int(constant), inclusive: true };
                    let (above, below) = (predicate(Side::Above), predicate(Side::Below));
                    let left_at = |time: u64| all.iter().filter(move |(until, _)| *until > time).map(|(_, number)| *number);
                    let ends = |holds: &dyn Fn(u64) -> bool| all.iter().map(|(until, _)| *until).filter(|until| !holds(*until)).min();
                    let different = |time: u64| left_at(time).collect::<std::collections::BTreeSet<_>>().len() as i64;
                    if above.holds(&most.value(0)) {
                        prop_assert_eq!(Some(most.holds_until(0, &above)), ends(&|time| left_at(time).any(|number| number >= constant)));
                    }
                    if below.holds(&least.value(0)) {
                        prop_assert_eq!(Some(least.holds_until(0, &below)), ends(&|time| left_at(time).any(|number| number <= constant)));
                    }
                    if constant > 0 && above.holds(&count.value(0)) {
                        prop_assert_eq!(Some(count.holds_until(0, &above)), ends(&|time| different(time) >= constant));
                    }
                }
                prop_assert_eq!(most.value(0), Value::Int(numbers[numbers.len() - 1]));
                prop_assert_eq!(least.value(0), Value::Int(numbers[0]));
                prop_assert_eq!(count.value(0), Value::Int(numbers.len() as i64));
                prop_assert_eq!(which.value(0), Value::List(Arc::from(shown)));
            }
        }
    }
}
