//! One customer is told as a run over all records tells it, to the byte: the view, and why.
//! Whatever the order of the records, whatever is wrong with those of others, however ids are
//! spelt, wherever the bytes come from.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use propice_define::{Plan, load};
use propice_edge::sink::LatestViews;
use propice_edge::source::files::{Wanted, find};
use propice_edge::source::{Batch, InputFile, MergedSource, Own, Source};
use propice_edge::trigger::language::Language;
use propice_explain::gathered::GatheredRecords;
use propice_explain::{About, Question, explain_customer};
use propice_flow::clock::EventClock;
use propice_generate::{Settings, bank};
use propice_model::{Fact, Id, LogicalTime};
use propice_run::{self as run, Options};

/// A pack with everything that can go from one customer to another: accounts held together and
/// passed on, rows whose keys name nobody, records that name two customers, a table without time.
const PACK: &str = r#"
[pack]
name     = "passed_on"
timezone = "Europe/Paris"

[entity.account]
belongs_to = { customer = "who", by = "owners", where = "role != 'proxy'" }

[entity.card]
belongs_to = { customer = "who", by = "cards" }

[table.people]
key    = ["who"]
about  = "who"
fields = { who = "id(customer)", name = "text?" }

[table.owners]
key    = ["number"]
time   = "at"
fields = { number = "int", who = "id(customer)", account = "id(account)", at = "time", role = "text?" }

[table.cards]
key    = ["card"]
about  = "card"
time   = "at"
fields = { card = "id(card)", who = "id(customer)", at = "time", ceiling = "int?" }

[table.debits]
key    = ["debit"]
about  = "account"
time   = "at"
order  = "version"
fields = { debit = "text", account = "id(account)", at = "time", version = "int", amount = "decimal(2)" }

[stream.ledger]
about  = "account"
time   = "at"
fields = { account = "id(account)", at = "time", amount = "decimal(2)", payee = "id(customer)?" }

[stream.visits]
about  = "who"
time   = "at"
fields = { who = "id(customer)", at = "time", n = "int" }

[account.feature]
balance = { from = "ledger", sum = "amount" }
due     = { from = "debits", sum = "amount" }
holders = { from = "owners", by = "account", count = true }

[card.feature]
ceiling = { from = "cards", last = "ceiling" }

[customer.feature]
name       = { from = "people", last = "name" }
balance    = { over = "account", sum = "balance" }
received   = { from = "ledger", by = "payee", sum = "amount", window = "20d" }
visits     = { from = "visits", count = true, window = "3d" }
squares    = { from = "visits", sum = "n * n" }
last_visit = { from = "visits", last = "at" }

[moment.overdrawn]
about    = "account"
when     = "account.balance < account.due"
purpose  = "assistance"
value    = { kind = "economic", benefit = "Avoids fees" }
channels = ["push"]

[moment.visiting]
when     = "visits >= 2 && received > 0.00"
for      = "1h"
purpose  = "service"
value    = { kind = "functional", benefit = "Saves a visit" }
channels = ["push"]

[channel.push]
topic = "push"
"#;

const DAY_MS: u64 = 86_400_000;

/// Chance, the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len() as u64) as usize]
    }
}

const CUSTOMERS: [&str; 6] = ["7", "77", "12", "c é", "a1", "x"];
const ACCOUNTS: [&str; 6] = ["a1", "a2", "7", "12", "a11", "a 3"];

/// An id as JSON may spell it.
fn spelt(chance: &mut Chance, id: &str) -> String {
    let number = id.bytes().all(|byte| byte.is_ascii_digit());
    match chance.below(12) {
        0 if number => format!("{id}.0"),
        1 if number => format!("0.{id}e{}", id.len()),
        2 => format!("\"\\u{:04x}{}\"", id.as_bytes()[0], &id[1..]),
        3..=6 if number => id.to_owned(),
        _ => format!("\"{id}\""),
    }
}

