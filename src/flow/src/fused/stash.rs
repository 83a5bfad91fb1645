//! Updates that wait for their logical time to be complete.

use propice_model::LogicalTime;

/// Updates in arrival order, handed over by time once the frontier has passed them.
#[derive(Debug)]
pub(super) struct Stash<D> {
    waiting: Vec<(D, LogicalTime, isize)>,
    /// The least time that waits; `LogicalTime::MAX` when nothing does.
    least: LogicalTime,
    /// The greatest time that waits; 0 when nothing does.
    greatest: LogicalTime,
    /// Whether they came in order of time.
    in_order: bool,
}

impl<D> Default for Stash<D> {
    fn default() -> Self {
        Stash { waiting: Vec::new(), least: LogicalTime::MAX, greatest: 0, in_order: true }
    }
}

impl<D> Stash<D> {
    /// The least time that waits.
    pub(super) fn next(&self) -> Option<LogicalTime> {
        (!self.waiting.is_empty()).then_some(self.least)
    }

    /// Takes all updates of a message.
    pub(super) fn extend(&mut self, updates: &mut Vec<(D, LogicalTime, isize)>) {
        for (_, time, _) in updates.iter() {
            self.least = self.least.min(*time);
            self.in_order &= self.greatest <= *time;
            self.greatest = self.greatest.max(*time);
        }
        if self.waiting.is_empty() {
            std::mem::swap(&mut self.waiting, updates);
        } else {
            self.waiting.append(updates);
        }
    }

    /// Moves all updates before `frontier` into `ready`, which is empty: in order of time, at one
    /// time in order of arrival.
    pub(super) fn drain_before(&mut self, frontier: LogicalTime, ready: &mut Vec<(D, LogicalTime, isize)>) {
        debug_assert!(ready.is_empty());
        if self.least >= frontier {
            return;
        }
        let in_order = self.in_order;
        if self.greatest < frontier {
            // All of them, as nearly always.
            std::mem::swap(&mut self.waiting, ready);
            (self.least, self.greatest, self.in_order) = (LogicalTime::MAX, 0, true);
        } else {
            ready.extend(self.waiting.extract_if(.., |(_, time, _)| *time < frontier));
            self.least = self.waiting.iter().map(|(_, time, _)| *time).min().unwrap_or(LogicalTime::MAX);
        }
        if !in_order {
            ready.sort_by_key(|(_, time, _)| *time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_over_complete_times_in_order() {
        let mut stash = Stash::default();
        stash.extend(&mut vec![('b', 5, 1), ('a', 3, 1)]);
        stash.extend(&mut vec![('c', 5, -1), ('d', 9, 1)]);
        let mut ready = Vec::new();
        stash.drain_before(3, &mut ready);
        assert!(ready.is_empty());
        stash.drain_before(6, &mut ready);
        assert_eq!(ready, vec![('a', 3, 1), ('b', 5, 1), ('c', 5, -1)]);
        ready.clear();
        stash.drain_before(LogicalTime::MAX, &mut ready);
        assert_eq!(ready, vec![('d', 9, 1)]);
        assert_eq!(stash.next(), None);
        ready.clear();
        stash.extend(&mut vec![('f', 12, 1), ('e', 11, 1), ('g', 12, 1)]);
        stash.drain_before(13, &mut ready);
        assert_eq!(ready, vec![('e', 11, 1), ('f', 12, 1), ('g', 12, 1)]);
        ready.clear();
        stash.extend(&mut vec![('h', 1, 1)]);
        stash.drain_before(1, &mut ready);
        assert!(ready.is_empty());
    }
}
