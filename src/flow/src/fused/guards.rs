//! Which moments have to be looked at, and which ends of windows have to be waited for.
//!
//! A condition often has a part that compares a slot with a constant, and cannot hold without it (`transactions >= 5 && …`): its guard. While
//! the guard is false nothing else of the condition has to be looked at. The guards over one slot stand in the order of their constants, so
//! that those that hold are the first ones: of a thousand moments only those are touched that may be true.
//!
//! ```text
//! transactions ≥      3 ─ m2    5 ─ m7    8 ─ m4    20 ─ m1
//!               6 ────────────────────▶│ awake: m2, m7
//! ```
//!
//! **Steady** is a part of a condition that stays false when contributions expire: it reads no window, or compares one whose value an expiry
//! moves away from the constant (a count can only fall). A moment that sleeps behind a steady guard need not know when a window ends; nor need
//! one that does not hold and all of whose parts are steady; and of one that holds it is known which end breaks which guard. So a customer
//! is woken for the end of a window only when a condition may turn by it. Who looks at the view for another reason lets go first what has
//! ended meanwhile (`Entities::touch`).
//!
//! Checked against the `reference` engine, which knows no guards, with views and without.

use propice_define::Plan;
use propice_define::expr::{Expr, Guard, Side};
use propice_define::plan::{Aggregate, Moment};
use propice_model::time::FOREVER;
use propice_model::{KindId, LogicalTime, MomentId, Value};

use super::bits::Bits;
use super::entities::{slots_of, windows_of};

/// The moments of a plan by their guards.
pub(super) struct Guards {
    /// Moments without a guard.
    unguarded: Vec<MomentId>,
    shelves: Vec<Shelf>,
    /// The windows that moments read which never sleep.
    always: Bits,
    /// How each moment ends that holds.
    endings: Vec<Ending>,
    /// Slots that can only fall unless they are null: sums that may have become too large to be told.
    sums: Vec<usize>,
    /// Whether one of them was over the row that was read last.
    is_beyond: bool,
    /// All windows.
    every: Bits,
    /// How many guards of each shelf hold over the row that was read last.
    holding: Vec<usize>,
}

/// How the end of a window may end a moment that holds.
enum Ending {
    /// By one of these guards, each over a feature with a window, and in no other way.
    By(Vec<Guard>),
    /// In any way, by the end of one of these windows.
    Reading(Bits),
}

/// The guards over one slot on one side, those that hold soonest first.
struct Shelf {
    slot: usize,
    constants: Constants,
    moments: Vec<MomentId>,
    /// For each guard the windows by whose end its moment, or one of those before it, may begin to hold.
    windows: Vec<Bits>,
}

/// The constants of a shelf, in its order.
enum Constants {
    /// Of ints, times and durations: the least value that fulfils each.
    AtLeast(Vec<i64>),
    /// Of ints, times and durations: the greatest value that fulfils each.
    AtMost(Vec<i64>),
    /// Of other types.
    Other(Vec<Guard>),
}

