//! The thread that writes checkpoints: asks workers for what changed, writes it, and puts the
//! manifest once all that was to be said until then is visible.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use propice_flow::state::{Change, Extent};
use propice_kafka::{Partition, Topics};
use propice_model::limits::STATE_CHECKPOINTS;
use propice_model::{KeyRange, LogicalTime};
use propice_state::checkpointer::{NotCut, Write};
use propice_state::{Checkpointer, Cut, Kind, PartRef, PartWriter, Positions, Report};

use super::LiveError;
use super::clock::Clock;
use super::protocol::PartitionIndex;
use super::shared::Shared;
use super::sources::Partitions;

/// How often is looked whether a checkpoint is due, or output has become visible.
const LOOK: Duration = Duration::from_millis(5);
/// Bindings that are needed no more are kept for an hour: whoever looks into what was said reads
/// them.
const BINDINGS_KEPT_MS: LogicalTime = 3_600_000;
/// How long workers are waited for before somebody is told.
const SLOW: Duration = Duration::from_secs(30);

/// What a worker gives for a cut.
pub(crate) struct Given {
    /// Which cut.
    pub number: u64,
    /// What changed.
    pub changes: Vec<Change>,
    /// Of its partitions the first offset that is not in the state.
    pub offsets: Vec<(PartitionIndex, i64)>,
}

/// What all workers give: what changed, and where reading goes on.
type Collected = (Vec<Change>, Vec<(PartitionIndex, i64)>);

/// Writes checkpoints until the process ends.
pub(crate) struct Checkpoints {
    pub checkpointer: Checkpointer,
    pub topics: Topics,
    pub bindings: Partition,
    pub partitions: Arc<Partitions>,
    pub given: Receiver<Given>,
    pub shared: Arc<Shared>,
    pub workers: usize,
    pub every: Duration,
    /// When each checkpoint was put, and where reading bindings goes on from it, oldest first.
    pub kept: VecDeque<(LogicalTime, i64)>,
}

impl Checkpoints {
    /// Puts the first checkpoint of a cluster that begins with nothing.
    pub(crate) fn initial(&mut self, sources: Positions) -> Result<(), LiveError> {
        let own = self.own()?;
        let reports = self.checkpointer.initial(sources, own, Clock::now() as i64);
        self.tell(reports.map_err(|error| LiveError::Threads(format!("the first checkpoint: {error}")))?);
        Ok(())
    }

    /// Writes checkpoints; the last one when everything was read and decided.
    pub(crate) fn run(mut self) {
        loop {
            let last = self.wait();
            if self.shared.has_failed() {
                return;
            }
            if let Err(error) = self.write() {
                // The next one makes up for it.
                tracing::warn!(%error, "no checkpoint");
            }
            if last {
                self.shared.end();
                return;
            }
        }
    }

