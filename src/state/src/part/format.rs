//! The bytes around the blocks of a part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::envelope::digest;
use crate::error::Error;
use crate::names::PartName;
use crate::ranges::{self, Kind, Span};

/// The newest format of parts that is known here, and the one that is written.
pub(super) const FORMAT: u32 = 1;
/// The first bytes of a part.
const MAGIC: [u8; 8] = *b"propice\x1a";
/// The last ones.
const END: [u8; 8] = *b"partend\n";
/// How long the start is.
pub(super) const START: usize = 24;
/// How long a checksum is.
pub(super) const CHECKSUM: usize = 16;
/// How long the end is.
pub(super) const TAIL: usize = 4 + 8 + CHECKSUM + 8;

/// Whose part it is, and of which cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The cluster.
    pub cluster: String,
    /// The generation.
    pub generation: u64,
    /// The logical time of the cut.
    pub time: u64,
    /// Which of the writers of the cut: a worker, by its number in this generation.
    pub writer: u32,
    /// The fingerprint of the plan.
    pub plan: String,
}

impl Head {
    /// What the part is called.
    pub fn name(&self) -> PartName {
        PartName { generation: self.generation, time: self.time, writer: self.writer }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(flatten)]
    head: Head,
    ranges: Vec<Span>,
}

/// One block: where it lies, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) range: u8,
    pub(super) offset: u64,
    /// Bytes as stored.
    pub(super) stored: u32,
    /// Bytes when unpacked.
    pub(super) raw: u32,
    pub(super) entries: u32,
    /// Of the stored bytes.
    pub(super) checksum: [u8; CHECKSUM],
}

/// How much a part holds of one collection in one key range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The key range.
    pub range: u8,
    /// The collection, by its place among [`Index::collections`].
    pub(super) collection: u32,
    /// Keys with an entry.
    pub kept: u64,
    /// Keys that are gone.
    pub gone: u64,
    /// Bytes of keys and entries before they are packed.
    pub bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) collections: Vec<String>,
    pub(super) blocks: Vec<Block>,
    pub(super) counts: Vec<Count>,
}

/// What a part holds of one key range: (range, kind, kept, gone, stored bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u8, Kind, u64, u64, u64)", into = "(u8, Kind, u64, u64, u64)")]
pub struct Section {
    /// The key range.
    pub range: u8,
    /// Base or delta.
    pub kind: Kind,
    /// Keys with an entry.
    pub kept: u64,
    /// Keys that are gone.
    pub gone: u64,
    /// Bytes as stored.
    pub stored: u64,
}

impl From<(u8, Kind, u64, u64, u64)> for Section {
    fn from((range, kind, kept, gone, stored): (u8, Kind, u64, u64, u64)) -> Self {
        Section { range, kind, kept, gone, stored }
    }
}

impl From<Section> for (u8, Kind, u64, u64, u64) {
    fn from(section: Section) -> Self {
        (section.range, section.kind, section.kept, section.gone, section.stored)
    }
}

/// A part as a manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRef {
    /// The generation that wrote it.
    pub generation: u64,
    /// The logical time of its cut.
    pub time: u64,
    /// Which of the writers.
    pub writer: u32,
    /// Its size in bytes.
    pub size: u64,
    /// The checksum of the whole.
    pub checksum: String,
    /// The fingerprint of the plan that it was written under.
    pub plan: String,
    /// What it holds, by key range, in their order.
    pub sections: Vec<Section>,
}

impl PartRef {
    /// What it is called.
    pub fn name(&self) -> PartName {
        PartName { generation: self.generation, time: self.time, writer: self.writer }
    }

    /// What it holds of a key range.
    pub fn section(&self, range: u8) -> Option<&Section> {
        let at = self.sections.binary_search_by_key(&range, |section| section.range).ok()?;
        Some(&self.sections[at])
    }
}

/// The bytes before the blocks.
pub(super) fn front(name: &str, head: &Head, kinds: &BTreeMap<u8, Kind>, format: u32) -> Result<Vec<u8>, Error> {
    let header = Header { head: head.clone(), ranges: ranges::spans(kinds) };
    let header = serde_json::to_vec(&header).map_err(|error| Error::Entry {
        name: name.to_owned(),
        collection: "header".to_owned(),
        cause: error.to_string(),
    })?;
    let mut bytes = Vec::with_capacity(START + header.len() + CHECKSUM);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&format.to_le_bytes());
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    let checksum = digest(&[&bytes]);
    bytes.extend_from_slice(&checksum[..8]);
    bytes.extend_from_slice(&header);
    let checksum = digest(&[&bytes]);
    bytes.extend_from_slice(&checksum);
    Ok(bytes)
}

