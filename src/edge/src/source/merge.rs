//! Several files as one source: each is read and decoded on a thread of its own, and merged by
//! event time.
//!
//! Always the record with the least event time among the heads of the files is taken next; of equal
//! ones that of the first input of the plan, then of the first file. Within a file the order of the
//! lines stays. A dead letter comes when everything before it in its file was taken. So the order
//! depends on the files only, never on threads. Memory is bounded: a file is ahead of the merge by
//! a few batches.
//!
//! A pipe takes part like a file, but what was merged does not wait for it. When it has been silent
//! for a while ([`SILENCE`]), what happened at the time of the last record is complete, so that it
//! can be decided; what comes behind that is late. Records of other files that are later wait for
//! its next one. When the run is to stop, what was read of a pipe is merged first: it cannot be
//! read again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use propice_define::Plan;
use propice_model::limits::{BATCH_BYTES, BATCH_RECORDS, QUEUED_BATCHES};
use propice_model::{EventTime, Fact};

use super::counts::RecordCounts;
use super::diagnosis::ExpectedRecords;
use super::file_records::FileRecords;
use super::files::{InputFile, SourceError};
use super::item::{Chunk, Item};
use super::live::Live;
use super::own::{Own, OwnRecords};
use super::records::Records;
use super::refusals::{DeadLetterLimit, Refusals};
use super::{Batch, Source};

/// How often a merge that waits looks whether it is to stop.
const STOP_LOOK: Duration = Duration::from_millis(50);
/// A pipe that gives nothing for so long is silent.
const SILENCE: Duration = Duration::from_millis(25);
/// In the middle of a record it is silent only after so many times that: whoever writes it is not
/// done.
const SILENCES_WITHIN_RECORD: u32 = 40;

/// Several files, merged by event time.
pub struct MergedSource {
    heads: Vec<Head>,
    total_bytes: Option<u64>,
    stop: Arc<AtomicBool>,
    refusals: Refusals,
    /// The greatest event time that was handed over.
    reached: Option<EventTime>,
}

/// One file.
struct Head {
    expected: ExpectedRecords,
    tally: RecordCounts,
    chunks: Option<Receiver<Chunk>>,
    items: std::vec::IntoIter<Item>,
    /// The next fact of the file; `None` before its first one, and at its end.
    next: Option<Fact>,
    ended: bool,
    /// `None` for a thread that may wait for ever: of standard input, of a pipe.
    thread: Option<JoinHandle<()>>,
    pipe: Option<Pipe>,
}

/// What is known of a pipe besides.
struct Pipe {
    live: Arc<Live>,
    /// It is silent: what is earlier than this does not wait for it.
    silent_before: Option<EventTime>,
}

/// What came of waiting for a chunk.
enum Received {
    Chunk(Chunk),
    /// There is nothing now.
    Nothing,
    /// There is nothing, for so long that the pipe is silent.
    Silence,
}

impl MergedSource {
    /// Opens all files. The source ends early once `stop` is set.
    ///
    /// # Errors
    /// When one cannot be opened, or its header lacks a required column.
    pub fn open(plan: &Arc<Plan>, files: &[InputFile], stop: &Arc<AtomicBool>) -> Result<MergedSource, SourceError> {
        let open = |(position, file)| {
            Records::open(plan, file, position as u16).map(|records| FileRecords::All(Box::new(records)))
        };
        let opened = files.iter().enumerate().map(open);
        MergedSource::start(opened.collect::<Result<_, _>>()?, stop)
    }

    /// Opens all files for what is about one customer. Of the others comes only how far they move
    /// the clock.
    ///
    /// # Errors
    /// When one cannot be opened, or its header lacks a required column.
    pub fn open_own(
        plan: &Arc<Plan>,
        files: &[InputFile],
        own: &Own,
        stop: &Arc<AtomicBool>,
    ) -> Result<MergedSource, SourceError> {
        let open = |(position, file)| {
            let records = OwnRecords::open(plan, file, position as u16, own)?;
            Ok(FileRecords::Own(Box::new(records)))
        };
        let opened = files.iter().enumerate().map(open);
        MergedSource::start(opened.collect::<Result<_, _>>()?, stop)
    }

