//! Limits (`src/model/src/limits.rs`): the last place is taken, and there is no further one.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use propice_edge::source::files::{self, Wanted};
use propice_edge::source::{Batch, LinesSource, MergedSource, Source};

use super::{decided, folder, moment, parsed, plan, propice, run_all, s, said};

const THOUSAND: u64 = 1_000;
const HOUR: u64 = 3_600_000;

fn pack(policy: &str) -> String {
    format!("{}{}[policy]\narbitration = '0s'\n{policy}", super::INPUTS, moment("m", "a > 0", ""))
}

/// A budget of one more than are remembered is never used up, one of as many is.
#[test]
fn a_thousand_releases_of_a_customer_are_remembered() {
    let lines: Vec<String> =
        (1..=1_004).flat_map(|number| [s(2 * number, "a", 1), s(2 * number + 1, "a", 0)]).collect();
    let of = |at_most: u64| {
        let pack = pack(&format!("pressure = [{{ at_most = {at_most}, per = '1h' }}]\n"));
        decided(&pack, &lines, HOUR)
    };
    let all = of(THOUSAND + 1);
    assert_eq!(all.iter().filter(|line| line.ends_with(" released")).count(), 1_004);
    let some = of(THOUSAND);
    assert_eq!(some.iter().filter(|line| line.ends_with(" released")).count(), 1_000);
    assert_eq!(some[2_000], format!("2002 m deferred pressure(1|{})", 2 + HOUR));
}

/// Behind a thousand and one, the first is forgotten and no other: a receipt that names it answers
/// nothing.
#[test]
fn the_latest_thousand_releases_are_the_ones() {
    let text = pack("receipts = { from = 'r' }\n");
    let mut lines: Vec<String> =
        (1..=1_001).flat_map(|number| [s(2 * number, "a", 1), s(2 * number + 1, "a", 0)]).collect();
    let releases = parsed(&run_all(&text, &lines, 3_000).decisions);
    let ids: Vec<&str> = releases.iter().step_by(2).map(|line| line["episode"].as_str().expect("an episode")).collect();
    for (at, release) in [(2_900, 0), (2_901, 1), (2_902, 1_000)] {
        let trigger = ids[release];
        lines.push(format!("{{\"stream\":\"r\",\"c\":\"x\",\"at\":{at},\"kind\":\"seen\",\"trigger\":\"{trigger}\"}}"));
    }
    let expected = ["2900 - receipt seen", "2901 m receipt seen", "2902 m receipt seen"];
    assert_eq!(decided(&text, &lines, 3_000)[2_002..], expected);
}

/// The latest of them. They come late, all at one logical time, each with an event time of its own.
#[test]
fn a_thousand_receipts_of_a_customer_are_read() {
    let contacted = |number: u64| format!("{{\"stream\":\"r\",\"c\":\"x\",\"at\":{number},\"kind\":\"contacted\"}}");
    let of = |receipts: u64, at_most: u64| {
        let text = pack(&format!(
            "receipts = {{ from = 'r', keep = '2h' }}\npressure = [{{ at_most = {at_most}, per = '1h' }}]\n"
        ));
        let mut lines = vec![s(5_000, "b", 1)];
        lines.extend((1..=receipts).map(contacted));
        lines.push(s(5_000, "a", 1));
        let mut all = decided(&text, &lines, 6_000);
        let verdict = all.pop().expect("a verdict");
        assert_eq!(all, vec!["5000 - receipt contacted"; receipts.min(THOUSAND) as usize]);
        verdict
    };
    assert_eq!(of(1_004, THOUSAND + 1), "5000 m released");
    assert_eq!(of(1_004, THOUSAND), format!("5000 m deferred pressure(1|{})", 5 + HOUR));
    assert_eq!(of(999, THOUSAND), "5000 m released");
}

/// Each weighs 1 at its own time.
#[test]
fn a_thousand_signals_of_mood_count() {
    let feels =
        |number: u64| format!("{{\"stream\":\"r\",\"c\":\"x\",\"at\":10,\"kind\":\"anger\",\"source\":\"{number}\"}}");
    let of = |signals: u64, threshold: f64| {
        let text = pack(&format!(
            "[policy.mood]\nnegative = ['anger']\nhalf_life = '1h'\nthreshold = {threshold:.1}\n\
             signals = [{{ from = 'r', label = 'kind', source = 'source' }}]\n"
        ));
        let lines: Vec<String> = (1..=signals).map(feels).chain([s(10, "a", 1)]).collect();
        decided(&text, &lines, 10)
    };
    assert_eq!(of(1_004, 1_000.5), ["10 m released"]);
    assert!(of(1_004, 999.5)[0].starts_with("10 m deferred mood(negative|"), "{:?}", of(1_004, 999.5));
    assert_eq!(of(999, 999.5), ["10 m released"]);
}

