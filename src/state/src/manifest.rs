//! Manifests: what a checkpoint consists of. A checkpoint is there when its manifest is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::envelope;
use crate::error::Error;
use crate::names::{CheckpointName, PartName};
use crate::part::{PartRef, Section};
use crate::ranges::{self, Kind};
use crate::store::{self, Store};

/// Topic, partition, the offset of the next record.
pub type Positions = BTreeMap<String, BTreeMap<i32, i64>>;

const WHAT: &str = "checkpoint";

/// What a checkpoint consists of, and where a restart from it goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The cluster.
    pub cluster: String,
    /// The generation that put it.
    pub generation: u64,
    /// The logical time of its cut.
    pub time: u64,
    /// When it was cut, in milliseconds since 1970.
    pub cut_at_ms: i64,
    /// The fingerprint of the plan.
    pub plan: String,
    /// What the plan keeps, for whoever compares plans.
    pub plan_description: Value,
    /// The greatest number of transactional slots that there ever was.
    pub slots_ever: u32,
    /// Where reading the sources goes on.
    pub sources: Positions,
    /// Where reading bindings and progress goes on.
    pub own: Positions,
    /// The parts, oldest first. What counts of them says [`Manifest::chains`].
    pub parts: Vec<PartRef>,
}

/// What a manifest names of one key range: a base, then deltas.
pub type Chain<'a> = Vec<(&'a PartRef, &'a Section)>;

impl Manifest {
    /// What it is called.
    pub fn name(&self) -> CheckpointName {
        CheckpointName { time: self.time, generation: self.generation }
    }

    /// The pieces of each key range: the latest base and the deltas after it, in order.
    pub fn chains(&self) -> BTreeMap<u8, Chain<'_>> {
        chains(&self.parts)
    }

    /// The names of its parts.
    pub fn part_names(&self) -> BTreeSet<PartName> {
        self.parts.iter().map(PartRef::name).collect()
    }

    /// What is wrong with it, if it cannot be what a checkpointer put.
    pub(crate) fn wrong(&self) -> Option<String> {
        let mut seen = BTreeSet::new();
        for part in &self.parts {
            let name = part.name();
            if part.time > self.time || part.generation > self.generation {
                return Some(format!("it names `{}`, which is later than itself", name.path()));
            }
            if !seen.insert(name) {
                return Some(format!("it names `{}` twice", name.path()));
            }
            if !part.sections.is_sorted_by(|one, other| one.range < other.range) {
                return Some(format!("the key ranges of `{}` are out of order", name.path()));
            }
        }
        if self.parts.is_empty() {
            return None;
        }
        let chains = self.chains();
        for range in ranges::all() {
            let Some(chain) = chains.get(&range) else { return Some(format!("it names nothing of key range {range}")) };
            if chain.first().is_none_or(|(_, section)| section.kind != Kind::Base) {
                return Some(format!("it names no base of key range {range}"));
            }
            if !chain.is_sorted_by(|(one, _), (other, _)| one.time < other.time) {
                return Some(format!("two pieces of key range {range} are of one time"));
            }
        }
        None
    }

    /// The bytes that are stored.
    pub(crate) fn sealed(&self) -> Result<Vec<u8>, Error> {
        envelope::seal(&self.name().path(), WHAT, self)
    }

    /// Reads a manifest of a cluster.
    ///
    /// # Errors
    ///
    /// It is missing, damaged, of a newer format or of another cluster; or the store fails.
    pub fn read(store: &dyn Store, name: CheckpointName, cluster: &str) -> Result<Manifest, Error> {
        let path = name.path();
        let manifest: Manifest = envelope::open(&path, WHAT, &store::small(store, &path)?)?;
        if manifest.cluster != cluster {
            return Err(Error::OtherCluster { name: path, theirs: manifest.cluster, ours: cluster.to_owned() });
        }
        if manifest.name() != name {
            return Err(Error::damaged(&path, format!("it is the checkpoint `{}`", manifest.name().path())));
        }
        match manifest.wrong() {
            Some(what) => Err(Error::damaged(&path, what)),
            None => Ok(manifest),
        }
    }
}

/// The pieces of each key range that count: the latest base and the deltas after it.
pub(crate) fn chains(parts: &[PartRef]) -> BTreeMap<u8, Chain<'_>> {
    let mut sorted: Vec<&PartRef> = parts.iter().collect();
    sorted.sort_by_key(|part| (part.time, part.generation, part.writer));
    let mut chains: BTreeMap<u8, Chain<'_>> = BTreeMap::new();
    for part in sorted {
        for section in &part.sections {
            let chain = chains.entry(section.range).or_default();
            if section.kind == Kind::Base {
                chain.clear();
            }
            chain.push((part, section));
        }
    }
    chains
}

/// The parts of which something counts, oldest first.
pub(crate) fn living(parts: &[PartRef]) -> Vec<PartRef> {
    let names: BTreeSet<PartName> = chains(parts).values().flatten().map(|(part, _)| part.name()).collect();
    let mut living: Vec<PartRef> = parts.iter().filter(|part| names.contains(&part.name())).cloned().collect();
    living.sort_by_key(|part| (part.time, part.generation, part.writer));
    living
}
