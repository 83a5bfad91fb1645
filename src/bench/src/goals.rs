//! The goals, with what was measured beside each.

use std::fmt::Write as _;

use serde::Serialize;

use super::figures::{Latency, Results};
use propice_model::Language;

/// Whether less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sense {
    /// The goal is the most it may be.
    AtMost,
    /// The goal is the least it may be.
    AtLeast,
}

/// A goal.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    /// What is to be reached.
    pub name: &'static str,
    /// Which way.
    pub sense: Sense,
    /// How much.
    pub goal: f64,
    /// In what.
    pub unit: &'static str,
    /// What was measured; `None` when it was not.
    pub measured: Option<f64>,
    /// The least and the greatest of the rounds, where there were several.
    pub range: Option<(f64, f64)>,
}

impl Goal {
    /// Whether it is reached; `None` when that is not known.
    pub fn reached(&self) -> Option<bool> {
        self.measured.map(|measured| match self.sense {
            Sense::AtMost => measured <= self.goal,
            Sense::AtLeast => measured >= self.goal,
        })
    }
}

/// All goals of the fused engine, against results.
pub fn goals(results: &Results) -> Vec<Goal> {
    use Sense::{AtLeast, AtMost};
    let figure = |part: &str, name: &str| results.figure(part, name, None);
    let of_figure = |name, part, figure_name, sense, goal, unit| {
        let figure = figure(part, figure_name);
        let range = figure.filter(|figure| figure.rounds > 1).map(|figure| (figure.least, figure.greatest));
        Goal { name, sense, goal, unit, measured: figure.map(|figure| figure.median), range }
    };
    let of_latency = |name, latency: &str, read: fn(&Latency) -> f64, goal| {
        let measured = results.latency(latency).map(read);
        Goal { name, sense: AtMost, goal, unit: "µs", measured, range: None }
    };
    vec![
        of_figure("time per event, against the limit", "throughput", "fused / limit", AtMost, 2.0, "×"),
        of_figure(
            "JSON Lines to emissions, throughput against decoding",
            "json",
            "throughput against decoding alone",
            AtLeast,
            0.5,
            "×",
        ),
        of_latency("one event, quiet, p50", "quiet", |latency| latency.at_us(0.5), 8.0),
        of_latency("one event, quiet, p99", "quiet", |latency| latency.at_us(0.99), 20.0),
        of_latency("one event, quiet, p99.9", "quiet", |latency| latency.at_us(0.999), 50.0),
        of_latency("open loop at 50%, p99", "open_loop_50_emissions", |latency| latency.at_us(0.99), 1_000.0),
        of_latency("open loop at 50%, maximum", "open_loop_50_emissions", Latency::max_us, 5_000.0),
        of_figure("memory per customer", "memory", "per customer", AtMost, 200.0, "bytes"),
        of_figure("memory per record in a window", "memory", "per record in a window", AtMost, 16.0, "bytes"),
        of_figure("1,000,000 against 10,000 customers", "customers", "fused, 1,000,000 / 10,000", AtMost, 2.5, "×"),
        of_figure("1,000 moments against 5", "moments", "1,000 / 5", AtMost, 1.5, "×"),
        of_figure("2 workers against 1, epochs of 1,000", "workers", "2 / 1, epochs of 1,000", AtLeast, 1.7, "×"),
        of_figure("reference engine", "reference", "reference engine", AtLeast, 25_000.0, "events/s"),
        of_figure("why of one customer, against a run", "one-customer", "why / run", AtMost, 0.33, "×"),
        of_figure("views --customer, against a run", "one-customer", "views --customer / run", AtMost, 0.33, "×"),
        of_figure("idle, 1,000,000 deadlines", "idle", "share of a core", AtMost, 1.0, "%"),
    ]
}

/// The goals as a table.
pub fn table(goals: &[Goal]) -> String {
    let mut text = format!("{:<54} {:>16} {:>16}  {:<6} {}\n", "", "goal", "measured", "", "range");
    for goal in goals {
        let sign = if goal.sense == Sense::AtMost { "≤" } else { "≥" };
        let wanted = format!("{sign} {} {}", shown(goal.goal), goal.unit);
        let measured = goal.measured.map_or("-".to_owned(), |value| format!("{} {}", shown(value), goal.unit));
        let word = match goal.reached() {
            Some(true) => "ok",
            Some(false) => "MISSED",
            None => "",
        };
        let range =
            goal.range.map_or(String::new(), |(least, greatest)| format!("{} to {}", shown(least), shown(greatest)));
        let line = format!("{:<54} {wanted:>16} {measured:>16}  {word:<6} {range}", goal.name);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// A number with as many digits as mean anything.
pub fn shown(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude >= 1_000.0 {
        format!("{}{}", if number < 0.0 { "-" } else { "" }, Language::English.count(magnitude.round() as u64))
    } else if magnitude >= 100.0 {
        format!("{number:.0}")
    } else if magnitude >= 10.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::Figure;
    use super::*;

    #[test]
    fn a_goal_that_is_missed_says_so() {
        let mut results = Results::default();
        results.figures.push(Figure::of("throughput", "fused / limit", "times", vec![3.0, 2.5, 2.75]));
        results.figures.push(Figure::of("reference", "reference engine", "events per second", vec![30_000.0]));
        let text = table(&goals(&results));
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        assert!(line("time per event").contains("2.75 ×  MISSED 2.50 to 3.00"), "{text}");
        assert!(line("reference engine").contains("30,000 events/s  ok"), "{text}");
        assert!(line("one event, quiet, p50").ends_with('-'), "{text}");
    }
}
