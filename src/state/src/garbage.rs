//! What may be deleted. A pure function of what is there.
//!
//! Manifests go before the parts that only they name: killed in the middle, what is left is either
//! whole or named by nobody, and the next one to collect takes it. What a later generation wrote is
//! never touched, nor what this one is writing.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Fault;
use crate::manifest::Manifest;
use crate::names::{self, CheckpointName, Listing, Name, PartName};
use crate::store::meant;

/// Who collects.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Its generation.
    pub generation: u64,
    /// The manifest that it has just put.
    pub latest: CheckpointName,
    /// Parts that it may still name: written, and not in a manifest yet, or being written.
    pub in_use: BTreeSet<PartName>,
    /// Manifests that are kept.
    pub checkpoints: usize,
    /// Generations that are kept.
    pub generations: usize,
}

/// What is to be deleted, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Objects, by name.
    pub objects: Vec<String>,
    /// What was left half written.
    pub leftovers: Vec<String>,
}

/// What collecting needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collecting {
    /// These manifests, to know what they name.
    Read(Vec<CheckpointName>),
    /// Nothing more: this can go.
    Delete(Garbage),
    /// Nothing is deleted this time.
    Skip(String),
}

/// What can be deleted, given the manifests that were read so far.
pub fn collect(
    listing: &Listing,
    read: &BTreeMap<CheckpointName, Result<Manifest, Fault>>,
    collector: &Collector,
) -> Collecting {
    if !listing.checkpoints.contains(&collector.latest) {
        return Collecting::Skip(format!(
            "`{}`, which was put, is not in the list: the list is not up to date",
            collector.latest.path()
        ));
    }
    if listing.greatest_generation() > Some(collector.generation) {
        return Collecting::Skip("a later generation is at work".to_owned());
    }
    // The newest ones that are whole are kept; those that are damaged do not count.
    let mut kept: Vec<&Manifest> = Vec::new();
    let mut old: Vec<CheckpointName> = Vec::new();
    // What is known to be there counts even if a list that is not up to date leaves it out.
    let known: BTreeSet<&CheckpointName> = listing.checkpoints.iter().chain(read.keys()).collect();
    for name in known.into_iter().rev() {
        if kept.len() >= collector.checkpoints.max(1) {
            old.extend(Some(*name).filter(|name| listing.checkpoints.contains(name)));
            continue;
        }
        match read.get(name) {
            None => return Collecting::Read(vec![*name]),
            Some(Ok(manifest)) => kept.push(manifest),
            Some(Err(Fault::Damaged(_) | Fault::Missing)) => {}
            Some(Err(fault)) => return Collecting::Skip(format!("`{}` is {fault}", name.path())),
        }
    }
    old.reverse();
    let mut named = collector.in_use.clone();
    named.extend(kept.iter().flat_map(|manifest| manifest.part_names()));
    let mut garbage = Garbage::default();
    garbage.objects.extend(old.iter().map(CheckpointName::path));
    let parts = listing.parts.iter().map(|(name, _)| *name);
    let dead = parts.filter(|name| !named.contains(name) && is_over(collector, name.generation, Some(name.time)));
    garbage.objects.extend(dead.map(|name| name.path()));
    garbage.objects.extend(old_generations(listing, collector));
    garbage.leftovers = listing.leftovers.iter().filter(|name| is_dead(meant(name), collector)).cloned().collect();
    Collecting::Delete(garbage)
}

/// Whether whatever that generation wrote for a cut at that time is not being written any more.
fn is_over(collector: &Collector, generation: u64, time: Option<u64>) -> bool {
    let own = generation == collector.generation && time.is_some_and(|time| time <= collector.latest.time);
    generation < collector.generation || own
}

fn is_dead(meant: &str, collector: &Collector) -> bool {
    match names::parse(meant) {
        Name::Generation(number) | Name::Mark(number) => is_over(collector, number, None),
        Name::Checkpoint(name) => is_over(collector, name.generation, Some(name.time)),
        Name::Part(name) => is_over(collector, name.generation, Some(name.time)) && !collector.in_use.contains(&name),
        Name::Other => false,
    }
}

/// Generations but the newest ones, with their marks; the newest mark stays.
fn old_generations(listing: &Listing, collector: &Collector) -> Vec<String> {
    let over = listing.generations.len().saturating_sub(collector.generations.max(1));
    let Some(&first_kept) = listing.generations.get(over) else { return Vec::new() };
    let newest_mark = listing.marks.last().copied();
    let old = listing.generations[..over].iter().map(|&number| names::generation(number));
    let marks = listing.marks.iter().filter(|&&mark| mark < first_kept && Some(mark) != newest_mark);
    old.chain(marks.map(|&mark| names::mark(mark))).collect()
}
