//! Reads a part, in bounded memory, and believes nothing that no checksum covers.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use propice_model::limits::{STATE_BLOCK_BYTES, STATE_ENTRY_BYTES, STATE_READ_BYTES};
use serde::de::DeserializeOwned;

use super::format::{self, Block, CHECKSUM, Head, Index, PartRef, START, Section, TAIL};
use super::writer::{hex, sections};
use crate::codec;
use crate::envelope::digest;
use crate::error::Error;
use crate::names::PartName;
use crate::ranges::Kind;
use crate::store::Shared;

/// What is read at first from both ends: mostly all that is needed of a small part.
const ENDS: u64 = 64 << 10;

/// One key with what is kept of it, or that nothing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The collection.
    pub collection: Arc<str>,
    /// The key range.
    pub range: u8,
    /// The key as it is stored.
    pub key: Bytes,
    /// What is kept as it is stored; nothing if it is gone.
    pub entry: Option<Bytes>,
}

impl Entry {
    /// The key, typed.
    ///
    /// # Errors
    ///
    /// It is not of this type.
    pub fn key<K: DeserializeOwned>(&self) -> Result<K, Error> {
        codec::decode(&self.key).map_err(|cause| self.wrong(format!("its key does not read: {cause}")))
    }

    /// What is kept, typed.
    ///
    /// # Errors
    ///
    /// It is not of this type.
    pub fn entry<E: DeserializeOwned>(&self) -> Result<Option<E>, Error> {
        let read = self.entry.as_ref().map(|entry| codec::decode(entry)).transpose();
        read.map_err(|cause| self.wrong(format!("its entry does not read: {cause}")))
    }

    fn wrong(&self, cause: String) -> Error {
        Error::Entry { name: format!("key range {}", self.range), collection: self.collection.to_string(), cause }
    }
}

/// A part whose header and index were read and found whole.
pub struct Part {
    store: Shared,
    name: String,
    head: Head,
    kinds: BTreeMap<u8, Kind>,
    index: Index,
    collections: Vec<Arc<str>>,
    size: u64,
    checksum: String,
}

impl Part {
    /// Opens a part of a cluster by its name.
    ///
    /// # Errors
    ///
    /// It is missing, damaged, of a newer format or of another cluster; or the store fails.
    pub fn open(store: &Shared, name: PartName, cluster: &str) -> Result<Part, Error> {
        let path = name.path();
        let size = store.size(&path)?;
        let start = store.get(&path, 0..size.min(ENDS))?;
        let front_length = format::front_length(&path, start.get(..START).unwrap_or(&start))?;
        let short = || Error::damaged(&path, "it is cut short");
        let least = front_length + TAIL as u64;
        if size < least {
            return Err(short());
        }
        let front = piece(store, &path, &start, 0, 0..front_length)?;
        let (head, kinds, front_checksum) = format::read_front(&path, &front)?;
        if head.cluster != cluster {
            return Err(Error::OtherCluster { name: path, theirs: head.cluster, ours: cluster.to_owned() });
        }
        if head.name() != name {
            return Err(Error::damaged(&path, format!("it is the part `{}`", head.name().path())));
        }
        let end_from = size - size.min(ENDS);
        let end = if end_from == 0 { start } else { store.get(&path, end_from..size)? };
        let tail = &end[end.len() - TAIL.min(end.len())..];
        let back_length = format::back_length(&path, tail, size)?;
        let blocks_end = size.checked_sub(back_length).filter(|at| *at >= front_length).ok_or_else(short)?;
        let back = piece(store, &path, &end, end_from, blocks_end..size)?;
        let (index, root) = format::read_back(&path, &front_checksum, &back, size)?;
        check(&path, &kinds, &index, front_length, blocks_end)?;
        let collections = index.collections.iter().map(|name| Arc::from(name.as_str())).collect();
        Ok(Part { store: store.clone(), name: path, head, kinds, index, collections, size, checksum: hex(&root) })
    }

