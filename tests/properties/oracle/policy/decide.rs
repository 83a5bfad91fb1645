//! The steps of one logical time, customer by customer, and the lines that come of them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::episode_id;
use super::super::pack::Pack;
use super::super::state::{Live, State};
use super::super::value::{Id, json_of, time_text};
use super::gates::{Client, Failed, Met};
use super::receipts::Receipt;
use super::{Calendar, Policy};

/// One moment of one customer or of one of its entities.
pub(crate) type Subject = (Id, Option<(usize, Id)>, usize);

/// What was published under an episode.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub(crate) moment: usize,
    pub(crate) entity: Option<(usize, Id)>,
    pub(crate) opened: i64,
    pub(crate) episode: String,
    pub(crate) at: i64,
    pub(crate) channel: Option<String>,
    pub(crate) purpose: String,
    pub(crate) handed: bool,
}

impl Release {
    /// The ids that receipts may name: those of its episode and of any trigger of it.
    pub(crate) fn ids(&self) -> Vec<String> {
        let triggers = ["released", "handed_to_human", "withdrawn"];
        let triggers = triggers.map(|verdict| format!("{}-{verdict}", self.episode));
        std::iter::once(self.episode.clone()).chain(triggers).collect()
    }
}

/// An open episode: its opening, what was decided last, on what grounds, and whether that was
/// final.
pub(super) struct Episode {
    opened: i64,
    given: Option<(&'static str, Vec<Failed>)>,
    /// It was released before anything is published.
    unsaid: bool,
}

impl Episode {
    fn is_final(&self) -> bool {
        matches!(self.given, Some(("released" | "handed_to_human" | "expired", _)))
    }
}

/// Whose success is watched.
struct Watch {
    subject: Subject,
    opened: i64,
    started: i64,
    group: &'static str,
}

/// What is known of the past.
pub(crate) struct Memory {
    calendar: Calendar,
    end: i64,
    /// Before that nothing is said.
    publish_from: i64,
    pub(super) open: BTreeMap<Subject, Episode>,
    /// By customer and moment: when an episode was last closed.
    closed: BTreeMap<(Id, usize), i64>,
    /// By customer, in the order in which it happened.
    released: BTreeMap<Id, Vec<Release>>,
    watched: BTreeSet<(Subject, i64)>,
    watches: Vec<Watch>,
    /// By customer: the receipts that counted at the last instant.
    heard: BTreeMap<Id, BTreeSet<Receipt>>,
}

const MOST_RELEASES: usize = 1_000;

/// Moment, entity and opening; what it is (verdict, receipt, outcome); the receipt; the line.
type Line = (Option<(usize, Option<(usize, Id)>, i64)>, usize, Option<Receipt>, String);

/// The lines of one instant, and when to look again.
struct Given {
    lines: Vec<Line>,
    wake: BTreeSet<i64>,
}

impl Memory {
    pub(crate) fn new(begin: i64, end: i64, publish_from: i64) -> Memory {
        Memory {
            calendar: Calendar::new(end - begin),
            end,
            publish_from,
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            released: BTreeMap::new(),
            watched: BTreeSet::new(),
            watches: Vec::new(),
            heard: BTreeMap::new(),
        }
    }

