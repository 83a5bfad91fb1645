//! Gives records their logical times, on one worker.
//!
//! ```text
//!            records in order of their partitions
//!                          │
//!         ┌────────────────┴───────────────┐
//!  bound before: the time of         not bound yet: `now`, later than
//!  its binding, once all below       every time before, at most once
//!  its offset have come              for each millisecond
//! ```
//!
//! What earlier generations bound takes its bound time again, whatever comes in between; what comes
//! behind the last binding is bound anew, later than everything that was ever bound or published.

use std::collections::{BTreeMap, VecDeque};

use propice_model::LogicalTime;

use super::PartitionIndex;

/// What takes effect at one logical time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound<R> {
    /// When.
    pub time: LogicalTime,
    /// The records, in order of their partitions, then of their offsets.
    pub records: Vec<R>,
    /// Of every partition that has records in it the first offset that is not bound; empty when
    /// this was bound before.
    pub uppers: Vec<(PartitionIndex, i64)>,
    /// Of partitions that were never read before the offset at which reading begins.
    pub starts: Vec<(PartitionIndex, i64)>,
}

impl<R> Bound<R> {
    /// Whether there is something to be made durable before output at this time is published.
    pub fn is_new(&self) -> bool {
        !self.uppers.is_empty() || !self.starts.is_empty()
    }
}

/// What a worker does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<R> {
    /// Feed these, and go on at the time behind.
    Feed(Bound<R>),
    /// Everything that was bound before is fed: from now on times are new. Told once.
    CaughtUp {
        /// What comes takes effect after this time.
        after: LogicalTime,
    },
    /// There is nothing to do until records come, or the clock goes on.
    Wait,
}

/// Where a partition stands when a generation begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begin {
    /// What was bound before and is to be fed again: times and upper offsets, both increasing.
    pub replay: VecDeque<(LogicalTime, i64)>,
    /// Where reading begins, of a partition that was never read before: that is bound first.
    pub start: Option<i64>,
}

#[derive(Debug)]
struct Queue<R> {
    replay: VecDeque<(LogicalTime, i64)>,
    start: Option<i64>,
    waiting: VecDeque<(i64, R)>,
    /// All that is below this offset has come.
    received: i64,
}

impl<R> From<Begin> for Queue<R> {
    fn from(Begin { replay, start }: Begin) -> Queue<R> {
        Queue { replay, start, waiting: VecDeque::new(), received: 0 }
    }
}

/// Binds the records of the partitions of one worker.
#[derive(Debug)]
pub struct Binder<R> {
    queues: BTreeMap<PartitionIndex, Queue<R>>,
    /// The last time that was fed or passed.
    last: LogicalTime,
    /// No new time is at or before this one.
    floor: LogicalTime,
    live: bool,
    most: usize,
    /// The reading of the clock at which something was bound last.
    bound_at: Option<LogicalTime>,
}

impl<R> Binder<R> {
    /// For these partitions. New times are greater than `floor`; at most so many records are bound
    /// to one time.
    pub fn new(partitions: impl IntoIterator<Item = (PartitionIndex, Begin)>, floor: LogicalTime, most: usize) -> Self {
        let queues = partitions.into_iter().map(|(index, begin)| (index, begin.into())).collect();
        Binder { queues, last: 0, floor, live: false, most, bound_at: None }
    }

    /// A partition that was not there when the generation began, read from `start`.
    pub fn add(&mut self, partition: PartitionIndex, start: i64) {
        let begin = Begin { replay: VecDeque::new(), start: Some(start) };
        self.queues.entry(partition).or_insert_with(|| begin.into());
    }

    /// Takes a record. Those of a partition come in order of their offsets; one that comes again is
    /// left out. Returns whether it was taken.
    pub fn push(&mut self, partition: PartitionIndex, offset: i64, record: R) -> bool {
        let Some(queue) = self.queues.get_mut(&partition).filter(|queue| offset >= queue.received) else {
            return false;
        };
        queue.received = offset + 1;
        queue.waiting.push_back((offset, record));
        true
    }

