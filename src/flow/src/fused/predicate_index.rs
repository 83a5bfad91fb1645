//! Which moments have to be looked at, and which ends of windows have to be waited for.
//!
//! A condition often has a part that compares a slot with a constant, and cannot hold without it
//! (`transactions >= 5 && …`): its predicate. While the predicate is false nothing else of the
//! condition has to be looked at. The predicates over one slot stand in the order of their
//! constants, so that those that hold are the first ones: of a thousand moments only those are
//! touched that may be true.
//!
//! ```text
//! transactions ≥      3 ─ m2    5 ─ m7    8 ─ m4    20 ─ m1
//!               6 ────────────────────▶│ awake: m2, m7
//! ```
//!
//! **Steady** is a part of a condition that stays false when contributions expire: it reads no
//! window, or compares one whose value an expiry moves away from the constant (a count can only
//! fall). A moment that sleeps behind a steady predicate need not know when a window ends; nor need
//! one that does not hold and all of whose parts are steady; and of one that holds it is known
//! which end breaks which predicate. So a customer is woken for the end of a window only when a
//! condition may turn by it. Who looks at the view for another reason lets go first what has ended
//! meanwhile (`Entities::mark_dirty`).
//!
//! Checked against the `reference` engine, which knows no predicates, with views and without.

use propice_define::Plan;
use propice_define::expr::{Expr, Predicate, Side};
use propice_define::plan::{Aggregate, Moment};
use propice_model::time::FOREVER;
use propice_model::{KindId, LogicalTime, MomentId, Value};

use super::bit_set::BitSet;
use super::entities::{slots_of, windows_of};

/// The moments of a plan by their predicates.
pub(super) struct PredicateIndex {
    /// Moments without a predicate.
    unconditional: Vec<MomentId>,
    slot_indexes: Vec<SlotIndex>,
    /// The windows that moments read which never sleep.
    always: BitSet,
    /// How each moment ends that holds.
    endings: Vec<WindowEnding>,
    /// Slots that can only fall unless they are null: sums that may have become too large to be
    /// told.
    sums: Vec<usize>,
    /// Whether one of them was over the row that was read last.
    is_beyond: bool,
    /// All windows.
    every: BitSet,
    /// How many predicates of each shelf hold over the row that was read last.
    holding: Vec<usize>,
}

/// How the end of a window may end a moment that holds.
enum WindowEnding {
    /// By one of these predicates, each over a feature with a window, and in no other way.
    By(Vec<Predicate>),
    /// In any way, by the end of one of these windows.
    Reading(BitSet),
}

/// The predicates over one slot on one side, those that hold soonest first.
struct SlotIndex {
    slot: usize,
    constants: Constants,
    moments: Vec<MomentId>,
    /// For each predicate the windows by whose end its moment, or one of those before it, may begin
    /// to hold.
    windows: Vec<BitSet>,
}

/// The constants of a shelf, in its order.
enum Constants {
    /// Of ints, times and durations: the least value that fulfils each.
    AtLeast(Vec<i64>),
    /// Of ints, times and durations: the greatest value that fulfils each.
    AtMost(Vec<i64>),
    /// Of other types.
    Other(Vec<Predicate>),
}

