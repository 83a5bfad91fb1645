//! From the checked tree to closures over slots. Nothing is looked up or decided again when they
//! run.
//!
//! There is one family of closures per kind of scalar (`i64` for ints, times and durations, `i128`
//! for decimals, `f64`, `bool`) and one for whole values (texts, ids, lists). A condition is `bool`
//! without null.

pub(super) mod exact;

use std::sync::Arc;

use super::operand::{Eval, Operand, Scalar, Whole, slot};
use super::typed::{Arithmetic, Kind, Node, TextTest, TimePart, rescaled};
use super::{Env, EvalError};
use propice_model::{Decimal, Type, Value};

/// The value of a node that is made of constants.
pub(super) fn constant(node: &Node) -> Result<Value, EvalError> {
    value(node).get(&Env::of(&[], 0))
}

/// A condition: null is false.
pub(super) fn condition(node: &Node) -> Eval<bool> {
    match &node.kind {
        Kind::Slot { reference, .. } => {
            let reference = *reference;
            Box::new(move |env| Ok(matches!(slot(env, reference), Value::Bool(true))))
        }
        Kind::Compare(comparison, left, right) => match &left.ty {
            Type::Int | Type::Time | Type::Duration => integer(left).compare(*comparison, integer(right)),
            Type::Decimal(_) => decimal(left).compare(*comparison, decimal(right)),
            Type::Float if left.is_exact() && right.is_exact() => exact::compare(*comparison, left, right),
            Type::Float => float(left).compare(*comparison, float(right)),
            Type::Bool => boolean(left).compare(*comparison, boolean(right)),
            Type::Text | Type::Id(_) | Type::List(_) => value(left).compare(*comparison, value(right)),
        },
        Kind::NowCompare(comparison, terms) => {
            let (comparison, instant) = (*comparison, instant(terms));
            Box::new(move |env| {
                Ok(instant(env)?.is_some_and(|instant| comparison.holds(&i128::from(env.now), &instant)))
            })
        }
        Kind::All(parts) => {
            let parts: Vec<Eval<bool>> = parts.iter().map(condition).collect();
            Box::new(move |env| {
                for part in &parts {
                    if !part(env)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            })
        }
        Kind::Any(parts) => {
            let parts: Vec<Eval<bool>> = parts.iter().map(condition).collect();
            Box::new(move |env| {
                for part in &parts {
                    if part(env)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            })
        }
        Kind::Not(of) => {
            let of = condition(of);
            Box::new(move |env| of(env).map(|flag| !flag))
        }
        Kind::Has(of) => {
            let of = value(of);
            Box::new(move |env| of.lend(env, |value| !value.is_null()))
        }
        Kind::In(of, list) => membership(of, list),
        _ => {
            let flag = boolean(node);
            Box::new(move |env| Ok(flag.get(env)?.unwrap_or(false)))
        }
    }
}

/// The sum of the terms; exact, so that no instant is too far. `None` when one of them is null.
pub(super) fn instant(terms: &[(bool, Node)]) -> Eval<Option<i128>> {
    let mut fixed: i128 = 0;
    let mut moving: Vec<(bool, Operand<i64>)> = Vec::new();
    for (negated, term) in terms {
        match integer(term) {
            Operand::Constant(ms) if *negated => fixed -= i128::from(ms),
            Operand::Constant(ms) => fixed += i128::from(ms),
            operand => moving.push((*negated, operand)),
        }
    }
    if let [(false, Operand::Slot(reference))] = moving.as_slice() {
        let reference = *reference;
        return Box::new(move |env| {
            Ok(match slot(env, reference) {
                Value::Time(ms) | Value::Duration(ms) => Some(i128::from(*ms) + fixed),
                _ => None,
            })
        });
    }
    Box::new(move |env| {
        let mut sum = Some(fixed);
        for (negated, operand) in &moving {
            let term = operand.get(env)?.map(i128::from);
            sum = sum.zip(term).map(|(sum, term)| if *negated { sum - term } else { sum + term });
        }
        Ok(sum)
    })
}

/// `x in list`
fn membership(of: &Node, list: &Node) -> Eval<bool> {
    if let Kind::List(elements) = &list.kind
        && of.ty == Type::Float
        && of.is_exact()
        && elements.iter().all(Node::is_exact)
    {
        return exact::membership(of, elements);
    }
    let of = value(of);
    let Kind::List(elements) = &list.kind else {
        let list = value(list);
        return Box::new(move |env| {
            of.lend(env, |of| {
                list.lend(env, |list| match list {
                    Value::List(values) => !of.is_null() && values.contains(of),
                    _ => false,
                })
            })?
        });
    };
    let constants: Option<Vec<Value>> = elements.iter().map(|element| element.constant().cloned()).collect();
    if let Some(mut constants) = constants {
        constants.sort_unstable();
        return Box::new(move |env| of.lend(env, |of| constants.binary_search(of).is_ok()));
    }
    let elements: Vec<Whole> = elements.iter().map(value).collect();
    Box::new(move |env| {
        of.lend(env, |of| {
            let mut found = false;
            for element in &elements {
                found |= element.lend(env, |element| !of.is_null() && element == of)?;
            }
            Ok(found)
        })?
    })
}

/// A value of any type.
pub(super) fn value(node: &Node) -> Whole {
    match (&node.ty, &node.kind) {
        (_, Kind::Constant(constant)) => Whole::Constant(constant.clone()),
        (_, Kind::Slot { reference, .. }) => Whole::Slot(*reference),
        (Type::Int, _) => Whole::of(integer(node), Value::Int),
        (Type::Time, _) => Whole::of(integer(node), Value::Time),
        (Type::Duration, _) => Whole::of(integer(node), Value::Duration),
        (Type::Decimal(_), _) => Whole::of(decimal(node), Value::decimal),
        (Type::Float, _) => Whole::of(float(node), Value::float),
        (Type::Bool, _) => Whole::of(boolean(node), Value::Bool),
        (Type::Text | Type::Id(_) | Type::List(_), _) => Whole::Computed(whole(node)),
    }
}

/// A text, id or list that is no constant and no name.
fn whole(node: &Node) -> Eval<Value> {
    match &node.kind {
        Kind::Join(left, right) => {
            let (left, right) = (value(left), value(right));
            Box::new(move |env| {
                left.lend(env, |left| {
                    right.lend(env, |right| match (left, right) {
                        (Value::Text(left), Value::Text(right)) => Value::Text(Arc::from([&**left, &**right].concat())),
                        _ => Value::Null,
                    })
                })?
            })
        }
        Kind::Convert(of) => {
            let (of, ty) = (value(of), of.ty.clone());
            Box::new(move |env| of.lend(env, |value| as_text(value, &ty)))
        }
        Kind::Conditional(parts) => {
            let (holds, yes, no) = (condition(&parts[0]), value(&parts[1]), value(&parts[2]));
            Box::new(move |env| if holds(env)? { yes.get(env) } else { no.get(env) })
        }
        Kind::Coalesce(first, second) => {
            let (first, second) = (value(first), value(second));
            Box::new(move |env| match first.get(env)? {
                Value::Null => second.get(env),
                known => Ok(known),
            })
        }
        Kind::Extreme(least, left, right) => {
            let (least, left, right) = (*least, value(left), value(right));
            Box::new(move |env| {
                let (left, right) = (left.get(env)?, right.get(env)?);
                if left.is_null() || right.is_null() {
                    return Ok(Value::Null);
                }
                Ok(if least { left.min(right) } else { left.max(right) })
            })
        }
        Kind::List(elements) => {
            let elements: Vec<Whole> = elements.iter().map(value).collect();
            Box::new(move |env| {
                let values: Result<Arc<[Value]>, EvalError> = elements.iter().map(|element| element.get(env)).collect();
                values.map(Value::List)
            })
        }
        _ => impossible(Value::Null),
    }
}

/// What the checker does not let through.
fn impossible<T: Clone + Send + Sync + 'static>(nothing: T) -> Eval<T> {
    debug_assert!(false, "a node without an evaluation");
    Box::new(move |_| Ok(nothing.clone()))
}

/// What `string(x)` gives: as in JSON, without quotes.
fn as_text(value: &Value, ty: &Type) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Text(text) => Value::Text(Arc::clone(text)),
        Value::Id(id) => Value::text(&id.to_string()),
        value => {
            let mut text = String::new();
            value.write_json(ty, &mut text);
            Value::text(text.trim_matches('"'))
        }
    }
}

