//! Policies against cases computed by hand.

use super::super::run;

const VALUE: &str = "value = { kind = 'economic', benefit = 'b' }\n";
const INPUTS: &str = "[pack]\nname = 'p'\n\
     [stream.s]\nabout = 'c'\ntime = 'at'\nfields = { c = 'id(customer)', at = 'time', a = 'int?', b = 'int?' }\n\
     [stream.m]\nabout = 'c'\ntime = 'at'\nfields = { c = 'id(customer)', at = 'time', label = 'text', i = 'float?' }\n\
     [stream.r]\nabout = 'c'\ntime = 'at'\n\
     fields = { c = 'id(customer)', at = 'time', kind = 'text', trigger = 'text?', channel = 'text?', purpose = 'text?', until = 'time?' }\n\
     [table.people]\nkey = ['c']\nabout = 'c'\ntime = 'at'\nfields = { c = 'id(customer)', at = 'time', no = 'bool?', loc = 'bool?' }\n\
     [customer.feature]\na = { from = 's', last = 'a' }\nb = { from = 's', last = 'b' }\n";

fn moment(name: &str, purpose: &str, more: &str) -> String {
    format!("[moment.{name}]\nwhen = '{name} > 0'\npurpose = '{purpose}'\n{VALUE}{more}\n")
}

fn s(at: i64, field: &str, value: i64) -> String {
    format!("{{\"stream\":\"s\",\"c\":\"x\",\"at\":{at},\"{field}\":{value}}}")
}

