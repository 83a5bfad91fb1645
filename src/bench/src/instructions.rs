//! Instructions of a fixed run, counted by valgrind: the same on a noisy machine as on a quiet one.
//!
//! Two runs of different length are counted in processes of their own; the difference is what the
//! events between cost, without start-up.

use std::process::Command;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::facts::{Facts, whole_milliseconds};
use super::figures::Figure;
use super::limit::Limit;
use super::session::MeasuredSession;
use super::throughput::EPOCH;
use super::workload::{Event, Workload};
use super::{Failed, pack};
use propice_flow::Engine;

/// Events of the shorter run.
const SHORT: u64 = 20_000;
/// Events of the longer run.
const LONG: u64 = 60_000;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasuredEngine {
    /// The fused engine.
    Fused,
    /// The hand-written limit.
    Limit,
    /// Neither: events are made into facts, as for the engine.
    Facts,
    /// Neither: events are made.
    Events,
}

impl MeasuredEngine {
    /// All of them with their names.
    pub const ALL: [(&'static str, MeasuredEngine); 4] = [
        ("fused", MeasuredEngine::Fused),
        ("limit", MeasuredEngine::Limit),
        ("facts", MeasuredEngine::Facts),
        ("events", MeasuredEngine::Events),
    ];

    /// The subject of that name.
    pub fn named(name: &str) -> Option<MeasuredEngine> {
        MeasuredEngine::ALL.iter().find(|(known, _)| *known == name).map(|(_, subject)| *subject)
    }
}

/// The fixed run: so many events of two thousand customers.
///
/// # Errors
/// When the pack has mistakes.
pub fn fixed_run(subject: MeasuredEngine, events: u64) -> Result<usize, Failed> {
    let workload = Workload { seed: 9, customers: 2_000, events, rate: 10 };
    let events: Vec<Event> = workload.events().collect();
    if subject == MeasuredEngine::Events {
        return Ok(events.len());
    }
    if subject == MeasuredEngine::Limit {
        let (mut limit, mut emissions) = (Limit::default(), Vec::new());
        whole_milliseconds(&events, EPOCH).for_each(|batch| limit.feed(batch, &mut emissions));
        return Ok(emissions.len());
    }
    let plan = pack::plan()?;
    let mut batches = Facts::new(&plan)?.batches(whole_milliseconds(&events, EPOCH))?;
    if subject == MeasuredEngine::Facts {
        return Ok(batches.len());
    }
    let mut session = MeasuredSession::here(&Arc::clone(&plan), Engine::Fused);
    batches.iter_mut().for_each(|batch| session.feed(batch));
    Ok(session.take_emissions().len())
}

/// Instructions per event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstructionCounts {
    /// Of the fused engine.
    pub fused: f64,
    /// Of the hand-written limit.
    pub limit: f64,
}

impl InstructionCounts {
    /// Reads what [`InstructionCounts::text`] wrote.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(text: &str) -> Result<InstructionCounts, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// As a file.
    pub fn text(&self) -> String {
        format!("{{\"fused\":{:.1},\"limit\":{:.1}}}\n", self.fused, self.limit)
    }

    /// How much more or less these are than others, a line each.
    pub fn against(&self, known: &InstructionCounts) -> String {
        let line = |name, now: f64, before: f64| {
            let change = 100.0 * (now - before) / before;
            format!("{name}: {now:.0} instructions per event, {before:.0} before ({change:+.1}%)\n")
        };
        line("fused", self.fused, known.fused) + &line("limit", self.limit, known.limit)
    }

    /// By how much of a hundred the engine takes more than in others; negative when it takes less.
    pub fn growth_percent(&self, known: &InstructionCounts) -> f64 {
        100.0 * (self.fused - known.fused) / known.fused
    }

    /// As figures.
    pub fn figures(&self) -> Vec<Figure> {
        let figure = |name, unit, value| Figure::of("instructions", name, unit, vec![value]);
        vec![
            figure("fused", "instructions per event", self.fused),
            figure("limit", "instructions per event", self.limit),
            figure("fused / limit", "times", self.fused / self.limit),
        ]
    }
}

/// Instructions per event of the engine and of the limit.
///
/// # Errors
/// When valgrind is not there or fails.
pub fn count() -> Result<InstructionCounts, Failed> {
    let per_event = |subject| -> Result<f64, Failed> {
        let (short, long) = (counted(subject, SHORT)?, counted(subject, LONG)?);
        Ok(long.saturating_sub(short) as f64 / (LONG - SHORT) as f64)
    };
    // What a run needs beforehand is taken off.
    Ok(InstructionCounts {
        fused: per_event("fused")? - per_event("facts")?,
        limit: per_event("limit")? - per_event("events")?,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_read_and_compared() {
        let before = InstructionCounts { fused: 5_000.0, limit: 400.0 };
        assert_eq!(InstructionCounts::read(&before.text()), Ok(before));
        let now = InstructionCounts { fused: 5_100.0, ..before };
        assert!(now.against(&before).starts_with("fused: 5100 instructions per event, 5000 before (+2.0%)\n"));
        assert!((now.growth_percent(&before) - 2.0).abs() < 1e-9);
        assert!(InstructionCounts::read(r#"{"fused":1}"#).is_err());
    }
}
