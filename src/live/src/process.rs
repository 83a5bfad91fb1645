//! The threads of a process: one that reads, workers, those that publish.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use propice_define::deployment::Start;
use propice_kafka::{Isolation, KafkaError, Partition, Reader, Settings, Topics};
use propice_model::LogicalTime;

use super::LiveError;
use super::arrival::FromReader;
use super::at_least_once;
use super::backlog::{Backlog, PARTITIONS};
use super::checkpoints::{Checkpoints, Given};
use super::clock::Clock;
use super::discovery::Discovery;
use super::exactly_once;
use super::keeping::{Keeping, Restored};
use super::outbox::Outbox;
use super::output::Message;
use super::protocol::PartitionIndex;
use super::protocol::binder::{Begin, Binder};
use super::protocol::binding::Offsets as Positions;
use super::protocol::durable::Durable;
use super::protocol::progress::Visible;
use super::protocol::recovered::Recovered;
use super::reading::{Reading, worker_of};
use super::records::Records;
use super::render::Renderer;
use super::shared::Shared;
use super::sources::{Partitions, Sources, read_topics};
use super::start::{Options, Publishing};
use super::worker::{WorkerParts, work};

/// How many records are bound to one time at most.
const BOUND_AT_ONCE: usize = 20_000;
/// How often is looked whether the process is to end.
const WATCH: Duration = Duration::from_millis(20);

/// A process that knows where to begin.
pub(crate) struct Process<'a> {
    options: &'a Options,
    settings: Settings,
    records: Records,
    shared: Arc<Shared>,
    partitions: Arc<Partitions>,
    sources: Sources,
    starts: Vec<(Partition, i64)>,
    begins: Vec<(PartitionIndex, Begin)>,
    floor: u64,
}

