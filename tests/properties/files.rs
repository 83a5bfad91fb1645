//! The lines of a case as files: JSON Lines and CSV, one or several of an input, as `propice run`
//! reads them.
//!
//! A case keeps mixed lines, from which some are easily taken away, and a seed. Everything about the
//! files follows from that seed and the text of each line.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use propice_define::Plan;
use propice_define::plan::Input;
use propice_edge::source::files::{Wanted, find};
use propice_edge::source::{MergedSource, SourceError};
use serde_json::value::RawValue;

use crate::generate::{Case, Rng};

/// A file of an input.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// In its folder.
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) text: String,
}

/// The keys of a line in their order, with their values as they are written.
type Entries = Vec<(String, String)>;

/// The files of a case that is one of files, in the order in which they are named to a run.
pub(crate) fn of(case: &Case, plan: &Plan) -> Option<Vec<File>> {
    let seed = case.files?;
    let mut lines: Vec<Vec<&String>> = plan.inputs.iter().map(|_| Vec::new()).collect();
    let mut last = 0;
    for line in &case.lines {
        // What names no input of the pack is of the same as what came before.
        let named = entries(line).and_then(|entries| input_of(plan, &entries));
        last = named.unwrap_or(last);
        lines[last].push(line);
    }
    let mut files = Vec::new();
    for (at, input) in plan.inputs.iter().enumerate().filter(|(at, _)| !lines[*at].is_empty()) {
        let mut rng = Rng::new(seed ^ ((at as u64 + 1) << 48));
        let parts = *rng.pick(&[1, 1, 1, 2, 3]);
        for part in 0..parts {
            let is_own = |line: &&&String| hash(line) % parts == part;
            let own: Vec<&String> = lines[at].iter().filter(is_own).copied().collect();
            if !own.is_empty() {
                files.push(file(&mut rng, input, part, &own));
            }
        }
    }
    Some(files)
}

fn hash(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

fn input_of(plan: &Plan, entries: &Entries) -> Option<usize> {
    let (_, name) = entries.iter().find(|(key, _)| key == "stream")?;
    plan.inputs.iter().position(|input| format!("\"{}\"", input.name) == *name)
}

fn file(rng: &mut Rng, input: &Input, part: u64, lines: &[&String]) -> File {
    let is_delimited = rng.chance(50);
    let end = if rng.chance(20) { "\r\n" } else { "\n" };
    let mut text = String::new();
    let columns = columns(rng, input, lines);
    if is_delimited && input.format.header {
        text += &row(&columns, input.format.delimiter, 1);
        text += end;
    }
    for line in lines {
        if hash(line).is_multiple_of(31) {
            text += end;
        }
        text += &if is_delimited { delimited(input, &columns, line) } else { (*line).clone() };
        text += end;
    }
    let ending = if is_delimited { "csv" } else { "jsonl" };
    File { name: format!("{}_{part}.{ending}", input.name), input: input.name.clone(), text }
}

/// The columns of a delimited file: those of the fields, and whatever else its lines have.
fn columns(rng: &mut Rng, input: &Input, lines: &[&String]) -> Vec<String> {
    let mut columns: Vec<String> = input.fields.iter().map(|field| field.column.clone()).collect();
    if !input.format.header {
        return columns;
    }
    let keys = |line: &&String| entries(line).unwrap_or_default().into_iter().map(|(key, _)| key);
    let all: Vec<String> = lines.iter().flat_map(keys).filter(|key| key != "stream").collect();
    let is_needed =
        |at: usize, column: &String| input.fields.get(at).is_some_and(|field| !field.optional) || all.contains(column);
    columns =
        columns.iter().enumerate().filter(|(at, column)| is_needed(*at, column)).map(|(_, c)| c.clone()).collect();
    for key in all {
        if !columns.contains(&key) {
            columns.push(key);
        }
    }
    if rng.chance(30) {
        rng.shuffle(&mut columns);
    }
    if rng.chance(20) {
        // One that nobody declares may even be there twice.
        columns.extend(["nobody's".to_owned(), "nobody's".to_owned()]);
    }
    columns
}

/// A line as a row of values. One that is no object stays what it is, and has most likely too few
/// values; one with a key twice has a value too many.
fn delimited(input: &Input, columns: &[String], line: &str) -> String {
    let delimiter = input.format.delimiter;
    let Some(entries) = entries(line) else {
        // A quote that is not closed, as likely as not.
        return if hash(line).is_multiple_of(2) { line.to_owned() } else { format!("\"{line}") };
    };
    let value = |column: &String| {
        let raw = entries.iter().find(|(key, _)| key == column).map_or("null", |(_, raw)| raw.as_str());
        match serde_json::from_str::<Option<String>>(raw) {
            Ok(text) => text.unwrap_or_default(),
            Err(_) => raw.to_owned(),
        }
    };
    let mut values: Vec<String> = columns.iter().map(value).collect();
    let is_twice = |(at, (key, _)): (usize, &(String, String))| entries[..at].iter().any(|(other, _)| other == key);
    values.extend(entries.iter().enumerate().filter(|entry| is_twice(*entry)).map(|_| "one more".to_owned()));
    row(&values, delimiter, hash(line))
}

fn row(values: &[String], delimiter: u8, seed: u64) -> String {
    let mut rng = Rng::new(seed);
    let delimiter = char::from(delimiter);
    let quoted = |value: &String| {
        let needed = value.contains([delimiter, '"', '\n', '\r']) || (values.len() == 1 && value.is_empty());
        if needed || rng.chance(10) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.clone() }
    };
    values.iter().map(quoted).collect::<Vec<_>>().join(&delimiter.to_string())
}

