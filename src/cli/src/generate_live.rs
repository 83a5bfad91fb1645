//! `propice generate bank --live`: the same streams, written into the topics of a deployment as
//! they would happen.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use propice_define::Plan;
use propice_define::deployment::Deployment;
use propice_generate::{self as generate, Arriving, FILES, Settings};
use propice_kafka::{Delivered, DeliveryProducer, Outgoing};
use serde_json::value::RawValue;

use super::signals::Signals;
use super::{CommandResult, Failure, live, load_pack};

/// How many records are on their way at most.
const ON_THE_WAY: usize = 10_000;
/// How often it is said how far it is.
const TELL: Duration = Duration::from_secs(5);

/// What is said at the end of a run that was stopped.
const STOPPED: &str = "stopped";

/// Writes records into topics until the last day, or until it is stopped.
pub(crate) fn run(settings: &Settings, pack: &Path, config: &Path, rate: u32) -> CommandResult {
    let plan = load_pack(pack)?;
    let deployment = live::load(config, &plan)?;
    let signals = Signals::listen()?;
    let mut feed = Feed::new(&plan, &deployment, settings.start_day, rate)?;
    let stopped = || io::Error::other(STOPPED);
    let done = generate::bank_live(
        settings,
        &mut |arriving| if signals.outcome().is_err() { Err(stopped()) } else { feed.deliver(arriving) },
        &mut |_| if signals.outcome().is_err() { Err(stopped()) } else { Ok(()) },
    );
    let sent = feed.finish().map_err(|error| Failure::TryAgain(error.to_string()))?;
    signals.outcome()?;
    done.map_err(|error| Failure::TryAgain(format!("cannot write into topics: {error}")))?;
    writeln!(io::stderr().lock(), "{sent} records")
        .map_err(|error| Failure::io("cannot write to standard error", &error))
}

/// Where the records of a file go, and by what they are keyed.
struct Topic {
    name: std::sync::Arc<str>,
    /// Keys of JSON: those of the primary key of a table, or of whom a record of a stream is about.
    key: Vec<String>,
}

struct Feed {
    producer: DeliveryProducer,
    delivered: Receiver<Delivered>,
    topics: Vec<Option<Topic>>,
    /// What arrives before is history, and sent without a pause.
    from_s: i64,
    rate: u32,
    began: Option<Instant>,
    paced: u64,
    sent: u64,
    told: Instant,
}

impl Feed {
    fn new(plan: &Plan, deployment: &Deployment, start_day: i64, rate: u32) -> Result<Feed, Failure> {
        let settings = propice_live::client_settings(deployment);
        let (producer, delivered) =
            DeliveryProducer::new(&settings).map_err(|error| Failure::TryAgain(error.to_string()))?;
        let topics = FILES.iter().map(|file| topic(plan, deployment, file)).collect();
        let (from_s, told) = (start_day * 86_400, Instant::now());
        Ok(Feed { producer, delivered, topics, from_s, rate, began: None, paced: 0, sent: 0, told })
    }

    fn deliver(&mut self, Arriving { file, arrives_s, line }: Arriving<'_>) -> io::Result<()> {
        let Some(Some(topic)) = self.topics.get(file) else { return Ok(()) };
        let value = line.strip_suffix(b"\n").unwrap_or(line);
        let (topic, key) = (topic.name.clone(), key_of(value, &topic.key)?);
        let record = Outgoing { topic, partition: None, key, value: Some(value.to_vec()), headers: Vec::new() };
        if arrives_s >= self.from_s {
            self.pace();
        }
        self.producer.send(&record, 0).map_err(io::Error::other)?;
        self.sent += 1;
        while self.producer.in_flight() > ON_THE_WAY {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.check()?;
        if self.told.elapsed() >= TELL {
            self.told = Instant::now();
            // When nobody reads it, records are written all the same.
            let _ = writeln!(io::stderr().lock(), "{} records", self.sent);
        }
        Ok(())
    }

    /// Waits until the next record is due: so many a second since the first one.
    fn pace(&mut self) {
        let began = *self.began.get_or_insert_with(Instant::now);
        let due = began + Duration::from_secs_f64(self.paced as f64 / f64::from(self.rate));
        self.paced += 1;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }

    /// Whether something could not be delivered.
    fn check(&self) -> io::Result<()> {
        for delivered in self.delivered.try_iter() {
            delivered.offset.map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// Waits until everything is delivered. Gives how many records there were.
    fn finish(self) -> io::Result<u64> {
        while self.producer.in_flight() > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.check()?;
        Ok(self.sent)
    }
}

/// Where the records of a file go; nowhere if the pack has no such input.
fn topic(plan: &Plan, deployment: &Deployment, file: &str) -> Option<Topic> {
    let declared = deployment.inputs.iter().find(|input| input.name == file)?;
    let input = &plan.inputs[declared.input.index()];
    let fields = match &input.table {
        Some(table) => table.key.clone(),
        None => input.about.iter().map(|(field, _)| *field).collect(),
    };
    let key = fields.into_iter().map(|field| input.fields[field.index()].column.clone()).collect();
    Some(Topic { name: declared.topics.first()?.as_str().into(), key })
}

/// The key of a record: the values of these fields, as JSON writes them; texts as they are.
fn key_of(line: &[u8], names: &[String]) -> io::Result<Vec<u8>> {
    let fields: HashMap<&str, &RawValue> = serde_json::from_slice(line)?;
    let mut key = Vec::new();
    for value in names.iter().filter_map(|name| fields.get(name.as_str())) {
        if !key.is_empty() {
            key.push(b'/');
        }
        match serde_json::from_str::<String>(value.get()) {
            Ok(text) => key.extend_from_slice(text.as_bytes()),
            Err(_) => key.extend_from_slice(value.get().as_bytes()),
        }
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_keyed_by_the_fields_that_say_whom_it_is_about() {
        let line = br#"{"a":"x","b":7,"c":null}"#;
        let key = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            String::from_utf8(key_of(line, &names).expect("a record")).expect("text")
        };
        assert_eq!((key(&["a", "b"]), key(&["b"]), key(&["none"])), ("x/7".to_owned(), "7".to_owned(), String::new()));
    }
}
