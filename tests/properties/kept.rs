//! What is kept, collection by collection; what becomes of it under another plan; and that somebody
//! who is forgotten leaves what would be there without.

use std::sync::Arc;

use propice_define::Plan;
use propice_flow::policy::What;
use propice_flow::state::{Entry, Extent, Held, Kept, Key, PlanShape, Progress, Restoring, StateHandle, forget};
use propice_model::time::FOREVER;
use propice_model::{Id, LogicalTime, Value};

use crate::restore::{From, Given, Leg, Stored, applied, facts_of, run};

const PACK: &str = r#"
[pack]
name = "p"

[entity.account]
belongs_to = { customer = "c", by = "holders" }
[entity.claim]
belongs_to = { customer = "c", by = "claims" }

[table.holders]
key = ["k"]
time = "at"
fields = { k = "int", c = "id(customer)", a = "id(account)", at = "time", role = "text?" }
[stream.bookings]
about = "a"
time = "at"
fields = { a = "id(account)", at = "time", n = "int", by = "text?" }
[stream.claims]
about = "claim"
time = "at"
fields = { c = "id(customer)", claim = "id(claim)", at = "time", due = "time" }
[table.holidays]
key = ["day"]
fields = { day = "text" }

[account.feature]
sum    = { from = "bookings", sum = "n" }
hour   = { from = "bookings", sum = "n", window = "10ms" }
last   = { from = "bookings", last = "by" }
[claim.feature]
ahead  = { from = "claims", count = true, during = ["due - 5ms", "due"] }
[customer.feature]
total  = { over = "account", sum = "sum" }

[moment.rich]
when = "total > 10"
purpose = "assistance"
value = { kind = "economic", benefit = "It helps" }
channels = ["post"]
[moment.poor]
when = "total < 5"
for = "20ms"
purpose = "assistance"
value = { kind = "economic", benefit = "It helps" }
channels = ["post"]
[channel.post]
topic = "post"

[policy]
quiet = [ { holidays = true } ]
holidays = { table = "holidays", day = "day" }
"#;

const LINES: [&str; 8] = [
    r#"{"stream":"holidays","day":"2026-05-01"}"#,
    r#"{"stream":"holders","k":1,"c":"c1","a":"a1","at":1}"#,
    r#"{"stream":"holders","k":2,"c":"c2","a":"a2","at":1,"role":"main"}"#,
    r#"{"stream":"bookings","a":"a1","at":2,"n":7,"by":"x"}"#,
    r#"{"stream":"bookings","a":"a1","at":3,"n":8}"#,
    r#"{"stream":"bookings","a":"a2","at":3,"n":1}"#,
    r#"{"stream":"claims","c":"c1","claim":"k1","at":4,"due":100}"#,
    r#"{"stream":"holders","k":3,"_deleted":true,"at":4}"#,
];

fn plan(text: &str) -> Arc<Plan> {
    let mut plan = propice_define::load("p.toml", text).unwrap_or_else(|errors| panic!("{errors:?}"));
    plan.keeps_rows = true;
    Arc::new(plan)
}

fn leg(plan: &Arc<Plan>, lines: &[&str], through: LogicalTime) -> Leg {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    Leg {
        plan: Arc::clone(plan),
        workers: 2,
        with_views: true,
        from: None,
        updates: Arc::new(facts_of(plan, &lines, None).0),
        batch: 3,
        cuts: Vec::new(),
        through,
    }
}

/// What is kept behind these lines at a time.
fn kept(plan: &Arc<Plan>, lines: &[&str], at: LogicalTime) -> Stored {
    let leg = Leg { cuts: vec![(at, Extent::Whole)], ..leg(plan, lines, at) };
    applied(plan, &run(&leg).expect("a run").1).expect("entries")
}

/// Goes on under a plan from what another one kept at a time.
fn on(
    before: &Arc<Plan>,
    stored: Stored,
    at: LogicalTime,
    plan: &Arc<Plan>,
    lines: &[&str],
    through: LogicalTime,
) -> Given {
    let from = From { at, stored: Arc::new(stored), shape: Arc::new(PlanShape::of(before)) };
    run(&Leg { from: Some(from), ..leg(plan, lines, through) }).expect("a run").0
}

