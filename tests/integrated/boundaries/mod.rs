//! Where things turn: the first instant of a window that has ended, the last place of a limit, the
//! byte that cannot be written any more.
//!
//! Each case is small and computed by hand, and stands for a mistake that was made on purpose and
//! that random cases find rarely or never. What runs in memory runs in every engine, on several
//! workers, with views and without: whoever takes views is woken at every end of a window, which
//! hides an end that nobody waits for.

mod holidays;
mod limits;
mod outputs;
mod ranks;
mod receipts;
mod triggers;
mod waits;
mod windows;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use propice_define::{Plan, load};
use propice_flow::Engine;
use propice_run::{LineTexts, Options, over_lines};
use serde_json::Value as Json;
use tempfile::TempDir;

const VALUE: &str = "value = { kind = 'economic', benefit = 'b' }\n";

/// A stream `s` with the latest of its numbers as features `a`, `b` and `d`, and receipts `r`.
const INPUTS: &str = "[pack]\nname = 'p'\n\
     [stream.s]\nabout = 'c'\ntime = 'at'\n\
     fields = { c = 'id(customer)', at = 'time', a = 'int?', b = 'int?', d = 'int?' }\n\
     [stream.r]\nabout = 'c'\ntime = 'at'\n\
     fields = { c = 'id(customer)', at = 'time', kind = 'text', trigger = 'text?', source = 'text?' }\n\
     [customer.feature]\na = { from = 's', last = 'a' }\nb = { from = 's', last = 'b' }\nd = { from = 's', last = 'd' }\n";

/// A moment with a condition.
fn moment(name: &str, when: &str, more: &str) -> String {
    let purpose = if more.contains("purpose") { "" } else { "purpose = 'service'\n" };
    format!("[moment.{name}]\nwhen = \"{when}\"\n{purpose}{VALUE}{more}\n")
}

/// A record of `s`.
fn s(at: u64, field: &str, value: i64) -> String {
    format!("{{\"stream\":\"s\",\"c\":\"x\",\"at\":{at},\"{field}\":{value}}}")
}

fn plan(pack: &str) -> Arc<Plan> {
    Arc::new(load("p.toml", pack).unwrap_or_else(|errors| panic!("{errors}\n{pack}")))
}

/// What records give up to a time: the same in every way.
fn run_all(pack: &str, lines: &[String], until: u64) -> LineTexts {
    let plan = plan(pack);
    let run = |engine, workers, views| {
        let options = Options { engine, workers, views, until: Some(until) };
        let (texts, _) = over_lines(&plan, lines, &options).expect("a run");
        assert_eq!(texts.dead_letters, "", "{pack}");
        LineTexts { view_changes: String::new(), ..texts }
    };
    let first = run(Engine::Reference, 1, false);
    for (engine, workers, views) in
        [(Engine::Fused, 1, false), (Engine::Fused, 2, false), (Engine::Fused, 1, true), (Engine::Reference, 2, true)]
    {
        let other = run(engine, workers, views);
        assert_eq!(first, other, "{engine:?}, {workers} workers, views {views}, not as reference\n{pack}");
    }
    first
}

fn parsed(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Decisions, each in a line: time, moment, what; of a verdict its gates, each with why and until.
fn decided(pack: &str, lines: &[String], until: u64) -> Vec<String> {
    parsed(&run_all(pack, lines, until).decisions).iter().map(short).collect()
}

fn short(one: &Json) -> String {
    let text = |value: &Json| value.as_str().unwrap_or("-").to_owned();
    let ms = |time: &Json| {
        let time = time.as_str().map(|time| time.parse::<jiff::Timestamp>().expect("a time").as_millisecond());
        time.map_or("-".to_owned(), |time| time.to_string())
    };
    let entity = one["entity"]["id"].as_str().map_or(String::new(), |id| format!("/{id}"));
    let mut line = format!("{} {}{entity}", one["logical_time_ms"], text(&one["moment"]));
    match one["decision"].as_str() {
        Some("verdict") => {
            let _ = write!(line, " {}", text(&one["verdict"]));
            for gate in one["gates"].as_array().expect("gates") {
                let _ = write!(line, " {}({}|{})", text(&gate["gate"]), text(&gate["why"]), ms(&gate["until"]));
            }
        }
        Some("outcome") => line.extend([" helped ", &one["helped"].to_string()]),
        _ => line.extend([" receipt ", &text(&one["receipt"])]),
    }
    line
}

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

/// The command, in a folder.
fn propice(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
    command.current_dir(folder).args(arguments.split_whitespace()).stdin(Stdio::null());
    command
}

/// Exit code, standard output and standard error.
fn said(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("a code"), text(stdout), text(stderr))
}
