//! `propice report`, as people call it: its tables and its JSON on a small set of decisions, what
//! it says of bad ones, and its page, as a document and in a real browser.
//!
//! `UPDATE_EXPECT=1 cargo test --test integrated report` writes the expected files anew. The page
//! of a simulated year and its pictures are left in `target/tmp/report`, to be looked at.

mod browser;
mod document;
mod language;
mod narrow;
mod simulated;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

use browser::Window;

fn root() -> &'static Path {
    Path::new(crate::ROOT)
}

fn propice() -> Command {
    let mut command = Command::cargo_bin("propice").expect("propice is built");
    command.current_dir(root());
    command
}

/// What a report says on standard output.
fn report(arguments: &[&str]) -> String {
    let output = propice().arg("report").args(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("text")
}

/// A report on these lines: whether it is one, and what it says on standard output and standard
/// error.
fn report_on(lines: &str, arguments: &[&str]) -> (bool, String, String) {
    let output = propice().args(["report", "-"]).args(arguments).write_stdin(lines).output().expect("propice runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn expect(file: &str, text: &str) {
    let path = root().join("fixtures/report/expected").join(file);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, text).expect("the expected file is written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    for (at, (expected, found)) in expected.lines().zip(text.lines()).enumerate() {
        assert_eq!(found, expected, "{}:{}", path.display(), at + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "{} has other lines", path.display());
}

fn small_decisions() -> String {
    fs::read_to_string(root().join("fixtures/report/decisions.jsonl")).expect("decisions")
}

#[test]
fn tables_and_json_of_a_few_decisions() {
    expect("report.txt", &report(&["fixtures/report"]));
    expect("report.json", &report(&["fixtures/report/decisions.jsonl", "--format", "json", "--by", "month"]));
}

/// What `fixtures/report/README.md` tells, looked up in the JSON: figures that were counted by
/// hand.
#[test]
fn figures_are_those_that_were_counted_by_hand() {
    let text = report(&["fixtures/report", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let number = |path: &str| json.pointer(path).and_then(serde_json::Value::as_f64);
    for (path, expected) in [
        ("/totals/episodes", 11.0),
        ("/totals/released", 6.0),
        ("/totals/handed_to_human", 1.0),
        ("/totals/withdrawn_before_release", 1.0),
        ("/totals/withdrawn_after_release", 1.0),
        ("/totals/still_deferred", 1.0),
        ("/totals/ever_deferred", 4.0),
        ("/customers/seen", 7.0),
        ("/customers/mean", 0.857),
        ("/customers/most", 3.0),
        ("/assistance_to_sales", 4.0),
        ("/receipts/contacts_of_other_systems", 1.0),
        // e03 was suppressed by consent alone: quiet hours defer.
        ("/gates/1/suppressed", 1.0),
        ("/gates/7/suppressed", 0.0),
        ("/gates/7/deferred", 2.0),
        // e02 waited from 21:30 to 07:00, e05 from 22:00 to 06:00.
        ("/gates/7/deferrals/longest_ms", 34_200_000.0),
        ("/gates/7/deferrals/median_ms", 28_800_000.0),
        ("/gates/6/deferrals/longest_ms", 7_200_000.0),
        // e06 waited twice for eight days.
        ("/moments/0/deferrals/ended", 2.0),
        ("/moments/0/deferrals/median_ms", 691_200_000.0),
        ("/moments/4/treated/rate", 0.75),
        ("/moments/4/treated_against_holdout/difference", 0.5227),
    ] {
        assert_eq!(number(path), Some(expected), "{path}");
    }
    assert_eq!(json.pointer("/moments/4/treated_against_holdout/says").expect("a word"), "helps_more");
    assert_eq!(json.pointer("/moments/0/treated_against_holdout/says").expect("a word"), "too_few_to_tell");
}

#[test]
fn a_pack_adds_its_moments_and_channels_and_its_zone() {
    let text = report(&["fixtures/report", "--pack", "dataflows/bank.toml", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["pack"]["name"], "bank");
    assert_eq!(json["zone"], "Europe/Paris");
    let moments = json["moments"].as_array().expect("moments");
    let silent = moments.iter().find(|of| of["moment"] == "salary_missing").expect("a moment of the pack");
    assert_eq!(silent["episodes"], 0);
}

#[test]
fn bad_lines_are_told_with_their_place_counted_and_left_out() {
    let good = fs::read_to_string(root().join("fixtures/report/decisions.jsonl")).expect("decisions");
    let good: Vec<&str> = good.lines().take(3).collect();
    let lines = format!(
        "{}\n{{\"customer\":7}}\n\n{}\nnot JSON\n{}\n{}\n",
        good[0],
        good[1],
        good[2].replace("\"seen\"", "\"seen\",\"purpose\":\"fun\""),
        "[".repeat(100_000),
    );
    let (fine, out, said) = report_on(&lines, &[]);
    assert!(fine, "{said}");
    assert!(out.starts_with("2 decisions on 1 customer, 2026-01-05 to 2026-01-05\n4 lines could not be read"), "{out}");
    let places: Vec<&str> = said.lines().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(places.len(), 4, "{said}");
    assert_eq!(places[..2], ["standard input:2:13", "standard input:5:2"], "{said}");
    assert!(said.contains("`fun` is no purpose") || said.contains("duplicate field `purpose`"), "{said}");

    let (fine, out, said) = report_on(&"{}\n".repeat(25), &[]);
    assert!(!fine && out.is_empty(), "{out}");
    assert!(said.contains("25 lines are no decisions") && said.contains("no line is a decision"), "{said}");
    assert_eq!(said.lines().count(), 12, "{said}");
}

#[test]
fn a_verdict_before_the_one_before_it_is_a_bad_line() {
    let verdict = |time: u64| {
        format!(
            "{{\"logical_time_ms\":{time},\"customer\":\"c\",\"moment\":\"m\",\"purpose\":\"sales\",\"episode\":\"e\",\"decision\":\"verdict\",\
             \"verdict\":\"deferred\",\"gates\":[{{\"gate\":\"quiet\"}}]}}\n"
        )
    };
    let (fine, out, said) = report_on(&[verdict(5), verdict(3), verdict(u64::MAX)].concat(), &[]);
    assert!(fine, "{said}");
    assert!(out.starts_with("1 decision on 1 customer"), "{out}");
    assert!(said.contains("standard input:2: earlier than the verdict before it"), "{said}");
    assert!(said.contains("standard input:3: `logical_time_ms` lies behind the year 9999"), "{said}");
}

#[test]
fn nothing_is_a_report_too_and_what_is_not_there_is_an_error() {
    for format in ["table", "json", "html"] {
        let (fine, out, said) = report_on("\n", &["--format", format]);
        assert!(fine && !out.is_empty() && said.is_empty(), "{format}: {said}");
    }
    document::check(&report_on("", &["--format", "html"]).1);
    propice().args(["report", "nowhere.jsonl"]).assert().code(3);
    propice().args(["report", "src"]).assert().code(2);
}

#[test]
fn a_file_that_is_packed_is_unpacked_and_the_ending_says_the_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = fs::read(root().join("fixtures/report/decisions.jsonl")).expect("decisions");
    let packed = zstd::encode_all(&plain[..], 1).expect("packed");
    fs::write(folder.path().join("decisions.jsonl.zst"), packed).expect("written");
    let json = folder.path().join("r.json");
    propice().arg("report").arg(folder.path()).arg("-o").arg(&json).assert().success().stdout("");
    let text = fs::read_to_string(json).expect("a report");
    assert_eq!(text, report(&["fixtures/report", "--format", "json"]));
}

/// What the engine writes is what the report reads.
#[test]
fn the_decisions_of_a_run_are_read_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = ["run", "dataflows/bank.toml", "--quiet", "--format", "none", "--output"];
    propice().args(run).arg(folder.path()).assert().success();
    let lines = fs::read_to_string(folder.path().join("decisions.jsonl")).expect("decisions");
    let released = lines.lines().filter(|line| line.contains("\"verdict\":\"released\"")).count();
    assert!(released > 10, "{released} releases");
    let folder = folder.path().to_str().expect("a path in UTF-8");
    let text = report(&[folder, "--pack", "dataflows/bank.toml", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["bad_lines"], 0);
    assert_eq!(json["decisions"], lines.lines().count());
    assert_eq!(json["totals"]["released"], released);
    assert_eq!(json["customers"]["contacts"], released);
}

/// The figures above the sections: what they are called.
fn key_figures(decisions: &str) -> Vec<String> {
    let (_, page, _) = report_on(decisions, &["--format", "html"]);
    page.split("<dt>").skip(1).filter_map(|behind| behind.split("</dt>").next()).map(str::to_owned).collect()
}

/// No outcome and no rating stands above the sections, where it has neither an interval nor a
/// control group; and what there is nothing to say of is left out.
#[test]
fn key_figures_say_something_and_nothing_of_success() {
    assert_eq!(
        key_figures(&small_decisions()),
        ["Contacts", "Silent so far", "Assistance to sales", "Median deferral"]
    );
    let without_sales = small_decisions().lines().filter(|line| !line.contains("sales")).collect::<Vec<_>>().join("\n");
    assert_eq!(key_figures(&without_sales), ["Contacts", "Silent so far", "Median deferral"]);
    let first = small_decisions().lines().next().expect("a decision").to_owned();
    assert_eq!(key_figures(&first), ["Contacts", "Silent so far"]);
    let outcomes = small_decisions().lines().filter(|line| line.contains("\"outcome\"")).collect::<Vec<_>>().join("\n");
    assert!(key_figures(&outcomes).is_empty());
    let (_, page, _) = report_on(&outcomes, &["--format", "html"]);
    document::check(&page);
    assert!(!page.contains("class=\"key\""), "an empty list");
    assert!(page.contains("Did it help?") && !page.contains(">Channels<"), "sections that say something");
    // A share of outcomes stands beside its control group, and nowhere else.
    let (_, tables, _) = report_on(&small_decisions(), &[]);
    for line in tables.lines().filter(|line| line.contains("75.0%")) {
        assert!(
            line.contains("75.0% (55.1% to 88.0%) of 24") && line.contains("22.7% (10.1% to 43.4%) of 22"),
            "{line}"
        );
    }
    assert!(tables.split("Over time").nth(1).is_some_and(|timeline| !timeline.contains('%')), "{tables}");
}

/// A name that would be markup, a script, a command to a terminal, and text that runs backwards.
const HOSTILE: &str = "<script>alert(1)</script>\"'&amp;]]>--><img src=x onerror=alert(2)>\\u0000\\u001b[2J\\u202e";

fn hostile_decisions() -> String {
    let quoted = HOSTILE.replace('"', "\\\"");
    fs::read_to_string(root().join("fixtures/report/decisions.jsonl"))
        .expect("decisions")
        .replace("\"moment\":\"trip_ahead\"", &format!("\"moment\":\"{quoted}\""))
        .replace("\"channel\":\"push\"", &format!("\"channel\":\"{quoted}\""))
        .replace("\"customer\":\"c1\"", &format!("\"customer\":\"{quoted}\""))
}

#[test]
fn names_from_the_data_are_neither_markup_nor_commands() {
    let (fine, page, said) = report_on(&hostile_decisions(), &["--format", "html"]);
    assert!(fine && said.is_empty(), "{said}");
    document::check(&page);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;"), "the name is shown as it is");
    for wrong in ["<script", "<img", "onerror=alert(2)>", "\u{0}", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(wrong), "{wrong:?} got into the page");
    }
    let (_, tables, _) = report_on(&hostile_decisions(), &[]);
    assert!(tables.contains("<script>alert(1)"), "{tables}");
    for wrong in ["\u{0}", "\u{1b}", "\u{202e}"] {
        assert!(!tables.contains(wrong), "{wrong:?} got onto the terminal");
    }
}

/// A folder for what is kept to be looked at.
fn kept() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn the_page_is_well_formed_and_complete_in_itself_and_shows_in_a_browser() {
    let decisions = kept().join("decisions.jsonl");
    fs::write(&decisions, simulated::decisions(6_000)).expect("decisions are written");
    let page = kept().join("report.html");
    let _ = fs::remove_file(&page);
    propice().args(["report", "--output"]).arg(&page).arg(&decisions).assert().success();
    let text = fs::read_to_string(&page).expect("the page");
    let plots = document::check(&text);
    assert_eq!(plots, 10, "every section but the one of moments has a plot");

    let Some(browser) = browser::browser() else {
        eprintln!("NOT LOOKED AT: PROPICE_BROWSER=none, so no browser has shown the page of `propice report`");
        return;
    };
    let shown = browser.document(&page);
    assert!(shown.contains("<title>When we spoke</title>"), "the browser shows another page");
    // The document of the browser is that of the page: nothing had to be mended.
    assert_eq!(shown.matches("<section").count(), text.matches("<section").count());
    assert_eq!(shown.matches("<svg").count(), text.matches("<svg").count());
    for dark in [false, true] {
        for width in [1280, 375] {
            let window = Window { width, height: 1_600, dark };
            let picture = browser.picture(&page, window, "top");
            let seen = browser::pixels(&picture);
            let (ground, bar) =
                if dark { ([0x0f, 0x12, 0x16], [0x62, 0xa9, 0xd6]) } else { ([0xf4, 0xf5, 0xf7], [0x2a, 0x6f, 0x9e]) };
            assert_eq!(seen.first(), Some(&ground), "{}: the ground", picture.display());
            let bars = seen.iter().filter(|pixel| **pixel == bar).count();
            assert!(bars > 1_000, "{}: {bars} pixels of bars", picture.display());
            // For people.
            browser.picture(&page, Window { height: if width > 1_000 { 7_000 } else { 10_200 }, ..window }, "all");
        }
    }
}

#[test]
fn a_hostile_page_runs_nothing_in_a_browser() {
    let Some(browser) = browser::browser() else { return };
    let page = kept().join("hostile.html");
    let (_, text, _) = report_on(&hostile_decisions(), &["--format", "html"]);
    fs::write(&page, &text).expect("the page is written");
    let shown = browser.document(&page);
    assert!(!shown.contains("<script") && !shown.contains("<img"), "markup from a name");
    assert_eq!(shown.matches("<svg").count(), text.matches("<svg").count());
}

/// The commands of the page, with what they print; `…` stands for lines that are left out.
#[test]
fn the_examples_of_the_documentation_are_executed() {
    let page = fs::read_to_string(root().join("docs/report.md")).expect("the page");
    let mut executed = 0;
    for block in page.split("```console\n").skip(1).filter_map(|behind| behind.split("```").next()) {
        let (command, expected) = block.split_once('\n').expect("a command");
        let arguments: Vec<&str> = command.strip_prefix("$ propice report ").expect(command).split(' ').collect();
        let folder = tempfile::tempdir().expect("a folder");
        let page = folder.path().join("report.html").display().to_string();
        let arguments: Vec<&str> =
            arguments.into_iter().map(|word| if word == "report.html" { &page } else { word }).collect();
        let output = propice().arg("report").args(&arguments).output().expect("propice runs");
        assert!(output.status.success(), "{command}");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        let said = said.replace(&page, "report.html");
        for part in expected.split("…\n").filter(|part| !part.is_empty()) {
            assert!(said.contains(part), "{command}\nprints no\n{part}\nbut\n{said}");
        }
        executed += 1;
    }
    assert!(executed >= 3, "docs/report.md has lost its examples");
}
