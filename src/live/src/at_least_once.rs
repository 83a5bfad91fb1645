//! The lane that is quicker: no transactions. A restart may repeat what was not acknowledged yet,
//! under the same ids.
//!
//! Bindings go to their topic at once, and are read back by a thread of their own; an
//! acknowledgement alone would let a generation that is over publish what nobody can recompute.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

use propice_kafka::{Delivered, DeliveryProducer, Isolation, KafkaError, Partition, Reader, Settings, StartAt};
use propice_model::LogicalTime;

use super::LiveError;
use super::durable::Durable;
use super::outbox::{Outbox, Parcel};
use super::protocol::binding::BindingRecord;
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
        if let Err(error) = lane.run(outbox) {
            lane.shared.fail(LiveError::Publishing(error));
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

/// Parcels that are not acknowledged as a whole, in order: how much of each is missing, and through
/// which time it goes.
#[derive(Debug, Default)]
struct OnTheWay {
    parcels: VecDeque<(usize, LogicalTime)>,
    /// The number of the first of them.
    first: u64,
}

impl OnTheWay {
    /// The number of the next parcel.
    fn next(&self) -> u64 {
        self.first + self.parcels.len() as u64
    }

    fn push(&mut self, records: usize, through: LogicalTime) {
        self.parcels.push_back((records, through));
    }

    /// A record of a parcel is acknowledged.
    fn acknowledged(&mut self, number: u64) {
        if let Some(at) = number.checked_sub(self.first)
            && let Some((missing, _)) = self.parcels.get_mut(at as usize)
        {
            *missing -= 1;
        }
    }

    /// Through which time all is acknowledged, if that moved.
    fn take_whole(&mut self) -> Option<LogicalTime> {
        let mut whole = None;
        while let Some((_, through)) = self.parcels.pop_front_if(|(missing, _)| *missing == 0) {
            self.first += 1;
            whole = Some(through);
        }
        whole
    }
}

/// What records are called that belong to no parcel.
const OURS: u64 = u64::MAX;

impl Lane {
    fn run(&mut self, mut outbox: Outbox) -> Result<(), KafkaError> {
        loop {
            let parcel = outbox.try_next();
            let idle = parcel.is_empty();
            if !idle {
                self.send(parcel)?;
            }
            self.acknowledge()?;
            if idle && self.on_the_way.parcels.is_empty() {
                match outbox.next() {
                    Some(parcel) => self.send(parcel)?,
                    None => return self.settle(),
                }
            } else if idle {
                std::thread::sleep(LOOK);
            }
        }
    }

    fn send(&mut self, parcel: Parcel) -> Result<(), KafkaError> {
        let Parcel { bindings, records, through } = parcel;
        for binding in bindings {
            self.producer.send(&self.records.binding(binding), OURS)?;
        }
        if records.is_empty() {
            return Ok(());
        }
        let number = self.on_the_way.next();
        self.on_the_way.push(records.len(), through);
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
    durable: Arc<Durable>,
    shared: Arc<Shared>,
) -> Result<std::io::Result<JoinHandle<()>>, KafkaError> {
    let partition = Partition { topic: records.bindings.to_string(), number: 0 };
    let reader = Reader::new(settings, Isolation::Uncommitted, &[(partition, StartAt::Offset(mark + 1))])?;
    let ours = records.generation;
    let tail = move || {
        while !shared.has_failed() && !shared.is_all_published() {
            let mut superseded = None;
            let read = reader.poll(WAIT, 1_000, |received| match received.value.map(BindingRecord::parse) {
                Some(Ok(BindingRecord::Begins(newer))) if newer > ours => superseded = Some(newer),
                Some(Ok(BindingRecord::Binding(binding))) if binding.generation == ours && superseded.is_none() => {
                    durable.read_back(binding.time);
                }
                _ => {}
            });
            if let Some(newer) = superseded {
                shared.fail(LiveError::Superseded { newer, ours });
            } else if let Err(error) = read {
                shared.fail(LiveError::Publishing(error));
            }
        }
    };
    Ok(std::thread::Builder::new().name("bindings".to_owned()).spawn(tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_waits_for_every_parcel_before() {
        let mut on_the_way = OnTheWay::default();
        on_the_way.push(2, 5);
        on_the_way.push(1, 8);
        assert_eq!(on_the_way.next(), 2);
        on_the_way.acknowledged(1);
        on_the_way.acknowledged(0);
        assert_eq!(on_the_way.take_whole(), None);
        on_the_way.acknowledged(0);
        assert_eq!((on_the_way.take_whole(), on_the_way.next()), (Some(8), 2));
    }
}
