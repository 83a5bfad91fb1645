//! Writes a part, in bounded memory.

use std::collections::{BTreeMap, HashMap};
use std::io;

use bytes::Bytes;
use propice_model::limits::{STATE_BLOCK_BYTES, STATE_BUFFER_BYTES, STATE_ENTRY_BYTES, STATE_UPLOAD_BYTES};
use serde::Serialize;

use super::format::{self, Block, CHECKSUM, Count, FORMAT, Head, Index, PartRef, Section};
use crate::codec;
use crate::envelope::digest;
use crate::error::{Doing, Error};
use crate::ranges::Kind;
use crate::store::{Shared, Upload};

/// Fast, and a third of the size or less.
const LEVEL: i32 = 1;

/// Writes one part.
///
/// Entries come in any order. In the order of their key ranges the part reads back fastest, since
/// the blocks of a range then lie side by side, however large the part is.
pub struct PartWriter {
    store: Shared,
    name: String,
    head: Head,
    kinds: BTreeMap<u8, Kind>,
    /// Of the header, and the header itself until it is written.
    front: Vec<u8>,
    output: Output,
    buffers: BTreeMap<u8, Buffer>,
    buffered: usize,
    index: Index,
    numbers: HashMap<String, u32>,
    counts: BTreeMap<(u8, u32), (u64, u64, u64)>,
    compressor: zstd::bulk::Compressor<'static>,
    scratch: (Vec<u8>, Vec<u8>),
}

#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    entries: u32,
}

/// Bytes on their way into the store: in one piece if they are few.
struct Output {
    waiting: Vec<u8>,
    offset: u64,
    upload: Option<Box<dyn Upload>>,
}

impl PartWriter {
    /// Begins a part that holds bases and deltas of these key ranges. Nothing is written yet.
    ///
    /// # Errors
    ///
    /// The header cannot be made.
    pub fn new(store: &Shared, head: Head, kinds: BTreeMap<u8, Kind>) -> Result<PartWriter, Error> {
        let name = head.name().path();
        let front = format::front(&name, &head, &kinds, FORMAT)?;
        let compressor = zstd::bulk::Compressor::new(LEVEL).map_err(|error| packing(&name, &error))?;
        Ok(PartWriter {
            store: store.clone(),
            output: Output { waiting: front.clone(), offset: front.len() as u64, upload: None },
            name,
            head,
            kinds,
            front,
            buffers: BTreeMap::new(),
            buffered: 0,
            index: Index::default(),
            numbers: HashMap::new(),
            counts: BTreeMap::new(),
            compressor,
            scratch: (Vec::new(), Vec::new()),
        })
    }

    /// What the part holds of which key range.
    pub fn kinds(&self) -> &BTreeMap<u8, Kind> {
        &self.kinds
    }

    /// Adds what is now kept under a key, or that nothing is. Of one key the last one counts.
    ///
    /// # Errors
    ///
    /// The key or the entry does not encode, is too large, or does not belong into this part; or
    /// the store fails.
    pub fn push<K, E>(&mut self, collection: &str, range: u8, key: &K, entry: Option<&E>) -> Result<(), Error>
    where
        K: Serialize + ?Sized,
        E: Serialize + ?Sized,
    {
        let (mut key_bytes, mut entry_bytes) = std::mem::take(&mut self.scratch);
        key_bytes.clear();
        entry_bytes.clear();
        let encoded = codec::encode(key, &mut key_bytes).and_then(|()| match entry {
            Some(entry) => codec::encode(entry, &mut entry_bytes),
            None => Ok(()),
        });
        let pushed = match encoded {
            Ok(()) => self.push_encoded(collection, range, &key_bytes, entry.map(|_| entry_bytes.as_slice())),
            Err(cause) => Err(Error::Entry { name: self.name.clone(), collection: collection.to_owned(), cause }),
        };
        self.scratch = (key_bytes, entry_bytes);
        pushed
    }

    /// The same with bytes that were encoded by [`crate::encode`] before.
    ///
    /// # Errors
    ///
    /// As [`PartWriter::push`].
    pub fn push_encoded(&mut self, collection: &str, range: u8, key: &[u8], entry: Option<&[u8]>) -> Result<(), Error> {
        let wrong = |cause: String| Error::Entry { name: self.name.clone(), collection: collection.to_owned(), cause };
        let Some(kind) = self.kinds.get(&range) else {
            return Err(wrong(format!("key range {range} is not one that this part was begun for")));
        };
        // In a base all that is not named is gone.
        if entry.is_none() && *kind == Kind::Base {
            return Err(wrong(format!("a base, as that of key range {range}, says only what is kept")));
        }
        let bytes = key.len() + entry.map_or(0, <[u8]>::len);
        if bytes as u64 > STATE_ENTRY_BYTES {
            return Err(wrong(format!("a key with its entry has {bytes} bytes, more than {STATE_ENTRY_BYTES}")));
        }
        let collection = self.number_of(collection);
        let count = self.counts.entry((range, collection)).or_default();
        count.0 += u64::from(entry.is_some());
        count.1 += u64::from(entry.is_none());
        count.2 += bytes as u64;
        let buffer = self.buffers.entry(range).or_default();
        let before = buffer.bytes.len();
        put_entry(collection, key, entry, &mut buffer.bytes);
        buffer.entries += 1;
        let (now, full) = (buffer.bytes.len(), buffer.bytes.len() >= STATE_BLOCK_BYTES);
        self.buffered += now - before;
        if full {
            self.flush(range)?;
        }
        if self.buffered >= STATE_BUFFER_BYTES {
            self.flush_all()?;
        }
        Ok(())
    }

