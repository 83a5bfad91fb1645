//! How a generation begins, step by step, and how a process ends.
//!
//! ```text
//! 1 number          put if absent: whoever loses starts over
//! 2 fence           take over every transactional id there ever was; look whether we are newest
//! 3 mark            "generation g begins", where bindings travel by themselves
//! 4 read            progress, then bindings
//! 5 load            the newest whole checkpoint
//! 6 go on           partitions from the checkpoint's offsets; what is bound keeps its time
//! ```

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
use super::process::Process;
use super::protocol::GenerationNumber;
use super::protocol::binding::{BindingLog, BindingRecord};
use super::protocol::progress::{Progress, Visible};
use super::protocol::recovered::{Recovered, recover};
use super::records::Records;
use super::topics;

/// How long a broker is waited for at the start.
const REACHABLE: Duration = Duration::from_secs(60);
/// How long a transactional id may take to be taken over.
const FENCED: Duration = Duration::from_secs(60);
/// How long a transaction of somebody else may stay open.
const DECIDED: Duration = Duration::from_secs(90);

/// What a process runs.
pub struct Options {
    /// The pack.
    pub plan: Arc<Plan>,
    /// Where it runs.
    pub deployment: Deployment,
    /// Which dataflow.
    pub engine: Engine,
    /// The number of this life of the cluster.
    pub generation: GenerationNumber,
    /// Set when the process is to end.
    pub stop: Arc<AtomicBool>,
}

/// Runs until it is stopped or fails.
///
/// # Errors
/// When it cannot begin, or cannot go on; [`LiveError::is_transient`] tells whether to start again.
pub fn run(options: &Options) -> Result<(), LiveError> {
    let settings = settings(&options.deployment);
    let topics = Topics::new(&settings)?;
    topics.reachable(REACHABLE)?;
    topics::ensure(&topics, &options.deployment)?;
    let records = Records {
        generation: options.generation,
        bindings: Arc::from(options.deployment.state.bindings.as_str()),
        progress: Arc::from(options.deployment.state.progress.as_str()),
    };
    let publishing = Publishing::take_over(options, &settings, &records)?;
    let (visible, recovered) = read(&settings, &records, options.deployment.output.lane)?;
    let process = Process::begin(options, settings, &topics, records, &visible, recovered)?;
    process.go(publishing, visible)
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

impl Publishing {
    /// Fences whoever published before, and marks the bindings.
    fn take_over(options: &Options, settings: &Settings, records: &Records) -> Result<Publishing, LiveError> {
        if options.deployment.output.lane == Lane::ExactlyOnce {
            let cluster = &options.deployment.cluster.name;
            let [first, second] = [0, 1].map(|slot| {
                let (settings, id) = (settings.clone(), format!("{cluster}-{slot}"));
                std::thread::spawn(move || TransactionalProducer::take_over(&settings, &id, FENCED))
            });
            let joined = |thread: JoinHandle<Result<TransactionalProducer, _>>| {
                thread.join().map_err(|_| LiveError::Threads("a thread that fences failed".to_owned()))
            };
            return Ok(Publishing::ExactlyOnce([joined(first)??, joined(second)??]));
        }
        let (producer, delivered) = DeliveryProducer::new(settings)?;
        producer.send(&records.begins(), 0)?;
        let acknowledged = delivered.recv().map_err(|_| LiveError::Threads("no acknowledgement".to_owned()))?;
        Ok(Publishing::AtLeastOnce { producer, delivered, mark: acknowledged.offset? })
    }
}

/// Reads progress to its end, then bindings.
fn read(settings: &Settings, records: &Records, lane: Lane) -> Result<(Visible, Recovered), LiveError> {
    let mut visible = Visible::default();
    let mut foreign = None;
    let mut note = |topic: &str, offset: i64, error: String| {
        foreign.get_or_insert(LiveError::Foreign { topic: topic.to_owned(), offset, error });
    };
    scan(settings, &records.progress, 0, 0, ScanEnd::Decided(DECIDED), |received| {
        match received.value.map(Progress::parse) {
            Some(Ok(progress)) => visible.learn(&progress),
            Some(Err(error)) => note(received.topic, received.offset, error.to_string()),
            None => {}
        }
    })?;
    let mut log = BindingLog::default();
    let end = if lane == Lane::ExactlyOnce { ScanEnd::Decided(DECIDED) } else { ScanEnd::Appended };
    scan(settings, &records.bindings, 0, 0, end, |received| match received.value.map(BindingRecord::parse) {
        Some(Ok(record)) => log.push(record),
        Some(Err(error)) => note(received.topic, received.offset, error.to_string()),
        None => {}
    })?;
    if let Some(foreign) = foreign {
        return Err(foreign);
    }
    let recovered = recover(records.generation, None, &log, &visible)?;
    let (bindings, void) = (log.bindings().len(), log.void());
    tracing::info!(bindings, void, visible = visible.least(), floor = recovered.floor, "read what was bound");
    Ok((visible, recovered))
}

/// What clients are made of.
fn settings(deployment: &Deployment) -> Settings {
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
