//! Worker 0 feeds the dataflow: every record gets its logical time here, and the input moves on.

use std::io;
use std::sync::mpsc::{Receiver, TryRecvError};

use propice_flow::clock::EventClock;
use propice_model::LogicalTime;

use super::publish::Publisher;
use super::{Message, Session, SourceEnd, Summary, Unfinished};

/// Feeds all messages, then moves the clock to the end of the run and waits until that is
/// published.
pub(super) fn feed(
    mut session: Session<'_>,
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
                    if until.is_some_and(|until| clock.next(event_time) > until) {
                        ended = true;
                        break;
                    }
                    updates.push((fact, clock.bind(event_time), 1));
                }
                summary.records += updates.len() as u64;
                let mut published = epoch;
                if batch.is_idle && !ended {
                    clock.complete();
                    published = clock.open_from();
                }
                session.send(&mut updates, clock.open_from());
                // One epoch ahead at most: what was fed before this batch is published before the
                // next one. Nothing is ahead of a source that has nothing more to give.
                session.step();
                session.settle_parked_while(published, || !publisher.failed());
            }
            Ok(Message::End(result)) => {
                if !matches!(result, Ok(SourceEnd::Complete)) {
                    // What was not read could have changed what the time until then brings.
                    until = None;
                }
                failed = result.err();
                ended = true;
            }
            Err(TryRecvError::Empty) => {
                session.park(None);
            }
            Err(TryRecvError::Disconnected) => return Err(io::Error::other("the source thread failed")),
        }
    }
    let through = until.unwrap_or_default().max(clock.now());
    session.send(&mut updates, through + 1);
    session.settle_parked_while(through + 1, || !publisher.failed());
    summary.late = clock.late();
    summary.through = through;
    let summary = publisher.finish(summary)?;
    match failed {
        None => Ok(summary),
        Some(error) => Err(io::Error::other(Unfinished { summary, error })),
    }
}
