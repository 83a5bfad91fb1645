//! Whole explanations, word by word, in English and in French: of the shipped bank and of a pack in
//! which every gate can fail.
//!
//! `UPDATE_EXPECT=1 cargo test --test integrated why` writes the expected files, and the answers in
//! `docs/why.md`, anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// The folder that holds the pack `shop.toml`, its records in `data` and the expected explanations.
fn here() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/why"))
}

fn root() -> &'static Path {
    Path::new(crate::ROOT)
}

/// Exit code, standard output and standard error.
fn propice(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_propice"));
    command.current_dir(folder).args(arguments).env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", "C");
    let output = command.output().expect("propice runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
}

/// The id of the only episode of a moment of a customer, told by an explanation.
fn episode(folder: &Path, customer: &str, moment: &str) -> String {
    let json = ask(folder, &["--customer", customer, "--moment", moment, "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    answer["explained"][0]["episodes"][0]["id"].as_str().expect("an episode").to_owned()
}

/// The shop, with the receipt for the trigger of c2 in it: the id of a trigger is known only when
/// it was published.
fn shop() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    fs::copy(here().join("shop.toml"), folder.path().join("shop.toml")).expect("the pack");
    for file in fs::read_dir(here().join("data")).expect("records") {
        let path = file.expect("a file").path();
        fs::copy(&path, data.join(path.file_name().expect("a name"))).expect("a copy");
    }
    let episode = episode(folder.path(), "c2", "short_of_money");
    let path = data.join("answers.jsonl");
    let answers = fs::read_to_string(&path).expect("answers").replace("TRIGGER", &format!("{episode}-released"));
    fs::write(&path, answers).expect("answers");
    folder
}

/// What propice answers about the shop.
fn ask(folder: &Path, arguments: &[&str]) -> String {
    let asked = [&["why", "shop.toml", "--input", "data"], arguments].concat();
    let (code, out, err) = propice(folder, &asked);
    assert_eq!((code, err.as_str()), (0, ""), "{asked:?}");
    out
}

fn is_update() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Compares with an expected file, or writes it.
fn expect(name: &str, text: &str) {
    let path = here().join("expected").join(name);
    if is_update() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(&path, text).expect("the expected file is written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == text, "{}\nexpected:\n{expected}\nfound:\n{text}", path.display());
}

/// In both languages.
fn expect_both(name: &str, arguments: &[&str], ask: impl Fn(&[&str]) -> String) {
    for lang in ["en", "fr"] {
        let text = ask(&[arguments, &["--lang", lang]].concat());
        expect(&format!("{name}.{lang}.txt"), &text);
    }
}

#[test]
fn explanations_of_the_shop() {
    let shop = shop();
    let cases: [(&str, &[&str]); 10] = [
        ("not_fired", &["--customer", "c1", "--moment", "short_of_money", "--at", "2026-03-02T12:00:00Z"]),
        ("nearly", &["--customer", "c1", "--moment", "short_of_money", "--at", "2026-03-03T12:00:00Z"]),
        ("deferred", &["--customer", "c2", "--moment", "short_of_money", "--at", "2026-03-03T20:00:00Z"]),
        ("refused", &["--customer", "c3", "--moment", "short_of_money", "--at", "2026-03-02T12:00:00Z"]),
        ("withheld", &["--customer", "c3", "--moment", "away", "--at", "2026-03-02T12:00:00Z"]),
        ("holding", &["--customer", "c4", "--moment", "waiting", "--at", "2026-03-04T20:00:00Z"]),
        ("evidence", &["--customer", "c4", "--moment", "waiting", "--at", "2026-03-05T11:00:00Z"]),
        ("offer", &["--customer", "c5", "--moment", "offer", "--at", "2026-03-04T20:00:00Z", "--records", "1"]),
        ("holdout", &["--customer", "c6", "--moment", "offer", "--at", "2026-02-26T12:00:00Z"]),
        ("summary", &["--customer", "c5", "--at", "2026-03-25T12:00:00Z"]),
    ];
    for (name, arguments) in cases {
        expect_both(name, arguments, |arguments| ask(shop.path(), arguments));
    }
}

/// A trigger is explained by what was known when it was published, and told to its end: seen,
/// successful, taken back.
#[test]
fn a_trigger_and_an_episode_are_explained_by_their_ids() {
    let shop = shop();
    let episode = episode(shop.path(), "c2", "short_of_money");
    let trigger = format!("{episode}-released");
    expect_both("trigger", &["--trigger", &trigger], |arguments| ask(shop.path(), arguments));
    let by_episode = ask(shop.path(), &["--trigger", &episode]);
    assert!(by_episode.starts_with("Customer c2, as of 3 March 2026, 20:10"), "{by_episode}");
    let not_given = format!("{episode}-handed_to_human");
    let (code, _, err) = propice(shop.path(), &["why", "shop.toml", "--input", "data", "--trigger", &not_given]);
    assert_eq!(code, 1);
    assert!(err.contains("of short_of_money of customer c2, but it was not handed_to_human"), "{err}");
}

#[test]
fn an_explanation_is_data_too() {
    let shop = shop();
    let arguments =
        ["--customer", "c2", "--moment", "short_of_money", "--at", "2026-03-03T20:00:00Z", "--format", "json"];
    let answer: serde_json::Value = serde_json::from_str(&ask(shop.path(), &arguments)).expect("JSON");
    assert_eq!(answer["at"], "2026-03-03T20:00:00Z");
    let story = &answer["explained"][0];
    assert_eq!(story["state"], serde_json::json!({ "is": "open", "since": "2026-03-03T19:10:00Z" }));
    assert_eq!(story["condition"]["parts"][0]["holds"], true);
    let record = &story["features"][0]["uses"][0]["records"][0];
    assert_eq!((&record["file"], &record["line"]), (&"data/ledger.jsonl".into(), &9.into()));
    let gates = story["episodes"][0]["events"][0]["gates"].as_array().expect("gates");
    let gates: Vec<&str> = gates.iter().filter_map(|gate| gate["gate"].as_str()).collect();
    assert_eq!(gates, ["mood", "quiet"]);
    let remedies = story["remedies"].as_array().expect("remedies");
    assert!(remedies.iter().any(|remedy| remedy.as_str().is_some_and(|text| text.contains("passes at about"))));
}

/// What the customer does not consent to is in no explanation, in no form.
#[test]
fn withheld_data_is_named_and_never_shown() {
    let shop = shop();
    for format in ["text", "json"] {
        let arguments = ["--customer", "c3", "--moment", "away", "--at", "2026-03-02T12:00:00Z", "--format", format];
        let text = ask(shop.path(), &arguments);
        assert!(text.contains("location"), "{text}");
        assert!(!text.contains("Oslo") && !text.contains("trips.jsonl"), "{text}");
    }
    let heard = ask(shop.path(), &["--customer", "c2", "--moment", "short_of_money", "--at", "2026-03-03T20:00:00Z"]);
    assert!(
        heard.contains("signals.jsonl:6") && !heard.contains("signals.jsonl:7"),
        "not what the voice said: {heard}"
    );
}

#[test]
fn what_is_asked_wrongly_is_told() {
    let shop = shop();
    let cases: [(&[&str], &str); 9] = [
        (&["--customer", "c11"], "there is no customer `c11` at 2026-03-05T14:00:00Z (did you mean `c1`?)"),
        (&["--customer", "c1", "--moment", "short_of_mony"], "(did you mean `short_of_money`?); it has away, not_seen"),
        (
            &["--customer", "c1", "--at", "2026-01-01"],
            "nothing is known at 2025-12-31T23:00:00Z: the first record is of 2026-01-10T09:00:00Z",
        ),
        (&["--customer", "c1", "--moment", "short_of_money", "--entity", "a2"], "customer `c1` has no account `a2`"),
        (
            &["--customer", "c4", "--moment", "short_of_money"],
            "short_of_money is about entities of kind account, and customer `c4` has none",
        ),
        (
            &["--customer", "c1", "--moment", "away", "--entity", "a1"],
            "away is about the customer, not about an entity",
        ),
        (&["--trigger", "abc"], "`abc` is no id of a trigger or of an episode"),
        (&["--trigger", "00000000000000000000000000000000"], "no episode or trigger has the id"),
        (&["--customer", "c1", "--at", "soon"], "--at takes a time"),
    ];
    for (arguments, expected) in cases {
        let asked = [&["why", "shop.toml", "--input", "data"], arguments].concat();
        let (code, out, err) = propice(shop.path(), &asked);
        assert!(code != 0 && out.is_empty(), "{asked:?}: {out}");
        assert!(err.contains(expected), "{asked:?}: {err}");
    }
}

/// The records that are told are those that make the value: as many as `count` counts, as much as
/// `sum` sums up.
#[test]
fn the_records_add_up_to_the_value() {
    let cases = [("c13", "overdraft_ahead"), ("c12", "financial_fragility"), ("c7", "incident_fees")];
    let mut checked = 0;
    for (customer, moment) in cases {
        for at in ["2026-02-03T12:00:00Z", "2026-03-01T00:00:00Z"] {
            let arguments = [
                "why",
                "dataflows/bank.toml",
                "--input",
                "fixtures/bank",
                "--customer",
                customer,
                "--moment",
                moment,
                "--at",
                at,
                "--records",
                "60000",
                "--format",
                "json",
            ];
            let (code, out, err) = propice(root(), &arguments);
            assert_eq!(code, 0, "{customer} {moment}: {err}");
            let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
            for story in answer["explained"].as_array().expect("stories") {
                story["features"].as_array().expect("features").iter().for_each(|tree| add_up(tree, &mut checked));
            }
        }
    }
    assert!(checked >= 10, "only {checked} features were checked");
}

fn add_up(tree: &serde_json::Value, checked: &mut usize) {
    for used in tree["uses"].as_array().into_iter().flatten() {
        add_up(used, checked);
    }
    let told = tree["told"].as_str().unwrap_or_default();
    let records = match (tree["records"].as_array(), tree["more"].as_str()) {
        (Some(records), _) => records.as_slice(),
        (None, Some("no record counts")) => &[],
        (None, _) => return,
    };
    let cents = |value: &serde_json::Value| (value.as_f64().expect("a number") * 100.0).round() as i64;
    if told.starts_with("sum of amount of ") {
        let sum: i64 = records.iter().map(|record| cents(&record["fields"]["amount"])).sum();
        assert_eq!(sum, cents(&tree["value"]), "{told}");
        *checked += 1;
    } else if told.starts_with("how many in ") && !told.contains("all of kind") {
        assert_eq!(Some(records.len() as u64), tree["value"].as_u64(), "{told}");
        *checked += 1;
    }
}

/// Every question in `docs/why.md` is asked, and answered as it says there.
#[test]
fn the_examples_of_the_page_are_executed() {
    let path = root().join("docs/why.md");
    let page = fs::read_to_string(&path).expect("the page");
    let mut written = String::new();
    let mut asked = 0;
    for block in page.split_inclusive("\n```\n") {
        let Some((before, example)) = block.split_once("```console\n$ propice ") else {
            written.push_str(block);
            continue;
        };
        let command = example.lines().next().expect("a command");
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let (code, out, err) = propice(root(), &arguments);
        assert_eq!(code, 0, "{command}: {err}");
        asked += 1;
        for part in [before, "```console\n$ propice ", command, "\n", &out, "```\n"] {
            written.push_str(part);
        }
    }
    assert!(asked >= 3, "docs/why.md has lost its examples");
    if is_update() {
        fs::write(&path, written).expect("the page is written");
    } else {
        assert!(page == written, "docs/why.md says something else than propice:\n{written}");
    }
}
