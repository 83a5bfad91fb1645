//! What a run lacks: inputs of the pack without a file, and what lies in the folders that was not
//! taken.
//!
//! An input without a file has no records, and nothing that is computed shows it. So it is told,
//! with what was most likely meant: a file of nearly that name, a folder, a file in a format that
//! is not read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use propice_define::Plan;

use super::files::{InputFile, SourceError, Wanted, likeness};

/// How alike two names are that are likely to be the same.
const ALIKE: f64 = 0.8;
/// So many of what was not taken are named.
const SHOWN: usize = 20;
/// Formats that hold records and are not read.
const OTHER_FORMATS: [&str; 9] = ["parquet", "avro", "orc", "arrow", "feather", "xlsx", "xls", "xml", "pb"];
/// Packings that are not unpacked.
const OTHER_PACKINGS: [&str; 7] = ["bz2", "xz", "zip", "lz4", "7z", "tar", "br"];

/// The inputs of a pack that have no file.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    inputs: Vec<Lacking>,
    /// Folders, with what lies in them and was not taken.
    untaken: Vec<(PathBuf, Vec<Entry>)>,
}

/// An input without a file.
#[derive(Clone, Debug)]
struct Lacking {
    name: String,
    /// The pack says that it may be absent.
    optional: bool,
    /// What was most likely meant, and what is to be done about it.
    near: Option<String>,
}

/// Something in a folder.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    is_folder: bool,
}

/// The inputs that no file holds, and what was not taken of the folders.
///
/// # Errors
/// When a folder cannot be read.
pub fn missing(plan: &Plan, wanted: &[Wanted], files: &[InputFile]) -> Result<Missing, SourceError> {
    let is_held = |at: usize| files.iter().any(|file| file.input.index() == at);
    let lacking: Vec<usize> = (0..plan.inputs.len()).filter(|at| !is_held(*at)).collect();
    if lacking.is_empty() {
        return Ok(Missing::default());
    }
    let mut untaken = Vec::new();
    for wanted in wanted {
        if let Wanted::Folder(folder) = wanted {
            let entries = entries(folder, files).map_err(|error| SourceError::unreadable(folder, error))?;
            untaken.push((folder.clone(), entries));
        }
    }
    let inputs = lacking.into_iter().map(|at| &plan.inputs[at]).map(|input| Lacking {
        name: input.name.clone(),
        optional: input.optional,
        near: near(&input.name, &untaken),
    });
    Ok(Missing { inputs: inputs.collect(), untaken })
}

impl Missing {
    /// Whether one is missing that the pack does not let be absent.
    pub fn is_wrong(&self) -> bool {
        self.inputs.iter().any(|input| !input.optional)
    }

    /// Whether there is something that was most likely meant for one of them.
    pub fn is_suspicious(&self) -> bool {
        self.inputs.iter().any(|input| input.near.is_some())
    }

    /// Every one that must not be absent, what was most likely meant, and what was not taken; in
    /// lines.
    pub fn told(&self) -> String {
        self.text(|input| !input.optional)
    }

    /// Every one, whether it may be absent or not.
    pub fn told_all(&self) -> String {
        self.text(|_| true)
    }

    /// Every one for which something was most likely meant, and what was not taken.
    pub fn suspected(&self) -> String {
        self.text(|input| input.near.is_some())
    }

    /// Those that are let pass, in a line, but for those that [`Missing::doubted`] tells.
    pub fn noted(&self) -> String {
        noted(self.inputs.iter().filter(|input| input.near.is_none()))
    }

    /// All of them, in a line.
    pub fn noted_all(&self) -> String {
        noted(self.inputs.iter())
    }

    /// Those that are let pass although something was most likely meant for them.
    pub fn doubted(&self) -> String {
        let mut text = String::new();
        for Lacking { name, near, .. } in &self.inputs {
            if let Some(near) = near {
                let _ = writeln!(text, "warning: no file for {name}, and {near}");
            }
        }
        text
    }

