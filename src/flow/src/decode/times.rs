//! Times from text: RFC 3339, dates, local dates and times, and strftime patterns.
//!
//! What has no offset is read in the zone of the pack; where a local time exists twice (or not at
//! all) because clocks change, the earlier offset counts, as RFC 5545 has it. Everything finer than
//! a millisecond is cut off.

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use propice_model::time::DAY_MS;

/// Texts up to this length are remembered, since neighbours in a file often have the same time.
const REMEMBERED_BYTES: usize = 32;

/// Reads the times of one field.
#[derive(Debug)]
pub(super) struct TimeReader {
    zone: TimeZone,
    /// `None`: RFC 3339, a date, or a local date and time.
    pattern: Option<String>,
    last_text: String,
    last_ms: i64,
}

impl TimeReader {
    pub(super) fn new(timezone: &str, pattern: Option<&str>) -> TimeReader {
        // The check of the pack refuses zones that are not known, so the second choice is never
        // taken.
        let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
        TimeReader { zone, pattern: pattern.map(str::to_owned), last_text: String::new(), last_ms: 0 }
    }

    /// Whether a pattern says how times are written.
    pub(super) fn has_pattern(&self) -> bool {
        self.pattern.is_some()
    }

    /// Milliseconds since 1970, `None` when the text is not a time.
    pub(super) fn read(&mut self, text: &str) -> Option<i64> {
        if let Some(pattern) = &self.pattern {
            if text == self.last_text && !text.is_empty() {
                return Some(self.last_ms);
            }
            let time_ms = patterned(pattern, text, &self.zone)?;
            return Some(self.remember(text, time_ms));
        }
        let (civil, rest) = Civil::split(text)?;
        if let Some(offset_ms) = offset(rest)? {
            return Some(civil.utc_ms() - offset_ms);
        }
        if text == self.last_text {
            return Some(self.last_ms);
        }
        let time_ms = civil.in_zone(&self.zone)?;
        Some(self.remember(text, time_ms))
    }

    /// Midnight of a day, counted from 1970.
    pub(super) fn midnight(&self, days: i64) -> Option<i64> {
        let day = jiff::civil::date(1970, 1, 1).checked_add(Span::new().try_days(days).ok()?).ok()?;
        let local = day.at(0, 0, 0, 0);
        Some(milliseconds(self.zone.to_ambiguous_timestamp(local).compatible().ok()?))
    }

    fn remember(&mut self, text: &str, time_ms: i64) -> i64 {
        if text.len() <= REMEMBERED_BYTES {
            self.last_text.clear();
            self.last_text.push_str(text);
            self.last_ms = time_ms;
        }
        time_ms
    }
}

/// What every expected form of a time without a pattern begins with.
#[derive(Clone, Copy, Debug)]
struct Civil {
    year: i16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    millisecond: i16,
    /// Whether there is a time of day: only then may an offset follow.
    timed: bool,
}

