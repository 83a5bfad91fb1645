//! A worker: binds records, feeds the dataflow, hands over what it gives. Never waits for a broker
//! or a disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use propice_define::Plan;
use propice_flow::state::{PlanShape, Restoring, StateHandle};
use propice_flow::{BuildOptions, Engine};
use propice_model::LogicalTime;
use propice_run::gather::{Complete, Place};
use propice_run::{Peer, Session, Update};

use super::LiveError;
use super::arrival::{Arrival, FromReader, Item};
use super::backlog::Backlog;
use super::checkpoints::Given;
use super::clock::Clock;
use super::cutting::Wanted;
use super::keeping::Kept;
use super::output::{Message, Output};
use super::protocol::binder::{Binder, Bound, Step};
use super::protocol::binding::Binding;
use super::protocol::{GenerationNumber, PartitionIndex};
use super::shared::Shared;
use super::sources::Partitions;

/// How long a worker sleeps at most when nothing comes: deadlines fire within it.
const TICK: Duration = Duration::from_millis(20);
/// How long it sleeps when records wait for the next millisecond, or for room.
const SOON: Duration = Duration::from_micros(300);

/// What a worker is made of.
pub(crate) struct WorkerParts {
    pub generation: GenerationNumber,
    pub plan: Arc<Plan>,
    pub engine: Engine,
    pub with_views: bool,
    pub binder: Binder<Arrival>,
    pub arrivals: Receiver<FromReader>,
    pub backlog: Arc<Backlog>,
    pub partitions: Arc<Partitions>,
    pub outputs: Sender<Message>,
    pub shared: Arc<Shared>,
    /// Nothing more is bound while so much output waits.
    pub buffer: usize,
    /// What it goes on from: entries of a checkpoint.
    pub restored: Option<(LogicalTime, Arc<PlanShape>, Vec<Kept>)>,
    /// Whoever writes checkpoints.
    pub given: Sender<Given>,
    /// The first offset of each of its partitions that is not in the state.
    pub offsets: BTreeMap<PartitionIndex, i64>,
}

struct Worker<'w> {
    index: usize,
    session: Session<'w>,
    state: StateHandle,
    complete: Rc<RefCell<Vec<Complete>>>,
    parts: WorkerParts,
    updates: Vec<Update>,
    handed_over: LogicalTime,
    /// The cut that was asked for last: which, and the offsets at it.
    cut: u64,
    cut_offsets: Vec<(PartitionIndex, i64)>,
    settled: bool,
}

/// Works until the process stops.
pub(crate) fn work(peer: Peer<'_>, mut parts: WorkerParts) {
    let index = peer.index();
    let state = match restore(index, peer.peers(), &mut parts) {
        Ok(state) => state,
        Err(error) => return parts.shared.fail(error),
    };
    let complete = Rc::new(RefCell::new(Vec::new()));
    let into = complete.clone();
    let options = BuildOptions { with_views: parts.with_views, state: Some(state.clone()) };
    let session = peer.session(&parts.plan, parts.engine, options, Place::Everywhere, move |gathered, frontier| {
        let complete = gathered.take_before(frontier);
        if !complete.is_empty() {
            into.borrow_mut().push(complete);
        }
    });
    parts.shared.enlist(index);
    let (updates, cut_offsets) = (Vec::new(), Vec::new());
    let worker =
        Worker { index, session, state, complete, parts, updates, handed_over: 0, cut: 0, cut_offsets, settled: false };
    worker.run();
}

/// The state that a worker begins with.
fn restore(worker: usize, workers: usize, parts: &mut WorkerParts) -> Result<StateHandle, LiveError> {
    let Some((at, before, entries)) = parts.restored.take() else { return Ok(StateHandle::new()) };
    let restoring = Restoring { plan: &parts.plan, at, worker, workers, before: Some(&before) };
    StateHandle::restoring(&restoring, entries).map_err(|error| LiveError::Refused {
        reason: format!("what is stored does not fit the pack: {error}"),
        remedy: "start it with the pack that wrote it, or restore an older checkpoint".to_owned(),
    })
}

