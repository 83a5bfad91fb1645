//! The customer's calendar: zones, days, periods, holidays.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use propice_define::plan::{Per, Period};
use propice_model::time::FOREVER;
use propice_model::{Fact, LogicalTime, Rank, Value};

/// Zones by their IANA names, each looked up once.
pub(super) struct Zones {
    default: TimeZone,
    known: RefCell<HashMap<String, TimeZone>>,
}

impl Zones {
    /// With the zone of those who have none of their own.
    pub(super) fn new(default: &str) -> Zones {
        Zones { default: TimeZone::get(default).unwrap_or(TimeZone::UTC), known: RefCell::default() }
    }

    /// The zone of that name; the default without one, or when it is unknown.
    pub(super) fn named(&self, name: Option<&str>) -> TimeZone {
        let Some(name) = name else { return self.default.clone() };
        if let Some(zone) = self.known.borrow().get(name) {
            return zone.clone();
        }
        match TimeZone::get(name) {
            Ok(zone) => {
                self.known.borrow_mut().insert(name.to_owned(), zone.clone());
                zone
            }
            // Not kept: what names are unknown is for the data to say, and could be without end.
            Err(_) => self.default.clone(),
        }
    }
}

/// The wall clock of a zone at a time.
pub(super) fn zoned(time: LogicalTime, zone: &TimeZone) -> Zoned {
    let time = i64::try_from(time).ok().and_then(|time| Timestamp::from_millisecond(time).ok());
    time.unwrap_or(Timestamp::MAX).to_zoned(zone.clone())
}

/// The first instant of a day.
pub(super) fn start_of_day(date: Date, zone: &TimeZone) -> LogicalTime {
    let start = date.to_zoned(zone.clone()).and_then(|start| start.start_of_day());
    start.map_or(FOREVER, |start| u64::try_from(start.timestamp().as_millisecond()).unwrap_or(0))
}

/// When something that happened at a time counts no more in a window.
pub(super) fn end_of_window(per: Per, happened: LogicalTime, zone: &TimeZone) -> LogicalTime {
    let day = || zoned(happened, zone).date();
    match per {
        Per::Rolling(length_ms) => happened.saturating_add(length_ms.unsigned_abs()),
        Per::Days(days) => {
            let end = day().checked_add(i64::from(days).days());
            end.map_or(FOREVER, |end| start_of_day(end, zone))
        }
        Per::Current(period) => {
            let end = first_of_next(period, day());
            end.map_or(FOREVER, |end| start_of_day(end, zone))
        }
    }
}

/// The first day of the period behind the one of a day.
fn first_of_next(period: Period, day: Date) -> Option<Date> {
    let next = match period {
        Period::Day => day.checked_add(1.day()),
        Period::Week => day.checked_add((7 - i64::from(day.weekday().to_monday_zero_offset())).days()),
        Period::Month => day.first_of_month().checked_add(1.month()),
        Period::Quarter => {
            let months = 3 - (i64::from(day.month()) - 1) % 3;
            day.first_of_month().checked_add(months.months())
        }
        Period::Year => day.first_of_year().checked_add(1.year()),
    };
    next.ok()
}

/// The holidays, kept from the facts of their table.
#[derive(Debug, Default)]
pub struct HolidayTable {
    rows: BTreeMap<Vec<Value>, (Rank, Option<Holiday>)>,
    /// With how many rows say it.
    days: BTreeMap<Holiday, u32>,
}

/// A day, and where.
type Holiday = (Date, HolidayRegion);

/// `None`: everywhere.
type HolidayRegion = Option<String>;

impl HolidayTable {
    /// Takes a fact of the table: the latest of its key counts.
    pub fn apply(&mut self, fact: Fact) {
        let Fact { rank, key, changes, .. } = fact;
        let day = changes.iter().flat_map(|change| &change.contributions).find_map(|part| holiday(&part.value));
        if self.rows.get(&key).is_some_and(|(known, _)| *known >= rank) {
            return;
        }
        if let Some(day) = &day {
            *self.days.entry(day.clone()).or_default() += 1;
        }
        if let Some((_, Some(before))) = self.rows.insert(key, (rank, day)) {
            let count = self.days.entry(before.clone()).or_default();
            *count -= 1;
            if *count == 0 {
                self.days.remove(&before);
            }
        }
    }

    /// Whether a day is one in a region.
    pub(super) fn contains(&self, day: Date, region: Option<&str>) -> bool {
        self.days.contains_key(&(day, None))
            || region.is_some_and(|region| self.days.contains_key(&(day, Some(region.to_owned()))))
    }

    /// The days in a span of days, in order, whatever their regions.
    pub(super) fn between(&self, from: Date, until: Date) -> BTreeSet<Date> {
        self.days.range((from, None)..).map(|((day, _), _)| *day).take_while(|day| *day <= until).collect()
    }
}

