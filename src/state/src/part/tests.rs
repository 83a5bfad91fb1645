//! Parts: what was written reads back, and what is not as it was written does not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use propice_model::limits::{STATE_BUFFER_BYTES, STATE_UPLOAD_BYTES};

use super::format::{self, FORMAT, START};
use super::{Entry, Part, PartWriter};
use crate::envelope::digest;
use crate::error::{Doing, Error, Fault};
use crate::ranges::{self, Kind};
use crate::store::{Happens, Memory, Shared};
use crate::testing::{CLUSTER, Kept, Key, Random, everything, head, kinds, memory, shared, small_part};

type Model = BTreeMap<(u8, String, Key), Option<Kept>>;

fn read(part: &Part, wanted: &BTreeSet<u8>) -> Result<Model, Error> {
    let mut model = Model::new();
    for entry in part.entries(wanted) {
        let entry: Entry = entry?;
        model.insert((entry.range, entry.collection.to_string(), entry.key()?), entry.entry()?);
    }
    Ok(model)
}

#[test]
fn entries_read_back_typed_by_key_range() {
    let (_, store) = memory();
    let (mut random, mut model) = (Random(1), Model::new());
    let wanted =
        kinds(ranges::all().filter(|range| range % 2 == 0), Kind::Base).into_iter().chain([(7, Kind::Delta)]).collect();
    let mut writer = PartWriter::new(&store, head(2, 77, 1), wanted).expect("a writer");
    for number in 0..5_000 {
        let range = if number % 100 == 0 { 7 } else { random.below(128) as u8 * 2 };
        let key = if number % 2 == 0 { Key::Number(number) } else { Key::Text(format!("k{number}")) };
        let kept = (range != 7 || number % 200 == 0).then(|| Kept::of(number));
        let collection = ["rows", "owners", "policy"][number as usize % 3];
        writer.push(collection, range, &key, kept.as_ref()).expect("an entry");
        model.insert((range, collection.to_owned(), key), kept);
    }
    let named = writer.finish().expect("written").expect("a part");
    let part = Part::open_named(&store, &named, CLUSTER).expect("the same part");
    assert_eq!(read(&part, &everything()).expect("whole"), model);
    assert_eq!(part.verify().expect("whole"), 5_000);
    let seven = read(&part, &BTreeSet::from([7])).expect("whole");
    assert!(!seven.is_empty() && seven.keys().all(|(range, ..)| *range == 7));
    let kept: u64 = part.counts().map(|(_, _, kept, _, _)| kept).sum();
    assert_eq!(kept as usize, model.values().flatten().count());
    let empty_base = named.section(0).expect("a base counts even if it holds nothing");
    assert_eq!(empty_base.kind, Kind::Base);
}

/// More than is held in memory: uploaded in pieces, in any order of key ranges.
#[test]
fn a_large_part_is_written_in_pieces() {
    let (memory, _) = memory();
    let largest = Arc::new(Mutex::new((0u32, 0u32)));
    let counted = largest.clone();
    let store: Shared = memory.client_with(move |operation| {
        let mut counted = counted.lock().expect("no panic");
        match operation.doing {
            Doing::Write => counted.0 += 1,
            Doing::Read => counted.1 += 1,
            _ => {}
        }
        Happens::Fine
    });
    let mut random = Random(5);
    let mut writer = PartWriter::new(&store, head(1, 5, 0), kinds(ranges::all(), Kind::Base)).expect("a writer");
    let count = (2 * STATE_BUFFER_BYTES + STATE_UPLOAD_BYTES) / 10_000;
    let noise: Vec<u64> = (0..1_250).map(|_| random.next()).collect();
    for number in 0..count as u64 {
        let noise: Vec<u64> = noise.iter().map(|word| word.wrapping_mul(2 * number + 1)).collect();
        writer.push("noise", (number % 256) as u8, &number, Some(&noise)).expect("an entry");
    }
    let named = writer.finish().expect("written").expect("a part");
    assert!(named.size > 2 * STATE_BUFFER_BYTES as u64, "{}", named.size);
    assert!(largest.lock().expect("no panic").0 >= 5, "in pieces");
    let part = Part::open_named(&store, &named, CLUSTER).expect("the same part");
    assert_eq!(part.verify().expect("whole"), count as u64);
    let before = largest.lock().expect("no panic").1;
    let of_one = part.entries(&BTreeSet::from([200])).collect::<Result<Vec<_>, _>>().expect("whole");
    assert_eq!(of_one.len(), (0..count).filter(|number| number % 256 == 200).count());
    assert!(largest.lock().expect("no panic").1 - before <= 4, "a key range is read alone");
    // Killed in the middle it leaves something half written, and no part.
    let dying: Shared =
        memory.client_with(|operation| if operation.number == 2 { Happens::DiesAfter } else { Happens::Fine });
    let mut writer = PartWriter::new(&dying, head(1, 6, 0), kinds(ranges::all(), Kind::Base)).expect("a writer");
    let failed = (0..count as u64).try_for_each(|number| {
        let noise: Vec<u64> = noise.iter().map(|word| word.wrapping_mul(2 * number + 1)).collect();
        writer.push("noise", 0, &number, Some(&noise))
    });
    assert!(failed.is_err() && !memory.names().contains(&head(1, 6, 0).name().path()));
    assert_eq!(shared(&memory).leftovers().expect("a list").len(), 1);
}

