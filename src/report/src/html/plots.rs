//! Which plot goes with which section, with its legend and what it says in words.

use std::fmt::Write as _;

use super::super::figures::{OneMoment, Report, Waits};
use super::super::sections::{Section, Topic, bins, channel, ends, that_waited, that_were_sent, that_were_watched};
use super::super::words::{counted, grouped, name};
use super::columns::{Axes, Column, columns};
use super::rows::{Bar, Mark, bars, lengths, shares, told_lengths, told_share};
use super::svg::{Said, Size, escaped};

/// Rows and columns of a plot at most; the table has all.
const MOST_ROWS: usize = 30;
const MOST_PERIODS: usize = 60;

impl Topic {
    /// What links and ids call it.
    pub(super) fn id(self) -> &'static str {
        match self {
            Topic::Episodes => "episodes",
            Topic::Contacts => "contacts",
            Topic::Purposes => "purposes",
            Topic::Channels => "channels",
            Topic::Gates => "gates",
            Topic::WaitsByGate => "waits-by-gate",
            Topic::WaitsByMoment => "waits-by-moment",
            Topic::Moments => "moments",
            Topic::Usefulness => "usefulness",
            Topic::Success => "success",
            Topic::Timeline => "timeline",
        }
    }
}

/// The plot of a section, when it has one and something to show.
pub(super) fn plot(report: &Report, section: &Section) -> Option<String> {
    match section.topic {
        Topic::Episodes => {
            of_bars(section, ends(&report.totals).map(|(end, count)| (end.to_owned(), count)), "episodes")
        }
        Topic::Contacts => contacts(report, section),
        Topic::Purposes => {
            of_bars(section, report.purposes.iter().map(|of| (of.purpose.to_owned(), of.released)), "releases")
        }
        Topic::Channels => {
            let rows =
                report.channels.iter().map(|of| (channel(of.channel.as_deref()), of.released + of.handed_to_human));
            of_bars(section, rows, "triggers, released or handed over")
        }
        Topic::Gates => gates(report, section),
        Topic::WaitsByGate => {
            let all = [("all".to_owned(), &report.deferrals)];
            waits(section, all.into_iter().chain(report.gates.iter().map(|of| (of.gate.to_owned(), &of.deferrals))))
        }
        Topic::WaitsByMoment => {
            waits(section, that_waited(report).into_iter().map(|of| (name(&of.moment), &of.deferrals)))
        }
        Topic::Moments => None,
        Topic::Usefulness => usefulness(report, section),
        Topic::Success => success(report, section),
        Topic::Timeline => timeline(report, section),
    }
}

