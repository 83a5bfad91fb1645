//! The first hour, inputs: what is missing, damaged, written otherwise or of another time is told,
//! and never passes in silence. The command is run as a person runs it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

const PACK: &str = r#"
[pack]
name = "shop"

[stream.visits]
time   = "at"
about  = "who"
fields = { at = "time", who = "id(customer)", paid = "decimal(2)" }

[table.people]
key    = ["who"]
about  = "who"
fields = { who = "id(customer)", name = "text" }

[customer.feature]
paid = { from = "visits", sum = "paid" }

[moment.spends]
when    = "paid > 10.00"
purpose = "relationship"
value   = { kind = "experiential", benefit = "Is thanked" }
reason  = { en = "You paid {paid}" }
"#;
/// 2026-03-02T09:00:00Z.
const START_MS: u64 = 1_772_442_000_000;
const PEOPLE: &str = "who,name\n1,Ada\n";

/// `shop.toml`, and files in `data`.
fn shop(files: &[(&str, &[u8])]) -> TempDir {
    shop_of(PACK, files)
}

fn shop_of(pack: &str, files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("data")).expect("a folder");
    fs::write(folder.path().join("shop.toml"), pack).expect("a pack");
    for (name, bytes) in files {
        fs::write(folder.path().join("data").join(name), bytes).expect("a file");
    }
    folder
}

fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
    command.current_dir(folder.path()).args(arguments);
    command
}

/// Exit code, standard output and standard error.
fn said(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the command runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("a code"), text(&output.stdout), text(&output.stderr))
}

fn propice(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    said(&mut command(folder, arguments))
}

/// `run --quiet` into the folder `out`.
fn run(folder: &TempDir, more: &[&str]) -> (i32, String) {
    let _ = fs::remove_dir_all(folder.path().join("out"));
    let (code, out, err) =
        propice(folder, &[&["run", "shop.toml", "-i", "data", "--output", "out", "--quiet"], more].concat());
    assert_eq!(out, "");
    (code, err)
}

fn written(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join("out").join(name)).expect("an output")
}

/// Visits, one a second, of 20 customers: each pays 1.00, so that everybody has a moment at the
/// eleventh.
fn visits(count: u64) -> String {
    let mut lines = String::new();
    for number in 0..count {
        let _ = writeln!(lines, "{{\"at\":{},\"who\":{},\"paid\":1.00}}", START_MS + number * 1_000, 1 + number % 20);
    }
    lines
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).expect("memory")
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Inputs without a file

