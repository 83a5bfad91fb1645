//! What a deployment file says, understood: plain data for whoever runs it.

use propice_model::{Duration, InputId, LogicalTime};

use super::origin::Origins;
use super::secret::{Secret, Setting};
use crate::diagnostic::Diagnostic;

/// Everything a deployment file says, with its defaults filled in.
///
/// `Debug` is what [`print`](super::print()) gives, so that no secret gets into a log.
#[derive(Clone)]
pub struct Deployment {
    /// `[cluster]`
    pub cluster: Cluster,
    /// `[kafka]`
    pub kafka: Kafka,
    /// `[input.NAME]`: one for each input of the plan, in its order.
    pub inputs: Vec<InputTopics>,
    /// `[output]`
    pub output: Output,
    /// `[state]`
    pub state: State,
    /// `[observe]`
    pub observe: Observe,
    /// What is allowed and yet most likely not meant. Shown with [`shown_text`](super::shown_text)
    /// of the file: a password may stand beside.
    pub warnings: Vec<Diagnostic>,
    /// Where each value came from.
    pub origins: Origins,
}

/// Equal is what is in force, wherever it came from.
impl PartialEq for Deployment {
    fn eq(&self, other: &Deployment) -> bool {
        self.cluster == other.cluster
            && self.kafka == other.kafka
            && self.inputs == other.inputs
            && self.output == other.output
            && self.state == other.state
            && self.observe == other.observe
    }
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&super::print(self))
    }
}

/// Who runs it, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Part of every `transactional.id`, and of what is stored.
    pub name: String,
    /// Worker threads of a process.
    pub workers: usize,
    /// What is decided before is computed and not published.
    pub publish_from: Option<LogicalTime>,
    /// How long a process may take to drain, to commit and to write a checkpoint when it is asked
    /// to end, in ms.
    pub shutdown_within_ms: Duration,
}

/// The brokers and how they are spoken to. Its options for librdkafka are given by
/// [`Kafka::consumer`] and [`Kafka::producer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kafka {
    /// `host:port`, several with commas.
    pub bootstrap: Setting,
    /// Whether what is sent is encrypted, and with what.
    pub tls: Option<Tls>,
    /// As whom propice logs in.
    pub sasl: Option<Sasl>,
    /// How a topic that is missing is made; `None`: it is an error.
    pub create_topics: Option<CreateTopics>,
    /// Options of librdkafka for everything.
    pub options: Vec<(String, Setting)>,
    /// Options of librdkafka for consumers; they replace those for everything.
    pub consumer_options: Vec<(String, Setting)>,
    /// Options of librdkafka for producers; they replace those for everything.
    pub producer_options: Vec<(String, Setting)>,
}

/// What TLS needs; paths of PEM files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Who vouches for the brokers; `None`: whom the system trusts.
    pub ca: Option<Setting>,
    /// The certificate that propice shows.
    pub certificate: Option<Setting>,
    /// The key of that certificate.
    pub key: Option<Setting>,
    /// What opens the key.
    pub key_password: Option<Secret>,
}

/// As whom propice logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sasl {
    /// How the password is shown.
    pub mechanism: SaslMechanism,
    /// The name.
    pub username: Setting,
    /// The password.
    pub password: Secret,
}

/// How a password is shown to a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslMechanism {
    /// As it is.
    Plain,
    /// Not at all: both sides prove that they know it.
    ScramSha256,
    /// The same with a longer hash.
    ScramSha512,
}

impl SaslMechanism {
    /// All of them, as Kafka names them.
    pub const ALL: [(&'static str, SaslMechanism); 3] = [
        ("PLAIN", SaslMechanism::Plain),
        ("SCRAM-SHA-256", SaslMechanism::ScramSha256),
        ("SCRAM-SHA-512", SaslMechanism::ScramSha512),
    ];
}

/// The replication of a topic for which the broker says how many copies there are; as Kafka itself
/// writes it.
pub const BROKER_DEFAULT: i32 = -1;

/// How a topic that is missing is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTopics {
    /// Partitions of a topic of the output. Those of propice itself have as many as they need.
    pub partitions: i32,
    /// Brokers that keep a copy; or [`BROKER_DEFAULT`].
    pub replication: i32,
    /// How long a topic that is not compacted keeps a record, in ms; `None`: as the broker does.
    pub retention_ms: Option<Duration>,
}

/// Where the records of an input come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputTopics {
    /// The input of the plan.
    pub input: InputId,
    /// Its name.
    pub name: String,
    /// Its topics; none only for an input that is optional.
    pub topics: Vec<String>,
    /// How a record is written.
    pub format: RecordFormat,
    /// Which records of the topics are its own; `None`: all.
    pub select: Option<Select>,
    /// Where the key of a table's row is.
    pub key: KeyFrom,
    /// Where reading begins as long as there is no state.
    pub start: Start,
}