/// A plot in all its sizes.
fn sized(section: &Section, describes: String, legend: &str, draw: impl Fn(&Said<'_>, Size) -> String) -> String {
    let said = Said { id: section.topic.id(), title: section.title, describes };
    let broad = if section.is_broad() { draw(&said, Size::Broad) } else { String::new() };
    format!("{legend}{broad}{}{}", draw(&said, Size::Wide), draw(&said, Size::Narrow))
}

/// What classes of marks stand for.
fn legend(entries: &[(&str, &str)]) -> String {
    let mut out = "<ul class=\"legend\">".to_owned();
    for (class, text) in entries {
        let _ = write!(out, "<li><i class=\"{class}\"></i>{}</li>", escaped(text));
    }
    out.push_str("</ul>\n");
    out
}

fn more(left_out: usize, what: &str) -> String {
    if left_out == 0 { String::new() } else { format!(" {} in the table only.", counted(left_out as u64, what)) }
}

fn of_bars(section: &Section, rows: impl IntoIterator<Item = (String, u64)>, unit: &str) -> Option<String> {
    let rows: Vec<(String, Vec<Bar<'_>>)> =
        rows.into_iter().map(|(name, count)| (name, vec![("one", count)])).collect();
    if rows.iter().all(|(_, bars)| bars[0].1 == 0) {
        return None;
    }
    let shown = &rows[..rows.len().min(MOST_ROWS)];
    let told: Vec<String> = shown.iter().map(|(name, bars)| format!("{name} {}", grouped(bars[0].1))).collect();
    let describes = format!("Bars, {unit}: {}.{}", told.join(", "), more(rows.len() - shown.len(), "row"));
    Some(sized(section, describes, "", |said, size| bars(said, size, shown, unit)))
}

fn contacts(report: &Report, section: &Section) -> Option<String> {
    if report.customers.seen == 0 {
        return None;
    }
    let found: Vec<Column<'_>> = bins(report).into_iter().map(|of| (of.label(), vec![("one", of.customers)])).collect();
    let told: Vec<String> = found.iter().map(|(bin, of)| format!("{bin}: {}", grouped(of[0].1))).collect();
    let describes = format!("A histogram. Customers by number of contacts: {}.", told.join(", "));
    let axes = Axes { across: "contacts of a customer", upwards: "customers" };
    Some(sized(section, describes, "", |said, size| columns(said, size, &axes, &found)))
}

fn gates(report: &Report, section: &Section) -> Option<String> {
    let of = |gate: &super::super::figures::Gated| vec![("suppressed", gate.suppressed), ("deferred", gate.deferred)];
    let rows: Vec<(String, Vec<Bar<'_>>)> = report.gates.iter().map(|gate| (gate.gate.to_owned(), of(gate))).collect();
    if report.gates.iter().all(|gate| gate.suppressed + gate.deferred == 0) {
        return None;
    }
    let told: Vec<String> = report
        .gates
        .iter()
        .map(|of| format!("{} suppressed {} and deferred {}", of.gate, grouped(of.suppressed), grouped(of.deferred)))
        .collect();
    let describes = format!("Bars, two for each gate: {}.", told.join(", "));
    let legend = legend(&[("suppressed", "suppressed"), ("deferred", "deferred")]);
    Some(sized(section, describes, &legend, |said, size| bars(said, size, &rows, "episodes")))
}

fn waits<'r>(section: &Section, rows: impl Iterator<Item = (String, &'r Waits)>) -> Option<String> {
    let rows: Vec<(String, &Waits)> = rows.filter(|(_, of)| of.ended > 0).collect();
    if rows.is_empty() {
        return None;
    }
    let shown = &rows[..rows.len().min(MOST_ROWS)];
    let left_out = more(rows.len() - shown.len(), "row");
    let describes = format!("Lengths on a logarithmic scale. {}.{left_out}", told_lengths(shown));
    let legend = legend(&[("median", "median"), ("within", "nine in ten within"), ("thin", "longest")]);
    Some(sized(section, describes, &legend, |said, size| lengths(said, size, shown)))
}

/// Rows of shares, one or two marks each.
fn of_shares(
    section: &Section,
    moments: &[&OneMoment],
    unit: &str,
    key: &[(&str, &str)],
    marks: impl Fn(&OneMoment) -> Vec<Mark>,
) -> Option<String> {
    if moments.is_empty() {
        return None;
    }
    let shown = &moments[..moments.len().min(MOST_ROWS)];
    let rows: Vec<(String, Vec<Mark>)> = shown.iter().map(|of| (name(&of.moment), marks(of))).collect();
    let told: Vec<String> = rows
        .iter()
        .map(|(name, marks)| {
            let shares: Vec<String> =
                marks.iter().zip(key).map(|((_, share), (_, what))| format!("{what} {}", told_share(*share))).collect();
            format!("{name}: {}", shares.join(", "))
        })
        .collect();
    let left_out = more(moments.len() - shown.len(), "moment");
    let describes = format!("Shares with intervals of 95% confidence, {unit}. {}.{left_out}", told.join("; "));
    Some(sized(section, describes, &legend(key), |said, size| shares(said, size, &rows, unit)))
}

fn usefulness(report: &Report, section: &Section) -> Option<String> {
    let mut rated = that_were_sent(report);
    rated.retain(|of| of.useful.of > 0);
    let key = [("treated", "rated useful, with its interval of 95%")];
    of_shares(section, &rated, "share of the ratings", &key, |of| vec![(true, of.useful)])
}

fn success(report: &Report, section: &Section) -> Option<String> {
    let key = [("treated", "treated"), ("holdout", "held out")];
    let unit = "share of the outcomes that helped";
    of_shares(section, &that_were_watched(report), unit, &key, |of| vec![(true, of.treated), (false, of.holdout)])
}

fn timeline(report: &Report, section: &Section) -> Option<String> {
    let periods = &report.timeline.periods;
    let shown = &periods[periods.len().saturating_sub(MOST_PERIODS)..];
    if shown.is_empty() {
        return None;
    }
    let purposes: Vec<&'static str> = report.purposes.iter().map(|of| of.purpose).collect();
    let stacks: Vec<Column<'_>> = shown
        .iter()
        .map(|of| (of.label.clone(), purposes.iter().map(|purpose| (*purpose, of.released_for(purpose))).collect()))
        .collect();
    let unit = report.timeline.unit.name();
    let told: Vec<String> = shown.iter().map(|of| format!("{}: {}", of.label, grouped(of.all_released()))).collect();
    let left_out = more(periods.len() - shown.len(), unit);
    let describes = format!("Stacked columns. Releases by {unit}: {}.{left_out}", told.join(", "));
    let across = format!("{unit}, by its first day");
    let axes = Axes { across: if unit == "week" { &across } else { unit }, upwards: "releases" };
    let key: Vec<(&str, &str)> = purposes.iter().map(|purpose| (*purpose, *purpose)).collect();
    Some(sized(section, describes, &legend(&key), |said, size| columns(said, size, &axes, &stacks)))
}
