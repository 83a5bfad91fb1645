//! When what is written, put and deleted: without I/O.

use std::collections::{BTreeMap, BTreeSet};

use propice_model::limits::{STATE_CHECKPOINTS, STATE_GENERATIONS};
use serde_json::Value;

use crate::compaction::{self, Policy};
use crate::error::Fault;
use crate::garbage::{self, Collecting, Collector, Garbage};
use crate::generation::Generation;
use crate::manifest::{Manifest, Positions, living};
use crate::names::{CheckpointName, Listing};
use crate::part::{Head, PartRef};
use crate::ranges::{self, Kind, RANGES};

/// A cut of the whole cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The logical time.
    pub time: u64,
    /// The time of the wall, in milliseconds since 1970: for people.
    pub at_ms: i64,
    /// The key ranges of each writer. Together they are all, each once.
    pub writers: Vec<BTreeSet<u8>>,
}

/// A part that a writer is to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Whose part it is; also says what it is called.
    pub head: Head,
    /// For each key range: all that is kept, or what changed since the last cut.
    pub kinds: BTreeMap<u8, Kind>,
}

/// What is to be done with the store.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Put this manifest, if no later generation began.
    Put(Box<Manifest>),
    /// Put the mark of this generation.
    Mark,
    /// List all names.
    List,
    /// Read these manifests.
    Read(Vec<CheckpointName>),
    /// Delete these, in this order, if no later generation began.
    Delete(Garbage),
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// It was put, or marked, or deleted.
    Fine,
    /// A later generation began.
    Superseded,
    /// It failed, or may have.
    Failed(String),
    /// The names.
    Listed(Listing),
    /// The manifests.
    Read(Vec<(CheckpointName, Result<Manifest, Fault>)>),
}

/// What a person or a metric wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A checkpoint is there.
    Put {
        /// Its name.
        name: CheckpointName,
        /// Bytes that its own parts have.
        written_bytes: u64,
        /// Bytes of all parts that it names.
        bytes: u64,
    },
    /// So many objects were deleted.
    Collected(usize),
    /// Nothing was deleted, or not all; it is tried again after the next checkpoint.
    NotCollected(String),
    /// No checkpoint came of the cut. The next one makes up for it.
    Abandoned {
        /// The time of the cut.
        time: u64,
        /// Why.
        why: String,
    },
    /// A later generation began: this one is over.
    Superseded,
}

/// Why no cut was begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCut {
    /// The one before is not over.
    #[error("the checkpoint before is not finished")]
    Busy,
    /// A later generation began.
    #[error("a later generation began")]
    Superseded,
    /// A cluster that begins with nothing puts its first checkpoint, of nothing, before it reads.
    #[error("the first checkpoint, of nothing, was not put")]
    NoInitial,
    /// A time that is not after the last checkpoint's, or key ranges that are not all, each once.
    #[error("{0}")]
    Wrong(String),
}

#[derive(Clone, Debug)]
struct Going {
    cut: Cut,
    missing: BTreeSet<u32>,
    failed: Option<String>,
    positions: Option<(Positions, Positions)>,
    written_bytes: u64,
}

#[derive(Clone, Debug)]
enum Phase {
    Idle,
    Going(Going),
    Putting(Box<Manifest>, u64),
    Marking,
    Collecting(Option<Listing>),
    Deleting(usize),
    Over,
}

/// The state of a checkpointer.
#[derive(Clone, Debug)]
pub struct Machine {
    generation: Generation,
    plan_description: Value,
    policy: Policy,
    /// Parts of which something counts, also those that no manifest names yet.
    parts: Vec<PartRef>,
    /// Key ranges whose changes went lost with a part, or that another plan wrote.
    broken: BTreeSet<u8>,
    visible: [u64; RANGES],
    latest: Option<CheckpointName>,
    last_cut: u64,
    marked: bool,
    phase: Phase,
    manifests: BTreeMap<CheckpointName, Result<Manifest, Fault>>,
}

impl Machine {
    /// Goes on from the checkpoint that was loaded, if any. `bad` are those that recovery skipped.
    pub fn new(
        generation: Generation,
        plan_description: Value,
        loaded: Option<Manifest>,
        bad: &BTreeMap<CheckpointName, Fault>,
        policy: Policy,
    ) -> Machine {
        let mut manifests: BTreeMap<_, _> = bad.iter().map(|(name, fault)| (*name, Err(fault.clone()))).collect();
        let parts = loaded.as_ref().map(|loaded| living(&loaded.parts)).unwrap_or_default();
        let same_plan = parts.iter().all(|part| part.plan == generation.plan);
        let broken = if same_plan { BTreeSet::new() } else { ranges::all().collect() };
        let latest = loaded.as_ref().map(Manifest::name);
        if let Some(loaded) = loaded {
            manifests.insert(loaded.name(), Ok(loaded));
        }
        Machine {
            generation,
            plan_description,
            policy,
            parts,
            broken,
            visible: [0; RANGES],
            latest,
            last_cut: 0,
            marked: false,
            phase: Phase::Idle,
            manifests,
        }
    }

