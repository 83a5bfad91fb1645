//! Comparisons that can never be true, alone or together with the others of one `&&` chain.

use std::cmp::Ordering;
use std::ops::Range;

use super::check::Checker;
use super::typed::{Comparison, Kind, Node, rescaled};
use propice_model::{Type, Value};

/// What a chain of conditions demands of one thing.
struct Demands<'a> {
    /// The thing.
    subject: &'a Node,
    /// Each comparison with a constant, the thing on the left: comparison, constant, the condition.
    comparisons: Vec<(Comparison, &'a Node, &'a Node)>,
}

impl Checker<'_> {
    /// Refuses a comparison that can never be true because of what is compared.
    pub(super) fn never(
        &mut self,
        comparison: Comparison,
        left: &Node,
        right: &Node,
        span: &Range<usize>,
    ) -> Option<()> {
        let Some((subject, comparison, constant)) = oriented(comparison, left, right) else { return Some(()) };
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if let (Some(most), Some(exact)) = (decimals(subject), constant.exact)
            && exact.scale > most
            && is_equality
        {
            let message = if comparison == Comparison::Equal { "can never be true" } else { "is always true" };
            let has = if most == 0 { "is whole".to_owned() } else { format!("has at most {most} decimals") };
            let help = format!("`{}` {has}", self.spelled(subject));
            return self.wrong(span.clone(), format!("this comparison {message}"), &help);
        }
        let Some(sign) = constant.constant().and_then(sign).filter(|_| subject.is_never_negative()) else {
            return Some(());
        };
        let never = match comparison {
            Comparison::Less => sign != Ordering::Greater,
            Comparison::LessEqual | Comparison::Equal => sign == Ordering::Less,
            _ => false,
        };
        if never {
            let help = format!("`{}` is never negative", self.spelled(subject));
            return self.wrong(span.clone(), "this comparison can never be true", &help);
        }
        Some(())
    }

    /// Notes conditions of one chain that cannot be true together.
    pub(super) fn contradictions(&mut self, parts: &[Node]) {
        let mut demands: Vec<Demands<'_>> = Vec::new();
        for part in parts {
            let Kind::Compare(comparison, left, right) = &part.kind else { continue };
            let Some((subject, comparison, constant)) = oriented(*comparison, left, right) else { continue };
            let subject = plain(subject);
            let known = demands.iter().position(|demand| demand.subject == subject).unwrap_or_else(|| {
                demands.push(Demands { subject, comparisons: Vec::new() });
                demands.len() - 1
            });
            let known = &mut demands[known].comparisons;
            let clash = known.iter().find(|(other, bound, _)| excludes(*other, bound, comparison, constant));
            if let Some((_, _, other)) = clash {
                let message = format!("`{}` and `{}` are never true together", self.spelled(other), self.spelled(part));
                let help = "write `||` when one of them is enough";
                self.wrong::<()>(part.span.clone(), message, help);
            }
            known.push((comparison, constant, part));
        }
    }
}

/// A comparison with its constant on the right.
pub(super) fn oriented<'a>(
    comparison: Comparison,
    left: &'a Node,
    right: &'a Node,
) -> Option<(&'a Node, Comparison, &'a Node)> {
    match (left.constant(), right.constant()) {
        (None, Some(_)) => Some((left, comparison, right)),
        (Some(_), None) => Some((right, comparison.mirrored(), left)),
        _ => None,
    }
}

/// Without the change to another kind of number.
fn plain(node: &Node) -> &Node {
    match &node.kind {
        Kind::Convert(of) if of.ty.is_number() && node.ty.is_number() => plain(of),
        _ => node,
    }
}

/// How many decimals a number can have.
fn decimals(node: &Node) -> Option<u8> {
    match plain(node).ty {
        Type::Int => Some(0),
        Type::Decimal(scale) => Some(scale),
        _ => None,
    }
}

/// Whether a number or a duration is below, at or above zero. `None` for other values.
pub(super) fn sign(value: &Value) -> Option<Ordering> {
    match value {
        Value::Int(number) | Value::Duration(number) => Some(number.cmp(&0)),
        Value::Decimal(number) => Some(number.units().cmp(&0)),
        Value::Float(number) => number.get().partial_cmp(&0.0),
        _ => None,
    }
}

/// The order of two constants.
fn order(left: &Node, right: &Node) -> Option<Ordering> {
    if let (Some(l), Some(r)) = (left.exact, right.exact) {
        let scale = l.scale.max(r.scale);
        return Some(rescaled(l.units, l.scale, scale)?.cmp(&rescaled(r.units, r.scale, scale)?));
    }
    if let (Some(l), Some(r)) = (left.number(), right.number()) {
        return Some(l.cmp(&r));
    }
    if left.ty == right.ty { Some(left.constant()?.cmp(right.constant()?)) } else { None }
}

/// Whether nothing fulfils both comparisons.
fn excludes(first: Comparison, bound: &Node, second: Comparison, limit: &Node) -> bool {
    use Comparison::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    let Some(order) = order(bound, limit) else { return false };
    match (first, second) {
        (Equal, Equal) => order.is_ne(),
        (Equal, NotEqual) | (NotEqual, Equal) => order.is_eq(),
        (NotEqual, _)
        | (_, NotEqual)
        | (Less | LessEqual, Less | LessEqual)
        | (Greater | GreaterEqual, Greater | GreaterEqual) => false,
        // The first is at most its bound, the second at least its limit.
        (LessEqual | Equal, GreaterEqual) | (LessEqual, Equal) => order.is_lt(),
        (Less | LessEqual | Equal, Greater | GreaterEqual) | (Less, Equal) => order.is_le(),
        (Greater | GreaterEqual, _) | (Equal, Less | LessEqual) => excludes(second, limit, first, bound),
    }
}
