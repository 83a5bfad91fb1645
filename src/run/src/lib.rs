//! Assembles a run: a source thread, workers with the dataflow, one sink.
//!
//! ```text
//! source thread ──bounded channel──▶ worker 0: clock ──▶ dataflow on all workers ──▶ worker 0: publish ──▶ sink
//! ```
//!
//! Worker 0 gives every record its logical time and moves the input on, at most one epoch ahead of
//! what is published, so that memory is bounded by the state and by two batches. Everything is
//! published in order of logical time, sorted within one: the same bytes for every engine and
//! worker count.

mod failure;
mod feed;
pub mod gather;
mod lines;
mod publish;
mod session;

pub use lines::{LineTexts, over_lines};
pub use session::{Peer, Session, Update, on_workers};

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use propice_define::Plan;
use propice_edge::sink::Sink;
use propice_edge::source::{Batch, Source};
use propice_flow::Engine;
use propice_model::LogicalTime;
use propice_model::limits::QUEUED_BATCHES;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which dataflow.
    pub engine: Engine,
    /// How many worker threads.
    pub workers: usize,
    /// Whether the sink is given views.
    pub views: bool,
    /// The clock is moved on to this time after the last record; records after it are not read.
    pub until: Option<LogicalTime>,
}

impl Default for Options {
    fn default() -> Self {
        Options { engine: Engine::Fused, workers: 1, views: false, until: None }
    }
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records that took effect.
    pub records: u64,
    /// Of these, records that came behind the clock.
    pub late: u64,
    /// Records that went to the dead letters.
    pub dead_letters: u64,
    /// The logical time at which the run ended.
    pub through: LogicalTime,
    /// Episodes opened, by moment (position in the plan).
    pub opened: Vec<u64>,
    /// Episodes closed, by moment.
    pub closed: Vec<u64>,
    /// What was held back, since it was before the time from which a run publishes.
    pub held_back: HeldBack,
}

/// What came before [`Policy::publish_from`](propice_define::plan::Policy::publish_from), and was
/// not handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Episodes that opened or closed.
    pub transitions: u64,
    /// Everything that was decided or heard.
    pub decisions: u64,
    /// Of these, what would have been said: released, or handed to a person.
    pub unsaid: u64,
}

/// A run whose source failed before its end. It travels in an [`io::Error`].
#[derive(Debug)]
pub struct Unfinished {
    /// What was done: everything that was read until then is decided, published and counted.
    pub summary: Summary,
    /// Why the source failed.
    pub error: io::Error,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Unfinished {}

/// What the source thread sends.
enum Message {
    Batch(Batch),
    /// The end of the source, which was interrupted or not.
    End(io::Result<SourceEnd>),
}

/// How a source ended that did not fail.
enum SourceEnd {
    /// Everything was read.
    Complete,
    /// Somebody stopped it.
    Interrupted,
}

/// What worker 0 needs, and only it.
struct FirstWorker {
    messages: Receiver<Message>,
    sink: Box<dyn Sink>,
}

/// Runs a plan over a source to its end.
///
/// # Errors
/// When the sink fails. When the source does, what was read until then is published, and the error
/// holds an [`Unfinished`].
pub fn execute(
    plan: &Arc<Plan>,
    source: Box<dyn Source>,
    sink: Box<dyn Sink>,
    options: &Options,
) -> io::Result<Summary> {
    let (sender, messages) = sync_channel(QUEUED_BATCHES);
    // Tells the source thread which worker to wake, once that runs.
    let (waker_sender, waker) = sync_channel(1);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let reader = std::thread::Builder::new().name("source".to_owned()).spawn(move || {
        let Ok(worker) = waker.recv() else { return };
        read(source, &stopped, |message| {
            let taken = sender.send(message).is_ok();
            let worker: &std::thread::Thread = &worker;
            worker.unpark();
            taken
        });
    })?;
    let ends = Mutex::new(Some((FirstWorker { messages, sink }, waker_sender)));
    let (plan, options) = (plan.clone(), options.clone());
    let results = on_workers(options.workers, move |peer| {
        let ends = if peer.index() == 0 { ends.lock().ok().and_then(|mut ends| ends.take()) } else { None };
        let ends = ends.map(|(ends, waker)| {
            // The source thread waits for this; it is gone only when it failed, which the messages
            // tell.
            let _ = waker.send(std::thread::current());
            ends
        });
        work(peer, &plan, &options, ends)
    });
    let result = match results {
        // Only worker 0 has something to say.
        Ok(results) => {
            results.into_iter().flatten().next().unwrap_or_else(|| Err(io::Error::other("worker 0 did not run")))
        }
        Err(error) => Err(io::Error::other(format!("a worker failed: {error}"))),
    };
    stop.store(true, Ordering::Relaxed);
    // When it failed, the source may wait for a pipe that says nothing any more; nobody waits for
    // it.
    let summary = result?;
    if reader.join().is_err() {
        return Err(io::Error::other("the source thread failed"));
    }
    Ok(summary)
}

/// The source thread: hands over batches until the source ends or nobody wants them.
fn read(mut source: Box<dyn Source>, stop: &AtomicBool, mut hand_over: impl FnMut(Message) -> bool) {
    while !stop.load(Ordering::Relaxed) {
        let mut batch = Batch::default();
        let more = source.fill(&mut batch);
        if !batch.is_empty() && !hand_over(Message::Batch(batch)) {
            return;
        }
        match more {
            Ok(true) => {}
            Ok(false) => {
                let ended = if source.is_interrupted() { SourceEnd::Interrupted } else { SourceEnd::Complete };
                hand_over(Message::End(Ok(ended)));
                return;
            }
            Err(error) => {
                hand_over(Message::End(Err(error)));
                return;
            }
        }
    }
}

/// One worker: builds the dataflow; worker 0 also feeds it and publishes what it gives.
fn work(peer: Peer<'_>, plan: &Arc<Plan>, options: &Options, ends: Option<FirstWorker>) -> Option<io::Result<Summary>> {
    let (messages, sink) = match ends {
        Some(FirstWorker { messages, sink }) => (Some(messages), Some(sink)),
        None => (None, None),
    };
    let publisher = publish::Publisher::new(plan, sink);
    let session =
        peer.session(plan, options.engine, options.views, gather::Place::First, publisher.clone().hand_over());
    messages.map(|messages| {
        let result = feed::feed(session, &messages, &publisher, options.until);
        // The source thread may wait for room in the channel: nobody will make any.
        drop(messages);
        result
    })
}
