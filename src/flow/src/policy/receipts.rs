//! Receipts: what customers and other systems answer, and what a moment makes of it.

use std::sync::Arc;

use propice_define::plan::{ReceiptKind, Rest, Verdict, receipt};
use propice_model::{EventTime, LogicalTime, MomentId, Value};

use super::context::{EvaluationContext, Heard};
use super::state::{PolicyState, Release};
use super::{Decision, EpisodeKey, Policy, Receipt, What};

impl Policy {
    /// All receipts that count, the latest first.
    pub(super) fn heard(&self, context: &EvaluationContext<'_>) -> Vec<Heard> {
        let list = self.plan.policy.receipts.and_then(|slot| context.own_slots()?.get(usize::from(slot)));
        let Some(Value::List(list)) = list else { return Vec::new() };
        list.iter().filter_map(read).collect()
    }

    /// Notes the receipts that are new, and those that were there before what they answer was
    /// released.
    pub(super) fn hear(&self, state: &mut PolicyState, context: &EvaluationContext<'_>, out: &mut Vec<Decision>) {
        let Some(slot) = self.plan.policy.receipts else { return };
        let list = context.own_slots().and_then(|slots| slots.get(usize::from(slot)));
        let list = if let Some(Value::List(list)) = list { Some(list) } else { None };
        let before = state.receipts.as_deref().unwrap_or_default();
        let is_same = list.is_some_and(|list| std::ptr::eq(list.as_ref(), before));
        let released_now = state.releases.last().is_some_and(|release| release.at == context.now());
        for record in list.filter(|_| !is_same || released_now).into_iter().flat_map(|list| list.iter()) {
            let is_known = is_same || before.contains(record);
            if !is_known || released_now {
                out.extend(noted(state, context, record, is_known));
            }
        }
        state.receipts = list.map(Arc::clone);
    }
}

/// A receipt as a decision; of one that is known, only when it answers what is released at this
/// time.
fn noted(state: &PolicyState, context: &EvaluationContext<'_>, record: &Value, is_known: bool) -> Option<Decision> {
    let heard = read(record)?;
    let Value::List(parts) = record else { return None };
    let Some(Value::Text(kind)) = parts.get(receipt::KIND) else { return None };
    let release = heard.trigger.as_deref().and_then(|trigger| answered(&state.releases, trigger));
    if is_known && release.is_none_or(|release| release.at != context.now()) {
        return None;
    }
    Some(Decision {
        time: context.now(),
        customer: context.snapshot.customer.clone(),
        episode: release.map(|release: &Release| -> EpisodeKey { release.key.clone() }),
        what: What::Receipt(Receipt {
            at: heard.at,
            kind: kind.to_string(),
            known: heard.kind,
            trigger: heard.trigger.map(|text| text.to_string()),
            channel: heard.channel.map(|text| text.to_string()),
            heard_before: is_known,
        }),
    })
}

/// What a moment was answered, and until when that is remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub at: EventTime,
    pub kind: ReceiptKind,
    pub until: LogicalTime,
}

impl Heard {
    /// The release of a moment that it answers.
    pub(super) fn answers<'a>(&self, moment: MomentId, releases: &'a [Release]) -> Option<&'a Release> {
        let release = self.trigger.as_deref().and_then(|trigger| answered(releases, trigger));
        release.filter(|release| release.key.moment == moment)
    }
}

/// The release that a receipt names: by the id of the episode, or of one of its triggers.
fn answered<'a>(releases: &'a [Release], trigger: &str) -> Option<&'a Release> {
    let (hash, rest) = trigger.split_at_checked(32)?;
    let published = [Verdict::Released, Verdict::HandedToHuman, Verdict::Withdrawn];
    let verdict = rest.strip_prefix('-');
    if !rest.is_empty() && !published.iter().any(|published| verdict == Some(published.name())) {
        return None;
    }
    if !hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let id = u128::from_str_radix(hash, 16).ok()?.to_be_bytes();
    releases.iter().find(|release| release.id == Some(id))
}

