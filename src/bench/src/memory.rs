//! Memory, and what waiting costs. Measured in a process of its own, since an allocator keeps what
//! it once had.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use propice_define::Plan;
use propice_flow::Engine;

use super::clock::of_process;
use super::facts::{Facts, Update};
use super::machine::resident_bytes;
use super::session::MeasuredSession;
use super::throughput::EPOCH;
use super::workload::{Event, Kind};
use super::{Failed, pack};

/// Records in windows that every fifth customer is given, of each kind.
const RECORDS: u64 = 10;
/// How long the allocator takes to give back what was freed, some of it at a time, whenever
/// something is asked for (jemalloc: ten seconds).
pub const GIVEN_BACK: Duration = Duration::from_secs(11);
/// How often the clock of an idle dataflow moves on.
const TICK: Duration = Duration::from_millis(10);

/// Event time behind which all windows are empty, and what was in them has been let go.
const HOURS_MS: u64 = 10 * 3_600_000;

/// What the process of its own finds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MemoryFindings {
    /// Bytes per customer: known by one transaction, all windows empty again.
    pub per_customer: f64,
    /// Bytes per interaction, which one window holds.
    pub per_interaction: f64,
    /// Bytes per debit, which three windows hold.
    pub per_debit: f64,
    /// Share of a core, in percent, while every customer has a deadline pending.
    pub idle_percent: f64,
    /// Over how many customers.
    pub customers: u64,
}

/// Measures this process; nothing else may run in it. Waits for `rest` before it looks at what is
/// resident, so that what was freed has been given back.
///
/// # Errors
/// When the system does not say how much memory is resident.
pub fn measure(customers: u64, idle: Duration, rest: Duration) -> Result<MemoryFindings, Failed> {
    // Episodes and what the policy remembers of them are not records: nobody reaches a moment here.
    let plan = pack::features_alone()?;
    let mut books = Books::new(&plan)?;
    // Records first, of customers that are known by a row of a table: nothing has been let go yet
    // that could be used again.
    let active = customers / 5;
    books.all(0..active, 0, Kind::Product { product: 1, held: true })?;
    let mut at = 3_600_000;
    let empty = resident_after(rest)?;
    for number in 0..RECORDS {
        books.all(0..active, at, Kind::Interaction { channel: (number % 6) as u8, mood: 3, intensity: 50 })?;
        at += 61_000;
    }
    let with_interactions = resident_after(rest)?;
    for _ in 0..RECORDS {
        books.all(0..active, at, Kind::Transaction { amount: -1_000, category: 0 })?;
        // In ten panes of ten seconds of ten minutes, and of a minute.
        at += 55_000;
    }
    let with_debits = resident_after(rest)?;
    at += HOURS_MS;
    books.session.advance(at);
    let none = resident_after(rest)?;
    books.all(active..active + customers, at, Kind::Transaction { amount: 1, category: 0 })?;
    let idle_percent = books.idle(idle);
    books.session.advance(at + HOURS_MS);
    let known = resident_after(rest)?;
    let each = |now: u64, before: u64, count: u64| now.saturating_sub(before) as f64 / count as f64;
    Ok(MemoryFindings {
        per_customer: each(known, none, customers),
        per_interaction: each(with_interactions, empty, active * RECORDS),
        per_debit: each(with_debits, with_interactions, active * RECORDS),
        idle_percent,
        customers,
    })
}

/// How many bytes are resident after a rest. Only when it is asked for something does an allocator
/// look at what it may give back.
fn resident_after(rest: Duration) -> Result<u64, Failed> {
    let started = Instant::now();
    while started.elapsed() < rest {
        (0..100).for_each(|_| drop(black_box(Vec::<u8>::with_capacity(1 << 16))));
        std::thread::sleep(TICK);
    }
    resident_bytes().ok_or_else(|| Failed("the system does not say what is resident".to_owned()))
}

struct Books {
    session: MeasuredSession<'static>,
    facts: Facts,
    batch: Vec<Update>,
}

impl Books {
    fn new(plan: &Arc<Plan>) -> Result<Books, Failed> {
        let batch = Vec::with_capacity(EPOCH);
        Ok(Books { session: MeasuredSession::here(plan, Engine::Fused), facts: Facts::new(plan)?, batch })
    }

    /// The same for all of these customers, from a time on, a thousand in each millisecond.
    fn all(&mut self, customers: std::ops::Range<u64>, from_ms: u64, kind: Kind) -> Result<(), Failed> {
        for (number, customer) in customers.enumerate() {
            let event = Event { time_ms: from_ms + number as u64 / EPOCH as u64, customer, kind };
            self.batch.push(self.facts.update(&event)?);
            if self.batch.len() == EPOCH {
                self.session.feed(&mut self.batch);
            }
        }
        self.session.feed(&mut self.batch);
        self.session.each_emission(|_| {});
        Ok(())
    }

    /// The share of a core that it takes while nothing is due, though the clock moves on.
    fn idle(&mut self, time: Duration) -> f64 {
        let (started, before) = (Instant::now(), of_process());
        let first = self.session.time();
        let mut ticks = 0;
        while started.elapsed() < time {
            ticks += 1;
            self.session.advance(first + ticks * TICK.as_millis() as u64);
            let next = TICK * ticks as u32;
            while let Some(rest) = next.checked_sub(started.elapsed()).filter(|rest| !rest.is_zero()) {
                self.session.park(Some(rest));
            }
        }
        let taken = of_process().saturating_sub(before);
        100.0 * taken.as_secs_f64() / started.elapsed().as_secs_f64()
    }
}
