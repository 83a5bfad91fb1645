//! Aggregates that are sums: `count sum avg stddev`. What comes is added, what goes is taken away,
//! exactly.

use crate::aggregate::{self, Tally};
use propice_define::plan::Aggregate;
use propice_model::{Type, Value};

use crate::invariant::broken;
use crate::state::Kept;

use super::kept::{kept_value, values};
use super::panes::{Amount, Counted, Single, Summed, Total, Wide};
use super::{Accumulate, Contributed};

/// How many.
#[derive(Default)]
pub(super) struct Count(i64);

impl Accumulate for Count {
    type Item = i64;
    type Pane = Counted;
    type Retractable = Wide<i64>;

    fn item(_given: &Contributed<'_>) -> i64 {
        1
    }

    fn insert(&mut self, item: &i64) {
        self.0 += item;
    }

    fn retract(&mut self, item: &i64) {
        self.0 -= item;
        if self.0 < 0 {
            broken("more was taken back from a count than it holds");
        }
    }

    fn kept(item: &i64) -> Kept {
        Kept::Sum { n: *item, units: 0 }
    }

    fn items(kept: &Kept, each: &mut dyn FnMut(&i64)) -> bool {
        let Kept::Sum { n, .. } = kept else { return false };
        (0..*n).for_each(|_| each(&1));
        true
    }

    fn all(&self) -> Vec<Kept> {
        if self.0 == 0 { Vec::new() } else { vec![Count::kept(&self.0)] }
    }

    fn restore(&mut self, kept: &Kept) -> bool {
        let Kept::Sum { n, .. } = kept else { return false };
        self.0 += n;
        true
    }

    fn copied(&self) -> Option<Count> {
        Some(Count(self.0))
    }
}

impl Count {
    pub(super) fn value(&self) -> Value {
        Value::Int(self.0)
    }
}

impl Accumulate for Total {
    type Item = Total;
    type Pane = Summed;
    type Retractable = Wide<Total>;

    fn item(contributed: &Contributed<'_>) -> Total {
        Total { n: 1, units: aggregate::whole(contributed.value).unwrap_or_default() }
    }

    fn insert(&mut self, item: &Total) {
        self.plus(item);
    }

    fn retract(&mut self, item: &Total) {
        self.minus(item);
        if self.n < 0 {
            broken("more was taken back from a sum than it holds");
        }
    }

    fn kept(item: &Total) -> Kept {
        Kept::Sum { n: item.n, units: item.units }
    }

    /// As many records as there were. Units of a record fit 64 bit, so the sum does when it is
    /// spread over them.
    fn items(kept: &Kept, each: &mut dyn FnMut(&Total)) -> bool {
        let Kept::Sum { n, mut units } = *kept else { return false };
        for _ in 0..n {
            let part = units.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
            units -= part;
            each(&Total { n: 1, units: part });
        }
        units == 0
    }

    fn all(&self) -> Vec<Kept> {
        if self.n == 0 { Vec::new() } else { vec![Total::kept(self)] }
    }

    fn restore(&mut self, kept: &Kept) -> bool {
        let Kept::Sum { n, units } = *kept else { return false };
        self.plus(&Total { n, units });
        true
    }

    fn copied(&self) -> Option<Total> {
        Some(*self)
    }
}

impl Amount for i64 {
    fn plus(&mut self, other: &i64) {
        *self += other;
    }

    fn minus(&mut self, other: &i64) {
        *self -= other;
    }

    fn is_nothing(&self) -> bool {
        *self == 0
    }
}

impl Amount for Total {
    fn plus(&mut self, other: &Total) {
        self.n += other.n;
        self.units += other.units;
    }

    fn minus(&mut self, other: &Total) {
        self.n -= other.n;
        self.units -= other.units;
    }

    fn is_nothing(&self) -> bool {
        self.n == 0
    }
}

impl Total {
    pub(super) fn sum(&self, ty: &Type) -> Value {
        aggregate::sum(self.units, ty)
    }

    pub(super) fn avg(&self, result: &Type) -> Value {
        if self.n == 0 { Value::Null } else { aggregate::avg(self.units, self.n, result) }
    }
}

/// The exact sum of floating-point numbers.
#[derive(Default)]
pub(super) struct FloatTotal(Tally);

/// Exact sums of numbers and of their squares.
#[derive(Default)]
pub(super) struct Squared(Tally);

macro_rules! tallies {
    ($name:ident, $aggregate:expr) => {
        impl Accumulate for $name {
            type Item = Value;
            type Pane = Single<Value>;
            type Retractable = Single<Value>;

            fn item(contributed: &Contributed<'_>) -> Value {
                contributed.value.clone()
            }

            fn insert(&mut self, item: &Value) {
                self.0.add($aggregate, item, 1);
            }

            fn retract(&mut self, item: &Value) {
                self.0.add($aggregate, item, -1);
                if self.0.is_negative() {
                    broken("more was taken back from a sum than it holds");
                }
            }

            fn kept(item: &Value) -> Kept {
                kept_value(item)
            }

            fn items(kept: &Kept, each: &mut dyn FnMut(&Value)) -> bool {
                values(kept, each)
            }

            fn all(&self) -> Vec<Kept> {
                if self.0.is_zero() { Vec::new() } else { vec![Kept::Tally(self.0.clone())] }
            }

            fn restore(&mut self, kept: &Kept) -> bool {
                if let Kept::Tally(tally) = kept {
                    self.0.plus(tally);
                    return true;
                }
                values(kept, &mut |value| self.insert(value))
            }
        }
    };
}

tallies!(FloatTotal, Aggregate::Sum);
tallies!(Squared, Aggregate::Stddev);

impl FloatTotal {
    pub(super) fn sum(&self) -> Value {
        self.0.finish(Aggregate::Sum, &Type::Float, &Type::Float)
    }

    pub(super) fn avg(&self) -> Value {
        self.0.finish(Aggregate::Avg, &Type::Float, &Type::Float)
    }
}

impl Squared {
    pub(super) fn stddev(&self, argument: &Type) -> Value {
        self.0.finish(Aggregate::Stddev, &Type::Float, argument)
    }
}
