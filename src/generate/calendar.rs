//! Days, as numbers since 1970-01-01, and what a bank needs to know of them. Integers only.

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

/// The date of a day. The algorithm is `civil_from_days` of Howard Hinnant's "chrono-compatible low-level date algorithms".
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

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01, a Thursday.
    const NEW_YEAR_2026: i64 = 20_454;

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
