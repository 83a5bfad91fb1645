//! Keys that mean nothing without another, and spans of time that go beyond what is remembered.

use super::Lint;
use super::budgets::longest_ms;
use crate::pack::problem::{Problem, Problems};
use crate::pack::raw_policy::MoodSource;
use crate::plan::OnExpiry;
use propice_model::time::format_duration;

/// Looks at the keys.
pub(super) fn check(lint: &Lint<'_>, problems: &mut Problems) {
    alone(lint, problems);
    forgotten(lint, problems);
    idle(lint, problems);
}

/// Keys that are of no use without another.
fn alone(lint: &Lint<'_>, problems: &mut Problems) {
    let policy = &lint.raw.policy;
    let mut useless = |key: &'static str, with: &'static str, span: &std::ops::Range<usize>| {
        problems.add(Problem::UselessWithout { key, with }, span);
    };
    if policy.receipts.is_none() {
        if let Some(rest) = policy.rest.first() {
            useless("rest", "policy.receipts", &rest.span);
        }
        if let Some((kind, _)) = policy.rating.first() {
            useless("rating", "policy.receipts", &kind.span);
        }
        if let Some(snooze) = &policy.snooze {
            useless("snooze", "policy.receipts", &snooze.span);
        }
    }
    if let Some(region) = policy.region.as_ref().filter(|_| policy.holidays.is_none()) {
        useless("region", "policy.holidays", &region.span);
    }
    let knows_holidays = policy.quiet.iter().any(|rule| rule.holidays.as_ref().is_some_and(|spot| spot.value));
    if let Some(table) =
        policy.holidays.as_ref().and_then(|holidays| holidays.table.as_ref()).filter(|_| !knows_holidays)
    {
        useless("holidays", "holidays = true` in `policy.quiet", &table.span);
    }
    for rest in policy.rest.iter().filter(|rest| rest.value.after == 1 && rest.value.within_ms.is_some()) {
        useless("within", "after = 2", &rest.span);
    }
    if let Some(mood) = &policy.mood {
        let has_modality = match &mood.source {
            Some(MoodSource::Signals(signals)) => signals.iter().any(|signal| signal.modality.is_some()),
            // Said elsewhere.
            _ => true,
        };
        if let Some((name, _)) = mood.modalities.first().filter(|_| !has_modality) {
            useless("modalities", "modality", &name.span);
        }
    }
    for (raw, _) in lint.moments {
        let expires = raw.on_expiry.as_ref().filter(|spot| spot.value == OnExpiry::Human);
        if let Some(expires) = expires.filter(|_| raw.valid_for_ms.is_none()) {
            useless("on_expiry", "valid_for", &expires.span);
        }
        if raw.success_within_ms.is_some() && raw.success.is_none() {
            useless("success_within", "success", &raw.name.span);
        }
    }
}

/// Spans of time of which only a part is remembered.
fn forgotten(lint: &Lint<'_>, problems: &mut Problems) {
    let keep_ms = lint.policy.keep_ms;
    let mut forgotten = |key: &'static str, span: &std::ops::Range<usize>| {
        problems.add(Problem::Forgotten { key, keep: format_duration(keep_ms) }, span);
    };
    for (raw, _) in lint.moments {
        if raw.cooldown_ms.is_some_and(|cooldown_ms| cooldown_ms > keep_ms) {
            forgotten("cooldown", &raw.name.span);
        }
    }
    for raw in lint.raw.policy.pressure.iter().filter(|raw| longest_ms(raw.per) > keep_ms) {
        forgotten("per", &raw.span);
    }
    for rest in &lint.raw.policy.rest {
        let within_ms = rest.value.within_ms.unwrap_or(0);
        for (key, span_ms) in [("within", within_ms), ("for", rest.value.for_ms)] {
            if span_ms > keep_ms {
                forgotten(key, &rest.span);
            }
        }
    }
}

/// What makes no difference.
fn idle(lint: &Lint<'_>, problems: &mut Problems) {
    for (kind, _) in lint.raw.policy.rating.iter().filter(|(_, number)| number.get() == 0.0) {
        problems.add(Problem::RatesNothing, &kind.span);
    }
    let Some(mood) = &lint.raw.policy.mood else { return };
    if let (Some(threshold), Some(MoodSource::From(from))) = (mood.threshold, &mood.source) {
        if mood.half_life.is_none() {
            problems.add(Problem::UselessWithout { key: "threshold", with: "half_life" }, &from.span);
        } else if threshold.get() >= 1.0 {
            problems.add(Problem::NeverNegative, &from.span);
        }
    }
}