/// A receipt as it was recorded.
fn read(record: &Value) -> Option<Heard> {
    let Value::List(parts) = record else { return None };
    let Value::Int(time) = parts.get(receipt::TIME)? else { return None };
    let Value::Text(kind) = parts.get(receipt::KIND)? else { return None };
    let text = |position: usize| {
        if let Some(Value::Text(text)) = parts.get(position) { Some(Arc::clone(text)) } else { None }
    };
    let until =
        if let Some(Value::Time(until)) = parts.get(receipt::UNTIL) { u64::try_from(*until).ok() } else { None };
    Some(Heard {
        at: time.unsigned_abs(),
        kind: ReceiptKind::named(kind),
        trigger: text(receipt::TRIGGER),
        channel: text(receipt::CHANNEL),
        purpose: text(receipt::PURPOSE),
        until,
    })
}

/// When what a customer answered makes a moment rest: until when, at a time at which it does.
pub(super) fn rests_until(rules: &[Rest], answers: &[Answer], now: LogicalTime) -> Option<LogicalTime> {
    rules.iter().filter_map(|rule| rest_of(rule, answers, now)).max()
}

/// `answers` in order of event time.
fn rest_of(rule: &Rest, answers: &[Answer], now: LogicalTime) -> Option<LogicalTime> {
    let counted: Vec<&Answer> = answers.iter().filter(|answer| rule.of.contains(&answer.kind)).collect();
    let ends = counted.windows(rule.after.max(1) as usize).filter_map(|run| {
        let (first, last) = (run.first()?.at, run.last()?.at);
        let near = rule.within_ms.is_none_or(|within| last - first < within.unsigned_abs());
        let end = last.saturating_add(rule.for_ms.unsigned_abs());
        // One that is forgotten makes nothing rest any more.
        let end = run.iter().map(|answer| answer.until).min()?.min(end);
        (near && last <= now && now < end).then_some(end)
    });
    ends.max()
}

/// Until when a moment is snoozed, at a time at which it is.
pub(super) fn snoozed_until(
    snoozes: impl Iterator<Item = (EventTime, LogicalTime)>,
    now: LogicalTime,
) -> Option<LogicalTime> {
    snoozes.filter(|(at, until)| *at <= now && now < *until).map(|(_, until)| until).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    #[test]
    fn three_dismissals_rest_a_moment_for_a_while() {
        let rule = Rest {
            after: 3,
            of: vec![ReceiptKind::Dismissed],
            within_ms: Some(180 * DAY as i64),
            for_ms: 90 * DAY as i64,
        };
        let answer = |day: &u64| Answer { at: day * DAY, kind: ReceiptKind::Dismissed, until: 400 * DAY };
        let on = |days: &[u64]| days.iter().map(answer).collect::<Vec<_>>();
        let rests = |days: &[u64], now: u64| rests_until(std::slice::from_ref(&rule), &on(days), now * DAY);
        assert_eq!(rests(&[1, 2], 3), None);
        assert_eq!(rests(&[1, 2, 3], 3), Some(93 * DAY));
        assert_eq!(rests(&[1, 2, 3], 93), None);
        assert_eq!(rests(&[1, 2, 181], 182), None, "more than half a year apart");
    }

    #[test]
    fn a_snooze_ends() {
        let snoozes = || [(5, 9), (6, 8)].into_iter();
        assert_eq!(snoozed_until(snoozes(), 7), Some(9));
        assert_eq!(snoozed_until(snoozes(), 9), None);
    }

    #[test]
    fn a_receipt_names_an_episode_or_one_of_its_triggers() {
        let key = EpisodeKey { moment: MomentId(0), entity: None, since: 0 };
        let id = Some(0x9bde_d331_ad80_ee03_8cd5_b587_14cc_8dc4_u128.to_be_bytes());
        let releases = [Release { key, at: 0, channel: None, handed: false, id }];
        for (trigger, found) in [
            ("9bded331ad80ee038cd5b58714cc8dc4", true),
            ("9bded331ad80ee038cd5b58714cc8dc4-released", true),
            ("9bded331ad80ee038cd5b58714cc8dc4-withdrawn", true),
            ("9bded331ad80ee038cd5b58714cc8dc4-expired", false),
            ("9BDED331AD80EE038CD5B58714CC8DC4", false),
            ("9bded331ad80ee038cd5b58714cc8dc5", false),
            ("é9bded331ad80ee038cd5b58714cc8dc", false),
            ("", false),
        ] {
            assert_eq!(answered(&releases, trigger).is_some(), found, "{trigger}");
        }
    }
}
