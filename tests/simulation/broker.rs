//! A broker: logs with offsets, transactions with their coordinators, markers that take offsets,
//! compaction, retention.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::Said;
use crate::rng::Rng;

/// What a record holds.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    /// A source record about a key.
    About(u32),
    /// A source record that says nothing: a tombstone of a stream. May be compacted at any time.
    Blank,
    /// An output.
    Said(Said),
    /// A record of ours, as it is stored, with its key.
    Bytes(String, Vec<u8>),
    /// The end of a transaction. Nobody sees it, but it takes an offset.
    Marker,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::About(key) => write!(f, "about {key}"),
            Value::Blank => f.write_str("blank"),
            Value::Said(said) => {
                write!(f, "{}:{} {} at {} count {}", said.key, said.number, said.what, said.time, said.count)
            }
            Value::Bytes(key, bytes) => write!(f, "{key} {}", String::from_utf8_lossy(bytes)),
            Value::Marker => f.write_str("marker"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Plain,
    Open,
    Committed,
    Aborted,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub value: Value,
    pub fate: Fate,
    /// Compacted away. Whoever checks still sees it.
    pub is_gone: bool,
    /// The request that wrote it, while nobody was told that it succeeded.
    pub unanswered: Option<u64>,
    transaction: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    pub entries: Vec<Entry>,
    /// Everything below is deleted.
    pub first: i64,
    /// Somebody has read up to here: this cannot be lost any more.
    read: i64,
    /// The first offset of each transaction that is not decided.
    open: BTreeMap<u64, i64>,
}

impl Log {
    /// The high watermark.
    pub(crate) fn end(&self) -> i64 {
        self.entries.len() as i64
    }

    /// Where those stop who read what is committed.
    pub(crate) fn stable(&self) -> i64 {
        self.open.values().copied().min().unwrap_or(self.end())
    }
}

#[derive(Debug)]
enum Transaction {
    Empty,
    Ongoing {
        number: u64,
        logs: BTreeSet<usize>,
        since: u64,
    },
    /// Decided; the marker is still to be written to these logs.
    Ending {
        number: u64,
        commit: bool,
        logs: Vec<usize>,
    },
}

#[derive(Debug)]
struct Coordinator {
    epoch: u32,
    transaction: Transaction,
}

#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// Takes over the transactional id of the connection.
    Init,
    Send {
        log: usize,
        value: Value,
    },
    Commit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Epoch(u32),
    Offset(i64),
    Done,
    /// Somebody else has the id, or the coordinator gave up the transaction.
    Fenced,
}

#[derive(Debug, Default)]
pub(crate) struct Broker {
    pub logs: Vec<Log>,
    pub is_down: bool,
    coordinators: BTreeMap<u32, Coordinator>,
    transactions: u64,
}

impl Broker {
    /// Records, and the position behind them; `None` where they are deleted.
    pub(crate) fn read(
        &mut self,
        log: usize,
        from: i64,
        committed: bool,
        most: usize,
    ) -> Option<(Vec<(i64, Value)>, i64)> {
        let log = &mut self.logs[log];
        if from < log.first {
            return None;
        }
        let end = if committed { log.stable() } else { log.end() };
        let (mut records, mut position) = (Vec::new(), from);
        while position < end && records.len() < most {
            let entry = &log.entries[position as usize];
            let is_seen = !entry.is_gone && entry.value != Value::Marker && !(committed && entry.fate == Fate::Aborted);
            if is_seen {
                records.push((position, entry.value.clone()));
            }
            position += 1;
        }
        log.read = log.read.max(position);
        Some((records, position))
    }

    pub(crate) fn append(&mut self, log: usize, value: Value, request: u64) -> i64 {
        let entry = Entry { value, fate: Fate::Plain, is_gone: false, unanswered: Some(request), transaction: 0 };
        self.logs[log].entries.push(entry);
        self.logs[log].end() - 1
    }

