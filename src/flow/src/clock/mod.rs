//! Where logical time comes from, and nowhere else.
//!
//! The event clock: logical time is event time; a record that comes behind takes effect at the
//! clock, and is late. A time is complete when a later one comes, or when a pipe that has given a
//! record at it falls silent.

use propice_model::{EventTime, LogicalTime};

/// Binds records to logical times, in order of arrival.
#[derive(Debug, Default)]
pub struct EventClock {
    now: LogicalTime,
    /// Nothing takes effect earlier any more: `now`, or the next time once `now` is complete.
    open_from: LogicalTime,
    late: u64,
}

impl EventClock {
    /// The logical time at which a record of this event time takes effect.
    pub fn bind(&mut self, event_time: EventTime) -> LogicalTime {
        if event_time < self.open_from {
            self.late += 1;
        }
        self.now = self.next(event_time);
        self.open_from = self.now;
        self.now
    }

    /// The logical time that a record of this event time would be given.
    pub fn next(&self, event_time: EventTime) -> LogicalTime {
        event_time.max(self.open_from)
    }

    /// Completes the greatest logical time that was given: what comes from now on takes effect
    /// later.
    pub fn complete(&mut self) {
        self.open_from = self.now.saturating_add(1);
    }

    /// From when on something may still take effect.
    pub fn open_from(&self) -> LogicalTime {
        self.open_from
    }

    /// The greatest logical time that was given.
    pub fn now(&self) -> LogicalTime {
        self.now
    }

    /// How many records came behind the clock.
    pub fn late(&self) -> u64 {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_behind_a_complete_time_is_late() {
        let mut clock = EventClock::default();
        assert_eq!([5, 5, 3].map(|time| clock.bind(time)), [5, 5, 5]);
        clock.complete();
        assert_eq!((clock.now(), clock.open_from(), clock.late()), (5, 6, 1));
        assert_eq!([5, 6, 6, 9].map(|time| clock.bind(time)), [6, 6, 6, 9]);
        assert_eq!((clock.now(), clock.open_from(), clock.late()), (9, 9, 2));
    }
}
