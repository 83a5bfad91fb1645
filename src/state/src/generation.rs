//! Generations: the lives of a cluster, numbered.
//!
//! A generation is an object that is put if nothing has its name. Of two that start at once one
//! gets the number; the other starts over, after a random pause that its caller takes.

use serde::{Deserialize, Serialize};

use crate::envelope;
use crate::error::{Error, Fault};
use crate::manifest::Manifest;
use crate::names::{self, Listing};
use crate::store::{self, Store};

/// One life of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// The cluster.
    pub cluster: String,
    /// Its number; the first one is 1.
    pub number: u64,
    /// The greatest number of transactional slots that there ever was. All of them are fenced.
    pub slots_ever: u32,
    /// The fingerprint of the plan.
    pub plan: String,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// Drawn at random by whoever started it: two starters never write the same.
    pub nonce: u64,
    /// The newest checkpoint that was there when it began. If that is gone later, it was lost.
    pub newest_checkpoint: Option<String>,
}

/// Who wants to start a generation.
#[derive(Clone, Debug)]
pub struct Starter {
    /// The cluster.
    pub cluster: String,
    /// Transactional slots that it will use.
    pub slots: u32,
    /// The fingerprint of its plan.
    pub plan: String,
    /// The time, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// Drawn at random.
    pub nonce: u64,
    /// What a person says the greatest number of slots ever was, where the record of it is damaged.
    pub assume_slots: Option<u32>,
}

/// Why no generation began.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    /// Another starter has the number: start over, after a random pause.
    #[error("another process began generation {number} at the same time; start over")]
    Lost {
        /// The number.
        number: u64,
    },
    /// Something is wrong.
    #[error(transparent)]
    Error(#[from] Error),
}

const WHAT: &str = "generation";
const MARK: &str = "mark";

/// Takes the next number.
///
/// # Errors
///
/// [`NotBegun::Lost`] if another starter has the number; otherwise what is wrong with the store.
pub fn begin(store: &dyn Store, starter: &Starter) -> Result<Generation, NotBegun> {
    let listing = store::listing(store)?;
    let last = listing.greatest_generation().unwrap_or(0);
    let slots_before = slots_before(store, &listing, starter)?;
    let number = last.checked_add(1).ok_or_else(|| Error::Refused {
        reason: format!("there is no number after generation {last}"),
        remedy: format!("a name in {} was not written by propice: remove it", store.place()),
    })?;
    let generation = Generation {
        cluster: starter.cluster.clone(),
        number,
        slots_ever: slots_before.max(starter.slots),
        plan: starter.plan.clone(),
        started_at_ms: starter.started_at_ms,
        nonce: starter.nonce,
        newest_checkpoint: listing.checkpoints.last().map(names::CheckpointName::path),
    };
    let name = names::generation(number);
    let content = envelope::seal(&name, WHAT, &generation)?;
    match store.put_if_absent(&name, content.into()) {
        Ok(()) => Ok(generation),
        Err(Error::Exists { .. }) => Err(NotBegun::Lost { number }),
        Err(error) => Err(error.into()),
    }
}

/// The greatest number of slots that the generations before ever had.
fn slots_before(store: &dyn Store, listing: &Listing, starter: &Starter) -> Result<u32, Error> {
    let newest = listing.generations.last().copied();
    let of_generation = match newest.map(|number| read(store, number, &starter.cluster)) {
        Some(Ok(generation)) => Some(generation.slots_ever),
        Some(Err(error)) => match error.fault() {
            Some(Fault::Damaged(_) | Fault::Missing) => None,
            _ => return Err(error),
        },
        None => Some(0),
    };
    // The generation that wrote the newest checkpoint may have lost its own object.
    let newest_checkpoint = listing.checkpoints.last();
    let of_checkpoint = match newest_checkpoint.filter(|name| Some(name.generation) > newest) {
        Some(name) => Manifest::read(store, *name, &starter.cluster).map(|manifest| Some(manifest.slots_ever)),
        None => Ok(Some(0)),
    };
    let of_checkpoint = match of_checkpoint {
        Err(error) => match error.fault() {
            Some(Fault::Damaged(_) | Fault::Missing) => None,
            _ => return Err(error),
        },
        Ok(slots) => slots,
    };
    match (of_generation, of_checkpoint, starter.assume_slots) {
        (Some(one), Some(other), _) => Ok(one.max(other)),
        (one, other, Some(assumed)) => Ok(assumed.max(one.unwrap_or(0)).max(other.unwrap_or(0))),
        _ => Err(Error::Refused {
            reason: format!("how many transactional producers there ever were is damaged in {}", store.place()),
            remedy: "say a number that it never exceeded (as many as there ever were workers): a producer that is not fenced could publish twice".to_owned(),
        }),
    }
}

/// Reads a generation of a cluster.
///
/// # Errors
///
/// It is missing, damaged, of a newer format or of another cluster; or the store fails.
pub fn read(store: &dyn Store, number: u64, cluster: &str) -> Result<Generation, Error> {
    let name = names::generation(number);
    let generation: Generation = envelope::open(&name, WHAT, &store::small(store, &name)?)?;
    if generation.cluster != cluster {
        return Err(Error::OtherCluster { name, theirs: generation.cluster, ours: cluster.to_owned() });
    }
    if generation.number != number {
        return Err(Error::damaged(&name, format!("it is generation {}", generation.number)));
    }
    Ok(generation)
}

