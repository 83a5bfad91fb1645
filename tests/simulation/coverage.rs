//! Which cases were drawn, and how often.

/// Where a process can be when something happens to it.
macro_rules! names {
    ($(#[$doc:meta])* $enum:ident, $all:ident: $($name:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $enum { $($name,)* }
        pub(crate) const $all: &[&str] = &[$($text,)*];
    };
}

names! {
    /// A named point of LIVE.md at which a process may be killed or stopped.
    Point, POINTS:
    NumberAsked = "start 1: the number is asked for",
    Fencing = "start 2: between number and fence",
    Fenced = "start 2: fenced, not looked yet",
    Looked = "start 3: looked, the mark is not acknowledged",
    ReadingProgress = "start 4: marked, reading progress",
    ReadingBindings = "start 4: reading bindings",
    Loading = "start 5: bindings read, not loaded",
    Loaded = "start 6: loaded, nothing fed",
    Replaying = "start 6: feeding what was bound before",
    BindingUnsent = "a binding is made, not sent",
    BindingSent = "a binding is sent, not acknowledged",
    BindingAcknowledged = "a binding is acknowledged, not durable or committed",
    Idle = "before begin, with output that waits",
    Begun = "after begin, nothing sent",
    Sending = "between sends",
    BeforeProgress = "all sent but progress",
    ProgressSent = "progress sent, not all acknowledged",
    Flushed = "all acknowledged, commit not sent",
    CommitSent = "commit sent",
    CommitApplied = "commit applied, its answer on the way",
    Committed = "commit answered",
    BothProducers = "one producer commits while the other one fills",
    WritingParts = "while parts are written",
    PartsWritten = "parts written, manifest not put",
    ManifestSent = "manifest sent",
    ManifestPut = "manifest put, its answer on the way",
    Deleting = "while old parts are deleted",
}

names! {
    /// Something that happens in a schedule.
    Case, CASES:
    ExactlyOnce = "lane: exactly once, bindings in the transactions",
    AtLeastOnce = "lane: at least once, bindings read back",
    Slots = "lane: several slots, bindings read back",
    MoreWorkers = "restart with more workers",
    FewerWorkers = "restart with fewer workers",
    SameWorkers = "restart with as many workers",
    TwoStart = "two generations start at once",
    SecondWhileFirst = "a second process starts while the first one runs",
    LostNumber = "the number was taken by somebody else",
    NotNewest = "the look finds a newer generation",
    FencedSend = "a send is fenced",
    FencedCommit = "a commit is fenced",
    VoidBinding = "a zombie binds behind the mark of the next generation",
    Superseded = "a process reads the mark of its successor",
    ZombieWentOn = "a process goes on after its successor has begun",
    LateRequest = "a request arrives after its process was killed",
    LostRequest = "a request is lost with its process",
    AnswerLost = "a commit is applied, and its process is killed before the answer",
    CoordinatorTimeOut = "the coordinator gives up a transaction",
    BrokerKilled = "the broker is killed",
    BrokerLost = "the broker loses what it acknowledged to nobody",
    WaitedForMarkers = "a start waits for the markers of a transaction",
    WaitedForOpen = "a start waits behind a transaction that is open",
    StoreFailsBefore = "the store fails, and did nothing",
    StoreFailsAfter = "the store fails, and did it",
    StoreReorders = "the store does a later request first",
    ClockBack = "the clock jumps back by an hour",
    ClockForward = "the clock jumps forward by an hour",
    BoundBehindClock = "something is bound while the clock is behind the last time",
    PartitionAdded = "a partition is added while a process runs",
    PartitionAddedDown = "a partition is added while none runs",
    Compacted = "records that say nothing are compacted away",
    CompactedLast = "the last record of a binding is gone when it is fed again",
    ProgressCompacted = "progress is compacted",
    Redelivered = "the reader gets records again",
    SourceAborted = "a transaction of a source is aborted",
    SourceDeleted = "retention deletes records that no checkpoint needs",
    BindingsDeleted = "bindings that no checkpoint needs are deleted",
    Checkpoint = "a checkpoint is put",
    CheckpointWaits = "a checkpoint waits for visibility",
    Collected = "an old part is deleted",
    FromCheckpoint = "a generation goes on from a checkpoint",
    FromNothing = "a generation goes on without a checkpoint",
    Replayed = "what was bound takes its time again",
    NotSaidAgain = "output that is visible is not said again",
    SaidLater = "output that was lost with a process is said by the next one",
    Claimed = "a time without records is claimed",
    SilentProgress = "a silent slot commits progress for a checkpoint",
    Damaged = "a part of the newest checkpoint is damaged",
    OlderCheckpoint = "an older checkpoint is used",
    NoCheckpointLeft = "all checkpoints are damaged",
    BindingsGone = "bindings that are needed are deleted",
    RecordsGone = "records that are needed are deleted",
    StoreGone = "the store is emptied",
    Refused = "a start is refused",
    Repeated = "something is seen twice where that may be",
}

#[derive(Clone)]
pub(crate) struct Coverage {
    pub cases: Vec<u64>,
    pub killed: Vec<u64>,
    pub stopped: Vec<u64>,
}

impl Default for Coverage {
    fn default() -> Self {
        let none = vec![0; POINTS.len()];
        Coverage { cases: vec![0; CASES.len()], killed: none.clone(), stopped: none }
    }
}

impl Coverage {
    pub(crate) fn add(&mut self, other: &Coverage) {
        let pairs =
            [(&mut self.cases, &other.cases), (&mut self.killed, &other.killed), (&mut self.stopped, &other.stopped)];
        for (ours, theirs) in pairs {
            ours.iter_mut().zip(theirs).for_each(|(one, other)| *one += other);
        }
    }

    /// Every case with its count.
    pub(crate) fn lines(&self) -> Vec<(u64, String)> {
        let cases = self.cases.iter().zip(CASES).map(|(count, name)| (*count, (*name).to_owned()));
        let at = |counts: &[u64], what: &str| -> Vec<(u64, String)> {
            counts.iter().zip(POINTS).map(|(count, name)| (*count, format!("{what} at: {name}"))).collect()
        };
        cases.chain(at(&self.killed, "killed")).chain(at(&self.stopped, "stopped, and a successor began")).collect()
    }
}
