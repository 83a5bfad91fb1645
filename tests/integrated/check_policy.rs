//! What becomes of a policy when its pack is loaded (`tests/sound/policy.toml`, key by key), and
//! what is kept of its records.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use propice_define as define;
use propice_define::expr::Expr;
use propice_define::plan::{
    Aggregate, Evidence, ExpectedEvent, FeatureSource, Gate, Holidays, Interval, Moment, MoodPolicy, MoodSource,
    OnExpiry, OnSuppressed, Per, Period, Plan, Purpose, ReasonPart, ReceiptKind, Verdict,
};
use propice_edge::source::{Batch, LinesSource, Source as _};
use propice_flow::Engine;
use propice_model::time::{DAY_MS, parse_duration};
use propice_model::{EntityChange, Fact, FieldId, Id, InputId, KindId, Value};
use propice_run as run;

const POLICY: KindId = KindId(2);

fn plan() -> Arc<Plan> {
    let path = Path::new(crate::ROOT).join("tests/sound/policy.toml");
    let text = fs::read_to_string(path).expect("the pack");
    Arc::new(define::load("policy.toml", &text).unwrap_or_else(|errors| panic!("{errors}")))
}

fn moment<'a>(plan: &'a Plan, name: &str) -> &'a Moment {
    plan.moments.iter().find(|moment| moment.name == name).expect("a moment")
}

fn ms(text: &str) -> i64 {
    parse_duration(text).expect("a duration")
}

/// The names of the kinds of data of a set of bits.
fn data(plan: &Plan, bits: u32) -> Vec<&str> {
    let of = plan.policy.data.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
    of.map(|(_, data)| data.name.as_str()).collect()
}

fn names(evidence: &[Evidence]) -> Vec<&str> {
    evidence.iter().map(|evidence| evidence.name.as_str()).collect()
}

#[test]
fn the_policy_is_all_there() {
    let plan = plan();
    let policy = &plan.policy;
    assert_eq!(policy.refusal.as_ref().map(Expr::source), Some("refuses"));
    assert!(policy.purposes[Purpose::Sales.index()].is_some() && policy.purposes[Purpose::Safety.index()].is_none());
    let kinds: Vec<_> = policy.data.iter().map(|data| (data.name.as_str(), data.allowed.source())).collect();
    assert_eq!(kinds, [("contacts", "customers.may_hear"), ("location", "customers.may_locate")]);
    for text in [&policy.zone, &policy.region, &policy.locale] {
        assert!(text.is_some());
    }
    let holidays = Holidays { input: InputId(2), day: FieldId(0), region: Some(FieldId(1)) };
    assert_eq!(policy.holidays, Some(holidays));
    assert_eq!(
        (policy.arbitration.window_ms, policy.arbitration.except.as_slice()),
        (ms("1h"), &[Purpose::Safety][..])
    );
    assert_eq!((policy.snooze_ms, policy.keep_ms), (3 * DAY_MS, 500 * DAY_MS));
    assert_eq!(policy.human.map(|at| plan.channels[at].name.as_str()), Some("call"));
    assert_eq!(policy.rest.len(), 2);
    assert_eq!(policy.rest[0].of, [ReceiptKind::Dismissed]);
    assert_eq!(
        (policy.rest[0].after, policy.rest[0].within_ms, policy.rest[0].for_ms),
        (3, Some(180 * DAY_MS), 90 * DAY_MS)
    );
    assert_eq!(policy.rest[1].within_ms, None);
    let rating: Vec<_> = policy.rating.iter().map(|(kind, number)| (*kind, number.get())).collect();
    let expected = [(ReceiptKind::Dismissed, -1.5), (ReceiptKind::Useful, 2.0), (ReceiptKind::NotUseful, -2.0)];
    assert_eq!(rating, expected);
}

#[test]
fn time_and_channels_are_understood() {
    let plan = plan();
    let [first, second] = plan.policy.quiet.as_slice() else { panic!("two rules") };
    assert_eq!((first.hours.as_slice(), first.days.as_slice(), first.holidays), (&[(1200, 480)][..], &[0][..], true));
    assert_eq!((first.except.as_slice(), first.channels.len()), (&[Purpose::Safety][..], 0));
    assert_eq!(second.hours, [(0, 600), (780, 840), (1200, 1440)]);
    assert_eq!(second.purposes, [Purpose::Assistance, Purpose::Sales, Purpose::Safety]);
    assert_eq!(second.channels.iter().map(|&at| plan.channels[at].name.as_str()).collect::<Vec<_>>(), ["call"]);
    let windows: Vec<Per> = plan.policy.pressure.iter().map(|budget| budget.per).collect();
    let expected = [Per::Days(90), Per::Days(14), Per::Current(Period::Week), Per::Rolling(ms("48h"))];
    assert_eq!(windows, expected);
}

