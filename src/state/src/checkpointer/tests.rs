//! A cluster that lives, dies at any instant and begins again: what is loaded is always a state
//! that was, at the time that the manifest says, and the store stays tidy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Checkpointer, Cut, NotCut, Report};
use crate::compaction::Policy;
use crate::error::{Error, Fault};
use crate::generation::{self, Generation};
use crate::manifest::{Manifest, Positions};
use crate::names::{CheckpointName, PartName};
use crate::part::Part;
use crate::ranges::{self, Kind};
use crate::read;
use crate::recovery::{Decision, Depth, Topics, recover};
use crate::store::{Happens, Memory, Operation, Shared};
use crate::testing::{CLUSTER, Kept, Key, Random, begun, everything, shared, starter};

type State = BTreeMap<(String, Key), Kept>;

fn range_of(key: &Key) -> u8 {
    match key {
        Key::Number(number) => (*number * 37 % 256) as u8,
        Key::Text(text) => text.len() as u8,
    }
}

/// The state at every time: what the law says it is, whoever computes it, and however often.
fn changes_at(time: u64) -> Vec<((String, Key), Option<Kept>)> {
    let mut random = Random(time);
    let count = random.below(12);
    let change = |random: &mut Random| {
        let collection = ["rows", "policy"][random.below(2) as usize].to_owned();
        let key = Key::Number(random.below(90));
        let kept = (random.below(4) > 0).then(|| Kept::of(random.next() % 1_000));
        ((collection, key), kept)
    };
    (0..count).map(|_| change(&mut random)).collect()
}

fn apply(state: &mut State, changes: &[((String, Key), Option<Kept>)]) {
    for (at, kept) in changes {
        match kept {
            Some(kept) => state.insert(at.clone(), kept.clone()),
            None => state.remove(at),
        };
    }
}

fn state_at(time: u64) -> State {
    let mut state = State::new();
    (1..=time).for_each(|time| apply(&mut state, &changes_at(time)));
    state
}

fn at(time: u64) -> Positions {
    BTreeMap::from([("bookings".to_owned(), BTreeMap::from([(0, time as i64)]))])
}

fn loaded_state(store: &Shared, manifest: &Manifest) -> State {
    load(store, manifest).expect("whole")
}

fn load(store: &Shared, manifest: &Manifest) -> Result<State, Error> {
    let entries = read::all(store, manifest, &everything())?;
    let typed = entries.into_iter().map(|entry| {
        let key: Key = entry.key()?;
        assert_eq!(entry.range, range_of(&key));
        Ok(((entry.collection.to_string(), key), entry.entry()?.expect("what is gone is left out")))
    });
    typed.collect()
}

/// One life of a cluster.
struct Life {
    store: Shared,
    checkpointer: Checkpointer,
    time: u64,
    state: State,
    /// What changed since the last part of each key range.
    dirty: BTreeSet<(String, Key)>,
    policy: Policy,
}

impl Life {
    /// Steps 1 and 5 of a start. Nothing if the process died.
    fn begin(store: &Shared, nonce: u64, depth: Depth) -> Option<Life> {
        let generation = generation::begin(store.as_ref(), &starter(nonce)).ok()?;
        let (decision, observed) = recover(store, &generation, Topics::default(), BTreeMap::new(), depth).ok()?;
        let bad: BTreeMap<CheckpointName, Fault> = BTreeMap::new();
        let policy = Policy { deltas: 3, deltas_most: 6, bases_at_once: 16, small_bytes: 64 };
        let manifest = match decision {
            Decision::Fresh => None,
            Decision::Load { manifest } => Some(*manifest),
            other => panic!("generation {}: {other:?} of {observed:?}", generation.number),
        };
        let (time, state) = match &manifest {
            Some(manifest) => (manifest.time, load(store, manifest).ok()?),
            None => (0, State::new()),
        };
        let checkpointer =
            Checkpointer::new(store, generation, json!({"features": ["balance"]}), manifest.clone(), &bad, policy);
        let mut life = Life { store: store.clone(), checkpointer, time, state, dirty: BTreeSet::new(), policy };
        if manifest.is_none() {
            life.checkpointer.initial(at(0), at(0), 0).expect("it begins with nothing");
            life.checkpointer.machine().latest()?;
        }
        assert_eq!(life.state, state_at(life.time), "the state of that time");
        Some(life)
    }

    fn go(&mut self, times: u64) {
        for _ in 0..times {
            self.time += 1;
            let changes = changes_at(self.time);
            apply(&mut self.state, &changes);
            self.dirty.extend(changes.into_iter().map(|(at, _)| at));
        }
    }

