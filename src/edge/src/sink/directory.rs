//! A sink that writes the files of a run into a folder.
//!
//! A file is written as `NAME.partial` and gets its name at the end of the run, so that whoever finds `NAME` finds it
//! whole. Earlier outputs are replaced then, and stay as they are when the run fails.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::source::DeadLetter;
use crate::trigger::{DEFAULT_CHANNEL, channel_name, triggers};
use propice_define::Plan;
use propice_flow::policy::Decision;
use propice_flow::{Transition, ViewPart};
use propice_model::LogicalTime;

use super::views::{ViewMode, Views};
use super::{Sink, json};

/// How much is gathered before it is written, in bytes.
const GATHERED_BYTES: usize = 1 << 16;

/// The folder of the triggers.
const TRIGGERS: &str = "triggers";

/// Writes `episodes.jsonl`, `decisions.jsonl`, `triggers/CHANNEL.jsonl`, `views.jsonl` and `dead_letters.jsonl`.
pub struct DirectorySink {
    plan: Arc<Plan>,
    episodes: Output,
    decisions: Output,
    /// By channel.
    triggers: BTreeMap<String, Output>,
    dead_letters: Output,
    views: Option<(Output, Views)>,
    mode: ViewMode,
}

/// One file.
struct Output {
    path: PathBuf,
    partial: PathBuf,
    writer: BufWriter<File>,
    text: String,
}

impl DirectorySink {
    /// Creates the folder, if it is not there, and the files.
    ///
    /// # Errors
    /// When that cannot be done; the message names the place.
    pub fn create(plan: &Arc<Plan>, folder: &Path, mode: ViewMode) -> io::Result<DirectorySink> {
        fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
        let views = match mode {
            ViewMode::None => None,
            _ => Some((Output::create(folder, "views.jsonl")?, Views::new(plan))),
        };
        Ok(DirectorySink {
            plan: Arc::clone(plan),
            episodes: Output::create(folder, "episodes.jsonl")?,
            decisions: Output::create(folder, "decisions.jsonl")?,
            triggers: create_channels(plan, &folder.join(TRIGGERS))?,
            dead_letters: Output::create(folder, "dead_letters.jsonl")?,
            views,
            mode,
        })
    }
}

impl Sink for DirectorySink {
    fn transitions(&mut self, transitions: &[Transition]) -> io::Result<()> {
        for transition in transitions {
            json::write_transition(&self.plan, transition, &mut self.episodes.text);
            self.episodes.write_when_full()?;
        }
        Ok(())
    }

    fn decisions(&mut self, decisions: &[Decision]) -> io::Result<()> {
        for decision in decisions {
            json::write_decision(&self.plan, decision, &mut self.decisions.text);
            self.decisions.write_when_full()?;
        }
        for (channel, _, trigger) in triggers(&self.plan, decisions) {
            // There is one for every channel of the plan.
            if let Some(output) = self.triggers.get_mut(channel_name(&self.plan, channel)) {
                json::write_trigger(&trigger, &mut output.text);
                output.write_when_full()?;
            }
        }
        Ok(())
    }

    fn views(&mut self, updates: &[(ViewPart, LogicalTime, isize)]) -> io::Result<()> {
        let Some((output, views)) = &mut self.views else { return Ok(()) };
        if self.mode == ViewMode::Final {
            views.apply(updates);
            return Ok(());
        }
        for of_one_time in updates.chunk_by(|a, b| a.1 == b.1) {
            views.apply_and_write(of_one_time, &mut output.text);
            output.write_when_full()?;
        }
        Ok(())
    }

    fn dead_letters(&mut self, letters: &[DeadLetter]) -> io::Result<()> {
        for letter in letters {
            json::write_dead_letter(letter, &mut self.dead_letters.text);
            self.dead_letters.write_when_full()?;
        }
        Ok(())
    }

    fn finish(&mut self, through: LogicalTime) -> io::Result<()> {
        if let Some((output, views)) = &mut self.views {
            if self.mode == ViewMode::Final {
                for customer in views.customers() {
                    views.write_customer(customer, through, &mut output.text);
                    output.write_when_full()?;
                }
            }
            output.finish()?;
        }
        self.episodes.finish()?;
        self.decisions.finish()?;
        self.triggers.values_mut().try_for_each(Output::finish)?;
        self.dead_letters.finish()
    }
}

impl Output {
    fn create(folder: &Path, name: &str) -> io::Result<Output> {
        let partial = folder.join(format!("{name}.partial"));
        let file = File::create(&partial).map_err(|error| named(&partial, &error))?;
        Ok(Output { path: folder.join(name), partial, writer: BufWriter::new(file), text: String::new() })
    }

    fn write_when_full(&mut self) -> io::Result<()> {
        if self.text.len() < GATHERED_BYTES { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> io::Result<()> {
        self.writer.write_all(self.text.as_bytes()).map_err(|error| named(&self.partial, &error))?;
        self.text.clear();
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write()?;
        self.writer.flush().map_err(|error| named(&self.partial, &error))?;
        fs::rename(&self.partial, &self.path).map_err(|error| named(&self.path, &error))
    }
}

/// A file per channel, also when nothing goes there: what an earlier run left is replaced.
fn create_channels(plan: &Plan, folder: &Path) -> io::Result<BTreeMap<String, Output>> {
    fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
    let without = plan.moments.iter().any(|moment| moment.channels.is_empty());
    let names = plan.channels.iter().map(|channel| channel.name.as_str()).chain(without.then_some(DEFAULT_CHANNEL));
    names.map(|name| Ok((name.to_owned(), Output::create(folder, &format!("{name}.jsonl"))?))).collect()
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
