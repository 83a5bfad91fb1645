//! Arbitration: who goes first, who is named, and the second look at whoever did not.

use super::{VALUE, decided, moment, parsed, run_all, s};

/// Moments while `a > 0`, `b > 0` or `d > 0`, and a window of an hour.
fn pack(moments: &[(&str, &str, &str)], policy: &str) -> String {
    let moments: String = moments.iter().map(|(name, when, more)| moment(name, when, more)).collect();
    format!("{}{moments}[policy]\n{policy}", super::INPUTS)
}

/// Which one is released first, and which one the others name.
fn winner(pack: &str, lines: &[String]) -> (String, Vec<String>) {
    let all = decided(pack, lines, 500);
    let released: Vec<&str> = all.iter().filter_map(|line| line.strip_suffix(" released")).collect();
    let first = released.first().and_then(|line| line.split_once(' ')).expect("a release").1;
    let named = all.iter().filter_map(|line| Some(line.split_once("arbitration(")?.1.split_once('|')?.0.to_owned()));
    (first.to_owned(), named.collect())
}

const HOUR: &str = "arbitration = '1h'\n";
/// Both wait until `d > 0`.
const WAITS: &str = "evidence = ['d > 0']";

#[test]
fn the_earlier_opening_goes_first_and_of_equal_ones_the_first_name() {
    let both = pack(&[("z", "a > 0", WAITS), ("y", "b > 0", WAITS)], HOUR);
    let opened = |a: u64, b: u64| {
        let mut lines = vec![(a, s(a, "a", 1)), (b, s(b, "b", 1)), (30, s(30, "d", 1))];
        lines.sort();
        lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>()
    };
    assert_eq!(winner(&both, &opened(10, 11)), ("z".to_owned(), vec!["z".to_owned()]));
    assert_eq!(winner(&both, &opened(11, 10)), ("y".to_owned(), vec!["y".to_owned()]));
    assert_eq!(winner(&both, &opened(10, 10)), ("y".to_owned(), vec!["y".to_owned()]));
    // `for` moves an opening.
    let later = pack(&[("z", "a > 0", WAITS), ("y", "b > 0", &format!("{WAITS}\nfor = '5ms'"))], HOUR);
    assert_eq!(winner(&later, &opened(14, 10)).0, "z");
    assert_eq!(winner(&later, &opened(15, 10)).0, "y");
    assert_eq!(winner(&later, &opened(16, 10)).0, "y");
}

#[test]
fn purpose_goes_before_priority_and_priority_before_opening() {
    let at_10_and_20 = [s(10, "a", 1), s(20, "b", 1), s(30, "d", 1)];
    let with = |of_z: &str, of_y: &str| {
        let [z, y] = [of_z, of_y].map(|more| format!("{WAITS}\n{more}"));
        winner(&pack(&[("z", "a > 0", &z), ("y", "b > 0", &y)], HOUR), &at_10_and_20).0
    };
    assert_eq!(with("priority = 1", "priority = 2"), "y");
    assert_eq!(with("priority = 2", "priority = 2"), "z");
    assert_eq!(with("priority = 9\npurpose = 'relationship'", "priority = 1\npurpose = 'service'"), "y");
    assert_eq!(with("priority = -1\npurpose = 'safety'", "priority = 1\npurpose = 'assistance'"), "z");
}

#[test]
fn of_several_entities_the_first_goes_first() {
    let pack = cards("", "arbitration = '1h'\n");
    let lines = [card(5, "k2"), card(6, "k1"), paid(10, "k2"), paid(10, "k1")];
    let expected = ["10 m/k1 released", "10 m/k2 deferred arbitration(m|3600010)"];
    assert_eq!(decided(&pack, &lines, 100), expected);
}

#[test]
fn of_several_releases_at_one_time_the_first_by_rank_is_named() {
    let named = |of_x: &str, of_y: &str| {
        let safe = |more: &str| format!("purpose = 'safety'\n{more}");
        let text = pack(
            &[("x", "a > 0", &safe(of_x)), ("y", "a > 0", &safe(of_y)), ("m", "a > 0", "")],
            "arbitration = { per = '50ms', except = ['safety'] }\n",
        );
        decided(&text, &[s(10, "a", 1)], 100)
    };
    let expected = ["10 m deferred arbitration(x|60)", "10 x released", "10 y released", "60 m released"];
    assert_eq!(named("", ""), expected);
    assert_eq!(named("priority = 1", "priority = 2")[0], "10 m deferred arbitration(y|60)");
}

#[test]
fn what_was_passed_over_is_looked_at_again_after_a_release() {
    // `x` comes first and waits for its channel; what `y` says meanwhile uses the budget up.
    let text = pack(
        &[("x", "a > 0", "channels = ['call']\npriority = 9"), ("y", "a > 0", "channels = ['push']")],
        "arbitration = '0s'\nquiet = { channels = ['call'], hours = '00:00-01:00' }\n\
         pressure = [{ at_most = 1, per = '50ms' }]\n",
    ) + "[channel.call]\n[channel.push]\n";
    let expected = ["10 x deferred quiet(-|3600000) pressure(1|60)", "10 y released", "60 x deferred quiet(-|3600000)"];
    assert_eq!(decided(&text, &[s(10, "a", 1)], 100), expected);
    // Also where another gate fails as well: all that fail are shown.
    let text = pack(
        &[("x", "a > 0", "priority = 9\nevidence = ['b > 0']"), ("y", "a > 0", "")],
        "arbitration = '0s'\npressure = [{ at_most = 1, per = '50ms' }]\n",
    );
    let expected = ["10 x deferred evidence(b > 0|-) pressure(1|60)", "10 y released"];
    assert_eq!(decided(&text, &[s(10, "a", 1)], 100), expected);
    // And arbitration, although it comes first by rank.
    let text =
        pack(&[("x", "a > 0", "priority = 9\nevidence = ['b > 0']"), ("y", "a > 0", "")], "arbitration = '50ms'\n");
    let lines = [s(10, "a", 1), s(20, "b", 1)];
    let expected =
        ["10 x deferred evidence(b > 0|-)", "10 y released", "20 x deferred arbitration(y|60)", "60 x released"];
    assert_eq!(decided(&text, &lines, 100), expected);
}

