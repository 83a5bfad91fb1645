//! A worker: binds records, feeds the dataflow, hands over what it gives. Never waits for a broker
//! or a disk.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use propice_define::Plan;
use propice_flow::Engine;
use propice_model::LogicalTime;
use propice_run::gather::Complete;
use propice_run::{Peer, Session, Update};

use super::arrival::{Arrival, Item};
use super::backlog::Backlog;
use super::clock::Clock;
use super::output::{Message, Output};
use super::protocol::GenerationNumber;
use super::protocol::binder::{Binder, Bound, Step};
use super::protocol::binding::Binding;
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
    pub arrivals: Receiver<Vec<Arrival>>,
    pub backlog: Arc<Backlog>,
    pub partitions: Arc<Partitions>,
    pub outputs: Sender<Message>,
    pub shared: Arc<Shared>,
    pub clock: Clock,
    /// Nothing more is bound while so much output waits.
    pub buffer: usize,
}

struct Worker<'w> {
    index: usize,
    session: Session<'w>,
    complete: Rc<RefCell<Vec<Complete>>>,
    parts: WorkerParts,
    updates: Vec<Update>,
    handed_over: LogicalTime,
}

/// Works until the process stops.
pub(crate) fn work(peer: Peer<'_>, parts: WorkerParts) {
    let index = peer.index();
    let complete = Rc::new(RefCell::new(Vec::new()));
    let into = complete.clone();
    let session = peer.session_everywhere(&parts.plan, parts.engine, parts.with_views, move |gathered, frontier| {
        let complete = gathered.take_before(frontier);
        if !complete.is_empty() {
            into.borrow_mut().push(complete);
        }
    });
    parts.shared.enlist(index);
    Worker { index, session, complete, parts, updates: Vec::new(), handed_over: 0 }.run();
}

impl Worker<'_> {
    fn run(mut self) {
        while !self.parts.shared.has_failed() {
            self.receive();
            let wait = self.bind();
            if wait.is_zero() {
                self.session.step()
            } else {
                self.session.park(Some(wait))
            }
            self.hand_over();
            if self.is_done() {
                break;
            }
        }
    }

    /// Whether the process stops, and all that was read is bound, decided and handed over.
    fn is_done(&mut self) -> bool {
        if !self.parts.shared.is_drained() {
            return false;
        }
        self.receive();
        !self.parts.binder.is_waiting() && self.session.has_reached(self.session.time())
    }

    /// Takes what was read.
    fn receive(&mut self) {
        while let Ok(batch) = self.parts.arrivals.try_recv() {
            for arrival in batch {
                self.parts.binder.push(arrival.partition, arrival.offset, arrival);
            }
        }
    }

    /// Binds what waits, and feeds it; returns how long there is nothing to do.
    fn bind(&mut self) -> Duration {
        if self.parts.shared.held() > self.parts.buffer {
            return SOON;
        }
        let now = self.parts.clock.now();
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
            Step::Wait => self.pass(now),
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
        for Arrival { partition, item, .. } in bound.records {
            self.parts.backlog.taken(partition);
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

    /// Follows the clock, and the other workers.
    fn pass(&mut self, now: LogicalTime) -> Duration {
        if self.parts.binder.is_waiting() {
            return SOON;
        }
        // What comes within this millisecond may still take effect at it.
        let to = self.parts.shared.greatest_bound().max(now.saturating_sub(1));
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
