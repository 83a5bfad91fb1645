//! What comes while it is read: standard input, a pipe, a socket.
//!
//! A file gives its records as fast as they are taken. A pipe may stay silent for hours in the
//! middle of its life, and what it gave before must not wait for that. So whatever was read is
//! handed over before anything more is asked of the system; only then can the reader fall asleep.
//! The merge is told when it does.

use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use propice_model::limits::{BATCH_BYTES, BATCH_RECORDS};

use super::item::{Chunk, Item};

/// A pipe, between the thread that reads it and the merge.
#[derive(Default)]
pub(super) struct Live {
    pending: Mutex<Pending>,
    /// Where records go; unset until they are wanted.
    to: OnceLock<(SyncSender<Chunk>, Arc<AtomicBool>)>,
    /// The reader waits for the system, and everything before was handed over.
    waits: AtomicBool,
    /// The last thing that was read is no end of a line: whoever writes is not done.
    within_record: AtomicBool,
    /// Reading has ended before the pipe did, because the run is to stop.
    cut_off: AtomicBool,
    /// Bytes that were read, as they came.
    read: Arc<AtomicU64>,
}

/// Records that were read and not handed over.
#[derive(Default)]
struct Pending {
    items: Vec<Item>,
    warnings: Vec<String>,
    bytes: usize,
    bytes_told: u64,
}

impl Live {
    /// Of a pipe whose bytes are counted.
    pub(super) fn new(read: &Arc<AtomicU64>) -> Arc<Live> {
        Arc::new(Live { read: Arc::clone(read), ..Live::default() })
    }

    /// Whether everything that was read was handed over, and the reader waits for more.
    pub(super) fn is_waiting(&self) -> bool {
        self.waits.load(Ordering::SeqCst)
    }

    /// Whether it waits in the middle of a record.
    pub(super) fn is_within_record(&self) -> bool {
        self.within_record.load(Ordering::SeqCst)
    }

    /// Reads all records of the pipe, each with its warnings and its length in bytes, and hands
    /// them over, until it ends, `stop` is set or nobody takes them.
    pub(super) fn read(
        &self,
        mut next: impl FnMut() -> Option<(Item, Vec<String>, usize)>,
        sender: SyncSender<Chunk>,
        stop: Arc<AtomicBool>,
    ) {
        let end = sender.clone();
        // It is read once.
        let _ = self.to.set((sender, stop));
        while let Some((item, mut warnings, bytes)) = next() {
            if self.cut_off.load(Ordering::SeqCst) {
                // The record in which it was cut off: nobody knows how it goes on.
                break;
            }
            let mut pending = self.pending();
            pending.items.push(item);
            pending.warnings.append(&mut warnings);
            pending.bytes += bytes;
            if pending.items.len() >= BATCH_RECORDS || pending.bytes >= BATCH_BYTES {
                drop(pending);
                self.hand_over();
            }
        }
        self.hand_over();
        // When nobody takes the end, nobody needs it.
        let _ = end.send(Chunk::End);
    }

    /// Hands over what was read. Whether somebody takes it.
    fn hand_over(&self) -> bool {
        let Some((sender, _)) = self.to.get() else { return true };
        let mut pending = self.pending();
        let bytes_now = self.read.load(Ordering::Relaxed);
        let bytes_read = bytes_now - std::mem::replace(&mut pending.bytes_told, bytes_now);
        pending.bytes = 0;
        let items = std::mem::take(&mut pending.items);
        let warnings = std::mem::take(&mut pending.warnings);
        drop(pending);
        (items.is_empty() && bytes_read == 0) || sender.send(Chunk::Items { items, bytes_read, warnings }).is_ok()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // It is only ever taken as a whole.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before the system is asked for more.
    fn before_read(&self) -> io::Result<()> {
        let is_taken = self.hand_over();
        let stops = self.to.get().is_some_and(|(_, stop)| stop.load(Ordering::SeqCst));
        if stops || !is_taken {
            self.cut_off.store(true, Ordering::SeqCst);
            return Err(io::Error::other("stopped"));
        }
        self.waits.store(true, Ordering::SeqCst);
        Ok(())
    }
}

/// What the system gives of a pipe.
pub(super) struct Piped<R> {
    pub(super) inner: R,
    pub(super) live: Arc<Live>,
}

impl<R: Read> Read for Piped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.live.before_read()?;
        let length = self.inner.read(buffer);
        self.live.waits.store(false, Ordering::SeqCst);
        length
    }
}

/// The text of a pipe, unpacked and decoded: looks how what is there ends.
pub(super) struct LineEndWatch<R> {
    pub(super) inner: R,
    pub(super) live: Arc<Live>,
}

impl<R: BufRead> Read for LineEndWatch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for LineEndWatch<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let bytes = self.inner.fill_buf()?;
        if let Some(last) = bytes.last() {
            self.live.within_record.store(*last != b'\n', Ordering::SeqCst);
        }
        Ok(bytes)
    }

    fn consume(&mut self, length: usize) {
        self.inner.consume(length);
    }
}
