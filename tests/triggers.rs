//! What leaves: the lines of `decisions.jsonl`, and the triggers that subscribers get.

use std::sync::Arc;

use propice::define::plan::{Gate, Verdict};
use propice::define::{self, Plan};
use propice::edge::sink::json;
use propice::flow::policy::{Decision, EpisodeKey, FailedGate, Group, Judgement, Outcome, Receipt, Shown, What};
use propice::model::{Id, KindId, MomentId, Real, Value};

const PACK: &str = r#"
[pack]
name     = "bank"
timezone = "Europe/Paris"

[table.holders]
key    = ["account"]
fields = { account = "id(account)", who = "id(customer)" }

[entity.account]
belongs_to = { by = "holders", customer = "who" }

[stream.ledger]
time   = "at"
about  = "account"
fields = { at = "time", account = "id(account)", amount = "decimal(2)" }

[stream.visits]
time   = "at"
about  = "who"
fields = { at = "time", who = "id(customer)", page = "text?" }

[account.feature]
balance = { from = "ledger", sum = "amount" }
spent_30d = { from = "ledger", sum = "-amount", where = "amount < 0.00", window = "30d" }

[customer.feature]
visits_7d = { from = "visits", count = true, window = "7d" }
last_visit = { from = "visits", last = "at" }

[moment.overdraft_ahead]
about     = "account"
when      = "balance < 50.00 && spent_30d > 100.00"
purpose   = "assistance"
value     = { kind = "economic", benefit = "Avoids the fees of an overdraft" }
effort    = 1
valid_for = "5d"
channels  = ["push", "adviser"]
success   = "balance >= 50.00"

[moment.regular]
when    = "visits_7d >= 3"
purpose = "relationship"
value   = { kind = "experiential", benefit = "Is known by name" }

[channel.push]
topic = "triggers.mobile"

[channel.adviser]
topic = "triggers.adviser"
"#;

/// 2026-03-02T09:00:00Z
const AT: u64 = 1_772_442_000_000;
const OVERDRAFT: MomentId = MomentId(0);
const REGULAR: MomentId = MomentId(1);

fn plan() -> Plan {
    define::load("bank.toml", PACK).unwrap_or_else(|errors| panic!("{errors}"))
}

fn overdraft(since: u64) -> EpisodeKey {
    EpisodeKey { moment: OVERDRAFT, entity: Some((KindId(1), Id::parse("a1"))), since }
}

fn judgement(verdict: Verdict) -> Judgement {
    let values = vec![Shown::Value(Value::decimal(-1250)), Shown::Value(Value::decimal(134_070))];
    Judgement {
        verdict,
        gates: Vec::new(),
        until: None,
        channel: None,
        released_at: None,
        priority: Real::new(12.5).expect("a number"),
        mood_is_negative: false,
        evidence: values,
        shared: Vec::new(),
        locale: None,
        zone: None,
    }
}

fn decided(time: u64, episode: Option<EpisodeKey>, what: What) -> Decision {
    Decision { time, customer: Id::parse("c1"), episode, what }
}

fn line(decision: &Decision) -> String {
    let mut out = String::new();
    json::write_decision(&plan(), decision, &mut out);
    out
}