#[test]
fn moments_say_what_they_use_and_what_leaves() {
    let plan = plan();
    let abroad = moment(&plan, "abroad_help");
    // The feature of the card, the rollup over it, the attribute over that; and the count that
    // `evidence` looks at.
    assert_eq!(data(&plan, abroad.data), ["contacts", "location"]);
    assert_eq!(data(&plan, abroad.evidence[0].data), ["location"]);
    // What is computed of an input.
    assert_eq!(data(&plan, abroad.success_data), ["location"]);
    assert_eq!(data(&plan, moment(&plan, "offer").data), [""; 0]);
    assert_eq!(abroad.enough.len(), 2);
    assert_eq!((abroad.cooldown_ms, abroad.success_within_ms), (Some(ms("36h")), 10 * DAY_MS));
    assert_eq!((names(&abroad.evidence), names(&abroad.shares)), (vec!["abroad"], vec!["paid_abroad"]));
    assert_eq!((abroad.on_expiry, abroad.tone.as_deref()), (OnExpiry::Human, Some("warm")));
    assert_eq!(abroad.human_channel.map(|at| plan.channels[at].name.as_str()), Some("adviser"));
    let english: Vec<String> = abroad.reason["en"]
        .iter()
        .map(|part| match part {
            ReasonPart::Text(text) => text.clone(),
            ReasonPart::Slot(slot) => format!("<{} {:?}>", slot.name, data(&plan, slot.data)),
        })
        .collect();
    assert_eq!(english, ["You paid ", "<paid_abroad [\"location\"]>", " abroad { today }"]);
    let offer = moment(&plan, "offer");
    assert_eq!((offer.holdout, offer.on_suppressed), (Some(0.1), OnSuppressed::Drop));
    assert_eq!(offer.human_channel.map(|at| plan.channels[at].name.as_str()), Some("call"), "that of the policy");
    assert_eq!(names(&offer.shares), ["paid_30d"]);
    let silenced = |name: &str| -> Vec<&str> {
        let silence = moment(&plan, name).silence.as_ref().expect("a silence");
        silence.moments.iter().map(|id| plan.moments[id.index()].name.as_str()).collect()
    };
    assert_eq!(silenced("bereavement"), ["abroad_help", "offer"]);
    assert_eq!(silenced("card_locked"), ["abroad_help", "offer"]);
}

#[test]
fn tests_expect_verdicts() {
    let plan = plan();
    let case = &plan.tests[0];
    let expected = ExpectedEvent::Verdict { verdict: Verdict::Deferred, gates: Some(vec![Gate::Mood, Gate::Quiet]) };
    assert_eq!((&case.expect[0].event, case.unreleased.as_slice()), (&expected, &["offer".to_owned()][..]));
}

#[test]
fn what_the_policy_reads_is_kept_under_a_kind_of_its_own() {
    let plan = plan();
    assert_eq!(plan.policy.kind, Some(POLICY));
    let kind = &plan.entities[POLICY.index()];
    assert!(kind.implied && kind.relation.is_none());
    let mood = plan.policy.mood.as_ref().expect("a mood");
    let MoodPolicy { source: MoodSource::Signals(sources), .. } = mood else { panic!("signals") };
    let of: Vec<_> = sources.iter().map(|source| (source.name.as_str(), source.slot)).collect();
    assert_eq!(of, [("contacts", 0), ("voice", 1)]);
    assert_eq!(plan.policy.receipts, Some(2));
    let labels: Vec<_> = mood.labels.iter().map(|(label, negative)| (label.as_str(), *negative)).collect();
    let expected = [
        ("anger", true),
        ("angoisse", true),
        ("anxiety", true),
        ("calm", false),
        ("furious", true),
        ("joy", false),
        ("très calme", false),
    ];
    assert_eq!(labels, expected);
    assert!(mood.modalities["voice"].is_some() && mood.modalities["face"].is_none());
    for (feature, (input, window)) in kind.features.iter().zip([(5, "60h"), (6, "60h"), (7, "500d")]) {
        assert!(matches!(feature.source, FeatureSource::Records { input: found, .. } if found == InputId(input)));
        assert_eq!(feature.aggregate, Aggregate::Set(1_000));
        let Interval::Window { length_ms, pane_ms: None } = feature.interval else { panic!("a window") };
        assert_eq!(length_ms, ms(window));
    }
}

