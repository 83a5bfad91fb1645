//! The commands that read records, as people call them: what they print, and how they end.

use std::fs;
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

[table.cards]
key    = ["card"]
time   = "at"
about  = "card"
fields = { card = "id(card)", who = "id(customer)", at = "time" }

[entity.card]
belongs_to = { by = "cards", customer = "who" }

[card.feature]
rows = { from = "cards", count = true }

[customer.feature]
paid    = { from = "visits", sum = "paid" }
paid_1d = { from = "visits", sum = "paid", window = "1d" }

[moment.spends]
when    = "paid_1d > 10.00"
purpose = "relationship"
value   = { kind = "experiential", benefit = "Is thanked" }

[[test]]
name   = "a large basket, for a day"
given  = [{ stream = "visits", at = "2026-01-01", who = 1, paid = 12 }]
expect = [{ customer = "1", moment = "spends", transition = "opened", at = "2026-01-01" },
          { customer = "1", moment = "spends", transition = "closed", at = "2026-01-02" }]

[[test]]
name   = "a small basket, from a file"
given  = "small.jsonl"
silent = ["spends"]
"#;

const VISITS: &str = "{\"at\":\"2026-01-01T08:00:00Z\",\"who\":1,\"paid\":12.5}\n\
                      {\"at\":\"2026-01-01T09:00:00Z\",\"who\":2,\"paid\":\"much\"}\n\
                      {\"at\":\"2026-01-01T10:00:00Z\",\"who\":2,\"paid\":1}\n";
const CARDS: &str = "card,who,at\nk,1,2026-01-01T00:00:00Z\n";

/// A pack in `packs`, its inputs in `data` and, as its fixtures, a file for a test.
fn shop() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("packs/shop.toml", PACK);
    write("data/visits.jsonl", VISITS);
    write("data/cards.csv", CARDS);
    write("fixtures/shop/small.jsonl", "{\"stream\":\"visits\",\"at\":\"2026-01-01\",\"who\":1,\"paid\":9}\n");
    folder
}

fn propice(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
    command.current_dir(folder).args(arguments);
    command
}