/// A scalar of any family: what all families have in common, or else what is special to one.
fn scalar<T: Scalar>(node: &Node, special: fn(&Node) -> Operand<T>) -> Operand<T> {
    match &node.kind {
        Kind::Constant(value) => match T::of(value) {
            Some(constant) => Operand::Constant(constant),
            None => Operand::Computed(Box::new(|_| Ok(None))),
        },
        Kind::Slot { reference, .. } => Operand::Slot(*reference),
        Kind::Conditional(parts) => {
            let holds = condition(&parts[0]);
            let (yes, no) = (scalar(&parts[1], special), scalar(&parts[2], special));
            Operand::Computed(Box::new(move |env| if holds(env)? { yes.get(env) } else { no.get(env) }))
        }
        Kind::Coalesce(first, second) => {
            let (first, second) = (scalar(first, special), scalar(second, special));
            Operand::Computed(Box::new(move |env| match first.get(env)? {
                None => second.get(env),
                known => Ok(known),
            }))
        }
        Kind::Extreme(least, left, right) => {
            let (left, right) = (scalar(left, special), scalar(right, special));
            if *least {
                left.with(right, |left, right| Ok(if right < left { right } else { left }))
            } else {
                left.with(right, |left, right| Ok(if right > left { right } else { left }))
            }
        }
        _ => special(node),
    }
}

