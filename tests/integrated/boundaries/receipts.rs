//! Receipts and releases: how long they are remembered (`keep`), and what they say meanwhile.

use super::{decided, moment, parsed, run_all, s};

const DAY: u64 = 86_400_000;
const HOUR: u64 = 3_600_000;

fn pack(policy: &str) -> String {
    format!("{}{}[policy]\narbitration = '0s'\n{policy}", super::INPUTS, moment("m", "a > 0", ""))
}

fn receipt(at: u64, kind: &str, trigger: &str) -> String {
    format!("{{\"stream\":\"r\",\"c\":\"x\",\"at\":{at},\"kind\":\"{kind}\",\"trigger\":\"{trigger}\"}}")
}

/// The episode that opens at 10.
fn episode(pack: &str) -> String {
    let decisions = parsed(&run_all(pack, &[s(10, "a", 1)], 10).decisions);
    decisions[0]["episode"].as_str().expect("an episode").to_owned()
}

#[test]
fn a_release_is_answered_for_as_long_as_it_is_kept() {
    for (policy, keep) in [
        ("receipts = { from = 'r', keep = '1h' }\n", HOUR),
        ("receipts = { from = 'r', keep = '30d' }\n", 30 * DAY),
        // What holds where nothing is said.
        ("receipts = { from = 'r' }\n", 400 * DAY),
    ] {
        let pack = pack(policy);
        let id = episode(&pack);
        let end = 10 + keep;
        let lines = [
            s(10, "a", 1),
            receipt(11, "seen", &id),
            receipt(end - 1, "useful", &format!("{id}-released")),
            receipt(end, "acted", &format!("{id}-released")),
            receipt(end + 1, "wrong", &id),
        ];
        let expected = [
            "10 m released".to_owned(),
            "11 m receipt seen".to_owned(),
            format!("{} m receipt useful", end - 1),
            format!("{end} - receipt acted"),
            format!("{} - receipt wrong", end + 1),
        ];
        assert_eq!(decided(&pack, &lines, end + 10), expected, "{policy}");
    }
}

/// A receipt counts for `keep` from its event time on, if its release is remembered as long.
#[test]
fn a_receipt_counts_for_as_long_as_it_is_kept() {
    let pack = pack("receipts = { from = 'r', keep = '100ms' }\nrating = { useful = 2.0, seen = 0.5 }\n");
    let id = episode(&pack);
    let lines = |again: u64| vec![s(10, "a", 1), receipt(11, "useful", &id), s(20, "a", 0), s(again, "a", 1)];
    let priority = |again: u64| {
        let decisions = parsed(&run_all(&pack, &lines(again), 200).decisions);
        decisions.iter().rfind(|line| line["verdict"] == "released").expect("a release")["priority"].as_f64()
    };
    assert_eq!(priority(109), Some(2.0));
    // The release is forgotten at 110, a millisecond before the receipt would be.
    assert_eq!(priority(110), Some(0.0));
}

#[test]
fn a_contact_of_another_system_counts_from_its_own_time() {
    let pack = pack("receipts = { from = 'r', keep = '1h' }\npressure = [{ at_most = 1, per = '50ms' }]\n");
    let with = |at: u64| decided(&pack, &[receipt(10, "contacted", ""), s(at, "a", 1)], 100)[1..].to_vec();
    assert_eq!(with(10), ["10 m deferred pressure(1|60)", "60 m released"]);
    assert_eq!(with(59), ["59 m deferred pressure(1|60)", "60 m released"]);
    assert_eq!(with(60), ["60 m released"]);
}

#[test]
fn a_snooze_and_a_rest_end_at_that_instant() {
    let pack = pack(
        "receipts = { from = 'r', keep = '1h' }\nsnooze = '50ms'\n\
         rest = [{ after = 2, of = ['dismissed'], within = '20ms', for = '50ms' }]\n",
    );
    let id = episode(&pack);
    let with = |receipts: &[(u64, &str)], again: u64| {
        let mut lines = vec![s(10, "a", 1), s(11, "a", 0)];
        lines.extend(receipts.iter().map(|(at, kind)| receipt(*at, kind, &id)));
        lines.push(s(again, "a", 1));
        decided(&pack, &lines, 200)[2 + receipts.len()..].to_vec()
    };
    let snoozed = |again| with(&[(20, "snoozed")], again);
    assert_eq!(snoozed(69), ["69 m suppressed cooldown(snoozed|70)", "70 m released"]);
    assert_eq!(snoozed(70), ["70 m released"]);
    let rests = |second: u64, again: u64| with(&[(20, "dismissed"), (second, "dismissed")], again);
    assert_eq!(rests(39, 88), ["88 m suppressed cooldown(rest|89)", "89 m released"]);
    assert_eq!(rests(39, 89), ["89 m released"]);
    // Less than `within` apart, or it is no rest.
    assert_eq!(rests(40, 50), ["50 m released"]);
    let of_one = with(&[(20, "dismissed")], 50);
    assert_eq!(of_one, ["50 m released"]);
}

/// A rest or a snooze that is longer than its release is remembered ends with that.
#[test]
fn an_answer_is_forgotten_with_its_release() {
    let pack = pack(
        "receipts = { from = 'r', keep = '100ms' }\nsnooze = '80ms'\n\
         rest = [{ after = 1, of = ['dismissed'], for = '80ms' }]\n",
    );
    let id = episode(&pack);
    let with = |kind: &str| {
        let lines = [s(10, "a", 1), s(11, "a", 0), receipt(60, kind, &id), s(70, "a", 1)];
        decided(&pack, &lines, 200)[3..].to_vec()
    };
    assert_eq!(with("dismissed"), ["70 m suppressed cooldown(rest|110)", "110 m released"]);
    assert_eq!(with("snoozed"), ["70 m suppressed cooldown(snoozed|110)", "110 m released"]);
}

/// A row that was deleted is heard anew when it comes back, also where nothing else wakes the
/// policy meanwhile.
#[test]
fn a_receipt_that_comes_back_is_heard_again() {
    let table = "[table.r]\nkey = ['k']\nabout = 'c'\ntime = 'at'\n\
                 fields = { c = 'id(customer)', at = 'time', k = 'int', kind = 'text', trigger = 'text?', source = 'text?' }\n";
    let text = pack("receipts = { from = 'r' }\n");
    let (before, rest) = text.split_once("[stream.r]").expect("a stream of receipts");
    let (_, after) = rest.split_once("[customer.feature]").expect("features");
    let text = format!("{before}{table}[customer.feature]{after}");
    let row = |more: &str| format!("{{\"stream\":\"r\",\"c\":\"x\",\"at\":10,\"k\":1,{more}}}");
    let there = row("\"kind\":\"seen\"");
    let lines = [there.clone(), s(20, "b", 1), row("\"_deleted\":true"), s(30, "b", 2), there];
    assert_eq!(decided(&text, &lines, 100), ["10 - receipt seen", "30 - receipt seen"]);
}
