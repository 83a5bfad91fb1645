//! Machines that are stepped once per logical time, in order, with everything that changes at that
//! time.
//!
//! What is still to come, changes and alarms alike, waits in ordered maps outside of the dataflow:
//! waiting costs nothing, however long. One capability, at the frontier of the input, is all that
//! is held.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use differential_dataflow::consolidation::consolidate;
use differential_dataflow::{AsCollection, Data, ExchangeData};
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::Operator;

use propice_model::LogicalTime;

use super::Collection;

/// Differences that a machine gives: of what, when, how many.
pub(super) type Differences<D> = Vec<(D, LogicalTime, isize)>;

/// State that is stepped through time. It holds the state of the keys of one worker.
pub(super) trait Machine<In, Out> {
    /// Where a change goes: all changes of one key meet in one machine.
    fn shard(change: &In) -> u64;

    /// The next time at which it wants to be stepped though nothing changes.
    fn next(&self) -> Option<LogicalTime>;

    /// Takes the changes at a time (consolidated, sorted; none at an alarm) and gives differences
    /// at this time. Afterwards, `next` is later.
    fn step(&mut self, now: LogicalTime, changes: Vec<(In, isize)>, out: &mut Differences<Out>);
}

/// Steps a machine through the changes of a collection. When the input ends, alarms behind the last
/// change do not ring.
pub(super) fn stepped<'scope, In, Out, M>(
    name: &str,
    changes: Collection<'scope, In>,
    mut machine: M,
) -> Collection<'scope, Out>
where
    In: ExchangeData,
    Out: Data,
    M: Machine<In, Out> + 'static,
{
    let to_key = Exchange::new(|(change, _, _): &(In, LogicalTime, isize)| M::shard(change));
    let stepped = changes.inner.unary_frontier(to_key, name, move |capability, _| {
        let mut capability = Some(capability);
        let mut waiting: BTreeMap<LogicalTime, Vec<(In, isize)>> = BTreeMap::new();
        move |(input, frontier), output| {
            input.for_each(|_, batch| {
                for (change, time, diff) in batch.drain(..) {
                    waiting.entry(time).or_default().push((change, diff));
                }
            });
            let frontier = frontier.frontier().as_option().copied();
            let end = frontier.or_else(|| waiting.keys().next_back().map(|last| last + 1)).unwrap_or(0);
            let mut out = Vec::new();
            while let Some(now) =
                waiting.keys().next().copied().into_iter().chain(machine.next()).min().filter(|now| *now < end)
            {
                let mut changes = waiting.remove(&now).unwrap_or_default();
                consolidate(&mut changes);
                machine.step(now, changes, &mut out);
            }
            if let Some(capability) = &capability {
                output.session(capability).give_iterator(out.into_iter());
            }
            match (&mut capability, frontier) {
                (Some(capability), Some(frontier)) => capability.downgrade(&frontier),
                (capability, _) => *capability = None,
            }
        }
    });
    stepped.as_collection()
}

/// At most one alarm per key.
pub(super) struct Alarms<K> {
    by_key: HashMap<K, LogicalTime>,
    in_order: BTreeSet<(LogicalTime, K)>,
}

impl<K> Default for Alarms<K> {
    fn default() -> Self {
        Alarms { by_key: HashMap::new(), in_order: BTreeSet::new() }
    }
}

impl<K: Clone + Ord + Hash> Alarms<K> {
    /// When the next alarm rings.
    pub(super) fn next(&self) -> Option<LogicalTime> {
        self.in_order.first().map(|(time, _)| *time)
    }

    /// Replaces the alarm of a key.
    pub(super) fn set(&mut self, key: K, time: Option<LogicalTime>) {
        let before = match time {
            Some(time) => self.by_key.insert(key.clone(), time),
            None => self.by_key.remove(&key),
        };
        if before == time {
            return;
        }
        if let Some(before) = before {
            self.in_order.remove(&(before, key.clone()));
        }
        if let Some(time) = time {
            self.in_order.insert((time, key));
        }
    }

    /// Takes the keys whose alarm rings.
    pub(super) fn ring(&mut self, now: LogicalTime) -> Vec<K> {
        let mut ringing = Vec::new();
        while let Some((_, key)) = self.in_order.first().filter(|(time, _)| *time <= now) {
            let key = key.clone();
            self.set(key.clone(), None);
            ringing.push(key);
        }
        ringing
    }
}
