//! The clock of the wall, and nowhere else.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use propice_model::LogicalTime;

/// Reads the clock of this machine.
pub(crate) struct Clock;

impl Clock {
    /// Milliseconds since 1970. May jump back; whoever binds copes with that.
    pub(crate) fn now() -> LogicalTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(LogicalTime::MAX)
    }

    /// A reading of the clock that never jumps, to measure how long something takes.
    pub(crate) fn instant() -> Instant {
        Instant::now()
    }
}
