//! The lane in which everything is seen once: one chain of transactions, two producers that take
//! turns.
//!
//! A transaction holds what was bound, what is said, and through which time that is all.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use propice_kafka::{KafkaError, TransactionalProducer};

use super::LiveError;
use super::clock::Clock;
use super::outbox::{Outbox, Outgoings};
use super::protocol::chain::{Chain, TransactionNumber};
use super::records::Records;
use super::shared::Shared;

/// What both producers share.
struct Lane {
    chain: Mutex<Chain>,
    moved: Condvar,
    /// Whoever holds it fills.
    filling: Mutex<Filling>,
    records: Records,
    shared: Arc<Shared>,
    commit_every: Duration,
}

struct Filling {
    outbox: Outbox,
    last: Option<Instant>,
}

/// Publishes in transactions until the process stops. The producers have taken over their
/// transactional ids.
pub(crate) fn publish(
    producers: [TransactionalProducer; 2],
    outbox: Outbox,
    records: Records,
    shared: Arc<Shared>,
    commit_every: Duration,
) -> std::io::Result<Vec<JoinHandle<()>>> {
    let lane = Arc::new(Lane {
        chain: Mutex::new(Chain::default()),
        moved: Condvar::new(),
        filling: Mutex::new(Filling { outbox, last: None }),
        records,
        shared,
        commit_every,
    });
    let thread = |(index, producer): (usize, TransactionalProducer)| {
        let lane = lane.clone();
        std::thread::Builder::new().name(format!("publish-{index}")).spawn(move || {
            if let Err(error) = lane.run(index, &producer) {
                lane.shared.fail(LiveError::Publishing(error));
                lane.moved.notify_all();
            }
        })
    };
    producers.into_iter().enumerate().map(thread).collect()
}

impl Lane {
    /// One of the two producers: its transactions, one after the other.
    fn run(&self, index: usize, producer: &TransactionalProducer) -> Result<(), KafkaError> {
        while let Some((number, through)) = self.fill(index, producer)? {
            if !self.wait_until(|chain| chain.may_commit(number)) {
                return Ok(());
            }
            producer.commit()?;
            self.chain().committed(number);
            self.moved.notify_all();
            self.shared.set_visible(through);
        }
        Ok(())
    }

    /// Fills the next transaction, when that is this producer's turn; `None` at the end.
    fn fill(
        &self,
        index: usize,
        producer: &TransactionalProducer,
    ) -> Result<Option<(TransactionNumber, u64)>, KafkaError> {
        let mine = |chain: &Chain| chain.next().is_some_and(|number| number.producer() == index);
        if !self.wait_until(mine) {
            return Ok(None);
        }
        let mut filling = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(number) = self.chain().next() else { return Ok(None) };
        if let Some(early) = filling.last.and_then(|last| self.commit_every.checked_sub(last.elapsed())) {
            std::thread::sleep(early);
        }
        let Some(outgoings) = filling.outbox.next() else {
            // The other one has nothing to wait for either.
            self.shared.all_published();
            self.moved.notify_all();
            return Ok(None);
        };
        filling.last = Some(Clock::instant());
        self.chain().begin(number);
        let Outgoings { bindings, records, through, .. } = outgoings;
        producer.begin()?;
        for binding in bindings {
            producer.send(&self.records.binding(binding))?;
        }
        for record in &records {
            producer.send(record)?;
        }
        producer.send(&self.records.progress(through))?;
        producer.flush()?;
        self.chain().flushed(number);
        self.moved.notify_all();
        Ok(Some((number, through)))
    }

    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the chain; false when the process stops first.
    fn wait_until(&self, ready: impl Fn(&Chain) -> bool) -> bool {
        let mut chain = self.chain();
        while !ready(&chain) {
            if self.shared.has_failed() || (self.shared.is_all_published() && chain.is_quiet()) {
                return false;
            }
            chain =
                self.moved.wait_timeout(chain, Duration::from_millis(100)).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
