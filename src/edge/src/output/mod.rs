//! The folder that a command writes: made beside, published at once, and never at the cost of what
//! somebody else wrote.
//!
//! ```text
//! PARENT/OUT               what is published, with a mark: `.propice.json` lists the files that are ours
//! PARENT/.OUT.propice/     while a command writes
//!   holder.json            which process writes
//!   next/                  what it has written so far
//! ```
//!
//! * The folder itself is locked while a command writes. The system takes the lock back when the
//!   process ends, however it ends: nothing that a killed process leaves blocks the next one, which
//!   wipes it.
//! * At the end `next` and `OUT` change places in one step. A reader, or a crash, finds the old
//!   output or the new one.
//! * Where folders cannot change places (a mount point, a parent that may not be written, the
//!   current folder, files of somebody else in it), the files are moved one by one, and a move that
//!   was cut off is finished by the next command.
//!
//! Checked by `tests/integrated/first_hour_output.rs`.

mod file;
mod lock;
mod mark;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

pub use file::replace_file;
pub use mark::{MARK, OutputKind, language_of};

use lock::{HeldLock, LockState};
use mark::{Mark, Survey};

/// What is written so far, in the folder of work.
const NEXT: &str = "next";
/// It is there while files are moved one by one.
const MOVING: &str = "moving";
/// The folder of work, where there is no place beside.
const INSIDE: &str = ".propice";

/// Why a folder is not written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Somebody else's files would be lost.
    #[error("{0}")]
    Refused(String),
    /// Another process writes it.
    #[error("{0}")]
    Busy(String),
    /// It cannot be written.
    #[error("{place}: {error}")]
    Failed {
        /// The file or folder.
        place: String,
        /// Why.
        error: io::Error,
    },
}

impl OutputError {
    pub(crate) fn failed(place: &Path, error: io::Error) -> OutputError {
        OutputError::Failed { place: place.display().to_string(), error }
    }
}

impl From<OutputError> for io::Error {
    fn from(error: OutputError) -> io::Error {
        match error {
            OutputError::Failed { place, error } => io::Error::new(error.kind(), format!("{place}: {error}")),
            refused => io::Error::other(refused),
        }
    }
}

/// A folder that is being written. What was not published is gone when it is dropped.
#[derive(Debug)]
pub struct OutputFolder {
    /// As it was named, for people.
    shown: PathBuf,
    /// Where it is, without links.
    target: PathBuf,
    work: PathBuf,
    kind: OutputKind,
    language: Option<String>,
    force: bool,
    /// The folder is new: it goes again when nothing comes of it.
    made: bool,
    /// Of the folder that is there, and of the one that takes its place.
    _held: HeldLock,
    _next: File,
}

impl OutputFolder {
    /// Takes a folder to write, which is made where it is not there. `inputs` are files that are
    /// read meanwhile. With `force` also files are replaced that were changed after they were
    /// written here.
    ///
    /// # Errors
    /// When something in it is not ours to replace, another process writes it, or it cannot be
    /// written.
    pub fn open(folder: &Path, kind: OutputKind, inputs: &[PathBuf], force: bool) -> Result<OutputFolder, OutputError> {
        let failed = |error| OutputError::failed(folder, error);
        let made = !folder.exists();
        fs::create_dir_all(folder).map_err(failed)?;
        let target = folder.canonicalize().map_err(failed)?;
        let given_up = |error| {
            if made {
                // Only an empty folder goes.
                let _ = fs::remove_dir(&target);
            }
            error
        };
        OutputFolder::take(folder, target.clone(), (kind, force, made), inputs).map_err(given_up)
    }

    fn take(
        shown: &Path,
        target: PathBuf,
        (kind, force, made): (OutputKind, bool, bool),
        inputs: &[PathBuf],
    ) -> Result<OutputFolder, OutputError> {
        refuse_inputs(shown, &target, inputs)?;
        let works = [beside(&target), Some(target.join(INSIDE))];
        let held = match lock::take(&target).map_err(|error| OutputError::failed(shown, error))? {
            LockState::Ours(held) => held,
            LockState::Busy => {
                let holder = works.iter().flatten().find_map(|work| lock::holder(work));
                let holder = holder.unwrap_or_else(|| "another process".to_owned());
                let text =
                    format!("{}: {holder} is writing it; wait for its end, or name another folder", shown.display());
                return Err(OutputError::Busy(text));
            }
        };
        for work in works.iter().flatten() {
            clean(work, &target).map_err(|error| OutputError::failed(work, error))?;
        }
        Survey::of(&target).and_then(|survey| survey.refuse(shown, kind, force))?;
        let work = make_work(&target).map_err(|(place, error)| OutputError::failed(&place, error))?;
        let next = File::open(work.join(NEXT)).map_err(|error| OutputError::failed(&work, error))?;
        // Nobody else knows of it: this waits for nobody. Where folders cannot be locked, the first
        // lock says so.
        let _ = next.try_lock();
        let shown = shown.to_owned();
        Ok(OutputFolder { shown, target, work, kind, language: None, force, made, _held: held, _next: next })
    }

    /// The same, with the language of whoever reads it in its mark: a locale, where it is known.
    #[must_use]
    pub fn in_language(mut self, language: Option<String>) -> OutputFolder {
        self.language = language;
        self
    }

    /// Where to write what is to be published.
    pub fn path(&self) -> PathBuf {
        self.work.join(NEXT)
    }

