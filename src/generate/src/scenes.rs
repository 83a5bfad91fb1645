//! What happens in a situation, day by day: the scenes that the moments of the pack should notice.

use super::desk::{ContactDetails, Desk, Payment};
use super::line::{DayTime, GeneratedId};
use super::person::{FILMS, Person};
use super::scenario::{Scenario, ScenarioKind};

/// Plays what the customer's situation holds for this day, and tells the truth on the first day of
/// the truth.
pub(super) fn play(desk: &mut Desk<'_>, person: &mut Person, today: i64) {
    let Some(scenario) = person.scenario else { return };
    let day = today - scenario.start;
    if day < -Scenario::LEAD {
        return;
    }
    for (name, from, until) in scenario.truth() {
        if from.day == today {
            desk.scenario(person.number, name, from, until);
        }
    }
    match scenario.kind {
        ScenarioKind::OverdraftAhead | ScenarioKind::IncidentFees | ScenarioKind::Fragility => {
            money(desk, person, scenario, day);
        }
        ScenarioKind::DuplicateCharge | ScenarioKind::CardLimitAbroad | ScenarioKind::FraudBlock => {
            cards(desk, person, scenario, day);
        }
        ScenarioKind::LoanStalled | ScenarioKind::SameQuestion => questions(desk, person, scenario, day),
        ScenarioKind::Complaint | ScenarioKind::SilentComplaint | ScenarioKind::Bereavement => {
            files(desk, person, scenario, day);
        }
        ScenarioKind::GoalReached | ScenarioKind::ProjectSlipping => projects(desk, person, scenario, day),
        ScenarioKind::FixedRateEnding | ScenarioKind::NewHome => homes(desk, person, scenario, day),
        ScenarioKind::SubscriptionRose => {
            if scenario.turn && day == 12 {
                person.films_cancelled = true;
                desk.subscription(person.contract(FILMS), DayTime::new(today, 10, 0), None);
            }
        }
        // The bill and the salary themselves are different; that is done where they are booked.
        ScenarioKind::BillOutOfLine | ScenarioKind::SalaryMissing => {}
    }
}

fn money(desk: &mut Desk<'_>, person: &mut Person, scenario: Scenario, day: i64) {
    let (account, today) = (person.account(), scenario.start + day);
    let at = |hour| DayTime::new(today, hour, 0);
    match (scenario.kind, day) {
        (ScenarioKind::OverdraftAhead, 0) => {
            person.at_stake = person.balance + 15_000;
            let due = DayTime::new(today + 8, 5, 0);
            desk.debit(person.paper(today, 8), account, at(9), "Trésor public", person.at_stake, due);
        }
        (ScenarioKind::OverdraftAhead, 8) => {
            book(desk, person, DayTime::new(today, 5, 0), -person.at_stake, "direct_debit");
        }
        (ScenarioKind::OverdraftAhead, _) if today == scenario.resolved => {
            let lacking = person.at_stake + person.reserve() + 60_000 - person.balance;
            book(desk, person, at(14), lacking, "transfer");
        }
        (ScenarioKind::IncidentFees, 0) => {
            desk.fee_notice(person.paper(today, 1), account, at(9), 800, DayTime::new(today + 15, 5, 0), "announced");
        }
        (ScenarioKind::IncidentFees, 4) => {
            desk.fee_notice(person.paper(today, 1), account, at(9), 2_000, DayTime::new(today + 15, 5, 0), "announced");
        }
        (ScenarioKind::IncidentFees, 9) if scenario.turn => {
            let notice = person.paper(today - 5, 1);
            desk.fee_notice(notice, account, at(15), 2_000, DayTime::new(today + 10, 5, 0), "waived");
        }
        (ScenarioKind::IncidentFees, 15) => book(desk, person, at(5), -800, "fee"),
        (ScenarioKind::IncidentFees, 19) if !scenario.turn => book(desk, person, at(5), -2_000, "fee"),
        (ScenarioKind::Fragility, 0) => {
            let out = (person.balance - person.reserve()).max(50_000);
            book(desk, person, at(10), -out, "transfer");
            // Work was lost; what comes from now on is an allowance.
            person.salary = person.salary * 6 / 10;
        }
        (ScenarioKind::Fragility, 3 | 6 | 9 | 12 | 15) => {
            let kind = if day == 9 { "returned_cheque" } else { "rejected_debit" };
            desk.incident(account, at(6), kind, 4_990 + day * 1_000);
        }
        _ => {}
    }
}

