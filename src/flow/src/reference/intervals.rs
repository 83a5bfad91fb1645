//! Contributions that count during an interval: from a time to come, or until one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::shard::shard;
use propice_model::time::FOREVER;
use propice_model::{Contribution, EventTime, LogicalTime, Value};

use super::Subject;
use super::machine::{Differences, Machine};

/// A contribution, with what `first` and `last` order by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Ordered {
    pub(super) event_time: EventTime,
    pub(super) order: Value,
    pub(super) contribution: Contribution,
}

/// A contribution to the entity.
type EntityContribution = (Subject, Ordered);

/// Turns a contribution at time *t* into one that is there during `[max(t, from), until)`. What is
/// taken back is the same with the opposite sign: from then on, or as soon as it would begin, or
/// not at all, its differences sum to zero.
#[derive(Default)]
pub(super) struct Intervals {
    to_come: BTreeMap<LogicalTime, Vec<(EntityContribution, isize)>>,
}

impl Machine<EntityContribution, EntityContribution> for Intervals {
    fn shard((subject, _): &EntityContribution) -> u64 {
        shard(subject)
    }

    fn next(&self) -> Option<LogicalTime> {
        self.to_come.keys().next().copied()
    }

    fn step(
        &mut self,
        now: LogicalTime,
        changes: Vec<(EntityContribution, isize)>,
        out: &mut Differences<EntityContribution>,
    ) {
        for (change, diff) in changes {
            let Contribution { from, until, .. } = change.1.contribution;
            let from = from.max(now);
            if from >= until {
                continue;
            }
            if until != FOREVER {
                self.to_come.entry(until).or_default().push((change.clone(), -diff));
            }
            if from > now {
                self.to_come.entry(from).or_default().push((change, diff));
            } else {
                out.push((change, now, diff));
            }
        }
        for (change, diff) in self.to_come.remove(&now).unwrap_or_default() {
            out.push((change, now, diff));
        }
    }
}