#[test]
fn a_verdict_is_written_with_every_gate_that_failed() {
    let deferred = Judgement {
        gates: vec![
            FailedGate { gate: Gate::Mood, why: Some("negative".to_owned()), until: Some(AT + 1_800_000) },
            FailedGate { gate: Gate::Quiet, why: None, until: None },
        ],
        mood_is_negative: true,
        evidence: vec![Shown::Value(Value::decimal(-1250)), Shown::Value(Value::Null)],
        ..judgement(Verdict::Deferred)
    };
    let decision = decided(AT + 5, Some(overdraft(AT)), What::Verdict(deferred));
    assert_eq!(
        line(&decision),
        "{\"time\":\"2026-03-02T09:00:00.005Z\",\"logical_time_ms\":1772442000005,\"customer\":\"c1\",\
         \"entity\":{\"kind\":\"account\",\"id\":\"a1\"},\"moment\":\"overdraft_ahead\",\"version\":\"1\",\
         \"purpose\":\"assistance\",\"episode\":\"EPISODE\",\"decision\":\"verdict\",\"verdict\":\"deferred\",\
         \"gates\":[{\"gate\":\"mood\",\"why\":\"negative\",\"until\":\"2026-03-02T09:30:00Z\"},\
         {\"gate\":\"quiet\",\"why\":null,\"until\":null}],\"until\":null,\"channel\":null,\"released_at\":null,\
         \"priority\":12.5,\"mood\":\"negative\",\"evidence\":{\"balance\":-12.50,\"spent_30d\":null}}\n"
            .replace("EPISODE", &episode(&overdraft(AT)))
    );
    let released = Judgement { channel: Some(0), released_at: Some(AT), ..judgement(Verdict::Released) };
    let written = line(&decided(AT, Some(overdraft(AT)), What::Verdict(released)));
    assert!(
        written
            .contains("\"gates\":[],\"until\":null,\"channel\":\"adviser\",\"released_at\":\"2026-03-02T09:00:00Z\"")
    );
}

/// The id of an episode of `c1`, as its lines spell it.
fn episode(key: &EpisodeKey) -> String {
    let outcome = What::Outcome(Outcome { helped: true, group: Group::Treated, started: AT });
    let line = line(&decided(AT, Some(key.clone()), outcome));
    let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    value["episode"].as_str().expect("an id").to_owned()
}

#[test]
fn receipts_and_outcomes_are_written() {
    let receipt = Receipt {
        at: AT,
        kind: "dis\"missed".to_owned(),
        known: None,
        trigger: Some("9bde-released".to_owned()),
        channel: None,
    };
    assert_eq!(
        line(&decided(AT, None, What::Receipt(receipt))),
        "{\"time\":\"2026-03-02T09:00:00Z\",\"logical_time_ms\":1772442000000,\"customer\":\"c1\",\"entity\":null,\
         \"moment\":null,\"version\":null,\"purpose\":null,\"episode\":null,\"decision\":\"receipt\",\
         \"receipt\":\"dis\\\"missed\",\"trigger\":\"9bde-released\",\"channel\":null,\"at\":\"2026-03-02T09:00:00Z\"}\n"
    );
    let key = EpisodeKey { moment: REGULAR, entity: None, since: AT };
    let outcome = Outcome { helped: false, group: Group::Holdout, started: AT };
    let written = line(&decided(AT + 1_000, Some(key), What::Outcome(outcome)));
    assert!(
        written.ends_with(
            "\"decision\":\"outcome\",\"helped\":false,\"group\":\"holdout\",\"started\":\"2026-03-02T09:00:00Z\"}\n"
        ),
        "{written}"
    );
}

#[test]
fn what_is_not_consented_to_is_not_written() {
    let withheld = Judgement {
        evidence: vec![Shown::Withheld(0), Shown::Value(Value::decimal(0))],
        ..judgement(Verdict::Suppressed)
    };
    let mut plan = plan();
    let allowed = std::mem::replace(&mut plan.moments[1].success, None);
    assert!(allowed.is_none());
    let condition = plan.moments[0].success.take().expect("a condition");
    plan.policy.data.push(propice::define::plan::DataConsent { name: "location".to_owned(), allowed: condition });
    let mut out = String::new();
    let decision = decided(AT, Some(overdraft(AT)), What::Verdict(withheld));
    json::write_decision(&Arc::new(plan), &decision, &mut out);
    assert!(out.ends_with("\"evidence\":{\"balance\":{\"withheld\":\"location\"},\"spent_30d\":0.00}}\n"), "{out}");
}
