//! What an episode meets between its opening and a trigger.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::eval::Scope;
use super::super::pack::{Moment, Pack};
use super::super::state::{Live, State, nothing};
use super::super::value::{Id, V, json_of, time_text};
use super::decide::{Release, Subject};
use super::mood::{Felt, float};
use super::receipts::{Receipt, contacts, pauses, rating, receipts};
use super::{Calendar, PURPOSES, Zone};

/// A gate that fails.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failed {
    /// From 1.
    pub(crate) gate: usize,
    pub(crate) why: Option<String>,
    pub(crate) until: Option<i64>,
}

const NAMES: [&str; 10] =
    ["refusal", "consent", "silence", "holdout", "cooldown", "evidence", "mood", "quiet", "pressure", "arbitration"];

impl Failed {
    pub(crate) fn json(&self) -> String {
        let until = self.until.map(time_text);
        let (gate, why, until) = (json_of(NAMES[self.gate - 1]), json_of(&self.why), json_of(&until));
        format!("{{\"gate\":{gate},\"why\":{why},\"until\":{until}}}")
    }
}

/// What an episode met.
pub(crate) struct Met {
    pub(crate) failed: Vec<Failed>,
    /// Where it can be released.
    pub(crate) channel: Option<String>,
}

impl Met {
    pub(crate) fn fails(&self, gates: std::ops::RangeInclusive<usize>) -> bool {
        self.failed.iter().any(|failed| gates.contains(&failed.gate))
    }
}