#[test]
fn a_part_without_anything_is_none() {
    let (memory, store) = memory();
    let writer = PartWriter::new(&store, head(1, 5, 0), kinds(0..9, Kind::Delta)).expect("a writer");
    assert_eq!(writer.finish().expect("nothing to do"), None);
    assert!(memory.names().is_empty());
}

#[test]
fn what_does_not_fit_is_refused() {
    let (_, store) = memory();
    let mut writer = PartWriter::new(&store, head(1, 5, 0), kinds(0..9, Kind::Base)).expect("a writer");
    let error = writer.push("rows", 9, &1, Some(&2)).expect_err("not one of its key ranges").to_string();
    assert!(error.contains("key range 9") && error.contains("`rows`"), "{error}");
    let error = writer.push::<_, u8>("rows", 8, &1, None).expect_err("gone from a base").to_string();
    assert!(error.contains("says only what is kept"), "{error}");
}

/// Reads all that a part has to say, as a recovery does.
fn checked(store: &Shared, named: &super::PartRef) -> Result<Model, Error> {
    let part = Part::open_named(store, named, CLUSTER)?;
    part.verify()?;
    read(&part, &everything())
}

fn changed(memory: &Memory, name: &str, content: Vec<u8>) -> Shared {
    let other = memory.copied();
    other.replace(name, Some(Bytes::from(content)));
    shared(&other)
}

#[test]
fn every_changed_bit_and_every_cut_is_damage() {
    let (memory, store) = memory();
    let named = small_part(&store, head(1, 5, 0)).expect("written");
    let name = named.name().path();
    let whole = memory.content(&name).expect("it is there").to_vec();
    checked(&store, &named).expect("whole");
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut content = whole.clone();
            content[at] ^= 1 << bit;
            let store = changed(&memory, &name, content);
            let error = checked(&store, &named).expect_err("a changed bit");
            assert!(matches!(error.fault(), Some(Fault::Damaged(_))), "byte {at}, bit {bit}: {error}");
            // Without a manifest that knows the checksum too.
            let alone = Part::open(&store, named.name(), CLUSTER).and_then(|part| part.verify());
            assert!(
                matches!(alone.expect_err("a changed bit").fault(), Some(Fault::Damaged(_))),
                "byte {at}, bit {bit}"
            );
        }
        let error = checked(&changed(&memory, &name, whole[..at].to_vec()), &named).expect_err("cut short");
        assert!(matches!(error.fault(), Some(Fault::Damaged(_))), "{at} bytes: {error}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(checked(&changed(&memory, &name, longer), &named).is_err());
    // A change within a block is also found when the block alone is looked at.
    let mut content = whole;
    content[named.size as usize / 2] ^= 1;
    let found =
        Part::open_named(&changed(&memory, &name, content), &named, CLUSTER).and_then(|part| part.verify_blocks());
    assert!(found.is_err());
}

#[test]
fn newer_formats_and_other_clusters_are_told_from_damage() {
    let (memory, store) = memory();
    let named = small_part(&store, head(1, 5, 0)).expect("written");
    let name = named.name().path();
    let mut newer = memory.content(&name).expect("it is there").to_vec();
    newer[8..12].copy_from_slice(&(FORMAT + 1).to_le_bytes());
    let checksum = digest(&[&newer[..16]]);
    newer[16..START].copy_from_slice(&checksum[..8]);
    newer.truncate(START + 100);
    let error = checked(&changed(&memory, &name, newer), &named).expect_err("a newer format");
    assert_eq!(error.fault(), Some(Fault::Newer { format: FORMAT + 1 }));
    assert!(error.to_string().contains("install that version again"), "{error}");

    let error = Part::open(&store, named.name(), "insurance").err().expect("another cluster");
    assert_eq!(error.fault(), Some(Fault::OtherCluster(CLUSTER.to_owned())));
    // A whole part under the name of another one.
    let other = small_part(&store, head(1, 6, 0)).expect("written");
    let moved = memory.content(&other.name().path()).expect("it is there").to_vec();
    assert!(matches!(
        checked(&changed(&memory, &name, moved), &named).expect_err("another one").fault(),
        Some(Fault::Damaged(_))
    ));
    memory.replace(&name, None);
    assert_eq!(checked(&store, &named).expect_err("missing").fault(), Some(Fault::Missing));
}

#[test]
fn the_start_is_the_same_in_all_formats() {
    let front = format::front("x", &head(1, 5, 0), &BTreeMap::new(), FORMAT).expect("a header");
    assert_eq!(&front[..8], b"propice\x1a");
    assert_eq!(front[8..12], 1u32.to_le_bytes());
    assert_eq!(format::front_length("x", &front[..START]).expect("a start"), front.len() as u64);
}
