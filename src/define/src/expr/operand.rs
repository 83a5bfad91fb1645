//! Where a value comes from when an expression is evaluated: a constant, a slot, or a computation.
//!
//! The shapes that packs are full of (`slot OP constant`) get closures of their own, which read the
//! slot in place: no call, no clone, no allocation.

use super::typed::Comparison;
use super::{Env, EvalError, Ref};
use propice_model::Value;

/// A compiled computation.
pub(super) type Eval<T> = Box<dyn Fn(&Env<'_>) -> Result<T, EvalError> + Send + Sync>;

static NULL: Value = Value::Null;

/// The value of a slot; null for one that is not there.
#[inline]
pub(super) fn slot<'a>(env: &Env<'a>, reference: Ref) -> &'a Value {
    let row = if reference.scope == 0 { env.row } else { env.entity };
    row.get(usize::from(reference.slot)).unwrap_or(&NULL)
}

/// What a value can be read as, without its wrapping.
pub(super) trait Scalar: Copy + PartialOrd + Send + Sync + 'static {
    /// `None` for null.
    fn of(value: &Value) -> Option<Self>;
}

/// Ints, times and durations.
impl Scalar for i64 {
    #[inline]
    fn of(value: &Value) -> Option<i64> {
        match value {
            Value::Int(number) | Value::Time(number) | Value::Duration(number) => Some(*number),
            _ => None,
        }
    }
}

/// Units of a decimal.
impl Scalar for i128 {
    #[inline]
    fn of(value: &Value) -> Option<i128> {
        if let Value::Decimal(number) = value { Some(number.units()) } else { None }
    }
}

impl Scalar for f64 {
    #[inline]
    fn of(value: &Value) -> Option<f64> {
        if let Value::Float(number) = value { Some(number.get()) } else { None }
    }
}

impl Scalar for bool {
    #[inline]
    fn of(value: &Value) -> Option<bool> {
        if let Value::Bool(flag) = value { Some(*flag) } else { None }
    }
}

/// Where a scalar comes from.
pub(super) enum Operand<T> {
    /// Never null.
    Constant(T),
    /// A name.
    Slot(Ref),
    /// `None` is null.
    Computed(Eval<Option<T>>),
}

impl<T: Scalar> Operand<T> {
    /// Its value.
    #[inline]
    pub(super) fn get(&self, env: &Env<'_>) -> Result<Option<T>, EvalError> {
        match self {
            Operand::Constant(constant) => Ok(Some(*constant)),
            Operand::Slot(reference) => Ok(T::of(slot(env, *reference))),
            Operand::Computed(compute) => compute(env),
        }
    }

    /// A computation with it. Null stays null.
    pub(super) fn map<U: Scalar>(self, f: impl Fn(T) -> Result<U, EvalError> + Send + Sync + 'static) -> Operand<U> {
        Operand::Computed(match self {
            Operand::Slot(reference) => Box::new(move |env| T::of(slot(env, reference)).map(&f).transpose()),
            operand => Box::new(move |env| operand.get(env)?.map(&f).transpose()),
        })
    }

    /// A computation with it and another. Null with anything is null.
    pub(super) fn with<B: Scalar, U: Scalar>(
        self,
        other: Operand<B>,
        f: impl Fn(T, B) -> Result<U, EvalError> + Send + Sync + 'static,
    ) -> Operand<U> {
        Operand::Computed(match (self, other) {
            (Operand::Slot(left), Operand::Constant(right)) => {
                Box::new(move |env| T::of(slot(env, left)).map(|left| f(left, right)).transpose())
            }
            (Operand::Slot(left), Operand::Slot(right)) => {
                Box::new(move |env| match (T::of(slot(env, left)), B::of(slot(env, right))) {
                    (Some(left), Some(right)) => f(left, right).map(Some),
                    _ => Ok(None),
                })
            }
            (left, right) => Box::new(move |env| match (left.get(env)?, right.get(env)?) {
                (Some(left), Some(right)) => f(left, right).map(Some),
                _ => Ok(None),
            }),
        })
    }

