//! When the comparisons with `now` turn.
//!
//! `now OP instant` changes at the instant (`>=`, `<`), one millisecond behind it (`>`, `<=`), or
//! at both (`==`, `!=`). [`Expr::next_change_point`](super::Expr::next_change_point) takes the
//! least of all of these that lies ahead: it may be one at which another part of the expression
//! keeps its value as it is, it never is too late.

use super::operand::{Eval, Operand, slot};
use super::typed::{Comparison, Kind, Node};
use super::{Env, compile};
use propice_model::{LogicalTime, Value};

/// A comparison with `now`.
pub(super) struct ChangePoint {
    comparison: Comparison,
    instant: Eval<Option<i128>>,
}

impl ChangePoint {
    /// The least instant ahead at which it changes.
    pub(super) fn next(&self, env: &Env<'_>) -> Option<LogicalTime> {
        let instant = (self.instant)(env).ok()??;
        let now = i128::from(env.now);
        let at = match self.comparison {
            Comparison::GreaterEqual | Comparison::Less => instant,
            Comparison::Greater | Comparison::LessEqual => instant + 1,
            Comparison::Equal | Comparison::NotEqual => instant + i128::from(instant <= now),
        };
        if at > now { LogicalTime::try_from(at).ok() } else { None }
    }
}

/// The sum of the terms; exact, so that no instant is too far. `None` when one of them is null.
pub(super) fn instant(terms: &[(bool, Node)]) -> Eval<Option<i128>> {
    let mut fixed: i128 = 0;
    let mut moving: Vec<(bool, Operand<i64>)> = Vec::new();
    for (negated, term) in terms {
        match compile::integer(term) {
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

/// All comparisons with `now` in a node.
pub(super) fn turns(node: &Node) -> Vec<ChangePoint> {
    let turn = |node: &Node| match &node.kind {
        Kind::NowCompare(comparison, terms) => Some(ChangePoint { comparison: *comparison, instant: instant(terms) }),
        _ => None,
    };
    node.all().filter_map(turn).collect()
}
