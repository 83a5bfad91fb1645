//! Kafka: partitions that are read, transactions, topics. Bytes only; nothing here knows a pack.
//!
//! ```text
//! settings ──▶ reader      partitions assigned by us, paused one by one
//!          ├─▶ scan        a whole topic up to its end, committed or not
//!          ├─▶ transaction a producer of transactions: begin, send, flush, commit
//!          ├─▶ delivery    a producer that tells when a record is acknowledged
//!          └─▶ topics      what there is, and what is missing
//! ```
//!
//! The facts about brokers and librdkafka that this rests on are in `docs/live.md`. Checked by
//! `tests/live` against a real broker.

mod delivery;
mod error;
mod native;
mod reader;
mod record;
mod scan;
mod settings;
mod topics;
mod transaction;

pub use delivery::{Delivered, DeliveryProducer};
pub use error::{Doing, KafkaError};
pub use reader::Reader;
pub use record::{Outgoing, Partition, Received, RecordHeaders};
pub use scan::{ScanEnd, Scanned, scan};
pub use settings::{Isolation, Options, Settings};
pub use topics::{NewTopic, TopicInfo, Topics};
pub use transaction::TransactionalProducer;