    /// A cut, written by so many workers. Ends where the store fails.
    fn checkpoint(&mut self, workers: usize) -> Vec<Report> {
        let time = self.time;
        let cut = Cut { time, at_ms: time as i64, writers: ranges::dealt(workers) };
        let writes = match self.checkpointer.cut(cut) {
            Ok(writes) => writes,
            Err(error) => panic!("{error}"),
        };
        let dirty = std::mem::take(&mut self.dirty);
        let mut reports = Vec::new();
        for write in writes {
            let part = (|| {
                let mut writer = self.checkpointer.writer(&write)?;
                for (&range, kind) in &write.kinds {
                    if *kind == Kind::Base {
                        for ((collection, key), kept) in
                            self.state.iter().filter(|((_, key), _)| range_of(key) == range)
                        {
                            writer.push(collection, range, key, Some(kept))?;
                        }
                    } else {
                        for (collection, key) in dirty.iter().filter(|(_, key)| range_of(key) == range) {
                            writer.push(collection, range, key, self.state.get(&(collection.clone(), key.clone())))?;
                        }
                    }
                }
                writer.finish()
            })();
            let part = part.map_err(|error: Error| error.to_string());
            reports.extend(self.checkpointer.written(time, write.head.writer, part));
        }
        reports.extend(self.checkpointer.positions(time, at(time), at(time)));
        reports.extend(self.checkpointer.visible(ranges::all(), time));
        reports
    }
}

/// What holds whenever nobody is at work.
fn in_order(memory: &Memory) -> Option<u64> {
    let store = shared(memory);
    let generation = begun(&store, 99_999);
    let (decision, _) =
        recover(&store, &generation, Topics::default(), BTreeMap::new(), Depth::Blocks).expect("memory");
    match decision {
        Decision::Fresh => None,
        Decision::Load { manifest } => {
            assert_eq!(loaded_state(&store, &manifest), state_at(manifest.time));
            Some(manifest.time)
        }
        other => panic!("{other:?}"),
    }
}

fn tidy(memory: &Memory, store: &Shared) {
    let listing = crate::store::listing(store.as_ref()).expect("a list");
    assert!(listing.checkpoints.len() <= 3, "{:?}", listing.checkpoints);
    assert!(listing.leftovers.is_empty() && listing.others.is_empty());
    let manifests =
        listing.checkpoints.iter().map(|name| Manifest::read(store.as_ref(), *name, CLUSTER).expect("whole"));
    let named: BTreeSet<PartName> = manifests.flat_map(|manifest| manifest.part_names()).collect();
    let there: BTreeSet<PartName> = listing.parts.iter().map(|(name, _)| *name).collect();
    assert_eq!(there, named, "what no manifest names is gone, in {:?}", memory.names());
}

#[test]
fn checkpoints_follow_one_another_and_the_store_stays_tidy() {
    let memory = Memory::new();
    let store = shared(&memory);
    let mut life = Life::begin(&store, 1, Depth::Ends).expect("nothing fails");
    let mut bases = 0;
    for round in 0..40 {
        life.go(3);
        let reports = life.checkpoint(1 + round % 3);
        let Some(Report::Put { name, .. }) = reports.first() else { panic!("{reports:?}") };
        let manifest = Manifest::read(store.as_ref(), *name, CLUSTER).expect("whole");
        assert_eq!(loaded_state(&store, &manifest), state_at(life.time));
        let chains = manifest.chains();
        assert!(chains.values().all(|chain| chain.len() <= life.policy.deltas_most + 1));
        bases += manifest
            .parts
            .iter()
            .filter(|part| part.time == life.time)
            .flat_map(|part| &part.sections)
            .filter(|section| section.kind == Kind::Base)
            .count();
        tidy(&memory, &store);
    }
    assert!(bases > 512, "bases are written anew: {bases}");
}

/// Killed at every operation of a life with three checkpoints, before and after it; also while it
/// starts; and then once more at every third operation of the next life.
#[test]
fn killed_at_each_point_nothing_is_lost() {
    let operations = {
        let memory = Memory::new();
        let client = memory.client();
        let store: Shared = client.clone();
        lives(&store, 1);
        client.operations()
    };
    assert!(operations > 30, "{operations}");
    for at in 0..operations {
        for happens in [Happens::DiesBefore, Happens::DiesAfter] {
            let memory = Memory::new();
            let put = lives(&dying(&memory, at, happens), 1);
            let there = in_order(&memory.copied());
            assert!(there >= put, "operation {at}, {happens:?}: {there:?} is there, and {put:?} was put");
            let second = (at * 3) % operations;
            let put_again = lives(&dying(&memory, second, happens), 2);
            assert!(in_order(&memory.copied()) >= put_again.max(put), "operations {at} and {second}");
            // Whoever lives on leaves the store in order.
            let store = shared(&memory);
            let mut life = Life::begin(&store, 3, Depth::Blocks).expect("nothing fails");
            life.go(2);
            life.checkpoint(2);
            tidy(&memory, &store);
        }
    }
}

