//! The parts of a condition without all of which it does not hold: its `&&` chain.
//!
//! A part that compares a name with a constant is a guard: `spent > 100 && 'card' in held` has the
//! guard `spent > 100`. While that is false the condition is false, whatever else it says. Whoever
//! looks at many conditions asks their guards first.

use std::cmp::Ordering;

use super::bounds::sign;
use super::typed::{Comparison, Kind, Node, oriented};
use propice_model::Value;

/// On which side of the constant a value has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// `x > c`, `x >= c`
    Above,
    /// `x < c`, `x <= c`
    Below,
}

/// A comparison of a slot of scope 0 with a constant that a condition implies. False over null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    /// The slot.
    pub slot: u16,
    /// On which side of the constant.
    pub side: Side,
    /// Of the type of the slot.
    pub constant: Value,
    /// Whether the constant itself is enough.
    pub inclusive: bool,
}

impl Predicate {
    /// Whether a value fulfils it.
    #[inline]
    pub fn holds(&self, value: &Value) -> bool {
        let order = match (value, &self.constant) {
            // Most are of ints, and the order of values has many cases.
            (Value::Int(value), Value::Int(constant)) => value.cmp(constant),
            (Value::Null, _) => return false,
            (value, constant) => value.cmp(constant),
        };
        match self.side {
            Side::Above => order.is_gt() || (self.inclusive && order.is_eq()),
            Side::Below => order.is_lt() || (self.inclusive && order.is_eq()),
        }
    }
}

/// A part of the `&&` chain of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The slots of scope 0 that it uses.
    pub slots: Vec<u16>,
    /// What it is, when it is a guard.
    pub predicate: Option<Predicate>,
}

/// The chain of a condition, in the order in which it is written.
pub(super) fn chain(node: &Node) -> Vec<Link> {
    if let Kind::All(parts) = &node.kind {
        return parts.iter().flat_map(chain).collect();
    }
    let predicate = match &node.kind {
        Kind::Compare(comparison, left, right) => predicate(*comparison, left, right),
        _ => None,
    };
    let mut slots = Vec::new();
    for part in node.all() {
        if let Kind::Slot { reference, .. } = &part.kind
            && reference.scope == 0
            && !slots.contains(&reference.slot)
        {
            slots.push(reference.slot);
        }
    }
    vec![Link { slots, predicate }]
}

fn predicate(comparison: Comparison, left: &Node, right: &Node) -> Option<Predicate> {
    let (subject, comparison, constant) = oriented(comparison, left, right)?;
    let (side, inclusive) = match comparison {
        Comparison::Greater => (Side::Above, false),
        Comparison::GreaterEqual => (Side::Above, true),
        Comparison::Less => (Side::Below, false),
        Comparison::LessEqual => (Side::Below, true),
        Comparison::Equal | Comparison::NotEqual => return None,
    };
    let Kind::Slot { reference, .. } = &subject.kind else { return None };
    let constant = constant.constant().filter(|constant| !constant.is_null())?;
    let of_customer = reference.scope == 0;
    of_customer.then(|| Predicate { slot: reference.slot, side, constant: constant.clone(), inclusive })
}

/// What is known of the sign of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing.
    Unknown,
    /// It is not negative.
    NotNegative,
    /// That of a slot of scope 0.
    Of(u16),
    /// The other one than that of a slot of scope 0.
    Against(u16),
}

impl Sign {
    /// Of a value that is a number or a duration.
    pub(super) fn of(node: &Node) -> Sign {
        if node.is_never_negative() {
            return Sign::NotNegative;
        }
        match &node.kind {
            Kind::Slot { reference, .. } if reference.scope == 0 => Sign::Of(reference.slot),
            Kind::Negate(of) => match Sign::of(of) {
                Sign::Of(slot) => Sign::Against(slot),
                Sign::Against(slot) => Sign::Of(slot),
                _ => Sign::Unknown,
            },
            _ => Sign::Unknown,
        }
    }

    /// Whether it is not negative wherever all of some guards hold.
    pub(super) fn is_never_negative<'g>(self, mut predicates: impl Iterator<Item = &'g Predicate>) -> bool {
        match self {
            Sign::Unknown => false,
            Sign::NotNegative => true,
            Sign::Of(slot) => predicates.any(|predicate| {
                predicate.slot == slot
                    && predicate.side == Side::Above
                    && sign(&predicate.constant).is_some_and(Ordering::is_ge)
            }),
            Sign::Against(slot) => predicates.any(|predicate| {
                predicate.slot == slot
                    && predicate.side == Side::Below
                    && sign(&predicate.constant).is_some_and(Ordering::is_le)
            }),
        }
    }
}
