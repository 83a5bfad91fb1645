//! What of a window expires together: kept as small as it can be, since most of the memory of a
//! worker is this.
//!
//! ```text
//! count   until, 48 bit │ how many, 16 bit                    8 bytes
//! sum     until, 48 bit │ how many, 16 bit │ sum, 64 bit     16 bytes
//! ```
//!
//! What does not fit into a pane goes into another one with the same end. So small a pane is only
//! for what is never taken back; a record of a table may be, and is found in a [`Wide`] one.

use std::collections::VecDeque;

use propice_model::LogicalTime;

use crate::invariant::broken;

/// Items that expire together.
pub(in crate::fused) trait Pane<I>: Sized {
    /// With one item.
    fn new(until: LogicalTime, item: I) -> Self;
    /// The first time at which they count no more.
    fn until(&self) -> LogicalTime;
    /// All items as one.
    fn item(&self) -> I;
    /// Adds an item. `false` when there is no room for it.
    fn add(&mut self, item: &I) -> bool;
    /// Takes an item away that was added. `None` when it is not here; otherwise whether nothing is
    /// left.
    fn remove(&mut self, _item: &I) -> Option<bool> {
        broken("something was taken back from a feature from which the plan says that nothing is")
    }
}

/// Something of which there can be more or less.
pub(in crate::fused) trait Amount: Clone {
    fn plus(&mut self, other: &Self);
    fn minus(&mut self, other: &Self);
    fn is_nothing(&self) -> bool;
}

/// The sum of whole numbers of units, and how many they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::fused) struct Total {
    pub(super) n: i64,
    pub(super) units: i128,
}

/// Any items, as one amount.
pub(in crate::fused) struct Wide<I> {
    until: LogicalTime,
    all: I,
}

impl<I: Amount> Pane<I> for Wide<I> {
    fn new(until: LogicalTime, item: I) -> Self {
        Wide { until, all: item }
    }

    fn until(&self) -> LogicalTime {
        self.until
    }

    fn item(&self) -> I {
        self.all.clone()
    }

    fn add(&mut self, item: &I) -> bool {
        self.all.plus(item);
        true
    }

    fn remove(&mut self, item: &I) -> Option<bool> {
        self.all.minus(item);
        Some(self.all.is_nothing())
    }
}

/// One item.
pub(in crate::fused) struct Single<I> {
    until: LogicalTime,
    item: I,
}

impl<I: Clone + PartialEq> Pane<I> for Single<I> {
    fn new(until: LogicalTime, item: I) -> Self {
        Single { until, item }
    }

    fn until(&self) -> LogicalTime {
        self.until
    }

    fn item(&self) -> I {
        self.item.clone()
    }

    fn add(&mut self, _item: &I) -> bool {
        false
    }

    fn remove(&mut self, item: &I) -> Option<bool> {
        (self.item == *item).then_some(true)
    }
}

/// How many.
#[derive(Clone, Copy)]
pub(in crate::fused) struct Counted(u64);

impl Counted {
    const BITS: u32 = 16;
    const MOST: u64 = (1 << Counted::BITS) - 1;
    /// Later than any event, so that what expires then never does.
    const LAST: LogicalTime = u64::MAX >> Counted::BITS;

    fn count(self) -> u64 {
        self.0 & Counted::MOST
    }
}

impl Pane<i64> for Counted {
    fn new(until: LogicalTime, _one: i64) -> Self {
        Counted(until.min(Counted::LAST) << Counted::BITS | 1)
    }

    #[inline]
    fn until(&self) -> LogicalTime {
        self.0 >> Counted::BITS
    }

    fn item(&self) -> i64 {
        self.count() as i64
    }

    #[inline]
    fn add(&mut self, _one: &i64) -> bool {
        let has_room = self.count() < Counted::MOST;
        self.0 += u64::from(has_room);
        has_room
    }
}

/// How many, and their sum.
#[derive(Clone, Copy)]
pub(in crate::fused) struct Summed {
    counted: Counted,
    units: i64,
}

impl Pane<Total> for Summed {
    fn new(until: LogicalTime, item: Total) -> Self {
        Summed { counted: Counted::new(until, 1), units: item.units as i64 }
    }

    #[inline]
    fn until(&self) -> LogicalTime {
        self.counted.until()
    }

    fn item(&self) -> Total {
        Total { n: self.counted.item(), units: i128::from(self.units) }
    }

    #[inline]
    fn add(&mut self, item: &Total) -> bool {
        match self.units.checked_add(item.units as i64) {
            Some(units) if self.counted.add(&1) => {
                self.units = units;
                true
            }
            _ => false,
        }
    }
}

/// Makes room in a ring for one more: a few at a time while it is short, since there are many of
/// them.
#[inline]
pub(super) fn make_room<T>(ring: &mut VecDeque<T>) {
    const SHORT: usize = 64;
    if ring.len() == ring.capacity() && ring.len() < SHORT {
        ring.reserve_exact(if size_of::<T>() > 16 { 1 } else { 4 });
    }
}

/// Gives the memory of an empty ring back.
#[inline]
pub(super) fn let_go<T>(ring: &mut VecDeque<T>) {
    if ring.is_empty() {
        *ring = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_are_as_small_as_told() {
        assert_eq!((size_of::<Counted>(), size_of::<Summed>()), (8, 16));
    }

    #[test]
    fn what_does_not_fit_goes_elsewhere() {
        let mut pane = Counted::new(1_000, 1);
        for _ in 1..Counted::MOST {
            assert!(pane.add(&1));
        }
        assert!(!pane.add(&1));
        assert_eq!((pane.until(), pane.item()), (1_000, 65_535));
        let one = |units| Total { n: 1, units };
        let mut pane = Summed::new(7, one(i128::from(i64::MAX)));
        assert!(!pane.add(&one(1)));
        assert!(pane.add(&one(-1)));
        assert_eq!(pane.item(), Total { n: 2, units: i128::from(i64::MAX) - 1 });
    }

    #[test]
    fn a_wide_pane_gives_back_what_was_added() {
        let mut pane = Wide::new(7, 1_i64);
        assert!(pane.add(&1));
        assert_eq!((pane.remove(&1), pane.item(), pane.remove(&1)), (Some(false), 1, Some(true)));
    }

    #[test]
    fn an_end_beyond_all_time_stays_there() {
        assert!(Counted::new(u64::MAX, 1).until() > propice_model::time::LATEST_EVENT_TIME_MS);
    }
}
