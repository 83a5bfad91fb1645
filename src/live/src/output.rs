//! What workers hand over to whoever publishes.

use propice_flow::policy::Decision;
use propice_flow::{Transition, ViewPart};
use propice_model::LogicalTime;

use super::arrival::DeadRecord;
use super::protocol::binding::Binding;

/// Something that is said at a logical time.
#[derive(Debug)]
pub(crate) enum Output {
    /// An episode opens or closes.
    Transition(Box<Transition>),
    /// The policy decides.
    Decision(Box<Decision>),
    /// A part of a view comes or goes.
    View(ViewPart, isize),
    /// A record could not be taken.
    DeadLetter(Box<DeadRecord>),
}

/// What a worker hands over at once.
#[derive(Debug)]
pub(crate) struct Message {
    /// What it has bound.
    pub binding: Option<Binding>,
    /// What is said, with the logical time of each.
    pub outputs: Vec<(LogicalTime, Output)>,
}