fn cards(desk: &mut Desk<'_>, person: &mut Person, scenario: Scenario, day: i64) {
    let (who, today) = (person.number, scenario.start + day);
    let at = |hour, minute| DayTime::new(today, hour, minute);
    let lunch =
        Payment { cents: 3_850, kind: "payment", merchant: "Brasserie du Port", category: "restaurant", country: "FR" };
    match (scenario.kind, day) {
        (ScenarioKind::DuplicateCharge, 0) => {
            desk.payment(who, at(12, 4), &lunch);
            desk.payment(who, at(12, 6), &lunch);
            book(desk, person, at(22, 5), -2 * lunch.cents, "card");
        }
        (ScenarioKind::DuplicateCharge, 2) => {
            desk.payment(who, at(9, 0), &Payment { kind: "reversal", ..lunch });
            book(desk, person, at(22, 5), lunch.cents, "card");
        }
        (ScenarioKind::CardLimitAbroad, -5) => {
            let journey = ("PT", DayTime::new(today + 5, 6, 0), DayTime::new(today + 14, 20, 0));
            desk.travel(person.paper(today, 2), who, at(9, 0), Some(journey));
        }
        (ScenarioKind::CardLimitAbroad, -1) => book(desk, person, at(9, 0), person.ceiling, "transfer"),
        (ScenarioKind::CardLimitAbroad, 1) => {
            let cents = person.ceiling * 85 / 100;
            let hotel = Payment { cents, merchant: "Hotel Ribeira", category: "travel", country: "PT", ..lunch };
            desk.payment(who, at(18, 0), &hotel);
            book(desk, person, at(22, 5), -cents, "card");
        }
        (ScenarioKind::CardLimitAbroad, 3) if scenario.turn => {
            person.ceiling *= 2;
            desk.card(who, at(9, 0), "active", None, person.ceiling);
        }
        (ScenarioKind::FraudBlock, 0) => {
            person.card_blocked = true;
            desk.card(who, at(10, 0), "blocked", Some("fraud"), person.ceiling);
        }
        (ScenarioKind::FraudBlock, 3) => {
            person.card_blocked = false;
            desk.card(who, at(8, 0), "replaced", None, person.ceiling);
        }
        _ => {}
    }
}

fn questions(desk: &mut Desk<'_>, person: &Person, scenario: Scenario, day: i64) {
    let (who, today) = (person.number, scenario.start + day);
    let at = |hour| DayTime::new(today, hour, 0);
    let application = GeneratedId('l', who, Some(scenario.start));
    let about_loan = |channel| ContactDetails {
        channel,
        topic: Some("loan"),
        application: Some(application),
        mood: Some(("anxiety", 78)),
    };
    let asks = |channel| ContactDetails { channel, topic: Some("transfer_limit"), ..ContactDetails::default() };
    match (scenario.kind, day) {
        (ScenarioKind::LoanStalled, 0) => {
            desk.application(application, at(10), "car_loan", "started");
            desk.contact(who, at(11), &about_loan("call"));
        }
        (ScenarioKind::LoanStalled, 1) => desk.contact(who, at(9), &about_loan("chatbot")),
        (ScenarioKind::LoanStalled, 5) => desk.application(application, at(15), "car_loan", "submitted"),
        (ScenarioKind::LoanStalled, 9) => desk.application(application, at(11), "car_loan", "granted"),
        (ScenarioKind::SameQuestion, 0) => {
            desk.contact(who, at(10), &asks("chatbot"));
            desk.request(person.paper(today, 3), who, at(10), "chatbot", "transfer_limit", "open");
        }
        (ScenarioKind::SameQuestion, 1) => {
            desk.contact(who, at(15), &ContactDetails { mood: Some(("anger", 83)), ..asks("call") });
            desk.request(person.paper(today, 3), who, at(15), "call", "transfer_limit", "open");
        }
        (ScenarioKind::SameQuestion, 3) => {
            desk.request(person.paper(today - 3, 3), who, at(10), "chatbot", "transfer_limit", "resolved");
            desk.request(person.paper(today - 2, 3), who, at(10), "call", "transfer_limit", "resolved");
        }
        _ => {}
    }
}

