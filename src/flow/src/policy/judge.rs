//! From gates to verdicts.

use crate::Transition;
use crate::episode::episode_hash;
use propice_define::expr::Expr;
use propice_define::plan::{Gate, OnExpiry, OnNegativeMood, OnSuppressed, Verdict};
use propice_model::LogicalTime;

use super::gates::{Free, Reach};
use super::scene::Look;
use super::standing::{Episode, Release, Standing, State, Watch};
use super::{Decision, Ended, EpisodeKey, FailedGate, Group, Judgement, Policy, What};

/// A verdict that is to be given, with where and when it is or was published.
struct Given {
    verdict: Verdict,
    gates: Vec<FailedGate>,
    channel: Option<u16>,
    released_at: Option<LogicalTime>,
    ended: Option<Ended>,
}

impl Given {
    fn of(verdict: Verdict, gates: Vec<FailedGate>) -> Given {
        Given { verdict, gates, channel: None, released_at: None, ended: None }
    }
}

impl Policy {
    /// An episode closes. It is given to be withdrawn when everything of this time has opened and closed.
    pub(super) fn close(&self, standing: &mut Standing, look: &Look<'_>, transition: &Transition) -> Option<Episode> {
        let episode = standing.take(transition)?;
        if let Some(silence) = self.moment(transition.moment).silence.as_ref().filter(|silence| silence.after_ms > 0) {
            let until = look.now().saturating_add(silence.after_ms.unsigned_abs());
            standing.lingering.push((transition.moment, until));
        }
        Some(episode)
    }

    /// What was not decided is withdrawn, and so is what was published.
    pub(super) fn withdraw(
        &self,
        standing: &Standing,
        look: &Look<'_>,
        episode: &Episode,
        transitions: &[Transition],
        out: &mut Vec<Decision>,
    ) {
        let (released_at, channel) = match episode.state {
            State::Pending => (None, None),
            State::Published { at, channel } => (Some(at), channel),
            State::Unsaid | State::Expired => return,
        };
        let ended = Some(self.ended(standing, look, &episode.key, transitions));
        let given = Given { released_at, channel, ended, ..Given::of(Verdict::Withdrawn, Vec::new()) };
        give(standing, look, &episode.key, given, out);
    }

    /// The episodes that are of use no more, by moment and entity. Asks to be called again for the others.
    fn over(standing: &Standing, look: &Look<'_>) -> Vec<usize> {
        let mut over = Vec::new();
        for (position, episode) in standing.episodes.iter().enumerate() {
            let Episode { key, state: State::Pending, .. } = episode else { continue };
            let Some(valid_for) = look.moment(key).valid_for_ms else { continue };
            let end = key.since.saturating_add(valid_for.unsigned_abs());
            if look.now() < end {
                look.wake.at(end);
            } else {
                over.push(position);
            }
        }
        let key = |position: usize| &standing.episodes[position].key;
        over.sort_by(|left, right| key(*left).cmp(key(*right)));
        over
    }

    /// Ends what is of use no more.
    pub(super) fn expire(&self, standing: &mut Standing, look: &Look<'_>, out: &mut Vec<Decision>) {
        for position in Policy::over(standing, look) {
            let key = standing.episodes[position].key.clone();
            let moment = look.moment(&key);
            let mut gates = look.grounds(&key, standing);
            let stays = gates.iter().all(|failed| failed.gate > Gate::Evidence);
            gates.extend(look.reach(&key, &standing.releases, false).failed);
            if moment.on_expiry == OnExpiry::Human && stays {
                self.hand_over(standing, look, position, gates, out);
            } else {
                standing.episodes[position].state = State::Expired;
                give(standing, look, &key, Given::of(Verdict::Expired, gates), out);
            }
        }
    }

