//! What subscribers get, from a run as a person starts it: ids, consent, zones; and what a run says
//! of late records and of waits.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::{VALUE, folder, parsed, propice, said};

const HOUR: u64 = 3_600_000;

/// People with a zone and a consent, and moments while a number of theirs is above 0.
const PACK: &str = "[pack]\nname = 'p'\ntimezone = 'Asia/Tokyo'\n\
     [stream.s]\nabout = 'c'\ntime = 'at'\nfields = { c = 'id(customer)', at = 'time', a = 'int' }\n\
     [table.people]\nkey = ['c']\nabout = 'c'\ntime = 'at'\n\
     fields = { c = 'id(customer)', at = 'time', zone = 'text?', ok = 'bool?' }\n\
     [customer.feature]\na = { from = 's', last = 'a' }\n";

/// Runs a pack over records, with an engine; the closing summary.
fn run(folder: &Path, engine: &str, more: &str) -> String {
    let arguments = format!("run p.toml --input data --output out --engine {engine} {more}");
    let (code, _, err) = said(&mut propice(folder, &arguments));
    assert_eq!(code, 0, "{err}");
    err
}

fn lines(folder: &Path, name: &str) -> Vec<Json> {
    parsed(&fs::read_to_string(folder.join("out").join(name)).expect("an output"))
}

fn moment(more: &str) -> String {
    format!("[moment.m]\nwhen = 'a > 0'\npurpose = 'service'\n{VALUE}{more}")
}

/// Records `CUSTOMER:TIME:A`.
fn records(text: &str) -> String {
    let record = |record: &str| {
        let parts: Vec<&str> = record.split(':').collect();
        format!("{{\"c\":\"{}\",\"at\":{},\"a\":{}}}\n", parts[0], parts[1], parts[2])
    };
    text.split_whitespace().map(record).collect()
}

#[test]
fn a_withdrawal_has_an_id_of_its_own_and_rests_on_no_consent() {
    let pack = format!(
        "{PACK}{}channels = ['push']\non_negative_mood = 'human'\n[channel.push]\n\
         [policy]\narbitration = '0s'\n[policy.consent]\npurposes = {{ service = 'people.ok' }}\n\
         [policy.consent.data.numbers]\nallowed = 'people.ok'\nfeatures = ['a']\n",
        moment("")
    );
    // The consent is taken back before the moment ends: what is withdrawn needs none.
    let people = "{\"c\":\"x\",\"at\":1,\"ok\":true}\n{\"c\":\"y\",\"at\":1,\"ok\":true}\n\
                  {\"c\":\"y\",\"at\":15,\"ok\":false}\n";
    let data = folder(&[
        ("p.toml", &pack),
        ("data/people.jsonl", people),
        ("data/s.jsonl", &records("x:10:1 y:10:1 x:20:0 y:20:0 x:30:1 x:40:0")),
    ]);
    for engine in ["fused", "reference"] {
        run(data.path(), engine, "");
        let triggers = lines(data.path(), "triggers/push.jsonl");
        let text = |trigger: &Json, field: &str| trigger[field].as_str().expect("a text").to_owned();
        let ids: BTreeSet<String> = triggers.iter().map(|trigger| text(trigger, "id")).collect();
        assert_eq!((triggers.len(), ids.len()), (6, 6), "{ids:?}");
        for trigger in &triggers {
            let data = &trigger["data"];
            let verdict = text(data, "verdict");
            assert_eq!(text(trigger, "id"), format!("{}-{verdict}", text(data, "episode")));
            let cause = if verdict == "withdrawn" { "closed" } else { "opened" };
            assert_eq!(text(trigger, "causationid"), format!("{}-{cause}", text(data, "episode")));
            assert_eq!(text(trigger, "correlationid"), text(data, "episode"));
            assert_eq!(data["consent"].is_object(), verdict == "released", "{trigger}");
        }
        let verdicts: Vec<String> = triggers.iter().map(|trigger| text(&trigger["data"], "verdict")).collect();
        assert_eq!(verdicts, ["released", "released", "withdrawn", "withdrawn", "released", "withdrawn"]);
    }
}

