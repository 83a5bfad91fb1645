//! Does with a store what the machine says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::machine::{Action, Cut, Done, Machine, NotCut, Report, Write};
use crate::compaction::Policy;
use crate::error::{Error, Fault};
use crate::garbage::Garbage;
use crate::generation::{self, Generation};
use crate::manifest::{Manifest, Positions};
use crate::names::CheckpointName;
use crate::part::{PartRef, PartWriter};
use crate::store::{self, Shared};

/// A checkpointer of one cluster: for one plain thread, which may wait for the store.
///
/// Writers write their parts elsewhere, with [`Checkpointer::writer`] or a [`PartWriter`] of their
/// own, and say here when they are done.
pub struct Checkpointer {
    machine: Machine,
    store: Shared,
}

impl Checkpointer {
    /// Goes on from the checkpoint that was loaded, if any. `bad` are those that recovery skipped.
    pub fn new(
        store: &Shared,
        generation: Generation,
        plan_description: Value,
        loaded: Option<Manifest>,
        bad: &BTreeMap<CheckpointName, Fault>,
        policy: Policy,
    ) -> Checkpointer {
        let machine = Machine::new(generation, plan_description, loaded, bad, policy);
        Checkpointer { machine, store: store.clone() }
    }

    /// What it is about to do.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Puts the first checkpoint of a cluster that begins with nothing, before it reads a record.
    ///
    /// # Errors
    ///
    /// [`NotCut`] if there is a checkpoint, or the machine is at work. A store that fails is a
    /// [`Report`].
    pub fn initial(&mut self, sources: Positions, own: Positions, at_ms: i64) -> Result<Vec<Report>, NotCut> {
        let action = self.machine.initial(sources, own, at_ms)?;
        Ok(self.run((Some(action), None)))
    }

    /// Begins a cut: what each writer is to write.
    ///
    /// # Errors
    ///
    /// [`NotCut`], in which case nothing was begun.
    pub fn cut(&mut self, cut: Cut) -> Result<Vec<Write>, NotCut> {
        self.machine.cut(cut)
    }

    /// A writer for one of the parts of a cut. It can be sent to another thread.
    ///
    /// # Errors
    ///
    /// The part's header cannot be made.
    pub fn writer(&self, write: &Write) -> Result<PartWriter, Error> {
        PartWriter::new(&self.store, write.head.clone(), write.kinds.clone())
    }

    /// What came of a part.
    pub fn written(&mut self, time: u64, writer: u32, part: Result<Option<PartRef>, String>) -> Vec<Report> {
        let next = match part {
            Ok(part) => self.machine.written(time, writer, part),
            Err(why) => self.machine.failed(time, writer, why),
        };
        self.run(next)
    }

    /// Where a restart from the cut goes on reading sources, and bindings and progress.
    pub fn positions(&mut self, time: u64, sources: Positions, own: Positions) -> Vec<Report> {
        let next = self.machine.positions(time, sources, own);
        self.run(next)
    }

    /// What key ranges are visible through.
    pub fn visible(&mut self, which: impl IntoIterator<Item = u8>, through: u64) -> Vec<Report> {
        let next = self.machine.visible(which, through);
        self.run(next)
    }

    /// Does what is to be done, until nothing is.
    fn run(&mut self, mut next: (Option<Action>, Option<Report>)) -> Vec<Report> {
        let mut reports = Vec::new();
        loop {
            reports.extend(next.1.take());
            let Some(action) = next.0.take() else { return reports };
            let done = perform(&self.store, self.machine.generation(), action);
            next = self.machine.done(done);
        }
    }
}

/// Does one action.
fn perform(store: &Shared, generation: &Generation, action: Action) -> Done {
    let done = match action {
        Action::Put(manifest) => put(store, generation, &manifest),
        Action::Mark => generation::put_mark(store.as_ref(), generation).map(|()| Done::Fine),
        Action::List => store::listing(store.as_ref()).map(Done::Listed),
        Action::Read(names) => read(store, generation, names),
        Action::Delete(garbage) => delete(store, generation, &garbage),
    };
    done.unwrap_or_else(|error| Done::Failed(error.to_string()))
}

fn put(store: &Shared, generation: &Generation, manifest: &Manifest) -> Result<Done, Error> {
    // Whatever fails in it, fails here and not in a restart.
    if let Some(what) = manifest.wrong() {
        return Err(Error::damaged(&manifest.name().path(), what));
    }
    if !generation::is_newest(store.as_ref(), generation)? {
        return Ok(Done::Superseded);
    }
    store.put_if_absent(&manifest.name().path(), manifest.sealed()?.into())?;
    Ok(Done::Fine)
}

fn read(store: &Shared, generation: &Generation, names: Vec<CheckpointName>) -> Result<Done, Error> {
    let mut read = Vec::new();
    for name in names {
        match Manifest::read(store.as_ref(), name, &generation.cluster) {
            Ok(manifest) => read.push((name, Ok(manifest))),
            Err(error) => match error.fault() {
                Some(fault) => read.push((name, Err(fault))),
                None => return Err(error),
            },
        }
    }
    Ok(Done::Read(read))
}

fn delete(store: &Shared, generation: &Generation, garbage: &Garbage) -> Result<Done, Error> {
    if !generation::is_newest(store.as_ref(), generation)? {
        return Ok(Done::Superseded);
    }
    for name in &garbage.objects {
        store.delete(name)?;
    }
    for name in &garbage.leftovers {
        store.delete_leftover(name)?;
    }
    Ok(Done::Fine)
}
