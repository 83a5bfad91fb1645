//! From gates to verdicts.

use crate::Transition;
use crate::episode::episode_hash;
use propice_define::expr::Expr;
use propice_define::plan::{Gate, OnExpiry, OnNegativeMood, OnSuppressed, Verdict};
use propice_model::LogicalTime;

use super::context::EvaluationContext;
use super::gates::{Free, Reach};
use super::state::{EpisodeState, OpenEpisode, PolicyState, Release, Watch};
use super::{Decision, Ended, EpisodeKey, FailedGate, Group, Judgement, Policy, What};

/// A verdict that is to be given, with where and when it is or was published.
struct GivenVerdict {
    verdict: Verdict,
    gates: Vec<FailedGate>,
    channel: Option<u16>,
    released_at: Option<LogicalTime>,
    ended: Option<Ended>,
}

impl GivenVerdict {
    fn of(verdict: Verdict, gates: Vec<FailedGate>) -> GivenVerdict {
        GivenVerdict { verdict, gates, channel: None, released_at: None, ended: None }
    }
}

impl Policy {
    /// An episode closes. It is given to be withdrawn when everything of this time has opened and
    /// closed.
    pub(super) fn close(
        &self,
        state: &mut PolicyState,
        context: &EvaluationContext<'_>,
        transition: &Transition,
    ) -> Option<OpenEpisode> {
        let episode = state.take(transition)?;
        if let Some(silence) = self.moment(transition.moment).silence.as_ref().filter(|silence| silence.after_ms > 0) {
            let until = context.now().saturating_add(silence.after_ms.unsigned_abs());
            state.lingering.push((transition.moment, until));
        }
        Some(episode)
    }

    /// What was not decided is withdrawn, and so is what was published.
    pub(super) fn withdraw(
        &self,
        state: &PolicyState,
        context: &EvaluationContext<'_>,
        episode: &OpenEpisode,
        transitions: &[Transition],
        out: &mut Vec<Decision>,
    ) {
        let (released_at, channel) = match episode.state {
            EpisodeState::Pending => (None, None),
            EpisodeState::Published { at, channel } => (Some(at), channel),
            EpisodeState::Unsaid | EpisodeState::Expired => return,
        };
        let ended = Some(self.ended(state, context, &episode.key, transitions));
        let given = GivenVerdict { released_at, channel, ended, ..GivenVerdict::of(Verdict::Withdrawn, Vec::new()) };
        give(state, context, &episode.key, given, out);
    }

    /// The episodes that are of use no more, by moment and entity. Asks to be called again for the
    /// others.
    fn over(state: &PolicyState, context: &EvaluationContext<'_>) -> Vec<usize> {
        let mut over = Vec::new();
        for (position, episode) in state.episodes.iter().enumerate() {
            let OpenEpisode { key, state: EpisodeState::Pending, .. } = episode else { continue };
            let Some(valid_for) = context.moment(key).valid_for_ms else { continue };
            let end = key.since.saturating_add(valid_for.unsigned_abs());
            if context.now() < end {
                context.wake.at(end);
            } else {
                over.push(position);
            }
        }
        let key = |position: usize| &state.episodes[position].key;
        over.sort_by(|left, right| key(*left).cmp(key(*right)));
        over
    }

    /// Ends what is of use no more.
    pub(super) fn expire(&self, state: &mut PolicyState, context: &EvaluationContext<'_>, out: &mut Vec<Decision>) {
        for position in Policy::over(state, context) {
            let key = state.episodes[position].key.clone();
            let moment = context.moment(&key);
            let mut gates = context.grounds(&key, state);
            let stays = gates.iter().all(|failed| failed.gate > Gate::Evidence);
            gates.extend(context.reach(&key, &state.releases, false).failed);
            if moment.on_expiry == OnExpiry::Human && stays {
                self.hand_over(state, context, position, gates, out);
            } else {
                state.episodes[position].state = EpisodeState::Expired;
                give(state, context, &key, GivenVerdict::of(Verdict::Expired, gates), out);
            }
        }
    }

