//! What was handed over and is not published yet, and through which time all is said with it.

use propice_model::LogicalTime;

use super::binding::Binding;
use super::release::Release;

/// What goes out together: in one transaction, or one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel<O> {
    /// What was bound since the last one.
    pub bindings: Vec<Binding>,
    /// What is said, in order of time.
    pub outputs: Vec<(LogicalTime, O)>,
    /// With it all that was to be said up to and including this time is said.
    pub through: LogicalTime,
}

impl<O> Parcel<O> {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty() && self.outputs.is_empty()
    }
}

/// What waits to be published.
#[derive(Debug)]
pub struct Pending<O> {
    release: Release<O>,
    bindings: Vec<Binding>,
    /// Through which time all is said. Never goes back: while bindings of an earlier generation are
    /// fed again, the dataflow is behind what that generation has said.
    through: LogicalTime,
}

impl<O> Pending<O> {
    /// For key ranges of which all is visible through this time.
    pub fn new(visible: LogicalTime) -> Pending<O> {
        Pending { release: Release::default(), bindings: Vec::new(), through: visible }
    }

    /// Something was bound. To be told before anything that comes of it.
    pub fn bind(&mut self, binding: Binding) {
        self.bindings.push(binding);
    }

    /// Something is to be said. `said` tells through which time all is visible where it belongs:
    /// what is not later than that was said by an earlier generation. Returns whether it is held.
    pub fn hold(&mut self, time: LogicalTime, said: LogicalTime, output: O) -> bool {
        let is_new = time > said;
        if is_new {
            self.release.hold(time, output);
        }
        is_new
    }

    /// How much is held.
    pub fn len(&self) -> usize {
        self.release.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.release.is_empty() && self.bindings.is_empty()
    }

    /// The first time at which something is held.
    pub fn first(&self) -> Option<LogicalTime> {
        self.release.first()
    }

    /// Through which time all that was to be said is given.
    pub fn through(&self) -> LogicalTime {
        self.through
    }

    /// What may be published now. `before` is the time before which everything is complete and
    /// was handed over: it is to be read before what was handed over is taken, never after.
    pub fn next(&mut self, before: LogicalTime, most: usize) -> Parcel<O> {
        let mut outputs = Vec::new();
        let given = self.release.before(before, most, |time, output| outputs.push((time, output)));
        self.through = self.through.max(given.saturating_sub(1));
        Parcel { bindings: std::mem::take(&mut self.bindings), outputs, through: self.through }
    }
}

#[cfg(test)]
mod tests {
    use super::super::GenerationNumber;
    use super::super::binding::Offsets;
    use super::*;

    #[test]
    fn what_was_said_is_not_said_again_nor_taken_back() {
        let mut pending = Pending::new(20);
        assert!(!pending.hold(15, 20, "said before") && pending.hold(25, 20, "new"));
        let binding =
            Binding { generation: GenerationNumber(2), time: 30, uppers: Offsets::new(), starts: Offsets::new() };
        pending.bind(binding.clone());
        // One worker binds anew while another one still feeds what was bound before.
        let parcel = pending.next(16, 9);
        assert_eq!(parcel, Parcel { bindings: vec![binding], outputs: Vec::new(), through: 20 });
        assert_eq!((pending.first(), pending.len()), (Some(25), 1));
        let parcel = pending.next(28, 9);
        assert_eq!(parcel, Parcel { bindings: Vec::new(), outputs: vec![(25, "new")], through: 27 });
        assert!(pending.is_empty() && pending.next(28, 9).is_empty());
        assert_eq!(pending.through(), 27);
    }
}