impl PredicateIndex {
    pub(super) fn new(plan: &Plan) -> PredicateIndex {
        let windows = Windows::of(plan);
        let mut always = windows.none();
        let mut unconditional = Vec::new();
        let mut guarded: Vec<(Predicate, MomentId, BitSet)> = Vec::new();
        let endings: Vec<WindowEnding> = plan.moments.iter().map(|moment| windows.ending(moment)).collect();
        for (position, moment) in plan.moments.iter().enumerate() {
            let id = MomentId(position as u16);
            // The windows by whose end it may begin to hold.
            let turning = match &endings[position] {
                WindowEnding::By(_) => windows.none(),
                WindowEnding::Reading(reads) => reads.clone(),
            };
            match windows.predicate(moment) {
                Some((predicate, is_steady)) => {
                    if !is_steady {
                        always.union(&turning);
                    }
                    guarded.push((predicate, id, turning));
                }
                None => {
                    always.union(&turning);
                    unconditional.push(id);
                }
            }
        }
        // Those that hold soonest first: the least constant from below, the greatest from above,
        // and of one constant that which includes it.
        let key = |predicate: &Predicate| (predicate.slot, predicate.side);
        guarded.sort_by(|(one, ..), (other, ..)| {
            let by_constant = match one.side {
                Side::Above => one.constant.cmp(&other.constant),
                Side::Below => other.constant.cmp(&one.constant),
            };
            key(one).cmp(&key(other)).then(by_constant).then(other.inclusive.cmp(&one.inclusive))
        });
        let slot_indexes = guarded.chunk_by(|(one, ..), (other, ..)| key(one) == key(other));
        let slot_indexes: Vec<SlotIndex> =
            slot_indexes.map(|predicates| SlotIndex::of(predicates, windows.none())).collect();
        let mut every = windows.none();
        windows.behind.iter().for_each(|behind| every.union(behind));
        let sums = (0..windows.behind.len()).filter(|slot| windows.never_rises(*slot)).collect();
        let holding = vec![0; slot_indexes.len()];
        PredicateIndex { unconditional, holding, slot_indexes, always, endings, sums, is_beyond: false, every }
    }

    /// Reads the view of a customer: what is asked next is about it.
    #[inline]
    pub(super) fn read(&mut self, row: &[Value]) {
        for (holding, slot_index) in self.holding.iter_mut().zip(&self.slot_indexes) {
            *holding = slot_index.constants.holding(&row[slot_index.slot]);
        }
        self.is_beyond = self.sums.iter().any(|slot| row[*slot].is_null());
    }

    /// Each moment that may hold over the row that was read.
    #[inline]
    pub(super) fn awake(&self, mut each: impl FnMut(MomentId)) {
        self.unconditional.iter().for_each(|&moment| each(moment));
        for (&holding, slot_index) in self.holding.iter().zip(&self.slot_indexes) {
            slot_index.moments[..holding].iter().for_each(|&moment| each(moment));
        }
    }

    /// When a moment that holds may end by the end of a window; `until` tells it of a predicate.
    /// Windows of which that cannot be told are added to those that are waited for.
    #[inline]
    pub(super) fn ends_at(
        &self,
        moment: MomentId,
        to: &mut BitSet,
        until: impl Fn(&Predicate) -> LogicalTime,
    ) -> LogicalTime {
        match &self.endings[moment.index()] {
            WindowEnding::By(predicates) => predicates.iter().map(until).min().unwrap_or(FOREVER),
            WindowEnding::Reading(windows) => {
                to.union(windows);
                FOREVER
            }
        }
    }

    /// Adds the windows by whose end a condition may begin to hold over the row that was read.
    #[inline]
    pub(super) fn add_turning(&self, to: &mut BitSet) {
        to.union(if self.is_beyond { &self.every } else { &self.always });
        for (holding, slot_index) in self.holding.iter().zip(&self.slot_indexes) {
            if let Some(last) = holding.checked_sub(1) {
                to.union(&slot_index.windows[last]);
            }
        }
    }
}

impl SlotIndex {
    fn of(predicates: &[(Predicate, MomentId, BitSet)], mut so_far: BitSet) -> SlotIndex {
        let mut windows = Vec::with_capacity(predicates.len());
        for (_, _, reads) in predicates {
            so_far.union(reads);
            windows.push(so_far.clone());
        }
        let moments = predicates.iter().map(|(_, moment, _)| *moment).collect();
        let slot = usize::from(predicates[0].0.slot);
        SlotIndex {
            slot,
            constants: Constants::of(predicates.iter().map(|(predicate, ..)| predicate)),
            moments,
            windows,
        }
    }
}