/// How many bytes lie before the blocks, as the start says.
pub(super) fn front_length(name: &str, start: &[u8]) -> Result<u64, Error> {
    let start: &[u8; START] = start.try_into().map_err(|_| Error::damaged(name, "it is cut short"))?;
    if start[..8] != MAGIC {
        return Err(Error::damaged(name, "it does not begin as a part does"));
    }
    if digest(&[&start[..16]])[..8] != start[16..] {
        return Err(Error::damaged(name, "the checksum of its first bytes does not match"));
    }
    let number = |at: usize| u32::from_le_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]]);
    let format = number(8);
    if format > FORMAT {
        return Err(Error::Newer { name: name.to_owned(), format, ours: FORMAT });
    }
    if format == 0 {
        return Err(Error::damaged(name, "there is no format 0"));
    }
    Ok((START + CHECKSUM) as u64 + u64::from(number(12)))
}

/// What the bytes before the blocks say, and their checksum.
pub(super) type Front = (Head, BTreeMap<u8, Kind>, [u8; CHECKSUM]);

/// Reads the bytes before the blocks.
pub(super) fn read_front(name: &str, front: &[u8]) -> Result<Front, Error> {
    let short = || Error::damaged(name, "it is cut short");
    let (content, checksum) = front.split_last_chunk::<CHECKSUM>().ok_or_else(short)?;
    if digest(&[content]) != *checksum {
        return Err(Error::damaged(name, "the checksum of its header does not match"));
    }
    let json = content.get(START..).ok_or_else(short)?;
    let header: Header = serde_json::from_slice(json)
        .map_err(|error| Error::damaged(name, format!("its header does not read: {error}")))?;
    let kinds =
        ranges::kinds(&header.ranges).ok_or_else(|| Error::damaged(name, "its header names key ranges twice"))?;
    Ok((header.head, kinds, *checksum))
}

fn root(front: &[u8; CHECKSUM], index: &[u8], size: u64) -> [u8; CHECKSUM] {
    digest(&[front, index, &size.to_le_bytes()])
}

/// The bytes after the blocks, and the checksum of the whole.
pub(super) fn back(
    name: &str,
    front: &[u8],
    index: &Index,
    blocks_end: u64,
) -> Result<(Vec<u8>, [u8; CHECKSUM]), Error> {
    let mut bytes = Vec::new();
    codec::encode(index, &mut bytes).map_err(|cause| Error::Entry {
        name: name.to_owned(),
        collection: "index".to_owned(),
        cause,
    })?;
    let length = bytes.len() as u32;
    let size = blocks_end + bytes.len() as u64 + TAIL as u64;
    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&front[front.len() - CHECKSUM..]);
    let root = root(&checksum, &bytes, size);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&size.to_le_bytes());
    bytes.extend_from_slice(&root);
    bytes.extend_from_slice(&END);
    Ok((bytes, root))
}

/// How many bytes lie behind the blocks, as the end says.
pub(super) fn back_length(name: &str, tail: &[u8], size: u64) -> Result<u64, Error> {
    let tail: &[u8; TAIL] = tail.try_into().map_err(|_| Error::damaged(name, "it is cut short"))?;
    if tail[TAIL - 8..] != END {
        return Err(Error::damaged(name, "it does not end as a part does"));
    }
    let length = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]);
    let mut said = [0; 8];
    said.copy_from_slice(&tail[4..12]);
    if u64::from_le_bytes(said) != size {
        return Err(Error::damaged(
            name,
            format!("it has {size} bytes, and says that it has {}", u64::from_le_bytes(said)),
        ));
    }
    Ok(u64::from(length) + TAIL as u64)
}

/// Reads the bytes behind the blocks. Also returns the checksum of the whole.
pub(super) fn read_back(
    name: &str,
    front: &[u8; CHECKSUM],
    back: &[u8],
    size: u64,
) -> Result<(Index, [u8; CHECKSUM]), Error> {
    let short = || Error::damaged(name, "it is cut short");
    let (content, tail) = back.split_last_chunk::<TAIL>().ok_or_else(short)?;
    let root = root(front, content, size);
    if tail[12..12 + CHECKSUM] != root {
        return Err(Error::damaged(name, "the checksum of its index does not match"));
    }
    let index: Index =
        codec::decode(content).map_err(|cause| Error::damaged(name, format!("its index does not read: {cause}")))?;
    Ok((index, root))
}
