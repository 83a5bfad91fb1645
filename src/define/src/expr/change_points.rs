//! When the comparisons with `now` turn.
//!
//! `now OP instant` changes at the instant (`>=`, `<`), one millisecond behind it (`>`, `<=`), or
//! at both (`==`, `!=`). [`Expr::next_change_point`](super::Expr::next_change_point) takes the
//! least of all of these that lies ahead: it may be one at which another part of the expression
//! keeps its value as it is, it never is too late.

use super::Env;
use super::compile::instant;
use super::operand::Eval;
use super::typed::{Comparison, Kind, Node};
use propice_model::LogicalTime;

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

/// All comparisons with `now` in a node.
pub(super) fn turns(node: &Node) -> Vec<ChangePoint> {
    let turn = |node: &Node| match &node.kind {
        Kind::NowCompare(comparison, terms) => Some(ChangePoint { comparison: *comparison, instant: instant(terms) }),
        _ => None,
    };
    node.all().filter_map(turn).collect()
}
