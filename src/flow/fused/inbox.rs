//! Updates that wait for their logical time to be complete.

use crate::model::LogicalTime;

/// Updates in arrival order, handed over by time once the frontier has passed them.
#[derive(Debug)]
pub(super) struct Inbox<D> {
    waiting: Vec<(D, LogicalTime, isize)>,
    /// The least time that waits; `LogicalTime::MAX` when nothing does.
    least: LogicalTime,
}

impl<D> Default for Inbox<D> {
    fn default() -> Self {
        Inbox { waiting: Vec::new(), least: LogicalTime::MAX }
    }
}

impl<D> Inbox<D> {
    /// Takes all updates of a message.
    pub(super) fn extend(&mut self, updates: &mut Vec<(D, LogicalTime, isize)>) {
        for (_, time, _) in updates.iter() {
            self.least = self.least.min(*time);
        }
        if self.waiting.is_empty() {
            std::mem::swap(&mut self.waiting, updates);
        } else {
            self.waiting.append(updates);
        }
    }

    /// Moves all updates before `frontier` into `ready`, in order of time, at one time in order of arrival.
    pub(super) fn drain_before(&mut self, frontier: LogicalTime, ready: &mut Vec<(D, LogicalTime, isize)>) {
        if self.least >= frontier {
            return;
        }
        let before = ready.len();
        ready.extend(self.waiting.extract_if(.., |(_, time, _)| *time < frontier));
        if !ready[before..].is_sorted_by_key(|(_, time, _)| *time) {
            ready[before..].sort_by_key(|(_, time, _)| *time);
        }
        self.least = self.waiting.iter().map(|(_, time, _)| *time).min().unwrap_or(LogicalTime::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_over_complete_times_in_order() {
        let mut inbox = Inbox::default();
        inbox.extend(&mut vec![('b', 5, 1), ('a', 3, 1)]);
        inbox.extend(&mut vec![('c', 5, -1), ('d', 9, 1)]);
        let mut ready = Vec::new();
        inbox.drain_before(3, &mut ready);
        assert!(ready.is_empty());
        inbox.drain_before(6, &mut ready);
        assert_eq!(ready, vec![('a', 3, 1), ('b', 5, 1), ('c', 5, -1)]);
        ready.clear();
        inbox.drain_before(LogicalTime::MAX, &mut ready);
        assert_eq!(ready, vec![('d', 9, 1)]);
    }
}
