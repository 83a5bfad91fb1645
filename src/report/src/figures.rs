//! The figures of a report, computed from what was counted. Serialised they are its JSON.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use propice_define::Plan;
use propice_define::plan::{Gate, Purpose, ReceiptKind, Verdict};
use propice_flow::policy::Group;
use propice_model::time::format_time;

use super::lengths::Lengths;
use super::periods::{Unit, periods};
use super::stats::{Difference, Share};
use super::tally::{Deferrals, OfDay, OfGate, OfMoment, ReportTally, Sent};

/// What a report is about, beside the decisions.
#[derive(Debug)]
pub struct ReportScope<'p> {
    /// The pack: its moments and channels are shown although nothing happened to them.
    pub plan: Option<&'p Plan>,
    /// Where days begin.
    pub zone: String,
    /// What a row of the timeline is; `None`: what fits.
    pub unit: Option<Unit>,
}

/// A report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The pack, when it is known.
    pub(super) pack: Option<Pack>,
    pub(super) zone: String,
    pub(super) decisions: u64,
    pub(super) bad_lines: u64,
    /// Of the first and the last decision.
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
    /// Their days, in the zone.
    #[serde(skip)]
    pub(super) days: Option<(Date, Date)>,
    pub(super) totals: Totals,
    pub(super) customers: Customers,
    pub(super) purposes: Vec<Purposed>,
    /// Releases for assistance per release for sales; null without any for sales.
    pub(super) assistance_to_sales: Option<f64>,
    pub(super) channels: Vec<Channeled>,
    pub(super) gates: Vec<Gated>,
    pub(super) deferrals: Waits,
    pub(super) moments: Vec<OneMoment>,
    pub(super) receipts: Unanswered,
    pub(super) timeline: Timeline,
}

#[derive(Debug, Serialize)]
pub(super) struct Pack {
    pub(super) name: String,
    pub(super) version: String,
}

/// What became of episodes.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Totals {
    pub(super) episodes: u64,
    pub(super) released: u64,
    pub(super) handed_to_human: u64,
    pub(super) withdrawn_before_release: u64,
    pub(super) expired: u64,
    pub(super) still_deferred: u64,
    pub(super) still_suppressed: u64,
    pub(super) withdrawn_after_release: u64,
    /// Of these episodes, those that were deferred and suppressed at any time.
    pub(super) ever_deferred: u64,
    pub(super) ever_suppressed: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Customers {
    pub(super) seen: u64,
    pub(super) contacted: u64,
    pub(super) contacts: u64,
    pub(super) mean: Option<f64>,
    pub(super) most: u64,
    pub(super) distribution: Vec<Contacts>,
}

