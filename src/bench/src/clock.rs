//! How long something takes: on the wall, and on the processor.
//!
//! Machines that measure are rarely idle. What one thread computes without waiting for anybody is
//! therefore charged with the CPU time of that thread, which is what a core is taken for; a wall
//! clock would count what others took. Latencies, several workers and idleness are of the wall.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Runs something and says how much CPU time it took of this thread.
pub fn on_cpu<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let before = cpu(ClockId::ThreadCPUTime);
    let result = work();
    (cpu(ClockId::ThreadCPUTime).saturating_sub(before), result)
}

/// Runs something and says how long it took.
pub fn on_wall<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let started = Instant::now();
    let result = work();
    (started.elapsed(), result)
}

/// The CPU time that this process has taken.
pub fn of_process() -> Duration {
    cpu(ClockId::ProcessCPUTime)
}

fn cpu(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// Nanoseconds for each of so many.
pub fn ns_each(took: Duration, count: usize) -> f64 {
    took.as_nanos() as f64 / count.max(1) as f64
}
