//! Rules of quiet hours: those that never let a moment speak, and those that are about nothing.

use super::Lint;
use crate::pack::problem::{Problem, Problems};
use crate::plan::{Moment, Purpose, QuietRule};

/// Minutes of a day, and of a week.
const DAY: usize = 1_440;
const WEEK: usize = 7 * DAY;

/// Looks at the rules, and at the moments under them.
pub(super) fn check(lint: &Lint<'_>, problems: &mut Problems) {
    let rules = &lint.policy.quiet;
    for (raw, rule) in lint.raw.policy.quiet.iter().zip(rules) {
        if is_nobodys(&raw.purposes, &raw.except) {
            problems.add(Problem::NoPurposeLeft, &raw.span);
        } else if lint.has_moments() && !lint.any_moment(|moment| concerns(rule, moment)) {
            problems.add(Problem::NoMomentFor { what: "rule of quiet hours" }, &raw.span);
        }
        if let Some(holidays) = raw.holidays.as_ref().filter(|spot| spot.value && lint.raw.policy.holidays.is_none()) {
            problems.add(Problem::UselessWithout { key: "holidays", with: "policy.holidays" }, &holidays.span);
        }
    }
    for (raw, moment) in lint.moments {
        let Some(moment) = moment else { continue };
        let is_never = |channel: Option<usize>| is_always_quiet(rules, moment.purpose, channel);
        let never = match moment.channels.as_slice() {
            // Channels that could not be understood have been reported.
            [] => raw.channels.is_empty() && is_never(None),
            channels => channels.iter().all(|&channel| is_never(Some(channel))),
        };
        if never {
            problems.add(Problem::AlwaysQuiet { name: raw.name.value.clone() }, &raw.name.span);
        }
    }
}

/// Whether purposes and exceptions leave nothing. No purposes are all of them.
pub(super) fn is_nobodys(purposes: &[Purpose], except: &[Purpose]) -> bool {
    let all = Purpose::ALL.map(|(_, purpose)| purpose);
    let purposes = if purposes.is_empty() { &all[..] } else { purposes };
    purposes.iter().all(|purpose| except.contains(purpose))
}

/// Whether a rule makes a difference to a moment.
fn concerns(rule: &QuietRule, moment: &Moment) -> bool {
    moment.ways().any(|channel| rule.applies(moment.purpose, channel))
}

/// Whether rules leave no minute of the week.
fn is_always_quiet(rules: &[QuietRule], purpose: Purpose, channel: Option<usize>) -> bool {
    let mut quiet = vec![false; WEEK];
    for rule in rules.iter().filter(|rule| rule.applies(purpose, channel)) {
        for day in 0..7 {
            let minutes = &mut quiet[day * DAY..(day + 1) * DAY];
            if rule.days.iter().any(|quiet| usize::from(*quiet) == day) {
                minutes.fill(true);
            }
            for &(from, until) in &rule.hours {
                let (from, until) = (usize::from(from), usize::from(until));
                if from < until {
                    minutes[from..until].fill(true);
                } else {
                    minutes[from..].fill(true);
                    minutes[..until].fill(true);
                }
            }
        }
    }
    quiet.iter().all(|quiet| *quiet)
}

impl Lint<'_> {
    /// Whether there are moments, all of them understood: otherwise nothing can be said of what is
    /// about none.
    pub(super) fn has_moments(&self) -> bool {
        !self.moments.is_empty() && self.moments.iter().all(|(_, moment)| moment.is_some())
    }

    /// Whether there is a moment of which this is true.
    pub(super) fn any_moment(&self, is_true: impl Fn(&Moment) -> bool) -> bool {
        self.moments.iter().filter_map(|(_, moment)| *moment).any(is_true)
    }
}
