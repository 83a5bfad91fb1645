//! What can be shown of the parts without a pack; whole packs are compared by the property tests.

mod moments;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use timely::dataflow::operators::{Input as _, Inspect as _, Probe as _};

use super::intervals::{Intervals, Ordered};
use super::machine::{Alarms, Machine as _};
use crate::{Transition, ViewPart};
use propice_define::Plan;
use propice_define::plan::{
    Aggregate, Entity, Feature, FeatureSource, Format, Input, Interval, Policy, Relation, Table,
};
use propice_model::time::FOREVER;
use propice_model::{
    Changes, Contribution, EntityChange, Fact, FeatureId, FieldId, Id, InputId, KindId, LogicalTime, Origin, Rank,
    Type, Value,
};

const ACCOUNT: KindId = KindId(1);
const TRANS: InputId = InputId(0);
const OWNERS: InputId = InputId(1);

fn feature(name: &str, aggregate: Aggregate, source: FeatureSource, ty: Type) -> Feature {
    Feature {
        name: name.to_owned(),
        ty,
        source,
        aggregate,
        argument: None,
        filter: None,
        interval: Interval::Always,
        retracts: false,
        implied: false,
        description: None,
    }
}

/// Accounts with the number and the values of their records; customers with the number of their
/// accounts.
fn plan() -> Arc<Plan> {
    let input = |name: &str, table: Option<Table>| Input {
        name: name.to_owned(),
        description: None,
        fields: Vec::new(),
        time: None,
        order: None,
        about: None,
        table,
        format: Format::default(),
        optional: false,
    };
    let entity = |name: &str, relation, features| Entity {
        label: std::collections::BTreeMap::default(),
        labels: std::collections::BTreeMap::default(),
        name: name.to_owned(),
        relation,
        features,
        attributes: Vec::new(),
        evaluation: Vec::new(),
        implied: false,
    };
    let records = FeatureSource::Records { input: TRANS, key: FieldId(0) };
    let of_records = |name, aggregate, ty| feature(name, aggregate, records, ty);
    let ints = Type::List(Box::new(Type::Int));
    Arc::new(Plan {
        language: None,
        name: "test".to_owned(),
        version: "1".to_owned(),
        timezone: "UTC".to_owned(),
        description: None,
        inputs: vec![input("trans", None), input("owners", Some(Table { key: vec![FieldId(0)], delete: None }))],
        entities: vec![
            entity(
                "customer",
                None,
                vec![feature("accounts", Aggregate::Count, FeatureSource::Entities(ACCOUNT), Type::Int)],
            ),
            entity(
                "account",
                Some(Relation { input: OWNERS, customer: FieldId(0), entity: FieldId(0), filter: None }),
                vec![
                    of_records("n", Aggregate::Count, Type::Int),
                    of_records("last", Aggregate::Last, Type::Int),
                    of_records("least", Aggregate::Set(2), ints.clone()),
                    of_records("often", Aggregate::TopList(2), ints),
                    of_records("different", Aggregate::Distinct, Type::Int),
                ],
            ),
        ],
        moments: Vec::new(),
        policy: Policy::default(),
        channels: Vec::new(),
        tests: Vec::new(),
        warnings: Vec::new(),
        keeps_rows: false,
    })
}

fn rank(event_time: u64, line: u64) -> Rank {
    Rank { event_time, order: Value::Null, origin: Origin { file: 0, line } }
}

fn contribution(feature: u16, until: LogicalTime, value: i64) -> Contribution {
    Contribution { feature: FeatureId(feature), from: 0, until, value: Value::Int(value) }
}

/// What a record says of an entity that it names.
fn change(kind: KindId, id: u64, event_time: u64, contributions: Vec<Contribution>) -> EntityChange {
    let (id, order) = (Id::Number(id), Value::Null);
    EntityChange { kind, id, names: true, lasting: true, owner: None, event_time, order, contributions }
}

