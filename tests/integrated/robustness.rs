//! Nothing panics, whatever the lines: every one becomes a record or a dead letter.
//!
//! `PROPICE_MUTATED` says how many mutated lines go through (100,000 without it).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use propice_define::{self as define, Plan};
use propice_edge::sink::{MemorySink, ViewMode};
use propice_edge::source::files::{self, Wanted};
use propice_edge::source::{LinesSource, MergedSource, Source};
use propice_flow::Engine;
use propice_run::{self as run, Options, Summary};

/// Every type of field, every aggregate, every interval; written as JSON and as CSV.
const PACK: &str = r#"
[pack]
name     = "everything"
timezone = "Europe/Prague"

[stream.trans]
time   = "at"
about  = "account"
order  = "n"
format = { delimiter = ";", encoding = "windows-1250" }
[stream.trans.fields]
at      = { type = "time", column = "date" }
account = "id(account)"
n       = "int?"
amount  = "decimal(2)"
rate    = "float?"
kind    = "text?"
flag    = "bool?"
due     = "time?"
takes   = "duration?"

[table.holders]
key    = ["h"]
time   = "at"
order  = "n"
delete = "role == 'X'"
format = { delimiter = ";", encoding = "windows-1250" }
fields = { h = "int", who = "id(customer)?", account = "id(account)?", role = "text?", n = "int?", at = "time" }

[table.people]
key    = ["who"]
about  = "who"
format = { delimiter = ";", encoding = "windows-1250" }
fields = { who = "id(customer)", born = { type = "time?", format = "%y%m%d" }, name = "text", limit = "decimal(9)?" }

[entity.account]
belongs_to = { customer = "who", by = "holders", where = "role == 'O'" }

[account.feature]
balance  = { from = "trans", sum = "amount" }
mean     = { from = "trans", avg = "amount", window = "30d" }
spread   = { from = "trans", stddev = "rate", window = "30d", pane = "1d" }
rates    = { from = "trans", sum = "rate * 2.0" }
first    = { from = "trans", first = "kind" }
latest   = { from = "trans", last = "at" }
kinds    = { from = "trans", set = "kind", at_most = 3, window = "90d" }
common   = { from = "trans", top = "kind", at_most = 2 }
numbers  = { from = "trans", distinct = "n" }
whole    = { from = "trans", sum = "n" }
parts    = { from = "trans", max = "100 / n", where = "has(n)" }
soon     = { from = "trans", count = "due", during = ["due - 7d", "due"] }
least    = { from = "trans", min = "takes", where = "flag" }
last_due = { from = "trans", max = "due + takes" }

[account.attribute]
waits = "now - latest >= 2d"
ratio = "balance / mean"

[customer.feature]
balance = { over = "account", sum = "balance" }
waiting = { over = "account", count = true, where = "waits" }
roles   = { from = "holders", set = "role" }

[customer.attribute]
free = "balance + coalesce(people.limit, 0.00)"

[moment.low]
when    = "free < 0.00"
for     = "1d"
purpose = "assistance"
value   = { kind = "economic", benefit = "b" }

[moment.silent]
about   = "account"
when    = "waits && customer.balance > 0.00"
purpose = "assistance"
value   = { kind = "economic", benefit = "b" }

[moment.born]
when    = "has(people.born) && now - people.born > 7300d"
purpose = "relationship"
value   = { kind = "symbolic", benefit = "b" }
"#;

/// `SplitMix64`.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

/// Names of the columns and a value for each, as JSON.
fn record(rng: &mut Rng, input: &str, day: usize) -> Vec<(&'static str, String)> {
    let date = format!("\"2026-{:02}-{:02}T{:02}:00:00Z\"", 1 + day / 28 % 12, 1 + day % 28, rng.below(24));
    let account = format!("{}", 1 + rng.below(40));
    let who = format!("\"c{}\"", rng.below(30));
    let optional = |rng: &mut Rng, value: String| if rng.below(4) == 0 { "null".to_owned() } else { value };
    let number = rng.below(9).to_string();
    let rate = format!("{number}.5");
    match input {
        "trans" => vec![
            ("date", date.clone()),
            ("account", account),
            ("n", optional(rng, number)),
            ("amount", format!("{}.{:02}", rng.below(900) as i64 - 450, rng.below(100))),
            ("rate", optional(rng, rate)),
            ("kind", format!("\"{}\"", rng.pick(&["a", "b", "š", "long"]))),
            ("flag", rng.pick(&["true", "false"]).to_owned()),
            ("due", optional(rng, date)),
            ("takes", format!("\"{}h\"", rng.below(50))),
        ],
        "holders" => vec![
            ("h", (1 + rng.below(60)).to_string()),
            ("who", optional(rng, who)),
            ("account", account),
            ("role", format!("\"{}\"", rng.pick(&["O", "O", "R", "X"]))),
            ("n", optional(rng, number)),
            ("at", date),
        ],
        _ => vec![
            ("who", who),
            ("born", format!("\"{:02}{:02}11\"", rng.below(100), 1 + rng.below(12))),
            ("name", "\"x\"".to_owned()),
            ("limit", format!("{}.000000001", rng.below(1_000))),
        ],
    }
}

const INPUTS: [&str; 3] = ["trans", "holders", "people"];
const TOKENS: [&str; 30] = [
    "null",
    "true",
    "{}",
    "[]",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "0",
    "-0",
    "-1",
    "1e308",
    "1e999",
    "-1e-999",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "170141183460469231731687303715884105728",
    "0.000000001",
    "NaN",
    "253402300799999",
    "253402300800000",
    "9999-12-31T23:59:59Z",
    "0001-01-01",
    "2026-03-29T02:30:00",
    "-5000w",
    "100y",
    "",
    ",",
    ";",
];

