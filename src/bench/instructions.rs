//! Instructions of a fixed run, counted by valgrind: the same on a noisy machine as on a quiet one.
//!
//! Two runs of different length are counted in processes of their own; the difference is what the events between cost, without start-up.

use std::process::Command;
use std::sync::Arc;

use super::facts::{Facts, whole_milliseconds};
use super::figures::Figure;
use super::limit::Limit;
use super::session::Session;
use super::throughput::EPOCH;
use super::workload::{Event, Workload};
use super::{Failed, pack};
use crate::flow::Engine;

/// Events of the shorter run.
const SHORT: u64 = 20_000;
/// Events of the longer run.
const LONG: u64 = 60_000;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The fused engine.
    Fused,
    /// The hand-written limit.
    Limit,
    /// Neither: events are made into facts, as for the engine.
    Facts,
    /// Neither: events are made.
    Events,
}

impl Subject {
    /// All of them with their names.
    pub const ALL: [(&'static str, Subject); 4] =
        [("fused", Subject::Fused), ("limit", Subject::Limit), ("facts", Subject::Facts), ("events", Subject::Events)];

    /// The subject of that name.
    pub fn named(name: &str) -> Option<Subject> {
        Subject::ALL.iter().find(|(known, _)| *known == name).map(|(_, subject)| *subject)
    }
}

/// The fixed run: so many events of two thousand customers.
///
/// # Errors
/// When the pack has mistakes.
pub fn fixed_run(subject: Subject, events: u64) -> Result<usize, Failed> {
    let workload = Workload { seed: 9, customers: 2_000, events, rate: 10 };
    let events: Vec<Event> = workload.events().collect();
    if subject == Subject::Events {
        return Ok(events.len());
    }
    if subject == Subject::Limit {
        let (mut limit, mut emissions) = (Limit::default(), Vec::new());
        whole_milliseconds(&events, EPOCH).for_each(|batch| limit.feed(batch, &mut emissions));
        return Ok(emissions.len());
    }
    let plan = pack::plan()?;
    let mut batches = Facts::new(&plan)?.batches(whole_milliseconds(&events, EPOCH))?;
    if subject == Subject::Facts {
        return Ok(batches.len());
    }
    let mut session = Session::here(&Arc::clone(&plan), Engine::Fused);
    batches.iter_mut().for_each(|batch| session.feed(batch));
    Ok(session.take_emissions().len())
}

/// Instructions per event of the engine and of the limit, and their ratio.
///
/// # Errors
/// When valgrind is not there or fails.
pub fn count() -> Result<Vec<Figure>, Failed> {
    let per_event = |subject| -> Result<f64, Failed> {
        let (short, long) = (counted(subject, SHORT)?, counted(subject, LONG)?);
        Ok(long.saturating_sub(short) as f64 / (LONG - SHORT) as f64)
    };
    // What a run needs beforehand is taken off.
    let fused = per_event("fused")? - per_event("facts")?;
    let limit = per_event("limit")? - per_event("events")?;
    let figure = |name, unit, value| Figure::of("instructions", name, unit, vec![value]);
    Ok(vec![
        figure("fused", "instructions per event", fused),
        figure("limit", "instructions per event", limit),
        figure("fused / limit", "times", fused / limit),
    ])
}

/// The instructions of a fixed run in a process of its own.
fn counted(subject: &str, events: u64) -> Result<u64, Failed> {
    let failed = |error: String| Failed(format!("cannot count instructions with valgrind: {error}"));
    let this = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["bench", "--fixed-run", subject, "--events", &events.to_string()])
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(failed(text.trim().to_owned()));
    }
    let line = text.lines().find_map(|line| line.split_once("Collected : "));
    line.and_then(|(_, count)| count.trim().parse().ok()).ok_or_else(|| failed("it does not say how many".to_owned()))
}