    /// Releases what passes every gate, in order of rank, and judges the rest.
    pub(super) fn release(&self, state: &mut PolicyState, context: &EvaluationContext<'_>, out: &mut Vec<Decision>) {
        if !state.is_pending() {
            return;
        }
        let mut pending = Vec::new();
        for (position, episode) in state.episodes.iter().enumerate() {
            if episode.state == EpisodeState::Pending {
                pending.push((position, context.grounds(&episode.key, state)));
            }
        }
        if pending.len() > 1 {
            let priority = |position: usize| context.priority(&state.episodes[position].key, &state.releases);
            let mut ranked: Vec<_> = pending.into_iter().map(|item| (priority(item.0), item)).collect();
            let key = |position: usize| &state.episodes[position].key;
            ranked.sort_by(|left, right| context.order((key(left.1.0), left.0), (key(right.1.0), right.0)));
            pending = ranked.into_iter().map(|(_, item)| item).collect();
        }
        let before = state.releases.len();
        // A receipt may answer what was released just now.
        let again = |state: &PolicyState, position: usize, grounds: Vec<FailedGate>| {
            let was_released = state.releases.len() > before && self.plan.policy.receipts.is_some();
            if was_released { context.grounds(&state.episodes[position].key, state) } else { grounds }
        };
        for (position, grounds) in &mut pending {
            *grounds = again(state, *position, std::mem::take(grounds));
            self.try_to_release(state, context, *position, grounds, out);
        }
        for (position, grounds) in pending {
            if state.episodes[position].state == EpisodeState::Pending {
                let grounds = again(state, position, grounds);
                self.judge(state, context, (position, grounds), out);
            }
        }
    }

    fn try_to_release(
        &self,
        state: &mut PolicyState,
        context: &EvaluationContext<'_>,
        position: usize,
        grounds: &[FailedGate],
        out: &mut Vec<Decision>,
    ) {
        let key = state.episodes[position].key.clone();
        if let [FailedGate { gate: Gate::Mood, .. }] = grounds
            && context.moment(&key).on_negative_mood == OnNegativeMood::Human
        {
            let mut gates = grounds.to_vec();
            gates.extend(context.reach(&key, &state.releases, false).failed);
            self.hand_over(state, context, position, gates, out);
        }
        if !grounds.is_empty() {
            return;
        }
        let Reach { free: Some(Free { channel }), .. } = context.reach(&key, &state.releases, false) else { return };
        if context.arbitration(&key, &state.releases).is_some() {
            return;
        }
        let given = GivenVerdict {
            channel,
            released_at: Some(context.now()),
            ..GivenVerdict::of(Verdict::Released, Vec::new())
        };
        give(state, context, &key, given, out);
        self.publish(state, context, position, channel, false);
        self.watch(state, context, key, Group::Treated);
    }

    fn hand_over(
        &self,
        state: &mut PolicyState,
        context: &EvaluationContext<'_>,
        position: usize,
        gates: Vec<FailedGate>,
        out: &mut Vec<Decision>,
    ) {
        let key = state.episodes[position].key.clone();
        let moment = context.moment(&key);
        let channel = moment.human_channel.map(|channel| channel as u16);
        let given = GivenVerdict {
            channel,
            released_at: Some(context.now()),
            ..GivenVerdict::of(Verdict::HandedToHuman, gates)
        };
        give(state, context, &key, given, out);
        self.publish(state, context, position, channel, true);
    }

    /// Waits for the success of an episode, if one is declared. Not for that of what is not said,
    /// nor of its control group.
    fn watch(&self, state: &mut PolicyState, context: &EvaluationContext<'_>, key: EpisodeKey, group: Group) {
        if self.speaks(context) && context.moment(&key).success.is_some() {
            state.watches.push(Watch { key, started: context.now(), group });
        }
    }

    /// Whether what passes every gate is said.
    fn speaks(&self, context: &EvaluationContext<'_>) -> bool {
        context.now() >= self.plan.policy.publish_from
    }

