//! Events of the reference workload as what propice takes: facts, and lines of JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use propice_define::Plan;
use propice_flow::decode::facts::Extractor;
use propice_flow::decode::json::JsonDecoder;
use propice_flow::decode::{Decoded, Decoder as _, RecordError};
use propice_model::{Id, InputId, Origin, Value};

pub use propice_run::Update;

use super::Failed;
use super::workload::{Event, Kind, MOODS};

/// The inputs of the pack, in the order in which [`position`] counts them.
const INPUTS: [&str; 4] = ["tx", "interactions", "products", "consents"];

/// Which of the inputs an event belongs to.
fn position(kind: Kind) -> usize {
    match kind {
        Kind::Transaction { .. } => 0,
        Kind::Interaction { .. } => 1,
        Kind::Product { .. } => 2,
        Kind::Consent { .. } => 3,
    }
}

/// Makes facts of events, the way `flow::decode` makes them of typed rows.
pub struct Facts {
    extractors: Vec<Extractor>,
    moods: [Value; 5],
    line: u64,
}

impl Facts {
    /// For a plan with the inputs of the reference pack.
    ///
    /// # Errors
    /// When an input is not there.
    pub fn new(plan: &Arc<Plan>) -> Result<Facts, Failed> {
        let extractors = inputs(plan)?.into_iter().map(|input| Extractor::new(Arc::clone(plan), input));
        Ok(Facts { extractors: extractors.collect(), moods: MOODS.map(Value::text), line: 0 })
    }

    /// An event as a fact at its time.
    ///
    /// # Errors
    /// When an expression of the pack fails over it.
    pub fn update(&mut self, event: &Event) -> Result<Update, Failed> {
        self.line += 1;
        let record = Decoded { row: self.row(event), deleted: false };
        let origin = Origin { file: 0, line: self.line };
        let fact = self.extractors[position(event.kind)].fact_of(&record, origin)?;
        Ok((fact, event.time_ms, 1))
    }

    /// Batches of updates, one per batch of events.
    ///
    /// # Errors
    /// When an expression of the pack fails over an event.
    pub fn batches<'e>(&mut self, batches: impl Iterator<Item = &'e [Event]>) -> Result<Vec<Vec<Update>>, Failed> {
        batches.map(|batch| batch.iter().map(|event| self.update(event)).collect()).collect()
    }

    fn row(&self, event: &Event) -> Vec<Value> {
        let number = |number: u8| Value::Int(i64::from(number));
        let (third, fourth, fifth) = match event.kind {
            Kind::Transaction { amount, category } => (Value::Int(amount), number(category), None),
            Kind::Interaction { channel, mood, intensity } => {
                let intensity = Value::float(f64::from(intensity) / 100.0);
                (number(channel), self.moods[usize::from(mood)].clone(), Some(intensity))
            }
            Kind::Product { product, held } => (number(product), Value::Bool(held), None),
            Kind::Consent { purpose, granted } => (number(purpose), Value::Bool(granted), None),
        };
        let mut row = vec![Value::Id(Id::Number(event.customer)), Value::Time(event.time_ms as i64), third, fourth];
        row.extend(fifth);
        row
    }
}

fn inputs(plan: &Plan) -> Result<Vec<InputId>, Failed> {
    let input = |name: &&str| {
        let at = plan.inputs.iter().position(|input| input.name == **name);
        at.map(|at| InputId(at as u16)).ok_or_else(|| Failed(format!("the pack has no input `{name}`")))
    };
    INPUTS.iter().map(input).collect()
}

/// Records as lines of JSON, each with its input.
pub struct JsonLines {
    text: String,
    /// Input, and the end of the line.
    lines: Vec<(usize, usize)>,
}

impl JsonLines {
    /// The lines of events.
    pub fn of(events: &[Event]) -> JsonLines {
        let mut text = String::new();
        let mut lines = Vec::with_capacity(events.len());
        for event in events {
            write_json(event, &mut text);
            lines.push((position(event.kind), text.len()));
        }
        JsonLines { text, lines }
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Each line with the position of its input.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut from = 0;
        self.lines.iter().map(move |&(input, until)| {
            let line = &self.text.as_bytes()[from..until];
            from = until;
            (input, line)
        })
    }
}