/// How a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFormat {
    /// As a line of a file.
    Json,
    /// A change of a row, as Debezium writes it.
    Debezium,
}

impl RecordFormat {
    /// All of them with their names.
    pub const ALL: [(&'static str, RecordFormat); 2] =
        [("json", RecordFormat::Json), ("debezium", RecordFormat::Debezium)];
}

/// Which records of a topic are of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// What is looked at.
    pub by: SelectBy,
    /// What it has to be; of a field that is no text, as JSON writes it.
    pub equals: String,
}

/// What tells the inputs of a topic apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectBy {
    /// A header of the record.
    Header(String),
    /// A key of the record's JSON.
    Field(String),
}

/// Where the key of a table's row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFrom {
    /// In the record's value, as in files.
    Value,
    /// In the record's key.
    Record,
}

impl KeyFrom {
    /// All of them with their names.
    pub const ALL: [(&'static str, KeyFrom); 2] = [("value", KeyFrom::Value), ("record", KeyFrom::Record)];
}

/// Where reading begins as long as there is no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first record that there is.
    Earliest,
    /// With what comes from now on.
    Latest,
    /// With the first record that the broker dates at or after this time.
    At(LogicalTime),
}

/// What is published, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What is promised of it.
    pub lane: Lane,
    /// What the names of topics begin with that have no other name.
    pub prefix: String,
    /// How CloudEvents are written.
    pub mode: EventMode,
    /// One for each channel of the plan, in its order; behind them `default`, where a moment names
    /// no channel.
    pub channels: Vec<ChannelTopic>,
    /// Where decisions go.
    pub decisions: Option<String>,
    /// Where the episodes go that are open now; compacted.
    pub episodes: Option<String>,
    /// Where records go that were refused.
    pub dead_letters: String,
    /// Where views go, and how; compacted.
    pub views: Option<Views>,
    /// How long output is gathered before it is committed, in ms.
    pub commit_every_ms: Duration,
    /// Records of a topic that wait before the sources are held back.
    pub buffer: usize,
}

impl Output {
    /// The topic of a channel by its name.
    pub fn channel(&self, name: &str) -> Option<&str> {
        self.channels.iter().find(|channel| channel.name == name).map(|channel| channel.topic.as_str())
    }
}

/// The name of the channel of moments that name none.
pub const DEFAULT_CHANNEL: &str = "default";

/// What is promised of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Whoever reads `read_committed` sees everything once.
    ExactlyOnce,
    /// A restart may repeat what was not acknowledged yet, under the same ids.
    AtLeastOnce,
}

impl Lane {
    /// All of them with their names.
    pub const ALL: [(&'static str, Lane); 2] =
        [("exactly_once", Lane::ExactlyOnce), ("at_least_once", Lane::AtLeastOnce)];
}

/// How CloudEvents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventMode {
    /// Attributes in headers, the data as the value.
    Binary,
    /// All of it as the value.
    Structured,
}

impl EventMode {
    /// All of them with their names.
    pub const ALL: [(&'static str, EventMode); 2] =
        [("binary", EventMode::Binary), ("structured", EventMode::Structured)];
}

/// The topic of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelTopic {
    /// The channel.
    pub name: String,
    /// Its topic.
    pub topic: String,
}

/// Where views go, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Views {
    /// Their topic.
    pub topic: String,
    /// How much of them.
    pub form: ViewsForm,
}

/// How much of a view is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewsForm {
    /// All of it, whenever something changes.
    Whole,
    /// The fields that changed.
    Changes,
}

impl ViewsForm {
    /// All of them with their names.
    pub const ALL: [(&'static str, ViewsForm); 2] = [("whole", ViewsForm::Whole), ("changes", ViewsForm::Changes)];
}

/// Where state lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// A folder, or the URL of an object store.
    pub url: Setting,
    /// Options of the object store.
    pub options: Vec<(String, Setting)>,
    /// A checkpoint is begun so long after the one before, in ms, …
    pub checkpoint_every_ms: Duration,
    /// … or after so many changes.
    pub checkpoint_changes: u64,
    /// Checkpoints that are kept.
    pub keep: usize,
    /// The topic of bindings.
    pub bindings: String,
    /// The topic that says up to when everything is published; compacted.
    pub progress: String,
}

/// What is shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observe {
    /// `host:port` of metrics and of what tells whether it is well.
    pub address: Option<String>,
    /// What is logged.
    pub log: LogLevel,
    /// How.
    pub log_format: LogFormat,
}

/// What is logged: this, and what is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What ends it.
    Error,
    /// What somebody should look at.
    Warn,
    /// What happens.
    Info,
    /// What happens inside.
    Debug,
    /// All of it.
    Trace,
}

impl LogLevel {
    /// All of them with their names.
    pub const ALL: [(&'static str, LogLevel); 5] = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];
}

/// How it is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// All of them with their names.
    pub const ALL: [(&'static str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];
}
