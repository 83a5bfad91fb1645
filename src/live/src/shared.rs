//! What the threads of a process tell one another.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::Thread;

use propice_model::LogicalTime;

use super::LiveError;
use super::cutting::Cutting;

/// Told by one thread, read by others.
pub(crate) struct Shared {
    /// Of each worker the time before which everything that it has to say was handed over.
    complete_before: Vec<AtomicU64>,
    /// The greatest time that any worker has bound.
    greatest_bound: AtomicU64,
    /// How many workers have fed everything that was bound before.
    caught_up: AtomicUsize,
    /// Whether no more records are to be read.
    stopping: AtomicBool,
    /// Whether all that was read is handed to workers.
    drained: AtomicBool,
    /// Whether nothing more is to be published.
    published: AtomicBool,
    /// How much output waits to be published.
    held: AtomicUsize,
    /// Through which time output is visible.
    visible: AtomicU64,
    /// The threads of workers, to wake them.
    workers: Vec<OnceLock<Thread>>,
    /// Where workers ask before they go on in time.
    pub(crate) cutting: Cutting,
    /// How many workers have decided all that was read.
    settled: AtomicUsize,
    /// Whether workers are to end.
    ending: AtomicBool,
    /// Through which time a checkpoint waits for output to be visible.
    wanted_visible: AtomicU64,
    /// Why the process has to end.
    failure: Mutex<Option<LiveError>>,
    failed: AtomicBool,
}

impl Shared {
    pub(crate) fn new(workers: usize) -> Shared {
        Shared {
            complete_before: (0..workers).map(|_| AtomicU64::new(0)).collect(),
            greatest_bound: AtomicU64::new(0),
            caught_up: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            drained: AtomicBool::new(false),
            published: AtomicBool::new(false),
            held: AtomicUsize::new(0),
            visible: AtomicU64::new(0),
            workers: (0..workers).map(|_| OnceLock::new()).collect(),
            cutting: Cutting::default(),
            settled: AtomicUsize::new(0),
            ending: AtomicBool::new(false),
            wanted_visible: AtomicU64::new(0),
            failure: Mutex::new(None),
            failed: AtomicBool::new(false),
        }
    }

    /// A worker has handed over everything before a time.
    pub(crate) fn set_complete(&self, worker: usize, before: LogicalTime) {
        self.complete_before[worker].store(before, Ordering::Release);
    }

    /// The time before which everything was handed over by all workers.
    pub(crate) fn complete_before(&self) -> LogicalTime {
        let all = self.complete_before.iter().map(|before| before.load(Ordering::Acquire));
        all.min().unwrap_or_default()
    }

    /// A worker has bound a time: the others follow.
    pub(crate) fn bound(&self, time: LogicalTime) {
        self.greatest_bound.fetch_max(time, Ordering::SeqCst);
    }

    pub(crate) fn greatest_bound(&self) -> LogicalTime {
        self.greatest_bound.load(Ordering::SeqCst)
    }

    /// A worker has caught up.
    pub(crate) fn one_caught_up(&self) {
        self.caught_up.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether all workers have.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::SeqCst) == self.complete_before.len()
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst) || self.has_failed()
    }

    /// The thread that reads has ended: nothing more comes.
    pub(crate) fn all_read(&self) {
        self.drained.store(true, Ordering::SeqCst);
        self.wake_all();
    }

    /// Whether nothing more comes.
    pub(crate) fn is_drained(&self) -> bool {
        self.drained.load(Ordering::SeqCst)
    }

    /// A worker has decided all that was read.
    pub(crate) fn one_settled(&self) {
        self.settled.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether all workers have.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::SeqCst) == self.complete_before.len()
    }

    /// Workers are to end.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
        self.wake_all();
    }

    /// Whether workers are to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// A checkpoint waits until output is visible through a time.
    pub(crate) fn want_visible(&self, through: LogicalTime) {
        self.wanted_visible.fetch_max(through, Ordering::SeqCst);
    }

    /// Through which time output has to become visible, also if there is none.
    pub(crate) fn wanted_visible(&self) -> LogicalTime {
        self.wanted_visible.load(Ordering::SeqCst)
    }

    /// Everything that was to be published is on its way.
    pub(crate) fn all_published(&self) {
        self.published.store(true, Ordering::SeqCst);
    }

    /// Whether there is nothing more to publish.
    pub(crate) fn is_all_published(&self) -> bool {
        self.published.load(Ordering::SeqCst)
    }

    /// Output waits to be published.
    pub(crate) fn add_held(&self, count: usize) {
        self.held.fetch_add(count, Ordering::Relaxed);
    }

    /// Output is on its way.
    pub(crate) fn take_held(&self, count: usize) {
        self.held.fetch_sub(count, Ordering::Relaxed);
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(crate) fn set_visible(&self, through: LogicalTime) {
        self.visible.fetch_max(through, Ordering::SeqCst);
    }

    pub(crate) fn visible(&self) -> LogicalTime {
        self.visible.load(Ordering::SeqCst)
    }

    /// This thread is a worker, to be woken when records come.
    pub(crate) fn enlist(&self, worker: usize) {
        let _ = self.workers[worker].set(std::thread::current());
    }

    pub(crate) fn wake(&self, worker: usize) {
        if let Some(worker) = self.workers[worker].get() {
            worker.unpark();
        }
    }

    pub(crate) fn wake_all(&self) {
        self.workers.iter().filter_map(OnceLock::get).for_each(Thread::unpark);
    }

    pub(crate) fn wake_others(&self, worker: usize) {
        (0..self.workers.len()).filter(|other| *other != worker).for_each(|other| self.wake(other));
    }

    /// The first failure ends the process.
    pub(crate) fn fail(&self, error: LiveError) {
        tracing::error!(%error, "ending");
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.failed.store(true, Ordering::SeqCst);
        self.wake_all();
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    pub(crate) fn take_failure(&self) -> Option<LiveError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