    /// What a request on a transactional id does; `None` when it has to be tried again.
    pub(crate) fn transact(&mut self, id: u32, epoch: u32, request: &Request, now: u64) -> Option<Reply> {
        let number = self.transactions + 1;
        let coordinator =
            self.coordinators.entry(id).or_insert(Coordinator { epoch: 0, transaction: Transaction::Empty });
        if matches!(request, Request::Init) {
            if !matches!(coordinator.transaction, Transaction::Empty) {
                coordinator.abort();
                return None;
            }
            coordinator.epoch += 1;
            return Some(Reply::Epoch(coordinator.epoch));
        }
        if coordinator.epoch != epoch {
            return Some(Reply::Fenced);
        }
        match (request, &mut coordinator.transaction) {
            (_, Transaction::Ending { .. }) => None,
            (Request::Send { log, value }, transaction) => {
                if matches!(transaction, Transaction::Empty) {
                    self.transactions = number;
                    *transaction = Transaction::Ongoing { number, logs: BTreeSet::new(), since: now };
                }
                let Transaction::Ongoing { number, logs, .. } = transaction else { return None };
                logs.insert(*log);
                let (number, into) = (*number, &mut self.logs[*log]);
                let offset = into.end();
                into.open.entry(number).or_insert(offset);
                let value = value.clone();
                into.entries.push(Entry {
                    value,
                    fate: Fate::Open,
                    is_gone: false,
                    unanswered: None,
                    transaction: number,
                });
                Some(Reply::Offset(offset))
            }
            (_, Transaction::Empty) => Some(Reply::Done),
            (_, transaction) => {
                end(transaction, true);
                Some(Reply::Done)
            }
        }
    }

    /// Writes one marker of a transaction that is decided. Returns whether there was one.
    pub(crate) fn mark(&mut self, rng: &mut Rng) -> bool {
        let ending = |coordinator: &Coordinator| matches!(coordinator.transaction, Transaction::Ending { .. });
        let ids: Vec<u32> = self.coordinators.iter().filter(|(_, one)| ending(one)).map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return false;
        }
        let coordinator = self.coordinators.get_mut(&ids[rng.below(ids.len())]).expect("it was found");
        let Transaction::Ending { number, commit, logs } = &mut coordinator.transaction else { return false };
        let log = logs.swap_remove(rng.below(logs.len()));
        let (number, fate) = (*number, if *commit { Fate::Committed } else { Fate::Aborted });
        if logs.is_empty() {
            coordinator.transaction = Transaction::Empty;
        }
        let log = &mut self.logs[log];
        let first = log.open.remove(&number).unwrap_or(log.end());
        for entry in &mut log.entries[first as usize..] {
            if entry.fate == Fate::Open && entry.transaction == number {
                entry.fate = fate;
            }
        }
        log.entries.push(Entry { value: Value::Marker, fate, is_gone: false, unanswered: None, transaction: number });
        true
    }

    /// The coordinator gives up a transaction that is open for long. Returns whether there was one.
    pub(crate) fn time_out(&mut self, now: u64, patience: u64) -> bool {
        let old = self.coordinators.values_mut().find(
            |one| matches!(one.transaction, Transaction::Ongoing { since, .. } if now.saturating_sub(since) > patience),
        );
        old.map(Coordinator::abort).is_some()
    }

    /// The broker is killed: what it has told nobody, and nobody has read, may be lost. Returns the
    /// requests that have to be made again.
    pub(crate) fn crash(&mut self, rng: &mut Rng) -> BTreeSet<u64> {
        self.is_down = true;
        let mut lost = BTreeSet::new();
        for log in &mut self.logs {
            while log.end() > log.read
                && let Some(request) = log.entries.last().and_then(|entry| entry.unanswered)
                && rng.below(3) > 0
            {
                lost.insert(request);
                log.entries.pop();
            }
        }
        lost
    }

    /// Compacts: of each key of ours the last record stays.
    pub(crate) fn compact(&mut self, log: usize) -> bool {
        let log = &mut self.logs[log];
        let end = log.stable() as usize;
        let (mut seen, mut any) = (BTreeSet::new(), false);
        for entry in log.entries[..end].iter_mut().rev() {
            if let Value::Bytes(key, _) = &entry.value
                && entry.fate != Fate::Aborted
                && !entry.is_gone
                && !seen.insert(key.clone())
            {
                entry.is_gone = true;
                any = true;
            }
        }
        any
    }
}

impl Coordinator {
    /// Aborts what is open, and fences whoever has opened it.
    fn abort(&mut self) {
        if matches!(self.transaction, Transaction::Ongoing { .. }) {
            self.epoch += 1;
            end(&mut self.transaction, false);
        }
    }
}

fn end(transaction: &mut Transaction, commit: bool) {
    if let Transaction::Ongoing { number, logs, .. } = transaction {
        let (number, logs) = (*number, logs.iter().copied().collect());
        *transaction = Transaction::Ending { number, commit, logs };
    }
}