fn of<'s>(stored: &'s Stored, collection: &str, id: &str) -> Option<&'s Entry> {
    stored.get(&(Arc::from(collection), Key::Id(Id::parse(id))))
}

#[test]
fn every_collection_says_what_is_held() {
    let plan = plan(PACK);
    let stored = kept(&plan, &LINES, 4);
    let row = |key: i64| stored.get(&(Arc::from("rows/holders"), Key::Row(vec![Value::Int(key)])));
    let Some(Entry::Row(second)) = row(2) else { panic!("no row") };
    let names: Vec<&str> = second.fields.iter().flatten().map(|(name, _)| name.as_ref()).collect();
    assert_eq!((names, second.rank.event_time), (vec!["k", "c", "a", "at", "role"], 1));
    let Some(Entry::Row(deleted)) = row(3) else { panic!("no mark of a deletion") };
    assert_eq!((&deleted.fields, deleted.rank.event_time), (&None, 4));
    assert!(stored.contains_key(&(Arc::from("rows/holidays"), Key::Row(vec![Value::text("2026-05-01")]))));
    assert_eq!(of(&stored, "exists/account", "a1"), Some(&Entry::Exists));
    assert_eq!(of(&stored, "exists/customer", "c1"), Some(&Entry::Exists), "by the stream of claims");
    assert_eq!(of(&stored, "exists/customer", "c2"), None, "only a row names it");
    assert_eq!(of(&stored, "owners/claim", "k1"), Some(&Entry::Owners(vec![Id::parse("c1")])));
    assert_eq!(of(&stored, "owners/account", "a1"), None, "it follows from a row");
    let mut of_account: Vec<&Vec<Held>> = Vec::new();
    for ((name, key), entry) in &stored {
        if let (true, Entry::Feature(held)) = (name.starts_with("feature/account/"), entry)
            && *key == Key::Id(Id::parse("a1"))
        {
            of_account.push(held);
        }
    }
    of_account.sort();
    let sum = |until, n, units| Held { until, kept: Kept::Sum { n, units } };
    let place = Kept::Place { event_time: 2, order: Value::Null, value: Value::text("x"), times: 1 };
    let expected =
        [vec![sum(12, 1, 7), sum(13, 1, 8)], vec![sum(FOREVER, 2, 15)], vec![Held { until: FOREVER, kept: place }]];
    assert_eq!(of_account, expected.iter().collect::<Vec<_>>());
    let Some(Entry::Pending(pending)) = of(&stored, "pending/claim", "k1") else { panic!("nothing to come") };
    assert_eq!((pending.len(), pending[0].from, pending[0].until), (1, 95, 100));
    let Some(Entry::Conditions(held)) = of(&stored, "conditions", "c1") else { panic!("no conditions") };
    let shown: Vec<_> = held.iter().map(|it| (it.moment.as_ref(), it.since, it.opened)).collect();
    assert_eq!(shown, [("rich", 3, Some(3))]);
    let Some(Entry::Conditions(held)) = of(&stored, "conditions", "c2") else { panic!("no conditions") };
    let shown: Vec<_> = held.iter().map(|it| (it.moment.as_ref(), it.opened)).collect();
    assert_eq!(shown, [("poor", None)]);
    let Some(Entry::Policy(policy)) = of(&stored, "policy", "c1") else { panic!("no policy") };
    let channel = Some(Arc::from("post"));
    assert_eq!(policy.episodes[0].progress, Progress::Published { at: 3, channel: channel.clone() });
    assert_eq!((policy.releases.len(), &policy.releases[0].channel), (1, &channel));
}