    /// Remembers that an episode was published; or that it is over without having been said, which
    /// is no release.
    fn publish(
        &self,
        state: &mut PolicyState,
        context: &EvaluationContext<'_>,
        position: usize,
        channel: Option<u16>,
        handed: bool,
    ) {
        let at = context.now();
        let episode = &mut state.episodes[position];
        if !self.speaks(context) {
            episode.state = EpisodeState::Unsaid;
            return;
        }
        episode.state = EpisodeState::Published { at, channel };
        let key = episode.key.clone();
        // Only receipts ask for it.
        let id =
            self.plan.policy.receipts.map(|_| {
                episode_hash(&self.plan, context.snapshot.customer, key.moment, key.entity.as_ref(), key.since)
            });
        state.releases.push(Release { key, at, channel, handed, id });
    }

    /// Gives the verdict of an episode that waits, when it is another than before.
    fn judge(
        &self,
        state: &mut PolicyState,
        context: &EvaluationContext<'_>,
        (position, grounds): (usize, Vec<FailedGate>),
        out: &mut Vec<Decision>,
    ) {
        let episode = &state.episodes[position];
        let key = episode.key.clone();
        let is_held_out = matches!(grounds.as_slice(), [FailedGate { gate: Gate::Holdout, .. }]);
        let reach_matters = grounds.is_empty() || (is_held_out && !episode.held_out);
        let verdict = self.waiting(&key, &grounds);
        let mut contact = None;
        if reach_matters {
            let mut failed = context.reach(&key, &state.releases, true).failed;
            if is_held_out && failed.is_empty() {
                state.episodes[position].held_out = true;
                self.watch(state, context, key.clone(), Group::Holdout);
            }
            if grounds.is_empty() && failed.is_empty() {
                failed.extend(context.arbitration(&key, &state.releases));
            }
            contact = Some(failed);
        }
        let ground = if grounds.is_empty() { contact.clone().unwrap_or_default() } else { grounds.clone() };
        let drops = verdict == Verdict::Suppressed && context.moment(&key).on_suppressed == OnSuppressed::Drop;
        let is_known = (state.episodes[position].given.as_ref())
            .is_some_and(|(given, known)| *given == verdict && *known == ground);
        if is_known && !drops {
            return;
        }
        state.episodes[position].given = Some((verdict, ground));
        let mut gates = grounds;
        gates.extend(contact.unwrap_or_else(|| context.reach(&key, &state.releases, false).failed));
        let verdict = if drops { Verdict::Expired } else { verdict };
        if drops {
            state.episodes[position].state = EpisodeState::Expired;
        }
        give(state, context, &key, GivenVerdict::of(verdict, gates), out);
    }

    /// The verdict of what is not released, given what failed among gates 1 to 7.
    fn waiting(&self, key: &EpisodeKey, grounds: &[FailedGate]) -> Verdict {
        let cancels = self.moment(key.moment).on_negative_mood == OnNegativeMood::Cancel;
        let suppresses = |failed: &FailedGate| failed.gate.suppresses() || (failed.gate == Gate::Mood && cancels);
        if grounds.iter().any(suppresses) { Verdict::Suppressed } else { Verdict::Deferred }
    }
}

fn give(
    state: &PolicyState,
    context: &EvaluationContext<'_>,
    key: &EpisodeKey,
    given: GivenVerdict,
    out: &mut Vec<Decision>,
) {
    let moment = context.moment(key);
    let untils: Option<Vec<LogicalTime>> = given.gates.iter().map(|failed| failed.until).collect();
    let is_published = given.released_at.is_some();
    let policy = &context.policy.plan.policy;
    let said = |text: Option<&Expr>| context.text(text.filter(|_| is_published)).map(|text| text.to_string());
    out.push(Decision {
        time: context.now(),
        customer: context.snapshot.customer.clone(),
        episode: Some(key.clone()),
        what: What::Verdict(Judgement {
            verdict: given.verdict,
            until: untils.and_then(|untils| untils.into_iter().max()),
            gates: given.gates,
            channel: given.channel,
            released_at: given.released_at,
            ended: given.ended,
            priority: context.priority(key, &state.releases),
            mood_is_negative: context.mood().is_negative,
            evidence: context.shown(key, &moment.evidence),
            shared: if is_published { context.shown(key, &moment.shares) } else { Vec::new() },
            locale: said(policy.locale.as_ref()),
            zone: said(policy.zone.as_ref()),
        }),
    });
}
