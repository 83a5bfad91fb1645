//! What is shown is what is there, also where that is damaged.

use std::collections::BTreeMap;

use super::{cluster, find, summary, verify};
use crate::checkpointer::{Checkpointer, Cut};
use crate::compaction::Policy;
use crate::store::{Memory, Shared};
use crate::testing::{CLUSTER, Kept, Key, begun, shared, small_part};
use crate::{Error, Kind, PartName, Positions, ranges};

/// Three checkpoints of 256 rows and one owner, one row changed in each.
fn store() -> (Memory, Shared) {
    let memory = Memory::new();
    let store = shared(&memory);
    let mut checkpointer =
        Checkpointer::new(&store, begun(&store, 1), serde_json::Value::Null, None, &BTreeMap::new(), Policy::default());
    checkpointer.initial(Positions::new(), Positions::new(), 0).expect("it begins with nothing");
    for time in [10, 20, 30] {
        for write in checkpointer.cut(Cut { time, at_ms: 5, writers: ranges::dealt(1) }).expect("idle") {
            let mut writer = checkpointer.writer(&write).expect("a writer");
            for (&range, kind) in &write.kinds {
                if *kind == Kind::Base || u64::from(range) == time {
                    writer
                        .push("rows", range, &Key::Number(u64::from(range)), Some(&Kept::of(time)))
                        .expect("an entry");
                }
            }
            if time == 10 {
                writer.push("owners", 9, &Key::Number(9), Some(&Kept::of(1))).expect("an entry");
            }
            checkpointer.written(time, write.head.writer, Ok(writer.finish().expect("written")));
        }
        checkpointer.positions(time, Positions::new(), Positions::new());
        checkpointer.visible(ranges::all(), time);
    }
    (memory, store)
}

fn damage(memory: &Memory, name: &str) {
    let mut content = memory.content(name).expect("it is there").to_vec();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    memory.replace(name, Some(content.into()));
}

#[test]
fn a_summary_counts_by_collection_and_key_range() {
    let (memory, store) = store();
    memory.replace("parts/notes.txt", Some("mine".into()));
    assert_eq!(cluster(&store).expect("it says"), Some(CLUSTER.to_owned()));
    let summary = summary(&store, CLUSTER).expect("it reads");
    let loaded = summary.loaded.as_ref().expect("a checkpoint");
    assert_eq!((loaded.time, loaded.collections["rows"].kept, loaded.collections["owners"].kept), (30, 258, 1));
    assert_eq!((loaded.ranges[&9].0.kept, loaded.ranges[&9].1), (2, 0));
    assert_eq!((loaded.ranges[&20].0.kept, loaded.ranges[&20].1), (2, 1));
    assert_eq!(summary.generation.as_ref().map(|generation| generation.number), Some(1));
    assert_eq!(
        (summary.parts.0, summary.unnamed, summary.others.as_slice()),
        (3, 0, ["parts/notes.txt".to_owned()].as_slice())
    );
    assert!(summary.recovery.starts_with("load `checkpoints/00000000000000000030-"), "{}", summary.recovery);
    let json = serde_json::to_value(&summary).expect("JSON");
    assert_eq!(json["loaded"]["collections"]["rows"]["kept"], 258);
}

#[test]
fn a_summary_says_what_a_recovery_would_do() {
    let (memory, store) = store();
    let newest = "checkpoints/00000000000000000030-00000000000000000001";
    damage(&memory, newest);
    let told = summary(&store, CLUSTER).expect("it reads");
    assert!(
        told.recovery.contains("load `checkpoints/00000000000000000020-")
            && told.recovery.contains("newer ones cannot be used"),
        "{}",
        told.recovery
    );
    assert!(told.checkpoints.iter().any(|(name, wrong)| name == newest && wrong.is_some()));
    for name in memory.names().into_iter().filter(|name| name.starts_with("checkpoints/")) {
        memory.replace(&name, None);
    }
    let told = summary(&store, CLUSTER).expect("it reads");
    assert!(told.recovery.starts_with("stop: ") && told.loaded.is_none(), "{}", told.recovery);
    let error = find(&store, CLUSTER, |_| true, |_| Ok(())).expect_err("nothing to look into").to_string();
    assert!(error.contains("bring the folder back"), "{error}");
    let empty = shared(&Memory::new());
    assert_eq!(cluster(&empty).expect("nothing says"), None);
    assert!(summary(&empty, CLUSTER).expect("it reads").recovery.starts_with("begin with nothing"));
}

#[test]
fn every_object_is_verified() {
    let (memory, store) = store();
    let whole = verify(&store, CLUSTER).expect("it reads");
    assert_eq!((whole.objects, whole.entries, whole.faults.len()), (2 + 3 + 3, 259, 0));
    for name in memory.names() {
        let other = memory.copied();
        damage(&other, &name);
        let found = verify(&shared(&other), CLUSTER).expect("it reads");
        assert!(found.faults.iter().any(|(at, _)| *at == name), "{name}: {:?}", found.faults);
    }
    let gone = memory.copied();
    let part = PartName { generation: 1, time: 10, writer: 0 };
    gone.replace(&part.path(), None);
    let found = verify(&shared(&gone), CLUSTER).expect("it reads");
    assert_eq!(found.faults.len(), 3, "each checkpoint that names it: {:?}", found.faults);
    assert!(found.faults.iter().all(|(_, what)| what.contains("is missing")));
    // Whole, of this name, and yet not what the checkpoints name.
    let other = shared(&Memory::new());
    small_part(&other, crate::testing::head(1, 10, 0)).expect("written");
    let size = other.size(&part.path()).expect("it is there");
    gone.replace(&part.path(), Some(other.get(&part.path(), 0..size).expect("it reads")));
    let found = verify(&shared(&gone), CLUSTER).expect("it reads");
    assert!(
        found.faults.iter().all(|(_, what)| what.contains("is another one")) && found.faults.len() == 3,
        "{:?}",
        found.faults
    );
}

#[test]
fn one_customer_is_found() {
    let (_, store) = store();
    let mut found = Vec::new();
    let wanted = |entry: &crate::Entry| entry.key::<Key>().is_ok_and(|key| key == Key::Number(9));
    let manifest = find(&store, CLUSTER, wanted, |entry| {
        found.push((entry.collection.to_string(), entry.entry::<Kept>()?.expect("kept")));
        Ok(())
    });
    assert_eq!(manifest.expect("a checkpoint").time, 30);
    assert_eq!(found, [("rows".to_owned(), Kept::of(10)), ("owners".to_owned(), Kept::of(1))]);
    let error = find(&store, "insurance", |_| true, |_| Ok(())).expect_err("another cluster");
    assert!(matches!(error, Error::Refused { .. }), "{error}");
}
