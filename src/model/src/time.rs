//! Event time, logical time and durations, all in milliseconds.
//!
//! *Event time* is when something happened; *logical time* is when it takes effect, and the
//! timestamp of the dataflow. Both count milliseconds since 1970-01-01T00:00Z. Text forms live here
//! too, so that a time is written the same everywhere: RFC 3339 in UTC, with a fraction of the
//! second only where there is one.

use std::fmt::Write as _;

/// When a record takes effect: milliseconds since 1970, the timestamp of the dataflow.
pub type LogicalTime = u64;
/// When something happened: milliseconds since 1970.
pub type EventTime = u64;
/// A span of time in milliseconds.
pub type Duration = i64;

/// The end of an interval that does not end.
pub const FOREVER: LogicalTime = u64::MAX;
/// The greatest event time that is accepted: the end of the year 9999.
pub const LATEST_EVENT_TIME_MS: EventTime = 253_402_300_799_999;
/// Times as people have to do with: 1990 to 2100. What lies outside is most likely read in another
/// way than it is written.
pub const USUAL_TIMES_MS: std::ops::Range<i64> = 631_152_000_000..4_133_980_800_000;
/// One second.
pub const SECOND_MS: i64 = 1_000;
/// One day of 24 hours.
pub const DAY_MS: i64 = 24 * 3_600 * SECOND_MS;

/// Appends a time as RFC 3339 in UTC: `2026-03-02T09:00:00Z`, with a fraction (`.123`, `.5`) only
/// where there is one. Times outside of what the calendar can show (years −9999 to 9999) are
/// written as milliseconds.
pub fn write_time(out: &mut String, time_ms: i64) {
    match jiff::Timestamp::from_millisecond(time_ms) {
        Ok(timestamp) => {
            let _ = write!(out, "{timestamp}");
        }
        Err(_) => {
            let _ = write!(out, "{time_ms}ms");
        }
    }
}

/// A time as RFC 3339 in UTC.
pub fn format_time(time_ms: i64) -> String {
    let mut out = String::new();
    write_time(&mut out, time_ms);
    out
}

/// A logical time as RFC 3339 in UTC.
pub fn format_logical(time: LogicalTime) -> String {
    format_time(i64::try_from(time).unwrap_or(i64::MAX))
}

/// A duration in the syntax of packs, largest units first: `1d12h`, `90ms`, `-2h`, `0s`.
pub fn format_duration(duration_ms: i64) -> String {
    const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    if duration_ms == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    if duration_ms < 0 {
        out.push('-');
    }
    let mut rest = duration_ms.unsigned_abs();
    for (unit, size) in UNITS {
        if rest >= size {
            let _ = write!(out, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    out
}

/// Reads a duration in the syntax of packs: `500ms`, `48h`, `1d12h`, `2w`, with an optional leading
/// `-`. Units are `w d h m s ms us ns`; fractions (`1.5h`) are allowed; what is finer than a
/// millisecond is an error.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total_ns: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|&at| at > 0)?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(letters);
        total_ns = total_ns.checked_add(scaled(number, unit_ns(unit)?)?)?;
        rest = next;
    }
    if total_ns % 1_000_000 != 0 {
        return None;
    }
    let total_ms = i64::try_from(total_ns / 1_000_000).ok()?;
    Some(if negative { -total_ms } else { total_ms })
}

fn unit_ns(unit: &str) -> Option<i128> {
    Some(match unit {
        "w" => 7 * 86_400_000_000_000,
        "d" => 86_400_000_000_000,
        "h" => 3_600_000_000_000,
        "m" => 60_000_000_000,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" => 1_000,
        "ns" => 1,
        _ => return None,
    })
}

/// `number` (digits, perhaps with a point) times `unit`, when that is whole.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() > 18 || fraction.len() > 15 || fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = whole.checked_mul(unit)?;
    if !fraction.is_empty() {
        let parts = fraction.parse::<i128>().ok()?.checked_mul(unit)?;
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        if parts % scale != 0 {
            return None;
        }
        total = total.checked_add(parts / scale)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_write() {
        for (text, ms) in [("500ms", 500), ("48h", 172_800_000), ("1d12h", 129_600_000), ("2w", 1_209_600_000)] {
            assert_eq!(parse_duration(text), Some(ms));
            assert_eq!(parse_duration(&format_duration(ms)), Some(ms));
        }
        assert_eq!(parse_duration("1.5h"), Some(5_400_000));
        assert_eq!(parse_duration("-2h"), Some(-7_200_000));
        for bad in ["", "-", "h", "12", "1.2.3h", "1y", "1ns", "7 d", "99999999999999999999d"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds_only_where_there_are_any() {
        assert_eq!(format_time(0), "1970-01-01T00:00:00Z");
        assert_eq!(format_time(1_772_442_000_123), "2026-03-02T09:00:00.123Z");
        assert_eq!(format_time(i64::MAX), "9223372036854775807ms");
    }
}
