//! How long an event waits for its result.
//!
//! **Quiet**: one event at a time into a warm dataflow, from handing it over to its being decided.
//!
//! **Open loop**: events arrive by a schedule that does not wait for answers, so that an event that
//! was held up by others is charged with the whole time since it was to arrive (no coordinated
//! omission). What has arrived is fed together, as a run does. In between the thread spins: the
//! engine is measured, not how soon the system wakes a thread. Event time runs as the workload
//! says, far faster than the wall, so panes end far more often than they would.

use std::sync::Arc;
use std::time::{Duration, Instant};

use propice_define::Plan;
use propice_flow::Engine;
use propice_model::limits::BATCH_RECORDS;

use super::facts::{Facts, Update, whole_milliseconds};
use super::figures::{Figure, Latency, Results};
use super::session::MeasuredSession;
use super::throughput::EPOCH;
use super::workload::{Event, Workload};
use super::{Failed, Scale, canonical};

/// The loads of the open loop, in percent of the maximum.
pub(super) const LOADS: [u64; 3] = [10, 50, 80];

/// Event time behind which the longest window has ended once: what ends is a good part of the work.
const WARM_MS: u64 = 61 * 60_000;

/// A warm session, with the events that come next.
struct Warm<E: Iterator<Item = Event>> {
    session: MeasuredSession<'static>,
    facts: Facts,
    events: E,
}

fn warm(plan: &Arc<Plan>) -> Result<Warm<impl Iterator<Item = Event>>, Failed> {
    let (mut session, mut facts) = (MeasuredSession::here(plan, Engine::Fused), Facts::new(plan)?);
    // As many as anybody may take.
    let mut all = Workload { events: u64::MAX / 2_000, ..canonical(0) }.events();
    loop {
        let chunk: Vec<Event> = all.by_ref().take(50_000).collect();
        facts.batches(whole_milliseconds(&chunk, EPOCH))?.iter_mut().for_each(|batch| session.feed(batch));
        session.take_emissions();
        if chunk.last().is_none_or(|event| event.time_ms > WARM_MS) {
            return Ok(Warm { session, facts, events: all });
        }
    }
}

impl<E: Iterator<Item = Event>> Warm<E> {
    /// The next events, each as an update.
    fn next(&mut self, count: usize) -> Result<Vec<Update>, Failed> {
        self.events.by_ref().take(count).map(|event| self.facts.update(&event)).collect()
    }
}

/// One event at a time.
pub(super) fn quiet(scale: &Scale, plan: &Arc<Plan>, results: &mut Results) -> Result<(), Failed> {
    let mut warm = warm(plan)?;
    let mut all = Latency::new("quiet", "one event at a time, every event until it is decided");
    let mut emitting = Latency::new("quiet_emissions", "one event at a time, those that lead to an emission");
    for _ in 0..scale.single_events / 10_000 {
        let updates = warm.next(10_000)?;
        let mut singles: Vec<Vec<Update>> = updates.into_iter().map(|update| vec![update]).collect();
        for single in &mut singles {
            let started = Instant::now();
            warm.session.feed(single);
            let took = started.elapsed();
            all.record(took);
            if warm.session.emitted() > 0 {
                emitting.record(took);
                warm.session.each_emission(|_| {});
            }
        }
    }
    results.latencies.extend([all, emitting]);
    Ok(())
}

/// By a schedule.
pub(super) fn open_loop(scale: &Scale, plan: &Arc<Plan>, results: &mut Results) -> Result<(), Failed> {
    let mut warm = warm(plan)?;
    let maximum = maximum(&mut warm, scale)?;
    results.figures.push(Figure::of("open loop", "maximum", "events per second", vec![maximum]));
    for load in LOADS {
        let rate = maximum * load as f64 / 100.0;
        let updates = warm.next((rate * scale.open_loop.as_secs_f64()) as usize)?;
        let what = format!("{load}% of maximum, {} events per second", rate as u64);
        let mut all = Latency::new(&format!("open_loop_{load}"), &format!("{what}, every event until it is decided"));
        let mut emitting = Latency::new(&format!("open_loop_{load}_emissions"), &format!("{what}, emissions"));
        on_schedule(&mut warm.session, updates, rate, &mut all, &mut emitting);
        let p99 = Figure::of("open loop", "p99", "us", vec![all.at_us(0.99)]).at(load);
        let emissions = Figure::of("open loop", "emissions p99", "us", vec![emitting.at_us(0.99)]).at(load);
        results.figures.extend([p99, emissions]);
        results.latencies.extend([emitting, all]);
    }
    Ok(())
}

/// Events per second when there are always some waiting.
fn maximum<E: Iterator<Item = Event>>(warm: &mut Warm<E>, scale: &Scale) -> Result<f64, Failed> {
    let mut updates = warm.next(scale.events as usize / 5)?.into_iter();
    let mut batches = Vec::new();
    loop {
        let batch: Vec<Update> = updates.by_ref().take(BATCH_RECORDS).collect();
        if batch.is_empty() {
            break;
        }
        batches.push(batch);
    }
    let started = Instant::now();
    batches.iter_mut().for_each(|batch| warm.session.feed(batch));
    warm.session.each_emission(|_| {});
    Ok((scale.events / 5) as f64 / started.elapsed().as_secs_f64())
}

fn on_schedule(
    session: &mut MeasuredSession<'_>,
    updates: Vec<Update>,
    rate: f64,
    all: &mut Latency,
    emitting: &mut Latency,
) {
    let count = updates.len();
    let arrival = |number: usize| Duration::from_secs_f64(number as f64 / rate);
    let mut updates = updates.into_iter();
    let mut fed = 0;
    // The event time and number of each event of a batch, to find the event of an emission.
    let mut times: Vec<u64> = Vec::with_capacity(BATCH_RECORDS);
    let mut batch: Vec<Update> = Vec::with_capacity(BATCH_RECORDS);
    let started = Instant::now();
    while fed < count {
        let arrived = ((started.elapsed().as_secs_f64() * rate) as usize + 1).min(count);
        if arrived == fed {
            std::hint::spin_loop();
            continue;
        }
        batch.extend(updates.by_ref().take((arrived - fed).min(BATCH_RECORDS)));
        times.clear();
        times.extend(batch.iter().map(|(_, time, _)| *time));
        session.feed(&mut batch);
        let done = started.elapsed();
        (fed..fed + times.len()).for_each(|number| all.record(done.saturating_sub(arrival(number))));
        session.each_emission(|emission| {
            // Of a moment that a deadline made, if there were any, nobody waits for.
            if let Ok(at) = times.binary_search(&emission.time_ms) {
                emitting.record(done.saturating_sub(arrival(fed + at)));
            }
        });
        fed += times.len();
    }
}
