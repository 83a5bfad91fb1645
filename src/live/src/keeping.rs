//! What is kept across restarts: generations and checkpoints, in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use propice_define::Plan;
use propice_flow::state::{self, Key, Placement, PlanShape};
use propice_kafka::Topics;
use propice_model::KeyRange;
use propice_state::recovery::{self, Decision, Depth};
use propice_state::store::{self, Opening};
use propice_state::{
    Checkpointer, Fault, Generation, Manifest, NotBegun, PartName, Shared as SharedStore, Starter, generation, names,
    read,
};

use super::LiveError;
use super::clock::Clock;
use super::protocol::GenerationNumber;
use super::protocol::progress::Visible;
use super::protocol::recovered::{Checkpointed, named};
use super::sources::read_topics;
use super::start::{Options, SLOTS};

/// How often a number is tried to be taken.
const TRIES: usize = 20;

/// An entry of a checkpoint.
pub(crate) type Kept = (Arc<str>, Key, state::Entry);

/// What workers go on from.
pub(crate) struct Restored {
    /// The logical time of the checkpoint.
    pub at: u64,
    /// What the plan stored that wrote it.
    pub before: PlanShape,
    /// What each worker needs of it.
    pub entries: Vec<Vec<Kept>>,
}

/// The store, and what was found in it.
pub(crate) struct Keeping {
    store: SharedStore,
    cluster: String,
    bindings: String,
    plan: Arc<Plan>,
    shape: PlanShape,
    workers: usize,
    /// The topics that are read, and ours.
    topics: BTreeSet<String>,
    generation: Option<Generation>,
    manifest: Option<Manifest>,
    bad_parts: BTreeMap<PartName, Fault>,
    skipped: BTreeMap<propice_state::CheckpointName, Fault>,
    restored: Option<Restored>,
}

impl Keeping {
    /// Opens the store of a deployment.
    pub(crate) fn open(options: &Options) -> Result<Keeping, LiveError> {
        let state = &options.deployment.state;
        let store_options =
            state.options.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect();
        let opening = Opening { create: true, options: store_options, ..Opening::default() };
        Ok(Keeping {
            store: store::open(state.url.expose(), &opening)?,
            cluster: options.deployment.cluster.name.clone(),
            bindings: state.bindings.clone(),
            plan: options.plan.clone(),
            shape: PlanShape::of(&options.plan),
            workers: options.deployment.cluster.workers,
            topics: read_topics(&options.deployment.inputs)
                .into_keys()
                .chain([state.bindings.as_str()])
                .map(str::to_owned)
                .collect(),
            generation: None,
            manifest: None,
            bad_parts: BTreeMap::new(),
            skipped: BTreeMap::new(),
            restored: None,
        })
    }

    /// Takes the next number, and learns how many slots there ever were.
    pub(crate) fn take_number(&mut self) -> Result<(GenerationNumber, u32), LiveError> {
        for _ in 0..TRIES {
            // Hashers of the standard library are seeded at random.
            let nonce = RandomState::new().hash_one(std::process::id());
            let starter = Starter {
                cluster: self.cluster.clone(),
                slots: SLOTS,
                plan: self.shape.fingerprint().to_string(),
                started_at_ms: Clock::now() as i64,
                nonce,
                assume_slots: None,
            };
            match generation::begin(self.store.as_ref(), &starter) {
                Ok(generation) => {
                    let number = GenerationNumber(generation.number);
                    let slots = generation.slots_ever;
                    self.generation = Some(generation);
                    return Ok((number, slots));
                }
                // Two that start at once can keep apart for ever if they pause alike.
                Err(NotBegun::Lost { .. }) => std::thread::sleep(std::time::Duration::from_millis(nonce % 200)),
                Err(NotBegun::Error(error)) => return Err(error.into()),
            }
        }
        Err(LiveError::Threads("others start all the time".to_owned()))
    }

    fn generation(&self) -> Result<&Generation, LiveError> {
        self.generation.as_ref().ok_or_else(|| LiveError::Threads("no generation was begun".to_owned()))
    }

    /// Whether our generation is still the newest.
    pub(crate) fn is_newest(&self) -> Result<bool, LiveError> {
        Ok(generation::is_newest(self.store.as_ref(), self.generation()?)?)
    }

