//! Several files as one source: each is read and decoded on a thread of its own, and merged by event time.
//!
//! Always the record with the least event time among the heads of the files is taken next; of equal ones that of the
//! first input of the plan, then of the first file. Within a file the order of the lines stays. A dead letter comes when
//! everything before it in its file was taken. So the order depends on the files only, never on threads. Memory is
//! bounded: a file is ahead of the merge by a few batches.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use propice_define::Plan;
use propice_model::limits::{BATCH_BYTES, BATCH_RECORDS, QUEUED_BATCHES};
use propice_model::{EventTime, Fact};

use super::diagnosis::Expected;
use super::files::{InputFile, SourceError};
use super::own::Own;
use super::records::{Item, Records};
use super::refusals::{DeadLetterLimit, Refusals, Tally};
use super::{Batch, Source};

/// How often a merge that waits looks whether it is to stop.
const STOP_LOOK: Duration = Duration::from_millis(50);

/// Several files, merged by event time.
pub struct MergedSource {
    heads: Vec<Head>,
    total_bytes: Option<u64>,
    stop: Arc<AtomicBool>,
    refusals: Refusals,
}

/// One file.
struct Head {
    expected: Expected,
    tally: Tally,
    chunks: Option<Receiver<Chunk>>,
    items: std::vec::IntoIter<Item>,
    /// The next fact of the file; `None` before its first one, and at its end.
    next: Option<Fact>,
    ended: bool,
    /// `None` for a thread that may wait for ever: of standard input, of a pipe.
    thread: Option<JoinHandle<()>>,
}

/// What the thread of a file hands over.
enum Chunk {
    Items { items: Vec<Item>, bytes_read: u64, warnings: Vec<String> },
    End,
}

impl MergedSource {
    /// Opens all files. The source ends early once `stop` is set.
    ///
    /// # Errors
    /// When one cannot be opened, or its header lacks a required column.
    pub fn open(plan: &Arc<Plan>, files: &[InputFile], stop: &Arc<AtomicBool>) -> Result<MergedSource, SourceError> {
        let opened = files.iter().enumerate().map(|(position, file)| Records::open(plan, file, position as u16));
        MergedSource::start(opened.collect::<Result<_, _>>()?, stop)
    }

    /// Opens all files for what is about one customer. Of the others comes only how far they move the clock.
    ///
    /// # Errors
    /// When one cannot be opened, or its header lacks a required column.
    pub fn open_own(
        plan: &Arc<Plan>,
        files: &[InputFile],
        own: &Own,
        stop: &Arc<AtomicBool>,
    ) -> Result<MergedSource, SourceError> {
        let opened =
            (files.iter().enumerate()).map(|(position, file)| Records::open_own(plan, file, position as u16, own));
        MergedSource::start(opened.collect::<Result<_, _>>()?, stop)
    }

    /// Starts a thread for each file.
    fn start(opened: Vec<Records>, stop: &Arc<AtomicBool>) -> Result<MergedSource, SourceError> {
        let total_bytes = opened.iter().map(Records::size).sum();
        let mut heads = Vec::with_capacity(opened.len());
        for records in opened {
            let name = records.expected().file.clone();
            let head = Head::start(records).map_err(|error| SourceError::Unreadable { path: name, error })?;
            heads.push(head);
        }
        Ok(MergedSource { heads, total_bytes, stop: Arc::clone(stop), refusals: Refusals::default() })
    }

    /// The same, failing with a [`Cut`](super::Cut) once more records are refused. Without a limit it goes on.
    #[must_use]
    pub fn with_limit(mut self, limit: DeadLetterLimit) -> MergedSource {
        self.refusals.limit = limit;
        self
    }

    /// Takes records of the file with the least head for as long as it has the least.
    fn take_run(&mut self, batch: &mut Batch) -> io::Result<()> {
        let mut heads = self.heads.iter().enumerate().filter_map(|(at, head)| Some((head.event_time()?, at)));
        let Some(mut least) = heads.next() else { return Ok(()) };
        let mut second: Option<(EventTime, usize)> = None;
        for head in heads {
            if head < least {
                second = Some(least);
                least = head;
            } else if second.is_none_or(|second| head < second) {
                second = Some(head);
            }
        }
        let at = least.1;
        let head = &mut self.heads[at];
        while batch.facts.len() < BATCH_RECORDS
            && let Some(time) = head.event_time()
            && second.is_none_or(|second| (time, at) < second)
        {
            batch.facts.extend(head.next.take());
            head.advance(batch, &mut self.refusals, &self.stop)?;
        }
        Ok(())
    }
}

