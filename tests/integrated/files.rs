//! Files in: what is found, unpacked, decoded and merged, and what becomes of damage. Files out:
//! what is written.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use propice_define::{self as define, Plan};
use propice_edge::sink::{DirectorySink, ViewMode};
use propice_edge::source::files::{self, Wanted};
use propice_edge::source::missing::missing;
use propice_edge::source::{Batch, Cut, DeadLetter, LinesSource, MergedSource, Source, SourceError};
use propice_flow::decode::delimited::{DelimitedDecoder, Values};
use propice_flow::decode::json::JsonDecoder;
use propice_flow::decode::{Decoded, Decoder, RecordError};
use propice_model::limits::RECORD_BYTES;
use propice_model::{Fact, Id, InputId, Value};
use propice_run::{self as run, Options};
use tempfile::TempDir;

const PACK: &str = r#"
[pack]
name     = "shop"
timezone = "Europe/Paris"

[stream.visits]
time   = "at"
about  = "who"
fields = { at = "time", who = "id(customer)", page = "text?", paid = "decimal(2)?" }

[stream.calls]
time   = "at"
about  = "who"
format = { delimiter = ";", encoding = "latin1" }
[stream.calls.fields]
at   = { type = "time", column = "date", format = "%d.%m.%Y" }
who  = "id(customer)"
note = "text?"

[table.cards]
key    = ["card"]
time   = "at"
delete = "state == 'lost'"
fields = { card = "id(card)", who = "id(customer)", state = "text", at = "time", limit = "int?" }

[entity.card]
belongs_to = { by = "cards", customer = "who" }

[card.feature]
limit = { from = "cards", max = "limit" }

[customer.feature]
visits = { from = "visits", count = true }
paid   = { from = "visits", sum = "paid" }
notes  = { from = "calls", set = "note" }

[moment.regular]
when    = "visits >= 2"
purpose = "relationship"
value   = { kind = "experiential", benefit = "Is known by name" }

[moment.capped]
when    = "limit > 100"
about   = "card"
purpose = "service"
value   = { kind = "functional", benefit = "Can pay" }
"#;

const VISITS: InputId = InputId(0);
const CALLS: InputId = InputId(1);
const CARDS: InputId = InputId(2);

fn plan() -> Arc<Plan> {
    Arc::new(define::load("shop.toml", PACK).unwrap_or_else(|errors| panic!("{errors}")))
}

/// A folder with files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

fn open(folder: &Path) -> Result<MergedSource, SourceError> {
    let plan = plan();
    let files = files::find(&plan, &[Wanted::Folder(folder.to_owned())])?;
    MergedSource::open(&plan, &files, &Arc::new(AtomicBool::new(false)))
}

fn drain(source: &mut dyn Source) -> (Vec<Fact>, Vec<DeadLetter>) {
    let (mut facts, mut dead) = (Vec::new(), Vec::new());
    loop {
        let mut batch = Batch::default();
        let more = source.fill(&mut batch).expect("a source that does not fail");
        facts.append(&mut batch.facts);
        dead.append(&mut batch.dead);
        if !more {
            return (facts, dead);
        }
    }
}

/// The same of a source that fails.
fn drain_failing(source: &mut dyn Source) -> (Vec<Fact>, Vec<DeadLetter>, std::io::Error) {
    let (mut facts, mut dead) = (Vec::new(), Vec::new());
    loop {
        let mut batch = Batch::default();
        let more = source.fill(&mut batch);
        facts.append(&mut batch.facts);
        dead.append(&mut batch.dead);
        match more {
            Ok(more) => assert!(more, "a source that fails"),
            Err(error) => return (facts, dead, error),
        }
    }
}

fn read(files: &[(&str, &[u8])]) -> (Vec<Fact>, Vec<DeadLetter>) {
    let folder = folder(files);
    let mut source = open(folder.path()).unwrap_or_else(|error| panic!("{error}"));
    drain(&mut source)
}

/// Which record: input and line.
fn places(facts: &[Fact]) -> Vec<(u16, u64)> {
    facts.iter().map(|fact| (fact.input.0, fact.rank.origin.line)).collect()
}