/// The keys of a line, without escapes, in their order; `None` when it is no object.
fn entries(line: &str) -> Option<Entries> {
    struct All(Entries);
    impl<'de> serde::Deserialize<'de> for All {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<All, D::Error> {
            struct Each;
            impl<'de> serde::de::Visitor<'de> for Each {
                type Value = All;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<All, A::Error> {
                    let mut entries = Vec::new();
                    while let Some((key, raw)) = map.next_entry::<String, Box<RawValue>>()? {
                        entries.push((key, raw.get().to_owned()));
                    }
                    Ok(All(entries))
                }
            }
            deserializer.deserialize_map(Each)
        }
    }
    serde_json::from_str::<All>(line).ok().map(|All(entries)| entries)
}

/// Whether a line has keys that its input does not declare, and whether one of them twice.
pub(crate) fn undeclared_keys(plan: &Plan, line: &str) -> (bool, bool) {
    let Some(entries) = entries(line) else { return (false, false) };
    let Some(input) = input_of(plan, &entries).map(|at| &plan.inputs[at]) else { return (false, false) };
    let is_declared = |key: &String| input.fields.iter().any(|field| field.column == *key);
    let known = |key: &&String| is_declared(key) || *key == "stream" || *key == "_deleted";
    let keys: Vec<&String> = entries.iter().map(|(key, _)| key).filter(|key| !known(key)).collect();
    let is_twice = keys.iter().enumerate().any(|(at, key)| keys[..at].contains(key));
    (!keys.is_empty(), is_twice)
}

/// Files that are there for as long as this is.
pub(crate) struct Folder(std::path::PathBuf);

impl Folder {
    /// Writes files to a folder of their own.
    pub(crate) fn of(files: &[File]) -> std::io::Result<Folder> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("files_{}_{number}", std::process::id());
        let folder = Folder(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        std::fs::create_dir_all(&folder.0)?;
        for file in files {
            std::fs::write(folder.0.join(&file.name), &file.text)?;
        }
        Ok(folder)
    }

    /// The files as a run reads them.
    pub(crate) fn source(&self, plan: &Arc<Plan>, files: &[File]) -> Result<MergedSource, SourceError> {
        let wanted = |file: &File| Wanted::File { name: file.input.clone(), path: self.0.join(&file.name) };
        let found = find(plan, &files.iter().map(wanted).collect::<Vec<_>>())?;
        MergedSource::open(plan, &found, &Arc::new(AtomicBool::new(false)))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of a run that failed lies in the folder of the target.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
