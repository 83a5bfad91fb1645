//! Each case of the decision, and what holds in all of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::decide::{Decision, Observed, Topics, decide};
use crate::error::Fault;
use crate::generation::Generation;
use crate::manifest::{Manifest, Positions};
use crate::names::{CheckpointName, PartName};
use crate::part::{PartRef, Section};
use crate::ranges::{self, Kind};
use crate::testing::{CLUSTER, PLAN};

fn generation(number: u64, newest_checkpoint: Option<CheckpointName>) -> Generation {
    let newest_checkpoint = newest_checkpoint.map(|name| name.path());
    Generation {
        cluster: CLUSTER.to_owned(),
        number,
        slots_ever: 2,
        plan: PLAN.to_owned(),
        started_at_ms: 0,
        nonce: number,
        newest_checkpoint,
    }
}

fn at(topic: &str, offset: i64) -> Positions {
    BTreeMap::from([(topic.to_owned(), BTreeMap::from([(0, offset)]))])
}

/// A checkpoint at a time, with one part of its own.
fn manifest(generation: u64, time: u64) -> Manifest {
    let sections =
        ranges::all().map(|range| Section { range, kind: Kind::Base, kept: 1, gone: 0, stored: 10 }).collect();
    let part =
        PartRef { generation, time, writer: 0, size: 9, checksum: String::new(), plan: PLAN.to_owned(), sections };
    Manifest {
        cluster: CLUSTER.to_owned(),
        generation,
        time,
        cut_at_ms: 0,
        plan: PLAN.to_owned(),
        plan_description: serde_json::Value::Null,
        slots_ever: 2,
        sources: at("bookings", time as i64),
        own: at("bindings", time as i64 / 10),
        parts: vec![part],
    }
}

fn name(generation: u64, time: u64) -> CheckpointName {
    CheckpointName { time, generation }
}

fn part(generation: u64, time: u64) -> PartName {
    PartName { generation, time, writer: 0 }
}

/// Two generations, three checkpoints, and generation 3 begins. Everything is in order.
fn ordinary() -> Observed {
    let manifests = [manifest(1, 100), manifest(2, 200), manifest(2, 300)];
    let extent = [("bookings", (0, 1_000)), ("bindings", (0, 100))];
    Observed {
        place: "state".to_owned(),
        generation: 3,
        generations: BTreeMap::from([(1, Ok(generation(1, None))), (2, Ok(generation(2, Some(name(1, 100)))))]),
        newest_at_begin: Some(name(2, 300)),
        marks: BTreeSet::from([1, 2]),
        parts: manifests.iter().flat_map(Manifest::part_names).collect(),
        checkpoints: manifests.into_iter().map(|manifest| (manifest.name(), Ok(manifest))).collect(),
        bad_parts: BTreeMap::new(),
        topics: Topics {
            extent: Some(extent.map(|(topic, extent)| (topic.to_owned(), BTreeMap::from([(0, extent)]))).into()),
            said_something: Some(true),
            visible_through: Some(350),
            greatest_generation: Some(2),
        },
    }
}

/// Nothing in the store; generation 1 begins.
fn nothing() -> Observed {
    Observed { place: "state".to_owned(), generation: 1, ..Observed::default() }
}

fn with(observed: Observed, change: impl FnOnce(&mut Observed)) -> Decision {
    let mut observed = observed;
    change(&mut observed);
    decide(&observed)
}

fn loads(decision: &Decision) -> (u64, Vec<u64>) {
    match decision {
        Decision::Load { manifest } => (manifest.time, Vec::new()),
        Decision::LoadOlder { manifest, skipped } => {
            (manifest.time, skipped.iter().map(|skipped| skipped.name.time).collect())
        }
        other => panic!("it loads nothing: {other:?}"),
    }
}

fn refuses(decision: &Decision, words: &str) {
    match decision {
        Decision::Refuse { reason, remedy } => {
            assert!(reason.contains(words), "{reason}");
            assert!(!remedy.is_empty());
        }
        other => panic!("it should refuse: {other:?}"),
    }
}

fn damaged() -> Fault {
    Fault::Damaged("its checksum does not match".to_owned())
}

#[test]
fn nothing_was_ever_there() {
    assert_eq!(decide(&nothing()), Decision::Fresh);
    let said = |said| Topics { said_something: Some(said), ..Topics::default() };
    assert_eq!(with(nothing(), |observed| observed.topics = said(false)), Decision::Fresh);
    // A store that was emptied, or the wrong folder.
    refuses(&with(nothing(), |observed| observed.topics = said(true)), "the topics hold what this cluster said");
    refuses(&with(nothing(), |observed| observed.topics.visible_through = Some(7)), "the topics hold");
    refuses(&with(nothing(), |observed| observed.topics.greatest_generation = Some(4)), "generation 4");
}

