//! A dataflow on a worker, and the input that feeds it.
//!
//! Updates go in with their logical times, the input moves on, and the worker steps until
//! everything before a time is gathered on worker 0. The command and the measurements feed the same
//! session: `feed.rs` from a source thread, `bench` from memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use timely::communication::allocator::thread::Thread;
use timely::communication::{Allocator, WorkerGuards};
use timely::dataflow::InputHandleVec;
use timely::dataflow::operators::Input as _;
use timely::worker::Worker;

use propice_define::Plan;
use propice_flow::{BuildOptions, Engine, build};
use propice_model::{Fact, LogicalTime};

use super::failure::{Failure, abandon};
use super::gather::{Gathered, Place, Reached, gather};

/// What is fed: a fact, its logical time, and how often it counts.
pub type Update = (Fact, LogicalTime, isize);

/// A running dataflow.
pub struct Session<'w> {
    input: InputHandleVec<LogicalTime, Update>,
    reached: Reached,
    worker: Placement<'w>,
}

/// Where a dataflow runs.
enum Placement<'w> {
    /// On a worker of its own, in the thread that made it.
    Alone(Box<Worker>),
    /// On one of several workers.
    Among(&'w mut Worker, Arc<Failure>),
}

impl Placement<'_> {
    fn worker(&mut self) -> &mut Worker {
        match self {
            Placement::Alone(worker) => worker,
            Placement::Among(worker, _) => worker,
        }
    }

    /// Leaves when another worker has failed: what it owes will never come.
    fn leave_if_failed(&self) {
        if let Placement::Among(_, failure) = self {
            failure.leave_if_there();
        }
    }

    fn has_failed(&self) -> bool {
        matches!(self, Placement::Among(_, failure) if failure.is_there())
    }
}

impl Session<'static> {
    /// A dataflow of a plan on this thread alone. `hand_over` is called as [`gather`] says.
    pub fn alone(
        plan: &Arc<Plan>,
        engine: Engine,
        options: impl Into<BuildOptions>,
        hand_over: impl FnMut(&mut Gathered, Option<LogicalTime>) + 'static,
    ) -> Session<'static> {
        let allocator = Allocator::Thread(Thread::default());
        let worker = Worker::new(config(1).worker, allocator, Some(Instant::now()));
        Session::at(Placement::Alone(Box::new(worker)), plan, engine, options, Place::First, hand_over)
    }
}

impl<'w> Session<'w> {
    fn at(
        mut at: Placement<'w>,
        plan: &Arc<Plan>,
        engine: Engine,
        options: impl Into<BuildOptions>,
        place: Place,
        hand_over: impl FnMut(&mut Gathered, Option<LogicalTime>) + 'static,
    ) -> Session<'w> {
        let options = options.into();
        let (input, reached) = at.worker().dataflow_named("propice", |scope| {
            let (input, facts) = scope.new_input();
            (input, gather(build(engine, plan, facts, &options), place, hand_over))
        });
        Session { input, reached, worker: at }
    }

    /// Feeds updates of whole milliseconds, and waits until everything that follows from them is
    /// gathered.
    pub fn feed(&mut self, updates: &mut Vec<Update>) {
        let Some((_, last, _)) = updates.last() else { return };
        let next = last + 1;
        self.send(updates, next);
        self.settle(next);
    }

    /// Feeds updates without waiting, and moves the input on.
    pub fn send(&mut self, updates: &mut Vec<Update>, next: LogicalTime) {
        self.input.send_batch(updates);
        updates.clear();
        self.input.advance_to(next);
    }

    /// Works a step.
    pub fn step(&mut self) {
        self.worker.leave_if_failed();
        self.worker.worker().step();
    }

    /// Waits until everything before a time is gathered. Never sleeps.
    pub fn settle(&mut self, before: LogicalTime) {
        while self.reached.less_than(before) {
            self.step();
        }
    }

    /// The same, parked while there is nothing to do: for workers that others wait for.
    pub fn settle_parked(&mut self, before: LogicalTime) {
        self.settle_parked_while(before, || true);
    }

    /// The same, for as long as `goes_on`.
    pub fn settle_parked_while(&mut self, before: LogicalTime, goes_on: impl Fn() -> bool) {
        while self.reached.less_than(before) && goes_on() && !self.worker.has_failed() {
            self.worker.worker().step_or_park(None);
        }
        self.worker.leave_if_failed();
    }

    /// Whether everything before a time is gathered.
    pub fn has_reached(&self, time: LogicalTime) -> bool {
        !self.reached.less_than(time)
    }

    /// The time before which everything is gathered.
    pub fn gathered_before(&self) -> LogicalTime {
        self.reached.before()
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

    /// Works until there is nothing to do, then sleeps; at most so long, where that is said.
    pub fn park(&mut self, most: Option<Duration>) {
        self.worker.leave_if_failed();
        self.worker.worker().step_or_park(most);
        self.worker.leave_if_failed();
    }
}

/// One of several workers, before it has a dataflow.
pub struct Peer<'w> {
    worker: &'w mut Worker,
    failure: Arc<Failure>,
}

impl<'w> Peer<'w> {
    /// Its number, from 0.
    pub fn index(&self) -> usize {
        self.worker.index()
    }

    /// How many there are.
    pub fn peers(&self) -> usize {
        self.worker.peers()
    }

    /// Builds the dataflow of a plan, and gathers what it gives where `place` says. Every worker
    /// has to, the same.
    pub fn session(
        self,
        plan: &Arc<Plan>,
        engine: Engine,
        options: impl Into<BuildOptions>,
        place: Place,
        hand_over: impl FnMut(&mut Gathered, Option<LogicalTime>) + 'static,
    ) -> Session<'w> {
        Session::at(Placement::Among(self.worker, self.failure), plan, engine, options, place, hand_over)
    }
}

/// Runs `work` on so many workers, each a thread, and gives what it gave on each, in order.
///
/// A worker that panics fails, and with it the others: they leave whatever they are at.
///
/// # Errors
/// When the workers cannot be started, or one fails; the text says how.
pub fn on_workers<R: Send + 'static>(
    workers: usize,
    work: impl Fn(Peer<'_>) -> R + Send + Sync + 'static,
) -> Result<Vec<R>, String> {
    let failure = Arc::new(Failure::default());
    let told = Arc::clone(&failure);
    let guards: WorkerGuards<Option<R>> = timely::execute(config(workers), move |worker| {
        told.watch_this_thread();
        let result = catch_unwind(AssertUnwindSafe(|| {
            let result = work(Peer { worker: &mut *worker, failure: Arc::clone(&told) });
            while worker.has_dataflows() && !told.is_there() {
                worker.step_or_park(None);
            }
            result
        }));
        if let Err(panic) = &result {
            told.tell(panic.as_ref());
        }
        if told.is_there() {
            abandon(worker);
        }
        result.ok()
    })?;
    let results: Vec<Option<R>> = guards.join().into_iter().collect::<Result<_, String>>()?;
    let all: Option<Vec<R>> = results.into_iter().collect();
    match (failure.message(), all) {
        (None, Some(results)) => Ok(results),
        (message, _) => Err(message.unwrap_or_else(|| "a worker failed".to_owned())),
    }
}

/// How so many workers run. One alone waits for the source only, and sleeps at once: what others
/// answer within microseconds, and is polled for, does not come.
fn config(workers: usize) -> timely::Config {
    if workers > 1 {
        return timely::Config::process(workers);
    }
    let alone = timely::Config::thread();
    timely::Config { worker: alone.worker.idle_spin(Duration::ZERO), ..alone }
}