/// Exit code, standard output and standard error.
fn said(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the command runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("a code"), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_run_prints_triggers_and_a_summary() {
    let shop = shop();
    let (code, out, err) = said(&mut propice(shop.path(), &["run", "packs/shop.toml", "--input", "data"]));
    assert_eq!(code, 0, "{err}");
    assert_eq!(
        out,
        "shop, version 1; times of UTC\n\
         time                 customer    moment  what and where\n\
         2026-01-01 08:00:00  1           spends  released to default\n    \
         Is thanked\n    \
         We are thinking of you and would like to stay in touch.\n"
    );
    for part in [
        "spends             1           0           1\n",
        "released                  1  for relationship 1; on default 1\n",
        "3 records in ",
        "0 late, 1 dead letters, 2 views\n",
        "dead letters: 1 wrong_type\n",
        "  the first is data/visits.jsonl:2: `paid` is not decimal(2): \"much\"; --output DIR keeps them all\n",
        "the clock stands at the last record, 2026-01-01 10:00:00; --until TIME",
    ] {
        assert!(err.contains(part), "{part}\n{err}");
    }
}

#[test]
fn a_run_writes_files_and_moves_the_clock_on() {
    let shop = shop();
    let arguments = [
        "run",
        "packs/shop.toml",
        "-i",
        "data",
        "--output",
        "out",
        "--until",
        "2026-01-05",
        "--views",
        "changes",
        "--show",
        "episodes",
        "--format",
        "table",
    ];
    let (code, out, err) = said(&mut propice(shop.path(), &arguments));
    assert_eq!(code, 0, "{err}");
    let table: Vec<Vec<&str>> = out.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(table[0], ["time", "customer", "moment", "evidence"]);
    assert_eq!(table[1], ["2026-01-01", "08:00:00", "1", "spends", "opened", "paid_1d", "=", "12.50"]);
    assert_eq!(table[2], ["2026-01-02", "08:00:00", "1", "spends", "closed", "paid_1d", "=", "0.00"]);
    assert!(
        err.contains("written to out: triggers/, decisions.jsonl, episodes.jsonl, views.jsonl, dead_letters.jsonl\n"),
        "{err}"
    );
    assert!(err.contains("2 views\n") && !err.contains("--until"), "{err}");
    let read = |name: &str| fs::read_to_string(shop.path().join("out").join(name)).expect("an output");
    assert_eq!(read("episodes.jsonl").lines().count(), 2);
    let verdicts = ["\"verdict\":\"released\"", "\"verdict\":\"withdrawn\""];
    assert!(read("decisions.jsonl").lines().zip(verdicts).all(|(line, verdict)| line.contains(verdict)));
    let types = ["propice.trigger.released.v1", "propice.trigger.withdrawn.v1"];
    assert!(read("triggers/default.jsonl").lines().zip(types).all(|(line, ty)| line.contains(ty)));
    assert!(err.contains("taken back                1  withdrawn after a release: no longer so 1\n"), "{err}");
    // The customer of the card, the two visits, and both windows that end.
    assert_eq!(read("views.jsonl").lines().count(), 5);
    assert!(read("dead_letters.jsonl").ends_with(
        "\"record\":\"{\\\"at\\\":\\\"2026-01-01T09:00:00Z\\\",\\\"who\\\":2,\\\"paid\\\":\\\"much\\\"}\"}\n"
    ));
    let files = |folder: &str| fs::read_dir(shop.path().join(folder)).expect("a folder").count();
    assert_eq!((files("out"), files("out/triggers")), (6, 1), "nothing partial is left, but the mark");
}

#[test]
fn what_a_run_shows() {
    let shop = shop();
    let shown = |more: &[&str]| {
        let arguments = ["run", "packs/shop.toml", "-i", "data", "--until", "2026-01-05", "-q"];
        let (code, out, err) = said(&mut propice(shop.path(), &[&arguments, more].concat()));
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(!out.contains('\u{1b}'), "colours are for terminals: {out}");
        out
    };
    let triggers = shown(&[]);
    assert!(triggers.ends_with("  withdrawn: no longer so\n    This is no longer the case.\n"), "{triggers}");
    let triggers = shown(&["--format", "jsonl"]);
    assert_eq!(triggers.lines().filter(|line| line.starts_with("{\"specversion\":\"1.0\",\"id\":\"")).count(), 2);
    let episodes = shown(&["--show", "episodes", "--format", "jsonl"]);
    assert!(episodes.contains("\"transition\":\"opened\",\"evidence\":{\"paid_1d\":12.50}}"), "{episodes}");
    let decisions = shown(&["--show", "decisions", "--format", "jsonl"]);
    assert!(decisions.contains("\"decision\":\"verdict\",\"verdict\":\"released\",\"gates\":[],"), "{decisions}");
    let decisions = shown(&["--show", "decisions"]);
    let table: Vec<Vec<&str>> = decisions.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(table[0], ["time", "customer", "moment", "decision", "why"]);
    assert_eq!(table[1], ["2026-01-01", "08:00:00", "1", "spends", "released", "on", "default"]);
    let so = ["no", "longer", "so,", "on", "default"];
    assert_eq!(table[2], [&["2026-01-02", "08:00:00", "1", "spends", "withdrawn"][..], &so].concat());
}

#[test]
fn the_schemas_of_what_is_published() {
    let shop = shop();
    for (document, part) in [
        ("trigger", "\"$id\": \"urn:propice:schema:trigger:v1\""),
        ("event", "\"const\": \"propice.trigger.withdrawn.v1\""),
        ("decision", "\"logical_time_ms\""),
    ] {
        let (code, out, err) = said(&mut propice(shop.path(), &["schema", document]));
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.contains(part), "{document}: {out}");
    }
    let (_, out, _) = said(&mut propice(shop.path(), &["schema", "asyncapi", "packs/shop.toml"]));
    assert!(out.contains("\"asyncapi\": \"3.0.0\""), "{out}");
    assert!(out.contains("\"title\": \"Triggers of shop\"") && out.contains("Triggers of spends."), "{out}");
    let (code, _, _) = said(&mut propice(shop.path(), &["schema", "asyncapi", "packs/none.toml"]));
    assert_eq!(code, 3);
}

#[test]
fn standard_input_is_an_input() {
    let shop = shop();
    let arguments = ["run", "packs/shop.toml", "-i", "data", "-i", "visits=-", "-q", "--format", "jsonl"];
    let line = "{\"at\":\"2026-01-01T08:00:00Z\",\"who\":7,\"paid\":99}\n";
    let (code, out, err) = said(propice(shop.path(), &arguments).write_stdin(line));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("\"customer\":\"7\""), "{out}");
}