/// Ints, times and durations.
pub(super) fn integer(node: &Node) -> Operand<i64> {
    scalar(node, |node| match &node.kind {
        Kind::Negate(of) => integer(of).map(|x| x.checked_neg().ok_or(EvalError::Overflow)),
        Kind::Absolute(of) => integer(of).map(|x| x.checked_abs().ok_or(EvalError::Overflow)),
        Kind::Arithmetic(operator, left, right) => {
            let (left, right) = (integer(left), integer(right));
            match operator {
                Arithmetic::Add => left.with(right, |x, y| x.checked_add(y).ok_or(EvalError::Overflow)),
                Arithmetic::Subtract => left.with(right, |x, y| x.checked_sub(y).ok_or(EvalError::Overflow)),
                Arithmetic::Multiply => left.with(right, |x, y| x.checked_mul(y).ok_or(EvalError::Overflow)),
                Arithmetic::Divide => left.with(right, |x, y| divided(y, x.checked_div(y))),
                Arithmetic::Remainder => left.with(right, |x, y| divided(y, x.checked_rem(y))),
            }
        }
        Kind::Size(of) => value(of).map(|value| {
            Ok(match value {
                Value::Text(text) => text.chars().count() as i64,
                Value::List(values) => values.len() as i64,
                _ => 0,
            })
        }),
        Kind::Part(part, of, zone) => {
            let (part, zone) = (*part, zone.clone());
            integer(of).map(move |time_ms| part_of_time(part, time_ms, &zone))
        }
        Kind::Convert(of) => match of.ty {
            Type::Decimal(scale) => {
                let size = 10_i128.pow(u32::from(scale));
                decimal(of).map(move |units| i64::try_from(units / size).map_err(|_| EvalError::Overflow))
            }
            Type::Float if of.is_exact() => exact::truncated(of),
            Type::Float => float(of).map(truncated),
            Type::Text => value(of).map(|value| match value {
                Value::Text(text) => text.parse().map_err(|_| EvalError::Conversion),
                _ => Err(EvalError::Conversion),
            }),
            _ => Operand::Computed(impossible(None)),
        },
        _ => Operand::Computed(impossible(None)),
    })
}

/// The result of a division by `divisor`, which has none by zero.
fn divided(divisor: i64, result: Option<i64>) -> Result<i64, EvalError> {
    result.ok_or(if divisor == 0 { EvalError::DivisionByZero } else { EvalError::Overflow })
}

/// A float without what is behind the point.
fn truncated(number: f64) -> Result<i64, EvalError> {
    // The bounds are powers of two, exact as floats.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    let whole = number.trunc();
    if (-BOUND..BOUND).contains(&whole) { Ok(whole as i64) } else { Err(EvalError::Overflow) }
}

/// A part of a time in a zone.
fn part_of_time(part: TimePart, time_ms: i64, zone: &jiff::tz::TimeZone) -> Result<i64, EvalError> {
    let timestamp = jiff::Timestamp::from_millisecond(time_ms).map_err(|_| EvalError::Overflow)?;
    let at = zone.to_datetime(timestamp);
    Ok(match part {
        TimePart::FullYear => i64::from(at.year()),
        TimePart::Month => i64::from(at.month()) - 1,
        TimePart::DayOfMonth => i64::from(at.day()) - 1,
        TimePart::Date => i64::from(at.day()),
        TimePart::DayOfWeek => i64::from(at.weekday().to_sunday_zero_offset()),
        TimePart::DayOfYear => i64::from(at.day_of_year()) - 1,
        TimePart::Hours => i64::from(at.hour()),
        TimePart::Minutes => i64::from(at.minute()),
        TimePart::Seconds => i64::from(at.second()),
        TimePart::Milliseconds => i64::from(at.millisecond()),
    })
}

