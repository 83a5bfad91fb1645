//! Why: which records, which values, which condition, which gates; and what would have to change.
//!
//! ```text
//! files ──run──▶ History: the view of the customer as of the instant, its episodes and decisions ─┐
//!   │                                                                                             ├─▶ Answer ─▶ text | JSON
//!   └──read once more──▶ Search: the records that count towards what the condition uses ──────────┘
//! ```
//!
//! Nothing is kept for explanations while a pack runs: they are made from the records by the same dataflow, so an explanation is
//! as right as the run. A condition is evaluated clause by clause ([`define::clauses`](propice_define::clauses)), each with the
//! values at the instant; what the customer does not consent to is named and never shown.
//!
//! `docs/why.md` shows it; `tests/why.rs` checks whole explanations in both languages.

pub mod answer;
mod features;
mod find;
mod gates;
mod history;
mod records;
mod story;
mod subjects;
pub mod text;
mod told;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::tz::TimeZone;

use propice_define::Plan;
use propice_define::expr::Env;
use propice_define::plan::{DataKinds, MoodSource, signal};
use propice_edge::sink::Sink;
use propice_edge::source::{InputFile, MergedSource, SourceError};
use propice_edge::trigger::language::{Language, Teller, zone_of};
use propice_flow::nothing::row_over_nothing;
use propice_model::time::format_logical;
use propice_model::{Id, KindId, LogicalTime, MomentId, Value};
use propice_run::{self as run, Options};

use answer::{Answer, At, Line, State, Story};
use features::{Filler, Trees, chosen};
use find::{Found, Seeker, Sought};
use history::{History, Life, Subject};
use records::{Hits, Key, Search, Unread, first_seen, rows};
use story::Stories;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// About what.
    pub about: About,
    /// As of when; `None`: the end of the records, or when the trigger was published.
    pub at: Option<LogicalTime>,
    /// In which language.
    pub language: Language,
    /// How many records are shown of each feature.
    pub records: usize,
}

/// What a question is about.
#[derive(Clone, Debug)]
pub enum About {
    /// A customer, and perhaps one of its moments and one of its entities.
    Customer {
        /// Who.
        customer: String,
        /// Which moment; `None`: all in short.
        moment: Option<String>,
        /// Which entity; `None`: those that are concerned.
        entity: Option<String>,
    },
    /// A trigger or an episode, by its id.
    Trigger(String),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The question names what is not there; the text says how it is called.
    #[error("{0}")]
    Unknown(String),
    /// The sources cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The run failed.
    #[error("the run failed: {0}")]
    Io(#[from] io::Error),
}

impl From<Unread> for Problem {
    fn from(unread: Unread) -> Problem {
        match unread {
            Unread::Source(error) => Problem::Source(error),
            Unread::Io(error) => Problem::Io(error),
        }
    }
}

/// Answers a question about a pack over files, which are read several times.
///
/// # Errors
/// When the question names what is not there, or the files cannot be read.
pub fn explain(plan: &Arc<Plan>, files: &[InputFile], question: &Question) -> Result<Answer, Problem> {
    let context = Context { plan, files, question };
    match &question.about {
        About::Customer { customer, moment, entity } => {
            let moment = moment.as_deref().map(|name| subjects::moment_named(plan, name)).transpose()?;
            let customer = Id::parse(customer);
            let (life, instant) = context.live(&customer, question.at, question.at)?;
            if life.row.is_none() {
                return Err(context.unknown_customer(&customer, &life, instant));
            }
            let told = Telling::new(&context, &customer, &life, instant);
            match moment {
                None => Ok(told.summary()),
                Some(moment) => {
                    let entity = entity.as_deref().map(Id::parse);
                    let (full, short) = subjects::of(&told.stories(), moment, entity.as_ref())?;
                    told.explained(moment, &full, &short)
                }
            }
        }
        About::Trigger(id) => {
            let found = context.find(id)?;
            let instant = question.at.or(found.at);
            let (life, instant) = context.live(&found.customer, instant, question.at)?;
            let told = Telling::new(&context, &found.customer, &life, instant);
            told.explained(found.episode.moment, &[found.episode.entity], &[])
        }
    }
}

/// A question with what it is asked of.
struct Context<'a> {
    plan: &'a Arc<Plan>,
    files: &'a [InputFile],
    question: &'a Question,
}

