//! Which files a run reads: a folder with files named after the inputs, or files named one by one.

use std::io;
use std::path::{Path, PathBuf};

use propice_define::Plan;
use propice_flow::decode::delimited::HeaderError;
use propice_model::InputId;
use propice_model::nearest::did_you_mean;

/// What the name of a file may end with, and what that says.
const ENDINGS: [(&str, Layout); 3] =
    [("jsonl", Layout::JsonLines), ("csv", Layout::Delimited), ("asc", Layout::Delimited)];
const PACKINGS: [(&str, Packing); 3] = [("", Packing::None), (".gz", Packing::Gzip), (".zst", Packing::Zstd)];

/// One file of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// The stream or table whose records it holds.
    pub input: InputId,
    /// Where it is; `-` is standard input.
    pub path: PathBuf,
    pub(super) layout: Layout,
    pub(super) packing: Packing,
}

/// What a run is asked to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A folder with files named after inputs.
    Folder(PathBuf),
    /// The file of one input; `-` is standard input.
    File {
        /// The input.
        name: String,
        /// Its file.
        path: PathBuf,
    },
}

/// How records are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    JsonLines,
    Delimited,
    /// JSON Lines when it begins with `{`.
    Unknown,
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
    /// As its first bytes say.
    Unknown,
}

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// `NAME=PATH` with a name that the pack does not declare.
    #[error("the pack has no stream or table `{name}`{}; it has {}", did_you_mean(.name, .known.iter().map(String::as_str)), .known.join(", "))]
    UnknownInput {
        /// The name.
        name: String,
        /// Those that the pack declares.
        known: Vec<String>,
    },
    /// Two files of one input in a folder.
    #[error(
        "{folder}: both {first} and {second} hold `{input}`; remove one, or name the right one with --input {input}=PATH"
    )]
    Ambiguous {
        /// The folder.
        folder: String,
        /// The input.
        input: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// Standard input can be read once.
    #[error("standard input (`-`) can be one input only")]
    StdinTwice,
    /// More files than origins can count.
    #[error("more than {} files", u16::MAX)]
    TooManyFiles,
    /// A file or folder that cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A file whose records cannot be read at all.
    #[error("{path}: {error}{remedy}")]
    Header {
        /// The file.
        path: String,
        /// Why.
        error: HeaderError,
        /// What is most likely to be done; may be empty.
        remedy: String,
    },
}

impl InputFile {
    /// Its name as it is told.
    pub fn name(&self) -> String {
        if self.is_stdin() { "-".to_owned() } else { self.path.display().to_string() }
    }

    /// Whether it is gone once it was read: standard input, a pipe.
    pub fn is_read_once(&self) -> bool {
        self.is_stdin() || std::fs::metadata(&self.path).is_ok_and(|metadata| !metadata.is_file())
    }

    /// Whether it is standard input.
    pub fn is_stdin(&self) -> bool {
        is_stdin(&self.path)
    }
}

impl SourceError {
    pub(super) fn unreadable(path: &Path, error: io::Error) -> SourceError {
        SourceError::Unreadable { path: path.display().to_string(), error }
    }
}

/// The files of a run, in the order of the plan's inputs. A file that is named goes before one that
/// a folder has. Which inputs have none is told by [`missing`](super::missing::missing).
///
/// # Errors
/// When something is not there, or not clear.
pub fn find(plan: &Plan, wanted: &[Wanted]) -> Result<Vec<InputFile>, SourceError> {
    let mut named: Vec<InputFile> = Vec::new();
    let mut folders: Vec<&Path> = Vec::new();
    for wanted in wanted {
        match wanted {
            Wanted::File { name, path } => named.push(named_file(plan, name, path)?),
            Wanted::Folder(folder) => folders.push(folder),
        }
    }
    if named.iter().filter(|file| is_stdin(&file.path)).count() > 1 {
        return Err(SourceError::StdinTwice);
    }
    let is_named = |input: InputId| named.iter().any(|file| file.input == input);
    let mut files = Vec::new();
    for folder in folders {
        let found = in_folder(plan, folder)?;
        files.extend(found.into_iter().filter(|file| !is_named(file.input)));
    }
    files.extend(named);
    files.sort_by_key(|file| file.input);
    if files.len() > usize::from(u16::MAX) {
        return Err(SourceError::TooManyFiles);
    }
    Ok(files)
}

/// Whether a path means standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn named_file(plan: &Plan, name: &str, path: &Path) -> Result<InputFile, SourceError> {
    let Some(at) = plan.inputs.iter().position(|input| input.name == name) else {
        let known = plan.inputs.iter().map(|input| input.name.clone()).collect();
        return Err(SourceError::UnknownInput { name: name.to_owned(), known });
    };
    if path.is_dir() {
        return Err(SourceError::unreadable(path, io::Error::other("it is a folder; name a file")));
    }
    let (layout, packing) = by_name(path);
    Ok(InputFile { input: InputId(at as u16), path: path.to_owned(), layout, packing })
}

/// What the name of a file says of what is in it.
fn by_name(path: &Path) -> (Layout, Packing) {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let packed = PACKINGS.iter().skip(1).find_map(|(end, packing)| Some((name.strip_suffix(end)?, *packing)));
    let (name, packing) = packed.unwrap_or((&name, Packing::Unknown));
    let layout = ENDINGS.iter().find(|(end, _)| name.rsplit_once('.').is_some_and(|(_, own)| own == *end));
    (layout.map_or(Layout::Unknown, |(_, layout)| *layout), packing)
}

fn in_folder(plan: &Plan, folder: &Path) -> Result<Vec<InputFile>, SourceError> {
    if let Err(error) = std::fs::read_dir(folder) {
        return Err(SourceError::unreadable(folder, error));
    }
    let mut files = Vec::new();
    for (at, input) in plan.inputs.iter().enumerate() {
        let mut found: Option<InputFile> = None;
        for (ending, layout) in ENDINGS {
            for (pack, packing) in PACKINGS {
                let path = folder.join(format!("{}.{ending}{pack}", input.name));
                if !path.is_file() {
                    continue;
                }
                if let Some(first) = found {
                    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    return Err(SourceError::Ambiguous {
                        folder: folder.display().to_string(),
                        input: input.name.clone(),
                        first: name(&first.path),
                        second: name(&path),
                    });
                }
                found = Some(InputFile { input: InputId(at as u16), path, layout, packing });
            }
        }
        files.extend(found);
    }
    Ok(files)
}

/// How alike two names are: 1 when they are the same, 0 when they have nothing in common.
pub(super) fn likeness(name: &str, other: &str) -> f64 {
    strsim::jaro_winkler(name, other)
}