    /// Opens a part that a manifest names, and sees whether it is that one.
    ///
    /// # Errors
    ///
    /// As [`Part::open`]; or it is whole, and another one.
    pub fn open_named(store: &Shared, named: &PartRef, cluster: &str) -> Result<Part, Error> {
        let part = Part::open(store, named.name(), cluster)?;
        if !part.is(named) {
            return Err(Error::damaged(&part.name, "it is not the part that the checkpoint names"));
        }
        Ok(part)
    }

    /// Whether it is the part that a manifest names.
    pub fn is(&self, named: &PartRef) -> bool {
        let same = self.head.name() == named.name() && self.size == named.size && self.checksum == named.checksum;
        same && self.head.plan == named.plan && self.sections() == named.sections
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose it is, and of which cut.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// What it holds of each key range.
    pub fn sections(&self) -> Vec<Section> {
        sections(&self.kinds, &self.index)
    }

    /// How much it holds: (key range, collection, kept, gone, bytes before they are packed).
    pub fn counts(&self) -> impl Iterator<Item = (u8, &str, u64, u64, u64)> {
        self.index.counts.iter().filter_map(|count| {
            let collection = self.collections.get(count.collection as usize)?;
            Some((count.range, &**collection, count.kept, count.gone, count.bytes))
        })
    }

    /// The entries of key ranges, range by range, each in the order in which they were written.
    pub fn entries(&self, wanted: &BTreeSet<u8>) -> Entries<'_> {
        let mut blocks: Vec<&Block> = self.index.blocks.iter().filter(|block| wanted.contains(&block.range)).collect();
        blocks.sort_by_key(|block| (block.range, block.offset));
        Entries {
            part: self,
            blocks: blocks.into(),
            ahead: (0, Bytes::new()),
            raw: Bytes::new(),
            current: None,
            failed: false,
        }
    }

    /// Reads all of it; returns how many entries it holds.
    ///
    /// # Errors
    ///
    /// The first damage that is found; or the store fails.
    pub fn verify(&self) -> Result<u64, Error> {
        let (mut entries, mut counted) = (0, BTreeMap::<(u8, Arc<str>), (u64, u64)>::new());
        let mut seen = (0, HashSet::new());
        for entry in self.entries(&self.kinds.keys().copied().collect()) {
            let entry = entry?;
            entries += 1;
            if self.kinds.get(&entry.range) == Some(&Kind::Base) {
                if seen.0 != entry.range {
                    seen = (entry.range, HashSet::new());
                }
                if !seen.1.insert(digest(&[entry.collection.as_bytes(), &entry.key])) {
                    let what = format!(
                        "a key of `{}` stands twice in the base of key range {}",
                        entry.collection, entry.range
                    );
                    return Err(Error::damaged(&self.name, what));
                }
            }
            let count = counted.entry((entry.range, entry.collection)).or_default();
            count.0 += u64::from(entry.entry.is_some());
            count.1 += u64::from(entry.entry.is_none());
        }
        let said =
            self.counts().map(|(range, collection, kept, gone, _)| ((range, Arc::from(collection)), (kept, gone)));
        if said.collect::<BTreeMap<_, _>>() != counted {
            return Err(Error::damaged(&self.name, "it holds another number of entries than its index says"));
        }
        Ok(entries)
    }

    /// Sees whether the checksums of all blocks match, without unpacking them.
    ///
    /// # Errors
    ///
    /// The first damage that is found; or the store fails.
    pub fn verify_blocks(&self) -> Result<(), Error> {
        let mut entries = self.entries(&self.kinds.keys().copied().collect());
        while let Some(block) = entries.blocks.pop_front() {
            entries.stored(block)?;
        }
        Ok(())
    }
}

/// Bytes that were read already, or read now.
fn piece(store: &Shared, path: &str, read: &Bytes, from: u64, wanted: std::ops::Range<u64>) -> Result<Bytes, Error> {
    if wanted.start >= from && wanted.end <= from + read.len() as u64 {
        return Ok(read.slice((wanted.start - from) as usize..(wanted.end - from) as usize));
    }
    store.get(path, wanted)
}