impl Source for MergedSource {
    fn fill(&mut self, batch: &mut Batch) -> io::Result<bool> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            for head in &mut self.heads {
                head.advance(batch, &mut self.refusals, &self.stop)?;
            }
            if self.heads.iter().any(Head::waits) || batch.facts.len() >= BATCH_RECORDS {
                // Full of dead letters or of facts, or to be stopped.
                return Ok(true);
            }
            let before = batch.facts.len();
            self.take_run(batch)?;
            if batch.facts.len() == before {
                return Ok(!batch.is_empty());
            }
        }
    }

    fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    fn is_interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Drop for MergedSource {
    fn drop(&mut self) {
        for head in &mut self.heads {
            // A thread that has something to hand over ends when nobody takes it.
            head.chunks = None;
        }
        for thread in self.heads.iter_mut().filter_map(|head| head.thread.take()) {
            // A thread that failed was noticed when it handed over no end.
            let _ = thread.join();
        }
    }
}

impl Head {
    fn start(records: Records) -> io::Result<Head> {
        let may_wait = records.size().is_none();
        let expected = records.expected().clone();
        let (sender, chunks) = sync_channel(QUEUED_BATCHES);
        let name = format!("read {}", expected.file);
        let thread = std::thread::Builder::new().name(name).spawn(move || read(records, &sender))?;
        Ok(Head {
            expected,
            tally: Tally::default(),
            chunks: Some(chunks),
            items: Vec::new().into_iter(),
            next: None,
            ended: false,
            thread: (!may_wait).then_some(thread),
        })
    }

    fn event_time(&self) -> Option<EventTime> {
        self.next.as_ref().map(|fact| fact.rank.event_time)
    }

    /// Whether its next fact is not known yet.
    fn waits(&self) -> bool {
        self.next.is_none() && !self.ended
    }

    /// Goes on to the next fact, unless the batch is full of dead letters before or the run is to stop. Fails where the
    /// file does, and when too many of its records are refused.
    fn advance(&mut self, batch: &mut Batch, refusals: &mut Refusals, stop: &AtomicBool) -> io::Result<()> {
        while self.waits() && batch.dead.len() < BATCH_RECORDS {
            match self.items.next() {
                Some(Item::Fact(fact)) => {
                    self.tally.taken += 1;
                    self.next = Some(fact);
                }
                Some(Item::Dead(letter)) => {
                    let refused = refusals.refuse(&mut self.tally, &letter, &self.expected);
                    batch.dead.push(*letter);
                    refused?;
                }
                Some(Item::Failed(letter, cut)) => {
                    batch.dead.push(*letter);
                    return Err(cut.into());
                }
                None => match self.receive(stop)? {
                    Some(Chunk::Items { items, bytes_read, mut warnings }) => {
                        batch.bytes_read += bytes_read;
                        batch.warnings.append(&mut warnings);
                        self.items = items.into_iter();
                    }
                    Some(Chunk::End) => {
                        self.ended = true;
                        refusals.end(&self.tally, &self.expected)?;
                    }
                    None => return Ok(()),
                },
            }
        }
        Ok(())
    }

    /// The next chunk; `None` when the run is to stop.
    fn receive(&self, stop: &AtomicBool) -> io::Result<Option<Chunk>> {
        let Some(chunks) = &self.chunks else { return Ok(Some(Chunk::End)) };
        loop {
            match chunks.recv_timeout(STOP_LOOK) {
                Ok(chunk) => return Ok(Some(chunk)),
                Err(RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other(format!("{}: its reader ended unexpectedly", self.expected.file)));
                }
            }
        }
    }
}

/// The thread of a file: hands over its records until the end, or until nobody takes them.
fn read(mut records: Records, sender: &SyncSender<Chunk>) {
    let mut bytes_before = 0;
    loop {
        let mut items = Vec::with_capacity(BATCH_RECORDS);
        let mut bytes = 0;
        while items.len() < BATCH_RECORDS && bytes < BATCH_BYTES {
            let Some(item) = records.next() else { break };
            bytes += records.record_bytes();
            items.push(item);
        }
        let is_end = items.is_empty();
        let bytes_now = records.bytes_read();
        let warnings = records.warnings();
        let chunk = Chunk::Items { items, bytes_read: bytes_now - bytes_before, warnings };
        bytes_before = bytes_now;
        if sender.send(chunk).is_err() {
            return;
        }
        if is_end {
            // When nobody takes the end, nobody needs it.
            let _ = sender.send(Chunk::End);
            return;
        }
    }
}