/// Damages a line. Its first byte stays, and it stays one line.
fn mutate(rng: &mut Rng, line: &mut Vec<u8>, quotes: bool) {
    for _ in 0..=rng.below(3) {
        let (at, other) = (1 + rng.below(line.len()), 1 + rng.below(line.len()));
        let (at, other) = (at.min(other), at.max(other));
        match rng.below(7) {
            0 if at < line.len() => line[at] = rng.next() as u8,
            1 if at < line.len() => line[at] ^= 1 << rng.below(8),
            2 => drop(line.drain(at..other)),
            3 => line.truncate(at),
            4 => line.insert(at, rng.next() as u8),
            5 => {
                let part = line[at..other].to_vec();
                line.splice(at..at, part);
            }
            _ => {
                let end = (at + rng.below(8)).min(line.len());
                line.splice(at..end, rng.pick(&TOKENS).bytes());
            }
        }
        for byte in line.iter_mut() {
            if matches!(*byte, b'\n' | b'\r') || (*byte == b'"' && !quotes) {
                *byte = b' ';
            }
        }
    }
}

fn json_line(rng: &mut Rng, number: usize) -> Vec<u8> {
    let input = rng.pick(&["trans", "trans", "trans", "holders", "people"]);
    let values = record(rng, input, number / 200);
    let values = values.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(",");
    format!("{{\"stream\":\"{input}\",{values}}}").into_bytes()
}

fn csv_line(rng: &mut Rng, input: &str, number: usize) -> Vec<u8> {
    let values = record(rng, input, number / 200);
    let values = values.iter().map(|(_, value)| if value == "null" { "" } else { value.trim_matches('"') });
    values.collect::<Vec<_>>().join(";").into_bytes()
}

fn wanted() -> usize {
    std::env::var("PROPICE_MUTATED").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000)
}

fn plan() -> Arc<Plan> {
    Arc::new(define::load("everything.toml", PACK).expect("a valid pack"))
}

fn run(plan: &Arc<Plan>, source: Box<dyn Source>, engine: Engine) -> Summary {
    let sink = MemorySink::new(plan, ViewMode::Final);
    let options = Options { engine, workers: 1, views: true, until: None };
    let summary = run::execute(plan, source, Box::new(sink.clone()), &options).expect("a run to its end");
    assert_eq!(sink.texts().dead_letters.lines().count() as u64, summary.dead_letters);
    summary
}

const CHUNK: usize = 10_000;

#[test]
fn mutated_json_lines_are_records_or_dead_letters() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    let mut summed = Summary::default();
    for chunk in 0..wanted().div_ceil(2 * CHUNK) {
        let mut rng = Rng(chunk as u64);
        let mut text = Vec::new();
        for number in 0..CHUNK {
            let mut line = json_line(&mut rng, number);
            if rng.below(10) > 0 {
                mutate(&mut rng, &mut line, true);
            }
            text.extend(line);
            text.push(b'\n');
        }
        let path = folder.path().join("mixed.jsonl");
        std::fs::write(&path, text).expect("written");
        let source = LinesSource::open(&plan, &path).expect("opened");
        let engine = if chunk % 5 == 4 { Engine::Reference } else { Engine::Fused };
        let summary = run(&plan, Box::new(source), engine);
        assert_eq!(summary.records + summary.dead_letters, CHUNK as u64, "chunk {chunk}");
        summed.records += summary.records;
        summed.dead_letters += summary.dead_letters;
    }
    assert!(summed.records > summed.dead_letters / 10 && summed.dead_letters > summed.records / 10, "{summed:?}");
}

fn folder_of_csv(folder: &Path, rng: &mut Rng, quotes: bool) {
    for input in INPUTS {
        let names: Vec<&str> = record(rng, input, 0).into_iter().map(|(name, _)| name).collect();
        let mut text = names.join(";").into_bytes();
        text.push(b'\n');
        for number in 0..CHUNK / 3 {
            let mut line = csv_line(rng, input, number);
            if rng.below(10) > 0 {
                mutate(rng, &mut line, quotes);
            }
            text.extend(line);
            text.push(b'\n');
        }
        std::fs::write(folder.join(format!("{input}.csv")), text).expect("written");
    }
}

#[test]
fn mutated_csv_lines_are_records_or_dead_letters() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    for chunk in 0..wanted().div_ceil(2 * CHUNK) {
        // A quote may make one record of several lines: then the number of lines says little.
        let quotes = chunk % 3 == 2;
        folder_of_csv(folder.path(), &mut Rng(!(chunk as u64)), quotes);
        let found = files::find(&plan, &[Wanted::Folder(folder.path().to_owned())]).expect("the files");
        let source = MergedSource::open(&plan, &found, &Arc::new(AtomicBool::new(false))).expect("opened");
        let engine = if chunk % 5 == 4 { Engine::Reference } else { Engine::Fused };
        let summary = run(&plan, Box::new(source), engine);
        let (read, lines) = (summary.records + summary.dead_letters, (CHUNK / 3 * 3) as u64);
        assert!(read == lines || (quotes && read < lines), "chunk {chunk}: {read} of {lines}");
        assert!(summary.records > 0 && summary.dead_letters > 0, "chunk {chunk}: {summary:?}");
    }
}
