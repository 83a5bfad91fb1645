//! Ordinary life: salaries, bills and savings by the calendar, cards and contacts by chance.
//! Nothing in here should make a moment of the pack speak; what should is in `scenes`.

use super::calendar::{PaydayRule, date, is_payday, weekday};
use super::desk::{ContactDetails, Desk, Payment};
use super::line::{DayTime, GeneratedId};
use super::person::{BILL_KINDS, ENERGY, FILMS, Joint, Journey, Person, RENT_DAY};
use super::random::{End, Random};
use super::scenario::ScenarioKind;
use super::scenes::book;

/// A day, with what many ask of it.
pub(super) struct Today {
    pub(super) seed: u64,
    pub(super) day: i64,
    /// The day on which the run proper starts; before it only the calendar is followed.
    pub(super) start: i64,
    of_month: i64,
    of_month_in_10: i64,
    weekend: bool,
    paydays: [bool; 3],
    paydays_yesterday: [bool; 3],
}

const RULES: [PaydayRule; 3] = [PaydayRule::The28th, PaydayRule::LastWorkingDay, PaydayRule::The5th];
const CONSENTS: [&str; 4] = ["personalised", "location", "voice", "sales"];
const PRODUCTS: [&str; 4] = ["savings", "home_insurance", "car_insurance", "life_insurance"];
const COUNTRIES: [&str; 5] = ["ES", "IT", "PT", "GB", "MA"];
const TOPICS: [&str; 4] = ["account", "card", "loan", "savings"];
const SEGMENTS: [&str; 4] = ["youth", "family", "senior", "professional"];
/// How many days ahead a creditor announces what it will draw.
const ANNOUNCED: i64 = 10;

/// Where people pay: how often in a hundred, the category, the usual sum in cents, the merchants.
const SHOPS: [(u64, &str, i64, [&str; 4]); 7] = [
    (30, "groceries", 4_300, ["Marché Central", "Épicerie Paul", "Superette du Coin", "Halles du Midi"]),
    (22, "restaurant", 2_400, ["Le Midi", "Chez Ginette", "La Cantine", "Pho Saigon"]),
    (14, "bakery", 700, ["Au Bon Pain Doré", "Boulangerie Martin", "Le Fournil", "Pâtisserie Rose"]),
    (12, "shopping", 5_100, ["Maison Claire", "Librairie du Quai", "Tout Pour Tous", "Jardin & Co"]),
    (10, "transport", 400, ["Metro", "Tramway", "Bus Express", "Vélo Libre"]),
    (8, "fuel", 6_000, ["Station Nord", "Station Sud", "Relais A6", "Pompe du Bourg"]),
    (4, "health", 1_900, ["Pharmacie de la Gare", "Opticien Lumière", "Pharmacie du Parc", "Cabinet Dentaire"]),
];

impl Today {
    pub(super) fn new(seed: u64, day: i64, start: i64) -> Today {
        Today {
            seed,
            day,
            start,
            of_month: date(day).day,
            of_month_in_10: date(day + ANNOUNCED).day,
            weekend: matches!(weekday(day), 0 | 6),
            paydays: RULES.map(|rule| is_payday(rule, day)),
            paydays_yesterday: RULES.map(|rule| is_payday(rule, day - 1)),
        }
    }

    fn at(&self, hour: i64, minute: i64) -> DayTime {
        DayTime::new(self.day, hour, minute)
    }
}

