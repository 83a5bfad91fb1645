//! Waits of the policy: each ends at its first millisecond, by itself, and not one earlier or later.

use super::{decided, moment, s};

const DAY: u64 = 86_400_000;
const HOUR: u64 = 3_600_000;

/// A moment `m` while `a > 0`, with more of it and of the policy.
fn pack(of_moment: &str, policy: &str) -> String {
    let arbitration = if policy.contains("arbitration") { "" } else { "arbitration = '0s'\n" };
    format!("{}{}[policy]\n{arbitration}{policy}", super::INPUTS, moment("m", "a > 0", of_moment))
}

/// Its condition holds from 10 until 20, and from `again` on.
fn twice(again: u64) -> Vec<String> {
    vec![s(10, "a", 1), s(20, "a", 0), s(again, "a", 1)]
}

#[test]
fn a_cooldown_ends_so_long_after_the_release() {
    let pack = pack("cooldown = '50ms'", "");
    let expected = ["10 m released", "20 m withdrawn", "30 m suppressed cooldown(released|60)", "60 m released"];
    assert_eq!(decided(&pack, &twice(30), 100), expected);
    assert_eq!(decided(&pack, &twice(59), 100)[2..], ["59 m suppressed cooldown(released|60)", "60 m released"]);
    assert_eq!(decided(&pack, &twice(60), 100)[2..], ["60 m released"]);
    // Nothing happens at the end of the run but what is due at it.
    assert_eq!(decided(&pack, &twice(30), 59).len(), 3);
    assert_eq!(decided(&pack, &twice(30), 60).len(), 4);
}

#[test]
fn a_budget_is_free_again_when_the_window_of_a_contact_is_over() {
    let pack = pack("", "pressure = [{ at_most = 1, per = '50ms' }]\n");
    let expected = ["10 m released", "20 m withdrawn", "59 m deferred pressure(1|60)", "60 m released"];
    assert_eq!(decided(&pack, &twice(59), 100), expected);
    assert_eq!(decided(&pack, &twice(60), 100)[2..], ["60 m released"]);
}

#[test]
fn of_several_contacts_the_one_that_is_one_too_many_has_to_go() {
    let pack = pack("", "pressure = [{ at_most = 2, per = '100ms' }]\n");
    let lines: Vec<String> =
        [(10, 1), (11, 0), (20, 1), (21, 0), (30, 1), (111, 0), (112, 1)].map(|(at, a)| s(at, "a", a)).to_vec();
    let expected = [
        "10 m released",
        "11 m withdrawn",
        "20 m released",
        "21 m withdrawn",
        "30 m deferred pressure(1|110)",
        "110 m released",
        "111 m withdrawn",
        "112 m deferred pressure(1|120)",
        "120 m released",
    ];
    assert_eq!(decided(&pack, &lines, 200), expected);
}

#[test]
fn an_arbitration_window_ends_so_long_after_the_release() {
    let pack = pack("", "arbitration = '50ms'\n");
    let expected = ["10 m released", "20 m withdrawn", "59 m deferred arbitration(m|60)", "60 m released"];
    assert_eq!(decided(&pack, &twice(59), 100), expected);
    assert_eq!(decided(&pack, &twice(60), 100)[2..], ["60 m released"]);
}

#[test]
fn what_is_of_use_no_more_expires_at_that_instant() {
    let waits = pack("valid_for = '50ms'\nevidence = ['b > 0']", "");
    let opened = vec![s(10, "a", 1)];
    let expected = ["10 m deferred evidence(b > 0|-)", "60 m expired evidence(b > 0|-)"];
    assert_eq!(decided(&waits, &opened, 100), expected);
    let with = |at: u64| [opened.clone(), vec![s(at, "b", 1)]].concat();
    assert_eq!(decided(&waits, &with(59), 100)[1..], ["59 m released"]);
    // What comes at that instant comes too late.
    assert_eq!(decided(&waits, &with(60), 100)[1..], ["60 m expired"]);
    let handed = pack("valid_for = '50ms'\non_expiry = 'human'", "quiet = { hours = '00:00-10:00' }\n");
    let night = format!("quiet(-|{})", 10 * HOUR);
    let expected = [format!("10 m deferred {night}"), format!("60 m handed_to_human {night}")];
    assert_eq!(decided(&handed, &opened, 100), expected);
}

#[test]
fn a_silence_lingers_until_that_instant() {
    let text = pack("", "") + &moment("z", "b > 0", "silence = { moments = ['m'], after = '50ms' }");
    let at = |opens: u64| {
        let lines = [s(5, "b", 1), s(20, "b", 0), s(opens, "a", 1)];
        decided(&text, &lines, 100).into_iter().filter(|line| line.contains(" m ")).collect::<Vec<_>>()
    };
    assert_eq!(at(69), ["69 m suppressed silence(z|70)", "70 m released"]);
    assert_eq!(at(70), ["70 m released"]);
    // Two that linger: the later end counts.
    let text = text + &moment("y", "d > 0", "silence = { moments = ['m'], after = '20ms' }");
    let lines = [s(5, "b", 1), s(6, "d", 1), s(20, "b", 0), s(20, "d", 0), s(30, "a", 1)];
    let of_m: Vec<_> = decided(&text, &lines, 100).into_iter().filter(|line| line.contains(" m ")).collect();
    let expected = ["30 m suppressed silence(y,z|70)", "40 m suppressed silence(z|70)", "70 m released"];
    assert_eq!(of_m, expected);
}

