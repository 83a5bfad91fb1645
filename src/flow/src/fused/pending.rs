//! Contributions that do not count yet (`during` ahead of time), by entity.

use hashbrown::HashMap;

use crate::invariant::broken;
use propice_model::time::FOREVER;
use propice_model::{Contribution, EventTime, LogicalTime, Value};

/// What `first` and `last` order by: the event time of a record, and its `order`.
pub(super) type When<'a> = (EventTime, &'a Value);

/// A contribution that waits.
#[derive(Clone, PartialEq)]
pub(super) struct PendingContribution {
    pub event_time: EventTime,
    pub order: Value,
    pub contribution: Contribution,
}

impl PendingContribution {
    fn new((event_time, order): When<'_>, contribution: &Contribution) -> PendingContribution {
        PendingContribution { event_time, order: order.clone(), contribution: contribution.clone() }
    }
}

/// All that wait. Few entities have any.
#[derive(Default)]
pub(super) struct PendingContributions {
    of: HashMap<u32, Vec<PendingContribution>, foldhash::fast::FixedState>,
}

impl PendingContributions {
    pub(super) fn add(&mut self, entity: u32, when: When<'_>, contribution: &Contribution) {
        self.of.entry(entity).or_default().push(PendingContribution::new(when, contribution));
    }

    /// Removes one that was added.
    pub(super) fn remove(&mut self, entity: u32, when: When<'_>, contribution: &Contribution) {
        let taken = PendingContribution::new(when, contribution);
        let waiting = self.of.get_mut(&entity);
        match waiting.and_then(|waiting| Some((waiting.iter().position(|waiting| *waiting == taken)?, waiting))) {
            Some((position, waiting)) => drop(waiting.swap_remove(position)),
            None => broken("something was taken back that was not to come"),
        }
    }

    /// Those of an entity, in any order.
    pub(super) fn of(&self, entity: u32) -> &[PendingContribution] {
        self.of.get(&entity).map_or(&[], Vec::as_slice)
    }

    /// Hands over those of an entity that begin to count.
    pub(super) fn begin(&mut self, entity: u32, now: LogicalTime) -> Vec<PendingContribution> {
        let Some(waiting) = self.of.get_mut(&entity) else { return Vec::new() };
        let beginning = waiting.extract_if(.., |waiting| waiting.contribution.from <= now).collect();
        if waiting.is_empty() {
            self.of.remove(&entity);
        }
        beginning
    }

    /// When the next one of an entity begins to count; `FOREVER` without any.
    pub(super) fn next(&self, entity: u32) -> LogicalTime {
        if self.of.is_empty() {
            return FOREVER;
        }
        let waiting = self.of.get(&entity).into_iter().flatten();
        waiting.map(|waiting| waiting.contribution.from).min().unwrap_or(FOREVER)
    }
}