    /// A comparison with another. False with null.
    pub(super) fn compare(self, comparison: Comparison, other: Operand<T>) -> Eval<bool> {
        match comparison {
            Comparison::Equal => test(self, other, |left, right| left == right),
            Comparison::NotEqual => test(self, other, |left, right| left != right),
            Comparison::Less => test(self, other, |left, right| left < right),
            Comparison::LessEqual => test(self, other, |left, right| left <= right),
            Comparison::Greater => test(self, other, |left, right| left > right),
            Comparison::GreaterEqual => test(self, other, |left, right| left >= right),
        }
    }
}

fn test<T: Scalar>(
    left: Operand<T>,
    right: Operand<T>,
    f: impl Fn(T, T) -> bool + Send + Sync + 'static,
) -> Eval<bool> {
    match (left, right) {
        (Operand::Slot(left), Operand::Constant(right)) => {
            Box::new(move |env| Ok(T::of(slot(env, left)).is_some_and(|left| f(left, right))))
        }
        (Operand::Slot(left), Operand::Slot(right)) => Box::new(move |env| {
            let (left, right) = (T::of(slot(env, left)), T::of(slot(env, right)));
            Ok(left.zip(right).is_some_and(|(left, right)| f(left, right)))
        }),
        (left, right) => Box::new(move |env| {
            let (left, right) = (left.get(env)?, right.get(env)?);
            Ok(left.zip(right).is_some_and(|(left, right)| f(left, right)))
        }),
    }
}

/// Where a value of any type comes from.
pub(super) enum Whole {
    /// Perhaps null.
    Constant(Value),
    /// A name.
    Slot(Ref),
    /// Made anew.
    Computed(Eval<Value>),
}

impl Whole {
    /// Lends the value.
    #[inline]
    pub(super) fn lend<R>(&self, env: &Env<'_>, f: impl FnOnce(&Value) -> R) -> Result<R, EvalError> {
        match self {
            Whole::Constant(constant) => Ok(f(constant)),
            Whole::Slot(reference) => Ok(f(slot(env, *reference))),
            Whole::Computed(compute) => compute(env).map(|value| f(&value)),
        }
    }

    /// Gives the value.
    pub(super) fn get(&self, env: &Env<'_>) -> Result<Value, EvalError> {
        match self {
            Whole::Constant(constant) => Ok(constant.clone()),
            Whole::Slot(reference) => Ok(slot(env, *reference).clone()),
            Whole::Computed(compute) => compute(env),
        }
    }

    /// A scalar, wrapped.
    pub(super) fn of<T: Scalar>(operand: Operand<T>, wrap: fn(T) -> Value) -> Whole {
        match operand {
            Operand::Constant(constant) => Whole::Constant(wrap(constant)),
            Operand::Slot(reference) => Whole::Slot(reference),
            Operand::Computed(compute) => {
                Whole::Computed(Box::new(move |env| Ok(compute(env)?.map_or(Value::Null, wrap))))
            }
        }
    }

    /// A computation with it. Null stays null.
    pub(super) fn map<U: Scalar>(
        self,
        f: impl Fn(&Value) -> Result<U, EvalError> + Send + Sync + 'static,
    ) -> Operand<U> {
        Operand::Computed(Box::new(move |env| {
            self.lend(env, |value| if value.is_null() { None } else { Some(f(value)) })?.transpose()
        }))
    }

    /// A comparison with another of the same type. False with null.
    pub(super) fn compare(self, comparison: Comparison, other: Whole) -> Eval<bool> {
        match (self, other, comparison) {
            (Whole::Slot(left), Whole::Constant(right), Comparison::Equal) => {
                Box::new(move |env| Ok(*slot(env, left) == right))
            }
            (left @ Whole::Constant(_), right @ Whole::Slot(_), _) => right.compare(comparison.mirrored(), left),
            (left, right, _) => Box::new(move |env| {
                left.lend(env, |left| {
                    right.lend(env, |right| !left.is_null() && !right.is_null() && comparison.holds(left, right))
                })?
            }),
        }
    }
}
