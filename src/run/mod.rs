//! Assembles a run: a source thread, workers with the dataflow, one sink.

use std::sync::Arc;

use crate::define::Plan;
use crate::edge::sink::Sink;
use crate::edge::source::Source;
use crate::flow::Engine;
use crate::model::LogicalTime;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which dataflow.
    pub engine: Engine,
    /// How many worker threads.
    pub workers: usize,
    /// Whether the sink is given views.
    pub views: bool,
    /// The clock is moved on to this time after the last record; records after it are not read.
    pub until: Option<LogicalTime>,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Records that took effect.
    pub records: u64,
    /// Of these, records that came behind the clock.
    pub late: u64,
    /// Records that went to the dead letters.
    pub dead_letters: u64,
    /// The logical time at which the run ended.
    pub through: LogicalTime,
    /// Episodes opened, by moment (position in the plan).
    pub opened: Vec<u64>,
    /// Episodes closed, by moment.
    pub closed: Vec<u64>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// Runs a plan over a source to its end.
///
/// # Errors
/// When the source or the sink fails.
pub fn execute(
    _plan: &Arc<Plan>,
    _source: Box<dyn Source>,
    _sink: Box<dyn Sink>,
    _options: &Options,
) -> std::io::Result<Summary> {
    todo!()
}

/// What a run over lines gives, each part as the text of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// `episodes.jsonl`
    pub episodes: String,
    /// `views.jsonl` with a line per change.
    pub view_changes: String,
    /// `dead_letters.jsonl`
    pub dead_letters: String,
}

/// Runs a plan over mixed records in memory: each line is JSON with the name of its input in `stream`. For tests and `propice test`.
///
/// # Errors
/// When a worker fails.
pub fn over_lines(_plan: &Arc<Plan>, _lines: &[String], _options: &Options) -> std::io::Result<(Texts, Summary)> {
    todo!()
}