impl Constants {
    /// Of predicates on one side, in order.
    fn of<'g>(predicates: impl Iterator<Item = &'g Predicate> + Clone) -> Constants {
        let whole: Option<Vec<i64>> = predicates.clone().map(whole).collect();
        match (predicates.clone().next().map(|predicate| predicate.side), whole) {
            (Some(Side::Above), Some(constants)) => Constants::AtLeast(constants),
            (Some(Side::Below), Some(constants)) => Constants::AtMost(constants),
            _ => Constants::Other(predicates.cloned().collect()),
        }
    }

    /// How many of them a value fulfils: the first ones.
    #[inline]
    fn holding(&self, value: &Value) -> usize {
        match (self, value) {
            (Constants::Other(predicates), value) => predicates.partition_point(|predicate| predicate.holds(value)),
            (Constants::AtLeast(constants), Value::Int(number) | Value::Time(number) | Value::Duration(number)) => {
                // Mostly none holds.
                if constants[0] > *number { 0 } else { constants.partition_point(|constant| number >= constant) }
            }
            (Constants::AtMost(constants), Value::Int(number) | Value::Time(number) | Value::Duration(number)) => {
                if constants[0] < *number {
                    0
                } else {
                    constants.partition_point(|constant| number <= constant)
                }
            }
            _ => 0,
        }
    }
}

/// The outermost whole number that fulfils a predicate; `None` for one over other values, and where
/// there is no such number.
fn whole(predicate: &Predicate) -> Option<i64> {
    let (Value::Int(constant) | Value::Time(constant) | Value::Duration(constant)) = predicate.constant else {
        return None;
    };
    match (predicate.inclusive, predicate.side) {
        (true, _) => Some(constant),
        (false, Side::Above) => constant.checked_add(1),
        (false, Side::Below) => constant.checked_sub(1),
    }
}

/// What the slots of customers have to do with windows.
struct Windows<'p> {
    plan: &'p Plan,
    /// For each slot the features with a window that it is made of.
    behind: Vec<BitSet>,
}