/// A CSV with a value over so many lines between two plain records, packed or not.
fn quoted(lines: usize, packing: &str) -> (Vec<String>, String) {
    let shop = folder(&[(
        "p.toml",
        "[pack]\nname = 'p'\n[stream.notes]\nabout = 'c'\ntime = 'at'\n\
         fields = { c = 'id(customer)', at = 'time', note = 'text' }\n\
         [customer.feature]\nlongest = { from = 'notes', max = 'size(note)' }\nn = { from = 'notes', count = true }\n",
    )]);
    let mut text = "c,at,note\nx,10,plain\nx,11,\"".to_owned();
    for line in 1..lines {
        let _ = writeln!(text, "{line}");
    }
    let _ = write!(text, "{lines}\"\nx,12,plain\n");
    fs::create_dir(shop.path().join("data")).expect("a folder");
    write_packed(&shop.path().join(format!("data/notes.csv{packing}")), text.as_bytes());
    let (code, _, err) = said(&mut propice(shop.path(), "run p.toml --input data --output out -q"));
    assert_eq!(code, 0, "{err}");
    let read = |name: &str| fs::read_to_string(shop.path().join("out").join(name)).expect("an output");
    (read("dead_letters.jsonl").lines().map(str::to_owned).collect(), read("views.jsonl"))
}

fn write_packed(path: &Path, bytes: &[u8]) {
    let packed = match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("it is packed")
        }
        Some("zst") => zstd::encode_all(bytes, 1).expect("it is packed"),
        _ => bytes.to_vec(),
    };
    fs::write(path, packed).expect("a file");
}

#[test]
fn a_quoted_value_runs_over_a_thousand_lines_at_most() {
    for packing in ["", ".gz", ".zst"] {
        let (dead, views) = quoted(1_000, packing);
        assert_eq!(dead, [""; 0], "{packing}");
        assert!(views.contains("\"n\":3"), "{packing}: {views}");
        let (dead, views) = quoted(1_001, packing);
        // Its first line alone is no record, nor is any of the others; what comes behind is read.
        assert_eq!(dead.len(), 1_001, "{packing}");
        let first = &parsed(&dead[0])[0];
        assert_eq!(first["line"], 3, "{first}");
        let error = first["error"].as_str().expect("a text");
        assert!(error.contains("a quote is not closed within 1000 lines"), "{first}");
        assert!(views.contains("\"n\":2"), "{packing}: {views}");
    }
}

/// How large the batches of a source are: the most facts and the most dead letters of one, and the
/// sums of both.
fn batches(source: &mut dyn Source) -> [(usize, usize); 2] {
    let (mut most, mut sum) = ((0, 0), (0, 0));
    loop {
        let mut batch = Batch::default();
        let more = source.fill(&mut batch).expect("a source that does not fail");
        let (facts, dead) = (batch.facts.len(), batch.dead.len());
        most = (most.0.max(facts), most.1.max(dead));
        sum = (sum.0 + facts, sum.1 + dead);
        if !more {
            return [most, sum];
        }
    }
}

#[test]
fn a_batch_holds_1024_facts_and_1024_dead_letters_at_most() {
    let plan = plan(&pack(""));
    let good = |number: usize| format!("{{\"c\":\"x\",\"at\":{number},\"a\":1}}\n");
    let bad = |number: usize| format!("{{\"c\":\"x\",\"at\":{number},\"a\":\"much\"}}\n");
    let text: String = (1..=5_000).map(bad).chain((1..=5_000).map(good)).collect();
    let more: String = (1..=3_000).map(bad).collect();
    let data = folder(&[("s.jsonl", &text), ("r.jsonl", &more)]);
    let files = files::find(&plan, &[Wanted::Folder(data.path().to_owned())]).expect("files");
    let mut source = MergedSource::open(&plan, &files, &Arc::new(AtomicBool::new(false))).expect("files open");
    assert_eq!(batches(&mut source), [(1_024, 1_024), (5_000, 8_000)]);
    // Of mixed lines, both together.
    let mixed: Vec<String> = text.lines().map(|line| line.replacen('{', "{\"stream\":\"s\",", 1)).collect();
    let mut source = LinesSource::new(&plan, "lines", &mixed);
    assert_eq!(batches(&mut source), [(1_024, 1_024), (5_000, 5_000)]);
}