fn dying(memory: &Memory, at: u64, happens: Happens) -> Shared {
    memory.client_with(move |operation: &Operation| if operation.number == at { happens } else { Happens::Fine })
}

/// A life with three checkpoints, as long as it lasts. Returns the time of the last that was put.
fn lives(store: &Shared, nonce: u64) -> Option<u64> {
    let mut put = None;
    let mut life = Life::begin(store, nonce, Depth::Ends)?;
    for workers in [1, 3, 2] {
        life.go(2);
        for report in life.checkpoint(workers) {
            if let Report::Put { name, .. } = report {
                put = Some(name.time);
            }
        }
    }
    put
}

/// A store that fails now and then, with and without effect: the checkpoint is given up, and the
/// next one makes up for it.
#[test]
fn what_fails_is_made_up_for() {
    let (mut given_up, mut put) = (0, 0);
    for seed in 0..60 {
        let memory = Memory::new();
        let mut life = Life::begin(&shared(&memory), 1, Depth::Ends).expect("nothing fails");
        let mut random = Random(seed);
        let failing: Shared = memory.client_with(move |_| match random.below(60) {
            0 => Happens::FailsBefore,
            1 => Happens::FailsAfter,
            2 => Happens::Full,
            3 => Happens::Partial(1),
            _ => Happens::Fine,
        });
        let latest = life.checkpointer.machine().latest();
        let manifest = Manifest::read(life.store.as_ref(), latest.expect("the first one"), CLUSTER).expect("whole");
        let generation = life.checkpointer.machine().generation().clone();
        life.checkpointer =
            Checkpointer::new(&failing, generation, json!(null), Some(manifest), &BTreeMap::new(), life.policy);
        for round in 0..12 {
            life.go(2);
            for report in life.checkpoint(1 + round % 4) {
                match report {
                    Report::Put { name, .. } => {
                        put += 1;
                        let manifest = Manifest::read(life.store.as_ref(), name, CLUSTER).expect("whole");
                        assert_eq!(loaded_state(&life.store, &manifest), state_at(life.time), "seed {seed}");
                    }
                    Report::Abandoned { .. } => given_up += 1,
                    Report::Collected(_) | Report::NotCollected(_) => {}
                    Report::Superseded => panic!("nobody else is there"),
                }
            }
            assert!(life.checkpointer.machine().is_idle());
        }
        in_order(&memory);
    }
    assert!(given_up > 50 && put > 200, "{given_up} given up, {put} put");
}

