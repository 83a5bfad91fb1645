//! Ends of windows: a condition turns at the very millisecond at which a record counts no more.
//!
//! Decision 8 says when a customer is woken for the end of a window, and why that is enough. Each
//! part of its proof is a case here: what an expiry can only end (a count above a bound), what it
//! can begin (a count below one), when exactly the bound is reached, and what counts as such a
//! bound at all. Nothing else happens to the customer at that time, so that nobody wakes it by
//! chance; hence a pack of its own for each condition.

use super::{VALUE, parsed, run_all};

/// Everything is over by then.
const END: u64 = 2_000;

const STREAM: &str = "[pack]\nname = 'p'\n[policy]\narbitration = '0s'\n\
     [stream.s]\nabout = 'c'\ntime = 'at'\n\
     fields = { c = 'id(customer)', at = 'time', n = 'int', due = 'time?' }\n";

/// A pack with a feature `f` and one moment.
fn pack(feature: &str, when: &str, more: &str) -> String {
    format!(
        "{STREAM}[customer.feature]\nf = {{ {feature} }}\n\
         total = {{ from = 's', sum = 'n' }}\nlatest = {{ from = 's', max = 'at' }}\n\
         [moment.m]\nwhen = \"{when}\"\npurpose = 'service'\n{VALUE}{more}\n"
    )
}

/// Records `TIME:N`.
fn records(text: &str) -> Vec<String> {
    let record = |record: &str| {
        let (at, n) = record.split_once(':').expect("TIME:N");
        format!("{{\"stream\":\"s\",\"c\":\"x\",\"at\":{at},\"n\":{n}}}")
    };
    text.split_whitespace().map(record).collect()
}

/// When episodes of a moment open and close: `+10 -110`.
fn turns_of(pack: &str, lines: &[String], name: &str) -> String {
    let episodes = parsed(&run_all(pack, lines, END).episodes);
    let of_moment = episodes.iter().filter(|line| line["moment"] == name);
    let turns: Vec<String> = of_moment
        .map(|line| {
            let sign = if line["transition"] == "opened" { '+' } else { '-' };
            format!("{sign}{}", line["logical_time_ms"])
        })
        .collect();
    turns.join(" ")
}

/// Cases of one feature: the condition, the records, and when it turns.
fn turns(feature: &str, cases: &[(&str, &str, &str)]) {
    for (when, given, expected) in cases {
        let found = turns_of(&pack(feature, when, ""), &records(given), "m");
        assert_eq!(found, *expected, "{feature}: {when}, of {given}");
    }
}

const COUNT: &str = "from = 's', count = true, window = '100ms'";

#[test]
fn a_count_above_a_bound_ends_with_the_record_that_it_needs() {
    turns(
        COUNT,
        &[
            ("f >= 1", "10:1", "+10 -110"),
            ("f >= 2", "10:1 20:1", "+20 -110"),
            ("f > 2", "10:1 20:1 30:1 40:1", "+30 -120"),
            ("2 < f", "10:1 20:1 30:1 40:1", "+30 -120"),
            // Two that end together, and one that comes as another ends.
            ("f >= 2", "10:1 10:1 20:1", "+10 -110"),
            ("f >= 2", "10:1 20:1 110:1", "+20 -120"),
            ("f >= 3", "10:1 109:1 109:1", "+109 -110"),
            // What has expired while nobody waited for it is gone when the next one comes.
            ("f >= 3", "10:1 20:1 120:1 130:1", ""),
            ("f >= 2", "10:1 110:1", ""),
            ("f >= 2 && total > 0", "10:1 20:-9 30:9", "+30 -120"),
        ],
    );
}

#[test]
fn a_count_below_a_bound_is_waited_for() {
    turns(
        COUNT,
        &[
            ("f < 3", "10:1 20:1 30:1", "+10 -30 +110"),
            ("3 > f", "10:1 20:1 30:1", "+10 -30 +110"),
            ("f <= 1", "10:1 20:1", "+10 -20 +110"),
            ("f <= 1", "10:1 20:1 30:1", "+10 -20 +120"),
            ("!(f >= 2)", "10:1 20:1", "+10 -20 +110"),
            ("f == 0", "10:1 20:1", "+120"),
            ("f == 2", "10:1 20:1 30:1", "+20 -30 +110 -120"),
            ("f != 2", "10:1 20:1", "+10 -20 +110"),
            ("f < 3 && total > 0", "10:1 20:1 30:1", "+10 -30 +110"),
            ("f < 3 || total > 99", "10:1 20:1 30:1", "+10 -30 +110"),
            // Asleep behind a bound that an expiry cannot reach, awake for the other one.
            ("f >= 1 && f < 3", "10:1 20:1 30:1", "+10 -30 +110 -130"),
            ("total > 2 && f < 3", "10:1 20:1 30:1", "+110"),
        ],
    );
}

