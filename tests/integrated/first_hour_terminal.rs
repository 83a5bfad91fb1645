//! What people look at: a run and a view on a terminal of 80, 120 and 200 columns, in the language
//! and the zone of the pack.
//!
//! The command runs under a terminal of its own, which `script` makes; elsewhere than on Linux that
//! takes other arguments.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use unicode_width::UnicodeWidthStr as _;

const WIDTHS: [usize; 3] = [80, 120, 200];

/// Three ways to end: it succeeds, another moment overtakes it, it is no longer so.
const PACK: &str = r#"
[pack]
name     = "guichet"
timezone = "Europe/Paris"
language = "fr"

[table.people]
key    = ["who"]
about  = "who"
fields = { who = "id(customer)", language = "text?", zone = "text?" }

[table.holders]
key    = ["account"]
fields = { account = "id(account)", who = "id(customer)" }

[entity.account]
belongs_to = { by = "holders", customer = "who" }
label      = { fr = "compte", en = "account" }

[stream.ledger]
time   = "at"
about  = "account"
fields = { at = "time", account = "id(account)", amount = "decimal(2)" }

[account.feature]
balance  = { from = "ledger", sum = "amount" }
spent_1d = { from = "ledger", sum = "-amount", where = "amount < 0.00", window = "1d" }
last_at  = { from = "ledger", last = "at" }

[account.labels]
balance  = { fr = "solde", en = "balance" }
spent_1d = { fr = "dépensé en un jour", en = "spent in a day" }
last_at  = { fr = "dernière opération", en = "last entry" }

[customer.feature]
accounts = { over = "account", count = true }

[moment.overdraft_ahead]
label   = { fr = "un découvert à venir", en = "an overdraft ahead" }
about   = "account"
when    = "has(last_at) && balance < 50.00 && balance >= 0.00"
purpose = "assistance"
value   = { kind = "economic", benefit = { fr = "Évite les frais d'un découvert", en = "Avoids the fees of an overdraft" } }
channels = ["push"]
success = "balance >= 50.00"
shares  = ["balance", "last_at"]
reason  = { fr = "Il reste {balance} € depuis le {last_at}", en = "There are {balance} left since {last_at}" }

[moment.overdraft_ahead.ended]
succeeded = { fr = "Le compte est remonté à {balance} €", en = "The account is back at {balance}" }

[moment.overdrawn]
label   = { fr = "un compte à découvert", en = "an account in the red" }
about   = "account"
when    = "balance < 0.00"
purpose = "assistance"
value   = { kind = "economic", benefit = { fr = "Chaque jour de moins coûte moins", en = "Each day less costs less" } }
channels = ["push"]
reason  = { fr = "Le solde est de {balance} €", en = "The balance is {balance}" }

[moment.spends_much]
about   = "account"
when    = "spent_1d >= 500.00"
purpose = "service"
value   = { kind = "economic", benefit = { fr = "Garde un œil sur les dépenses", en = "Keeps an eye on what is spent" } }
channels = ["push"]
reason  = { fr = "{spent_1d} € en un jour", en = "{spent_1d} in a day" }

[policy]
locale = "people.language"
zone   = "people.zone"
arbitration = "1ms"

[channel.push]
label = { fr = "une notification sur le téléphone", en = "a message on the telephone" }
"#;

const LEDGER: &str = r#"{"at":"2026-03-02T09:00:00Z","account":"a1","amount":30.00}
{"at":"2026-03-02T09:00:00Z","account":"a2","amount":40.00}
{"at":"2026-03-02T09:00:00.250Z","account":"a3","amount":1500.00}
{"at":"2026-03-02T10:00:00Z","account":"a3","amount":-600.00}
{"at":"2026-03-02T11:00:00Z","account":"a1","amount":100.00}
{"at":"2026-03-02T12:00:00Z","account":"a2","amount":-90.00}
{"at":"2026-03-04T12:00:00Z","account":"a3","amount":1.00}
"#;

fn guichet() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("guichet.toml", PACK);
    write("data/ledger.jsonl", LEDGER);
    write(
        "data/people.jsonl",
        "{\"who\":\"c1\",\"language\":\"fr-FR\"}\n{\"who\":\"c2\",\"language\":\"en\",\"zone\":\"Indian/Reunion\"}\n{\"who\":\"c3\"}\n",
    );
    let holders = "{\"account\":\"a1\",\"who\":\"c1\"}\n{\"account\":\"a2\",\"who\":\"c2\"}\n{\"account\":\"a3\",\"who\":\"c3\"}\n";
    write("data/holders.jsonl", holders);
    folder
}

