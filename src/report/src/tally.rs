//! What is counted while decisions are read.
//!
//! Kept are: a count per customer, the state of each episode that is not final yet, and counts per
//! moment, channel, gate and day. A final verdict forgets its episode; a `withdrawn` that follows a
//! release says so itself (`released_at`).

use std::collections::BTreeMap;
use std::ops::AddAssign;

use hashbrown::HashMap;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use propice_define::plan::{Gate, Purpose, ReceiptKind, Verdict};
use propice_flow::policy::Group;
use propice_model::LogicalTime;
use propice_model::limits::DECLARATIONS;

use super::lengths::Lengths;
use super::line::{self, BadLine, Decided, Episode};

/// Reads decisions and counts.
#[derive(Debug)]
pub struct ReportTally {
    zone: TimeZone,
    pub(super) decisions: u64,
    pub(super) bad_lines: u64,
    pub(super) times: Option<(LogicalTime, LogicalTime)>,
    /// Contacts of each customer that a decision names.
    pub(super) contacts: HashMap<String, u64>,
    pub(super) moments: BTreeMap<Box<str>, OfMoment>,
    pub(super) channels: BTreeMap<Option<Box<str>>, Sent>,
    pub(super) purposes: [Sent; 5],
    pub(super) gates: [OfGate; 10],
    pub(super) days: BTreeMap<Date, OfDay>,
    /// Contacts of other systems, and other receipts that answer nothing.
    pub(super) other_contacts: u64,
    pub(super) other_receipts: u64,
    open: HashMap<Box<str>, EpisodeInProgress>,
}

/// Triggers that were published.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) released: u64,
    pub(super) handed: u64,
}

/// What is counted of a moment.
#[derive(Clone, Debug)]
pub(super) struct OfMoment {
    pub(super) purpose: Purpose,
    pub(super) episodes: u64,
    pub(super) sent: Sent,
    pub(super) withdrawn_before: u64,
    pub(super) withdrawn_after: u64,
    pub(super) expired: u64,
    pub(super) ever_deferred: u64,
    pub(super) ever_suppressed: u64,
    pub(super) open_deferred: u64,
    pub(super) open_suppressed: u64,
    pub(super) deferrals: Deferrals,
    /// By [`Verdict`]: what followed a deferral.
    pub(super) then: [u64; 6],
    /// By [`ReceiptKind`].
    pub(super) receipts: [u64; 9],
    /// Watched and helped, of the treated and of the held out.
    pub(super) outcomes: [(u64, u64); 2],
}

impl OfMoment {
    pub(super) fn new(purpose: Purpose) -> OfMoment {
        OfMoment {
            purpose,
            episodes: 0,
            sent: Sent::default(),
            withdrawn_before: 0,
            withdrawn_after: 0,
            expired: 0,
            ever_deferred: 0,
            ever_suppressed: 0,
            open_deferred: 0,
            open_suppressed: 0,
            deferrals: Deferrals::default(),
            then: [0; 6],
            receipts: [0; 9],
            outcomes: [(0, 0); 2],
        }
    }
}

/// Deferrals: those that are over by length, and those that are not.
#[derive(Clone, Debug, Default)]
pub(super) struct Deferrals {
    pub(super) ended: Lengths,
    pub(super) open: u64,
}

/// What is counted of a gate.
#[derive(Clone, Debug, Default)]
pub(super) struct OfGate {
    /// Episodes that it deferred, suppressed, and at whose expiry it failed.
    pub(super) deferred: u64,
    pub(super) suppressed: u64,
    pub(super) expired: u64,
    pub(super) deferrals: Deferrals,
}

/// What is counted of a day.
#[derive(Clone, Debug, Default)]
pub(super) struct OfDay {
    pub(super) released: [u64; 5],
    pub(super) handed: u64,
    pub(super) withdrawn_before: u64,
    pub(super) expired: u64,
    /// Of the treated.
    pub(super) watched: u64,
    pub(super) helped: u64,
}

impl AddAssign for OfDay {
    fn add_assign(&mut self, other: OfDay) {
        self.released.iter_mut().zip(other.released).for_each(|(all, one)| *all += one);
        self.handed += other.handed;
        self.withdrawn_before += other.withdrawn_before;
        self.expired += other.expired;
        self.watched += other.watched;
        self.helped += other.helped;
    }
}

/// An episode that is not final.
#[derive(Debug)]
struct EpisodeInProgress {
    moment: Box<str>,
    last: LogicalTime,
    /// Since when it is deferred, when it is.
    deferred: Option<LogicalTime>,
    /// The gates that defer it, with since when.
    by: Vec<(Gate, LogicalTime)>,
    /// Whether it ever was deferred, and suppressed.
    was_deferred: bool,
    was_suppressed: bool,
    /// The gates that have deferred and suppressed it, one bit each.
    deferred_by: u16,
    suppressed_by: u16,
}

