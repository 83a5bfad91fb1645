//! What a report tells, section by section: a title, a sentence, a table. The same for the terminal
//! and for the page.

mod contacts;
mod moments;
mod waits;

use propice_model::Language;

pub(super) use contacts::bins;
pub(super) use moments::{that_were_sent, that_were_watched};
pub(super) use waits::that_waited;

use super::figures::Report;
use super::terms::{EPISODES, MOMENTS};
use super::words::ReportWords;

/// A part of the report.
pub(super) struct ReportSection {
    pub(super) topic: Topic,
    pub(super) title: &'static str,
    /// What the table says, and what it does not.
    pub(super) says: String,
    pub(super) table: ReportTable,
}

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Episodes,
    Contacts,
    Purposes,
    Channels,
    Gates,
    WaitsByGate,
    WaitsByMoment,
    Moments,
    Usefulness,
    Success,
    Timeline,
}

/// A table. The first column names the row.
pub(super) struct ReportTable {
    pub(super) heads: Vec<&'static str>,
    /// Columns from this one on are numbers, but for `words`.
    pub(super) numbers_from: usize,
    /// A column of words behind the numbers.
    pub(super) words: Option<usize>,
    pub(super) rows: Vec<Vec<String>>,
}

impl ReportTable {
    fn new(heads: &[&'static str], rows: Vec<Vec<String>>) -> ReportTable {
        ReportTable { heads: heads.to_vec(), numbers_from: 1, words: None, rows }
    }

    /// Whether a column holds numbers.
    pub(super) fn is_number(&self, column: usize) -> bool {
        column >= self.numbers_from && Some(column) != self.words
    }

    /// Characters of the longest cell of a column.
    pub(super) fn longest(&self, column: usize) -> usize {
        self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    }
}

impl ReportSection {
    /// Whether there is nothing in it. What a pack declares is something.
    fn says_nothing(&self, words: ReportWords) -> bool {
        let declared = matches!(self.topic, Topic::Moments | Topic::Channels);
        let cells = self.table.rows.iter().flat_map(|row| &row[self.table.numbers_from..]);
        self.table.rows.is_empty() || (!declared && cells.into_iter().all(|cell| words.is_nothing(cell)))
    }
}

/// All that have something to say.
pub(super) fn sections(report: &Report, language: Language) -> Vec<ReportSection> {
    let words = ReportWords(language);
    let mut sections = vec![
        episodes(report, words),
        contacts::contacts(report, words),
        contacts::purposes(report, words),
        contacts::channels(report, words),
        waits::gates(report, words),
        waits::by_gate(report, words),
        waits::by_moment(report, words),
        moments::moments(report, words),
        moments::usefulness(report, words),
        moments::success(report, words),
        timeline(report, words),
    ];
    sections.retain(|section| !section.says_nothing(words));
    sections
}

fn episodes(report: &Report, words: ReportWords) -> ReportSection {
    let totals = &report.totals;
    let row =
        |(end, count): (&str, u64)| vec![end.to_owned(), words.count(count), words.percent_of(count, totals.episodes)];
    let episodes = words.counted(totals.episodes, &EPISODES);
    let with_episodes = report.moments.iter().filter(|moment| moment.totals.episodes > 0).count();
    let moments = words.counted(with_episodes as u64, &MOMENTS);
    let was = |count, english: &str, french: &str| words.pick(was(count, english), a_ete(words, count, french));
    let deferred = was(totals.ever_deferred, "deferred", "reporté");
    let suppressed = was(totals.ever_suppressed, "suppressed", "retenu");
    let withdrawn = was(totals.withdrawn_after_release, "withdrawn", "retiré");
    let says = words.pick(
        format!(
            "{episodes} of {moments}. Of them, {deferred} and {suppressed} at some time, and {withdrawn} again after the release."
        ),
        format!("{episodes} de {moments}. Parmi eux, {deferred} et {suppressed} un temps, et {withdrawn} après l’émission."),
    );
    let heads = words.pick(["episodes", "count", "share"], ["épisodes", "nombre", "part"]);
    let table = ReportTable::new(&heads, words.ends(totals).into_iter().map(row).collect());
    let title = words.pick("What became of episodes", "Ce que sont devenus les épisodes");
    ReportSection { topic: Topic::Episodes, title, says, table }
}

fn was(count: u64, what: &str) -> String {
    match count {
        0 => format!("none was {what}"),
        1 => format!("1 was {what}"),
        count => format!("{} were {what}", Language::English.count(count)),
    }
}

fn a_ete(words: ReportWords, count: u64, what: &str) -> String {
    match count {
        0 => format!("aucun n’a été {what}"),
        1 => format!("1 a été {what}"),
        count => format!("{} ont été {what}s", words.count(count)),
    }
}

fn timeline(report: &Report, words: ReportWords) -> ReportSection {
    let unit = words.unit(report.timeline.unit);
    let purposes: Vec<&'static str> = report.purposes.iter().map(|of| of.purpose).collect();
    let rows = report.timeline.periods.iter().map(|of| {
        let mut row = vec![report.timeline.unit.label(of.start, words.0), words.count(of.all_released())];
        row.extend(purposes.iter().map(|purpose| words.count(of.released_for(purpose))));
        row.extend([of.handed_to_human, of.withdrawn_before_release, of.expired].map(|count| words.count(count)));
        row
    });
    let named: Vec<&'static str> = purposes.iter().map(|purpose| words.purpose(purpose)).collect();
    let behind = words.pick(
        ["handed to a human", "withdrawn before", "expired"],
        ["confiés à une personne", "retirés avant", "expirés"],
    );
    let heads = [&[unit, words.pick("released", "émis")], &named[..], &behind].concat();
    let zone = words.name(&report.zone);
    let says = words.pick(
        format!("Final verdicts by {unit} ({zone}), the first and the last perhaps not whole."),
        format!(
            "Verdicts définitifs par {unit} ({zone}), le début et la fin de la période étant peut-être incomplets."
        ),
    );
    let title = words.pick("Over time", "Au fil du temps");
    ReportSection { topic: Topic::Timeline, title, says, table: ReportTable::new(&heads, rows.collect()) }
}
