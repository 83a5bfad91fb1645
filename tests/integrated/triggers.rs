//! What leaves: the lines of `decisions.jsonl`, and the triggers that subscribers get.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use propice_define::plan::{Ending, Gate, OnExpiry, ReasonPart, Verdict};
use propice_define::{self as define, Plan};
use propice_edge::schema;
use propice_edge::sink::{
    DirectorySink, MemorySink, OutgoingDecision, Show, Sink, TerminalFormat, TerminalSink, ViewMode, json,
};
use propice_edge::trigger::{TopicRecord, Trigger};
use propice_flow::policy::{Decision, Ended, EpisodeKey, FailedGate, Group, Judgement, Outcome, Receipt, Shown, What};
use propice_model::{Id, KindId, MomentId, Real, Value};

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
        ended: None,
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
    line_of(&plan(), decision)
}

fn line_of(plan: &Plan, decision: &Decision) -> String {
    let mut out = String::new();
    for decision in OutgoingDecision::all(plan, std::slice::from_ref(decision)) {
        json::write_decision(plan, &decision, &mut out);
    }
    out
}

/// The triggers of decisions, in their order.
fn triggers(plan: &Plan, decisions: &[Decision]) -> Vec<Trigger> {
    OutgoingDecision::all(plan, decisions).iter().filter_map(|decision| decision.trigger().cloned()).collect()
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
        heard_before: false,
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
    let condition = plan.moments[0].success.take().expect("a condition");
    plan.policy.data.push(propice_define::plan::DataConsent { name: "location".to_owned(), allowed: condition });
    let out = line_of(&plan, &decided(AT, Some(overdraft(AT)), What::Verdict(withheld)));
    assert!(out.ends_with("\"evidence\":{\"balance\":{\"withheld\":\"location\"},\"spent_30d\":0.00}}\n"), "{out}");
}

/// The plan with what the policy declares for `overdraft_ahead`: it shares the balance, and has a
/// reason.
fn declared() -> Plan {
    let mut plan = plan();
    let consent = plan.moments[1].when.source().to_owned();
    assert_eq!(consent, "visits_7d >= 3");
    let moment = &mut plan.moments[0];
    let balance = moment.evidence.iter().find(|evidence| evidence.name == "balance").expect("the balance").clone();
    let text = |text: &str| ReasonPart::Text(text.to_owned());
    moment.reason = BTreeMap::from([
        ("en".to_owned(), vec![text("There are "), ReasonPart::Slot(balance.clone()), text(" left.")]),
        ("fr".to_owned(), vec![text("Il reste "), ReasonPart::Slot(balance.clone()), text(" €.")]),
    ]);
    moment.shares = vec![balance];
    moment.holdout = Some(0.1);
    plan
}

fn released() -> Judgement {
    Judgement {
        channel: Some(1),
        released_at: Some(AT),
        shared: vec![Shown::Value(Value::decimal(-123_450))],
        locale: Some("fr-FR".to_owned()),
        zone: Some("Indian/Reunion".to_owned()),
        ..judgement(Verdict::Released)
    }
}

