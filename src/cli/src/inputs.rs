//! `--input`, as `run` and `views` take it, and what it opens.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Failure, say};
use propice_define::Plan;
use propice_edge::source::files::{self, Wanted};
use propice_edge::source::missing::missing;
use propice_edge::source::{Cut, DeadLetterLimit, InputFile, MergedSource, Own, SourceError};
use propice_model::{Id, LogicalTime};
use propice_run::{Summary, Unfinished};

/// What lets an input be absent.
const MAY_BE_ABSENT: &str =
    "`optional = true` in the pack says of an input that it may be absent; --missing-ok runs without all of these";

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A folder in which the files of inputs are found by name.
    Folder(PathBuf),
    /// The file of one stream or table.
    File {
        /// The stream or table.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// Standard input, with the records of one stream or table.
    Stdin {
        /// The stream or table.
        name: String,
    },
}

impl FromStr for Input {
    type Err = Infallible;

    /// `NAME=PATH` and `NAME=-` when what stands before the sign can be a name; a folder otherwise.
    fn from_str(text: &str) -> Result<Input, Infallible> {
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        Ok(match text.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, "-")) => Input::Stdin { name: name.to_owned() },
            Some((name, path)) => Input::File { name: name.to_owned(), path: PathBuf::from(path) },
            None => Input::Folder(PathBuf::from(text)),
        })
    }
}

/// The inputs of a command.
#[derive(Debug, clap::Args)]
pub(crate) struct Inputs {
    /// Where records are: a folder with NAME.{jsonl,csv,asc}[.gz|.zst] for each stream and table, or the file of one of
    /// them, or `-` for standard input. May be given several times. Without it: fixtures/NAME OF THE PACK, beside the
    /// folder of the pack
    #[arg(long = "input", short = 'i', value_name = "DIR|NAME=PATH|NAME=-")]
    pub(crate) inputs: Vec<Input>,
    /// Run although streams or tables have no file. Without it only those that say `optional = true` in the pack may be
    /// absent
    #[arg(long)]
    pub(crate) missing_ok: bool,
}

/// How many records may be refused.
#[derive(Debug, clap::Args)]
pub(crate) struct Refusals {
    /// End the run (exit code 4) once more records than that are dead letters: a number over all inputs, or a share of the
    /// records of any input, looked at from its first 1,000 records on and at its end. Without it: as many as there are,
    /// but not all records of an input
    #[arg(long, value_name = "N|N%")]
    max_dead_letters: Option<DeadLetterLimit>,
}

impl Refusals {
    /// What is asked for, or else not all of an input.
    pub(crate) fn limit(&self) -> DeadLetterLimit {
        self.max_dead_letters.unwrap_or(DeadLetterLimit::NotAll)
    }

    /// The same where only what is about one customer is read: of how many records it is a share, nobody counts.
    pub(crate) fn limit_of_own(&self) -> DeadLetterLimit {
        match self.limit() {
            DeadLetterLimit::Percent(_) => DeadLetterLimit::NotAll,
            limit => limit,
        }
    }
}

impl Input {
    fn wanted(&self) -> Wanted {
        match self {
            Input::Folder(path) => Wanted::Folder(path.clone()),
            Input::File { name, path } => Wanted::File { name: name.clone(), path: path.clone() },
            Input::Stdin { name } => Wanted::File { name: name.clone(), path: PathBuf::from("-") },
        }
    }
}

/// What is read, and what is worth saying of it.
pub(crate) struct Opened {
    pub(crate) source: MergedSource,
    /// In lines.
    pub(crate) notes: String,
}

impl Inputs {
    /// Opens the files of a run. It ends early once `stop` is set.
    pub(crate) fn open(&self, pack: &Path, plan: &Arc<Plan>, stop: &Arc<AtomicBool>) -> Result<Opened, Failure> {
        let (files, notes) = self.files(pack, plan)?;
        let source = MergedSource::open(plan, &files, stop).map_err(|error| failure(&error))?;
        Ok(Opened { source, notes })
    }

