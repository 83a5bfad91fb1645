//! The decision.
//!
//! | there is | decision |
//! | --- | --- |
//! | nothing: no checkpoint, no part, no mark, nothing said in the topics | begin empty |
//! | generations alone, none of which put a checkpoint | begin empty: they read no record |
//! | any trace of a checkpoint that is gone | refuse |
//! | a newest checkpoint that is whole, and sources that reach back to it | load it |
//! | a damaged or missing one, and an older one that is whole and in reach | load that one |
//! | no whole one, or none in reach | refuse |
//! | anything newer than this propice, or of another cluster | refuse |
//! | a checkpoint that is ahead of what is visible, topics that know later generations | refuse |

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Fault;
use crate::generation::Generation;
use crate::manifest::{Manifest, Positions};
use crate::names::{self, CheckpointName, Name, PartName};

/// Topic, partition, the first offset that is there and the one after the last.
pub type Extent = BTreeMap<String, BTreeMap<i32, (i64, i64)>>;

/// What the topics say. What is not known is not held against a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// How far all topics that checkpoints speak of reach.
    pub extent: Option<Extent>,
    /// Whether bindings or progress of this cluster are there, other than the marks of generations.
    pub said_something: Option<bool>,
    /// The least time that all key ranges are visible through; 0 if there is no progress.
    pub visible_through: Option<u64>,
    /// The greatest generation that the bindings speak of, but the one that begins.
    pub greatest_generation: Option<u64>,
}

/// What is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// What a person calls the store.
    pub place: String,
    /// The generation that begins.
    pub generation: u64,
    /// The generations before it.
    pub generations: BTreeMap<u64, Result<Generation, Fault>>,
    /// The newest checkpoint that was there when this generation began.
    pub newest_at_begin: Option<CheckpointName>,
    /// Generations that are marked to have put a checkpoint.
    pub marks: BTreeSet<u64>,
    /// The checkpoints, read.
    pub checkpoints: BTreeMap<CheckpointName, Result<Manifest, Fault>>,
    /// The parts that are there.
    pub parts: BTreeSet<PartName>,
    /// Those that turned out to be unusable.
    pub bad_parts: BTreeMap<PartName, Fault>,
    /// What the topics say.
    pub topics: Topics,
}

/// A checkpoint that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its name.
    pub name: CheckpointName,
    /// Why.
    pub why: String,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Begin with nothing: nothing was ever kept or said.
    Fresh,
    /// Load the newest checkpoint.
    Load {
        /// It.
        manifest: Box<Manifest>,
    },
    /// Load an older one, and say why.
    LoadOlder {
        /// It.
        manifest: Box<Manifest>,
        /// The newer ones.
        skipped: Vec<Skipped>,
    },
    /// Stop.
    Refuse {
        /// Why.
        reason: String,
        /// What a person can do.
        remedy: String,
    },
}

fn refuse(reason: String, remedy: &str) -> Decision {
    Decision::Refuse { reason, remedy: remedy.to_owned() }
}

const OTHER_FOLDER: &str = "give each cluster a folder of its own, or give this one its own name back";
const NEWER: &str = "install the newer version again; an older one would read it wrongly";
const RESTORE: &str = "bring the folder back from a copy, or give the right one; to begin anew with nothing and say everything again, give the cluster a new name, or an empty folder and new topics of its own";

/// Decides.
pub fn decide(observed: &Observed) -> Decision {
    if let Some(refusal) = foreign(observed).or_else(|| left_behind(observed)) {
        return refusal;
    }
    let mut skipped: Vec<Skipped> = missing(observed).into_iter().collect();
    for (name, read) in observed.checkpoints.iter().rev() {
        let manifest = match read {
            Ok(manifest) => manifest,
            Err(fault) => {
                skipped.push(Skipped { name: *name, why: format!("it is {fault}") });
                continue;
            }
        };
        if let Some(why) = bad_part(observed, manifest) {
            skipped.push(Skipped { name: *name, why });
            continue;
        }
        if let Some(refusal) = out_of_reach(observed, manifest, &skipped) {
            return refusal;
        }
        let manifest = Box::new(manifest.clone());
        return if skipped.is_empty() {
            Decision::Load { manifest }
        } else {
            Decision::LoadOlder { manifest, skipped }
        };
    }
    if !skipped.is_empty() {
        return refuse(format!("no checkpoint in {} can be used: {}", observed.place, list(&skipped)), RESTORE);
    }
    nothing_there(observed)
}

/// What is not for us to read.
fn foreign(observed: &Observed) -> Option<Decision> {
    let generations = observed
        .generations
        .iter()
        .filter_map(|(number, read)| Some((names::generation(*number), read.as_ref().err()?)));
    let checkpoints = observed.checkpoints.iter().filter_map(|(name, read)| Some((name.path(), read.as_ref().err()?)));
    let parts = observed.bad_parts.iter().map(|(name, fault)| (name.path(), fault));
    for (name, fault) in generations.chain(checkpoints).chain(parts) {
        let place = &observed.place;
        match fault {
            Fault::OtherCluster(theirs) => {
                return Some(refuse(format!("{place} is that of the cluster `{theirs}` (`{name}`)"), OTHER_FOLDER));
            }
            Fault::Newer { format } => {
                return Some(refuse(
                    format!("`{name}` in {place} was written by a newer propice (format {format})"),
                    NEWER,
                ));
            }
            Fault::Missing | Fault::Damaged(_) => {}
        }
    }
    None
}

