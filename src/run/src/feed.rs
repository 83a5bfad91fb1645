//! Worker 0 feeds the dataflow: every record gets its logical time here, and the input moves on.

use std::io;
use std::sync::mpsc::{Receiver, TryRecvError};

use timely::dataflow::InputHandleVec;
use timely::worker::Worker;

use propice_flow::clock::EventClock;
use propice_model::{Fact, LogicalTime};

use super::gather::Reached;
use super::publish::Publisher;
use super::{Ended, Message, Summary, Unfinished};

type Input = InputHandleVec<LogicalTime, (Fact, LogicalTime, isize)>;

/// Feeds all messages, then moves the clock to the end of the run and waits until that is published.
pub(super) fn feed(
    worker: &mut Worker,
    mut input: Input,
    published: &Reached,
    messages: &Receiver<Message>,
    publisher: &Publisher,
    mut until: Option<LogicalTime>,
) -> io::Result<Summary> {
    let mut clock = EventClock::default();
    let mut summary = Summary::default();
    let mut updates = Vec::new();
    let mut ended = false;
    let mut failed = None;
    while !ended && !publisher.failed() {
        match messages.try_recv() {
            Ok(Message::Batch(batch)) => {
                let epoch = clock.now();
                summary.dead_letters += batch.dead.len() as u64;
                publisher.dead_letters(&batch.dead);
                for fact in batch.facts {
                    let event_time = fact.rank.event_time;
                    if until.is_some_and(|until| event_time.max(clock.now()) > until) {
                        ended = true;
                        break;
                    }
                    updates.push((fact, clock.bind(event_time), 1));
                }
                summary.records += updates.len() as u64;
                input.send_batch(&mut updates);
                updates.clear();
                input.advance_to(clock.now());
                // One epoch ahead at most: what was fed before this batch is published before the next one.
                worker.step();
                worker.step_or_park_while(None, || published.less_than(epoch) && !publisher.failed());
            }
            Ok(Message::End(result)) => {
                if !matches!(result, Ok(Ended::Complete)) {
                    // What was not read could have changed what the time until then brings.
                    until = None;
                }
                failed = result.err();
                ended = true;
            }
            Err(TryRecvError::Empty) => {
                worker.step_or_park(None);
            }
            Err(TryRecvError::Disconnected) => return Err(io::Error::other("the source thread failed")),
        }
    }
    let through = until.unwrap_or_default().max(clock.now());
    input.advance_to(through + 1);
    worker.step_or_park_while(None, || published.less_than(through + 1) && !publisher.failed());
    drop(input);
    summary.late = clock.late();
    summary.through = through;
    let summary = publisher.finish(summary)?;
    match failed {
        None => Ok(summary),
        Some(error) => Err(io::Error::other(Unfinished { summary, error })),
    }
}
