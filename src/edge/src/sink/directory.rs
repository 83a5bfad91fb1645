//! A sink that writes the files of a run into a folder.
//!
//! The files are written beside it, and the folder is published at the end of the run, at once
//! ([`OutputFolder`]). An earlier output is replaced as a whole then, and stays as it is when the
//! run fails.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::output::{OutputError, OutputFolder, OutputKind};
use crate::source::DeadLetter;
use crate::trigger::{DEFAULT_CHANNEL, channel_name};
use propice_define::Plan;
use propice_flow::ViewPart;
use propice_model::LogicalTime;

use super::views::{ViewMode, Views};
use super::{OutgoingDecision, OutgoingTransition, Sink, json};

/// How much is gathered before it is written, in bytes.
const GATHERED_BYTES: usize = 1 << 16;

/// The folder of the triggers.
const TRIGGERS: &str = "triggers";

/// Writes `episodes.jsonl`, `decisions.jsonl`, `triggers/CHANNEL.jsonl`, `views.jsonl` and
/// `dead_letters.jsonl`.
pub struct DirectorySink {
    plan: Arc<Plan>,
    episodes: Output,
    decisions: Output,
    /// By channel.
    triggers: BTreeMap<String, Output>,
    dead_letters: Output,
    views: Option<(Output, Views)>,
    mode: ViewMode,
    /// From then on changes of views are written; `None` once they are.
    views_from: Option<LogicalTime>,
    /// `None` once it is published. Behind the files: they are closed before it goes.
    folder: Option<OutputFolder>,
}

/// One file.
struct Output {
    path: PathBuf,
    writer: BufWriter<File>,
    text: String,
}

impl DirectorySink {
    /// Takes a folder, which is made where it is not there, and creates the files.
    ///
    /// # Errors
    /// When that cannot be done; the message names the place.
    pub fn create(plan: &Arc<Plan>, folder: &Path, mode: ViewMode) -> io::Result<DirectorySink> {
        Ok(DirectorySink::into_folder(plan, OutputFolder::open(folder, OutputKind::Run, &[], false)?, mode)?)
    }

    /// Creates the files of a folder that was taken.
    ///
    /// # Errors
    /// When one would take the place of somebody else's, or that cannot be done.
    pub fn into_folder(plan: &Arc<Plan>, folder: OutputFolder, mode: ViewMode) -> Result<DirectorySink, OutputError> {
        let path = folder.path();
        let create = |name: &str| Output::create(&path, name);
        let views = match mode {
            ViewMode::None => None,
            _ => Some((create("views.jsonl")?, Views::new(plan))),
        };
        let sink = DirectorySink {
            plan: Arc::clone(plan),
            episodes: create("episodes.jsonl")?,
            decisions: create("decisions.jsonl")?,
            triggers: create_channels(plan, &path.join(TRIGGERS))?,
            dead_letters: create("dead_letters.jsonl")?,
            views,
            mode,
            views_from: Some(plan.policy.publish_from).filter(|from| *from > 0),
            folder: None,
        };
        folder.claim()?;
        Ok(DirectorySink { folder: Some(folder), ..sink })
    }

    /// Writes the views as they stand when publishing begins, once that time is over.
    fn begin_views(&mut self, reached: LogicalTime) -> io::Result<()> {
        let Some((output, views)) = &mut self.views else { return Ok(()) };
        if let Some(from) = self.views_from.take_if(|from| *from < reached) {
            for customer in views.customers() {
                views.write_customer(customer, from, &mut output.text);
                output.write_when_full()?;
            }
        }
        Ok(())
    }
}

impl Sink for DirectorySink {
    fn transitions(&mut self, transitions: &[OutgoingTransition<'_>]) -> io::Result<()> {
        for transition in transitions {
            json::write_transition(&self.plan, transition, &mut self.episodes.text);
            self.episodes.write_when_full()?;
        }
        Ok(())
    }

    fn decisions(&mut self, decisions: &[OutgoingDecision<'_>]) -> io::Result<()> {
        for decision in decisions {
            json::write_decision(&self.plan, decision, &mut self.decisions.text);
            self.decisions.write_when_full()?;
        }
        for decision in decisions {
            let Some(trigger) = decision.trigger() else { continue };
            // There is one for every channel of the plan.
            if let Some(output) = self.triggers.get_mut(channel_name(&self.plan, decision.channel())) {
                json::write_trigger(trigger, &mut output.text);
                output.write_when_full()?;
            }
        }
        Ok(())
    }

    fn views(&mut self, updates: &[(ViewPart, LogicalTime, isize)]) -> io::Result<()> {
        for of_one_time in updates.chunk_by(|a, b| a.1 == b.1) {
            if self.mode == ViewMode::Changes {
                self.begin_views(of_one_time[0].1)?;
            }
            let Some((output, views)) = &mut self.views else { return Ok(()) };
            if self.mode == ViewMode::Final || self.views_from.is_some() {
                views.apply(of_one_time);
            } else {
                views.apply_and_write(of_one_time, &mut output.text);
                output.write_when_full()?;
            }
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
        if self.mode == ViewMode::Changes {
            self.begin_views(through.saturating_add(1))?;
        }
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
        self.dead_letters.finish()?;
        Ok(self.folder.take().map_or(Ok(()), OutputFolder::publish)?)
    }
}

impl Output {
    fn create(folder: &Path, name: &str) -> Result<Output, OutputError> {
        let path = folder.join(name);
        let file = File::create(&path).map_err(|error| OutputError::failed(&path, error))?;
        Ok(Output { path, writer: BufWriter::new(file), text: String::new() })
    }

    fn write_when_full(&mut self) -> io::Result<()> {
        if self.text.len() < GATHERED_BYTES { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> io::Result<()> {
        self.writer.write_all(self.text.as_bytes()).map_err(|error| named(&self.path, &error))?;
        self.text.clear();
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write()?;
        // It has to be on disk before it takes the place of another.
        let written = self.writer.flush().and_then(|()| self.writer.get_ref().sync_data());
        written.map_err(|error| named(&self.path, &error))
    }
}

/// A file per channel, also when nothing goes there: whoever follows it finds it.
fn create_channels(plan: &Plan, folder: &Path) -> Result<BTreeMap<String, Output>, OutputError> {
    fs::create_dir_all(folder).map_err(|error| OutputError::failed(folder, error))?;
    let without = plan.moments.iter().any(|moment| moment.channels.is_empty());
    let names = plan.channels.iter().map(|channel| channel.name.as_str()).chain(without.then_some(DEFAULT_CHANNEL));
    names.map(|name| Ok((name.to_owned(), Output::create(folder, &format!("{name}.jsonl"))?))).collect()
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