/// In Tokyo it is nine in the morning when 1970 begins.
#[test]
fn a_zone_that_nobody_knows_is_that_of_the_pack() {
    let pack = format!(
        "{}{}reason = 'at {{latest}}'\n[policy]\narbitration = '0s'\nzone = 'people.zone'\n\
         quiet = {{ hours = '00:00-10:00' }}\npressure = [{{ at_most = 1, per = 'day' }}]\n",
        PACK.replace("[customer.feature]\n", "[customer.feature]\nlatest = { from = 's', max = 'at' }\n"),
        moment("")
    );
    let people = "{\"c\":\"known\",\"at\":1,\"zone\":\"UTC\"}\n{\"c\":\"mars\",\"at\":1,\"zone\":\"Mars/Olympus\"}\n\
                  {\"c\":\"none\",\"at\":1}\n{\"c\":\"nothing\",\"at\":1,\"zone\":\"\"}\n";
    let everybody = |at: u64, a: u8| -> String {
        ["known", "mars", "none", "nothing"].map(|who| format!("{who}:{at}:{a} ")).concat()
    };
    let given = [everybody(10, 1), everybody(11 * HOUR, 0), everybody(11 * HOUR + 1, 1)].concat();
    let data = folder(&[("p.toml", &pack), ("data/people.jsonl", people), ("data/s.jsonl", &records(&given))]);
    for engine in ["fused", "reference"] {
        run(data.path(), engine, "--until 1970-01-02T12:00:00Z");
        let decisions = lines(data.path(), "decisions.jsonl");
        let triggers = lines(data.path(), "triggers/default.jsonl");
        for (who, zone, ends, clock, midnight) in [
            // Ten o'clock of the first day; the day is over at midnight and it is quiet until ten.
            ("known", "UTC", 10 * HOUR, "1 January 1970", 34 * HOUR),
            ("mars", "Asia/Tokyo", HOUR, "1 January 1970, 09:00", 25 * HOUR),
            ("none", "Asia/Tokyo", HOUR, "1 January 1970, 09:00", 25 * HOUR),
            ("nothing", "Asia/Tokyo", HOUR, "1 January 1970, 09:00", 25 * HOUR),
        ] {
            let of = |line: &&Json| line["customer"] == who;
            let released: Vec<u64> = decisions
                .iter()
                .filter(of)
                .filter(|line| line["verdict"] == "released")
                .filter_map(|line| line["logical_time_ms"].as_u64())
                .collect();
            assert_eq!(released, [ends, midnight], "{engine}, {who}");
            let trigger = triggers.iter().find(|trigger| trigger["data"]["customer"] == who).expect("a trigger");
            assert_eq!(trigger["data"]["routing"]["time_zone"], zone, "{engine}, {who}");
            let reason = trigger["data"]["reason"]["text"].as_str().expect("a reason");
            assert_eq!(reason, format!("at {clock}"), "{engine}, {who}");
        }
    }
}

#[test]
fn records_behind_the_clock_are_counted() {
    let pack = format!("{PACK}{}", moment(""));
    let data = folder(&[("p.toml", pack.as_str()), ("data/people.jsonl", "")]);
    for (given, late) in [
        ("x:10:1 x:20:1 x:30:1", "0 late"),
        ("x:10:1 x:30:1 x:20:1 x:30:1 x:29:1 x:40:1", "2 late"),
        ("x:30:1 x:10:1 y:10:1 z:29:1", "3 late"),
    ] {
        fs::write(data.path().join("data/s.jsonl"), records(given)).expect("a file");
        for more in ["fused", "fused --workers 3", "reference"] {
            let err = run(data.path(), more, "");
            assert!(err.contains(&format!(" {late}, 0 dead letters")), "{more}, {given}: {err}");
        }
    }
}