fn parsed(pack: &str, lines: &[String], until: u64) -> Vec<serde_json::Value> {
    let decisions = run(&format!("{INPUTS}{pack}"), lines, Some(until), 1).decisions;
    decisions.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Per decision: time, moment, what; of a verdict the gates with why and until, channel, when it
/// was released, priority.
fn decided(pack: &str, lines: &[String], until: u64) -> Vec<String> {
    let ms = |time: &serde_json::Value| {
        let time = time.as_str().map(|time| time.parse::<jiff::Timestamp>().expect("a time").as_millisecond());
        time.map_or("-".to_owned(), |time| time.to_string())
    };
    let short = |one: &serde_json::Value| {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        let mut line = format!("{} {}", one["logical_time_ms"], text(&one["moment"]));
        match one["decision"].as_str() {
            Some("verdict") => {
                line += &format!(" {}", text(&one["verdict"]));
                for gate in one["gates"].as_array().expect("gates") {
                    line += &format!(" {}({}|{})", text(&gate["gate"]), text(&gate["why"]), ms(&gate["until"]));
                }
                let (channel, at) = (text(&one["channel"]), ms(&one["released_at"]));
                line += &format!(" until {} on {channel} at {at} #{}", ms(&one["until"]), one["priority"]);
            }
            Some("outcome") => line += &format!(" helped {} {}", one["helped"], text(&one["group"])),
            _ => line += &format!(" receipt {} at {}", text(&one["receipt"]), ms(&one["at"])),
        }
        line
    };
    parsed(pack, lines, until).iter().map(short).collect()
}

#[test]
fn a_bad_mood_passes_after_its_half_life() {
    let mood = "[policy.mood]\nnegative = ['anger']\npositive = ['joy']\nhalf_life = '20ms'\n\
                signals = [{ from = 'm', label = 'label', intensity = 'i' }]\n";
    let feels = |at: i64, label: &str, i: &str| {
        format!("{{\"stream\":\"m\",\"c\":\"x\",\"at\":{at},\"label\":\"{label}\",\"i\":{i}}}")
    };
    let pack = moment("a", "service", "") + mood;
    let lines = [feels(5, "anger", "null"), s(10, "a", 1), s(40, "a", 0)];
    let expected = [
        "10 a deferred mood(negative|25) until 25 on - at - #0.0",
        "25 a released until - on - at 25 #0.0",
        "40 a withdrawn until - on - at 25 #0.0",
    ];
    assert_eq!(decided(&pack, &lines, 60), expected);
    // They add up to 1.5 at 5, which is 0.5 after 20 · log₂ 3 ms.
    let lines = [feels(5, "anger", "1"), feels(5, "anger", "0.9999999"), feels(5, "joy", "0.4999999"), s(5, "a", 1)];
    let expected = ["5 a deferred mood(negative|37) until 37 on - at - #0.0", "37 a released until - on - at 37 #0.0"];
    assert_eq!(decided(&pack, &lines, 60), expected);
    let human = moment("a", "service", "on_negative_mood = 'human'\nchannels = ['push']") + "[channel.push]\n" + mood;
    let lines = [feels(5, "anger", "7"), s(10, "a", 1)];
    let expected = ["10 a handed_to_human mood(negative|25) until 25 on push at 10 #0.0"];
    assert_eq!(decided(&human, &lines, 60), expected);
}

#[test]
fn one_release_at_a_time_and_budgets() {
    let pack = moment("a", "sales", "priority = 1\nchannels = ['call', 'push']")
        + &moment("b", "relationship", "channels = ['call']")
        + "[channel.call]\n[channel.push]\n[policy]\narbitration = '20ms'\n\
           pressure = [{ channel = 'call', at_most = 1, per = '50ms' }, { purpose = 'sales', at_most = 1, per = '100ms' }]\n";
    let lines = [s(10, "a", 1), s(10, "b", 1), s(20, "a", 0), s(35, "a", 1), s(70, "b", 0)];
    let expected = [
        // `call` is used up for `a`, `push` is free: only the other release is in its way.
        "10 a deferred arbitration(b|30) until 30 on - at - #1.0",
        "10 b released until - on call at 10 #0.0",
        "20 a withdrawn until - on - at - #1.0",
        "35 a released until - on push at 35 #1.0",
        "70 b withdrawn until - on call at 10 #0.0",
    ];
    assert_eq!(decided(&pack, &lines, 90), expected);
    let lines = [s(10, "a", 1), s(20, "a", 0), s(35, "a", 1), s(40, "b", 1)];
    let expected = [
        "10 a released until - on call at 10 #1.0",
        "20 a withdrawn until - on call at 10 #1.0",
        "35 a deferred pressure(1,2|110) until 110 on - at - #1.0",
        "40 b deferred pressure(1|60) until 60 on - at - #0.0",
        // And `a` meets it on the same grounds as before, so that nothing is said of it.
        "60 b released until - on call at 60 #0.0",
    ];
    assert_eq!(decided(&pack, &lines, 90), expected);
}

#[test]
fn silence_lasts_longer_than_what_imposes_it() {
    let pack = moment("a", "sales", "")
        + &moment("b", "service", "silence = { purposes = ['sales'], after = '15ms' }")
        + "[policy]\narbitration = '0s'\npressure = [{ at_most = 9, per = 'day' }]\n";
    let lines = [s(10, "b", 1), s(12, "a", 1), s(20, "b", 0)];
    let expected = [
        "10 b released until - on - at 10 #0.0",
        "12 a suppressed silence(b|-) until - on - at - #0.0",
        "20 a suppressed silence(b|35) until 35 on - at - #0.0",
        "20 b withdrawn until - on - at 10 #0.0",
        "35 a released until - on - at 35 #0.0",
    ];
    assert_eq!(decided(&pack, &lines, 60), expected);
}

#[test]
fn receipts_rest_snooze_and_rate() {
    let pack = moment("a", "service", "cooldown = '8ms'\npriority = 'a'")
        + "[policy]\narbitration = '0s'\nsnooze = '40ms'\nreceipts = { from = 'r' }\n\
           rest = [{ after = 2, of = ['dismissed'], within = '6ms', for = '30ms' }]\nrating = { dismissed = -0.5 }\n";
    let mut lines = vec![s(10, "a", 1), s(14, "a", 0), s(15, "a", 2)];
    let first = parsed(&pack, &lines, 20)[0]["episode"].as_str().expect("an episode").to_owned();
    let heard = |at: i64, kind: &str, trigger: &str| {
        format!("{{\"stream\":\"r\",\"c\":\"x\",\"at\":{at},\"kind\":\"{kind}\",\"trigger\":\"{trigger}\"}}")
    };
    lines.insert(1, heard(11, "dismissed", &format!("{first}-released")));
    lines.push(heard(16, "dismissed", &first));
    lines.push(heard(17, "dismissed", &format!("{first}-expired")));
    lines.push(heard(19, "snoozed", &first));
    let expected = [
        "10 a released until - on - at 10 #1.0",
        "11 a receipt dismissed at 11",
        "14 a withdrawn until - on - at 10 #-0.5",
        "15 a suppressed cooldown(released|18) until 18 on - at - #1.5",
        // A receipt belongs to the episode that it answers, which opened earlier.
        "16 a receipt dismissed at 16",
        "16 a suppressed cooldown(released,rest|46) until 46 on - at - #1.0",
        "17 - receipt dismissed at 17",
        "18 a suppressed cooldown(rest|46) until 46 on - at - #1.0",
        "19 a receipt snoozed at 19",
        "19 a suppressed cooldown(rest,snoozed|59) until 59 on - at - #1.0",
        "46 a suppressed cooldown(snoozed|59) until 59 on - at - #1.0",
        "59 a released until - on - at 59 #1.0",
    ];
    assert_eq!(decided(&pack, &lines, 90), expected);
}

#[test]
fn who_is_held_out_is_watched() {
    let more = "holdout = 0.999999999\nsuccess = 'b > 0'\nsuccess_within = '20ms'\nvalid_for = '30ms'";
    let pack = moment("a", "service", more);
    let expected = [
        "10 a suppressed holdout(-|-) until - on - at - #0.0",
        "25 a helped true holdout",
        "40 a expired holdout(-|-) until - on - at - #0.0",
    ];
    assert_eq!(decided(&pack, &[s(10, "a", 1), s(25, "b", 1), s(50, "a", 0)], 60), expected);
    let treated = moment("a", "service", "success = 'b > 0'\nsuccess_within = '20ms'");
    let expected = ["10 a released until - on - at 10 #0.0", "30 a helped false treated"];
    assert_eq!(decided(&treated, &[s(10, "a", 1), s(31, "b", 1)], 60), expected);
}

#[test]
fn without_consent_nothing_is_said_and_nothing_is_shown() {
    let pack = moment("a", "service", "evidence = ['b > 0']")
        + "[policy]\nrefusal = 'people.no'\n\
        [policy.consent.data.location]\nallowed = 'people.loc'\nfeatures = ['b']\n";
    let person = |at: i64, no: bool, loc: bool| {
        format!("{{\"stream\":\"people\",\"c\":\"x\",\"at\":{at},\"no\":{no},\"loc\":{loc}}}")
    };
    let lines = [s(10, "a", 1), person(12, true, true), person(14, false, true), s(16, "b", 1)];
    let expected = [
        "10 a suppressed consent(location|-) evidence(b > 0|-) until - on - at - #0.0",
        "12 a suppressed refusal(-|-) evidence(b > 0|-) until - on - at - #0.0",
        "14 a deferred evidence(b > 0|-) until - on - at - #0.0",
        "16 a released until - on - at 16 #0.0",
    ];
    assert_eq!(decided(&pack, &lines, 30), expected);
    let named = pack.replace("features = ['b']", "features = ['a']");
    assert_eq!(parsed(&named, &lines, 30)[0]["evidence"].to_string(), "{\"a\":{\"withheld\":\"location\"}}");
}

#[test]
fn what_is_withdrawn_says_how_it_ended() {
    let declared = |name: &str, when: &str, more: &str| {
        format!("[moment.{name}]\nwhen = '{when}'\npurpose = 'service'\n{VALUE}{more}\n")
    };
    let pack = declared("near", "a > 0 && b >= 0 && b < 5", "success = 'b >= 5'")
        + &declared("below", "b < 0", "")
        + &declared("grief", "a > 8", "silence = { moments = ['below'] }")
        + "[policy]\narbitration = '0s'\n";
    let lines = [
        s(8, "b", 1),
        s(10, "a", 1),
        // It went up, as it was to; it opens again; it goes below zero, where `below` takes its
        // place.
        s(20, "b", 7),
        s(30, "b", 1),
        s(40, "b", -1),
        // What silences is open when it ends, though nothing opens at this time that looks at the
        // same.
        s(50, "a", 9),
        s(60, "b", 9),
        s(70, "a", 0),
    ];
    let ended: Vec<String> = parsed(&pack, &lines, 90)
        .iter()
        .filter(|line| line["verdict"] == "withdrawn")
        .map(|line| {
            format!("{} {} {} {}", line["logical_time_ms"], line["moment"], line["ended"], line["overtaken_by"])
        })
        .collect();
    let expected = [
        "20 \"near\" \"succeeded\" null",
        "40 \"near\" \"overtaken\" [\"below\"]",
        "60 \"below\" \"overtaken\" [\"grief\"]",
        "70 \"grief\" \"no_longer_so\" null",
    ];
    assert_eq!(ended, expected);
}
