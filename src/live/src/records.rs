//! The records of our own topics.

use std::sync::Arc;

use propice_kafka::Outgoing;
use propice_model::LogicalTime;

use super::protocol::GenerationNumber;
use super::protocol::binding::{Binding, BindingRecord};
use super::protocol::progress::{Progress, RANGES};

/// Makes records of bindings and progress.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    pub generation: GenerationNumber,
    pub bindings: Arc<str>,
    pub progress: Arc<str>,
}

impl Records {
    /// What was bound.
    pub(crate) fn binding(&self, binding: Binding) -> Outgoing {
        self.of_bindings(&BindingRecord::Binding(binding))
    }

    /// This generation begins.
    pub(crate) fn begins(&self) -> Outgoing {
        self.of_bindings(&BindingRecord::Begins(self.generation))
    }

    fn of_bindings(&self, record: &BindingRecord) -> Outgoing {
        let value = Some(record.to_bytes());
        Outgoing { topic: self.bindings.clone(), partition: Some(0), key: Vec::new(), value, headers: Vec::new() }
    }

    /// Everything up to a time is published.
    pub(crate) fn progress(&self, visible: LogicalTime) -> Outgoing {
        let progress = Progress { generation: self.generation, slot: 0, from: 0, to: RANGES, visible };
        Outgoing {
            topic: self.progress.clone(),
            partition: Some(0),
            key: progress.key().into_bytes(),
            value: Some(progress.to_bytes()),
            headers: Vec::new(),
        }
    }
}
