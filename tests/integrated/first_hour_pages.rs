//! What the pages say of cases that had to be guessed: run by the command, in both engines, with
//! one worker and with four.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// What a run came to, the same in every way in which it was run.
struct Came {
    decisions: Vec<Value>,
    views: Vec<Value>,
    dead_letters: Vec<Value>,
    said: String,
}

/// Runs a pack over files (name and text), with more arguments.
fn came(pack: &str, files: &[(&str, &str)], more: &[&str]) -> Came {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("data")).expect("a folder");
    fs::write(folder.path().join("p.toml"), pack).expect("the pack");
    for (name, text) in files {
        fs::write(folder.path().join("data").join(name), text).expect("an input");
    }
    let mut before: Option<([String; 3], String)> = None;
    for (engine, workers) in [("fused", "1"), ("fused", "4"), ("reference", "1"), ("reference", "4")] {
        let outputs = written(&folder, engine, workers, more);
        if let Some((known, _)) = &before {
            assert_eq!(*known, outputs.0, "{engine} with {workers} workers");
        }
        before = Some(outputs);
    }
    let ([decisions, views, dead_letters], said) = before.expect("a run");
    Came { decisions: lines(&decisions), views: lines(&views), dead_letters: lines(&dead_letters), said }
}

/// The decisions, views and dead letters of one run, and what it said.
fn written(folder: &TempDir, engine: &str, workers: &str, more: &[&str]) -> ([String; 3], String) {
    let out = format!("out_{engine}_{workers}");
    let mut propice = Command::new(env!("CARGO_BIN_EXE_propice"));
    propice.current_dir(folder).args(["run", "p.toml", "--input", "data", "--output", &out]);
    propice.args(["--engine", engine, "--workers", workers]).args(more);
    let output = propice.output().expect("propice runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let read = |name: &str| fs::read_to_string(Path::new(folder.path()).join(&out).join(name)).expect("an output");
    (["decisions.jsonl", "views.jsonl", "dead_letters.jsonl"].map(read), said)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

impl Came {
    /// The lines of a kind of decision, with some keys each.
    fn told(&self, decision: &str, keys: &[&str]) -> Vec<String> {
        let of_kind = self.decisions.iter().filter(|line| line["decision"] == decision);
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        of_kind.map(|line| keys.iter().map(|key| shown(&line[*key])).collect::<Vec<_>>().join(" ")).collect()
    }

    /// Verdicts: when, of which entity, what, the gates, until when.
    fn verdicts(&self) -> Vec<String> {
        let of_kind = self.decisions.iter().filter(|line| line["decision"] == "verdict");
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let gates = |line: &Value| {
            let gates = line["gates"].as_array().expect("gates").iter();
            gates.map(|gate| text(&gate["gate"])).collect::<Vec<_>>().join(",")
        };
        of_kind
            .map(|line| {
                let who = line["entity"]["id"].as_str().map_or_else(|| text(&line["customer"]), str::to_owned);
                format!(
                    "{} {who} {} [{}] {}",
                    text(&line["time"]),
                    text(&line["verdict"]),
                    gates(line),
                    text(&line["until"])
                )
            })
            .collect()
    }
}

/// Lost cards, and what customers answer.
const CARDS: &str = r#"
[pack]
name = "p"
[table.cards]
key    = ["card"]
about  = "card"
time   = "at"
fields = { card = "id(card)", who = "id(customer)", at = "time", lost = "bool" }
[stream.receipts]
about  = "who"
time   = "at"
fields = { who = "id(customer)", at = "time", kind = "text", trigger = "text?" }
[entity.card]
belongs_to = { customer = "who", by = "cards" }
[card.feature]
lost = { from = "cards", count = true, where = "lost" }
[moment.card_lost]
about          = "card"
when           = "lost > 0"
purpose        = "service"
value          = { kind = "functional", benefit = "A new card comes before it is missed" }
success        = "lost == 0"
success_within = "5d"
[policy]
arbitration = "0s"
receipts    = { from = "receipts" }
rest        = [{ after = 1, of = ["wrong"], for = "10d" }]
rating      = { useful = 2.0, wrong = -5.0 }
"#;

const TWO_LOST: &str = "{\"card\":\"k1\",\"who\":\"c\",\"at\":\"2026-03-02T09:00:00Z\",\"lost\":true}\n\
                        {\"card\":\"k2\",\"who\":\"c\",\"at\":\"2026-03-02T09:00:00Z\",\"lost\":true}\n";

/// Two cards are lost in one millisecond, and a receipt for the first comes at a time.
fn answered(kind: &str, at: &str) -> Came {
    let first = came(CARDS, &[("cards.jsonl", TWO_LOST), ("receipts.jsonl", "")], &[]);
    let of_first = first.decisions.iter().find(|line| line["entity"]["id"] == "k1").expect("a decision");
    let episode = of_first["episode"].as_str().expect("an id");
    let receipt = format!("{{\"who\":\"c\",\"at\":\"{at}\",\"kind\":\"{kind}\",\"trigger\":\"{episode}-released\"}}\n");
    came(CARDS, &[("cards.jsonl", TWO_LOST), ("receipts.jsonl", &receipt)], &[])
}

const OF_RECEIPTS: [&str; 4] = ["time", "moment", "at", "heard_before"];

#[test]
fn a_receipt_before_its_release_answers_from_the_release_on() {
    let came = answered("wrong", "2026-03-02T08:00:00Z");
    let verdicts =
        ["2026-03-02T09:00:00Z k1 released [] -", "2026-03-02T09:00:00Z k2 suppressed [cooldown] 2026-03-12T08:00:00Z"];
    assert_eq!(came.verdicts(), verdicts, "its rest counts for the other card, from its own event time");
    let receipts = [
        "2026-03-02T08:00:00Z null 2026-03-02T08:00:00Z null",
        "2026-03-02T09:00:00Z card_lost 2026-03-02T08:00:00Z true",
    ];
    assert_eq!(came.told("receipt", &OF_RECEIPTS), receipts);
    let came = answered("useful", "2026-03-02T08:00:00Z");
    assert_eq!(came.told("verdict", &["verdict", "priority"]), ["released 0.0", "released 2.0"], "so does its rating");
}

#[test]
fn a_receipt_in_the_millisecond_of_its_release_answers_behind_it() {
    let came = answered("wrong", "2026-03-02T09:00:00Z");
    assert_eq!(came.told("verdict", &["verdict", "priority"]), ["released 0.0", "suppressed -5.0"]);
    assert_eq!(came.told("receipt", &OF_RECEIPTS), ["2026-03-02T09:00:00Z card_lost 2026-03-02T09:00:00Z null"]);
}

#[test]
fn a_receipt_behind_its_release_comes_too_late_for_it() {
    let came = answered("wrong", "2026-03-02T09:00:00.001Z");
    assert_eq!(came.told("verdict", &["verdict", "priority"]), ["released 0.0", "released 0.0"]);
    assert_eq!(
        came.told("receipt", &OF_RECEIPTS),
        ["2026-03-02T09:00:00.001Z card_lost 2026-03-02T09:00:00.001Z null"]
    );
}

#[test]
fn the_report_counts_a_receipt_before_its_release_once() {
    let lines = answered("wrong", "2026-03-02T08:00:00Z").decisions;
    let folder = tempfile::tempdir().expect("a folder");
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    fs::write(folder.path().join("decisions.jsonl"), lines.join("\n") + "\n").expect("the decisions");
    let mut propice = Command::new(env!("CARGO_BIN_EXE_propice"));
    let output = propice.current_dir(&folder).args(["report", "decisions.jsonl", "--format", "json"]).output();
    let output = output.expect("propice runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["receipts"]["others"], 0, "{report}");
    assert_eq!(report["moments"][0]["receipts"]["wrong"], 1, "{report}");
}

#[test]
fn the_success_of_an_entity_that_has_gone_waits_for_it() {
    let lost = "{\"card\":\"k1\",\"who\":\"c\",\"at\":\"2026-03-02T09:00:00Z\",\"lost\":true}\n\
                {\"card\":\"k1\",\"at\":\"2026-03-03T09:00:00Z\",\"_deleted\":true}\n";
    let outcome = |cards: &str| {
        let files = [("cards.jsonl", cards), ("receipts.jsonl", "")];
        came(CARDS, &files, &["--until", "2026-03-20"]).told("outcome", &["time", "helped"])
    };
    // Over nothing no card is lost, and yet nothing was mended.
    assert_eq!(outcome(lost), ["2026-03-07T09:00:00Z false"]);
    let back = "{\"card\":\"k1\",\"who\":\"c\",\"at\":\"2026-03-04T09:00:00Z\",\"lost\":false}\n";
    assert_eq!(outcome(&format!("{lost}{back}")), ["2026-03-04T09:00:00Z true"]);
    let moved = back.replace("\"c\"", "\"d\"");
    assert_eq!(outcome(&format!("{lost}{moved}")), ["2026-03-07T09:00:00Z false"], "it is somebody else's");
}

/// Payments of customers, with a moment and a policy.
fn payments(zone: &str, moment: &str, policy: &str) -> String {
    format!(
        "[pack]\nname = 'p'\ntimezone = '{zone}'\n\
         [stream.a]\nabout = 'who'\ntime = 'at'\nfields = {{ who = 'id(customer)', at = 'time', n = 'int' }}\n\
         [stream.b]\nabout = 'who'\ntime = 'at'\nfields = {{ who = 'id(customer)', at = 'time', d = 'duration?' }}\n\
         [customer.feature]\nn = {{ from = 'a', sum = '12 / n' }}\na_at = {{ from = 'a', last = 'at' }}\n\
         b_at = {{ from = 'b', last = 'at' }}\nd = {{ from = 'b', last = 'd' }}\nd_avg = {{ from = 'b', avg = 'd' }}\n\
         [customer.attribute]\nd_part = 'd / 4'\n\
         [moment.paid]\nwhen = 'has(a_at)'\npurpose = 'service'\n\
         value = {{ kind = 'economic', benefit = 'A word' }}\n{moment}\n\
         [moment.told]\nwhen = 'has(b_at)'\npurpose = 'service'\n\
         value = {{ kind = 'economic', benefit = 'A word' }}\n\
         [policy]\n{policy}\n"
    )
}

fn a(who: &str, at: &str, n: i64) -> String {
    format!("{{\"who\":\"{who}\",\"at\":\"{at}\",\"n\":{n}}}\n")
}

fn b(who: &str, at: &str, d: &str) -> String {
    format!("{{\"who\":\"{who}\",\"at\":\"{at}\",\"d\":\"{d}\"}}\n")
}

#[test]
fn a_customer_is_held_out_when_nothing_else_stands_against_it() {
    let moment = "holdout = 0.999999999\nsuccess = 'n > 99'\nsuccess_within = '1d'";
    let pack = payments("UTC", moment, "quiet = { hours = '20:00-08:00' }");
    let files = [("a.jsonl", a("c", "2026-03-02T21:00:00Z", 1)), ("b.jsonl", String::new())];
    let came = came(&pack, &files.each_ref().map(|(name, text)| (*name, text.as_str())), &["--until", "2026-03-10"]);
    assert_eq!(came.verdicts(), ["2026-03-02T21:00:00Z c suppressed [holdout,quiet] -"]);
    let outcome = ["2026-03-04T08:00:00Z holdout false 2026-03-03T08:00:00Z"];
    assert_eq!(came.told("outcome", &["time", "group", "helped", "started"]), outcome, "held out in the morning");
}

#[test]
fn a_dead_letter_of_an_expression_has_no_time() {
    let pack = payments("UTC", "", "");
    // The second line divides by zero; had it a time, the others would be late.
    let of_a = a("c", "2026-01-01", 1) + &a("c", "2026-01-31", 0) + &a("c", "2026-01-03", 2);
    let of_b = b("c", "2026-01-02", "1s") + &b("c", "2026-01-04", "1s");
    let came = came(&pack, &[("a.jsonl", &of_a), ("b.jsonl", &of_b)], &[]);
    assert!(came.said.contains("4 records in ") && came.said.contains(" 0 late, 1 dead letters"), "{}", came.said);
    assert_eq!(came.dead_letters[0]["reason"], "expression");
    assert_eq!(came.dead_letters[0]["line"], 2);
    assert_eq!(came.views[0]["logical_time_ms"], 1_767_484_800_000_i64, "the run ends on January 4");
    assert_eq!(came.views[0]["n"], 18);
}

#[test]
fn a_run_until_a_time_before_the_last_record_ends_there() {
    let pack = payments("UTC", "for = '1d'", "");
    // The third line is late: it would take effect on January 5 too.
    let of_a = a("c", "2026-01-01", 1) + &a("c", "2026-01-05", 2) + &a("c", "2026-01-02", 3);
    let files = [("a.jsonl", of_a.as_str()), ("b.jsonl", "")];
    let cut = came(&pack, &files, &["--until", "2026-01-03T00:00:00Z"]);
    assert!(cut.said.contains("1 records in "), "{}", cut.said);
    assert_eq!((&cut.views[0]["n"], &cut.views[0]["logical_time_ms"]), (&12.into(), &1_767_398_400_000_i64.into()));
    assert_eq!(cut.verdicts(), ["2026-01-02T00:00:00Z c released [] -"]);
    let at_the_record = came(&pack, &files, &["--until", "2026-01-05T00:00:00Z"]);
    assert_eq!(at_the_record.views[0]["n"], 22, "what takes effect at that very time counts");
}

#[test]
fn each_value_has_one_form() {
    let pack = payments("UTC", "", "");
    let of_b = b("c", "2026-01-01T00:00:00.830Z", "2w") + &b("d", "2026-01-01T00:00:00.000Z", "-10ms");
    let more = b("e", "2026-01-01T00:00:00.120Z", "1ms") + &b("e", "2026-01-01T00:00:00.1299Z", "0.002s");
    let halves = b("f", "2026-01-01", "2ms") + &b("f", "2026-01-01", "3ms");
    let came = came(&pack, &[("a.jsonl", ""), ("b.jsonl", &(of_b + &more + &halves))], &[]);
    let shown: Vec<String> = (came.views.iter())
        .map(|view| ["b_at", "d", "d_avg", "d_part"].map(|key| view[key].as_str().expect("a text")).join(" "))
        .collect();
    let expected = [
        "2026-01-01T00:00:00.83Z 14d 14d 3d12h",
        "2026-01-01T00:00:00Z -10ms -10ms -2ms",
        "2026-01-01T00:00:00.129Z 2ms 2ms 0s",
        "2026-01-01T00:00:00Z 3ms 2ms 0s",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn local_times_that_are_there_twice_or_not_at_all() {
    for (zone, local, instant) in [
        ("Europe/Paris", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        ("Europe/Paris", "2026-03-29 03:30", "2026-03-29T01:30:00Z"),
        ("Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
    ] {
        let pack = payments(zone, "", "");
        let csv = format!("who,at,d\nc,{local},\n");
        let json = a("c", local, 1);
        let came = came(&pack, &[("a.jsonl", json.as_str()), ("b.csv", csv.as_str())], &["--until", "2026-12-01"]);
        assert_eq!(
            (&came.views[0]["a_at"], &came.views[0]["b_at"]),
            (&instant.into(), &instant.into()),
            "{zone} {local}"
        );
        let pattern = pack.replacen("at = 'time'", "at = { type = 'time', format = '%Y-%m-%dT%H:%M:%S' }", 1);
        if local.contains('T') {
            let came = self::came(&pattern, &[("a.jsonl", json.as_str()), ("b.csv", csv.as_str())], &[]);
            assert_eq!(came.views[0]["a_at"], instant, "{zone} {local} by a pattern");
        }
    }
}

#[test]
fn a_day_of_a_budget_begins_where_there_is_no_midnight_and_at_the_first_of_two() {
    for (zone, first, second, until) in [
        ("Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-23T13:00:00Z", "2026-04-23T22:00:00Z"),
        ("America/Havana", "2026-10-31T12:00:00Z", "2026-10-31T13:00:00Z", "2026-11-01T04:00:00Z"),
        ("America/Havana", "2026-11-01T04:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T05:00:00Z"),
        ("Europe/Paris", "2026-10-24T22:00:00Z", "2026-10-25T22:59:00Z", "2026-10-25T23:00:00Z"),
    ] {
        let pack = payments(zone, "", "pressure = [{ at_most = 1, per = '1d' }]");
        let (of_a, of_b) = (a("c", first, 1), b("c", second, "1s"));
        let came = came(&pack, &[("a.jsonl", &of_a), ("b.jsonl", &of_b)], &["--until", "2026-12-01"]);
        let expected = [
            format!("{first} c released [] -"),
            format!("{second} c deferred [pressure] {until}"),
            format!("{until} c released [] -"),
        ];
        assert_eq!(came.verdicts(), expected, "{zone}");
    }
}

#[test]
fn quiet_hours_are_those_that_the_clock_shows() {
    for (hours, at, until) in [
        ("02:15-02:45", "2026-10-25T00:20:00Z", Some("2026-10-25T00:45:00Z")),
        ("02:15-02:45", "2026-10-25T01:20:00Z", Some("2026-10-25T01:45:00Z")),
        ("02:15-02:45", "2026-10-25T00:50:00Z", None),
        ("02:15-02:45", "2026-03-29T01:00:00Z", None),
        ("01:00-02:30", "2026-03-29T00:59:00Z", Some("2026-03-29T01:00:00Z")),
        ("02:30-04:00", "2026-03-29T01:00:00Z", Some("2026-03-29T02:00:00Z")),
        ("02:30-04:00", "2026-03-29T00:59:00Z", None),
    ] {
        let pack = payments("Europe/Paris", "", &format!("quiet = {{ hours = '{hours}' }}"));
        let came = came(&pack, &[("a.jsonl", &a("c", at, 1)), ("b.jsonl", "")], &["--until", "2026-12-01"]);
        let expected = match until {
            None => vec![format!("{at} c released [] -")],
            Some(until) => {
                vec![format!("{at} c deferred [quiet] {until}"), format!("{until} c released [] -")]
            }
        };
        assert_eq!(came.verdicts(), expected, "{hours}");
    }
}
