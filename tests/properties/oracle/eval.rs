//! The value of an expression. `Err` is a failure: overflow, division by zero.

use super::exact::{is_zero, nearest, of_decimal, whole};
use super::expr::{Node, Op};
use super::value::{Id, Ty, V, decimal_to_float, rescale};

/// An expression failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed;

/// What an expression is evaluated over.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) rows: [&'a [V]; 2],
    pub(crate) now: i64,
}

impl<'a> Scope<'a> {
    pub(crate) fn of(row: &'a [V], now: i64) -> Scope<'a> {
        Scope { rows: [row, &[]], now }
    }
}

impl Node {
    /// Its value; a literal such as `1.5` and a fraction are floats now.
    pub(crate) fn value(&self, scope: Scope<'_>) -> Result<V, Failed> {
        as_type(self.eval(scope)?, &self.ty.kept())
    }

    /// As a condition: null and failure are false.
    pub(crate) fn holds(&self, scope: Scope<'_>) -> bool {
        self.eval(scope).is_ok_and(|value| value.holds())
    }

    fn eval(&self, scope: Scope<'_>) -> Result<V, Failed> {
        match &self.op {
            Op::Const(value) => Ok(value.clone()),
            Op::Now => Ok(V::Time(scope.now)),
            Op::Slot(row, slot) => Ok(scope.rows[*row][*slot].clone()),
            Op::List(items) => {
                let of = if let Ty::List(of) = &self.ty { of } else { unreachable!("a list") };
                let items = items.iter().map(|item| item.eval(scope).and_then(|value| as_type(value, of)));
                Ok(V::List(items.collect::<Result<_, _>>()?))
            }
            Op::Call(name, arguments) => self.call(name, arguments, scope),
        }
    }