    /// Releases what passes every gate, in order of rank, and judges the rest.
    pub(super) fn release(&self, standing: &mut Standing, look: &Look<'_>, out: &mut Vec<Decision>) {
        if !standing.is_pending() {
            return;
        }
        let mut pending = Vec::new();
        for (position, episode) in standing.episodes.iter().enumerate() {
            if episode.state == State::Pending {
                pending.push((position, look.grounds(&episode.key, standing)));
            }
        }
        if pending.len() > 1 {
            let priority = |position: usize| look.priority(&standing.episodes[position].key, &standing.releases);
            let mut ranked: Vec<_> = pending.into_iter().map(|item| (priority(item.0), item)).collect();
            let key = |position: usize| &standing.episodes[position].key;
            ranked.sort_by(|left, right| look.order((key(left.1.0), left.0), (key(right.1.0), right.0)));
            pending = ranked.into_iter().map(|(_, item)| item).collect();
        }
        let before = standing.releases.len();
        // A receipt may answer what was released just now.
        let again = |standing: &Standing, position: usize, grounds: Vec<FailedGate>| {
            let was_released = standing.releases.len() > before && self.plan.policy.receipts.is_some();
            if was_released { look.grounds(&standing.episodes[position].key, standing) } else { grounds }
        };
        for (position, grounds) in &mut pending {
            *grounds = again(standing, *position, std::mem::take(grounds));
            self.try_to_release(standing, look, *position, grounds, out);
        }
        for (position, grounds) in pending {
            if standing.episodes[position].state == State::Pending {
                let grounds = again(standing, position, grounds);
                self.judge(standing, look, (position, grounds), out);
            }
        }
    }

    fn try_to_release(
        &self,
        standing: &mut Standing,
        look: &Look<'_>,
        position: usize,
        grounds: &[FailedGate],
        out: &mut Vec<Decision>,
    ) {
        let key = standing.episodes[position].key.clone();
        if let [FailedGate { gate: Gate::Mood, .. }] = grounds
            && look.moment(&key).on_negative_mood == OnNegativeMood::Human
        {
            let mut gates = grounds.to_vec();
            gates.extend(look.reach(&key, &standing.releases, false).failed);
            self.hand_over(standing, look, position, gates, out);
        }
        if !grounds.is_empty() {
            return;
        }
        let Reach { free: Some(Free { channel }), .. } = look.reach(&key, &standing.releases, false) else { return };
        if look.arbitration(&key, &standing.releases).is_some() {
            return;
        }
        let given = Given { channel, released_at: Some(look.now()), ..Given::of(Verdict::Released, Vec::new()) };
        give(standing, look, &key, given, out);
        self.publish(standing, look, position, channel, false);
        self.watch(standing, look, key, Group::Treated);
    }

    fn hand_over(
        &self,
        standing: &mut Standing,
        look: &Look<'_>,
        position: usize,
        gates: Vec<FailedGate>,
        out: &mut Vec<Decision>,
    ) {
        let key = standing.episodes[position].key.clone();
        let moment = look.moment(&key);
        let channel = moment.human_channel.map(|channel| channel as u16);
        let given = Given { channel, released_at: Some(look.now()), ..Given::of(Verdict::HandedToHuman, gates) };
        give(standing, look, &key, given, out);
        self.publish(standing, look, position, channel, true);
    }

    /// Waits for the success of an episode, if one is declared. Not for that of what is not said, nor of its control group.
    fn watch(&self, standing: &mut Standing, look: &Look<'_>, key: EpisodeKey, group: Group) {
        if self.speaks(look) && look.moment(&key).success.is_some() {
            standing.watches.push(Watch { key, started: look.now(), group });
        }
    }

    /// Whether what passes every gate is said.
    fn speaks(&self, look: &Look<'_>) -> bool {
        look.now() >= self.plan.policy.publish_from
    }

