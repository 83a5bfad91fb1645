//! A run over mixed records in memory, for tests.

use std::io;
use std::sync::Arc;

use propice_define::Plan;
use propice_edge::sink::{MemorySink, ViewMode};
use propice_edge::source::LinesSource;

use super::{Options, Summary, execute};

/// What dead letters call lines in memory.
const NAME: &str = "lines";

/// What a run over lines gives, each part as the text of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineTexts {
    /// `episodes.jsonl`
    pub episodes: String,
    /// `decisions.jsonl`
    pub decisions: String,
    /// `views.jsonl` with a line per change.
    pub view_changes: String,
    /// `dead_letters.jsonl`
    pub dead_letters: String,
}

/// Runs a plan over mixed records in memory: each line is JSON with the name of its input in
/// `stream`, and the order of the lines is the order of arrival.
///
/// # Errors
/// When a worker fails.
pub fn over_lines(plan: &Arc<Plan>, lines: &[String], options: &Options) -> io::Result<(LineTexts, Summary)> {
    let source = LinesSource::new(plan, NAME, lines);
    let sink = MemorySink::new(plan, ViewMode::Changes);
    let summary = execute(plan, Box::new(source), Box::new(sink.clone()), options)?;
    let texts = sink.texts();
    let texts = LineTexts {
        episodes: texts.episodes,
        decisions: texts.decisions,
        view_changes: texts.views,
        dead_letters: texts.dead_letters,
    };
    Ok((texts, summary))
}
