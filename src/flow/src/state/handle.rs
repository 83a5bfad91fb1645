//! The handle by which whoever runs a dataflow asks its operators for what they hold, and gives it
//! back.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use propice_model::{Fact, KeyRange, KindId, LogicalTime};

use super::StateError;
use super::entry::{Change, Entry, Key};
use super::restore::{CustomerSeed, EntitySeed, Restoring, Seeds};

/// How much a cut gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything that is held: a base.
    Whole,
    /// What changed since the cut before, or since it was restored: a delta.
    Changed,
}

/// The state of the dataflow of one worker. A cheap clone; it stays on its worker.
///
/// Made before the dataflow is built and given to it ([`BuildOptions`](crate::BuildOptions)).
#[derive(Clone, Default)]
pub struct StateHandle {
    shared: Rc<RefCell<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// How many operators of this worker hold state.
    ports: usize,
    /// The greatest logical time that any of them has gone through.
    passed: Option<LogicalTime>,
    /// How many cuts there were.
    cuts: u64,
    cut: Option<Cut>,
    /// How many operators have given what the cut asks for.
    given: usize,
    changes: Vec<Change>,
    seeds: Option<Seeds>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    number: u64,
    /// As of having gone through everything at or before this time, and nothing later.
    pub at: LogicalTime,
    pub extent: Extent,
}

impl StateHandle {
    /// Of a dataflow that begins with nothing.
    pub fn new() -> StateHandle {
        StateHandle::default()
    }

    /// Of a dataflow that goes on from what another one held at a logical time. Entries that belong
    /// to other workers are passed over, so each worker may be given all of them; which are needed
    /// where says [`Placement`](super::Placement).
    ///
    /// Nothing is given at or before that time: the input has to move past it before anything later
    /// can be, and what is fed has to be later.
    ///
    /// # Errors
    /// When an entry does not fit the plan: with its collection and key.
    pub fn restoring(
        restoring: &Restoring<'_>,
        entries: impl IntoIterator<Item = (Arc<str>, Key, Entry)>,
    ) -> Result<StateHandle, StateError> {
        let seeds = Seeds::resolve(restoring, entries)?;
        let shared = Shared { passed: Some(restoring.at), seeds: Some(seeds), ..Shared::default() };
        Ok(StateHandle { shared: Rc::new(RefCell::new(shared)) })
    }

    /// Asks every operator of this worker for what it holds, as of having gone through everything
    /// at or before a logical time and nothing later. Call it before the input moves past that
    /// time; once it has, [`StateHandle::take`] gives it. Every worker is cut for itself, at the
    /// same time.
    ///
    /// # Errors
    /// When a time behind it was gone through already, when the cut before is not taken, or when
    /// the dataflow holds nothing that can be given (the `reference` engine).
    pub fn cut(&self, at: LogicalTime, extent: Extent) -> Result<(), StateError> {
        let mut shared = self.shared.borrow_mut();
        if shared.ports == 0 {
            return Err(StateError::general("the engine `reference` keeps no state that can be given"));
        }
        if shared.cut.is_some() {
            return Err(StateError::general("the cut before was not taken yet"));
        }
        if let Some(passed) = shared.passed.filter(|passed| *passed > at) {
            let reason = format!("a cut at {at} comes too late: {passed} was gone through already");
            return Err(StateError::general(reason));
        }
        shared.cuts += 1;
        shared.cut = Some(Cut { number: shared.cuts, at, extent });
        shared.given = 0;
        Ok(())
    }

    /// Whether something was asked for that is not taken yet.
    pub fn is_cutting(&self) -> bool {
        self.shared.borrow().cut.is_some()
    }

    /// What the cut asked for, once every operator of this worker has given it.
    pub fn take(&self) -> Option<Vec<Change>> {
        let mut shared = self.shared.borrow_mut();
        if shared.cut.is_none() || shared.given < shared.ports {
            return None;
        }
        shared.cut = None;
        Some(std::mem::take(&mut shared.changes))
    }

    /// The logical time at which what it was restored from was held.
    pub(crate) fn restored_at(&self) -> Option<LogicalTime> {
        self.shared.borrow().seeds.as_ref().map(|seeds| seeds.at)
    }

    /// An operator that holds state.
    pub(crate) fn port(&self) -> StatePort {
        self.shared.borrow_mut().ports += 1;
        StatePort { shared: Rc::clone(&self.shared), served: 0 }
    }

    /// The rows that were held; handed over once.
    pub(crate) fn take_rows(&self) -> Vec<Fact> {
        self.with_seeds(|seeds| std::mem::take(&mut seeds.rows))
    }

    /// The rows of the table of holidays; handed over once.
    pub(crate) fn take_holidays(&self) -> Vec<Fact> {
        self.with_seeds(|seeds| std::mem::take(&mut seeds.holidays))
    }

    /// What was held of the entities of a kind; handed over once.
    pub(crate) fn take_entities(&self, kind: KindId) -> Vec<EntitySeed> {
        self.with_seeds(|seeds| seeds.kinds.get_mut(kind.index()).map(std::mem::take).unwrap_or_default())
    }

    /// What was held of customers beyond that; handed over once.
    pub(crate) fn take_customers(&self) -> Vec<CustomerSeed> {
        self.with_seeds(|seeds| std::mem::take(&mut seeds.customers))
    }

    /// Whether every customer has to be looked at again: the plan decides otherwise than before.
    pub(crate) fn looks_again(&self) -> bool {
        self.with_seeds(|seeds| seeds.looks_again)
    }

    fn with_seeds<T: Default>(&self, of: impl FnOnce(&mut Seeds) -> T) -> T {
        self.shared.borrow_mut().seeds.as_mut().map(of).unwrap_or_default()
    }
}

/// How an operator answers.
pub(crate) struct StatePort {
    shared: Rc<RefCell<Shared>>,
    /// The last cut that it answered.
    served: u64,
}

impl StatePort {
    /// The cut that is to be answered before anything at `next` is gone through.
    #[inline]
    pub(crate) fn due(&self, next: LogicalTime) -> Option<Cut> {
        self.shared.borrow().cut.filter(|cut| cut.number > self.served && cut.at < next)
    }

    /// A time is gone through.
    pub(crate) fn pass(&self, time: LogicalTime) {
        let mut shared = self.shared.borrow_mut();
        shared.passed = shared.passed.max(Some(time));
    }

    /// Answers a cut.
    pub(crate) fn give(&mut self, cut: Cut, report: Report) {
        self.served = cut.number;
        let mut shared = self.shared.borrow_mut();
        shared.given += 1;
        if shared.changes.is_empty() {
            shared.changes = report.changes;
        } else {
            shared.changes.extend(report.changes);
        }
    }
}

/// The answer of an operator.
pub(crate) struct Report {
    extent: Extent,
    changes: Vec<Change>,
}

impl Report {
    pub(crate) fn to(cut: Cut) -> Report {
        Report { extent: cut.extent, changes: Vec::new() }
    }

    /// What is held of a key. Of nothing it is said only where that may be news.
    pub(crate) fn add(&mut self, collection: &Arc<str>, range: KeyRange, key: &Key, entry: Option<Entry>) {
        if entry.is_some() || self.extent == Extent::Changed {
            self.changes.push(Change { collection: Arc::clone(collection), range, key: key.clone(), entry });
        }
    }
}
