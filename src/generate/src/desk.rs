//! What the bank writes down: one method per input of `dataflows/bank.toml`, which knows its
//! fields.

use super::calendar::holiday;
use super::line::{self, DayTime, GeneratedId, customer};
use super::outbox::{Lane, Outbox};

/// Writes records.
pub(super) struct Desk<'o> {
    pub(super) out: Outbox<'o>,
    pub(super) next_entry: i64,
}

/// A contact, as far as it is not the usual glance at the app.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ContactDetails {
    pub(super) channel: &'static str,
    pub(super) topic: Option<&'static str>,
    pub(super) application: Option<GeneratedId>,
    /// The mood, and the confidence of the model that heard it in hundredths.
    pub(super) mood: Option<(&'static str, i64)>,
}

/// A payment by card, or its reversal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payment {
    pub(super) cents: i64,
    pub(super) kind: &'static str,
    pub(super) merchant: &'static str,
    pub(super) category: &'static str,
    pub(super) country: &'static str,
}

impl Desk<'_> {
    pub(super) fn customer(&mut self, who: u32, at: DayTime, segment: &str, adviser: i64, zone: Option<&str>) {
        self.out.put(Lane::Customers, at, |out| {
            line::id(out, "customer_id", customer(who));
            line::time(out, "at", at);
            line::text(out, "segment", segment);
            line::id(out, "adviser", GeneratedId('u', adviser as u32, None));
            if let Some(zone) = zone {
                line::text(out, "zone", zone);
            }
        });
    }

    pub(super) fn consent(&mut self, who: u32, at: DayTime, purpose: &str, granted: bool) {
        self.out.put(Lane::Consents, at, |out| {
            line::id(out, "customer_id", customer(who));
            line::text(out, "purpose", purpose);
            line::truth(out, "granted", granted);
            line::time(out, "at", at);
        });
    }

    pub(super) fn account(&mut self, account: GeneratedId, at: DayTime, overdraft: i64) {
        self.out.put(Lane::Accounts, at, |out| {
            line::id(out, "account_id", account);
            line::time(out, "at", at);
            line::time(out, "opened_at", DayTime::new(at.day - 400, 9, 0));
            line::money(out, "overdraft", overdraft);
        });
    }

    /// A holder of an account, or with no role one that is so no more.
    pub(super) fn holder(&mut self, account: GeneratedId, who: u32, at: DayTime, role: Option<&str>) {
        self.out.put(Lane::Holders, at, |out| {
            line::id(out, "account_id", account);
            line::id(out, "customer_id", customer(who));
            match role {
                Some(role) => line::text(out, "role", role),
                None => line::truth(out, "_deleted", true),
            }
            line::time(out, "at", at);
        });
    }

    pub(super) fn card(&mut self, who: u32, at: DayTime, status: &str, reason: Option<&str>, ceiling: i64) {
        self.out.put(Lane::Cards, at, |out| {
            line::id(out, "card_id", GeneratedId('k', who, None));
            line::id(out, "customer_id", customer(who));
            line::time(out, "at", at);
            line::text(out, "status", status);
            if let Some(reason) = reason {
                line::text(out, "reason", reason);
            }
            line::money(out, "ceiling_30d", ceiling);
        });
    }

    pub(super) fn debit(
        &mut self,
        debit: i64,
        account: GeneratedId,
        at: DayTime,
        creditor: &str,
        cents: i64,
        due: DayTime,
    ) {
        self.out.put(Lane::DirectDebits, at, |out| {
            line::int(out, "debit_id", debit);
            line::id(out, "account_id", account);
            line::text(out, "creditor", creditor);
            line::money(out, "amount", cents);
            line::time(out, "due_at", due);
            line::time(out, "at", at);
        });
    }

    pub(super) fn fee_notice(
        &mut self,
        notice: i64,
        account: GeneratedId,
        at: DayTime,
        cents: i64,
        debits: DayTime,
        status: &str,
    ) {
        self.out.put(Lane::FeeNotices, at, |out| {
            line::int(out, "notice_id", notice);
            line::id(out, "account_id", account);
            line::money(out, "amount", cents);
            line::time(out, "debits_at", debits);
            line::text(out, "status", status);
            line::time(out, "at", at);
        });
    }

    /// A contract with its merchant and pricing, or without them one that has ended.
    pub(super) fn subscription(&mut self, contract: GeneratedId, at: DayTime, terms: Option<(&str, &str)>) {
        self.out.put(Lane::Subscriptions, at, |out| {
            line::id(out, "subscription_id", contract);
            match terms {
                Some((merchant, pricing)) => {
                    line::id(out, "customer_id", customer(contract.1));
                    line::text(out, "merchant", merchant);
                    line::text(out, "pricing", pricing);
                }
                None => line::truth(out, "_deleted", true),
            }
            line::time(out, "at", at);
        });
    }

    pub(super) fn application(&mut self, application: GeneratedId, at: DayTime, product: &str, status: &str) {
        self.out.put(Lane::Applications, at, |out| {
            line::id(out, "application_id", application);
            line::id(out, "customer_id", customer(application.1));
            line::text(out, "product", product);
            line::text(out, "status", status);
            line::time(out, "at", at);
        });
    }

    /// `span`: the days on which it began and on which the money is wanted.
    pub(super) fn project(
        &mut self,
        project: GeneratedId,
        at: DayTime,
        name: &str,
        cents: i64,
        span: (i64, i64),
        status: &str,
    ) {
        self.out.put(Lane::Projects, at, |out| {
            line::id(out, "project_id", project);
            line::id(out, "customer_id", customer(project.1));
            line::text(out, "name", name);
            line::money(out, "target", cents);
            line::time(out, "started_at", DayTime::new(span.0, 0, 0));
            line::time(out, "target_at", DayTime::new(span.1, 0, 0));
            line::text(out, "status", status);
            line::time(out, "at", at);
        });
    }

    /// A product that is held, or without its name one that is held no more.
    pub(super) fn holding(
        &mut self,
        holding: GeneratedId,
        at: DayTime,
        product: Option<&str>,
        fixed_until: Option<DayTime>,
    ) {
        self.out.put(Lane::Holdings, at, |out| {
            line::id(out, "holding_id", holding);
            if let Some(product) = product {
                line::id(out, "customer_id", customer(holding.1));
                line::text(out, "product", product);
                if let Some(fixed_until) = fixed_until {
                    line::time(out, "fixed_until", fixed_until);
                }
            } else {
                line::truth(out, "_deleted", true);
            }
            line::time(out, "at", at);
        });
    }

    pub(super) fn case(&mut self, case: GeneratedId, at: DayTime, kind: &str, status: &str) {
        self.out.put(Lane::Cases, at, |out| {
            line::id(out, "case_id", case);
            line::id(out, "customer_id", customer(case.1));
            line::text(out, "kind", kind);
            line::text(out, "status", status);
            line::id(out, "owner", GeneratedId('u', case.1 % 40, None));
            line::time(out, "at", at);
        });
    }

    pub(super) fn request(&mut self, request: i64, who: u32, at: DayTime, channel: &str, topic: &str, status: &str) {
        self.out.put(Lane::Requests, at, |out| {
            line::int(out, "request_id", request);
            line::id(out, "customer_id", customer(who));
            line::text(out, "channel", channel);
            line::text(out, "topic", topic);
            line::text(out, "status", status);
            line::time(out, "at", at);
        });
    }

    /// A journey with its country and days, or without them one that has been called off.
    pub(super) fn travel(&mut self, notice: i64, who: u32, at: DayTime, journey: Option<(&str, DayTime, DayTime)>) {
        self.out.put(Lane::TravelNotices, at, |out| {
            line::int(out, "notice_id", notice);
            line::id(out, "customer_id", customer(who));
            if let Some((country, departs, returns)) = journey {
                line::text(out, "country", country);
                line::time(out, "departs_at", departs);
                line::time(out, "returns_at", returns);
            } else {
                line::truth(out, "_deleted", true);
            }
            line::time(out, "at", at);
        });
    }

    pub(super) fn entry(&mut self, account: GeneratedId, at: DayTime, cents: i64, kind: &str) {
        self.entry_of(account, at, cents, kind, None, None);
    }

    pub(super) fn entry_of(
        &mut self,
        account: GeneratedId,
        at: DayTime,
        cents: i64,
        kind: &str,
        beneficiary: Option<u32>,
        contract: Option<GeneratedId>,
    ) {
        self.next_entry += 1;
        let entry = self.next_entry;
        self.out.put(Lane::Ledger, at, |out| {
            line::int(out, "entry_id", entry);
            line::id(out, "account_id", account);
            line::time(out, "booked_at", at);
            line::money(out, "amount", cents);
            line::text(out, "kind", kind);
            if let Some(who) = beneficiary {
                line::id(out, "beneficiary", customer(who));
            }
            if let Some(contract) = contract {
                line::id(out, "subscription_id", contract);
            }
        });
    }

    pub(super) fn payment(&mut self, who: u32, at: DayTime, payment: &Payment) {
        self.next_entry += 1;
        let number = self.next_entry;
        self.out.put(Lane::CardPayments, at, |out| {
            line::int(out, "payment_id", number);
            line::id(out, "card_id", GeneratedId('k', who, None));
            line::time(out, "at", at);
            line::money(out, "amount", payment.cents);
            line::text(out, "kind", payment.kind);
            line::text(out, "merchant", payment.merchant);
            line::text(out, "category", payment.category);
            line::text(out, "country", payment.country);
        });
    }

    pub(super) fn incident(&mut self, account: GeneratedId, at: DayTime, kind: &str, cents: i64) {
        self.out.put(Lane::Incidents, at, |out| {
            line::id(out, "account_id", account);
            line::time(out, "at", at);
            line::text(out, "kind", kind);
            line::money(out, "amount", cents);
        });
    }

    pub(super) fn saving(&mut self, project: GeneratedId, at: DayTime, cents: i64) {
        self.out.put(Lane::Savings, at, |out| {
            line::id(out, "project_id", project);
            line::time(out, "at", at);
            line::money(out, "amount", cents);
        });
    }

    pub(super) fn contact(&mut self, who: u32, at: DayTime, contact: &ContactDetails) {
        self.out.put(Lane::Contacts, at, |out| {
            line::id(out, "customer_id", customer(who));
            line::time(out, "at", at);
            line::text(out, "channel", contact.channel);
            if let Some(topic) = contact.topic {
                line::text(out, "topic", topic);
            }
            if let Some(application) = contact.application {
                line::id(out, "application_id", application);
            }
            if let Some((mood, hundredths)) = contact.mood {
                line::text(out, "mood", mood);
                line::money(out, "confidence", hundredths);
                let spoken = matches!(contact.channel, "call" | "voice");
                line::text(out, "modality", if spoken { "voice" } else { "text" });
            }
        });
    }

    pub(super) fn signal(&mut self, who: u32, at: DayTime, kind: &str, source: &str) {
        self.out.put(Lane::Signals, at, |out| {
            line::id(out, "customer_id", customer(who));
            line::time(out, "at", at);
            line::text(out, "kind", kind);
            line::text(out, "source", source);
        });
    }

    /// What a detector heard: in its words, with strength and confidence in hundredths.
    pub(super) fn mood(
        &mut self,
        who: u32,
        at: DayTime,
        emotion: &str,
        (strength, confidence): (i64, i64),
        (modality, source): (&str, &str),
    ) {
        self.out.put(Lane::Moods, at, |out| {
            line::id(out, "customer_id", customer(who));
            line::time(out, "at", at);
            line::text(out, "emotion", emotion);
            line::money(out, "strength", strength);
            line::money(out, "confidence", confidence);
            line::text(out, "modality", modality);
            line::text(out, "source", source);
        });
    }

    /// Another system has been in touch.
    pub(super) fn contacted(&mut self, receipt: i64, who: u32, at: DayTime, channel: &str, purpose: &str) {
        self.out.put(Lane::Receipts, at, |out| {
            line::id(out, "receipt_id", GeneratedId('r', 0, Some(receipt)));
            line::id(out, "customer_id", customer(who));
            line::time(out, "at", at);
            line::text(out, "kind", "contacted");
            line::text(out, "channel", channel);
            line::text(out, "purpose", purpose);
        });
    }

    /// The public holidays from a day until another, all published on the first.
    pub(super) fn holidays(&mut self, from: i64, until: i64) {
        let published = DayTime::new(from, 0, 0);
        for (day, region) in (from..until).filter_map(|day| Some((day, holiday(day)?))) {
            self.out.put(Lane::Holidays, published, |out| {
                line::id(out, "holiday_id", GeneratedId('d', day as u32, None));
                line::date(out, "day", day);
                if let Some(region) = region {
                    line::text(out, "region", region);
                }
                line::time(out, "published_at", published);
            });
        }
    }

    /// A customer is in a situation from and until.
    pub(super) fn scenario(&mut self, who: u32, scenario: &str, from: DayTime, until: DayTime) {
        self.out.put(Lane::Truth, from, |out| {
            line::id(out, "customer", customer(who));
            line::text(out, "situation", scenario);
            line::time(out, "from", from);
            line::time(out, "until", until);
        });
    }
}