    /// Refuses when a file that was made so far would take the place of one that is not ours.
    ///
    /// # Errors
    /// As it says.
    pub fn claim(&self) -> Result<(), OutputError> {
        let ours = mark::files_of(&self.path()).map_err(|error| OutputError::failed(&self.work, error))?;
        let names: BTreeSet<&str> = ours.keys().map(String::as_str).collect();
        let survey = Survey::of(&self.target)?;
        survey.refuse(&self.shown, self.kind, self.force)?;
        survey.refuse_names(&self.shown, &names)
    }

    /// Publishes what was written, in place of all that was there before.
    ///
    /// # Errors
    /// When that cannot be done: then what was there before stays.
    pub fn publish(self) -> Result<(), OutputError> {
        self.claim()?;
        let next = self.path();
        let failed = |error| OutputError::failed(&self.shown, error);
        let mut mark = Mark::over(&next, self.kind).map_err(failed)?;
        mark.language.clone_from(&self.language);
        mark.write(&next).map_err(failed)?;
        let survey = Survey::of(&self.target)?;
        if self.changes_places() && survey.foreign.is_empty() && exchange(&next, &self.target).is_ok() {
            return clean(&self.work, &self.target).map_err(failed);
        }
        File::create(self.work.join(MOVING)).map_err(failed)?;
        move_files(&next, &self.target).map_err(failed)?;
        clean(&self.work, &self.target).map_err(failed)
    }

    /// Whether the folder may be another one afterwards: not under the feet of whoever stands in
    /// it.
    fn changes_places(&self) -> bool {
        let stands_in =
            std::env::current_dir().and_then(fs::canonicalize).is_ok_and(|here| here.starts_with(&self.target));
        !stands_in && !self.work.starts_with(&self.target)
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        // What cannot be taken away now, the next command wipes.
        let _ = clean(&self.work, &self.target);
        if self.made {
            let _ = fs::remove_dir(&self.target);
        }
    }
}

/// Refuses a folder in which files lie that are being read.
fn refuse_inputs(shown: &Path, target: &Path, inputs: &[PathBuf]) -> Result<(), OutputError> {
    let lies_in = |input: &&PathBuf| {
        let itself = input.canonicalize().is_ok_and(|input| input.starts_with(target));
        let parent = input.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
        // A link that lies in it would be replaced, wherever it leads.
        itself || parent.and_then(|parent| parent.canonicalize().ok()).is_some_and(|parent| parent.starts_with(target))
    };
    let Some(input) = inputs.iter().find(lies_in) else { return Ok(()) };
    Err(OutputError::Refused(format!(
        "{}: the input {} lies in it, and an output replaces a folder as a whole; name another folder for the output",
        shown.display(),
        input.display()
    )))
}

/// The folder of work beside a folder.
fn beside(target: &Path) -> Option<PathBuf> {
    let name = target.file_name()?.to_string_lossy();
    Some(target.parent()?.join(format!(".{name}.propice")))
}

/// Makes the folder of work: beside, or inside where it cannot be beside.
fn make_work(target: &Path) -> Result<PathBuf, (PathBuf, io::Error)> {
    let is_mount = |parent: &Path| {
        let devices = [parent, target].map(|path| path.metadata().map(|metadata| metadata.dev()).ok());
        devices[0] != devices[1]
    };
    let beside = beside(target).filter(|_| target.parent().is_some_and(|parent| !is_mount(parent)));
    let made = |work: PathBuf| {
        fs::create_dir_all(work.join(NEXT)).and_then(|()| lock::tell(&work)).map_err(|error| (work.clone(), error))?;
        Ok(work)
    };
    match beside.map(made) {
        Some(Ok(work)) => Ok(work),
        _ => made(target.join(INSIDE)),
    }
}

/// Lets two folders change places, in one step.
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    fs::set_permissions(one, other.metadata()?.permissions())?;
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?;
    Ok(())
}

/// Moves the files of one folder into another, and removes those that were ours there and are no
/// more. May be begun anew.
fn move_files(next: &Path, target: &Path) -> io::Result<()> {
    let Some(new) = Mark::read(next) else { return Ok(()) };
    let old = Mark::read(target).map(|old| old.files).unwrap_or_default();
    for name in old.keys().filter(|name| !new.files.contains_key(*name)) {
        mark::remove(target, name)?;
    }
    for name in new.files.keys().map(String::as_str).chain([MARK]) {
        let (from, to) = (next.join(name), target.join(name));
        if from.exists() {
            to.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::rename(from, to)?;
        }
    }
    Ok(())
}

/// Takes away a folder of work: that of a command that is over, or that was killed.
fn clean(work: &Path, target: &Path) -> io::Result<()> {
    if !work.join(lock::HOLDER).exists() {
        return Ok(());
    }
    let next = work.join(NEXT);
    if work.join(MOVING).exists() {
        move_files(&next, target)?;
        fs::remove_file(work.join(MOVING))?;
    }
    if let Some(mark) = Mark::read(&next) {
        // A whole output, most often the one before. What somebody put into it meanwhile stays.
        mark.files.keys().map(String::as_str).chain([MARK]).try_for_each(|name| mark::remove(&next, name))?;
        for entry in fs::read_dir(&next)? {
            let entry = entry?;
            let to = target.join(entry.file_name());
            if !to.exists() {
                fs::rename(entry.path(), to)?;
            }
        }
        fs::remove_dir(&next)?;
    } else if next.exists() {
        fs::remove_dir_all(&next)?;
    }
    fs::remove_file(work.join(lock::HOLDER))?;
    fs::remove_dir(work)
}
