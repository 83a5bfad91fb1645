//! Progress of a long run, on standard error when that is a terminal.

use std::io;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use propice_edge::source::{Batch, Source};
use propice_model::Language;

/// A run that is over before that shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// A source that shows how far it is, and what people should know of its records.
pub(super) struct Metered {
    inner: Box<dyn Source>,
    bar: ProgressBar,
    started: Instant,
    records: u64,
    /// It is to be shown, and is not yet.
    waits: bool,
}

/// Takes the progress away at the end.
pub(super) struct Meter {
    bar: ProgressBar,
}

impl Metered {
    /// Over a source; `shown` when progress may be shown at all.
    pub(super) fn new(inner: Box<dyn Source>, shown: bool) -> (Metered, Meter) {
        let total = inner.total_bytes();
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = if total.is_some() {
            "{bar:30} {percent:>3} %  {msg} records  {elapsed}, {eta} to go"
        } else {
            "{spinner} {bytes}  {msg} records  {elapsed}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let meter = Meter { bar: bar.clone() };
        (Metered { inner, bar, started: Instant::now(), records: 0, waits: shown }, meter)
    }
}

impl Meter {
    /// No progress any more.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Source for Metered {
    fn fill(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let more = self.inner.fill(batch);
        for warning in batch.warnings.drain(..) {
            self.bar.suspend(|| super::say(&format!("warning: {warning}\n")));
        }
        let more = more?;
        self.records += (batch.facts.len() + batch.dead.len()) as u64;
        self.bar.inc(batch.bytes_read);
        self.bar.set_message(Language::English.count(self.records));
        if self.waits && self.started.elapsed() > PATIENCE {
            self.waits = false;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        Ok(more)
    }

    fn total_bytes(&self) -> Option<u64> {
        self.inner.total_bytes()
    }

    fn is_interrupted(&self) -> bool {
        self.inner.is_interrupted()
    }
}
