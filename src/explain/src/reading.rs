//! From files to what is known of a customer: a run over its records; over all of them only to find
//! out whose a trigger is, and to say what a customer may be called that is not there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use propice_define::Plan;
use propice_edge::sink::Sink;
use propice_edge::source::{Batch, InputFile, MergedSource, Source};
use propice_flow::clock::EventClock;
use propice_model::time::format_logical;
use propice_model::{Id, KindId, LogicalTime};
use propice_run::{self as run, Options};

use super::Problem;
use super::find::{FoundEpisode, Seeker, Sought};
use super::gathered::{GatheredRecords, names};
use super::history::{History, Life};

/// A pack and the files that it is run over.
pub(super) struct Reading<'a> {
    pub(super) plan: &'a Arc<Plan>,
    pub(super) files: &'a [InputFile],
}

impl Reading<'_> {
    /// Runs the pack, and gives the logical time at which that ended.
    fn run(
        &self,
        source: Box<dyn Source>,
        sink: Box<dyn Sink>,
        views: bool,
        until: Option<LogicalTime>,
    ) -> Result<LogicalTime, Problem> {
        let options = Options { views, until, ..Options::default() };
        Ok(run::execute(self.plan, source, sink, &options)?.through)
    }

    /// The life of a customer as of an instant, and that instant.
    pub(super) fn live(
        &self,
        records: &GatheredRecords,
        customer: &Id,
        instant: Option<LogicalTime>,
        until: Option<LogicalTime>,
    ) -> Result<(Life, LogicalTime), Problem> {
        let Some(first) = records.first else {
            return Err(Problem::Unknown("there are no records".to_owned()));
        };
        if let Some(until) = until.filter(|until| first > *until) {
            let (at, first) = (format_logical(until), format_logical(first));
            return Err(Problem::Unknown(format!("nothing is known at {at}: the first record is of {first}")));
        }
        let history = History::new(self.plan, customer, instant);
        let through = self.run(records.replay(), Box::new(history.clone()), true, until)?;
        Ok((history.take(), instant.unwrap_or(through)))
    }

    /// The episode that an id is of, and the records of its customer.
    pub(super) fn find(
        &self,
        id: &str,
        customer: Option<&Id>,
        until: Option<LogicalTime>,
    ) -> Result<(FoundEpisode, GatheredRecords), Problem> {
        let Some(sought) = Sought::parse(id) else {
            let text = format!(
                "`{id}` is no id of a trigger or of an episode: 32 hexadecimal digits, and for a trigger a verdict such as `-released` behind them"
            );
            return Err(Problem::Unknown(text));
        };
        let stop = Arc::new(AtomicBool::new(false));
        let seeker = Seeker::new(sought.clone(), &stop);
        let own = customer.map(|customer| GatheredRecords::read(self.plan, self.files, customer, until)).transpose()?;
        let source: Box<dyn Source> = match &own {
            Some(records) => records.replay(),
            None => Box::new(MergedSource::open(self.plan, self.files, &stop)?),
        };
        let through = self.run(source, Box::new(seeker.clone()), false, until)?;
        let found = match (seeker.found(), sought.verdict) {
            (Some(found), Some(verdict)) if found.at.is_none() => Err(format!(
                "the episode is known, of {} of customer {}, but it was not {} by {}; ask for the episode, without `-{}`",
                self.plan.moments[found.episode.moment.index()].name,
                found.customer,
                verdict.name(),
                format_logical(through),
                verdict.name(),
            )),
            (Some(found), _) => Ok(found),
            (None, _) => {
                let of = customer.map_or_else(String::new, |customer| format!(" of customer `{customer}`"));
                Err(format!(
                    "no episode or trigger{of} has the id `{id}` by {}; ids are the same only for the same pack and records",
                    format_logical(through)
                ))
            }
        };
        let found = found.map_err(Problem::Unknown)?;
        let records = match own {
            Some(records) => records,
            None => GatheredRecords::read(self.plan, self.files, &found.customer, until)?,
        };
        Ok((found, records))
    }

    /// Why there is nothing to tell of a customer.
    pub(super) fn unknown_customer(&self, customer: &Id, life: &Life, instant: LogicalTime) -> Problem {
        let at = format_logical(instant);
        if life.seen {
            return Problem::Unknown(format!("the customer `{customer}` is not there any more at {at}"));
        }
        match self.others(customer, instant) {
            Ok(Others::Later(first)) => {
                let first = format_logical(first);
                Problem::Unknown(format!("the customer `{customer}` is not known yet at {at}; it is from {first} on"))
            }
            Ok(Others::Known(known)) => {
                let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                let nearest =
                    propice_model::nearest::did_you_mean(&customer.to_string(), known.iter().map(String::as_str));
                Problem::Unknown(format!("there is no customer `{customer}` at {at}{nearest}"))
            }
            Err(problem) => problem,
        }
    }

    /// Who is there when a customer is not. What can be read only once was read.
    fn others(&self, customer: &Id, instant: LogicalTime) -> Result<Others, Problem> {
        let mut known = BTreeSet::new();
        if self.files.iter().any(InputFile::is_read_once) {
            return Ok(Others::Known(known));
        }
        let mut source = MergedSource::open(self.plan, self.files, &Arc::new(AtomicBool::new(false)))?;
        let mut clock = EventClock::default();
        let mut was_named = false;
        loop {
            let mut batch = Batch::default();
            let more = source.fill(&mut batch)?;
            for fact in batch.facts {
                let time = clock.bind(fact.rank.event_time);
                let is_named = names(&fact, customer);
                if time > instant {
                    match (was_named, is_named) {
                        (true, _) => return Ok(Others::Known(known)),
                        (false, true) => return Ok(Others::Later(time)),
                        (false, false) => continue,
                    }
                }
                was_named |= is_named;
                let named = fact.changes.into_iter().filter(|change| change.kind == KindId::CUSTOMER && change.names);
                known.extend(named.map(|change| change.id));
            }
            if !more {
                return Ok(Others::Known(known));
            }
        }
    }
}

/// What is there instead of a customer.
enum Others {
    /// It itself, later.
    Later(LogicalTime),
    /// These, at the instant.
    Known(BTreeSet<Id>),
}