/// Something that a loss leaves behind.
type Trace = fn(&mut Observed);

#[test]
fn generations_that_died_before_their_first_checkpoint() {
    let died = |observed: &mut Observed| {
        observed.generation = 3;
        observed.generations = BTreeMap::from([(1, Ok(generation(1, None))), (2, Ok(generation(2, None)))]);
    };
    assert_eq!(with(nothing(), died), Decision::Fresh);
    let traces: [(&str, Trace); 6] = [
        ("checkpoints of generation 2 are missing", |observed| {
            observed.marks.insert(2);
        }),
        ("it is missing", |observed| {
            observed.generations.insert(2, Ok(generation(2, Some(name(1, 100)))));
        }),
        ("it is missing", |observed| observed.newest_at_begin = Some(name(2, 100))),
        ("but no checkpoint", |observed| {
            observed.parts.insert(part(1, 100));
        }),
        ("says whether there was one, is damaged", |observed| {
            observed.generations.insert(2, Err(damaged()));
        }),
        ("the topics hold", |observed| observed.topics.said_something = Some(true)),
    ];
    for (words, trace) in traces {
        let decision = with(nothing(), |observed| {
            died(observed);
            trace(observed);
        });
        refuses(&decision, words);
    }
}

#[test]
fn the_newest_is_loaded() {
    assert_eq!(loads(&decide(&ordinary())), (300, vec![]));
    // What is not known is not held against it.
    assert_eq!(loads(&with(ordinary(), |observed| observed.topics = Topics::default())), (300, vec![]));
    // The records of generations may be gone, or damaged: the checkpoint is what counts.
    assert_eq!(loads(&with(ordinary(), |observed| observed.generations.clear())), (300, vec![]));
    assert_eq!(
        loads(&with(ordinary(), |observed| *observed.generations.get_mut(&1).expect("it") = Err(damaged()))),
        (300, vec![])
    );
    // Exactly at the ends of what is there.
    let exact = with(ordinary(), |observed| {
        let extent = observed.topics.extent.as_mut().expect("known");
        extent.insert("bookings".to_owned(), BTreeMap::from([(0, (300, 300))]));
        observed.topics.visible_through = Some(300);
    });
    assert_eq!(loads(&exact), (300, vec![]));
}

#[test]
fn a_damaged_one_is_passed_over_and_said() {
    let bad: [fn(&mut Observed); 6] = [
        |observed| *observed.checkpoints.get_mut(&name(2, 300)).expect("it") = Err(damaged()),
        |observed| *observed.checkpoints.get_mut(&name(2, 300)).expect("it") = Err(Fault::Missing),
        |observed| {
            observed.bad_parts.insert(part(2, 300), damaged());
        },
        |observed| {
            observed.parts.remove(&part(2, 300));
        },
        |observed| {
            observed.checkpoints.remove(&name(2, 300));
        },
        |observed| {
            observed.checkpoints.remove(&name(2, 300));
            observed.newest_at_begin = None;
            observed.generations.insert(2, Ok(generation(2, Some(name(2, 300)))));
        },
    ];
    for (case, bad) in bad.into_iter().enumerate() {
        assert_eq!(loads(&with(ordinary(), bad)), (200, vec![300]), "case {case}");
        // The older one is there, but its records are not.
        let unreachable = with(ordinary(), |observed| {
            bad(observed);
            let extent = observed.topics.extent.as_mut().expect("known");
            extent.insert("bookings".to_owned(), BTreeMap::from([(0, (201, 1_000))]));
        });
        refuses(&unreachable, "needed from offset 200 on and begins at 201");
        let Decision::Refuse { reason, .. } = unreachable else { unreachable!() };
        assert!(reason.contains("newer ones cannot be used"), "case {case}: {reason}");
    }
}

#[test]
fn the_bindings_have_to_reach_back_too() {
    let decision = with(ordinary(), |observed| {
        observed.bad_parts.insert(part(2, 300), damaged());
        let extent = observed.topics.extent.as_mut().expect("known");
        extent.insert("bindings".to_owned(), BTreeMap::from([(0, (25, 100))]));
    });
    refuses(&decision, "`bindings`, partition 0, is needed from offset 20 on and begins at 25");
}

#[test]
fn no_whole_one_is_a_refusal() {
    let decision = with(ordinary(), |observed| {
        for read in observed.checkpoints.values_mut() {
            *read = Err(damaged());
        }
    });
    refuses(&decision, "no checkpoint in state can be used");
    refuses(&with(ordinary(), |observed| observed.checkpoints.clear()), "it is missing");
    refuses(&with(ordinary(), |observed| observed.parts.clear()), "is missing");
}