    /// Everything of one logical time: the lines, and the instants that are worth another look. A
    /// transition is its subject, when the episode opened, and whether it opens.
    pub(crate) fn step(
        &mut self,
        at: (&Pack, &Live<'_>, &State),
        transitions: &[(Subject, i64, bool)],
    ) -> (String, BTreeSet<i64>) {
        let mut customers: BTreeSet<Id> = transitions.iter().map(|(subject, ..)| subject.0.clone()).collect();
        customers.extend(self.open.keys().map(|subject| subject.0.clone()));
        customers.extend(self.watches.iter().map(|watch| watch.subject.0.clone()));
        let receipts = at.0.policy.receipts.as_ref().map(|receipts| receipts.input);
        let of_receipts = at.1.records.iter().filter(|record| Some(record.input) == receipts);
        customers.extend(of_receipts.filter_map(|record| record.about.clone()));
        customers.extend(self.heard.keys().cloned());
        let (mut text, mut wake) = (String::new(), BTreeSet::new());
        for customer in customers {
            let of: Vec<_> = transitions.iter().filter(|(subject, ..)| subject.0 == customer).collect();
            let mut given = Given { lines: Vec::new(), wake: BTreeSet::new() };
            self.step_of(at, &customer, &of, &mut given);
            given.lines.sort();
            text.extend(given.lines.into_iter().map(|(.., line)| line));
            wake.extend(given.wake);
        }
        (text, wake)
    }

    fn step_of(
        &mut self,
        at: (&Pack, &Live<'_>, &State),
        customer: &Id,
        transitions: &[&(Subject, i64, bool)],
        given: &mut Given,
    ) {
        let (pack, now, calendar) = (at.0, at.2.now, Calendar::new(0));
        let calendar = std::mem::replace(&mut self.calendar, calendar);
        let mut client = Client::new(at, customer, &calendar, self.end);
        let mut gone = Vec::new();
        for (subject, opened, opens) in transitions.iter().map(|transition| &**transition) {
            if *opens {
                self.open.insert(subject.clone(), Episode { opened: *opened, given: None, unsaid: false });
            } else {
                gone.push((subject, self.open.remove(subject).expect("it was open")));
                self.closed.insert((subject.0.clone(), subject.2), now);
            }
        }
        for (subject, episode) in gone {
            let ending = self.ending(&client, subject, transitions);
            self.close(&client, (subject, episode), &ending, given);
        }
        client.silencing = self.silencing(customer);
        self.expire(&client, given);
        let rest = self.release(&client, given);
        self.refuse(&client, rest, given);
        self.hear(&client, given);
        self.watch(&client, given);
        given.wake.extend(client.wake.borrow().iter());
        let spans = pack.moments.iter().filter_map(|moment| moment.rules.valid_for);
        let opened = self.open.iter().filter(|(subject, _)| subject.0 == *customer).map(|(_, episode)| episode.opened);
        given.wake.extend(opened.flat_map(|opened| spans.clone().map(move |span| opened + span)));
        let keeps = client.receipts.iter().map(|receipt| receipt.event_time + pack.policy.keep);
        let released = self.released.get(customer).into_iter().flatten();
        given.wake.extend(keeps.chain(released.map(|release| release.at + pack.policy.keep)));
        drop(client);
        self.calendar = calendar;
    }

    /// What was released to a customer and is not forgotten.
    fn remembered(&self, policy: &Policy, customer: &Id, now: i64) -> Vec<&Release> {
        let all = self.released.get(customer).into_iter().flatten();
        let all: Vec<&Release> = all.filter(|release| now < release.at + policy.keep).collect();
        all[all.len().saturating_sub(MOST_RELEASES)..].to_vec()
    }

    fn silencing(&self, customer: &Id) -> BTreeMap<usize, i64> {
        let closed = self.closed.iter().filter(|((of, _), _)| of == customer);
        let mut silencing: BTreeMap<usize, i64> = closed.map(|((_, moment), at)| (*moment, *at)).collect();
        let open = self.open.keys().filter(|subject| subject.0 == *customer);
        silencing.extend(open.map(|subject| (subject.2, i64::MAX)));
        silencing
    }

    /// Receipts that begin to count, or to answer.
    fn hear(&mut self, client: &Client<'_>, given: &mut Given) {
        let now: BTreeSet<Receipt> = client.receipts.iter().cloned().collect();
        let before = self.heard.insert(client.id.clone(), now).unwrap_or_default();
        let released = self.remembered(&client.pack.policy, client.id, client.state.now);
        for receipt in &client.receipts {
            let answered = receipt.answers(&released);
            let heard_before = before.contains(receipt);
            if heard_before && answered.is_none_or(|release| release.at < client.state.now) {
                continue;
            }
            let subject = answered.map(|release| (client.id.clone(), release.entity.clone(), release.moment));
            let of = subject.as_ref().zip(answered).map(|(subject, release)| (subject, release.opened));
            let text = format!(
                "\"decision\":\"receipt\",\"receipt\":{},\"trigger\":{},\"channel\":{},\"at\":{}{}}}\n",
                json_of(&receipt.kind),
                json_of(&receipt.trigger),
                json_of(&receipt.channel),
                json_of(&time_text(receipt.event_time)),
                if heard_before { ",\"heard_before\":true" } else { "" },
            );
            let key = answered.map(|release| (release.moment, release.entity.clone(), release.opened));
            given.lines.push((key, 1, Some(receipt.clone()), head(client, of) + &text));
        }
    }

    /// Step 1.
    fn close(&mut self, client: &Client<'_>, (subject, episode): (&Subject, Episode), ending: &str, given: &mut Given) {
        if episode.unsaid || matches!(episode.given, Some(("expired", _))) {
            return;
        }
        let mut all = self.released.get(client.id).into_iter().flatten();
        let same = |release: &&Release| {
            release.moment == subject.2 && release.entity == subject.1 && release.opened == episode.opened
        };
        let published = all.find(same).map(|release| (release.at, release.channel.clone()));
        let (at, channel) = published.map_or((None, None), |(at, channel)| (Some(at), channel));
        self.give_with(client, (subject, episode.opened), ("withdrawn", ending), &[], (channel, at), given);
    }

    fn open_of(&self, client: &Client<'_>) -> Vec<(Subject, i64)> {
        let of = self.open.iter().filter(|(subject, episode)| subject.0 == *client.id && !episode.is_final());
        of.map(|(subject, episode)| (subject.clone(), episode.opened)).collect()
    }

    fn meets(&self, client: &Client<'_>, subject: &Subject) -> Met {
        client.meets(subject, &self.remembered(&client.pack.policy, client.id, client.state.now))
    }

    /// Step 2.
    fn expire(&mut self, client: &Client<'_>, given: &mut Given) {
        let mut open = self.open_of(client);
        open.sort_by_key(|(subject, _)| (subject.2, subject.1.clone()));
        for (subject, opened) in open {
            let rules = &client.pack.moments[subject.2].rules;
            if rules.valid_for.is_none_or(|valid_for| client.state.now < opened + valid_for) {
                continue;
            }
            let met = self.meets(client, &subject);
            if rules.expires_to_human && !met.fails(1..=6) {
                self.publish(client, (&subject, opened), true, &met, given);
            } else {
                self.final_verdict(client, (&subject, opened), "expired", &met, given);
            }
        }
    }

    /// Step 3. Gives what was not released.
    fn release(&mut self, client: &Client<'_>, given: &mut Given) -> Vec<(Subject, i64)> {
        let mut ranked = self.open_of(client);
        let released = self.remembered(&client.pack.policy, client.id, client.state.now);
        ranked.sort_by(|(a, a_opened), (b, b_opened)| {
            let priority = |subject: &Subject| client.priority(subject, &released);
            (client.rank(a).cmp(&client.rank(b)))
                .then_with(|| priority(b).partial_cmp(&priority(a)).expect("finite"))
                .then_with(|| a_opened.cmp(b_opened))
                .then_with(|| a.2.cmp(&b.2))
                .then_with(|| a.1.cmp(&b.1))
        });
        let mut rest = Vec::new();
        for (subject, opened) in ranked {
            let met = self.meets(client, &subject);
            let to_human = client.pack.moments[subject.2].rules.on_negative_mood == "human";
            if met.failed.is_empty() {
                self.publish(client, (&subject, opened), false, &met, given);
            } else if to_human && !met.fails(1..=6) && met.fails(7..=7) {
                self.publish(client, (&subject, opened), true, &met, given);
            } else {
                rest.push((subject, opened));
            }
        }
        rest
    }

    /// Step 4.
    fn refuse(&mut self, client: &Client<'_>, rest: Vec<(Subject, i64)>, given: &mut Given) {
        for (subject, opened) in rest {
            let rules = &client.pack.moments[subject.2].rules;
            let met = self.meets(client, &subject);
            assert!(!met.failed.is_empty(), "what fails does not pass because more was released");
            if met.failed.iter().all(|failed| failed.gate == 4) {
                self.start_watch(client, (&subject, opened), "holdout", given);
            }
            let cancelled = met.fails(7..=7) && rules.on_negative_mood == "cancel";
            if !met.fails(1..=5) && !cancelled {
                let hard: Vec<Failed> = met.failed.iter().filter(|failed| failed.gate <= 7).cloned().collect();
                let grounds = if hard.is_empty() { met.failed.clone() } else { hard };
                self.wait(client, (&subject, opened), ("deferred", grounds), &met, given);
            } else if rules.drops {
                self.final_verdict(client, (&subject, opened), "expired", &met, given);
            } else {
                let grounds: Vec<Failed> = met.failed.iter().filter(|failed| failed.gate <= 7).cloned().collect();
                self.wait(client, (&subject, opened), ("suppressed", grounds), &met, given);
            }
        }
    }

    fn wait(
        &mut self,
        client: &Client<'_>,
        (subject, opened): (&Subject, i64),
        verdict: (&'static str, Vec<Failed>),
        met: &Met,
        given: &mut Given,
    ) {
        let episode = self.open.get_mut(subject).expect("it is open");
        if episode.given.as_ref() != Some(&verdict) {
            let name = verdict.0;
            episode.given = Some(verdict);
            self.give(client, (subject, opened), name, &met.failed, (None, None), given);
        }
    }

    fn final_verdict(
        &mut self,
        client: &Client<'_>,
        (subject, opened): (&Subject, i64),
        verdict: &'static str,
        met: &Met,
        given: &mut Given,
    ) {
        let failed: Vec<Failed> = met.failed.iter().filter(|failed| failed.gate < 10).cloned().collect();
        self.open.get_mut(subject).expect("it is open").given = Some((verdict, Vec::new()));
        self.give(client, (subject, opened), verdict, &failed, (None, None), given);
    }

    /// `released` or `handed_to_human`.
    fn publish(
        &mut self,
        client: &Client<'_>,
        (subject, opened): (&Subject, i64),
        handed: bool,
        met: &Met,
        given: &mut Given,
    ) {
        let (policy, now) = (&client.pack.policy, client.state.now);
        let rules = &client.pack.moments[subject.2].rules;
        let channel = if handed {
            let people = rules.channels.iter().find(|channel| policy.people.contains(*channel));
            people.or(policy.human.as_ref()).or(rules.channels.first()).cloned()
        } else {
            met.channel.clone()
        };
        let verdict = if handed { "handed_to_human" } else { "released" };
        let failed: Vec<Failed> = met.failed.iter().filter(|failed| failed.gate < 10).cloned().collect();
        self.open.get_mut(subject).expect("it is open").given = Some((verdict, Vec::new()));
        self.give(client, (subject, opened), verdict, &failed, (channel.clone(), Some(now)), given);
        if now < self.publish_from {
            self.open.get_mut(subject).expect("it is open").unsaid = true;
            return;
        }
        let release = Release {
            moment: subject.2,
            entity: subject.1.clone(),
            opened,
            episode: episode_id(client.pack, subject, opened),
            at: now,
            channel,
            purpose: rules.purpose.clone(),
            handed,
        };
        self.released.entry(client.id.clone()).or_default().push(release);
        if !handed {
            self.start_watch(client, (subject, opened), "treated", given);
        }
    }

    fn start_watch(
        &mut self,
        client: &Client<'_>,
        (subject, opened): (&Subject, i64),
        group: &'static str,
        given: &mut Given,
    ) {
        let (rules, started) = (&client.pack.moments[subject.2].rules, client.state.now);
        let is_new = rules.success.is_some() && self.watched.insert((subject.clone(), opened));
        if is_new && started >= self.publish_from {
            given.wake.insert(started + rules.success_within);
            self.watches.push(Watch { subject: subject.clone(), opened, started, group });
        }
    }

    /// Outcomes.
    fn watch(&mut self, client: &Client<'_>, given: &mut Given) {
        let now = client.state.now;
        self.watches.retain(|watch| {
            if watch.subject.0 != *client.id {
                return true;
            }
            let moment = &client.pack.moments[watch.subject.2];
            let over = now >= watch.started + moment.rules.success_within;
            let holds = client.succeeds(&watch.subject);
            if !holds && !over {
                return true;
            }
            let text = format!(
                "\"decision\":\"outcome\",\"helped\":{},\"group\":\"{}\",\"started\":{}}}\n",
                holds,
                watch.group,
                json_of(&time_text(watch.started))
            );
            let key = (watch.subject.2, watch.subject.1.clone(), watch.opened);
            given.lines.push((Some(key), 2, None, head(client, Some((&watch.subject, watch.opened))) + &text));
            false
        });
    }

    /// The line of a verdict.
    fn give(
        &self,
        client: &Client<'_>,
        of: (&Subject, i64),
        verdict: &str,
        failed: &[Failed],
        published: (Option<String>, Option<i64>),
        given: &mut Given,
    ) {
        self.give_with(client, of, (verdict, ""), failed, published, given);
    }

    fn give_with(
        &self,
        client: &Client<'_>,
        (subject, opened): (&Subject, i64),
        (verdict, ending): (&str, &str),
        failed: &[Failed],
        (channel, released_at): (Option<String>, Option<i64>),
        given: &mut Given,
    ) {
        let moment = &client.pack.moments[subject.2];
        let released = self.remembered(&client.pack.policy, client.id, client.state.now);
        let until = failed.iter().map(|failed| failed.until).collect::<Option<Vec<i64>>>();
        let until = until.and_then(|all| all.into_iter().max());
        let (_, rows) = client.rows(subject.1.as_ref());
        let evidence = moment.uses.iter().map(|(name, scope, slot)| {
            let value = match client.withheld(moment, *scope, *slot) {
                Some(data) => format!("{{\"withheld\":{}}}", json_of(data)),
                None => rows[*scope][*slot].json(),
            };
            format!("{}:{value}", json_of(name))
        });
        let text = format!(
            "\"decision\":\"verdict\",\"verdict\":\"{verdict}\",\"gates\":[{}],\"until\":{},\"channel\":{},\
             \"released_at\":{},{ending}\"priority\":{},\"mood\":\"{}\",\"evidence\":{{{}}}}}\n",
            failed.iter().map(Failed::json).collect::<Vec<_>>().join(","),
            json_of(&until.map(time_text)),
            json_of(&channel),
            json_of(&released_at.map(time_text)),
            json_of(&client.priority(subject, &released)),
            if client.is_negative() { "negative" } else { "calm" },
            evidence.collect::<Vec<_>>().join(",")
        );
        let key = (subject.2, subject.1.clone(), opened);
        given.lines.push((Some(key), 0, None, head(client, Some((subject, opened))) + &text));
    }
}

/// What every decision begins with.
fn head(client: &Client<'_>, of: Option<(&Subject, i64)>) -> String {
    let (pack, now) = (client.pack, client.state.now);
    let mut text = format!(
        "{{\"time\":{},\"logical_time_ms\":{now},\"customer\":{},",
        json_of(&time_text(now)),
        json_of(&client.id.text())
    );
    text += &match of {
        None => "\"entity\":null,\"moment\":null,\"version\":null,\"purpose\":null,\"episode\":null,".to_owned(),
        Some((subject, opened)) => {
            let moment = &pack.moments[subject.2];
            let entity = subject.1.as_ref().map_or("null".to_owned(), |(kind, id)| {
                format!("{{\"kind\":{},\"id\":{}}}", json_of(&pack.kinds[*kind].name), json_of(&id.text()))
            });
            format!(
                "\"entity\":{entity},\"moment\":{},\"version\":{},\"purpose\":{},\"episode\":\"{}\",",
                json_of(&moment.name),
                json_of(&moment.version),
                json_of(&moment.rules.purpose),
                episode_id(pack, subject, opened)
            )
        }
    };
    text
}