#[test]
fn a_success_in_time_helps_and_one_at_the_end_does_too() {
    let text = pack("success = 'b > 0'\nsuccess_within = '50ms'", "");
    let with = |at: u64| decided(&text, &[s(10, "a", 1), s(at, "b", 1)], 100)[1..].to_vec();
    assert_eq!(with(10), ["10 m helped true"]);
    assert_eq!(with(59), ["59 m helped true"]);
    assert_eq!(with(60), ["60 m helped true"]);
    assert_eq!(with(61), ["60 m helped false"]);
}

#[test]
fn a_condition_has_held_for_long_enough_at_that_instant() {
    let text = pack("for = '50ms'", "");
    assert_eq!(decided(&text, &[s(10, "a", 1)], 100), ["60 m released"]);
    assert_eq!(decided(&text, &[s(10, "a", 1)], 59), [""; 0]);
    assert_eq!(decided(&text, &[s(10, "a", 1), s(60, "a", 0)], 100), [""; 0]);
    assert_eq!(decided(&text, &[s(10, "a", 1), s(61, "a", 0)], 100), ["60 m released", "61 m withdrawn"]);
}

#[test]
fn quiet_hours_begin_with_their_first_minute_and_end_with_their_last() {
    let text = pack("", "quiet = { hours = '09:00-10:00' }\n");
    let at = |at: u64| decided(&text, &[s(at, "a", 1)], DAY);
    let until = format!("quiet(-|{})", 10 * HOUR);
    let end = format!("{} m released", 10 * HOUR);
    assert_eq!(at(9 * HOUR - 1), [format!("{} m released", 9 * HOUR - 1)]);
    assert_eq!(at(9 * HOUR), [format!("{} m deferred {until}", 9 * HOUR), end.clone()]);
    assert_eq!(at(10 * HOUR - 1), [format!("{} m deferred {until}", 10 * HOUR - 1), end.clone()]);
    assert_eq!(at(10 * HOUR), [end]);
}

#[test]
fn a_budget_of_a_day_is_free_at_midnight() {
    let text = pack("", "pressure = [{ at_most = 1, per = 'day' }]\n");
    let lines = |again: u64| [s(DAY - 5, "a", 1), s(DAY - 4, "a", 0), s(again, "a", 1)];
    let expected = [format!("{} m deferred pressure(1|{DAY})", DAY - 1), format!("{DAY} m released")];
    assert_eq!(decided(&text, &lines(DAY - 1), 2 * DAY)[2..], expected);
    assert_eq!(decided(&text, &lines(DAY), 2 * DAY)[2..], [format!("{DAY} m released")]);
}

#[test]
fn on_several_channels_the_soonest_counts_and_on_one_the_last() {
    let channels = "channels = ['call', 'push']";
    let text = pack(
        channels,
        "quiet = [{ channels = ['call'], hours = '00:00-10:00' }, { channels = ['push'], hours = '00:00-09:00' }]\n",
    ) + "[channel.call]\n[channel.push]\n";
    let expected = [format!("10 m deferred quiet(-|{})", 9 * HOUR), format!("{} m released", 9 * HOUR)];
    assert_eq!(decided(&text, &[s(10, "a", 1)], DAY), expected);
    // A channel is free when the last of its budgets is, the customer when the first channel is.
    let text = pack(
        channels,
        "pressure = [{ channel = 'call', at_most = 1, per = '300ms' }, { channel = 'push', at_most = 1, per = '100ms' }, \
         { channel = 'push', at_most = 2, per = '240ms' }]\n",
    ) + "[channel.call]\n[channel.push]\n";
    let lines: Vec<String> =
        [(10, 1), (11, 0), (20, 1), (21, 0), (30, 1), (121, 0), (130, 1)].map(|(at, a)| s(at, "a", a)).to_vec();
    let expected = [
        "30 m deferred pressure(1,2|120)",
        "120 m released",
        "121 m withdrawn",
        "130 m deferred pressure(1,2,3|260)",
        "220 m deferred pressure(1,3|260)",
        "260 m released",
    ];
    assert_eq!(decided(&text, &lines, 400)[4..], expected);
}

#[test]
fn a_run_ends_with_what_is_due_at_its_last_instant() {
    let text = pack("cooldown = '50ms'", "");
    // A record at `--until` is read, one behind it is not.
    assert_eq!(decided(&text, &[s(10, "a", 1), s(50, "a", 0)], 50), ["10 m released", "50 m withdrawn"]);
    assert_eq!(decided(&text, &[s(10, "a", 1), s(51, "a", 0)], 50), ["10 m released"]);
}

/// A signal counts for ten half-lives, and it takes that long where the threshold is low.
#[test]
fn a_mood_ends_with_the_threshold_or_with_its_last_half_life() {
    let mood = |threshold: &str| {
        pack(
            "",
            &format!(
                "[policy.mood]\nnegative = ['anger']\nhalf_life = '10ms'\nthreshold = {threshold}\n\
                 signals = [{{ from = 'r', label = 'kind' }}]\n"
            ),
        )
    };
    let with = |threshold: &str, opens: u64| {
        let anger = "{\"stream\":\"r\",\"c\":\"x\",\"at\":10,\"kind\":\"anger\"}".to_owned();
        decided(&mood(threshold), &[anger, s(opens, "a", 1)], 300)
    };
    assert_eq!(with("0.5", 19), ["19 m deferred mood(negative|20)", "20 m released"]);
    assert_eq!(with("0.5", 20), ["20 m released"]);
    // It would be above the threshold for longer.
    assert_eq!(with("0.0001", 109), ["109 m deferred mood(negative|110)", "110 m released"]);
    assert_eq!(with("0.0001", 110), ["110 m released"]);
}