/// What a person sees of a command on a terminal so many columns wide.
fn on_a_terminal(folder: &Path, columns: usize, arguments: &str) -> String {
    let line = format!("stty cols {columns} rows 40; exec {} {arguments}", env!("CARGO_BIN_EXE_propice"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(folder).env("SHELL", "/bin/sh").env("TERM", "xterm");
    let output = command.env_remove("COLUMNS").env_remove("NO_COLOR").output().expect("`script` runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8").replace('\r', "");
    assert!(output.status.success(), "{arguments}:\n{text}");
    text
}

/// What goes into a pipe.
fn in_a_pipe(folder: &Path, columns: Option<usize>, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
    command.current_dir(folder).args(arguments).env_remove("COLUMNS");
    command.envs(columns.map(|columns| ("COLUMNS", columns.to_string())));
    let output = command.output().expect("propice runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Without colours.
fn plain(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or("", |(_, rest)| rest))
}

fn fits(text: &str, columns: usize) {
    for line in text.lines() {
        assert!(line.width() <= columns, "{} columns of {columns}: {line}\n\n{text}", line.width());
        assert_eq!(line.trim_end(), line, "blanks at the end\n\n{text}");
    }
}

#[test]
fn every_line_fits_the_terminal() {
    let guichet = guichet();
    let bank = Path::new(crate::ROOT).join("dataflows/bank.toml");
    for columns in WIDTHS {
        for show in ["triggers", "decisions", "episodes"] {
            let own = format!("run guichet.toml --input data --until 2026-03-10 --show {show}");
            let text = plain(&on_a_terminal(guichet.path(), columns, &own));
            assert!(text.contains("2026-03-02 10:00:00"), "no time of Paris\n{text}");
            fits(&text, columns);
            let of_bank = format!("run {} --show {show}", bank.display());
            let text = plain(&on_a_terminal(Path::new(crate::ROOT), columns, &of_bank));
            assert!(text.lines().count() > 40, "{text}");
            fits(&text, columns);
        }
        let views = format!("views {}", bank.display());
        fits(&plain(&on_a_terminal(Path::new(crate::ROOT), columns, &views)), columns);
    }
}

#[test]
fn a_run_begins_with_a_header_and_knows_one_zone() {
    let guichet = guichet();
    for columns in WIDTHS {
        for show in ["triggers", "decisions", "episodes"] {
            let arguments = format!("run guichet.toml --input data --until 2026-03-10 --show {show}");
            let text = plain(&on_a_terminal(guichet.path(), columns, &arguments));
            let mut lines = text.lines();
            assert_eq!(lines.next(), Some("guichet, version 1 ; heures de Europe/Paris"), "{text}");
            let head: Vec<&str> =
                lines.next().unwrap_or_default().split("  ").filter(|part| !part.is_empty()).collect();
            assert_eq!(head[..2], ["heure", "client"], "{text}");
            for line in text.lines() {
                assert!(!line.contains('T') || !line.contains("00Z"), "a time of UTC: {line}");
            }
        }
    }
    // What is told to somebody elsewhere says whose times it tells.
    let text = plain(&on_a_terminal(guichet.path(), 200, "run guichet.toml --input data"));
    assert!(text.contains("There are 40.00 left since 2 March 2026, 13:00 (heures de Indian/Reunion)"), "{text}");
}

#[test]
fn a_withdrawal_says_which_it_is_in_words_of_the_pack() {
    let guichet = guichet();
    let text = plain(&on_a_terminal(guichet.path(), 200, "run guichet.toml --input data --until 2026-03-10"));
    let after = |what: &str| -> (String, String) {
        let mut lines = text.lines().skip_while(|line| !line.contains(what));
        let head = lines.next().unwrap_or_else(|| panic!("no {what}\n{text}"));
        (head.to_owned(), lines.next().unwrap_or_default().trim().to_owned())
    };
    let (head, told) = after("repris\u{a0}: réussi");
    assert!(head.contains("compte a1") && head.contains("un découvert à venir"), "{text}");
    assert_eq!(told, "Le compte est remonté à 130,00 €", "{text}");
    let (head, told) = after("repris\u{a0}: dépassé");
    assert!(head.contains("compte a2"), "{text}");
    assert_eq!(told, "An overdraft ahead: an account in the red comes first now.", "{text}");
    let (head, told) = after("repris\u{a0}: plus d'actualité");
    assert!(head.contains("compte a3"), "{text}");
    assert_eq!(told, "Ce n'est plus le cas.", "{text}");
    for identifier in ["spent_1d", "overdraft_ahead", "overdrawn"] {
        assert!(!text.contains(identifier), "{identifier}\n{text}");
    }
}

#[test]
fn a_french_pack_is_told_of_in_french() {
    let guichet = guichet();
    // `c2` reads English, and is written to in English.
    let english = [
        "released",
        "withdrawn",
        "deferred",
        "suppressed",
        "opened",
        "closed",
        "episodes",
        "records",
        "late",
        "still",
        "customer",
        "time ",
        " on ",
        " for ",
        "views",
        "clock",
        "true",
        "null",
        "unknown",
    ];
    for arguments in [
        "run guichet.toml --input data --until 2026-03-10 --show decisions",
        "run guichet.toml --input data --show episodes",
        "views guichet.toml --input data",
    ] {
        let text = plain(&on_a_terminal(guichet.path(), 120, arguments));
        for word in english {
            assert!(!text.contains(word), "`{word}` is not French: {arguments}\n{text}");
        }
    }
    let run = plain(&on_a_terminal(guichet.path(), 120, "run guichet.toml --input data"));
    for words in ["émis sur une notification", "épisodes", "enregistrements en", "l'horloge est au dernier"] {
        assert!(run.contains(words), "{words}\n{run}");
    }
}

#[test]
fn the_benefit_is_in_the_language_of_the_customer() {
    let guichet = guichet();
    in_a_pipe(guichet.path(), None, &["run", "guichet.toml", "--input", "data", "--output", "out", "--quiet"]);
    let text = fs::read_to_string(guichet.path().join("out/triggers/push.jsonl")).expect("triggers");
    let of = |customer: &str, kind: &str| -> serde_json::Value {
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        let is = |line: &serde_json::Value| line["data"]["customer"] == customer && line["data"]["verdict"] == kind;
        lines.into_iter().find(is).unwrap_or_else(|| panic!("{customer} {kind}\n{text}"))["data"].take()
    };
    for (customer, language, benefit) in [
        ("c1", "fr", "Évite les frais d'un découvert"),
        ("c2", "en", "Avoids the fees of an overdraft"),
        ("c3", "fr", "Garde un œil sur les dépenses"),
    ] {
        let released = of(customer, "released");
        assert_eq!(released["value"]["benefit"], benefit);
        assert_eq!(released["value"]["language"], language);
        assert_eq!(released["ended"], serde_json::Value::Null);
    }
    let overtaken = of("c2", "withdrawn");
    let by = serde_json::json!({ "moment": "overdrawn", "label": "an account in the red" });
    assert_eq!(overtaken["ended"], serde_json::json!({ "how": "overtaken", "by": [by] }));
    assert_eq!(overtaken["label"]["text"], "an overdraft ahead");
    assert_eq!(overtaken["entity"]["label"], "account");
    assert_eq!(overtaken["evidence"][0]["label"], "balance");
    let succeeded = of("c1", "withdrawn");
    assert_eq!(succeeded["ended"], serde_json::json!({ "how": "succeeded" }));
    assert_eq!(
        succeeded["reason"],
        serde_json::json!({ "text": "Le compte est remonté à 130,00 €", "language": "fr" })
    );
    let decisions = fs::read_to_string(guichet.path().join("out/decisions.jsonl")).expect("decisions");
    assert!(decisions.contains("\"ended\":\"overtaken\",\"overtaken_by\":[\"overdrawn\"],"), "{decisions}");
}

#[test]
fn both_engines_say_how_it_ended() {
    let guichet = guichet();
    let decided = |engine: &str, workers: &str| {
        let show = ["--show", "decisions", "--format", "jsonl", "--engine", engine, "--workers", workers];
        let run = ["run", "guichet.toml", "--input", "data", "--until", "2026-03-10", "--quiet"];
        in_a_pipe(guichet.path(), None, &[&run[..], &show[..]].concat())
    };
    let fused = decided("fused", "1");
    for ending in ["succeeded", "overtaken", "no_longer_so"] {
        assert_eq!(fused.matches(&format!("\"ended\":\"{ending}\"")).count(), 1, "{ending}\n{fused}");
    }
    for (engine, workers) in [("fused", "2"), ("fused", "4"), ("reference", "1"), ("reference", "2")] {
        assert_eq!(decided(engine, workers), fused, "{engine} with {workers} workers");
    }
}

#[test]
fn views_are_a_table_on_a_terminal_and_lines_in_a_pipe() {
    let guichet = guichet();
    let table = plain(&on_a_terminal(guichet.path(), 80, "views guichet.toml --input data"));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "client c1, 2026-03-04 13:00:00 (Europe/Paris)", "{table}");
    assert!(lines[1].starts_with("  accounts  ") && lines[1].ends_with(" 1"), "{table}");
    assert_eq!(lines[2], "  compte a1", "{table}");
    assert!(lines[3].starts_with("    solde  ") && lines[3].ends_with(" 130,00"), "{table}");
    assert!(lines[5].starts_with("    dernière opération  ") && lines[5].ends_with(" 2026-03-02 12:00:00"), "{table}");
    assert!(table.contains("client c2,") && table.contains("client c3,"), "{table}");
    let one = plain(&on_a_terminal(guichet.path(), 80, "views guichet.toml --input data --customer c2"));
    assert!(one.contains("compte a2") && !one.contains("compte a1"), "{one}");
    let views = ["views", "guichet.toml", "--input", "data"];
    let piped = in_a_pipe(guichet.path(), None, &views);
    assert_eq!(piped.lines().count(), 3);
    for line in piped.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    }
    let asked = plain(&on_a_terminal(guichet.path(), 80, "views guichet.toml --input data --format jsonl"));
    assert_eq!(asked, piped);
    let in_pipe = in_a_pipe(guichet.path(), Some(80), &[&views[..], &["--format", "table"]].concat());
    assert_eq!(in_pipe, table);
}

#[test]
fn without_a_terminal_columns_says_how_wide() {
    let guichet = guichet();
    let run = ["run", "guichet.toml", "--input", "data", "--quiet"];
    for columns in [60, 80, 120, 200] {
        let text = in_a_pipe(guichet.path(), Some(columns), &run);
        assert_eq!(text, plain(&text), "colours in a pipe");
        fits(&text, columns);
    }
    let wide = in_a_pipe(guichet.path(), Some(200), &run);
    assert!(wide.lines().any(|line| line.width() > 100), "{wide}");
    fits(&in_a_pipe(guichet.path(), None, &run), 100);
}

#[test]
fn words_are_checked_with_a_remedy() {
    let guichet = guichet();
    let said_of = |from: &str, to: &str| {
        assert!(PACK.contains(from), "{from}");
        fs::write(guichet.path().join("faulty.toml"), PACK.replace(from, to)).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
        let output = command.current_dir(guichet.path()).args(["check", "faulty.toml"]).output().expect("propice runs");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let benefit = "benefit = { fr = \"Évite les frais d'un découvert\", en = \"Avoids the fees of an overdraft\" }";
    for (from, to, code, words) in [
        ("language = \"fr\"", "language = \"french\"", 1, "`french` is not a language"),
        ("label      = { fr = \"compte\", en =", "label      = { fr = \"compte\", xx =", 1, "`xx` is not a language"),
        (
            benefit,
            "benefit = { fr = \"Évite les frais\" }",
            0,
            "is not given in en, in which other words of the pack are",
        ),
        (benefit, "benefit = { fr = \"\" }", 1, "has no benefit for the customer"),
        ("remonté à {balance}", "remonté à {balanse}", 1, "did you mean `balance`?"),
        ("remonté à {balance}", "remonté à {spent_1d}", 1, "the ended tells `spent_1d`, which `shares` leaves out"),
        (
            "spent_1d = { fr = \"dépensé",
            "spent_2d = { fr = \"dépensé",
            1,
            "there is no feature or attribute `spent_2d`",
        ),
        ("succeeded = { fr", "suceeded = { fr", 1, "did you mean `succeeded`?"),
    ] {
        let (ended, said) = said_of(from, to);
        assert_eq!(ended, Some(code), "{to}\n{said}");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "{words}\n{said}");
        assert!(said.contains("help:"), "{said}");
    }
}