impl Context<'_> {
    /// Runs the pack, and gives the logical time at which that ended.
    fn run(&self, sink: Box<dyn Sink>, options: &Options, stop: &Arc<AtomicBool>) -> Result<run::Summary, Problem> {
        let source = MergedSource::open(self.plan, self.files, stop)?;
        Ok(run::execute(self.plan, Box::new(source), sink, options)?)
    }

    /// The life of a customer as of an instant, and that instant.
    fn live(
        &self,
        customer: &Id,
        instant: Option<LogicalTime>,
        until: Option<LogicalTime>,
    ) -> Result<(Life, LogicalTime), Problem> {
        let history = History::new(self.plan, customer, instant);
        let options = Options { views: true, until, ..Options::default() };
        let summary = self.run(Box::new(history.clone()), &options, &Arc::default())?;
        if summary.records == 0 {
            return Err(self.nothing_known(customer, summary.through));
        }
        Ok((history.take(), instant.unwrap_or(summary.through)))
    }

    /// The episode that an id is of.
    fn find(&self, id: &str) -> Result<Found, Problem> {
        let Some(sought) = Sought::parse(id) else {
            let text = format!(
                "`{id}` is no id of a trigger or of an episode: 32 hexadecimal digits, and for a trigger a verdict such as `-released` behind them"
            );
            return Err(Problem::Unknown(text));
        };
        let stop = Arc::new(AtomicBool::new(false));
        let seeker = Seeker::new(self.plan, sought.clone(), &stop);
        let options = Options { until: self.question.at, ..Options::default() };
        let summary = self.run(Box::new(seeker.clone()), &options, &stop)?;
        match (seeker.found(), sought.verdict) {
            (Some(found), Some(verdict)) if found.at.is_none() => Err(Problem::Unknown(format!(
                "the episode is known, of {} of customer {}, but it was not {} by {}; ask for the episode, without `-{}`",
                self.plan.moments[found.episode.moment.index()].name,
                found.customer,
                verdict.name(),
                format_logical(summary.through),
                verdict.name(),
            ))),
            (Some(found), _) => Ok(found),
            (None, _) => Err(Problem::Unknown(format!(
                "no episode or trigger has the id `{id}` by {}; ids are the same only for the same pack and records",
                format_logical(summary.through)
            ))),
        }
    }

    fn nothing_known(&self, customer: &Id, through: LogicalTime) -> Problem {
        match first_seen(self.plan, self.files, customer) {
            Ok((_, Some(first))) => {
                let (at, first) = (format_logical(through), format_logical(first));
                Problem::Unknown(format!("nothing is known at {at}: the first record is of {first}"))
            }
            Ok((_, None)) => Problem::Unknown("there are no records".to_owned()),
            Err(unread) => unread.into(),
        }
    }

    fn unknown_customer(&self, customer: &Id, life: &Life, instant: LogicalTime) -> Problem {
        let at = format_logical(instant);
        if life.customers.contains(customer) {
            return Problem::Unknown(format!("the customer `{customer}` is not there any more at {at}"));
        }
        match first_seen(self.plan, self.files, customer) {
            Ok((Some(first), _)) if first > instant => {
                let first = format_logical(first);
                return Problem::Unknown(format!(
                    "the customer `{customer}` is not known yet at {at}; it is from {first} on"
                ));
            }
            Ok(_) => {}
            Err(unread) => return unread.into(),
        }
        let known: Vec<String> = life.customers.iter().map(ToString::to_string).collect();
        let nearest = subjects::nearest(&customer.to_string(), known.iter().map(String::as_str));
        Problem::Unknown(format!("there is no customer `{customer}` at {at}{nearest}"))
    }
}

/// A customer at an instant, about to be told.
struct Telling<'a> {
    context: &'a Context<'a>,
    customer: &'a Id,
    life: &'a Life,
    instant: LogicalTime,
    denied: DataKinds,
    zone: String,
    teller: Teller,
}

