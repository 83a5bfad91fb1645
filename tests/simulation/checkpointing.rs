//! Checkpoints: cut, written, and put when all that they hold is visible. A model of crate `state`:
//! positions are taken before the look, the manifest is put after it, and what no manifest of the
//! last two names is deleted, manifests first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use propice_live::protocol::recovered::Checkpointed;

use crate::coverage::{Case, Point};
use crate::flow::State;
use crate::process::{End, Wire};
use crate::running::Running;
use crate::store::{Action, Manifest, Name, Object, Outcome};
use crate::world::{Env, Mutation};

#[derive(Default)]
pub(crate) enum Checkpointing {
    #[default]
    Idle,
    /// The state of this time is taken when the dataflow gets there.
    Cutting(u64),
    Writing {
        time: u64,
        checkpointed: Checkpointed,
        parts: VecDeque<(Name, Object)>,
        names: Vec<Name>,
        missing: usize,
    },
    /// All parts are there.
    Waiting {
        checkpointed: Checkpointed,
        names: Vec<Name>,
    },
    /// Positions are known: is this generation the newest?
    Looking(Manifest),
    Putting,
    Deleting {
        names: VecDeque<Name>,
        is_asked: bool,
    },
}

impl Checkpointing {
    /// The time for whose visibility a checkpoint waits.
    pub(crate) fn awaited(&self) -> Option<u64> {
        match self {
            Checkpointing::Cutting(time) | Checkpointing::Writing { time, .. } => Some(*time),
            Checkpointing::Waiting { checkpointed, .. } => Some(checkpointed.time),
            _ => None,
        }
    }

    pub(crate) fn step(&mut self, running: &mut Running, wire: &mut Wire, env: &mut Env) -> Result<(), End> {
        *self = match std::mem::take(self) {
            Checkpointing::Idle if running.is_caught_up() && env.rng.in_thousand(env.cuts) => {
                let time = running.next_cut();
                running.flow.cut = Some(time);
                env.say(|| format!("cuts at {time}"));
                Checkpointing::Cutting(time)
            }
            Checkpointing::Cutting(time) => match running.flow.snapshot.take() {
                Some(state) => write(time, &state, running, env),
                None => Checkpointing::Cutting(time),
            },
            Checkpointing::Writing { time, checkpointed, mut parts, names, mut missing } => {
                if let Some((name, object)) = parts.pop_front() {
                    wire.store(Action::Put(name, object));
                }
                match wire.store_outcome() {
                    Some(Outcome::Fine) => missing -= 1,
                    // What this cut has written so far is garbage. The next one makes up for it.
                    Some(_) => {
                        wire.store.clear();
                        return Ok(());
                    }
                    None => {}
                }
                if missing == 0 {
                    Checkpointing::Waiting { checkpointed, names }
                } else {
                    Checkpointing::Writing { time, checkpointed, parts, names, missing }
                }
            }
            Checkpointing::Waiting { mut checkpointed, names } => {
                let visible = running.slots.iter().map(|slot| slot.visible).min().unwrap_or_default();
                if visible >= checkpointed.time || env.has(Mutation::CheckpointsAhead) {
                    checkpointed.bindings = position(running, checkpointed.time);
                    Checkpointing::Looking(Manifest { checkpointed, parts: names })
                } else {
                    env.count(Case::CheckpointWaits);
                    Checkpointing::Waiting { checkpointed, names }
                }
            }
            Checkpointing::Looking(manifest) => {
                if env.store.newest().is_none_or(|(newest, ..)| newest != running.generation.0) {
                    return Err(End::Again("a later generation has begun".to_owned()));
                }
                let name = Name::Checkpoint(manifest.checkpointed.time, running.generation.0);
                env.say(|| format!("puts {manifest:?}"));
                wire.store(Action::Put(name, Object::Manifest(Rc::new(manifest))));
                Checkpointing::Putting
            }
            Checkpointing::Putting => match wire.store_outcome() {
                Some(Outcome::Fine) => {
                    env.count(Case::Checkpoint);
                    Checkpointing::Deleting { names: garbage(running, env), is_asked: false }
                }
                Some(_) => Checkpointing::Idle,
                None => Checkpointing::Putting,
            },
            Checkpointing::Deleting { mut names, is_asked } => match wire.store_outcome() {
                Some(outcome) if outcome != Outcome::Fine => Checkpointing::Idle,
                None if is_asked => Checkpointing::Deleting { names, is_asked },
                _ => match names.pop_front() {
                    Some(name) => {
                        wire.store(Action::Delete(name));
                        Checkpointing::Deleting { names, is_asked: true }
                    }
                    None => Checkpointing::Idle,
                },
            },
            idle => idle,
        };
        Ok(())
    }

