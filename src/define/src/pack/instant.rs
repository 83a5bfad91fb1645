//! Instants as packs and command lines write them, and patterns of times.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;

use propice_model::LogicalTime;
use propice_model::time::LATEST_EVENT_TIME_MS;

/// Reads `2026-03-02T09:00:00Z`, or a date with or without a time of day in the zone. `None` when
/// it is neither, or before 1970 or after 9999.
pub fn parse_instant(text: &str, zone: &str) -> Option<LogicalTime> {
    let text = text.trim();
    let time_ms = if let Ok(timestamp) = text.parse::<Timestamp>() {
        timestamp.as_millisecond()
    } else {
        let zone = TimeZone::get(zone).ok()?;
        text.parse::<DateTime>().ok()?.to_zoned(zone).ok()?.timestamp().as_millisecond()
    };
    LogicalTime::try_from(time_ms).ok().filter(|time_ms| *time_ms <= LATEST_EVENT_TIME_MS)
}

/// Why a pattern cannot be the pattern of a time: it has to read what it writes, and give a day.
///
/// # Errors
/// The reason, for people.
pub(super) fn check_pattern(pattern: &str) -> Result<(), String> {
    // Any instant at which all parts differ will do.
    let Ok(sample) = "2001-02-03T04:05:06Z".parse::<Timestamp>() else { return Ok(()) };
    let sample = sample.to_zoned(TimeZone::UTC);
    let written = strtime::format(pattern, &sample).map_err(|error| error.to_string())?;
    let read = BrokenDownTime::parse(pattern, &written).map_err(|error| error.to_string())?;
    if read.to_datetime().is_err() && read.to_timestamp().is_err() {
        return Err("it gives no day".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        assert_eq!(parse_instant("1970-01-02T00:00:00Z", "UTC"), Some(86_400_000));
        assert_eq!(parse_instant("1970-01-02", "UTC"), Some(86_400_000));
        assert_eq!(parse_instant("1970-01-02T01:00:00", "Europe/Paris"), Some(86_400_000));
        assert_eq!(parse_instant("1970-01-02T01:00:00+01:00", "UTC"), Some(86_400_000));
        for bad in ["", "soon", "1969-12-31T23:59:59Z", "1970-13-01"] {
            assert_eq!(parse_instant(bad, "UTC"), None, "{bad}");
        }
    }

    #[test]
    fn patterns() {
        for good in ["%y%m%d", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%s", "%Y-%m-%dT%H:%M:%S%z"] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        for bad in ["%H:%M", "%Q!", "%", "day"] {
            assert!(check_pattern(bad).is_err(), "{bad}");
        }
    }
}