    fn call(&self, name: &str, arguments: &[Node], scope: Scope<'_>) -> Result<V, Failed> {
        let eval = |at: usize| arguments[at].eval(scope);
        match name {
            "_&&_" => Ok(V::Bool(eval(0)?.holds() && eval(1)?.holds())),
            "_||_" => Ok(V::Bool(eval(0)?.holds() || eval(1)?.holds())),
            "!_" => Ok(V::Bool(!eval(0)?.holds())),
            "_?_:_" => as_type(if eval(0)?.holds() { eval(1)? } else { eval(2)? }, &self.ty),
            "coalesce" => {
                let first = eval(0)?;
                as_type(if first.is_null() { eval(1)? } else { first }, &self.ty)
            }
            "present" => Ok(V::Bool(!eval(0)?.is_null())),
            "@in" => {
                let (needle, list) = (eval(0)?, eval(1)?);
                let of = if let Ty::List(of) = &arguments[1].ty { of } else { unreachable!("a list") };
                let V::List(items) = list else { return Ok(V::Bool(false)) };
                let both = super::expr::unified(&arguments[0].ty, of);
                let mut found = false;
                for item in items {
                    found |= compared("_==_", as_type(needle.clone(), &both)?, as_type(item, &both)?);
                }
                Ok(V::Bool(found))
            }
            "_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_" => {
                let both = super::expr::unified(&arguments[0].ty, &arguments[1].ty);
                Ok(V::Bool(compared(name, as_type(eval(0)?, &both)?, as_type(eval(1)?, &both)?)))
            }
            _ => {
                let values = arguments.iter().map(|argument| argument.eval(scope)).collect::<Result<Vec<_>, _>>()?;
                if values.iter().any(V::is_null) { Ok(V::Null) } else { applied(name, &self.ty, arguments, values) }
            }
        }
    }
}

/// A comparison; false with null.
fn compared(name: &str, a: V, b: V) -> bool {
    if a.is_null() || b.is_null() {
        return false;
    }
    let order = a.order(&b);
    match name {
        "_==_" => order.is_eq(),
        "_!=_" => order.is_ne(),
        "_<_" => order.is_lt(),
        "_<=_" => order.is_le(),
        "_>_" => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// A number as another type of number, or the same type.
pub(crate) fn as_type(value: V, ty: &Ty) -> Result<V, Failed> {
    Ok(match (value, ty) {
        (V::Int(number), Ty::Decimal(scale)) => {
            V::Decimal(rescale(i128::from(number), 0, *scale).ok_or(Failed)?, *scale)
        }
        (V::Decimal(units, from), Ty::Decimal(to)) => V::Decimal(rescale(units, from, *to).ok_or(Failed)?, *to),
        (V::Int(number), Ty::Float) => V::Float(number as f64),
        (V::Text(text), Ty::Id(_)) => V::Id(Id::of(&text)),
        (V::Int(number), Ty::Id(_)) => V::Id(Id::of(&number.to_string())),
        (V::Decimal(units, scale), Ty::Float) => V::Float(decimal_to_float(units, scale)),
        (V::Fraction(number), Ty::Float) => V::Float(nearest(&number).ok_or(Failed)? + 0.0),
        (V::Int(number), Ty::Fraction) => V::Fraction(whole(i128::from(number))),
        (V::Decimal(units, scale), Ty::Fraction) => V::Fraction(of_decimal(units, scale)),
        (V::List(items), Ty::List(of)) => {
            V::List(items.into_iter().map(|item| as_type(item, of)).collect::<Result<_, _>>()?)
        }
        (value, _) => value,
    })
}

/// A function of values that are all there.
fn applied(name: &str, ty: &Ty, arguments: &[Node], mut values: Vec<V>) -> Result<V, Failed> {
    let texts = |values: &[V]| match values {
        [V::Text(a), V::Text(b)] => (a.clone(), b.clone()),
        other => panic!("not texts: {other:?}"),
    };
    match name {
        "startsWith" => {
            return Ok(V::Bool({
                let (a, b) = texts(&values);
                a.starts_with(&b)
            }));
        }
        "endsWith" => {
            return Ok(V::Bool({
                let (a, b) = texts(&values);
                a.ends_with(&b)
            }));
        }
        "contains" => {
            return Ok(V::Bool({
                let (a, b) = texts(&values);
                a.contains(&b)
            }));
        }
        "_+_" | "_-_" | "_*_" | "_/_" if matches!(ty, Ty::Float | Ty::Fraction) => {
            for value in &mut values {
                *value = as_type(value.clone(), ty)?;
            }
        }
        "_*_" | "_/_" => {}
        "_+_" | "_-_" | "_%_" | "min" | "max" if arguments[0].ty != Ty::Time => {
            let both = super::expr::unified(&arguments[0].ty, &arguments[1].ty);
            for value in &mut values {
                *value = as_type(value.clone(), &both)?;
            }
        }
        _ => {}
    }
    match (name, values.as_slice()) {
        ("size", [V::Text(text)]) => Ok(V::Int(text.chars().count() as i64)),
        ("size", [V::List(items)]) => Ok(V::Int(items.len() as i64)),
        ("min", [a, b]) => Ok(if a.order(b).is_le() { a.clone() } else { b.clone() }),
        ("max", [a, b]) => Ok(if a.order(b).is_ge() { a.clone() } else { b.clone() }),
        ("string", [V::Int(number)]) => Ok(V::Text(number.to_string())),
        ("int", [V::Decimal(units, scale)]) => {
            Ok(V::Int(i64::try_from(units / 10_i128.pow(u32::from(*scale))).map_err(|_| Failed)?))
        }
        ("int", [V::Fraction(number)]) => Ok(V::Int(i64::try_from(number.trunc().to_integer()).map_err(|_| Failed)?)),
        ("int", [V::Float(number)]) if number.abs() < 1e15 => Ok(V::Int(number.trunc() as i64)),
        ("double", [value]) => as_type(value.clone(), &Ty::Float),
        ("getMilliseconds", [V::Time(ms)]) => Ok(V::Int(ms.rem_euclid(1_000))),
        ("getSeconds", [V::Time(ms)]) => Ok(V::Int(ms.div_euclid(1_000).rem_euclid(60))),
        ("abs", [value]) if value.order(&zero_like(value)).is_ge() => Ok(value.clone()),
        ("abs" | "-_", [value]) => negated(value),
        (_, [a, b]) => arithmetic(name, a, b),
        other => panic!("not a function of the language: {other:?}"),
    }
}

fn zero_like(value: &V) -> V {
    match value {
        V::Int(_) => V::Int(0),
        V::Float(_) => V::Float(0.0),
        V::Decimal(_, scale) => V::Decimal(0, *scale),
        V::Fraction(_) => V::Fraction(whole(0)),
        _ => V::Duration(0),
    }
}

fn negated(value: &V) -> Result<V, Failed> {
    Ok(match value {
        V::Int(number) => V::Int(number.checked_neg().ok_or(Failed)?),
        V::Float(number) => V::Float(0.0 - number),
        V::Decimal(units, scale) => V::Decimal(-units, *scale),
        V::Fraction(number) => V::Fraction(-number),
        V::Duration(ms) => V::Duration(ms.checked_neg().ok_or(Failed)?),
        other => panic!("cannot be negated: {other:?}"),
    })
}

fn arithmetic(name: &str, a: &V, b: &V) -> Result<V, Failed> {
    let whole = |a: i64, b: i64| match name {
        "_+_" => a.checked_add(b),
        "_-_" => a.checked_sub(b),
        "_*_" => a.checked_mul(b),
        "_/_" => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    Ok(match (a, b) {
        (V::Int(a), V::Int(b)) => V::Int(whole(*a, *b).ok_or(Failed)?),
        (V::Duration(a), V::Duration(b) | V::Int(b)) => V::Duration(whole(*a, *b).ok_or(Failed)?),
        (V::Text(a), V::Text(b)) => V::Text(format!("{a}{b}")),
        (V::Time(a), V::Duration(b)) => V::Time(whole(*a, *b).ok_or(Failed)?),
        (V::Time(a), V::Time(b)) => V::Duration(whole(*a, *b).ok_or(Failed)?),
        (V::Decimal(a, m), V::Decimal(b, n)) => match name {
            "_*_" => V::Decimal(a.checked_mul(*b).ok_or(Failed)?, m + n),
            "_+_" => V::Decimal(a.checked_add(*b).ok_or(Failed)?, *m),
            _ => V::Decimal(a.checked_sub(*b).ok_or(Failed)?, *m),
        },
        (V::Decimal(a, scale), V::Int(b)) | (V::Int(b), V::Decimal(a, scale)) => {
            V::Decimal(a.checked_mul(i128::from(*b)).ok_or(Failed)?, *scale)
        }
        (V::Fraction(a), V::Fraction(b)) => V::Fraction(match name {
            "_+_" => a + b,
            "_-_" => a - b,
            "_*_" => a * b,
            _ if is_zero(b) => return Err(Failed),
            _ => a / b,
        }),
        (V::Float(a), V::Float(b)) => {
            let result = match name {
                "_+_" => a + b,
                "_-_" => a - b,
                "_*_" => a * b,
                _ => a / b,
            };
            if !result.is_finite() || (name == "_/_" && *b == 0.0) {
                return Err(Failed);
            }
            V::Float(result + 0.0)
        }
        other => panic!("no arithmetic: {name} {other:?}"),
    })
}