    pub(crate) fn points(&self, wire: &Wire) -> BTreeSet<Point> {
        let point = match self {
            Checkpointing::Writing { .. } => Point::WritingParts,
            Checkpointing::Waiting { .. } | Checkpointing::Looking(_) => Point::PartsWritten,
            Checkpointing::Putting if wire.store.iter().any(|request| request.is_applied) => Point::ManifestPut,
            Checkpointing::Putting => Point::ManifestSent,
            Checkpointing::Deleting { .. } => Point::Deleting,
            Checkpointing::Idle | Checkpointing::Cutting(_) => return BTreeSet::new(),
        };
        BTreeSet::from([point])
    }
}

/// Parts of two writers, and how far the sources are in them.
fn write(time: u64, state: &State, running: &Running, env: &mut Env) -> Checkpointing {
    let mut offsets = BTreeMap::new();
    for (_, source, offset) in running.bound.iter().filter(|(bound, ..)| *bound <= time) {
        let of_source = offsets.entry(env.sources[*source].clone()).or_insert(*offset);
        *of_source = (*of_source).max(*offset);
    }
    let checkpointed = Checkpointed { time, offsets, generation: running.generation, bindings: 0 };
    let mut parts = VecDeque::new();
    for writer in 0..2 {
        let own: State = state
            .iter()
            .filter(|(key, _)| **key as usize % 2 == writer)
            .map(|(key, of_key)| (*key, of_key.clone()))
            .collect();
        let name = Name::Part(running.generation.0, time, writer);
        parts.push_back((name, Object::Part { state: Rc::new(own), is_damaged: false }));
    }
    let names = parts.iter().map(|(name, _)| *name).collect();
    Checkpointing::Writing { time, checkpointed, parts, names, missing: 2 }
}

/// The offset from which all bindings later than a time are found.
fn position(running: &Running, time: u64) -> i64 {
    let (known, from) = &running.offsets;
    let later = known.iter().filter(|(bound, _)| *bound > time).map(|(_, offset)| *offset).min();
    let behind = known.iter().map(|(_, offset)| offset + 1).max().unwrap_or(*from);
    later.unwrap_or(behind).max(*from)
}

/// What no manifest of the last two names, of this generation and those before.
fn garbage(running: &Running, env: &Env) -> VecDeque<Name> {
    let ours = running.generation.0;
    if env.store.newest().is_none_or(|(newest, ..)| newest != ours) {
        return VecDeque::new();
    }
    let manifests = env.store.checkpoints();
    let whole = manifests.iter().filter(|(_, manifest)| env.store.load(manifest).is_some());
    let kept: Vec<_> = whole.take(2).collect();
    let named: BTreeSet<Name> = kept.iter().flat_map(|(_, manifest)| manifest.parts.iter().copied()).collect();
    let Some((oldest, _)) = kept.last() else { return VecDeque::new() };
    let old = manifests.iter().map(|(name, _)| *name).filter(|name| name < oldest);
    let parts = env
        .store
        .objects
        .keys()
        .copied()
        .filter(|name| matches!(name, Name::Part(generation, ..) if *generation <= ours) && !named.contains(name));
    old.chain(parts).collect()
}