    /// Starts a thread for each file.
    fn start(opened: Vec<FileRecords>, stop: &Arc<AtomicBool>) -> Result<MergedSource, SourceError> {
        let total_bytes = opened.iter().map(|records| records.reader().size()).sum();
        let mut heads = Vec::with_capacity(opened.len());
        for records in opened {
            let name = records.reader().expected().file.clone();
            let head = Head::start(records, stop).map_err(|error| SourceError::Unreadable { path: name, error })?;
            heads.push(head);
        }
        let stop = Arc::clone(stop);
        Ok(MergedSource { heads, total_bytes, stop, refusals: Refusals::default(), reached: None })
    }

    /// The same, failing with a [`Cut`](super::Cut) once more records are refused. Without a limit
    /// it goes on.
    #[must_use]
    pub fn with_limit(mut self, limit: DeadLetterLimit) -> MergedSource {
        self.refusals.limit = limit;
        self
    }

    /// Takes records of the file with the least head for as long as it has the least, and for as
    /// long as they are earlier than what silent pipes may still give.
    fn take_run(&mut self, batch: &mut Batch, may_wait: bool) -> io::Result<()> {
        let before = self.heads.iter().filter_map(Head::silent_before).min().unwrap_or(EventTime::MAX);
        let heads = self.heads.iter().enumerate().filter_map(|(at, head)| Some((head.event_time()?, at)));
        let mut heads = heads.filter(|(time, _)| *time < before);
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
            && time < before
            && second.is_none_or(|second| (time, at) < second)
        {
            batch.facts.extend(head.next.take());
            self.reached = self.reached.max(Some(time));
            head.advance(batch, &mut self.refusals, may_wait, &self.stop)?;
        }
        Ok(())
    }
}

