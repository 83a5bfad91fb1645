//! What propice keeps across restarts: generations, checkpoints, and how one is recovered from
//! them.
//!
//! ```text
//! a generation begins      generation::begin ─▶ recovery::recover ─▶ Decision ─▶ read::Checkpoint
//! while it lives           Checkpointer: cut ─▶ PartWriter per worker ─▶ manifest ─▶ garbage
//! a person looks           inspect: summary, verify, find
//!
//! in the store             generations/<number>              one life of the cluster each
//!                          generations/<number>-checkpointed it has put a checkpoint
//!                          checkpoints/<time>-<generation>   manifests: what a checkpoint consists of
//!                          parts/<generation>-<time>-<writer> entries of key ranges
//! ```
//!
//! Objects are put once, whole, and never changed. What decides (`recovery::decide`,
//! `compaction`, `garbage`, `checkpointer::Machine`) does no I/O; what does I/O decides nothing.
//!
//! What a key and an entry are is none of its business: types of serde, under the name of a
//! collection and a key range. It knows the store and bincode, and no dataflow, broker or clock.

pub mod checkpointer;
mod codec;
pub mod compaction;
mod envelope;
mod error;
pub mod garbage;
pub mod generation;
pub mod inspect;
pub mod manifest;
pub mod names;
pub mod part;
pub mod ranges;
pub mod read;
pub mod recovery;
pub mod store;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod testing;

pub use checkpointer::{Checkpointer, Cut, Report};
pub use error::{Doing, Error, Fault};
pub use generation::{Generation, NotBegun, Starter};
pub use manifest::{Manifest, Positions};
pub use names::{CheckpointName, PartName};
pub use part::{Entry, PartRef, PartWriter};
pub use ranges::{Kind, RANGES};
pub use recovery::{Decision, Topics};
pub use store::{Opening, Shared, Store};

/// What a key or an entry is stored as: for whoever encodes before it knows where that goes.
///
/// # Errors
///
/// It does not encode, or is too large.
pub fn encode<T: serde::Serialize + ?Sized>(value: &T, into: &mut Vec<u8>) -> Result<(), String> {
    codec::encode(value, into)
}

/// Reads what [`encode`] wrote.
///
/// # Errors
///
/// The bytes are not those of such a value.
pub fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    codec::decode(bytes)
}
