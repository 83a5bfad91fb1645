//! The first hour of somebody who writes a pack of their own: what they get wrong is told, with
//! what to do about it, and never passes in silence.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// The pack of an insurer, with an entity that is called like a section of the language.
const INSURER: &str = r#"
[pack]
name = "insurer"

[table.contracts]
key    = ["no"]
time   = "since"
about  = "no"
fields = { no = "id(policy)", holder = "id(customer)", since = "time", kind = "text", if = "int?" }

[entity.policy]
belongs_to = { by = "contracts", customer = "holder" }

[stream.claims]
time   = "at"
about  = "no"
fields = { at = "time", no = "id(policy)", paid = "decimal(2)" }

[policy.feature]
paid   = { from = "claims", sum = "paid" }
moment = { from = "claims", last = "at" }
for    = { from = "contracts", last = "if" }

[policy.attribute]
is_costly = "paid > 100.00"

[customer.feature]
paid = { over = "policy", sum = "paid" }

[moment.policy]
about   = "policy"
when    = "policy.paid > 100.00 && is_costly && contracts.kind == 'car' && customer.paid > 0.00"
purpose = "assistance"
value   = { kind = "economic", benefit = "Shows what the next claim will cost" }
reason  = { en = "{paid} were paid", fr = "{paid} ont été payés" }

[policy]
quiet = { hours = "22:00-07:00" }

[[test]]
name   = "a costly policy"
given  = [
  { stream = "contracts", no = "p1", holder = "c1", since = "2026-01-01", kind = "car" },
  { stream = "claims", at = "2026-01-02T23:00:00Z", no = "p1", paid = 120.00 },
]
expect = [
  { customer = "c1", entity = "p1", moment = "policy", verdict = "deferred", gates = ["quiet"], at = "2026-01-02T23:00:00Z" },
  { customer = "c1", entity = "p1", moment = "policy", verdict = "released", at = "2026-01-03T07:00:00Z" },
]
"#;