fn published(plan: &Plan, time: u64, judgement: Judgement) -> Trigger {
    let decisions = [decided(time, Some(overdraft(AT)), What::Verdict(judgement))];
    let mut found = triggers(plan, &decisions);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn as_value(trigger: &Trigger) -> serde_json::Value {
    serde_json::from_str(&trigger.to_json().expect("JSON")).expect("JSON")
}

#[test]
fn a_release_says_everything_a_subscriber_wants() {
    let trigger = published(&declared(), AT + 60_000, released());
    let episode = episode(&overdraft(AT));
    let expected = serde_json::json!({
        "specversion": "1.0",
        "id": format!("{episode}-released"),
        "source": "/propice/bank",
        "type": "propice.trigger.released.v1",
        "subject": "c1",
        "time": "2026-03-02T09:01:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:propice:schema:trigger:v1",
        "partitionkey": "c1",
        "sequence": "001772442060000-000000",
        "expirytime": "2026-03-07T09:00:00Z",
        "correlationid": episode,
        "causationid": format!("{episode}-opened"),
        "recordedtime": "2026-03-02T09:01:00Z",
        "dataclassification": "confidential",
        "data": {
            "customer": "c1",
            "party_type": "customer",
            "entity": { "kind": "account", "id": "a1" },
            "moment": "overdraft_ahead",
            "version": "1",
            "episode": episode,
            "purpose": "assistance",
            "value": { "kind": "economic", "benefit": "Avoids the fees of an overdraft" },
            "effort": 1,
            "verdict": "released",
            "gates": [],
            "rank": { "purpose_class": 2, "priority": 12.5 },
            "holdout": "treated",
            "mood": "calm",
            "evidence": [{ "name": "balance", "type": "decimal(2)", "value": -1234.5, "threshold": "< 50.00" }],
            "reason": { "text": "Il reste -1\u{202f}234,50 €.", "language": "fr" },
            "tone": "utile et concret",
            "validity": { "not_before": "2026-03-02T09:01:00Z", "expires_at": "2026-03-07T09:00:00Z", "on_expiry": "expire" },
            "routing": {
                "channel": "push", "human": false, "channels": ["push", "adviser"], "locale": "fr-FR",
                "time_zone": "Indian/Reunion",
            },
            "times": {
                "event": "2026-03-02T09:00:00Z", "event_ms": AT, "decided": "2026-03-02T09:01:00Z",
                "decided_ms": AT + 60_000,
            },
            "success": { "condition": "balance >= 50.00", "within": "30d" },
        },
    });
    assert_eq!(as_value(&trigger), expected);
    // A decimal keeps all its decimals.
    assert!(trigger.to_json().expect("JSON").contains("\"value\":-1234.50,"));
}

/// What is told of a moment of assistance that has no words of its own, or none that may be told.
const STAND_IN: &str = "Your situation has changed, and we may be able to help you.";

#[test]
fn nothing_leaves_that_the_moment_does_not_share() {
    let secret = "1340.70";
    let mut plan = declared();
    let json = published(&plan, AT, released()).to_json().expect("JSON");
    for part in [secret, "1,340", "1340", "spent"] {
        assert!(!json.contains(part), "{part}: {json}");
    }
    // A reason that names what is not shared is not told; a sentence of the purpose is told
    // instead.
    let spent = plan.moments[0].evidence[1].clone();
    assert_eq!(spent.name, "spent_30d");
    for parts in plan.moments[0].reason.values_mut() {
        parts.push(ReasonPart::Slot(spent.clone()));
    }
    let trigger = published(&plan, AT, Judgement { locale: None, ..released() });
    assert_eq!(trigger.data.reason.text, STAND_IN);
    // With nothing shared likewise.
    plan.moments[0].shares.clear();
    let trigger = published(&plan, AT, Judgement { shared: Vec::new(), locale: None, ..released() });
    assert!(trigger.data.evidence.is_empty());
    assert_eq!(trigger.data.reason.text, STAND_IN);
    assert!(!trigger.to_json().expect("JSON").contains("234"));
    // And what is shared says where it looks.
    plan.moments[0].shares = vec![spent];
    let shared = vec![Shown::Value(Value::decimal(134_070))];
    let trigger = published(&plan, AT, Judgement { shared, ..released() });
    let Some([spent]) = trigger.data.evidence.first_chunk::<1>() else { panic!("one") };
    assert_eq!((spent.window.as_deref(), spent.threshold.as_deref()), (Some("30d"), Some("> 100.00")));
}

#[test]
fn what_is_withheld_is_named_and_not_told() {
    let mut plan = declared();
    let allowed = plan.moments[0].success.take().expect("a condition");
    plan.policy.data.push(propice_define::plan::DataConsent { name: "location".to_owned(), allowed });
    let withheld = Judgement { shared: vec![Shown::Withheld(0)], locale: None, ..released() };
    let trigger = published(&plan, AT, withheld);
    assert_eq!(trigger.data.evidence[0].withheld.as_deref(), Some("location"));
    assert_eq!(trigger.data.evidence[0].value, None);
    assert_eq!(trigger.data.reason.text, STAND_IN);
    assert_eq!(trigger.data.consent, None, "the moment does not use the kind of data");
    plan.moments[0].data = 1;
    let consent = published(&plan, AT, released()).data.consent.expect("a consent");
    assert_eq!((consent.purpose, consent.data[0].condition.as_str()), (None, "balance >= 50.00"));
}

#[test]
fn what_is_handed_over_and_withdrawn() {
    let plan = declared();
    let gate = FailedGate { gate: Gate::Mood, why: Some("negative".to_owned()), until: Some(AT + 1_000) };
    let handed = Judgement {
        verdict: Verdict::HandedToHuman,
        gates: vec![gate],
        mood_is_negative: true,
        channel: Some(0),
        ..released()
    };
    let trigger = published(&plan, AT, handed.clone());
    let value = as_value(&trigger);
    assert_eq!(value["type"], "propice.trigger.handed_to_human.v1");
    assert_eq!(value["data"]["gates"][0]["gate"], "mood");
    assert_eq!((&value["data"]["mood"], &value["data"]["routing"]["channel"]), (&"negative".into(), &"adviser".into()));
    assert_eq!(value["data"]["tone"], "écouter d'abord ; ni offre, ni hâte");
    // At the end of its time it has no end: a queue would drop it.
    let mut late = plan;
    late.moments[0].on_expiry = OnExpiry::Human;
    let trigger = published(&late, AT + 5 * 86_400_000, handed);
    assert_eq!((trigger.expirytime, trigger.data.validity.expires_at), (None, None));

    let withdrawn = Judgement {
        verdict: Verdict::Withdrawn,
        ended: Some(Ended { how: Ending::NoLongerSo, by: Vec::new() }),
        shared: vec![Shown::Value(Value::decimal(10_000))],
        locale: None,
        ..released()
    };
    let trigger = published(&late, AT + 7_200_000, withdrawn.clone());
    let value = as_value(&trigger);
    assert_eq!(value["type"], "propice.trigger.withdrawn.v1");
    assert_eq!(value["causationid"], format!("{}-closed", episode(&overdraft(AT))));
    assert_eq!(value["data"]["times"]["released_at"], "2026-03-02T09:00:00Z");
    assert_eq!(value["data"]["reason"]["text"], "This is no longer the case.");
    assert!(value.get("expirytime").is_none());
    // What never was released is not withdrawn from anybody.
    let silent = Judgement { released_at: None, channel: None, ..withdrawn };
    let silent = [decided(AT, Some(overdraft(AT)), What::Verdict(silent))];
    assert_eq!(triggers(&late, &silent).len(), 0);
}

#[test]
fn reasons_are_told_in_the_language_there_is() {
    let mut plan = declared();
    let told = |plan: &Plan, locale: Option<&str>| {
        let judgement = Judgement { locale: locale.map(str::to_owned), ..released() };
        let words = published(plan, AT, judgement).data.reason;
        (words.text, words.language)
    };
    let french = ("Il reste -1\u{202f}234,50 €.".to_owned(), "fr".to_owned());
    let english = ("There are -1,234.50 left.".to_owned(), "en".to_owned());
    assert_eq!(told(&plan, Some("fr_CA")), french);
    assert_eq!(told(&plan, Some("de")), english);
    assert_eq!(told(&plan, None), english);
    plan.moments[0].reason.remove("en");
    assert_eq!(told(&plan, None), french);
    plan.moments[0].reason.clear();
    assert_eq!(told(&plan, Some("fr")).0, "Votre situation a changé, et nous pouvons peut-être vous aider.");
    assert_eq!(told(&plan, None), (STAND_IN.to_owned(), "en".to_owned()));
}

#[test]
fn the_sequence_of_a_customer_grows() {
    let plan = plan();
    let of = |time: u64, customer: &str, moment: MomentId| {
        let entity = (moment == OVERDRAFT).then(|| (KindId(1), Id::parse("a1")));
        let episode = Some(EpisodeKey { moment, entity, since: AT });
        let judgement = Judgement { channel: None, released_at: Some(time), ..judgement(Verdict::Released) };
        Decision { time, customer: Id::parse(customer), episode, what: What::Verdict(judgement) }
    };
    let decisions =
        [of(AT, "c1", OVERDRAFT), of(AT, "c1", REGULAR), of(AT, "c2", OVERDRAFT), of(AT + 1, "c1", OVERDRAFT)];
    let sequences: Vec<String> = triggers(&plan, &decisions).into_iter().map(|trigger| trigger.sequence).collect();
    let expected =
        ["001772442000000-000000", "001772442000000-000001", "001772442000000-000000", "001772442000001-000000"];
    assert_eq!(sequences, expected);
}

#[test]
fn both_modes_are_read_as_they_were_written() {
    let plan = declared();
    for judgement in [released(), Judgement { zone: None, locale: None, ..released() }] {
        let trigger = published(&plan, AT + 1, judgement);
        let structured = Trigger::from_json(&trigger.to_json().expect("JSON")).expect("a trigger");
        assert_eq!(structured, trigger);
        let record = TopicRecord::new(&trigger).expect("JSON");
        assert_eq!(record.key, b"c1");
        let header =
            |name: &str| record.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!(header("ce_type"), Some("propice.trigger.released.v1"));
        assert_eq!(header("ce_expirytime"), Some("2026-03-07T09:00:00Z"));
        assert_eq!((header("content-type"), header("ce_datacontenttype")), (Some("application/json"), None));
        assert_eq!(record.trigger().expect("a trigger"), Some(trigger.clone()));
        let tombstone = TopicRecord::tombstone(&trigger);
        assert_eq!((tombstone.value.as_ref(), &tombstone.headers), (None, &record.headers));
        assert_eq!(tombstone.trigger().expect("a tombstone"), None);
    }
    let mut record = TopicRecord::new(&published(&plan, AT, released())).expect("JSON");
    record.headers.retain(|(name, _)| *name != "ce_id");
    assert_eq!(record.trigger().expect_err("an error").to_string(), "there is no header `ce_id`");
}

#[test]
fn the_official_library_reads_a_trigger() {
    use cloudevents::AttributesReader as _;
    let trigger = published(&declared(), AT, released());
    let event: cloudevents::Event = serde_json::from_str(&trigger.to_json().expect("JSON")).expect("a CloudEvent");
    assert_eq!((event.id(), event.source().as_str()), (trigger.id.as_str(), "/propice/bank"));
    assert_eq!((event.ty(), event.subject()), ("propice.trigger.released.v1", Some("c1")));
    assert_eq!(event.time().expect("a time").to_rfc3339(), "2026-03-02T09:00:00+00:00");
    assert_eq!(event.dataschema().map(ToString::to_string).as_deref(), Some("urn:propice:schema:trigger:v1"));
    assert_eq!(event.datacontenttype(), Some("application/json"));
    let extension = |name: &str| event.extension(name).map(ToString::to_string);
    assert_eq!(extension("partitionkey").as_deref(), Some("c1"));
    assert_eq!(extension("sequence").as_deref(), Some("001772442000000-000000"));
    assert!(matches!(event.data(), Some(cloudevents::Data::Json(data)) if data["verdict"] == "released"));
    // Names and values of attributes as the specification wants them: lower-case letters and
    // digits, texts without control characters.
    let value = as_value(&trigger);
    for (name, value) in value.as_object().expect("an object").iter().filter(|(name, _)| *name != "data") {
        assert!(name.len() <= 20 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{name}");
        assert!(value.as_str().is_some_and(|text| !text.is_empty() && !text.chars().any(char::is_control)), "{name}");
    }
}

#[test]
fn a_customer_of_any_name_makes_a_sound_event() {
    let plan = declared();
    let mut decision = decided(AT, Some(overdraft(AT)), What::Verdict(released()));
    decision.customer = Id::parse("a\n\u{9f}é");
    let trigger = triggers(&plan, &[decision]).remove(0);
    assert_eq!((trigger.subject.as_str(), trigger.data.customer.as_str()), ("a%0A%C2%9Fé", "a\n\u{9f}é"));
}

fn sound(schema: &serde_json::Value, instance: &serde_json::Value) {
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(schema).expect("a schema");
    let mistakes: Vec<String> =
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(mistakes.is_empty(), "{mistakes:#?}\n{instance:#}");
}

#[test]
fn what_is_published_is_what_the_schemas_say() {
    let plan = declared();
    let mut value = as_value(&published(&plan, AT, released()));
    sound(&schema::event(), &value);
    sound(&schema::trigger(), &value["data"]);
    for (at, time) in [("/id", ""), ("/data/mood", "furious"), ("/data/rank", "high")] {
        let mut wrong = value.clone();
        *wrong.pointer_mut(at).expect("a field") = time.into();
        assert!(!jsonschema::is_valid(&schema::event(), &wrong), "{at}");
    }
    value["type"] = "propice.trigger.other.v1".into();
    assert!(!jsonschema::is_valid(&schema::event(), &value));

    let gate = FailedGate { gate: Gate::Quiet, why: None, until: Some(AT + 5) };
    let deferred = Judgement { gates: vec![gate], until: Some(AT + 5), ..judgement(Verdict::Deferred) };
    let receipt =
        Receipt { at: AT, kind: "seen".to_owned(), known: None, trigger: None, channel: None, heard_before: false };
    let outcome = Outcome { helped: true, group: Group::Treated, started: AT };
    for (episode, what) in [
        (Some(overdraft(AT)), What::Verdict(deferred)),
        (None, What::Receipt(receipt)),
        (Some(overdraft(AT)), What::Outcome(outcome)),
    ] {
        let line = line(&decided(AT, episode, what));
        let value = serde_json::from_str(&line).expect("JSON");
        sound(&schema::decision(), &value);
        let mut wrong = value;
        wrong["decision"] = "guess".into();
        assert!(!jsonschema::is_valid(&schema::decision(), &wrong));
    }
}

/// A trigger as it was published when the schema was new. It is never changed: whoever reads
/// triggers today has stored ones like it.
#[test]
fn an_old_trigger_is_still_read() {
    let old = include_str!("../schemas/trigger_v1.json");
    let trigger = Trigger::from_json(old).expect("a trigger of the first version");
    assert_eq!(trigger.data.moment, "overdraft_ahead");
    assert_eq!(trigger.data.evidence[0].value.as_ref().map(propice_edge::trigger::payload::Json::text), Some("-12.50"));
    let value: serde_json::Value = serde_json::from_str(old).expect("JSON");
    sound(&schema::event(), &value);
    // A newer one, with fields that are not known here, is read as well.
    let mut newer = value;
    newer["data"]["mode"] = "new".into();
    newer["newer"] = "attribute".into();
    assert!(Trigger::from_json(&newer.to_string()).is_ok());
}

/// What is written to it can be read elsewhere.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody failed").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn people_see_what_is_in_it_for_the_customer_in_the_width_there_is() {
    let plan = Arc::new(declared());
    let screen = Screen::default();
    let mut sink = TerminalSink::new(&plan, Show::Triggers, TerminalFormat::Table, Box::new(screen.clone()), 24);
    let handed = Judgement { verdict: Verdict::HandedToHuman, channel: Some(0), locale: None, ..released() };
    let ended = Some(Ended { how: Ending::Succeeded, by: Vec::new() });
    let withdrawn = Judgement { verdict: Verdict::Withdrawn, ended, channel: Some(0), locale: None, ..released() };
    let decisions = [
        decided(AT, Some(overdraft(AT)), What::Verdict(handed)),
        decided(AT + 1_000, Some(overdraft(AT)), What::Verdict(withdrawn)),
    ];
    sink.decisions(&OutgoingDecision::all(&plan, &decisions)).expect("room");
    let text = String::from_utf8(screen.0.lock().expect("nobody failed").clone()).expect("UTF-8");
    let plain = without_colours(&text);
    assert_eq!(
        plain,
        "bank, version 1; times\nof Europe/Paris\ntime\n    customer    about\n    moment\n\
         2026-03-02 10:00:00  c1\n    account a1\n    overdraft_ahead\n    handed to a person:\n    adviser\n    \
         Avoids the fees of\n    an overdraft\n    There are -1,234.50\n    left.\n\
         2026-03-02 10:00:01  c1\n    account a1\n    overdraft_ahead\n    withdrawn: succeeded\n    \
         This has been\n    settled.\n"
    );
}

/// A text without colours.
fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// The documents that are checked in are those that the types make. `UPDATE_EXPECT=1` writes them
/// anew.
#[test]
fn the_schemas_that_are_checked_in_are_those_of_the_types() {
    let bank = Path::new(crate::ROOT).join("dataflows/bank.toml");
    let text = std::fs::read_to_string(bank).expect("a pack");
    let bank = define::load("bank.toml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    for (name, document) in [
        ("trigger.json", schema::trigger()),
        ("event.json", schema::event()),
        ("decision.json", schema::decision()),
        ("bank.asyncapi.json", schema::asyncapi(&bank)),
    ] {
        let path = Path::new(crate::ROOT).join("docs/schema").join(name);
        let document = format!("{document:#}\n");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, document).expect("a file");
            continue;
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == document, "docs/schema/{name} is not what the types make: run this test with UPDATE_EXPECT=1");
    }
}