/// A moment `m` about a card while it is used, with receipts that make it rest.
fn cards(more: &str, policy: &str) -> String {
    format!(
        "[pack]\nname = 'p'\n[entity.card]\nbelongs_to = {{ customer = 'c', by = 'cards' }}\n\
         [table.cards]\nkey = ['k']\nabout = 'k'\ntime = 'at'\n\
         fields = {{ k = 'id(card)', c = 'id(customer)', at = 'time' }}\n\
         [stream.s]\nabout = 'k'\ntime = 'at'\nfields = {{ k = 'id(card)', at = 'time', ok = 'int?' }}\n\
         [stream.go]\nabout = 'c'\ntime = 'at'\nfields = {{ c = 'id(customer)', at = 'time' }}\n\
         [stream.r]\nabout = 'c'\ntime = 'at'\n\
         fields = {{ c = 'id(customer)', at = 'time', kind = 'text', trigger = 'text?' }}\n\
         [card.feature]\nn = {{ from = 's', count = true }}\nok = {{ from = 's', last = 'ok' }}\n\
         [customer.feature]\ngo = {{ from = 'go', count = true }}\n\
         [moment.m]\nabout = 'card'\nwhen = 'n > 0'\npurpose = 'service'\n{VALUE}{more}\n[policy]\n{policy}"
    )
}

fn card(at: u64, key: &str) -> String {
    format!("{{\"stream\":\"cards\",\"k\":\"{key}\",\"c\":\"x\",\"at\":{at}}}")
}

fn paid(at: u64, key: &str) -> String {
    format!("{{\"stream\":\"s\",\"k\":\"{key}\",\"at\":{at}}}")
}

/// The id of the first episode about an entity.
fn episode(pack: &str, lines: &[String], key: &str) -> String {
    let all = parsed(&run_all(pack, lines, 500).decisions);
    let of_entity = all.iter().find(|line| line["entity"]["id"] == key).expect("a decision");
    of_entity["episode"].as_str().expect("an episode").to_owned()
}

const RESTS: &str = "arbitration = '0s'\nreceipts = { from = 'r' }\n\
                     rest = [{ after = 1, of = ['wrong'], for = '100ms' }]\n";

/// A receipt came before the release that it answers: it answers from the release on, and the
/// moment rests for what comes behind it at the same time.
#[test]
fn a_receipt_that_answers_what_is_released_now_counts_for_the_next() {
    let pack = cards("evidence = ['customer.go > 0']", RESTS);
    let lines = |trigger: &str| {
        vec![
            card(5, "k1"),
            card(5, "k2"),
            paid(10, "k1"),
            paid(10, "k2"),
            format!("{{\"stream\":\"r\",\"c\":\"x\",\"at\":15,\"kind\":\"wrong\",\"trigger\":\"{trigger}\"}}"),
            "{\"stream\":\"go\",\"c\":\"x\",\"at\":30}".to_owned(),
        ]
    };
    let first = episode(&pack, &lines("none"), "k1");
    let expected = [
        "10 m/k1 deferred evidence(customer.go > 0|-)",
        "10 m/k2 deferred evidence(customer.go > 0|-)",
        "15 - receipt wrong",
        "30 m/k1 released",
        "30 m/k1 receipt wrong",
        "30 m/k2 suppressed cooldown(rest|115)",
        "115 m/k2 released",
    ];
    assert_eq!(decided(&pack, &lines(&first), 200), expected);
}

/// What was looked at before the release, and did not pass, is looked at again behind it.
#[test]
fn a_receipt_that_answers_what_is_released_now_counts_for_whoever_was_passed_over() {
    let pack = cards("evidence = ['ok > 0']", RESTS);
    let lines = |trigger: &str| {
        vec![
            card(5, "k1"),
            card(5, "k2"),
            paid(10, "k1"),
            paid(10, "k2"),
            format!("{{\"stream\":\"r\",\"c\":\"x\",\"at\":15,\"kind\":\"wrong\",\"trigger\":\"{trigger}\"}}"),
            "{\"stream\":\"s\",\"k\":\"k2\",\"at\":30,\"ok\":1}".to_owned(),
        ]
    };
    let second = episode(&pack, &lines("none"), "k2");
    let expected = [
        "30 m/k1 suppressed cooldown(rest|115) evidence(ok > 0|-)",
        "30 m/k2 released",
        "30 m/k2 receipt wrong",
        "115 m/k1 deferred evidence(ok > 0|-)",
    ];
    assert_eq!(decided(&pack, &lines(&second), 200)[3..], expected);
}