/// Units of decimals.
pub(super) fn decimal(node: &Node) -> Operand<i128> {
    scalar(node, |node| match (&node.kind, &node.ty) {
        (Kind::Negate(of), _) => decimal(of).map(|x| x.checked_neg().ok_or(EvalError::Overflow)),
        (Kind::Absolute(of), _) => decimal(of).map(|x| x.checked_abs().ok_or(EvalError::Overflow)),
        (Kind::Arithmetic(operator, left, right), _) => {
            let (left, right) = (decimal(left), decimal(right));
            match operator {
                Arithmetic::Add => left.with(right, |x, y| x.checked_add(y).ok_or(EvalError::Overflow)),
                Arithmetic::Subtract => left.with(right, |x, y| x.checked_sub(y).ok_or(EvalError::Overflow)),
                Arithmetic::Multiply => left.with(right, |x, y| x.checked_mul(y).ok_or(EvalError::Overflow)),
                Arithmetic::Divide | Arithmetic::Remainder => Operand::Computed(impossible(None)),
            }
        }
        (Kind::Convert(of), Type::Decimal(scale)) => {
            let scale = *scale;
            match of.ty {
                Type::Int => integer(of).map(move |x| rescaled(i128::from(x), 0, scale).ok_or(EvalError::Overflow)),
                Type::Decimal(from) => decimal(of).map(move |x| rescaled(x, from, scale).ok_or(EvalError::Overflow)),
                _ => Operand::Computed(impossible(None)),
            }
        }
        _ => Operand::Computed(impossible(None)),
    })
}

/// Floats: finite, or an error.
fn float(node: &Node) -> Operand<f64> {
    fn finite(number: f64) -> Result<f64, EvalError> {
        if number.is_finite() { Ok(number) } else { Err(EvalError::Overflow) }
    }
    scalar(node, |node| match &node.kind {
        Kind::Negate(of) => float(of).map(|x| Ok(-x)),
        Kind::Absolute(of) => float(of).map(|x| Ok(x.abs())),
        Kind::Arithmetic(..) if node.is_exact() => exact::rounded(node),
        Kind::Arithmetic(operator, left, right) => {
            let (left, right) = (float(left), float(right));
            match operator {
                Arithmetic::Add => left.with(right, |x, y| finite(x + y)),
                Arithmetic::Subtract => left.with(right, |x, y| finite(x - y)),
                Arithmetic::Multiply => left.with(right, |x, y| finite(x * y)),
                Arithmetic::Divide => {
                    left.with(right, |x, y| if y == 0.0 { Err(EvalError::DivisionByZero) } else { finite(x / y) })
                }
                Arithmetic::Remainder => Operand::Computed(impossible(None)),
            }
        }
        Kind::Convert(of) | Kind::Rounded(of) => match of.ty {
            Type::Float => float(of),
            Type::Int => integer(of).map(|x| Ok(x as f64)),
            Type::Decimal(scale) => decimal(of).map(move |x| finite(Decimal::new(x).to_f64(scale))),
            Type::Text => value(of).map(|value| match value {
                Value::Text(text) => {
                    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or(EvalError::Conversion)
                }
                _ => Err(EvalError::Conversion),
            }),
            _ => Operand::Computed(impossible(None)),
        },
        _ => Operand::Computed(impossible(None)),
    })
}

/// Flags, which can be null.
fn boolean(node: &Node) -> Operand<bool> {
    scalar(node, |node| match &node.kind {
        Kind::Test(test, left, right) => {
            let (test, left, right) = (*test, value(left), value(right));
            Operand::Computed(Box::new(move |env| {
                left.lend(env, |left| {
                    right.lend(env, |right| match (left, right) {
                        (Value::Text(left), Value::Text(right)) => Some(match test {
                            TextTest::StartsWith => left.starts_with(&**right),
                            TextTest::EndsWith => left.ends_with(&**right),
                            TextTest::Contains => left.contains(&**right),
                        }),
                        _ => None,
                    })
                })?
            }))
        }
        Kind::Matches(of, regex) => {
            let regex = regex.clone();
            value(of).map(move |value| Ok(matches!(value, Value::Text(text) if regex.is_match(text))))
        }
        Kind::Compare(..)
        | Kind::NowCompare(..)
        | Kind::All(_)
        | Kind::Any(_)
        | Kind::Not(_)
        | Kind::Has(_)
        | Kind::In(..) => {
            let holds = condition(node);
            Operand::Computed(Box::new(move |env| holds(env).map(Some)))
        }
        _ => Operand::Computed(impossible(None)),
    })
}