impl EpisodeInProgress {
    fn new(moment: &str) -> EpisodeInProgress {
        EpisodeInProgress {
            moment: moment.into(),
            last: 0,
            deferred: None,
            by: Vec::new(),
            was_deferred: false,
            was_suppressed: false,
            deferred_by: 0,
            suppressed_by: 0,
        }
    }
}

impl ReportTally {
    /// Nothing yet. Days are those of the zone.
    pub fn new(zone: TimeZone) -> ReportTally {
        ReportTally {
            zone,
            decisions: 0,
            bad_lines: 0,
            times: None,
            contacts: HashMap::new(),
            moments: BTreeMap::new(),
            channels: BTreeMap::new(),
            purposes: [Sent::default(); 5],
            gates: Default::default(),
            days: BTreeMap::new(),
            other_contacts: 0,
            other_receipts: 0,
            open: HashMap::new(),
        }
    }

    /// Counts a line of `decisions.jsonl`. A bad line is counted as such and changes nothing else;
    /// a blank one is passed over.
    ///
    /// # Errors
    /// When it is no decision.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), BadLine> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        line::read(bytes).and_then(|line| self.count(line)).inspect_err(|_| self.bad_lines += 1)
    }

    /// Counts a line that could not even be read.
    pub fn add_unreadable(&mut self) {
        self.bad_lines += 1;
    }

    /// How many decisions were counted.
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// How many lines were none.
    pub fn bad_lines(&self) -> u64 {
        self.bad_lines
    }

    fn count(&mut self, line: line::Line<'_>) -> Result<(), BadLine> {
        let line::Line { time, customer, episode, what } = line;
        if let Some(episode) = &episode {
            self.check(episode, &what, time)?;
        }
        self.decisions += 1;
        self.times = Some(self.times.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        let contacts = self.contacts.entry_ref(&*customer).or_insert(0);
        if let Decided::Verdict { verdict: Verdict::Released, .. } = &what {
            *contacts += 1;
        }
        match (episode, what) {
            (Some(episode), Decided::Verdict { verdict, gates, channel, was_released }) => {
                if verdict == Verdict::Withdrawn && was_released {
                    self.moment(&episode).withdrawn_after += 1;
                    return Ok(());
                }
                match verdict {
                    Verdict::Released => self.release(time, &episode, channel.as_deref()),
                    Verdict::HandedToHuman => self.hand_over(time, &episode, channel.as_deref()),
                    _ => {}
                }
                self.judge(time, &episode, verdict, &gates);
            }
            (Some(episode), Decided::Receipt { kind, heard_before }) => {
                if let Some(kind) = kind {
                    self.moment(&episode).receipts[kind as usize] += 1;
                }
                if heard_before {
                    let counted = self.unanswered(kind);
                    *counted = counted.saturating_sub(1);
                }
            }
            (Some(episode), Decided::Outcome { helped, group }) => self.learn(time, &episode, helped, group),
            (None, Decided::Receipt { kind, .. }) => *self.unanswered(kind) += 1,
            (None, _) => self.other_receipts += 1,
        }
        Ok(())
    }

    /// What is counted of receipts that answer nothing.
    fn unanswered(&mut self, kind: Option<ReceiptKind>) -> &mut u64 {
        match kind {
            Some(ReceiptKind::Contacted) => &mut self.other_contacts,
            _ => &mut self.other_receipts,
        }
    }

    /// Whether a decision can follow those before it.
    fn check(&self, episode: &Episode<'_>, what: &Decided<'_>, time: LogicalTime) -> Result<(), BadLine> {
        match self.moments.get(&*episode.moment) {
            None if self.moments.len() >= DECLARATIONS => {
                return Err(line::wrong(&format!("more than {DECLARATIONS} moments")));
            }
            Some(known) if known.purpose != episode.purpose => {
                let (now, before) = (episode.purpose.name(), known.purpose.name());
                return Err(line::wrong(&format!("the moment's purpose is `{now}`, and was `{before}`")));
            }
            _ => {}
        }
        let Decided::Verdict { channel, .. } = what else { return Ok(()) };
        if self.channels.len() > DECLARATIONS && !self.channels.contains_key(&channel.as_deref().map(Box::from)) {
            return Err(line::wrong(&format!("more than {DECLARATIONS} channels")));
        }
        match self.open.get(&*episode.id) {
            Some(open) if open.last > time => Err(line::wrong("earlier than the verdict before it of this episode")),
            Some(open) if *open.moment != *episode.moment => Err(line::wrong("the episode is of another moment")),
            _ => Ok(()),
        }
    }

    fn moment(&mut self, episode: &Episode<'_>) -> &mut OfMoment {
        self.moments.entry((*episode.moment).into()).or_insert_with(|| OfMoment::new(episode.purpose))
    }

    /// The day of a time, in the zone.
    pub(super) fn date(&self, time: LogicalTime) -> Date {
        // Lines are checked to lie within the calendar.
        let instant = jiff::Timestamp::from_millisecond(time as i64).unwrap_or_default();
        self.zone.to_datetime(instant).date()
    }

    fn day(&mut self, time: LogicalTime) -> &mut OfDay {
        self.days.entry(self.date(time)).or_default()
    }

    fn sent(&mut self, channel: Option<&str>) -> &mut Sent {
        self.channels.entry(channel.map(Box::from)).or_default()
    }

    fn release(&mut self, time: LogicalTime, episode: &Episode<'_>, channel: Option<&str>) {
        self.purposes[episode.purpose.index()].released += 1;
        self.sent(channel).released += 1;
        self.day(time).released[episode.purpose.index()] += 1;
        self.moment(episode).sent.released += 1;
    }

    fn hand_over(&mut self, time: LogicalTime, episode: &Episode<'_>, channel: Option<&str>) {
        self.purposes[episode.purpose.index()].handed += 1;
        self.sent(channel).handed += 1;
        self.day(time).handed += 1;
        self.moment(episode).sent.handed += 1;
    }

    fn learn(&mut self, time: LogicalTime, episode: &Episode<'_>, helped: bool, group: Group) {
        let outcomes = &mut self.moment(episode).outcomes[group as usize];
        outcomes.0 += 1;
        outcomes.1 += u64::from(helped);
        if group == Group::Treated {
            let day = self.day(time);
            day.watched += 1;
            day.helped += u64::from(helped);
        }
    }

    /// Follows the episode from verdict to verdict.
    fn judge(&mut self, time: LogicalTime, episode: &Episode<'_>, verdict: Verdict, gates: &[Gate]) {
        let known = self.open.remove(&*episode.id);
        let moment = self.moment(episode);
        moment.episodes += u64::from(known.is_none());
        moment.expired += u64::from(verdict == Verdict::Expired);
        moment.withdrawn_before += u64::from(verdict == Verdict::Withdrawn);
        let mut open = known.unwrap_or_else(|| EpisodeInProgress::new(&episode.moment));
        let defers = verdict == Verdict::Deferred;
        if defers {
            open.deferred.get_or_insert(time);
        } else if let Some(since) = open.deferred.take() {
            moment.deferrals.ended.add(time - since);
            moment.then[verdict as usize] += 1;
        }
        let suppresses = verdict == Verdict::Suppressed;
        moment.ever_deferred += u64::from(defers && !open.was_deferred);
        moment.ever_suppressed += u64::from(suppresses && !open.was_suppressed);
        open.was_deferred |= defers;
        open.was_suppressed |= suppresses;
        match verdict {
            Verdict::Withdrawn => self.day(time).withdrawn_before += 1,
            Verdict::Expired => self.day(time).expired += 1,
            _ => {}
        }
        self.meet(time, &mut open, verdict, gates);
        if defers || suppresses {
            open.last = time;
            self.open.insert((*episode.id).into(), open);
        }
    }

    /// Counts the gates of a verdict.
    fn meet(&mut self, time: LogicalTime, open: &mut EpisodeInProgress, verdict: Verdict, failed: &[Gate]) {
        let defer: &[Gate] = if verdict == Verdict::Deferred { failed } else { &[] };
        open.by.retain(|(gate, since)| {
            let still = defer.contains(gate);
            if !still {
                self.gates[*gate as usize].deferrals.ended.add(time - since);
            }
            still
        });
        for gate in defer {
            if !open.by.iter().any(|(by, _)| by == gate) {
                open.by.push((*gate, time));
            }
        }
        match verdict {
            Verdict::Deferred => {
                for gate in failed {
                    self.gates[*gate as usize].deferred += first(&mut open.deferred_by, *gate);
                }
            }
            Verdict::Suppressed => {
                for gate in Gate::suppressing(failed) {
                    self.gates[gate as usize].suppressed += first(&mut open.suppressed_by, gate);
                }
            }
            Verdict::Expired => failed.iter().for_each(|gate| self.gates[*gate as usize].expired += 1),
            _ => {}
        }
    }

    /// The end: counts what is still open as such.
    pub(super) fn close(&mut self) {
        for open in std::mem::take(&mut self.open).into_values() {
            for (gate, _) in &open.by {
                self.gates[*gate as usize].deferrals.open += 1;
            }
            let Some(moment) = self.moments.get_mut(&open.moment) else { continue };
            if open.deferred.is_some() {
                moment.open_deferred += 1;
                moment.deferrals.open += 1;
            } else {
                moment.open_suppressed += 1;
            }
        }
    }
}

/// 1 when a gate has not been counted yet, and 0 from then on.
fn first(counted: &mut u16, gate: Gate) -> u64 {
    let bit = 1 << gate as u16;
    let is_first = *counted & bit == 0;
    *counted |= bit;
    u64::from(is_first)
}
