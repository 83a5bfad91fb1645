//! What `propice state` shows: what is stored, whether it is whole, and what is kept of one
//! customer.
//!
//! Looks only: it begins no generation and changes nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compaction::all_ranges;
use crate::error::{Error, Fault};
use crate::generation::{self, Generation};
use crate::manifest::{Manifest, Positions};
use crate::names::{self, Listing, PartName};
use crate::part::{Entry, Part};
use crate::ranges::Kind;
use crate::read::Checkpoint;
use crate::recovery::{Decision, Depth, Topics, recover};
use crate::store::{self, Shared};

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Keys with an entry, in bases and deltas: a key that changed counts in each of them.
    pub kept: u64,
    /// Keys that are gone, in deltas.
    pub gone: u64,
    /// Bytes of keys and entries before they are packed.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, kept: u64, gone: u64, bytes: u64) {
        self.kept += kept;
        self.gone += gone;
        self.bytes += bytes;
    }
}

/// What a store holds.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The store.
    pub place: String,
    /// The cluster that wrote it.
    pub cluster: String,
    /// The newest generation.
    pub generation: Option<Generation>,
    /// Checkpoints, oldest first, each with what is wrong with it.
    pub checkpoints: Vec<(String, Option<String>)>,
    /// The checkpoint that would be loaded.
    pub loaded: Option<Loaded>,
    /// What a recovery would do, as far as the store alone says.
    pub recovery: String,
    /// Parts, and the bytes of all of them.
    pub parts: (usize, u64),
    /// Parts that no checkpoint names: the next checkpoint deletes them.
    pub unnamed: usize,
    /// What a process that was killed left half written.
    pub leftovers: usize,
    /// Objects that are not ours.
    pub others: Vec<String>,
}

/// A checkpoint that would be loaded.
#[derive(Clone, Debug, Serialize)]
pub struct Loaded {
    /// Its name.
    pub name: String,
    /// The logical time of its cut.
    pub time: u64,
    /// When it was cut, in milliseconds since 1970.
    pub cut_at_ms: i64,
    /// The fingerprint of the plan.
    pub plan: String,
    /// The greatest number of transactional slots that there ever was.
    pub slots_ever: u32,
    /// Where reading goes on.
    pub sources: Positions,
    /// How much is kept, by collection.
    pub collections: BTreeMap<String, Amount>,
    /// How much is kept, by key range, with how many deltas lie on its base.
    pub ranges: BTreeMap<u8, (Amount, usize)>,
    /// Bytes of its parts as stored.
    pub stored_bytes: u64,
}

/// The cluster whose state this is: as its newest generation or checkpoint says.
///
/// # Errors
///
/// The store fails, or nothing in it can be read.
pub fn cluster(store: &Shared) -> Result<Option<String>, Error> {
    let listing = store::listing(store.as_ref())?;
    // Asked under no name, everything answers with whose it is.
    let mut first_error = None;
    let generations =
        listing.generations.iter().rev().map(|number| generation::read(store.as_ref(), *number, "").err());
    let checkpoints = listing.checkpoints.iter().rev().map(|name| Manifest::read(store.as_ref(), *name, "").err());
    for error in generations.chain(checkpoints).flatten() {
        if let Error::OtherCluster { theirs, .. } = error {
            return Ok(Some(theirs));
        }
        first_error.get_or_insert(error);
    }
    first_error.map_or(Ok(None), Err)
}

/// What a store holds, and what a recovery would do.
///
/// # Errors
///
/// The store fails. What is wrong with objects is part of the summary.
pub fn summary(store: &Shared, cluster: &str) -> Result<Summary, Error> {
    let listing = store::listing(store.as_ref())?;
    let decision = decision(store, cluster, &listing, Depth::Ends)?;
    let newest = listing.generations.last().and_then(|number| generation::read(store.as_ref(), *number, cluster).ok());
    let mut named = std::collections::BTreeSet::new();
    let mut checkpoints = Vec::new();
    for name in &listing.checkpoints {
        let read = Manifest::read(store.as_ref(), *name, cluster);
        let wrong = match read {
            Ok(manifest) => {
                named.extend(manifest.part_names());
                None
            }
            Err(error) => Some(error.fault().map_or(error.to_string(), |fault| fault.to_string())),
        };
        checkpoints.push((name.path(), wrong));
    }
    let loaded = match &decision {
        Decision::Load { manifest } | Decision::LoadOlder { manifest, .. } => Some(loaded(store, manifest)?),
        Decision::Fresh | Decision::Refuse { .. } => None,
    };
    Ok(Summary {
        place: store.place().to_owned(),
        cluster: cluster.to_owned(),
        generation: newest,
        checkpoints,
        loaded,
        recovery: told(&decision),
        parts: (listing.parts.len(), listing.parts.iter().map(|(_, size)| size).sum()),
        unnamed: listing.parts.iter().filter(|(name, _)| !named.contains(name)).count(),
        leftovers: listing.leftovers.len(),
        others: listing.others,
    })
}

/// What a recovery would do, as far as the store alone says.
fn decision(store: &Shared, cluster: &str, listing: &Listing, depth: Depth) -> Result<Decision, Error> {
    let next = Generation {
        cluster: cluster.to_owned(),
        number: listing.greatest_generation().unwrap_or(0).saturating_add(1),
        slots_ever: 0,
        plan: String::new(),
        started_at_ms: 0,
        nonce: 0,
        newest_checkpoint: listing.checkpoints.last().map(names::CheckpointName::path),
    };
    Ok(recover(store, &next, Topics::default(), BTreeMap::new(), depth)?.0)
}