#[test]
fn an_end_far_ahead_is_found_step_by_step() {
    let forty: Vec<String> = (1..=40).map(|number| format!("{}:{number}", 2 * number)).collect();
    let forty = forty.join(" ");
    let cases = [
        ("f > 30", "+62 -120"),
        ("f > 24", "+50 -132"),
        ("f > 23", "+48 -134"),
        ("f > 22", "+46 -136"),
        ("f >= 3", "+6 -176"),
        ("f >= 1", "+2 -180"),
        ("f < 3", "+2 -6 +176"),
    ];
    let cases = cases.map(|(when, expected)| (when, forty.as_str(), expected));
    turns(COUNT, &cases);
    turns("from = 's', distinct = 'n', window = '100ms'", &cases);
}

#[test]
fn panes_end_at_multiples_of_their_length() {
    // 10 and 20 count until 120, 25 until 150.
    turns(
        "from = 's', count = true, window = '100ms', pane = '30ms'",
        &[
            ("f >= 1", "10:1 25:1", "+10 -150"),
            ("f >= 2", "10:1 25:1", "+25 -120"),
            ("f >= 2", "10:1 20:1 25:1", "+20 -120"),
            ("f < 2", "10:1 25:1", "+10 -25 +120"),
            ("f < 1", "20:1", "+120"),
        ],
    );
}

#[test]
fn a_sum_of_what_is_never_negative_can_only_fall() {
    for filter in ["n > 0", "n >= 0", "n >= 1"] {
        turns(
            &format!("from = 's', sum = 'n', where = '{filter}', window = '100ms'"),
            &[
                ("f > 10", "10:4 20:9 30:1", "+20 -110"),
                ("f >= 10", "10:4 20:9 30:1", "+20 -120"),
                ("f < 10", "10:4 20:9 30:1", "+10 -20 +120"),
                ("f <= 10", "10:4 20:9 30:1", "+10 -20 +110"),
                // Too large to be told, until one of them is over.
                ("f > 10", "10:9223372036854775807 20:9223372036854775807", "+10 -20 +110 -120"),
            ],
        );
    }
    turns(
        "from = 's', sum = '-n', where = 'n < 0', window = '100ms'",
        &[("f > 3", "10:-2 20:-4", "+20 -120"), ("f < 5", "10:-2 20:-4", "+10 -20 +110")],
    );
}

#[test]
fn a_sum_of_any_sign_may_rise_by_an_expiry() {
    for more in ["", ", where = 'n >= -5'", ", where = 'n > -6 || n > 0'"] {
        turns(
            &format!("from = 's', sum = 'n', window = '100ms'{more}"),
            &[
                ("f > 7", "10:-5 20:9", "+110 -120"),
                ("f >= 9", "10:-5 20:9", "+110 -120"),
                ("f < 0", "10:5 20:-3", "+110 -120"),
                ("f <= 0", "10:5", "+110"),
                ("f > 7 && total > 0", "10:-5 20:9", "+110 -120"),
            ],
        );
    }
}

#[test]
fn the_greatest_can_only_fall_and_the_least_only_rise() {
    let falling = "10:9 20:7 30:2";
    turns(
        "from = 's', max = 'n', window = '100ms'",
        &[
            ("f > 5", falling, "+10 -120"),
            ("f >= 7", falling, "+10 -120"),
            ("f > 7", falling, "+10 -110"),
            ("f > 1", falling, "+10 -130"),
            ("f < 5", falling, "+120 -130"),
            ("f <= 7", falling, "+110 -130"),
            ("f < 9 && total > 0", falling, "+110 -130"),
        ],
    );
    let rising = "10:2 20:4 30:9";
    turns(
        "from = 's', min = 'n', window = '100ms'",
        &[
            ("f < 5", rising, "+10 -120"),
            ("f <= 4", rising, "+10 -120"),
            ("f < 4", rising, "+10 -110"),
            ("f < 99", rising, "+10 -130"),
            ("f > 5", rising, "+120 -130"),
            ("f >= 4", rising, "+110 -130"),
            ("f > 2 && total > 0", rising, "+110 -130"),
        ],
    );
}

#[test]
fn different_values_end_with_the_last_record_of_each() {
    let again = "10:1 20:2 30:1";
    turns(
        "from = 's', distinct = 'n', window = '100ms'",
        &[
            ("f >= 2", again, "+20 -120"),
            ("f > 1", again, "+20 -120"),
            ("f >= 1", again, "+10 -130"),
            ("f < 2", again, "+10 -20 +120"),
            ("f == 0", again, "+130"),
        ],
    );
    turns("from = 's', set = 'n', window = '100ms'", &[("1 in f", again, "+10 -130"), ("2 in f", again, "+20 -120")]);
}

