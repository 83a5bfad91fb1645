//! Arbitration: who goes first.

use std::cmp::Ordering;

use propice_define::expr::Env;
use propice_define::plan::ReceiptKind;
use propice_model::{Real, Type, Value};

use super::EpisodeKey;
use super::context::EvaluationContext;
use super::state::Release;

impl EvaluationContext<'_> {
    /// The priority of an episode, with what receipts add to it.
    pub(super) fn priority(&self, key: &EpisodeKey, releases: &[Release]) -> Real {
        let own = self.moment(key).priority.as_ref().map_or(0.0, |priority| {
            self.with_env(key, |env: &Env<'_>| number(&priority.eval(env).unwrap_or_default(), priority.ty()))
        });
        Real::new(own + self.rating(key, releases)).unwrap_or_default()
    }

    /// What the receipts for a moment add to its priority.
    fn rating(&self, key: &EpisodeKey, releases: &[Release]) -> f64 {
        let rating = &self.policy.plan.policy.rating;
        if rating.is_empty() {
            return 0.0;
        }
        let of_moment = self.heard().iter().filter(|heard| heard.answers(key.moment, releases).is_some());
        let counts = of_moment.filter_map(|heard| heard.kind);
        ReceiptKind::ALL.iter().fold(0.0, |total, (_, kind)| {
            let count = counts.clone().filter(|counted| counted == kind).count();
            total + rating.get(kind).map_or(0.0, |weight| weight.get() * count as f64)
        })
    }

    /// Which of two episodes goes first, given their priorities.
    pub(super) fn order(&self, left: (&EpisodeKey, Real), right: (&EpisodeKey, Real)) -> Ordering {
        let purpose = |key: &EpisodeKey| self.moment(key).purpose;
        let ((left, left_priority), (right, right_priority)) = (left, right);
        (purpose(left).cmp(&purpose(right)))
            .then_with(|| right_priority.cmp(&left_priority))
            .then_with(|| (left.since, left.moment, &left.entity).cmp(&(right.since, right.moment, &right.entity)))
    }
}

/// A number of any type; 0 for what is none.
fn number(value: &Value, ty: &Type) -> f64 {
    match (value, ty) {
        (Value::Int(number), _) => *number as f64,
        (Value::Float(number), _) => number.get(),
        (Value::Decimal(number), Type::Decimal(scale)) => number.to_f64(*scale),
        _ => 0.0,
    }
}
