//! The floors and fences of the house: which folder may name which, and who may name an outside library.
//!
//! Data flows one way, and so do imports: `cli → explain → run | report | generate → flow | edge → define → model`. `edge` may name the types that
//! the dataflow takes and gives (`flow`), `flow` never names `edge`.

use std::fs;
use std::path::{Path, PathBuf};

/// Each folder with what it may name besides itself.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("define", &["model"]),
    ("flow", &["define", "model"]),
    ("edge", &["flow", "define", "model"]),
    ("run", &["edge", "flow", "define", "model"]),
    ("explain", &["run", "edge", "flow", "define", "model"]),
    ("generate", &["model"]),
    ("report", &["flow", "define", "model"]),
    ("bench", &["report", "run", "edge", "flow", "define", "model"]),
    ("cli", &["bench", "explain", "run", "report", "generate", "edge", "flow", "define", "model"]),
];

/// Outside libraries with the only folders that may name them.
const FENCES: &[(&str, &[&str])] = &[
    ("timely", &["bench", "flow", "run"]),
    ("differential_dataflow", &["flow", "run"]),
    ("rdkafka", &["edge"]),
    ("axum", &["serve"]),
    ("clap", &["cli"]),
    ("cel", &["define"]),
    ("toml", &["define"]),
    ("miette", &["define", "cli"]),
    ("bincode", &["state"]),
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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn every_folder_is_on_a_floor() {
    for entry in fs::read_dir(src()).expect("src") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            assert!(FLOORS.iter().any(|(floor, _)| *floor == name), "src/{name} is on no floor of tests/house.rs");
        }
    }
}

#[test]
fn imports_go_down_only() {
    let mut wrong = Vec::new();
    for (floor, below) in FLOORS {
        for path in sources(&src().join(floor)) {
            for (number, line) in code(&path) {
                for (other, _) in FLOORS.iter().filter(|(other, _)| other != floor && !below.contains(other)) {
                    if names(&line, &format!("crate::{other}")) {
                        wrong.push(format!("{}:{number}: `{floor}` names `{other}`", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports that go up:\n{}", wrong.join("\n"));
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
        if inside.starts_with("bench") || inside.starts_with("cli") || inside.starts_with("edge/sink/terminal.rs") {
            continue;
        }
        for (number, line) in code(&path) {
            for clock in ["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"] {
                assert!(!line.contains(clock), "{}:{number}: reads a wall clock", path.display());
            }
        }
    }
}