/// Event times that go on, with some that come late and few that come from the future.
fn time(chance: &mut Chance, number: u64) -> u64 {
    let on_time = 20_000 * DAY_MS + number * DAY_MS / 6;
    match chance.below(40) {
        0 => on_time + chance.below(5) * DAY_MS,
        1..=7 => on_time - chance.below(20) * DAY_MS,
        _ => on_time,
    }
}

fn json_line(chance: &mut Chance, number: u64, kind: &str) -> String {
    let at = time(chance, number);
    let who = chance.of(&CUSTOMERS);
    let who = spelt(chance, who);
    let account = chance.of(&ACCOUNTS);
    let account = spelt(chance, account);
    let payee = chance.of(&CUSTOMERS);
    let payee = if chance.one_in(3) { spelt(chance, payee) } else { "null".to_owned() };
    let amount = i64::try_from(chance.below(2_000)).expect("small") - 1_000;
    let key = chance.below(8);
    match chance.below(60) {
        0 => return "{\"account\":\"a1\",".to_owned(),
        1 => return format!("{{\"at\":{},\"account\":{account},\"who\":{who}}}", at + 9 * DAY_MS),
        2 => {
            return format!(
                "{{\"at\":{},\"at\":{at},\"account\":{account},\"who\":{who},\"number\":1}}",
                at + 9 * DAY_MS
            );
        }
        3 => return "  ".to_owned(),
        _ => {}
    }
    // What is wrong shows only when everything is decoded.
    let wrong = chance.one_in(15);
    let (at, amount) = if wrong { (at + 9 * DAY_MS, "\"much\"".to_owned()) } else { (at, format!("{amount}.50")) };
    match kind {
        "people" if wrong => format!("{{\"who\":{who},\"name\":5}}"),
        "people" => format!("{{\"who\":{who},\"name\":\"{number}\"}}"),
        "owners" if wrong => format!("{{\"number\":{key},\"who\":{who},\"account\":{account},\"at\":{at},\"role\":1}}"),
        "owners" if chance.one_in(8) => format!("{{\"number\":{key},\"at\":{at}}}"),
        "owners" => {
            let role = chance.of(&["holder", "holder", "proxy"]);
            format!("{{\"number\":{key}.0,\"who\":{who},\"role\":\"{role}\",\"account\":{account},\"at\":{at}}}")
        }
        "cards" if wrong => format!("{{\"card\":\"k{key}\",\"who\":{who},\"at\":{at},\"ceiling\":\"high\"}}"),
        "cards" if chance.one_in(8) => format!("{{\"card\":\"k{key}\",\"at\":{at},\"_deleted\":true}}"),
        "cards" => format!("{{\"card\":\"k{key}\",\"who\":{who},\"at\":{at},\"ceiling\":{number}}}"),
        "ledger" => format!("{{\"account\":{account},\"at\":{at},\"amount\":{amount},\"payee\":{payee}}}"),
        other => panic!("{other}"),
    }
}

fn csv_line(chance: &mut Chance, number: u64, kind: &str) -> String {
    let at = time(chance, number);
    let quoted =
        |chance: &mut Chance, text: &str| if chance.one_in(4) { format!("\"{text}\"") } else { text.to_owned() };
    let who = chance.of(&CUSTOMERS);
    let who = quoted(chance, who);
    let account = chance.of(&ACCOUNTS);
    let account = quoted(chance, account);
    let key = chance.of(&["d1", "d2", "\"d\n3\"", "\"d\"\"4\"", "7", "a1"]);
    match (kind, chance.below(30)) {
        (_, 0) => "\"half of a row".to_owned(),
        ("visits", 1) => format!("{who},{},4000000000", at + 9 * DAY_MS),
        ("visits", 2) => format!("{who},{},many", at + 9 * DAY_MS),
        ("visits", _) => format!("{who},{at},{}", chance.below(9)),
        (_, 1) => format!("{key},{account},{},x,1.00", at + 9 * DAY_MS),
        (_, 2..=4) => format!("{key},,{at},,"),
        _ => format!("{key},{account},{at},{},{}.25", chance.below(3), chance.below(500)),
    }
}