impl Guards {
    pub(super) fn new(plan: &Plan) -> Guards {
        let windows = Windows::of(plan);
        let mut always = windows.none();
        let mut unguarded = Vec::new();
        let mut guarded: Vec<(Guard, MomentId, Bits)> = Vec::new();
        let endings: Vec<Ending> = plan.moments.iter().map(|moment| windows.ending(moment)).collect();
        for (position, moment) in plan.moments.iter().enumerate() {
            let id = MomentId(position as u16);
            // The windows by whose end it may begin to hold.
            let turning = match &endings[position] {
                Ending::By(_) => windows.none(),
                Ending::Reading(reads) => reads.clone(),
            };
            match windows.guard(moment) {
                Some((guard, is_steady)) => {
                    if !is_steady {
                        always.union(&turning);
                    }
                    guarded.push((guard, id, turning));
                }
                None => {
                    always.union(&turning);
                    unguarded.push(id);
                }
            }
        }
        // Those that hold soonest first: the least constant from below, the greatest from above, and of one constant that which includes it.
        let key = |guard: &Guard| (guard.slot, guard.side);
        guarded.sort_by(|(one, ..), (other, ..)| {
            let by_constant = match one.side {
                Side::Above => one.constant.cmp(&other.constant),
                Side::Below => other.constant.cmp(&one.constant),
            };
            key(one).cmp(&key(other)).then(by_constant).then(other.inclusive.cmp(&one.inclusive))
        });
        let shelves = guarded.chunk_by(|(one, ..), (other, ..)| key(one) == key(other));
        let shelves: Vec<Shelf> = shelves.map(|guards| Shelf::of(guards, windows.none())).collect();
        let mut every = windows.none();
        windows.behind.iter().for_each(|behind| every.union(behind));
        let sums = (0..windows.behind.len()).filter(|slot| windows.never_rises(*slot)).collect();
        let holding = vec![0; shelves.len()];
        Guards { unguarded, holding, shelves, always, endings, sums, is_beyond: false, every }
    }

    /// Reads the view of a customer: what is asked next is about it.
    #[inline]
    pub(super) fn read(&mut self, row: &[Value]) {
        for (holding, shelf) in self.holding.iter_mut().zip(&self.shelves) {
            *holding = shelf.constants.holding(&row[shelf.slot]);
        }
        self.is_beyond = self.sums.iter().any(|slot| row[*slot].is_null());
    }

    /// Each moment that may hold over the row that was read.
    #[inline]
    pub(super) fn awake(&self, mut each: impl FnMut(MomentId)) {
        self.unguarded.iter().for_each(|&moment| each(moment));
        for (&holding, shelf) in self.holding.iter().zip(&self.shelves) {
            shelf.moments[..holding].iter().for_each(|&moment| each(moment));
        }
    }

    /// When a moment that holds may end by the end of a window; `until` tells it of a guard. Windows of which that cannot be told are
    /// added to those that are waited for.
    #[inline]
    pub(super) fn ends_at(
        &self,
        moment: MomentId,
        to: &mut Bits,
        until: impl Fn(&Guard) -> LogicalTime,
    ) -> LogicalTime {
        match &self.endings[moment.index()] {
            Ending::By(guards) => guards.iter().map(until).min().unwrap_or(FOREVER),
            Ending::Reading(windows) => {
                to.union(windows);
                FOREVER
            }
        }
    }

    /// Adds the windows by whose end a condition may begin to hold over the row that was read.
    #[inline]
    pub(super) fn add_turning(&self, to: &mut Bits) {
        to.union(if self.is_beyond { &self.every } else { &self.always });
        for (holding, shelf) in self.holding.iter().zip(&self.shelves) {
            if let Some(last) = holding.checked_sub(1) {
                to.union(&shelf.windows[last]);
            }
        }
    }
}

impl Shelf {
    fn of(guards: &[(Guard, MomentId, Bits)], mut so_far: Bits) -> Shelf {
        let mut windows = Vec::with_capacity(guards.len());
        for (_, _, reads) in guards {
            so_far.union(reads);
            windows.push(so_far.clone());
        }
        let moments = guards.iter().map(|(_, moment, _)| *moment).collect();
        let slot = usize::from(guards[0].0.slot);
        Shelf { slot, constants: Constants::of(guards.iter().map(|(guard, ..)| guard)), moments, windows }
    }
}

