//! Holds output back until it may be published: until its logical time is complete on all workers,
//! and (where bindings travel by themselves) until the bindings behind it are durable.

use std::collections::BTreeMap;

use propice_model::LogicalTime;

/// Output of one logical time and later, by time.
#[derive(Debug)]
pub struct Release<O> {
    held: BTreeMap<LogicalTime, Vec<O>>,
    count: usize,
    /// Everything before this time was given.
    given: LogicalTime,
}

impl<O> Default for Release<O> {
    fn default() -> Self {
        Release { held: BTreeMap::new(), count: 0, given: 0 }
    }
}

impl<O> Release<O> {
    /// Takes output of a time that was not given yet.
    pub fn hold(&mut self, time: LogicalTime, output: O) {
        assert!(time >= self.given, "output comes before its time is complete");
        self.held.entry(time).or_default().push(output);
        self.count += 1;
    }

    /// How much is held.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first time at which something is held.
    pub fn first(&self) -> Option<LogicalTime> {
        self.held.first_key_value().map(|(time, _)| *time)
    }

    /// Gives what is before a time, in order of time, at most about so much: whole times only.
    /// Returns the time before which everything was given now.
    pub fn before(&mut self, frontier: LogicalTime, most: usize, mut give: impl FnMut(LogicalTime, O)) -> LogicalTime {
        let mut given = 0;
        while let Some(entry) = self.held.first_entry() {
            if *entry.key() >= frontier {
                break;
            }
            if given >= most {
                self.given = *entry.key();
                return self.given;
            }
            let (time, outputs) = entry.remove_entry();
            given += outputs.len();
            self.count -= outputs.len();
            outputs.into_iter().for_each(|output| give(time, output));
        }
        self.given = self.given.max(frontier);
        self.given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_times_are_given_in_order() {
        let mut release = Release::default();
        for (time, output) in [(5, "c"), (3, "a"), (3, "b"), (9, "d")] {
            release.hold(time, output);
        }
        let mut given = Vec::new();
        assert_eq!(release.before(4, 1, |time, output| given.push((time, output))), 4);
        assert_eq!(given, [(3, "a"), (3, "b")]);
        assert_eq!(release.before(20, 1, |time, output| given.push((time, output))), 9);
        assert_eq!((given.len(), release.len()), (3, 1));
        assert_eq!(release.before(20, 1, |time, output| given.push((time, output))), 20);
        assert!(release.is_empty());
    }

    #[test]
    #[should_panic(expected = "before its time is complete")]
    fn output_behind_what_was_given_is_a_fault() {
        let mut release = Release::default();
        release.before(10, 9, |_, ()| {});
        release.hold(9, ());
    }
}