#[test]
fn a_new_feature_over_a_table_is_filled_from_its_rows() {
    let before = plan(PACK);
    let more = "total  = { over = \"account\", sum = \"sum\" }\nroles = { from = \"holders\", by = \"c\", set = \"role\" }\nheld = { from = \"holders\", by = \"c\", count = true }";
    let now = plan(&PACK.replace("total  = { over = \"account\", sum = \"sum\" }", more));
    let later =
        [r#"{"stream":"bookings","a":"a2","at":9,"n":1}"#, r#"{"stream":"holders","k":2,"_deleted":true,"at":10}"#];
    let given = on(&before, kept(&before, &LINES, 4), 4, &now, &later, 12);
    let at_once = run(&leg(&now, &[&LINES[..], &later[..]].concat(), 12)).expect("a run").0;
    let of_c2 = |given: &Given, time: LogicalTime| {
        let mut views: Vec<Vec<Value>> = Vec::new();
        for (part, at, diff) in &given.views {
            if part.customer == Id::parse("c2") && part.entity.is_none() && *at == time && *diff > 0 {
                views.push(part.slots.to_vec());
            }
        }
        views
    };
    assert_eq!(of_c2(&given, 9), [vec![Value::Int(2), Value::List(Arc::from([Value::text("main")])), Value::Int(1)]]);
    assert_eq!(of_c2(&given, 9), of_c2(&at_once, 9));
    let end = |given: &Given| given.views.iter().filter(|(_, at, _)| *at == 10).count();
    assert_eq!(end(&given), end(&at_once));
}

#[test]
fn a_moment_that_is_another_is_looked_at_at_once() {
    let before = plan(PACK);
    let stored = kept(&before, &LINES, 4);
    let transitions = |text: &str| {
        let given = on(&before, stored.clone(), 4, &plan(text), &[], 30);
        given
            .transitions
            .iter()
            .map(|it| (it.time, it.customer.to_string(), it.moment.0, it.opened))
            .collect::<Vec<_>>()
    };
    // As it was: `poor` has held for long enough at 21.
    let as_it_was = transitions(PACK);
    assert_eq!(as_it_was, [(21, "c2".to_owned(), 0, true)]);
    // 15 is still more than 12: the episode stays open, and nothing is said of it.
    assert_eq!(transitions(&PACK.replace("total > 10", "total > 12")), as_it_was);
    let closed = transitions(&PACK.replace("total > 10", "total > 20"));
    assert_eq!(closed, [(5, "c1".to_owned(), 1, false), (21, "c2".to_owned(), 0, true)]);
    // One that does not hold yet for as long as it must begins again.
    let again = transitions(&PACK.replace("total < 5", "total < 6"));
    assert_eq!(again, [(25, "c2".to_owned(), 0, true)]);
    let new = "[moment.middle]\nwhen = \"total >= 1 && total <= 15\"\npurpose = \"assistance\"\nvalue = { kind = \"economic\", benefit = \"It helps\" }\n[channel.post]";
    let mut opened = transitions(&PACK.replace("[channel.post]", new));
    opened.sort();
    let expected = [(5, "c1".to_owned(), 0, true), (5, "c2".to_owned(), 0, true), (21, "c2".to_owned(), 1, true)];
    assert_eq!(opened, expected);
}

/// What was published is withdrawn under the new plan by the episode that it was.
#[test]
fn an_episode_that_closes_under_another_plan_is_withdrawn() {
    let before = plan(PACK);
    let now = plan(&PACK.replace("total > 10", "total > 20"));
    let given = on(&before, kept(&before, &LINES, 4), 4, &now, &[], 10);
    let [decision] = given.decisions.as_slice() else { panic!("{:?}", given.decisions) };
    let What::Verdict(judgement) = &decision.what else { panic!("{decision:?}") };
    assert_eq!((judgement.verdict.name(), judgement.released_at, decision.time), ("withdrawn", Some(3), 5));
}

#[test]
fn somebody_who_is_forgotten_was_never_there() {
    let plan = plan(PACK);
    let is_of_c2 = |line: &&&str| !["\"c1\"", "\"a1\"", "\"k1\""].iter().any(|name| line.contains(name));
    let others: Vec<&str> = LINES.iter().filter(is_of_c2).copied().collect();
    assert_eq!(others.len(), 4);
    let all = kept(&plan, &LINES, 4).into_iter().map(|((name, key), entry)| (name, key, entry)).collect();
    let (left, forgotten) = forget(&plan, "customer", &Id::parse("c1"), all).expect("entries that fit");
    let gone: Vec<String> = forgotten.entities().map(|(kind, id)| format!("{kind} {id}")).collect();
    assert_eq!(gone, ["customer c1", "account a1", "claim k1"]);
    let mut left: Stored = left.into_iter().map(|(name, key, entry)| ((name, key), entry)).collect();
    let mut never = kept(&plan, &others, 4);
    // Where in the source a row stood is another line without the lines before it.
    for entry in left.values_mut().chain(never.values_mut()) {
        if let Entry::Row(row) = entry {
            row.rank.origin.line = 0;
        }
    }
    assert_eq!(left, never);
}

#[test]
fn a_joint_account_stays_with_its_other_holder() {
    let plan = plan(PACK);
    let joint = r#"{"stream":"holders","k":9,"c":"c2","a":"a1","at":2}"#;
    let lines = [&LINES[..], &[joint]].concat();
    let all = kept(&plan, &lines, 4).into_iter().map(|((name, key), entry)| (name, key, entry)).collect();
    let (left, _) = forget(&plan, "customer", &Id::parse("c1"), all).expect("entries that fit");
    let left: Stored = left.into_iter().map(|(name, key, entry)| ((name, key), entry)).collect();
    assert_eq!(of(&left, "exists/account", "a1"), Some(&Entry::Exists));
    assert_eq!(of(&left, "exists/claim", "k1"), None);
    let rows: Vec<String> =
        left.keys().filter(|(name, _)| name.as_ref() == "rows/holders").map(|(_, key)| key.to_string()).collect();
    assert_eq!(rows, ["2", "3", "9"]);
}

#[test]
fn what_does_not_fit_the_plan_is_refused_by_name() {
    let before = plan(PACK);
    let stored = kept(&before, &LINES, 4);
    let refused = |plan: &Arc<Plan>, stored: &Stored| {
        let restoring = Restoring { plan, at: 4, worker: 0, workers: 1, before: None };
        let entries = stored.iter().map(|((name, key), entry)| (Arc::clone(name), key.clone(), entry.clone()));
        StateHandle::restoring(&restoring, entries).err().map(|error| error.to_string())
    };
    assert_eq!(refused(&before, &stored), None);
    let retyped = plan(&PACK.replace("role = \"text?\"", "role = \"int?\""));
    let message = refused(&retyped, &stored).expect("an error");
    assert_eq!(message, "state of `rows/holders`, key `2`: `role` is no int");
    let gone = plan(&PACK.replace("account", "deposit"));
    assert!(refused(&gone, &stored).expect("an error").contains("the pack has no entity `account`"));
    let wrong = |name: &str, key: Key, entry: Entry| {
        refused(&before, &Stored::from([((Arc::from(name), key), entry)])).expect("an error")
    };
    let id = || Key::Id(Id::parse("c1"));
    assert!(wrong("else", id(), Entry::Exists).contains("no collection is called so"));
    assert!(wrong("policy", id(), Entry::Exists).contains("entries of another kind"));
    assert!(wrong("policy", Key::Row(Vec::new()), Entry::Exists).contains("its keys are ids"));
    let feature = stored.iter().find(|((name, _), _)| name.starts_with("feature/account/")).expect("a feature");
    let value = Kept::Value { value: Value::Bool(true), times: 1 };
    let entry = Entry::Feature(vec![Held { until: FOREVER, kept: value }]);
    assert!(wrong(&feature.0.0, id(), entry).contains("it is not what `"));
}

#[test]
fn a_cut_has_its_time() {
    let plan = plan(PACK);
    let late = Leg { cuts: vec![(4, Extent::Whole), (2, Extent::Changed)], workers: 1, ..leg(&plan, &LINES, 9) };
    let error = run(&late).expect_err("an error");
    assert_eq!(error, "a cut at 2 comes too late: 4 was gone through already");
    assert!(StateHandle::new().cut(1, Extent::Whole).is_err(), "nobody answers");
}
