//! Which bindings are durable, where they travel by themselves: those that were read back from
//! their topic, with no mark of a newer generation before them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use propice_model::LogicalTime;

/// The bindings that are on their way, by time; several workers may bind the same time.
#[derive(Debug, Default)]
pub(crate) struct Durable(Mutex<BTreeMap<LogicalTime, usize>>);

impl Durable {
    /// A binding is sent.
    pub(crate) fn sent(&self, time: LogicalTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(time).or_default() += 1;
    }

    /// A binding was read back.
    pub(crate) fn read_back(&self, time: LogicalTime) {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = sent.get_mut(&time) {
            *count -= 1;
            if *count == 0 {
                sent.remove(&time);
            }
        }
    }

    /// The time before which all that was sent is durable.
    pub(crate) fn before(&self) -> LogicalTime {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.first_key_value().map_or(LogicalTime::MAX, |(time, _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_durable_when_all_that_was_bound_to_it_came_back() {
        let durable = Durable::default();
        assert_eq!(durable.before(), LogicalTime::MAX);
        [5, 5, 7].map(|time| durable.sent(time));
        durable.read_back(7);
        assert_eq!(durable.before(), 5);
        durable.read_back(5);
        assert_eq!(durable.before(), 5);
        durable.read_back(5);
        assert_eq!(durable.before(), LogicalTime::MAX);
    }
}
