//! Which bindings are durable, where they travel by themselves.
//!
//! A binding is durable when it was read back from its topic with no mark of a newer generation
//! before it: whoever starts next then reads it too. An acknowledgement alone says less: what is
//! written behind the mark of another generation is acknowledged as well, and void.
//!
//! Where publishers are not fenced (at least once), a time that passed without records has to be
//! claimed too: by a binding of nothing. Otherwise the next generation could bind records to a time
//! at which this one, which does not know yet that it is over, says that a deadline has passed.

use std::collections::BTreeMap;

use propice_model::LogicalTime;

use super::GenerationNumber;
use super::binding::{Binding, BindingRecord, Offsets};

/// A newer generation has begun: what is sent from now on is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("generation {newer} has begun: generation {ours} is over")]
pub struct Superseded {
    /// Whose mark was read.
    pub newer: GenerationNumber,
    /// Ours.
    pub ours: GenerationNumber,
}

/// The bindings of a generation that are on their way, by time.
#[derive(Clone, Debug)]
pub struct Durable {
    ours: GenerationNumber,
    /// Several workers may bind the same time.
    on_the_way: BTreeMap<LogicalTime, usize>,
    /// Whether publishers of generations that are over are fenced, so that times that pass without
    /// records need not be claimed.
    fenced: bool,
    /// No later generation binds to a time up to this one.
    claimed: LogicalTime,
    /// The greatest time that was sent.
    sent: LogicalTime,
    superseded: Option<Superseded>,
}

impl Durable {
    /// For a generation that binds behind `floor`.
    pub fn new(ours: GenerationNumber, floor: LogicalTime, fenced: bool) -> Durable {
        let on_the_way = BTreeMap::new();
        Durable { ours, on_the_way, fenced, claimed: floor, sent: floor, superseded: None }
    }

    /// A binding is about to be sent. To be told before its records are fed.
    pub fn sent(&mut self, time: LogicalTime) {
        *self.on_the_way.entry(time).or_default() += 1;
        self.sent = self.sent.max(time);
    }

    /// The next record of the topic of bindings, read from behind the mark of this generation.
    ///
    /// # Errors
    /// When it is the mark of a newer generation: nothing becomes durable any more.
    pub fn read(&mut self, record: &BindingRecord) -> Result<(), Superseded> {
        match record {
            BindingRecord::Begins(newer) if *newer > self.ours => {
                self.superseded.get_or_insert(Superseded { newer: *newer, ours: self.ours });
            }
            BindingRecord::Binding(binding) if binding.generation == self.ours && self.superseded.is_none() => {
                self.read_back(binding.time);
            }
            _ => {}
        }
        self.superseded.map_or(Ok(()), Err)
    }

    fn read_back(&mut self, time: LogicalTime) {
        if let Some(count) = self.on_the_way.get_mut(&time) {
            *count -= 1;
            if *count == 0 {
                self.on_the_way.remove(&time);
            }
        }
        self.claimed = self.claimed.max(time);
    }

    /// The time before which output may be published, as far as bindings are concerned.
    pub fn before(&self) -> LogicalTime {
        let first = self.on_the_way.first_key_value().map_or(LogicalTime::MAX, |(time, _)| *time);
        if self.fenced { first } else { first.min(self.claimed.saturating_add(1)) }
    }

    /// The binding of nothing that has to be sent before what is complete before a time can be
    /// published, if none is on its way. It counts as sent.
    pub fn claim(&mut self, before: LogicalTime) -> Option<Binding> {
        let time = before.checked_sub(1)?;
        if self.fenced || time <= self.sent {
            return None;
        }
        self.sent(time);
        Some(Binding { generation: self.ours, time, uppers: Offsets::new(), starts: Offsets::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: GenerationNumber = GenerationNumber(4);

    fn binding(generation: GenerationNumber, time: LogicalTime) -> BindingRecord {
        let (uppers, starts) = (Offsets::new(), Offsets::new());
        BindingRecord::Binding(Binding { generation, time, uppers, starts })
    }

    #[test]
    fn a_time_is_durable_when_all_that_was_bound_to_it_came_back() {
        let mut durable = Durable::new(OURS, 3, true);
        assert_eq!(durable.before(), LogicalTime::MAX);
        [5, 5, 7].into_iter().for_each(|time| durable.sent(time));
        for (read, before) in [(7, 5), (5, 5), (5, LogicalTime::MAX)] {
            durable.read(&binding(OURS, read)).expect("ours");
            assert_eq!(durable.before(), before);
        }
        assert_eq!(durable.claim(100), None);
    }

    #[test]
    fn behind_the_mark_of_a_newer_generation_nothing_becomes_durable() {
        let mut durable = Durable::new(OURS, 3, true);
        durable.sent(5);
        durable.read(&BindingRecord::Begins(OURS)).expect("ours");
        durable.read(&binding(GenerationNumber(3), 5)).expect("of a generation that is over");
        assert_eq!(durable.before(), 5);
        let newer = GenerationNumber(5);
        let superseded = Err(Superseded { newer, ours: OURS });
        assert_eq!(durable.read(&BindingRecord::Begins(newer)), superseded);
        assert_eq!((durable.read(&binding(OURS, 5)), durable.before()), (superseded, 5));
    }

    #[test]
    fn a_time_without_records_is_claimed_where_nobody_is_fenced() {
        let mut durable = Durable::new(OURS, 3, false);
        // What is at or before the floor is closed for whoever comes.
        assert_eq!((durable.before(), durable.claim(4)), (4, None));
        let claim = durable.claim(10).expect("a binding of nothing");
        assert_eq!((claim.time, durable.claim(10), durable.before()), (9, None, 4));
        durable.read(&BindingRecord::Binding(claim)).expect("ours");
        assert_eq!(durable.before(), 10);
    }
}