impl Civil {
    /// The date (and time of day) at the start of a text, and what follows it.
    fn split(text: &str) -> Option<(Civil, Behind<'_>)> {
        let bytes = text.as_bytes();
        let (date, rest) = bytes.split_at_checked(10)?;
        if date[4] != b'-' || date[7] != b'-' {
            return None;
        }
        let year = i16::from(digits(&date[0..2])?) * 100 + i16::from(digits(&date[2..4])?);
        let (month, day) = (digits(&date[5..7])?, digits(&date[8..10])?);
        if !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) {
            return None;
        }
        let mut civil = Civil { year, month, day, hour: 0, minute: 0, second: 0, millisecond: 0, timed: false };
        if rest.is_empty() {
            return Some((civil, Behind { bytes: rest, timed: false }));
        }
        let rest = civil.take_time(rest)?;
        Some((civil, Behind { bytes: rest, timed: true }))
    }

    /// `T09:00`, `T09:00:00` or `T09:00:00.123`; gives what follows.
    fn take_time<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let (clock, mut rest) = text.split_at_checked(6)?;
        if !matches!(clock[0], b'T' | b't' | b' ') || clock[3] != b':' {
            return None;
        }
        self.timed = true;
        self.hour = digits(&clock[1..3])?;
        self.minute = digits(&clock[4..6])?;
        if let Some((b':', behind)) = rest.split_first() {
            let (second, behind) = behind.split_at_checked(2)?;
            // RFC 3339 knows leap seconds; the time scale here does not.
            self.second = digits(second).map(|second| if second == 60 { 59 } else { second })?;
            rest = self.take_fraction(behind)?;
        }
        (self.hour < 24 && self.minute < 60 && self.second < 60).then_some(rest)
    }

    fn take_fraction<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let Some((b'.', fraction)) = text.split_first() else { return Some(text) };
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        let digits = fraction[..length].iter().map(|digit| i16::from(digit - b'0')).chain(std::iter::repeat(0));
        self.millisecond = digits.take(3).fold(0, |number, digit| number * 10 + digit);
        Some(&fraction[length..])
    }

    fn utc_ms(&self) -> i64 {
        let of_day = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second);
        days_since_1970(self.year, self.month, self.day) * DAY_MS + of_day * 1_000 + i64::from(self.millisecond)
    }

    fn in_zone(&self, zone: &TimeZone) -> Option<i64> {
        if *zone == TimeZone::UTC {
            return Some(self.utc_ms());
        }
        let [month, day] = [self.month, self.day].map(u8::cast_signed);
        let [hour, minute, second] = [self.hour, self.minute, self.second].map(u8::cast_signed);
        let nanosecond = i32::from(self.millisecond) * 1_000_000;
        let local = DateTime::new(self.year, month, day, hour, minute, second, nanosecond).ok()?;
        Some(milliseconds(zone.to_ambiguous_timestamp(local).compatible().ok()?))
    }
}

/// What stands behind the date and the time of day.
#[derive(Clone, Copy, Debug)]
struct Behind<'a> {
    bytes: &'a [u8],
    timed: bool,
}

/// `Some(None)` when there is no offset, `None` when what is there is none.
#[expect(clippy::option_option, reason = "nothing, or something wrong, or an offset")]
fn offset(behind: Behind<'_>) -> Option<Option<i64>> {
    match behind.bytes {
        [] => Some(None),
        [b'Z' | b'z'] if behind.timed => Some(Some(0)),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] if behind.timed => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset_ms = (i64::from(hours) * 60 + i64::from(minutes)) * 60_000;
            Some(Some(if *sign == b'-' { -offset_ms } else { offset_ms }))
        }
        _ => None,
    }
}

/// A time as a strftime pattern says.
fn patterned(pattern: &str, text: &str, zone: &TimeZone) -> Option<i64> {
    let parts = BrokenDownTime::parse(pattern, text).ok()?;
    if let Some(timestamp) = parts.timestamp() {
        return Some(milliseconds(timestamp));
    }
    if parts.iana_time_zone().is_some() {
        return Some(milliseconds(parts.to_zoned().ok()?.timestamp()));
    }
    let local = parts.to_date().ok()?.to_datetime(parts.to_time().ok()?);
    match parts.offset() {
        Some(offset) => offset.to_timestamp(local).ok().map(milliseconds),
        None => zone.to_ambiguous_timestamp(local).compatible().ok().map(milliseconds),
    }
}

fn milliseconds(timestamp: Timestamp) -> i64 {
    // Nanoseconds of the years −9999 to 9999 fit in milliseconds of 64 bit.
    timestamp.as_nanosecond().div_euclid(1_000_000) as i64
}

/// A number of two digits.
fn digits(text: &[u8]) -> Option<u8> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