/// Whether somebody else is further than we are.
fn left_behind(observed: &Observed) -> Option<Decision> {
    let later = observed.generations.keys().chain(&observed.marks).copied();
    let later = later.chain(observed.checkpoints.keys().map(|name| name.generation)).max();
    if let Some(later) = later.filter(|later| *later > observed.generation) {
        let reason = format!("generation {later} has begun, and this is generation {}", observed.generation);
        return Some(refuse(reason, "nothing is wrong with what is stored: leave the later one alone, or start again"));
    }
    let known = observed.topics.greatest_generation.filter(|known| *known > observed.generation)?;
    let reason = format!(
        "the topics speak of generation {known}, and {} only of {}: it is an old copy, or that of another cluster",
        observed.place, observed.generation
    );
    Some(refuse(reason, RESTORE))
}

/// A newest checkpoint that was there and is gone. Collecting deletes none but old ones.
fn missing(observed: &Observed) -> Option<Skipped> {
    let newest = observed.checkpoints.last_key_value().map(|(name, _)| *name);
    let read = observed.generations.values().filter_map(|read| read.as_ref().ok());
    let named = read.filter_map(|generation| match names::parse(generation.newest_checkpoint.as_deref()?) {
        Name::Checkpoint(name) => Some(name),
        _ => None,
    });
    let seen = named.chain(observed.newest_at_begin).max();
    if let Some(name) = seen.filter(|seen| Some(*seen) > newest) {
        return Some(Skipped { name, why: "it is missing".to_owned() });
    }
    let generation = newest.map(|name| name.generation);
    let marked = observed.marks.last().copied().filter(|marked| Some(*marked) > generation)?;
    let name = CheckpointName { time: newest.map_or(0, |name| name.time), generation: marked };
    Some(Skipped { name, why: format!("the checkpoints of generation {marked} are missing") })
}

fn bad_part(observed: &Observed, manifest: &Manifest) -> Option<String> {
    manifest.part_names().iter().find_map(|name| {
        let fault = if observed.parts.contains(name) { observed.bad_parts.get(name)? } else { &Fault::Missing };
        Some(format!("its part `{}` is {fault}", name.path()))
    })
}

/// Why a checkpoint that is whole cannot be gone on from.
fn out_of_reach(observed: &Observed, manifest: &Manifest, skipped: &[Skipped]) -> Option<Decision> {
    let name = manifest.name().path();
    let newer =
        if skipped.is_empty() { String::new() } else { format!("; newer ones cannot be used: {}", list(skipped)) };
    if let Some(visible) = observed.topics.visible_through.filter(|visible| *visible < manifest.time) {
        let reason = format!(
            "`{name}` is of time {}, but the output is visible only through {visible}: it belongs to other topics, or its topics lost records{newer}",
            manifest.time
        );
        return Some(refuse(reason, "give the brokers and topics that this state was made with"));
    }
    let extent = observed.topics.extent.as_ref()?;
    let what = beyond(&manifest.sources, extent).or_else(|| beyond(&manifest.own, extent))?;
    let remedy = "give the topics that this state was made with, and let them keep records for longer than propice may be down; \
                  to go on without the records that are gone, begin anew with an empty folder";
    Some(refuse(format!("`{name}` cannot be gone on from: {what}{newer}"), remedy))
}

fn beyond(positions: &Positions, extent: &Extent) -> Option<String> {
    for (topic, partitions) in positions {
        for (partition, &at) in partitions {
            let there = extent.get(topic).and_then(|partitions| partitions.get(partition));
            match there {
                None => return Some(format!("partition {partition} of the topic `{topic}` is not there")),
                Some(&(first, _)) if at < first => {
                    return Some(format!(
                        "the topic `{topic}`, partition {partition}, is needed from offset {at} on and begins at {first}"
                    ));
                }
                Some(&(_, end)) if at > end => {
                    return Some(format!(
                        "the topic `{topic}`, partition {partition}, ends at offset {end}, before {at}: it was made anew"
                    ));
                }
                Some(_) => {}
            }
        }
    }
    None
}

/// No checkpoint is there. Is that how it always was?
fn nothing_there(observed: &Observed) -> Decision {
    let place = &observed.place;
    if let Some(part) = observed.parts.first() {
        return refuse(format!("{place} holds parts of checkpoints (`{}`) but no checkpoint", part.path()), RESTORE);
    }
    if let Some((number, Err(fault))) = observed.generations.iter().find(|(_, read)| read.is_err()) {
        let reason = format!(
            "{place} holds no checkpoint, and `{}`, which says whether there was one, is {fault}",
            names::generation(*number)
        );
        return refuse(reason, RESTORE);
    }
    if observed.topics.said_something == Some(true) || observed.topics.visible_through.is_some_and(|time| time > 0) {
        return refuse(
            format!("{place} holds no checkpoint, but the topics hold what this cluster said before"),
            RESTORE,
        );
    }
    Decision::Fresh
}

fn list(skipped: &[Skipped]) -> String {
    let each = skipped.iter().map(|skipped| format!("`{}`: {}", skipped.name.path(), skipped.why));
    each.collect::<Vec<_>>().join("; ")
}
