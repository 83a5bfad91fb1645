//! Why: which records, which values, which condition, which gates; and what would have to change.
//!
//! ```text
//! files ──once──▶ Gathered: the records about the customer, as facts and rows ─┬──────────────────────────┐
//!                                                                               └─run─▶ Life: the view as  ├─▶ Known ─▶ Answer ─▶ text | JSON
//!                                                                                       of an instant      ┘
//! ```
//!
//! [`Known`] is told wherever its parts come from: [`explain`] reads files, a server has the view
//! at hand.
//!
//! Nothing is kept for explanations while a pack runs: they are made from the records by the same
//! dataflow, so an explanation is as right as the run. A condition is evaluated clause by clause
//! ([`define::clauses`](propice_define::clauses)), each with the values at the instant; what the
//! customer does not consent to is named and never shown.
//!
//! `docs/why.md` shows it; `tests/integrated/why.rs` checks whole explanations in both languages.

pub mod answer;
mod features;
mod find;
mod gates;
pub mod gathered;
pub mod history;
mod reading;
mod records;
mod render;
mod subjects;
mod telling;
pub mod text;
mod timeline;
mod words;

use std::io;
use std::sync::Arc;

use propice_define::Plan;
use propice_edge::source::{InputFile, SourceError};
use propice_edge::trigger::language::Language;
use propice_model::{Id, LogicalTime, MomentId};

use answer::Answer;
use gathered::GatheredRecords;
use history::{Life, MomentSubject};
use reading::Reading;
use telling::CustomerTelling;

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
    /// A trigger or an episode.
    Trigger {
        /// Its id.
        id: String,
        /// Whose it is; `None`: all records are run to find out.
        customer: Option<String>,
    },
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

/// One customer at an instant, with the records that it is made of: all that an explanation needs.
pub struct Known<'a> {
    /// What was run.
    pub plan: &'a Plan,
    /// The files of the run: what origins of records count.
    pub files: &'a [InputFile],
    /// Who.
    pub customer: &'a Id,
    /// The view, and what was decided.
    pub life: &'a Life,
    /// The records.
    pub records: &'a GatheredRecords,
    /// As of when.
    pub instant: LogicalTime,
}

impl Known<'_> {
    /// All moments in short.
    pub fn summary(&self, question: &Question) -> Answer {
        CustomerTelling::new(self, question).summary()
    }

    /// A moment, in full for an entity or for what it concerns most.
    ///
    /// # Errors
    /// When the customer has no such entity.
    pub fn moment(&self, question: &Question, moment: MomentId, entity: Option<&Id>) -> Result<Answer, Problem> {
        let told = CustomerTelling::new(self, question);
        let (full, short) = subjects::of(&told.stories(), moment, entity)?;
        Ok(told.explained(moment, &full, &short))
    }

    /// A moment for one thing that it is about.
    fn subject(&self, question: &Question, moment: MomentId, subject: MomentSubject) -> Answer {
        CustomerTelling::new(self, question).explained(moment, &[subject], &[])
    }
}

/// Answers a question about a pack over files. They are read once; what is about other customers is
/// let go at once. Only who has a trigger, when that is not said, takes a run over all records
/// before.
///
/// # Errors
/// When the question names what is not there, or the files cannot be read.
pub fn explain(plan: &Arc<Plan>, files: &[InputFile], question: &Question) -> Result<Answer, Problem> {
    match &question.about {
        About::Customer { customer, moment, .. } => {
            // Before anything is read.
            moment.as_deref().map(|name| subjects::moment_named(plan, name)).transpose()?;
            let customer = Id::parse(customer);
            let records = GatheredRecords::read(plan, files, &customer, question.at)?;
            explain_customer(plan, files, &customer, &records, question)
        }
        About::Trigger { id, customer } => {
            let reading = Reading { plan, files };
            let customer = customer.as_deref().map(Id::parse);
            let (found, records) = reading.find(id, customer.as_ref(), question.at)?;
            let customer = &found.customer;
            let (life, instant) = reading.live(&records, customer, question.at.or(found.at), question.at)?;
            let known = Known { plan, files, customer, life: &life, records: &records, instant };
            Ok(known.subject(question, found.episode.moment, found.episode.entity))
        }
    }
}

/// Answers a question about a customer over its records, wherever they were read. The files are
/// looked at only when it is not there, to say who is.
///
/// # Errors
/// When the question names what is not there.
pub fn explain_customer(
    plan: &Arc<Plan>,
    files: &[InputFile],
    customer: &Id,
    records: &GatheredRecords,
    question: &Question,
) -> Result<Answer, Problem> {
    let reading = Reading { plan, files };
    let (life, instant) = reading.live(records, customer, question.at, question.at)?;
    if life.row.is_none() {
        return Err(reading.unknown_customer(customer, &life, instant));
    }
    let known = Known { plan, files, customer, life: &life, records, instant };
    match &question.about {
        About::Customer { moment: Some(moment), entity, .. } => {
            let moment = subjects::moment_named(plan, moment)?;
            known.moment(question, moment, entity.as_deref().map(Id::parse).as_ref())
        }
        _ => Ok(known.summary(question)),
    }
}
