//! Format 1, as it was first written: `fixtures/state/v1` is read for ever.
//!
//! The files are never written again, and [`crate::testing::Key`] and [`crate::testing::Kept`] keep
//! their shape. A newer format gets a folder of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::checkpointer::{Checkpointer, Cut};
use crate::compaction::Policy;
use crate::inspect;
use crate::recovery::{Decision, Depth, Topics, recover};
use crate::store::{Opening, Shared, open};
use crate::testing::{CLUSTER, Kept, Key, PLAN, begun, everything};
use crate::{Generation, Kind, Manifest, ranges, read};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/state/v1")
}

/// What is kept after the second cut: 40 rows, of which two changed, one went and one came; owners.
fn expected() -> BTreeMap<(String, Key), Kept> {
    let rows = (0..40).map(|number| (("rows".to_owned(), Key::Number(number)), Kept::of(number)));
    let owners =
        (0..5).map(|number| (("owners".to_owned(), Key::Text(format!("é{number}"))), Kept::of(1_000 + number)));
    let mut expected: BTreeMap<_, _> = rows.chain(owners).collect();
    expected.insert(("rows".to_owned(), Key::Number(7)), Kept::of(77));
    expected.insert(("rows".to_owned(), Key::Number(39)), Kept::of(u64::from(u32::MAX)));
    expected.remove(&("rows".to_owned(), Key::Number(8)));
    expected.insert(("rows".to_owned(), Key::Number(40)), Kept::of(40));
    expected
}

fn range_of(key: &Key) -> u8 {
    match key {
        Key::Number(number) => (number * 6) as u8,
        Key::Text(text) => text.len() as u8,
    }
}

/// Written once, by this; the result is in the repository.
#[test]
#[ignore = "writes the fixture of a format, once"]
fn write_format_1() {
    let folder = folder();
    assert!(!folder.exists(), "it is there, and is never written again");
    let store = open(&folder.display().to_string(), &Opening { create: true, ..Opening::default() }).expect("a store");
    let mut checkpointer = Checkpointer::new(
        &store,
        begun(&store, 1),
        serde_json::json!({"features": ["balance"]}),
        None,
        &BTreeMap::new(),
        Policy::default(),
    );
    let at = |offset| BTreeMap::from([("bookings".to_owned(), BTreeMap::from([(0, offset), (1, 2 * offset)]))]);
    checkpointer.initial(at(0), at(0), 0).expect("it begins with nothing");
    for time in [1_772_442_000_000, 1_772_442_010_000] {
        for write in checkpointer.cut(Cut { time, at_ms: time as i64, writers: ranges::dealt(2) }).expect("idle") {
            let mut writer = checkpointer.writer(&write).expect("a writer");
            for ((collection, key), kept) in expected() {
                let range = range_of(&key);
                let first = match &key {
                    Key::Number(40) => continue,
                    Key::Number(7 | 39) => Kept::of(7),
                    _ => kept,
                };
                if write.kinds.get(&range) == Some(&Kind::Base) {
                    writer.push(&collection, range, &key, Some(&first)).expect("an entry");
                }
            }
            let changed = [(7, Some(77)), (39, Some(u64::from(u32::MAX))), (8, None), (40, Some(40))];
            for (number, kept) in changed {
                let (key, kept) = (Key::Number(number), kept.map(Kept::of));
                let range = range_of(&key);
                match write.kinds.get(&range) {
                    Some(Kind::Delta) => writer.push("rows", range, &key, kept.as_ref()).expect("an entry"),
                    Some(Kind::Base) if number == 8 => {
                        writer.push("rows", range, &key, Some(&Kept::of(8))).expect("an entry");
                    }
                    _ => {}
                }
            }
            checkpointer.written(time, write.head.writer, Ok(writer.finish().expect("written")));
        }
        checkpointer.positions(time, at(time as i64), at(9));
        checkpointer.visible(ranges::all(), time);
    }
}

fn golden() -> (Shared, Manifest) {
    let store = open(&folder().display().to_string(), &Opening::default()).expect("the fixture");
    let next = Generation {
        cluster: CLUSTER.to_owned(),
        number: 2,
        slots_ever: 2,
        plan: PLAN.to_owned(),
        started_at_ms: 0,
        nonce: 2,
        newest_checkpoint: None,
    };
    match recover(&store, &next, Topics::default(), BTreeMap::new(), Depth::Blocks).expect("it reads").0 {
        Decision::Load { manifest } => (store, *manifest),
        other => panic!("{other:?}"),
    }
}

#[test]
fn format_1_reads_for_ever() {
    let (store, manifest) = golden();
    assert_eq!((manifest.time, manifest.generation, manifest.slots_ever), (1_772_442_010_000, 1, 2));
    assert_eq!(manifest.sources["bookings"][&1], 3_544_884_020_000);
    assert_eq!(manifest.plan_description["features"][0], "balance");
    let entries = read::all(&store, &manifest, &everything()).expect("whole").into_iter();
    let typed = entries.map(|entry| {
        let key: Key = entry.key().expect("a key");
        assert_eq!(entry.range, range_of(&key));
        ((entry.collection.to_string(), key), entry.entry::<Kept>().expect("an entry").expect("kept"))
    });
    assert_eq!(typed.collect::<BTreeMap<_, _>>(), expected());
    let verified = inspect::verify(&store, CLUSTER).expect("it reads");
    assert_eq!(verified.faults, []);
    assert_eq!(verified.objects, 2 + 4 + 3, "a generation with its mark, parts of two workers for two cuts, manifests");
}

#[test]
fn one_key_range_reads_alone() {
    let (store, manifest) = golden();
    let seven = Key::Number(7);
    let of_range = read::all(&store, &manifest, &[range_of(&seven)].into()).expect("whole");
    let keys: Vec<Key> = of_range.iter().map(|entry| entry.key().expect("a key")).collect();
    assert_eq!(keys, [seven], "and the changed one once");
    assert_eq!(of_range[0].entry::<Kept>().expect("an entry"), Some(Kept::of(77)));
}
