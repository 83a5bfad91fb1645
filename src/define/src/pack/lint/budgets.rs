//! Budgets of contacts: those that let nothing through, and those that are never used up.

use super::Lint;
use super::quiet::is_nobodys;
use crate::pack::problem::{Problem, Problems};
use crate::plan::{Budget, Moment, Per, Period, Policy, Purpose};
use propice_model::Duration;
use propice_model::time::DAY_MS;

/// A day of a change of clocks is at most so much longer, or shorter.
const CHANGE_MS: Duration = DAY_MS / 24;

/// Whether selling is limited on every channel of a moment. A moment that could not be understood
/// is given the benefit of the doubt as to its channels.
pub(super) fn limits_sales(moment: Option<&Moment>, policy: &Policy) -> bool {
    let mut budgets = policy.pressure.iter().filter(|budget| budget.is_for(Purpose::Sales));
    let Some(moment) = moment else { return budgets.next().is_some() };
    let channels: Vec<Option<usize>> = budgets.map(|budget| budget.channel).collect();
    let limited = |channel: &usize| channels.contains(&Some(*channel));
    channels.contains(&None) || (!moment.channels.is_empty() && moment.channels.iter().all(limited))
}

/// Looks at the budgets, one by one and each against the others.
pub(super) fn check(lint: &Lint<'_>, problems: &mut Problems) {
    let budgets = &lint.policy.pressure;
    for (position, (raw, budget)) in lint.raw.policy.pressure.iter().zip(budgets).enumerate() {
        let is_on = |moment: &Moment| budget.channel.is_none_or(|channel| moment.channels.contains(&channel));
        let concerns = |moment: &Moment| budget.is_for(moment.purpose) && is_on(moment);
        let purposes: Vec<Purpose> = budget.purpose.into_iter().collect();
        if is_nobodys(&purposes, &budget.except) {
            problems.add(Problem::NoPurposeLeft, &raw.span);
            continue;
        }
        if lint.has_moments() && !lint.any_moment(concerns) {
            problems.add(Problem::NoMomentFor { what: "budget" }, &raw.span);
        }
        if budget.at_most == 0 {
            if lint.any_moment(concerns) {
                problems.add(Problem::NothingAllowed, &raw.at_most.span);
            }
            continue;
        }
        if raw.channel.is_some() && budget.channel.is_none() {
            // Its channel could not be understood, and has been reported.
            continue;
        }
        if most_in(lint, budget).is_some_and(|most| i64::from(budget.at_most) > most) {
            problems.add(Problem::NeverUsedUp { why: "arbitration lets less through in that time" }, &raw.span);
        }
        let binds_first = |(other, of): (usize, &Budget)| {
            other != position && always_first(of, budget) && (other < position || !always_first(budget, of))
        };
        if budgets.iter().enumerate().any(binds_first) {
            problems.add(Problem::NeverUsedUp { why: "another budget is always used up first" }, &raw.span);
        }
    }
}

/// How many releases arbitration lets through in the window of a budget, at most; `None` when
/// nobody knows.
fn most_in(lint: &Lint<'_>, budget: &Budget) -> Option<i64> {
    let arbitration = &lint.policy.arbitration;
    let is_free = arbitration.except.iter().any(|purpose| budget.is_for(*purpose));
    // Receipts of other systems count as well.
    if arbitration.window_ms == 0 || is_free || lint.raw.policy.receipts.is_some() {
        return None;
    }
    Some(longest_ms(budget.per) / arbitration.window_ms + 1)
}

/// Whether `first` is used up whenever `budget` is, for whatever `budget` is about.
fn always_first(first: &Budget, budget: &Budget) -> bool {
    let purposes = Purpose::ALL.iter().map(|(_, purpose)| *purpose);
    // What is counted by purpose leaves out contacts whose purpose nobody knows.
    (first.purpose.is_none() || first.purpose == budget.purpose)
        && purposes.filter(|purpose| budget.is_for(*purpose)).all(|purpose| first.is_for(purpose))
        && (first.channel.is_none() || first.channel == budget.channel)
        && first.at_most <= budget.at_most
        && contains(first.per, budget.per)
}

/// Whether a window always reaches back at least as far as another.
fn contains(outer: Per, inner: Per) -> bool {
    use Period::{Day, Month, Quarter, Week, Year};
    match (outer, inner) {
        (Per::Current(outer), Per::Current(inner)) => {
            outer == inner || inner == Day || matches!((outer, inner), (Quarter, Month) | (Year, Month | Quarter))
        }
        (Per::Current(Day | Week | Month | Quarter | Year), Per::Days(1)) => true,
        (Per::Current(_), _) => false,
        (outer, inner) => shortest_ms(outer) >= longest_ms(inner) || same_days(outer, inner),
    }
}

/// Days against days, without regard to how long a day is.
fn same_days(outer: Per, inner: Per) -> bool {
    matches!((days(outer), days(inner)), (Some(outer), Some(inner)) if outer >= inner)
}

fn days(per: Per) -> Option<i64> {
    Some(match per {
        Per::Rolling(_) => return None,
        Per::Days(days) => i64::from(days),
        Per::Current(Period::Day) => 1,
        Per::Current(Period::Week) => 7,
        Per::Current(Period::Month) => 31,
        Per::Current(Period::Quarter) => 92,
        Per::Current(Period::Year) => 366,
    })
}

/// How far back a window reaches, at most.
pub(super) fn longest_ms(per: Per) -> Duration {
    match (per, days(per)) {
        (Per::Rolling(length_ms), _) => length_ms,
        (_, days) => days.unwrap_or(0) * DAY_MS + CHANGE_MS,
    }
}

/// How far back a window reaches, at least.
fn shortest_ms(per: Per) -> Duration {
    match per {
        Per::Rolling(length_ms) => length_ms,
        Per::Days(days) => (i64::from(days) - 1) * DAY_MS - CHANGE_MS,
        Per::Current(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_contain_each_other() {
        let hours = |hours: i64| Per::Rolling(hours * DAY_MS / 24);
        let (week, month, year) = (Per::Current(Period::Week), Per::Current(Period::Month), Per::Current(Period::Year));
        for (outer, inner) in [
            (Per::Days(7), Per::Days(7)),
            (Per::Days(7), week),
            (year, month),
            (week, Per::Days(1)),
            (hours(48), hours(24)),
            (hours(49), Per::Days(2)),
            (Per::Days(3), hours(24)),
        ] {
            assert!(contains(outer, inner), "{outer:?} {inner:?}");
        }
        for (outer, inner) in [
            (Per::Days(6), week),
            (month, week),
            (month, Per::Days(2)),
            (hours(48), Per::Days(2)),
            (Per::Days(2), hours(24)),
            (week, hours(1)),
        ] {
            assert!(!contains(outer, inner), "{outer:?} {inner:?}");
        }
    }
}
