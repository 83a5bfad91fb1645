//! How long contributions count: for ever, or until they expire.

use std::collections::VecDeque;

use crate::model::{LogicalTime, Value};

use super::{Accumulate, Column, Given, or_forever};

/// A column of a feature without a window.
pub(super) struct Always<A, R> {
    entities: Vec<A>,
    read: R,
}

impl<A, R> Always<A, R> {
    pub(super) fn new(read: R) -> Self {
        Always { entities: Vec::new(), read }
    }
}

impl<A: Accumulate, R: Fn(&A) -> Value> Column for Always<A, R> {
    fn grow(&mut self) {
        self.entities.push(A::default());
    }

    fn give(&mut self, entity: u32, given: &Given<'_>) {
        self.entities[entity as usize].give(&A::item(given));
    }

    fn take(&mut self, entity: u32, given: &Given<'_>) {
        self.entities[entity as usize].take(&A::item(given));
    }

    fn expire(&mut self, _entity: u32, _now: LogicalTime) {}

    fn deadline(&self, _entity: u32) -> LogicalTime {
        or_forever(None)
    }

    fn value(&self, entity: u32) -> Value {
        (self.read)(&self.entities[entity as usize])
    }
}

/// What counts now, and what of it expires when.
struct Window<A: Accumulate> {
    live: A,
    /// In order of expiry. Where items merge, one per time of expiry: a pane.
    due: VecDeque<(LogicalTime, A::Item)>,
}

/// A column of a feature with a window.
pub(super) struct Windowed<A: Accumulate, R> {
    entities: Vec<Window<A>>,
    read: R,
}

impl<A: Accumulate, R> Windowed<A, R> {
    pub(super) fn new(read: R) -> Self {
        Windowed { entities: Vec::new(), read }
    }
}

impl<A: Accumulate> Window<A> {
    /// The positions of what expires at `until`.
    fn expiring_at(&self, until: LogicalTime) -> std::ops::Range<usize> {
        // Records mostly come in order, so what is new mostly expires last.
        match self.due.back() {
            Some((last, _)) if *last < until => self.due.len()..self.due.len(),
            _ => {
                let from = self.due.partition_point(|(time, _)| *time < until);
                let to = self.due.partition_point(|(time, _)| *time <= until);
                from..to
            }
        }
    }

    fn give(&mut self, until: LogicalTime, item: A::Item) {
        self.live.give(&item);
        let at = self.expiring_at(until);
        if A::MERGES && !at.is_empty() {
            A::merge(&mut self.due[at.start].1, &item, 1);
        } else if at.end == self.due.len() {
            self.due.push_back((until, item));
        } else {
            self.due.insert(at.end, (until, item));
        }
    }

    fn take(&mut self, until: LogicalTime, item: &A::Item) {
        let at = self.expiring_at(until);
        let found = if A::MERGES {
            at.clone().next().filter(|&position| A::merge(&mut self.due[position].1, item, -1))
        } else {
            at.clone().find(|&position| self.due[position].1 == *item)
        };
        debug_assert!(A::MERGES && !at.is_empty() || found.is_some(), "only what was given is taken back");
        if let Some(position) = found {
            self.due.remove(position);
        }
        self.live.take(item);
    }
}

impl<A: Accumulate, R: Fn(&A) -> Value> Column for Windowed<A, R> {
    fn grow(&mut self) {
        self.entities.push(Window { live: A::default(), due: VecDeque::new() });
    }

    fn give(&mut self, entity: u32, given: &Given<'_>) {
        self.entities[entity as usize].give(given.until, A::item(given));
    }

    fn take(&mut self, entity: u32, given: &Given<'_>) {
        self.entities[entity as usize].take(given.until, &A::item(given));
    }

    fn expire(&mut self, entity: u32, now: LogicalTime) {
        let window = &mut self.entities[entity as usize];
        while let Some((_, item)) = window.due.pop_front_if(|(until, _)| *until <= now) {
            window.live.take(&item);
        }
    }

    fn deadline(&self, entity: u32) -> LogicalTime {
        or_forever(self.entities[entity as usize].due.front().map(|(until, _)| *until))
    }

    fn value(&self, entity: u32) -> Value {
        (self.read)(&self.entities[entity as usize].live)
    }
}
