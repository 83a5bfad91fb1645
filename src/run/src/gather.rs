//! Brings what a flow gives to worker 0, or leaves it where it is, and tells how far everything is
//! there.
//!
//! One operator without outputs: it takes events and views, and its own frontier is what is waited
//! for. Whatever stood between or behind (maps, a concatenation, a probe) would be a station of
//! every epoch, and cost each event of a quiet dataflow a step of the worker more.

use std::cell::Cell;
use std::rc::Rc;

use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::frontier::MutableAntichain;

use differential_dataflow::consolidation::consolidate_updates;

use propice_flow::policy::Decision;
use propice_flow::shard::shard;
use propice_flow::{Event, Flow, Transition, ViewPart};
use propice_model::LogicalTime;

/// Where what a flow gives is gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// All of it on worker 0.
    First,
    /// On every worker what is said of its customers.
    Everywhere,
}

/// What has come to a worker and was not taken yet.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Episodes that open and close.
    pub transitions: Vec<(Transition, LogicalTime, isize)>,
    /// What the policy decides of them.
    pub decisions: Vec<(Decision, LogicalTime, isize)>,
    /// The parts of views, as differences; none unless asked for.
    pub views: Vec<(ViewPart, LogicalTime, isize)>,
}

/// What is complete, each part sorted as it is published: by time first.
#[derive(Debug, Default)]
pub struct Complete {
    /// Episodes that open and close.
    pub transitions: Vec<Transition>,
    /// What the policy decides of them.
    pub decisions: Vec<Decision>,
    /// Differences of views, consolidated.
    pub views: Vec<(ViewPart, LogicalTime, isize)>,
}

impl Complete {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.transitions.is_empty() && self.decisions.is_empty() && self.views.is_empty()
    }
}

impl Gathered {
    /// Takes what is before a time (`None`: all).
    pub fn take_before(&mut self, frontier: Option<LogicalTime>) -> Complete {
        let complete = |time: LogicalTime| frontier.is_none_or(|frontier| time < frontier);
        let ready = self.transitions.extract_if(.., |(_, time, _)| complete(*time));
        let transitions = sorted(ready.map(|(transition, _, _)| transition));
        let ready = self.decisions.extract_if(.., |(_, time, _)| complete(*time));
        let decisions = sorted(ready.map(|(decision, _, _)| decision));
        let mut views: Vec<_> = self.views.extract_if(.., |(_, time, _)| complete(*time)).collect();
        consolidate_updates(&mut views);
        views.sort_unstable_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        Complete { transitions, decisions, views }
    }

    fn sort_in(&mut self, events: &mut Vec<(Event, LogicalTime, isize)>) {
        for (event, time, diff) in events.drain(..) {
            match event {
                Event::Transition(transition) => self.transitions.push((transition, time, diff)),
                Event::Decision(decision) => self.decisions.push((decision, time, diff)),
            }
        }
    }
}

/// Up to which logical time everything is gathered and handed over on this worker.
#[derive(Clone, Debug)]
pub(super) struct Reached(Rc<Cell<Option<LogicalTime>>>);

impl Reached {
    /// Whether something before a time may still come.
    pub(super) fn less_than(&self, time: LogicalTime) -> bool {
        self.0.get().is_some_and(|reached| reached < time)
    }

    /// The time before which everything is here; the end of time when all is.
    pub(super) fn before(&self) -> LogicalTime {
        self.0.get().unwrap_or(LogicalTime::MAX)
    }
}

/// Gathers what a flow gives. `hand_over` is called there whenever something came or the frontier
/// moved, with what was gathered and the time before which that is complete (`None`:
/// all of it); what it leaves, it is given again.
pub(super) fn gather(
    flow: Flow<'_>,
    place: Place,
    mut hand_over: impl FnMut(&mut Gathered, Option<LogicalTime>) + 'static,
) -> Reached {
    let reached = Reached(Rc::new(Cell::new(Some(0))));
    let told = reached.clone();
    let mut builder = OperatorBuilder::new("Gather".to_owned(), flow.events.scope());
    let here = match place {
        Place::First => 0,
        Place::Everywhere => flow.events.scope().index() as u64,
    };
    let mut events = builder.new_input(flow.events, Exchange::new(move |_: &(Event, LogicalTime, isize)| here));
    // Entities may be on other workers than their customers.
    let of_view = move |(part, _, _): &(ViewPart, LogicalTime, isize)| match place {
        Place::First => 0,
        Place::Everywhere => shard(&part.customer),
    };
    let mut views = flow.views.map(|views| builder.new_input(views, Exchange::new(of_view)));
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

fn sorted<D: Ord>(all: impl Iterator<Item = D>) -> Vec<D> {
    let mut all: Vec<D> = all.collect();
    all.sort_unstable();
    all
}

fn least(frontier: &MutableAntichain<LogicalTime>) -> Option<LogicalTime> {
    frontier.frontier().as_option().copied()
}