impl Source for MergedSource {
    fn fill(&mut self, batch: &mut Batch) -> io::Result<bool> {
        loop {
            if self.stop.load(Ordering::SeqCst) && !self.heads.iter().any(Head::is_open_pipe) {
                return Ok(false);
            }
            // What is there is handed over rather than kept until there is more.
            let may_wait = batch.is_empty();
            for head in &mut self.heads {
                let falls_silent = head.advance(batch, &mut self.refusals, may_wait && !batch.is_idle, &self.stop)?;
                if let (true, Some(reached), Some(pipe)) = (falls_silent, self.reached, &mut head.pipe) {
                    pipe.silent_before = Some(reached.saturating_add(1));
                    batch.is_idle = true;
                }
            }
            let is_waited_for = |head: &Head| head.waits() && head.silent_before().is_none();
            if self.heads.iter().any(is_waited_for) || batch.facts.len() >= BATCH_RECORDS {
                // Full of dead letters or of facts, or all that there is now.
                return Ok(true);
            }
            let before = batch.facts.len();
            self.take_run(batch, false)?;
            if batch.facts.len() == before {
                return Ok(!batch.is_empty() || self.heads.iter().any(Head::waits));
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
    fn start(mut records: FileRecords, stop: &Arc<AtomicBool>) -> io::Result<Head> {
        let live = records.reader().live();
        let expected = records.reader().expected().clone();
        let (sender, chunks) = sync_channel(QUEUED_BATCHES);
        let named = std::thread::Builder::new().name(format!("read {}", expected.file));
        let thread = match live.clone() {
            None => Some(named.spawn(move || read(records, &sender))?),
            Some(live) => {
                let stop = Arc::clone(stop);
                let next = move || Some((records.next()?, records.warnings(), records.record_bytes()));
                named.spawn(move || live.read(next, sender, stop))?;
                None
            }
        };
        let pipe = live.map(|live| Pipe { live, silent_before: None });
        Ok(Head {
            expected,
            tally: RecordCounts::default(),
            chunks: Some(chunks),
            items: Vec::new().into_iter(),
            next: None,
            ended: false,
            thread,
            pipe,
        })
    }

    /// What is earlier does not wait for it, of a pipe that is silent.
    fn silent_before(&self) -> Option<EventTime> {
        self.pipe.as_ref()?.silent_before.filter(|_| self.waits())
    }

    /// Whether something of it may have been read that cannot be read again.
    fn is_open_pipe(&self) -> bool {
        self.pipe.is_some() && !self.ended
    }

    fn event_time(&self) -> Option<EventTime> {
        self.next.as_ref().map(|fact| fact.rank.event_time)
    }

    /// Whether its next fact is not known yet.
    fn waits(&self) -> bool {
        self.next.is_none() && !self.ended
    }

    /// Goes on to the next fact, unless the batch is full of dead letters before, or it is a pipe
    /// that has none now. That is waited for only where `may_wait` says so. Whether it fell silent
    /// meanwhile. Fails where the file does, and when too many of its records are refused.
    fn advance(
        &mut self,
        batch: &mut Batch,
        refusals: &mut Refusals,
        may_wait: bool,
        stop: &AtomicBool,
    ) -> io::Result<bool> {
        while self.waits() && batch.dead.len() < BATCH_RECORDS {
            match self.items.next() {
                Some(Item::Fact(fact)) => {
                    self.tally.taken += 1;
                    self.next = Some(fact);
                    if let Some(pipe) = &mut self.pipe {
                        pipe.silent_before = None;
                    }
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
                None => match self.receive(may_wait && batch.dead.is_empty(), stop)? {
                    Received::Chunk(Chunk::Items { items, bytes_read, mut warnings }) => {
                        batch.bytes_read += bytes_read;
                        batch.warnings.append(&mut warnings);
                        self.items = items.into_iter();
                    }
                    Received::Chunk(Chunk::End) => {
                        self.ended = true;
                        refusals.end(&self.tally, &self.expected)?;
                    }
                    Received::Nothing => return Ok(false),
                    Received::Silence => return Ok(true),
                },
            }
        }
        Ok(false)
    }

    /// The next chunk. That of a file is always waited for: it comes.
    fn receive(&self, may_wait: bool, stop: &AtomicBool) -> io::Result<Received> {
        let Some(chunks) = &self.chunks else { return Ok(Received::Chunk(Chunk::End)) };
        let failed = || io::Error::other(format!("{}: its reader ended unexpectedly", self.expected.file));
        let Some(pipe) = &self.pipe else {
            return chunks.recv().map(Received::Chunk).map_err(|_| failed());
        };
        if !may_wait {
            return match chunks.try_recv() {
                Ok(chunk) => Ok(Received::Chunk(chunk)),
                Err(TryRecvError::Empty) if stop.load(Ordering::SeqCst) => pipe.rest(chunks).ok_or_else(failed),
                Err(TryRecvError::Empty) => Ok(Received::Nothing),
                Err(TryRecvError::Disconnected) => Err(failed()),
            };
        }
        let mut silences = 0;
        loop {
            let is_told = pipe.silent_before.is_some();
            match chunks.recv_timeout(if is_told { STOP_LOOK } else { SILENCE }) {
                Ok(chunk) => return Ok(Received::Chunk(chunk)),
                Err(RecvTimeoutError::Disconnected) => return Err(failed()),
                Err(RecvTimeoutError::Timeout) if stop.load(Ordering::SeqCst) => {
                    return pipe.rest(chunks).ok_or_else(failed);
                }
                Err(RecvTimeoutError::Timeout) => {
                    silences += 1;
                    let enough = if pipe.live.is_within_record() { SILENCES_WITHIN_RECORD } else { 1 };
                    if !is_told && silences == enough {
                        return Ok(Received::Silence);
                    }
                }
            }
        }
    }
}

impl Pipe {
    /// What is still to come of what was read, when the run is to stop; its end when there is
    /// nothing. `None` when its reader failed.
    fn rest(&self, chunks: &Receiver<Chunk>) -> Option<Received> {
        loop {
            // In this order: what was read before it waits is there.
            let waits = self.live.is_waiting();
            match chunks.try_recv() {
                Ok(chunk) => return Some(Received::Chunk(chunk)),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if waits => return Some(Received::Chunk(Chunk::End)),
                Err(TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

/// The thread of a file: hands over its records until the end, or until nobody takes them.
fn read(mut records: FileRecords, sender: &SyncSender<Chunk>) {
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
        let bytes_now = records.reader().bytes_read();
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
