//! A customer at an instant, told: all moments in short, or one in full with the records that it is
//! made of.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use propice_define::expr::Env;
use propice_define::plan::{DataKinds, MoodSource, signal};
use propice_edge::trigger::language::{Teller, zone_of};
use propice_flow::empty_view::empty_row;
use propice_model::{KindId, MomentId, Value};

use super::answer::{Answer, At, Line, State, Timeline};
use super::features::{Filler, Trees};
use super::history::MomentSubject;
use super::records::{Hits, RecordsKey, Search};
use super::timeline::Timelines;
use super::{Known, Question, subjects};

/// A customer at an instant, about to be told.
pub(super) struct CustomerTelling<'a> {
    known: &'a Known<'a>,
    question: &'a Question,
    denied: DataKinds,
    zone: String,
    teller: Teller,
}

impl<'a> CustomerTelling<'a> {
    pub(super) fn new(known: &'a Known<'a>, question: &'a Question) -> CustomerTelling<'a> {
        let Known { plan, life, instant, .. } = *known;
        let nothing;
        let row = match &life.row {
            Some(row) => row.as_ref(),
            None => {
                nothing = empty_row(plan, KindId::CUSTOMER, instant);
                nothing.as_slice()
            }
        };
        let env = Env::of(row, instant);
        let policy = &plan.policy;
        let denied = policy.denied(&env);
        let named = policy.zone.as_ref().and_then(|zone| zone.text(&env));
        let (name, zone): (String, TimeZone) = zone_of(plan, named.as_deref());
        let teller = Teller::new(question.language, zone);
        CustomerTelling { known, question, denied, zone: name, teller }
    }

    pub(super) fn stories(&self) -> Timelines<'_> {
        let Known { plan, life, customer, instant, .. } = *self.known;
        Timelines { plan, teller: &self.teller, life, customer, instant, denied: self.denied }
    }

    fn answer(&self, explained: Vec<Timeline>, summary: Vec<Line>) -> Answer {
        Answer {
            pack: self.known.plan.name.clone(),
            version: self.known.plan.version.clone(),
            customer: self.known.customer.to_string(),
            at: At(self.known.instant),
            zone: self.zone.clone(),
            language: self.question.language.code(),
            unread: self.known.records.unread,
            explained,
            summary,
        }
    }

    /// All moments, those that are open first.
    pub(super) fn summary(&self) -> Answer {
        let stories = self.stories();
        let mut lines = Vec::new();
        for position in 0..self.known.plan.moments.len() {
            let moment = MomentId(position as u16);
            lines.extend(subjects::all(&stories, moment).iter().map(|subject| stories.line(moment, subject)));
        }
        let order = |line: &Line| match line.state {
            State::Open { .. } => 0,
            State::Holding { .. } => 1,
            State::Silent { .. } | State::Gone => 2,
        };
        lines.sort_by_key(order);
        self.answer(Vec::new(), lines)
    }

    /// One moment, for some of what it is about in full and for others in short.
    pub(super) fn explained(&self, moment: MomentId, full: &[MomentSubject], short: &[MomentSubject]) -> Answer {
        let stories = self.stories();
        let told = stories.told(moment);
        let shown = self.question.records;
        let mut explained = Vec::new();
        let mut wanted = BTreeSet::new();
        for subject in full {
            let mut trees = Trees::new(&told, self.known.life, self.known.customer, shown);
            explained.push(stories.story(moment, subject, &mut trees));
            wanted.append(&mut trees.wanted);
        }
        let hits = self.hits(&wanted);
        let Known { files, records, .. } = self.known;
        let filler = Filler { told: &told, files, hits: &hits, rows: &records.rows, shown };
        for (story, subject) in explained.iter_mut().zip(full) {
            filler.fill(&mut story.features);
            filler.fill(&mut story.gates);
            // Of what the policy keeps only records can be told.
            story.gates.retain(|looked_at| looked_at.value.is_some() || !looked_at.records.is_empty());
            if let Some((kind, id)) = subject {
                story.belongs = filler.belonging(*kind, id);
            }
        }
        let summary = short.iter().map(|subject| stories.line(moment, subject)).collect();
        self.answer(explained, summary)
    }

    /// The records that count; not the signals of mood that must not be heard.
    fn hits(&self, wanted: &BTreeSet<RecordsKey>) -> Hits {
        let Known { plan, customer, records, instant, .. } = *self.known;
        let mut hits = Search { plan, facts: &records.facts, customer, wanted, instant }.hits();
        let mood = plan.policy.mood.as_ref();
        let (Some(kind), Some(mood)) = (plan.policy.kind, mood) else { return hits };
        let MoodSource::Signals(sources) = &mood.source else { return hits };
        let row = self.known.life.row.as_deref().unwrap_or_default();
        let silent: BTreeMap<&str, bool> = (mood.modalities.iter())
            .map(|(name, allowed)| {
                let env = Env::of(row, self.known.instant);
                (name.as_str(), !allowed.as_ref().is_some_and(|allowed| allowed.holds(&env)))
            })
            .collect();
        for (key, of_key) in &mut hits {
            if matches!(key, RecordsKey::Feature(of, _, slot) if *of == kind && sources.iter().any(|source| source.slot == slot.0))
            {
                of_key.retain(|hit| !is_silent(&hit.value, &silent));
            }
        }
        hits
    }
}

/// Whether a signal of mood is of a modality that must not be heard.
fn is_silent(record: &Value, silent: &BTreeMap<&str, bool>) -> bool {
    let Value::List(parts) = record else { return false };
    match parts.get(signal::MODALITY) {
        Some(Value::Text(modality)) => silent.get(modality.as_ref()).copied().unwrap_or(false),
        _ => false,
    }
}