fn facts(plan: &Arc<Plan>, lines: &[&str]) -> Vec<Fact> {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let mut source = LinesSource::new(plan, "given", &lines);
    let mut batch = Batch::default();
    assert!(source.fill(&mut batch).expect("a batch"));
    assert!(batch.dead.is_empty(), "{:?}", batch.dead);
    batch.facts
}

const SIGNAL: &str = r#"{"stream":"contacts","client_id":"c1","at":"1970-01-01T00:00:01Z","mood":"anger","intensity":0.5,"confidence":0.9,"channel":"chat"}"#;
const RECEIPT: &str = r#"{"stream":"receipts","receipt_id":"r1","customer_id":"c1","at":"1970-01-01T00:00:02Z","said":"snoozed","trigger":"e-released","until":"1970-01-02T00:00:00Z"}"#;

#[test]
fn a_signal_and_a_receipt_are_kept_in_one_value_each() {
    let plan = plan();
    let silent = SIGNAL.replace("\"anger\"", "null");
    let unsure = SIGNAL.replace("0.9", "0.1");
    let facts = facts(&plan, &[SIGNAL, RECEIPT, &silent, &unsure]);
    let kept =
        |fact: &Fact| -> Option<EntityChange> { fact.changes.iter().find(|change| change.kind == POLICY).cloned() };
    let list = |values: &[Value]| Value::List(Arc::from(values));
    let (text, float) = (Value::text, Value::float);
    for (fact, slot, value) in [
        (&facts[0], 0, list(&[Value::Int(-1_000), text("anger"), float(0.5), float(0.9), Value::Null, text("chat")])),
        (
            &facts[1],
            2,
            list(&[
                Value::Int(-2_000),
                text("snoozed"),
                text("e-released"),
                Value::Null,
                Value::Null,
                Value::Time(DAY_MS),
            ]),
        ),
    ] {
        let change = kept(fact).expect("something is kept");
        assert_eq!((&change.id, change.owner.as_ref()), (&Id::parse("c1"), Some(&Id::parse("c1"))));
        let [contribution] = change.contributions.as_slice() else { panic!("one value: {change:?}") };
        assert_eq!((contribution.feature.index(), &contribution.value), (slot, &value));
    }
    assert!(kept(&facts[2]).is_none(), "without a label there is no signal");
    assert!(kept(&facts[3]).is_none(), "what `where` leaves out is no signal");
}

#[test]
fn views_do_not_show_what_the_policy_keeps() {
    let plan = plan();
    for engine in [Engine::Fused, Engine::Reference] {
        let options = run::Options { engine, views: true, ..run::Options::default() };
        let lines = [SIGNAL.to_owned(), RECEIPT.to_owned()];
        let (texts, _) = run::over_lines(&plan, &lines, &options).expect("a run");
        let lines: Vec<&str> = texts.view_changes.lines().collect();
        // The receipt changes nothing that is shown.
        let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
        assert!(line.ends_with("\"entities\":{}}"), "{line}");
    }
}

#[test]
fn the_latest_mood_of_a_feature_has_its_time_kept() {
    let pack = r#"
[pack]
name = "p"
[stream.talks]
time = "at"
fields = { at = "time", customer = "id(customer)", mood = "text?", sure = "bool" }
[customer.feature]
last_mood = { from = "talks", last = "mood", where = "sure", window = "3d" }
[policy]
mood = { negative = ["anger"], half_life = "6h", from = "last_mood" }
"#;
    let plan = Arc::new(define::load("p.toml", pack).unwrap_or_else(|errors| panic!("{errors}")));
    let mood = plan.policy.mood.as_ref().expect("a mood");
    assert!(matches!(mood.source, MoodSource::Latest { slot: 0, at: Some(0) }));
    let line = |mood: &str, sure: bool| {
        format!(r#"{{"stream":"talks","at":"1970-01-01T00:00:05Z","customer":1,"mood":{mood},"sure":{sure}}}"#)
    };
    let (said, silent, unsure) = (line("\"anger\"", true), line("null", true), line("\"anger\"", false));
    let facts = facts(&plan, &[&said, &silent, &unsure]);
    let kept =
        |fact: &Fact| fact.changes.iter().find(|change| change.kind == KindId(1)).map(|c| c.contributions.clone());
    let contributions = kept(&facts[0]).expect("the time is kept");
    assert_eq!(contributions[0].value, Value::Time(5_000));
    assert_eq!(contributions[0].until, 5_000 + 3 * DAY_MS as u64, "as long as the mood itself");
    assert_eq!((kept(&facts[1]), kept(&facts[2])), (None, None));

    let without = pack.replace("half_life = \"6h\", ", "");
    let plan = define::load("p.toml", &without).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(plan.policy.kind.is_none() && plan.entities.len() == 1);
}