fn reasons(dead: &[DeadLetter]) -> Vec<(u64, &str)> {
    dead.iter().map(|letter| (letter.line, letter.reason)).collect()
}

/// The customer that a fact of a stream is about.
fn customer(fact: &Fact) -> String {
    fact.changes[0].id.to_string()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).expect("memory")
}

#[test]
fn every_packing_and_layout_holds_the_same_records() {
    let first = b"{\"at\":\"2026-01-01T10:00:00Z\",\"who\":1,\"paid\":1.50}\n".as_slice();
    let second = b"{\"at\":\"2026-01-02T10:00:00Z\",\"who\":\"c2\",\"page\":\"a\"}".as_slice();
    let both = [first, second].concat();
    let csv = b"who,page,at,paid,more\n1,,2026-01-01T10:00:00Z,1.50,x\nc2,a,2026-01-02T10:00:00Z,,y\n".as_slice();
    let (expected, dead) = read(&[("visits.jsonl", &both)]);
    assert_eq!((expected.len(), dead.len()), (2, 0));
    assert_eq!(expected[0].changes[0].contributions[1].value, Value::decimal(150));
    // Several members (frames) in one file are one stream.
    let packed: [(&str, Vec<u8>); 3] = [
        ("visits.jsonl.gz", [gzip(first), gzip(second)].concat()),
        ("visits.jsonl.zst", [zstd(first), zstd(second)].concat()),
        ("visits.csv.gz", gzip(csv)),
    ];
    for (name, bytes) in &packed {
        let (facts, dead) = read(&[(name, bytes)]);
        assert!(dead.is_empty(), "{name}: {dead:?}");
        let changes = |facts: &[Fact]| facts.iter().map(|fact| fact.changes.clone()).collect::<Vec<_>>();
        assert_eq!(changes(&facts), changes(&expected), "{name}");
    }
    assert_eq!(places(&read(&[("visits.asc", csv)]).0), [(0, 2), (0, 3)]);
}

#[test]
fn delimited_files_as_the_world_writes_them() {
    let text = "\u{feff}note;date;who\r\n\
                \"Ren\u{e9} said \"\"no\"\"\";01.02.2026;7\r\n\
                \"two\r\nlines\";02.02.2026;8\r\n\
                \r\n\
                ;03.02.2026;9"
        .replace('\u{feff}', "");
    let latin1: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).expect("a character of Latin-1")).collect();
    let (facts, dead) = read(&[("calls.csv", &latin1)]);
    assert!(dead.is_empty(), "{dead:?}");
    assert_eq!(places(&facts), [(1, 2), (1, 3), (1, 6)]);
    let notes: Vec<&Value> =
        facts.iter().flat_map(|fact| &fact.changes[0].contributions).map(|part| &part.value).collect();
    assert_eq!(notes, [&Value::text("René said \"no\""), &Value::text("two\r\nlines")]);
    // Midnight in Paris.
    assert_eq!(facts[0].rank.event_time, 1_769_900_400_000);
}

#[test]
fn a_stray_quote_spoils_its_own_line_only() {
    let text = "date;who;note\n\
                01.02.2026;1;\"open\n\
                02.02.2026;2;\"fine\"\n\
                03.02.2026;3;too;many\n\
                04.02.2026;4;\"never closed\n\
                05.02.2026;5;x\n";
    let (facts, dead) = read(&[("calls.csv", text.as_bytes())]);
    assert_eq!(facts.iter().map(customer).collect::<Vec<_>>(), ["2", "5"]);
    assert_eq!(reasons(&dead), [(2, "unreadable"), (4, "unreadable"), (5, "unreadable")]);
    assert_eq!(dead[0].record, b"01.02.2026;1;\"open");
    assert_eq!(dead[1].error, "it has 4 values where the header has 3");
}

