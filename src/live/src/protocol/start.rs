//! How a generation begins, step by step.
//!
//! ```text
//! 1 number    put if absent; whoever loses starts over
//! 2 fence     take over every transactional id there ever was; then look whether we are newest
//! 3 mark      "generation g begins", where bindings travel by themselves
//! 4 read      progress, then bindings from the checkpoint's position
//! 5 load      the checkpoint; a damaged one sends us back to 4, with the one before
//! 6 go on     partitions from the checkpoint's offsets
//! ```
//!
//! The look in step 2 is what keeps apart two that start at once: each may have taken over some of
//! the ids from the other one.

use super::GenerationNumber;
use super::binding::BindingLog;
use super::progress::Visible;
use super::recovered::{Checkpointed, NoRecovery, Recovered, reaches_back, recover};

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take the next number, and learn how many slots there ever were.
    TakeNumber,
    /// Take over the transactional ids of this many slots, all of them.
    Fence {
        /// The greatest number of slots that there ever was, ours among them.
        slots: u32,
    },
    /// Look whether our generation is still the newest.
    Look,
    /// Write our mark to the topic of bindings, and wait until it is acknowledged.
    Mark,
    /// Read progress to its end: up to the high watermark as it is now for those who read what is
    /// not committed, waiting for transactions that are open there.
    ReadProgress,
    /// Find a checkpoint, and read the bindings from its position to their end, as above.
    ReadBindings,
    /// Load the state of the checkpoint that was found.
    Load,
    /// Everything is known.
    GoOn,
}

/// Why a generation ends before it begins: start over, after a random pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another process has started after generation {ours}")]
pub struct NotNewest {
    /// Ours.
    pub ours: GenerationNumber,
}

/// The start of a generation.
#[derive(Clone, Debug)]
pub struct Start {
    step: Step,
    generation: GenerationNumber,
    /// Whether publishers have transactional ids.
    with_transactions: bool,
    /// Whether bindings travel by themselves.
    with_marks: bool,
    visible: Visible,
    recovered: Recovered,
}

impl Start {
    /// Of a process that publishes in transactions, or whose bindings travel by themselves, or
    /// both.
    pub fn new(with_transactions: bool, with_marks: bool) -> Start {
        Start {
            step: Step::TakeNumber,
            generation: GenerationNumber::default(),
            with_transactions,
            with_marks,
            visible: Visible::default(),
            recovered: Recovered::default(),
        }
    }

    /// What is to be done.
    pub fn step(&self) -> Step {
        self.step
    }

    /// The number that was taken.
    pub fn generation(&self) -> GenerationNumber {
        self.generation
    }

    fn goes(&mut self, from: Step, to: Step) {
        assert_eq!(self.step, from, "a generation begins step by step");
        self.step = to;
    }

    /// The number is ours.
    pub fn numbered(&mut self, generation: GenerationNumber, slots_ever: u32) {
        let next = if self.with_transactions { Step::Fence { slots: slots_ever } } else { Step::Look };
        self.goes(Step::TakeNumber, next);
        self.generation = generation;
    }

    /// All ids are taken over.
    pub fn fenced(&mut self) {
        assert!(matches!(self.step, Step::Fence { .. }), "a generation begins step by step");
        self.step = Step::Look;
    }

    /// Whether our generation is the newest.
    ///
    /// # Errors
    /// When it is not.
    pub fn looked(&mut self, is_newest: bool) -> Result<(), NotNewest> {
        self.goes(Step::Look, if self.with_marks { Step::Mark } else { Step::ReadProgress });
        if is_newest { Ok(()) } else { Err(NotNewest { ours: self.generation }) }
    }

    /// The mark is acknowledged.
    pub fn marked(&mut self) {
        self.goes(Step::Mark, Step::ReadProgress);
    }

    /// Progress was read to its end.
    pub fn progress(&mut self, visible: Visible) {
        self.goes(Step::ReadProgress, Step::ReadBindings);
        self.visible = visible;
    }

    /// Bindings were read, from the position of a checkpoint (or all of them, without one). `first`
    /// is the first offset that their topic still has.
    ///
    /// # Errors
    /// When what is there does not allow to go on.
    pub fn bindings(
        &mut self,
        checkpoint: Option<&Checkpointed>,
        log: &BindingLog,
        first: i64,
    ) -> Result<(), NoRecovery> {
        reaches_back(checkpoint.map_or(0, |checkpoint| checkpoint.bindings), first)?;
        self.recovered = recover(self.generation, checkpoint, log, &self.visible)?;
        self.goes(Step::ReadBindings, Step::Load);
        Ok(())
    }

    /// The state is loaded.
    pub fn loaded(&mut self) {
        self.goes(Step::Load, Step::GoOn);
    }

    /// The state is damaged: bindings are read again, from the position of the checkpoint before.
    pub fn damaged(&mut self) {
        self.goes(Step::Load, Step::ReadBindings);
    }

    /// Through which time output is visible, and where to go on.
    pub fn finish(self) -> (Visible, Recovered) {
        assert_eq!(self.step, Step::GoOn, "a generation begins step by step");
        (self.visible, self.recovered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_cluster_of_several_slots() {
        let mut start = Start::new(true, true);
        start.numbered(GenerationNumber(3), 4);
        assert_eq!(start.step(), Step::Fence { slots: 4 });
        start.fenced();
        start.looked(true).expect("the newest");
        assert_eq!(start.step(), Step::Mark);
        start.marked();
        start.progress(Visible::default());
        for _ in 0..2 {
            assert_eq!(start.step(), Step::ReadBindings);
            start.bindings(None, &BindingLog::default(), 0).expect("a first start");
            if start.step() == Step::Load {
                start.clone().damaged();
            }
            start.damaged();
        }
        start.bindings(None, &BindingLog::default(), 0).expect("a first start");
        start.loaded();
        assert_eq!(start.finish(), (Visible::default(), Recovered::default()));
    }

    #[test]
    fn without_transactions_nothing_is_fenced_and_without_a_topic_nothing_is_marked() {
        let mut least = Start::new(false, true);
        least.numbered(GenerationNumber(3), 4);
        assert_eq!(least.step(), Step::Look);
        let mut once = Start::new(true, false);
        once.numbered(GenerationNumber(3), 4);
        once.fenced();
        assert_eq!(once.looked(false), Err(NotNewest { ours: GenerationNumber(3) }));
        assert_eq!(once.step(), Step::ReadProgress);
    }
}
