//! Worker 0 publishes: what all workers give, in order of logical time, sorted within one.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use propice_define::Plan;
use propice_edge::sink::{OutgoingDecision, OutgoingTransition, Sink};
use propice_edge::source::DeadLetter;
use propice_flow::policy::Decision;
use propice_flow::{Transition, ViewPart};
use propice_model::LogicalTime;

use super::gather::{Complete, Gathered};
use super::{HeldBack, Summary};

/// The sink, and what was counted on the way to it. On workers other than 0 there is none.
#[derive(Clone)]
pub(super) struct Publisher {
    state: Rc<RefCell<PublisherState>>,
}

struct PublisherState {
    plan: Arc<Plan>,
    sink: Option<Box<dyn Sink>>,
    opened: Vec<u64>,
    closed: Vec<u64>,
    /// What is earlier is counted, and goes nowhere.
    publish_from: LogicalTime,
    held_back: HeldBack,
    /// The first failure of the sink; nothing is handed over after it.
    failure: Option<io::Error>,
}

impl Publisher {
    pub(super) fn new(plan: &Arc<Plan>, sink: Option<Box<dyn Sink>>) -> Publisher {
        let moments = plan.moments.len();
        let state = PublisherState {
            plan: Arc::clone(plan),
            sink,
            opened: vec![0; moments],
            closed: vec![0; moments],
            publish_from: plan.policy.publish_from,
            held_back: HeldBack::default(),
            failure: None,
        };
        Publisher { state: Rc::new(RefCell::new(state)) }
    }

    /// Whether the sink has failed: then the run ends.
    pub(super) fn failed(&self) -> bool {
        self.state.borrow().failure.is_some()
    }

    pub(super) fn dead_letters(&self, letters: &[DeadLetter]) {
        if !letters.is_empty() {
            self.state.borrow_mut().hand_over(|sink| sink.dead_letters(letters));
        }
    }

    fn transitions(&self, transitions: &[Transition]) {
        let mut state = self.state.borrow_mut();
        for transition in transitions {
            let counts = if transition.opened { &mut state.opened } else { &mut state.closed };
            counts[transition.moment.index()] += 1;
        }
        let from = transitions.partition_point(|transition| transition.time < state.publish_from);
        let (early, said) = transitions.split_at(from);
        state.held_back.transitions += early.len() as u64;
        if !said.is_empty() {
            let plan = Arc::clone(&state.plan);
            state.hand_over(|sink| sink.transitions(&OutgoingTransition::all(&plan, said)));
        }
    }

    fn decisions(&self, decisions: &[Decision]) {
        let mut state = self.state.borrow_mut();
        let from = decisions.partition_point(|decision| decision.time < state.publish_from);
        let (early, said) = decisions.split_at(from);
        state.held_back.decisions += early.len() as u64;
        state.held_back.unsaid += early.iter().filter(|decision| decision.is_release()).count() as u64;
        if !said.is_empty() {
            let plan = Arc::clone(&state.plan);
            state.hand_over(|sink| sink.decisions(&OutgoingDecision::all(&plan, said)));
        }
    }

    fn views(&self, updates: &[(ViewPart, LogicalTime, isize)]) {
        self.state.borrow_mut().hand_over(|sink| sink.views(updates));
    }

    /// Hands over what is gathered and complete, sorted within a logical time.
    pub(super) fn hand_over(self) -> impl FnMut(&mut Gathered, Option<LogicalTime>) {
        move |gathered, frontier| {
            let Complete { transitions, decisions, views } = gathered.take_before(frontier);
            if !transitions.is_empty() {
                self.transitions(&transitions);
            }
            if !decisions.is_empty() {
                self.decisions(&decisions);
            }
            if !views.is_empty() {
                self.views(&views);
            }
        }
    }

    /// Ends the run: the sink writes what it still holds.
    pub(super) fn finish(&self, mut summary: Summary) -> io::Result<Summary> {
        let mut state = self.state.borrow_mut();
        state.hand_over(|sink| sink.finish(summary.through));
        // What the workers still give while they end is nobody's any more.
        state.sink = None;
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        summary.opened.clone_from(&state.opened);
        summary.closed.clone_from(&state.closed);
        summary.held_back = state.held_back;
        Ok(summary)
    }
}

impl PublisherState {
    fn hand_over(&mut self, hand_over: impl FnOnce(&mut dyn Sink) -> io::Result<()>) {
        if self.failure.is_none()
            && let Some(sink) = &mut self.sink
        {
            self.failure = hand_over(&mut **sink).err();
        }
    }
}