#[test]
fn a_line_that_is_too_long_names_its_place() {
    let long = "x".repeat(RECORD_BYTES + 10);
    let visit = |who: u32| format!("{{\"at\":\"2026-01-01T10:00:00Z\",\"who\":{who}}}\n");
    let json = format!("{}{{\"page\":\"{long}\"}}\n{}", visit(1), visit(2));
    let csv = format!("date;who;note\n01.02.2026;3;{long}\n01.02.2026;4;\n01.02.2026;5;\"{long}\"\n");
    let (facts, dead) = read(&[("visits.jsonl", json.as_bytes()), ("calls.csv", csv.as_bytes())]);
    assert_eq!(facts.iter().map(customer).collect::<Vec<_>>(), ["1", "2", "4"]);
    let mut found = reasons(&dead);
    found.sort_unstable();
    assert_eq!(found, [(2, "too_long"), (2, "too_long"), (4, "too_long")]);
    assert!(dead.iter().all(|letter| letter.record.len() == 4_096), "a first part is kept");
}

#[test]
fn a_record_that_is_not_text_is_lost_alone_and_whole() {
    let mut json = b"{\"at\":\"2026-01-01T10:00:00Z\",\"who\":1,\"page\":\"\xe9\"}\n".to_vec();
    json.extend_from_slice(b"\xEF\xBB\xBF \n{\"at\":\"2026-01-01T10:00:00Z\",\"who\":2}\n");
    let (facts, dead) = read(&[("visits.jsonl", &json)]);
    assert_eq!(facts.len(), 1);
    assert_eq!(reasons(&dead), [(1, "unreadable"), (2, "unreadable")]);
    assert!(dead[0].record.contains(&0xe9));
}

