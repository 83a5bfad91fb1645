//! The results as files: JSON, percentiles, and one page of HTML with plots that needs nothing
//! else.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use serde::Serialize;

use super::figures::{Figure, Latency, Quantiles, Results};
use super::goals::{Goal, shown};
use super::latency::LOADS;
use super::machine::MachineFacts;
use propice_model::Language;
use propice_report::escaped;

/// Everything, as `bench.json` holds it.
#[derive(Serialize)]
struct WholePage<'a> {
    machine: &'a MachineFacts,
    goals: Vec<Judged<'a>>,
    figures: &'a [Figure],
    latencies: Vec<Quantiles>,
    not_measured: &'a [String],
}

#[derive(Serialize)]
struct Judged<'a> {
    #[serde(flatten)]
    goal: &'a Goal,
    reached: Option<bool>,
}

/// Writes `bench.json`, `bench.html` and one `.hgrm` per distribution into a folder, which is made
/// where it is not there.
///
/// # Errors
/// When that fails.
pub fn write(folder: &Path, machine: &MachineFacts, results: &Results, goals: &[Goal]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let whole = WholePage {
        machine,
        goals: goals.iter().map(|goal| Judged { goal, reached: goal.reached() }).collect(),
        figures: &results.figures,
        latencies: results.latencies.iter().map(Quantiles::from).collect(),
        not_measured: &results.missing,
    };
    fs::write(folder.join("bench.json"), serde_json::to_string_pretty(&whole)? + "\n")?;
    fs::write(folder.join("bench.html"), html(machine, results, goals))?;
    for latency in &results.latencies {
        fs::write(folder.join(format!("{}.hgrm", latency.name)), latency.hgrm())?;
    }
    Ok(())
}

