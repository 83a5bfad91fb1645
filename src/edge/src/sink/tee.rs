//! Several sinks as one, counting what goes by.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::source::DeadLetter;
use propice_flow::ViewPart;
use propice_model::LogicalTime;

use super::{DecisionTally, OutgoingDecision, OutgoingTransition, Sink};

/// What went by.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Dead letters by their reason.
    pub dead_letters: BTreeMap<&'static str, u64>,
    /// The first of them, without its record.
    pub first_dead_letter: Option<DeadLetter>,
    /// Customers that exist; nothing when there are no views.
    pub customers: i64,
    /// What was decided.
    pub decided: DecisionTally,
}

/// Hands everything to several sinks, in order. Whoever looks at the first lines only (`| head`)
/// ends what is shown, and not what is written beside it.
pub struct Tee {
    sinks: Vec<Box<dyn Sink>>,
    counts: Arc<Mutex<Counts>>,
}

impl Tee {
    /// Over sinks; the counts are read through the second part.
    pub fn new(sinks: Vec<Box<dyn Sink>>) -> (Tee, Arc<Mutex<Counts>>) {
        let counts = Arc::new(Mutex::new(Counts::default()));
        (Tee { sinks, counts: Arc::clone(&counts) }, counts)
    }

    /// Hands something to each of them. One that nobody reads any more is left out from then on,
    /// unless it is the only one.
    fn each(&mut self, mut hand_over: impl FnMut(&mut dyn Sink) -> io::Result<()>) -> io::Result<()> {
        let mut at = 0;
        while at < self.sinks.len() {
            match hand_over(&mut *self.sinks[at]) {
                Ok(()) => at += 1,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.sinks.len() > 1 => {
                    self.sinks.remove(at);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Tee {
    fn transitions(&mut self, transitions: &[OutgoingTransition<'_>]) -> io::Result<()> {
        self.each(|sink| sink.transitions(transitions))
    }

    fn decisions(&mut self, decisions: &[OutgoingDecision<'_>]) -> io::Result<()> {
        let mut counts = self.counts();
        decisions.iter().for_each(|decision| counts.decided.count(decision.decision));
        drop(counts);
        self.each(|sink| sink.decisions(decisions))
    }

    fn views(&mut self, updates: &[(ViewPart, LogicalTime, isize)]) -> io::Result<()> {
        let customers = updates.iter().filter(|(part, _, _)| part.entity.is_none());
        self.counts().customers += customers.map(|(_, _, diff)| *diff as i64).sum::<i64>();
        self.each(|sink| sink.views(updates))
    }

    fn dead_letters(&mut self, letters: &[DeadLetter]) -> io::Result<()> {
        let mut counts = self.counts();
        for letter in letters {
            *counts.dead_letters.entry(letter.reason).or_default() += 1;
        }
        if let (None, Some(first)) = (&counts.first_dead_letter, letters.first()) {
            counts.first_dead_letter = Some(DeadLetter { record: Vec::new(), ..first.clone() });
        }
        drop(counts);
        self.each(|sink| sink.dead_letters(letters))
    }

    fn finish(&mut self, through: LogicalTime) -> io::Result<()> {
        self.each(|sink| sink.finish(through))
    }
}