    /// The generation.
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// The last checkpoint that was put or loaded.
    pub fn latest(&self) -> Option<CheckpointName> {
        self.latest
    }

    /// Whether a cut can begin.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    /// The time of the cut that waits to become visible: a silent slot commits progress for it.
    pub fn awaited(&self) -> Option<u64> {
        match &self.phase {
            Phase::Going(going) => Some(going.cut.time),
            _ => None,
        }
    }

    /// The first checkpoint of a cluster that begins with nothing: of nothing, and where its
    /// sources are read from. It is put before a record is read; so whoever finds none knows that
    /// none was.
    ///
    /// # Errors
    ///
    /// [`NotCut`] if there is a checkpoint, or the machine is at work.
    pub fn initial(&mut self, sources: Positions, own: Positions, at_ms: i64) -> Result<Action, NotCut> {
        self.ready()?;
        if self.latest.is_some() {
            return Err(NotCut::Wrong("there is a checkpoint already".to_owned()));
        }
        Ok(self.put(0, at_ms, sources, own, 0))
    }

    fn ready(&self) -> Result<(), NotCut> {
        match self.phase {
            Phase::Idle => Ok(()),
            Phase::Over => Err(NotCut::Superseded),
            _ => Err(NotCut::Busy),
        }
    }

    /// Begins a cut: what each writer is to write.
    ///
    /// # Errors
    ///
    /// [`NotCut`], in which case nothing was begun.
    pub fn cut(&mut self, cut: Cut) -> Result<Vec<Write>, NotCut> {
        self.ready()?;
        let latest = self.latest.ok_or(NotCut::NoInitial)?;
        // A part that failed may have left an object of its name: no time is used twice.
        let last = latest.time.max(self.last_cut);
        if cut.time <= last {
            return Err(NotCut::Wrong(format!("the time {} of a cut is not after {last}, that of the last", cut.time)));
        }
        let mut once = BTreeSet::new();
        if !cut.writers.iter().flatten().all(|range| once.insert(*range)) || once.len() != RANGES {
            return Err(NotCut::Wrong("the key ranges of the writers are not all of them, each once".to_owned()));
        }
        let writes = cut.writers.iter().zip(0..).map(|(wanted, writer)| Write {
            head: Head {
                cluster: self.generation.cluster.clone(),
                generation: self.generation.number,
                time: cut.time,
                writer,
                plan: self.generation.plan.clone(),
            },
            kinds: compaction::next_kinds(&self.parts, wanted, &self.broken, &self.policy),
        });
        let writes: Vec<Write> = writes.collect();
        self.last_cut = cut.time;
        let missing = writes.iter().map(|write| write.head.writer).collect();
        self.phase = Phase::Going(Going { cut, missing, failed: None, positions: None, written_bytes: 0 });
        Ok(writes)
    }

    fn going(&mut self, time: u64) -> Option<&mut Going> {
        match &mut self.phase {
            Phase::Going(going) if going.cut.time == time => Some(going),
            _ => None,
        }
    }

    /// A writer's part is durable, or there was nothing to write.
    pub fn written(&mut self, time: u64, writer: u32, part: Option<PartRef>) -> (Option<Action>, Option<Report>) {
        let Some(going) = self.going(time) else { return (None, None) };
        if !going.missing.remove(&writer) {
            return (None, None);
        }
        if let Some(part) = part {
            going.written_bytes += part.size;
            for section in part.sections.iter().filter(|section| section.kind == Kind::Base) {
                self.broken.remove(&section.range);
            }
            self.parts.push(part);
            self.parts = living(&self.parts);
        }
        self.step()
    }

    /// A writer's part failed: what changed since the last cut is in no part, so its key ranges get
    /// bases with the next one.
    pub fn failed(&mut self, time: u64, writer: u32, why: String) -> (Option<Action>, Option<Report>) {
        let Some(going) = self.going(time) else { return (None, None) };
        if !going.missing.remove(&writer) {
            return (None, None);
        }
        let lost = going.cut.writers.get(writer as usize).cloned().unwrap_or_default();
        going.failed.get_or_insert(why);
        self.broken.extend(lost);
        self.step()
    }

