//! The first hour, seen from its output: what is written where, how a run ends, what a pipe gets to
//! see and when.
//!
//! Every case runs the command as a person does: real folders, real signals, a pipe that stays
//! open.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PACK: &str = r#"
[pack]
name = "shop"

[stream.visits]
time   = "at"
about  = "who"
fields = { at = "time", who = "id(customer)", paid = "decimal(2)" }

[customer.feature]
paid_1d = { from = "visits", sum = "paid", window = "1d" }

[moment.spends]
when     = "paid_1d > 10.00"
purpose  = "relationship"
value    = { kind = "experiential", benefit = "Is thanked" }
channels = ["push"]

[channel.push]
"#;

const VISITS: &str = "{\"at\":\"2026-01-01T08:00:00Z\",\"who\":1,\"paid\":12.5}\n\
                      {\"at\":\"2026-01-01T10:00:00Z\",\"who\":2,\"paid\":99}\n";

/// A folder with some files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn shop() -> TempDir {
    folder(&[("shop.toml", PACK), ("data/visits.jsonl", VISITS)])
}

fn propice(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
    command.current_dir(folder).args(arguments.split_whitespace()).stdin(Stdio::null());
    command
}

/// Exit code, standard output and standard error.
fn said(folder: &Path, arguments: &str) -> (i32, String, String) {
    let output = propice(folder, arguments).output().expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
}

fn runs(folder: &Path, arguments: &str) -> String {
    let (code, _, err) = said(folder, arguments);
    assert_eq!(code, 0, "{arguments}: {err}");
    err
}

/// That it does not begin, and why.
fn refused(folder: &Path, arguments: &str) -> String {
    let before = all(folder);
    let (code, out, err) = said(folder, arguments);
    assert_eq!((code, out.as_str()), (2, ""), "{arguments}: {err}");
    assert_eq!(all(folder), before, "{arguments}: nothing is touched");
    err
}

/// Every file below a folder with what is in it, also hidden ones.
fn all(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").display().to_string();
                files.insert(name, fs::read(&path).unwrap_or_default());
            }
        }
    }
    files
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

