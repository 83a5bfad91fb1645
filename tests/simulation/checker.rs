//! What must have been said, recomputed from what was bound, and compared with what was seen. Shares
//! no code with the protocol: it reads bindings and progress as JSON, and recounts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::broker::{Entry, Fate, Log, Value};
use crate::flow::{KEYS, Said, patience, range};
use crate::world::{BINDINGS, OUTPUTS, PROGRESS, SOURCES};

/// What is wrong, or what is missing yet.
#[derive(Debug)]
pub(crate) enum Verdict {
    Complete,
    /// Nothing is wrong, but not everything is there.
    Missing(String),
}

/// Checks all that is in the logs. `marks` says whether bindings travel by themselves, `once` whether
/// nothing may be seen twice.
pub(crate) fn check(logs: &[Log], names: &[(String, i32)], marks: bool, once: bool) -> Result<Verdict, String> {
    let bound = bound(logs, names, marks)?;
    let visible = visible(&logs[PROGRESS]);
    let mut missing = bound.missing.clone();
    for key in 0..KEYS {
        let times: Vec<u64> = bound.records.iter().filter(|(_, about)| *about == key).map(|(time, _)| *time).collect();
        let expected = expected(key, &times);
        let seen = seen(logs, key, once)?;
        for (at, said) in seen.iter().enumerate() {
            match expected.get(at) {
                Some(right) if right == said => {}
                right => {
                    return Err(format!("said {said:?}, but right is {right:?}\nbound: {times:?}\nseen: {seen:?}"));
                }
            }
        }
        let through = visible[&usize::from(range(key))];
        if let Some(lost) = expected.get(seen.len()) {
            if lost.time <= through {
                return Err(format!(
                    "lost: {lost:?}, though all is said to be visible through {through}\nbound: {times:?}\nseen: {seen:?}"
                ));
            }
            missing.get_or_insert(format!("not said yet: {lost:?}"));
        }
        if let Some(early) = seen.iter().find(|said| once && said.time > through) {
            return Err(format!("{early:?} is visible, though progress says {through}"));
        }
    }
    Ok(missing.map_or(Verdict::Complete, Verdict::Missing))
}

/// Each thing that was seen of a key, once.
fn seen(logs: &[Log], key: u32, once: bool) -> Result<Vec<Said>, String> {
    let mut seen: Vec<Said> = Vec::new();
    for entry in OUTPUTS.flat_map(|log| &logs[log].entries).filter(|entry| is_read(entry)) {
        let Value::Said(said) = &entry.value else { continue };
        if said.key != key {
            continue;
        }
        match seen.iter().find(|before| before.number == said.number) {
            Some(before) if once => return Err(format!("said twice: {before:?} and {said:?}")),
            Some(before) if before != said => return Err(format!("one id, two contents: {before:?} and {said:?}")),
            Some(_) => {}
            None => seen.push(*said),
        }
    }
    Ok(seen)
}

fn is_read(entry: &Entry) -> bool {
    matches!(entry.fate, Fate::Plain | Fate::Committed)
}

/// Recounts a key. Every third record is said; and silence, where the next record is later.
fn expected(key: u32, times: &[u64]) -> Vec<Said> {
    let (first, second) = patience(key);
    let mut said: Vec<(u64, &'static str, u32)> = Vec::new();
    for (at, &time) in times.iter().enumerate() {
        let count = at as u32 + 1;
        if count.is_multiple_of(3) {
            said.push((time, "third", count));
        }
        let next = times.get(at + 1).copied().unwrap_or(u64::MAX);
        for (time, what) in [(time + first, "silence"), (time + first + second, "long silence")] {
            if next > time {
                said.push((time, what, count));
            }
        }
    }
    said.into_iter().zip(1..).map(|((time, what, count), number)| Said { key, number, what, count, time }).collect()
}

struct Bound {
    /// Time and key, by time.
    records: Vec<(u64, u32)>,
    missing: Option<String>,
}

/// Which records take effect when.
fn bound(logs: &[Log], names: &[(String, i32)], marks: bool) -> Result<Bound, String> {
    let (mut newest, mut bindings) = (0, Vec::new());
    for entry in logs[BINDINGS].entries.iter().filter(|entry| is_read(entry)) {
        let Value::Bytes(_, bytes) = &entry.value else { continue };
        let json: Json = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if let Some(begins) = json["begins"].as_u64() {
            newest = newest.max(begins);
        } else {
            let generation = json["binding"]["generation"].as_u64().ok_or("a binding without a generation")?;
            if generation < newest {
                if !marks {
                    return Err(format!("a generation that is over has committed a binding: {json}"));
                }
            } else {
                newest = generation;
                bindings.push(json["binding"].clone());
            }
        }
    }
    bindings.sort_by_key(|binding| binding["time"].as_u64());
    let (mut records, mut missing) = (Vec::new(), None);
    for (at, (topic, partition)) in names.iter().enumerate() {
        let entries = &logs[SOURCES + at].entries;
        let mut next: Option<usize> = None;
        let mut times = BTreeSet::new();
        for binding in &bindings {
            let of = |field: &str| binding[field][topic][partition.to_string()].as_u64().map(|offset| offset as usize);
            if let Some(start) = of("starts") {
                next.get_or_insert(start);
            }
            let Some(upper) = of("uppers") else { continue };
            let time = binding["time"].as_u64().ok_or("a binding without a time")?;
            let from = next.ok_or_else(|| format!("{topic}/{partition} is bound before it begins"))?;
            if upper <= from || !times.insert(time) {
                return Err(format!("{topic}/{partition}: {binding} does not go on from {from}"));
            }
            let about = entries[from..upper].iter().filter(|entry| is_read(entry));
            records.extend(about.filter_map(|entry| match entry.value {
                Value::About(key) => Some((time, key)),
                _ => None,
            }));
            next = Some(upper);
        }
        let from = next.unwrap_or(0);
        let is_about = |entry: &Entry| is_read(entry) && matches!(entry.value, Value::About(_));
        if entries[from..].iter().any(is_about) {
            missing.get_or_insert(format!("{topic}/{partition} is bound up to {from} only"));
        }
    }
    records.sort_unstable();
    Ok(Bound { records, missing })
}

/// Through which time each key range is said to be visible.
fn visible(log: &Log) -> BTreeMap<usize, u64> {
    let mut visible: BTreeMap<usize, u64> = (0..256).map(|range| (range, 0)).collect();
    for entry in log.entries.iter().filter(|entry| is_read(entry)) {
        let Value::Bytes(_, bytes) = &entry.value else { continue };
        let json: Json = serde_json::from_slice(bytes).unwrap_or_default();
        let number = |field: &str| json[field].as_u64().unwrap_or_default();
        for range in number("from")..number("to") {
            let through = visible.entry(range as usize).or_default();
            *through = number("visible").max(*through);
        }
    }
    visible
}
