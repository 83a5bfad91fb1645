//! A store in memory with faults that a script chooses, for tests and the simulation.
//!
//! [`Memory`] is the disk; it outlives everybody. A [`Client`] is what one process sees of it: its
//! script is asked before every operation, and a process that crashed gets nothing done any more.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::{Found, Store, Upload};
use crate::error::{Doing, Error};

/// What is about to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// How many this client did before.
    pub number: u64,
    /// What.
    pub doing: Doing,
    /// With which object or folder.
    pub name: String,
}

/// What happens to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happens {
    /// What was asked for.
    Fine,
    /// It fails and had no effect.
    FailsBefore,
    /// It has its effect, and yet fails: the answer was lost.
    FailsAfter,
    /// The process dies before it.
    DiesBefore,
    /// The process dies after it.
    DiesAfter,
    /// There is no room.
    Full,
    /// A list gives only so many of its names, without saying so.
    Partial(usize),
    /// It takes so long.
    Late(Duration),
}

/// The disk: what is stored, and what is half written.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Clone, Debug, Default)]
struct Disk {
    objects: BTreeMap<String, Bytes>,
    staged: BTreeMap<String, Vec<u8>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// Nothing stored.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// What a process sees when nothing goes wrong.
    pub fn client(&self) -> Arc<Client> {
        self.client_with(|_| Happens::Fine)
    }

    /// What a process sees when a script says what goes wrong.
    pub fn client_with(&self, script: impl FnMut(&Operation) -> Happens + Send + 'static) -> Arc<Client> {
        let state = State { script: Box::new(script), number: 0, dead: false };
        Arc::new(Client { disk: self.disk.clone(), state: Arc::new(Mutex::new(state)) })
    }

    /// The names of all objects.
    pub fn names(&self) -> Vec<String> {
        locked(&self.disk).objects.keys().cloned().collect()
    }

    /// The content of an object.
    pub fn content(&self, name: &str) -> Option<Bytes> {
        locked(&self.disk).objects.get(name).cloned()
    }

    /// Changes an object behind everybody's back; `None` removes it.
    pub fn replace(&self, name: &str, content: Option<Bytes>) {
        let mut disk = locked(&self.disk);
        match content {
            Some(content) => disk.objects.insert(name.to_owned(), content),
            None => disk.objects.remove(name),
        };
    }

    /// The same content on another disk.
    #[must_use]
    pub fn copied(&self) -> Memory {
        Memory { disk: Arc::new(Mutex::new(locked(&self.disk).clone())) }
    }
}

struct State {
    script: Box<dyn FnMut(&Operation) -> Happens + Send>,
    number: u64,
    dead: bool,
}

/// What one process sees of a [`Memory`].
pub struct Client {
    disk: Arc<Mutex<Disk>>,
    state: Arc<Mutex<State>>,
}

impl Client {
    /// Whether its process died.
    pub fn is_dead(&self) -> bool {
        locked(&self.state).dead
    }

    /// How many operations it began.
    pub fn operations(&self) -> u64 {
        locked(&self.state).number
    }

    fn handle(&self) -> Client {
        Client { disk: self.disk.clone(), state: self.state.clone() }
    }

    fn failed(doing: Doing, name: &str, cause: &str) -> Error {
        Error::Failed { name: name.to_owned(), place: "memory".to_owned(), doing, cause: cause.to_owned(), tried: 1 }
    }

    /// Asks the script, then does it, or not.
    fn run<T>(
        &self,
        doing: Doing,
        name: &str,
        work: impl FnOnce(&mut Disk, Happens) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let happens = {
            let mut state = locked(&self.state);
            if state.dead {
                return Err(Client::failed(doing, name, "the process is dead"));
            }
            let operation = Operation { number: state.number, doing, name: name.to_owned() };
            state.number += 1;
            let happens = (state.script)(&operation);
            state.dead = matches!(happens, Happens::DiesBefore | Happens::DiesAfter);
            happens
        };
        match happens {
            Happens::FailsBefore | Happens::DiesBefore => return Err(Client::failed(doing, name, "it failed before")),
            Happens::Full if doing == Doing::Write => {
                return Err(Error::Full { name: name.to_owned(), place: "memory".to_owned(), doing });
            }
            Happens::Late(time) => std::thread::sleep(time),
            _ => {}
        }
        let done = work(&mut locked(&self.disk), happens)?;
        match happens {
            Happens::FailsAfter | Happens::DiesAfter => Err(Client::failed(doing, name, "it failed after")),
            _ => Ok(done),
        }
    }
}

