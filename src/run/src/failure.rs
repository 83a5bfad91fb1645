//! A worker that fails ends the run.
//!
//! It fails by a panic: an invariant is broken (`flow/invariant.rs`), or there is a mistake. What
//! others compute from then on would wait for it for ever, so they are woken, and let go what they
//! have. Whoever runs them gets the message of the first that failed.

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Thread;

use timely::worker::Worker;

/// Whether a worker of a run has failed.
#[derive(Default)]
pub(super) struct Failure {
    is_there: AtomicBool,
    message: Mutex<Option<String>>,
    threads: Mutex<Vec<Thread>>,
}

/// Why a worker unwinds that did not fail itself.
struct OtherFailed;

impl Failure {
    /// The thread of a worker is one of those that are woken.
    pub(super) fn watch_this_thread(&self) {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(std::thread::current());
    }

    /// Whether one has failed.
    pub(super) fn is_there(&self) -> bool {
        self.is_there.load(Ordering::Acquire)
    }

    /// Leaves whatever a worker is at when another one has failed.
    pub(super) fn leave_if_there(&self) {
        if self.is_there() {
            // Without the words of a panic: the one that failed has said them.
            resume_unwind(Box::new(OtherFailed));
        }
    }

    /// This worker failed, with what its panic says.
    pub(super) fn tell(&self, panic: &(dyn Any + Send)) {
        if !panic.is::<OtherFailed>() {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            let mut message = self.message.lock().unwrap_or_else(PoisonError::into_inner);
            message.get_or_insert(text.unwrap_or_else(|| "it said nothing".to_owned()));
        }
        self.is_there.store(true, Ordering::Release);
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Thread::unpark);
    }

    /// What the first one that failed said.
    pub(super) fn message(&self) -> Option<String> {
        self.message.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Lets go of all dataflows of a worker, whatever waits in them.
pub(super) fn abandon(worker: &mut Worker) {
    for dataflow in worker.installed_dataflows() {
        worker.drop_dataflow(dataflow);
    }
}