    /// Finds the newest checkpoint that can be used.
    pub(crate) fn find(&mut self, topics: &Topics, visible: &Visible) -> Result<Option<Checkpointed>, LiveError> {
        let told = self.told_by_topics(topics, visible)?;
        let generation = self.generation()?;
        let (decision, observed) =
            recovery::recover(&self.store, generation, told, self.bad_parts.clone(), Depth::Ends)?;
        let bad = observed.checkpoints.iter().filter_map(|(name, read)| Some((*name, read.as_ref().err()?.clone())));
        self.skipped = bad.collect();
        self.bad_parts = observed.bad_parts;
        let manifest = match decision {
            Decision::Fresh => return Ok(None),
            Decision::Load { manifest } => manifest,
            Decision::LoadOlder { manifest, skipped } => {
                for skipped in skipped {
                    tracing::warn!(checkpoint = skipped.name.path(), why = skipped.why, "is not used");
                }
                manifest
            }
            Decision::Refuse { reason, remedy } => return Err(LiveError::Refused { reason, remedy }),
        };
        let checkpointed = Checkpointed {
            time: manifest.time,
            generation: GenerationNumber(manifest.generation),
            bindings: manifest.own.get(&self.bindings).and_then(|of| of.get(&0)).copied().unwrap_or_default(),
            offsets: named(&manifest.sources).collect(),
        };
        self.manifest = Some(*manifest);
        Ok(Some(checkpointed))
    }

    /// What the topics say that bears on which checkpoint can be used.
    fn told_by_topics(&self, topics: &Topics, visible: &Visible) -> Result<recovery::Topics, LiveError> {
        let mut extent: recovery::Extent = BTreeMap::new();
        for partition in topics.partitions(self.topics.iter().map(String::as_str))? {
            let marks = topics.watermarks(&partition)?;
            extent.entry(partition.topic).or_default().insert(partition.number, marks);
        }
        Ok(recovery::Topics {
            extent: Some(extent),
            said_something: Some(visible.greatest() > 0),
            visible_through: Some(visible.least()),
            greatest_generation: None,
        })
    }

    /// Loads the state of the checkpoint that was found; false when it turns out to be damaged.
    pub(crate) fn load(&mut self) -> Result<bool, LiveError> {
        let Some(manifest) = &self.manifest else { return Ok(true) };
        let before: PlanShape =
            serde_json::from_value(manifest.plan_description.clone()).map_err(|error| LiveError::Refused {
                reason: format!("what the plan stored cannot be read: {error}"),
                remedy: "start it with the version of propice that wrote it".to_owned(),
            })?;
        self.compare(&before)?;
        let placement = Placement::of(&self.plan);
        let mut entries: Vec<Vec<Kept>> = (0..self.workers).map(|_| Vec::new()).collect();
        let all: BTreeSet<u8> = KeyRange::all().map(|range| range.0).collect();
        let loaded = read::Checkpoint::open(&self.store, manifest, &all).and_then(|checkpoint| {
            checkpoint.for_each(|stored| {
                let (key, entry): (Key, Option<state::Entry>) = (stored.key()?, stored.entry()?);
                let Some(entry) = entry else { return Ok(()) };
                match placement.worker(&stored.collection, &key, self.workers) {
                    Some(worker) => entries[worker].push((stored.collection, key, entry)),
                    None => {
                        for of_worker in &mut entries {
                            of_worker.push((stored.collection.clone(), key.clone(), entry.clone()));
                        }
                    }
                }
                Ok(())
            })
        });
        if let Err(error) = loaded {
            let (Some(fault), Some(names::Name::Part(part))) = (error.fault(), error.object().map(names::parse)) else {
                return Err(error.into());
            };
            tracing::warn!(%error, "a part is damaged: looking for an older checkpoint");
            self.bad_parts.insert(part, fault);
            self.manifest = None;
            return Ok(false);
        }
        let count: usize = entries.iter().map(Vec::len).sum();
        tracing::info!(checkpoint = manifest.name().path(), entries = count, "loaded");
        self.restored = Some(Restored { at: manifest.time, before, entries });
        Ok(true)
    }

    /// Says what becomes of what is stored under the plan as it is now.
    fn compare(&self, before: &PlanShape) -> Result<(), LiveError> {
        let comparison = state::compare(before, &self.shape);
        let refusals: Vec<String> = comparison.refusals().map(|(part, reason)| format!("{part}: {reason}")).collect();
        if !refusals.is_empty() {
            return Err(LiveError::Refused {
                reason: format!("the pack cannot go on from what is stored:\n  {}", refusals.join("\n  ")),
                remedy: "take the change back, or give the cluster a new name to begin without what was known"
                    .to_owned(),
            });
        }
        for (part, fate) in comparison.differences() {
            tracing::info!("{part}: {fate}");
        }
        Ok(())
    }

    /// What workers go on from, once.
    pub(crate) fn take_restored(&mut self) -> Option<Restored> {
        self.restored.take()
    }

    /// Whoever writes the checkpoints of this generation.
    pub(crate) fn checkpointer(self) -> Result<Checkpointer, LiveError> {
        let generation = self.generation()?.clone();
        let description = serde_json::to_value(&self.shape).map_err(|error| LiveError::Threads(error.to_string()))?;
        let policy = propice_state::compaction::Policy::default();
        Ok(Checkpointer::new(&self.store, generation, description, self.manifest, &self.skipped, policy))
    }
}
