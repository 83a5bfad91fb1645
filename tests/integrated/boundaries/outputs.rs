//! Outputs that cannot be written, and outputs that are not finished: a run that could not say all
//! of it does not end as if it had.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use propice_edge::sink::{OutgoingDecision, OutgoingTransition, Sink};
use propice_edge::source::{DeadLetter, LinesSource};
use propice_flow::{Engine, ViewPart};
use propice_model::LogicalTime;
use propice_run::{Options, execute};
use tempfile::TempDir;

use super::{folder, moment, plan, propice, s, said};

/// A pack, with as many episodes as there are records.
fn shop(records: u64) -> TempDir {
    let record = |number: u64| format!("{{\"c\":\"x\",\"at\":{},\"a\":{}}}\n", 10 * number, number % 2);
    let text: String = (1..=records).map(record).collect();
    let pack = super::INPUTS.to_owned() + &moment("m", "a > 0", "channels = ['push']") + "[channel.push]\n";
    folder(&[("p.toml", &pack), ("data/s.jsonl", &text), ("data/r.jsonl", "")])
}

/// Standard output goes to a device that is full.
fn to_full(folder: &Path, arguments: &str) -> (i32, String) {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
    let (code, _, err) = said(propice(folder, arguments).stdout(Stdio::from(full)).stderr(Stdio::piped()));
    (code, err)
}

#[test]
fn a_full_disk_is_told_by_every_command() {
    let shop = shop(3);
    let (code, _, err) = said(&mut propice(shop.path(), "run p.toml --input data --output out"));
    assert_eq!(code, 0, "{err}");
    for arguments in [
        "run p.toml --input data",
        "run p.toml --input data --quiet --format jsonl",
        "run p.toml --input data --show episodes --format jsonl --workers 3",
        "run p.toml --input data --show decisions --engine reference",
        "run p.toml --input data --output other --format table",
        "views p.toml --input data",
        "why p.toml --input data --customer x",
        "report out",
        "report out --format html",
        "plan p.toml",
        "schema trigger",
        "schema asyncapi p.toml",
        "completions bash",
        "report out --format json --output /dev/full",
    ] {
        let (code, err) = to_full(shop.path(), arguments);
        assert_eq!(code, 3, "{arguments}: {err}");
        assert!(err.contains("No space left on device"), "{arguments}: {err}");
    }
    assert!(!shop.path().join("other").exists(), "nothing of a run that failed");
}

/// Whatever is handed over last.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Transitions,
    Decisions,
    Views,
    DeadLetters,
    Finish,
}

/// A sink that takes nothing of one kind, and notes what it is given.
#[derive(Clone)]
struct Failing {
    at: At,
    given: Arc<Mutex<Vec<At>>>,
}

impl Failing {
    fn take(&self, at: At) -> io::Result<()> {
        self.given.lock().expect("nobody panicked").push(at);
        if at == self.at { Err(io::Error::other(format!("no room for {at:?}"))) } else { Ok(()) }
    }
}

