//! Signals end a command cleanly: it stops reading, and finishes what it has. A second one ends the
//! process at once.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::{CommandResult, Failure};

/// The exit code of a process that a signal ended is this and the number of the signal.
pub(crate) const EXIT_BASE: u8 = 128;

/// What was caught.
pub(crate) struct Signals {
    stop: Arc<AtomicBool>,
    /// The number of the last signal; 0 before one.
    which: Arc<AtomicUsize>,
}

impl Signals {
    /// Lets an interrupt, a request to terminate and a hang-up set a flag.
    pub(crate) fn listen() -> Result<Signals, Failure> {
        let signals = Signals { stop: Arc::default(), which: Arc::default() };
        for signal in
            [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !(*signal == SIGHUP && hang_up_is_ignored()))
        {
            signals.register(signal).map_err(|error| Failure::io("cannot listen to signals", &error))?;
        }
        Ok(signals)
    }

    fn register(&self, signal: i32) -> io::Result<()> {
        // In this order: the first signal finds the flag down, and whoever sees it up knows which
        // one it was.
        flag::register_conditional_shutdown(signal, i32::from(EXIT_BASE) + signal, Arc::clone(&self.stop))?;
        flag::register_usize(signal, Arc::clone(&self.which), signal.unsigned_abs() as usize)?;
        flag::register(signal, Arc::clone(&self.stop))?;
        Ok(())
    }

    /// The flag.
    pub(crate) fn stop(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// How a command ends that a signal ended; well when none came.
    pub(crate) fn outcome(&self) -> CommandResult {
        if !self.stop.load(Ordering::SeqCst) {
            return Ok(());
        }
        Err(Failure::Interrupted(self.which.load(Ordering::SeqCst) as u8))
    }
}

/// Whether whoever began this process wants it to live on when its terminal goes (`nohup`).
fn hang_up_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    ignored & 1 << (SIGHUP - 1) != 0
}
