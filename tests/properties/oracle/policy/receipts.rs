//! Receipts of a customer, what they answer, and what follows of them.

use super::super::state::Live;
use super::super::value::{Id, V};
use super::Policy;
use super::decide::Release;

/// What came back, or what another system did. In the order in which it is published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Receipt {
    pub(crate) event_time: i64,
    pub(crate) kind: String,
    pub(crate) trigger: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) until: Option<i64>,
}

/// A contact that counts in budgets until it is forgotten.
pub(crate) struct Contact {
    pub(crate) at: i64,
    pub(crate) channel: Option<String>,
    pub(crate) purpose: Option<String>,
}

const MOST_RECEIPTS: usize = 1_000;

/// The receipts of a customer that count now, the latest first.
pub(crate) fn receipts(policy: &Policy, live: &Live<'_>, customer: &Id, now: i64) -> Vec<Receipt> {
    let Some(declared) = &policy.receipts else { return Vec::new() };
    let about = live.records.iter().filter(|record| {
        record.input == declared.input
            && record.about.as_ref() == Some(customer)
            && now < record.event_time + policy.keep
    });
    let mut all: Vec<Receipt> = about
        .filter_map(|record| {
            let text = |field: Option<usize>| match field.map(|field| &record.row[field]) {
                Some(V::Text(text)) => Some(text.clone()),
                _ => None,
            };
            let until = match declared.until.map(|field| &record.row[field]) {
                Some(V::Time(until)) => Some(*until),
                _ => None,
            };
            Some(Receipt {
                event_time: record.event_time,
                kind: text(Some(declared.kind))?,
                trigger: text(declared.trigger),
                channel: text(declared.channel),
                purpose: text(declared.purpose),
                until,
            })
        })
        .collect();
    all.sort_by(|a, b| b.event_time.cmp(&a.event_time).then_with(|| a.cmp(b)));
    all.dedup();
    all.truncate(MOST_RECEIPTS);
    all
}

impl Receipt {
    /// What it answers among what was released to its customer.
    pub(crate) fn answers<'a>(&self, released: &[&'a Release]) -> Option<&'a Release> {
        let trigger = self.trigger.as_ref()?;
        released.iter().copied().find(|release| release.ids().contains(trigger))
    }
}

/// The ends of the rests and snoozes of a moment that apply now: `rest` or `snoozed`.
pub(crate) fn pauses(
    policy: &Policy,
    receipts: &[Receipt],
    released: &[&Release],
    moment: usize,
    now: i64,
) -> Vec<(&'static str, i64)> {
    // An answer is forgotten with the receipt, or with the release.
    let mut answers: Vec<(&Receipt, i64)> = Vec::new();
    for receipt in receipts {
        if let Some(release) = receipt.answers(released).filter(|release| release.moment == moment) {
            answers.push((receipt, release.at.min(receipt.event_time) + policy.keep));
        }
    }
    let mut pauses = Vec::new();
    for rest in &policy.rest {
        let mut of: Vec<&(&Receipt, i64)> =
            answers.iter().filter(|(receipt, _)| rest.of.contains(&receipt.kind)).collect();
        of.reverse();
        of.sort_by_key(|(receipt, _)| receipt.event_time);
        for some in of.windows(rest.after) {
            let (first, last) = (some[0].0.event_time, some[rest.after - 1].0.event_time);
            let forgotten = some.iter().map(|(_, forgotten)| *forgotten).min().expect("at least one");
            let end = (last + rest.length).min(forgotten);
            if rest.within.is_none_or(|within| last - first < within) && now < end {
                pauses.push(("rest", end));
            }
        }
    }
    for (snooze, forgotten) in answers.iter().filter(|(receipt, _)| receipt.kind == "snoozed") {
        let until = snooze.until.unwrap_or(snooze.event_time + policy.snooze).min(*forgotten);
        if now < until {
            pauses.push(("snoozed", until));
        }
    }
    pauses
}

/// What receipts add to the priority of a moment.
pub(crate) fn rating(policy: &Policy, receipts: &[Receipt], released: &[&Release], moment: usize) -> f64 {
    let answering = |receipt: &&Receipt| receipt.answers(released).is_some_and(|release| release.moment == moment);
    receipts.iter().filter(answering).map(|receipt| policy.rating.get(&receipt.kind).unwrap_or(&0.0)).sum()
}

/// The contacts that a customer has had, by whomever.
pub(crate) fn contacts(receipts: &[Receipt], released: &[&Release]) -> Vec<Contact> {
    let others = receipts.iter().filter(|receipt| receipt.kind == "contacted").map(|receipt| Contact {
        at: receipt.event_time,
        channel: receipt.channel.clone(),
        purpose: receipt.purpose.clone(),
    });
    let own = released.iter().filter(|release| !release.handed).map(|release| Contact {
        at: release.at,
        channel: release.channel.clone(),
        purpose: Some(release.purpose.clone()),
    });
    others.chain(own).collect()
}