    /// Nothing comes any more below this offset: the reader has gone past it. The last records that
    /// were bound may have been deleted since, and replay does not wait for them.
    pub fn passed(&mut self, partition: PartitionIndex, offset: i64) {
        if let Some(queue) = self.queues.get_mut(&partition) {
            queue.received = queue.received.max(offset);
        }
    }

    /// How many records of a partition wait.
    pub fn waiting(&self, partition: PartitionIndex) -> usize {
        self.queues.get(&partition).map_or(0, |queue| queue.waiting.len())
    }

    /// Whether any record waits.
    pub fn is_waiting(&self) -> bool {
        self.queues.values().any(|queue| !queue.waiting.is_empty())
    }

    /// Whether what was bound before is not all fed yet.
    pub fn is_replaying(&self) -> bool {
        !self.live
    }

    /// What to do at `now`, a reading of the clock, which may jump.
    pub fn step(&mut self, now: LogicalTime) -> Step<R> {
        if self.live { self.bind(now) } else { self.replay() }
    }

    /// The next binding of an earlier generation, once all of its records are here.
    fn replay(&mut self) -> Step<R> {
        let next = self.queues.values().filter_map(|queue| queue.replay.front()).map(|(time, _)| *time).min();
        let Some(time) = next else {
            self.live = true;
            self.last = self.last.max(self.floor);
            return Step::CaughtUp { after: self.last };
        };
        let here = |queue: &Queue<R>| {
            queue.replay.front().is_none_or(|(bound, upper)| *bound != time || queue.received >= *upper)
        };
        if !self.queues.values().all(here) {
            return Step::Wait;
        }
        let mut records = Vec::new();
        for queue in self.queues.values_mut() {
            let Some((_, upper)) = queue.replay.pop_front_if(|(bound, _)| *bound == time) else { continue };
            while let Some((_, record)) = queue.waiting.pop_front_if(|(offset, _)| *offset < upper) {
                records.push(record);
            }
        }
        self.last = time;
        Step::Feed(Bound { time, records, uppers: Vec::new(), starts: Vec::new() })
    }

    /// What waits is bound to the clock, later than all before.
    fn bind(&mut self, now: LogicalTime) -> Step<R> {
        // At most once for each millisecond: time must not run ahead of the clock. A clock that
        // jumped back holds nothing up.
        let begins = self.queues.values().any(|queue| queue.start.is_some());
        if !(begins || self.is_waiting()) || now == self.last || self.bound_at == Some(now) {
            return Step::Wait;
        }
        self.bound_at = Some(now);
        let time = now.max(self.last + 1);
        let mut room = self.most;
        let starts = self.queues.iter_mut().filter_map(|(index, queue)| Some((*index, queue.start.take()?))).collect();
        let (mut records, mut uppers) = (Vec::new(), Vec::new());
        for (index, queue) in &mut self.queues {
            let mut upper = None;
            while room > 0
                && let Some((offset, record)) = queue.waiting.pop_front()
            {
                upper = Some(offset + 1);
                records.push(record);
                room -= 1;
            }
            uppers.extend(upper.map(|upper| (*index, upper)));
        }
        self.last = time;
        Step::Feed(Bound { time, records, uppers, starts })
    }

    /// The latest time that the next step, or letting time pass, at this reading of the clock can
    /// come to.
    pub fn latest(&self, now: LogicalTime) -> LogicalTime {
        now.max(self.last + 1).max(self.floor)
    }

