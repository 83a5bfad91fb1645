//! Collects what workers hand over, and gives what may be published now.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use propice_kafka::Outgoing;
use propice_model::LogicalTime;

use super::output::{Message, Output};
use super::protocol::binding::Binding;
use super::protocol::durable::Durable;
use super::protocol::pending::{Parcel, Pending};
use super::render::Renderer;
use super::shared::Shared;

/// How much is published at once, about.
const MOST: usize = 10_000;
/// How often is looked whether what is held may go, when nothing new comes.
const LOOK: Duration = Duration::from_millis(1);
/// How often is looked whether the process stops, or a checkpoint waits.
const IDLE: Duration = Duration::from_millis(20);

/// What goes out at once, as records.
#[derive(Debug, Default)]
pub(crate) struct Outgoings {
    /// What was bound since the last one.
    pub bindings: Vec<Binding>,
    /// What is said, in order.
    pub records: Vec<Outgoing>,
    /// With it everything up to and including this time is published.
    pub through: LogicalTime,
    /// Whether a checkpoint waits for just that to be said.
    pub is_awaited: bool,
}

impl Outgoings {
    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.bindings.is_empty() && self.records.is_empty() && !self.is_awaited
    }
}

/// What was handed over and is not published yet.
pub(crate) struct Outbox {
    messages: Receiver<Message>,
    pending: Pending<Output>,
    renderer: Renderer,
    shared: Arc<Shared>,
    /// What is at or before this time was published by an earlier generation.
    visible: LogicalTime,
    /// Where bindings travel by themselves: which are durable.
    durable: Option<Arc<Mutex<Durable>>>,
    /// Through which time it was said that all is published.
    said_through: LogicalTime,
    ended: bool,
}

impl Outbox {
    pub(crate) fn new(
        messages: Receiver<Message>,
        renderer: Renderer,
        shared: Arc<Shared>,
        visible: LogicalTime,
        durable: Option<Arc<Mutex<Durable>>>,
    ) -> Outbox {
        let pending = Pending::new(visible);
        Outbox { messages, pending, renderer, shared, visible, durable, said_through: visible, ended: false }
    }

    /// Waits until there is something to publish. `None` when nothing comes any more.
    pub(crate) fn next(&mut self) -> Option<Outgoings> {
        loop {
            let outgoings = self.try_next();
            if !outgoings.is_empty() {
                return Some(outgoings);
            }
            if self.shared.has_failed() || (self.ended && self.pending.is_empty()) {
                return None;
            }
            let awaited = self.shared.wanted_visible() > self.said_through;
            let wait = if self.pending.is_empty() && !awaited { IDLE } else { LOOK };
            match self.messages.recv_timeout(wait) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    std::thread::sleep(LOOK);
                }
            }
        }
    }

    /// What may be published now.
    pub(crate) fn try_next(&mut self) -> Outgoings {
        // The time first: what is complete before it was handed over earlier.
        let complete = self.shared.complete_before();
        while let Ok(message) = self.messages.try_recv() {
            self.take(message);
        }
        let before = self.durable_before(complete);
        let held = self.pending.len();
        let Parcel { bindings, outputs, through } = self.pending.next(before, MOST);
        self.shared.take_held(held - self.pending.len());
        let wanted = self.shared.wanted_visible();
        let is_awaited = self.said_through < wanted && through >= wanted;
        let mut outgoings = Outgoings { bindings, records: Vec::new(), through, is_awaited };
        let mut outputs = outputs.into_iter().peekable();
        while let Some((time, output)) = outputs.next() {
            let mut of_time = vec![output];
            while let Some((_, output)) = outputs.next_if(|(other, _)| *other == time) {
                of_time.push(output);
            }
            self.renderer.render(time, of_time, &mut outgoings.records);
        }
        if !outgoings.is_empty() {
            self.said_through = through;
        }
        outgoings
    }

    /// Of what is complete the part whose bindings are durable. Where nobody is fenced a time that
    /// passed without records is claimed before what fell due at it is published, or a checkpoint
    /// at it is put.
    fn durable_before(&mut self, complete: LogicalTime) -> LogicalTime {
        let Some(durable) = &self.durable else { return complete };
        let mut durable = durable.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = durable.before();
        let waits = |time: LogicalTime| time < complete && time >= closed;
        let wanted = self.shared.wanted_visible();
        let awaited = (wanted > self.said_through).then_some(wanted);
        if self.pending.first().into_iter().chain(awaited).any(waits)
            && let Some(claim) = durable.claim(complete)
        {
            self.pending.bind(claim);
        }
        complete.min(durable.before())
    }

    fn take(&mut self, Message { binding, outputs }: Message) {
        if let Some(binding) = binding {
            if let Some(durable) = &self.durable {
                durable.lock().unwrap_or_else(PoisonError::into_inner).sent(binding.time);
            }
            self.pending.bind(binding);
        }
        for (time, output) in outputs {
            if !self.pending.hold(time, self.visible, output) {
                self.shared.take_held(1);
            }
        }
    }
}