/// Appends an event as a line of JSON, without its end.
fn write_json(event: &Event, out: &mut String) {
    let Event { time_ms: at, customer, kind } = *event;
    let _ = write!(out, r#"{{"customer":"{customer}","at":{at},"#);
    let _ = match kind {
        Kind::Transaction { amount, category } => write!(out, r#""amount":{amount},"category":{category}}}"#),
        Kind::Interaction { channel, mood, intensity } => {
            let (mood, intensity) = (MOODS[usize::from(mood)], f64::from(intensity) / 100.0);
            write!(out, r#""channel":{channel},"mood":"{mood}","intensity":{intensity}}}"#)
        }
        Kind::Product { product, held } => write!(out, r#""product":{product},"held":{held}}}"#),
        Kind::Consent { purpose, granted } => write!(out, r#""purpose":{purpose},"granted":{granted}}}"#),
    };
}

/// Reads lines of JSON into facts: the decoders of the pack's inputs.
pub struct Decoders {
    decoders: Vec<(JsonDecoder, Extractor)>,
    line: u64,
}

impl Decoders {
    /// Of a plan with the inputs of the reference pack.
    ///
    /// # Errors
    /// When an input is not there.
    pub fn new(plan: &Arc<Plan>) -> Result<Decoders, Failed> {
        let inputs = inputs(plan)?.into_iter();
        let decoders = inputs.map(|input| (JsonDecoder::new(plan, input), Extractor::new(Arc::clone(plan), input)));
        Ok(Decoders { decoders: decoders.collect(), line: 0 })
    }

    /// A line as a fact at its event time.
    ///
    /// # Errors
    /// When it is not a record of its input.
    pub fn update(&mut self, (input, line): (usize, &[u8])) -> Result<Update, RecordError> {
        self.line += 1;
        let (decoder, extractor) = &mut self.decoders[input];
        let record = decoder.decode(line)?;
        let fact = extractor.fact_of(&record, Origin { file: 0, line: self.line })?;
        decoder.recycle(record);
        let time = fact.rank.event_time;
        Ok((fact, time, 1))
    }
}

/// Events in batches of at least `size` (the last one may be smaller), each of whole milliseconds.
pub fn whole_milliseconds(events: &[Event], size: usize) -> impl Iterator<Item = &[Event]> {
    let mut rest = events;
    std::iter::from_fn(move || {
        let mut end = size.min(rest.len());
        while end > 0 && end < rest.len() && rest[end].time_ms == rest[end - 1].time_ms {
            end += 1;
        }
        let (batch, behind) = rest.split_at(end);
        rest = behind;
        (!batch.is_empty()).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::super::workload::Workload;
    use super::*;

    #[test]
    fn batches_hold_whole_milliseconds() {
        let events: Vec<Event> = Workload { seed: 1, customers: 10, events: 1_000, rate: 3_000 }.events().collect();
        let batches: Vec<&[Event]> = whole_milliseconds(&events, 10).collect();
        assert!(batches.iter().all(|batch| batch.len() <= 12));
        assert!(batches.windows(2).all(|pair| pair[0].last().unwrap().time_ms < pair[1][0].time_ms));
        assert_eq!(batches.concat(), events);
    }

    #[test]
    fn a_line_of_json_says_what_the_event_says() {
        let plan = super::super::pack::plan().unwrap();
        let events: Vec<Event> = Workload { seed: 2, customers: 10, events: 500, rate: 10 }.events().collect();
        let lines = JsonLines::of(&events);
        let (mut facts, mut decoders) = (Facts::new(&plan).unwrap(), Decoders::new(&plan).unwrap());
        for (event, line) in events.iter().zip(lines.iter()) {
            assert_eq!(facts.update(event).unwrap(), decoders.update(line).unwrap());
        }
    }
}
