//! Comparisons with `now`: rearranged so that `now` stands alone on the left.
//!
//! ```text
//! now - a >= 48h     becomes     now >= a + 48h
//! due - now < 7d     becomes     now > due - 7d
//! ```
//!
//! What stands on the right does not depend on `now`, so the instant at which the comparison turns
//! is known.

use std::ops::Range;

use super::check::Checker;
use super::typed::{Arithmetic, Comparison, Kind, Node};
use propice_model::Type;

impl Checker<'_> {
    /// A comparison of which at least one side moves with `now`.
    pub(super) fn compare_now(
        &mut self,
        comparison: Comparison,
        left: Node,
        right: Node,
        span: Range<usize>,
    ) -> Option<Node> {
        // Everything on the left: `times · now + terms  OP  0`.
        let mut times = 0;
        let mut terms = Vec::new();
        let linear = collect(left, false, &mut times, &mut terms) && collect(right, true, &mut times, &mut terms);
        if !linear {
            return self.wrong(
                span,
                "`now` cannot be used like this",
                "add to it or subtract from it, as in `now - x >= 48h`",
            );
        }
        match times {
            // now + terms OP 0: now OP -terms
            1 => {
                let negated = terms.into_iter().map(|(negative, term)| (!negative, term)).collect();
                Some(Node::new(span, Type::Bool, Kind::NowCompare(comparison, negated)))
            }
            // -now + terms OP 0: terms OP now
            -1 => Some(Node::new(span, Type::Bool, Kind::NowCompare(comparison.mirrored(), terms))),
            0 => self.wrong(span, "`now` stands on both sides and makes no difference", "leave it out"),
            _ => self.wrong(span, "`now` is counted more than once", "it may stand once in a comparison"),
        }
    }
}

/// Adds what a node is made of: how often `now`, and what else, negated or not. `false` when it is
/// not a sum.
fn collect(node: Node, negative: bool, times: &mut i32, terms: &mut Vec<(bool, Node)>) -> bool {
    if !node.moves {
        terms.push((negative, node));
        return true;
    }
    match node.kind {
        Kind::Now => {
            *times += if negative { -1 } else { 1 };
            true
        }
        Kind::Negate(of) => collect(*of, !negative, times, terms),
        Kind::Arithmetic(operator @ (Arithmetic::Add | Arithmetic::Subtract), left, right) => {
            let subtracted = operator == Arithmetic::Subtract;
            collect(*left, negative, times, terms) && collect(*right, negative != subtracted, times, terms)
        }
        _ => false,
    }
}
