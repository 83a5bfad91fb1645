//! A customer: what is drawn once and stays, and the little that changes from day to day.

use super::calendar::PaydayRule;
use super::line::{DayTime, GeneratedId};
use super::random::{End, Random};
use super::scenario::Scenario;

/// A monthly contract.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bill {
    /// The day of the month on which it is drawn, at most 27.
    pub(super) day_of_month: i64,
    pub(super) cents: i64,
}

/// What distinguishes the contracts: everybody has one of each.
pub(super) struct BillKind {
    pub(super) merchant: &'static str,
    pub(super) metered: bool,
    pub(super) by_card: bool,
    cents: (i64, i64),
}

/// The position of the metered contract whose bill may be out of line.
pub(super) const ENERGY: usize = 0;
/// The position of the fixed contract whose price may rise.
pub(super) const FILMS: usize = 2;

/// The contracts, in the order of [`Person::bills`].
pub(super) const BILL_KINDS: [BillKind; 4] = [
    BillKind { merchant: "Énergie Verte", metered: true, by_card: false, cents: (5_500, 11_000) },
    BillKind { merchant: "Télécom Ouest", metered: true, by_card: false, cents: (1_500, 4_000) },
    BillKind { merchant: "Cinéma Chez Soi", metered: false, by_card: true, cents: (799, 1_799) },
    BillKind { merchant: "Salle des Sports", metered: false, by_card: false, cents: (1_990, 4_490) },
];

/// A journey abroad.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journey {
    pub(super) notice: i64,
    pub(super) country: &'static str,
    /// The days of departure and return.
    pub(super) days: (i64, i64),
    /// The day on which it is called off.
    pub(super) called_off: Option<i64>,
}

/// The share of a joint account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joint {
    /// The account that both hold.
    pub(super) account: GeneratedId,
    /// Who opened it and goes on when the other leaves.
    pub(super) leads: bool,
    /// The day on which the other leaves.
    pub(super) parting: Option<i64>,
    pub(super) rent: i64,
}

/// A customer.
pub(super) struct Person {
    pub(super) number: u32,
    pub(super) salary: i64,
    pub(super) payday: PaydayRule,
    /// Of those who live alone.
    pub(super) rent: i64,
    pub(super) bills: [Bill; 4],
    pub(super) joint: Option<Joint>,
    /// Of the card, in 30 days.
    pub(super) ceiling: i64,
    /// What is put aside every four weeks, and the day on which that began.
    pub(super) project: Option<(i64, i64)>,
    /// Seconds by which everything this customer does is shifted, so that not all happens in the
    /// same second.
    pub(super) shift: i64,

    /// What is booked on the own account.
    pub(super) balance: i64,
    pub(super) journey: Option<Journey>,
    pub(super) card_blocked: bool,
    pub(super) films_cancelled: bool,
    /// Bits of what is held and granted.
    pub(super) holdings: u8,
    pub(super) consents: u8,
    /// What happens to them in this stretch of time, and a sum that its scenes share.
    pub(super) scenario: Option<Scenario>,
    pub(super) at_stake: i64,
}

/// The day of the month on which rent is drawn.
pub(super) const RENT_DAY: i64 = 5;

impl Person {
    /// Draws a customer of a run of so many customers from `start` for `days`.
    pub(super) fn draw(seed: u64, number: u32, customers: u32, start: i64, days: i64) -> Person {
        let mut random = Random::of(seed, End::Profile, u64::from(number), 0);
        let salary = random.within(1_500, 4_200) * 100;
        let payday = *random.one_of(&[PaydayRule::The28th, PaydayRule::LastWorkingDay, PaydayRule::The5th]);
        let bills = BILL_KINDS
            .each_ref()
            .map(|kind| Bill { day_of_month: random.within(1, 27), cents: random.within(kind.cents.0, kind.cents.1) });
        let joint = joint_of(seed, number, customers, start, days);
        let rent = salary * random.within(22, 30) / 100;
        Person {
            number,
            salary,
            payday,
            rent: if joint.is_some() { 0 } else { rent },
            bills,
            joint,
            ceiling: (salary * 3 / 2 + 9_999) / 10_000 * 10_000,
            project: random
                .happens(300_000)
                .then(|| (salary * random.within(2, 6) / 100, start - random.within(20, 170))),
            shift: random.within(0, 3_599),
            balance: salary * random.within(150, 300) / 100,
            journey: None,
            card_blocked: false,
            films_cancelled: false,
            holdings: random.below(16) as u8,
            consents: u8::from(random.happens(670_000))
                | u8::from(random.happens(500_000)) << 1
                | u8::from(random.happens(400_000)) << 2
                | u8::from(random.happens(300_000)) << 3,
            scenario: None,
            at_stake: 0,
        }
    }

    pub(super) fn account(&self) -> GeneratedId {
        GeneratedId('a', self.number, None)
    }

    pub(super) fn contract(&self, bill: usize) -> GeneratedId {
        GeneratedId('s', self.number, Some(bill as i64))
    }

    /// A number that is this customer's only, one of ten a day.
    pub(super) fn paper(&self, day: i64, sheet: i64) -> i64 {
        (i64::from(self.number) * 100_000 + day) * 10 + sheet
    }

    /// All that leaves the account every month.
    pub(super) fn monthly(&self) -> i64 {
        let half_rent = self.joint.map_or(0, |joint| joint.rent / 2);
        self.rent + half_rent + self.bills.iter().map(|bill| bill.cents).sum::<i64>()
    }

    /// What a careful person leaves on the account: the bills of six weeks, and a little.
    pub(super) fn reserve(&self) -> i64 {
        self.monthly() * 3 / 2 + 30_000
    }

    /// Where somebody who is away pays.
    pub(super) fn country(&self, day: i64) -> &'static str {
        match self.journey {
            Some(journey) if (journey.days.0..journey.days.1).contains(&day) => journey.country,
            _ => "FR",
        }
    }

    /// The moment at which this customer does what is planned for an hour.
    pub(super) fn at(&self, day: i64, hour: i64) -> DayTime {
        DayTime::new(day, hour, 0).plus(self.shift)
    }
}

/// One couple of neighbours in seven shares an account.
fn joint_of(seed: u64, number: u32, customers: u32, start: i64, days: i64) -> Option<Joint> {
    let couple = number / 2;
    let mut random = Random::of(seed, End::Joint, u64::from(couple), 0);
    if couple * 2 + 1 >= customers || !random.happens(150_000) {
        return None;
    }
    let rent = random.within(700, 1_000) * 100;
    let parting = random.happens(100_000).then(|| start + random.within(5, days.max(6)));
    Some(Joint { account: GeneratedId('j', couple, None), leads: number.is_multiple_of(2), parting, rent })
}