/// A run whose standard input stays open.
struct Open {
    child: Child,
    input: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Open {
    fn start(folder: &Path, arguments: &str) -> Open {
        let mut command = propice(folder, arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command runs");
        let input = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Open { child, input, lines }
    }

    fn give(&mut self, text: &str) {
        let input = self.input.as_mut().expect("it is open");
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).expect("it is read");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        line
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    }

    /// Exit code and standard error, while the pipe is still open.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
        (self.child.wait().expect("it ends").code(), said)
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn visit(at: &str, who: u32, paid: &str) -> String {
    format!("{{\"at\":\"2026-01-01T{at}Z\",\"who\":{who},\"paid\":{paid}}}\n")
}

fn triggers(folder: &Path) -> Vec<String> {
    fs::read_to_string(folder.join("triggers/push.jsonl")).expect("triggers").lines().map(str::to_owned).collect()
}

#[test]
fn an_output_folder_in_which_inputs_lie_is_refused() {
    let shop = shop();
    std::os::unix::fs::symlink("data", shop.path().join("link")).expect("a link");
    write(shop.path(), "sub/here", "");
    for (input, output) in [
        ("data", "data"),
        ("data", "data/"),
        ("./data", "sub/../data"),
        ("data", "link"),
        ("link", "data"),
        ("visits=data/visits.jsonl", "data"),
        ("visits=data/visits.jsonl", "."),
    ] {
        for force in ["", " --force"] {
            let err = refused(shop.path(), &format!("run shop.toml --input {input} --output {output}{force}"));
            assert!(err.contains("data/visits.jsonl") || err.contains("link/visits.jsonl"), "{err}");
        }
    }
    // A folder that is ours is no place for inputs either.
    runs(shop.path(), "run shop.toml --input data --output out");
    write(shop.path(), "out/visits.jsonl", VISITS);
    let err = refused(shop.path(), "run shop.toml --input out --output out");
    assert!(err.contains("the input out/visits.jsonl lies in it"), "{err}");
    std::os::unix::fs::symlink("../data/visits.jsonl", shop.path().join("out/linked.jsonl")).expect("a link");
    refused(shop.path(), "run shop.toml --input visits=out/linked.jsonl --output out");
    // Below the inputs there is room.
    runs(shop.path(), "run shop.toml --input data --output data/out");
    assert_eq!(triggers(&shop.path().join("data/out")).len(), 2);
}

#[test]
fn a_stream_called_episodes_keeps_its_file() {
    let pack = PACK.replace("visits", "episodes");
    let shop = folder(&[("shop.toml", &pack), ("data/episodes.jsonl", VISITS)]);
    refused(shop.path(), "run shop.toml --input data --output data");
    refused(shop.path(), "run shop.toml --input data --output data --force");
    runs(shop.path(), "run shop.toml --input data --output out");
}

#[test]
fn what_propice_did_not_write_is_never_replaced_nor_removed() {
    let shop = shop();
    write(shop.path(), "mine/notes.txt", "mine");
    for force in ["", " --force"] {
        let err = refused(shop.path(), &format!("run shop.toml --input data --output mine{force}"));
        assert!(err.starts_with("mine: propice did not write this folder, and it is not empty (notes.txt)"), "{err}");
        refused(shop.path(), &format!("generate bank --customers 10 --days 1 --output mine{force}"));
    }
    // A mark that nobody can read is none.
    write(shop.path(), "mine/.propice.json", "{}");
    refused(shop.path(), "run shop.toml --input data --output mine --force");

    fs::create_dir(shop.path().join("out")).expect("a folder");
    runs(shop.path(), "run shop.toml --input data --output out");
    let written = all(&shop.path().join("out"));
    // What is put beside our files stays, and does not keep them from being replaced.
    write(shop.path(), "out/notes.txt", "mine");
    write(shop.path(), "out/triggers/notes.txt", "mine");
    write(shop.path(), "out/more/notes.txt", "mine");
    fs::remove_file(shop.path().join("out/views.jsonl")).expect("a file");
    runs(shop.path(), "run shop.toml --input data --output out");
    let mut now = all(&shop.path().join("out"));
    for name in ["notes.txt", "triggers/notes.txt", "more/notes.txt"] {
        assert_eq!(now.remove(name).as_deref(), Some(&b"mine"[..]), "{name}");
    }
    assert_eq!(now, written);
    // Where we would put a file, and somebody else has one.
    let other = PACK.replace("push", "mail");
    write(shop.path(), "other.toml", &other);
    write(shop.path(), "out/triggers/mail.jsonl", "mine");
    let err = refused(shop.path(), "run other.toml --input data --output out --force");
    assert!(err.contains("propice did not write triggers/mail.jsonl"), "{err}");
    // What was changed is replaced only when that is asked for.
    write(shop.path(), "out/decisions.jsonl", "changed\n");
    let err = refused(shop.path(), "run shop.toml --input data --output out");
    assert!(err.contains("changed since propice wrote it: decisions.jsonl"), "{err}");
    runs(shop.path(), "run shop.toml --input data --output out --force");
    assert_ne!(fs::read_to_string(shop.path().join("out/decisions.jsonl")).expect("a file"), "changed\n");
    assert_eq!(names(shop.path()), ["data", "mine", "other.toml", "out", "shop.toml"]);
}

#[test]
fn generated_streams_and_reports_replace_only_their_like() {
    let shop = shop();
    let generate = "generate bank --customers 10 --days 1 --output streams";
    runs(shop.path(), generate);
    let plain = names(&shop.path().join("streams"));
    assert!(plain.contains(&"ledger.jsonl".to_owned()), "{plain:?}");
    runs(shop.path(), &format!("{generate} --compress gz"));
    let packed = names(&shop.path().join("streams"));
    assert!(packed.iter().all(|name| name == ".propice.json" || name.rsplit('.').next() == Some("gz")), "{packed:?}");
    let err = refused(shop.path(), "run shop.toml --input data --output streams");
    assert!(err.contains("it holds generated streams"), "{err}");

    runs(shop.path(), "run shop.toml --input data --output out");
    write(shop.path(), "mine.html", "<!DOCTYPE html>\n<p>mine</p>");
    write(shop.path(), "mine.txt", "mine\n");
    write(shop.path(), "mine.json", "{}");
    for name in ["mine.html", "mine.txt", "mine.json"] {
        let err = refused(shop.path(), &format!("report out --output {name}"));
        assert!(err.contains("propice did not write this file"), "{err}");
    }
    for name in ["report.html", "report.txt", "report.json"] {
        runs(shop.path(), &format!("report out --output {name}"));
        let first = fs::read(shop.path().join(name)).expect("a report");
        write(shop.path(), "out/decisions.jsonl", "");
        runs(shop.path(), &format!("report out --output {name}"));
        assert_ne!(fs::read(shop.path().join(name)).expect("a report"), first, "{name}");
        runs(shop.path(), "run shop.toml --input data --output out --force");
    }
}

#[test]
fn a_run_replaces_the_whole_output_of_the_one_before() {
    let shop = shop();
    runs(shop.path(), "run shop.toml --input data --output out");
    assert_eq!(names(&shop.path().join("out/triggers")), ["push.jsonl"]);
    write(shop.path(), "other.toml", &PACK.replace("push", "mail"));
    runs(shop.path(), "run other.toml --input data --output out --views none");
    assert_eq!(names(&shop.path().join("out/triggers")), ["mail.jsonl"]);
    assert!(!shop.path().join("out/views.jsonl").exists());
    // Also through a link, in the folder itself, and where somebody else's files keep folders from
    // changing places.
    std::os::unix::fs::symlink("out", shop.path().join("link")).expect("a link");
    runs(shop.path(), "run shop.toml --input data --output link");
    assert!(shop.path().join("link").is_symlink());
    assert_eq!(names(&shop.path().join("out/triggers")), ["push.jsonl"]);
    runs(&shop.path().join("out"), "run ../other.toml --input ../data --output .");
    assert_eq!(names(&shop.path().join("out/triggers")), ["mail.jsonl"]);
    write(shop.path(), "out/notes.txt", "mine");
    runs(shop.path(), "run shop.toml --input data --output out");
    assert_eq!(names(&shop.path().join("out/triggers")), ["push.jsonl"]);
    assert_eq!(names(shop.path()), ["data", "link", "other.toml", "out", "shop.toml"]);
    // A run that fails leaves what was there.
    let before = all(&shop.path().join("out"));
    write(shop.path(), "bad/visits.csv", "when,whom\n");
    let (code, _, _) = said(shop.path(), "run shop.toml --input bad --output out");
    assert_eq!((code, all(&shop.path().join("out")) == before), (1, true));
    assert_eq!(said(shop.path(), "run shop.toml --input bad --output new").0, 1);
    assert_eq!(names(shop.path()), ["bad", "data", "link", "other.toml", "out", "shop.toml"]);
}

#[test]
fn two_runs_do_not_write_one_folder_at_once() {
    let shop = shop();
    runs(shop.path(), "run shop.toml --input data --output out");
    let before = all(&shop.path().join("out"));
    let mut first = Open::start(shop.path(), "run shop.toml --input - --output out --format jsonl");
    first.give(&visit("08:00:00", 7, "20"));
    assert!(first.line().contains("\"customer\":\"7\""));
    let (code, _, err) = said(shop.path(), "run shop.toml --input data --output out --force");
    assert_eq!(code, 3, "{err}");
    assert!(err.starts_with(&format!("out: process {} on ", first.child.id())) && err.contains(" since 2"), "{err}");
    assert_eq!(all(&shop.path().join("out")), before, "it is published at its end");
    // Killed, it blocks nobody, and what was there is there.
    first.signal("KILL");
    assert_eq!(first.end().0, None);
    assert_eq!(all(&shop.path().join("out")), before);
    runs(shop.path(), "run shop.toml --input data --output out");
    assert_eq!(all(&shop.path().join("out")), before);
    assert_eq!(names(shop.path()), ["data", "out", "shop.toml"]);
}

#[test]
fn a_reader_finds_one_output_or_the_other_also_when_runs_are_killed() {
    let shop = shop();
    write(shop.path(), "more/visits.jsonl", &VISITS.repeat(3_000));
    write(shop.path(), "other.toml", &PACK.replace("push", "mail"));
    runs(shop.path(), "run shop.toml --input more --output out --show episodes");
    let one = all(&shop.path().join("out"));
    runs(shop.path(), "run other.toml --input more --output out");
    let other = all(&shop.path().join("out"));
    for round in 0..20 {
        let pack = if round % 2 == 0 { "shop" } else { "other" };
        let mut run = propice(shop.path(), &format!("run {pack}.toml --input more --output out --quiet"));
        let mut run = run.spawn().expect("the command runs");
        std::thread::sleep(Duration::from_millis(round * 6));
        run.kill().expect("it is killed, or over");
        run.wait().expect("it ends");
        let now = all(&shop.path().join("out"));
        assert!(now == one || now == other, "round {round}: {:?}", now.keys());
    }
    runs(shop.path(), "run shop.toml --input more --output out");
    assert_eq!(all(&shop.path().join("out")), one);
    assert_eq!(names(shop.path()), ["data", "more", "other.toml", "out", "shop.toml"]);
}

#[test]
fn a_signal_ends_a_run_with_what_was_read() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        for more in ["", " --engine reference --workers 2"] {
            let shop = shop();
            let mut run = Open::start(shop.path(), &format!("run shop.toml --input visits=- --output out{more}"));
            run.give(&(visit("08:00:00", 1, "20") + &visit("09:00:00", 2, "1") + &visit("09:00:00", 3, "30")));
            // They are read, and the pipe stays open. The last one is not whole: it was not read.
            run.give("{\"at\":\"2026-01-01T10:00:00Z\",\"who\":4,\"pa");
            std::thread::sleep(Duration::from_millis(300));
            run.signal(signal);
            let pipe = run.input.take();
            let (ended, err) = run.end();
            drop(pipe);
            assert_eq!(ended, Some(code), "{err}");
            assert!(err.contains("what was read until then is decided and published"), "{err}");
            assert!(err.contains("3 records in ") && err.contains("0 dead letters"), "{err}");
            assert_eq!(triggers(&shop.path().join("out")).len(), 2, "{signal}");
            assert_eq!(names(&shop.path().join("out")).len(), 6, "no part of a file is left");
            assert_eq!(names(shop.path()), ["data", "out", "shop.toml"]);
        }
    }
}

