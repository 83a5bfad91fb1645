//! The situations into which customers are put, and when: the truth.
//!
//! Time is cut into stretches of 60 days. In each, two customers of three are put into one
//! situation, in turn over all kinds so that even a small run shows most of them. It is planned at
//! the beginning of the stretch from the seed alone, starts at least ten days into it (some
//! announce themselves) and is over before the next, but for the consequences of fragility.

use super::calendar::is_payday;
use super::line::At;
use super::person::{ENERGY, FILMS, Person};
use super::random::{End, Random};

/// How long a stretch is, in days.
pub(super) const STRETCH: i64 = 60;

/// What can happen to somebody; named as the moments of the pack that should notice it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    OverdraftAhead,
    IncidentFees,
    SubscriptionRose,
    BillOutOfLine,
    DuplicateCharge,
    SalaryMissing,
    LoanStalled,
    SameQuestion,
    CardLimitAbroad,
    FraudBlock,
    Complaint,
    SilentComplaint,
    Bereavement,
    Fragility,
    GoalReached,
    ProjectSlipping,
    FixedRateEnding,
    NewHome,
}

const KINDS: [Kind; 18] = [
    Kind::OverdraftAhead,
    Kind::CardLimitAbroad,
    Kind::Complaint,
    Kind::SalaryMissing,
    Kind::DuplicateCharge,
    Kind::FixedRateEnding,
    Kind::LoanStalled,
    Kind::Bereavement,
    Kind::SubscriptionRose,
    Kind::GoalReached,
    Kind::FraudBlock,
    Kind::Fragility,
    Kind::SameQuestion,
    Kind::BillOutOfLine,
    Kind::NewHome,
    Kind::IncidentFees,
    Kind::ProjectSlipping,
    Kind::SilentComplaint,
];

/// A situation of one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scenario {
    pub(super) kind: Kind,
    /// The day from which its scenes are counted.
    pub(super) start: i64,
    /// One of two courses that it can take.
    pub(super) turn: bool,
    /// A day on which it is resolved, where that is drawn.
    pub(super) resolved: i64,
}

/// What happens to this customer in the stretch that begins on `from`, if anything. `number` counts
/// the stretches, `left` is how many days the run has left.
pub(super) fn plan(seed: u64, person: &Person, number: i64, from: i64, left: i64) -> Option<Scenario> {
    let mut random = Random::of(seed, End::Story, u64::from(person.number), number);
    if number > 0 && left < STRETCH / 2 || !random.happens(667_000) {
        return None;
    }
    let kind = KINDS[((u64::from(person.number) + seed % 18 + number as u64 * 7) % 18) as usize];
    let earliest = from + random.within(10, (left.min(STRETCH) - 40).max(11));
    let turn = random.happens(500_000);
    let chosen = random.within(0, 3);
    let (start, resolved) = match kind {
        Kind::OverdraftAhead => {
            let start = first(earliest, |day| is_payday(person.payday, day - 3));
            (start, start + 4 + chosen % 2)
        }
        Kind::SalaryMissing => {
            let start = first(earliest, |day| is_payday(person.payday, day));
            (start, start + 9 + chosen)
        }
        Kind::SubscriptionRose => charged(earliest, person, FILMS),
        Kind::BillOutOfLine => charged(earliest, person, ENERGY),
        _ => (earliest, earliest),
    };
    let possible = match kind {
        Kind::SubscriptionRose => !person.films_cancelled,
        // There must be something to lose, or the balance does not fall for three months.
        Kind::Fragility => person.balance - person.reserve() >= person.salary,
        _ => true,
    };
    possible.then_some(Scenario { kind, start, turn, resolved })
}

/// The first day from `earliest` on for which something holds; everything that is asked for comes
/// within two months.
fn first(earliest: i64, holds: impl Fn(i64) -> bool) -> i64 {
    (earliest..earliest + 62).find(|&day| holds(day)).unwrap_or(earliest)
}

/// The days of the next charge of a contract, and of the one after it.
fn charged(earliest: i64, person: &Person, bill: usize) -> (i64, i64) {
    let is_charged = |day| super::calendar::date(day).day == person.bills[bill].day_of_month;
    let start = first(earliest, is_charged);
    (start, first(start + 1, is_charged))
}

impl Scenario {
    /// The days on which scenes are played begin so long before `start`.
    pub(super) const LEAD: i64 = 10;

    /// The moments that should notice it, from when until when.
    pub(super) fn truth(&self) -> Vec<(&'static str, At, At)> {
        let at = |day, hour| At::new(self.start + day, hour, 0);
        let on = |day, hour| At::new(day, hour, 0);
        let resolved = self.resolved;
        let one = |name, from, until| vec![(name, from, until)];
        match self.kind {
            Kind::OverdraftAhead => one("overdraft_ahead", at(1, 5), on(resolved, 14)),
            Kind::IncidentFees => one("incident_fees", at(4, 9), if self.turn { at(9, 15) } else { at(19, 5) }),
            Kind::SubscriptionRose => {
                one("subscription_rose", at(0, 5), if self.turn { at(12, 10) } else { on(resolved, 5) })
            }
            Kind::BillOutOfLine => one("bill_out_of_line", at(0, 5), on(resolved, 5)),
            Kind::DuplicateCharge => one("duplicate_charge", at(0, 12).plus(360), at(2, 9)),
            Kind::SalaryMissing => one("salary_missing", at(0, 6), on(resolved, 6)),
            Kind::LoanStalled => one("loan_stalled", at(1, 9), at(5, 15)),
            Kind::SameQuestion => one("same_question", at(1, 15), at(3, 10)),
            Kind::CardLimitAbroad => one("card_limit_abroad", at(1, 18), if self.turn { at(3, 9) } else { at(9, 20) }),
            Kind::FraudBlock => one("fraud_block_pending", at(0, 10), at(3, 8)),
            Kind::Complaint => one("complaint_open", at(0, 9), at(12, 11)),
            Kind::SilentComplaint => {
                vec![("complaint_open", at(0, 9), at(16, 11)), ("case_gone_silent", at(10, 9), at(13, 10))]
            }
            Kind::Bereavement => one("bereavement", if self.turn { at(0, 9) } else { at(3, 9) }, at(25, 10)),
            Kind::Fragility => one("financial_fragility", at(15, 6), at(91, 0)),
            Kind::GoalReached => one("goal_reached", at(0, 12), at(5, 17)),
            Kind::ProjectSlipping => one("project_slipping", at(0, 0), at(20, 10)),
            Kind::FixedRateEnding => one("fixed_rate_ending", at(0, 0), at(10, 14)),
            Kind::NewHome => one("new_home", at(9, 9), at(30, 9)),
        }
    }
}