#[test]
fn every_reference_of_the_asyncapi_document_leads_somewhere() {
    fn references(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (key, value) in fields {
                    match value.as_str() {
                        Some(text) if key == "$ref" => found.push(text.to_owned()),
                        _ => references(value, found),
                    }
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = schema::asyncapi(&plan());
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 10);
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    assert_eq!(document["channels"]["push"]["address"], "triggers.mobile");
    // `regular` has no channels.
    assert_eq!(document["channels"]["default"]["description"], "Triggers of regular.");
}

#[test]
fn each_channel_has_a_file_of_its_own() {
    let plan = Arc::new(declared());
    let regular = EpisodeKey { moment: REGULAR, entity: None, since: AT };
    let decisions = [
        decided(AT, Some(overdraft(AT)), What::Verdict(released())),
        decided(AT, Some(regular), What::Verdict(Judgement { channel: None, ..released() })),
        decided(AT, Some(overdraft(AT + 1)), What::Verdict(judgement(Verdict::Deferred))),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = DirectorySink::create(&plan, folder.path(), ViewMode::None).expect("files");
    let mut memory = MemorySink::new(&plan, ViewMode::None);
    files.decisions(&OutgoingDecision::all(&plan, &decisions)).expect("room");
    Sink::decisions(&mut memory, &OutgoingDecision::all(&plan, &decisions)).expect("room");
    files.finish(AT).expect("room");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    let texts = memory.texts();
    assert_eq!(read("decisions.jsonl"), texts.decisions);
    assert_eq!(texts.decisions.lines().count(), 3);
    assert_eq!(read("triggers/push.jsonl"), texts.triggers["push"]);
    assert_eq!(read("triggers/default.jsonl"), texts.triggers["default"]);
    assert_eq!(read("triggers/adviser.jsonl"), "");
    for channel in ["push", "default"] {
        let trigger = Trigger::from_json(texts.triggers[channel].trim_end()).expect("one trigger");
        assert_eq!(trigger.data.routing.channel.as_deref().unwrap_or("default"), channel);
    }
    // What an earlier run published on a channel is gone with it.
    let mut later = DirectorySink::create(&plan, folder.path(), ViewMode::None).expect("files");
    later.finish(AT).expect("room");
    assert_eq!(read("triggers/push.jsonl"), "");
}
