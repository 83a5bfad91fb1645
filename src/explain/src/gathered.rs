//! The records of one customer: read once, with little work for those of others, and kept for
//! everything that is asked of them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use propice_define::Plan;
use propice_edge::source::{Batch, InputFile, MergedSource, Own, OwnRows, Source};
use propice_flow::clock::EventClock;
use propice_model::limits::BATCH_RECORDS;
use propice_model::{Fact, Id, KindId, LogicalTime, Origin, Row};

use super::Problem;

/// What is known of one customer, record by record. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct GatheredRecords {
    /// In order of arrival. Between them are facts that say nothing but how far the clock has come.
    pub facts: Arc<Vec<Fact>>,
    /// What the records say, field by field.
    pub rows: Arc<BTreeMap<Origin, Row>>,
    /// How many records could not be read that are about the customer, or may be.
    pub unread: u64,
    /// When the first record takes effect, whomever it is about.
    pub first: Option<LogicalTime>,
}

/// Hands over what was gathered, from its start.
pub(super) struct Replay {
    facts: Arc<Vec<Fact>>,
    at: usize,
}

impl GatheredRecords {
    /// Reads what is about a customer, up to a time.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn read(
        plan: &Arc<Plan>,
        files: &[InputFile],
        customer: &Id,
        until: Option<LogicalTime>,
    ) -> Result<GatheredRecords, Problem> {
        let rows = OwnRows::default();
        let own = Own::find(plan, files, customer)?.until(until).with_rows(&rows);
        let mut source = MergedSource::open_own(plan, files, &own, &Arc::new(AtomicBool::new(false)))?;
        let mut clock = EventClock::default();
        let mut facts: Vec<Fact> = Vec::new();
        let (mut unread, mut first) = (0, None);
        loop {
            let mut batch = Batch::default();
            let more = source.fill(&mut batch)?;
            unread += batch.dead.len() as u64;
            for fact in batch.facts {
                let time = clock.bind(fact.rank.event_time);
                first.get_or_insert(time);
                if until.is_some_and(|until| time > until) {
                    continue;
                }
                if is_clock(&fact) {
                    // Of several in a row the last one says it all.
                    facts.pop_if(|last| is_clock(last) && last.rank.event_time <= fact.rank.event_time);
                }
                facts.push(fact);
            }
            if !more {
                break;
            }
        }
        drop(source);
        Ok(GatheredRecords { facts: Arc::new(facts), rows: Arc::new(rows.take()), unread, first })
    }

    /// A source of what was gathered.
    pub(super) fn replay(&self) -> Box<dyn Source> {
        Box::new(Replay { facts: Arc::clone(&self.facts), at: 0 })
    }
}

/// Whether a record names a customer.
pub(super) fn names(fact: &Fact, customer: &Id) -> bool {
    fact.changes.iter().any(|change| change.kind == KindId::CUSTOMER && change.id == *customer)
}

/// Whether a fact says nothing but how far the clock has come.
fn is_clock(fact: &Fact) -> bool {
    fact.changes.is_empty() && fact.key.is_empty()
}

impl Source for Replay {
    fn fill(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let rest = &self.facts[self.at..];
        let next = &rest[..rest.len().min(BATCH_RECORDS)];
        self.at += next.len();
        batch.facts.extend_from_slice(next);
        Ok(!next.is_empty())
    }

    fn total_bytes(&self) -> Option<u64> {
        None
    }
}
