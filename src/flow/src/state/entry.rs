//! What is kept, by meaning: keys and entries. Names and fingerprints stand where a plan has
//! positions, so that an entry means the same under another plan. `docs/state.md` says what each
//! collection holds.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use propice_define::plan::Verdict;
use propice_model::{EventTime, Id, KeyRange, LogicalTime, Rank, Value};

use crate::aggregate::Tally;
use crate::policy::{FailedGate, Group};

/// What changed of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The name of the collection.
    pub collection: Arc<str>,
    /// The range of the key.
    pub range: KeyRange,
    /// Of what.
    pub key: Key,
    /// What is kept of it now; `None`: nothing any more.
    pub entry: Option<Entry>,
}

/// What an entry is kept of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// An entity: of which kind says the collection.
    Id(Id),
    /// The primary key of a row: of which table says the collection.
    Row(Vec<Value>),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Id(id) => id.fmt(f),
            Key::Row(values) => {
                let texts: Vec<String> = values.iter().map(propice_model::key_range::key_text).collect();
                f.write_str(&texts.join(", "))
            }
        }
    }
}

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// `rows/…`: the current row.
    Row(RowEntry),
    /// `exists/…`: a record of a stream named the entity.
    Exists,
    /// `owners/…`: the customers to whom records of a stream relate the entity, in order.
    Owners(Vec<Id>),
    /// `feature/…`: what counts, in order.
    Feature(Vec<Held>),
    /// `pending/…`: what is to count later, in order.
    Pending(Vec<ToCome>),
    /// `conditions`: the conditions that hold, in order.
    Conditions(Vec<HeldSince>),
    /// `policy`: what the policy remembers.
    Policy(PolicyEntry),
}

/// The current row of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowEntry {
    /// What decides whether a record that comes later takes its place.
    pub rank: Rank,
    /// The fields that are not null, each by its name; `None` for the mark of a deletion.
    pub fields: Option<Vec<(Arc<str>, Value)>>,
}

/// A part of what a feature holds of an entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Held {
    /// The first logical time at which it counts no more; `FOREVER` without a window.
    pub until: LogicalTime,
    /// What counts.
    pub kept: Kept,
}

/// What counts of some records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kept {
    /// How many there are, and the sum of their whole numbers (0 for a count).
    Sum {
        /// How many.
        n: i64,
        /// Their sum, in units of the type.
        units: i128,
    },
    /// Exact sums of what is not whole.
    Tally(Tally),
    /// A value.
    Value {
        /// Which.
        value: Value,
        /// How often it counts.
        times: u64,
    },
    /// A value in the order of events.
    Place {
        /// When it happened.
        event_time: EventTime,
        /// The input's `order`.
        order: Value,
        /// Which value.
        value: Value,
        /// How often it counts.
        times: u64,
    },
}

/// In order, and of what is the same one that counts as often.
pub(crate) fn canonical(mut held: Vec<Held>) -> Vec<Held> {
    held.sort_unstable();
    held.dedup_by(|next, before| before.until == next.until && before.kept.takes(&next.kept));
    held
}

impl Kept {
    /// Takes another one in, if it is the same value.
    fn takes(&mut self, other: &Kept) -> bool {
        match (self, other) {
            (Kept::Value { value, times }, Kept::Value { value: other, times: more }) if value == other => {
                *times += more;
                true
            }
            (
                Kept::Place { event_time, order, value, times },
                Kept::Place { event_time: at, order: by, value: other, times: more },
            ) if event_time == at && order == by && value == other => {
                *times += more;
                true
            }
            _ => false,
        }
    }
}

/// A contribution of a record of a stream that does not count yet (`during`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ToCome {
    /// To which feature.
    pub feature: Fingerprint,
    /// The first logical time at which it counts.
    pub from: LogicalTime,
    /// The first at which it counts no more.
    pub until: LogicalTime,
    /// When it happened.
    pub event_time: EventTime,
    /// The input's `order`.
    pub order: Value,
    /// The argument of the aggregate.
    pub value: Value,
}

/// An entity, by the name of its kind.
pub type NamedEntity = (Arc<str>, Id);

/// A condition that holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HeldSince {
    /// Of which moment, by its name.
    pub moment: Arc<str>,
    /// Of what its condition is a fingerprint.
    pub condition: Fingerprint,
    /// About what, for a moment about an entity.
    pub entity: Option<NamedEntity>,
    /// Since when it holds.
    pub since: LogicalTime,
    /// When its episode opened, if it has held for long enough.
    pub opened: Option<LogicalTime>,
}

/// Which episode of a customer, by names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NamedEpisode {
    /// Of which moment.
    pub moment: Arc<str>,
    /// About what, for a moment about an entity.
    pub entity: Option<NamedEntity>,
    /// The logical time at which it opened.
    pub since: LogicalTime,
}

/// What the policy remembers of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyEntry {
    /// The open episodes, in order.
    pub episodes: Vec<EpisodeEntry>,
    /// In the order in which they were released.
    pub releases: Vec<ReleaseEntry>,
    /// Moments whose silence lasts until then, though their episode has closed.
    pub lingering: Vec<(Arc<str>, LogicalTime)>,
    /// Successes that are waited for.
    pub watches: Vec<WatchEntry>,
}

/// An open episode.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EpisodeEntry {
    /// Which.
    pub episode: NamedEpisode,
    /// How far it has come.
    pub progress: Progress,
    /// The last verdict that was given while it waited, with its grounds.
    pub given: Option<(Verdict, Vec<FailedGate>)>,
    /// It was held out.
    pub held_out: bool,
}

/// How far an episode has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Progress {
    /// It waits.
    Pending,
    /// It was released or handed over.
    Published {
        /// When.
        at: LogicalTime,
        /// Where, by the name of the channel.
        channel: Option<Arc<str>>,
    },
    /// It passed every gate before anything was published.
    Unsaid,
    /// It is over.
    Expired,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReleaseEntry {
    /// Of which episode.
    pub episode: NamedEpisode,
    /// When.
    pub at: LogicalTime,
    /// Where, by the name of the channel.
    pub channel: Option<Arc<str>>,
    /// It went to a person of the bank.
    pub handed: bool,
    /// The hash that the episode is called by, where receipts are read.
    pub id: Option<[u8; 16]>,
}

/// A success that is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WatchEntry {
    /// Of which episode.
    pub episode: NamedEpisode,
    /// Since when.
    pub started: LogicalTime,
    /// Released, or held out.
    pub group: Group,
}

/// What something means, in a hash: the first 16 bytes of the BLAKE3 of its canonical text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Of a canonical text in parts, each behind its length.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Fingerprint {
        let mut hasher = blake3::Hasher::new();
        parts.into_iter().for_each(|part| crate::episode::part(&mut hasher, part.as_bytes()));
        let mut hash = [0; 16];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Fingerprint(hash)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::episode::hexadecimal(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