    /// Lets time pass without records. Gives the time up to which all is over, if that moved:
    /// what comes takes effect after it.
    pub fn pass(&mut self, to: LogicalTime) -> Option<LogicalTime> {
        if !self.live || to <= self.last {
            return None;
        }
        self.last = to;
        Some(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: PartitionIndex = PartitionIndex(0);
    const Q: PartitionIndex = PartitionIndex(1);

    fn feed(time: LogicalTime, records: &[&'static str], uppers: &[(PartitionIndex, i64)]) -> Step<&'static str> {
        Step::Feed(Bound { time, records: records.to_vec(), uppers: uppers.to_vec(), starts: Vec::new() })
    }

    #[test]
    fn what_was_bound_takes_its_time_again_and_what_was_not_a_later_one() {
        let begin = |replay: &[(LogicalTime, i64)]| Begin { replay: replay.iter().copied().collect(), start: None };
        let mut binder = Binder::new([(P, begin(&[(10, 2), (12, 3)])), (Q, begin(&[(11, 8)]))], 40, 100);
        binder.push(P, 0, "p0");
        assert_eq!(binder.step(500), Step::Wait);
        binder.push(P, 1, "p1");
        assert_eq!(binder.step(500), feed(10, &["p0", "p1"], &[]));
        // Time 12 has to wait for time 11, of which a record is not here yet.
        binder.push(P, 2, "p2");
        binder.push(P, 3, "p3");
        binder.push(Q, 5, "q5");
        assert_eq!(binder.step(500), Step::Wait);
        // Offset 7 was compacted away; a record behind it shows that nothing below is missing.
        binder.push(Q, 9, "q9");
        assert_eq!(binder.step(500), feed(11, &["q5"], &[]));
        assert_eq!(binder.step(500), feed(12, &["p2"], &[]));
        assert_eq!(binder.step(30), Step::CaughtUp { after: 40 });
        // The clock is behind what was bound and published: new times are not.
        assert_eq!(binder.step(30), feed(41, &["p3", "q9"], &[(P, 4), (Q, 10)]));
    }

    #[test]
    fn a_time_is_given_once_and_holds_so_many_records() {
        let mut binder = Binder::new([(P, Begin::default())], 0, 2);
        assert_eq!(binder.step(5), Step::CaughtUp { after: 0 });
        for (offset, record) in [(0, "a"), (1, "b"), (2, "c")] {
            binder.push(P, offset, record);
        }
        assert_eq!(binder.step(5), feed(5, &["a", "b"], &[(P, 2)]));
        assert_eq!(binder.step(5), Step::Wait);
        assert_eq!(binder.step(6), feed(6, &["c"], &[(P, 3)]));
        assert_eq!(binder.step(7), Step::Wait);
        assert_eq!((binder.pass(9), binder.pass(9), binder.pass(8)), (Some(9), None, None));
        binder.push(P, 3, "d");
        // The clock jumped back by an hour; nothing waits for it.
        assert_eq!(binder.step(3), feed(10, &["d"], &[(P, 4)]));
    }

    #[test]
    fn time_does_not_run_ahead_of_a_clock_that_is_behind() {
        let mut binder = Binder::new([(P, Begin::default())], 40, 1);
        assert_eq!(binder.step(5), Step::CaughtUp { after: 40 });
        for (offset, record) in [(0, "a"), (1, "b")] {
            assert!(binder.push(P, offset, record));
        }
        assert_eq!((binder.step(5), binder.step(5)), (feed(41, &["a"], &[(P, 1)]), Step::Wait));
        assert_eq!(binder.step(6), feed(42, &["b"], &[(P, 2)]));
    }

    #[test]
    fn what_comes_again_is_left_out_and_what_is_gone_is_not_waited_for() {
        let replay = VecDeque::from([(10, 3)]);
        let mut binder = Binder::new([(P, Begin { replay, start: None })], 20, 9);
        assert!(binder.push(P, 0, "a") && binder.push(P, 1, "b"));
        assert!(!binder.push(P, 0, "a again") && !binder.push(P, 1, "b again"));
        // Offset 2 was deleted, and nothing stands behind it.
        assert_eq!(binder.step(50), Step::Wait);
        binder.passed(P, 3);
        assert_eq!(binder.step(50), feed(10, &["a", "b"], &[]));
    }

    #[test]
    fn a_partition_that_is_added_is_bound_like_the_others() {
        let mut binder = Binder::new([(P, Begin::default())], 0, 9);
        assert_eq!(binder.step(1), Step::CaughtUp { after: 0 });
        binder.push(Q, 0, "lost: not assigned");
        assert!(!binder.is_waiting());
        binder.add(Q, 3);
        // Where it begins is bound though nothing came yet.
        let begins = Bound { time: 2, records: Vec::new(), uppers: Vec::new(), starts: vec![(Q, 3)] };
        assert_eq!((begins.is_new(), binder.step(2)), (true, Step::Feed(begins)));
        binder.push(Q, 4, "q");
        assert_eq!((binder.waiting(Q), binder.step(3)), (1, feed(3, &["q"], &[(Q, 5)])));
    }
}
