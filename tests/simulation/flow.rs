//! A dataflow that is small and deterministic: of each key it counts records, says every third, and
//! says when nothing came for a while, and for a longer while. The latter come without a record.

use std::collections::BTreeMap;

/// How many keys there are.
pub(crate) const KEYS: u32 = 7;

/// The key range of a key.
pub(crate) fn range(key: u32) -> u16 {
    (key * 37 % 256) as u16
}

/// After which time without a record something is said, and then again.
pub(crate) fn patience(key: u32) -> (u64, u64) {
    (6 + u64::from(key % 3) * 9, 17)
}

/// Something that is said. Key and number are its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Said {
    pub key: u32,
    pub number: u32,
    pub what: &'static str,
    pub count: u32,
    pub time: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct OfKey {
    count: u32,
    said: u32,
    /// When a deadline fires, and whether it is the second one.
    deadline: Option<(u64, bool)>,
}

impl OfKey {
    fn say(&mut self, key: u32, what: &'static str, time: u64) -> Said {
        self.said += 1;
        Said { key, number: self.said, what, count: self.count, time }
    }
}

/// The state of all keys.
pub(crate) type State = BTreeMap<u32, OfKey>;

#[derive(Debug, Default)]
pub(crate) struct Flow {
    state: State,
    pending: BTreeMap<u64, Vec<u32>>,
    /// Everything before this time is decided.
    pub before: u64,
    /// The time at which the state is to be cut.
    pub cut: Option<u64>,
    /// The state as it was at the cut.
    pub snapshot: Option<State>,
}

impl Flow {
    /// Goes on with the state of a time.
    pub(crate) fn new(state: State, before: u64) -> Flow {
        Flow { state, before, ..Flow::default() }
    }

    pub(crate) fn feed(&mut self, time: u64, keys: Vec<u32>) {
        assert!(time >= self.before, "fed at {time}, behind the frontier {}", self.before);
        self.pending.entry(time).or_default().extend(keys);
    }

    /// Decides everything before a time.
    pub(crate) fn advance(&mut self, frontier: u64, say: &mut dyn FnMut(Said)) {
        if let Some(cut) = self.cut.filter(|cut| *cut < frontier) {
            self.run(cut + 1, say);
            self.snapshot = Some(self.state.clone());
            self.cut = None;
        }
        self.run(frontier, say);
    }

    fn run(&mut self, frontier: u64, say: &mut dyn FnMut(Said)) {
        loop {
            let deadline = self.state.values().filter_map(|of_key| of_key.deadline).map(|(time, _)| time).min();
            let fed = self.pending.first_key_value().map(|(time, _)| *time);
            let Some(time) = deadline.into_iter().chain(fed).min().filter(|time| *time < frontier) else { break };
            for key in self.pending.remove(&time).unwrap_or_default() {
                let of_key = self.state.entry(key).or_default();
                of_key.count += 1;
                of_key.deadline = Some((time + patience(key).0, false));
                if of_key.count.is_multiple_of(3) {
                    say(of_key.say(key, "third", time));
                }
            }
            for (&key, of_key) in &mut self.state {
                let Some((_, is_second)) = of_key.deadline.filter(|(deadline, _)| *deadline == time) else { continue };
                of_key.deadline = (!is_second).then_some((time + patience(key).1, true));
                say(of_key.say(key, if is_second { "long silence" } else { "silence" }, time));
            }
        }
        self.before = self.before.max(frontier);
    }
}
