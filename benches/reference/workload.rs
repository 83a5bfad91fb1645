//! The reference workload: the events of a bank's customers, drawn from a seed, in order of event
//! time.
//!
//! | share | kind | fields |
//! | --- | --- | --- |
//! | 70% | transaction | `amount` (cents, negative is a debit), `category` 0..16 |
//! | 20% | interaction | `channel` 0..6, `mood` 0..5 (0 is angry, 0 and 1 are negative), `intensity` |
//! | 5% | product | `product` 0..8, `held` |
//! | 5% | consent | `purpose` 0..4, `granted` |
//!
//! Event `i` happens at `i * 1000 / rate` ms, so several may share a millisecond. Customers are
//! skewed: rank `⌊C · u²⌋` for a uniform `u`. The same seed gives the same events on every machine.
//!
//! The page that fixes the workload leaves the distributions of the fields open. Here: amounts have
//! a mean of about zero, seven of ten are debits, small ones far more often than large ones; moods,
//! channels, products and purposes are uniform; half of the products are held and four of five
//! consents are granted.

/// Which events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// What everything is drawn from.
    pub seed: u64,
    /// How many customers there are.
    pub customers: u64,
    /// How many events.
    pub events: u64,
    /// Events per second of event time.
    pub rate: u64,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened, in milliseconds.
    pub time_ms: u64,
    /// Whose.
    pub customer: u64,
    /// What.
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Money came or went.
    Transaction {
        /// In cents; negative is a debit.
        amount: i64,
        /// 0..16
        category: u8,
    },
    /// The customer was in touch.
    Interaction {
        /// 0..6
        channel: u8,
        /// 0..5: a position in [`MOODS`].
        mood: u8,
        /// In percent.
        intensity: u8,
    },
    /// A product is held, or not any more.
    Product {
        /// 0..8
        product: u8,
        /// Whether it is held.
        held: bool,
    },
    /// A consent is given or revoked.
    Consent {
        /// 0..4
        purpose: u8,
        /// Whether it is granted.
        granted: bool,
    },
}

/// What moods are called. In the order of the alphabet: of two moods of one customer in one
/// millisecond the greater one is the latest, for those who compare names as for those who compare
/// numbers.
pub const MOODS: [&str; 5] = ["angry", "annoyed", "calm", "happy", "joyful"];

impl Workload {
    /// All events, in order.
    pub fn events(self) -> impl Iterator<Item = Event> {
        let mut random = Random(self.seed);
        (0..self.events).map(move |number| Event {
            time_ms: number * 1_000 / self.rate,
            customer: random.customer(self.customers),
            kind: random.kind(),
        })
    }

    /// How much event time they take.
    pub fn span_ms(self) -> u64 {
        self.events * 1_000 / self.rate
    }
}

/// `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0 to 1, with 53 bits.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn customer(&mut self, customers: u64) -> u64 {
        let u = self.unit();
        ((customers as f64 * u * u) as u64).min(customers - 1)
    }

    fn kind(&mut self) -> Kind {
        match self.below(100) {
            0..70 => Kind::Transaction { amount: self.amount(), category: self.below(16) as u8 },
            70..90 => Kind::Interaction {
                channel: self.below(6) as u8,
                mood: self.below(5) as u8,
                intensity: self.below(101) as u8,
            },
            90..95 => Kind::Product { product: self.below(8) as u8, held: self.happens(50) },
            _ => Kind::Consent { purpose: self.below(4) as u8, granted: self.happens(80) },
        }
    }

    fn amount(&mut self) -> i64 {
        if self.happens(70) {
            let u = self.unit();
            -(100 + (200_000.0 * u * u * u * u) as i64)
        } else {
            1_000 + self.below(185_000) as i64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_skew_and_times_are_those_of_the_page() {
        let workload = Workload { seed: 1, customers: 10_000, events: 200_000, rate: 3_000 };
        let events: Vec<Event> = workload.events().collect();
        assert!(events.iter().enumerate().all(|(number, event)| event.time_ms == number as u64 * 1_000 / 3_000));
        let share = |counts: fn(&Event) -> bool| {
            let share = events.iter().filter(|event| counts(event)).count() as f64 / events.len() as f64;
            (share * 100.0).round() as u32
        };
        assert_eq!(share(|event| matches!(event.kind, Kind::Transaction { .. })), 70);
        assert_eq!(share(|event| matches!(event.kind, Kind::Interaction { .. })), 20);
        assert_eq!(share(|event| matches!(event.kind, Kind::Product { .. })), 5);
        assert_eq!(share(|event| matches!(event.kind, Kind::Consent { .. })), 5);
        // Rank below a quarter of the customers when u is below a half.
        assert_eq!(share(|event| event.customer < 2_500), 50);
        assert!(events.iter().all(|event| event.customer < 10_000));
    }

    #[test]
    fn a_seed_says_everything() {
        let workload = Workload { seed: 7, customers: 100, events: 1_000, rate: 10 };
        assert!(workload.events().eq(workload.events()));
        assert!(!workload.events().eq(Workload { seed: 8, ..workload }.events()));
        assert_eq!(workload.span_ms(), 100_000);
    }
}
