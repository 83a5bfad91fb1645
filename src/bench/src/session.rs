//! A dataflow in this thread, fed by hand: what is measured.
//!
//! The session of `run`, without its source thread and sink. Decisions are brought to worker 0; of
//! these the releases are kept as emissions.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;

use propice_define::Plan;
use propice_define::plan::Verdict;
use propice_flow::policy::{Decision, What};
use propice_flow::{Engine, ViewPart};
use propice_model::{Id, LogicalTime};
use propice_run::gather::{Gathered, Place};
use propice_run::{self as run, Peer};

use super::limit::Emission;

/// The parts of views, as differences.
pub type ViewUpdates = Vec<(ViewPart, LogicalTime, isize)>;

/// A running dataflow, with what it gave.
pub struct MeasuredSession<'w> {
    running: run::Session<'w>,
    results: Rc<RefCell<Emitted>>,
}

/// What the dataflow gave and nobody took yet.
#[derive(Default)]
struct Emitted {
    emissions: Vec<Emission>,
    views: ViewUpdates,
}

impl Emitted {
    fn take(&mut self, gathered: &mut Gathered) {
        gathered.transitions.clear();
        self.emissions.extend(gathered.decisions.drain(..).filter_map(|(decision, _, _)| emission(&decision)));
        self.views.append(&mut gathered.views);
    }
}

impl MeasuredSession<'static> {
    /// A dataflow of a plan on this thread alone.
    pub fn here(plan: &Arc<Plan>, engine: Engine) -> MeasuredSession<'static> {
        MeasuredSession::alone(plan, engine, false)
    }

    /// The same, with views.
    pub fn with_views(plan: &Arc<Plan>, engine: Engine) -> MeasuredSession<'static> {
        MeasuredSession::alone(plan, engine, true)
    }

    fn alone(plan: &Arc<Plan>, engine: Engine, with_views: bool) -> MeasuredSession<'static> {
        let results = Rc::new(RefCell::new(Emitted::default()));
        let kept = Rc::clone(&results);
        let take = move |gathered: &mut Gathered, _| kept.borrow_mut().take(gathered);
        MeasuredSession { running: run::Session::alone(plan, engine, with_views, take), results }
    }
}

impl<'w> MeasuredSession<'w> {
    /// Builds the dataflow of a plan on one of several workers.
    pub fn among(peer: Peer<'w>, plan: &Arc<Plan>, engine: Engine) -> MeasuredSession<'w> {
        let results = Rc::new(RefCell::new(Emitted::default()));
        let kept = Rc::clone(&results);
        let take = move |gathered: &mut Gathered, _| kept.borrow_mut().take(gathered);
        MeasuredSession { running: peer.session(plan, engine, false, Place::First, take), results }
    }

    /// The emissions since the last call.
    pub fn take_emissions(&mut self) -> Vec<Emission> {
        std::mem::take(&mut self.results.borrow_mut().emissions)
    }

    /// How many emissions there are since they were last taken.
    pub fn emitted(&self) -> usize {
        self.results.borrow().emissions.len()
    }

    /// Hands over the emissions since the last call, and forgets them.
    pub fn each_emission(&mut self, mut each: impl FnMut(&Emission)) {
        let mut results = self.results.borrow_mut();
        results.emissions.iter().for_each(&mut each);
        results.emissions.clear();
    }

    /// The changes of views since the last call.
    pub fn take_views(&mut self) -> ViewUpdates {
        std::mem::take(&mut self.results.borrow_mut().views)
    }
}

impl<'w> Deref for MeasuredSession<'w> {
    type Target = run::Session<'w>;

    fn deref(&self) -> &run::Session<'w> {
        &self.running
    }
}

impl<'w> DerefMut for MeasuredSession<'w> {
    fn deref_mut(&mut self) -> &mut run::Session<'w> {
        &mut self.running
    }
}

/// A release as the limit gives it.
fn emission(decision: &Decision) -> Option<Emission> {
    let (What::Verdict(judgement), Some(episode), Id::Number(customer)) =
        (&decision.what, &decision.episode, &decision.customer)
    else {
        return None;
    };
    (judgement.verdict == Verdict::Released).then_some(Emission {
        time_ms: decision.time,
        customer: *customer,
        moment: episode.moment.0 as u8,
    })
}

#[cfg(test)]
mod tests {
    use super::super::facts::Facts;
    use super::super::pack;
    use super::super::workload::{Event, Workload};
    use super::*;

    /// Each step more costs an event of a quiet dataflow microseconds.
    #[test]
    fn an_event_is_decided_in_few_steps() {
        let plan = pack::plan().unwrap();
        let mut facts = Facts::new(&plan).unwrap();
        let mut session = MeasuredSession::here(&plan, Engine::Fused);
        session.advance(1);
        let events: Vec<Event> = Workload { seed: 1, customers: 20, events: 400, rate: 1 }.events().collect();
        let mut steps = Vec::new();
        for event in &events {
            let update = facts.update(event).unwrap();
            let next = update.1 + 1;
            session.send(&mut vec![update], next);
            let mut taken = 0;
            while !session.has_reached(next) {
                session.step();
                taken += 1;
            }
            steps.push(taken);
        }
        // It comes to the customers; they know that the time is complete; that is known on worker
        // 0.
        assert_eq!(steps.into_iter().max(), Some(3));
    }
}
