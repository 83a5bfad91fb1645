//! What is due when: a monotone priority queue in buckets of time.
//!
//! A radix heap (Ahuja, Mehlhorn, Orlin, Tarjan, *Faster algorithms for the shortest path problem*,
//! 1990). Times only ever move forward, so an entry sits in the bucket of the highest bit in which
//! its time differs from the last time that was handed over. An entry moves to a lower bucket at
//! most 64 times in its life, in practice a few times, and always as part of a sequential pass: a
//! deadline years away costs no more than one seconds away, and waiting costs nothing.
//!
//! ```text
//! last = 0b0100        bucket 0: 0100   bucket 1: 0101   bucket 2: 011x   bucket 4: 1xxx …
//! ```

use propice_model::LogicalTime;

const BUCKETS: usize = 65;
/// Entries for which an empty bucket keeps its memory. A great one fills again in hours.
const KEPT: usize = 4_096;

/// Entities (by dense index) and the times at which they have to be looked at again.
#[derive(Debug)]
pub(super) struct Deadlines {
    last: LogicalTime,
    buckets: Vec<Vec<(LogicalTime, u32)>>,
    /// Least time in each bucket; `LogicalTime::MAX` for an empty one.
    least: [LogicalTime; BUCKETS],
    /// The buckets that are not empty, one bit each.
    occupied: u128,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines { last: 0, buckets: vec![Vec::new(); BUCKETS], least: [LogicalTime::MAX; BUCKETS], occupied: 0 }
    }
}

impl Deadlines {
    /// Adds an entry. Its time is at or after the last one handed over.
    #[inline]
    pub(super) fn push(&mut self, time: LogicalTime, entry: u32) {
        debug_assert!(time >= self.last, "deadlines are never in the past");
        let bucket = self.bucket(time);
        self.buckets[bucket].push((time, entry));
        self.least[bucket] = self.least[bucket].min(time);
        self.occupied |= 1 << bucket;
    }

    /// The least time of any entry.
    #[inline]
    pub(super) fn next(&self) -> Option<LogicalTime> {
        if self.occupied == 0 { None } else { Some(self.least[self.occupied.trailing_zeros() as usize]) }
    }

    /// Hands over all entries of the least time, when that is at or before `time`.
    pub(super) fn pop_until(&mut self, time: LogicalTime, mut each: impl FnMut(u32)) {
        while let Some(next) = self.next().filter(|&next| next <= time) {
            self.advance(next);
            self.least[0] = LogicalTime::MAX;
            self.occupied &= !1;
            for (_, entry) in self.buckets[0].drain(..) {
                each(entry);
            }
        }
    }

    /// Makes `next`, the least time of all entries, the last one, so that its entries are in bucket
    /// 0.
    fn advance(&mut self, next: LogicalTime) {
        let from = self.bucket(next);
        self.last = next;
        if from == 0 {
            return;
        }
        let mut moving = std::mem::take(&mut self.buckets[from]);
        self.least[from] = LogicalTime::MAX;
        self.occupied &= !(1 << from);
        for (time, entry) in moving.drain(..) {
            self.push(time, entry);
        }
        // All of them went to lower buckets. A small allocation is kept for the next ones.
        if moving.capacity() <= KEPT {
            self.buckets[from] = moving;
        }
    }

    fn bucket(&self, time: LogicalTime) -> usize {
        (LogicalTime::BITS - (time ^ self.last).leading_zeros()) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hands_over_like_a_sorted_map(steps in prop::collection::vec((0_u64..50, 0_u64..(1 << 40)), 1..200)) {
            let mut queue = Deadlines::default();
            let mut sorted: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            let mut now = 0;
            for (number, (step, ahead)) in steps.into_iter().enumerate() {
                queue.push(now + ahead, number as u32);
                sorted.entry(now + ahead).or_default().push(number as u32);
                now += step * step * step * step * step;
                prop_assert_eq!(queue.next(), sorted.keys().next().copied());
                let mut popped = Vec::new();
                queue.pop_until(now, |entry| popped.push(entry));
                let later = sorted.split_off(&(now + 1));
                let mut expected: Vec<u32> = std::mem::replace(&mut sorted, later).into_values().flatten().collect();
                popped.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(popped, expected);
            }
        }
    }
}
