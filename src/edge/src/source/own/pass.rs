//! The records of one file that are about somebody, and the clock between them.

use std::collections::VecDeque;
use std::sync::Arc;

use propice_define::Plan;
use propice_flow::decode::Decoded;
use propice_flow::decode::facts::Extractor;
use propice_flow::decode::glance::{Glance, Glancer};
use propice_model::{Changes, EventTime, Fact, LogicalTime, Origin, Rank, Row, Value};

use super::floor::{Floor, Raw};
use super::{HeldFile, Own, OwnRows};
use crate::source::files::{InputFile, SourceError};
use crate::source::item::Item;
use crate::source::records::{NextRecord, Reader, Records};

/// The records of one file that are about one customer.
pub(in crate::source) struct OwnRecords {
    pub(in crate::source) records: Records,
    passing: Passing,
}

impl OwnRecords {
    /// Opens a file for what is about one customer.
    ///
    /// # Errors
    /// As [`Records::open`].
    pub(in crate::source) fn open(
        plan: &Arc<Plan>,
        file: &InputFile,
        position: u16,
        own: &Own,
    ) -> Result<OwnRecords, SourceError> {
        let held = own.held(usize::from(position)).map(HeldFile::open);
        let records = Records::open_bytes(plan, file, position, held)?;
        let passing = own.passing(plan, file, &records.extractor);
        Ok(OwnRecords { records, passing })
    }

    /// The next record that is wanted, or that moves the clock; `None` at the end.
    pub(in crate::source) fn next(&mut self) -> Option<Item> {
        self.records.next_own(&mut self.passing)
    }

    /// How long the records were that were passed for the last one, and it.
    pub(in crate::source) fn record_bytes(&self) -> usize {
        self.passing.bytes
    }
}

/// How the records of a file are passed.
pub(super) struct Passing {
    glancer: Glancer,
    until: Option<LogicalTime>,
    rows: Option<OwnRows>,
    floor: Floor,
    ready: VecDeque<Item>,
    /// Bytes of the records that were passed for the last item.
    bytes: usize,
}

impl Passing {
    pub(super) fn new(glancer: Glancer, until: Option<LogicalTime>, rows: Option<OwnRows>) -> Passing {
        Passing { glancer, until, rows, floor: Floor::default(), ready: VecDeque::new(), bytes: 0 }
    }
}

impl Records {
    /// Looks at the decoded rows that are wanted. What cannot be read any further is told when the
    /// file is read.
    pub(super) fn look_through(&mut self, glancer: &mut Glancer, mut each: impl FnMut(&Row)) {
        loop {
            match self.layout.advance() {
                Err(_) | Ok(NextRecord::End) => return,
                Ok(NextRecord::Blank | NextRecord::Bad(_)) => continue,
                Ok(NextRecord::Record) => {}
            }
            if let Glance::Other(_) = self.layout.glance(glancer) {
                continue;
            }
            if let Ok(record) = self.layout.decode() {
                if glancer.wants(&record.row) {
                    each(&record.row);
                }
                self.layout.recycle(record);
            }
        }
    }

    /// The next record that is wanted, or that moves the clock; `None` at the end.
    fn next_own(&mut self, own: &mut Passing) -> Option<Item> {
        own.bytes = 0;
        while own.ready.is_empty() && !self.ended {
            match self.layout.advance() {
                Ok(NextRecord::Blank) => {}
                Ok(NextRecord::Record) => self.pass(own),
                Ok(NextRecord::Bad(error)) => own.ready.push_back(Item::Dead(Box::new(self.dead(error)))),
                Ok(NextRecord::End) => {
                    self.ended = true;
                    self.move_clock(own);
                }
                Err(error) => {
                    self.ended = true;
                    self.move_clock(own);
                    own.ready.push_back(self.unreadable(&error));
                }
            }
            own.bytes += self.raw().0.len();
        }
        own.ready.pop_front()
    }

    /// Keeps the record at hand, or lets it go.
    fn pass(&mut self, own: &mut Passing) {
        let glance = self.layout.glance(&mut own.glancer);
        if let Glance::Other(event_time) = glance {
            let (bytes, ends) = self.layout.values();
            let is_due = own.floor.pass(event_time, &Raw { bytes, ends, line: self.raw().1 });
            if is_due || Floor::would_pass(event_time, own.until) {
                self.move_clock(own);
            }
            return;
        }
        let origin = Origin { file: self.position, line: self.raw().1 };
        let decoded = self.layout.decode().and_then(|record| {
            let fact = self.extractor.fact_of(&record, origin)?;
            Ok((record, fact))
        });
        match decoded {
            Ok((record, fact)) => self.take(own, record, fact),
            // Something that is no record, and surely about others, is let go like them.
            Err(error) if error.reason == "unreadable" || own.glancer.may_name(self.raw().0) => {
                own.ready.push_back(Item::Dead(Box::new(self.dead(error))));
            }
            Err(_) => {}
        }
    }

    /// Takes a record that was decoded; it may be about others.
    fn take(&mut self, own: &mut Passing, record: Decoded, fact: Fact) {
        let event_time = fact.rank.event_time;
        if own.glancer.wants(&record.row) {
            self.settle(own, Some(event_time));
            let clock = own.floor.tell(Some(event_time));
            own.ready.extend(clock.map(|time| self.clock(time)));
            if let Some(rows) = &own.rows {
                rows.keep(fact.rank.origin.clone(), &record.row);
            }
            own.ready.push_back(Item::Fact(fact));
            self.ended |= own.floor.is_past(own.until);
        } else {
            self.settle(own, Some(event_time));
            if own.floor.pass_record(event_time) || own.floor.is_past(own.until) {
                self.move_clock(own);
            }
        }
        self.layout.recycle(record);
    }

    /// Hands over how far the clock has come by what was let go.
    fn move_clock(&mut self, own: &mut Passing) {
        self.settle(own, None);
        let clock = own.floor.tell(None);
        own.ready.extend(clock.map(|time| self.clock(time)));
        self.ended |= own.floor.is_past(own.until);
    }

    fn settle(&mut self, own: &mut Passing, above: Option<EventTime>) {
        let Records { layout, extractor, position, .. } = self;
        own.floor.settle(above, |raw| event_time(layout, extractor, *position, raw));
    }

    /// A record that says nothing, but when.
    fn clock(&self, time: LogicalTime) -> Item {
        let origin = Origin { file: self.position, line: self.raw().1 };
        let rank = Rank { event_time: time, order: Value::Null, origin };
        Item::Fact(Fact { input: self.extractor.input(), rank, key: Vec::new(), changes: Changes::new(), row: None })
    }
}

/// The event time of something that is a record.
fn event_time(layout: &mut Reader, extractor: &Extractor, file: u16, raw: &Raw<'_>) -> Option<EventTime> {
    let record = layout.decode_values(raw.bytes, raw.ends).ok()?;
    let fact = extractor.fact_of(&record, Origin { file, line: raw.line });
    layout.recycle(record);
    fact.ok().map(|fact| fact.rank.event_time)
}
