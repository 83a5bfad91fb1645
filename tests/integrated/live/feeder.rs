//! Writes records at a rate, of a few customers and cards, some of which nobody can read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use propice_kafka::{DeliveryProducer, Outgoing, Settings};
use propice_model::time::format_time;

use super::random::Random;

/// The inputs of the pack.
pub(super) const INPUTS: [&str; 4] = ["customers", "cards", "visits", "payments"];

/// A thread that writes.
pub(super) struct Feeder {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Feeder {
    /// Begins: so many records a second, into topics with this prefix.
    pub(super) fn begin(settings: &Settings, prefix: &str, seed: u64, rate: u64) -> Feeder {
        let (producer, delivered) = DeliveryProducer::new(settings).expect("a producer");
        let topics = INPUTS.map(|input| Arc::from(format!("{prefix}.{input}")));
        let mut records = Records { random: Random::new(seed ^ 0xFEED), topics };
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (stop.clone(), sent.clone());
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            let mut number = 0;
            while !stopped.load(Ordering::SeqCst) {
                let due = began + Duration::from_micros(1_000_000 * number / rate);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                producer.send(&records.next(), number).expect("it is taken");
                number += 1;
                count.store(number, Ordering::SeqCst);
            }
            // A broker that is away comes back.
            while producer.in_flight() > 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            let told: BTreeMap<u64, i64> =
                delivered.try_iter().map(|one| (one.token, one.offset.expect("it is delivered"))).collect();
            assert_eq!(told.len() as u64, number, "every record is delivered");
        });
        Feeder { stop, sent, thread }
    }

    /// Stops, once everything is acknowledged.
    pub(super) fn finish(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("everything is written");
        self.sent.load(Ordering::SeqCst)
    }
}

struct Records {
    random: Random,
    topics: [Arc<str>; 4],
}

impl Records {
    fn next(&mut self) -> Outgoing {
        let random = &mut self.random;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64;
        // Some come late. Ties of event times are common: times are in tenths.
        let late = if random.one_in(5) { random.between(0, 2_500) } else { random.between(0, 150) };
        let at = format_time((now - late as i64) / 100 * 100);
        let (who, card) = (random.between(0, 24), random.between(0, 40));
        let cents = random.between(100, 2_000);
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let (topic, key, value) = match random.between(0, 20) {
            0 => {
                let segment = random.of(&["first", "second", "third"]);
                (0, who, format!(r#"{{"who":"c{who}","at":"{at}","segment":"{segment}"}}"#))
            }
            1 | 2 => {
                let status = if random.one_in(4) { "gone" } else { "active" };
                let ceiling = random.between(5, 40);
                let owner = (card * 7 + random.between(0, 2)) % 24;
                let row = format!(
                    r#"{{"card":"k{card}","who":"c{owner}","at":"{at}","ceiling":"{ceiling}.00","status":"{status}"}}"#
                );
                (1, card, row)
            }
            3..=11 => (2, who, format!(r#"{{"at":"{at}","who":"c{who}","paid":{amount}}}"#)),
            _ => (3, card, format!(r#"{{"at":"{at}","card":"k{card}","amount":{amount}}}"#)),
        };
        // Poison: what is no JSON, of the wrong type, without a field, without a value, no text.
        let value = match random.between(0, 150) {
            0 => Some(b"{not json".to_vec()),
            1 => Some(value.replace("\"at\":\"", "\"at\":\"never ").into_bytes()),
            2 => Some(b"{}".to_vec()),
            3 => None,
            4 => Some(vec![0xFF, 0xFE, 0, 1]),
            _ => Some(value.into_bytes()),
        };
        let headers =
            if random.one_in(10) { vec![("trace".to_owned(), vec![b'x', (who as u8) + 1])] } else { Vec::new() };
        // A table's rows lie in the partition of their key; one record in ten of a stream anywhere.
        let partition = (topic >= 2 && random.one_in(10)).then(|| random.between(0, 3) as i32);
        let key = format!("{key}").into_bytes();
        Outgoing { topic: self.topics[topic].clone(), partition, key, value, headers }
    }
}
