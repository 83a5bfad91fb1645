//! What can grow, and how far. One place, quoted by `docs/packs.md` and by the errors that name
//! them.

/// A pack file, in bytes.
pub const PACK_BYTES: usize = 1 << 20;
/// An expression, in characters.
pub const EXPRESSION_CHARS: usize = 4_096;
/// How deep an expression may be nested.
pub const EXPRESSION_DEPTH: usize = 64;
/// Inputs, entities and moments of a pack, each.
pub const DECLARATIONS: usize = 1_024;
/// Features and attributes of one entity.
pub const SLOTS: usize = 4_096;
/// Fields of an input.
pub const FIELDS: usize = 4_096;
/// A name, in bytes.
pub const NAME_BYTES: usize = 64;
/// A record, in bytes of its line.
pub const RECORD_BYTES: usize = 1 << 20;
/// Decimals of a field.
pub const FIELD_SCALE: u8 = 9;
/// Decimals of the result of an expression.
pub const RESULT_SCALE: u8 = 18;
/// Values shown by a `set` that declares nothing.
pub const SET_DEFAULT: usize = 100;
/// Values that a `set` or a `top` may show at most.
pub const SET_MOST: usize = 10_000;
/// The longest duration a pack may declare: 100 years.
pub const DURATION_MS: i64 = 100 * 366 * super::time::DAY_MS;
/// Records that a source hands over at once.
pub const BATCH_RECORDS: usize = 1_024;
/// Batches that wait between a source and the dataflow.
pub const QUEUED_BATCHES: usize = 4;
/// Records of an input after which it ends a run that all of them, or too large a share, were
/// refused.
pub const REFUSED_RECORDS: u64 = 1_000;
/// Bytes of input that a batch of one file holds before it is handed on.
pub const BATCH_BYTES: usize = 1 << 20;
/// Releases of a customer that the policy remembers, and receipts and signals of mood that it
/// reads, each.
pub const RELEASES: usize = 1_000;
/// Lines over which a quoted value of a delimited file may run.
pub const QUOTED_LINES: usize = 1_000;
/// How much of a line that is too long its dead letter keeps, in bytes.
pub const KEPT_BYTES: usize = 4_096;
/// Bytes of an input that is read only once and has to be read twice: what belongs to whom, from a
/// pipe.
pub const HELD_BYTES: usize = 256 << 20;
/// What a variable of a deployment file may stand for, in bytes.
pub const VARIABLE_BYTES: usize = 64 << 10;
/// The name of a topic, in bytes; Kafka's own limit.
pub const TOPIC_BYTES: usize = 249;
/// Topics of one input.
pub const INPUT_TOPICS: usize = 1_024;
/// A key with what is kept of it, as it is stored, in bytes.
pub const STATE_ENTRY_BYTES: u64 = 64 << 20;
/// A block of a part of a checkpoint, before it is packed: it is closed past that.
pub const STATE_BLOCK_BYTES: usize = 1 << 20;
/// Entries that wait to be packed, of one writer of a part.
pub const STATE_BUFFER_BYTES: usize = 16 << 20;
/// Bytes of a part that go into the store at once. Buckets take no less than 5 MiB.
pub const STATE_UPLOAD_BYTES: usize = 8 << 20;
/// Bytes of a part that are read ahead.
pub const STATE_READ_BYTES: u64 = 4 << 20;
/// A manifest of a checkpoint, and any other small object of the store, in bytes.
pub const STATE_SMALL_BYTES: u64 = 64 << 20;
/// Checkpoints that are kept, so that one that is damaged has some before it.
pub const STATE_CHECKPOINTS: usize = 3;
/// Generations that are kept.
pub const STATE_GENERATIONS: usize = 16;
