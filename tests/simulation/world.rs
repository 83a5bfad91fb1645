//! The world of a schedule: broker, store, clock, and whatever may be done wrong on purpose.

use std::fmt::Debug;

use propice_live::protocol::binding::BindingRecord;

use crate::broker::{Broker, Log, Value};
use crate::coverage::{Case, Coverage};
use crate::rng::Rng;
use crate::store::Store;

/// The logs of the broker.
pub(crate) const BINDINGS: usize = 0;
pub(crate) const PROGRESS: usize = 1;
pub(crate) const OUTPUTS: std::ops::Range<usize> = 2..4;
/// The first of the sources.
pub(crate) const SOURCES: usize = 4;

/// How a cluster publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// One chain of transactions, bindings in them.
    ExactlyOnce,
    /// No transactions, bindings read back.
    AtLeastOnce,
    /// A chain of transactions for each worker, bindings read back: as several processes do it.
    Slots,
}

/// What is done wrong on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    DoesNotLook,
    FencesLastSlots,
    WrongFrontier,
    ReadsFrontierLate,
    ProgressApart,
    FeedsFirst,
    FloorIgnoresVisible,
    CommitsOutOfOrder,
    DoesNotReadBack,
    DoesNotClaim,
    KeyedBySlot,
    ProgressGoesBack,
    ForgetsMarks,
    BelievesTheRest,
    WaitsForDeleted,
    CheckpointsAhead,
}

impl Mutation {
    /// The lane in which it can do harm, where that is one.
    fn lane(self) -> Option<Lane> {
        match self {
            Mutation::FencesLastSlots | Mutation::KeyedBySlot | Mutation::DoesNotLook => Some(Lane::Slots),
            Mutation::DoesNotReadBack | Mutation::DoesNotClaim => Some(Lane::AtLeastOnce),
            Mutation::FeedsFirst | Mutation::CommitsOutOfOrder => Some(Lane::ExactlyOnce),
            _ => None,
        }
    }
}

pub(crate) const MUTATIONS: &[(Mutation, &str)] = &[
    (Mutation::DoesNotLook, "no look after fencing"),
    (Mutation::FencesLastSlots, "only the slots of the last generation are fenced"),
    (Mutation::WrongFrontier, "V is computed from the frontier of the input of the fastest worker"),
    (Mutation::ReadsFrontierLate, "the frontier is read after what was handed over is taken"),
    (Mutation::ProgressApart, "progress goes in the next transaction"),
    (Mutation::FeedsFirst, "a binding is sent after its records are fed"),
    (Mutation::FloorIgnoresVisible, "new times ignore what is visible"),
    (Mutation::CommitsOutOfOrder, "a commit does not wait for the one before"),
    (Mutation::DoesNotReadBack, "bindings are durable when they are acknowledged"),
    (Mutation::DoesNotClaim, "at least once: times without records are not claimed"),
    (Mutation::KeyedBySlot, "progress is keyed by slot"),
    (Mutation::ProgressGoesBack, "progress goes back while bindings are fed again"),
    (Mutation::ForgetsMarks, "marks before the position of a checkpoint are forgotten"),
    (Mutation::BelievesTheRest, "deleted bindings are not noticed"),
    (Mutation::WaitsForDeleted, "replay waits for records that are gone"),
    (Mutation::CheckpointsAhead, "a checkpoint does not wait for visibility"),
];

pub(crate) struct Env {
    pub rng: Rng,
    pub broker: Broker,
    pub store: Store,
    /// The right time.
    pub now: u64,
    pub lane: Lane,
    pub mutation: Option<Mutation>,
    /// Topic and number of each source partition.
    pub sources: Vec<(String, i32)>,
    pub coverage: Coverage,
    /// The number of the last request.
    pub serial: u64,
    /// What has happened, where somebody wants to know.
    pub trace: Option<Vec<String>>,
    pub at: u64,
    /// How often checkpoints are cut.
    pub cuts: usize,
    /// Nothing is done on purpose any more.
    pub is_calm: bool,
    /// Something that is needed was deleted or damaged: a start may be refused.
    pub is_disaster: bool,
    pub is_store_gone: bool,
}

thread_local! {
    static LAST: std::cell::RefCell<(u64, Vec<String>)> = const { std::cell::RefCell::new((0, Vec::new())) };
}

/// The step at which a schedule was dropped in a panic, and its trace.
pub(crate) fn last_trace() -> (u64, Vec<String>) {
    LAST.take()
}

impl Drop for Env {
    fn drop(&mut self) {
        if std::thread::panicking() {
            LAST.set((self.at, self.trace.take().unwrap_or_default()));
        }
    }
}

impl Env {
    pub(crate) fn new(seed: u64, mutation: Option<Mutation>, traced: bool) -> Env {
        let mut rng = Rng::new(seed);
        let lane = match rng.below(5) {
            0 | 1 => Lane::ExactlyOnce,
            2 => Lane::Slots,
            _ => Lane::AtLeastOnce,
        };
        let lane = if rng.below(4) == 0 { Lane::Slots } else { lane };
        let lane = mutation.and_then(Mutation::lane).unwrap_or(lane);
        let mut broker = Broker::default();
        broker.logs.extend((0..SOURCES).map(|_| Log::default()));
        let mut env = Env {
            rng,
            broker,
            store: Store::default(),
            now: 10_000_000,
            lane,
            mutation,
            sources: Vec::new(),
            coverage: Coverage::default(),
            serial: 0,
            trace: traced.then(Vec::new),
            at: 0,
            cuts: 0,
            is_calm: false,
            is_disaster: false,
            is_store_gone: false,
        };
        env.cuts = [50, 400, 900][env.rng.below(3)];
        env.count(match lane {
            Lane::ExactlyOnce => Case::ExactlyOnce,
            Lane::AtLeastOnce => Case::AtLeastOnce,
            Lane::Slots => Case::Slots,
        });
        for _ in 0..=env.rng.below(3) {
            env.add_source();
        }
        env
    }

    pub(crate) fn add_source(&mut self) {
        let number = self.sources.len() as i32;
        let topic = if number % 2 == 0 { "events" } else { "rows" };
        self.sources.push((topic.to_owned(), number / 2));
        self.broker.logs.push(Log::default());
        self.say(|| format!("a partition is added: {topic}/{}", number / 2));
    }

    pub(crate) fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    pub(crate) fn faults(&self) -> bool {
        !self.is_calm
    }

    pub(crate) fn count(&mut self, case: Case) {
        self.coverage.cases[case as usize] += 1;
        self.say(|| format!("{case:?}"));
    }

    /// Notes what happens, if somebody wants to know.
    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        let (at, now) = (self.at, self.now);
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{at:5} {now} {}", what()));
        }
    }

    pub(crate) fn tell(&mut self, what: &str, of: &dyn Debug) {
        self.say(|| format!("{what} {of:?}"));
    }

    /// Whether a binding that arrives is void.
    pub(crate) fn note_binding(&mut self, value: &Value) {
        let Value::Bytes(_, bytes) = value else { return };
        let Ok(BindingRecord::Binding(binding)) = BindingRecord::parse(bytes) else { return };
        let is_void = self.broker.logs[BINDINGS].entries.iter().rev().any(|entry| match &entry.value {
            Value::Bytes(_, bytes) if bytes.starts_with(b"{\"begins") => {
                matches!(BindingRecord::parse(bytes), Ok(BindingRecord::Begins(newer)) if newer > binding.generation)
            }
            _ => false,
        });
        if is_void {
            self.count(Case::VoidBinding);
        }
    }
}
