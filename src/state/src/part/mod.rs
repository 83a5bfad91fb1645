//! Parts: immutable objects that hold entries of key ranges, as bases or as deltas.
//!
//! One worker writes one part per checkpoint, with all of its key ranges in it. An object per key
//! range would be 256 synchronised files, or 256 paid requests, every ten seconds; and most of them
//! would hold a handful of keys. An index by key range at the end lets a range be read alone.
//!
//! ```text
//! start    magic, format, length of the header, their checksum      24 bytes, the same in all formats
//! header   JSON: cluster, generation, time, writer, plan, key ranges with what is held of them
//!          its checksum                                               16 bytes
//! blocks   zstd; each of one key range, each with its checksum in the index
//! index    bincode: blocks, counts by key range and collection, names of collections
//! end      length of the index, size of the object, checksum over header, index and these, magic   36 bytes
//! ```
//!
//! The checksum at the end covers those of all blocks, so it is that of the whole object. The
//! manifest has it too. Every byte is under one checksum or another: a changed bit is found before
//! anything that it touches is used.

mod format;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub use format::{Count, Head, PartRef, Section};
pub use reader::{Entry, Part};
pub use writer::PartWriter;
