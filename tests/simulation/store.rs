//! An object store: names, put if absent. A model of crate `state`, as far as the protocol needs it:
//! generations, checkpoints named by time and generation, parts that no other may delete.

use std::collections::BTreeMap;
use std::rc::Rc;

use propice_live::protocol::recovered::Checkpointed;

use crate::flow::State;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    Generation(u64),
    /// Of a time, by a generation.
    Checkpoint(u64, u64),
    /// Of a generation, a time, a writer.
    Part(u64, u64, usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Object {
    Generation { nonce: u64, slots: u32, slots_ever: u32 },
    Manifest(Rc<Manifest>),
    Part { state: Rc<State>, is_damaged: bool },
}

#[derive(Debug)]
pub(crate) struct Manifest {
    pub checkpointed: Checkpointed,
    pub parts: Vec<Name>,
}

#[derive(Debug)]
pub(crate) enum Action {
    Put(Name, Object),
    Delete(Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fine,
    Exists,
    /// It failed, or its answer did.
    Failed,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub objects: BTreeMap<Name, Object>,
}

impl Store {
    pub(crate) fn apply(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Put(name, _) if self.objects.contains_key(name) => Outcome::Exists,
            Action::Put(name, object) => {
                self.objects.insert(*name, object.clone());
                Outcome::Fine
            }
            Action::Delete(name) => {
                self.objects.remove(name);
                Outcome::Fine
            }
        }
    }

    /// The newest generation: its number, its nonce, how many slots it has and how many there ever
    /// were.
    pub(crate) fn newest(&self) -> Option<(u64, u64, u32, u32)> {
        self.objects.iter().rev().find_map(|(name, object)| match (name, object) {
            (Name::Generation(number), Object::Generation { nonce, slots, slots_ever }) => {
                Some((*number, *nonce, *slots, *slots_ever))
            }
            _ => None,
        })
    }

    /// Checkpoints, the newest first.
    pub(crate) fn checkpoints(&self) -> Vec<(Name, Rc<Manifest>)> {
        let manifest = |(name, object): (&Name, &Object)| match object {
            Object::Manifest(manifest) => Some((*name, manifest.clone())),
            _ => None,
        };
        self.objects.iter().rev().filter_map(manifest).collect()
    }

    /// The state that parts hold, unless one is damaged or missing.
    pub(crate) fn load(&self, manifest: &Manifest) -> Option<State> {
        let mut whole = State::new();
        for name in &manifest.parts {
            match self.objects.get(name) {
                Some(Object::Part { state, is_damaged: false }) => whole.extend(state.as_ref().clone()),
                _ => return None,
            }
        }
        Some(whole)
    }

    /// Positions that some checkpoint still needs.
    pub(crate) fn oldest(&self) -> Option<Rc<Manifest>> {
        self.checkpoints().pop().map(|(_, manifest)| manifest)
    }
}
