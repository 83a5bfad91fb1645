//! How far records that are let go move the clock.
//!
//! A record takes effect at its event time, or at the clock if that is later; and files are merged
//! by the least event time among their next records. So a record takes effect at the greatest event
//! time that its own file had until then: any other record that was merged before it came from a
//! file whose greatest was not greater. What is let go therefore matters to what is kept by one
//! number per file, the *floor*.
//!
//! Only a record moves the clock, and whether what was let go is one is not known. It matters only
//! when something behind it is older: in a file that is in order, never. So the bytes of what may
//! have moved the floor are kept for a while, and decoded when it does matter, the latest first:
//! the first that is a record decides.

use std::ops::Range;

use propice_model::{EventTime, LogicalTime};

/// Records let go, after which one of them is decoded and the clock moved on, so that nobody waits
/// for long.
pub(super) const PASSED_RECORDS: usize = 128;

/// The floor of one file.
#[derive(Debug, Default)]
pub(super) struct Floor {
    /// The greatest event time of what is sure to be a record.
    sure: Option<EventTime>,
    /// What may be a record above that, in order of arrival: the greatest may be none, and then the
    /// next decides.
    passed: Vec<Passed>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The greatest event time that was handed over.
    told: Option<EventTime>,
    /// Records let go since something was handed over.
    silent: usize,
}

#[derive(Debug)]
struct Passed {
    event_time: EventTime,
    line: u64,
    /// Where it stands in the bytes and in the ends.
    bytes: Range<usize>,
    ends: Range<usize>,
}

/// A record that was let go, with its bytes (and the ends of its values).
pub(super) struct Raw<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) ends: &'a [usize],
    pub(super) line: u64,
}

impl Floor {
    /// Lets something go that may be a record of this event time. Whether it is time to settle.
    pub(super) fn pass(&mut self, event_time: EventTime, raw: &Raw<'_>) -> bool {
        if self.sure.is_none_or(|sure| sure < event_time) {
            let (bytes_from, ends_from) = (self.bytes.len(), self.ends.len());
            self.bytes.extend_from_slice(raw.bytes);
            self.ends.extend_from_slice(raw.ends);
            let (bytes, ends) = (bytes_from..self.bytes.len(), ends_from..self.ends.len());
            self.passed.push(Passed { event_time, line: raw.line, bytes, ends });
        }
        self.is_due()
    }

    /// Lets a record of this event time go, which is sure to be one. Whether it is time to tell.
    pub(super) fn pass_record(&mut self, event_time: EventTime) -> bool {
        self.raise(event_time);
        self.is_due()
    }

    fn is_due(&mut self) -> bool {
        self.silent += 1;
        // The first record says when anything is known at all.
        self.silent >= PASSED_RECORDS || self.told.is_none()
    }

    /// Makes the floor sure above a time. `check` tells the event time of something that is a
    /// record.
    pub(super) fn settle(&mut self, above: Option<EventTime>, mut check: impl FnMut(&Raw<'_>) -> Option<EventTime>) {
        self.passed.retain(|passed| above.is_none_or(|above| passed.event_time > above));
        self.passed.sort_unstable_by_key(|passed| passed.event_time);
        while let Some(Passed { event_time: _, line, bytes, ends }) = self.passed.pop() {
            let raw = Raw { bytes: &self.bytes[bytes], ends: &self.ends[ends], line };
            if let Some(event_time) = check(&raw) {
                self.raise(event_time);
                break;
            }
        }
        self.passed.clear();
        self.bytes.clear();
        self.ends.clear();
    }

    /// Something of this event time is a record.
    fn raise(&mut self, event_time: EventTime) {
        self.sure = self.sure.max(Some(event_time));
    }

    /// Hands over a record, or the clock alone; whether the clock is to be handed over before it.
    pub(super) fn tell(&mut self, record: Option<EventTime>) -> Option<LogicalTime> {
        self.silent = 0;
        if let Some(event_time) = record {
            self.raise(event_time);
        }
        if self.told >= self.sure {
            return None;
        }
        self.told = self.sure;
        self.sure.filter(|sure| record.is_none_or(|event_time| event_time < *sure))
    }

    /// Whether the file is past a time.
    pub(super) fn is_past(&self, until: Option<LogicalTime>) -> bool {
        until.is_some_and(|until| self.sure.is_some_and(|sure| sure > until))
    }

    /// Whether an event time would be past a time.
    pub(super) fn would_pass(event_time: EventTime, until: Option<LogicalTime>) -> bool {
        until.is_some_and(|until| event_time > until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record is its own event time as one byte; odd ones are none.
    fn check(raw: &Raw<'_>) -> Option<EventTime> {
        let byte = u64::from(raw.bytes[0]);
        (byte % 2 == 0).then_some(byte)
    }

    fn pass(floor: &mut Floor, byte: u8) -> bool {
        floor.pass(u64::from(byte), &Raw { bytes: &[byte], ends: &[1], line: 1 })
    }

    #[test]
    fn what_is_no_record_does_not_move_the_clock() {
        let mut floor = Floor::default();
        assert!(pass(&mut floor, 3), "nothing is known yet");
        floor.settle(None, check);
        assert_eq!(floor.tell(None), None);
        assert!(pass(&mut floor, 2));
        floor.settle(None, check);
        assert_eq!(floor.tell(None), Some(2));
        for byte in [11, 4, 8, 9] {
            assert!(!pass(&mut floor, byte));
        }
        floor.settle(Some(5), check);
        assert_eq!(floor.tell(Some(5)), Some(8), "8 is one, 9 and 11 are none, whichever came first");
        assert_eq!(floor.tell(Some(7)), None, "8 was told");
        assert_eq!(floor.tell(Some(10)), None, "it tells that itself");
        assert!(floor.is_past(Some(9)) && !floor.is_past(Some(10)) && !floor.is_past(None));
    }

    #[test]
    fn nothing_below_what_is_kept_is_decoded() {
        let mut floor = Floor::default();
        assert!(floor.pass_record(1));
        assert_eq!(floor.tell(None), Some(1));
        for byte in 2..100 {
            pass(&mut floor, byte);
        }
        floor.settle(Some(99), |_| panic!("decoded"));
        assert_eq!(floor.tell(Some(99)), None);
        assert!((0..PASSED_RECORDS - 1).all(|_| !pass(&mut floor, 50)) && pass(&mut floor, 50));
    }
}
