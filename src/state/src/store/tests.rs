//! Stores keep what they promise: one winner, whole objects, errors that say what to do.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;

use super::{Happens, Memory, Opening, Patience, Shared, Store, open};
use crate::error::Error;
use crate::testing::{head, kinds, small_part};

fn opening() -> Opening {
    Opening { create: true, ..Opening::default() }
}

fn folder() -> (tempfile::TempDir, Shared) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("state").display().to_string(), &opening()).expect("a store");
    (folder, store)
}

pub(super) fn keeps_its_promises(store: &dyn Store) {
    let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
    assert_eq!(store.list("parts").expect("an empty list"), []);
    store.put_if_absent("parts/b", bytes("two")).expect("it is absent");
    store.put_if_absent("parts/a", bytes("one")).expect("it is absent");
    store.put_if_absent("parts/a", bytes("one")).expect("the same again is no other");
    assert!(matches!(store.put_if_absent("parts/a", bytes("six")), Err(Error::Exists { .. })));
    assert_eq!(store.get("parts/a", 1..3).expect("it is there"), "ne");
    assert_eq!(store.size("parts/a").expect("it is there"), 3);
    store.get("parts/a", 2..9).expect_err("bytes that are not there");
    assert!(matches!(store.size("parts/c"), Err(Error::Missing { .. })));
    let names: Vec<_> =
        store.list("parts").expect("a list").into_iter().map(|found| (found.name, found.size)).collect();
    assert_eq!(names, [("parts/a".to_owned(), 3), ("parts/b".to_owned(), 3)]);
    assert_eq!(store.list("par").expect("a list"), [], "folders, not prefixes");
    store.delete("parts/a").expect("it goes");
    store.delete("parts/a").expect("and is gone");

    let mut upload = store.upload("parts/c").expect("an upload");
    upload.write(Bytes::from(vec![1; 6 << 20])).expect("a piece");
    assert_eq!(store.list("parts").expect("a list").len(), 1, "it appears when it is finished");
    upload.write(Bytes::from(vec![2; 5])).expect("the last piece");
    upload.finish().expect("finished");
    assert_eq!(store.size("parts/c").expect("it is there"), (6 << 20) + 5);
    let mut upload = store.upload("parts/d").expect("an upload");
    upload.write(Bytes::from_static(b"x")).expect("a piece");
    upload.abort();
    assert!(matches!(store.size("parts/d"), Err(Error::Missing { .. })));
    assert_eq!(store.leftovers().expect("a list"), Vec::<String>::new());
}

#[test]
fn memory_and_folders_keep_their_promises() {
    keeps_its_promises(Memory::new().client().as_ref());
    let (_folder, store) = folder();
    keeps_its_promises(store.as_ref());
}

#[test]
fn a_name_has_one_winner() {
    let (_folder, store) = folder();
    for round in 0..50 {
        let name = format!("generations/{round}");
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (store, name) = (store.clone(), name.clone());
                thread::spawn(move || store.put_if_absent(&name, Bytes::from(format!("starter {thread}"))).is_ok())
            })
            .collect();
        let won = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        assert_eq!(won.filter(|won| *won).count(), 1, "round {round}");
    }
}

#[test]
fn places_are_folders_or_urls() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a b");
    let url = format!("file://{}", path.display().to_string().replace(' ', "%20"));
    let store = open(&url, &opening()).expect("a store");
    store.put_if_absent("parts/a", Bytes::from_static(b"x")).expect("it is absent");
    assert!(path.join("parts/a").is_file());
    let refused = |place: &str, opening: &Opening| open(place, opening).err().expect("refused").to_string();
    assert!(refused("file://state", &opening()).contains("three slashes"));
    assert!(refused("ftp://host/state", &opening()).contains("`ftp` is not known"));
    assert!(refused("s3:///state", &opening()).contains("bucket is missing"));
    assert!(refused("", &opening()).contains("names no store"));
    let missing = refused(&folder.path().join("missing").display().to_string(), &Opening::default());
    assert!(missing.contains("there is no folder") && !folder.path().join("missing").exists(), "{missing}");
    let wrong = Opening { options: BTreeMap::from([("regoin".to_owned(), "eu".to_owned())]), ..opening() };
    assert!(refused("s3://bucket/state", &wrong).contains("regoin"));
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("a file");
    refused(&file.display().to_string(), &opening());
}