    fn number_of(&mut self, collection: &str) -> u32 {
        if let Some(number) = self.numbers.get(collection) {
            return *number;
        }
        let number = self.index.collections.len() as u32;
        self.index.collections.push(collection.to_owned());
        self.numbers.insert(collection.to_owned(), number);
        number
    }

    /// Writes what waits, by key range.
    fn flush_all(&mut self) -> Result<(), Error> {
        let ranges: Vec<u8> = self.buffers.keys().copied().collect();
        ranges.into_iter().try_for_each(|range| self.flush(range))
    }

    fn flush(&mut self, range: u8) -> Result<(), Error> {
        let Some(buffer) = self.buffers.remove(&range) else { return Ok(()) };
        self.buffered -= buffer.bytes.len();
        let packed = self.compressor.compress(&buffer.bytes).map_err(|error| packing(&self.name, &error))?;
        self.index.blocks.push(Block {
            range,
            offset: self.output.offset,
            stored: packed.len() as u32,
            raw: buffer.bytes.len() as u32,
            entries: buffer.entries,
            checksum: digest(&[&packed]),
        });
        self.output.write(&self.store, &self.name, &packed)
    }

    /// Writes the rest, and makes the part appear. Nothing is written, and nothing returned, if it
    /// would hold neither a base nor a change.
    ///
    /// # Errors
    ///
    /// The store fails. The part may be there then, and no manifest names it.
    pub fn finish(mut self) -> Result<Option<PartRef>, Error> {
        let empty = self.counts.is_empty() && !self.kinds.values().any(|kind| *kind == Kind::Base);
        if empty {
            return Ok(None);
        }
        self.flush_all()?;
        self.index.counts = self
            .counts
            .iter()
            .map(|(&(range, collection), &(kept, gone, bytes))| Count { range, collection, kept, gone, bytes })
            .collect();
        let (back, root) = format::back(&self.name, &self.front, &self.index, self.output.offset)?;
        self.output.write(&self.store, &self.name, &back)?;
        let size = self.output.offset;
        self.output.finish(&self.store, &self.name)?;
        let sections = sections(&self.kinds, &self.index);
        let Head { generation, time, writer, plan, .. } = self.head;
        Ok(Some(PartRef { generation, time, writer, size, checksum: hex(&root), plan, sections }))
    }

    /// Throws away what was written.
    pub fn abort(self) {
        if let Some(upload) = self.output.upload {
            upload.abort();
        }
    }
}

/// What an index says of each key range. A delta without a change is not a section.
pub(super) fn sections(kinds: &BTreeMap<u8, Kind>, index: &Index) -> Vec<Section> {
    let section = |(&range, &kind): (&u8, &Kind)| (range, Section { range, kind, kept: 0, gone: 0, stored: 0 });
    let mut sections: BTreeMap<u8, Section> = kinds.iter().map(section).collect();
    for count in &index.counts {
        if let Some(section) = sections.get_mut(&count.range) {
            section.kept += count.kept;
            section.gone += count.gone;
        }
    }
    for block in &index.blocks {
        if let Some(section) = sections.get_mut(&block.range) {
            section.stored += u64::from(block.stored);
        }
    }
    sections.into_values().filter(|section| section.kind == Kind::Base || section.kept + section.gone > 0).collect()
}

/// One entry: its collection, its key behind its length, and one more than the length of what is
/// kept, or 0 if that is gone.
fn put_entry(collection: u32, key: &[u8], entry: Option<&[u8]>, into: &mut Vec<u8>) {
    codec::put_number(u64::from(collection), into);
    codec::put_number(key.len() as u64, into);
    into.extend_from_slice(key);
    match entry {
        Some(entry) => {
            codec::put_number(entry.len() as u64 + 1, into);
            into.extend_from_slice(entry);
        }
        None => codec::put_number(0, into),
    }
}

pub(super) fn hex(checksum: &[u8; CHECKSUM]) -> String {
    use std::fmt::Write;
    checksum.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn packing(name: &str, error: &io::Error) -> Error {
    Error::Failed {
        name: name.to_owned(),
        place: "zstd".to_owned(),
        doing: Doing::Write,
        cause: error.to_string(),
        tried: 1,
    }
}

impl Output {
    fn write(&mut self, store: &Shared, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.offset += bytes.len() as u64;
        // The header is counted from the start, and waits already.
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() < STATE_UPLOAD_BYTES {
            return Ok(());
        }
        let upload = match &mut self.upload {
            Some(upload) => upload,
            None => self.upload.insert(store.upload(name)?),
        };
        upload.write(Bytes::from(std::mem::take(&mut self.waiting)))
    }

    fn finish(self, store: &Shared, name: &str) -> Result<(), Error> {
        let waiting = Bytes::from(self.waiting);
        match self.upload {
            Some(mut upload) => {
                if !waiting.is_empty() {
                    upload.write(waiting)?;
                }
                upload.finish()
            }
            None => store.put_if_absent(name, waiting),
        }
    }
}
