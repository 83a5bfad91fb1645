//! The fences of the house that Cargo cannot hold: which crate may depend on an outside library,
//! who reads a clock, how long a file is.
//!
//! Which crate may name which other one says its `Cargo.toml`: dependencies cannot go in a circle.
//! That modules of one crate do not either is held by [`circles`].

mod circles;
mod names;

use std::fs;
use std::path::{Path, PathBuf};

/// Outside libraries with the only crates that may name them.
const FENCES: &[(&str, &[&str])] = &[
    ("timely", &["flow", "run"]),
    ("differential_dataflow", &["flow", "run"]),
    ("rdkafka", &["kafka"]),
    ("axum", &["serve"]),
    ("clap", &["cli"]),
    ("cel", &["define"]),
    ("toml", &["define"]),
    ("miette", &["define", "cli"]),
    ("bincode", &["state"]),
    ("object_store", &["state"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The lines of a file that are code, not comments, with their numbers.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).expect("a source file");
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim().to_owned()));
    lines.filter(|(_, line)| !line.starts_with("//")).collect()
}

fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

fn src() -> PathBuf {
    Path::new(crate::ROOT).join("src")
}

#[test]
fn outside_libraries_stay_behind_their_fences() {
    let mut wrong = Vec::new();
    for path in sources(&src()) {
        let inside = path.strip_prefix(src()).expect("inside of src");
        let folder = inside.components().next().and_then(|folder| folder.as_os_str().to_str()).unwrap_or_default();
        for (number, line) in code(&path) {
            for (library, folders) in FENCES.iter().filter(|(_, folders)| !folders.contains(&folder)) {
                if names(&line, &format!("{library}::")) {
                    wrong.push(format!("{}:{number}: `{library}` belongs in {folders:?}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "libraries outside of their fences:\n{}", wrong.join("\n"));
}

#[test]
fn rooms_are_small() {
    let long: Vec<String> = sources(&src())
        .into_iter()
        .map(|path| (fs::read_to_string(&path).expect("a source file").lines().count(), path))
        .filter(|(lines, _)| *lines > 500)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "files that have grown too large:\n{}", long.join("\n"));
}

#[test]
fn only_the_clock_knows_the_time() {
    for path in sources(&src()) {
        let inside = path.strip_prefix(src()).expect("inside of src");
        // A worker wants to know when it began, to sleep until it is woken.
        let of_workers = inside.starts_with("run/src/session.rs");
        if of_workers
            || inside.starts_with("bench")
            || inside.starts_with("cli")
            // How long a broker is waited for.
            || inside.starts_with("kafka")
            || inside.starts_with("live/src/clock.rs")
            || inside.starts_with("edge/src/sink/terminal.rs")
        {
            continue;
        }
        for (number, line) in code(&path) {
            for clock in ["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"] {
                assert!(!line.contains(clock), "{}:{number}: reads a wall clock", path.display());
            }
        }
    }
}

#[test]
fn comments_are_narrow() {
    const COLUMNS: usize = 100;
    let mut wide = Vec::new();
    for path in sources(&src()) {
        let text = fs::read_to_string(&path).expect("a source file");
        let mut in_drawing = false;
        for (number, line) in text.lines().enumerate() {
            let comment = line.trim_start();
            in_drawing ^= comment.starts_with("//! ```") || comment.starts_with("/// ```");
            if comment.starts_with("//") && !in_drawing && line.chars().count() > COLUMNS {
                wide.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(wide.is_empty(), "comments of more than {COLUMNS} columns:\n{}", wide.join("\n"));
}

#[test]
fn the_floors_are_those_that_are_drawn() {
    let page = fs::read_to_string(Path::new(crate::ROOT).join("docs/architecture.md")).expect("the page");
    let (_, drawing) = page.split_once("```text\n").expect("a drawing");
    let (drawing, _) = drawing.split_once("```").expect("its end");
    let floors: Vec<Vec<&str>> = (drawing.lines())
        .map(|line| line.split("  ").next().unwrap_or_default().split(" | ").map(str::trim).collect())
        .collect();
    let floor_of = |name: &str| floors.iter().position(|floor| floor.contains(&name));
    for entry in fs::read_dir(src()).expect("the crates") {
        let folder = entry.expect("a crate").path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let own = floor_of(&name).unwrap_or_else(|| panic!("`{name}` is not drawn"));
        let (_, needed) = manifest.split_once("[dependencies]").expect("what it needs");
        let needed = needed.split("\n[").next().unwrap_or_default();
        for other in needed.lines().filter_map(|line| line.strip_prefix("propice-")?.split('.').next()) {
            assert!(floor_of(other).is_some_and(|floor| floor > own), "`{name}` needs `{other}`, drawn above it");
        }
    }
}
