//! How a generation begins: does what [`protocol::start::Start`](super::protocol::start::Start)
//! says, step by step.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

use propice_define::Plan;
use propice_define::deployment::{Deployment, Lane, Setting};
use propice_flow::Engine;
use propice_kafka::{DeliveryProducer, ScanEnd, Settings, Topics, TransactionalProducer, scan};

use super::LiveError;
use super::keeping::Keeping;
use super::process::Process;
use super::protocol::GenerationNumber;
use super::protocol::binding::{BindingLog, BindingRecord};
use super::protocol::progress::{Progress, Visible};
use super::protocol::start::{Start, Step};
use super::records::Records;
use super::topics;

/// How long a broker is waited for at the start.
const REACHABLE: Duration = Duration::from_mins(1);
/// How long a transactional id may take to be taken over.
const FENCED: Duration = Duration::from_mins(1);
/// How long a transaction of somebody else may stay open.
pub(crate) const DECIDED: Duration = Duration::from_secs(90);
/// The producers of the chain of a process.
pub(crate) const SLOTS: u32 = 2;

/// What a process runs.
pub struct Options {
    pub(crate) plan: Arc<Plan>,
    pub(crate) deployment: Deployment,
    pub(crate) engine: Engine,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Options {
    /// A pack, where it runs, with which dataflow; `stop` is set when the process is to end.
    pub fn new(mut plan: Plan, deployment: Deployment, engine: Engine, stop: Arc<AtomicBool>) -> Options {
        // Features that are new over a table are filled from its rows.
        plan.keeps_rows = true;
        Options { plan: Arc::new(plan), deployment, engine, stop }
    }
}

/// Runs until it is stopped or fails.
///
/// # Errors
/// When it cannot begin, or cannot go on; [`LiveError::is_transient`] tells whether to start again.
pub fn run(options: &Options) -> Result<(), LiveError> {
    let settings = client_settings(&options.deployment);
    let topics = Topics::new(&settings)?;
    topics.reachable(REACHABLE)?;
    topics::ensure(&topics, &options.deployment)?;
    Starting { options, settings, topics }.run()
}

/// Who publishes, once nobody else can.
pub(crate) enum Publishing {
    ExactlyOnce([TransactionalProducer; 2]),
    AtLeastOnce {
        producer: DeliveryProducer,
        delivered: Receiver<propice_kafka::Delivered>,
        /// The offset of our mark.
        mark: i64,
    },
}

struct Starting<'a> {
    options: &'a Options,
    settings: Settings,
    topics: Topics,
}