#[test]
fn what_is_before_a_damage_counts() {
    let mut lines = String::new();
    for number in 0..20_000 {
        let _ = writeln!(lines, "{{\"at\":{},\"who\":{number},\"page\":\"{}\"}}", number + 1, number * 7_919 % 10_007);
    }
    for (name, whole) in [("visits.jsonl.gz", gzip(lines.as_bytes())), ("visits.jsonl.zst", zstd(lines.as_bytes()))] {
        let folder = folder(&[(name, &whole[..whole.len() / 2])]);
        let mut source = open(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        let (facts, dead, error) = drain_failing(&mut source);
        assert!(matches!(Cut::of(&error), Some(Cut::Unreadable { .. })), "{name}: {error}");
        assert!(facts.len() > 1_000 && facts.len() < 19_000, "{name}: {}", facts.len());
        assert!(facts.iter().enumerate().all(|(at, fact)| fact.rank.origin.line == at as u64 + 1));
        assert_eq!(reasons(&dead), [(facts.len() as u64 + 1, "unreadable")], "{name}");
        assert!(dead[0].error.contains("the rest of the file cannot be read"), "{}", dead[0].error);
    }
}

#[test]
fn a_header_says_what_is_missing() {
    let error = |files: &[(&str, &[u8])]| {
        let folder = folder(files);
        let error = open(folder.path()).err().map(|error| error.to_string()).expect("an error");
        error.replace(&folder.path().display().to_string(), "DIR")
    };
    assert_eq!(
        error(&[("calls.csv", b"date;whom;note\n")]),
        "DIR/calls.csv: it has no column `who`; its columns are date, whom, note"
    );
    assert_eq!(error(&[("calls.csv", b"date;who;who\n")]), "DIR/calls.csv: it has the column `who` twice");
    // An optional column may be missing, and a file may be empty.
    let (facts, dead) = read(&[("calls.csv", b"who;date\n1;01.02.2026\n"), ("visits.csv", b"")]);
    assert_eq!((facts.len(), dead.len()), (1, 0));
    assert!(facts[0].changes[0].contributions.is_empty());
}

#[test]
fn what_cannot_be_found_is_said() {
    let plan = plan();
    let folder = folder(&[("visits.csv", b""), ("visits.jsonl.gz", b""), ("other.txt", b"")]);
    let named = |name: &str, path: &str| Wanted::File { name: name.to_owned(), path: path.into() };
    let error = |wanted: &[Wanted]| {
        let error = files::find(&plan, wanted).expect_err("an error").to_string();
        error.replace(&folder.path().display().to_string(), "DIR")
    };
    assert_eq!(
        error(&[named("visit", "x.csv")]),
        "the pack has no stream or table `visit` (did you mean `visits`?); it has visits, calls, cards"
    );
    assert_eq!(
        error(&[Wanted::Folder(folder.path().to_owned())]),
        "DIR: both visits.jsonl.gz and visits.csv hold `visits`; remove one, or name the right one with --input \
         visits=PATH"
    );
    assert_eq!(error(&[named("visits", "-"), named("calls", "-")]), "standard input (`-`) can be one input only");
    let empty = tempfile::tempdir().expect("a folder");
    let wanted = [Wanted::Folder(empty.path().to_owned())];
    let nothing = files::find(&plan, &wanted).expect("a folder that can be read");
    let told = missing(&plan, &wanted, &nothing).expect("a folder that can be read").told();
    assert!(
        told.starts_with("no file for `visits`, `calls`, `cards`, which the pack declares\n  visits  nothing"),
        "{told}"
    );
    let missing = files::find(&plan, &[Wanted::Folder(empty.path().join("none"))]).expect_err("an error");
    assert!(matches!(missing, SourceError::Unreadable { .. }));
}

#[test]
fn files_are_merged_by_event_time_and_lines_stay_in_order() {
    let visits = "{\"at\":\"2026-02-01T00:00:00+01:00\",\"who\":1}\n\
                  {\"at\":\"2026-02-05\",\"who\":1}\n\
                  broken\n\
                  {\"at\":\"2026-01-01\",\"who\":1}\n\
                  {\"at\":\"2026-02-07\",\"who\":1}\n";
    let calls = "date;who\n01.02.2026;1\n03.02.2026;1\nx;1\n05.02.2026;1\n06.02.2026;1\n";
    let cards = "{\"card\":1,\"who\":1,\"state\":\"ok\",\"at\":\"2026-02-01\"}\n";
    let files: [(&str, &[u8]); 3] =
        [("cards.jsonl", cards.as_bytes()), ("calls.csv", calls.as_bytes()), ("visits.jsonl", visits.as_bytes())];
    for _ in 0..10 {
        let (facts, dead) = read(&files);
        // Ties go to the first input of the plan. Line 4 of the visits goes back in time, and comes
        // behind line 2.
        let expected = [(0, 1), (1, 2), (2, 1), (1, 3), (0, 2), (0, 4), (1, 5), (1, 6), (0, 5)];
        assert_eq!(places(&facts), expected);
        assert_eq!(reasons(&dead), [(4, "wrong_type"), (3, "unreadable")]);
    }
}

#[test]
fn a_source_that_nobody_reads_ends() {
    let mut lines = String::new();
    for number in 0..50_000 {
        let _ = writeln!(lines, "{{\"at\":{number},\"who\":1}}");
    }
    let folder = folder(&[("visits.jsonl", lines.as_bytes())]);
    let mut source = open(folder.path()).unwrap_or_else(|error| panic!("{error}"));
    let mut batch = Batch::default();
    assert!(source.fill(&mut batch).expect("a batch"));
    assert!(!batch.facts.is_empty() && batch.facts.len() < 10_000);
    // Joins its threads.
    drop(source);
}

#[test]
fn a_source_that_is_stopped_ends_early() {
    let plan = plan();
    let folder = folder(&[("visits.jsonl", b"{\"at\":1,\"who\":1}\n")]);
    let files = files::find(&plan, &[Wanted::Folder(folder.path().to_owned())]).expect("a file");
    let stop = Arc::new(AtomicBool::new(false));
    let mut source = MergedSource::open(&plan, &files, &stop).unwrap_or_else(|error| panic!("{error}"));
    assert!(!source.is_interrupted());
    stop.store(true, Ordering::Relaxed);
    assert_eq!(drain(&mut source).0, []);
    assert!(source.is_interrupted());
}

#[test]
fn mixed_lines_arrive_in_their_order() {
    let lines = [
        r#"{"stream":"visits","at":5,"who":1}"#,
        r#"{"stream":"visit","at":4,"who":1}"#,
        r#"{"who":1}"#,
        "",
        r#"{"at":3,"stream":"cards","card":"x","who":1,"state":"ok"}"#,
        r#"{"stream":"visits","at":"yesterday","who":1}"#,
    ];
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let (facts, dead) = drain(&mut LinesSource::new(&plan(), "given", &lines));
    assert_eq!(places(&facts), [(0, 1), (2, 5)]);
    assert_eq!(reasons(&dead), [(2, "unknown_input"), (3, "unknown_input"), (6, "wrong_type")]);
    assert_eq!(dead[2].input.as_deref(), Some("visits"));
    assert_eq!(dead[2].error, "`at` is not time: \"yesterday\"");
}

fn decode(input: InputId, json: &str) -> Result<Decoded, RecordError> {
    JsonDecoder::new(&plan(), input).decode(json.as_bytes())
}

#[test]
fn what_deletes_a_row() {
    let deletes = |json: &str| decode(CARDS, json).map(|record| record.deleted).map_err(|error| error.message);
    assert_eq!(deletes(r#"{"card":1,"at":5,"who":2,"state":"ok"}"#), Ok(false));
    assert_eq!(deletes(r#"{"card":1,"at":5,"who":2,"state":"ok","_deleted":false}"#), Ok(false));
    assert_eq!(deletes(r#"{"card":1,"at":5,"who":2,"state":"ok","_deleted":true}"#), Ok(true));
    assert_eq!(deletes(r#"{"card":1,"at":5,"_deleted":true,"limit":"much"}"#), Ok(true));
    assert_eq!(deletes(r#"{"card":1,"at":5,"who":null,"state":null}"#), Ok(true));
    assert_eq!(deletes(r#"{"card":1,"at":5}"#), Ok(true));
    // The condition of the pack says that it is one: then the rest may be missing.
    assert_eq!(deletes(r#"{"card":1,"at":5,"state":"lost"}"#), Ok(true));
    assert_eq!(deletes(r#"{"card":1,"at":5,"state":"ok"}"#), Err("`who` is missing or null".to_owned()));
    assert_eq!(deletes(r#"{"card":1,"_deleted":true}"#), Err("`at` is missing or null".to_owned()));
    assert_eq!(deletes(r#"{"at":5}"#), Err("`card` is missing or null".to_owned()));
    assert!(deletes(r#"{"card":1,"at":5,"_deleted":1}"#).is_err());
}

#[test]
fn what_is_no_record() {
    let told = |json: &str| {
        let error = decode(VISITS, json).expect_err(json);
        format!("{}: {}", error.reason, error.message)
    };
    for (json, error) in [
        ("5", "unreadable: not a JSON object: invalid type: integer `5`, expected an object at column 1"),
        ("{} {}", "unreadable: not a JSON object: trailing characters at column 4"),
        ("{\"at\":1,\"at\":2}", "unreadable: not a JSON object: `at` is given twice at column 12"),
        ("{\"at\":1,\"who\":1,\"x\":1,\"x\":1}", "unreadable: not a JSON object: `x` is given twice at column 25"),
        ("{\"who\":1}", "missing_field: `at` is missing or null"),
        ("{\"at\":-1,\"who\":1}", "out_of_range: `at` is not time: -1 (an event time is between 1970 and 9999)"),
        ("{\"at\":1,\"who\":\"\"}", "wrong_type: `who` is not id(customer): \"\" (an id is not empty)"),
        ("{\"at\":1,\"who\":[1]}", "wrong_type: `who` is not id(customer): [1]"),
        ("{\"at\":1,\"who\":1,\"page\":7}", "wrong_type: `page` is not text: 7"),
        (
            "{\"at\":1,\"who\":1,\"paid\":1.005}",
            "wrong_type: `paid` is not decimal(2): 1.005 (it has more than 2 decimals)",
        ),
        (
            "{\"at\":1,\"who\":1,\"paid\":99999999999999999}",
            "out_of_range: `paid` is not decimal(2): 99999999999999999 (it does not fit 64 bit)",
        ),
        ("{\"at\":1,\"who\":1,\"paid\":true}", "wrong_type: `paid` is not decimal(2): true"),
    ] {
        assert_eq!(told(json), error);
    }
    let long = format!("{{\"at\":\"{}\",\"who\":1}}", "é\u{7}".repeat(100));
    assert!(told(&long).len() < 200, "{}", told(&long));
    let mark = "wrong_type: `_deleted` is true or false, not 1";
    assert_eq!(told("{\"at\":1,\"who\":1,\"_deleted\":1}"), mark);
}

#[test]
fn no_key_is_given_twice_also_none_that_is_not_declared() {
    let twice = |json: &str| {
        let error = decode(VISITS, json).expect_err(json);
        assert_eq!(error.reason, "unreadable", "{json}");
        assert!(error.message.contains("` is given twice"), "{json}: {}", error.message);
    };
    let many = (0..100).map(|number| format!(r#","k{number}":{number}"#)).collect::<Vec<_>>().concat();
    let long = "é".repeat(2_000);
    for rest in [
        r#""x":1,"x":1"#.to_owned(),
        r#""x":1,"y":{},"x":{}"#.to_owned(),
        r#""x":1,"\u0078":2"#.to_owned(),
        r#""\u0078":1,"\u0078":2"#.to_owned(),
        r#""é":1,"\u00e9":2"#.to_owned(),
        r#""\ud83d\ude00":1,"😀":null"#.to_owned(),
        r#""":1,"":2"#.to_owned(),
        r#""a\"b":1,"a\u0022b":2"#.to_owned(),
        format!(r#""x":1{many},"k99":1"#),
        format!(r#""x":1{many},"x":1"#),
        format!(r#""{long}":1,"{long}":1"#),
    ] {
        twice(&format!(r#"{{"at":5,"who":1,{rest}}}"#));
        twice(&format!(r#"{{{rest},"at":5,"who":1}}"#));
    }
    for json in [
        r#"{"at":5,"who":1,"x":{"y":1,"y":2},"y":3}"#.to_owned(),
        r#"{"at":5,"who":1,"x":1,"X":1,"x ":1,"\u0079":1}"#.to_owned(),
        format!(r#"{{"at":5,"who":1{many}}}"#),
        format!(r#"{{"at":5,"who":1{many},"x":[]}}"#),
    ] {
        assert!(decode(VISITS, &json).is_ok(), "{json}");
    }
}

/// A decoder keeps the room for undeclared keys, and nothing of the keys.
#[test]
fn a_record_knows_nothing_of_the_keys_of_the_one_before() {
    let plan = Arc::new(plan());
    let mut decoder = JsonDecoder::new(&plan, VISITS);
    for _ in 0..3 {
        assert!(decoder.decode(br#"{"at":5,"who":1,"x":{},"y":1}"#).is_ok());
        assert!(decoder.decode(br#"{"at":5,"who":1,"x":1,"y":{}}"#).is_ok());
        assert!(decoder.decode(br#"{"at":5,"who":1,"x":1,"x":{}}"#).is_err());
    }
}

#[test]
fn what_is_a_record_however_it_is_written() {
    let row = |json: &str| decode(VISITS, json).unwrap_or_else(|error| panic!("{json}: {error:?}")).row;
    let expected = [Value::Time(5), Value::Id(Id::Number(12)), Value::text("a\n€"), Value::decimal(150)];
    for json in [
        r#"{"at":5,"who":12,"page":"a\n€","paid":1.5}"#,
        r#" { "paid" : "1.50" , "page" : "a\u000a\u20ac" , "who" : "12" , "at" : 5.0 } "#,
        r#"{"more":{"at":[1,{"at":2}]},"\u0061t":5,"paid":15e-1,"who":12,"page":"a\n€","stream":"x"}"#,
        r#"{"at":"1970-01-01T00:00:00.0059Z","who":12,"page":"a\n€","paid":1.500}"#,
    ] {
        assert_eq!(row(json), expected, "{json}");
    }
    assert_eq!(row(r#"{"at":5,"who":"012","page":null}"#)[1], Value::Id(Id::Text("012".into())));
}

/// A generator of numbers that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

/// Changes, adds, takes away, repeats bytes.
fn mutated(line: &[u8], dice: &mut Dice) -> Vec<u8> {
    const TELLING: &[u8] = b"\"{}[]:,;\\-+.eE019\n\r\t \x00\x7f\x80\xc3\xe2\xff_untrflsZT";
    let mut line = line.to_vec();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(line.len() + 1);
        let byte = TELLING[dice.roll(TELLING.len())];
        match dice.roll(5) {
            0 => line.insert(at, byte),
            1 if at < line.len() => line[at] = byte,
            2 if at < line.len() => drop(line.remove(at)),
            3 => line.truncate(at),
            _ => line.extend_from_within(at..),
        }
    }
    line
}

#[test]
fn no_line_makes_a_decoder_panic() {
    let plan = plan();
    let json = r#"{"card":"k1","who":12,"state":"ok","at":"2026-03-02T09:00:00.5+01:00","limit":-12,"_deleted":false}"#;
    let values = ["k1", "12", "ok", "2026-03-02T09:00:00.5+01:00", "-12", "0"];
    let header = ["card", "who", "state", "at", "limit", "_deleted"];
    let joined = |values: &[&str]| (values.concat().into_bytes(), ends(values));
    let (bytes, places) = joined(&header);
    let names = Values { bytes: &bytes, ends: &places };
    let mut delimited = DelimitedDecoder::with_header(&plan, CARDS, names).expect("all columns are there");
    let mut decoder = JsonDecoder::new(&plan, CARDS);
    let mut dice = Dice(88_172_645_463_325_252);
    let mut taken = 0;
    for _ in 0..40_000 {
        taken += usize::from(decoder.decode(&mutated(json.as_bytes(), &mut dice)).is_ok());
        let (bytes, mut places) = joined(&values);
        let bytes = mutated(&bytes, &mut dice);
        for place in &mut places {
            *place = (*place).min(bytes.len());
        }
        taken += usize::from(delimited.decode(Values { bytes: &bytes, ends: &places }).is_ok());
    }
    assert!(taken > 1_000, "some are still records: {taken}");
}

fn ends(values: &[&str]) -> Vec<usize> {
    values
        .iter()
        .scan(0, |end, value| {
            Some({
                *end += value.len();
                *end
            })
        })
        .collect()
}

#[test]
fn no_file_makes_a_source_panic_and_no_line_is_lost() {
    let calls = "date;who;note\n01.02.2026;1;\"a\"\n02.02.2026;2;b\n03.02.2026;3;\"c;\nd\"\n04.02.2026;4;\n";
    let visits = "{\"at\":1,\"who\":1}\n{\"at\":2,\"who\":2,\"page\":\"x\"}\n{\"at\":3,\"who\":3}\n";
    let mut dice = Dice(1_181_783_497_276_652_981);
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..300 {
        let body = mutated(&calls.as_bytes()[14..], &mut dice);
        let lines = mutated(visits.as_bytes(), &mut dice);
        let written = lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        fs::write(folder.path().join("calls.csv"), [b"date;who;note\n", body.as_slice()].concat()).expect("a file");
        fs::write(folder.path().join("visits.jsonl"), &lines).expect("a file");
        let mut source = open(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        let (facts, dead) = drain(&mut source);
        let is_visit = |fact: &&Fact| fact.input == VISITS;
        let lost = dead.iter().filter(|letter| letter.input.as_deref() == Some("visits")).count();
        assert_eq!(facts.iter().filter(is_visit).count() + lost, written, "{:?}", String::from_utf8_lossy(&lines));
        assert!(facts.iter().any(|fact| fact.input == CALLS) || !dead.is_empty());
    }
}

fn written(mode: ViewMode, visits: &str, cards: &str) -> [String; 3] {
    let plan = plan();
    let inputs = folder(&[("visits.jsonl", visits.as_bytes()), ("cards.jsonl", cards.as_bytes())]);
    let source = open(inputs.path()).unwrap_or_else(|error| panic!("{error}"));
    let output = tempfile::tempdir().expect("a folder");
    let sink = DirectorySink::create(&plan, &output.path().join("a/b"), mode).expect("files");
    let options = Options { views: true, ..Options::default() };
    run::execute(&plan, Box::new(source), Box::new(sink), &options).expect("a run");
    ["episodes", "views", "dead_letters"].map(|name| {
        let text = fs::read_to_string(output.path().join(format!("a/b/{name}.jsonl"))).expect("an output");
        text.replace(&inputs.path().display().to_string(), "DIR")
    })
}

#[test]
fn what_a_run_writes() {
    let visits = "{\"at\":\"2026-01-01T10:00:00Z\",\"who\":2,\"paid\":1.5}\nnothing\n\
                  {\"at\":\"2026-01-03T10:00:00.250Z\",\"who\":2,\"paid\":1}\n{\"at\":\"2026-01-03T10:00:01Z\",\"who\":10}\n";
    let cards = "{\"card\":\"k\",\"who\":2,\"state\":\"ok\",\"at\":\"2026-01-02T00:00:00Z\",\"limit\":500}\n\
                 {\"card\":\"j\",\"who\":3,\"state\":\"ok\",\"at\":\"2026-01-02T00:00:00Z\"}\n\
                 {\"card\":\"j\",\"at\":\"2026-01-02T01:00:00Z\"}\n";
    let [episodes, views, dead] = written(ViewMode::Final, visits, cards);
    let mut lines = episodes.lines();
    let first = lines.next().expect("a line");
    let (before, after) = first.split_once("\"episode\":\"").expect("an episode");
    assert_eq!(
        before,
        "{\"time\":\"2026-01-02T00:00:00Z\",\"logical_time_ms\":1767312000000,\"customer\":\"2\",\
         \"entity\":{\"kind\":\"card\",\"id\":\"k\"},\"moment\":\"capped\",\"version\":\"1\","
    );
    assert_eq!(&after[32..], "\",\"transition\":\"opened\",\"evidence\":{\"limit\":500}}");
    let second = lines.next().expect("a line");
    assert!(second.starts_with(
        "{\"time\":\"2026-01-03T10:00:00.25Z\",\"logical_time_ms\":1767434400250,\"customer\":\"2\",\"entity\":null,"
    ));
    assert!(second.ends_with("\"transition\":\"opened\",\"evidence\":{\"visits\":2}}"));
    assert_eq!(lines.next(), None);
    assert_eq!(
        views,
        "{\"customer\":\"2\",\"logical_time_ms\":1767434401000,\"visits\":2,\"paid\":2.50,\"notes\":null,\
         \"entities\":{\"card\":{\"k\":{\"limit\":500}}}}\n\
         {\"customer\":\"10\",\"logical_time_ms\":1767434401000,\"visits\":1,\"paid\":0.00,\"notes\":null,\
         \"entities\":{}}\n"
    );
    assert_eq!(
        dead,
        "{\"input\":\"visits\",\"file\":\"DIR/visits.jsonl\",\"line\":2,\"reason\":\"unreadable\",\"error\":\"not a \
         JSON object: expected ident at column 2\",\"record\":\"nothing\"}\n"
    );
}

#[test]
fn changes_of_views_show_what_ceased_to_exist() {
    let cards = "{\"card\":\"j\",\"who\":3,\"state\":\"ok\",\"at\":\"2026-01-02T00:00:00Z\"}\n\
                 {\"card\":\"j\",\"who\":3,\"state\":\"fine\",\"at\":\"2026-01-02T00:00:01Z\"}\n\
                 {\"card\":\"j\",\"at\":\"2026-01-02T01:00:00Z\"}\n";
    let [_, views, _] = written(ViewMode::Changes, "", cards);
    assert_eq!(
        views,
        "{\"customer\":\"3\",\"logical_time_ms\":1767312000000,\"visits\":0,\"paid\":0.00,\"notes\":null,\
         \"entities\":{\"card\":{\"j\":{\"limit\":null}}}}\n\
         {\"customer\":\"3\",\"logical_time_ms\":1767315600000,\"exists\":false}\n"
    );
}
