//! The wall clock of a customer. Boundaries are not computed: the clock is looked at minute by
//! minute.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::{Per, Quiet};

const MINUTE: i64 = 60_000;
/// Nothing of the tests is quiet for longer.
const FARTHEST: i64 = 400 * 86_400_000;

/// The zone of a customer, with the days that are holidays for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) holidays: BTreeSet<String>,
}

/// What has been seen of the clock: a stretch of time in which it is quiet or not.
type Stretch = (i64, i64, bool);
/// A zone, a channel and a purpose.
type Place = (Zone, Option<String>, String);

/// A clock that is looked at in steps of so many ms, and remembers what it saw.
pub(crate) struct Calendar {
    step: i64,
    seen: RefCell<HashMap<Place, Vec<Stretch>>>,
    starts: RefCell<HashMap<(String, Date), i64>>,
}

impl Calendar {
    /// Over long times the clock is looked at every quarter of an hour: no offset and no rule of
    /// the tests is finer.
    pub(crate) fn new(length: i64) -> Calendar {
        let step = if length < 20 * 86_400_000 { MINUTE } else { 15 * MINUTE };
        Calendar { step, seen: RefCell::default(), starts: RefCell::default() }
    }

    /// Whether it is quiet on a channel for a purpose, and when that changes (within what is worth
    /// looking at).
    pub(crate) fn quiet(&self, rules: &[Quiet], place: Place, now: i64, enough: i64) -> (bool, Option<i64>) {
        let (zone, channel, purpose) = &place;
        let about = |rule: &&Quiet| {
            let channels = &rule.channels;
            (channels.is_empty() || channel.as_ref().is_some_and(|channel| channels.contains(channel)))
                && (rule.purposes.is_empty() || rule.purposes.contains(purpose))
                && !rule.except.contains(purpose)
        };
        let rules: Vec<&Quiet> = rules.iter().filter(about).collect();
        if rules.is_empty() {
            return (false, None);
        }
        let known = |stretch: &&Stretch| (stretch.0..stretch.1).contains(&now);
        if let Some((_, until, quiet)) = self.seen.borrow().get(&place).and_then(|seen| seen.iter().find(known)) {
            return (*quiet, Some(*until));
        }
        let clock = time_zone(&zone.name).expect("a known zone");
        let is_quiet = |at: i64| rules.iter().any(|rule| holds(rule, &clock, &zone.holidays, at));
        let quiet = is_quiet(now);
        let last = if quiet { now + FARTHEST } else { enough };
        let mut at = now - now.rem_euclid(self.step);
        while at <= last {
            at += self.step;
            if is_quiet(at) != quiet {
                self.seen.borrow_mut().entry(place).or_default().push((now, at, quiet));
                return (quiet, Some(at));
            }
        }
        if !quiet {
            self.seen.borrow_mut().entry(place).or_default().push((now, at, false));
        }
        (quiet, None)
    }

    /// The first instant at which it is this day or a later one.
    fn start(&self, zone: &str, day: Date) -> i64 {
        if let Some(start) = self.starts.borrow().get(&(zone.to_owned(), day)) {
            return *start;
        }
        let clock = time_zone(zone).expect("a known zone");
        let utc = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).expect("a day").as_millisecond();
        let mut at = utc - 30 * 60 * MINUTE;
        while date(&clock, at) < day {
            at += self.step;
        }
        self.starts.borrow_mut().insert((zone.to_owned(), day), at);
        at
    }

    /// When a contact does not count in a window any more.
    pub(crate) fn end(&self, per: &Per, zone: &str, contact: i64) -> i64 {
        let clock = time_zone(zone).expect("a known zone");
        let day = date(&clock, contact);
        let later = |day: Date| day.tomorrow().expect("within the calendar");
        match per {
            Per::Rolling(length) => contact + length,
            Per::Days(days) => {
                let mut last = day;
                for _ in 0..*days {
                    last = later(last);
                }
                self.start(zone, last)
            }
            Per::Current(period) => {
                let same = |other: Date| match period.as_str() {
                    "day" => other == day,
                    "week" => other == day || other.weekday() != Weekday::Monday,
                    "month" => other.month() == day.month(),
                    "quarter" => (other.month() - 1) / 3 == (day.month() - 1) / 3,
                    _ => other.year() == day.year(),
                };
                let mut other = day;
                while same(other) {
                    other = later(other);
                }
                self.start(zone, other)
            }
        }
    }
}

/// A zone that the database knows.
pub(crate) fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

fn date(clock: &TimeZone, at: i64) -> Date {
    clock.to_datetime(Timestamp::from_millisecond(at).expect("within the calendar")).date()
}

/// Whether a rule holds: at these hours, on these days, or on holidays.
fn holds(rule: &Quiet, clock: &TimeZone, holidays: &BTreeSet<String>, at: i64) -> bool {
    let wall = clock.to_datetime(Timestamp::from_millisecond(at).expect("within the calendar"));
    let minute = i64::from(wall.hour()) * 60 + i64::from(wall.minute());
    let within = |(from, until): &(i64, i64)| {
        if from <= until { (*from..*until).contains(&minute) } else { minute >= *from || minute < *until }
    };
    let day = match wall.date().weekday() {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    };
    rule.hours.iter().any(within)
        || rule.days.iter().any(|name| name == day)
        || (rule.holidays && holidays.contains(&wall.date().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time").as_millisecond()
    }

    #[test]
    fn the_clock_of_a_customer() {
        let calendar = Calendar::new(0);
        let zone = Zone { name: "Europe/Paris".to_owned(), holidays: BTreeSet::from(["2026-03-30".to_owned()]) };
        let rules = [Quiet { hours: vec![(20 * 60, 8 * 60)], holidays: true, ..Quiet::default() }];
        let quiet = |now: &str| {
            let place = (zone.clone(), None, "sales".to_owned());
            calendar.quiet(&rules, place, at(now), at(now) + 86_400_000)
        };
        // The night in which the clocks are moved on, then a holiday and its night.
        assert_eq!(quiet("2026-03-28T18:59:59.999Z"), (false, Some(at("2026-03-28T19:00:00Z"))));
        assert_eq!(quiet("2026-03-28T19:00:00Z"), (true, Some(at("2026-03-29T06:00:00Z"))));
        assert_eq!(quiet("2026-03-29T18:00:00.001Z"), (true, Some(at("2026-03-31T06:00:00Z"))));
    }

    #[test]
    fn windows_of_the_calendar() {
        let calendar = Calendar::new(0);
        let end = |per: Per, contact: &str| calendar.end(&per, "America/New_York", at(contact));
        let current = |period: &str| Per::Current(period.to_owned());
        assert_eq!(end(Per::Rolling(5), "2026-03-08T04:59:00Z"), at("2026-03-08T04:59:00.005Z"));
        assert_eq!(end(Per::Days(1), "2026-03-08T04:59:00Z"), at("2026-03-08T05:00:00Z"));
        assert_eq!(end(Per::Days(2), "2026-03-08T04:59:00Z"), at("2026-03-09T04:00:00Z"));
        assert_eq!(end(current("week"), "2026-03-08T04:59:00Z"), at("2026-03-09T04:00:00Z"));
        assert_eq!(end(current("week"), "2026-03-09T04:00:00Z"), at("2026-03-16T04:00:00Z"));
        assert_eq!(end(current("quarter"), "2026-03-08T04:59:00Z"), at("2026-04-01T04:00:00Z"));
        assert_eq!(end(current("year"), "2027-01-01T04:59:00Z"), at("2027-01-01T05:00:00Z"));
    }
}
