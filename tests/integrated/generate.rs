//! What `propice_generate` promises: the same bytes for the same settings, order, disorder and
//! duplicates as asked, records of the pack, and a truth that the pack finds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use propice_flow::Engine;
use propice_generate::{FILES, Settings, bank};
use propice_run::{self as run, Options};

const SETTINGS: Settings =
    Settings { customers: 40, days: 70, seed: 11, start_day: 20_454, disorder_ppm: 0, duplicates_ppm: 0 };

/// A file in memory that can still be read when the generator has let go of it.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn generated(settings: &Settings) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, Memory> = BTreeMap::new();
    let mut open = |name: &str| {
        let memory = files.entry(name.to_owned()).or_default().clone();
        Ok(Box::new(memory) as Box<dyn Write>)
    };
    let lines = bank(settings, &mut open, &mut |_| Ok(())).expect("memory can be written");
    let files: BTreeMap<String, String> =
        files.into_iter().map(|(name, file)| (name, String::from_utf8(file.0.take()).expect("UTF-8"))).collect();
    for (name, told) in FILES.iter().zip(&lines) {
        assert_eq!(files[*name].lines().count() as u64, *told, "{name}");
    }
    files
}

/// The event time of a line: RFC 3339 in UTC to the second, which sorts as text.
fn time(name: &str, line: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let field = match name {
        "ledger" => "booked_at",
        "truth" => "from",
        "holidays" => "published_at",
        _ => "at",
    };
    record[field].as_str().unwrap_or_else(|| panic!("{name}: {line}")).to_owned()
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_same_settings_give_the_same_bytes_and_another_seed_others() {
    let files = generated(&SETTINGS);
    assert_eq!(files, generated(&SETTINGS));
    let other = generated(&Settings { seed: 12, ..SETTINGS });
    // The holidays are those of France, whatever the seed.
    for name in FILES.into_iter().filter(|name| *name != "holidays") {
        assert_ne!(files[name], other[name], "{name}");
    }
}

#[test]
fn every_file_has_records_in_order_of_event_time() {
    for (name, text) in generated(&SETTINGS) {
        let times: Vec<String> = text.lines().map(|line| time(&name, line)).collect();
        assert!(!times.is_empty(), "{name}");
        assert!(times.is_sorted(), "{name}");
    }
}

#[test]
fn disorder_changes_the_order_of_the_records_and_nothing_else() {
    let straight = generated(&SETTINGS);
    let files = generated(&Settings { disorder_ppm: 200_000, ..SETTINGS });
    for name in FILES {
        assert_eq!(sorted(&files[name]), sorted(&straight[name]), "{name}");
    }
    assert_eq!(files["truth"], straight["truth"]);
    let mut latest = String::new();
    let mut late = 0;
    let lines = files["ledger"].lines().count();
    for line in files["ledger"].lines() {
        let at = time("ledger", line);
        late += usize::from(at < latest);
        latest = latest.max(at);
    }
    // A fifth is on its way for up to six hours; a part of them arrives before anything later
    // happens.
    assert!(late * 20 > lines && late * 4 < lines, "{late} of {lines}");
}

#[test]
fn duplicates_are_copies_of_the_asked_share() {
    let straight = generated(&SETTINGS);
    let files = generated(&Settings { duplicates_ppm: 100_000, ..SETTINGS });
    let (mut copies, mut lines) = (0, 0);
    for name in FILES {
        let once = sorted(&straight[name]);
        let mut twice = sorted(&files[name]);
        copies += twice.len() - once.len();
        lines += once.len();
        twice.dedup();
        let mut once = once;
        once.dedup();
        assert_eq!(twice, once, "{name}");
    }
    assert_eq!(files["truth"], straight["truth"]);
    assert!((lines * 9 / 100..lines * 11 / 100).contains(&copies), "{copies} of {lines}");
}

#[test]
fn more_customers_change_nothing_in_the_lives_of_the_others() {
    let few = generated(&SETTINGS);
    let many = generated(&Settings { customers: 60, ..SETTINGS });
    let of_the_first = |files: &BTreeMap<String, String>| {
        let lines = files["contacts"].lines().filter(|line| line.contains("\"c3\""));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(!of_the_first(&few).is_empty());
    assert_eq!(of_the_first(&few), of_the_first(&many));
}

#[test]
fn a_third_refuses_to_be_addressed_personally() {
    let files = generated(&Settings { customers: 2_000, days: 1, ..SETTINGS });
    let personalised = files["consents"].lines().filter(|line| line.contains("personalised"));
    let refusals = personalised.filter(|line| line.contains("false")).count();
    assert!((600..720).contains(&refusals), "{refusals} of 2000");
}

/// All records in order of event time, each with its input in `stream`.
fn mixed(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for (name, text) in files.iter().filter(|(name, _)| *name != "truth") {
        let named = |line: &str| format!("{{\"stream\":\"{name}\",{}", &line[1..]);
        lines.extend(text.lines().map(|line| (time(name, line), named(line))));
    }
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    lines.into_iter().map(|(_, line)| line).collect()
}

fn text<'a>(of: &'a serde_json::Value, field: &str) -> &'a str {
    of[field].as_str().expect("text")
}

#[test]
fn every_line_is_a_record_of_the_pack_and_the_pack_finds_every_situation() {
    let settings = Settings { customers: 90, ..SETTINGS };
    let files = generated(&settings);
    let path = Path::new(crate::ROOT).join("dataflows/bank.toml");
    let pack = std::fs::read_to_string(&path).expect("the pack");
    let plan = Arc::new(propice_define::load("bank.toml", &pack).expect("a sound pack"));
    let options = Options { engine: Engine::Fused, workers: 1, views: false, until: None };
    let (texts, summary) = run::over_lines(&plan, &mixed(&files), &options).expect("a run");
    assert_eq!(texts.dead_letters, "");
    assert_eq!(summary.late, 0);

    let parsed = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let episodes = parsed(&texts.episodes);
    let end = "2026-03-11T23:59:59Z";
    let mut kinds = std::collections::BTreeSet::new();
    for situation in parsed(&files["truth"]) {
        let (from, until) = (text(&situation, "from"), text(&situation, "until"));
        // What is still under way at the end of the run may not have lasted long enough to be
        // noticed.
        if until > end && text(&situation, "situation") != "financial_fragility" {
            continue;
        }
        let of_it = |transition: &str, between: &dyn Fn(&str) -> bool| {
            episodes.iter().any(|episode| {
                episode["customer"] == situation["customer"]
                    && episode["moment"] == situation["situation"]
                    && episode["transition"] == transition
                    && between(text(episode, "time"))
            })
        };
        assert!(of_it("opened", &|at| from <= at && at <= until), "not found: {situation}");
        if until <= end {
            assert!(of_it("closed", &|at| at == until), "not over: {situation}");
        }
        kinds.insert(text(&situation, "situation").to_owned());
    }
    // What is offered to who moves (`home_cover`) is about the same signs as what helps them.
    assert_eq!(kinds.len() + 1, plan.moments.len(), "every moment of the pack is put to the test: {kinds:?}");
}

#[test]
fn the_fixture_is_what_its_command_makes() {
    let settings = Settings { customers: 60, days: 60, seed: 5, ..SETTINGS };
    for (name, text) in generated(&settings) {
        let path = Path::new(crate::ROOT).join(format!("fixtures/bank/{name}.jsonl"));
        let there = std::fs::read_to_string(&path).expect("the fixture");
        assert!(there == text, "fixtures/bank/{name}.jsonl differs: make it again as fixtures/bank/README.md says");
    }
}
