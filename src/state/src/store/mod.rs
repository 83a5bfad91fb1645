//! Where objects lie: a folder, a bucket, or memory. Synchronous, for callers on plain threads.
//!
//! ```text
//! Store ─── Remote   a folder, S3, Google Cloud Storage, Azure
//!       └── Client   memory, with faults that a test or a simulation chooses
//! ```
//!
//! What every store promises: an object appears whole or not at all; [`Store::put_if_absent`] has
//! one winner; what was answered is durable.

mod memory;
mod remote;
mod retry;
mod url;

#[cfg(test)]
mod bucket_tests;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use propice_model::limits::STATE_SMALL_BYTES;

pub use memory::{Client, Happens, Memory, Operation};
pub use retry::Patience;
pub use url::{Opening, open};

use crate::error::Error;
use crate::names::{self, Listing};

/// A store, shared by the threads of a process.
pub type Shared = Arc<dyn Store>;

/// An object that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Where objects lie.
///
/// Every call ends within a declared time, and has been tried again within declared bounds where
/// that can help.
pub trait Store: Send + Sync {
    /// What a person calls this store: its folder or its URL.
    fn place(&self) -> &str;

    /// Puts an object, whole and durable, if none has this name.
    ///
    /// An object of this name with the very same content counts as put: an answer that was lost
    /// does not turn a success into a failure.
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn put_if_absent(&self, name: &str, content: Bytes) -> Result<(), Error>;

    /// Begins to put an object piece by piece. It appears when it is finished, whole and durable.
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn upload(&self, name: &str) -> Result<Box<dyn Upload>, Error>;

    /// Reads bytes of an object; a range that is not there is damage.
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn get(&self, name: &str, range: Range<u64>) -> Result<Bytes, Error>;

    /// The size of an object.
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn size(&self, name: &str) -> Result<u64, Error>;

    /// The objects of a folder, in order of their names.
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn list(&self, folder: &str) -> Result<Vec<Found>, Error>;

    /// Deletes an object, if it is there.
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn delete(&self, name: &str) -> Result<(), Error>;

    /// What a process that was killed left half written, by the name that it would have had and how
    /// it is called meanwhile. Empty where a store hides such itself.
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn leftovers(&self) -> Result<Vec<String>, Error>;

    /// Deletes what was left half written.
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn delete_leftover(&self, name: &str) -> Result<(), Error>;
}

/// An object that is being put piece by piece.
pub trait Upload: Send {
    /// Adds bytes: at least 5 MiB, unless they are the last ones (S3 asks for that).
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn write(&mut self, content: Bytes) -> Result<(), Error>;
    /// Makes the object appear.
    ///
    /// # Errors
    ///
    /// The store fails, for as often as it was asked, or what was asked for is not there.
    fn finish(self: Box<Self>) -> Result<(), Error>;
    /// Throws away what was written.
    fn abort(self: Box<Self>);
}

/// The whole of a small object.
pub(crate) fn small(store: &dyn Store, name: &str) -> Result<Bytes, Error> {
    let size = store.size(name)?;
    if size > STATE_SMALL_BYTES {
        let what = format!("it has {size} bytes, more than the {STATE_SMALL_BYTES} that such an object may have");
        return Err(Error::damaged(name, what));
    }
    if size == 0 {
        return Err(Error::damaged(name, "it is empty"));
    }
    store.get(name, 0..size)
}

/// All names of a store.
///
/// # Errors
///
/// The store fails.
pub fn listing(store: &dyn Store) -> Result<Listing, Error> {
    let mut found = Vec::new();
    for folder in [names::GENERATIONS, names::CHECKPOINTS, names::PARTS] {
        found.extend(store.list(folder)?.into_iter().map(|found| (found.name, found.size)));
    }
    Ok(Listing::of(found, store.leftovers()?))
}

/// The name that something half written would have had.
pub(crate) fn meant(leftover: &str) -> &str {
    leftover.split_once('#').map_or(leftover, |(name, _)| name)
}