/// Whether no later generation began, and this one is what its object says.
///
/// # Errors
///
/// The store fails, or the generation's own object is damaged.
pub fn is_newest(store: &dyn Store, generation: &Generation) -> Result<bool, Error> {
    let found = store.list(names::GENERATIONS)?;
    let listing = Listing::of(found.into_iter().map(|found| (found.name, found.size)), Vec::new());
    if listing.generations.last() != Some(&generation.number) {
        return Ok(false);
    }
    Ok(read(store, generation.number, &generation.cluster)? == *generation)
}

/// What a mark says: that its generation has put a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The cluster.
    pub cluster: String,
    /// The generation.
    pub generation: u64,
}

/// Puts the mark that a generation has put a checkpoint. Later, no such checkpoint means a loss.
pub(crate) fn put_mark(store: &dyn Store, generation: &Generation) -> Result<(), Error> {
    let name = names::mark(generation.number);
    let mark = Mark { cluster: generation.cluster.clone(), generation: generation.number };
    store.put_if_absent(&name, envelope::seal(&name, MARK, &mark)?.into())
}

/// Reads the mark of a generation.
pub(crate) fn read_mark(store: &dyn Store, number: u64, cluster: &str) -> Result<Mark, Error> {
    let name = names::mark(number);
    let mark: Mark = envelope::open(&name, MARK, &store::small(store, &name)?)?;
    if mark.cluster != cluster {
        return Err(Error::OtherCluster { name, theirs: mark.cluster, ours: cluster.to_owned() });
    }
    if mark.generation != number {
        return Err(Error::damaged(&name, format!("it is that of generation {}", mark.generation)));
    }
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;
    use crate::store::{Happens, Memory, Opening, Shared, open};
    use crate::testing::{CLUSTER, begun, memory, shared, starter};

    /// Starters that begin at once: each number has one winner, and the losers know.
    fn race(store: &Shared, rounds: u64, starters: u64) {
        for round in 0..rounds {
            let barrier = Arc::new(Barrier::new(starters as usize));
            let threads = (0..starters).map(|thread| {
                let (store, barrier) = (store.clone(), barrier.clone());
                thread::spawn(move || {
                    barrier.wait();
                    begin(store.as_ref(), &starter(round * starters + thread))
                })
            });
            let outcomes: Vec<_> =
                threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().expect("no panic")).collect();
            let mut won: Vec<&Generation> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
            won.sort_by_key(|generation| generation.number);
            assert!(!won.is_empty(), "round {round}: nobody won");
            assert!(
                won.is_sorted_by(|one, other| one.number < other.number),
                "round {round}: a number has two winners"
            );
            for lost in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
                assert!(matches!(lost, NotBegun::Lost { .. }), "{lost}");
            }
            let newest = won.pop().expect("somebody won");
            assert!(is_newest(store.as_ref(), newest).expect("a list"));
            for older in won {
                assert!(!is_newest(store.as_ref(), older).expect("a list"));
            }
        }
    }

    #[test]
    fn of_two_starters_one_gets_the_number() {
        let (_, store) = memory();
        race(&store, 1_000, 2);
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(&folder.path().display().to_string(), &Opening { create: true, ..Opening::default() })
            .expect("a store");
        race(&store, 20, 3);
    }

    #[test]
    fn slots_never_become_fewer() {
        let (_, store) = memory();
        let slots =
            |slots| begin(store.as_ref(), &Starter { slots, ..starter(u64::from(slots)) }).expect("a generation");
        assert_eq!(slots(4).slots_ever, 4);
        assert_eq!(slots(1).slots_ever, 4);
        assert_eq!((slots(9).slots_ever, slots(2).number), (9, 4));
    }

    #[test]
    fn an_answer_that_was_lost_is_no_other_starter() {
        let memory = Memory::new();
        let store: Shared = memory.client_with(|operation| {
            if operation.name == names::generation(1) && operation.number < 9 {
                Happens::FailsAfter
            } else {
                Happens::Fine
            }
        });
        assert!(matches!(begin(store.as_ref(), &starter(1)), Err(NotBegun::Error(Error::Failed { .. }))));
        assert_eq!(begun(&shared(&memory), 2).number, 2, "the number is used up");
    }

    #[test]
    fn a_damaged_record_of_slots_needs_a_person() {
        let (memory, store) = memory();
        begun(&store, 1);
        let mut content = memory.content(&names::generation(1)).expect("it is there").to_vec();
        content[40] ^= 1;
        memory.replace(&names::generation(1), Some(content.into()));
        let error = begin(store.as_ref(), &starter(2)).expect_err("nobody knows the slots").to_string();
        assert!(error.contains("how many transactional producers"), "{error}");
        let assumed = Starter { assume_slots: Some(16), ..starter(2) };
        assert_eq!(begin(store.as_ref(), &assumed).expect("a person knows").slots_ever, 16);
    }

    #[test]
    fn another_cluster_does_not_begin_here() {
        let (_, store) = memory();
        begun(&store, 1);
        let other = Starter { cluster: "insurance".to_owned(), ..starter(2) };
        let error = begin(store.as_ref(), &other).expect_err("another cluster").to_string();
        assert!(error.contains(CLUSTER) && error.contains("a folder of its own"), "{error}");
    }
}