impl Windows<'_> {
    fn of(plan: &Plan) -> Windows<'_> {
        let customer = &plan.entities[KindId::CUSTOMER.index()];
        let mut behind = vec![BitSet::new(customer.slots()); customer.slots()];
        for position in windows_of(customer) {
            behind[position].insert(position);
        }
        let mut windows = Windows { plan, behind };
        for &position in &customer.evaluation {
            windows.behind[customer.features.len() + position] = windows.read_by(&customer.attributes[position].expr);
        }
        windows
    }

    fn none(&self) -> BitSet {
        BitSet::new(self.behind.len())
    }

    /// The features of the customer with a window that an expression is made of.
    fn read_by(&self, expr: &Expr) -> BitSet {
        let mut windows = self.none();
        slots_of(expr, self.behind.len()).iter().for_each(|slot| windows.union(&self.behind[slot]));
        windows
    }

    /// The predicate that a moment sleeps behind, a steady one if there is any; and whether it is.
    /// Of an entity a customer has several, so moments about entities have none.
    fn predicate(&self, moment: &Moment) -> Option<(Predicate, bool)> {
        if moment.about.is_some() {
            return None;
        }
        let steady = moment.when.predicates().find(|predicate| self.is_steady(predicate));
        let any = || moment.when.predicates().next().map(|predicate| (predicate.clone(), false));
        steady.map(|predicate| (predicate.clone(), true)).or_else(any)
    }

    /// How a moment ends. One all of whose parts are steady can only end by the end of a window,
    /// and never begin.
    fn ending(&self, moment: &Moment) -> WindowEnding {
        let mut predicates = Vec::new();
        for link in moment.when.chain() {
            if link.slots.iter().all(|slot| self.behind[usize::from(*slot)].is_empty()) {
                continue;
            }
            match &link.predicate {
                Some(predicate) if self.is_steady(predicate) => predicates.push(predicate.clone()),
                _ => return WindowEnding::Reading(self.read_by(&moment.when)),
            }
        }
        WindowEnding::By(predicates)
    }

    /// Whether no expiry makes it true.
    fn is_steady(&self, predicate: &Predicate) -> bool {
        let slot = usize::from(predicate.slot);
        if self.behind[slot].is_empty() {
            return true;
        }
        let feature = self.plan.entities[KindId::CUSTOMER.index()].features.get(slot);
        match feature.map(|feature| feature.aggregate) {
            Some(Aggregate::Count | Aggregate::Distinct | Aggregate::Max) => predicate.side == Side::Above,
            Some(Aggregate::Min) => predicate.side == Side::Below,
            Some(Aggregate::Sum) => predicate.side == Side::Above && self.never_rises(slot),
            _ => false,
        }
    }

    /// Whether a slot is the sum over a window of what is never negative. It can only fall, unless
    /// it was too large to be told.
    fn never_rises(&self, slot: usize) -> bool {
        let feature = self.plan.entities[KindId::CUSTOMER.index()].features.get(slot);
        feature.is_some_and(|feature| {
            let argument = feature.argument.as_ref();
            feature.aggregate == Aggregate::Sum
                && !self.behind[slot].is_empty()
                && argument.is_some_and(|argument| argument.is_never_negative(feature.filter.as_ref()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const PACK: &str = r#"
[pack]
name = "p"
[stream.s]
about = "c"
time = "at"
fields = { c = "id(customer)", at = "time", n = "int" }
[customer.feature]
total = { from = "s", sum = "n" }
spent = { from = "s", sum = "n", where = "n > 0", window = "1h" }
net   = { from = "s", sum = "n", window = "1h" }
count = { from = "s", count = true, window = "1h" }
least = { from = "s", min = "n", window = "1h" }
"#;

    /// The predicates of moments with these conditions, and the names of the moments in order.
    fn predicates(conditions: &[&str]) -> (Plan, PredicateIndex) {
        let mut text = PACK.to_owned();
        for (number, condition) in conditions.iter().enumerate() {
            let _ = write!(
                text,
                "[moment.m{number}]\nwhen = \"{condition}\"\npurpose = \"assistance\"\n\
                 value = {{ kind = \"economic\", benefit = \"It helps\" }}\n"
            );
        }
        let plan = propice_define::load("p.toml", &text).expect("a pack");
        let predicates = PredicateIndex::new(&plan);
        (plan, predicates)
    }

    /// A row with these values of total, spent, net, count and least.
    fn row(plan: &Plan, values: [Option<i64>; 5]) -> Vec<Value> {
        let features = &plan.entities[0].features;
        let names = ["total", "spent", "net", "count", "least"];
        let of = |name: &str| names.iter().position(|known| *known == name).and_then(|at| values[at]);
        features.iter().map(|feature| of(&feature.name).map_or(Value::Null, Value::Int)).collect()
    }

    fn awake(predicates: &PredicateIndex) -> Vec<u16> {
        let mut awake = Vec::new();
        predicates.awake(|moment| awake.push(moment.0));
        awake.sort_unstable();
        awake
    }

    #[test]
    fn only_those_wake_whose_guard_holds() {
        let (plan, mut predicates) =
            predicates(&["count >= 3", "count > 3", "total < -5 && count == 1", "count == 0", "count > 9"]);
        predicates.read(&row(&plan, [Some(0), Some(0), Some(0), Some(3), None]));
        assert_eq!(awake(&predicates), [0, 3]);
        predicates.read(&row(&plan, [Some(-6), Some(0), Some(0), Some(4), None]));
        assert_eq!(awake(&predicates), [0, 1, 2, 3]);
        predicates.read(&row(&plan, [Some(-5), Some(0), Some(0), Some(0), None]));
        assert_eq!(awake(&predicates), [3]);
    }

    /// How many windows are waited for over a row.
    fn waited_for(condition: &str, values: [Option<i64>; 5]) -> usize {
        let (plan, mut predicates) = predicates(&[condition]);
        predicates.read(&row(&plan, values));
        let mut windows = BitSet::new(plan.entities[0].slots());
        predicates.add_turning(&mut windows);
        windows.iter().count()
    }

    #[test]
    fn what_an_expiry_can_only_end_is_not_waited_for() {
        let empty = [Some(0), Some(0), Some(0), Some(0), None];
        for condition in ["count >= 3", "spent > 100 && total < 0", "least < 5", "total < 0 && net < 0"] {
            assert_eq!(waited_for(condition, empty), 0, "{condition}");
        }
        for condition in ["count == 0", "net > 100", "spent < 100", "least > 5", "count < 3 || total > 0"] {
            assert_eq!(waited_for(condition, empty), 1, "{condition}");
        }
        // Its predicate holds, and the rest may turn by any end.
        assert_eq!(waited_for("total < 0 && net < 0", [Some(-1), Some(0), Some(0), Some(0), None]), 1);
        // A sum that was too large to be told may come back.
        assert_eq!(waited_for("spent > 100", [Some(0), None, Some(0), Some(0), None]), 4);
    }

    #[test]
    fn it_is_known_what_ends_a_moment() {
        let (_, predicates) = predicates(&["count >= 3 && spent > 7 && total > 0", "count >= 3 && net > 7"]);
        let mut windows = BitSet::new(64);
        let asked = std::cell::Cell::new(0);
        let until = |predicate: &Predicate| {
            asked.set(asked.get() + 1);
            100 + u64::from(predicate.inclusive)
        };
        assert_eq!(predicates.ends_at(MomentId(0), &mut windows, until), 100);
        assert_eq!((asked.get(), windows.is_empty()), (2, true));
        assert_eq!(predicates.ends_at(MomentId(1), &mut windows, until), FOREVER);
        assert_eq!((asked.get(), windows.iter().count()), (2, 2));
    }

    /// Whether an expiry can never make a comparison of an aggregate over a window true.
    fn is_steady(aggregate: &str, comparison: &str) -> bool {
        let text = format!(
            "[pack]\nname = 'p'\n[stream.s]\nabout = 'c'\ntime = 'at'\n\
             fields = {{ c = 'id(customer)', at = 'time', n = 'int' }}\n\
             [customer.feature]\nf = {{ from = 's', {aggregate} }}\n\
             [customer.attribute]\ntwice = 'f * 2'\n[moment.m]\nwhen = '{comparison}'\n\
             purpose = 'assistance'\nvalue = {{ kind = 'economic', benefit = 'It helps' }}\n"
        );
        let plan = propice_define::load("p.toml", &text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        let predicate = plan.moments[0].when.predicates().next().expect("a predicate");
        Windows::of(&plan).is_steady(predicate)
    }

    #[test]
    fn a_bound_is_steady_where_an_expiry_moves_the_value_away_from_it() {
        for (aggregate, above, below) in [
            ("count = true", true, false),
            ("distinct = \"n\"", true, false),
            ("max = \"n\"", true, false),
            ("min = \"n\"", false, true),
            ("sum = \"n\", where = \"n >= 0\"", true, false),
            ("sum = \"-n\", where = \"n <= 0\"", true, false),
            ("sum = \"n\"", false, false),
            ("sum = \"n\", where = \"n >= -1\"", false, false),
            ("sum = \"-n\", where = \"n >= 0\"", false, false),
            ("sum = \"n\", where = \"n >= 0 || n < -5\"", false, false),
            ("first = \"n\"", false, false),
            ("last = \"n\"", false, false),
            ("top = \"n\"", false, false),
        ] {
            let window = format!("{aggregate}, window = \"1h\"");
            for (comparison, expected) in [("f > 2", above), ("f >= 2", above), ("f < 2", below), ("f <= 2", below)] {
                assert_eq!(is_steady(&window, comparison), expected, "{aggregate}: {comparison}");
                assert!(is_steady(aggregate, comparison), "without a window: {aggregate}: {comparison}");
            }
            assert!(!is_steady(&window, "twice > 2") && !is_steady(&window, "twice < 2"), "{aggregate}");
        }
    }
}