#[test]
fn how_a_run_cannot_begin() {
    let shop = shop();
    let ends = |arguments: &[&str]| {
        let (code, out, err) = said(&mut propice(shop.path(), arguments));
        assert_eq!(out, "");
        (code, err)
    };
    let run = |more: &[&str]| ends(&[&["run", "packs/shop.toml"], more].concat());
    let (code, err) = run(&["--input", "visit=x.csv"]);
    assert_eq!(code, 2);
    assert!(err.contains("the pack has no stream or table `visit` (did you mean `visits`?)"), "{err}");
    let (code, err) = run(&["--input", "nowhere"]);
    assert_eq!(code, 3);
    assert!(err.starts_with("nowhere: "), "{err}");
    let (code, err) = run(&["--input", "data", "--until", "soon"]);
    assert_eq!(code, 2);
    assert!(err.contains("--until takes a time such as"), "{err}");
    fs::write(shop.path().join("data/cards.csv"), "card,whose,at\n").expect("a file");
    let (code, err) = run(&["--input", "data"]);
    assert_eq!(code, 1);
    assert_eq!(err, "data/cards.csv: it has no column `who`; its columns are card, whose, at\n");
    let (code, _) = ends(&["run", "packs/none.toml"]);
    assert_eq!(code, 3);
}

#[test]
fn views_of_one_customer_and_of_all() {
    let shop = shop();
    let views =
        |more: &[&str]| said(&mut propice(shop.path(), &[&["views", "packs/shop.toml", "-i", "data"], more].concat()));
    let first = "{\"customer\":\"1\",\"logical_time_ms\":1767258000000,\"paid\":12.50,\"paid_1d\":12.50,\
                 \"entities\":{\"card\":{\"k\":{\"rows\":1}}}}\n";
    let (code, out, _) = views(&["--at", "2026-01-01T09:00:00Z"]);
    assert_eq!((code, out.as_str()), (0, first));
    let (code, out, _) = views(&["--customer", "2"]);
    assert_eq!(code, 0);
    assert!(out.starts_with("{\"customer\":\"2\"") && out.lines().count() == 1, "{out}");
    let (code, out, err) = views(&["--customer", "2", "--at", "2026-01-01T09:00:00Z"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("there is no customer `2` at 2026-01-01T09:00:00Z"), "{err}");
    let (_, out, _) = views(&["--customer", "1", "--format", "table"]);
    for part in ["customer 1, 2026-01-01 10:00:00 (UTC)\n", "12.50", "  card k\n", "    rows"] {
        assert!(out.contains(part), "{part}\n{out}");
    }
}

#[test]
fn cases_that_are_right_and_wrong() {
    let shop = shop();
    let test = |more: &[&str]| said(&mut propice(shop.path(), &[&["test", "packs/shop.toml"], more].concat()));
    let (code, out, _) = test(&[]);
    assert_eq!(out, "ok    a large basket, for a day\nok    a small basket, from a file\n2 cases: 2 right, 0 wrong\n");
    assert_eq!(code, 0);
    let changed = PACK
        .replace("paid_1d > 10.00", "paid_1d > 8.00")
        .replace("\"closed\", at = \"2026-01-02\"", "\"closed\", at = \"2026-01-03\"");
    fs::write(shop.path().join("packs/shop.toml"), changed).expect("a file");
    let (code, out, _) = test(&[]);
    assert_eq!(code, 1);
    let line = PACK.lines().position(|line| line == "[[test]]").expect("a test") + 1;
    let expected = format!(
        "FAIL  a large basket, for a day  (packs/shop.toml:{line})\n   \
         =  2026-01-01T00:00:00Z  1  spends opened  (as expected)\n   \
         +  2026-01-02T00:00:00Z  1  spends closed  (came, not expected)\n   \
         -  2026-01-03T00:00:00Z  1  spends closed  (expected, did not come)\n"
    );
    assert!(out.starts_with(&expected), "{out}");
    assert!(
        out.ends_with(
            "   +  2026-01-01T00:00:00Z  1  spends opened  (came, not expected)\n2 cases: 0 right, 2 wrong\n"
        ),
        "{out}"
    );
    let (code, out, _) = test(&["--filter", "small"]);
    assert_eq!((code, out.lines().count()), (1, 3));
}