impl Store for Client {
    fn place(&self) -> &'static str {
        "memory"
    }

    fn put_if_absent(&self, name: &str, content: Bytes) -> Result<(), Error> {
        self.run(Doing::Write, name, |disk, _| match disk.objects.get(name) {
            Some(there) if *there != content => {
                Err(Error::Exists { name: name.to_owned(), place: "memory".to_owned() })
            }
            _ => {
                disk.objects.insert(name.to_owned(), content);
                Ok(())
            }
        })
    }

    fn upload(&self, name: &str) -> Result<Box<dyn Upload>, Error> {
        let staged = self.run(Doing::Write, name, |disk, _| {
            let mut number = 1;
            while disk.staged.contains_key(&format!("{name}#{number}")) {
                number += 1;
            }
            let staged = format!("{name}#{number}");
            disk.staged.insert(staged.clone(), Vec::new());
            Ok(staged)
        })?;
        Ok(Box::new(Staged { client: self.handle(), name: name.to_owned(), staged }))
    }

    fn get(&self, name: &str, range: Range<u64>) -> Result<Bytes, Error> {
        self.run(Doing::Read, name, |disk, _| {
            let Some(content) = disk.objects.get(name) else {
                return Err(Error::Missing { name: name.to_owned(), place: "memory".to_owned() });
            };
            if range.end > content.len() as u64 || range.start > range.end {
                return Err(Error::damaged(name, format!("bytes {} to {} are not there", range.start, range.end)));
            }
            Ok(content.slice(range.start as usize..range.end as usize))
        })
    }

    fn size(&self, name: &str) -> Result<u64, Error> {
        self.run(Doing::Read, name, |disk, _| match disk.objects.get(name) {
            Some(content) => Ok(content.len() as u64),
            None => Err(Error::Missing { name: name.to_owned(), place: "memory".to_owned() }),
        })
    }

    fn list(&self, folder: &str) -> Result<Vec<Found>, Error> {
        self.run(Doing::List, folder, |disk, happens| {
            let inside = disk
                .objects
                .iter()
                .filter(|(name, _)| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
            let found = inside.map(|(name, content)| Found { name: name.clone(), size: content.len() as u64 });
            let most = if let Happens::Partial(most) = happens { most } else { usize::MAX };
            Ok(found.take(most).collect())
        })
    }

    fn delete(&self, name: &str) -> Result<(), Error> {
        self.run(Doing::Delete, name, |disk, _| {
            disk.objects.remove(name);
            Ok(())
        })
    }

    fn leftovers(&self) -> Result<Vec<String>, Error> {
        self.run(Doing::List, "", |disk, _| Ok(disk.staged.keys().cloned().collect()))
    }

    fn delete_leftover(&self, name: &str) -> Result<(), Error> {
        self.run(Doing::Delete, name, |disk, _| {
            disk.staged.remove(name);
            Ok(())
        })
    }
}

/// An object that is being uploaded.
struct Staged {
    client: Client,
    name: String,
    staged: String,
}

impl Upload for Staged {
    fn write(&mut self, content: Bytes) -> Result<(), Error> {
        let staged = self.staged.clone();
        self.client.run(Doing::Write, &self.name, |disk, _| {
            disk.staged.entry(staged).or_default().extend_from_slice(&content);
            Ok(())
        })
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        self.client.run(Doing::Write, &self.name, |disk, _| {
            let content = disk.staged.remove(&self.staged).unwrap_or_default();
            disk.objects.insert(self.name.clone(), Bytes::from(content));
            Ok(())
        })
    }

    fn abort(self: Box<Self>) {
        let _ = self.client.run(Doing::Delete, &self.name, |disk, _| {
            disk.staged.remove(&self.staged);
            Ok(())
        });
    }
}
