//! Looks for partitions that are added to topics while the process runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use propice_kafka::{Partition, Topics};

use super::shared::Shared;

/// How often is looked.
const EVERY: Duration = Duration::from_secs(10);
/// How often is looked whether the process stops.
const LOOK: Duration = Duration::from_millis(100);

/// The thread that looks for partitions.
pub(crate) struct Discovery {
    pub topics: Topics,
    /// The topics that are read.
    pub read: Vec<String>,
    /// The partitions that are known.
    pub known: BTreeSet<Partition>,
    pub add: Sender<Partition>,
    pub shared: Arc<Shared>,
}

impl Discovery {
    /// Looks until the process stops.
    pub(crate) fn run(mut self) {
        let mut waited = Duration::ZERO;
        while !self.shared.is_stopping() {
            std::thread::sleep(LOOK);
            waited += LOOK;
            // What was bound before is fed first.
            if waited >= EVERY && self.shared.is_caught_up() {
                waited = Duration::ZERO;
                self.look();
            }
        }
    }

    fn look(&mut self) {
        let there = match self.topics.partitions(self.read.iter().map(String::as_str)) {
            Ok(there) => there,
            Err(error) => return tracing::warn!(%error, "cannot look for partitions"),
        };
        for partition in there {
            if self.known.insert(partition.clone()) && self.add.send(partition).is_err() {
                return;
            }
        }
    }
}