/// What a process that was killed left half written is found, and no list shows it.
#[test]
fn leftovers_of_a_folder_are_found() {
    let (folder, store) = folder();
    small_part(&store, head(1, 5, 0)).expect("written");
    let state = folder.path().join("state");
    let left = format!("{}#1", head(1, 4, 0).name().path());
    std::fs::write(state.join(&left), "half").expect("a file");
    assert_eq!(store.leftovers().expect("a list"), std::slice::from_ref(&left));
    assert_eq!(store.list("parts").expect("a list").len(), 1);
    store.delete_leftover(&head(1, 5, 0).name().path()).expect("ignored: it is whole");
    store.delete_leftover(&left).expect("it goes");
    assert_eq!(store.leftovers().expect("a list"), Vec::<String>::new());
    assert_eq!(store.list("parts").expect("a list").len(), 1);
}

#[test]
fn what_is_not_allowed_is_said_with_a_remedy() {
    let (folder, store) = folder();
    // A file where a folder should be: root may do anything else.
    std::fs::write(folder.path().join("state/parts"), "x").expect("a file");
    let error = small_part(&store, head(1, 5, 0)).expect_err("no folder can be made there").to_string();
    assert!(error.contains("parts/0000") && error.contains("state"), "{error}");
}

#[test]
fn an_answer_that_was_lost_does_not_turn_a_success_into_a_failure() {
    let memory = Memory::new();
    let store: Shared =
        memory.client_with(|operation| if operation.number == 0 { Happens::FailsAfter } else { Happens::Fine });
    store.put_if_absent("generations/1", Bytes::from_static(b"mine")).expect_err("the answer is lost");
    store.put_if_absent("generations/1", Bytes::from_static(b"mine")).expect("it is ours");
    assert!(matches!(store.put_if_absent("generations/1", Bytes::from_static(b"yours")), Err(Error::Exists { .. })));
}

/// A disk of one MiB: what does not fit leaves nothing behind, and what was there stays whole.
#[test]
fn a_full_disk_is_said_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mounted =
        std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path()).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no file system may be mounted here");
        return;
    }
    let outcome = std::panic::catch_unwind(|| fills(folder.path()));
    let unmounted = std::process::Command::new("umount").arg(folder.path()).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    outcome.expect("as it should be");
}

fn fills(disk: &Path) {
    let store = open(&disk.join("state").display().to_string(), &opening()).expect("a store");
    let kept = small_part(&store, head(1, 5, 0)).expect("written");
    let mut writer = crate::PartWriter::new(&store, head(1, 6, 0), kinds(0..4, crate::Kind::Base)).expect("a writer");
    let mut random = crate::testing::Random(3);
    for number in 0..200u64 {
        let noise: Vec<u64> = (0..1_250).map(|_| random.next()).collect();
        writer.push("noise", (number % 4) as u8, &number, Some(&noise)).expect("it waits in memory");
    }
    let error = writer.finish().expect_err("two MB on a disk of one");
    assert!(matches!(error, Error::Full { .. }), "{error}");
    assert!(error.to_string().contains("make room"), "{error}");
    assert_eq!(store.list("parts").expect("a list").len(), 1);
    assert_eq!(store.leftovers().expect("a list"), Vec::<String>::new());
    crate::part::Part::open_named(&store, &kept, crate::testing::CLUSTER)
        .and_then(|part| part.verify())
        .expect("whole");
}

#[test]
fn patience_ends() {
    // Nothing listens there.
    let options = [
        ("endpoint", "http://127.0.0.1:9"),
        ("allow_http", "true"),
        ("access_key_id", "a"),
        ("secret_access_key", "b"),
    ];
    let options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let patience = Patience { attempt_ms: 300, attempts: 2, pause_ms: 1 };
    let store = open("s3://bucket/state", &Opening { create: true, options, patience }).expect("a store");
    let error = store.put_if_absent("generations/1", Bytes::from_static(b"x")).expect_err("nobody answers").to_string();
    assert!(
        error.contains("failed 2 time(s) while it writes `generations/1`") && error.contains("s3://bucket/state"),
        "{error}"
    );
    let _: Arc<dyn Store> = store;
}