impl Starting<'_> {
    /// Step by step, until everything is known; then the process goes on until its end.
    fn run(self) -> Result<(), LiveError> {
        let exactly_once = self.options.deployment.output.lane == Lane::ExactlyOnce;
        let mut start = Start::new(exactly_once, !exactly_once);
        let mut keeping = Keeping::open(self.options)?;
        let mut publishing = None;
        let mut visible = Visible::default();
        loop {
            tracing::debug!(step = ?start.step(), "starting");
            match start.step() {
                Step::TakeNumber => {
                    let (number, slots) = keeping.take_number()?;
                    start.numbered(number, slots);
                }
                Step::Fence { slots } => {
                    publishing = Some(self.fence(slots)?);
                    start.fenced();
                }
                Step::Look => {
                    start.looked(keeping.is_newest()?).map_err(|error| LiveError::NotNewest { ours: error.ours })?;
                }
                Step::Mark => {
                    publishing = Some(self.mark(start.generation())?);
                    start.marked();
                }
                Step::ReadProgress => {
                    visible = self.progress()?;
                    start.progress(visible.clone());
                }
                Step::ReadBindings => {
                    let checkpoint = keeping.find(&self.topics, &visible)?;
                    let from = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.bindings);
                    let log = checkpoint.as_ref().map(|checkpoint| BindingLog::since(checkpoint.generation));
                    let (log, first) = self.bindings(log.unwrap_or_default(), from)?;
                    start.bindings(checkpoint.as_ref(), &log, first)?;
                    tracing::info!(bindings = log.bindings().len(), void = log.void(), "read what was bound");
                }
                Step::Load => {
                    if keeping.load()? {
                        start.loaded();
                    } else {
                        start.damaged();
                    }
                }
                Step::GoOn => break,
            }
        }
        let records = self.records(start.generation());
        let publishing = publishing.ok_or_else(|| LiveError::Threads("nobody publishes".to_owned()))?;
        let (visible, recovered) = start.finish();
        let generation = records.generation;
        tracing::info!(%generation, visible = visible.least(), floor = recovered.floor, "beginning");
        let process = Process::begin(self.options, self.settings, &self.topics, records, &visible, recovered)?;
        process.go(publishing, &visible, self.topics, keeping)
    }

    fn records(&self, generation: GenerationNumber) -> Records {
        let state = &self.options.deployment.state;
        let (bindings, progress) = (Arc::from(state.bindings.as_str()), Arc::from(state.progress.as_str()));
        Records { generation, bindings, progress }
    }

    /// Takes over the ids of all slots that there ever were, all at once; ours are the first.
    fn fence(&self, slots: u32) -> Result<Publishing, LiveError> {
        let cluster = &self.options.deployment.cluster.name;
        let threads: Vec<JoinHandle<_>> = (0..slots.max(SLOTS))
            .map(|slot| {
                let (settings, id) = (self.settings.clone(), format!("{cluster}-{slot}"));
                std::thread::spawn(move || TransactionalProducer::take_over(&settings, &id, FENCED))
            })
            .collect();
        let mut producers = Vec::new();
        for thread in threads {
            let producer =
                thread.join().map_err(|_| LiveError::Threads("a thread that fences failed".to_owned()))??;
            producers.push(producer);
        }
        let mut producers = producers.into_iter();
        match (producers.next(), producers.next()) {
            (Some(first), Some(second)) => Ok(Publishing::ExactlyOnce([first, second])),
            _ => Err(LiveError::Threads("a process has two producers".to_owned())),
        }
    }

    /// Writes our mark to the topic of bindings.
    fn mark(&self, generation: GenerationNumber) -> Result<Publishing, LiveError> {
        let (producer, delivered) = DeliveryProducer::new(&self.settings)?;
        producer.send(&self.records(generation).begins(), 0)?;
        let acknowledged = delivered.recv().map_err(|_| LiveError::Threads("no acknowledgement".to_owned()))?;
        Ok(Publishing::AtLeastOnce { producer, delivered, mark: acknowledged.offset? })
    }

    /// Reads progress to its end.
    fn progress(&self) -> Result<Visible, LiveError> {
        let mut visible = Visible::default();
        let mut foreign = None;
        let topic = &self.options.deployment.state.progress;
        scan(&self.settings, topic, 0, 0, ScanEnd::Decided(DECIDED), |received| {
            match received.value.map(Progress::parse) {
                Some(Ok(progress)) => visible.learn(&progress),
                Some(Err(error)) => drop(foreign.get_or_insert((received.offset, error.to_string()))),
                None => {}
            }
        })?;
        refuse_foreign(topic, foreign)?;
        Ok(visible)
    }

    /// Reads bindings from an offset to their end; also the first offset that is there.
    fn bindings(&self, mut log: BindingLog, from: i64) -> Result<(BindingLog, i64), LiveError> {
        let mut foreign = None;
        let state = &self.options.deployment.state;
        let in_transactions = self.options.deployment.output.lane == Lane::ExactlyOnce;
        let end = if in_transactions { ScanEnd::Decided(DECIDED) } else { ScanEnd::Appended };
        let scanned = scan(&self.settings, &state.bindings, 0, from, end, |received| {
            match received.value.map(BindingRecord::parse) {
                Some(Ok(record)) => log.push(record),
                Some(Err(error)) => drop(foreign.get_or_insert((received.offset, error.to_string()))),
                None => {}
            }
        })?;
        refuse_foreign(&state.bindings, foreign)?;
        Ok((log, scanned.low))
    }
}

/// Refuses a topic of ours that holds something else.
fn refuse_foreign(topic: &str, foreign: Option<(i64, String)>) -> Result<(), LiveError> {
    let Some((offset, error)) = foreign else { return Ok(()) };
    Err(LiveError::Foreign { topic: topic.to_owned(), offset, error })
}

/// What clients of a deployment are made of.
pub fn client_settings(deployment: &Deployment) -> Settings {
    let options = |options: Vec<(String, Setting)>| {
        options.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect()
    };
    let kafka = &deployment.kafka;
    Settings {
        client_id: format!("propice-{}", deployment.cluster.name),
        admin: options(kafka.admin()),
        consumer: options(kafka.consumer()),
        producer: options(kafka.producer()),
    }
}
