//! Records of several inputs in one sequence of JSON lines: for the cases of a pack, and for tests.
//!
//! Each line names its input in `stream`; the order of the lines is the order of arrival, whatever
//! their event times.

use std::io::{self, BufRead};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use propice_define::Plan;
use propice_flow::decode::facts::Extractor;
use propice_flow::decode::json::{JsonDecoder, not_json};
use propice_flow::decode::{Decoder, RecordError};
use propice_model::limits::BATCH_RECORDS;
use propice_model::{Fact, InputId, Origin};

use super::lines::too_long;
use super::lines::{LineRead, Lines};
use super::open::open_path;
use super::{Batch, DeadLetter, Source, SourceError};

/// Mixed records, in memory or from a file.
pub struct LinesSource {
    lines: Lines<Box<dyn BufRead + Send>>,
    line: Vec<u8>,
    file: String,
    plan: Arc<Plan>,
    decoders: Vec<(JsonDecoder, Extractor)>,
    ended: bool,
}

/// The only thing that is looked at before the input is known.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    stream: Option<std::borrow::Cow<'a, str>>,
}

impl LinesSource {
    /// Lines in memory; `file` is what dead letters call them.
    pub fn new(plan: &Arc<Plan>, file: &str, lines: &[String]) -> LinesSource {
        let mut text = lines.join("\n");
        text.push('\n');
        LinesSource::over(plan, file, Box::new(io::Cursor::new(text)))
    }

    /// The lines of a file, plain or packed.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(plan: &Arc<Plan>, path: &Path) -> Result<LinesSource, SourceError> {
        let bytes = open_path(path).map_err(|error| SourceError::unreadable(path, error))?;
        Ok(LinesSource::over(plan, &path.display().to_string(), bytes))
    }

    fn over(plan: &Arc<Plan>, file: &str, bytes: Box<dyn BufRead + Send>) -> LinesSource {
        let inputs = (0..plan.inputs.len() as u16).map(InputId);
        let decoders =
            inputs.map(|input| (JsonDecoder::new(plan, input), Extractor::new(Arc::clone(plan), input))).collect();
        LinesSource {
            lines: Lines::new(bytes),
            line: Vec::new(),
            file: file.to_owned(),
            plan: Arc::clone(plan),
            decoders,
            ended: false,
        }
    }

    /// The current line as a fact; or why it is none, with its input as far as that is known.
    fn fact(&mut self) -> Result<Fact, (Option<usize>, RecordError)> {
        let envelope: Envelope<'_> = serde_json::from_slice(&self.line).map_err(|error| (None, not_json(&error)))?;
        let unknown = |message| (None, RecordError { reason: "unknown_input", message });
        let Some(name) = envelope.stream else {
            return Err(unknown("it does not say in `stream` which input it belongs to".to_owned()));
        };
        let Some(at) = self.plan.inputs.iter().position(|input| input.name == name) else {
            return Err(unknown(format!("the pack has no stream or table `{name}`")));
        };
        let (decoder, extractor) = &mut self.decoders[at];
        let origin = Origin { file: 0, line: self.lines.number() };
        let row = decoder.decode(&self.line);
        row.and_then(|record| extractor.fact_of(&record, origin)).map_err(|error| (Some(at), error))
    }

    fn dead(&self, input: Option<usize>, error: RecordError) -> DeadLetter {
        let input = input.map(|at| self.plan.inputs[at].name.as_str());
        DeadLetter::new(input, &self.file, self.lines.number(), error, &self.line)
    }
}

impl Source for LinesSource {
    fn fill(&mut self, batch: &mut Batch) -> io::Result<bool> {
        while !self.ended && batch.facts.len() + batch.dead.len() < BATCH_RECORDS {
            match self.lines.next(&mut self.line) {
                Ok(LineRead::End) => self.ended = true,
                Ok(LineRead::Whole) if self.line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(LineRead::Whole) => match self.fact() {
                    Ok(fact) => batch.facts.push(fact),
                    Err((input, error)) => batch.dead.push(self.dead(input, error)),
                },
                Ok(LineRead::TooLong) => batch.dead.push(self.dead(None, too_long())),
                Err(error) => {
                    self.ended = true;
                    let message = format!("the rest of the file cannot be read: {error}");
                    batch.dead.push(self.dead(None, RecordError { reason: "unreadable", message }));
                }
            }
        }
        Ok(!batch.is_empty())
    }

    fn total_bytes(&self) -> Option<u64> {
        None
    }
}