/// Writes the records of a seed, each file packed in another way.
fn write_records(folder: &Path, seed: u64) {
    let mut chance = Chance(seed);
    for kind in ["people", "owners", "cards", "ledger", "debits", "visits"] {
        let mut text = match kind {
            "debits" => "debit,account,at,version,amount\n".to_owned(),
            "visits" => "who,at,n\n".to_owned(),
            _ => String::new(),
        };
        let lines = if kind == "people" { 12 } else { 90 };
        for number in 0..lines {
            let line = match kind {
                "debits" | "visits" => csv_line(&mut chance, number, kind),
                _ => json_line(&mut chance, number, kind),
            };
            let _ = writeln!(text, "{line}");
        }
        let path = |ending: &str| folder.join(format!("{kind}.{ending}"));
        match kind {
            "ledger" => {
                let file = fs::File::create(path("jsonl.gz")).expect("a file");
                let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
                packed.write_all(text.as_bytes()).expect("written");
                packed.finish().expect("written");
            }
            "owners" => {
                let packed = zstd::encode_all(text.as_bytes(), 1).expect("packed");
                fs::write(path("jsonl.zst"), packed).expect("written");
            }
            "debits" | "visits" => fs::write(path("csv"), text).expect("written"),
            _ => fs::write(path("jsonl"), text).expect("written"),
        }
    }
}

fn running() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

fn plan_of(text: &str) -> Arc<Plan> {
    Arc::new(load("pack.toml", text).unwrap_or_else(|errors| panic!("{errors:#?}")))
}

/// The view of each customer at the end, or why there is none; and where the run ended.
fn views(plan: &Arc<Plan>, source: MergedSource, until: Option<LogicalTime>, of: &[Id]) -> (Vec<String>, LogicalTime) {
    let latest = LatestViews::new(plan);
    let options = Options { views: true, until, ..Options::default() };
    let done = run::execute(plan, Box::new(source), Box::new(latest.clone()), &options).expect("a run");
    let line = |id: &Id| {
        let mut text = String::new();
        latest.look(|views| views.write_customer(id, done.through, &mut text));
        text
    };
    (of.iter().map(line).collect(), done.through)
}

/// All records, as an explanation is given those of one customer.
fn all_facts(plan: &Arc<Plan>, files: &[InputFile]) -> (Vec<Fact>, Option<LogicalTime>) {
    let mut source = MergedSource::open(plan, files, &running()).expect("files");
    let mut facts: Vec<Fact> = Vec::new();
    loop {
        let mut batch = Batch::default();
        let more = source.fill(&mut batch).expect("records");
        facts.append(&mut batch.facts);
        if !more {
            break;
        }
    }
    let first = facts.first().map(|fact| EventClock::default().bind(fact.rank.event_time));
    (facts, first)
}

