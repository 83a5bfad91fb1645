//! Aggregates over the order of events: `first last`, by event time, then the input's `order`, then
//! the value.

use std::collections::BTreeMap;

use propice_model::{EventTime, Value};

use crate::invariant::broken;
use crate::state::Kept;

use super::kept::{kept_place, places, times};
use super::multiset::{count_one, uncount_one};
use super::panes::Single;
use super::{Accumulate, Contributed};

/// What decides which record is first or last; the value comes last.
pub(super) type Place = (EventTime, Value, Value);

/// The place of a contribution.
pub(super) fn place(contributed: &Contributed<'_>) -> Place {
    (contributed.event_time, contributed.order.clone(), contributed.value.clone())
}

/// All records that count, in order.
#[derive(Default)]
pub(super) struct Sequence {
    places: BTreeMap<Place, u64>,
}

impl Accumulate for Sequence {
    type Item = Place;
    type Pane = Single<Place>;
    type Retractable = Single<Place>;

    fn item(contributed: &Contributed<'_>) -> Place {
        place(contributed)
    }

    fn insert(&mut self, item: &Place) {
        count_one(&mut self.places, item);
    }

    fn retract(&mut self, item: &Place) {
        if !uncount_one(&mut self.places, item) {
            broken("a record that no feature holds was taken back");
        }
    }

    fn kept(item: &Place) -> Kept {
        kept_place(item)
    }

    fn items(kept: &Kept, each: &mut dyn FnMut(&Place)) -> bool {
        places(kept, each)
    }

    fn all(&self) -> Vec<Kept> {
        self.places.iter().map(|(place, &count)| times(kept_place(place), count)).collect()
    }
}

impl Sequence {
    pub(super) fn first(&self) -> Value {
        self.places.keys().next().map(|(_, _, value)| value.clone()).unwrap_or_default()
    }

    pub(super) fn last(&self) -> Value {
        self.places.keys().next_back().map(|(_, _, value)| value.clone()).unwrap_or_default()
    }
}

/// The first of records none of which is ever taken back.
#[derive(Default)]
pub(super) struct Earliest(Option<Place>);

/// The last of records none of which is ever taken back.
#[derive(Default)]
pub(super) struct Latest(Option<Place>);

macro_rules! keeps_one {
    ($name:ident, $better:tt) => {
        impl Accumulate for $name {
            type Item = Place;
            type Pane = Single<Place>;
            type Retractable = Single<Place>;

            fn item(contributed: &Contributed<'_>) -> Place {
                place(contributed)
            }

            fn insert(&mut self, item: &Place) {
                if self.0.as_ref().is_none_or(|kept| item $better kept) {
                    self.0 = Some(item.clone());
                }
            }

            fn retract(&mut self, _item: &Place) {
                broken("something was taken back from a feature from which the plan says that nothing is");
            }

            fn kept(item: &Place) -> Kept {
                kept_place(item)
            }

            fn items(kept: &Kept, each: &mut dyn FnMut(&Place)) -> bool {
                places(kept, each)
            }

            fn all(&self) -> Vec<Kept> {
                self.0.iter().map(kept_place).collect()
            }
        }

        impl $name {
            pub(super) fn value(&self) -> Value {
                self.0.as_ref().map(|(_, _, value)| value.clone()).unwrap_or_default()
            }
        }
    };
}

keeps_one!(Earliest, <);
keeps_one!(Latest, >);