    /// Remembers that an episode was published; or that it is over without having been said, which is no release.
    fn publish(&self, standing: &mut Standing, look: &Look<'_>, position: usize, channel: Option<u16>, handed: bool) {
        let at = look.now();
        let episode = &mut standing.episodes[position];
        if !self.speaks(look) {
            episode.state = State::Unsaid;
            return;
        }
        episode.state = State::Published { at, channel };
        let key = episode.key.clone();
        // Only receipts ask for it.
        let id = self
            .plan
            .policy
            .receipts
            .map(|_| episode_hash(&self.plan, look.scene.customer, key.moment, key.entity.as_ref(), key.since));
        standing.releases.push(Release { key, at, channel, handed, id });
    }

    /// Gives the verdict of an episode that waits, when it is another than before.
    fn judge(
        &self,
        standing: &mut Standing,
        look: &Look<'_>,
        (position, grounds): (usize, Vec<FailedGate>),
        out: &mut Vec<Decision>,
    ) {
        let episode = &standing.episodes[position];
        let key = episode.key.clone();
        let is_held_out = matches!(grounds.as_slice(), [FailedGate { gate: Gate::Holdout, .. }]);
        let reach_matters = grounds.is_empty() || (is_held_out && !episode.held_out);
        let verdict = self.waiting(&key, &grounds);
        let mut contact = None;
        if reach_matters {
            let mut failed = look.reach(&key, &standing.releases, true).failed;
            if is_held_out && failed.is_empty() {
                standing.episodes[position].held_out = true;
                self.watch(standing, look, key.clone(), Group::Holdout);
            }
            if grounds.is_empty() && failed.is_empty() {
                failed.extend(look.arbitration(&key, &standing.releases));
            }
            contact = Some(failed);
        }
        let ground = if grounds.is_empty() { contact.clone().unwrap_or_default() } else { grounds.clone() };
        let drops = verdict == Verdict::Suppressed && look.moment(&key).on_suppressed == OnSuppressed::Drop;
        let is_known = (standing.episodes[position].given.as_ref())
            .is_some_and(|(given, known)| *given == verdict && *known == ground);
        if is_known && !drops {
            return;
        }
        standing.episodes[position].given = Some((verdict, ground));
        let mut gates = grounds;
        gates.extend(contact.unwrap_or_else(|| look.reach(&key, &standing.releases, false).failed));
        let verdict = if drops { Verdict::Expired } else { verdict };
        if drops {
            standing.episodes[position].state = State::Expired;
        }
        give(standing, look, &key, Given::of(verdict, gates), out);
    }

    /// The verdict of what is not released, given what failed among gates 1 to 7.
    fn waiting(&self, key: &EpisodeKey, grounds: &[FailedGate]) -> Verdict {
        let cancels = self.moment(key.moment).on_negative_mood == OnNegativeMood::Cancel;
        let suppresses = |failed: &FailedGate| failed.gate.suppresses() || (failed.gate == Gate::Mood && cancels);
        if grounds.iter().any(suppresses) { Verdict::Suppressed } else { Verdict::Deferred }
    }
}

fn give(standing: &Standing, look: &Look<'_>, key: &EpisodeKey, given: Given, out: &mut Vec<Decision>) {
    let moment = look.moment(key);
    let untils: Option<Vec<LogicalTime>> = given.gates.iter().map(|failed| failed.until).collect();
    let is_published = given.released_at.is_some();
    let policy = &look.policy.plan.policy;
    let said = |text: Option<&Expr>| look.text(text.filter(|_| is_published)).map(|text| text.to_string());
    out.push(Decision {
        time: look.now(),
        customer: look.scene.customer.clone(),
        episode: Some(key.clone()),
        what: What::Verdict(Judgement {
            verdict: given.verdict,
            until: untils.and_then(|untils| untils.into_iter().max()),
            gates: given.gates,
            channel: given.channel,
            released_at: given.released_at,
            ended: given.ended,
            priority: look.priority(key, &standing.releases),
            mood_is_negative: look.mood().is_negative,
            evidence: look.shown(key, &moment.evidence),
            shared: if is_published { look.shown(key, &moment.shares) } else { Vec::new() },
            locale: said(policy.locale.as_ref()),
            zone: said(policy.zone.as_ref()),
        }),
    });
}