/// All figures and distributions, as text.
pub fn text(results: &Results) -> String {
    let mut text = String::new();
    for figure in &results.figures {
        let name = name_of(figure);
        let range = range_of(figure);
        let _ =
            writeln!(text, "{:<12} {name:<46} {:>14} {:<24} {range}", figure.part, shown(figure.median), figure.unit);
    }
    if !results.latencies.is_empty() {
        let _ = writeln!(
            text,
            "\n{:<62} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "latency in µs", "count", "p50", "p90", "p99", "p99.9", "max"
        );
    }
    for of in results.latencies.iter().map(Quantiles::from) {
        let [p50, p90, p99, p99_9, max] = [of.p50_us, of.p90_us, of.p99_us, of.p99_9_us, of.max_us].map(shown);
        let _ = writeln!(text, "{:<62} {:>10} {p50:>9} {p90:>9} {p99:>9} {p99_9:>9} {max:>9}", of.what, of.count);
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

fn name_of(figure: &Figure) -> String {
    figure.at.map_or(figure.name.to_owned(), |at| format!("{} at {}", figure.name, Language::English.count(at)))
}

fn range_of(figure: &Figure) -> String {
    if figure.rounds < 2 {
        return String::new();
    }
    format!("{} to {} in {} rounds", shown(figure.least), shown(figure.greatest), figure.rounds)
}

fn html(machine: &MachineFacts, results: &Results, goals: &[Goal]) -> String {
    let mut page = String::from(
        "<!doctype html><meta charset=\"utf-8\"><title>propice bench</title><style>\
         body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
         table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #ddd}\
         .ok{color:#176b32}.missed{color:#a11;font-weight:600}svg{margin:.5rem 0 1.5rem}text{font:12px system-ui}</style>\
         <h1>propice bench</h1>",
    );
    let _ = write!(page, "<p>{}</p>", escaped(&machine.text()));
    page.push_str("<h2>Goals</h2><table><tr><th><th>goal<th>measured<th><th>range</tr>");
    for goal in goals {
        let word = match goal.reached() {
            Some(true) => "<td class=ok>ok",
            Some(false) => "<td class=missed>missed",
            None => "<td>not measured",
        };
        let sign = if goal.sense == super::goals::Sense::AtMost { "≤" } else { "≥" };
        let measured = goal.measured.map_or(String::new(), |value| format!("{} {}", shown(value), goal.unit));
        let range = goal.range.map_or(String::new(), |(least, most)| format!("{} to {}", shown(least), shown(most)));
        let _ = write!(
            page,
            "<tr><td>{}<td>{sign} {} {}<td>{measured}{word}<td>{range}</tr>",
            escaped(goal.name),
            shown(goal.goal),
            goal.unit
        );
    }
    page.push_str("</table>");
    plots(results, &mut page);
    page.push_str("<h2>Figures</h2><table>");
    for figure in &results.figures {
        let (name, range) = (escaped(&name_of(figure)), range_of(figure));
        let median = shown(figure.median);
        let _ = write!(page, "<tr><td>{}<td>{name}<td>{median} {}<td>{range}</tr>", figure.part, figure.unit);
    }
    page.push_str("</table><h2>Not measured</h2><ul>");
    for missing in &results.missing {
        let _ = write!(page, "<li>{}", escaped(missing));
    }
    page.push_str("</ul>\n");
    page
}

fn plots(results: &Results, page: &mut String) {
    let curves: Vec<Curve> = results.latencies.iter().map(percentiles).collect();
    if !curves.is_empty() {
        page.push_str("<h2>Latency by percentile</h2>");
        plot(&curves, &Axis { name: "µs", log: true }, &["50%", "90%", "99%", "99.9%", "99.99%"], page);
    }
    let by_load: Vec<(f64, f64)> = (LOADS.iter())
        .filter_map(|&load| results.figure("open loop", "p99", Some(load)).map(|figure| (load as f64, figure.median)))
        .collect();
    if !by_load.is_empty() {
        page.push_str("<h2>p99 against load, in percent of the maximum</h2>");
        let curve = Curve { name: "open loop, p99".to_owned(), points: by_load };
        plot(&[curve], &Axis { name: "µs", log: true }, &[], page);
    }
    for (part, title) in [
        ("customers", "Time per event by customers (powers of ten)"),
        ("moments", "Time per event by moments (powers of ten)"),
        ("epochs", "Time per event by events of an epoch (powers of ten)"),
    ] {
        let curves: Vec<Curve> =
            ["fused", "limit"].into_iter().filter_map(|name| by_size(results, part, name)).collect();
        if !curves.is_empty() {
            let _ = write!(page, "<h2>{title}</h2>");
            plot(&curves, &Axis { name: "ns", log: false }, &[], page);
        }
    }
    let bytes: Vec<&Figure> = results.figures.iter().filter(|figure| figure.part == "memory").collect();
    if !bytes.is_empty() {
        page.push_str("<h2>Memory, bytes</h2>");
        bars(&bytes, page);
    }
}

struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

struct Axis {
    name: &'static str,
    log: bool,
}

/// By the number of nines: 50% is at 0.3, 90% at 1, 99% at 2.
fn percentiles(latency: &Latency) -> Curve {
    let quantiles = [0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.999_5, 0.999_9];
    let points = quantiles.into_iter().map(|quantile: f64| (-(1.0 - quantile).log10(), latency.at_us(quantile)));
    Curve { name: latency.what.clone(), points: points.collect() }
}

fn by_size(results: &Results, part: &str, name: &str) -> Option<Curve> {
    let figures = results.figures.iter().filter(|figure| figure.part == part && figure.name == name);
    let points: Vec<_> = figures.filter_map(|figure| Some(((figure.at? as f64).log10(), figure.median))).collect();
    (points.len() > 1).then(|| Curve { name: name.to_owned(), points })
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 60.0;
const COLOURS: [&str; 8] = ["#1b6ca8", "#d1495b", "#2a9d5c", "#8e5ea2", "#e09f3e", "#577590", "#222", "#b56576"];

fn plot(curves: &[Curve], axis: &Axis, percent: &[&str], page: &mut String) {
    let scaled = |value: f64| if axis.log { value.max(0.1).log10() } else { value };
    let all = || curves.iter().flat_map(|curve| curve.points.iter());
    let (least_x, most_x) = range(all().map(|point| point.0));
    let (least_y, most_y) = range(all().map(|point| scaled(point.1)));
    let (least_y, most_y) = if axis.log { (least_y.floor(), most_y.ceil()) } else { (0.0, most_y * 1.1) };
    let x = |value: f64| LEFT + (WIDTH - LEFT - 10.0) * (value - least_x) / (most_x - least_x).max(1e-9);
    let y = |value: f64| HEIGHT - 30.0 - (HEIGHT - 50.0) * (scaled(value) - least_y) / (most_y - least_y).max(1e-9);
    let height = HEIGHT + 16.0 * curves.len() as f64;
    let _ = write!(page, "<svg width={WIDTH} height={height} viewBox=\"0 0 {WIDTH} {height}\">");
    for step in 0..=4 {
        let at = least_y + (most_y - least_y) * f64::from(step) / 4.0;
        let value = if axis.log { 10_f64.powf(at) } else { at };
        let line = y(value);
        let _ = write!(
            page,
            "<path d=\"M{LEFT} {line:.1}H{WIDTH}\" stroke=#ddd /><text x=2 y={line:.1}>{} {}</text>",
            shown(value),
            axis.name
        );
    }
    let marks: Vec<f64> =
        if percent.is_empty() { all().map(|point| point.0).collect() } else { vec![0.301, 1.0, 2.0, 3.0, 4.0] };
    for (number, mark) in marks.into_iter().enumerate() {
        let label = percent.get(number).map_or_else(|| shown(mark), |label| (*label).to_owned());
        let _ = write!(page, "<text x={:.1} y={:.1} text-anchor=middle>{label}</text>", x(mark), HEIGHT - 10.0);
    }
    for (number, curve) in curves.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let points: Vec<String> =
            curve.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
        let legend = HEIGHT + 12.0 + 16.0 * number as f64;
        let _ = write!(
            page,
            "<polyline fill=none stroke={colour} stroke-width=2 points=\"{}\" /><text x={LEFT} y={legend} fill={colour}>{}</text>",
            points.join(" "),
            escaped(&curve.name)
        );
    }
    page.push_str("</svg>");
}

fn bars(figures: &[&Figure], page: &mut String) {
    let most = figures.iter().map(|figure| figure.median).fold(1.0, f64::max);
    let height = 24 * figures.len();
    let _ = write!(page, "<svg width={WIDTH} height={height} viewBox=\"0 0 {WIDTH} {height}\">");
    for (number, figure) in figures.iter().enumerate() {
        let (top, length) = (24 * number, 300.0 * figure.median / most);
        let (name, value) = (escaped(figure.name), shown(figure.median));
        let _ = write!(
            page,
            "<text x=0 y={}>{name}</text><rect x=240 y={} width={length:.1} height=16 fill=#1b6ca8 /><text x={:.1} y={}>{value}</text>",
            top + 16,
            top + 4,
            250.0 + length,
            top + 16
        );
    }
    page.push_str("</svg>");
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)))
}

#[cfg(test)]
mod tests {
    use super::super::goals::goals;
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_was_measured_is_in_the_files() {
        let mut results = Results::default();
        results.figures.push(Figure::of("moments", "fused", "ns per event", vec![500.0]).at(5));
        results.figures.push(Figure::of("moments", "fused", "ns per event", vec![700.0]).at(1_000));
        let mut latency = Latency::new("quiet", "one event < at a time");
        (1..100).for_each(|us| latency.record(Duration::from_micros(us)));
        results.latencies.push(latency);
        results.missing.push("json: not asked for".to_owned());
        let folder = std::env::temp_dir().join(format!("propice-bench-{}", std::process::id()));
        write(&folder, &MachineFacts::this(), &results, &goals(&results)).unwrap();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&read("bench.json")).unwrap();
        assert_eq!(json["figures"][1]["median"], 700.0);
        assert_eq!(json["latencies"][0]["count"], 99);
        let html = read("bench.html");
        assert!(
            html.contains("one event &lt; at a time") && html.contains("<polyline") && html.contains("not asked for")
        );
        assert!(read("quiet.hgrm").contains("TotalCount"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