/// A small pack, with something put into it.
fn shop(fields: &str, features: &str, when: &str, more: &str) -> String {
    format!(
        r#"
[pack]
name = "shop"
[stream.visits]
time   = "at"
about  = "who"
fields = {{ at = "time", who = "id(customer)", n = "int?"{fields} }}
[customer.feature]
x = {{ from = "visits", last = "n" }}
{features}
[moment.bereaved]
when    = "{when}"
purpose = "assistance"
value   = {{ kind = "functional", benefit = "Somebody takes care of the papers" }}
{more}
"#
    )
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// Exit code, standard output and standard error.
fn said(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
    let output = command.current_dir(folder).args(arguments).output().expect("the command runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("a code"), text(&output.stdout), text(&output.stderr))
}

/// How `propice check` ends with a pack, and what it says, without line ends and drawing.
fn checked(pack: &str) -> (i32, String) {
    let folder = folder(&[("p.toml", pack)]);
    let (code, out, err) = said(folder.path(), &["check", "p.toml"]);
    let plain = |text: &str| text.replace(['│', '╰', '─'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    (code, plain(&(out + &err)))
}

#[test]
fn a_case_whose_record_is_refused_fails_unless_it_says_so() {
    const GIVEN: &str = r#"given = [{ stream = "visits", at = "2026-01-01", who = 1, n = "many" }]"#;
    let test = |cases: &str| {
        let folder = folder(&[("p.toml", &shop("", "", "x > 1", cases))]);
        said(folder.path(), &["test", "p.toml"])
    };
    let case =
        |name: &str, more: &str| format!("[[test]]\nname = \"{name}\"\n{GIVEN}\nsilent = [\"bereaved\"]\n{more}\n");
    let (code, out, _) = test(&case("refused", ""));
    assert_eq!(code, 1, "{out}");
    assert!(out.starts_with("FAIL  refused  (p.toml:"), "{out}");
    assert!(out.contains("given:1 is a dead letter (wrong_type): `n` is not int"), "{out}");
    assert!(out.contains("`dead_letters = 1` says that it is meant"), "{out}");
    let meant =
        ["dead_letters = 1", "dead_letters = true", "dead_letters = [\"wrong_type\"]"].map(|more| case("meant", more));
    let (code, out, _) = test(&meant.concat());
    assert_eq!((code, out.as_str()), (0, "ok    meant\nok    meant\nok    meant\n3 cases: 3 right, 0 wrong\n"));
    let others =
        ["dead_letters = 2", "dead_letters = 0", "dead_letters = [\"too_long\"]"].map(|more| case("other", more));
    let (code, out, _) = test(&others.concat());
    assert_eq!(code, 1);
    assert!(out.ends_with("3 cases: 0 right, 3 wrong\n"), "{out}");
    // One that expects what does not come.
    let none = "[[test]]\nname = \"none\"\ngiven = [{ stream = \"visits\", at = \"2026-01-01\", who = 1 }]\ndead_letters = 1\n";
    let (code, out, _) = test(none);
    assert_eq!(code, 1);
    assert!(out.contains("1 dead letters are expected, and 0 came"), "{out}");
}

#[test]
fn every_case_is_run_and_counted() {
    let cases = "[[test]]\nname = \"first\"\ngiven = \"missing.jsonl\"\nsilent = [\"bereaved\"]\n\
                 [[test]]\nname = \"second\"\ngiven = [{ stream = \"visits\", at = \"2026-01-01\", who = 1, n = 1 }]\nsilent = [\"bereaved\"]\n\
                 [[test]]\nname = \"third\"\ngiven = \"broken\"\nsilent = [\"bereaved\"]\n\
                 [[test]]\nname = \"fourth\"\ngiven = \"there.jsonl\"\nsilent = [\"bereaved\"]\n";
    let folder = folder(&[
        ("p.toml", &shop("", "", "x > 1", cases)),
        ("there.jsonl", "{\"stream\":\"visits\",\"at\":\"2026-01-01\",\"who\":1,\"n\":9}\n"),
        ("broken/visits.csv", "at,whom,n\n2026-01-01,1,1\n"),
    ]);
    let (code, out, err) = said(folder.path(), &["test", "p.toml"]);
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    for part in [
        "FAIL  first  (p.toml:",
        "`given` is neither missing.jsonl nor ",
        "ok    second\n",
        "FAIL  third  (p.toml:",
        "it has no column `who`",
        "FAIL  fourth  (p.toml:",
        "bereaved opened  (came, not expected)",
        "4 cases: 1 right, 3 wrong\n",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
}

#[test]
fn a_condition_that_is_always_the_same_is_refused_with_its_remedy() {
    for (when, message, help) in [
        ("x > 10 || x <= 10", "one of `x > 10` and `x <= 10` is always true, wherever `x` is known", "write `has(x)`"),
        ("x != 1 || x != 2", "is always true, wherever `x` is known", "or `&&` when both have to hold"),
        ("!(x > 10) || x > 10", "one of `!(x > 10)` and `x > 10` is always true", "leave it out"),
        ("x > 10 && x < 5", "`x > 10` and `x < 5` are never true together", "write `||`"),
        ("x == 1 && x == 2", "`x == 1` and `x == 2` are never true together", "write `||`"),
        ("x > 5 && x < 6", "`x > 5` and `x < 6` are never true together", "write `||`"),
        ("x == x", "this comparison is always the same", "`has(x)` asks whether it is known"),
        ("now - at >= 30d && now - at < 7d", "are never true together", "write `||`"),
    ] {
        let features = "at = { from = \"visits\", last = \"at\" }";
        let (code, text) = checked(&shop("", features, when, ""));
        assert_eq!(code, 1, "{when}: {text}");
        assert!(text.contains(message) && text.contains(help), "{when}: {text}");
    }
    for when in ["x > 10 || x < 10", "x > 10 || !has(x)", "!(x > 5) && x < 3", "x >= 5 && x <= 5"] {
        let (code, text) = checked(&shop("", "", when, ""));
        assert_eq!(code, 0, "{when}: {text}");
    }
    // Wherever a condition stands.
    let feature = "few = { from = \"visits\", count = true, where = \"n > 3 || n <= 3\" }";
    let (code, text) = checked(&shop("", feature, "x > 1", "success = \"x < 1 || x >= 1\""));
    assert_eq!(code, 1);
    assert!(text.contains("write `has(n)`") && text.contains("write `has(x)`"), "{text}");
}

#[test]
fn what_is_written_as_in_sql_is_told_with_what_to_write() {
    for (when, help) in [
        ("x is not null", "write `has(x)`"),
        ("x IS NULL", "write `!has(x)`"),
        ("x != null", "write `has(x)`"),
        ("x = 1", "write `==`"),
        ("x <> 1", "write `!=`"),
        ("x > 1 and x < 5", "write `&&`"),
        ("x > 1 OR x < -5", "write `||`"),
        ("not x > 1", "write `!`"),
        ("x in (1, 2)", "write `x in [1, 2]`"),
        ("x NOT IN (1, 2)", "write `!(x in [1, 2])`"),
        ("x between 1 and 5", "write `x >= 1 && x <= 5`"),
        ("word like 'a%'", "write `word.startsWith('a')`"),
        ("isnull(x)", "write `!has(x)`"),
    ] {
        let (code, text) = checked(&shop(", w = \"text?\"", "word = { from = \"visits\", last = \"w\" }", when, ""));
        assert_eq!(code, 1, "{when}: {text}");
        assert!(text.contains(help) && !text.contains("an operator is missing"), "{when}: {text}");
    }
}

#[test]
fn a_number_of_the_command_line_is_told_with_its_range() {
    let folder = folder(&[("p.toml", &shop("", "", "x > 1", ""))]);
    let run = ["run", "p.toml", "--workers"];
    let generate = ["generate", "bank", "--output", "o"];
    for (command, more, range) in [
        (&run[..], &["-1"][..], "from 1 to 256"),
        (&run[..], &["0"], "from 1 to 256"),
        (&run[..], &["257"], "from 1 to 256"),
        (&run[..], &["many"], "from 1 to 256"),
        (&run[..], &["1.5"], "from 1 to 256"),
        (&["run", "p.toml", "-w"], &["-1"], "from 1 to 256"),
        (&["run", "p.toml", "--max-dead-letters"], &["-1"], "--max-dead-letters"),
        (&["run", "p.toml", "--max-dead-letters"], &["-5%"], "--max-dead-letters"),
        (&generate, &["--customers", "-5"], "from 1 to 10000000"),
        (&generate, &["--customers", "0"], "from 1 to 10000000"),
        (&generate, &["--days", "-1"], "from 1 to 3650"),
        (&generate, &["--seed", "-1"], "from 0 on"),
        (&generate, &["--disorder", "-0.5"], "a share is a number from 0 to 1"),
        (&["why", "p.toml", "--customer", "1", "--records"], &["-1"], "from 1 to 65535"),
        (&["why", "p.toml", "--customer", "1", "--records"], &["0"], "from 1 to 65535"),
    ] {
        let arguments = [command, more].concat();
        let (code, _, err) = said(folder.path(), &arguments);
        assert_eq!(code, 2, "{arguments:?}: {err}");
        assert!(err.contains(range) && !err.contains("use '-- "), "{arguments:?}: {err}");
    }
    // An id may begin with a sign.
    let (_, _, err) = said(folder.path(), &["views", "p.toml", "--customer", "-5"]);
    assert!(!err.contains("use '-- "), "{err}");
    let (code, _, err) = said(folder.path(), &["run", "p.toml", "--until", "-1"]);
    assert_eq!(code, 2);
    assert!(err.contains("--until takes a time such as"), "{err}");
}

#[test]
fn a_path_is_no_column() {
    let top = "bring it to the top of the record first";
    for (fields, features, place) in [
        (", amount = { type = \"int?\", column = \"meta.amount\" }", "", "`meta.amount` is a path"),
        (", amount = { type = \"int?\", column = \"$.meta.amount\" }", "", "`$.meta.amount` is a path"),
        (", amount = { type = \"int?\", column = \"items[0]\" }", "", "`items[0]` is a path"),
        (", \"meta.amount\" = \"int?\"", "", "`meta.amount` is a path"),
        (", meta.amount = \"int?\"", "", "`meta.amount` is a path"),
        (", meta = { amount = \"int?\" }", "", "`meta.amount` is a path"),
        ("", "y = { from = \"visits\", sum = \"meta.amount\" }", "unknown name `meta.amount`"),
        ("", "y = { from = \"visits\", count = true, where = \"meta.ok\" }", "unknown name `meta.ok`"),
        ("", "y = { from = \"visits\", count = true, by = \"meta.who\" }", "`meta.who` is a path"),
    ] {
        let (code, text) = checked(&shop(fields, features, "x > 1", ""));
        assert_eq!(code, 1, "{fields}{features}: {text}");
        assert!(text.contains(place) && text.contains(top), "{fields}{features}: {text}");
    }
    for (key, value) in [("time   = \"at\"", "time = \"meta.at\""), ("about  = \"who\"", "about = \"meta.who\"")] {
        let (code, text) = checked(&shop("", "", "x > 1", "").replace(key, value));
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(" is a path") && text.contains(top), "{text}");
    }
    let table = "[table.cards]\nkey = [\"meta.id\"]\nfields = { id = \"int\" }";
    let (code, text) = checked(&shop("", "", "x > 1", table));
    assert_eq!(code, 1);
    assert!(text.contains("`meta.id` is a path"), "{text}");
    // A CSV has columns of any name, and a point before a space makes no path.
    let fields = ", amount = { type = \"int?\", column = \"meta.amount\" }";
    let csv = shop(fields, "", "x > 1", "")
        .replace("[customer.feature]", "format = { delimiter = \",\" }\n[customer.feature]");
    assert_eq!(checked(&csv).0, 0, "{}", checked(&csv).1);
    for column in ["No. of items", "Amount [EUR]", "km/h", "Betrag in €"] {
        let fields = format!(", amount = {{ type = \"int?\", column = \"{column}\" }}");
        assert_eq!(checked(&shop(&fields, "", "x > 1", "")).0, 0, "{column}");
    }
}

#[test]
fn a_moment_without_a_reason_is_warned_of_and_says_a_sentence() {
    let locale = "[customer.attribute]\nspoken = \"LANG\"\n[policy]\nlocale = \"spoken\"";
    let english = shop("", "", "x >= 1", &locale.replace("LANG", "'en'"));
    let (code, text) = checked(&english);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("moment `bereaved` has no reason") && text.contains("add `reason = {"), "{text}");
    let (code, text) = checked(&english.replace("purpose = ", "reason = \"You lost somebody\"\npurpose = "));
    assert!(code == 0 && !text.contains("no reason"), "{text}");
    let published = |pack: &str| {
        let folder = folder(&[("p.toml", pack), ("data/visits.jsonl", "{\"at\":\"2026-01-01\",\"who\":1,\"n\":1}\n")]);
        let arguments = ["run", "p.toml", "-i", "data", "-q", "--format", "jsonl"];
        let (code, out, err) = said(folder.path(), &arguments);
        assert_eq!(code, 0, "{err}");
        let event: serde_json::Value = serde_json::from_str(out.lines().next().expect("a trigger")).expect("JSON");
        let reason = &event["data"]["reason"];
        (
            reason["text"].as_str().expect("words").to_owned(),
            reason["language"].as_str().expect("a language").to_owned(),
        )
    };
    let french = english.replace("'en'", "'fr-FR'");
    assert_eq!(
        published(&english),
        ("Your situation has changed, and we may be able to help you.".to_owned(), "en".to_owned())
    );
    assert_eq!(
        published(&french),
        ("Votre situation a changé, et nous pouvons peut-être vous aider.".to_owned(), "fr".to_owned())
    );
    let mut sentences = std::collections::BTreeSet::new();
    for purpose in ["safety", "assistance", "service", "relationship"] {
        for pack in [&english, &french] {
            let (text, _) = published(&pack.replace("\"assistance\"", &format!("\"{purpose}\"")));
            assert!(text.ends_with('.') && text.chars().next().is_some_and(char::is_uppercase), "{text}");
            for name in ["ereaved", "x", "est 1", "is 1", "au moins", "at least"] {
                assert!(!text.split([' ', '.', ',']).any(|word| word == name) && !text.contains("ereaved"), "{text}");
            }
            sentences.insert(text);
        }
    }
    assert_eq!(sentences.len(), 8, "{sentences:?}");
}

#[test]
fn an_asyncapi_document_needs_a_pack() {
    let folder = folder(&[("p.toml", &shop("", "", "x > 1", ""))]);
    let (code, out, err) = said(folder.path(), &["schema", "asyncapi"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("propice schema asyncapi dataflows/bank.toml"), "{err}");
    let (code, out, _) = said(folder.path(), &["schema", "asyncapi", "p.toml"]);
    assert!(code == 0 && out.contains("Triggers of bereaved."), "{out}");
}

#[test]
fn a_report_is_not_written_into_a_file_that_promises_something_else() {
    let decision = "{\"time\":\"2026-03-02T21:30:00Z\"}\n";
    let folder = folder(&[("decisions.jsonl", decision)]);
    let refused = |arguments: &[&str]| {
        let (code, out, err) = said(folder.path(), &[&["report", "decisions.jsonl"], arguments].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(".html") && err.contains(".json") && err.contains(".txt"), "{err}");
    };
    for file in ["x.pdf", "x.PDF", "x.docx", "x.md", "x.html.gz"] {
        refused(&["-o", file]);
        assert!(!folder.path().join(file).exists());
    }
    refused(&["-o", "x.pdf", "--format", "html"]);
    refused(&["-o", "x.json", "--format", "html"]);
    let shipped = Path::new(crate::ROOT).join("fixtures/report/decisions.jsonl");
    let shipped = if shipped.exists() { shipped } else { Path::new(crate::ROOT).join("fixtures/report") };
    let shipped = shipped.to_str().expect("UTF-8");
    for (file, more, begins) in [
        ("x.txt", &[][..], ""),
        ("x", &[], ""),
        ("x.json", &[], "{"),
        ("x.HTML", &[], "<!"),
        ("x.htm", &[], "<!"),
        ("x.report", &["--format", "json"], "{"),
    ] {
        let arguments = [&["report", shipped, "-o", file], more].concat();
        let (code, _, err) = said(folder.path(), &arguments);
        assert_eq!(code, 0, "{err}");
        let text = fs::read_to_string(folder.path().join(file)).expect("a report");
        assert!(text.starts_with(begins) && !text.is_empty(), "{file}: {text:.80}");
    }
}

#[test]
fn an_entity_may_be_called_policy() {
    let contracts = "{\"no\":\"p1\",\"holder\":\"c1\",\"since\":\"2026-01-01\",\"kind\":\"car\",\"if\":7}\n";
    let claims = "{\"at\":\"2026-01-02T09:00:00Z\",\"no\":\"p1\",\"paid\":120.00}\n";
    let folder = folder(&[("p.toml", INSURER), ("data/contracts.jsonl", contracts), ("data/claims.jsonl", claims)]);
    let (code, out, err) = said(folder.path(), &["check", "p.toml", "--deny-warnings"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("pack insurer is sound"), "{out}");
    let (code, out, _) = said(folder.path(), &["test", "p.toml"]);
    assert!(code == 0 && out.contains("1 right"), "{out}");
    let (code, out, _) = said(folder.path(), &["plan", "p.toml"]);
    assert!(code == 0 && out.contains("\nentity policy\n") && out.contains("\nmoment policy (version 1)\n"), "{out}");
    let view = "{\"customer\":\"c1\",\"logical_time_ms\":1767344400000,\"paid\":120.00,\"entities\":{\"policy\":{\"p1\":\
                {\"paid\":120.00,\"moment\":\"2026-01-02T09:00:00Z\",\"for\":7,\"is_costly\":true}}}}\n";
    let (code, out, _) = said(folder.path(), &["views", "p.toml", "-i", "data", "--format", "jsonl"]);
    let in_order = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        value
    };
    assert_eq!(code, 0);
    assert_eq!(in_order(&out), in_order(view));
    let run = |engine: &str, workers: &str| {
        let arguments =
            ["run", "p.toml", "-i", "data", "-q", "--format", "jsonl", "--engine", engine, "--workers", workers];
        let (code, out, err) = said(folder.path(), &arguments);
        assert_eq!((code, err.as_str()), (0, ""));
        out
    };
    let expected = run("fused", "1");
    assert!(expected.contains("\"text\":\"120.00 were paid\""), "{expected}");
    for (engine, workers) in [("fused", "4"), ("reference", "1"), ("reference", "2")] {
        assert_eq!(run(engine, workers), expected, "{engine}, {workers} workers");
    }
}

#[test]
fn an_entity_may_have_any_name() {
    for name in [
        "pack",
        "stream",
        "table",
        "entity",
        "moment",
        "policy",
        "channel",
        "test",
        "feature",
        "attribute",
        "expect",
        "from",
        "over",
        "count",
        "if",
        "for",
        "as",
        "let",
        "size",
        "has",
        "duration",
    ] {
        let renamed = |text: &str, section: &str| {
            text.replace("id(policy)", &format!("id({name})"))
                .replace("[entity.policy]", &format!("[entity.{name}]"))
                .replace("[policy.feature]", &format!("[{section}.feature]"))
                .replace("[policy.attribute]", &format!("[{section}.attribute]"))
                .replace("over = \"policy\"", &format!("over = \"{name}\""))
                .replace("about   = \"policy\"", &format!("about   = \"{name}\""))
                .replace("policy.paid", &format!("{name}.paid"))
                // A feature cannot be called like an entity.
                .replace("moment = {", "latest = {")
                .replace("for    = {", "number = {")
        };
        // A table of TOML cannot be a list of cases too.
        let sections = [name.to_owned(), format!("entity.{name}")];
        for section in sections.iter().filter(|section| *section != "test") {
            let folder = folder(&[("p.toml", &renamed(INSURER, section))]);
            let (code, out, err) = said(folder.path(), &["test", "p.toml"]);
            assert_eq!((code, err.as_str()), (0, ""), "[{section}.feature]: {out}");
            assert!(out.ends_with("1 cases: 1 right, 0 wrong\n"), "[{section}.feature]: {out}");
        }
        if name == "test" {
            let (without_cases, _) = INSURER.split_once("[[test]]").expect("a case");
            let (code, text) = checked(&renamed(without_cases, "test"));
            assert!(code == 0 && text.contains("4 features"), "{text}");
        }
    }
    // Streams, moments and channels may be called like what an entity has.
    let pack = shop("", "", "x > 1", "")
        .replace("stream.visits", "stream.feature")
        .replace("from = \"visits\"", "from = \"feature\"")
        .replace("moment.bereaved", "moment.attribute");
    assert_eq!(checked(&pack).0, 0, "{}", checked(&pack).1);
}

#[test]
fn words_that_are_taken_say_why() {
    for name in ["now", "true", "null", "in"] {
        let (code, text) = checked(&shop(&format!(", {name} = \"int?\""), "", "x > 1", ""));
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("it is a word of the expression language") && text.contains("`column`"), "{text}");
    }
    for name in ["if", "as", "for", "moment", "when", "count", "size", "has", "matches", "min", "policy", "let"] {
        let feature = format!("{name} = {{ from = \"visits\", sum = \"{name}_1 + n\" }}\n");
        let fields = format!(", {name} = \"int?\", {name}_1 = \"int?\"");
        let feature = feature + &format!("y = {{ from = \"visits\", sum = \"{name}\" }}");
        let (code, text) = checked(&shop(&fields, &feature, &format!("{name} > 1 && has({name})"), ""));
        assert_eq!(code, 0, "{name}: {text}");
    }
    // An entity that is not declared is missed wherever its features stand.
    let (code, text) = checked(&shop("", "[policy.feature]\nz = { from = \"visits\", count = true }", "x > 1", ""));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("entity `policy` is not declared") && text.contains("[entity.policy]"), "{text}");
}
