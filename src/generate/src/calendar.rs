//! Days, as numbers since 1970-01-01, and what a bank needs to know of them. Integers only.

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

/// The date of a day. The algorithm is `civil_from_days` of Howard Hinnant's "chrono-compatible
/// low-level date algorithms".
pub(super) fn date(day: i64) -> Date {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    Date { year: year_of_era + era * 400 + i64::from(month <= 2), month, day: of_year - (153 * from_march + 2) / 5 + 1 }
}

/// 0 is Sunday.
pub(super) fn weekday(day: i64) -> i64 {
    (day + 4).rem_euclid(7)
}

fn is_weekend(day: i64) -> bool {
    matches!(weekday(day), 0 | 6)
}

/// When an employer or a pension fund pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PaydayRule {
    /// The 28th, or the Friday before when that is a weekend.
    The28th,
    /// The last working day of the month.
    LastWorkingDay,
    /// The 5th, or the Monday after when that is a weekend.
    The5th,
}

/// Whether it pays on this day.
pub(super) fn is_payday(rule: PaydayRule, day: i64) -> bool {
    if is_weekend(day) {
        return false;
    }
    let of_month = date(day).day;
    let friday = weekday(day) == 5;
    match rule {
        PaydayRule::The28th => of_month == 28 || (friday && (26..28).contains(&of_month)),
        PaydayRule::LastWorkingDay => {
            let days_until_next = if friday { 3 } else { 1 };
            (1..=days_until_next).any(|ahead| date(day + ahead).day == 1)
        }
        PaydayRule::The5th => of_month == 5 || (weekday(day) == 1 && (6..=7).contains(&of_month)),
    }
}

/// Whether a day is a public holiday in France: `Some(None)` everywhere, `Some(Some(region))` in a
/// region.
#[allow(clippy::option_option, reason = "no holiday, everybody's, a region's: three answers")]
pub(super) fn holiday(day: i64) -> Option<Option<&'static str>> {
    const FIXED: [(i64, i64); 8] = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
    let Date { year, month, day: of_month } = date(day);
    if FIXED.contains(&(month, of_month)) {
        return Some(None);
    }
    // Easter Monday, Ascension and Whit Monday; Good Friday and Saint Stephen's in Alsace.
    match days_after_easter(year, day) {
        Some(1 | 39 | 50) => Some(None),
        Some(-2) => Some(Some("alsace")),
        _ if (month, of_month) == (12, 26) => Some(Some("alsace")),
        _ => None,
    }
}

/// How many days a day of spring is after Easter of its year: the algorithm known as that of Meeus,
/// Jones and Butcher.
#[allow(clippy::many_single_char_names, reason = "the names of the published algorithm")]
fn days_after_easter(year: i64, day: i64) -> Option<i64> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let f = (b + 8) / 25;
    let h = (19 * a + b - b / 4 - (b - f + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let (month, of_month) = ((h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1);
    let is_easter = |candidate: &i64| date(*candidate) == Date { year, month, day: of_month };
    (day - 50..=day + 2).find(is_easter).map(|easter| day - easter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01, a Thursday.
    const NEW_YEAR_2026: i64 = 20_454;

    #[test]
    fn holidays_are_those_of_france() {
        let days: Vec<_> =
            (NEW_YEAR_2026..NEW_YEAR_2026 + 365).filter_map(|day| Some((date(day), holiday(day)?))).collect();
        let days: Vec<_> = days.iter().map(|(date, region)| (date.month, date.day, region.is_some())).collect();
        let expected = [
            (1, 1, false),
            (4, 3, true),
            (4, 6, false),
            (5, 1, false),
            (5, 8, false),
            (5, 14, false),
            (5, 25, false),
            (7, 14, false),
            (8, 15, false),
            (11, 1, false),
            (11, 11, false),
            (12, 25, false),
            (12, 26, true),
        ];
        assert_eq!(days, expected);
    }

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(date(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!(date(NEW_YEAR_2026), Date { year: 2026, month: 1, day: 1 });
        assert_eq!(date(19_782), Date { year: 2024, month: 2, day: 29 });
        assert_eq!(date(-1), Date { year: 1969, month: 12, day: 31 });
        assert_eq!(weekday(NEW_YEAR_2026), 4);
    }

    /// Tells months apart.
    fn month_number(day: i64) -> i64 {
        let date = date(day);
        date.year * 12 + date.month
    }

    #[test]
    fn everybody_is_paid_once_a_month_and_never_on_a_weekend() {
        for rule in [PaydayRule::The28th, PaydayRule::LastWorkingDay, PaydayRule::The5th] {
            let mut months = Vec::new();
            for day in NEW_YEAR_2026..NEW_YEAR_2026 + 3 * 365 {
                if is_payday(rule, day) {
                    assert!(!is_weekend(day));
                    months.push(month_number(day));
                }
            }
            assert_eq!(months.len(), 36, "{rule:?}");
            months.dedup();
            assert_eq!(months.len(), 36, "{rule:?}");
        }
    }
}
