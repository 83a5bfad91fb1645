//! The files that are written: one per input of the pack, and the truth.
//!
//! A day's records arrive in any order; at its end they are sorted by the second at which they
//! *arrive* and written. That is the second at which they happened, unless disorder was asked for.
//! What arrives on a later day is kept until then, so memory holds one day and what is on its way.

use std::io::{self, Write};

use super::line::{self, DayTime};
use super::random::{End, Random};

/// An input of the pack, or the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Customers,
    Consents,
    Accounts,
    Holders,
    Cards,
    DirectDebits,
    FeeNotices,
    Subscriptions,
    Applications,
    Projects,
    Holdings,
    Cases,
    Requests,
    TravelNotices,
    Holidays,
    Receipts,
    Ledger,
    CardPayments,
    Incidents,
    Savings,
    Contacts,
    Signals,
    Moods,
    Truth,
}

/// The names of the files, in the order of [`Lane`].
pub const FILES: [&str; 24] = [
    "customers",
    "consents",
    "accounts",
    "holders",
    "cards",
    "direct_debits",
    "fee_notices",
    "subscriptions",
    "applications",
    "projects",
    "holdings",
    "cases",
    "requests",
    "travel_notices",
    "holidays",
    "receipts",
    "ledger",
    "card_payments",
    "incidents",
    "savings",
    "contacts",
    "signals",
    "moods",
    "truth",
];

/// The longest that a record comes late, in seconds.
const MOST_LATE_S: i64 = 6 * 3_600;
/// The longest until a copy of a record follows it, in seconds.
const MOST_BETWEEN_COPIES_S: i64 = 3_600;

/// Opens the file of a name.
pub type OpenFile<'o> = dyn FnMut(&str) -> io::Result<Box<dyn Write + 'o>> + 'o;

/// A line, in the order in which lines arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arriving<'a> {
    /// Which of [`FILES`] it belongs to.
    pub file: usize,
    /// When it arrives, in seconds since 1970.
    pub arrives_s: i64,
    /// Its text, with the line break.
    pub line: &'a [u8],
}

/// Takes lines as they arrive.
pub type Deliver<'o> = dyn FnMut(Arriving<'_>) -> io::Result<()> + 'o;

/// What was generated and has not arrived yet.
pub(super) struct Outbox<'o> {
    deliver: &'o mut Deliver<'o>,
    lanes: Vec<Lines>,
    disorder_ppm: u32,
    duplicates_ppm: u32,
}

struct Lines {
    /// The lines that have not arrived yet.
    text: String,
    /// Where they are in `text`, and when they arrive.
    waiting: Vec<WaitingLine>,
    random: Random,
    arrived: u64,
}

#[derive(Clone, Copy)]
struct WaitingLine {
    arrives_s: i64,
    from: usize,
    until: usize,
}

impl<'o> Outbox<'o> {
    pub(super) fn new(deliver: &'o mut Deliver<'o>, seed: u64, disorder_ppm: u32, duplicates_ppm: u32) -> Outbox<'o> {
        let lane = |number| Lines {
            text: String::new(),
            waiting: Vec::new(),
            random: Random::of(seed, End::Arrival, number, 0),
            arrived: 0,
        };
        Outbox { deliver, lanes: (0..FILES.len() as u64).map(lane).collect(), disorder_ppm, duplicates_ppm }
    }

    /// Adds the record that `write` writes, which happened at `at`.
    pub(super) fn put(&mut self, lane: Lane, at: DayTime, write: impl FnOnce(&mut String)) {
        let file = &mut self.lanes[lane as usize];
        let from = file.text.len();
        line::open(&mut file.text);
        write(&mut file.text);
        line::close(&mut file.text);
        let mut waiting = WaitingLine { arrives_s: at.seconds(), from, until: file.text.len() };
        if lane != Lane::Truth {
            if self.disorder_ppm > 0 && file.random.happens(self.disorder_ppm) {
                waiting.arrives_s += file.random.within(1, MOST_LATE_S);
            }
            if self.duplicates_ppm > 0 && file.random.happens(self.duplicates_ppm) {
                let arrives_s = waiting.arrives_s + file.random.within(0, MOST_BETWEEN_COPIES_S);
                file.waiting.push(WaitingLine { arrives_s, ..waiting });
            }
        }
        file.waiting.push(waiting);
    }

    /// Delivers what arrives before the end of this day.
    pub(super) fn end_of_day(&mut self, day: i64) -> io::Result<()> {
        self.deliver_until((day + 1) * 86_400)
    }

    /// Delivers the rest. Gives the number of lines of each file, in the order of [`FILES`].
    pub(super) fn finish(mut self) -> io::Result<Vec<u64>> {
        self.deliver_until(i64::MAX)?;
        Ok(self.lanes.iter().map(|lane| lane.arrived).collect())
    }

    /// How many lines have arrived.
    pub(super) fn written(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.arrived).sum()
    }

    fn deliver_until(&mut self, end_s: i64) -> io::Result<()> {
        let mut arriving: Vec<(i64, usize, usize, usize)> = Vec::new();
        for (file, lane) in self.lanes.iter().enumerate() {
            let now = lane.waiting.iter().filter(|waiting| waiting.arrives_s < end_s);
            arriving.extend(now.map(|waiting| (waiting.arrives_s, file, waiting.from, waiting.until)));
        }
        // The place in the text is unique but for the two copies of a line, which are equal: any
        // sort gives the same bytes.
        arriving.sort_unstable();
        for (arrives_s, file, from, until) in arriving {
            let line = &self.lanes[file].text.as_bytes()[from..until];
            (self.deliver)(Arriving { file, arrives_s, line })?;
        }
        self.lanes.iter_mut().for_each(|lane| lane.forget_until(end_s));
        Ok(())
    }
}

impl Lines {
    fn forget_until(&mut self, end_s: i64) {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.arrives_s >= end_s);
        self.arrived += (before - self.waiting.len()) as u64;
        let mut kept = String::new();
        self.waiting.sort_unstable_by_key(|waiting| (waiting.arrives_s, waiting.from));
        for waiting in &mut self.waiting {
            let from = kept.len();
            kept.push_str(&self.text[waiting.from..waiting.until]);
            (waiting.from, waiting.until) = (from, kept.len());
        }
        self.text = kept;
    }
}
