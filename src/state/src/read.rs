//! What a checkpoint holds: base and deltas of each key range, merged.
//!
//! The deltas of a key range are held in memory while its base streams by. They are at most about
//! as large as a base of one of 256 ranges (`compaction`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Error;
use crate::manifest::Manifest;
use crate::names::PartName;
use crate::part::{Entry, Part};
use crate::ranges::Kind;
use crate::store::Shared;

/// A checkpoint whose parts are open.
pub struct Checkpoint {
    parts: BTreeMap<PartName, Part>,
    /// The names of the pieces of each key range: base, then deltas.
    chains: BTreeMap<u8, Vec<PartName>>,
}

impl Checkpoint {
    /// Opens the parts of a checkpoint that hold something of these key ranges.
    ///
    /// # Errors
    ///
    /// A part is missing, damaged, or another one; or the store fails.
    pub fn open(store: &Shared, manifest: &Manifest, wanted: &BTreeSet<u8>) -> Result<Checkpoint, Error> {
        let chains: BTreeMap<u8, Vec<PartName>> = manifest
            .chains()
            .into_iter()
            .filter(|(range, _)| wanted.contains(range))
            .map(|(range, chain)| (range, chain.into_iter().map(|(part, _)| part.name()).collect()))
            .collect();
        let needed: BTreeSet<PartName> = chains.values().flatten().copied().collect();
        let mut parts = BTreeMap::new();
        for named in manifest.parts.iter().filter(|part| needed.contains(&part.name())) {
            parts.insert(named.name(), Part::open_named(store, named, &manifest.cluster)?);
        }
        Ok(Checkpoint { parts, chains })
    }

    /// Calls `take` with all that is kept of the key ranges, range by range. Ends at its first
    /// error.
    ///
    /// # Errors
    ///
    /// A part is damaged, the store fails, or `take` does.
    pub fn for_each(&self, mut take: impl FnMut(Entry) -> Result<(), Error>) -> Result<(), Error> {
        self.chains.keys().try_for_each(|range| self.of_range(*range, &mut take))
    }

    /// The same of one key range, so that threads can share the work.
    ///
    /// # Errors
    ///
    /// A part is damaged, the store fails, or `take` does.
    pub fn of_range(&self, range: u8, take: &mut impl FnMut(Entry) -> Result<(), Error>) -> Result<(), Error> {
        let Some(chain) = self.chains.get(&range) else { return Ok(()) };
        let wanted = BTreeSet::from([range]);
        let mut pieces = chain.iter().filter_map(|name| self.parts.get(name));
        let Some(base) = pieces.next() else { return Ok(()) };
        let mut changed: BTreeMap<(Arc<str>, Bytes), Option<Bytes>> = BTreeMap::new();
        for delta in pieces {
            for entry in delta.entries(&wanted) {
                let Entry { collection, key, entry, .. } = entry?;
                changed.insert((collection, key), entry);
            }
        }
        for entry in base.entries(&wanted) {
            let entry = entry?;
            let at = (entry.collection, entry.key);
            let kept = changed.remove(&at).unwrap_or(entry.entry);
            if kept.is_some() {
                take(Entry { collection: at.0, range, key: at.1, entry: kept })?;
            }
        }
        for ((collection, key), entry) in changed.into_iter().filter(|(_, entry)| entry.is_some()) {
            take(Entry { collection, range, key, entry })?;
        }
        Ok(())
    }

    /// Which parts hold bases, and how many deltas there are: what a restart has to read.
    pub fn pieces(&self, range: u8) -> Vec<Kind> {
        let chain = self.chains.get(&range).map_or(&[][..], Vec::as_slice);
        chain.iter().zip(0..).map(|(_, at)| if at == 0 { Kind::Base } else { Kind::Delta }).collect()
    }
}

/// All that is kept of these key ranges, in memory: for tests, and for small things.
///
/// # Errors
///
/// A part is missing or damaged, or the store fails.
pub fn all(store: &Shared, manifest: &Manifest, wanted: &BTreeSet<u8>) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    Checkpoint::open(store, manifest, wanted)?.for_each(|entry| {
        entries.push(entry);
        Ok(())
    })?;
    Ok(entries)
}
