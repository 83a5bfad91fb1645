//! `--input`, as `run` and `views` take it, and what it opens.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

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

/// How often it is looked whether to stop.
const STOP_LOOK: Duration = Duration::from_millis(20);

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InputPath {
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
        /// The stream or table; not needed where there is only one.
        name: Option<String>,
    },
}

impl FromStr for InputPath {
    type Err = Infallible;

    /// `-`; `NAME=PATH` and `NAME=-` when what stands before the sign can be a name; a folder
    /// otherwise.
    fn from_str(text: &str) -> Result<InputPath, Infallible> {
        if text == "-" {
            return Ok(InputPath::Stdin { name: None });
        }
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        Ok(match text.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, "-")) => InputPath::Stdin { name: Some(name.to_owned()) },
            Some((name, path)) => InputPath::File { name: name.to_owned(), path: PathBuf::from(path) },
            None => InputPath::Folder(PathBuf::from(text)),
        })
    }
}

/// The inputs of a command.
#[derive(Debug, clap::Args)]
pub(crate) struct InputOptions {
    /// Where records are: a folder with NAME.{jsonl,csv,asc}[.gz|.zst] for each stream and table,
    /// or the file of one of them, or `-` for standard input (alone where the pack has one input).
    /// May be given several times. Without it: fixtures/NAME OF THE PACK, beside the folder of the
    /// pack
    #[arg(long = "input", short = 'i', value_name = "DIR|NAME=PATH|NAME=-|-")]
    pub(crate) inputs: Vec<InputPath>,
    /// Run although streams or tables have no file. Without it only those that say `optional =
    /// true` in the pack may be absent
    #[arg(long)]
    pub(crate) missing_ok: bool,
}

/// How many records may be refused.
#[derive(Debug, clap::Args)]
pub(crate) struct RefusalOptions {
    /// End the run (exit code 4) once more records than that are dead letters: a number over all
    /// inputs, or a share of the records of any input, looked at from its first 1,000 records on
    /// and at its end. Without it: as many as there are, but not all records of an input
    #[arg(long, value_name = "N|N%", allow_hyphen_values = true)]
    max_dead_letters: Option<DeadLetterLimit>,
}

impl RefusalOptions {
    /// What is asked for, or else not all of an input.
    pub(crate) fn limit(&self) -> DeadLetterLimit {
        self.max_dead_letters.unwrap_or(DeadLetterLimit::NotAll)
    }

    /// The same where only what is about one customer is read: of how many records it is a share,
    /// nobody counts.
    pub(crate) fn limit_of_own(&self) -> DeadLetterLimit {
        match self.limit() {
            DeadLetterLimit::Percent(_) => DeadLetterLimit::NotAll,
            limit => limit,
        }
    }
}

impl InputPath {
    fn wanted(&self, plan: &Plan) -> Result<Wanted, Failure> {
        Ok(match self {
            InputPath::Folder(path) => Wanted::Folder(path.clone()),
            InputPath::File { name, path } => Wanted::File { name: name.clone(), path: path.clone() },
            InputPath::Stdin { name } => {
                let name = name.clone().map_or_else(|| the_only(plan), Ok)?;
                Wanted::File { name, path: PathBuf::from("-") }
            }
        })
    }
}

/// What is read, and what is worth saying of it.
pub(crate) struct OpenedInputs {
    pub(crate) source: MergedSource,
    /// In lines.
    pub(crate) notes: String,
}

impl InputOptions {
    /// Opens the files of a run. It ends early once `stop` is set.
    pub(crate) fn open(&self, pack: &Path, plan: &Arc<Plan>, stop: &Arc<AtomicBool>) -> Result<OpenedInputs, Failure> {
        let (files, notes) = self.files(pack, plan)?;
        let source = MergedSource::open(plan, &files, stop).map_err(|error| failure(&error))?;
        Ok(OpenedInputs { source, notes })
    }

    /// Opens the files of a run for what is about one customer, each up to a time.
    pub(crate) fn open_own(
        &self,
        pack: &Path,
        plan: &Arc<Plan>,
        customer: &Id,
        until: Option<LogicalTime>,
        stop: &Arc<AtomicBool>,
    ) -> Result<OpenedInputs, Failure> {
        let (files, notes) = self.files(pack, plan)?;
        let own = Own::find(plan, &files, customer).map_err(|error| failure(&error))?.until(until);
        let source = MergedSource::open_own(plan, &files, &own, stop).map_err(|error| failure(&error))?;
        Ok(OpenedInputs { source, notes })
    }

    /// The files of a run, and what is worth saying of them.
    pub(crate) fn files(&self, pack: &Path, plan: &Plan) -> Result<(Vec<InputFile>, String), Failure> {
        let mut notes = String::new();
        let mut wanted =
            self.inputs.iter().map(|input| input.wanted(plan)).collect::<Result<Vec<Wanted>, Failure>>()?;
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

/// The name of the only input of a pack.
fn the_only(plan: &Plan) -> Result<String, Failure> {
    if let [input] = plan.inputs.as_slice() {
        return Ok(input.name.clone());
    }
    let names: Vec<&str> = plan.inputs.iter().map(|input| input.name.as_str()).collect();
    Err(Failure::Usage(format!(
        "--input - says what standard input holds only where a pack has one stream or table; {} has {}. Name it, such as \
         --input {}=-",
        plan.name,
        names.join(", "),
        names.first().unwrap_or(&"NAME")
    )))
}

/// Opens files, of which a pipe may not give anything for long; `None` when it is to stop before.
pub(crate) fn opened(
    plan: &Arc<Plan>,
    files: Vec<InputFile>,
    stop: &Arc<AtomicBool>,
) -> Result<Option<MergedSource>, Failure> {
    let (sender, opened) = sync_channel(1);
    let (plan, told) = (Arc::clone(plan), Arc::clone(stop));
    // It is left alone when it still waits at the end.
    std::thread::spawn(move || sender.send(MergedSource::open(&plan, &files, &told)));
    loop {
        match opened.recv_timeout(STOP_LOOK) {
            Ok(source) => return source.map(Some).map_err(|error| failure(&error)),
            Err(RecvTimeoutError::Timeout) if stop.load(Ordering::SeqCst) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Io("the inputs could not be opened".to_owned()));
            }
        }
    }
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
        let parse = |text: &str| text.parse::<InputPath>().expect("every text is an input");
        assert_eq!(parse("data"), InputPath::Folder("data".into()));
        assert_eq!(parse("trans=a=b.csv"), InputPath::File { name: "trans".into(), path: "a=b.csv".into() });
        assert_eq!(parse("trans=-"), InputPath::Stdin { name: Some("trans".into()) });
        assert_eq!(parse("-"), InputPath::Stdin { name: None });
        assert_eq!(parse("./a=b"), InputPath::Folder("./a=b".into()));
    }
}