#[test]
fn every_input_without_a_file_is_told_with_what_lies_there_instead() {
    let shop = shop(&[("visit.jsonl", b""), ("people.parquet", b"PAR1"), ("notes.txt", b"")]);
    fs::create_dir(shop.path().join("data/archive")).expect("a folder");
    for command in ["run", "views", "why"] {
        let more: &[&str] = match command {
            "run" => &["--quiet", "--output", "out"],
            "why" => &["--customer", "1"],
            _ => &[],
        };
        let (code, out, err) = propice(&shop, &[&[command, "shop.toml", "--input", "data"], more].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{command}: {err}");
        holds(
            &err,
            &[
                "no file for `visits`, `people`",
                "data/visit.jsonl is not called so: rename it, or say --input visits=data/visit.jsonl",
                "data/people.parquet is of a format that is not read",
                "not taken in data: archive/, notes.txt, people.parquet, visit.jsonl\n",
                "optional = true",
                "--missing-ok",
            ],
        );
    }
    assert!(!shop.path().join("out").exists(), "nothing was begun");
}

#[test]
fn a_folder_another_packing_and_another_ending_are_seen() {
    for (name, said) in [
        ("Visits.JSONL.bz2", "is packed in a way that is not read"),
        ("visits.json", "--input visits=data/visits.json"),
        ("2026-03_visits.jsonl", "--input visits=data/2026-03_visits.jsonl"),
        ("VISITS.csv.old", "--input visits=data/VISITS.csv.old"),
    ] {
        let shop = shop(&[("people.csv", PEOPLE.as_bytes()), (name, b"")]);
        let (code, err) = run(&shop, &[]);
        assert_eq!(code, 2, "{name}");
        holds(&err, &["no file for `visits`, which", said, name]);
        assert!(!err.contains("`people`"), "{err}");
    }
    let shop = shop(&[("people.csv", PEOPLE.as_bytes())]);
    fs::create_dir(shop.path().join("data/visits")).expect("a folder");
    fs::write(shop.path().join("data/visits/part-0.jsonl"), visits(1)).expect("a file");
    let (code, err) = run(&shop, &[]);
    assert_eq!(code, 2);
    holds(&err, &["data/visits is a folder", "not taken in data: visits/\n"]);
    // Nothing at all, and an input that only is named.
    let (code, _, err) = propice(&shop, &["run", "shop.toml", "-i", "data/visits"]);
    assert_eq!(code, 2);
    holds(&err, &["no file for `visits`, `people`", "not taken in data/visits: part-0.jsonl\n"]);
    let (code, _, err) = propice(&shop, &["run", "shop.toml", "-i", "people=data/people.csv"]);
    assert_eq!(code, 2);
    holds(&err, &["no file for `visits`", "no --input names it"]);
}

#[test]
fn what_may_be_absent_is_said_in_the_pack_or_on_the_command_line() {
    let visits = visits(20);
    let files: [(&str, &[u8]); 1] = [("visits.jsonl", visits.as_bytes())];
    let shop = shop(&files);
    assert_eq!(run(&shop, &[]).0, 2);
    let (code, err) = run(&shop, &["--missing-ok"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let (code, _, err) = propice(&shop, &["run", "shop.toml", "-i", "data", "--missing-ok"]);
    assert_eq!(code, 0);
    holds(&err, &["no file for people\n"]);
    assert_eq!(propice(&shop, &["views", "shop.toml", "-i", "data", "--missing-ok"]).0, 0);
    assert_eq!(propice(&shop, &["why", "shop.toml", "-i", "data", "--missing-ok", "--customer", "1"]).0, 0);

    let optional = PACK.replace("key    = [\"who\"]", "key    = [\"who\"]\noptional = true");
    let shop = shop_of(&optional, &files);
    let (code, err) = run(&shop, &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    let (code, _, err) = propice(&shop, &["run", "shop.toml", "-i", "data"]);
    assert_eq!(code, 0);
    holds(&err, &["no file for people\n"]);
    let (_, out, _) = propice(&shop, &["plan", "shop.toml"]);
    holds(&out, &["table people (may be absent)\n"]);
    // Optional and yet misnamed: that is said whatever is asked for.
    fs::write(shop.path().join("data/poeple.csv"), PEOPLE).expect("a file");
    let (code, err) = run(&shop, &[]);
    assert_eq!(code, 0);
    holds(&err, &["warning: no file for people, and data/poeple.csv is not called so"]);
    // What is named has to be there.
    for more in [&["-i", "people=none.csv"][..], &["-i", "people=none.csv", "--missing-ok"]] {
        let (code, err) = run(&shop, more);
        assert_eq!(code, 3);
        assert!(err.starts_with("none.csv: "), "{err}");
    }
}

#[test]
fn a_case_whose_folder_holds_a_file_of_nearly_the_right_name_does_not_pass() {
    let pack = format!("{PACK}\n[[test]]\nname = \"nothing\"\ngiven = \"given\"\nsilent = [\"spends\"]\n");
    let shop = shop_of(&pack, &[]);
    fs::create_dir(shop.path().join("given")).expect("a folder");
    fs::write(shop.path().join("given/visits.jsonl"), visits(1)).expect("a file");
    let (code, out, err) = propice(&shop, &["test", "shop.toml"]);
    assert_eq!(code, 0, "{out}{err}");
    fs::rename(shop.path().join("given/visits.jsonl"), shop.path().join("given/visit.jsonl")).expect("renamed");
    let (code, out, err) = propice(&shop, &["test", "shop.toml"]);
    assert_ne!(code, 0);
    holds(&format!("{out}{err}"), &["no file for `visits`", "visit.jsonl is not called so"]);
}

#[test]
fn the_first_command_of_the_readme_runs() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
    command.current_dir(Path::new(crate::ROOT)).args(["run", "dataflows/bank.toml"]);
    let (code, out, err) = said(&mut command);
    assert_eq!(code, 0, "{err}");
    assert!(!out.is_empty() && !err.contains("warning") && !err.contains("no file"), "{err}");
}

// ---------------------------------------------------------------------------------------------------------------------
// Files that are damaged

#[test]
fn a_file_that_was_cut_off_ends_the_run_with_what_was_read() {
    // Numbers that do not repeat, so that the half of the packed file holds the half of the
    // records.
    let mut lines = String::new();
    for number in 0..20_000_u64 {
        let (at, who) = (START_MS + number * 1_000, number * 7_919 % 1_009);
        let _ = writeln!(lines, "{{\"at\":{at},\"who\":{who},\"paid\":{}.{:02}}}", number % 7, number * 31 % 100);
    }
    let csv = lines.replace("{\"at\":", "").replace(",\"who\":", ",").replace(",\"paid\":", ",").replace('}', "");
    let csv = format!("at,who,paid\n{csv}");
    for (name, whole) in [
        ("visits.jsonl.gz", gzip(lines.as_bytes())),
        ("visits.jsonl.zst", zstd(lines.as_bytes())),
        ("visits.csv.gz", gzip(csv.as_bytes())),
        ("visits.csv.zst", zstd(csv.as_bytes())),
    ] {
        let shop = shop(&[("people.csv", PEOPLE.as_bytes()), (name, &whole[..whole.len() / 2])]);
        let (code, err) = run(&shop, &["--until", "2030-01-01"]);
        assert_eq!(code, 3, "{name}: {err}");
        holds(
            &err,
            &[&format!("data/{name}: it ends too early, as if it had been cut off, behind line "), "is decided"],
        );
        let decisions = written(&shop, "decisions.jsonl");
        let released = decisions.lines().filter(|line| line.contains("\"verdict\":\"released\"")).count();
        assert!(released > 100, "{name}: {released}");
        let dead = written(&shop, "dead_letters.jsonl");
        assert_eq!(dead.lines().count(), 1, "what was read of the last line");
        let files = fs::read_dir(shop.path().join("out")).expect("a folder");
        assert!(!files.into_iter().any(|file| file.expect("a file").file_name().to_string_lossy().contains("partial")));
        // The same as the records that were read, whole; for every engine and number of workers.
        let last: usize =
            err.split("behind line ").nth(1).and_then(|rest| rest.split(':').next()?.parse().ok()).expect("a line");
        assert!(last > 1_000 && last < 19_000, "{last}");
        for more in [&["--engine", "reference"][..], &["--workers", "2"], &["--workers", "4"]] {
            let before = decisions.clone();
            assert_eq!(run(&shop, more).0, 3);
            assert_eq!(written(&shop, "decisions.jsonl"), before, "{name} {more:?}");
        }
        let text = if name.contains("csv") { &csv } else { &lines };
        let prefix: String = text.lines().take(last).flat_map(|line| [line, "\n"]).collect();
        fs::remove_file(shop.path().join("data").join(name)).expect("removed");
        fs::write(shop.path().join("data").join(name.rsplit_once('.').expect("an ending").0), prefix).expect("a file");
        assert_eq!(run(&shop, &[]), (0, String::new()));
        assert_eq!(written(&shop, "decisions.jsonl"), decisions, "{name}");
    }
}

#[test]
fn a_small_file_that_was_cut_off_is_counted_and_told() {
    let whole = gzip(visits(400).as_bytes());
    let shop = shop(&[("people.csv", PEOPLE.as_bytes()), ("visits.jsonl.gz", &whole[..whole.len() - 9])]);
    let (code, out, err) = propice(&shop, &["run", "shop.toml", "-i", "data"]);
    assert_eq!(code, 3);
    assert!(out.contains("spends"), "what was decided is shown: {out}");
    holds(&err, &["records in ", "visits.jsonl.gz: it ends too early"]);
    assert!(!err.contains("--until TIME moves it on"), "the clock stands where the records end: {err}");
    // Views as of what was read, and an explanation that is none.
    let (code, out, err) = propice(&shop, &["views", "shop.toml", "-i", "data", "--customer", "1"]);
    assert_eq!(code, 3);
    assert!(out.starts_with("{\"customer\":\"1\""), "{out}");
    holds(&err, &["visits.jsonl.gz: it ends too early"]);
    let (code, _, err) = propice(&shop, &["why", "shop.toml", "-i", "data", "--customer", "1"]);
    assert_eq!(code, 3);
    holds(&err, &["visits.jsonl.gz: it ends too early"]);
    // Damaged in the middle, empty, and none at all.
    let mut damaged = gzip(visits(20_000).as_bytes());
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    fs::write(shop.path().join("data/visits.jsonl.gz"), damaged).expect("a file");
    let (code, err) = run(&shop, &[]);
    assert_eq!(code, 3, "{err}");
    holds(&err, &["data/visits.jsonl.gz: it is damaged behind line "]);
    for name in ["visits.jsonl.gz", "visits.jsonl.zst"] {
        let _ = fs::remove_file(shop.path().join("data/visits.jsonl.gz"));
        fs::write(shop.path().join("data").join(name), "").expect("a file");
        let (code, err) = run(&shop, &[]);
        assert_eq!(code, 3, "{name}: {err}");
        holds(&err, &[name]);
    }
}

#[test]
fn standard_input_that_was_cut_off_is_told() {
    let whole = gzip(visits(20_000).as_bytes());
    let shop = shop(&[("people.csv", PEOPLE.as_bytes())]);
    let arguments = ["run", "shop.toml", "-i", "data", "-i", "visits=-", "-q", "-o", "out"];
    let (code, _, err) = said(command(&shop, &arguments).write_stdin(&whole[..whole.len() / 2]));
    assert_eq!(code, 3);
    holds(&err, &["-: it ends too early"]);
    assert!(written(&shop, "decisions.jsonl").contains("\"released\""));
}

// ---------------------------------------------------------------------------------------------------------------------
// Files that are written otherwise

/// A run over visits that are all refused: what is said of them.
fn refused(pack: &str, name: &str, bytes: &[u8]) -> String {
    let shop = shop_of(pack, &[("people.csv", PEOPLE.as_bytes()), (name, bytes)]);
    let (code, err) = run(&shop, &[]);
    assert_eq!(code, 4, "{name}: {err}");
    holds(
        &err,
        &[
            &format!("data/{name}: "),
            "refused, as records of `visits`",
            "expected  ",
            "found     line ",
            "--max-dead-letters",
        ],
    );
    assert_eq!(propice(&shop, &["views", "shop.toml", "-i", "data"]).0, 4);
    assert!(!written(&shop, "dead_letters.jsonl").is_empty());
    err
}

#[test]
fn a_json_array_is_no_json_lines() {
    let visits = visits(5);
    let lines: Vec<&str> = visits.lines().collect();
    let compact = format!("[{}]", lines.join(","));
    let by_line = format!("[\n{}\n]\n", lines.join(",\n"));
    let pretty = format!("[\n  {}\n]\n", lines.join(",\n  ").replace('{', "{\n    ").replace('}', "\n  }"));
    for (text, head) in [
        (&compact, "its only record is refused"),
        (&by_line, "6 of its 7 lines are refused"),
        (&pretty, "every one of its 17 records is refused"),
    ] {
        for (name, bytes) in [
            ("visits.jsonl", text.clone().into_bytes()),
            ("visits.jsonl.gz", gzip(text.as_bytes())),
            ("visits.jsonl.zst", zstd(text.as_bytes())),
        ] {
            let err = refused(PACK, name, &bytes);
            holds(&err, &[head, "one JSON object per line, with `at`, `who`, `paid`", "found     line 1: ["]);
            holds(&err, &["it is a JSON array: write one object per line"]);
        }
    }
    // As standard input, where the name says nothing.
    let shop = shop(&[("people.csv", PEOPLE.as_bytes())]);
    let arguments = ["run", "shop.toml", "-i", "data", "-i", "visits=-", "-q"];
    let (code, _, err) = said(command(&shop, &arguments).write_stdin(compact));
    assert_ne!(code, 0);
    holds(&err, &["it is a JSON array"]);
}

#[test]
fn one_object_over_several_lines_and_keys_of_another_name() {
    let err = refused(PACK, "visits.jsonl", b"{\n  \"at\": 1772442000000,\n  \"who\": 1,\n  \"paid\": 1.00\n}\n");
    holds(&err, &["write one whole JSON object per line"]);
    let err = refused(PACK, "visits.jsonl", visits(9).replace('\n', " ").as_bytes());
    holds(&err, &["trailing characters", "write one whole JSON object per line"]);
    let err = refused(PACK, "visits.jsonl", b"{\"At\":1772442000000,\"who\":1,\"paid\":1.00}\n");
    holds(&err, &["`at` is missing or null", "`column`", "\"At\""]);
    let err = refused(PACK, "visits.jsonl", b"at;who;paid\n1772442000000;1;1.00\n");
    holds(&err, &["it looks like delimited text", ".csv", "delimiter = \";\""]);
}

#[test]
fn a_wrong_delimiter_is_told_with_the_right_one() {
    let people: (&str, &[u8]) = ("people.csv", PEOPLE.as_bytes());
    for (name, bytes) in [
        ("visits.csv", b"at;who;paid\n1772442000000;1;1.00\n".to_vec()),
        ("visits.csv.gz", gzip(b"at;who;paid\n1772442000000;1;1.00\n")),
    ] {
        let shop = shop(&[people, (name, &bytes)]);
        let (code, err) = run(&shop, &[]);
        assert_eq!(code, 1, "{err}");
        holds(&err, &["it has no column `at`; its columns are at;who;paid", "format = { delimiter = \";\" }"]);
    }
    let shop = shop(&[people, ("visits.csv", b"1772442000000,1,1.00\n")]);
    holds(&run(&shop, &[]).1, &["format = { header = false }"]);
    let shop = shop_of(PACK, &[people, ("visits.csv", b"[{\"at\":1}]\n")]);
    holds(&run(&shop, &[]).1, &["it is a JSON array"]);
    // Without a header every record is refused.
    let headless = PACK.replace("paid = \"decimal(2)\" }", "paid = \"decimal(2)\" }\nformat = { header = false }");
    let err = refused(&headless, "visits.csv", b"1772442000000\t1\t1.00\n1772442001000\t1\t1.00\n");
    holds(
        &err,
        &[
            "every one of its 2 records is refused",
            "format = { delimiter = \"\\t\" }",
            "found     line 1: 1772442000000\\t1",
        ],
    );
    let err = refused(&headless, "visits.csv", b"1772442000000,1,\"1,00\"\n");
    holds(&err, &["its only record is refused", "numbers are written with a point"]);
}

#[test]
fn latin_1_that_is_read_as_utf_8_is_told() {
    let text = PACK.replace("paid = \"decimal(2)\" }", "paid = \"decimal(2)\", shop = \"text\" }");
    let err = refused(
        &text,
        "visits.csv",
        b"at,who,paid,shop\n1772442000000,1,1.00,Orl\xe9ans\n1772442000000,1,1.00,Br\xe9al\n",
    );
    holds(&err, &["found     line 2: ", "not UTF-8", "format = { encoding = \"latin1\" }"]);
    let err =
        refused(&text, "visits.jsonl", b"{\"at\":1772442000000,\"who\":1,\"paid\":1.00,\"shop\":\"Orl\xe9ans\"}\n");
    holds(&err, &["JSON is UTF-8", "iconv -f latin1 -t utf-8"]);
    let wide: Vec<u8> = "\u{feff}{\"at\":1772442000000}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    holds(&refused(PACK, "visits.jsonl", &wide), &["it is UTF-16"]);
    holds(&refused(PACK, "visits.jsonl", &gzip(visits(9).as_bytes())), &["let its name end with .gz"]);
    let named = PACK.replace("at = \"time\"", "at = { type = \"time\", format = \"%d.%m.%Y\" }");
    let (code, err) = run(
        &shop_of(
            &named,
            &[("people.csv", PEOPLE.as_bytes()), ("visits.jsonl", b"{\"at\":\"2026-03-02\",\"who\":1,\"paid\":1}\n")],
        ),
        &[],
    );
    assert_eq!(code, 4);
    holds(&err, &["see how the pack says that `at` is written"]);
}

#[test]
fn the_first_thousand_are_enough() {
    let bad = "{\"at\":\"02.03.2026\",\"who\":1,\"paid\":1.00}\n";
    let good = visits(500);
    for (name, bytes) in
        [("visits.jsonl", bad.repeat(30_000).into_bytes()), ("visits.jsonl.gz", gzip(bad.repeat(30_000).as_bytes()))]
    {
        let shop = shop(&[("people.csv", PEOPLE.as_bytes()), (name, &bytes)]);
        for more in [&[][..], &["--engine", "reference"], &["--workers", "2"]] {
            let (code, err) = run(&shop, more);
            assert_eq!(code, 4);
            holds(&err, &["every one of its first 1000 records is refused", "format = \"%d/%m/%Y %H:%M\""]);
            assert_eq!(written(&shop, "dead_letters.jsonl").lines().count(), 1_000);
        }
    }
    // One good record makes the others bad records, as they always were.
    let shop =
        shop(&[("people.csv", PEOPLE.as_bytes()), ("visits.jsonl", format!("{}{good}", bad.repeat(999)).as_bytes())]);
    assert_eq!(run(&shop, &[]), (0, String::new()));
    assert_eq!(written(&shop, "dead_letters.jsonl").lines().count(), 999);
    let (code, _, err) = propice(&shop, &["run", "shop.toml", "-i", "data"]);
    assert_eq!(code, 0);
    holds(&err, &["501 records in", "999 dead letters"]);
    // And nothing at all is nothing bad.
    for empty in ["", "\n \n", "\u{feff}"] {
        fs::write(shop.path().join("data/visits.jsonl"), empty).expect("a file");
        assert_eq!(run(&shop, &[]), (0, String::new()), "{empty:?}");
    }
}

#[test]
fn a_limit_of_dead_letters_ends_a_run_with_what_was_read() {
    let bad = "{\"at\":\"soon\",\"who\":1,\"paid\":1.00}\n";
    // 300 good ones, then one bad one after every ten.
    let mut lines = visits(300);
    for (number, line) in visits(1_300).lines().enumerate().skip(300) {
        let _ = writeln!(lines, "{line}");
        if number % 10 == 0 {
            lines.push_str(bad);
        }
    }
    let shop = shop(&[("people.csv", PEOPLE.as_bytes()), ("visits.jsonl", lines.as_bytes())]);
    assert_eq!(run(&shop, &[]).0, 0);
    for enough in ["100", "7.7%", "8%", "100%", "1000000"] {
        assert_eq!(run(&shop, &["--max-dead-letters", enough]), (0, String::new()), "{enough}");
    }
    for (limit, letters, text) in [
        ("0", 1, "1 dead letters, and --max-dead-letters allows 0"),
        ("4", 5, "5 dead letters, and --max-dead-letters allows 4"),
        ("99", 100, "100 dead letters, and --max-dead-letters allows 99"),
    ] {
        let mut decisions = Vec::new();
        for more in [&[][..], &["--engine", "reference"], &["--workers", "4"]] {
            let (code, err) = run(&shop, &[&["--max-dead-letters", limit], more].concat());
            assert_eq!(code, 4, "{limit}");
            if limit == "99" {
                continue;
            }
            holds(&err, &[text, "found     line 302: {\"at\":\"soon\"", "`at` is not time"]);
            assert_eq!(written(&shop, "dead_letters.jsonl").lines().count(), letters);
            decisions.push(written(&shop, "decisions.jsonl"));
        }
        decisions.dedup();
        assert!(decisions.len() <= 1, "the same for every engine");
        assert!(decisions.iter().all(|decisions| decisions.lines().count() >= 20), "what was read is decided");
    }
    let (code, err) = run(&shop, &["--max-dead-letters", "5%"]);
    assert_eq!(code, 4);
    holds(&err, &["of `visits` are refused, and --max-dead-letters allows 5%"]);
    // Of one customer a share says nothing, and a number is of what may be about it.
    let of_one =
        |more: &[&str]| propice(&shop, &[&["views", "shop.toml", "-i", "data", "--customer", "2"], more].concat()).0;
    assert_eq!((of_one(&[]), of_one(&["--max-dead-letters", "0%"]), of_one(&["--max-dead-letters", "0"])), (0, 0, 0));
    // A limit that is asked for takes the place of the one that is not.
    fs::write(shop.path().join("data/visits.jsonl"), bad).expect("a file");
    assert_eq!(run(&shop, &[]).0, 4);
    assert_eq!(run(&shop, &["--max-dead-letters", "1"]).0, 0);
    assert_eq!(run(&shop, &["--max-dead-letters", "100%"]).0, 0);
    assert_eq!(run(&shop, &["--max-dead-letters", "50%"]).0, 4);
    for wrong in ["many", "-1", "101%", "1.5"] {
        let (code, err) = run(&shop, &[&format!("--max-dead-letters={wrong}")]);
        assert_eq!(code, 2, "{wrong}: {err}");
    }
    let (_, help, _) = propice(&shop, &["--help"]);
    holds(&help, &["4    too many records were refused"]);
}

// ---------------------------------------------------------------------------------------------------------------------
// Times of another unit

/// Visits whose times are written otherwise.
fn timed(time: impl Fn(u64) -> String) -> Vec<u8> {
    let mut lines = String::new();
    for number in 0..40 {
        let _ = writeln!(lines, "{{\"at\":{},\"who\":1,\"paid\":1.00}}", time(START_MS + number * 1_000));
    }
    lines.into_bytes()
}

#[test]
fn seconds_that_are_read_as_milliseconds_are_warned_of_once() {
    let seconds = timed(|ms| (ms / 1_000).to_string());
    let csv = [b"at,who,paid\n".to_vec(), timed(|ms| (ms / 1_000).to_string())].concat();
    let csv = String::from_utf8(csv).expect("text").replace("{\"at\":", "").replace(",\"who\":", ",");
    let csv = csv.replace(",\"paid\":", ",").replace('}', "").into_bytes();
    for (name, bytes) in [("visits.jsonl", seconds.clone()), ("visits.jsonl.zst", zstd(&seconds)), ("visits.csv", csv)]
    {
        let shop = shop(&[("people.csv", PEOPLE.as_bytes()), (name, &bytes)]);
        let (code, err) = run(&shop, &[]);
        assert_eq!(code, 0, "{err}");
        assert_eq!(err.lines().count(), 1, "once: {err}");
        holds(
            &err,
            &[
                &format!("warning: data/{name}: `at` has times outside of 1990 to 2100, such as 1970-01-21T12:20:42Z"),
                "(1772442000, read as milliseconds); as seconds it is 2026-03-02T09:00:00Z: at = { type = \"time\", unit = \"s\" }",
            ],
        );
        let (_, _, err) = propice(&shop, &["views", "shop.toml", "-i", "data"]);
        holds(&err, &["unit = \"s\""]);
        // The remedy is one.
        let pack = PACK.replace("at = \"time\"", "at = { type = \"time\", unit = \"s\" }");
        fs::write(shop.path().join("shop.toml"), pack).expect("a pack");
        assert_eq!(run(&shop, &[]), (0, String::new()), "{name}");
        holds(&written(&shop, "episodes.jsonl"), &["\"time\":\"2026-03-02T09:00:10Z\""]);
    }
}

#[test]
fn every_unit_is_read_and_the_right_one_is_told() {
    for (unit, time, written_as) in [
        ("s", "1772442010.5", (|ms| format!("{}.5", ms / 1_000)) as fn(u64) -> String),
        ("ms", "1772442010500", |ms| (ms + 500).to_string()),
        ("us", "1772442010500999", |ms| format!("{}999", ms + 500)),
        ("ns", "1772442010500999999", |ms| format!("{}999999", ms + 500)),
    ] {
        let pack = PACK.replace("at = \"time\"", &format!("at = {{ type = \"time\", unit = \"{unit}\" }}"));
        let bytes = timed(written_as);
        assert!(String::from_utf8_lossy(&bytes).contains(time), "{unit}");
        let shop = shop_of(&pack, &[("people.csv", PEOPLE.as_bytes()), ("visits.jsonl", &bytes)]);
        for more in [&[][..], &["--engine", "reference"]] {
            assert_eq!(run(&shop, more), (0, String::new()), "{unit}");
            holds(&written(&shop, "episodes.jsonl"), &["\"time\":\"2026-03-02T09:00:10.5Z\""]);
        }
        // A time that is a text is read as ever.
        let texts = timed(|ms| format!("\"2026-03-02T09:00:{:02}Z\"", ms / 1_000 % 60));
        fs::write(shop.path().join("data/visits.jsonl"), texts).expect("a file");
        assert_eq!(run(&shop, &[]), (0, String::new()), "{unit}");
    }
    for (unit, factor) in [("us", "000"), ("ns", "000000")] {
        let err = refused(PACK, "visits.jsonl", &timed(|ms| format!("{ms}{factor}")));
        holds(
            &err,
            &["an event time is between 1970 and 9999", &format!("at = {{ type = \"time\", unit = \"{unit}\" }}")],
        );
    }
}

#[test]
fn a_time_that_is_a_text_and_no_event_time_may_be_any() {
    let pack = PACK
        .replace("paid = \"decimal(2)\"", "paid = \"decimal(2)\", due = { type = \"time?\", column = \"Due\" }")
        .replace("name = \"text\"", "name = \"text\", born = \"time\"");
    let people = "who,name,born\n1,Ada,1815-12-10\n";
    let visit = |due: &str| format!("{{\"at\":{START_MS},\"who\":1,\"paid\":1,\"Due\":{due}}}\n");
    let shop =
        shop_of(&pack, &[("people.csv", people.as_bytes()), ("visits.jsonl", visit("\"9999-12-31\"").as_bytes())]);
    assert_eq!(run(&shop, &[]), (0, String::new()));
    fs::write(shop.path().join("data/visits.jsonl"), visit("1772442000")).expect("a file");
    let (code, err) = run(&shop, &[]);
    assert_eq!(code, 0);
    holds(&err, &["`due` has times outside", "due = { type = \"time\", column = \"Due\", unit = \"s\" }"]);
    // An event time is one of the usual years, however it is written.
    let early = "{\"at\":\"1972-03-02\",\"who\":1,\"paid\":1}\n{\"at\":\"1973-03-02\",\"who\":1,\"paid\":1}\n";
    fs::write(shop.path().join("data/visits.jsonl"), early).expect("a file");
    let (code, err) = run(&shop, &[]);
    assert_eq!((code, err.lines().count()), (0, 1));
    holds(&err, &["`at` has times outside of 1990 to 2100, such as 1972-03-02T00:00:00Z (\"1972-03-02\")"]);
}

#[test]
fn a_unit_is_checked_at_load() {
    let pack = PACK.replace("at = \"time\"", "at = { type = \"time\", unit = \"seconds\" }");
    let shop = shop_of(&pack, &[]);
    let (code, _, err) = propice(&shop, &["check", "shop.toml"]);
    assert_eq!(code, 1);
    holds(&err, &["`seconds` is not a unit of times", "s, ms, us or ns"]);
}