/// A record about an account: it counts for every feature until a time.
fn record(account: u64, event_time: u64, until: LogicalTime, value: i64) -> Fact {
    let contributions = (0..5).map(|feature| contribution(feature, until, value)).collect();
    let changes = Changes::from([change(ACCOUNT, account, event_time, contributions)]);
    Fact { input: TRANS, rank: rank(event_time, 0), key: Vec::new(), changes, row: None }
}

/// A row of the table of owners; without an owner, its deletion.
fn owner(key: i64, event_time: u64, relation: Option<(u64, u64)>) -> Fact {
    let changes = relation.map(|(account, customer)| {
        let of_account = change(ACCOUNT, account, event_time, Vec::new());
        let of_account = EntityChange { owner: Some(Id::Number(customer)), ..of_account };
        Changes::from_vec(vec![of_account, change(KindId::CUSTOMER, customer, event_time, Vec::new())])
    });
    let key = vec![Value::Int(key)];
    Fact { input: OWNERS, rank: rank(event_time, 0), key, changes: changes.unwrap_or_default(), row: None }
}

/// Transitions, and the differences of the views, by time.
type Seen = (Vec<Transition>, BTreeMap<(LogicalTime, ViewPart), isize>);

/// Runs facts, each at its logical time, through the engine; the clock ends at `end`.
fn run(plan: &Arc<Plan>, facts: &[(LogicalTime, Fact)], end: LogicalTime, workers: usize) -> Seen {
    let (plan, facts) = (Arc::clone(plan), facts.to_vec());
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let shared = Arc::clone(&seen);
    let guards = timely::execute(timely::Config::process(workers), move |worker| {
        let (of_transitions, of_views) = (Arc::clone(&shared), Arc::clone(&shared));
        let (mut input, probe) = worker.dataflow(|scope| {
            let (input, facts) = scope.new_input::<Vec<_>>();
            let flow = crate::build(crate::Engine::Reference, &plan, facts, &true.into());
            let (probe, _) = flow
                .events
                .inspect(move |(event, _, _)| {
                    if let crate::Event::Transition(transition) = event {
                        of_transitions.lock().unwrap().0.push(transition.clone());
                    }
                })
                .probe();
            let views = flow.views.expect("views were asked for").inspect(move |(part, time, diff)| {
                *of_views.lock().unwrap().1.entry((*time, part.clone())).or_default() += diff;
            });
            (input, views.probe_with(&probe).probe().0)
        });
        if worker.index() == 0 {
            for (time, fact) in &facts {
                input.advance_to(*time);
                input.send((fact.clone(), *time, 1));
            }
        }
        input.advance_to(end);
        worker.step_while(|| probe.less_than(&end));
    });
    guards.unwrap().join().into_iter().for_each(|worker| worker.unwrap());
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.0.sort();
    seen.1.retain(|_, diff| *diff != 0);
    seen
}

/// The views after everything.
fn views_at_the_end(seen: &Seen) -> Vec<(u64, Option<u64>, Vec<Value>)> {
    let number = |id: &Id| if let Id::Number(number) = id { *number } else { 0 };
    let mut parts: BTreeMap<&ViewPart, isize> = BTreeMap::new();
    for ((_, part), diff) in &seen.1 {
        *parts.entry(part).or_default() += diff;
    }
    parts.retain(|_, diff| *diff != 0);
    assert!(parts.values().all(|diff| *diff == 1), "{parts:?}");
    let plain =
        |part: &ViewPart| (number(&part.customer), part.entity.as_ref().map(|(_, id)| number(id)), part.slots.to_vec());
    parts.into_keys().map(plain).collect()
}

fn ints(values: &[i64]) -> Value {
    Value::List(values.iter().map(|value| Value::Int(*value)).collect())
}

