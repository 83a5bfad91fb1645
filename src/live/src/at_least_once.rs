//! The lane that is quicker: no transactions. A restart may repeat what was not acknowledged yet,
//! under the same ids.
//!
//! Bindings go to their topic at once, and are read back by a thread of their own; an
//! acknowledgement alone would let a generation that is over publish what nobody can recompute.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use propice_kafka::{Delivered, DeliveryProducer, Isolation, KafkaError, Partition, Reader, Settings};

use propice_model::LogicalTime;

use super::LiveError;
use super::outbox::{Outbox, Outgoings};
use super::protocol::binding::BindingRecord;
use super::protocol::durable::{Durable, Superseded};
use super::protocol::on_the_way::OnTheWay;
use super::records::Records;
use super::shared::Shared;

/// How long the reader of bindings waits at most.
const WAIT: Duration = Duration::from_millis(100);
/// How often acknowledgements are looked for when nothing is to be sent.
const LOOK: Duration = Duration::from_micros(200);

/// Publishes until the process stops.
pub(crate) fn publish(
    producer: DeliveryProducer,
    delivered: Receiver<Delivered>,
    outbox: Outbox,
    records: Records,
    shared: Arc<Shared>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("publish".to_owned()).spawn(move || {
        let on_the_way = OnTheWay::default();
        let mut lane = Lane { producer, delivered, records, shared, on_the_way, said: VecDeque::new() };
        match lane.run(outbox) {
            Ok(()) => lane.shared.all_published(),
            Err(error) => lane.shared.fail(LiveError::Publishing(error)),
        }
    })
}

struct Lane {
    producer: DeliveryProducer,
    delivered: Receiver<Delivered>,
    records: Records,
    shared: Arc<Shared>,
    on_the_way: OnTheWay,
    /// What was said of progress and is not acknowledged.
    said: VecDeque<LogicalTime>,
}

/// What bindings are called, which belong to no parcel: they are read back.
const BINDING: u64 = u64::MAX;
/// What progress is called.
const PROGRESS: u64 = u64::MAX - 1;

impl Lane {
    fn run(&mut self, mut outbox: Outbox) -> Result<(), KafkaError> {
        loop {
            let outgoings = outbox.try_next();
            let idle = outgoings.is_empty();
            if !idle {
                self.send(outgoings)?;
            }
            self.acknowledge()?;
            if idle && self.on_the_way.is_empty() && self.said.is_empty() {
                match outbox.next() {
                    Some(outgoings) => self.send(outgoings)?,
                    None => return self.settle(),
                }
            } else if idle {
                std::thread::sleep(LOOK);
            }
        }
    }

    fn send(&mut self, outgoings: Outgoings) -> Result<(), KafkaError> {
        let Outgoings { bindings, records, through, .. } = outgoings;
        for binding in bindings {
            self.producer.send(&self.records.binding(binding), BINDING)?;
        }
        let number = self.on_the_way.push(records.len(), through);
        for record in &records {
            self.producer.send(record, number)?;
        }
        Ok(())
    }

    fn acknowledge(&mut self) -> Result<(), KafkaError> {
        while let Ok(Delivered { token, offset }) = self.delivered.try_recv() {
            offset?;
            match token {
                BINDING => {}
                // Said in one partition, so acknowledged in order. A checkpoint waits for that: a
                // state that is ahead of what is known to be said would lose what was not said.
                PROGRESS => self.said.pop_front().into_iter().for_each(|through| self.shared.set_visible(through)),
                parcel => self.on_the_way.acknowledged(parcel),
            }
        }
        if let Some(through) = self.on_the_way.take_whole() {
            self.producer.send(&self.records.progress(through), PROGRESS)?;
            self.said.push_back(through);
        }
        Ok(())
    }

    /// Waits until everything is acknowledged.
    fn settle(&mut self) -> Result<(), KafkaError> {
        while self.producer.in_flight() > 0 && !self.shared.has_failed() {
            self.acknowledge()?;
            std::thread::sleep(LOOK);
        }
        self.acknowledge()
    }
}

/// Reads bindings back, from behind the mark of this generation.
pub(crate) fn read_back(
    settings: &Settings,
    records: &Records,
    mark: i64,
    durable: Arc<Mutex<Durable>>,
    shared: Arc<Shared>,
) -> Result<std::io::Result<JoinHandle<()>>, KafkaError> {
    let partition = Partition { topic: records.bindings.to_string(), number: 0 };
    let reader = Reader::new(settings, Isolation::Uncommitted, &[(partition, mark + 1)])?;
    let tail = move || {
        while !shared.has_failed() && !shared.is_all_published() {
            let mut over = Ok(());
            let read = reader.poll(WAIT, 1_000, |received| {
                // What is no binding was seen, and refused, when this generation began.
                if let Some(Ok(record)) = received.value.map(BindingRecord::parse) {
                    over = durable.lock().unwrap_or_else(PoisonError::into_inner).read(&record);
                }
            });
            if let Err(Superseded { newer, ours }) = over {
                shared.fail(LiveError::Superseded { newer, ours });
            } else if let Err(error) = read {
                shared.fail(LiveError::Publishing(error));
            }
        }
    };
    Ok(std::thread::Builder::new().name("bindings".to_owned()).spawn(tail))
}
