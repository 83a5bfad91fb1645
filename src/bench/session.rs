//! A dataflow in this thread, fed by hand: what is measured.
//!
//! As `run` does it, without the source thread and the sink: facts go in with their logical times, the input moves on, the worker steps
//! until everything before is decided. Decisions are brought to worker 0; of these the releases are kept as emissions.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use timely::communication::Allocator;
use timely::communication::allocator::thread::Thread;
use timely::dataflow::InputHandleVec;
use timely::dataflow::operators::probe::Handle as ProbeHandle;
use timely::dataflow::operators::{Exchange as _, Input as _, Inspect as _, Probe as _};
use timely::worker::{Config, Worker};

use crate::define::Plan;
use crate::define::plan::Verdict;
use crate::flow::policy::{Decision, What};
use crate::flow::{self, Engine, ViewPart};
use crate::model::{Id, LogicalTime};

use super::facts::Update;
use super::limit::Emission;

/// The parts of views, as differences.
pub type ViewUpdates = Vec<(ViewPart, LogicalTime, isize)>;

/// A running dataflow, on a worker of its own or a borrowed one.
pub struct Session<W = Worker> {
    input: InputHandleVec<LogicalTime, Update>,
    probe: ProbeHandle<LogicalTime>,
    emissions: Rc<RefCell<Vec<Emission>>>,
    views: Rc<RefCell<ViewUpdates>>,
    transitions: Rc<Cell<u64>>,
    worker: W,
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

/// A worker that has no others.
fn alone() -> Worker {
    let allocator = Allocator::Thread(Thread::default());
    Worker::new(Config::default(), allocator, Some(Instant::now()))
}

impl<W: std::borrow::BorrowMut<Worker>> Session<W> {
    /// Builds the dataflow of a plan on a worker.
    pub fn on(mut worker: W, plan: &Arc<Plan>, engine: Engine, with_views: bool) -> Session<W> {
        let probe = ProbeHandle::new();
        let emissions = Rc::new(RefCell::new(Vec::new()));
        let views = Rc::new(RefCell::new(ViewUpdates::new()));
        let transitions = Rc::new(Cell::new(0));
        let (released, shown, turned) = (Rc::clone(&emissions), Rc::clone(&views), Rc::clone(&transitions));
        let input = worker.borrow_mut().dataflow_named("bench", |scope| {
            let (input, facts) = scope.new_input();
            let flow = flow::build(engine, plan, facts, with_views);
            flow.transitions.exchange(|_| 0).inspect(move |_| turned.set(turned.get() + 1)).probe_with(&probe);
            flow.views.inspect(move |update| shown.borrow_mut().push(update.clone())).probe_with(&probe);
            flow.decisions
                .exchange(|_| 0)
                .inspect(move |(decision, _, _)| released.borrow_mut().extend(emission(decision)))
                .probe_with(&probe);
            input
        });
        Session { worker, input, probe, emissions, views, transitions }
    }

    /// Feeds updates of whole milliseconds, and waits until everything that follows from them is decided.
    pub fn feed(&mut self, updates: &mut Vec<Update>) {
        let Some(next) = self.send(updates) else { return };
        self.settle(next);
    }

    /// Feeds updates of whole milliseconds without waiting. Returns the time to which the input moves.
    pub fn send(&mut self, updates: &mut Vec<Update>) -> Option<LogicalTime> {
        let next = updates.last()?.1 + 1;
        self.input.send_batch(updates);
        updates.clear();
        self.input.advance_to(next);
        Some(next)
    }

    /// Works a step.
    pub fn step(&mut self) {
        self.worker.borrow_mut().step();
    }

    /// Waits until everything before a time is decided.
    pub fn settle(&mut self, before: LogicalTime) {
        while self.probe.less_than(&before) {
            self.worker.borrow_mut().step();
        }
    }

    /// The same, parked while there is nothing to do: for workers that others wait for.
    pub fn settle_parked(&mut self, before: LogicalTime) {
        let probe = &self.probe;
        self.worker.borrow_mut().step_or_park_while(None, || probe.less_than(&before));
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
        let Session { mut worker, input, probe, .. } = self;
        drop(input);
        worker.borrow_mut().step_or_park_while(None, || !probe.done());
    }

    /// The emissions since the last call.
    pub fn take_emissions(&mut self) -> Vec<Emission> {
        self.emissions.take()
    }

    /// How many emissions there are since they were last taken.
    pub fn emitted(&self) -> usize {
        self.emissions.borrow().len()
    }

    /// Hands over the emissions since the last call, and forgets them.
    pub fn each_emission(&mut self, mut each: impl FnMut(&Emission)) {
        let mut emissions = self.emissions.borrow_mut();
        emissions.iter().for_each(&mut each);
        emissions.clear();
    }

    /// The changes of views since the last call.
    pub fn take_views(&mut self) -> ViewUpdates {
        self.views.take()
    }

    /// How many episodes opened and closed.
    pub fn transitions(&self) -> u64 {
        self.transitions.get()
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
