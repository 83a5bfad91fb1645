//! What a generation begins from: a pure function of what is stored and what stands in the topics.

use std::collections::{BTreeMap, VecDeque};

use propice_model::LogicalTime;

use super::GenerationNumber;
use super::binder::Begin;
use super::binding::{Binding, BindingLog, Offsets};
use super::progress::Visible;

/// A partition by name.
pub type Name = (String, i32);

/// What a checkpoint says of the sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpointed {
    /// Its logical time: everything bound at or before it is in the state.
    pub time: LogicalTime,
    /// Of every partition the first offset that is not in the state.
    pub offsets: BTreeMap<Name, i64>,
    /// The generation that cut it.
    pub generation: GenerationNumber,
    /// Where reading bindings goes on: all that are later than its time stand at or behind this
    /// offset.
    pub bindings: i64,
}

/// Where a generation begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Of every partition that was ever bound the offset to read from, and what to feed again.
    pub partitions: BTreeMap<Name, (i64, Begin)>,
    /// New times are greater than this.
    pub floor: LogicalTime,
}

/// Why a generation cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRecovery {
    /// Somebody started later than we did.
    #[error("generation {newer} has begun while {ours} was starting")]
    Superseded {
        /// Whose mark stands in the bindings.
        newer: GenerationNumber,
        /// Ours.
        ours: GenerationNumber,
    },
    /// Something was published that the bindings do not explain.
    #[error(
        "output is visible through logical time {visible}, but the state and the bindings reach back to nothing: \
         the topic of bindings was emptied or is another one; restore it, or name another cluster"
    )]
    BindingsGone {
        /// Through which time output is visible.
        visible: LogicalTime,
    },
    /// Our number was given before.
    #[error(
        "generation {ours} has begun before: the store of the state was emptied, or is that of another cluster; \
         bring it back, or name another cluster"
    )]
    NumberGivenTwice {
        /// Ours.
        ours: GenerationNumber,
    },
    /// Bindings that are needed were deleted.
    #[error(
        "bindings are needed from offset {needed} on, and their topic begins at {first}: \
         restore it, or give the state that was stored with it"
    )]
    BindingsDeleted {
        /// The offset from which they are needed.
        needed: i64,
        /// The first that is there.
        first: i64,
    },
    /// A partition was read, and where that began is not known.
    #[error("bindings name {topic}/{partition}, but neither they nor a checkpoint say where it was begun to be read")]
    StartGone {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// Bindings of a partition do not increase.
    #[error("bindings of {topic}/{partition} go back from offset {before} to {after} at logical time {time}")]
    NotMonotone {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset that was bound.
        before: i64,
        /// The offset that is bound later.
        after: i64,
        /// When.
        time: LogicalTime,
    },
}

/// Where generation `ours` begins, given a checkpoint (if there is one), the bindings behind it and
/// what is visible.
///
/// # Errors
/// When what is there does not allow to go on.
pub fn recover(
    ours: GenerationNumber,
    checkpoint: Option<&Checkpointed>,
    log: &BindingLog,
    visible: &Visible,
) -> Result<Recovered, NoRecovery> {
    if log.mark() > ours {
        return Err(NoRecovery::Superseded { newer: log.mark(), ours });
    }
    // Nobody binds under our number before we know where to begin.
    let bound = log.bindings().last().is_some_and(|binding| binding.generation == ours);
    if bound || log.again() == Some(ours) {
        return Err(NoRecovery::NumberGivenTwice { ours });
    }
    if checkpoint.is_none() && log.bindings().is_empty() && visible.greatest() > 0 {
        return Err(NoRecovery::BindingsGone { visible: visible.greatest() });
    }
    let cut = checkpoint.map_or(0, |checkpoint| checkpoint.time);
    let mut partitions: BTreeMap<Name, Known> = BTreeMap::new();
    for (name, offset) in checkpoint.iter().flat_map(|checkpoint| &checkpoint.offsets) {
        partitions.insert(name.clone(), Known { offset: Some(*offset), ..Known::default() });
    }
    for Binding { time, uppers, starts, .. } in in_order(log) {
        for (name, start) in named(starts) {
            let known = partitions.entry(name).or_default();
            known.offset = known.offset.or(Some(start));
        }
        for (name, upper) in named(uppers) {
            let known = partitions.entry(name.clone()).or_default();
            let before = known.bound.unwrap_or(upper);
            if before > upper {
                let (topic, partition) = name;
                return Err(NoRecovery::NotMonotone { topic, partition, before, after: upper, time: *time });
            }
            known.bound = Some(upper);
            if *time <= cut {
                known.offset = known.offset.max(Some(upper));
            } else {
                known.replay.push_back((*time, upper));
            }
        }
    }
    let begin = |((topic, partition), Known { offset, replay, .. }): (Name, Known)| match offset {
        Some(offset) => Ok(((topic, partition), (offset, Begin { replay, start: None }))),
        None => Err(NoRecovery::StartGone { topic, partition }),
    };
    let partitions = partitions.into_iter().map(begin).collect::<Result<_, _>>()?;
    let floor = cut.max(log.greatest()).max(visible.greatest());
    Ok(Recovered { partitions, floor })
}