impl<'a> Process<'a> {
    pub(crate) fn begin(
        options: &'a Options,
        settings: Settings,
        topics: &Topics,
        records: Records,
        visible: &Visible,
        mut recovered: Recovered,
    ) -> Result<Process<'a>, LiveError> {
        let inputs = &options.deployment.inputs;
        let mut sources = Sources::new(&options.plan, inputs);
        let partitions = Arc::new(Partitions::default());
        let read = read_topics(inputs);
        let mut of_topics: BTreeMap<String, Vec<Partition>> = BTreeMap::new();
        for partition in topics.partitions(read.keys().copied())? {
            of_topics.entry(partition.topic.clone()).or_default().push(partition);
        }
        let (mut starts, mut begins) = (Vec::new(), Vec::new());
        for (topic, input) in read {
            let of_topic = of_topics.remove(topic).unwrap_or_default();
            let name = |partition: &Partition| (partition.topic.clone(), partition.number);
            let is_new = |partition: &&Partition| !recovered.partitions.contains_key(&name(partition));
            let new: Vec<Partition> = of_topic.iter().filter(is_new).cloned().collect();
            let mut first = first_offsets(topics, &new, input.start)?.into_iter();
            for partition in of_topic {
                let index = partitions.add(partition.clone());
                sources.add(&partition, index);
                let known = recovered.partitions.remove(&name(&partition));
                let begins_at = |first| (first, Begin { start: Some(first), ..Begin::default() });
                let Some((offset, begin)) = known.or_else(|| first.next().map(begins_at)) else { continue };
                starts.push((partition, offset));
                begins.push((index, begin));
            }
        }
        if partitions.len() > PARTITIONS {
            return Err(LiveError::TooManyPartitions { partitions: partitions.len(), most: PARTITIONS });
        }
        for (topic, partition) in recovered.partitions.keys() {
            tracing::warn!(topic, partition, "was read before, and is read no more");
        }
        let workers = options.deployment.cluster.workers;
        let shared = Arc::new(Shared::new(workers));
        shared.set_visible(visible.least());
        let floor = recovered.floor;
        Ok(Process { options, settings, records, shared, partitions, sources, starts, begins, floor })
    }

    /// Starts all threads, and waits for their end.
    pub(crate) fn go(
        self,
        publishing: Publishing,
        visible: &Visible,
        topics: Topics,
        mut keeping: Keeping,
    ) -> Result<(), LiveError> {
        let deployment = &self.options.deployment;
        let (outputs, messages) = channel();
        let durable = matches!(publishing, Publishing::AtLeastOnce { .. })
            .then(|| Arc::new(Mutex::new(Durable::new(self.records.generation, self.floor, false))));
        let renderer = Renderer::new(&self.options.plan, &deployment.output);
        let outbox = Outbox::new(messages, renderer, self.shared.clone(), visible.least(), durable.clone());
        let publishers = self.publishers(publishing, outbox, durable)?;
        let backlog = Arc::new(Backlog::default());
        let restored = keeping.take_restored();
        let is_fresh = restored.is_none();
        let (give, given) = channel();
        let mut checkpoints = Checkpoints {
            checkpointer: keeping.checkpointer()?,
            topics,
            bindings: Partition { topic: self.records.bindings.to_string(), number: 0 },
            partitions: self.partitions.clone(),
            given,
            shared: self.shared.clone(),
            workers: deployment.cluster.workers,
            every: Duration::from_millis(deployment.state.checkpoint_every_ms.unsigned_abs()),
            kept: VecDeque::new(),
        };
        if is_fresh {
            checkpoints.initial(self.positions())?;
        }
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..deployment.cluster.workers).map(|_| channel()).unzip();
        let workers = self.workers(receivers, &outputs, &give, &backlog, restored)?;
        drop((outputs, give));
        let (add, added) = channel();
        let reader = Reader::new(&self.settings, Isolation::Committed, &self.starts)?;
        let reading = Reading {
            reader,
            sources: self.sources,
            partitions: self.partitions.clone(),
            backlog,
            workers: senders,
            added,
            shared: self.shared.clone(),
            settings: self.settings.clone(),
            replayed: self
                .begins
                .iter()
                .map(|(index, begin)| (start_of(&self.starts, *index), begin.replay.back().map_or(0, |last| last.1)))
                .collect(),
        };
        let discovery = Discovery {
            topics: Topics::new(&self.settings)?,
            read: read_topics(&deployment.inputs).into_keys().map(str::to_owned).collect(),
            known: self.partitions.all().into_iter().collect(),
            add,
            shared: self.shared.clone(),
        };
        let checkpoints = thread("checkpoints", move || checkpoints.run())?;
        let mut threads = vec![thread("read", move || reading.run())?, workers, checkpoints];
        // Waits for a broker: nobody waits for it.
        drop(thread("discovery", move || discovery.run())?);
        threads.extend(publishers);
        self.shared.watch(&self.options.stop, &threads);
        let within = Duration::from_millis(deployment.cluster.shutdown_within_ms.unsigned_abs());
        end(&self.shared, &threads, within)
    }

    /// Where reading begins.
    fn positions(&self) -> Positions {
        let all: Vec<_> = self.begins.iter().map(|(index, _)| (*index, start_of(&self.starts, *index))).collect();
        self.partitions.offsets(&all)
    }

    fn publishers(
        &self,
        publishing: Publishing,
        outbox: Outbox,
        durable: Option<Arc<Mutex<Durable>>>,
    ) -> Result<Vec<JoinHandle<()>>, LiveError> {
        let (records, shared) = (self.records.clone(), self.shared.clone());
        let started = match (publishing, durable) {
            (Publishing::AtLeastOnce { producer, delivered, mark }, Some(durable)) => {
                let tail = at_least_once::read_back(&self.settings, &records, mark, durable, shared.clone())?;
                let lane = at_least_once::publish(producer, delivered, outbox, records, shared);
                tail.and_then(|tail| Ok(vec![tail, lane?]))
            }
            (Publishing::ExactlyOnce(producers), _) => {
                let every = Duration::from_millis(self.options.deployment.output.commit_every_ms.unsigned_abs());
                exactly_once::publish(producers, outbox, records, shared, every)
            }
            (Publishing::AtLeastOnce { .. }, None) => Ok(Vec::new()),
        };
        started.map_err(|error| LiveError::Threads(format!("a thread cannot be started: {error}")))
    }

    /// The threads of the workers, behind one that waits for them.
    fn workers(
        &self,
        receivers: Vec<Receiver<FromReader>>,
        outputs: &Sender<Message>,
        give: &Sender<Given>,
        backlog: &Arc<Backlog>,
        restored: Option<Restored>,
    ) -> Result<JoinHandle<()>, LiveError> {
        let options = self.options;
        let workers = receivers.len();
        let (before, mut entries) = restored
            .map_or((None, Vec::new()), |restored| (Some((restored.at, Arc::new(restored.before))), restored.entries));
        entries.resize_with(workers, Vec::new);
        let parts = receivers.into_iter().zip(entries).enumerate().map(|(worker, (arrivals, entries))| {
            let own = self.begins.iter().filter(move |(index, _)| worker_of(*index, workers) == worker);
            WorkerParts {
                generation: self.records.generation,
                plan: options.plan.clone(),
                engine: options.engine,
                with_views: options.deployment.output.views.is_some(),
                binder: Binder::new(own.clone().cloned(), self.floor, BOUND_AT_ONCE),
                arrivals,
                backlog: backlog.clone(),
                partitions: self.partitions.clone(),
                outputs: outputs.clone(),
                shared: self.shared.clone(),
                buffer: options.deployment.output.buffer,
                restored: before.clone().map(|(at, before)| (at, before, entries)),
                given: give.clone(),
                offsets: own.map(|(index, _)| (*index, start_of(&self.starts, *index))).collect(),
            }
        });
        let parts: Mutex<Vec<Option<WorkerParts>>> = Mutex::new(parts.map(Some).collect());
        let shared = self.shared.clone();
        thread("workers", move || {
            let ended = propice_run::on_workers(workers, move |peer| {
                let parts = parts.lock().unwrap_or_else(PoisonError::into_inner)[peer.index()].take();
                if let Some(parts) = parts {
                    work(peer, parts);
                }
            });
            if let Err(error) = ended {
                shared.fail(LiveError::Threads(format!("a worker failed: {error}")));
            }
        })
    }
}