#[derive(Debug, Serialize)]
pub(super) struct Contacts {
    pub(super) contacts: u64,
    pub(super) customers: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Purposed {
    pub(super) purpose: &'static str,
    pub(super) released: u64,
    pub(super) handed_to_human: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Channeled {
    /// Null: of moments without channels.
    pub(super) channel: Option<String>,
    pub(super) released: u64,
    pub(super) handed_to_human: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Gated {
    pub(super) gate: &'static str,
    pub(super) suppressed: u64,
    pub(super) deferred: u64,
    pub(super) expired: u64,
    pub(super) deferrals: Waits,
}

/// How long deferrals took.
#[derive(Debug, Serialize)]
pub(super) struct Waits {
    pub(super) ended: u64,
    pub(super) still_open: u64,
    pub(super) median_ms: Option<u64>,
    pub(super) p90_ms: Option<u64>,
    pub(super) longest_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct OneMoment {
    pub(super) moment: String,
    pub(super) purpose: &'static str,
    #[serde(flatten)]
    pub(super) totals: Totals,
    pub(super) deferrals: Waits,
    /// What followed the deferrals that ended, by verdict.
    pub(super) then: BTreeMap<&'static str, u64>,
    /// By kind.
    pub(super) receipts: BTreeMap<&'static str, u64>,
    /// `useful` of all that say useful, not useful or wrong.
    pub(super) useful: Share,
    pub(super) treated: Share,
    pub(super) holdout: Share,
    pub(super) treated_against_holdout: Option<Difference>,
}

/// Receipts that answer no release.
#[derive(Debug, Serialize)]
pub(super) struct Unanswered {
    pub(super) contacts_of_other_systems: u64,
    pub(super) others: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Timeline {
    pub(super) unit: Unit,
    pub(super) periods: Vec<ReportPeriod>,
}

#[derive(Debug, Serialize)]
pub(super) struct ReportPeriod {
    pub(super) from: String,
    #[serde(skip)]
    pub(super) start: Date,
    /// By purpose, in their order.
    pub(super) released: BTreeMap<&'static str, u64>,
    pub(super) handed_to_human: u64,
    pub(super) withdrawn_before_release: u64,
    pub(super) expired: u64,
    pub(super) treated: Share,
}

impl OneMoment {
    /// Triggers that receipts can answer.
    pub(super) fn sent(&self) -> u64 {
        self.totals.released + self.totals.handed_to_human
    }

    pub(super) fn received(&self, kind: &str) -> u64 {
        self.receipts.get(kind).copied().unwrap_or(0)
    }
}

impl ReportPeriod {
    pub(super) fn released_for(&self, purpose: &str) -> u64 {
        self.released.get(purpose).copied().unwrap_or(0)
    }

    pub(super) fn all_released(&self) -> u64 {
        self.released.values().sum()
    }
}

impl Report {
    /// The figures of what was counted.
    pub fn of(mut tally: ReportTally, scope: &ReportScope<'_>) -> Report {
        tally.close();
        declare(&mut tally, scope.plan);
        let moments: Vec<OneMoment> = tally.moments.iter().map(|(name, of)| one_moment(name, of)).collect();
        let mut all = Lengths::default();
        tally.moments.values().for_each(|of| all.merge(&of.deferrals.ended));
        let still_open = tally.moments.values().map(|of| of.deferrals.open).sum();
        let [_, assistance, .., sales] = tally.purposes;
        let time = |time: u64| format_time(time as i64);
        Report {
            pack: scope.plan.map(|plan| Pack { name: plan.name.clone(), version: plan.version.clone() }),
            zone: scope.zone.clone(),
            decisions: tally.decisions,
            bad_lines: tally.bad_lines,
            from: tally.times.map(|(first, _)| time(first)),
            until: tally.times.map(|(_, last)| time(last)),
            days: tally.times.map(|(first, last)| (tally.date(first), tally.date(last))),
            totals: totals(&moments),
            customers: customers(&tally),
            purposes: purposes(&tally.purposes),
            assistance_to_sales: ratio(assistance.released, sales.released),
            channels: channels(&tally.channels),
            gates: Gate::ALL.iter().zip(&tally.gates).map(|((name, _), of)| gated(name, of)).collect(),
            deferrals: waits(&Deferrals { ended: all, open: still_open }),
            moments,
            receipts: Unanswered { contacts_of_other_systems: tally.other_contacts, others: tally.other_receipts },
            timeline: timeline(&tally.days, scope.unit),
        }
    }

    /// As JSON, in lines for people.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// What the pack declares is shown although nothing happened to it.
fn declare(tally: &mut ReportTally, plan: Option<&Plan>) {
    let Some(plan) = plan else { return };
    for moment in &plan.moments {
        tally.moments.entry(moment.name.as_str().into()).or_insert_with(|| OfMoment::new(moment.purpose));
    }
    for channel in &plan.channels {
        tally.channels.entry(Some(channel.name.as_str().into())).or_default();
    }
}

fn one_moment(name: &str, of: &OfMoment) -> OneMoment {
    let treated = share(of, Group::Treated);
    let holdout = share(of, Group::Holdout);
    let receipt = |kind: ReceiptKind| of.receipts[kind as usize];
    let rated = [ReceiptKind::Useful, ReceiptKind::NotUseful, ReceiptKind::Wrong].map(receipt).iter().sum();
    OneMoment {
        moment: name.to_owned(),
        purpose: of.purpose.name(),
        totals: Totals {
            episodes: of.episodes,
            released: of.sent.released,
            handed_to_human: of.sent.handed,
            withdrawn_before_release: of.withdrawn_before,
            expired: of.expired,
            still_deferred: of.open_deferred,
            still_suppressed: of.open_suppressed,
            withdrawn_after_release: of.withdrawn_after,
            ever_deferred: of.ever_deferred,
            ever_suppressed: of.ever_suppressed,
        },
        deferrals: waits(&of.deferrals),
        then: named(&Verdict::ALL.map(|(name, _)| name), &of.then),
        receipts: named(&ReceiptKind::ALL.map(|(name, _)| name), &of.receipts),
        useful: Share::of(receipt(ReceiptKind::Useful), rated),
        treated,
        holdout,
        treated_against_holdout: Difference::of(treated, holdout),
    }
}

fn share(of: &OfMoment, group: Group) -> Share {
    let (watched, helped) = of.outcomes[group as usize];
    Share::of(helped, watched)
}

/// Those that there were.
fn named(names: &[&'static str], counts: &[u64]) -> BTreeMap<&'static str, u64> {
    names.iter().zip(counts).filter(|(_, count)| **count > 0).map(|(name, count)| (*name, *count)).collect()
}

fn waits(deferrals: &Deferrals) -> Waits {
    let Deferrals { ended, open } = deferrals;
    Waits {
        ended: ended.count(),
        still_open: *open,
        median_ms: ended.percentile_ms(50),
        p90_ms: ended.percentile_ms(90),
        longest_ms: ended.longest_ms(),
    }
}

fn totals(moments: &[OneMoment]) -> Totals {
    let sum = |of: fn(&Totals) -> u64| moments.iter().map(|moment| of(&moment.totals)).sum();
    Totals {
        episodes: sum(|of| of.episodes),
        released: sum(|of| of.released),
        handed_to_human: sum(|of| of.handed_to_human),
        withdrawn_before_release: sum(|of| of.withdrawn_before_release),
        expired: sum(|of| of.expired),
        still_deferred: sum(|of| of.still_deferred),
        still_suppressed: sum(|of| of.still_suppressed),
        withdrawn_after_release: sum(|of| of.withdrawn_after_release),
        ever_deferred: sum(|of| of.ever_deferred),
        ever_suppressed: sum(|of| of.ever_suppressed),
    }
}

fn customers(tally: &ReportTally) -> Customers {
    let mut distribution: BTreeMap<u64, u64> = BTreeMap::new();
    tally.contacts.values().for_each(|contacts| *distribution.entry(*contacts).or_default() += 1);
    let seen = tally.contacts.len() as u64;
    let contacts = tally.contacts.values().sum();
    Customers {
        seen,
        contacted: seen - distribution.get(&0).copied().unwrap_or(0),
        contacts,
        mean: ratio(contacts, seen),
        most: distribution.last_key_value().map_or(0, |(most, _)| *most),
        distribution: distribution.into_iter().map(|(contacts, customers)| Contacts { contacts, customers }).collect(),
    }
}

/// To a thousandth, the same on every machine.
fn ratio(of: u64, to: u64) -> Option<f64> {
    (to > 0).then(|| (of as f64 / to as f64 * 1_000.0).round() / 1_000.0)
}

fn purposes(counts: &[Sent; 5]) -> Vec<Purposed> {
    let named = Purpose::ALL.iter().zip(counts);
    named
        .map(|((purpose, _), sent)| Purposed { purpose, released: sent.released, handed_to_human: sent.handed })
        .collect()
}

/// The most used first.
fn channels(counts: &BTreeMap<Option<Box<str>>, Sent>) -> Vec<Channeled> {
    let mut rows: Vec<Channeled> = counts
        .iter()
        .map(|(channel, sent)| Channeled {
            channel: channel.as_deref().map(str::to_owned),
            released: sent.released,
            handed_to_human: sent.handed,
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.released, row.handed_to_human)));
    rows
}

fn gated(name: &'static str, of: &OfGate) -> Gated {
    Gated {
        gate: name,
        suppressed: of.suppressed,
        deferred: of.deferred,
        expired: of.expired,
        deferrals: waits(&of.deferrals),
    }
}

fn timeline(days: &BTreeMap<Date, OfDay>, unit: Option<Unit>) -> Timeline {
    let (unit, found) = periods(days, unit);
    let period = |(start, of): (Date, OfDay)| ReportPeriod {
        from: start.to_string(),
        start,
        released: named(&Purpose::ALL.map(|(name, _)| name), &of.released),
        handed_to_human: of.handed,
        withdrawn_before_release: of.withdrawn_before,
        expired: of.expired,
        treated: Share::of(of.helped, of.watched),
    };
    Timeline { unit, periods: found.into_iter().map(period).collect() }
}