/// The rows with which a customer begins, on the first day of the history.
pub(super) fn begin(desk: &mut Desk<'_>, person: &Person, today: &Today) {
    let (who, account, at) = (person.number, person.account(), today.at(0, 0).plus(person.shift));
    let zone = who.is_multiple_of(50).then_some("America/Guadeloupe");
    desk.customer(who, at, SEGMENTS[who as usize % 4], i64::from(who % 40), zone);
    for (bit, purpose) in CONSENTS.iter().enumerate() {
        desk.consent(who, at, purpose, person.consents >> bit & 1 == 1);
    }
    desk.account(account, at, person.salary / 4);
    desk.holder(account, who, at, Some("holder"));
    desk.entry(account, at, person.balance, "opening");
    desk.card(who, at, "active", None, person.ceiling);
    for (bill, kind) in BILL_KINDS.iter().enumerate() {
        let pricing = if kind.metered { "metered" } else { "fixed" };
        desk.subscription(person.contract(bill), at, Some((kind.merchant, pricing)));
    }
    for (bit, product) in PRODUCTS.iter().enumerate().filter(|(bit, _)| person.holdings >> bit & 1 == 1) {
        desk.holding(GeneratedId('h', who, Some(bit as i64)), at, Some(product), None);
    }
    if let Some(joint) = person.joint {
        desk.holder(joint.account, who, at, Some("joint"));
        if joint.leads {
            desk.account(joint.account, at, 0);
            desk.entry(joint.account, at, joint.rent + 20_000, "opening");
        }
    }
}

/// What the calendar brings.
pub(super) fn calendar(desk: &mut Desk<'_>, person: &mut Person, today: &Today) {
    salary(desk, person, today);
    let (account, announces) = (person.account(), today.day >= today.start - ANNOUNCED);
    if person.rent > 0 {
        if announces && today.of_month_in_10 == RENT_DAY {
            let due = DayTime::new(today.day + ANNOUNCED, 5, 0);
            desk.debit(person.paper(today.day, 9), account, today.at(8, 0), "Régie du Parc", person.rent, due);
        }
        if today.of_month == RENT_DAY {
            book(desk, person, today.at(5, 0), -person.rent, "direct_debit");
        }
    }
    for (bill, kind) in BILL_KINDS.iter().enumerate() {
        let day_of_month = person.bills[bill].day_of_month;
        if announces && !kind.by_card && today.of_month_in_10 == day_of_month {
            let due = DayTime::new(today.day + ANNOUNCED, 5, 0);
            let cents = billed(person, bill, today.seed, due.day);
            desk.debit(person.paper(today.day, bill as i64 + 4), account, today.at(8, 0), kind.merchant, cents, due);
        }
        if today.of_month == day_of_month && !(bill == FILMS && person.films_cancelled) {
            let cents = billed(person, bill, today.seed, today.day);
            person.balance -= cents;
            let booked_as = if kind.by_card { "card" } else { "direct_debit" };
            desk.entry_of(account, today.at(5, 0), -cents, booked_as, None, Some(person.contract(bill)));
        }
    }
    if let Some(joint) = person.joint {
        household(desk, person, joint, today);
    }
    project(desk, person, today);
}

fn salary(desk: &mut Desk<'_>, person: &mut Person, today: &Today) {
    let late = person.scenario.filter(|scenario| scenario.kind == ScenarioKind::SalaryMissing);
    let is_late = late.is_some_and(|scenario| scenario.start == today.day);
    let comes_late = late.is_some_and(|scenario| scenario.resolved == today.day);
    let rule = RULES.iter().position(|&rule| rule == person.payday).unwrap_or(0);
    if today.paydays[rule] && !is_late || comes_late {
        person.balance += person.salary;
        desk.entry_of(person.account(), today.at(6, 0), person.salary, "salary", Some(person.number), None);
    }
    if today.paydays_yesterday[rule] {
        // Of the months before the run only the sum of what was spent is told.
        let spent = if today.day < today.start {
            person.salary - person.monthly()
        } else {
            (person.salary / 10).min(person.balance - person.reserve())
        };
        if spent > 0 {
            book(desk, person, today.at(9, 0), -spent, "transfer");
        }
    }
}

/// What a contract charges on a day: metered ones vary by 3% from month to month.
fn billed(person: &Person, bill: usize, seed: u64, day: i64) -> i64 {
    let cents = person.bills[bill].cents;
    if let Some(scenario) = person.scenario.filter(|scenario| scenario.start == day) {
        match scenario.kind {
            ScenarioKind::BillOutOfLine if bill == ENERGY => return cents * 26 / 10,
            ScenarioKind::SubscriptionRose if bill == FILMS => return cents * 135 / 100,
            _ => {}
        }
    }
    if BILL_KINDS[bill].metered {
        let mut random = Random::of(seed, End::Bill, u64::from(person.number) * 4 + bill as u64, day);
        cents * random.within(970, 1_030) / 1_000
    } else {
        cents
    }
}