/// Every customer by itself against everybody at once. How many views and explanations were
/// compared that say something.
fn compare(
    plan: &Arc<Plan>,
    folder: &Path,
    customers: &[Id],
    explained: usize,
    untils: &[Option<LogicalTime>],
) -> usize {
    let files = find(plan, &[Wanted::Folder(folder.to_owned())]).expect("files");
    let (facts, first) = all_facts(plan, &files);
    let facts = Arc::new(facts);
    let mut told = 0;
    for until in untils {
        let whole = MergedSource::open(plan, &files, &running()).expect("files");
        let (expected, through) = views(plan, whole, *until, customers);
        for (customer, expected) in customers.iter().zip(&expected) {
            let own = Own::find(plan, &files, customer).expect("files").until(*until);
            let source = MergedSource::open_own(plan, &files, &own, &running()).expect("files");
            let (found, ended) = views(plan, source, *until, std::slice::from_ref(customer));
            assert_eq!((&found[0], ended), (expected, through), "{customer} at {until:?} in {}", folder.display());
            told += usize::from(!expected.is_empty());
        }
        for customer in &customers[..explained] {
            let own = GatheredRecords::read(plan, &files, customer, *until).expect("files");
            assert_eq!(own.first, first, "{customer} at {until:?}");
            let whole = GatheredRecords { facts: Arc::clone(&facts), ..own.clone() };
            let moments = plan.moments.iter().map(|moment| Some(moment.name.clone()));
            for moment in moments.chain([None]) {
                let about = About::Customer { customer: customer.to_string(), moment, entity: None };
                let question = Question { about, at: *until, language: Language::English, records: 5 };
                let answer = |records: &GatheredRecords| {
                    let answer = explain_customer(plan, &files, customer, records, &question);
                    answer
                        .map(|answer| serde_json::to_string(&answer).expect("JSON"))
                        .map_err(|error| error.to_string())
                };
                let expected = answer(&whole);
                assert_eq!(answer(&own), expected, "{question:?} in {}", folder.display());
                told += usize::from(expected.is_ok());
            }
        }
    }
    told
}

#[test]
fn records_in_any_order_and_those_of_others_in_any_state() {
    let plan = plan_of(PACK);
    let customers = CUSTOMERS.map(Id::parse);
    let mut told = 0;
    for seed in 0..20 {
        let folder = tempfile::tempdir().expect("a folder");
        write_records(folder.path(), seed);
        let middle = 20_000 * DAY_MS + (seed % 5 + 4) * DAY_MS;
        told += compare(&plan, folder.path(), &customers, 2, &[None, Some(middle)]);
    }
    assert!(told > 300, "only {told} say something");
}

#[test]
fn a_generated_bank_in_disorder() {
    let plan = plan_of(&fs::read_to_string(Path::new(crate::ROOT).join("dataflows/bank.toml")).expect("the pack"));
    let folder = tempfile::tempdir().expect("a folder");
    let settings =
        Settings { customers: 12, days: 20, seed: 3, start_day: 20_454, disorder_ppm: 150_000, duplicates_ppm: 50_000 };
    let mut open = |name: &str| {
        let file = fs::File::create(folder.path().join(format!("{name}.jsonl")))?;
        Ok(Box::new(io::BufWriter::new(file)) as Box<dyn io::Write>)
    };
    bank(&settings, &mut open, &mut |_| Ok(())).expect("a bank");
    let customers: Vec<Id> = (0..12).map(|number| Id::parse(&format!("c{number}"))).collect();
    assert!(compare(&plan, folder.path(), &customers, 2, &[None, Some(20_464 * DAY_MS)]) > 40);
}

#[test]
fn the_bank_that_ships() {
    let root = Path::new(crate::ROOT);
    let plan = plan_of(&fs::read_to_string(root.join("dataflows/bank.toml")).expect("the pack"));
    let customers: Vec<Id> = (0..62).map(|number| Id::parse(&format!("c{number}"))).collect();
    assert!(compare(&plan, &root.join("fixtures/bank"), &customers, 1, &[None]) > 60);
}

