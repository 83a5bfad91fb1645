//! What a report tells, section by section: a title, a sentence, a table. The same for the terminal and for the page.

use super::figures::{OneMoment, Report, Totals, Waits};
use super::stats::{LEAST_WATCHED, Share};
use super::words::{NOTHING, counted, grouped, name, percent, percent_of, some_length};

/// Bars of a histogram at most.
const BINS: u64 = 20;

/// A part of the report.
pub(super) struct Section {
    pub(super) topic: Topic,
    pub(super) title: &'static str,
    /// What the table says, and what it does not.
    pub(super) says: String,
    pub(super) table: Table,
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

impl Section {
    /// Whether the table needs the whole width of a page.
    pub(super) fn is_broad(&self) -> bool {
        let longest = |column: usize| self.table.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        (0..self.table.heads.len()).map(|column| longest(column) + 3).sum::<usize>() > 58
    }
}

/// A table. The first column names the row.
pub(super) struct Table {
    pub(super) heads: Vec<&'static str>,
    /// Columns from this one on are numbers, but for `words`.
    pub(super) numbers_from: usize,
    /// A column of words behind the numbers.
    pub(super) words: Option<usize>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    fn new(heads: &[&'static str], rows: Vec<Vec<String>>) -> Table {
        Table { heads: heads.to_vec(), numbers_from: 1, words: None, rows }
    }

    /// Whether a column holds numbers.
    pub(super) fn is_number(&self, column: usize) -> bool {
        column >= self.numbers_from && Some(column) != self.words
    }
}

/// All of them.
pub(super) fn sections(report: &Report) -> Vec<Section> {
    vec![
        episodes(report),
        contacts(report),
        purposes(report),
        channels(report),
        gates(report),
        waits_by_gate(report),
        waits_by_moment(report),
        moments(report),
        usefulness(report),
        success(report),
        timeline(report),
    ]
}

/// What became of episodes, in the order in which it is told.
pub(super) fn ends(totals: &Totals) -> [(&'static str, u64); 6] {
    [
        ("released", totals.released),
        ("handed to a human", totals.handed_to_human),
        ("withdrawn before release", totals.withdrawn_before_release),
        ("expired", totals.expired),
        ("still deferred", totals.still_deferred),
        ("still suppressed", totals.still_suppressed),
    ]
}

fn episodes(report: &Report) -> Section {
    let totals = &report.totals;
    let row = |(end, count): (&str, u64)| vec![end.to_owned(), grouped(count), percent_of(count, totals.episodes)];
    let says = format!(
        "{} of {}. Of them, {} deferred and {} suppressed at some time, and {} withdrawn again after the release.",
        counted(totals.episodes, "episode"),
        counted(report.moments.iter().filter(|moment| moment.totals.episodes > 0).count() as u64, "moment"),
        was(totals.ever_deferred),
        was(totals.ever_suppressed),
        was(totals.withdrawn_after_release),
    );
    let table = Table::new(&["episodes", "count", "share"], ends(totals).into_iter().map(row).collect());
    Section { topic: Topic::Episodes, title: "What became of episodes", says, table }
}

fn was(count: u64) -> String {
    match count {
        0 => "none was".to_owned(),
        1 => "1 was".to_owned(),
        count => format!("{} were", grouped(count)),
    }
}

/// Customers with so many contacts.
pub(super) struct Bin {
    from: u64,
    /// `None`: or more.
    to: Option<u64>,
    pub(super) customers: u64,
}

impl Bin {
    pub(super) fn label(&self) -> String {
        match self.to {
            Some(to) if to == self.from => to.to_string(),
            Some(to) => format!("{}–{to}", self.from),
            None => format!("{} or more", self.from),
        }
    }
}

/// A histogram of contacts. The first bin is that of none; the last is open when a few customers in a hundred have many more than the others.
pub(super) fn bins(report: &Report) -> Vec<Bin> {
    let customers = &report.customers;
    let mut within = 0;
    let most_have = customers.distribution.iter().find(|of| {
        within += of.customers;
        within * 100 >= customers.seen * 98
    });
    let most = if customers.most <= BINS { customers.most } else { most_have.map_or(0, |of| of.contacts) };
    let widths = (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let width = widths.into_iter().find(|width| most.div_ceil(*width) <= BINS).unwrap_or(u64::MAX);
    let last = most.div_ceil(width);
    let mut bins = vec![Bin { from: 0, to: Some(0), customers: 0 }];
    bins.extend((0..last).map(|bin| Bin { from: bin * width + 1, to: Some((bin + 1) * width), customers: 0 }));
    if customers.most > last * width {
        bins.push(Bin { from: last * width + 1, to: None, customers: 0 });
    }
    for of in &customers.distribution {
        let bin = of.contacts.div_ceil(width).min(last + 1) as usize;
        bins[bin].customers += of.customers;
    }
    bins
}

fn contacts(report: &Report) -> Section {
    let customers = &report.customers;
    let row = |bin: Bin| vec![bin.label(), grouped(bin.customers), percent_of(bin.customers, customers.seen)];
    let mean = customers.mean.map_or_else(|| NOTHING.to_owned(), |mean| format!("{mean:.2}"));
    let mut says = format!(
        "{} for {}: {mean} each on average, {} at most. Only releases count, and only customers whom a decision names: who never met a moment is not here.",
        counted(customers.contacts, "contact"),
        counted(customers.seen, "customer"),
        grouped(customers.most),
    );
    if report.receipts.contacts_of_other_systems > 0 {
        let others = counted(report.receipts.contacts_of_other_systems, "contact");
        says += " Other systems reported ";
        says += &others;
        says += " of their own, which are not counted.";
    }
    let table = Table::new(&["contacts", "customers", "share"], bins(report).into_iter().map(row).collect());
    Section { topic: Topic::Contacts, title: "Contacts per customer", says, table }
}

fn purposes(report: &Report) -> Section {
    let all: u64 = report.purposes.iter().map(|of| of.released).sum();
    let rows = report.purposes.iter().map(|of| {
        let (released, handed) = (grouped(of.released), grouped(of.handed_to_human));
        vec![of.purpose.to_owned(), released, percent_of(of.released, all), handed]
    });
    let says = match report.assistance_to_sales {
        Some(ratio) => format!("{ratio:.1} contacts to assist for each one to sell."),
        None => "No contact to sell.".to_owned(),
    };
    let table = Table::new(&["purpose", "released", "share", "handed to a human"], rows.collect());
    Section { topic: Topic::Purposes, title: "What contacts were for", says, table }
}

/// How a channel is called.
pub(super) fn channel(channel: Option<&str>) -> String {
    channel.map_or_else(|| "(no channel)".to_owned(), name)
}

fn channels(report: &Report) -> Section {
    let all: u64 = report.channels.iter().map(|of| of.released).sum();
    let rows = report.channels.iter().map(|of| {
        let (released, handed) = (grouped(of.released), grouped(of.handed_to_human));
        vec![channel(of.channel.as_deref()), released, percent_of(of.released, all), handed]
    });
    let says = "Where triggers went: the first channel of the moment that was neither quiet nor used up.".to_owned();
    let table = Table::new(&["channel", "released", "share", "handed to a human"], rows.collect());
    Section { topic: Topic::Channels, title: "Channels", says, table }
}

fn gates(report: &Report) -> Section {
    let rows = report.gates.iter().map(|of| {
        let counts = [of.suppressed, of.deferred, of.expired].map(grouped);
        std::iter::once(of.gate.to_owned()).chain(counts).collect()
    });
    let says = "Episodes that each gate held back at some time: suppressed, deferred, and still failing when the episode expired. An episode that several gates held back \
                counts at each of them."
        .to_owned();
    let table = Table::new(&["gate", "suppressed", "deferred", "expired"], rows.collect());
    Section { topic: Topic::Gates, title: "Which gate held back", says, table }
}

const WAITS: [&str; 5] = ["over", "median", "nine in ten within", "longest", "still open"];

fn waits(waits: &Waits) -> [String; 5] {
    let lengths = [waits.median_ms, waits.p90_ms, waits.longest_ms].map(some_length);
    let [median, p90, longest] = lengths;
    [grouped(waits.ended), median, p90, longest, grouped(waits.still_open)]
}

fn there_are(waits: &Waits) -> bool {
    waits.ended + waits.still_open > 0
}

fn waits_by_gate(report: &Report) -> Section {
    let all = [("all", &report.deferrals)];
    let gates = report.gates.iter().map(|of| (of.gate, &of.deferrals)).filter(|(_, of)| there_are(of));
    let rows = all.into_iter().chain(gates);
    let rows = rows.map(|(gate, of)| std::iter::once(gate.to_owned()).chain(waits(of)).collect());
    let says = "A deferral lasts until the verdict is another one; at a gate, as long as verdicts name the gate. Those that were still open at the end are counted, and not measured.";
    let heads = [&["gate"][..], &WAITS].concat();
    let table = Table::new(&heads, rows.collect());
    Section { topic: Topic::WaitsByGate, title: "How long deferrals lasted, by gate", says: says.to_owned(), table }
}

/// Moments with deferrals, those that waited longest first.
pub(super) fn that_waited(report: &Report) -> Vec<&OneMoment> {
    let mut moments: Vec<&OneMoment> = report.moments.iter().filter(|of| there_are(&of.deferrals)).collect();
    moments.sort_by_key(|of| std::cmp::Reverse(of.deferrals.median_ms));
    moments
}

fn waits_by_moment(report: &Report) -> Section {
    let rows = that_waited(report).into_iter().map(|of| {
        let released = of.then.get("released").copied().unwrap_or(0);
        let released = percent_of(released, of.deferrals.ended);
        std::iter::once(name(&of.moment)).chain(waits(&of.deferrals)).chain([released]).collect()
    });
    let says = "The last column is the share of the deferrals that are over which ended in a release.".to_owned();
    let heads = [&["moment"][..], &WAITS, &["then released"]].concat();
    let table = Table::new(&heads, rows.collect());
    Section { topic: Topic::WaitsByMoment, title: "How long deferrals lasted, by moment", says, table }
}

fn moments(report: &Report) -> Section {
    let rows = report.moments.iter().map(|of| {
        let [released, handed, withdrawn, expired, deferred, suppressed] = ends(&of.totals).map(|(_, count)| count);
        let after = of.totals.withdrawn_after_release;
        let counts = [of.totals.episodes, released, handed, withdrawn, after, expired, deferred, suppressed];
        [name(&of.moment), of.purpose.to_owned()].into_iter().chain(counts.map(grouped)).collect()
    });
    let heads = [
        "moment",
        "purpose",
        "episodes",
        "released",
        "handed to a human",
        "withdrawn before",
        "withdrawn after",
        "expired",
        "still deferred",
        "still suppressed",
    ];
    let mut table = Table::new(&heads, rows.collect());
    table.numbers_from = 2;
    let says = "Withdrawn before: the situation ended by itself before anything was said. Withdrawn after: it ended after the release."
        .to_owned();
    Section { topic: Topic::Moments, title: "Moments", says, table }
}

/// Kinds of receipts that have a column.
const ANSWERS: [&str; 6] = ["seen", "acted", "dismissed", "useful", "not_useful", "wrong"];

/// Moments that customers have heard of or answered.
pub(super) fn that_were_sent(report: &Report) -> Vec<&OneMoment> {
    report.moments.iter().filter(|of| of.sent() > 0 || !of.receipts.is_empty()).collect()
}

fn usefulness(report: &Report) -> Section {
    let rows = that_were_sent(report).into_iter().map(|of| {
        let answers = ANSWERS.map(|kind| {
            let count = of.received(kind);
            match (count, of.sent()) {
                (0, _) | (_, 0) => grouped(count),
                (count, sent) => format!("{} ({:.0}%)", grouped(count), count as f64 * 100.0 / sent as f64),
            }
        });
        let head = [name(&of.moment), grouped(of.sent())];
        head.into_iter().chain(answers).chain([with_interval(of.useful)]).collect()
    });
    let heads =
        ["moment", "triggers", "seen", "acted on", "dismissed", "useful", "not useful", "wrong", "rated useful"];
    let says = "Receipts by kind, and per trigger (a trigger can be answered more than once). Rated useful: the share of useful among all that say useful, not useful or wrong, with \
                its interval of 95% confidence."
        .to_owned();
    Section { topic: Topic::Usefulness, title: "What customers said", says, table: Table::new(&heads, rows.collect()) }
}

/// Moments whose success was watched to its end.
pub(super) fn that_were_watched(report: &Report) -> Vec<&OneMoment> {
    report.moments.iter().filter(|of| of.treated.of + of.holdout.of > 0).collect()
}

/// A share with its interval and how many it is of.
fn with_interval(share: Share) -> String {
    match (share.rate, share.low, share.high) {
        (Some(rate), Some(low), Some(high)) => {
            format!("{} ({} to {}) of {}", percent(rate), percent(low), percent(high), grouped(share.of))
        }
        _ => NOTHING.to_owned(),
    }
}

/// A difference of shares, in points.
fn points(difference: f64) -> String {
    let sign = if difference > 0.0 { "+" } else { "" };
    format!("{sign}{:.1}", difference * 100.0).replace('-', "−")
}

fn success(report: &Report) -> Section {
    let rows = that_were_watched(report).into_iter().map(|of| {
        let (difference, says) = match of.treated_against_holdout {
            Some(of) => {
                let (low, high) = (points(of.low), points(of.high));
                (format!("{} ({low} to {high})", points(of.difference)), of.says.words())
            }
            None if of.holdout.of == 0 => (NOTHING.to_owned(), "no control group"),
            None => (NOTHING.to_owned(), "nobody treated"),
        };
        vec![name(&of.moment), with_interval(of.treated), with_interval(of.holdout), difference, says.to_owned()]
    });
    let says = format!(
        "Outcomes: did what the moment is for come about in time? Treated after a release, held out in the control group without one. The difference is in points of percent, with its \
         interval of 95% confidence (Newcombe); fewer than {LEAST_WATCHED} outcomes in a group are too few to tell. One comparison in twenty shows a difference by chance alone."
    );
    let heads = ["moment", "treated: helped", "held out: helped", "difference", "so"];
    let mut table = Table::new(&heads, rows.collect());
    table.words = Some(4);
    Section { topic: Topic::Success, title: "Did it help?", says, table }
}

fn timeline(report: &Report) -> Section {
    let unit = report.timeline.unit.name();
    let purposes: Vec<&'static str> = report.purposes.iter().map(|of| of.purpose).collect();
    let rows = report.timeline.periods.iter().map(|of| {
        let mut row = vec![of.label.clone(), grouped(of.all_released())];
        row.extend(purposes.iter().map(|purpose| grouped(of.released_for(purpose))));
        row.extend([of.handed_to_human, of.withdrawn_before_release, of.expired].map(grouped));
        row.push(
            of.treated
                .rate
                .map_or_else(|| NOTHING.to_owned(), |rate| format!("{} of {}", percent(rate), grouped(of.treated.of))),
        );
        row
    });
    let behind = ["handed to a human", "withdrawn before", "expired", "helped"];
    let heads = [&[unit, "released"], &purposes[..], &behind].concat();
    let says = format!(
        "Final verdicts by {unit} ({}), the first and the last perhaps not whole. Helped: of the outcomes of releases that became known in the {unit}.",
        name(&report.zone)
    );
    Section { topic: Topic::Timeline, title: "Over time", says, table: Table::new(&heads, rows.collect()) }
}