/// The joint account: filled on the 20th, the rent is drawn from it; one in ten couples parts.
fn household(desk: &mut Desk<'_>, person: &mut Person, joint: Joint, today: &Today) {
    let parted = joint.parting.is_some_and(|parting| parting <= today.day);
    if joint.parting == Some(today.day) && !joint.leads {
        desk.holder(joint.account, person.number, today.at(11, 0), None);
    }
    if today.of_month == 20 && (joint.leads || !parted) {
        let share = if parted { joint.rent } else { joint.rent / 2 };
        book(desk, person, today.at(8, 0), -share, "transfer");
        desk.entry(joint.account, today.at(8, 0), share, "transfer");
    }
    if !joint.leads {
        return;
    }
    if today.day >= today.start - ANNOUNCED && today.of_month_in_10 == RENT_DAY {
        let due = DayTime::new(today.day + ANNOUNCED, 5, 0);
        desk.debit(person.paper(today.day, 9), joint.account, today.at(8, 0), "Régie du Parc", joint.rent, due);
    }
    if today.of_month == RENT_DAY {
        desk.entry(joint.account, today.at(5, 0), -joint.rent, "direct_debit");
    }
}

/// A project of two years, saved for every four weeks.
fn project(desk: &mut Desk<'_>, person: &mut Person, today: &Today) {
    let Some((cents, began)) = person.project else { return };
    let project = GeneratedId('p', person.number, Some(0));
    if today.day == began {
        desk.project(project, today.at(9, 0), "voyage", cents * 26, (began, began + 800), "active");
    }
    let weeks = today.day - began;
    if weeks >= 0 && weeks % 28 == 0 && weeks / 28 < 25 {
        book(desk, person, today.at(9, 30), -cents, "transfer");
        desk.saving(project, today.at(9, 30), cents);
    }
}

/// What chance brings.
pub(super) fn chance(desk: &mut Desk<'_>, person: &mut Person, today: &Today) {
    let mut random = Random::of(today.seed, End::Day, u64::from(person.number), today.day);
    payments(desk, person, today, &mut random);
    contacts(desk, person, today, &mut random);
    changes(desk, person, today, &mut random);
    travels(desk, person, today, &mut random);
    requests(desk, person, today);
    applications(desk, person, today);
}

fn payments(desk: &mut Desk<'_>, person: &mut Person, today: &Today, random: &mut Random) {
    let draw = random.below(100) + if today.weekend { 12 } else { 0 };
    let count = [30, 64, 86, 96, 100].iter().take_while(|&&upto| draw >= upto).count() as i64;
    if person.card_blocked {
        return;
    }
    for number in 0..count {
        let mut chosen = random.below(100);
        let mut shop = &SHOPS[0];
        for candidate in &SHOPS {
            shop = candidate;
            if chosen < candidate.0 {
                break;
            }
            chosen -= candidate.0;
        }
        let cents = shop.2 * random.within(30, 170) / 100 * person.salary / 250_000 + random.within(0, 99);
        let at = today.at(7, 0).plus(random.within(0, 52_000));
        let merchant = *random.one_of(&shop.3);
        if person.balance - cents < person.reserve() {
            continue;
        }
        let country = person.country(today.day);
        let payment = Payment { cents, kind: "payment", merchant, category: shop.1, country };
        desk.payment(person.number, at, &payment);
        book(desk, person, today.at(22, 0).plus(person.shift + number), -cents, "card");
    }
}

