//! Where logical time comes from, and nowhere else.
//!
//! The event clock: logical time is event time; a record that comes behind takes effect at the clock, and is late.

use propice_model::{EventTime, LogicalTime};

/// Binds records to logical times, in order of arrival.
#[derive(Debug, Default)]
pub struct EventClock {
    now: LogicalTime,
    late: u64,
}

impl EventClock {
    /// The logical time at which a record of this event time takes effect.
    pub fn bind(&mut self, event_time: EventTime) -> LogicalTime {
        if event_time < self.now {
            self.late += 1;
        } else {
            self.now = event_time;
        }
        self.now
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