/// Whether all bindings are there that are needed: those from `needed` on, 0 without a checkpoint.
///
/// # Errors
/// When the topic of bindings begins behind that.
pub fn reaches_back(needed: i64, first: i64) -> Result<(), NoRecovery> {
    if first > needed { Err(NoRecovery::BindingsDeleted { needed, first }) } else { Ok(()) }
}

/// What is known of a partition while bindings are gone through.
#[derive(Debug, Default)]
struct Known {
    /// From where it is to be read.
    offset: Option<i64>,
    /// Below which offset it was bound last.
    bound: Option<i64>,
    replay: VecDeque<(LogicalTime, i64)>,
}

/// Offsets by the names of their partitions.
pub fn named(offsets: &Offsets) -> impl Iterator<Item = (Name, i64)> {
    offsets.iter().flat_map(|(topic, of_topic)| {
        of_topic.iter().map(move |(partition, offset)| ((topic.clone(), *partition), *offset))
    })
}

/// Bindings in order of time; those of several workers stand in the topic as they came.
fn in_order(log: &BindingLog) -> Vec<&Binding> {
    let mut bindings: Vec<&Binding> = log.bindings().iter().collect();
    bindings.sort_by_key(|binding| binding.time);
    bindings
}

#[cfg(test)]
mod tests {
    use super::super::binding::BindingRecord;
    use super::super::progress::Progress;
    use super::*;

    const G: GenerationNumber = GenerationNumber(7);
    /// The one before.
    const F: GenerationNumber = GenerationNumber(6);

    fn of(partition: i32, offset: i64) -> Offsets {
        BTreeMap::from([("t".to_owned(), BTreeMap::from([(partition, offset)]))])
    }

    fn log(start: i64, bindings: &[(LogicalTime, i32, i64)]) -> BindingLog {
        let mut log = BindingLog::default();
        for partition in 0..2 {
            let starts = of(partition, start);
            let begins = Binding { generation: F, time: 1, uppers: Offsets::new(), starts };
            log.push(BindingRecord::Binding(begins));
        }
        for &(time, partition, upper) in bindings {
            let uppers = of(partition, upper);
            log.push(BindingRecord::Binding(Binding { generation: F, time, uppers, starts: Offsets::new() }));
        }
        log
    }

    fn visible(through: LogicalTime) -> Visible {
        let mut visible = Visible::default();
        visible.learn(&Progress { generation: G, slot: 0, from: 0, to: 256, visible: through });
        visible
    }

    fn name(partition: i32) -> Name {
        ("t".to_owned(), partition)
    }

    #[test]
    fn what_is_in_the_checkpoint_is_not_fed_again() {
        let offsets = BTreeMap::from([(name(0), 5), (name(2), 3)]);
        let checkpoint = Checkpointed { time: 20, offsets, ..Checkpointed::default() };
        let log = log(2, &[(10, 0, 4), (30, 1, 9), (20, 0, 5), (25, 0, 8)]);
        let recovered = recover(G, Some(&checkpoint), &log, &visible(27)).expect("a recovery");
        let begin = |replay: &[(LogicalTime, i64)]| Begin { replay: replay.iter().copied().collect(), start: None };
        let partitions = BTreeMap::from([
            (name(0), (5, begin(&[(25, 8)]))),
            (name(1), (2, begin(&[(30, 9)]))),
            (name(2), (3, begin(&[]))),
        ]);
        assert_eq!(recovered, Recovered { partitions, floor: 30 });
    }

    #[test]
    fn new_times_are_behind_all_that_is_visible() {
        let recovered = recover(G, None, &log(0, &[(10, 0, 4)]), &visible(99)).expect("a recovery");
        assert_eq!(recovered.floor, 99);
        let nothing = recover(G, None, &BindingLog::default(), &Visible::default()).expect("a first start");
        assert_eq!(nothing, Recovered::default());
    }

    #[test]
    fn what_cannot_be_explained_is_refused() {
        assert_eq!(recover(G, None, &BindingLog::default(), &visible(9)), Err(NoRecovery::BindingsGone { visible: 9 }));
        let mut superseded = log(0, &[(10, 0, 4)]);
        superseded.push(BindingRecord::Begins(GenerationNumber(8)));
        let newer = GenerationNumber(8);
        assert_eq!(recover(G, None, &superseded, &visible(9)), Err(NoRecovery::Superseded { newer, ours: G }));
        let back = recover(G, None, &log(0, &[(10, 0, 4), (11, 0, 3)]), &visible(9));
        assert!(matches!(back, Err(NoRecovery::NotMonotone { before: 4, after: 3, .. })), "{back:?}");
        let again = Err(NoRecovery::NumberGivenTwice { ours: F });
        assert_eq!(recover(F, None, &log(0, &[(10, 0, 4)]), &visible(9)), again);
        let mut marked = log(0, &[(10, 0, 4)]);
        [F, G, G].into_iter().for_each(|mark| marked.push(BindingRecord::Begins(mark)));
        let again = Err(NoRecovery::NumberGivenTwice { ours: G });
        assert_eq!(recover(G, None, &marked, &visible(9)), again);
        assert_eq!(reaches_back(3, 4), Err(NoRecovery::BindingsDeleted { needed: 3, first: 4 }));
        assert_eq!(reaches_back(4, 4), Ok(()));
        let unknown = recover(G, None, &log(0, &[(10, 5, 4)]), &visible(9));
        assert_eq!(unknown, Err(NoRecovery::StartGone { topic: "t".to_owned(), partition: 5 }));
    }
}
