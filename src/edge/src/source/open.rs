//! From a file to a stream of UTF-8: unpacked, and decoded where the pack names another encoding.
//!
//! What cannot be decoded is passed on as a byte that UTF-8 does not know, so that the record in
//! which it stands, and only that, is unreadable.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use super::files::{InputFile, Layout, Packing, is_stdin};
use super::live::{LineEndWatch, Live, Piped};

const BUFFER_BYTES: usize = 1 << 16;
/// Never part of UTF-8.
const UNDECODABLE: u8 = 0xFF;

/// Bytes of a file, unpacked.
pub(super) type Bytes = Box<dyn BufRead + Send>;

/// A file that is open.
pub(super) struct Opened {
    pub(super) bytes: Bytes,
    /// Whether its records are delimited values; JSON Lines otherwise.
    pub(super) delimited: bool,
    /// Bytes that were read of the file, as it is on disk.
    pub(super) read: Arc<AtomicU64>,
    /// Its size on disk, when that is known.
    pub(super) size: Option<u64>,
    /// There for what comes while it is read.
    pub(super) live: Option<Arc<Live>>,
}

/// Opens a file; `encoding` is for delimited values.
pub(super) fn open(file: &InputFile, encoding: &str) -> io::Result<Opened> {
    let read = Arc::new(AtomicU64::new(0));
    // Standard input may well be a file.
    let handle = if is_stdin(&file.path) {
        File::from(io::stdin().as_fd().try_clone_to_owned()?)
    } else {
        File::open(&file.path)?
    };
    let metadata = handle.metadata()?;
    let size = metadata.is_file().then_some(metadata.len());
    let live = size.is_none().then(|| Live::new(&read));
    let raw: Box<dyn Read + Send> = match &live {
        None => Box::new(handle),
        Some(live) => Box::new(Piped { inner: handle, live: Arc::clone(live) }),
    };
    let counted = BufReader::with_capacity(BUFFER_BYTES, CountingReader { inner: raw, read: Arc::clone(&read) });
    let mut bytes = unpacked(counted, file.packing)?;
    let delimited = match file.layout {
        Layout::JsonLines => false,
        Layout::Delimited => true,
        Layout::Unknown => !begins_with_object(&mut bytes),
    };
    // JSON is UTF-8 by its definition.
    let other = if delimited { Encoding::for_label(encoding.as_bytes()).filter(|other| *other != UTF_8) } else { None };
    if let Some(encoding) = other {
        bytes = Box::new(Transcoded::new(bytes, encoding));
    }
    if let Some(live) = &live {
        bytes = Box::new(LineEndWatch { inner: bytes, live: Arc::clone(live) });
    }
    Ok(Opened { bytes, delimited, read, size, live })
}

/// Opens a file that may be packed.
///
/// # Errors
/// When it cannot be opened or read.
pub fn open_path(path: &Path) -> io::Result<Bytes> {
    unpacked(BufReader::with_capacity(BUFFER_BYTES, File::open(path)?), Packing::Unknown)
}

fn unpacked<R: BufRead + Send + 'static>(mut packed: R, packing: Packing) -> io::Result<Bytes> {
    let packing = match packing {
        Packing::Unknown => match packed.fill_buf()? {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            _ => Packing::None,
        },
        known => {
            // Even nothing at all is something when it is packed.
            if known != Packing::None && packed.fill_buf()?.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is packed by its name, and empty"));
            }
            known
        }
    };
    Ok(match packing {
        Packing::Gzip => {
            let gzip = flate2::bufread::MultiGzDecoder::new(packed);
            Box::new(BufReader::with_capacity(BUFFER_BYTES, gzip))
        }
        Packing::Zstd => {
            let zstd = zstd::stream::read::Decoder::with_buffer(packed)?;
            Box::new(BufReader::with_capacity(BUFFER_BYTES, zstd))
        }
        Packing::None | Packing::Unknown => Box::new(packed),
    })
}

/// Whether the first thing in a stream is `{`. What cannot be read shows later, where it becomes a
/// dead letter.
fn begins_with_object(bytes: &mut Bytes) -> bool {
    let start = bytes.fill_buf().unwrap_or_default();
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Counts what is read.
struct CountingReader<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Gives UTF-8 for a stream in another encoding.
struct Transcoded {
    inner: Bytes,
    decoder: Decoder,
    /// What is decoded, and how much of it was taken.
    decoded: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Transcoded {
    fn new(inner: Bytes, encoding: &'static Encoding) -> Transcoded {
        let decoder = encoding.new_decoder_with_bom_removal();
        Transcoded { inner, decoder, decoded: Vec::new(), taken: 0, ended: false }
    }

    /// Decodes the next stretch into the buffer, all of which was taken.
    fn decode(&mut self) -> io::Result<()> {
        let source = self.inner.fill_buf()?;
        self.ended = source.is_empty();
        self.taken = 0;
        self.decoded.resize(BUFFER_BYTES, 0);
        let room = &mut self.decoded[..BUFFER_BYTES - 1];
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(source, room, self.ended);
        self.inner.consume(read);
        self.decoded.truncate(written);
        if let DecoderResult::Malformed(..) = result {
            self.decoded.push(UNDECODABLE);
            // At the end there may be more than one thing that cannot be decoded.
            self.ended = false;
        }
        Ok(())
    }
}

impl Read for Transcoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Transcoded {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.taken == self.decoded.len() && !self.ended {
            self.decode()?;
        }
        Ok(&self.decoded[self.taken..])
    }

    fn consume(&mut self, length: usize) {
        self.taken = (self.taken + length).min(self.decoded.len());
    }
}
