//! A dataflow in this thread, fed by hand: what is measured.
//!
//! As `run` does it, without the source thread and the sink: facts go in with their logical times, the input moves on, the worker steps
//! until everything before is decided. Decisions are brought to worker 0; of these the releases are kept as emissions.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use timely::communication::Allocator;
use timely::communication::allocator::thread::Thread;
use timely::dataflow::InputHandleVec;
use timely::dataflow::operators::Input as _;
use timely::worker::Worker;

use propice_define::Plan;
use propice_define::plan::Verdict;
use propice_flow::policy::{Decision, What};
use propice_flow::{self as flow, Engine, ViewPart};
use propice_model::{Id, LogicalTime};
use propice_run::config;
use propice_run::gather::{Reached, gather};

use super::facts::Update;
use super::limit::Emission;

/// The parts of views, as differences.
pub type ViewUpdates = Vec<(ViewPart, LogicalTime, isize)>;

/// A running dataflow, on a worker of its own or a borrowed one.
pub struct Session<W = Worker> {
    input: InputHandleVec<LogicalTime, Update>,
    decided: Reached,
    results: Rc<RefCell<Results>>,
    worker: W,
}

/// What the dataflow gave and nobody took yet.
#[derive(Default)]
struct Results {
    emissions: Vec<Emission>,
    views: ViewUpdates,
    transitions: u64,
}

impl Session {
    /// A dataflow of a plan on this thread alone.
    pub fn here(plan: &Arc<Plan>, engine: Engine) -> Session {
        Session::on(alone(), plan, engine, false)
    }

    /// The same, with views.
    pub fn with_views(plan: &Arc<Plan>, engine: Engine) -> Session {
        Session::on(alone(), plan, engine, true)
    }
}

/// A worker that has no others, configured as a run does it.
fn alone() -> Worker {
    let allocator = Allocator::Thread(Thread::default());
    Worker::new(config(1).worker, allocator, Some(Instant::now()))
}

impl<W: std::borrow::BorrowMut<Worker>> Session<W> {
    /// Builds the dataflow of a plan on a worker.
    pub fn on(mut worker: W, plan: &Arc<Plan>, engine: Engine, with_views: bool) -> Session<W> {
        let results = Rc::new(RefCell::new(Results::default()));
        let kept = Rc::clone(&results);
        let (input, decided) = worker.borrow_mut().dataflow_named("bench", |scope| {
            let (input, facts) = scope.new_input();
            let flow = flow::build(engine, plan, facts, with_views);
            let decided = gather(flow, move |gathered, _| {
                let mut results = kept.borrow_mut();
                results.transitions += gathered.transitions.drain(..).len() as u64;
                results
                    .emissions
                    .extend(gathered.decisions.drain(..).filter_map(|(decision, _, _)| emission(&decision)));
                results.views.append(&mut gathered.views);
            });
            (input, decided)
        });
        Session { worker, input, decided, results }
    }

    /// Feeds updates of whole milliseconds, and waits until everything that follows from them is decided.
    pub fn feed(&mut self, updates: &mut Vec<Update>) {
        let Some((_, last, _)) = updates.last() else { return };
        let next = last + 1;
        self.send(updates, next);
        self.settle(next);
    }

    /// Feeds updates of whole milliseconds without waiting, and moves the input on.
    pub fn send(&mut self, updates: &mut Vec<Update>, next: LogicalTime) {
        self.input.send_batch(updates);
        updates.clear();
        self.input.advance_to(next);
    }

    /// Works a step.
    pub fn step(&mut self) {
        self.worker.borrow_mut().step();
    }

    /// Waits until everything before a time is decided.
    pub fn settle(&mut self, before: LogicalTime) {
        while self.decided.less_than(before) {
            self.worker.borrow_mut().step();
        }
    }

    /// The same, parked while there is nothing to do: for workers that others wait for.
    pub fn settle_parked(&mut self, before: LogicalTime) {
        let decided = &self.decided;
        self.worker.borrow_mut().step_or_park_while(None, || decided.less_than(before));
    }

    /// The time to which the input has moved.
    pub fn time(&self) -> LogicalTime {
        *self.input.time()
    }

    /// Moves the clock on, and waits until what is due before is done.
    pub fn advance(&mut self, to: LogicalTime) {
        self.input.advance_to(to);
        self.settle(to);
    }

    /// Works until there is nothing to do, then sleeps, at most so long.
    pub fn park(&mut self, most: Duration) {
        self.worker.borrow_mut().step_or_park(Some(most));
    }

    /// Works until all inputs are closed and everything is decided: on workers that feed nothing.
    pub fn serve(self) {
        let Session { mut worker, input, decided, .. } = self;
        drop(input);
        worker.borrow_mut().step_or_park_while(None, || !decided.done());
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

    /// How many episodes opened and closed.
    pub fn transitions(&self) -> u64 {
        self.results.borrow().transitions
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
        let mut session = Session::here(&plan, Engine::Fused);
        session.advance(1);
        let events: Vec<Event> = Workload { seed: 1, customers: 20, events: 400, rate: 1 }.events().collect();
        let mut steps = Vec::new();
        for event in &events {
            let update = facts.update(event).unwrap();
            let next = update.1 + 1;
            session.send(&mut vec![update], next);
            let mut taken = 0;
            while session.decided.less_than(next) {
                session.step();
                taken += 1;
            }
            steps.push(taken);
        }
        // It comes to the customers; they know that the time is complete; that is known on worker 0.
        assert_eq!(steps.into_iter().max(), Some(3));
    }
}
