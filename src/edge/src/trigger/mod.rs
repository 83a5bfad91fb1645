//! Triggers: what subscribers get when a verdict is `released`, `handed_to_human`, or `withdrawn`
//! after one of these.
//!
//! ```text
//! decision ──build──▶ Trigger (CloudEvents 1.0) ──┬─▶ structured: one JSON object     triggers/CHANNEL.jsonl
//!                       └ Payload, its data       └─▶ binary: headers and a value     a topic
//! ```
//!
//! `docs/triggers.md` is the contract; `docs/schema/` is generated from these types;
//! `tests/integrated/triggers.rs` checks both, and that nothing leaves that the moment does not
//! share.

mod binary;
mod build;
mod ended;
mod event;
pub mod language;
pub mod payload;
mod reason;
mod telling;

pub use binary::{BinaryError, TopicRecord};
pub use build::{DEFAULT_CHANNEL, channel_name};
pub(crate) use build::{is_published, trigger};
pub use ended::{Speech, slot_label};
pub use event::{CLASSIFICATION, DATA_CONTENT_TYPE, DATA_SCHEMA, SPEC_VERSION, Trigger, TriggerType};
pub use payload::Payload;
pub use telling::Telling;
