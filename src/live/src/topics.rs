//! The topics that a deployment names: which have to be there, and as what those are made that are
//! missing.

use std::collections::BTreeSet;

use propice_define::deployment::{CreateTopics, Deployment};
use propice_kafka::{NewTopic, Topics};

use super::LiveError;

/// What a topic is for decides how it keeps its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// All, for as long as the cluster is set to.
    Records,
    /// The last of each key.
    Latest,
    /// The last of each key, in one partition.
    Progress,
    /// All for ever, in one partition: checkpoints say from where they are needed.
    Bindings,
}

/// Checks that every topic is there; makes those that are missing, where the deployment says so.
///
/// # Errors
/// When topics are missing that are not to be made.
pub(crate) fn ensure(topics: &Topics, deployment: &Deployment) -> Result<(), LiveError> {
    let there = topics.all()?;
    let read: BTreeSet<&str> = deployment.inputs.iter().flat_map(|input| &input.topics).map(String::as_str).collect();
    let missing: Vec<String> =
        read.iter().filter(|topic| !there.contains_key(**topic)).map(|topic| (*topic).to_owned()).collect();
    let written: Vec<(String, Keeps)> = written(deployment);
    let absent: Vec<&(String, Keeps)> = written.iter().filter(|(topic, _)| !there.contains_key(topic)).collect();
    match &deployment.kafka.create_topics {
        Some(create) => {
            let inputs = missing.iter().map(|topic| new_topic(topic, Keeps::Records, create));
            let outputs = absent.iter().map(|(topic, keeps)| new_topic(topic, *keeps, create));
            let new: Vec<NewTopic> = inputs.chain(outputs).collect();
            if !new.is_empty() {
                let names: Vec<&str> = new.iter().map(|topic| topic.name.as_str()).collect();
                tracing::info!(topics = names.join(", "), "creating topics");
                topics.create(&new)?;
            }
            Ok(())
        }
        None => {
            let default = CreateTopics { partitions: 6, replication: 3, retention_ms: None };
            let inputs = missing.iter().map(|topic| command(&new_topic(topic, Keeps::Records, &default)));
            let outputs = absent.iter().map(|(topic, keeps)| command(&new_topic(topic, *keeps, &default)));
            let commands: Vec<String> = inputs.chain(outputs).collect();
            if commands.is_empty() { Ok(()) } else { Err(LiveError::TopicsMissing { commands }) }
        }
    }
}

/// The topics that are written, and what they keep.
fn written(deployment: &Deployment) -> Vec<(String, Keeps)> {
    let output = &deployment.output;
    let mut written: Vec<(String, Keeps)> =
        output.channels.iter().map(|channel| (channel.topic.clone(), Keeps::Records)).collect();
    written.extend(output.decisions.iter().map(|topic| (topic.clone(), Keeps::Records)));
    written.extend(output.episodes.iter().map(|topic| (topic.clone(), Keeps::Latest)));
    written.extend(output.views.iter().map(|views| (views.topic.clone(), Keeps::Latest)));
    written.push((output.dead_letters.clone(), Keeps::Records));
    written.push((deployment.state.bindings.clone(), Keeps::Bindings));
    written.push((deployment.state.progress.clone(), Keeps::Progress));
    written
}

fn new_topic(name: &str, keeps: Keeps, create: &CreateTopics) -> NewTopic {
    let partitions = if matches!(keeps, Keeps::Progress | Keeps::Bindings) { 1 } else { create.partitions };
    let mut settings = match keeps {
        Keeps::Records => vec![("cleanup.policy", "delete".to_owned())],
        Keeps::Latest | Keeps::Progress => vec![("cleanup.policy", "compact".to_owned())],
        Keeps::Bindings => vec![("cleanup.policy", "delete".to_owned()), ("retention.ms", "-1".to_owned())],
    };
    if keeps == Keeps::Records {
        settings.extend(create.retention_ms.map(|kept_ms| ("retention.ms", kept_ms.to_string())));
    }
    NewTopic { name: name.to_owned(), partitions, replication: create.replication, settings }
}

/// The command that makes a topic.
fn command(topic: &NewTopic) -> String {
    let NewTopic { name, partitions, replication, settings } = topic;
    let settings: Vec<String> = settings.iter().map(|(key, value)| format!(" --config {key}={value}")).collect();
    let settings = settings.concat();
    format!(
        "kafka-topics.sh --bootstrap-server … --create --topic {name} --partitions {partitions} \
         --replication-factor {replication}{settings}"
    )
}