/// Everything about one customer at one instant.
pub(crate) struct Client<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) state: &'a State,
    pub(crate) id: &'a Id,
    slots: Vec<V>,
    pub(crate) receipts: Vec<Receipt>,
    felt: Option<Felt>,
    zone: Zone,
    calendar: &'a Calendar,
    /// How far the clock of the run goes.
    end: i64,
    /// By moment: since when something of it is closed; open ones are at the end of time.
    pub(crate) silencing: BTreeMap<usize, i64>,
    /// When this is worth another look.
    pub(crate) wake: RefCell<BTreeSet<i64>>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        (pack, live, state): (&'a Pack, &Live<'_>, &'a State),
        id: &'a Id,
        calendar: &'a Calendar,
        end: i64,
    ) -> Client<'a> {
        let (policy, now) = (&pack.policy, state.now);
        let slots = state.slots_or_nothing(pack, 0, id);
        let text = |node: Option<&super::Node>| match node.map(|node| node.value(Scope::of(&slots, now))) {
            Some(Ok(V::Text(text))) => Some(text),
            _ => None,
        };
        let region = text(policy.region.as_ref());
        let name = text(policy.zone.as_ref()).filter(|name| super::calendar::time_zone(name).is_some());
        let name = name.unwrap_or_else(|| policy.timezone.clone());
        let zone = Zone { name, holidays: holidays(pack, live, region.as_ref()) };
        let felt = policy.mood.as_ref().map(|mood| Felt::of(mood, live, id, &slots, now));
        let wake: BTreeSet<i64> = felt.iter().flat_map(Felt::ends).collect();
        let receipts = receipts(policy, live, id, now);
        let (silencing, wake) = (BTreeMap::new(), RefCell::new(wake));
        Client { pack, state, id, slots, receipts, felt, zone, calendar, end, silencing, wake }
    }

    fn wakes_at(&self, at: i64) -> i64 {
        self.wake.borrow_mut().insert(at);
        at
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.felt.as_ref().is_some_and(|felt| felt.is_negative(self.state.now))
    }

    pub(crate) fn refuses(&self) -> bool {
        self.pack.policy.refusal.as_ref().is_some_and(|refusal| refusal.holds(Scope::of(&self.slots, self.state.now)))
    }

    /// Whether it is asked for contacts of this purpose and agrees.
    pub(crate) fn agrees(&self, purpose: &str) -> bool {
        let condition = self.pack.policy.purposes.get(purpose);
        condition.is_none_or(|condition| condition.holds(Scope::of(&self.slots, self.state.now)))
    }

    pub(crate) fn allows(&self, data: usize) -> bool {
        self.pack.policy.data[data].allowed.holds(Scope::of(&self.slots, self.state.now))
    }

    /// The first kind of data that is not allowed among those of a slot of a moment.
    pub(crate) fn withheld(&self, moment: &Moment, scope: usize, slot: usize) -> Option<&str> {
        let kind = if scope == 0 { 0 } else { moment.about.expect("an entity") };
        let data = &self.pack.policy.data;
        let at = (0..data.len()).find(|at| data[*at].marks[kind][slot] && !self.allows(*at))?;
        Some(&data[at].name)
    }

    /// Whether the subject is there, and its slots.
    pub(crate) fn rows(&self, entity: Option<&(usize, Id)>) -> (bool, [Vec<V>; 2]) {
        let (there, of_entity) = match entity {
            None => (self.state.entities[0].contains_key(self.id), Vec::new()),
            Some((kind, id)) if self.state.related.contains(&(self.id.clone(), *kind, id.clone())) => {
                (true, self.state.entities[*kind][id].clone())
            }
            Some((kind, _)) => (false, nothing(&self.pack.kinds[*kind], self.state.now)),
        };
        (there, [self.slots.clone(), of_entity])
    }

    /// Whether its success holds.
    pub(crate) fn succeeds(&self, subject: &Subject) -> bool {
        let moment = &self.pack.moments[subject.2];
        let Some((condition, uses)) = &moment.rules.success else { return false };
        let (there, [customer, entity]) = self.rows(subject.1.as_ref());
        let withheld = uses.iter().any(|(_, scope, slot)| self.withheld(moment, *scope, *slot).is_some());
        there && !withheld && condition.holds(Scope { rows: [&customer, &entity], now: self.state.now })
    }

    /// Its priority, with what receipts add.
    pub(crate) fn priority(&self, (_, entity, number): &Subject, released: &[&Release]) -> f64 {
        let (_, [customer, entity]) = self.rows(entity.as_ref());
        let scope = Scope { rows: [&customer, &entity], now: self.state.now };
        let value = self.pack.moments[*number].rules.priority.value(scope).unwrap_or(V::Null);
        float(&value).unwrap_or(0.0) + rating(&self.pack.policy, &self.receipts, released, *number)
    }

    /// The gates, with what was released before.
    pub(crate) fn meets(&self, subject: &Subject, released: &[&Release]) -> Met {
        let moment = &self.pack.moments[subject.2];
        let mut failed = Vec::new();
        let mut fails = |gate: usize, why: Option<String>, until: Option<i64>| failed.push(Failed { gate, why, until });
        if self.refuses() {
            fails(1, None, None);
        }
        let mut withheld = Vec::new();
        withheld.extend((!self.agrees(&moment.rules.purpose)).then(|| "purpose".to_owned()));
        let data = moment.rules.data.iter().filter(|data| !self.allows(**data));
        withheld.extend(data.map(|data| self.pack.policy.data[*data].name.clone()));
        if !withheld.is_empty() {
            fails(2, Some(withheld.join(",")), None);
        }
        self.silence(subject.2, &mut fails);
        if self.is_held_out(moment) {
            fails(4, None, None);
        }
        self.cooldown(subject, released, &mut fails);
        self.evidence(subject, &mut fails);
        if moment.rules.on_negative_mood != "ignore" && self.is_negative() {
            let until = self.felt.as_ref().and_then(|felt| felt.end(self.state.now));
            fails(7, Some("negative".to_owned()), until.map(|until| self.wakes_at(until)));
        }
        let channel = self.channel(moment, released, &mut fails);
        if failed.is_empty()
            && let Some((why, until)) = self.arbitration(moment, released)
        {
            failed.push(Failed { gate: 10, why: Some(why), until: Some(self.wakes_at(until)) });
        }
        Met { failed, channel }
    }

    fn silence(&self, number: usize, fails: &mut dyn FnMut(usize, Option<String>, Option<i64>)) {
        let moment = &self.pack.moments[number];
        let mut silencers = BTreeMap::new();
        for (other, closed) in &self.silencing {
            let silencer = &self.pack.moments[*other];
            let Some(silence) = silencer.rules.silence.as_ref().filter(|_| *other != number) else { continue };
            if !silence.concerns(moment) {
                continue;
            }
            let end = closed.saturating_add(silence.after);
            if self.state.now < end {
                silencers.insert(silencer.name.clone(), end);
                self.wakes_at(end);
            }
        }
        if let Some(end) = silencers.values().max() {
            let why = silencers.keys().cloned().collect::<Vec<_>>().join(",");
            fails(3, Some(why), (*end < i64::MAX).then_some(*end));
        }
    }

    fn is_held_out(&self, moment: &Moment) -> bool {
        let mut bytes = Vec::new();
        for part in ["holdout", &self.pack.name, &moment.name, &self.id.text()] {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(part.as_bytes());
        }
        let hash = blake3::hash(&bytes);
        let first = hash.as_bytes()[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        (first as f64) / 2_f64.powi(64) < moment.rules.holdout
    }

    fn cooldown(
        &self,
        (_, entity, number): &Subject,
        released: &[&Release],
        fails: &mut dyn FnMut(usize, Option<String>, Option<i64>),
    ) {
        let (policy, now) = (&self.pack.policy, self.state.now);
        let mut ends = pauses(policy, &self.receipts, released, *number, now);
        if let Some(cooldown) = self.pack.moments[*number].rules.cooldown {
            let same = released.iter().filter(|release| release.moment == *number && release.entity == *entity);
            let end = |release: &Release| (release.at + cooldown).min(release.at + policy.keep);
            ends.extend(same.map(|release| ("released", end(release))).filter(|(_, end)| now < *end));
        }
        let until = ends.iter().map(|(_, end)| self.wakes_at(*end)).max();
        let names = ["released", "rest", "snoozed"].into_iter().filter(|name| ends.iter().any(|(of, _)| of == name));
        let why: Vec<&str> = names.collect();
        if !why.is_empty() {
            fails(5, Some(why.join(",")), until);
        }
    }

    fn evidence(&self, subject: &Subject, fails: &mut dyn FnMut(usize, Option<String>, Option<i64>)) {
        let (there, [customer, entity]) = self.rows(subject.1.as_ref());
        let scope = Scope { rows: [&customer, &entity], now: self.state.now };
        let conditions = self.pack.moments[subject.2].rules.evidence.iter();
        let missing: Vec<&str> = conditions
            .filter(|(_, condition)| !there || !condition.holds(scope))
            .map(|(text, _)| text.as_str())
            .collect();
        if !missing.is_empty() {
            fails(6, Some(missing.join("; ")), None);
        }
    }

    /// Gates 8 and 9, and the channel that is neither quiet nor used up.
    fn channel(
        &self,
        moment: &Moment,
        released: &[&Release],
        fails: &mut dyn FnMut(usize, Option<String>, Option<i64>),
    ) -> Option<String> {
        let mut channels: Vec<Option<String>> = moment.rules.channels.iter().cloned().map(Some).collect();
        if channels.is_empty() {
            channels.push(None);
        }
        let quiet: Vec<Option<Option<i64>>> =
            channels.iter().map(|channel| self.quiet_until(channel.as_ref(), &moment.rules.purpose)).collect();
        let used: Vec<Vec<(usize, i64)>> =
            channels.iter().map(|channel| self.used_up(channel.as_ref(), moment, released)).collect();
        if let Some(at) = (0..channels.len()).find(|at| quiet[*at].is_none() && used[*at].is_empty()) {
            return channels[at].clone();
        }
        let (all_quiet, all_used) = (quiet.iter().all(Option::is_some), used.iter().all(|used| !used.is_empty()));
        let neither = !all_quiet && !all_used;
        if all_quiet || neither {
            fails(8, None, quiet.iter().filter_map(|until| until.flatten()).min());
        }
        if all_used || neither {
            let numbers: BTreeSet<usize> = used.iter().flatten().map(|(number, _)| *number).collect();
            let why = numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
            let ends = used.iter().filter_map(|used| used.iter().map(|(_, end)| *end).max());
            fails(9, Some(why), ends.min().filter(|end| *end < i64::MAX));
        }
        None
    }

    /// Whether it is quiet, and until when.
    pub(crate) fn quiet_until(&self, channel: Option<&String>, purpose: &str) -> Option<Option<i64>> {
        let place = (self.zone.clone(), channel.cloned(), purpose.to_owned());
        let (quiet, change) = self.calendar.quiet(&self.pack.policy.quiet, place, self.state.now, self.end);
        let change = change.map(|change| self.wakes_at(change));
        quiet.then_some(change)
    }

    /// The budgets that are used up on a channel, from 1, and when each is not any more.
    pub(crate) fn used_up(
        &self,
        channel: Option<&String>,
        moment: &Moment,
        released: &[&Release],
    ) -> Vec<(usize, i64)> {
        let (policy, purpose, now) = (&self.pack.policy, &moment.rules.purpose, self.state.now);
        let contacts = contacts(&self.receipts, released);
        let mut used = Vec::new();
        for (number, budget) in policy.pressure.iter().enumerate() {
            let is_about = budget.purpose.as_ref().is_none_or(|of| of == purpose)
                && !budget.except.contains(purpose)
                && (budget.channel.is_none() || budget.channel.as_ref() == channel);
            if !is_about {
                continue;
            }
            let counts = contacts.iter().filter(|contact| {
                (budget.purpose.is_none() || budget.purpose == contact.purpose)
                    && !contact.purpose.as_ref().is_some_and(|purpose| budget.except.contains(purpose))
                    && (budget.channel.is_none() || budget.channel == contact.channel)
            });
            let end = |at: i64| self.calendar.end(&budget.per, &self.zone.name, at).min(at + policy.keep);
            let mut ends: Vec<i64> = counts.map(|contact| end(contact.at)).filter(|end| now < *end).collect();
            ends.sort_unstable();
            // One of none is used up for ever.
            let from_the_last = ends.len().checked_sub(budget.at_most);
            if let Some(at) = from_the_last {
                let end = ends.get(at).copied();
                used.push((number + 1, end.map_or(i64::MAX, |end| self.wakes_at(end))));
            }
        }
        used
    }

    /// Another release that is too near: its moment, and until when.
    fn arbitration(&self, moment: &Moment, released: &[&Release]) -> Option<(String, i64)> {
        let policy = &self.pack.policy;
        let others = released.iter().filter(|release| !release.handed);
        // Of several at the same time the first in the list was the first by rank.
        let last = others.clone().map(|release| release.at).max()?;
        let other = others.clone().find(|release| release.at == last)?;
        let until = last + policy.window.min(policy.keep);
        let waits = self.state.now < until && !policy.window_except.contains(&moment.rules.purpose);
        waits.then(|| (self.pack.moments[other.moment].name.clone(), until))
    }

    /// From the first that is released.
    pub(crate) fn rank(&self, subject: &Subject) -> usize {
        let purpose = &self.pack.moments[subject.2].rules.purpose;
        PURPOSES.iter().position(|known| known == purpose).expect("a purpose")
    }
}

/// The days that are holidays in a region.
fn holidays(pack: &Pack, live: &Live<'_>, region: Option<&String>) -> BTreeSet<String> {
    let Some((input, day, of)) = pack.policy.holidays else { return BTreeSet::new() };
    let mut days = BTreeSet::new();
    for record in live.records.iter().filter(|record| record.input == input) {
        let everywhere = of.is_none_or(|field| record.row[field].is_null());
        let here = of.is_some_and(|field| match (&record.row[field], region) {
            (V::Text(of), Some(region)) => of == region,
            _ => false,
        });
        if let (true, V::Text(day)) = (everywhere || here, &record.row[day]) {
            days.insert(day.clone());
        }
    }
    days
}