#[test]
fn a_manifest_waits_for_all_that_it_needs() {
    let memory = Memory::new();
    let store = shared(&memory);
    let mut life = Life::begin(&store, 1, Depth::Ends).expect("nothing fails");
    life.go(5);
    let writes = life.checkpointer.cut(Cut { time: 5, at_ms: 0, writers: ranges::dealt(2) }).expect("idle");
    assert_eq!(life.checkpointer.machine().awaited(), Some(5));
    assert_eq!(life.checkpointer.cut(Cut { time: 6, at_ms: 0, writers: ranges::dealt(2) }), Err(NotCut::Busy));
    let mut none = Vec::new();
    for write in &writes {
        none.extend(life.checkpointer.visible((0..=255).filter(|range| *range != 77), 9));
        none.extend(life.checkpointer.visible([77], 4));
        none.extend(life.checkpointer.positions(5, at(5), at(5)));
        let part = life.checkpointer.writer(write).and_then(crate::PartWriter::finish).expect("bases of nothing");
        none.extend(life.checkpointer.written(5, write.head.writer, Ok(part)));
    }
    assert_eq!(none, [], "key range 77 is not visible through 5");
    assert_eq!(store.list("checkpoints").expect("a list").len(), 1);
    // What is over is not taken back, and another cut's news is none.
    assert_eq!(life.checkpointer.written(4, 0, Err("late".to_owned())), []);
    let reports = life.checkpointer.visible([77], 5);
    assert!(matches!(reports[0], Report::Put { name: CheckpointName { time: 5, .. }, .. }), "{reports:?}");
    for (time, writers, words) in [(5, ranges::dealt(1), "not after 5"), (9, vec![(0..9).collect()], "not all of them")]
    {
        let error = life.checkpointer.cut(Cut { time, at_ms: 0, writers }).expect_err("wrong").to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_generation_that_is_over_puts_and_deletes_nothing() {
    let memory = Memory::new();
    let store = shared(&memory);
    let mut zombie = Life::begin(&store, 1, Depth::Ends).expect("nothing fails");
    zombie.go(4);
    zombie.checkpoint(1);
    let mut next = Life::begin(&store, 2, Depth::Ends).expect("nothing fails");
    zombie.go(4);
    assert_eq!(zombie.checkpoint(1), [Report::Superseded]);
    assert_eq!(zombie.checkpointer.cut(Cut { time: 99, at_ms: 0, writers: ranges::dealt(1) }), Err(NotCut::Superseded));
    next.go(6);
    assert!(matches!(next.checkpoint(2)[0], Report::Put { .. }));
    tidy(&memory, &store);
    assert_eq!(in_order(&memory), Some(10));
}

#[test]
fn a_cluster_that_begins_with_nothing_says_so_first() {
    let memory = Memory::new();
    let store = shared(&memory);
    let generation = begun(&store, 1);
    let mut checkpointer =
        Checkpointer::new(&store, generation, json!(null), None, &BTreeMap::new(), Policy::default());
    assert_eq!(checkpointer.cut(Cut { time: 5, at_ms: 0, writers: ranges::dealt(1) }), Err(NotCut::NoInitial));
    checkpointer.initial(at(7), at(0), 0).expect("it begins with nothing");
    assert!(checkpointer.initial(at(7), at(0), 0).is_err(), "once");
    let manifest =
        Manifest::read(store.as_ref(), checkpointer.machine().latest().expect("it"), CLUSTER).expect("whole");
    assert_eq!((manifest.time, manifest.sources), (0, at(7)));
}

/// Another plan: nothing that the old one wrote is gone on with.
#[test]
fn another_plan_writes_all_bases_anew() {
    let memory = Memory::new();
    let store = shared(&memory);
    let mut life = Life::begin(&store, 1, Depth::Ends).expect("nothing fails");
    life.go(3);
    life.checkpoint(1);
    let manifest =
        Manifest::read(store.as_ref(), life.checkpointer.machine().latest().expect("it"), CLUSTER).expect("whole");
    let generation =
        Generation { plan: "plan-2".to_owned(), number: 2, ..life.checkpointer.machine().generation().clone() };
    let mut next = Checkpointer::new(&store, generation, json!(null), Some(manifest), &BTreeMap::new(), life.policy);
    let writes = next.cut(Cut { time: 9, at_ms: 0, writers: ranges::dealt(2) }).expect("idle");
    assert!(writes.iter().flat_map(|write| write.kinds.values()).all(|kind| *kind == Kind::Base));
}

/// Damage to the newest checkpoint: the one before is loaded, and what follows is whole again.
#[test]
fn an_older_one_is_gone_on_from() {
    let memory = Memory::new();
    let store = shared(&memory);
    let mut life = Life::begin(&store, 1, Depth::Ends).expect("nothing fails");
    for _ in 0..3 {
        life.go(3);
        life.checkpoint(2);
    }
    let name = PartName { generation: 1, time: 9, writer: 1 };
    let mut content = memory.content(&name.path()).expect("it is there").to_vec();
    let middle = Part::open(&store, name, CLUSTER).expect("whole").head().plan.len() + content.len() / 2;
    content[middle] ^= 4;
    memory.replace(&name.path(), Some(content.into()));
    let generation = begun(&store, 2);
    let (decision, observed) =
        recover(&store, &generation, Topics::default(), BTreeMap::new(), Depth::Blocks).expect("memory");
    let Decision::LoadOlder { manifest, skipped } = decision else { panic!("{decision:?}") };
    assert_eq!((manifest.time, skipped.len()), (6, 1));
    assert!(skipped[0].why.contains(&name.path()) && observed.bad_parts.contains_key(&name), "{}", skipped[0].why);
    assert_eq!(loaded_state(&store, &manifest), state_at(6));
    let bad = skipped.iter().map(|skipped| (skipped.name, Fault::Damaged(skipped.why.clone()))).collect();
    let checkpointer = Checkpointer::new(&store, generation, json!(null), Some(*manifest), &bad, life.policy);
    let mut life = Life { checkpointer, time: 6, state: state_at(6), dirty: BTreeSet::new(), ..life };
    life.go(7);
    assert!(matches!(life.checkpoint(1)[0], Report::Put { .. }));
    assert_eq!(in_order(&memory), Some(13));
}