#[test]
fn what_may_go_either_way_is_waited_for() {
    let two = "10:1 20:9";
    turns("from = 's', avg = 'n', window = '100ms'", &[("f > 5.0", two, "+110 -120"), ("f < 5.0", two, "+10 -20")]);
    turns("from = 's', stddev = 'n', window = '100ms'", &[("f > 1.0", two, "+20 -110")]);
    turns(
        "from = 's', first = 'n', window = '100ms'",
        &[("f > 5", two, "+110 -120"), ("f == 9", two, "+110 -120"), ("f < 5", two, "+10 -110")],
    );
    turns(
        "from = 's', last = 'n', window = '100ms'",
        &[("f > 5", two, "+20 -120"), ("f < 5", "10:9 20:1", "+20 -120")],
    );
    turns("from = 's', top = 'n', window = '100ms'", &[("f == 9", "10:1 11:1 12:1 20:9 21:9", "+111 -121")]);
}

#[test]
fn attributes_and_now_see_the_same_ends() {
    let with = |attribute: &str, when: &str, given: &str| {
        let text = pack(COUNT, when, "") + &format!("[customer.attribute]\ntwice = \"{attribute}\"\n");
        turns_of(&text, &records(given), "m")
    };
    assert_eq!(with("f * 2", "twice >= 4", "10:1 20:1"), "+20 -110");
    assert_eq!(with("f * 2", "twice < 4", "10:1 20:1"), "+10 -20 +110");
    assert_eq!(with("-f", "twice >= -1", "10:1 20:1"), "+10 -20 +110");
    assert_eq!(with("f - total", "twice > -3 && total > 2", "10:1 20:3"), "+20 -110");
    turns(
        COUNT,
        &[
            ("now - latest >= duration('50ms') && f >= 1", "10:1 20:1", "+70 -120"),
            ("now - latest >= duration('50ms') && f < 2", "10:1 20:1", "+110"),
            ("f >= 2 || now - latest >= duration('95ms')", "10:1 20:1", "+20 -110 +115"),
        ],
    );
}

#[test]
fn what_has_to_hold_for_a_while_begins_with_the_end_of_a_window() {
    let held = |when: &str, given: &str, length: &str| {
        turns_of(&pack(COUNT, when, &format!("for = '{length}'")), &records(given), "m")
    };
    assert_eq!(held("f < 3", "10:1 20:1 30:1", "15ms"), "+25 -30 +125");
    assert_eq!(held("f >= 2", "10:1 20:1", "89ms"), "+109 -110");
    assert_eq!(held("f >= 2", "10:1 20:1", "90ms"), "", "it stops to hold at the instant at which it would open");
}

#[test]
fn of_several_windows_the_first_that_breaks_the_condition_ends_it() {
    let both = |other: &str, when: &str| {
        let second =
            format!("[customer.feature]\ng = {{ from = 's', sum = 'n', where = 'n > 0', window = '{other}' }}\n");
        let text = pack(COUNT, when, "").replace("[customer.feature]\n", &second);
        turns_of(&text, &records("10:2 20:2"), "m")
    };
    assert_eq!(both("50ms", "f >= 2 && g > 3"), "+20 -60");
    assert_eq!(both("500ms", "f >= 2 && g > 3"), "+20 -110");
    assert_eq!(both("500ms", "g > 3 && f >= 2"), "+20 -110");
    assert_eq!(both("500ms", "f < 2 && g > 3"), "+110 -510");
    assert_eq!(both("50ms", "f >= 2 && g < 3"), "+60 -110");
    assert_eq!(both("50ms", "f >= 1 && g < 3"), "+10 -20 +60 -120");
}

#[test]
fn moments_that_compare_one_slot_turn_each_at_its_own_bound() {
    let bounds = [
        ("m1", "f >= 3", "+30 -130"),
        ("m2", "f > 3", "+40 -120"),
        ("m3", "f >= 4", "+40 -120"),
        ("m4", "f > 4", "+50 -110"),
        ("m5", "f < 4", "+10 -40 +120"),
        ("m6", "f <= 4", "+10 -50 +110"),
        ("m7", "f <= 3", "+10 -40 +120"),
    ];
    let mut text = pack(COUNT, "f >= 1", "");
    for (name, when, _) in bounds {
        text += &super::moment(name, when, "");
    }
    let given = records("10:1 20:1 30:1 40:1 50:1");
    for (name, when, expected) in bounds {
        assert_eq!(turns_of(&text, &given, name), expected, "{when}");
    }
}

