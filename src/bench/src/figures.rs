//! What was measured: figures with their range over rounds, and distributions of latencies.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// The part of the measurements that it belongs to.
    pub part: &'static str,
    /// What it is, unique within its part together with `at`.
    pub name: &'static str,
    /// The size at which it was measured, where there are several: customers, moments, events of an
    /// epoch, workers.
    pub at: Option<u64>,
    /// In what.
    pub unit: &'static str,
    /// The median over the rounds.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
    /// How many rounds.
    pub rounds: usize,
}

impl Figure {
    /// A figure of rounds, at least one.
    pub fn of(part: &'static str, name: &'static str, unit: &'static str, mut rounds: Vec<f64>) -> Figure {
        rounds.sort_by(f64::total_cmp);
        let at = |position: usize| rounds.get(position).copied().unwrap_or(f64::NAN);
        let count = rounds.len();
        // Of an even number the mean of the two in the middle.
        let median = f64::midpoint(at(count.saturating_sub(1) / 2), at(count / 2));
        let (least, greatest) = (at(0), at(count.saturating_sub(1)));
        Figure { part, name, at: None, unit, median, least, greatest, rounds: count }
    }

    /// At a size.
    #[must_use]
    pub fn at(self, size: u64) -> Figure {
        Figure { at: Some(size), ..self }
    }
}

/// A distribution of latencies, in nanoseconds.
#[derive(Debug)]
pub struct Latency {
    /// Of what; also the name of its file.
    pub name: String,
    /// What it counts, for people.
    pub what: String,
    /// Nanoseconds.
    pub histogram: Histogram<u64>,
}

impl Latency {
    /// An empty one.
    pub fn new(name: &str, what: &str) -> Latency {
        // Three digits, up to an hour; both are within what the library allows.
        let histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3)
            .or_else(|_| Histogram::new(3))
            .unwrap_or_else(|_| unreachable!("three digits are allowed"));
        Latency { name: name.to_owned(), what: what.to_owned(), histogram }
    }

    /// Adds one.
    pub fn record(&mut self, latency: Duration) {
        self.histogram.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// A quantile, in microseconds.
    pub fn at_us(&self, quantile: f64) -> f64 {
        self.histogram.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// The greatest, in microseconds.
    pub fn max_us(&self) -> f64 {
        self.histogram.max() as f64 / 1_000.0
    }

    /// Quantiles, in microseconds, as `HdrHistogram` writes them (`.hgrm`).
    pub fn hgrm(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
        for step in self.histogram.iter_quantiles(5) {
            let quantile = step.quantile_iterated_to();
            let value = step.value_iterated_to() as f64 / 1_000.0;
            let count = (quantile * self.histogram.len() as f64).round() as u64;
            let _ = if quantile < 1.0 {
                writeln!(text, "{value:12.3} {quantile:.12} {count:10} {:14.2}", 1.0 / (1.0 - quantile))
            } else {
                writeln!(text, "{value:12.3} {quantile:.12} {count:10}")
            };
        }
        let histogram = &self.histogram;
        let (mean, deviation) = (histogram.mean() / 1_000.0, histogram.stdev() / 1_000.0);
        let _ = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]");
        let _ = writeln!(text, "#[Max     = {:12.3}, Total count    = {:12}]", self.max_us(), histogram.len());
        text
    }
}

/// The quantiles that are told, as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Quantiles {
    /// Of what.
    pub name: String,
    /// What it counts, for people.
    pub what: String,
    /// How many.
    pub count: u64,
    /// Median, in microseconds.
    pub p50_us: f64,
    /// 90%.
    pub p90_us: f64,
    /// 99%.
    pub p99_us: f64,
    /// 99.9%.
    pub p99_9_us: f64,
    /// The greatest.
    pub max_us: f64,
}

impl From<&Latency> for Quantiles {
    fn from(latency: &Latency) -> Quantiles {
        Quantiles {
            name: latency.name.clone(),
            what: latency.what.clone(),
            count: latency.histogram.len(),
            p50_us: latency.at_us(0.5),
            p90_us: latency.at_us(0.9),
            p99_us: latency.at_us(0.99),
            p99_9_us: latency.at_us(0.999),
            max_us: latency.max_us(),
        }
    }
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Results {
    /// Figures in the order in which they were measured.
    pub figures: Vec<Figure>,
    /// Distributions.
    pub latencies: Vec<Latency>,
    /// What was not measured, and why.
    pub missing: Vec<String>,
}

impl Results {
    /// The figure of that name, at that size.
    pub fn figure(&self, part: &str, name: &str, at: Option<u64>) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.part == part && figure.name == name && figure.at == at)
    }

    /// The distribution of that name.
    pub fn latency(&self, name: &str) -> Option<&Latency> {
        self.latencies.iter().find(|latency| latency.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_with_its_range() {
        let figure = Figure::of("part", "name", "ns", vec![3.0, 1.0, 9.0]);
        let shown = format!("{} {} {} {}", figure.median, figure.least, figure.greatest, figure.rounds);
        assert_eq!(shown, "3 1 9 3");
        assert_eq!(Figure::of("part", "name", "ns", vec![1.0, 2.0]).median.to_string(), "1.5");
    }

    #[test]
    fn quantiles_are_written_as_hdr_histogram_does() {
        let mut latency = Latency::new("quiet", "one event at a time");
        (1..=1_000).for_each(|us| latency.record(Duration::from_micros(us)));
        let text = latency.hgrm();
        assert!(text.contains("1/(1-Percentile)"), "{text}");
        assert!(text.contains("Total count    =         1000"), "{text}");
        assert!((latency.at_us(0.99) - 990.0).abs() < 2.0);
    }
}