impl Constants {
    /// Of guards on one side, in order.
    fn of<'g>(guards: impl Iterator<Item = &'g Guard> + Clone) -> Constants {
        let whole: Option<Vec<i64>> = guards.clone().map(whole).collect();
        match (guards.clone().next().map(|guard| guard.side), whole) {
            (Some(Side::Above), Some(constants)) => Constants::AtLeast(constants),
            (Some(Side::Below), Some(constants)) => Constants::AtMost(constants),
            _ => Constants::Other(guards.cloned().collect()),
        }
    }

    /// How many of them a value fulfils: the first ones.
    #[inline]
    fn holding(&self, value: &Value) -> usize {
        match (self, value) {
            (Constants::Other(guards), value) => guards.partition_point(|guard| guard.holds(value)),
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

/// The outermost whole number that fulfils a guard; `None` for one over other values, and where there is no such number.
fn whole(guard: &Guard) -> Option<i64> {
    let (Value::Int(constant) | Value::Time(constant) | Value::Duration(constant)) = guard.constant else {
        return None;
    };
    match (guard.inclusive, guard.side) {
        (true, _) => Some(constant),
        (false, Side::Above) => constant.checked_add(1),
        (false, Side::Below) => constant.checked_sub(1),
    }
}

/// What the slots of customers have to do with windows.
struct Windows<'p> {
    plan: &'p Plan,
    /// For each slot the features with a window that it is made of.
    behind: Vec<Bits>,
}

impl Windows<'_> {
    fn of(plan: &Plan) -> Windows<'_> {
        let customer = &plan.entities[KindId::CUSTOMER.index()];
        let mut behind = vec![Bits::new(customer.slots()); customer.slots()];
        for position in windows_of(customer) {
            behind[position].insert(position);
        }
        let mut windows = Windows { plan, behind };
        for &position in &customer.evaluation {
            windows.behind[customer.features.len() + position] = windows.read_by(&customer.attributes[position].expr);
        }
        windows
    }

    fn none(&self) -> Bits {
        Bits::new(self.behind.len())
    }

    /// The features of the customer with a window that an expression is made of.
    fn read_by(&self, expr: &Expr) -> Bits {
        let mut windows = self.none();
        slots_of(expr, self.behind.len()).iter().for_each(|slot| windows.union(&self.behind[slot]));
        windows
    }

    /// The guard that a moment sleeps behind, a steady one if there is any; and whether it is. Of an entity a customer has several, so
    /// moments about entities have none.
    fn guard(&self, moment: &Moment) -> Option<(Guard, bool)> {
        if moment.about.is_some() {
            return None;
        }
        let steady = moment.when.guards().find(|guard| self.is_steady(guard));
        let any = || moment.when.guards().next().map(|guard| (guard.clone(), false));
        steady.map(|guard| (guard.clone(), true)).or_else(any)
    }

    /// How a moment ends. One all of whose parts are steady can only end by the end of a window, and never begin.
    fn ending(&self, moment: &Moment) -> Ending {
        let mut guards = Vec::new();
        for link in moment.when.chain() {
            if link.slots.iter().all(|slot| self.behind[usize::from(*slot)].is_empty()) {
                continue;
            }
            match &link.guard {
                Some(guard) if self.is_steady(guard) => guards.push(guard.clone()),
                _ => return Ending::Reading(self.read_by(&moment.when)),
            }
        }
        Ending::By(guards)
    }

    /// Whether no expiry makes it true.
    fn is_steady(&self, guard: &Guard) -> bool {
        let slot = usize::from(guard.slot);
        if self.behind[slot].is_empty() {
            return true;
        }
        let feature = self.plan.entities[KindId::CUSTOMER.index()].features.get(slot);
        match feature.map(|feature| feature.aggregate) {
            Some(Aggregate::Count | Aggregate::Distinct | Aggregate::Max) => guard.side == Side::Above,
            Some(Aggregate::Min) => guard.side == Side::Below,
            Some(Aggregate::Sum) => guard.side == Side::Above && self.never_rises(slot),
            _ => false,
        }
    }

    /// Whether a slot is the sum over a window of what is never negative. It can only fall, unless it was too large to be told.
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

    /// The guards of moments with these conditions, and the names of the moments in order.
    fn guards(conditions: &[&str]) -> (Plan, Guards) {
        let mut text = PACK.to_owned();
        for (number, condition) in conditions.iter().enumerate() {
            let _ = write!(
                text,
                "[moment.m{number}]\nwhen = \"{condition}\"\npurpose = \"assistance\"\n\
                 value = {{ kind = \"economic\", benefit = \"It helps\" }}\n"
            );
        }
        let plan = propice_define::load("p.toml", &text).expect("a pack");
        let guards = Guards::new(&plan);
        (plan, guards)
    }

    /// A row with these values of total, spent, net, count and least.
    fn row(plan: &Plan, values: [Option<i64>; 5]) -> Vec<Value> {
        let features = &plan.entities[0].features;
        let names = ["total", "spent", "net", "count", "least"];
        let of = |name: &str| names.iter().position(|known| *known == name).and_then(|at| values[at]);
        features.iter().map(|feature| of(&feature.name).map_or(Value::Null, Value::Int)).collect()
    }

    fn awake(guards: &Guards) -> Vec<u16> {
        let mut awake = Vec::new();
        guards.awake(|moment| awake.push(moment.0));
        awake.sort_unstable();
        awake
    }

    #[test]
    fn only_those_wake_whose_guard_holds() {
        let (plan, mut guards) =
            guards(&["count >= 3", "count > 3", "total < -5 && count == 1", "count == 0", "count > 9"]);
        guards.read(&row(&plan, [Some(0), Some(0), Some(0), Some(3), None]));
        assert_eq!(awake(&guards), [0, 3]);
        guards.read(&row(&plan, [Some(-6), Some(0), Some(0), Some(4), None]));
        assert_eq!(awake(&guards), [0, 1, 2, 3]);
        guards.read(&row(&plan, [Some(-5), Some(0), Some(0), Some(0), None]));
        assert_eq!(awake(&guards), [3]);
    }

    /// How many windows are waited for over a row.
    fn waited_for(condition: &str, values: [Option<i64>; 5]) -> usize {
        let (plan, mut guards) = guards(&[condition]);
        guards.read(&row(&plan, values));
        let mut windows = Bits::new(plan.entities[0].slots());
        guards.add_turning(&mut windows);
        windows.iter().count()
    }

    #[test]
    fn what_an_expiry_can_only_end_is_not_waited_for() {
        let nothing = [Some(0), Some(0), Some(0), Some(0), None];
        for condition in ["count >= 3", "spent > 100 && total < 0", "least < 5", "total < 0 && net < 0"] {
            assert_eq!(waited_for(condition, nothing), 0, "{condition}");
        }
        for condition in ["count == 0", "net > 100", "spent < 100", "least > 5", "count < 3 || total > 0"] {
            assert_eq!(waited_for(condition, nothing), 1, "{condition}");
        }
        // Its guard holds, and the rest may turn by any end.
        assert_eq!(waited_for("total < 0 && net < 0", [Some(-1), Some(0), Some(0), Some(0), None]), 1);
        // A sum that was too large to be told may come back.
        assert_eq!(waited_for("spent > 100", [Some(0), None, Some(0), Some(0), None]), 4);
    }

    #[test]
    fn it_is_known_what_ends_a_moment() {
        let (_, guards) = guards(&["count >= 3 && spent > 7 && total > 0", "count >= 3 && net > 7"]);
        let mut windows = Bits::new(64);
        let asked = std::cell::Cell::new(0);
        let until = |guard: &Guard| {
            asked.set(asked.get() + 1);
            100 + u64::from(guard.inclusive)
        };
        assert_eq!(guards.ends_at(MomentId(0), &mut windows, until), 100);
        assert_eq!((asked.get(), windows.is_empty()), (2, true));
        assert_eq!(guards.ends_at(MomentId(1), &mut windows, until), FOREVER);
        assert_eq!((asked.get(), windows.iter().count()), (2, 2));
    }
}
