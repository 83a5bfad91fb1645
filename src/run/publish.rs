//! Worker 0 publishes: what all workers give, in order of logical time, sorted within one.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use differential_dataflow::consolidation::consolidate_updates;
use serde::{Deserialize, Serialize};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::generic::OutputBuilderSession;
use timely::dataflow::operators::generic::operator::Operator;
use timely::dataflow::operators::vec::Map as _;
use timely::progress::frontier::MutableAntichain;

use crate::define::Plan;
use crate::edge::sink::Sink;
use crate::edge::source::DeadLetter;
use crate::flow::policy::Decision;
use crate::flow::{Flow, Transition, ViewPart};
use crate::model::LogicalTime;

use super::Summary;

/// The sink, and what was counted on the way to it. On workers other than 0 there is none.
#[derive(Clone)]
pub(super) struct Publisher {
    state: Rc<RefCell<State>>,
}

struct State {
    sink: Option<Box<dyn Sink>>,
    opened: Vec<u64>,
    closed: Vec<u64>,
    /// The first failure of the sink; nothing is handed over after it.
    failure: Option<io::Error>,
}

impl Publisher {
    pub(super) fn new(plan: &Plan, sink: Option<Box<dyn Sink>>) -> Publisher {
        let moments = plan.moments.len();
        let state = State { sink, opened: vec![0; moments], closed: vec![0; moments], failure: None };
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
        state.hand_over(|sink| sink.transitions(transitions));
    }

    fn decisions(&self, decisions: &[Decision]) {
        self.state.borrow_mut().hand_over(|sink| sink.decisions(decisions));
    }

    fn views(&self, updates: &[(ViewPart, LogicalTime, isize)]) {
        self.state.borrow_mut().hand_over(|sink| sink.views(updates));
    }

    /// Ends the run: the sink writes what it still holds.
    pub(super) fn finish(&self, mut summary: Summary) -> io::Result<Summary> {
        let mut state = self.state.borrow_mut();
        state.hand_over(|sink| sink.finish(summary.through));
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        summary.opened.clone_from(&state.opened);
        summary.closed.clone_from(&state.closed);
        Ok(summary)
    }
}

impl State {
    fn hand_over(&mut self, hand_over: impl FnOnce(&mut dyn Sink) -> io::Result<()>) {
        if self.failure.is_none()
            && let Some(sink) = &mut self.sink
        {
            self.failure = hand_over(&mut **sink).err();
        }
    }
}

/// What the operator that publishes sends on: nothing but its frontier.
type NoOutput<'a> = OutputBuilderSession<'a, LogicalTime, CapacityContainerBuilder<Vec<()>>>;

/// What is published whole, once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Event {
    Transition(Transition),
    Decision(Decision),
}

/// Brings everything to worker 0 and hands over what is complete. The stream is empty; its frontier tells how far that is.
pub(super) fn publish(flow: Flow<'_>, publisher: Publisher) -> Stream<'_, LogicalTime, Vec<()>> {
    let events = flow.transitions.map(|(transition, time, diff)| (Event::Transition(transition), time, diff));
    let decisions = flow.decisions.map(|(decision, time, diff)| (Event::Decision(decision), time, diff));
    let events_to_first = Exchange::new(|_: &(Event, LogicalTime, isize)| 0);
    let views_to_first = Exchange::new(|_: &(ViewPart, LogicalTime, isize)| 0);
    events.concat(decisions).binary_frontier(flow.views, events_to_first, views_to_first, "Publish", |capability, _| {
        let mut held = Some(capability);
        let mut transitions: Vec<Transition> = Vec::new();
        let mut decisions: Vec<Decision> = Vec::new();
        let mut views: Vec<(ViewPart, LogicalTime, isize)> = Vec::new();
        move |(event_input, event_frontier), (view_input, view_frontier), _output: &mut NoOutput<'_>| {
            event_input.for_each(|_, data| {
                for (event, _, _) in data.drain(..) {
                    match event {
                        Event::Transition(transition) => transitions.push(transition),
                        Event::Decision(decision) => decisions.push(decision),
                    }
                }
            });
            view_input.for_each(|_, data| views.append(data));
            let frontier = [event_frontier, view_frontier].into_iter().filter_map(least).min();
            let complete = |time: LogicalTime| frontier.is_none_or(|frontier| time < frontier);
            let ready = sorted(transitions.extract_if(.., |transition| complete(transition.time)));
            if !ready.is_empty() {
                publisher.transitions(&ready);
            }
            let ready = sorted(decisions.extract_if(.., |decision| complete(decision.time)));
            if !ready.is_empty() {
                publisher.decisions(&ready);
            }
            let mut ready: Vec<_> = views.extract_if(.., |(_, time, _)| complete(*time)).collect();
            consolidate_updates(&mut ready);
            if !ready.is_empty() {
                ready.sort_unstable_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
                publisher.views(&ready);
            }
            match (&mut held, frontier) {
                (Some(capability), Some(frontier)) => capability.downgrade(&frontier),
                (_, None) => held = None,
                (None, _) => {}
            }
        }
    })
}

fn sorted<D: Ord>(all: impl Iterator<Item = D>) -> Vec<D> {
    let mut all: Vec<D> = all.collect();
    all.sort_unstable();
    all
}

fn least(frontier: &MutableAntichain<LogicalTime>) -> Option<LogicalTime> {
    frontier.frontier().as_option().copied()
}
