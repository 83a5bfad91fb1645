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

/// All files.
pub(super) struct Outbox<'o> {
    files: Vec<File<'o>>,
    disorder_ppm: u32,
    duplicates_ppm: u32,
}

struct File<'o> {
    to: Box<dyn Write + 'o>,
    /// The lines that are not written yet.
    text: String,
    /// Where they are in `text`, and when they arrive.
    waiting: Vec<WaitingLine>,
    random: Random,
    written: u64,
}

struct WaitingLine {
    arrives_s: i64,
    from: usize,
    until: usize,
}

impl<'o> Outbox<'o> {
    pub(super) fn open(
        open: &mut OpenFile<'o>,
        seed: u64,
        disorder_ppm: u32,
        duplicates_ppm: u32,
    ) -> io::Result<Outbox<'o>> {
        let mut files = Vec::with_capacity(FILES.len());
        for (number, name) in FILES.iter().enumerate() {
            files.push(File {
                to: open(name)?,
                text: String::new(),
                waiting: Vec::new(),
                random: Random::of(seed, End::Arrival, number as u64, 0),
                written: 0,
            });
        }
        Ok(Outbox { files, disorder_ppm, duplicates_ppm })
    }

    /// Adds the record that `write` writes, which happened at `at`.
    pub(super) fn put(&mut self, lane: Lane, at: DayTime, write: impl FnOnce(&mut String)) {
        let file = &mut self.files[lane as usize];
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

    /// Writes what arrives before the end of this day.
    pub(super) fn end_of_day(&mut self, day: i64) -> io::Result<()> {
        self.files.iter_mut().try_for_each(|file| file.write_until((day + 1) * 86_400))
    }

    /// Writes the rest. Gives the number of lines of each file, in the order of [`FILES`].
    pub(super) fn finish(mut self) -> io::Result<Vec<u64>> {
        for file in &mut self.files {
            file.write_until(i64::MAX)?;
            file.to.flush()?;
        }
        Ok(self.files.iter().map(|file| file.written).collect())
    }

    /// How many lines have been written.
    pub(super) fn written(&self) -> u64 {
        self.files.iter().map(|file| file.written).sum()
    }
}

impl File<'_> {
    fn write_until(&mut self, end_s: i64) -> io::Result<()> {
        // The place in the text is unique but for the two copies of a line, which are equal: any
        // sort gives the same bytes.
        self.waiting.sort_unstable_by_key(|waiting| (waiting.arrives_s, waiting.from));
        let now = self.waiting.partition_point(|waiting| waiting.arrives_s < end_s);
        for waiting in &self.waiting[..now] {
            self.to.write_all(&self.text.as_bytes()[waiting.from..waiting.until])?;
        }
        self.written += now as u64;
        let mut kept = String::new();
        self.waiting.drain(..now);
        for waiting in &mut self.waiting {
            let from = kept.len();
            kept.push_str(&self.text[waiting.from..waiting.until]);
            (waiting.from, waiting.until) = (from, kept.len());
        }
        if kept.is_empty() {
            self.text.clear();
        } else {
            self.text = kept;
        }
        Ok(())
    }
}