/// Standard output of a command that is given something on standard input.
fn propice(folder: &Path, arguments: &[&str], stdin: &[u8]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_propice"))
        .current_dir(folder)
        .args(arguments)
        .env("LANG", "C")
        .env_remove("LC_ALL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("propice runs");
    let mut input = child.stdin.take().expect("an input");
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || drop(input.write_all(&bytes)));
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("written");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The line of a customer among those of all, and what is told of it, are the same when an input
/// comes through a pipe: also the one that says what belongs to whom, and one whose rows are found
/// by their keys.
#[test]
fn what_is_read_once_is_told_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    write_records(folder.path(), 4);
    fs::write(folder.path().join("pack.toml"), PACK).expect("the pack");
    let here = folder.path();
    let (_, all, _) = propice(here, &["views", "pack.toml", "-i", "."], b"");
    let line = all.lines().find(|line| line.starts_with("{\"customer\":\"77\"")).expect("a customer");
    let of = ["views", "pack.toml", "-i", ".", "--customer", "77"];
    let (code, own, _) = propice(here, &of, b"");
    assert_eq!((code, own.trim_end()), (Some(0), line));
    let asked = ["why", "pack.toml", "-i", ".", "--customer", "77", "--moment", "overdrawn"];
    let (code, expected, _) = propice(here, &asked, b"");
    assert_eq!(code, Some(0));
    for (input, file) in [("owners", "owners.jsonl.zst"), ("debits", "debits.csv"), ("ledger", "ledger.jsonl.gz")] {
        let bytes = fs::read(here.join(file)).expect("a file");
        let from_pipe = format!("{input}=-");
        let (code, piped, err) = propice(here, &[&of[..], &["-i", &from_pipe]].concat(), &bytes);
        assert_eq!((code, piped.trim_end()), (Some(0), line), "{input}: {err}");
        let (code, piped, err) = propice(here, &[&asked[..], &["-i", &from_pipe]].concat(), &bytes);
        assert_eq!(code, Some(0), "{input}: {err}");
        let named = expected.replace(&format!("./{file}:"), "-:");
        assert_eq!(piped, named, "{input}");
    }
}

/// What cannot be read counts where it is, or may be, about the customer.
#[test]
fn what_others_have_that_cannot_be_read_is_no_matter() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("pack.toml"), PACK).expect("the pack");
    let records = r#"{"who":"x","at":1000,"n":1}
{"who":"y","at":2000,"n":"others are wrong"}
{"who":"x","at":3000,"n":"its own is wrong"}
{"who":"\u0079","at":4000,"n":"whose is it"}
no record at all
"#;
    fs::write(folder.path().join("visits.jsonl"), records).expect("records");
    let asked = ["why", "pack.toml", "-i", ".", "--missing-ok", "--customer"];
    let (_, out, _) = propice(folder.path(), &[&asked[..], &["x"]].concat(), b"");
    assert!(out.contains("3 records could not be read"), "{out}");
    let (code, _, err) = propice(folder.path(), &[&asked[..], &["z"]].concat(), b"");
    assert_eq!(code, Some(1));
    assert!(err.contains("there is no customer `z` at 1970-01-01T00:00:01Z"), "{err}");
}

/// A trigger is found among the records of its customer, without those of others.
#[test]
fn a_trigger_of_a_customer_that_is_named() {
    let root = Path::new(crate::ROOT);
    let asked = ["why", "dataflows/bank.toml", "-i", "fixtures/bank", "--trigger", "da98c465a2d728d16252584cae6f6aba"];
    let (code, expected, _) = propice(root, &asked, b"");
    assert_eq!(code, Some(0));
    let (code, own, err) = propice(root, &[&asked[..], &["--customer", "c13"]].concat(), b"");
    assert_eq!((code, own), (Some(0), expected), "{err}");
    let (code, _, err) = propice(root, &[&asked[..], &["--customer", "c12"]].concat(), b"");
    assert_eq!(code, Some(1));
    assert!(err.contains("no episode or trigger of customer `c12` has the id"), "{err}");
    let ledger = fs::read(root.join("fixtures/bank/ledger.jsonl")).expect("the ledger");
    let piped = [&asked[..], &["-i", "ledger=-", "--customer", "c13"]].concat();
    let (code, out, err) = propice(root, &piped, &ledger);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("\n    -:5797  1 February 2026"), "{out}");
    let (code, _, err) = propice(root, &[&asked[..], &["-i", "ledger=-"]].concat(), b"");
    assert_eq!(code, Some(2));
    assert!(err.contains("can be read once: add --customer ID"), "{err}");
}
