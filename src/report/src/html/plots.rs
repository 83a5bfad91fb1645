//! Which plot goes with which section, with its legend and what it says in words.

use std::fmt::Write as _;

use super::super::figures::{Channeled, Gated, OneMoment, Report, ReportPeriod, Waits};
use super::super::periods::Unit;
use super::super::sections::{ReportSection, Topic, bins, that_waited, that_were_sent, that_were_watched};
use super::super::terms::{MOMENTS, ROWS};
use super::super::words::{Noun, ReportWords};
use super::columns::{Axes, StackedColumn, columns};
use super::is_broad;
use super::row_plots::{Bar, RowMark, bars, lengths, shares, told_lengths, told_share};
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
pub(super) fn plot(report: &Report, section: &ReportSection, words: ReportWords) -> Option<String> {
    let drawing = Drawing { section, words };
    match section.topic {
        Topic::Episodes => {
            let rows = words.ends(&report.totals).map(|(end, count)| (end.to_owned(), count));
            drawing.of_bars(rows, words.pick("episodes", "épisodes"))
        }
        Topic::Contacts => drawing.contacts(report),
        Topic::Purposes => {
            let rows = report.purposes.iter().map(|of| (words.purpose(of.purpose).to_owned(), of.released));
            drawing.of_bars(rows, words.pick("releases", "émissions"))
        }
        Topic::Channels => {
            let sent = |of: &Channeled| of.released + of.handed_to_human;
            let rows = report.channels.iter().map(|of| (words.channel(of.channel.as_deref()), sent(of)));
            drawing.of_bars(rows, words.pick("triggers, released or handed over", "envois, émis ou confiés"))
        }
        Topic::Gates => drawing.gates(report),
        Topic::WaitsByGate => {
            let all = [(words.pick("all", "toutes").to_owned(), &report.deferrals)];
            let gates = report.gates.iter().map(|of| (words.gate(of.gate).to_owned(), &of.deferrals));
            drawing.waits(all.into_iter().chain(gates))
        }
        Topic::WaitsByMoment => {
            drawing.waits(that_waited(report).into_iter().map(|of| (words.name(&of.moment), &of.deferrals)))
        }
        Topic::Moments => None,
        Topic::Usefulness => drawing.usefulness(report),
        Topic::Success => drawing.success(report),
        Topic::Timeline => drawing.timeline(report),
    }
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

/// A plot of a section, in a language.
#[derive(Clone, Copy)]
struct Drawing<'a> {
    section: &'a ReportSection,
    words: ReportWords,
}

