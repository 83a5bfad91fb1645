//! Quiet hours, quiet days, holidays, on the customer's own clock.
//!
//! Whether it is quiet can only turn at the edge of a rule's hours, at midnight, or where the
//! zone's clock is put forward or back. Those instants are gone through in order, day by day, until
//! it turns.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use propice_define::plan::QuietRule;
use propice_model::LogicalTime;

use super::calendar::{HolidayTable, start_of_day, zoned};
use super::context::EvaluationContext;

/// How far ahead the end of a quiet time is looked for, in days.
const DAYS_AHEAD: i32 = 400;

/// The rules that apply to one channel and purpose, with what they are applied to.
pub(super) struct Hours<'a> {
    rules: Vec<&'a QuietRule>,
    zone: &'a TimeZone,
    holidays: &'a HolidayTable,
    region: Option<Arc<str>>,
}

impl<'a> EvaluationContext<'a> {
    /// The hours of a channel, for a purpose.
    pub(super) fn hours(&'a self, channel: Option<usize>, purpose: propice_define::plan::Purpose) -> Hours<'a> {
        let rules = self.policy.plan.policy.quiet.iter().filter(|rule| rule.applies(purpose, channel));
        let rules: Vec<&QuietRule> = rules.collect();
        let on_holidays = rules.iter().any(|rule| rule.holidays);
        let region = if on_holidays { self.text(self.policy.plan.policy.region.as_ref()) } else { None };
        Hours { rules, zone: self.zone(), holidays: self.snapshot.holidays, region }
    }
}

impl Hours<'_> {
    /// Whether it is quiet, and when that turns.
    pub(super) fn at(&self, now: LogicalTime) -> (bool, Option<LogicalTime>) {
        if self.rules.is_empty() {
            return (false, None);
        }
        let is_quiet = self.is_quiet(now);
        (is_quiet, self.turn(now, is_quiet))
    }

    fn is_quiet(&self, time: LogicalTime) -> bool {
        let local = zoned(time, self.zone);
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let day = local.weekday().to_sunday_zero_offset().unsigned_abs();
        self.rules.iter().any(|rule| {
            rule.days.contains(&day)
                || rule.hours.iter().any(|hours| contains(*hours, minute))
                || (rule.holidays && self.holidays.contains(local.date(), self.region.as_deref()))
        })
    }

    /// The first instant after `now` at which it is quiet no more, or quiet at last.
    fn turn(&self, now: LogicalTime, is_quiet: bool) -> Option<LogicalTime> {
        let today = zoned(now, self.zone).date();
        let mut day = today;
        for _ in 0..DAYS_AHEAD {
            let found =
                self.edges(day).into_iter().filter(|edge| *edge > now).find(|edge| self.is_quiet(*edge) != is_quiet);
            if found.is_some() {
                return found;
            }
            day = self.next_day(day, today)?;
        }
        None
    }

    /// The next day that has edges of its own: where only whole days are quiet, days between them
    /// have none.
    fn next_day(&self, day: Date, today: Date) -> Option<Date> {
        let tomorrow = day.tomorrow().ok()?;
        let by_date_only = self.rules.iter().all(|rule| rule.hours.is_empty() && rule.days.is_empty());
        if !by_date_only {
            return Some(tomorrow);
        }
        let last = today.checked_add(jiff::ToSpan::days(DAYS_AHEAD)).ok()?;
        let holidays = self.holidays.between(day, last);
        let next = holidays
            .into_iter()
            .find(|holiday| *holiday >= tomorrow || holiday.tomorrow().is_ok_and(|day| day >= tomorrow))?;
        Some(next.max(tomorrow))
    }

    /// The instants of a day at which it may turn, in order.
    fn edges(&self, day: Date) -> Vec<LogicalTime> {
        let (start, end) = (
            start_of_day(day, self.zone),
            day.tomorrow().map_or(LogicalTime::MAX, |next| start_of_day(next, self.zone)),
        );
        let mut edges = vec![start];
        for (from, until) in self.rules.iter().flat_map(|rule| &rule.hours) {
            for minute in [*from, *until] {
                self.instants(day, minute, &mut edges);
            }
        }
        self.clock_changes(start, end, &mut edges);
        edges.sort_unstable();
        edges
    }

