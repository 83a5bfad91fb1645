//! Why a process ends that should not, and whether to start it again.

use propice_kafka::KafkaError;

use super::protocol::GenerationNumber;
use super::protocol::recovered::NoRecovery;

/// Why a process ends.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// Kafka failed while nothing was published yet.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// Publishing failed: fenced, timed out and dead look alike.
    #[error("publishing has ended: {0}")]
    Publishing(#[source] KafkaError),
    /// Another process has begun a newer generation.
    #[error("generation {newer} has begun; this one, {ours}, is over")]
    Superseded {
        /// Whose mark stands in the bindings.
        newer: GenerationNumber,
        /// Ours.
        ours: GenerationNumber,
    },
    /// Records that are needed are gone from their topic.
    #[error(
        "{0}: records that were not read yet are gone from their topic, or it was made anew. \
         Restore the topic; or give the cluster another name, and begin without what was known"
    )]
    RecordsGone(#[source] KafkaError),
    /// What is stored does not allow to go on.
    #[error(transparent)]
    NoRecovery(#[from] NoRecovery),
    /// Another process has started after this one.
    #[error("another process has started after generation {ours}")]
    NotNewest {
        /// Ours.
        ours: GenerationNumber,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] propice_state::Error),
    /// What is stored cannot be used.
    #[error("{reason}: {remedy}")]
    Refused {
        /// Why.
        reason: String,
        /// What a person can do.
        remedy: String,
    },
    /// Topics are missing.
    #[error("topics are missing; make them, or say `create_topics` in `[kafka]`:\n{}", .commands.join("\n"))]
    TopicsMissing {
        /// The commands that make them.
        commands: Vec<String>,
    },
    /// A topic of ours holds something else.
    #[error("topic `{topic}` at offset {offset} holds something that propice did not write: {error}")]
    Foreign {
        /// The topic.
        topic: String,
        /// The offset.
        offset: i64,
        /// Why it cannot be read.
        error: String,
    },
    /// Too many partitions.
    #[error("{partitions} partitions are to be read, and a process reads at most {most}")]
    TooManyPartitions {
        /// How many.
        partitions: usize,
        /// How many are read at most.
        most: usize,
    },
    /// A thread could not be started, or failed.
    #[error("{0}")]
    Threads(String),
}

impl LiveError {
    /// Whether starting again may help, without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            LiveError::Store(error) => error.fault().is_none(),
            LiveError::NotNewest { .. }
            | LiveError::Kafka(_)
            | LiveError::Publishing(_)
            | LiveError::Superseded { .. }
            | LiveError::NoRecovery(NoRecovery::Superseded { .. })
            | LiveError::Threads(_) => true,
            LiveError::Refused { .. }
            | LiveError::RecordsGone(_)
            | LiveError::NoRecovery(_)
            | LiveError::TopicsMissing { .. }
            | LiveError::Foreign { .. }
            | LiveError::TooManyPartitions { .. } => false,
        }
    }
}
