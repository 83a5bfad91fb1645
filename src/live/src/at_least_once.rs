//! The lane that is quicker: no transactions. A restart may repeat what was not acknowledged yet,
//! under the same ids.
//!
//! Bindings go to their topic at once, and are read back by a thread of their own; an
//! acknowledgement alone would let a generation that is over publish what nobody can recompute.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use propice_kafka::{Delivered, DeliveryProducer, Isolation, KafkaError, Partition, Reader, Settings, StartAt};

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
        let mut lane = Lane { producer, delivered, records, shared, on_the_way };
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
}

/// What records are called that belong to no parcel.
const OURS: u64 = u64::MAX;

impl Lane {
    fn run(&mut self, mut outbox: Outbox) -> Result<(), KafkaError> {
        loop {
            let outgoings = outbox.try_next();
            let idle = outgoings.is_empty();
            if !idle {
                self.send(outgoings)?;
            }
            self.acknowledge()?;
            if idle && self.on_the_way.is_empty() {
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
            self.producer.send(&self.records.binding(binding), OURS)?;
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
            if token != OURS {
                self.on_the_way.acknowledged(token);
            }
        }
        if let Some(through) = self.on_the_way.take_whole() {
            self.producer.send(&self.records.progress(through), OURS)?;
            self.shared.set_visible(through);
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
    let reader = Reader::new(settings, Isolation::Uncommitted, &[(partition, StartAt::Offset(mark + 1))])?;
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