#[test]
fn every_aggregate_takes_back_what_no_longer_counts() {
    let facts = [
        (1, owner(1, 0, Some((7, 42)))),
        (10, record(7, 10, 100, 5)),
        (20, record(7, 20, FOREVER, 3)),
        (30, record(7, 30, 100, 5)),
        (30, record(7, 12, FOREVER, 9)),
    ];
    let of_account = |n: i64, last: i64, least: &[i64], often: &[i64], different: i64| {
        vec![Value::Int(n), Value::Int(last), ints(least), ints(often), Value::Int(different)]
    };
    let customer = (42, None, vec![Value::Int(1)]);
    for workers in [1, 3] {
        let seen = run(&plan(), &facts, 100, workers);
        let expected = (42, Some(7), of_account(4, 5, &[3, 5], &[5, 3], 3));
        assert_eq!(views_at_the_end(&seen), [customer.clone(), expected]);
        let seen = run(&plan(), &facts, 101, workers);
        let expected = (42, Some(7), of_account(2, 3, &[3, 9], &[3, 9], 2));
        assert_eq!(views_at_the_end(&seen), [customer.clone(), expected]);
        let times: Vec<_> = seen.1.keys().map(|(time, _)| *time).collect();
        assert_eq!(times, [1, 1, 10, 10, 20, 20, 30, 30, 100, 100]);
    }
}

#[test]
fn the_latest_row_of_a_key_counts_and_can_be_deleted() {
    let nothing = vec![Value::Int(0), Value::Null, Value::Null, Value::Null, Value::Int(0)];
    let owned = |customer| vec![(customer, None, vec![Value::Int(1)]), (customer, Some(7), nothing.clone())];
    let mut facts = vec![(1, owner(1, 5, Some((7, 42))))];
    assert_eq!(views_at_the_end(&run(&plan(), &facts, 50, 2)), owned(42));
    facts.push((2, owner(1, 4, Some((7, 43)))));
    assert_eq!(views_at_the_end(&run(&plan(), &facts, 50, 2)), owned(42), "an older row changes nothing");
    facts.push((3, owner(1, 6, Some((7, 44)))));
    assert_eq!(views_at_the_end(&run(&plan(), &facts, 50, 2)), owned(44), "the account moves");
    facts.push((3, owner(1, 7, None)));
    assert_eq!(views_at_the_end(&run(&plan(), &facts, 50, 2)), [], "deleted");
    facts.push((4, owner(1, 7, Some((7, 42)))));
    facts.push((4, owner(2, 0, Some((7, 45)))));
    let joint = [owned(42), owned(45)].concat();
    assert_eq!(views_at_the_end(&run(&plan(), &facts, 50, 2)), joint, "of equal event time, and joint");
}

#[test]
fn what_counts_from_then_until_then_is_there_in_between() {
    let subject = (ACCOUNT, Id::Number(7));
    let counted = |from, until| {
        let contribution = Contribution { from, ..contribution(0, until, 1) };
        (subject.clone(), Ordered { event_time: 0, order: Value::Null, contribution })
    };
    let mut machine = Intervals::default();
    let mut out = Vec::new();
    let changes = [(5, FOREVER), (20, 30), (0, 15), (12, 12), (0, 10)].map(|(from, until)| (counted(from, until), 1));
    machine.step(10, changes.to_vec(), &mut out);
    machine.step(11, vec![(counted(20, 30), -1), (counted(0, 15), -1)], &mut out);
    while let Some(now) = machine.next() {
        machine.step(now, Vec::new(), &mut out);
    }
    differential_dataflow::consolidation::consolidate_updates(&mut out);
    let expected = [(counted(0, 15), 10, 1), (counted(0, 15), 11, -1), (counted(5, FOREVER), 10, 1)];
    assert_eq!(out, expected);
}

#[test]
fn a_key_has_one_alarm() {
    let mut alarms = Alarms::default();
    alarms.set("a", Some(10));
    alarms.set("b", Some(20));
    alarms.set("a", Some(30));
    assert_eq!(alarms.next(), Some(20));
    assert_eq!(alarms.ring(20), ["b"]);
    alarms.set("c", Some(30));
    alarms.set("a", Some(30));
    assert_eq!(alarms.ring(30), ["a", "c"]);
    alarms.set("d", Some(40));
    alarms.set("d", None);
    assert_eq!(alarms.next(), None);
}
