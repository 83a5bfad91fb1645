//! Brings what a flow gives to worker 0, and tells how far everything is there.
//!
//! One operator without outputs: it takes events and views, and its own frontier is what is waited
//! for. Whatever stood between or behind (maps, a concatenation, a probe) would be a station of
//! every epoch, and cost each event of a quiet dataflow a step of the worker more.

use std::cell::Cell;
use std::rc::Rc;

use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::frontier::MutableAntichain;

use propice_flow::policy::Decision;
use propice_flow::{Event, Flow, Transition, ViewPart};
use propice_model::LogicalTime;

/// What has come to worker 0 and was not taken yet.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Episodes that open and close.
    pub transitions: Vec<(Transition, LogicalTime, isize)>,
    /// What the policy decides of them.
    pub decisions: Vec<(Decision, LogicalTime, isize)>,
    /// The parts of views, as differences; none unless asked for.
    pub views: Vec<(ViewPart, LogicalTime, isize)>,
}

impl Gathered {
    fn sort_in(&mut self, events: &mut Vec<(Event, LogicalTime, isize)>) {
        for (event, time, diff) in events.drain(..) {
            match event {
                Event::Transition(transition) => self.transitions.push((transition, time, diff)),
                Event::Decision(decision) => self.decisions.push((decision, time, diff)),
            }
        }
    }
}

/// Up to which logical time everything is gathered and handed over.
#[derive(Clone, Debug)]
pub(super) struct Reached(Rc<Cell<Option<LogicalTime>>>);

impl Reached {
    /// Whether something before a time may still come.
    pub(super) fn less_than(&self, time: LogicalTime) -> bool {
        self.0.get().is_some_and(|reached| reached < time)
    }
}

/// Gathers what a flow gives on worker 0. `hand_over` is called there whenever something came or
/// the frontier moved, with what was gathered and the time before which that is complete (`None`:
/// all of it); what it leaves, it is given again.
pub(super) fn gather(
    flow: Flow<'_>,
    mut hand_over: impl FnMut(&mut Gathered, Option<LogicalTime>) + 'static,
) -> Reached {
    let reached = Reached(Rc::new(Cell::new(Some(0))));
    let told = reached.clone();
    let mut builder = OperatorBuilder::new("Gather".to_owned(), flow.events.scope());
    let to_first = Exchange::new(|_: &(Event, LogicalTime, isize)| 0);
    let mut events = builder.new_input(flow.events, to_first);
    let to_first = Exchange::new(|_: &(ViewPart, LogicalTime, isize)| 0);
    let mut views = flow.views.map(|views| builder.new_input(views, to_first));
    builder.build(move |_| {
        let mut gathered = Gathered::default();
        move |frontiers| {
            events.for_each(|_, data| gathered.sort_in(data));
            if let Some(views) = &mut views {
                views.for_each(|_, data| gathered.views.append(data));
            }
            let frontier = frontiers.iter().filter_map(least).min();
            hand_over(&mut gathered, frontier);
            told.0.set(frontier);
        }
    });
    reached
}

fn least(frontier: &MutableAntichain<LogicalTime>) -> Option<LogicalTime> {
    frontier.frontier().as_option().copied()
}
