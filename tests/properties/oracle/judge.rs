//! Single questions about a run: what the oracle knows of a customer at one logical time.

use super::decode::{self, Record};
use super::pack::Pack;
use super::policy::{Calendar, Client, Release};
use super::raw::Arrivals;
use super::state::{Live, State};
use super::value::Id;

/// A pack and its records.
pub(crate) struct Judge {
    pack: Pack,
    records: Vec<Record>,
    calendar: Calendar,
    end: i64,
}

/// A release, as an engine tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: i64,
    pub(crate) customer: String,
    pub(crate) moment: String,
    pub(crate) entity: Option<String>,
    pub(crate) episode: String,
    pub(crate) channel: Option<String>,
    pub(crate) handed: bool,
}

/// An episode, as an engine tells of it. One that is open at the end is closed at the end of time.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) customer: String,
    pub(crate) moment: String,
    pub(crate) opened: i64,
    pub(crate) closed: i64,
}

/// What stood against a release.
#[derive(Debug, Default)]
pub(crate) struct Against {
    pub(crate) refuses: bool,
    pub(crate) does_not_agree: bool,
    pub(crate) is_quiet: bool,
    pub(crate) budgets: Vec<usize>,
    pub(crate) gates: Vec<usize>,
}

impl Judge {
    pub(crate) fn new(pack: &str, arrivals: Arrivals<'_>, until: Option<u64>) -> Judge {
        let pack = Pack::read(pack);
        let records = decode::records(&pack, arrivals, until.map(|until| until as i64)).records;
        let begin = records.first().map_or(0, |record| record.t);
        let end = records.last().map_or(0, |record| record.t);
        Judge { pack, records, calendar: Calendar::new(end - begin), end }
    }

    fn moment(&self, name: &str) -> usize {
        self.pack.moments.iter().position(|moment| moment.name == name).expect("a moment of the pack")
    }

    fn release(&self, told: &Told) -> Release {
        let moment = self.moment(&told.moment);
        let kind = self.pack.moments[moment].about.unwrap_or(0);
        Release {
            moment,
            entity: told.entity.as_ref().map(|id| (kind, Id::of(id))),
            opened: 0,
            episode: told.episode.clone(),
            at: told.at,
            channel: told.channel.clone(),
            purpose: self.pack.moments[moment].rules.purpose.clone(),
            handed: told.handed,
        }
    }

    pub(crate) fn purpose(&self, moment: &str) -> &str {
        &self.pack.moments[self.moment(moment)].rules.purpose
    }

    /// What stood against a release, given those before it and all episodes.
    pub(crate) fn against(&self, told: &Told, before: &[Told], spans: &[Span]) -> Against {
        let arrived = self.records.iter().take_while(|record| record.t <= told.at).count();
        let live = Live::of(&self.pack, &self.records[..arrived]);
        let state = State::at(told.at, &self.pack, &live);
        let customer = Id::of(&told.customer);
        let mut client = Client::new((&self.pack, &live, &state), &customer, &self.calendar, self.end);
        for span in spans.iter().filter(|span| span.customer == told.customer && span.opened <= told.at) {
            let closed = if span.closed <= told.at { span.closed } else { i64::MAX };
            let last = client.silencing.entry(self.moment(&span.moment)).or_insert(closed);
            *last = closed.max(*last);
        }
        let release = self.release(told);
        let before: Vec<Release> = before.iter().map(|told| self.release(told)).collect();
        let remembered = before.iter().filter(|other| told.at < other.at + self.pack.policy.keep);
        let before: Vec<&Release> = remembered.collect();
        let moment = &self.pack.moments[release.moment];
        let met = client.meets(&(customer.clone(), release.entity.clone(), release.moment), &before);
        let channel = told.channel.as_ref();
        Against {
            refuses: client.refuses(),
            does_not_agree: !client.agrees(&moment.rules.purpose)
                || moment.rules.data.iter().any(|data| !client.allows(*data)),
            is_quiet: client.quiet_until(channel, &moment.rules.purpose).is_some(),
            budgets: client.used_up(channel, moment, &before).into_iter().map(|(number, _)| number).collect(),
            gates: met.failed.iter().map(|failed| failed.gate).collect(),
        }
    }

    /// The moments that silence a purpose: their names, and how much longer than their episodes.
    pub(crate) fn silencers(&self, purpose: &str) -> Vec<(&str, i64)> {
        let silences = |moment: &&super::pack::Moment| {
            moment.rules.silence.as_ref().is_some_and(|silence| {
                let all = silence.purposes.is_empty() && silence.moments.is_empty();
                (all || silence.purposes.iter().any(|of| of == purpose))
                    && !silence.except.iter().any(|of| of == purpose)
            })
        };
        let after = |moment: &super::pack::Moment| moment.rules.silence.as_ref().map_or(0, |silence| silence.after);
        self.pack.moments.iter().filter(silences).map(|moment| (moment.name.as_str(), after(moment))).collect()
    }
}