impl Sink for Failing {
    fn transitions(&mut self, _: &[OutgoingTransition<'_>]) -> io::Result<()> {
        self.take(At::Transitions)
    }

    fn decisions(&mut self, _: &[OutgoingDecision<'_>]) -> io::Result<()> {
        self.take(At::Decisions)
    }

    fn views(&mut self, _: &[(ViewPart, LogicalTime, isize)]) -> io::Result<()> {
        self.take(At::Views)
    }

    fn dead_letters(&mut self, _: &[DeadLetter]) -> io::Result<()> {
        self.take(At::DeadLetters)
    }

    fn finish(&mut self, _: LogicalTime) -> io::Result<()> {
        self.take(At::Finish)
    }
}

#[test]
fn the_first_failure_of_a_sink_ends_the_run() {
    let plan = plan(&(super::INPUTS.to_owned() + &moment("m", "a > 0", "")));
    let mut lines = vec!["no record".to_owned()];
    lines.extend((1..3_000).map(|number| s(number, "a", (number % 2) as i64)));
    for at in [At::Transitions, At::Decisions, At::Views, At::DeadLetters, At::Finish] {
        for (engine, workers) in [(Engine::Fused, 1), (Engine::Fused, 2), (Engine::Reference, 1)] {
            let sink = Failing { at, given: Arc::default() };
            let source = LinesSource::new(&plan, "lines", &lines);
            let options = Options { engine, workers, views: true, until: None };
            let done = execute(&plan, Box::new(source), Box::new(sink.clone()), &options);
            let error = done.expect_err("the sink fails").to_string();
            assert_eq!(error, format!("no room for {at:?}"), "{engine:?}");
            let given = sink.given.lock().expect("nobody panicked").clone();
            assert_eq!(given.last(), Some(&at), "{engine:?}: nothing is handed over behind a failure");
            assert_eq!(given.iter().filter(|given| **given == at).count(), 1, "{engine:?}");
        }
    }
}

/// A limit of the size of files stands for a disk that fills up meanwhile.
#[test]
fn a_file_that_cannot_grow_ends_the_run_and_leaves_what_was_there() {
    // What is written while the run goes on, and what only its end writes.
    for (records, kibibytes) in [(3_000, 100), (6, 1)] {
        let shop = shop(3);
        let (code, _, err) = said(&mut propice(shop.path(), "run p.toml --input data --output out"));
        assert_eq!(code, 0, "{err}");
        let decisions = || fs::read_to_string(shop.path().join("out/decisions.jsonl")).expect("an output");
        let before = decisions();
        fs::copy(self::shop(records).path().join("data/s.jsonl"), shop.path().join("data/s.jsonl")).expect("a file");
        // The signal is ignored, so that a write fails.
        let script = format!(
            "ulimit -f {kibibytes}; trap '' XFSZ; exec '{}' run p.toml --input data --output out --quiet",
            env!("CARGO_BIN_EXE_propice")
        );
        let (code, _, err) = said(Command::new("bash").current_dir(shop.path()).args(["-c", &script]));
        assert_eq!(code, 3, "{err}");
        assert!(err.contains(".jsonl: File too large"), "{err}");
        assert_eq!(decisions(), before);
        assert_eq!(names(shop.path()), ["data", "out", "p.toml"], "nothing is left of it");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Starts a run whose standard input stays open, and waits until it has decided of a record.
fn begun(shop: &Path) -> Child {
    let arguments = "run p.toml --input data --input s=- --output out --views none --show decisions --format jsonl";
    let mut run = propice(shop, arguments);
    let mut run = run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let input = run.stdin.as_mut().expect("a pipe");
    input.write_all(b"{\"c\":\"x\",\"at\":1000,\"a\":1}\n").and_then(|()| input.flush()).expect("it reads");
    let mut line = String::new();
    BufReader::new(run.stdout.take().expect("a pipe")).read_line(&mut line).expect("it writes");
    assert!(line.contains("\"verdict\":\"released\""), "{line}");
    run
}

fn ended(mut run: Child) -> (i32, String) {
    drop(run.stdin.take());
    let output = run.wait_with_output().expect("it ends");
    (output.status.code().expect("a code"), String::from_utf8(output.stderr).expect("UTF-8"))
}

#[test]
fn what_vanishes_while_it_is_written_is_told() {
    let shop = shop(3);
    let run = begun(shop.path());
    fs::remove_dir_all(shop.path().join(".out.propice")).expect("it is removed");
    let (code, err) = ended(run);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("out") && err.contains("No such file"), "{err}");
    assert!(!shop.path().join("out/decisions.jsonl").exists());
}

#[test]
fn nothing_looks_finished_before_it_is() {
    let shop = shop(3);
    let run = begun(shop.path());
    let out = || fs::read_dir(shop.path().join("out")).map_or(0, Iterator::count);
    assert_eq!(out(), 0, "a new folder is empty until the end");
    let (code, err) = ended(run);
    assert_eq!(code, 0, "{err}");
    assert!(out() > 0);
    // And of one that is killed nothing is left but what was there.
    let text = || fs::read_to_string(shop.path().join("out/decisions.jsonl")).expect("an output");
    let before = text();
    let mut run = begun(shop.path());
    run.kill().expect("it is killed");
    run.wait().expect("it is over");
    assert_eq!(text(), before);
}

/// What is replaced is another file, never the same one written over: whoever has it open reads it
/// to its end.
#[test]
fn an_output_is_replaced_and_never_written_over() {
    let shop = shop(3);
    let runs = |arguments: &str| {
        let (code, _, err) = said(&mut propice(shop.path(), arguments));
        assert_eq!(code, 0, "{arguments}: {err}");
    };
    let kept = shop.path().join("kept");
    for (arguments, name) in [
        ("run p.toml --input data --output out", "out/decisions.jsonl"),
        ("report out --output report.html", "report.html"),
        ("report out --output report.txt", "report.txt"),
        ("generate bank --customers 5 --days 2 --output bank", "bank/customers.jsonl"),
    ] {
        runs(arguments);
        let path = shop.path().join(name);
        fs::hard_link(&path, &kept).expect("a link");
        let before = fs::read(&kept).expect("a file");
        runs(&arguments.replace("--days 2", "--days 3"));
        assert_ne!(path.metadata().expect("a file").ino(), kept.metadata().expect("a file").ino(), "{name}");
        assert_eq!(fs::read(&kept).expect("a file"), before, "{name}");
        fs::remove_file(&kept).expect("it goes");
    }
    assert_eq!(
        names(shop.path()),
        ["bank", "data", "out", "p.toml", "report.html", "report.txt"],
        "nothing is left beside"
    );
}

/// Whoever looks at the first lines only ends what is shown, not what is written.
#[test]
fn a_pipe_that_is_closed_ends_what_is_shown_and_nothing_else() {
    let shop = shop(3_000);
    for more in ["", " --output out --format jsonl", " --output out --show decisions --format table --workers 2"] {
        let mut run = propice(shop.path(), &format!("run p.toml --input data --quiet{more}"));
        let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop(run.stdout.take());
        let (code, err) = ended(run);
        assert_eq!(code, 0, "{more}: {err}");
        assert!(!err.to_lowercase().contains("pipe"), "{more}: {err}");
        if more.is_empty() {
            continue;
        }
        let out = shop.path().join("out");
        let released = fs::read_to_string(out.join("triggers/push.jsonl")).expect("an output");
        assert!(released.lines().count() > 1, "{more}");
        let decisions = fs::read_to_string(out.join("decisions.jsonl")).expect("an output");
        assert!(decisions.lines().last().is_some_and(|line| line.contains("\"logical_time_ms\":30000,")), "{more}");
        fs::remove_dir_all(out).expect("it goes");
    }
}
