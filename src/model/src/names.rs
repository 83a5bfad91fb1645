//! Positions of declared things in the plan that declares them.
//!
//! They index vectors of one plan and mean nothing outside of it; what leaves the process is always
//! the name.

use serde::{Deserialize, Serialize};

macro_rules! position {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u16);

        impl $name {
            /// The position as an index.
            #[inline]
            pub fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    };
}

position! {
    /// A stream or a table, in `Plan::inputs`.
    InputId
}
position! {
    /// A field of an input, in `Input::fields`.
    FieldId
}
position! {
    /// A kind of entity, in `Plan::entities`; 0 is the customer.
    KindId
}
position! {
    /// A feature of a kind of entity, in `Entity::features`.
    FeatureId
}
position! {
    /// A moment, in `Plan::moments`.
    MomentId
}

impl KindId {
    /// The root entity.
    pub const CUSTOMER: KindId = KindId(0);
    /// Not of any entity: the days of the calendar, which a fact of the table of holidays says.
    /// Never in `Plan::entities`.
    pub const CALENDAR: KindId = KindId(u16::MAX);
}