#[test]
fn what_is_not_ours_to_read_is_refused_even_where_an_older_one_is_whole() {
    for (fault, words) in [
        (Fault::Newer { format: 9 }, "newer propice (format 9)"),
        (Fault::OtherCluster("x".to_owned()), "the cluster `x`"),
    ] {
        refuses(
            &with(ordinary(), |observed| {
                *observed.checkpoints.get_mut(&name(2, 300)).expect("it") = Err(fault.clone());
            }),
            words,
        );
        refuses(
            &with(ordinary(), |observed| {
                observed.bad_parts.insert(part(2, 300), fault.clone());
            }),
            words,
        );
        refuses(
            &with(ordinary(), |observed| *observed.generations.get_mut(&2).expect("it") = Err(fault.clone())),
            words,
        );
    }
}

#[test]
fn other_topics_than_those_it_was_made_with_are_refused() {
    let extent = |partitions: BTreeMap<i32, (i64, i64)>| {
        move |observed: &mut Observed| {
            observed.topics.extent.as_mut().expect("known").insert("bookings".to_owned(), partitions);
        }
    };
    refuses(&with(ordinary(), extent(BTreeMap::new())), "partition 0 of the topic `bookings` is not there");
    refuses(&with(ordinary(), extent(BTreeMap::from([(0, (0, 299))]))), "it was made anew");
    assert_eq!(
        loads(&with(ordinary(), extent(BTreeMap::from([(0, (0, 300)), (1, (0, 5))])))),
        (300, vec![]),
        "a partition was added"
    );
    refuses(&with(ordinary(), |observed| observed.topics.visible_through = Some(299)), "visible only through 299");
    refuses(&with(ordinary(), |observed| observed.topics.greatest_generation = Some(17)), "generation 17");
}

#[test]
fn whoever_is_left_behind_stops() {
    refuses(
        &with(ordinary(), |observed| {
            observed.generations.insert(4, Ok(generation(4, None)));
        }),
        "generation 4 has begun",
    );
    let decision = with(ordinary(), |observed| {
        let manifest = manifest(5, 900);
        observed.parts.extend(manifest.part_names());
        observed.checkpoints.insert(manifest.name(), Ok(manifest));
    });
    refuses(&decision, "generation 5 has begun");
}

proptest! {
    /// Whatever is damaged or missing: never empty, never a bad one, never an older one than
    /// needed, and each newer one is named.
    #[test]
    fn never_empty_where_there_was_something(
        manifests in prop::collection::btree_set((1u64..4, 1u64..12), 1..6),
        broken in prop::collection::vec(0u8..6, 6),
        first in 0i64..14,
        reach in any::<bool>(),
    ) {
        let mut observed = ordinary();
        observed.generation = 4;
        observed.checkpoints.clear();
        observed.parts.clear();
        observed.newest_at_begin = manifests.iter().map(|&(generation, time)| name(generation, time * 100)).max();
        let mut whole = Vec::new();
        for (&(generation, time), broken) in manifests.iter().zip(broken) {
            let manifest = manifest(generation, time * 100);
            let (at, part) = (manifest.name(), part(generation, time * 100));
            observed.parts.insert(part);
            match broken {
                0 => { observed.checkpoints.insert(at, Err(damaged())); }
                1 => { observed.checkpoints.insert(at, Ok(manifest)); observed.bad_parts.insert(part, damaged()); }
                2 => { observed.checkpoints.insert(at, Ok(manifest)); observed.parts.remove(&part); }
                3 => {}
                _ => { observed.checkpoints.insert(at, Ok(manifest)); whole.push(at); }
            }
        }
        let extent = BTreeMap::from([("bookings".to_owned(), BTreeMap::from([(0, (first * 100, 10_000))])), ("bindings".to_owned(), BTreeMap::from([(0, (0, 10_000))]))]);
        observed.topics = Topics { extent: reach.then_some(extent), visible_through: Some(5_000), ..Topics::default() };
        let best = whole.iter().max().copied();
        match decide(&observed) {
            Decision::Fresh => prop_assert!(false, "it begins empty"),
            Decision::Load { manifest } => {
                prop_assert_eq!(Some(manifest.name()), best);
                prop_assert_eq!(Some(manifest.name()), observed.newest_at_begin);
            }
            Decision::LoadOlder { manifest, skipped } => {
                prop_assert_eq!(Some(manifest.name()), best);
                prop_assert!(!skipped.is_empty() && skipped.iter().all(|skipped| skipped.name > manifest.name()));
            }
            Decision::Refuse { reason, remedy } => {
                prop_assert!(!reason.is_empty() && !remedy.is_empty());
                let reachable = best.is_some_and(|best| !reach || best.time as i64 >= first * 100);
                prop_assert!(!reachable, "{}", reason);
            }
        }
    }
}
