//! What the operator of customers has been given and is complete, and how it is gone through.

use crate::ViewPart;
use propice_model::{EntityChange, Fact, LogicalTime};

use super::dirty::TOGETHER;

/// What has come and is complete, in order of time.
#[derive(Default)]
pub(super) struct CompleteBatch {
    pub changes: Vec<(EntityChange, LogicalTime, isize)>,
    pub parts: Vec<(ViewPart, LogicalTime, isize)>,
    pub holidays: Vec<(Fact, LogicalTime, isize)>,
}

impl CompleteBatch {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.parts.is_empty() && self.holidays.is_empty()
    }

    /// Behind the last time of any of them.
    pub(super) fn end(&self) -> LogicalTime {
        let last = [last_time(&self.changes), last_time(&self.parts), last_time(&self.holidays)];
        last.into_iter().flatten().max().map_or(0, |time| time + 1)
    }

    pub(super) fn clear(&mut self) {
        self.changes.clear();
        self.parts.clear();
        self.holidays.clear();
    }
}

/// Changes that are not applied yet, with their customers.
#[derive(Clone, Copy)]
pub(super) struct UnappliedChanges<'a> {
    pub changes: &'a [(EntityChange, LogicalTime, isize)],
    pub positions: &'a [u32],
}

impl<'a> UnappliedChanges<'a> {
    /// Takes the first one, if it is of a time.
    #[inline]
    pub(super) fn next_at(&mut self, now: LogicalTime) -> Option<(u32, &'a EntityChange, isize)> {
        let (change, diff) = next_at(&mut self.changes, now)?;
        let (position, rest) = self.positions.split_first()?;
        self.positions = rest;
        Some((*position, change, diff))
    }

    /// The next ones, whenever what is left is full blocks of them. Those that fill no block come
    /// first, and nobody asks for them ahead.
    #[inline]
    pub(super) fn soon(&self) -> Option<impl Iterator<Item = (u32, &'a EntityChange)>> {
        let soon = self.positions.iter().zip(self.changes).take(TOGETHER);
        self.positions.len().is_multiple_of(TOGETHER).then(|| soon.map(|(at, (change, ..))| (*at, change)))
    }
}

/// The time of the first of some updates, which are in order of time.
#[inline]
pub(super) fn first_time<D>(updates: &[(D, LogicalTime, isize)]) -> LogicalTime {
    updates.first().map_or(LogicalTime::MAX, |(_, time, _)| *time)
}

/// Takes the first update, if it is of a time.
#[inline]
pub(super) fn next_at<'a, D>(updates: &mut &'a [(D, LogicalTime, isize)], now: LogicalTime) -> Option<(&'a D, isize)> {
    let ((data, time, diff), rest) = updates.split_first()?;
    (*time == now).then(|| {
        *updates = rest;
        (data, *diff)
    })
}

fn last_time<D>(updates: &[(D, LogicalTime, isize)]) -> Option<LogicalTime> {
    updates.last().map(|(_, time, _)| *time)
}
