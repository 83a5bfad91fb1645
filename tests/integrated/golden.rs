//! Golden runs of the packs that ship: the same bytes from every engine and every number of
//! workers, and what was put into the streams is what is found.
//!
//! `UPDATE_EXPECT=1 cargo test --test integrated golden` writes the expected files anew. The run on
//! the real bank needs its records: `PROPICE_BERKA` names their folder, and without it that test
//! says that it is skipped.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use propice_define::{self as define, Plan};
use propice_edge::sink::{MemorySink, OutputTexts, ViewMode};
use propice_edge::source::files::Wanted;
use propice_edge::source::{MergedSource, files};
use propice_flow::Engine;
use propice_run::{self as run, Options, Summary};

fn root() -> &'static Path {
    Path::new(crate::ROOT)
}

fn plan(path: &Path) -> Arc<Plan> {
    let text = std::fs::read_to_string(path).expect("a pack");
    Arc::new(define::load(&path.display().to_string(), &text).unwrap_or_else(|errors| panic!("{errors}")))
}

fn run(plan: &Arc<Plan>, folder: &Path, engine: Engine, workers: usize, mode: ViewMode) -> (OutputTexts, Summary) {
    let files = files::find(plan, &[Wanted::Folder(folder.to_owned())]).expect("files of the inputs");
    let source = MergedSource::open(plan, &files, &Arc::new(AtomicBool::new(false))).expect("files open");
    let sink = MemorySink::new(plan, mode);
    let options = Options { engine, workers, views: mode != ViewMode::None, until: None };
    let summary = run::execute(plan, Box::new(source), Box::new(sink.clone()), &options).expect("a run");
    (sink.texts(), summary)
}

/// Compares with the expected file, or writes it.
fn expect(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, text).expect("the expected file is written");
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    let differs = expected.lines().zip(text.lines()).position(|(expected, found)| expected != found);
    if let Some(line) = differs {
        let at = |text: &str| text.lines().nth(line).unwrap_or_default().to_owned();
        panic!("{}:{}\nexpected {}\nfound    {}", path.display(), line + 1, at(&expected), at(text));
    }
    assert_eq!(expected.len(), text.len(), "{} has another length", path.display());
}

/// Every way to run gives the same.
fn same_everywhere(plan: &Arc<Plan>, folder: &Path, mode: ViewMode) -> (OutputTexts, Summary) {
    let (texts, summary) = run(plan, folder, Engine::Fused, 1, mode);
    for (engine, workers) in [(Engine::Fused, 2), (Engine::Fused, 4), (Engine::Reference, 1), (Engine::Reference, 2)] {
        let (others, other) = run(plan, folder, engine, workers, mode);
        assert_eq!(summary, other, "{engine:?} with {workers} workers ends otherwise");
        assert!(texts == others, "{engine:?} with {workers} workers writes other bytes");
    }
    // Without views the engine waits only for what may turn a condition; nobody may notice.
    let (others, other) = run(plan, folder, Engine::Fused, 1, ViewMode::None);
    assert_eq!(summary, other, "without views a run ends otherwise");
    let expected = OutputTexts { views: String::new(), ..texts.clone() };
    assert!(expected == others, "without views other bytes are written");
    (texts, summary)
}

#[test]
fn the_bank_on_its_fixture() {
    let plan = plan(&root().join("dataflows/bank.toml"));
    let folder = root().join("fixtures/bank");
    let (texts, summary) = same_everywhere(&plan, &folder, ViewMode::Final);
    assert_eq!((summary.late, summary.dead_letters), (0, 0));
    assert!(summary.opened.iter().filter(|&&opened| opened > 0).count() >= 12, "few moments: {:?}", summary.opened);
    let expected: PathBuf = folder.join("expected");
    expect(&expected.join("episodes.jsonl"), &texts.episodes);
    expect(&expected.join("decisions.jsonl"), &texts.decisions);
    expect(&expected.join("views.jsonl"), &texts.views);
    found_as_put_in(&folder, &texts.episodes);
}

/// The generator writes down whom it put into which situation when: the pack finds each of them,
/// and no other.
fn found_as_put_in(folder: &Path, episodes: &str) {
    let truth = std::fs::read_to_string(folder.join("truth.jsonl")).expect("the truth");
    let json = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("a line of JSON");
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let truth: Vec<_> = truth.lines().map(json).collect();
    let opened: Vec<_> = episodes.lines().map(json).filter(|episode| episode["transition"] == "opened").collect();
    let fits = |situation: &serde_json::Value, episode: &serde_json::Value| {
        let time = text(episode, "time");
        situation["customer"] == episode["customer"]
            && situation["situation"] == episode["moment"]
            && text(situation, "from") <= time
            && time <= text(situation, "until")
    };
    for situation in &truth {
        assert!(opened.iter().any(|episode| fits(situation, episode)), "not found: {situation}");
    }
    // What is offered to who moves is about the same signs as what helps them.
    for episode in opened.iter().filter(|episode| episode["moment"] != "home_cover") {
        assert!(truth.iter().any(|situation| fits(situation, episode)), "found without reason: {episode}");
    }
}

#[test]
fn the_real_bank() {
    let Some(folder) = std::env::var_os("PROPICE_BERKA").map(PathBuf::from) else {
        crate::skipped::skipped("the real bank: PROPICE_BERKA names no folder with its records");
        return;
    };
    let plan = plan(&root().join("dataflows/berka.toml"));
    let (texts, summary) = same_everywhere(&plan, &folder, ViewMode::Final);
    assert_eq!((summary.late, summary.dead_letters), (0, 0));
    // Numbers of what was found, no record of it: the records stay where they stand.
    let mut counts = String::new();
    for (position, moment) in plan.moments.iter().enumerate() {
        writeln!(counts, "{} {} {}", moment.name, summary.opened[position], summary.closed[position]).expect("a line");
    }
    writeln!(counts, "views {}", texts.views.lines().count()).expect("a line");
    expect(&root().join("fixtures/berka/expected.txt"), &counts);
}