/// Of an even number of waits the lower one in the middle is the median.
#[test]
fn the_median_of_waits_is_the_lower_one_in_the_middle() {
    let pack = format!("{PACK}{}", moment("evidence = ['a > 5']\n"));
    let data = folder(&[("p.toml", pack.as_str()), ("data/people.jsonl", "")]);
    for (given, median) in [
        // Waits of 1, 2, 8 and 9 seconds; of 1, 2 and 8; of 3 alone; of 3 and 5.
        ("x:0:1 y:0:1 z:0:1 w:0:1 x:1000:0 y:2000:0 z:8000:0 w:9000:0", 2_000),
        ("x:0:1 y:0:1 z:0:1 x:1000:0 y:2000:0 z:8000:0", 2_000),
        ("x:0:1 x:3000:0", 3_000),
        ("x:0:1 y:0:1 x:3000:0 y:5000:0", 3_000),
    ] {
        fs::write(data.path().join("data/s.jsonl"), records(given)).expect("a file");
        let err = run(data.path(), "fused", "");
        let seconds = median / 1_000;
        assert!(err.contains(&format!("; {seconds}s at the median")), "{given}: {err}");
        let (code, out, err) = said(&mut propice(data.path(), "report out --format json"));
        assert_eq!(code, 0, "{err}");
        let report: Json = serde_json::from_str(&out).expect("JSON");
        let deferrals = &report["moments"][0]["deferrals"];
        assert_eq!(deferrals["median_ms"], median, "{given}: {deferrals}");
    }
}

/// What happens at the instant of `--publish-from` is said, and a millisecond earlier it is not.
#[test]
fn publishing_begins_with_its_first_millisecond() {
    let pack = format!("{PACK}{}[policy]\narbitration = '0s'\n", moment(""));
    let given = records("x:10:1 y:20:1 x:30:0 y:40:0");
    let data = folder(&[("p.toml", pack.as_str()), ("data/people.jsonl", ""), ("data/s.jsonl", &given)]);
    for engine in ["fused", "reference"] {
        for (from, said, episodes, views) in [
            ("10", vec!["x released", "y released", "x withdrawn", "y withdrawn"], 4, 4),
            ("11", vec!["y released", "y withdrawn"], 3, 4),
            ("20", vec!["y released", "y withdrawn"], 3, 4),
            ("21", vec![], 2, 4),
            ("40", vec![], 1, 2),
        ] {
            run(data.path(), engine, &format!("--views changes --publish-from 1970-01-01T00:00:00.0{from}Z"));
            let decisions = lines(data.path(), "decisions.jsonl");
            let text = |line: &Json, field: &str| line[field].as_str().unwrap_or_default().to_owned();
            let found: Vec<String> =
                decisions.iter().map(|line| format!("{} {}", text(line, "customer"), text(line, "verdict"))).collect();
            assert_eq!(found, said, "{engine}, from {from}");
            assert_eq!(lines(data.path(), "episodes.jsonl").len(), episodes, "{engine}, from {from}");
            assert_eq!(lines(data.path(), "views.jsonl").len(), views, "{engine}, from {from}");
        }
    }
}

/// What is handed to a person when its time is over has no end that a queue would drop it by.
#[test]
fn a_trigger_is_valid_until_its_time_is_over() {
    let pack = format!(
        "{PACK}{}valid_for = '50ms'\non_expiry = 'human'\n[policy]\nquiet = {{ hours = '09:00-10:00' }}\narbitration = '0s'\n",
        moment("")
    );
    let given = records(&format!("x:10:1 y:{HOUR}:1"));
    let data = folder(&[("p.toml", pack.as_str()), ("data/people.jsonl", ""), ("data/s.jsonl", &given)]);
    run(data.path(), "fused", "");
    let triggers = lines(data.path(), "triggers/default.jsonl");
    let ends: Vec<_> = triggers.iter().map(|line| (&line["data"]["verdict"], line["expirytime"].as_str())).collect();
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert_eq!((ends[0].0.as_str(), ends[0].1), (Some("handed_to_human"), None));
    assert_eq!((ends[1].0.as_str(), ends[1].1), (Some("released"), Some("1970-01-01T01:00:00.05Z")));
}
