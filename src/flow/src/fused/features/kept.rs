//! What columns hold, by meaning: the parts that all of them share.

use propice_define::plan::{Aggregate, Feature};
use propice_model::{Type, Value};

use crate::state::Kept;

use super::latest::Place;

/// Whether something may be held by a feature.
pub(crate) fn fits(feature: &Feature, kept: &Kept) -> bool {
    let argument = feature.argument.as_ref().map_or(&Type::Bool, |argument| argument.ty());
    let is_whole = *argument != Type::Float;
    let is_one = |value: &Value| !value.is_null() && argument.admits(value);
    match (feature.aggregate, kept) {
        (Aggregate::Count, Kept::Sum { n, units: 0 }) => *n > 0,
        (Aggregate::Sum | Aggregate::Avg, Kept::Sum { n, .. }) => is_whole && *n > 0,
        (Aggregate::Sum | Aggregate::Avg, Kept::Tally(_)) => !is_whole && !feature.interval.ends(),
        (Aggregate::Stddev, Kept::Tally(_)) => !feature.interval.ends(),
        (Aggregate::Sum | Aggregate::Avg, Kept::Value { value, times }) => !is_whole && *times > 0 && is_one(value),
        (Aggregate::Count | Aggregate::First | Aggregate::Last, Kept::Value { .. }) => false,
        (_, Kept::Value { value, times }) | (Aggregate::First | Aggregate::Last, Kept::Place { value, times, .. }) => {
            *times > 0 && is_one(value)
        }
        _ => false,
    }
}

/// A value, once.
pub(super) fn kept_value(value: &Value) -> Kept {
    Kept::Value { value: value.clone(), times: 1 }
}

/// A value as often as it counts.
pub(super) fn values(kept: &Kept, each: &mut dyn FnMut(&Value)) -> bool {
    let Kept::Value { value, times } = kept else { return false };
    (0..*times).for_each(|_| each(value));
    true
}

/// A place, once.
pub(super) fn kept_place((event_time, order, value): &Place) -> Kept {
    Kept::Place { event_time: *event_time, order: order.clone(), value: value.clone(), times: 1 }
}

/// A place as often as it counts.
pub(super) fn places(kept: &Kept, each: &mut dyn FnMut(&Place)) -> bool {
    let Kept::Place { event_time, order, value, times } = kept else { return false };
    let place = (*event_time, order.clone(), value.clone());
    (0..*times).for_each(|_| each(&place));
    true
}

/// Something kept that counts more often.
pub(super) fn times(kept: Kept, count: u64) -> Kept {
    match kept {
        Kept::Value { value, .. } => Kept::Value { value, times: count },
        Kept::Place { event_time, order, value, .. } => Kept::Place { event_time, order, value, times: count },
        other => other,
    }
}