fn days_of(year: i16, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar; years begin in March so that leap days
/// come last.
fn days_since_1970(year: i16, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use propice_model::time::format_time;

    fn read(zone: &str, pattern: Option<&str>, text: &str) -> Option<String> {
        TimeReader::new(zone, pattern).read(text).map(format_time)
    }

    #[test]
    fn rfc_3339_and_local_times() {
        for (zone, text, time) in [
            ("UTC", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z"),
            ("UTC", "2026-03-02t09:00:00.1239z", "2026-03-02T09:00:00.123Z"),
            ("Europe/Paris", "2026-03-02T09:00:00+01:00", "2026-03-02T08:00:00Z"),
            ("Europe/Paris", "2026-03-02T09:00:00.5-05:30", "2026-03-02T14:30:00.5Z"),
            ("UTC", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("UTC", "1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
            ("Europe/Paris", "2026-07-14", "2026-07-13T22:00:00Z"),
            ("Europe/Paris", "2026-07-14T12:00:00", "2026-07-14T10:00:00Z"),
            ("Europe/Paris", "2026-01-14 12:00", "2026-01-14T11:00:00Z"),
            ("Europe/Paris", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
            ("Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
            ("UTC", "2024-02-29", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(read(zone, None, text).as_deref(), Some(time), "{text} in {zone}");
        }
    }

    #[test]
    fn what_is_not_a_time() {
        for text in [
            "",
            "2026",
            "2026-3-2",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "20260302",
            "2026-03-02Z",
            "2026-03-02T",
            "2026-03-02T24:00:00Z",
            "2026-03-02T09:60:00Z",
            "2026-03-02T09:00:61Z",
            "2026-03-02T09:00:00.Z",
            "2026-03-02T09:00:00+1:00",
            "2026-03-02T09:00:00+24:00",
            "2026-03-02T09:00:00Z ",
            " 2026-03-02",
            "-026-03-02",
            "2026-03-02T09",
            "2026-03-02T09:00:00 Z",
            "２０２６-03-02",
            "2026-03-0é",
            "1772442000000",
        ] {
            assert_eq!(read("UTC", None, text), None, "{text}");
        }
    }

    #[test]
    fn patterns() {
        for (pattern, text, time) in [
            ("%y%m%d", "930101", "1992-12-31T23:00:00Z"),
            ("%y%m%d", "680701", "2068-06-30T22:00:00Z"),
            ("%y%m%d %H:%M:%S", "940205 06:30:00", "1994-02-05T05:30:00Z"),
            ("%d.%m.%Y", "14.07.2026", "2026-07-13T22:00:00Z"),
            ("%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"),
            ("%s", "1772442000", "2026-03-02T09:00:00Z"),
        ] {
            assert_eq!(read("Europe/Prague", Some(pattern), text).as_deref(), Some(time), "{text} by {pattern}");
        }
        for text in ["", "93010", "931301", "930230", "930101 ", "abc", "1993-01-01"] {
            assert_eq!(read("UTC", Some("%y%m%d"), text), None, "{text}");
        }
    }

    #[test]
    fn days_are_midnights() {
        for (zone, days, time) in [
            ("UTC", 20_514, Some("2026-03-02T00:00:00Z")),
            ("Europe/Paris", 20_514, Some("2026-03-01T23:00:00Z")),
            ("Europe/Paris", -1, Some("1969-12-30T23:00:00Z")),
            ("UTC", i64::MAX, None),
            ("UTC", -9_000_000, None),
        ] {
            let midnight = TimeReader::new(zone, None).midnight(days).map(format_time);
            assert_eq!(midnight.as_deref(), time, "{days} in {zone}");
        }
    }

    #[test]
    fn the_same_text_again_is_the_same_time() {
        let mut reader = TimeReader::new("Europe/Paris", None);
        for _ in 0..2 {
            assert_eq!(reader.read("2026-07-14").map(format_time).as_deref(), Some("2026-07-13T22:00:00Z"));
            assert_eq!(reader.read("2026-07-15").map(format_time).as_deref(), Some("2026-07-14T22:00:00Z"));
            assert_eq!(reader.read("2026-07-1"), None);
        }
    }

    #[test]
    fn days_agree_with_the_calendar() {
        for (year, month, day) in
            [(0, 1, 1), (1600, 2, 29), (1900, 3, 1), (1969, 12, 31), (2000, 2, 29), (9999, 12, 31)]
        {
            let date = jiff::civil::date(year, i8::try_from(month).unwrap(), i8::try_from(day).unwrap());
            let since = date.since(jiff::civil::date(1970, 1, 1)).unwrap();
            assert_eq!(days_since_1970(year, month, day), i64::from(since.get_days()), "{date}");
        }
    }
}