#[test]
fn a_signal_ends_a_run_whose_pipe_has_given_nothing() {
    let shop = shop();
    let run = Open::start(shop.path(), "run shop.toml --input - --output out");
    until("it has begun", || shop.path().join(".out.propice").exists());
    std::thread::sleep(Duration::from_millis(100));
    run.signal("TERM");
    assert_eq!(run.end().0, Some(143));
    assert_eq!(names(shop.path()), ["data", "shop.toml"]);
}

#[test]
fn a_second_signal_ends_a_run_at_once() {
    let shop = shop();
    let mut run = Open::start(shop.path(), "run shop.toml --input - --format jsonl");
    // More than a pipe holds, and nobody takes it: the run cannot end.
    let text: String = (0..500).map(|who| visit("08:00:00", who, "20")).collect();
    run.give(&text);
    std::thread::sleep(Duration::from_millis(500));
    run.signal("INT");
    std::thread::sleep(Duration::from_millis(200));
    assert!(run.child.try_wait().expect("it runs").is_none());
    run.signal("INT");
    assert_eq!(run.child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_record_of_an_open_pipe_takes_effect_as_it_comes() {
    let shop = shop();
    for more in ["", " --engine reference", " --workers 2 --output out", " --views changes"] {
        let mut run = Open::start(shop.path(), &format!("run shop.toml --input - --format jsonl{more}"));
        let mut waited = Vec::new();
        for hour in 0..9 {
            let record = visit(&format!("0{hour}:00:00"), hour, "20");
            let begin = Instant::now();
            run.give(&record);
            let line = run.line();
            waited.push(begin.elapsed());
            assert!(line.contains(&format!("\"customer\":\"{hour}\"")), "{line}");
        }
        // The first one waits for the process to begin.
        waited.remove(0);
        waited.sort_unstable();
        assert!(waited[waited.len() / 2] < Duration::from_millis(100), "{more}: {waited:?}");
        drop(run.input.take());
        assert_eq!(run.end().0, Some(0));
    }
    assert_eq!(triggers(&shop.path().join("out")).len(), 9);
}

#[test]
fn what_shares_a_millisecond_and_a_write_takes_effect_together() {
    let shop = shop();
    let arguments = "run shop.toml --input - --show decisions --format jsonl";
    let mut run = Open::start(shop.path(), arguments);
    run.give(&(visit("08:00:00", 1, "6") + &visit("08:00:00", 1, "7") + &visit("08:00:00", 1, "8")));
    let line = run.line();
    assert!(line.contains("\"evidence\":{\"paid_1d\":21.00}"), "{line}");
    // That time is over: what comes behind is late, and takes effect a millisecond later.
    run.give(&visit("08:00:00", 2, "50"));
    let line = run.line();
    assert!(line.contains("\"time\":\"2026-01-01T08:00:00.001Z\"") && line.contains("\"customer\":\"2\""), "{line}");
    // Whoever writes half a record is not done.
    run.give(&(visit("09:00:00", 3, "6") + "{\"at\":\"2026-01-01T09:00:00Z\","));
    std::thread::sleep(Duration::from_millis(150));
    run.give("\"who\":3,\"paid\":7}\n");
    let line = run.line();
    assert!(line.contains("\"time\":\"2026-01-01T09:00:00Z\"") && line.contains("13.00"), "{line}");
    drop(run.input.take());
    let (code, err) = run.end();
    assert!(code == Some(0) && err.contains("6 records in ") && err.contains(", 1 late,"), "{err}");
}

#[test]
fn a_pipe_gives_what_a_file_gives() {
    let shop = shop();
    let visits: String = (0..5_000).map(|n| visit(&format!("{:02}:00:00", n / 500), n % 50, "3")).collect();
    write(shop.path(), "data/visits.jsonl", &visits);
    runs(shop.path(), "run shop.toml --input data --output file");
    let pipe = "cat data/visits.jsonl | \"$0\" run shop.toml --input - --output pipe";
    let redirected = "\"$0\" run shop.toml --input - --output redirected < data/visits.jsonl";
    for command in [pipe, redirected] {
        let mut shell = Command::new("sh");
        let shell = shell.current_dir(shop.path()).args(["-c", command, env!("CARGO_BIN_EXE_propice")]);
        assert!(shell.status().expect("a shell").success());
    }
    let file = all(&shop.path().join("file"));
    assert_eq!(all(&shop.path().join("pipe")), file);
    assert_eq!(all(&shop.path().join("redirected")), file);
}

#[test]
fn standard_input_alone_is_the_only_input_of_a_pack() {
    let shop = shop();
    let pack = format!("{PACK}\n[stream.calls]\ntime = \"at\"\nfields = {{ at = \"time\" }}\n");
    write(shop.path(), "two.toml", &pack);
    let err = refused(shop.path(), "run two.toml --input -");
    assert!(err.contains("shop has visits, calls") || err.contains("shop has calls, visits"), "{err}");
    assert!(err.contains("=-"), "{err}");
    // With its header and all, as it comes.
    let mut run = Open::start(shop.path(), "run shop.toml -i - --format jsonl");
    run.give("at,who,paid\n");
    run.give("2026-01-01T08:00:00Z,5,20\n");
    assert!(run.line().contains("\"customer\":\"5\""));
    run.signal("TERM");
    assert_eq!(run.end().0, Some(143));
}

const BACKFILL: &str = r#"
[pack]
name = "backfill"

[stream.visits]
time   = "at"
about  = "who"
fields = { at = "time", who = "id(customer)", paid = "decimal(2)" }

[customer.feature]
paid_2d = { from = "visits", sum = "paid", window = "2d" }

[moment.spends]
when     = "paid_2d > 10.00"
purpose  = "relationship"
value    = { kind = "experiential", benefit = "Is thanked" }
cooldown = "30d"
success  = "paid_2d > 50.00"
success_within = "10d"
channels = ["push"]

[channel.push]

[policy]
quiet    = { hours = "20:00-08:00" }
pressure = [ { at_most = 1, per = "30d" } ]
"#;

#[test]
fn a_first_run_over_the_past_says_nothing_of_it() {
    let visits = "{\"at\":\"2026-01-05T09:00:00Z\",\"who\":\"again\",\"paid\":20}\n\
                  {\"at\":\"2026-01-09T12:00:00Z\",\"who\":\"open\",\"paid\":20}\n\
                  {\"at\":\"2026-01-09T21:00:00Z\",\"who\":\"night\",\"paid\":20}\n\
                  {\"at\":\"2026-01-12T09:00:00Z\",\"who\":\"again\",\"paid\":20}\n\
                  {\"at\":\"2026-01-13T09:00:00Z\",\"who\":\"open\",\"paid\":60}\n";
    let shop = folder(&[("shop.toml", BACKFILL), ("data/visits.jsonl", visits)]);
    let mut before: Option<BTreeMap<String, Vec<u8>>> = None;
    for more in ["", " --workers 2", " --engine reference", " --engine reference --workers 4"] {
        let from = "--publish-from 2026-01-10 --until 2026-02-01 --views changes --output out";
        let err = runs(shop.path(), &format!("run shop.toml --input data {from}{more}"));
        let line = "held back before 2026-01-10 00:00:00: 2 triggers that count as not said, 3 decisions in all, 4";
        assert!(err.contains(line), "{err}");
        let out = shop.path().join("out");
        let read = |name: &str| fs::read_to_string(out.join(name)).expect("an output");
        for name in ["decisions.jsonl", "episodes.jsonl", "triggers/push.jsonl"] {
            let early = read(name).lines().filter(|line| line.contains("\"2026-01-0")).count();
            let opened_before = read(name).lines().filter(|line| line.contains("\"time\":\"2026-01-0")).count();
            assert_eq!(opened_before, 0, "{name}: {early}");
        }
        let told: Vec<String> = triggers(&out).iter().map(|line| told(line)).collect();
        assert_eq!(
            told,
            [
                // It opened in the night before, and is released in the morning after.
                "2026-01-10T08:00:00Z night released",
                "2026-01-11T21:00:00Z night withdrawn",
                // What was not said a week ago is no contact, and no reason for a cooldown.
                "2026-01-12T09:00:00Z again released",
                // What was not said is not taken back; the second episode of the same customer is
                // said.
                "2026-01-13T09:00:00Z open released",
                "2026-01-14T09:00:00Z again withdrawn",
                "2026-01-15T09:00:00Z open withdrawn",
            ]
        );
        // Whether it helped is told of what was said, and of nothing else.
        let outcomes = read("decisions.jsonl").lines().filter(|line| line.contains("\"outcome\"")).count();
        assert_eq!(outcomes, 3);
        // The views as they stand at that time come first.
        let views = read("views.jsonl");
        let first: Vec<&str> = views.lines().take(3).collect();
        let stands = |line: &&str| line.contains(&format!("\"logical_time_ms\":{}", 1_768_003_200_000_u64));
        assert!(first.iter().all(stands) && views.lines().filter(stands).count() == 3, "{views}");
        let now = all(&out);
        assert!(before.as_ref().is_none_or(|before| *before == now), "{more}");
        before = Some(now);
    }
    // On standard output as well; and all of it without the option.
    let arguments = "run shop.toml --input data --until 2026-02-01 --format jsonl --quiet";
    let (_, out, _) = said(shop.path(), &format!("{arguments} --publish-from 2026-01-10T00:00:00Z"));
    assert_eq!(out.lines().count(), 6);
    let (_, out, _) = said(shop.path(), arguments);
    let all: Vec<String> = out.lines().map(told).collect();
    assert!(all.contains(&"2026-01-09T12:00:00Z open released".to_owned()), "{all:?}");
    assert!(!all.contains(&"2026-01-12T09:00:00Z again released".to_owned()), "{all:?}");
    let (code, _, err) = said(shop.path(), "run shop.toml --input data --publish-from soon");
    assert!(code == 2 && err.contains("--publish-from takes a time such as"), "{err}");
}

/// Time, customer and verdict of a trigger.
fn told(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).expect("a trigger");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    format!("{} {} {}", text(&event["time"]), text(&event["subject"]), text(&event["data"]["verdict"]))
}
