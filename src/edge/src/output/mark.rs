//! The mark of an output folder: who wrote it, and which files. All else in it is somebody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{INSIDE, OutputError};

/// The name of the mark.
pub const MARK: &str = ".propice.json";
/// How many files a refusal names.
const NAMED: usize = 5;

/// What a folder holds. Only an output of the same kind is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// What a run decided.
    Run,
    /// Generated streams.
    Streams,
    /// Measurements.
    Measurements,
}

impl OutputKind {
    fn name(self) -> &'static str {
        match self {
            OutputKind::Run => "the output of a run",
            OutputKind::Streams => "generated streams",
            OutputKind::Measurements => "measurements",
        }
    }
}

/// The mark.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    written_by: String,
    kind: OutputKind,
    /// That of whoever reads it, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<String>,
    /// The files that are ours, by their paths within the folder, with their sizes in bytes.
    pub(super) files: BTreeMap<String, u64>,
}

impl Mark {
    /// Of all files of a folder.
    pub(super) fn over(folder: &Path, kind: OutputKind) -> io::Result<Mark> {
        let written_by = concat!("propice ", env!("CARGO_PKG_VERSION")).to_owned();
        Ok(Mark { written_by, kind, language: None, files: files_of(folder)? })
    }

    /// That of a folder, if it has one.
    pub(super) fn read(folder: &Path) -> Option<Mark> {
        let path = folder.join(MARK);
        let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
        let mark: Mark = is_file.then(|| serde_json::from_slice(&fs::read(path).ok()?).ok()).flatten()?;
        // A name that leads out of the folder is none that was written here.
        let stays =
            |name: &String| Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        mark.files.keys().all(stays).then_some(mark)
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(MARK), serde_json::to_string_pretty(self)? + "\n")
    }
}

/// The language of the output that a file is part of, as a locale, where its mark tells it.
pub fn language_of(file: &Path) -> Option<String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mark = Mark::read(folder).filter(|mark| mark.kind == OutputKind::Run)?;
    mark.language.filter(|_| file.file_name().is_some_and(|name| mark.files.contains_key(&*name.to_string_lossy())))
}

/// All files of a folder, by their paths within it.
pub(super) fn files_of(folder: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((path, within)) = folders.pop() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = format!("{within}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), name + "/"));
            } else if name != MARK {
                files.insert(name, entry.metadata()?.len());
            }
        }
    }
    Ok(files)
}

/// Removes a file of a folder, and the folders that are empty then.
pub(super) fn remove(folder: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(folder.join(name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let within = Path::new(name).ancestors().skip(1).filter(|within| !within.as_os_str().is_empty());
    for within in within {
        // One that is not empty stays.
        let _ = fs::remove_dir(folder.join(within));
    }
    Ok(())
}

/// What lies in a folder.
#[derive(Debug)]
pub(super) struct Survey {
    mark: Option<Mark>,
    /// What we did not write: files, and folders as a whole.
    pub(super) foreign: Vec<String>,
    /// What we wrote, and somebody changed.
    changed: Vec<String>,
}

impl Survey {
    pub(super) fn of(folder: &Path) -> Result<Survey, OutputError> {
        let mut survey = Survey { mark: Mark::read(folder), foreign: Vec::new(), changed: Vec::new() };
        let files = survey.mark.as_ref().map(|mark| mark.files.clone()).unwrap_or_default();
        let mut folders = vec![(folder.to_owned(), String::new())];
        while let Some((path, within)) = folders.pop() {
            survey.look(&files, (&path, &within), &mut folders).map_err(|error| OutputError::failed(&path, error))?;
        }
        survey.foreign.sort_unstable();
        survey.changed.sort_unstable();
        Ok(survey)
    }

    fn look(
        &mut self,
        files: &BTreeMap<String, u64>,
        (path, within): (&Path, &str),
        folders: &mut Vec<(PathBuf, String)>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = format!("{within}{}", entry.file_name().to_string_lossy());
            let metadata = entry.metadata()?;
            let holds_ours =
                || files.keys().any(|file| file.strip_prefix(&name).is_some_and(|rest| rest.starts_with('/')));
            if name == INSIDE || (name == MARK && self.mark.is_some()) {
                continue;
            }
            match files.get(&name) {
                Some(size) if metadata.is_file() && metadata.len() == *size => {}
                Some(_) if metadata.is_file() => self.changed.push(name),
                _ if metadata.is_dir() && holds_ours() => folders.push((entry.path(), name + "/")),
                _ => self.foreign.push(name),
            }
        }
        Ok(())
    }

    /// Refuses a folder that is somebody else's.
    pub(super) fn refuse(&self, shown: &Path, kind: OutputKind, force: bool) -> Result<(), OutputError> {
        let shown = shown.display();
        let text = match &self.mark {
            None if self.foreign.is_empty() => return Ok(()),
            None => format!(
                "{shown}: propice did not write this folder, and it is not empty ({}); name another one, or an empty one",
                listed(&self.foreign)
            ),
            Some(mark) if mark.kind != kind => format!(
                "{shown}: it holds {}, which {} would replace; name another folder",
                mark.kind.name(),
                kind.name()
            ),
            Some(_) if self.changed.is_empty() || force => return Ok(()),
            Some(_) => format!(
                "{shown}: changed since propice wrote it: {}; name another folder, or replace it with --force",
                listed(&self.changed)
            ),
        };
        Err(OutputError::Refused(text))
    }

    /// Refuses to put files where somebody else has some.
    pub(super) fn refuse_names(&self, shown: &Path, names: &BTreeSet<&str>) -> Result<(), OutputError> {
        let is_taken = |foreign: &&String| {
            names.iter().any(|name| {
                let behind = name.strip_prefix(foreign.as_str());
                behind.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                    || foreign.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let taken: Vec<String> = self.foreign.iter().filter(is_taken).cloned().collect();
        if taken.is_empty() {
            return Ok(());
        }
        let text = format!(
            "{}: propice did not write {}, and would put a file there; move it away, or name another folder",
            shown.display(),
            listed(&taken)
        );
        Err(OutputError::Refused(text))
    }
}

/// The first of some names.
fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let named = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}