impl Drawing<'_> {
    /// In all its sizes.
    fn sized(self, describes: String, legend: &str, draw: impl Fn(&Said<'_>, Size) -> String) -> String {
        let said = Said { id: self.section.topic.id(), title: self.section.title, describes };
        let broad = if is_broad(self.section) { draw(&said, Size::Broad) } else { String::new() };
        format!("{legend}{broad}{}{}", draw(&said, Size::Wide), draw(&said, Size::Narrow))
    }

    /// That the table has more than the plot.
    fn more(self, left_out: usize, what: &Noun) -> String {
        if left_out == 0 {
            return String::new();
        }
        let counted = self.words.counted(left_out as u64, what);
        format!(" {counted} {}.", self.words.pick("in the table only", "dans le tableau seulement"))
    }

    /// `name: count` of each.
    fn told<'n>(self, rows: impl Iterator<Item = (&'n str, u64)>) -> String {
        let colon = self.words.colon();
        rows.map(|(name, count)| format!("{name}{colon} {}", self.words.count(count))).collect::<Vec<_>>().join(", ")
    }

    fn of_bars(self, rows: impl IntoIterator<Item = (String, u64)>, unit: &str) -> Option<String> {
        let words = self.words;
        let rows: Vec<(String, Vec<Bar<'_>>)> =
            rows.into_iter().map(|(name, count)| (name, vec![("one", count)])).collect();
        if rows.iter().all(|(_, bars)| bars[0].1 == 0) {
            return None;
        }
        let shown = &rows[..rows.len().min(MOST_ROWS)];
        let told = self.told(shown.iter().map(|(name, bars)| (name.as_str(), bars[0].1)));
        let left_out = self.more(rows.len() - shown.len(), &ROWS);
        let describes =
            words.pick(format!("Bars, {unit}. {told}.{left_out}"), format!("Barres, {unit}. {told}.{left_out}"));
        Some(self.sized(describes, "", |said, size| bars(said, size, shown, unit, words)))
    }

    fn contacts(self, report: &Report) -> Option<String> {
        let words = self.words;
        if report.customers.seen == 0 {
            return None;
        }
        let found: Vec<StackedColumn<'_>> =
            bins(report).into_iter().map(|of| (of.label(words), vec![("one", of.customers)])).collect();
        let told = self.told(found.iter().map(|(bin, of)| (bin.as_str(), of[0].1)));
        let describes = words.pick(
            format!("A histogram. Customers by number of contacts. {told}."),
            format!("Un histogramme. Clients par nombre de contacts. {told}."),
        );
        let (across, upwards) =
            words.pick(("contacts of a customer", "customers"), ("contacts d’un client", "clients"));
        let axes = Axes { across, upwards };
        Some(self.sized(describes, "", |said, size| columns(said, size, &axes, &found, words)))
    }

    fn gates(self, report: &Report) -> Option<String> {
        let words = self.words;
        let of = |gate: &Gated| vec![("suppressed", gate.suppressed), ("deferred", gate.deferred)];
        let rows: Vec<(String, Vec<Bar<'_>>)> =
            report.gates.iter().map(|gate| (words.gate(gate.gate).to_owned(), of(gate))).collect();
        if report.gates.iter().all(|gate| gate.suppressed + gate.deferred == 0) {
            return None;
        }
        let [suppressed, deferred] = words.pick(["suppressed", "deferred"], ["retenus", "reportés"]);
        let told = |of: &Gated| {
            let (gate, colon) = (words.gate(of.gate), words.colon());
            let counts = [of.suppressed, of.deferred].map(|count| words.count(count));
            format!("{gate}{colon} {} {suppressed}, {} {deferred}", counts[0], counts[1])
        };
        let told = report.gates.iter().map(told).collect::<Vec<_>>().join(&format!("{} ", words.semicolon()));
        let describes = words
            .pick(format!("Bars, two for each gate. {told}."), format!("Barres, deux pour chaque barrière. {told}."));
        let legend = legend(&[("suppressed", suppressed), ("deferred", deferred)]);
        let unit = words.pick("episodes", "épisodes");
        Some(self.sized(describes, &legend, |said, size| bars(said, size, &rows, unit, words)))
    }

    fn waits<'r>(self, rows: impl Iterator<Item = (String, &'r Waits)>) -> Option<String> {
        let words = self.words;
        let rows: Vec<(String, &Waits)> = rows.filter(|(_, of)| of.ended > 0).collect();
        if rows.is_empty() {
            return None;
        }
        let shown = &rows[..rows.len().min(MOST_ROWS)];
        let left_out = self.more(rows.len() - shown.len(), &ROWS);
        let told = told_lengths(shown, words);
        let describes = words.pick(
            format!("Lengths on a logarithmic scale. {told}.{left_out}"),
            format!("Durées sur une échelle logarithmique. {told}.{left_out}"),
        );
        let [median, within, longest] =
            words.pick(["median", "nine in ten within", "longest"], ["médiane", "neuf sur dix", "la plus longue"]);
        let legend = legend(&[("median", median), ("within", within), ("thin", longest)]);
        Some(self.sized(describes, &legend, |said, size| lengths(said, size, shown, words)))
    }

    /// Rows of shares, one or two marks each.
    fn of_shares(
        self,
        moments: &[&OneMoment],
        unit: &str,
        key: &[(&str, &str)],
        marks: impl Fn(&OneMoment) -> Vec<RowMark>,
    ) -> Option<String> {
        let words = self.words;
        if moments.is_empty() {
            return None;
        }
        let shown = &moments[..moments.len().min(MOST_ROWS)];
        let rows: Vec<(String, Vec<RowMark>)> = shown.iter().map(|of| (words.name(&of.moment), marks(of))).collect();
        let told = |(name, marks): &(String, Vec<RowMark>)| {
            let marks = marks.iter().zip(key);
            let shares: Vec<String> =
                marks.map(|((_, share), (_, what))| format!("{what} {}", told_share(*share, words))).collect();
            format!("{name}{} {}", words.colon(), shares.join(", "))
        };
        let told = rows.iter().map(told).collect::<Vec<_>>().join(&format!("{} ", words.semicolon()));
        let left_out = self.more(moments.len() - shown.len(), &MOMENTS);
        let describes = words.pick(
            format!("Shares with intervals of 95% confidence, {unit}. {told}.{left_out}"),
            format!("Parts avec leurs intervalles de confiance à 95\u{202f}%, {unit}. {told}.{left_out}"),
        );
        Some(self.sized(describes, &legend(key), |said, size| shares(said, size, &rows, unit, words)))
    }

    fn usefulness(self, report: &Report) -> Option<String> {
        let mut rated = that_were_sent(report);
        rated.retain(|of| of.useful.of > 0);
        let what =
            self.words.pick("rated useful, with its interval of 95%", "jugés utiles, avec l’intervalle à 95\u{202f}%");
        let unit = self.words.pick("share of the ratings", "part des avis");
        self.of_shares(&rated, unit, &[("treated", what)], |of| vec![(true, of.useful)])
    }

    fn success(self, report: &Report) -> Option<String> {
        let [treated, holdout] = self.words.pick(["treated", "held out"], ["traités", "témoins"]);
        let key = [("treated", treated), ("holdout", holdout)];
        let unit = self.words.pick("share of the outcomes that helped", "part des résultats qui ont aidé");
        self.of_shares(&that_were_watched(report), unit, &key, |of| vec![(true, of.treated), (false, of.holdout)])
    }

    fn timeline(self, report: &Report) -> Option<String> {
        let words = self.words;
        let periods = &report.timeline.periods;
        let shown = &periods[periods.len().saturating_sub(MOST_PERIODS)..];
        if shown.is_empty() {
            return None;
        }
        let unit = report.timeline.unit;
        let purposes: Vec<&'static str> = report.purposes.iter().map(|of| of.purpose).collect();
        let stack = |of: &ReportPeriod| purposes.iter().map(|purpose| (*purpose, of.released_for(purpose))).collect();
        let stacks: Vec<StackedColumn<'_>> =
            shown.iter().map(|of| (unit.label(of.start, words.0), stack(of))).collect();
        let all = stacks.iter().zip(shown).map(|((label, _), of)| (label.as_str(), of.all_released()));
        let (told, left_out) = (self.told(all), self.more(periods.len() - shown.len(), &ROWS));
        let name = words.unit(unit);
        let describes = words.pick(
            format!("Stacked columns. Releases by {name}. {told}.{left_out}"),
            format!("Colonnes empilées. Émissions par {name}. {told}.{left_out}"),
        );
        let across = match unit {
            Unit::Week => words.pick("week, by its first day", "semaine, par son premier jour"),
            _ => name,
        };
        let axes = Axes { across, upwards: words.pick("releases", "émissions") };
        let key: Vec<(&str, &str)> = purposes.iter().map(|purpose| (*purpose, words.purpose(purpose))).collect();
        Some(self.sized(describes, &legend(&key), |said, size| columns(said, size, &axes, &stacks, words)))
    }
}
