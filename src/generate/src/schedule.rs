//! Into which scenarios customers are put, and when.
//!
//! Time is cut into stretches of 60 days. In each, two customers of three are put into one
//! scenario, in turn over all kinds so that even a small run shows most of them. It is planned at
//! the beginning of the stretch from the seed alone, starts at least ten days into it (some
//! announce themselves) and is over before the next, but for the consequences of fragility.

use super::calendar::is_payday;
use super::person::{ENERGY, FILMS, Person};
use super::random::{End, Random};
use super::scenario::{Scenario, ScenarioKind};

/// How long a stretch is, in days.
pub(super) const STRETCH: i64 = 60;

const KINDS: [ScenarioKind; 18] = [
    ScenarioKind::OverdraftAhead,
    ScenarioKind::CardLimitAbroad,
    ScenarioKind::Complaint,
    ScenarioKind::SalaryMissing,
    ScenarioKind::DuplicateCharge,
    ScenarioKind::FixedRateEnding,
    ScenarioKind::LoanStalled,
    ScenarioKind::Bereavement,
    ScenarioKind::SubscriptionRose,
    ScenarioKind::GoalReached,
    ScenarioKind::FraudBlock,
    ScenarioKind::Fragility,
    ScenarioKind::SameQuestion,
    ScenarioKind::BillOutOfLine,
    ScenarioKind::NewHome,
    ScenarioKind::IncidentFees,
    ScenarioKind::ProjectSlipping,
    ScenarioKind::SilentComplaint,
];

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
        ScenarioKind::OverdraftAhead => {
            let start = first(earliest, |day| is_payday(person.payday, day - 3));
            (start, start + 4 + chosen % 2)
        }
        ScenarioKind::SalaryMissing => {
            let start = first(earliest, |day| is_payday(person.payday, day));
            (start, start + 9 + chosen)
        }
        ScenarioKind::SubscriptionRose => charged(earliest, person, FILMS),
        ScenarioKind::BillOutOfLine => charged(earliest, person, ENERGY),
        _ => (earliest, earliest),
    };
    let possible = match kind {
        ScenarioKind::SubscriptionRose => !person.films_cancelled,
        // There must be something to lose, or the balance does not fall for three months.
        ScenarioKind::Fragility => person.balance - person.reserve() >= person.salary,
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
