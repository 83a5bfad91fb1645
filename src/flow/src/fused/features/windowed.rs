//! How long contributions count: for ever, or until they expire.

use std::collections::VecDeque;
use std::hint::black_box;

use propice_define::expr::Predicate;
use propice_model::time::FOREVER;
use propice_model::{LogicalTime, Value};

use crate::invariant::broken;
use crate::state::Held;

use super::super::chunked_vec::ChunkedVec;
use super::panes::{Pane, let_go, make_room};
use super::{Accumulate, Column, Contributed, or_forever};

/// A column of a feature without a window.
pub(super) struct Always<A, R> {
    entities: ChunkedVec<A>,
    read: R,
}

impl<A, R> Always<A, R> {
    pub(super) fn new(read: R) -> Self {
        Always { entities: ChunkedVec::new(), read }
    }
}

impl<A: Accumulate, R: Fn(&A) -> Value> Column for Always<A, R> {
    fn grow(&mut self) {
        self.entities.push(A::default());
    }

    fn insert(&mut self, entity: u32, contributed: &Contributed<'_>) {
        self.entities[entity].insert(&A::item(contributed));
    }

    fn retract(&mut self, entity: u32, contributed: &Contributed<'_>) {
        self.entities[entity].retract(&A::item(contributed));
    }

    fn expire(&mut self, _entity: u32, _now: LogicalTime) {}

    fn deadline(&self, _entity: u32) -> LogicalTime {
        or_forever(None)
    }

    fn prefetch(&self, entity: u32) {
        black_box(self.entities[entity].copied());
    }

    fn value(&self, entity: u32) -> Value {
        (self.read)(&self.entities[entity])
    }

    fn held(&self, entity: u32, _now: LogicalTime) -> Vec<Held> {
        self.entities[entity].all().into_iter().map(|kept| Held { until: FOREVER, kept }).collect()
    }

    fn restore(&mut self, entity: u32, held: &Held) -> bool {
        self.entities[entity].restore(&held.kept)
    }
}

/// What counts now, and what of it expires when.
struct Window<A, P> {
    live: A,
    /// In order of expiry.
    due: VecDeque<P>,
}

/// A column of a feature with a window.
pub(super) struct Windowed<A, P, R> {
    entities: ChunkedVec<Window<A, P>>,
    read: R,
}

impl<A, P, R> Windowed<A, P, R> {
    pub(super) fn new(read: R) -> Self {
        Windowed { entities: ChunkedVec::new(), read }
    }
}

impl<A: Accumulate, P: Pane<A::Item>> Window<A, P> {
    /// The positions of what expires at `until`.
    fn expiring_at(&self, until: LogicalTime) -> std::ops::Range<usize> {
        let from = self.due.partition_point(|pane| pane.until() < until);
        let to = self.due.partition_point(|pane| pane.until() <= until);
        from..to
    }

    fn insert(&mut self, until: LogicalTime, item: &A::Item) {
        self.live.insert(item);
        let pane = P::new(until, item.clone());
        // Records mostly come in order, so what is new mostly expires last.
        let at = match self.due.back_mut() {
            Some(last) if last.until() == pane.until() => {
                if last.add(item) {
                    return;
                }
                self.due.len()..self.due.len()
            }
            Some(last) if last.until() > pane.until() => self.expiring_at(pane.until()),
            _ => self.due.len()..self.due.len(),
        };
        if at.end > at.start && self.due[at.end - 1].add(item) {
            return;
        }
        make_room(&mut self.due);
        if at.end == self.due.len() {
            self.due.push_back(pane);
        } else {
            self.due.insert(at.end, pane);
        }
    }

    fn retract(&mut self, until: LogicalTime, item: &A::Item) {
        let mut at = self.expiring_at(until);
        let found = at.find_map(|position| self.due[position].remove(item).map(|is_empty| (position, is_empty)));
        match found {
            Some((position, true)) => drop(self.due.remove(position)),
            Some((_, false)) => {}
            None => broken("something was taken back from a window that does not hold it"),
        }
        self.live.retract(item);
        let_go(&mut self.due);
    }

    fn expire(&mut self, now: LogicalTime) {
        while let Some(pane) = self.due.pop_front_if(|pane| pane.until() <= now) {
            self.live.retract(&pane.item());
        }
        let_go(&mut self.due);
    }
}

impl<A: Accumulate, P: Pane<A::Item>, R: Fn(&A) -> Value> Column for Windowed<A, P, R> {
    fn grow(&mut self) {
        self.entities.push(Window { live: A::default(), due: VecDeque::new() });
    }

    fn insert(&mut self, entity: u32, contributed: &Contributed<'_>) {
        self.entities[entity].insert(contributed.until, &A::item(contributed));
    }

    fn retract(&mut self, entity: u32, contributed: &Contributed<'_>) {
        self.entities[entity].retract(contributed.until, &A::item(contributed));
    }

    fn expire(&mut self, entity: u32, now: LogicalTime) {
        self.entities[entity].expire(now);
    }

    fn deadline(&self, entity: u32) -> LogicalTime {
        or_forever(self.entities[entity].due.front().map(P::until))
    }

    fn holds_until(&self, entity: u32, predicate: &Predicate) -> LogicalTime {
        /// Ends that are looked at ahead: whoever is woken too early asks again.
        const AHEAD: usize = 16;
        let window = &self.entities[entity];
        let Some(mut live) = window.live.copied() else { return self.deadline(entity) };
        let mut last = FOREVER;
        for pane in window.due.iter().take(AHEAD) {
            live.retract(&pane.item());
            last = pane.until();
            if !predicate.holds(&(self.read)(&live)) {
                break;
            }
        }
        last
    }

    fn prefetch(&self, entity: u32) {
        let due = &self.entities[entity].due;
        black_box((due.front().map(P::until), due.back().map(P::until)));
    }

    fn value(&self, entity: u32) -> Value {
        (self.read)(&self.entities[entity].live)
    }

    fn held(&self, entity: u32, now: LogicalTime) -> Vec<Held> {
        let due = self.entities[entity].due.iter().filter(|pane| pane.until() > now);
        due.map(|pane| Held { until: pane.until(), kept: A::kept(&pane.item()) }).collect()
    }

    fn restore(&mut self, entity: u32, held: &Held) -> bool {
        let window = &mut self.entities[entity];
        A::items(&held.kept, &mut |item| window.insert(held.until, item))
    }
}
