//! How often customers were spoken to, what for, and where.

use super::super::figures::Report;
use super::super::terms::{CONTACTS, CUSTOMERS};
use super::super::words::{NOTHING, ReportWords};
use super::{ReportSection, ReportTable, Topic};

/// Bars of a histogram at most.
const BINS: u64 = 20;

/// Customers with so many contacts.
pub(in super::super) struct Bin {
    from: u64,
    /// `None`: or more.
    to: Option<u64>,
    pub(in super::super) customers: u64,
}

impl Bin {
    pub(in super::super) fn label(&self, words: ReportWords) -> String {
        match self.to {
            Some(to) if to == self.from => words.count(to),
            Some(to) => format!("{}–{}", words.count(self.from), words.count(to)),
            None => format!("{} {}", words.count(self.from), words.pick("or more", "ou plus")),
        }
    }
}

/// A histogram of contacts. The first bin is that of none; the last is open when a few customers in
/// a hundred have many more than the others.
pub(in super::super) fn bins(report: &Report) -> Vec<Bin> {
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

pub(super) fn contacts(report: &Report, words: ReportWords) -> ReportSection {
    let customers = &report.customers;
    let row = |bin: Bin| {
        let share = words.percent_of(bin.customers, customers.seen);
        vec![bin.label(words), words.count(bin.customers), share]
    };
    let mean = customers.mean.map_or_else(|| NOTHING.to_owned(), |mean| words.fixed(mean, 2));
    let contacts = words.counted(customers.contacts, &CONTACTS);
    let seen = words.counted(customers.seen, &CUSTOMERS);
    let most = words.count(customers.most);
    let mut says = words.pick(
        format!(
            "{contacts} for {seen}: {mean} each on average, {most} at most. Only releases count, and only customers \
             whom a decision names: who never met a moment is not here."
        ),
        format!(
            "{contacts} pour {seen}\u{a0}: {mean} par client en moyenne, {most} au plus. Seules les émissions comptent, \
             et seulement les clients qu’une décision nomme\u{a0}: qui n’a jamais rencontré de moment n’est pas ici."
        ),
    );
    let others = report.receipts.contacts_of_other_systems;
    if others > 0 {
        let told = words.counted(others, &CONTACTS);
        let are = words.of_many(others, ["is", "are"]);
        let sont = words.of_many(others, ["n’est pas compté", "ne sont pas comptés"]);
        says += &words.pick(
            format!(" Other systems reported {told} of their own, which {are} not counted."),
            format!(" D’autres systèmes ont signalé {told} de leur part, qui {sont}."),
        );
    }
    let heads = words.pick(["contacts", "customers", "share"], ["contacts", "clients", "part"]);
    let table = ReportTable::new(&heads, bins(report).into_iter().map(row).collect());
    let title = words.pick("Contacts per customer", "Contacts par client");
    ReportSection { topic: Topic::Contacts, title, says, table }
}

/// Heads behind the first of what was sent.
fn sent(words: ReportWords, of: [&'static str; 2]) -> [&'static str; 4] {
    let [english, french] = of;
    words.pick([english, "released", "share", "handed to a human"], [french, "émis", "part", "confiés à une personne"])
}

pub(super) fn purposes(report: &Report, words: ReportWords) -> ReportSection {
    let all: u64 = report.purposes.iter().map(|of| of.released).sum();
    let rows = report.purposes.iter().map(|of| {
        let (released, handed) = (words.count(of.released), words.count(of.handed_to_human));
        vec![words.purpose(of.purpose).to_owned(), released, words.percent_of(of.released, all), handed]
    });
    let says = match report.assistance_to_sales {
        Some(ratio) => {
            let ratio = words.fixed(ratio, 1);
            words.pick(
                format!("{ratio} contacts to assist for each one to sell."),
                format!("{ratio} contacts d’assistance pour un contact de vente."),
            )
        }
        None => words.pick("No contact to sell.", "Aucun contact de vente.").to_owned(),
    };
    let table = ReportTable::new(&sent(words, ["purpose", "but"]), rows.collect());
    let title = words.pick("What contacts were for", "À quoi servaient les contacts");
    ReportSection { topic: Topic::Purposes, title, says, table }
}

pub(super) fn channels(report: &Report, words: ReportWords) -> ReportSection {
    let all: u64 = report.channels.iter().map(|of| of.released).sum();
    let rows = report.channels.iter().map(|of| {
        let (released, handed) = (words.count(of.released), words.count(of.handed_to_human));
        vec![words.channel(of.channel.as_deref()), released, words.percent_of(of.released, all), handed]
    });
    let says = words.pick(
        "Where triggers went: the first channel of the moment that was neither quiet nor used up.",
        "Où les envois sont allés\u{a0}: le premier canal du moment qui n’était ni silencieux ni épuisé.",
    );
    let table = ReportTable::new(&sent(words, ["channel", "canal"]), rows.collect());
    ReportSection { topic: Topic::Channels, title: words.pick("Channels", "Canaux"), says: says.to_owned(), table }
}
