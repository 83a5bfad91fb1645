//! Collects what workers hand over, and gives what may be published now.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use propice_kafka::Outgoing;
use propice_model::LogicalTime;

use super::durable::Durable;
use super::output::{Message, Output};
use super::protocol::binding::Binding;
use super::protocol::release::Release;
use super::render::Renderer;
use super::shared::Shared;

/// How much is published at once, about.
const MOST: usize = 10_000;
/// How often is looked whether what is held may go, when nothing new comes.
const LOOK: Duration = Duration::from_millis(1);
/// How often is looked whether the process stops.
const IDLE: Duration = Duration::from_millis(100);

/// What goes out at once.
#[derive(Debug, Default)]
pub(crate) struct Parcel {
    /// What was bound since the last one.
    pub bindings: Vec<Binding>,
    /// What is said, in order.
    pub records: Vec<Outgoing>,
    /// With it everything up to and including this time is published.
    pub through: LogicalTime,
}

impl Parcel {
    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.bindings.is_empty() && self.records.is_empty()
    }
}

/// What was handed over and is not published yet.
pub(crate) struct Outbox {
    messages: Receiver<Message>,
    release: Release<Output>,
    bindings: Vec<Binding>,
    renderer: Renderer,
    shared: Arc<Shared>,
    /// What is at or before this time was published by an earlier generation.
    visible: LogicalTime,
    /// Where bindings travel by themselves: which are durable.
    durable: Option<Arc<Durable>>,
    ended: bool,
}

impl Outbox {
    pub(crate) fn new(
        messages: Receiver<Message>,
        renderer: Renderer,
        shared: Arc<Shared>,
        visible: LogicalTime,
        durable: Option<Arc<Durable>>,
    ) -> Outbox {
        let (release, bindings) = (Release::default(), Vec::new());
        Outbox { messages, release, bindings, renderer, shared, visible, durable, ended: false }
    }

    /// Waits until there is something to publish. `None` when nothing comes any more.
    pub(crate) fn next(&mut self) -> Option<Parcel> {
        loop {
            let parcel = self.try_next();
            if !parcel.is_empty() {
                return Some(parcel);
            }
            if self.shared.has_failed() || (self.ended && self.release.is_empty()) {
                return None;
            }
            let wait = if self.release.is_empty() { IDLE } else { LOOK };
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
    pub(crate) fn try_next(&mut self) -> Parcel {
        // The time first: what is complete before it was handed over earlier.
        let complete = self.shared.complete_before();
        while let Ok(message) = self.messages.try_recv() {
            self.take(message);
        }
        // Behind that: the bindings of what is complete are known to be on their way now.
        let durable = self.durable.as_ref().map_or(LogicalTime::MAX, |durable| durable.before());
        self.parcel(complete.min(durable))
    }

    fn take(&mut self, Message { binding, outputs }: Message) {
        if let (Some(durable), Some(binding)) = (&self.durable, &binding) {
            durable.sent(binding.time);
        }
        self.bindings.extend(binding);
        for (time, output) in outputs {
            if time > self.visible {
                self.release.hold(time, output);
            } else {
                self.shared.take_held(1);
            }
        }
    }

    fn parcel(&mut self, before: LogicalTime) -> Parcel {
        let mut parcel = Parcel { bindings: std::mem::take(&mut self.bindings), ..Parcel::default() };
        let mut times: Vec<(LogicalTime, Vec<Output>)> = Vec::new();
        let held = self.release.len();
        let given = self.release.before(before, MOST, |time, output| match times.last_mut() {
            Some((last, outputs)) if *last == time => outputs.push(output),
            _ => times.push((time, vec![output])),
        });
        self.shared.take_held(held - self.release.len());
        for (time, outputs) in times {
            self.renderer.render(time, outputs, &mut parcel.records);
        }
        parcel.through = given.saturating_sub(1);
        parcel
    }
}
