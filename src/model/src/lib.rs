//! The vocabulary everything above is written in: values and their types, ids, times, records,
//! limits.
//!
//! Pure: no I/O, no clocks, no dataflow. Nothing here knows of a bank, of JSON or of timely.

pub mod decimal;
pub mod id;
pub mod key_range;
pub mod language;
pub mod limits;
pub mod names;
pub mod nearest;
pub mod ratio;
pub mod record;
pub mod rounding;
pub mod time;
pub mod types;
pub mod value;

pub use decimal::Decimal;
pub use id::Id;
pub use key_range::KeyRange;
pub use language::Language;
pub use names::{FeatureId, FieldId, InputId, KindId, MomentId};
pub use ratio::Ratio;
pub use record::{Changes, Contribution, EntityChange, Fact, Origin, Rank, Row};
pub use time::{Duration, EventTime, LogicalTime};
pub use types::Type;
pub use value::{Real, Value};