#[test]
fn what_is_announced_begins_by_itself() {
    let due = |when: &str, dues: &[u64]| {
        let text = pack("from = 's', count = true, during = ['due - 50ms', 'due']", when, "");
        let record = |due: &u64| format!("{{\"stream\":\"s\",\"c\":\"x\",\"at\":10,\"n\":1,\"due\":{due}}}");
        turns_of(&text, &dues.iter().map(record).collect::<Vec<_>>(), "m")
    };
    assert_eq!(due("f >= 1", &[200]), "+150 -200");
    assert_eq!(due("f < 1", &[200]), "+10 -150 +200");
    assert_eq!(due("f >= 2", &[200, 180]), "+150 -180");
    assert_eq!(due("f >= 1", &[200, 180]), "+130 -200");
    assert_eq!(due("f == 1", &[200, 180]), "+130 -150 +180 -200");
}

#[test]
fn rows_that_are_replaced_take_their_ends_with_them() {
    let rows = |feature: &str, when: &str, rows: &[(u64, &str, i64)]| {
        let table = "[table.t]\nkey = ['k']\nabout = 'c'\ntime = 'at'\n\
                     fields = { k = 'text', c = 'id(customer)', at = 'time', n = 'int' }\n";
        let text = pack(feature, when, "") + table;
        let row = |(at, key, n): &(u64, &str, i64)| {
            format!("{{\"stream\":\"t\",\"c\":\"x\",\"k\":\"{key}\",\"at\":{at},\"n\":{n}}}")
        };
        turns_of(&text, &rows.iter().map(row).collect::<Vec<_>>(), "m")
    };
    let replaced = [(10, "k", 9), (20, "l", 7), (30, "k", 1)];
    let of = |aggregate: &str| format!("from = 't', {aggregate}, window = '100ms'");
    assert_eq!(rows(&of("count = true"), "f >= 2", &replaced), "+20 -120");
    assert_eq!(rows(&of("count = true"), "f < 2", &replaced), "+10 -20 +120");
    assert_eq!(rows(&of("max = 'n'"), "f > 5", &replaced), "+10 -120");
    assert_eq!(rows(&of("max = 'n'"), "f < 5", &replaced), "+120 -130");
    assert_eq!(rows(&of("min = 'n'"), "f < 8", &replaced), "+20 -130");
    assert_eq!(rows(&of("sum = 'n', where = 'n > 0'"), "f > 6", &replaced), "+10 -120");
    assert_eq!(rows(&of("distinct = 'n'"), "f >= 2", &replaced), "+20 -120");
}

#[test]
fn entities_and_what_they_add_up_to_turn_with_them() {
    let text = format!(
        "[pack]\nname = 'p'\n[policy]\narbitration = '0s'\n\
         [entity.account]\nbelongs_to = {{ customer = 'c', by = 'owners' }}\n\
         [table.owners]\nkey = ['k']\ntime = 'at'\n\
         fields = {{ k = 'id(account)', c = 'id(customer)', at = 'time' }}\n\
         [stream.s]\nabout = 'k'\ntime = 'at'\nfields = {{ k = 'id(account)', at = 'time', n = 'int' }}\n\
         [account.feature]\nf = {{ from = 's', count = true, window = '100ms' }}\n\
         [customer.feature]\nsum_f = {{ over = 'account', sum = 'f' }}\nmost_f = {{ over = 'account', max = 'f' }}\n\
         [moment.few]\nabout = 'account'\nwhen = 'f < 2'\npurpose = 'service'\n{VALUE}\
         [moment.sum_many]\nwhen = 'sum_f >= 3'\npurpose = 'service'\n{VALUE}\
         [moment.most_few]\nwhen = 'most_f < 2'\npurpose = 'service'\n{VALUE}"
    );
    let owns = |key: &str| format!("{{\"stream\":\"owners\",\"k\":\"{key}\",\"c\":\"x\",\"at\":1}}");
    let booked = |at: u64, key: &str| format!("{{\"stream\":\"s\",\"k\":\"{key}\",\"at\":{at},\"n\":1}}");
    let one = [owns("k"), booked(10, "k"), booked(20, "k"), booked(30, "k")];
    assert_eq!(turns_of(&text, &one, "few"), "+1 -20 +120");
    assert_eq!(turns_of(&text, &one, "sum_many"), "+30 -110");
    assert_eq!(turns_of(&text, &one, "most_few"), "+1 -20 +120");
    let two = [owns("k"), owns("l"), booked(10, "k"), booked(20, "l"), booked(30, "l")];
    assert_eq!(turns_of(&text, &two, "sum_many"), "+30 -110");
    assert_eq!(turns_of(&text, &two, "most_few"), "+1 -30 +120");
}