/// Whether an index says what can be: its blocks fill the room between header and index.
fn check(name: &str, kinds: &BTreeMap<u8, Kind>, index: &Index, from: u64, to: u64) -> Result<(), Error> {
    let mut at = from;
    for block in &index.blocks {
        let most = STATE_ENTRY_BYTES + STATE_BLOCK_BYTES as u64 + 64;
        let right = block.offset == at && kinds.contains_key(&block.range) && u64::from(block.raw) <= most;
        if !right {
            return Err(Error::damaged(name, "its index does not fit its blocks"));
        }
        at += u64::from(block.stored);
    }
    let known = |count: &format::Count| (count.collection as usize) < index.collections.len();
    if at != to || !index.counts.iter().all(known) {
        return Err(Error::damaged(name, "its index does not fit its blocks"));
    }
    Ok(())
}

/// Entries of a part.
pub struct Entries<'a> {
    part: &'a Part,
    blocks: VecDeque<&'a Block>,
    /// Stored bytes that were read, and where they begin.
    ahead: (u64, Bytes),
    /// What is left of the block, and its beginning.
    raw: Bytes,
    current: Option<(&'a Block, u32)>,
    failed: bool,
}

impl<'a> Entries<'a> {
    /// The stored bytes of a block, its checksum checked.
    fn stored(&mut self, block: &Block) -> Result<Bytes, Error> {
        let (from, ahead) = &self.ahead;
        let end = block.offset + u64::from(block.stored);
        if block.offset < *from || end > from + ahead.len() as u64 {
            // With it the blocks that follow and are wanted too.
            let mut to = end;
            for next in &self.blocks {
                let next_to = next.offset + u64::from(next.stored);
                if next.offset != to || next_to - block.offset > STATE_READ_BYTES {
                    break;
                }
                to = next_to;
            }
            self.ahead = (block.offset, self.part.store.get(&self.part.name, block.offset..to)?);
        }
        let (from, ahead) = &self.ahead;
        let at = (block.offset - from) as usize;
        let stored = ahead.slice(at..at + block.stored as usize);
        let checksum: [u8; CHECKSUM] = digest(&[&stored]);
        if checksum != block.checksum {
            return Err(self.damaged(block, "its checksum does not match"));
        }
        Ok(stored)
    }

    fn damaged(&self, block: &Block, what: &str) -> Error {
        Error::damaged(
            &self.part.name,
            format!("the block at byte {} of key range {}: {what}", block.offset, block.range),
        )
    }

    /// Unpacks the next block, if there is one.
    fn unpack(&mut self) -> Result<bool, Error> {
        let Some(block) = self.blocks.pop_front() else { return Ok(false) };
        let stored = self.stored(block)?;
        let raw = zstd::bulk::decompress(&stored, block.raw as usize)
            .map_err(|error| self.damaged(block, &error.to_string()))?;
        if raw.len() != block.raw as usize {
            return Err(self.damaged(block, "it unpacks to another length"));
        }
        self.raw = Bytes::from(raw);
        self.current = Some((block, block.entries));
        Ok(true)
    }

    fn step(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            let Some((block, left)) = self.current else {
                if self.unpack()? {
                    continue;
                }
                return Ok(None);
            };
            match left.checked_sub(1) {
                Some(left) => {
                    self.current = Some((block, left));
                    return self.read(block).map(Some);
                }
                None if self.raw.is_empty() => self.current = None,
                None => return Err(self.damaged(block, "it holds more than its entries")),
            }
        }
    }

    fn read(&mut self, block: &'a Block) -> Result<Entry, Error> {
        let raw = self.raw.clone();
        let mut rest: &[u8] = &raw;
        let parsed = (|| {
            let collection = codec::take_number(&mut rest)?;
            let length = codec::take_number(&mut rest)?;
            let key = raw.slice_ref(codec::take_bytes(&mut rest, length)?);
            let entry = match codec::take_number(&mut rest)? {
                0 => None,
                length => Some(raw.slice_ref(codec::take_bytes(&mut rest, length - 1)?)),
            };
            let collection = self.part.collections.get(usize::try_from(collection).ok()?)?.clone();
            Some(Entry { collection, range: block.range, key, entry })
        })();
        let entry = parsed.ok_or_else(|| self.damaged(block, "an entry in it does not read"))?;
        self.raw = raw.slice_ref(rest);
        Ok(entry)
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let entry = self.step().transpose();
        self.failed = matches!(entry, Some(Err(_)));
        entry
    }
}
