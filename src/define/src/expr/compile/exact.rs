//! Arithmetic of exact numbers: of ints, decimals and literals, also where a quotient makes a float
//! of it.
//!
//! Such a part of an expression is a [`Ratio`] until somebody needs its value, so that it is
//! rounded once: `a / p * 90.0` is the float nearest to the exact product, `int(…)` cuts that off,
//! and a comparison of two such parts rounds nothing.

use super::{condition, decimal, integer};
use crate::expr::operand::{Eval, Operand};
use crate::expr::typed::{Arithmetic, Comparison, Kind, Node};
use crate::expr::{Env, EvalError};
use propice_model::{Ratio, Type, Value};

impl Node {
    /// Whether it is a number of which nothing has been rounded: its type may be `float`, and its
    /// value is known as a quotient.
    pub(in crate::expr) fn is_exact(&self) -> bool {
        match (&self.ty, &self.kind) {
            (Type::Int | Type::Decimal(_), _) | (Type::Float, Kind::Constant(Value::Null)) => true,
            (Type::Float, Kind::Constant(_)) => self.exact.is_some() || self.ratio.is_some(),
            (Type::Float, Kind::Convert(of)) => matches!(of.ty, Type::Int | Type::Decimal(_)),
            (Type::Float, Kind::Negate(of) | Kind::Absolute(of)) => of.is_exact(),
            (
                Type::Float,
                Kind::Arithmetic(_, left, right) | Kind::Extreme(_, left, right) | Kind::Coalesce(left, right),
            ) => left.is_exact() && right.is_exact(),
            (Type::Float, Kind::Conditional(parts)) => parts[1].is_exact() && parts[2].is_exact(),
            _ => false,
        }
    }

    /// The exact number of a constant that is one.
    pub(in crate::expr) fn number(&self) -> Option<Ratio> {
        match (&self.ty, self.constant()?) {
            (Type::Int, Value::Int(number)) => Some(Ratio::whole(*number)),
            (Type::Decimal(scale), Value::Decimal(number)) => Some(Ratio::decimal(number.units(), *scale)),
            (Type::Float, Value::Float(_)) => {
                let literal = self.exact.map(|exact| Ratio::decimal(exact.units, exact.scale));
                literal.or_else(|| self.ratio.clone())
            }
            _ => None,
        }
    }
}

/// The value of an exact node.
pub(in crate::expr) fn ratio(node: &Node) -> Eval<Option<Ratio>> {
    if node.constant().is_some() {
        let number = node.number();
        return Box::new(move |_| Ok(number.clone()));
    }
    match (&node.ty, &node.kind) {
        (Type::Int, _) => of_scalar(integer(node), Ratio::whole),
        (Type::Decimal(scale), _) => {
            let scale = *scale;
            of_scalar(decimal(node), move |units| Ratio::decimal(units, scale))
        }
        (_, Kind::Convert(of)) => ratio(of),
        (_, Kind::Negate(of)) => {
            let of = ratio(of);
            Box::new(move |env| Ok(of(env)?.map(|number| number.negated())))
        }
        (_, Kind::Absolute(of)) => {
            let of = ratio(of);
            Box::new(move |env| Ok(of(env)?.map(|number| number.absolute())))
        }
        (_, Kind::Arithmetic(operator, left, right)) => arithmetic(*operator, left, right),
        (_, Kind::Extreme(least, left, right)) => {
            let least = *least;
            with(left, right, move |left, right| Ok(if least { left.min(right) } else { left.max(right) }))
        }
        (_, Kind::Coalesce(first, second)) => {
            let (first, second) = (ratio(first), ratio(second));
            Box::new(move |env| match first(env)? {
                None => second(env),
                known => Ok(known),
            })
        }
        (_, Kind::Conditional(parts)) => {
            let (holds, yes, no) = (condition(&parts[0]), ratio(&parts[1]), ratio(&parts[2]));
            Box::new(move |env| if holds(env)? { yes(env) } else { no(env) })
        }
        _ => {
            debug_assert!(false, "a node that is not exact");
            Box::new(|_| Ok(None))
        }
    }
}

fn of_scalar<T: crate::expr::operand::Scalar>(
    operand: Operand<T>,
    number: impl Fn(T) -> Ratio + Send + Sync + 'static,
) -> Eval<Option<Ratio>> {
    Box::new(move |env| Ok(operand.get(env)?.map(&number)))
}

fn arithmetic(operator: Arithmetic, left: &Node, right: &Node) -> Eval<Option<Ratio>> {
    match operator {
        Arithmetic::Add => with(left, right, |left, right| Ok(left.plus(&right))),
        Arithmetic::Subtract => with(left, right, |left, right| Ok(left.minus(&right))),
        Arithmetic::Multiply => with(left, right, |left, right| Ok(left.times(&right))),
        // The remainder is of ints.
        Arithmetic::Divide | Arithmetic::Remainder => {
            with(left, right, |left, right| left.over(&right).ok_or(EvalError::DivisionByZero))
        }
    }
}

/// A computation with two numbers. Null with anything is null.
fn with(
    left: &Node,
    right: &Node,
    compute: impl Fn(Ratio, Ratio) -> Result<Ratio, EvalError> + Send + Sync + 'static,
) -> Eval<Option<Ratio>> {
    let (left, right) = (ratio(left), ratio(right));
    Box::new(move |env| match (left(env)?, right(env)?) {
        (Some(left), Some(right)) => compute(left, right).map(Some),
        _ => Ok(None),
    })
}

/// The float nearest to the value of an exact node.
pub(in crate::expr) fn rounded(node: &Node) -> Operand<f64> {
    let ratio = ratio(node);
    let round = move |env: &Env<'_>| {
        let Some(number) = ratio(env)?.map(|number| number.to_f64()) else { return Ok(None) };
        if number.is_finite() { Ok(Some(number)) } else { Err(EvalError::Overflow) }
    };
    Operand::Computed(Box::new(round))
}

/// The value of an exact node without what is behind the point.
pub(in crate::expr) fn truncated(node: &Node) -> Operand<i64> {
    let ratio = ratio(node);
    Operand::Computed(Box::new(move |env| {
        ratio(env)?.map(|number| number.truncated().ok_or(EvalError::Overflow)).transpose()
    }))
}

/// A comparison of two exact nodes. False with null.
pub(in crate::expr) fn compare(comparison: Comparison, left: &Node, right: &Node) -> Eval<bool> {
    if left.constant().is_some() && right.constant().is_none() {
        return compare(comparison.mirrored(), right, left);
    }
    let left = ratio(left);
    if let Some(right) = right.number() {
        return Box::new(move |env| Ok(left(env)?.is_some_and(|left| comparison.holds(&left, &right))));
    }
    let right = ratio(right);
    Box::new(move |env| Ok(left(env)?.zip(right(env)?).is_some_and(|(left, right)| comparison.holds(&left, &right))))
}

/// `x in [a, b]` of exact nodes. Every element is evaluated. False with null.
pub(in crate::expr) fn membership(of: &Node, elements: &[Node]) -> Eval<bool> {
    let (of, elements) = (ratio(of), elements.iter().map(ratio).collect::<Vec<_>>());
    Box::new(move |env| {
        let of = of(env)?;
        let mut found = false;
        for element in &elements {
            found |= element(env)?.zip(of.as_ref()).is_some_and(|(element, of)| element == *of);
        }
        Ok(found)
    })
}
