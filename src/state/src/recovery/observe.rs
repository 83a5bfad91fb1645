//! Looks at what is there, as far as the decision asks for it.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{Decision, Observed, Topics, decide};
use crate::error::{Error, Fault};
use crate::generation::{self, Generation};
use crate::manifest::Manifest;
use crate::names::{self, Name, PartName};
use crate::part::Part;
use crate::store::{self, Shared};

/// How closely parts are looked at before one of them is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Header and index. A damaged block is found while it is loaded; then `recover` is called
    /// again with what was found.
    Ends,
    /// Every byte, against its checksum.
    Blocks,
}

/// Names, generations and manifests; parts only by name.
///
/// `bad_parts` are those of which is known already that they cannot be used.
///
/// # Errors
///
/// The store fails. What is wrong with objects is observed.
pub fn observe(
    store: &Shared,
    generation: &Generation,
    topics: Topics,
    bad_parts: BTreeMap<PartName, Fault>,
) -> Result<Observed, Error> {
    let listing = store::listing(store.as_ref())?;
    let mut generations = BTreeMap::new();
    for &number in listing.generations.iter().filter(|number| **number != generation.number) {
        generations.insert(number, known(generation::read(store.as_ref(), number, &generation.cluster))?);
    }
    let mut checkpoints = BTreeMap::new();
    for &name in &listing.checkpoints {
        checkpoints.insert(name, known(Manifest::read(store.as_ref(), name, &generation.cluster))?);
    }
    let newest_at_begin = generation.newest_checkpoint.as_deref().and_then(|name| match names::parse(name) {
        Name::Checkpoint(name) => Some(name),
        _ => None,
    });
    Ok(Observed {
        place: store.place().to_owned(),
        generation: generation.number,
        generations,
        newest_at_begin,
        marks: listing.marks.into_iter().collect(),
        checkpoints,
        parts: listing.parts.into_iter().map(|(name, _)| name).collect(),
        bad_parts,
        topics,
    })
}

/// Observes and decides. What is to be loaded was looked at as closely as `depth` says.
///
/// # Errors
///
/// The store fails. What is wrong with objects is decided upon.
pub fn recover(
    store: &Shared,
    generation: &Generation,
    topics: Topics,
    bad_parts: BTreeMap<PartName, Fault>,
    depth: Depth,
) -> Result<(Decision, Observed), Error> {
    let mut observed = observe(store, generation, topics, bad_parts)?;
    let mut looked_at = BTreeSet::new();
    loop {
        let decision = decide(&observed);
        let (Decision::Load { manifest } | Decision::LoadOlder { manifest, .. }) = &decision else {
            return Ok((decision, observed));
        };
        let mut changed = false;
        for part in &manifest.parts {
            if !looked_at.insert(part.name()) {
                continue;
            }
            let opened = Part::open_named(store, part, &generation.cluster);
            let looked = opened.and_then(|part| if depth == Depth::Blocks { part.verify_blocks() } else { Ok(()) });
            if let Err(fault) = known(looked)? {
                observed.bad_parts.insert(part.name(), fault);
                changed = true;
            }
        }
        if !changed {
            return Ok((decision, observed));
        }
    }
}

/// What is wrong with an object is an observation; what is wrong with the store is an error.
fn known<T>(read: Result<T, Error>) -> Result<Result<T, Fault>, Error> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(error) => match error.fault() {
            Some(fault) => Ok(Err(fault)),
            None => Err(error),
        },
    }
}