impl<'a> Telling<'a> {
    fn new(context: &'a Context<'a>, customer: &'a Id, life: &'a Life, instant: LogicalTime) -> Telling<'a> {
        let nothing;
        let row = match &life.row {
            Some(row) => row.as_ref(),
            None => {
                nothing = row_over_nothing(context.plan, KindId::CUSTOMER, instant);
                nothing.as_slice()
            }
        };
        let env = Env::of(row, instant);
        let policy = &context.plan.policy;
        let denied = policy.denied(&env);
        let named = policy.zone.as_ref().and_then(|zone| zone.text(&env));
        let (zone, known): (String, TimeZone) = zone_of(context.plan, named.as_deref());
        let teller = Teller::new(context.question.language, known);
        Telling { context, customer, life, instant, denied, zone, teller }
    }

    fn stories(&self) -> Stories<'_> {
        Stories {
            plan: self.context.plan,
            teller: &self.teller,
            life: self.life,
            customer: self.customer,
            instant: self.instant,
            denied: self.denied,
        }
    }

    fn answer(&self, explained: Vec<Story>, summary: Vec<Line>) -> Answer {
        Answer {
            pack: self.context.plan.name.clone(),
            version: self.context.plan.version.clone(),
            customer: self.customer.to_string(),
            at: At(self.instant),
            zone: self.zone.clone(),
            language: self.context.question.language.code(),
            unread: self.life.unread,
            explained,
            summary,
        }
    }

    /// All moments, those that are open first.
    fn summary(&self) -> Answer {
        let stories = self.stories();
        let mut lines = Vec::new();
        for position in 0..self.context.plan.moments.len() {
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
    fn explained(&self, moment: MomentId, full: &[Subject], short: &[Subject]) -> Result<Answer, Problem> {
        let stories = self.stories();
        let told = stories.told(moment);
        let shown = self.context.question.records;
        let mut explained = Vec::new();
        let mut wanted = BTreeSet::new();
        for subject in full {
            let mut trees = Trees::new(&told, self.life, self.customer, shown);
            explained.push(stories.story(moment, subject, &mut trees));
            wanted.append(&mut trees.wanted);
        }
        let hits = self.hits(&wanted)?;
        let origins = (hits.keys())
            .flat_map(|key| chosen(self.context.plan, &hits, key, self.value(key), shown).0)
            .map(|hit| hit.origin.clone())
            .collect();
        let rows = rows(self.context.plan, self.context.files, &origins)?;
        let filler = Filler { told: &told, files: self.context.files, hits: &hits, rows: &rows, shown };
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
        Ok(self.answer(explained, summary))
    }

    /// The records that count; not the signals of mood that must not be heard.
    fn hits(&self, wanted: &BTreeSet<Key>) -> Result<Hits, Problem> {
        let Context { plan, files, .. } = self.context;
        let search = Search { plan, files, customer: self.customer, wanted, instant: self.instant };
        let mut hits = search.hits()?;
        let mood = plan.policy.mood.as_ref();
        let (Some(kind), Some(mood)) = (plan.policy.kind, mood) else { return Ok(hits) };
        let MoodSource::Signals(sources) = &mood.source else { return Ok(hits) };
        let row = self.life.row.as_deref().unwrap_or_default();
        let silent: BTreeMap<&str, bool> = (mood.modalities.iter())
            .map(|(name, allowed)| {
                let env = Env::of(row, self.instant);
                (name.as_str(), !allowed.as_ref().is_some_and(|allowed| allowed.holds(&env)))
            })
            .collect();
        for (key, of_key) in &mut hits {
            if matches!(key, Key::Feature(of, _, slot) if *of == kind && sources.iter().any(|source| source.slot == slot.0))
            {
                of_key.retain(|hit| !is_silent(&hit.value, &silent));
            }
        }
        Ok(hits)
    }

    /// The value of a feature.
    fn value(&self, key: &Key) -> &Value {
        const NULL: &Value = &Value::Null;
        let Key::Feature(kind, id, feature) = key else { return NULL };
        self.life.slots(*kind, id).and_then(|slots| slots.get(feature.index())).unwrap_or(NULL)
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
