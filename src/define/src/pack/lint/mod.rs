//! What the mission forbids, and what cannot be meant.
//!
//! *Forbidden*: contact for a mood alone, selling without a budget, without a benefit, without
//! asking, or the more the worse somebody feels. *Not meant*: a gate that never lets anything
//! through, a budget that is never used up, a rule that is about nothing. Both are errors. What is
//! most likely not meant, and harms nobody, is a warning.

mod budgets;
mod keys;
mod mood;
mod personal;
mod quiet;
mod words;

use std::collections::HashSet;

use super::checked::CheckedKind;
use super::problem::{Problem, Problems};
use super::raw;
use super::scope::Ground;
use crate::expr::Expr;
use crate::plan::{Channel, Moment, OnExpiry, OnNegativeMood, Policy, Purpose};
use mood::MoodSlots;
use propice_model::{InputId, KindId};

/// What is looked at: a pack as far as it could be understood.
pub(super) struct Lint<'a> {
    pub ground: &'a Ground<'a>,
    pub raw: &'a raw::Pack,
    pub kinds: &'a [CheckedKind],
    /// Fields that are about mood.
    pub mood_fields: &'a HashSet<(InputId, u16)>,
    /// All moments; those that could be understood with what was understood.
    pub moments: &'a [(&'a raw::Moment, Option<&'a Moment>)],
    pub channels: &'a [Channel],
    pub policy: &'a Policy,
}

/// Looks at everything.
pub(super) fn check(lint: &Lint<'_>, problems: &mut Problems) {
    let mood = MoodSlots::find(lint);
    for (raw, moment) in lint.moments {
        lint.sales(raw, *moment, problems);
        holdout(raw, problems);
        if raw.reason.is_empty() {
            problems.add(Problem::NoReason { name: raw.name.value.clone() }, &raw.name.span);
        }
        if let Some(moment) = moment {
            mood_in(raw, moment, &mood, problems);
            lint.human(raw, moment, problems);
        }
    }
    lint.constants(problems);
    quiet::check(lint, problems);
    budgets::check(lint, problems);
    keys::check(lint, problems);
    personal::check(lint, problems);
    words::check(lint, problems);
}

impl Lint<'_> {
    /// Selling needs a budget, a benefit that is said, and, where the pack knows of consent,
    /// consent.
    fn sales(&self, raw: &raw::Moment, moment: Option<&Moment>, problems: &mut Problems) {
        const WORDS: usize = 3;
        if raw.purpose != Some(Purpose::Sales) {
            return;
        }
        let name = || raw.name.value.clone();
        if !budgets::limits_sales(moment, self.policy) {
            problems.add(Problem::NoBudget { name: name() }, &raw.name.span);
        }
        let benefits = raw.value.iter().flat_map(|(_, benefit)| benefit).map(|(_, text)| text.value.as_str());
        if benefits.filter(|benefit| !benefit.is_empty()).any(|benefit| benefit.split_whitespace().count() < WORDS) {
            problems.add(Problem::ShortBenefit { name: name() }, &raw.name.span);
        }
        let asks = self.raw.policy.purposes.iter().any(|(purpose, _)| *purpose == Purpose::Sales);
        if self.raw.policy.consent.is_some() && !asks {
            problems.add(Problem::SalesUnasked { name: name() }, &raw.name.span);
        }
    }

    /// What is handed over needs somebody who takes it.
    fn human(&self, raw: &raw::Moment, moment: &Moment, problems: &mut Problems) {
        let hands_over = moment.on_negative_mood == OnNegativeMood::Human || moment.on_expiry == OnExpiry::Human;
        let has_people = moment.channels.iter().any(|&channel| self.channels[channel].human);
        if hands_over && !has_people && self.policy.human.is_none() {
            problems.add(Problem::NobodyTakesOver { name: raw.name.value.clone() }, &raw.name.span);
        }
    }

    /// Conditions that are always the same open or close a gate for good.
    fn constants(&self, problems: &mut Problems) {
        let policy = self.policy;
        let raw = &self.raw.policy;
        let is_constant = |expr: &Expr| expr.refs().is_empty() && !expr.depends_on_now();
        let mut found = Vec::new();
        found.extend(policy.refusal.as_ref().zip(raw.refusal.as_ref()));
        for (purpose, text) in &raw.purposes {
            found.extend(policy.purposes[purpose.index()].as_ref().zip(Some(text)));
        }
        for data in &policy.data {
            let text = raw.data.iter().find(|raw| raw.name.value == data.name).and_then(|raw| raw.allowed.as_ref());
            found.extend(Some(&data.allowed).zip(text));
        }
        for (name, text) in raw.mood.iter().flat_map(|mood| &mood.modalities) {
            let condition = policy.mood.as_ref().and_then(|mood| mood.modalities.get(&name.value)?.as_ref());
            found.extend(condition.zip(text.as_ref()));
        }
        for (raw, moment) in self.moments {
            found.extend(moment.iter().flat_map(|moment| &moment.enough).zip(&raw.evidence));
        }
        for (_, text) in found.into_iter().filter(|(expr, _)| is_constant(expr)) {
            problems.add(Problem::Constant, &text.span);
        }
    }
}

/// Nobody is kept from what is for their safety to see whether it helps.
fn holdout(raw: &raw::Moment, problems: &mut Problems) {
    let share = raw.holdout.as_ref().filter(|share| share.value > 0.0);
    if let Some(share) = share.filter(|_| raw.purpose == Some(Purpose::Safety)) {
        problems.add(Problem::SafetyHoldout { name: raw.name.value.clone() }, &share.span);
    }
}

/// Mood is never the only criterion, and never a reason to sell.
fn mood_in(raw: &raw::Moment, moment: &Moment, mood: &MoodSlots, problems: &mut Problems) {
    let about = moment.about.unwrap_or(KindId::CUSTOMER);
    let kind = |scope: u8| if scope == 0 { KindId::CUSTOMER } else { about };
    let mut uses = moment.when.refs().iter().map(|(reference, _)| reference).peekable();
    let name = || raw.name.value.clone();
    if uses.peek().is_some() && uses.all(|reference| mood.is_about(kind(reference.scope), reference.slot)) {
        let span = raw.when.as_ref().map_or(&raw.name.span, |when| &when.span);
        problems.add(Problem::MoodOnly { name: name() }, span);
    }
    let mut ranks = moment.priority.iter().flat_map(Expr::refs);
    let uses_mood = ranks.any(|(reference, _)| mood.is_touched(kind(reference.scope), reference.slot));
    if let Some(priority) = raw.priority.as_ref().filter(|_| uses_mood && moment.purpose == Purpose::Sales) {
        problems.add(Problem::MoodSells { name: name() }, &priority.span);
    }
}
