//! Expressions that are made of others: what the policy keeps of a record in one value.

use std::sync::Arc;

use super::operand::Whole;
use super::predicate::Sign;
use super::{Env, EvalError, Expr, Ref};
use propice_model::{Type, Value};

impl Expr {
    /// One that has a value, and is no condition.
    fn computed(
        source: String,
        ty: Type,
        refs: Vec<(Ref, String)>,
        compute: impl Fn(&Env<'_>) -> Result<Value, EvalError> + Send + Sync + 'static,
    ) -> Expr {
        Expr {
            source,
            ty,
            refs,
            condition: None,
            value: Whole::Computed(Box::new(compute)),
            turns: Vec::new(),
            chain: Vec::new(),
            thresholds: Vec::new(),
            sign: Sign::Unknown,
        }
    }

    /// A list of the values of these, null for a part that is not there. The first is a time and
    /// stands in it negated, as an `Int`, so that the latest is the least; other numbers stand in
    /// it as floats. Null as a whole when one of the first two is.
    pub(crate) fn record(parts: Vec<Option<Expr>>) -> Expr {
        let (source, refs) = (source_of(parts.iter().flatten()), refs_of(parts.iter().flatten()));
        let parts: Vec<Option<RecordPart>> =
            parts.into_iter().enumerate().map(|(at, part)| part.map(|part| RecordPart::of(part, at == 0))).collect();
        let compute = move |env: &Env<'_>| {
            let values: Result<Arc<[Value]>, EvalError> =
                parts.iter().map(|part| part.as_ref().map_or(Ok(Value::Null), |part| part.get(env))).collect();
            let values = values?;
            Ok(if values.iter().take(2).any(Value::is_null) { Value::Null } else { Value::List(values) })
        };
        Expr::computed(source, Type::List(Box::new(Type::Text)), refs, compute)
    }

    /// The value of this one, null when `other` is null.
    pub(crate) fn when_known(self, other: Expr) -> Expr {
        let (source, refs) = (source_of([&self, &other]), refs_of([&self, &other]));
        let (value, known, ty) = (self.value, other.value, self.ty);
        let compute = move |env: &Env<'_>| {
            if known.lend(env, Value::is_null)? { Ok(Value::Null) } else { value.get(env) }
        };
        Expr::computed(source, ty, refs, compute)
    }
}

fn source_of<'a>(parts: impl IntoIterator<Item = &'a Expr>) -> String {
    parts.into_iter().map(Expr::source).collect::<Vec<_>>().join(", ")
}

fn refs_of<'a>(parts: impl IntoIterator<Item = &'a Expr>) -> Vec<(Ref, String)> {
    let mut refs: Vec<(Ref, String)> = Vec::new();
    for (reference, name) in parts.into_iter().flat_map(Expr::refs) {
        if !refs.iter().any(|(known, _)| known == reference) {
            refs.push((*reference, name.clone()));
        }
    }
    refs
}

/// A part of a record, and of which type it is.
struct RecordPart {
    value: Whole,
    ty: Type,
    is_negated: bool,
}

impl RecordPart {
    fn of(expr: Expr, is_negated: bool) -> RecordPart {
        RecordPart { value: expr.value, ty: expr.ty, is_negated }
    }

    fn get(&self, env: &Env<'_>) -> Result<Value, EvalError> {
        Ok(match (self.value.get(env)?, &self.ty) {
            (Value::Time(time_ms), _) if self.is_negated => {
                Value::Int(time_ms.checked_neg().ok_or(EvalError::Overflow)?)
            }
            (Value::Int(number), _) => Value::float(number as f64),
            (Value::Decimal(number), Type::Decimal(scale)) => Value::float(number.to_f64(*scale)),
            (value, _) => value,
        })
    }
}