    fn text(&self, is_told: impl Fn(&Lacking) -> bool) -> String {
        let told: Vec<&Lacking> = self.inputs.iter().filter(|input| is_told(input)).collect();
        let names: Vec<String> = told.iter().map(|input| format!("`{}`", input.name)).collect();
        let mut text = format!("no file for {}, which the pack declares\n", names.join(", "));
        let width = told.iter().map(|input| input.name.len()).max().unwrap_or(0);
        for Lacking { name, near, .. } in told {
            let what = match near {
                Some(near) => near.clone(),
                None if self.untaken.is_empty() => "no --input names it or a folder with its file".to_owned(),
                None => format!("nothing is called {name}.{{jsonl,csv,asc}}[.gz|.zst]"),
            };
            let _ = writeln!(text, "  {name:width$}  {what}");
        }
        for (folder, entries) in self.untaken.iter().filter(|(_, entries)| !entries.is_empty()) {
            let shown: Vec<String> = entries.iter().take(SHOWN).map(Entry::shown).collect();
            let _ = write!(text, "not taken in {}: {}", folder.display(), shown.join(", "));
            if entries.len() > SHOWN {
                let _ = write!(text, " and {} more", entries.len() - SHOWN);
            }
            text.push('\n');
        }
        text
    }
}

fn noted<'m>(inputs: impl Iterator<Item = &'m Lacking>) -> String {
    let names: Vec<&str> = inputs.map(|input| input.name.as_str()).collect();
    if names.is_empty() { String::new() } else { format!("no file for {}\n", names.join(", ")) }
}

impl Entry {
    fn shown(&self) -> String {
        format!("{}{}", self.name.escape_debug(), if self.is_folder { "/" } else { "" })
    }

    /// How alike its name and that of an input are; its endings aside.
    fn likeness(&self, input: &str) -> f64 {
        let name = self.name.to_lowercase();
        let stem = name.split('.').next().unwrap_or_default();
        let parts = stem.split(|c: char| !c.is_alphanumeric() && c != '_');
        match likeness(stem, input) {
            _ if stem == input => 2.0,
            // `2026-03_visits.jsonl`, `shop.visits.csv`
            likeness
                if stem.ends_with(&format!("_{input}")) || parts.chain(name.split('.')).any(|part| part == input) =>
            {
                likeness.max(1.0)
            }
            likeness => likeness,
        }
    }

    /// Why it was not taken for an input, and what is to be done.
    fn remedy(&self, folder: &Path, input: &str) -> String {
        let path = folder.join(&self.name);
        let path = path.display();
        let lower = self.name.to_lowercase();
        let mut endings = lower.rsplit('.');
        let last = endings.next().unwrap_or_default();
        if self.is_folder {
            return format!("{path} is a folder: one file holds the records of an input, such as {input}.jsonl");
        }
        if OTHER_FORMATS.contains(&last) {
            return format!("{path} is of a format that is not read: write it as {input}.jsonl or {input}.csv");
        }
        if OTHER_PACKINGS.contains(&last) {
            return format!("{path} is packed in a way that is not read: unpack it, or pack it with gzip or zstd");
        }
        format!("{path} is not called so: rename it, or say --input {input}={path}")
    }
}

/// What lies in a folder and was not taken, in the order of the names. What is hidden is left out.
fn entries(folder: &Path, files: &[InputFile]) -> std::io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') && !files.iter().any(|file| file.path == path) {
            entries.push(Entry { name, is_folder: path.is_dir() });
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// What was most likely meant for an input.
fn near(input: &str, untaken: &[(PathBuf, Vec<Entry>)]) -> Option<String> {
    let all = untaken.iter().flat_map(|(folder, entries)| entries.iter().map(move |entry| (folder, entry)));
    let scored = all.map(|(folder, entry)| (entry.likeness(input), folder, entry));
    let best = scored.filter(|(likeness, ..)| *likeness > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, folder, entry)| entry.remedy(folder, input))
}