impl Worker<'_> {
    fn run(mut self) {
        while !self.parts.shared.has_failed() {
            self.receive();
            let wait = self.bind();
            if wait.is_zero() {
                self.session.step();
            } else {
                self.session.park(Some(wait));
            }
            self.hand_over();
            self.give();
            self.settle();
            if self.parts.shared.is_ending() {
                break;
            }
        }
    }

    /// Says once that the process stops, and all that was read is bound, decided and handed over.
    fn settle(&mut self) {
        if self.settled || !self.parts.shared.is_drained() || self.parts.binder.is_replaying() {
            return;
        }
        self.receive();
        if !self.parts.binder.is_waiting() && self.session.has_reached(self.session.time()) {
            self.settled = true;
            self.parts.shared.one_settled();
        }
    }

    /// Takes what was read.
    fn receive(&mut self) {
        while let Ok(told) = self.parts.arrivals.try_recv() {
            match told {
                FromReader::Records(batch) => {
                    for arrival in batch {
                        let partition = arrival.partition;
                        if !self.parts.binder.push(partition, arrival.offset, arrival) {
                            self.parts.backlog.taken(partition, 1);
                        }
                    }
                }
                FromReader::Partition { index, start } => {
                    self.parts.binder.add(index, start);
                    self.parts.offsets.insert(index, start);
                }
                FromReader::Passed { index, offset } => self.parts.binder.passed(index, offset),
            }
        }
    }

    /// Binds what waits, and feeds it; returns how long there is nothing to do.
    fn bind(&mut self) -> Duration {
        if self.parts.shared.held() > self.parts.buffer {
            return SOON;
        }
        let now = Clock::now();
        // No step comes to a time that is later than this.
        let others = self.parts.shared.greatest_bound();
        let to = self.parts.binder.latest(now).max(others);
        if let Err(wanted) = self.parts.shared.cutting.may_go_on(to, self.cut) {
            return self.ask(wanted);
        }
        match self.parts.binder.step(now) {
            Step::Feed(bound) => {
                self.feed(bound);
                Duration::ZERO
            }
            Step::CaughtUp { after } => {
                self.session.send(&mut self.updates, after + 1);
                self.parts.shared.one_caught_up();
                Duration::ZERO
            }
            Step::Wait => self.pass(now, others),
        }
    }

    /// Feeds what takes effect at one time.
    fn feed(&mut self, bound: Bound<Arrival>) {
        let time = bound.time;
        let is_new = bound.is_new();
        let binding = is_new.then(|| Binding {
            generation: self.parts.generation,
            time,
            uppers: self.parts.partitions.offsets(&bound.uppers),
            starts: self.parts.partitions.offsets(&bound.starts),
        });
        let mut outputs = Vec::new();
        for of_partition in bound.records.chunk_by(|one, next| one.partition == next.partition) {
            let Arrival { partition, offset, .. } = of_partition[of_partition.len() - 1];
            self.parts.backlog.taken(partition, of_partition.len());
            self.parts.offsets.insert(partition, offset + 1);
        }
        for Arrival { item, .. } in bound.records {
            match item {
                Item::Fact(fact) => self.updates.push((fact, time, 1)),
                Item::Dead(record) => outputs.push((time, Output::DeadLetter(record))),
                Item::Nothing => {}
            }
        }
        // Before the input moves on: nothing at a time is ever published before its binding.
        self.send(Message { binding, outputs });
        self.session.send(&mut self.updates, time + 1);
        if is_new {
            self.parts.shared.bound(time);
            self.parts.shared.wake_others(self.index);
        }
    }

    /// Asks the dataflow for what it holds at a time to which no worker has gone past.
    fn ask(&mut self, wanted: Wanted) -> Duration {
        self.cut = wanted.number;
        if let Err(error) = self.state.cut(wanted.at, wanted.extent) {
            self.parts.shared.fail(LiveError::Threads(format!("a cut: {error}")));
            return Duration::ZERO;
        }
        self.cut_offsets = self.parts.offsets.iter().map(|(partition, offset)| (*partition, *offset)).collect();
        // Nothing of ours takes effect at or before it any more.
        self.parts.binder.pass(wanted.at);
        if self.session.time() <= wanted.at {
            self.session.send(&mut self.updates, wanted.at + 1);
        }
        Duration::ZERO
    }

    /// Hands over what the dataflow held, once it is there.
    fn give(&mut self) {
        if let Some(changes) = self.state.take() {
            let offsets = std::mem::take(&mut self.cut_offsets);
            // Whoever writes checkpoints is gone only when the process ends.
            let _ = self.parts.given.send(Given { number: self.cut, changes, offsets });
        }
    }

    /// Follows the clock, and the other workers.
    fn pass(&mut self, now: LogicalTime, others: LogicalTime) -> Duration {
        if self.parts.binder.is_waiting() {
            return SOON;
        }
        // What comes within this millisecond may still take effect at it.
        let to = others.max(now.saturating_sub(1));
        if let Some(over) = self.parts.binder.pass(to) {
            self.session.send(&mut self.updates, over + 1);
            return Duration::ZERO;
        }
        if self.parts.binder.is_replaying() { SOON } else { TICK }
    }

    /// Hands over what the dataflow gave, then says how far that is complete.
    fn hand_over(&mut self) {
        let complete: Vec<Complete> = self.complete.borrow_mut().drain(..).collect();
        for Complete { transitions, decisions, views } in complete {
            let transitions = transitions.into_iter().map(|one| (one.time, Output::Transition(Box::new(one))));
            let decisions = decisions.into_iter().map(|one| (one.time, Output::Decision(Box::new(one))));
            let views = views.into_iter().map(|(part, time, diff)| (time, Output::View(part, diff)));
            self.send(Message { binding: None, outputs: transitions.chain(decisions).chain(views).collect() });
        }
        let before = self.session.gathered_before();
        if before > self.handed_over {
            self.handed_over = before;
            self.parts.shared.set_complete(self.index, before);
        }
    }

    fn send(&self, message: Message) {
        if message.binding.is_some() || !message.outputs.is_empty() {
            self.parts.shared.add_held(message.outputs.len());
            // Whoever publishes is gone only when the process ends.
            let _ = self.parts.outputs.send(message);
        }
    }
}