    /// Waits until a checkpoint is due; whether it is the last one.
    fn wait(&self) -> bool {
        let due = Clock::now() + self.every.as_millis() as LogicalTime;
        while !self.shared.has_failed() {
            if self.shared.is_settled() {
                return true;
            }
            if Clock::now() >= due && self.shared.is_caught_up() && !self.shared.is_stopping() {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }

    /// Where reading our own topics goes on.
    fn own(&self) -> Result<Positions, LiveError> {
        let (_, end) = self.topics.watermarks(&self.bindings)?;
        Ok(Positions::from([(self.bindings.topic.clone(), [(self.bindings.number, end)].into())]))
    }

    fn write(&mut self) -> Result<(), LiveError> {
        let started = Clock::now();
        // First: every binding that is later than the cut stands behind this.
        let own = self.own()?;
        let mut writes = Vec::new();
        let checkpointer = &mut self.checkpointer;
        let wanted = self.shared.cutting.want(|time| {
            let writers = vec![KeyRange::all().map(|range| range.0).collect::<BTreeSet<u8>>()];
            writes = checkpointer.cut(Cut { time, at_ms: started as i64, writers })?;
            let whole = writes.iter().any(|write| write.kinds.values().any(|kind| *kind == Kind::Base));
            Ok(if whole { Extent::Whole } else { Extent::Changed })
        });
        let wanted = match wanted {
            Ok(wanted) => wanted,
            // Nothing happened since the last one.
            Err(NotCut::Wrong(why)) => {
                tracing::debug!(why, "no checkpoint is due");
                return Ok(());
            }
            Err(error) => return Err(LiveError::Threads(error.to_string())),
        };
        self.shared.wake_all();
        let (changes, offsets) = self.collect(wanted.number)?;
        let count = changes.len();
        for write in writes {
            let part = self.part(write.clone(), wanted.extent, &changes).map_err(|error| error.to_string());
            let reports = self.checkpointer.written(wanted.at, write.head.writer, part);
            self.tell(reports);
        }
        let position = own.values().flat_map(|of| of.values()).copied().min();
        let reports = self.checkpointer.positions(wanted.at, self.partitions.offsets(&offsets), own);
        self.tell(reports);
        self.shared.want_visible(wanted.at);
        while self.shared.visible() < wanted.at {
            if self.shared.has_failed() {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        let reports = self.checkpointer.visible(KeyRange::all().map(|range| range.0), wanted.at);
        if reports.iter().any(|report| matches!(report, Report::Put { .. })) {
            self.kept.extend(position.map(|position| (Clock::now(), position)));
            self.forget_bindings();
        }
        self.tell(reports);
        tracing::debug!(changes = count, took_ms = Clock::now() - started, "a checkpoint");
        Ok(())
    }

    /// Deletes bindings that no checkpoint needs, and that are old. Checkpoints that an earlier
    /// generation has put are gone when as many as are kept were put by this one.
    fn forget_bindings(&mut self) {
        let old = Clock::now().saturating_sub(BINDINGS_KEPT_MS);
        let is_old = |(put_at, _): &mut (LogicalTime, i64)| *put_at < old;
        let mut first = None;
        while self.kept.len() > STATE_CHECKPOINTS
            && let Some((_, position)) = self.kept.pop_front_if(is_old)
        {
            first = Some(position);
        }
        if let Some(Err(error)) = first.map(|first| self.topics.delete_before(&self.bindings, first)) {
            tracing::warn!(%error, "old bindings are not deleted");
        }
    }

    /// What all workers give.
    fn collect(&self, number: u64) -> Result<Collected, LiveError> {
        let (mut changes, mut offsets) = (Vec::new(), Vec::new());
        let mut missing = self.workers;
        while missing > 0 {
            match self.given.recv_timeout(SLOW) {
                Ok(given) if given.number == number => {
                    changes.extend(given.changes);
                    offsets.extend(given.offsets);
                    missing -= 1;
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) if !self.shared.has_failed() => {
                    tracing::warn!(missing, "workers have not given what changed");
                }
                Err(_) => return Err(LiveError::Threads("workers have ended".to_owned())),
            }
        }
        Ok((changes, offsets))
    }

    /// Writes a part.
    fn part(
        &self,
        mut write: Write,
        extent: Extent,
        changes: &[Change],
    ) -> Result<Option<PartRef>, propice_state::Error> {
        if extent == Extent::Whole {
            // All that is held was given, and nothing of what is gone: that is a base of every
            // range.
            write.kinds.values_mut().for_each(|kind| *kind = Kind::Base);
        }
        let mut part: PartWriter = self.checkpointer.writer(&write)?;
        for Change { collection, range, key, entry } in changes {
            part.push(collection, range.0, key, entry.as_ref())?;
        }
        part.finish()
    }

    fn tell(&self, reports: Vec<Report>) {
        for report in reports {
            match report {
                Report::Put { name, written_bytes, bytes } => {
                    tracing::info!(checkpoint = name.path(), written_bytes, bytes, "checkpoint");
                }
                Report::Collected(objects) => tracing::debug!(objects, "old parts are deleted"),
                Report::NotCollected(why) => tracing::warn!(why, "old parts are not deleted"),
                Report::Abandoned { time, why } => tracing::warn!(time, why, "a checkpoint was abandoned"),
                Report::Superseded => self.shared.fail(LiveError::Threads("a later generation has begun".to_owned())),
            }
        }
    }
}
