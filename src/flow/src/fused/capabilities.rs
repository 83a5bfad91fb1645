//! The capabilities of an operator that acts at the times of its inputs and at its deadlines, and
//! at no others.
//!
//! It holds one for every output: at the frontier while there is work, since the next message will
//! come there, and to take a capability from each message and move it far ahead costs a third of an
//! epoch. When nothing comes any more it holds them at the least time at which it may still give
//! something, or none when it waits for nothing: then a clock that moves on does not have it
//! scheduled.
//!
//! One thing follows for who is behind: when the input of the dataflow closes, what is held at a
//! deadline is seen as a frontier until it is let go. That is no time that has come; an operator
//! behind takes the end from the first of its inputs that closes.

use timely::dataflow::operators::{Capability, InputCapability};

use propice_model::LogicalTime;

/// One capability per output, all of one time; or none.
pub(super) struct CapabilityHolder {
    outputs: usize,
    capabilities: Vec<Capability<LogicalTime>>,
}

impl CapabilityHolder {
    /// Nothing yet, for so many outputs.
    pub(super) fn new(outputs: usize) -> CapabilityHolder {
        CapabilityHolder { outputs, capabilities: Vec::with_capacity(outputs) }
    }

    /// Begins with those that an operator is made with: something is to be done at a time though
    /// nothing comes.
    pub(super) fn begin(&mut self, mut made_with: Vec<Capability<LogicalTime>>, at: LogicalTime) {
        made_with.iter_mut().for_each(|capability| capability.downgrade(&at));
        self.capabilities = made_with;
    }

    /// Those that are held, one per output.
    pub(super) fn all(&self) -> &[Capability<LogicalTime>] {
        &self.capabilities
    }

    /// Whether nothing is waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.capabilities.is_empty()
    }

    /// A message has to be answered: from its time on something may be given.
    pub(super) fn hold(&mut self, received: &InputCapability<LogicalTime>) {
        let is_earlier = |holder: &Capability<LogicalTime>| received.least().is_some_and(|time| time < holder.time());
        if self.capabilities.first().is_none_or(is_earlier) {
            self.capabilities.clear();
            self.capabilities.extend((0..self.outputs).filter_map(|port| received.retain_least(port)));
        }
    }

    /// Before `next` nothing is given unless another message comes; never again, when it is `None`.
    /// While there is work it waits at the frontier, `working_at`.
    pub(super) fn wait_until(&mut self, next: Option<LogicalTime>, working_at: Option<LogicalTime>) {
        match next.into_iter().chain(working_at).min() {
            None => self.capabilities.clear(),
            Some(next) => {
                self.capabilities
                    .iter_mut()
                    .filter(|holder| *holder.time() < next)
                    .for_each(|holder| holder.downgrade(&next));
            }
        }
    }
}