    /// Opens the files of a run for what is about one customer, each up to a time.
    pub(crate) fn open_own(
        &self,
        pack: &Path,
        plan: &Arc<Plan>,
        customer: &Id,
        until: Option<LogicalTime>,
        stop: &Arc<AtomicBool>,
    ) -> Result<Opened, Failure> {
        let (files, notes) = self.files(pack, plan)?;
        let own = Own::find(plan, &files, customer).map_err(|error| failure(&error))?.until(until);
        let source = MergedSource::open_own(plan, &files, &own, stop).map_err(|error| failure(&error))?;
        Ok(Opened { source, notes })
    }

    /// The files of a run, and what is worth saying of them.
    pub(crate) fn files(&self, pack: &Path, plan: &Plan) -> Result<(Vec<InputFile>, String), Failure> {
        let mut notes = String::new();
        let mut wanted: Vec<Wanted> = self.inputs.iter().map(Input::wanted).collect();
        if wanted.is_empty() {
            let folder = fixtures(pack, plan);
            if !folder.is_dir() {
                let text = format!("no --input, and no {} to take instead", folder.display());
                return Err(Failure::Usage(text));
            }
            let _ = writeln!(notes, "reading {} (no --input)", folder.display());
            wanted.push(Wanted::Folder(folder));
        }
        let files = files::find(plan, &wanted).map_err(|error| failure(&error))?;
        let missing = missing(plan, &wanted, &files).map_err(|error| failure(&error))?;
        if self.missing_ok {
            notes.push_str(&missing.noted_all());
        } else if missing.is_wrong() {
            return Err(Failure::Usage(format!("{}{MAY_BE_ABSENT}", missing.told())));
        } else {
            say(&missing.doubted());
            notes.push_str(&missing.noted());
        }
        Ok((files, notes))
    }
}

/// What a run came to, also one whose source failed, and then how the command is to end.
pub(crate) fn ended(done: io::Result<Summary>) -> Result<(Summary, Option<Failure>), Failure> {
    let error = match done {
        Ok(summary) => return Ok((summary, None)),
        Err(error) => error,
    };
    let Unfinished { summary, error } =
        error.downcast::<Unfinished>().map_err(|error| Failure::io("the run failed", &error))?;
    let failure = match Cut::of(&error) {
        Some(Cut::Refused(text)) => Failure::Refused(text.clone()),
        Some(cut) => Failure::Io(cut.to_string()),
        None => Failure::Io(format!("the run failed: {error}")),
    };
    Ok((summary, Some(failure)))
}

/// `fixtures/<name of the pack>`, beside the folder of the pack.
pub(crate) fn fixtures(pack: &Path, plan: &Plan) -> PathBuf {
    let folder = pack.parent().unwrap_or(Path::new(""));
    let beside = match (folder.file_name(), folder.parent()) {
        (Some(_), Some(parent)) => parent.to_owned(),
        _ => folder.join(".."),
    };
    beside.join("fixtures").join(&plan.name)
}

/// What cannot be read failed; what can, but is not what it should be, is wrong.
pub(crate) fn failure(error: &SourceError) -> Failure {
    match error {
        SourceError::Unreadable { .. } => Failure::Io(error.to_string()),
        SourceError::Header { .. } => Failure::Wrong(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_before_the_sign_names_an_input() {
        let parse = |text: &str| text.parse::<Input>().expect("every text is an input");
        assert_eq!(parse("data"), Input::Folder("data".into()));
        assert_eq!(parse("trans=a=b.csv"), Input::File { name: "trans".into(), path: "a=b.csv".into() });
        assert_eq!(parse("trans=-"), Input::Stdin { name: "trans".into() });
        assert_eq!(parse("./a=b"), Input::Folder("./a=b".into()));
    }
}
