//! Episodes of a small pack: when they open and close, and with which evidence.

use std::sync::Arc;

use super::run;
use crate::decode::Decoder as _;
use crate::decode::facts::Extractor;
use crate::decode::json::JsonDecoder;
use propice_define::{Plan, load};
use propice_model::{Fact, InputId, LogicalTime, Origin};

const PACK: &str = r#"
[pack]
name = "small"

[entity.account]
belongs_to = { customer = "owner", by = "owners" }

[table.owners]
key    = ["row"]
time   = "at"
fields = { row = "int", owner = "id(customer)", account = "id(account)", at = "time" }

[stream.trans]
about  = "account"
time   = "at"
fields = { account = "id(account)", at = "time", amount = "int" }

[account.feature]
balance = { from = "trans", sum = "amount" }
last_at = { from = "trans", max = "at" }

[account.attribute]
quiet = "now - last_at >= 50ms"

[customer.feature]
total  = { over = "account", sum = "balance" }
quiet  = { over = "account", count = true, where = "quiet" }

[moment.debt]
when    = "total < 0"
for     = "10ms"
purpose = "service"
value   = { kind = "economic", benefit = "none" }

[moment.empty]
about   = "account"
when    = "balance < 0 && total < 100"
purpose = "service"
value   = { kind = "economic", benefit = "none" }

[moment.sleeping]
when    = "customer.quiet > 0"
purpose = "service"
value   = { kind = "economic", benefit = "none" }

[moment.waking]
about   = "account"
when    = "now - last_at >= 20ms && now - last_at < 30ms"
purpose = "service"
value   = { kind = "economic", benefit = "none" }
"#;

fn plan() -> Arc<Plan> {
    Arc::new(load("small.toml", PACK).unwrap_or_else(|errors| panic!("{errors:?}")))
}

/// A row of the table of owners, at a time.
fn owner(row: u64, at: u64, owner: &str, account: u64) -> (u16, u64, String) {
    (0, at, format!(r#"{{"row":{row},"at":{at},"owner":"{owner}","account":{account}}}"#))
}

fn deleted(row: u64, at: u64) -> (u16, u64, String) {
    (0, at, format!(r#"{{"row":{row},"at":{at},"_deleted":true}}"#))
}

fn booked(account: u64, at: u64, amount: i64) -> (u16, u64, String) {
    (1, at, format!(r#"{{"account":{account},"at":{at},"amount":{amount}}}"#))
}

fn facts(plan: &Arc<Plan>, records: &[(u16, u64, String)]) -> Vec<(LogicalTime, Fact)> {
    let fact = |(line, (input, at, json)): (usize, &(u16, u64, String))| {
        let input = InputId(*input);
        let record = JsonDecoder::new(plan, input).decode(json.as_bytes()).unwrap();
        let origin = Origin { file: 0, line: line as u64 + 1 };
        (*at, Extractor::new(Arc::clone(plan), input).fact_of(&record, origin).unwrap())
    };
    records.iter().enumerate().map(fact).collect()
}

/// The transitions of a moment, each in one line: `time customer[/account] +since evidence` (− when
/// it closes).
fn transitions(records: &[(u16, u64, String)], moment: &str, end: LogicalTime) -> Vec<String> {
    let plan = plan();
    let facts = facts(&plan, records);
    let of_workers = [1, 2].map(|workers| run(&plan, &facts, end, workers));
    assert_eq!(of_workers[0], of_workers[1]);
    let of_moment = of_workers[0].0.iter().filter(|seen| plan.moments[seen.moment.index()].name == moment);
    let line = of_moment.map(|seen| {
        let entity = seen.entity.as_ref().map_or(String::new(), |(_, id)| format!("/{id}"));
        let sign = if seen.opened { '+' } else { '-' };
        let mut line = format!("{} {}{entity} {sign}{}", seen.time, seen.customer, seen.since);
        for (value, used) in seen.evidence.iter().zip(&plan.moments[seen.moment.index()].evidence) {
            line.push(' ');
            value.write_json(&used.ty, &mut line);
        }
        line
    });
    line.collect()
}

#[test]
fn an_episode_opens_when_the_condition_has_held_for_long_enough() {
    let owned = owner(1, 1, "a", 7);
    let once = [owned.clone(), booked(7, 100, -5), booked(7, 150, 5)];
    assert_eq!(transitions(&once, "debt", 200), ["110 a +110 -5", "150 a -110 0"]);
    let interrupted = [owned.clone(), booked(7, 100, -5), booked(7, 105, 5), booked(7, 106, -5), booked(7, 116, -1)];
    assert_eq!(transitions(&interrupted, "debt", 200), ["116 a +116 -6"]);
    let until_the_instant = [owned, booked(7, 100, -5), booked(7, 110, 5)];
    assert!(transitions(&until_the_instant, "debt", 200).is_empty());
}

#[test]
fn what_happens_at_one_time_happens_at_once() {
    let records = [
        owner(1, 1, "a", 7),
        booked(7, 100, -5),
        booked(7, 120, 5),
        booked(7, 120, -1),
        booked(7, 130, 8),
        booked(7, 130, -8),
    ];
    assert_eq!(transitions(&records, "empty", 200), ["100 a/7 +100 -5 -5"]);
    assert_eq!(transitions(&records, "debt", 200), ["110 a +110 -5"]);
}

#[test]
fn what_no_longer_belongs_closes_here_and_opens_there() {
    let moved =
        [owner(1, 1, "a", 7), owner(2, 1, "a", 8), booked(7, 100, -5), booked(8, 101, 1), owner(1, 150, "b", 7)];
    let expected = ["100 a/7 +100 -5 -5", "150 a/7 -100 0 1", "150 b/7 +150 -5 -5"];
    assert_eq!(transitions(&moved, "empty", 200), expected);
    let expected = ["110 a +110 -4", "150 a -110 1", "160 b +160 -5"];
    assert_eq!(transitions(&moved, "debt", 200), expected);
}

#[test]
fn who_ceases_to_exist_is_in_no_moment() {
    let gone = [owner(1, 1, "a", 7), booked(7, 100, -5), deleted(1, 150)];
    assert_eq!(transitions(&gone, "debt", 200), ["110 a +110 -5", "150 a -110 0"]);
    assert_eq!(transitions(&gone, "empty", 200), ["100 a/7 +100 -5 -5", "150 a/7 -100 0 0"]);
}

#[test]
fn conditions_turn_by_themselves_but_not_behind_the_end() {
    let records = [owner(1, 1, "a", 7), booked(7, 101, 1), booked(7, 125, 1)];
    let waking = ["121 a/7 +121 \"1970-01-01T00:00:00.101Z\"", "125 a/7 -121 \"1970-01-01T00:00:00.125Z\""];
    assert_eq!(transitions(&records, "waking", 145), waking);
    let again = ["145 a/7 +145 \"1970-01-01T00:00:00.125Z\"", "155 a/7 -145 \"1970-01-01T00:00:00.125Z\""];
    assert_eq!(transitions(&records, "waking", 156), [waking, again].concat());
    assert!(transitions(&records, "sleeping", 175).is_empty());
    assert_eq!(transitions(&records, "sleeping", 176), ["175 a +175 1"]);
}