/// The offset at which reading of a partition begins.
fn start_of(starts: &[(Partition, i64)], partition: PartitionIndex) -> i64 {
    starts[partition.0 as usize].1
}

/// Of each partition the offset at which reading begins, if it was never read before.
fn first_offsets(topics: &Topics, partitions: &[Partition], start: Start) -> Result<Vec<i64>, LiveError> {
    let marks = partitions.iter().map(|partition| topics.watermarks(partition));
    let first: Result<Vec<i64>, KafkaError> = match start {
        Start::Earliest => marks.map(|marks| Ok(marks?.0)).collect(),
        Start::Latest => marks.map(|marks| Ok(marks?.1)).collect(),
        Start::At(time) => topics.offsets_at(partitions, i64::try_from(time).unwrap_or(i64::MAX)),
    };
    Ok(first?)
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LiveError> {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    started.map_err(|error| LiveError::Threads(format!("a thread cannot be started: {error}")))
}

impl Shared {
    /// Waits until the process is to end, or a thread has.
    fn watch(&self, stop: &AtomicBool, threads: &[JoinHandle<()>]) {
        while !stop.load(Ordering::SeqCst) && !self.has_failed() {
            if threads.iter().any(JoinHandle::is_finished) {
                self.fail(LiveError::Threads("a thread has ended".to_owned()));
            }
            std::thread::sleep(WATCH);
        }
        self.stop();
    }
}

/// Waits until what was read is decided and published, at most so long.
fn end(shared: &Shared, threads: &[JoinHandle<()>], within: Duration) -> Result<(), LiveError> {
    let until = Clock::now().saturating_add(within.as_millis() as LogicalTime);
    while !threads.iter().all(JoinHandle::is_finished) {
        if shared.has_failed() || Clock::now() > until {
            break;
        }
        std::thread::sleep(WATCH);
    }
    match shared.take_failure() {
        Some(failure) => Err(failure),
        None if threads.iter().all(JoinHandle::is_finished) => {
            tracing::info!(visible = shared.visible(), "stopped");
            Ok(())
        }
        None => Err(LiveError::Threads("not everything was published in time; the next start does it".to_owned())),
    }
}
