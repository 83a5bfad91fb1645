//! Days of the calendar, put together to weeks, months or years.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use serde::Serialize;

use propice_model::Language;

/// What a row of the timeline stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// From Monday.
    Week,
    /// From the first.
    Month,
    /// From the first of January.
    Year,
}

impl Unit {
    /// The unit in which a stretch of days is best looked at.
    fn of(first: Date, last: Date) -> Unit {
        let days = first.until(last).map_or(0, |span| span.get_days());
        match days {
            ..183 => Unit::Week,
            183..1_830 => Unit::Month,
            _ => Unit::Year,
        }
    }

    /// The first day of the period of a day.
    fn start(self, day: Date) -> Date {
        match self {
            // Only the first days of the calendar have no Monday.
            Unit::Week => {
                let since = day.weekday().since(Weekday::Monday);
                day.checked_sub(i64::from(since).days()).unwrap_or(day)
            }
            Unit::Month => day.first_of_month(),
            Unit::Year => day.first_of_year(),
        }
    }

    fn next(self, start: Date) -> Option<Date> {
        let step = match self {
            Unit::Week => 1.week(),
            Unit::Month => 1.month(),
            Unit::Year => 1.year(),
        };
        start.checked_add(step).ok()
    }

    /// How a period is called: by its first day, as far as that says something.
    pub(super) fn label(self, start: Date, language: Language) -> String {
        let (year, month, day) = (start.year(), start.month(), start.day());
        match self {
            Unit::Week => language.pick(start.to_string(), format!("{day:02}/{month:02}/{year:04}")),
            Unit::Month => language.pick(format!("{year:04}-{month:02}"), format!("{month:02}/{year:04}")),
            Unit::Year => format!("{year:04}"),
        }
    }
}

/// The periods from the first day to the last, in order, also those in which nothing happened.
pub(super) fn periods<T>(days: &BTreeMap<Date, T>, unit: Option<Unit>) -> (Unit, Vec<(Date, T)>)
where
    T: Clone + Default + AddAssign,
{
    let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value()) else {
        return (unit.unwrap_or(Unit::Month), Vec::new());
    };
    let unit = unit.unwrap_or_else(|| Unit::of(*first, *last));
    let mut found: Vec<(Date, T)> = Vec::new();
    let mut start = Some(unit.start(*first));
    while let Some(from) = start.filter(|from| from <= last) {
        start = unit.next(from);
        let mut all = T::default();
        let within = days.range(from..).take_while(|(day, _)| start.is_none_or(|next| **day < next));
        within.for_each(|(_, of_day)| all += of_day.clone());
        found.push((from, all));
    }
    (unit, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(days: &[&str], unit: Option<Unit>) -> (Unit, Vec<(String, u64)>) {
        let mut counts: BTreeMap<Date, u64> = BTreeMap::new();
        days.iter().for_each(|day| *counts.entry(day.parse().expect("a day")).or_default() += 1);
        let (unit, found) = periods(&counts, unit);
        (unit, found.into_iter().map(|(start, count)| (unit.label(start, Language::English), count)).collect())
    }

    fn rows(rows: &[(&str, u64)]) -> Vec<(String, u64)> {
        rows.iter().map(|(label, count)| ((*label).to_owned(), *count)).collect()
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first_and_none_is_left_out() {
        let (unit, found) = cut(&["2026-03-01", "2026-03-02", "2026-03-08", "2026-03-16"], None);
        assert_eq!(unit, Unit::Week);
        assert_eq!(found, rows(&[("2026-02-23", 1), ("2026-03-02", 2), ("2026-03-09", 0), ("2026-03-16", 1)]));
        let (unit, found) = cut(&["2025-11-30", "2026-01-01"], Some(Unit::Month));
        assert_eq!(unit, Unit::Month);
        assert_eq!(found, rows(&[("2025-11", 1), ("2025-12", 0), ("2026-01", 1)]));
    }

    #[test]
    fn days_are_written_as_the_language_writes_them() {
        let day: Date = "2026-03-02".parse().expect("a day");
        let labels = [Unit::Week, Unit::Month, Unit::Year].map(|unit| unit.label(day, Language::French));
        assert_eq!(labels, ["02/03/2026", "03/2026", "2026"]);
    }

    #[test]
    fn the_unit_fits_the_stretch() {
        assert_eq!(cut(&["2026-01-01", "2026-12-01"], None).0, Unit::Month);
        assert_eq!(cut(&["2010-01-01", "2026-12-01"], None).0, Unit::Year);
        assert_eq!(cut(&[], None), (Unit::Month, Vec::new()));
        assert_eq!(cut(&["9999-12-31"], None).1, rows(&[("9999-12-27", 1)]));
    }
}