    /// Where a restart from the cut goes on reading sources, and bindings and progress.
    pub fn positions(&mut self, time: u64, sources: Positions, own: Positions) -> (Option<Action>, Option<Report>) {
        let Some(going) = self.going(time) else { return (None, None) };
        going.positions = Some((sources, own));
        self.step()
    }

    /// What key ranges are visible through.
    pub fn visible(&mut self, which: impl IntoIterator<Item = u8>, through: u64) -> (Option<Action>, Option<Report>) {
        for range in which {
            let visible = &mut self.visible[usize::from(range)];
            *visible = through.max(*visible);
        }
        self.step()
    }

    /// Whether the cut can be finished, or has to be given up.
    fn step(&mut self) -> (Option<Action>, Option<Report>) {
        let Phase::Going(going) = &mut self.phase else { return (None, None) };
        if !going.missing.is_empty() {
            return (None, None);
        }
        if let Some(why) = going.failed.take() {
            let time = going.cut.time;
            self.phase = Phase::Idle;
            return (None, Some(Report::Abandoned { time, why }));
        }
        let (time, at_ms, written) = (going.cut.time, going.cut.at_ms, going.written_bytes);
        if self.visible.iter().any(|visible| *visible < time) {
            return (None, None);
        }
        let Some((sources, own)) = going.positions.take() else { return (None, None) };
        (Some(self.put(time, at_ms, sources, own, written)), None)
    }

    fn put(&mut self, time: u64, at_ms: i64, sources: Positions, own: Positions, written_bytes: u64) -> Action {
        let manifest = Box::new(Manifest {
            cluster: self.generation.cluster.clone(),
            generation: self.generation.number,
            time,
            cut_at_ms: at_ms,
            plan: self.generation.plan.clone(),
            plan_description: self.plan_description.clone(),
            slots_ever: self.generation.slots_ever,
            sources,
            own,
            parts: self.parts.clone(),
        });
        self.phase = Phase::Putting(manifest.clone(), written_bytes);
        Action::Put(manifest)
    }

    /// What came of an action.
    pub fn done(&mut self, done: Done) -> (Option<Action>, Option<Report>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        match (phase, done) {
            (Phase::Over, _) | (_, Done::Superseded) => {
                self.phase = Phase::Over;
                (None, Some(Report::Superseded))
            }
            (Phase::Putting(manifest, _), Done::Failed(why)) => {
                (None, Some(Report::Abandoned { time: manifest.time, why }))
            }
            (Phase::Putting(manifest, written_bytes), _) => {
                let name = manifest.name();
                let bytes = manifest.parts.iter().map(|part| part.size).sum();
                self.latest = Some(name);
                self.manifests.insert(name, Ok(*manifest));
                let next = if self.marked { Action::List } else { Action::Mark };
                self.phase = if self.marked { Phase::Collecting(None) } else { Phase::Marking };
                (Some(next), Some(Report::Put { name, written_bytes, bytes }))
            }
            (Phase::Marking | Phase::Collecting(_) | Phase::Deleting(_), Done::Failed(why)) => {
                (None, Some(Report::NotCollected(why)))
            }
            (Phase::Marking, _) => {
                self.marked = true;
                self.phase = Phase::Collecting(None);
                (Some(Action::List), None)
            }
            (Phase::Collecting(None), Done::Listed(listing)) => self.collect(listing),
            (Phase::Collecting(Some(listing)), Done::Read(read)) => {
                self.manifests.extend(read);
                self.collect(listing)
            }
            (Phase::Deleting(count), _) => (None, (count > 0).then_some(Report::Collected(count))),
            // An answer that nobody waits for.
            (phase, _) => {
                self.phase = phase;
                (None, None)
            }
        }
    }

    fn collect(&mut self, listing: Listing) -> (Option<Action>, Option<Report>) {
        let Some(latest) = self.latest else { return (None, None) };
        let collector = Collector {
            generation: self.generation.number,
            latest,
            in_use: self.parts.iter().map(PartRef::name).collect(),
            checkpoints: STATE_CHECKPOINTS,
            generations: STATE_GENERATIONS,
        };
        match garbage::collect(&listing, &self.manifests, &collector) {
            Collecting::Skip(why) => (None, Some(Report::NotCollected(why))),
            Collecting::Read(names) => {
                self.phase = Phase::Collecting(Some(listing));
                (Some(Action::Read(names)), None)
            }
            Collecting::Delete(garbage) => {
                self.manifests.retain(|name, _| !garbage.objects.contains(&name.path()));
                let count = garbage.objects.len() + garbage.leftovers.len();
                if count == 0 {
                    return (None, None);
                }
                self.phase = Phase::Deleting(count);
                (Some(Action::Delete(garbage)), None)
            }
        }
    }
}