fn contacts(desk: &mut Desk<'_>, person: &Person, today: &Today, random: &mut Random) {
    let count = [45, 80, 95].iter().filter(|&&upto| random.below(100) >= upto).count();
    for _ in 0..count {
        let at = today.at(6, 30).plus(random.within(0, 56_000));
        let channel = match random.below(100) {
            0..60 => "app",
            60..78 => "web",
            78..85 => "chatbot",
            85..93 => "call",
            93..96 => "branch",
            _ => "voice",
        };
        let mut contact = ContactDetails { channel, ..ContactDetails::default() };
        if !matches!(channel, "app" | "web") {
            contact.topic = Some(*random.one_of(&TOPICS));
            let mood = match random.below(100) {
                0..30 => "joy",
                30..72 => "calm",
                72..88 => "anxiety",
                _ => "anger",
            };
            contact.mood = random.happens(600_000).then(|| (mood, random.within(40, 99)));
        }
        desk.contact(person.number, at, &contact);
    }
}

/// Products come and go, consents are given and taken back, advisers change.
fn changes(desk: &mut Desk<'_>, person: &mut Person, today: &Today, random: &mut Random) {
    match random.below(1_000) {
        0..2 => {
            let bit = random.below(4) as usize;
            person.holdings ^= 1 << bit;
            let holds = person.holdings >> bit & 1 == 1;
            let holding = GeneratedId('h', person.number, Some(bit as i64));
            desk.holding(holding, person.at(today.day, 10), holds.then_some(PRODUCTS[bit]), None);
        }
        2 => {
            let bit = random.below(4) as usize;
            // As many withdraw as grant, so that a third of all keep refusing.
            let grants = random.happens(670_000);
            person.consents = person.consents & !(1 << bit) | u8::from(grants) << bit;
            desk.consent(person.number, person.at(today.day, 11), CONSENTS[bit], grants);
        }
        3 => {
            let segment = SEGMENTS[person.number as usize % 4];
            desk.customer(person.number, person.at(today.day, 9), segment, random.within(0, 39), None);
        }
        _ => {}
    }
}

fn travels(desk: &mut Desk<'_>, person: &mut Person, today: &Today, random: &mut Random) {
    if let Some(journey) = person.journey {
        if journey.called_off == Some(today.day) {
            desk.travel(journey.notice, person.number, person.at(today.day, 12), None);
            person.journey = None;
        } else if today.day >= journey.days.1 {
            person.journey = None;
        }
        return;
    }
    let planned = person.scenario.is_some_and(|scenario| scenario.kind == ScenarioKind::CardLimitAbroad);
    if !planned && random.happens(4_000) {
        let departs = today.day + random.within(3, 12);
        let country = *random.one_of(&COUNTRIES);
        let journey = Journey {
            notice: person.paper(today.day, 2),
            country,
            days: (departs, departs + random.within(3, 10)),
            called_off: random.happens(100_000).then_some(today.day + 2),
        };
        let (from, until) = (DayTime::new(journey.days.0, 7, 0), DayTime::new(journey.days.1, 19, 0));
        desk.travel(journey.notice, person.number, person.at(today.day, 18), Some((journey.country, from, until)));
        person.journey = Some(journey);
    }
}

/// Now and then a question, at most one in nine days, answered two days later.
fn requests(desk: &mut Desk<'_>, person: &Person, today: &Today) {
    for (asked, status) in [(today.day, "open"), (today.day - 2, "resolved")] {
        let asks = asked >= today.start && (asked + i64::from(person.number)) % 9 == 0;
        let mut random = Random::of(today.seed, End::Request, u64::from(person.number), asked);
        if asks && random.happens(150_000) {
            let channel = *random.one_of(&["chatbot", "call", "branch", "web"]);
            let at = person.at(today.day, 13);
            desk.request(person.paper(asked, 1), person.number, at, channel, "card_fees", status);
        }
    }
}

/// Now and then an application for a loan that goes through by itself.
fn applications(desk: &mut Desk<'_>, person: &Person, today: &Today) {
    for (began, hour, status) in [(0, 10, "started"), (0, 11, "submitted"), (4, 16, "granted")] {
        let day = today.day - began;
        let mut random = Random::of(today.seed, End::Application, u64::from(person.number), day);
        if day >= today.start && random.happens(1_000) {
            let application = GeneratedId('l', person.number, Some(day * 10 + 1));
            desk.application(application, person.at(today.day, hour), "consumer_loan", status);
        }
    }
}