/// A day and a region, as a row says it: a list of two texts.
fn holiday(value: &Value) -> Option<Holiday> {
    let Value::List(parts) = value else { return None };
    let Value::Text(day) = parts.first()? else { return None };
    let region = if let Some(Value::Text(region)) = parts.get(1) { Some(region.to_string()) } else { None };
    Some((day.parse().ok()?, region))
}

#[cfg(test)]
mod tests {
    use super::*;
    use propice_define::parse_instant;
    use propice_model::{Contribution, EntityChange, FeatureId, Id, InputId, KindId, Origin};

    fn at(text: &str) -> LogicalTime {
        parse_instant(text, "UTC").expect("a time")
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let paris = TimeZone::get("Europe/Paris").expect("a zone");
        let sees = |per, happened| propice_model::time::format_time(end_of_window(per, at(happened), &paris) as i64);
        // Half past midnight in Paris; the day has 23 hours.
        assert_eq!(sees(Per::Days(1), "2026-03-28T23:30:00Z"), "2026-03-29T22:00:00Z");
        assert_eq!(sees(Per::Days(7), "2026-03-27T22:59:00Z"), "2026-04-02T22:00:00Z");
        assert_eq!(sees(Per::Current(Period::Week), "2026-03-29T21:59:00Z"), "2026-03-29T22:00:00Z");
        assert_eq!(sees(Per::Current(Period::Month), "2026-02-28T23:30:00Z"), "2026-03-31T22:00:00Z");
        assert_eq!(sees(Per::Current(Period::Quarter), "2026-05-01T00:00:00Z"), "2026-06-30T22:00:00Z");
        assert_eq!(sees(Per::Current(Period::Year), "2026-05-01T00:00:00Z"), "2026-12-31T23:00:00Z");
        assert_eq!(sees(Per::Rolling(3_600_000), "2026-05-01T00:00:00Z"), "2026-05-01T01:00:00Z");
    }

    /// A row of the table of holidays; without a day, its deletion.
    fn row(key: i64, event_time: u64, day: Option<(&str, &str)>) -> Fact {
        let order = Value::Null;
        let said = |(day, region): (&str, &str)| {
            let region = if region.is_empty() { Value::Null } else { Value::text(region) };
            let value = Value::List([Value::text(day), region].into());
            let contribution = Contribution { feature: FeatureId(0), from: 0, until: FOREVER, value };
            EntityChange {
                kind: KindId::CALENDAR,
                id: Id::Number(0),
                names: false,
                lasting: false,
                owner: None,
                event_time,
                order: order.clone(),
                contributions: vec![contribution],
            }
        };
        let changes = day.map(said).into_iter().collect();
        let rank = Rank { event_time, order: order.clone(), origin: Origin { file: 0, line: event_time } };
        Fact { input: InputId(0), rank, key: vec![Value::Int(key)], changes, row: None }
    }

    #[test]
    fn the_latest_row_of_a_key_alone_says_a_holiday() {
        let [first, second]: [Date; 2] = ["2026-05-01", "2026-05-08"].map(|day| day.parse().expect("a day"));
        let mut table = HolidayTable::default();
        let mut says = |fact: Fact| {
            table.apply(fact);
            let is = |day| [None, Some("north")].map(|region| table.contains(day, region));
            (is(first), is(second), table.between(first, second).len())
        };
        let (everywhere, north, nowhere) = ([true, true], [false, true], [false, false]);
        assert_eq!(says(row(1, 10, Some(("2026-05-01", "")))), (everywhere, nowhere, 1));
        assert_eq!(says(row(1, 20, Some(("2026-05-08", "")))), (nowhere, everywhere, 1));
        assert_eq!(says(row(1, 15, Some(("2026-05-01", "")))), (nowhere, everywhere, 1), "an older row");
        assert_eq!(says(row(1, 30, Some(("2026-05-08", "north")))), (nowhere, north, 1));
        assert_eq!(says(row(2, 30, Some(("2026-05-08", "north")))), (nowhere, north, 1), "two rows say it");
        assert_eq!(says(row(1, 40, None)), (nowhere, north, 1), "one of them does still");
        assert_eq!(says(row(2, 40, None)), (nowhere, nowhere, 0));
        assert_eq!(says(row(2, 50, Some(("2026-05-08", "")))), (nowhere, everywhere, 1));
    }

    #[test]
    fn an_unknown_zone_is_the_default_one() {
        let zones = Zones::new("Asia/Tokyo");
        let name = |name: Option<&str>| zones.named(name).iana_name().map(str::to_owned);
        assert_eq!(name(Some("Europe/Paris")).as_deref(), Some("Europe/Paris"));
        for unknown in [None, Some(""), Some("Mars/Olympus"), Some("paris")] {
            assert_eq!(name(unknown).as_deref(), Some("Asia/Tokyo"), "{unknown:?}");
        }
    }
}