    /// The instants at which the clock shows a minute of a day: none is lost where there are two of
    /// them, or none.
    fn instants(&self, day: Date, minute: u16, edges: &mut Vec<LogicalTime>) {
        let (hour, minute) = (i8::try_from(minute / 60).unwrap_or(0), i8::try_from(minute % 60).unwrap_or(0));
        if hour >= 24 {
            return;
        }
        let local = DateTime::from_parts(day, jiff::civil::time(hour, minute, 0, 0));
        let ambiguous = || self.zone.to_ambiguous_timestamp(local);
        let both = [ambiguous().earlier(), ambiguous().later()].into_iter().flatten();
        edges.extend(both.filter_map(|instant| u64::try_from(instant.as_millisecond()).ok()));
    }

    fn clock_changes(&self, start: LogicalTime, end: LogicalTime, edges: &mut Vec<LogicalTime>) {
        let Some(start) = i64::try_from(start).ok().and_then(|start| Timestamp::from_millisecond(start).ok()) else {
            return;
        };
        let changes =
            self.zone.following(start).map(|change| u64::try_from(change.timestamp().as_millisecond()).unwrap_or(0));
        edges.extend(changes.take_while(|change| *change < end));
    }
}

/// Whether a minute of the day lies within hours, which may go over midnight.
fn contains((from, until): (u16, u16), minute: u16) -> bool {
    if from < until { (from..until).contains(&minute) } else { minute >= from || minute < until }
}

#[cfg(test)]
mod tests {
    use super::*;
    use propice_define::parse_instant;
    use propice_model::time::format_time;

    fn turns(rule: &QuietRule, zone: &str, now: &str) -> (bool, Option<String>) {
        let zone = TimeZone::get(zone).expect("a zone");
        let holidays = HolidayTable::default();
        let hours = Hours { rules: vec![rule], zone: &zone, holidays: &holidays, region: None };
        let (is_quiet, turn) = hours.at(parse_instant(now, "UTC").expect("a time"));
        (is_quiet, turn.map(|turn| format_time(turn as i64)))
    }

    fn night() -> QuietRule {
        QuietRule { hours: vec![(20 * 60, 8 * 60)], ..QuietRule::default() }
    }

    #[test]
    fn a_night_over_the_change_to_summer_time_is_an_hour_shorter() {
        let until = |now: &str| turns(&night(), "Europe/Paris", now);
        assert_eq!(until("2026-03-28T19:00:00Z"), (true, Some("2026-03-29T06:00:00Z".to_owned())));
        assert_eq!(until("2026-03-27T19:00:00Z"), (true, Some("2026-03-28T07:00:00Z".to_owned())));
        assert_eq!(until("2026-03-28T18:59:59.999Z"), (false, Some("2026-03-28T19:00:00Z".to_owned())));
        // And an hour longer in autumn.
        assert_eq!(until("2026-10-24T18:00:00Z"), (true, Some("2026-10-25T07:00:00Z".to_owned())));
    }

    #[test]
    fn hours_that_end_within_the_hour_that_is_left_out_end_with_it() {
        let rule = QuietRule { hours: vec![(60, 150)], ..QuietRule::default() };
        assert_eq!(
            turns(&rule, "Europe/Paris", "2026-03-29T00:30:00Z"),
            (true, Some("2026-03-29T01:00:00Z".to_owned()))
        );
    }

    #[test]
    fn hours_that_end_within_the_hour_that_comes_twice_come_twice() {
        let rule = || QuietRule { hours: vec![(60, 150)], ..QuietRule::default() };
        let until = |now: &str| turns(&rule(), "Europe/Paris", now);
        assert_eq!(until("2026-10-25T00:00:00Z"), (true, Some("2026-10-25T00:30:00Z".to_owned())));
        assert_eq!(until("2026-10-25T00:30:00Z"), (false, Some("2026-10-25T01:00:00Z".to_owned())));
        assert_eq!(until("2026-10-25T01:00:00Z"), (true, Some("2026-10-25T01:30:00Z".to_owned())));
    }

    #[test]
    fn a_weekend_is_one_stretch() {
        let rule = QuietRule { days: vec![0, 6], ..night() };
        assert_eq!(
            turns(&rule, "Europe/Paris", "2026-06-05T18:00:00Z"),
            (true, Some("2026-06-08T06:00:00Z".to_owned()))
        );
    }

    #[test]
    fn silence_for_ever_has_no_end() {
        let rule = QuietRule { days: (0..7).collect(), ..QuietRule::default() };
        assert_eq!(turns(&rule, "UTC", "2026-06-05T18:00:00Z"), (true, None));
    }
}