fn files(desk: &mut Desk<'_>, person: &Person, scenario: Scenario, day: i64) {
    let (who, today) = (person.number, scenario.start + day);
    let at = |hour| DayTime::new(today, hour, 0);
    let file = GeneratedId('f', who, Some(scenario.start));
    let angry = ContactDetails {
        channel: "call",
        topic: Some("complaint"),
        mood: Some(("anger", 91)),
        ..ContactDetails::default()
    };
    match (scenario.kind, day) {
        (ScenarioKind::Complaint | ScenarioKind::SilentComplaint, 0) => {
            desk.contact(who, at(8), &angry);
            desk.case(file, at(9), "complaint", "open");
        }
        (ScenarioKind::Complaint, 6) | (ScenarioKind::SilentComplaint, 13) => {
            desk.case(file, at(10), "complaint", "in_progress");
        }
        (ScenarioKind::Complaint, 12) | (ScenarioKind::SilentComplaint, 16) => {
            desk.case(file, at(11), "complaint", "closed");
        }
        (ScenarioKind::Bereavement, 0) if scenario.turn => desk.case(file, at(9), "bereavement", "declared"),
        (ScenarioKind::Bereavement, 0) => desk.signal(who, at(9), "bereavement", "family"),
        (ScenarioKind::Bereavement, 3) if !scenario.turn => desk.signal(who, at(9), "bereavement", "registry"),
        (ScenarioKind::Bereavement, 25) => desk.case(file, at(10), "bereavement", "lifted"),
        _ => {}
    }
}

fn projects(desk: &mut Desk<'_>, person: &Person, scenario: Scenario, day: i64) {
    let (start, today) = (scenario.start, scenario.start + day);
    let at = |hour| DayTime::new(today, hour, 0);
    let project = GeneratedId('p', person.number, Some(start));
    match (scenario.kind, day) {
        // Brought along from another bank, nearly there.
        (ScenarioKind::GoalReached, -8) => {
            desk.project(project, at(9), "vélo", 100_000, (start - 60, start + 90), "active");
            desk.saving(project, at(12), 90_000);
        }
        (ScenarioKind::GoalReached, 0) => desk.saving(project, at(12), 10_000),
        (ScenarioKind::GoalReached, 5) => {
            desk.project(project, at(17), "vélo", 100_000, (start - 60, start + 90), "done");
        }
        // A twentieth in 80 days; the moment waits for the 90th.
        (ScenarioKind::ProjectSlipping, -10) => {
            desk.project(project, at(9), "cuisine", 1_200_000, (start - 90, start + 275), "active");
            desk.saving(project, at(12), 60_000);
        }
        (ScenarioKind::ProjectSlipping, 20) => desk.saving(project, at(10), 1_000_000),
        (ScenarioKind::ProjectSlipping, 40) => {
            desk.project(project, at(17), "cuisine", 1_200_000, (start - 90, start + 275), "done");
        }
        _ => {}
    }
}

fn homes(desk: &mut Desk<'_>, person: &Person, scenario: Scenario, day: i64) {
    let (who, start, today) = (person.number, scenario.start, scenario.start + day);
    let at = |hour| DayTime::new(today, hour, 0);
    let mortgage = GeneratedId('h', who, Some(start));
    let talk = ContactDetails { channel: "branch", topic: Some("mortgage"), ..ContactDetails::default() };
    match (scenario.kind, day) {
        (ScenarioKind::FixedRateEnding, -10) => {
            desk.holding(mortgage, at(9), Some("mortgage"), Some(DayTime::new(start + 120, 0, 0)));
        }
        (ScenarioKind::FixedRateEnding, 10) => desk.contact(who, at(14), &talk),
        (ScenarioKind::FixedRateEnding, 30) => {
            desk.holding(mortgage, at(9), Some("mortgage"), Some(DayTime::new(start + 1_946, 0, 0)));
        }
        (ScenarioKind::NewHome, 0) => desk.signal(who, at(9), "address_change", "customer"),
        (ScenarioKind::NewHome, 9) => desk.signal(who, at(9), "insurance_query", "insurer"),
        _ => {}
    }
}

/// Books on the customer's own account.
pub(super) fn book(desk: &mut Desk<'_>, person: &mut Person, at: DayTime, cents: i64, kind: &str) {
    person.balance += cents;
    desk.entry(person.account(), at, cents, kind);
}
