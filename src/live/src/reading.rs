//! The thread that reads: polls, decodes, hands batches to the workers of the partitions.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use propice_kafka::{KafkaError, Partition, Reader, ScanEnd, Settings, scan};

use super::LiveError;
use super::arrival::{Arrival, FromReader};
use super::backlog::{Backlog, HIGH, LOW, PARTITIONS};
use super::protocol::PartitionIndex;
use super::shared::Shared;
use super::sources::{Partitions, Sources};
use super::start::DECIDED;

/// How long the client is waited for.
const WAIT: Duration = Duration::from_millis(50);
/// After so many waits for nothing, while what was bound is replayed, is looked for gaps.
const SILENT: usize = 20;
/// How many records are handed over at once.
const BATCH: usize = 2_000;

/// What the thread is made of.
pub(crate) struct Reading {
    pub reader: Reader,
    pub sources: Sources,
    pub partitions: Arc<Partitions>,
    pub backlog: Arc<Backlog>,
    pub workers: Vec<Sender<FromReader>>,
    /// Partitions that appear while the process runs.
    pub added: Receiver<Partition>,
    pub shared: Arc<Shared>,
    pub settings: Settings,
    /// Of each partition the offset behind the last record that came, and the one below which
    /// everything was bound before.
    pub replayed: Vec<(i64, i64)>,
}

/// The worker that binds the records of a partition.
pub(crate) fn worker_of(partition: PartitionIndex, workers: usize) -> usize {
    partition.0 as usize % workers
}

impl Reading {
    /// Reads until the process stops; not before all is read that was bound before: a checkpoint
    /// that is cut in the midst of it would leave out the rest.
    pub(crate) fn run(mut self) {
        let (mut paused, mut silent): (Vec<bool>, usize) = (Vec::new(), 0);
        while !(self.shared.is_stopping() && (self.shared.is_caught_up() || self.shared.has_failed())) {
            if let Err(error) = self.read(&mut paused, &mut silent) {
                self.shared.fail(failure(error));
                break;
            }
        }
        self.shared.all_read();
        // A consumer takes 100 to 200 ms to be dropped; nobody waits for it.
        let reader = Arc::new(self.reader);
        reader.leave();
    }

    fn read(&mut self, paused: &mut Vec<bool>, silent: &mut usize) -> Result<(), KafkaError> {
        self.pause_and_resume(paused)?;
        while let Ok(partition) = self.added.try_recv() {
            self.add(partition)?;
        }
        let workers = self.workers.len();
        let mut batches: Vec<Vec<Arrival>> = (0..workers).map(|_| Vec::new()).collect();
        let Reading { reader, sources, backlog, replayed, .. } = self;
        let count = reader.poll(WAIT, BATCH, |received| {
            if let Some(arrival) = sources.decode(&received) {
                backlog.read(arrival.partition);
                if let Some((next, _)) = replayed.get_mut(arrival.partition.0 as usize) {
                    *next = arrival.offset + 1;
                }
                batches[worker_of(arrival.partition, workers)].push(arrival);
            }
        })?;
        for (worker, batch) in batches.into_iter().enumerate().filter(|(_, batch)| !batch.is_empty()) {
            // Workers end before this thread only when the process does.
            let _ = self.workers[worker].send(FromReader::Records(batch));
            self.shared.wake(worker);
        }
        *silent = if count > 0 || self.shared.is_caught_up() { 0 } else { *silent + 1 };
        if *silent >= SILENT {
            *silent = 0;
            self.pass_deleted()?;
        }
        Ok(())
    }

    /// Records that were bound before may have been deleted since (compacted, or too old), and
    /// replay would wait for them for ever: looks whether there are any below what was bound.
    fn pass_deleted(&mut self) -> Result<(), KafkaError> {
        for index in 0..self.replayed.len() {
            let (next, bound) = self.replayed[index];
            let index = PartitionIndex(index as u32);
            let Some(partition) = self.partitions.get(index).filter(|_| next < bound) else { continue };
            let mut there = false;
            let (topic, number) = (partition.topic.as_str(), partition.number);
            scan(&self.settings, topic, number, next, ScanEnd::Decided(DECIDED), |received| {
                there |= received.offset < bound;
            })?;
            if !there {
                tracing::info!(topic, partition = number, from = next, to = bound, "bound records were deleted since");
                self.replayed[index.0 as usize].0 = bound;
                let worker = worker_of(index, self.workers.len());
                let _ = self.workers[worker].send(FromReader::Passed { index, offset: bound });
                self.shared.wake(worker);
            }
        }
        Ok(())
    }

    /// Reads a partition more, from its first record.
    fn add(&mut self, partition: Partition) -> Result<(), KafkaError> {
        const START: i64 = 0;
        if self.partitions.len() >= PARTITIONS {
            tracing::error!(topic = partition.topic, partition = partition.number, "is not read: too many partitions");
            return Ok(());
        }
        tracing::info!(topic = partition.topic, partition = partition.number, "a partition was added");
        let index = self.partitions.add(partition.clone());
        self.sources.add(&partition, index);
        // Before its first record comes.
        let _ = self.workers[worker_of(index, self.workers.len())].send(FromReader::Partition { index, start: START });
        self.reader.add(&[(partition, START)])
    }

    /// Back-pressure: a partition of which too much waits is not fetched until it is bound.
    fn pause_and_resume(&self, paused: &mut Vec<bool>) -> Result<(), KafkaError> {
        let (mut pause, mut resume): (Vec<Partition>, Vec<Partition>) = (Vec::new(), Vec::new());
        paused.resize(self.partitions.len(), false);
        for (index, is_paused) in paused.iter_mut().enumerate() {
            let index = PartitionIndex(index as u32);
            let waiting = self.backlog.waiting(index);
            let change = if *is_paused { waiting < LOW } else { waiting > HIGH };
            if change && let Some(partition) = self.partitions.get(index) {
                *is_paused = !*is_paused;
                if *is_paused { &mut pause } else { &mut resume }.push(partition);
            }
        }
        if !pause.is_empty() {
            self.reader.pause(&pause)?;
        }
        if !resume.is_empty() {
            self.reader.resume(&resume)?;
        }
        Ok(())
    }
}

/// What an error of reading means.
fn failure(error: KafkaError) -> LiveError {
    if error.is_out_of_range() { LiveError::RecordsGone(error) } else { LiveError::Kafka(error) }
}