/// A decision in words.
pub fn told(decision: &Decision) -> String {
    match decision {
        Decision::Fresh => "begin with nothing: nothing was ever kept here".to_owned(),
        Decision::Load { manifest } => {
            format!("load `{}`, if the topics still reach back to it", manifest.name().path())
        }
        Decision::LoadOlder { manifest, skipped } => {
            let newer: Vec<String> =
                skipped.iter().map(|skipped| format!("`{}`: {}", skipped.name.path(), skipped.why)).collect();
            format!(
                "load `{}`, if the topics still reach back to it; newer ones cannot be used: {}",
                manifest.name().path(),
                newer.join("; ")
            )
        }
        Decision::Refuse { reason, remedy } => format!("stop: {reason}. {remedy}"),
    }
}

fn loaded(store: &Shared, manifest: &Manifest) -> Result<Loaded, Error> {
    let mut collections: BTreeMap<String, Amount> = BTreeMap::new();
    let mut ranges: BTreeMap<u8, (Amount, usize)> = BTreeMap::new();
    let chains = manifest.chains();
    for named in &manifest.parts {
        let part = Part::open_named(store, named, &manifest.cluster)?;
        for (range, collection, kept, gone, bytes) in part.counts() {
            let counts =
                chains.get(&range).is_some_and(|chain| chain.iter().any(|(part, _)| part.name() == named.name()));
            if counts {
                collections.entry(collection.to_owned()).or_default().add(kept, gone, bytes);
                ranges.entry(range).or_default().0.add(kept, gone, bytes);
            }
        }
    }
    for (range, chain) in &chains {
        ranges.entry(*range).or_default().1 = chain.iter().filter(|(_, section)| section.kind == Kind::Delta).count();
    }
    Ok(Loaded {
        name: manifest.name().path(),
        time: manifest.time,
        cut_at_ms: manifest.cut_at_ms,
        plan: manifest.plan.clone(),
        slots_ever: manifest.slots_ever,
        sources: manifest.sources.clone(),
        collections,
        ranges,
        stored_bytes: manifest.parts.iter().map(|part| part.size).sum(),
    })
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Objects that were read.
    pub objects: usize,
    /// Entries that were read.
    pub entries: u64,
    /// Objects that cannot be used, each with what is wrong.
    pub faults: Vec<(String, String)>,
}

/// Reads everything and checks every checksum: generations, manifests, parts, and whether the parts
/// that manifests name are there and are those.
///
/// # Errors
///
/// The store fails. What is wrong with objects is part of the answer.
pub fn verify(store: &Shared, cluster: &str) -> Result<Verified, Error> {
    let listing = store::listing(store.as_ref())?;
    let mut verified = Verified::default();
    for &number in &listing.generations {
        let _ = verified.note(names::generation(number), generation::read(store.as_ref(), number, cluster))?;
    }
    for &number in &listing.marks {
        let _ = verified.note(names::mark(number), generation::read_mark(store.as_ref(), number, cluster))?;
    }
    let mut parts: BTreeMap<PartName, Result<Part, Fault>> = BTreeMap::new();
    for (name, _) in &listing.parts {
        let opened = Part::open(store, *name, cluster);
        let checked = opened.and_then(|part| part.verify().map(|entries| (part, entries)));
        match verified.note(name.path(), checked)? {
            Ok((part, entries)) => {
                verified.entries += entries;
                parts.insert(*name, Ok(part));
            }
            Err(fault) => {
                parts.insert(*name, Err(fault));
            }
        }
    }
    for &name in &listing.checkpoints {
        let Ok(manifest) = verified.note(name.path(), Manifest::read(store.as_ref(), name, cluster))? else { continue };
        for named in &manifest.parts {
            let wrong = match parts.get(&named.name()) {
                None => "is missing",
                Some(Err(_)) => "cannot be used",
                Some(Ok(part)) if part.is(named) => continue,
                Some(Ok(_)) => "is another one",
            };
            verified.faults.push((name.path(), format!("its part `{}` {wrong}", named.name().path())));
        }
    }
    Ok(verified)
}

impl Verified {
    fn note<T>(&mut self, name: String, read: Result<T, Error>) -> Result<Result<T, Fault>, Error> {
        self.objects += 1;
        match read {
            Ok(value) => Ok(Ok(value)),
            Err(error) => match error.fault() {
                Some(fault) => {
                    self.faults.push((name, fault.to_string()));
                    Ok(Err(fault))
                }
                None => Err(error),
            },
        }
    }
}

/// Calls `take` with all that is kept in the checkpoint that a recovery would load and that
/// `wanted` says, such as all of one customer. Returns which checkpoint that is.
///
/// # Errors
///
/// No checkpoint can be loaded, or the store fails, or `take` does.
pub fn find(
    store: &Shared,
    cluster: &str,
    mut wanted: impl FnMut(&Entry) -> bool,
    mut take: impl FnMut(Entry) -> Result<(), Error>,
) -> Result<Manifest, Error> {
    let listing = store::listing(store.as_ref())?;
    match decision(store, cluster, &listing, Depth::Ends)? {
        Decision::Load { manifest } | Decision::LoadOlder { manifest, .. } => {
            let checkpoint = Checkpoint::open(store, &manifest, &all_ranges())?;
            checkpoint.for_each(|entry| if wanted(&entry) { take(entry) } else { Ok(()) })?;
            Ok(*manifest)
        }
        Decision::Fresh => Err(Error::Refused {
            reason: format!("{} holds no checkpoint", store.place()),
            remedy: "give the folder that `propice live` keeps its state in".to_owned(),
        }),
        Decision::Refuse { reason, remedy } => Err(Error::Refused { reason, remedy }),
    }
}

#[cfg(test)]
mod tests;
