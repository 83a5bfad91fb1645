//! What is kept across restarts: generations and checkpoints, in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};

use propice_kafka::{Partition, Topics};
use propice_state::recovery::{self, Decision, Depth};
use propice_state::store::{self, Opening};
use propice_state::{Generation, Manifest, NotBegun, Shared as SharedStore, Starter, generation};

use super::LiveError;
use super::clock::Clock;
use super::protocol::GenerationNumber;
use super::protocol::recovered::Checkpointed;
use super::start::{Options, SLOTS};

/// The store, and what was found in it.
pub(crate) struct Keeping {
    store: SharedStore,
    starter: Starter,
    generation: Option<Generation>,
    manifest: Option<Manifest>,
}
