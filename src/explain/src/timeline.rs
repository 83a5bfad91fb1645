//! One moment, for what it is about: how it stands, its condition, what it is made of, what was
//! decided.

use super::answer::{At, Entity, Episode, Event, Feature, Gate, Line, State, Timeline};
use super::features::Trees;
use super::gates::Gates;
use super::history::{ConditionPhase, Life, MomentSubject};
use super::render::{Rendered, fails};
use propice_define::Plan;
use propice_define::expr::Env;
use propice_define::plan::{self, DataKinds, Ending, Moment, MoodSource, Verdict};
use propice_edge::trigger::language::Teller;
use propice_flow::empty_view::empty_row;
use propice_flow::episode::id_of;
use propice_flow::policy::{Decision, EpisodeKey, Group, Judgement, Receipt, What};
use propice_model::{Id, KindId, LogicalTime, MomentId, Value};

/// Everything that a story is told from.
pub(super) struct Timelines<'a> {
    pub(super) plan: &'a Plan,
    pub(super) teller: &'a Teller,
    pub(super) life: &'a Life,
    pub(super) customer: &'a Id,
    pub(super) instant: LogicalTime,
    pub(super) denied: DataKinds,
}

/// The rows that a subject is looked at in, also when it is not there.
struct SubjectRows {
    row: Vec<Value>,
    entity: Vec<Value>,
}

impl<'a> Timelines<'a> {
    fn pick(&self, english: impl Into<String>, french: impl Into<String>) -> String {
        self.teller.language.pick(english.into(), french.into())
    }

    fn time(&self, time: LogicalTime) -> String {
        self.teller.logical(time)
    }

    fn moment(&self, id: MomentId) -> &'a Moment {
        &self.plan.moments[id.index()]
    }

    /// What tells the conditions of a moment.
    pub(super) fn told(&self, id: MomentId) -> Rendered<'a> {
        Rendered { plan: self.plan, teller: self.teller, denied: self.denied, evidence: &self.moment(id).evidence }
    }

    fn rows(&self, subject: &MomentSubject) -> SubjectRows {
        let slots = |kind: KindId, id: &Id| {
            let known = self.life.slots(kind, id).map(<[Value]>::to_vec);
            known.unwrap_or_else(|| empty_row(self.plan, kind, self.instant))
        };
        SubjectRows {
            row: slots(KindId::CUSTOMER, self.customer),
            entity: subject.as_ref().map_or_else(Vec::new, |(kind, id)| slots(*kind, id)),
        }
    }

    /// How a moment stands at the instant.
    pub(super) fn state(&self, id: MomentId, subject: &MomentSubject) -> State {
        let phase = self.life.phases.get(&(id, subject.clone())).copied().unwrap_or_default();
        let open = self.life.transitions.iter().rfind(|transition| {
            transition.moment == id && transition.entity == *subject && transition.time <= self.instant
        });
        match (open, phase) {
            (Some(open), _) if open.opened => State::Open { since: At(open.time) },
            (_, ConditionPhase { since: Some(since), .. }) => {
                let opens = since.saturating_add(self.moment(id).for_ms.unsigned_abs());
                State::Holding { since: At(since), opens: At(opens) }
            }
            _ if self.life.env(subject, self.instant).is_none() => State::Gone,
            (_, ConditionPhase { ended, .. }) => State::Silent { ended: ended.map(At) },
        }
    }

    /// A moment in one line.
    pub(super) fn line(&self, id: MomentId, subject: &MomentSubject) -> Line {
        let state = self.state(id, subject);
        let told = match state {
            State::Open { since } => self.open_line(id, subject, since.0),
            State::Silent { .. } => {
                let rows = self.rows(subject);
                let env = Env { row: &rows.row, entity: &rows.entity, now: self.instant };
                let moment = self.moment(id);
                let clause = self.told(id).condition(moment.about, &moment.when, &env, true);
                self.joined(&fails(&clause, true))
            }
            _ => self.standing(id, subject, state),
        };
        Line { moment: self.moment(id).name.clone(), entity: self.entity(subject), state, told }
    }

    /// Alternatives.
    fn joined(&self, fails: &[String]) -> String {
        fails.join(&self.pick("; or ", " ; ou "))
    }

    fn open_line(&self, id: MomentId, subject: &MomentSubject, since: LogicalTime) -> String {
        let opened =
            self.pick(format!("open since {}", self.time(since)), format!("ouvert depuis le {}", self.time(since)));
        let key = EpisodeKey { moment: id, entity: subject.clone(), since };
        let judged = self.life.decisions.iter().rfind(|decision| {
            decision.episode.as_ref() == Some(&key)
                && decision.time <= self.instant
                && matches!(decision.what, What::Verdict(_))
        });
        let Some(Decision { what: What::Verdict(judgement), time, .. }) = judged else { return opened };
        let gates: Vec<&str> = judgement.gates.iter().map(|failed| failed.gate.name()).collect();
        let gates = if gates.is_empty() { String::new() } else { format!(" ({})", gates.join(", ")) };
        let told = self.verdict(id, judgement);
        self.pick(
            format!("{opened}; on {} {told}{gates}", self.time(*time)),
            format!("{opened} ; le {}, {told}{gates}", self.time(*time)),
        )
    }

    /// What a moment is about, where it is not the customer.
    pub(super) fn entity(&self, subject: &MomentSubject) -> Option<Entity> {
        let (kind, id) = subject.as_ref()?;
        Some(Entity { kind: self.plan.entities[kind.index()].name.clone(), id: id.to_string() })
    }

    /// How it stands, in a sentence.
    fn standing(&self, id: MomentId, subject: &MomentSubject, state: State) -> String {
        match state {
            State::Open { since } => {
                let since = self.time(since.0);
                self.pick(format!("It has been open since {since}."), format!("Ouvert depuis le {since}."))
            }
            State::Holding { since, opens } => {
                let length = self.teller.duration(self.moment(id).for_ms);
                let (since, opens) = (self.time(since.0), self.time(opens.0));
                self.pick(
                    format!("Its condition has held since {since} and has to hold for {length}: it opens on {opens}, if nothing changes."),
                    format!("Sa condition est vraie depuis le {since} et doit l'être pendant {length} : il s'ouvrira le {opens}, si rien ne change."),
                )
            }
            State::Silent { ended: Some(ended) } => {
                let ended = self.time(ended.0);
                self.pick(
                    format!("It is not open: its condition does not hold, and last stopped holding on {ended}."),
                    format!("Il n'est pas ouvert : sa condition n'est pas vraie ; elle a cessé de l'être le {ended}."),
                )
            }
            State::Silent { ended: None } => self.pick(
                "It is not open: its condition has never held.",
                "Il n'est pas ouvert : sa condition n'a jamais été vraie.",
            ),
            State::Gone => match self.entity(subject) {
                Some(Entity { kind, id }) => self.pick(
                    format!("The {kind} {id} is not the customer's at that time."),
                    format!("{kind} {id} n'appartient pas au client à ce moment-là."),
                ),
                None => {
                    self.pick("The customer is not there at that time.", "Le client n'est pas connu à ce moment-là.")
                }
            },
        }
    }

    /// The whole story, but for its records.
    pub(super) fn story(&self, id: MomentId, subject: &MomentSubject, trees: &mut Trees<'_>) -> Timeline {
        let moment = self.moment(id);
        let rows = self.rows(subject);
        let env = Env { row: &rows.row, entity: &rows.entity, now: self.instant };
        let told = self.told(id);
        let state = self.state(id, subject);
        let condition = told.condition(moment.about, &moment.when, &env, true);
        let gates = Gates { told: &told, moment, env: Some(env), decisions: &self.life.decisions };
        let episodes = self.episodes(id, subject, &gates);
        if let Some((kind, id)) = subject {
            trees.relates(*kind, id);
        }
        let features = trees.of(&moment.when, subject.as_ref());
        let (remedies, looked_at) = self.remedies(id, subject, &episodes, trees);
        let fails = if matches!(state, State::Silent { .. }) { fails(&condition, true) } else { Vec::new() };
        Timeline {
            moment: moment.name.clone(),
            version: moment.version.clone(),
            purpose: moment.purpose.name(),
            label: self.plan.text(&moment.label, Some(self.locale())).map(str::to_owned),
            benefit: self.plan.text(&moment.value.benefit, Some(self.locale())).unwrap_or_default().to_owned(),
            entity: self.entity(subject),
            told: self.standing(id, subject, state),
            state,
            belongs: Vec::new(),
            condition,
            fails,
            features,
            episodes,
            gates: looked_at,
            remedies,
        }
    }

    /// What was decided of the episodes of a moment.
    fn episodes(&self, id: MomentId, subject: &MomentSubject, gates: &Gates<'_>) -> Vec<Episode> {
        let mut episodes: Vec<(EpisodeKey, Episode)> = Vec::new();
        for transition in &self.life.transitions {
            if transition.moment != id || transition.entity != *subject {
                continue;
            }
            let key = transition.episode();
            if transition.opened {
                let id = id_of(self.plan, self.customer, &key);
                let opened = At(transition.time);
                episodes.push((key, Episode { id, opened, closed: None, events: Vec::new() }));
            } else if let Some((_, episode)) = episodes.iter_mut().find(|(known, _)| *known == key) {
                episode.closed = Some(At(transition.time));
            }
        }
        for decision in &self.life.decisions {
            let Some(key) = &decision.episode else { continue };
            if let Some((_, episode)) = episodes.iter_mut().find(|(known, _)| known == key) {
                episode.events.push(self.event(decision, gates));
            }
        }
        episodes.into_iter().map(|(_, episode)| episode).collect()
    }

    fn event(&self, decision: &Decision, gates: &Gates<'_>) -> Event {
        let (what, name, told, failed) = match &decision.what {
            What::Verdict(judgement) => {
                let failed = judgement
                    .gates
                    .iter()
                    .map(|failed| gates.tell(failed, decision.episode.as_ref(), decision.time))
                    .collect();
                let told = decision.episode.as_ref().map(|key| self.verdict(key.moment, judgement));
                ("verdict", judgement.verdict.name().to_owned(), told.unwrap_or_default(), failed)
            }
            What::Receipt(receipt) => ("receipt", receipt.kind.clone(), self.receipt(receipt), Vec::new()),
            What::Outcome(outcome) => {
                let name = if outcome.helped { "helped" } else { "did_not_help" };
                let told = self.outcome(outcome.helped, outcome.group, outcome.started);
                ("outcome", name.to_owned(), told, Vec::new())
            }
        };
        Event { time: At(decision.time), what, name, told, gates: failed }
    }

    fn verdict(&self, id: MomentId, judgement: &Judgement) -> String {
        let channel = judgement.channel.map_or(String::new(), |at| {
            let name = &self.plan.channels[usize::from(at)].name;
            self.pick(format!(" on {name}"), format!(" sur {name}"))
        });
        let until = match judgement.until {
            Some(until) => self.pick(format!(" until {}", self.time(until)), format!(" jusqu'au {}", self.time(until))),
            None => self.pick(", nobody knows until when", ", nul ne sait jusqu'à quand"),
        };
        match judgement.verdict {
            Verdict::Released => self.pick(format!("released{channel}"), format!("émis{channel}")),
            Verdict::HandedToHuman => {
                self.pick(format!("handed over to a person{channel}"), format!("confié à une personne{channel}"))
            }
            Verdict::Deferred => self.pick(format!("deferred{until}"), format!("reporté{until}")),
            Verdict::Suppressed => self.pick(format!("suppressed{until}"), format!("retenu{until}")),
            Verdict::Withdrawn => {
                let how = self.ending(judgement);
                let what = if judgement.released_at.is_some() {
                    self.pick(format!("taken back{channel}"), format!("repris{channel}"))
                } else {
                    self.pick("withdrawn before it was released", "retiré avant d'être émis")
                };
                self.pick(
                    format!("{what}: the condition stopped holding{how}"),
                    format!("{what} : la condition a cessé d'être vraie{how}"),
                )
            }
            Verdict::Expired => {
                let valid = self.moment(id).valid_for_ms.map(|ms| self.teller.duration(ms));
                let drops = self.moment(id).on_suppressed == plan::OnSuppressed::Drop;
                match valid.filter(|_| !drops) {
                    Some(valid) => {
                        self.pick(format!("expired: of use for {valid}"), format!("expiré : utile pendant {valid}"))
                    }
                    None => self.pick("expired: it is not waited for", "expiré : on ne l'attend pas"),
                }
            }
        }
    }

    /// How what is withdrawn ended, where more is known than that it did.
    fn ending(&self, judgement: &Judgement) -> String {
        let Some(ended) = &judgement.ended else { return String::new() };
        let name = |moment: &MomentId| self.plan.moments[moment.index()].name.clone();
        match ended.how {
            Ending::NoLongerSo => String::new(),
            Ending::Succeeded => self.pick(", it succeeded", ", avec succès"),
            Ending::Overtaken => {
                let by = self.teller.list(&ended.by.iter().map(name).collect::<Vec<_>>());
                self.pick(format!(", overtaken by {by}"), format!(", dépassé par {by}"))
            }
        }
    }

    fn locale(&self) -> &'static str {
        self.teller.language.code()
    }

    fn receipt(&self, receipt: &Receipt) -> String {
        let channel = receipt
            .channel
            .as_ref()
            .map_or(String::new(), |name| self.pick(format!(" on {name}"), format!(" sur {name}")));
        let at = self.time(receipt.at);
        self.pick(
            format!("receipt: {}{channel}, on {at}", receipt.kind),
            format!("accusé : {}{channel}, le {at}", receipt.kind),
        )
    }

    fn outcome(&self, helped: bool, group: Group, started: LogicalTime) -> String {
        let group = match group {
            Group::Treated => String::new(),
            Group::Holdout => self.pick(" (held out, nothing was sent)", " (groupe témoin, rien n'a été envoyé)"),
        };
        let started = self.time(started);
        if helped {
            self.pick(
                format!("it helped: success, watched since {started}{group}"),
                format!("utile : le succès, suivi depuis le {started}, est venu{group}"),
            )
        } else {
            self.pick(
                format!("it did not help: no success, watched since {started}{group}"),
                format!("sans effet : pas de succès, suivi depuis le {started}{group}"),
            )
        }
    }

    /// What would have to change for an episode that waits, and what its gates have looked at.
    fn remedies(
        &self,
        id: MomentId,
        subject: &MomentSubject,
        episodes: &[Episode],
        trees: &mut Trees<'_>,
    ) -> (Vec<String>, Vec<Feature>) {
        let moment = self.moment(id);
        let waiting = episodes.last().filter(|episode| episode.closed.is_none());
        let judged = waiting.and_then(|episode| Some((episode, episode.events.iter().rfind(|e| e.what == "verdict")?)));
        let Some((episode, event)) =
            judged.filter(|(_, event)| matches!(event.name.as_str(), "deferred" | "suppressed"))
        else {
            return (Vec::new(), Vec::new());
        };
        let colon = self.pick(":", " :");
        let mut remedies: Vec<String> =
            event.gates.iter().map(|Gate { gate, remedy, .. }| format!("{gate}{colon} {remedy}")).collect();
        if let Some(valid) = moment.valid_for_ms {
            let end = self.time(episode.opened.0.saturating_add(valid.unsigned_abs()));
            remedies.push(self.pick(format!("it expires on {end}"), format!("il expire le {end}")));
        }
        let mut looked_at = Vec::new();
        for gate in &event.gates {
            self.look_of(moment, gate, subject, trees, &mut looked_at);
        }
        (remedies, looked_at)
    }

    /// What a gate has looked at.
    fn look_of(
        &self,
        moment: &Moment,
        gate: &Gate,
        subject: &MomentSubject,
        trees: &mut Trees<'_>,
        features: &mut Vec<Feature>,
    ) {
        let policy = &self.plan.policy;
        match gate.gate {
            "refusal" => features.extend(policy.refusal.iter().flat_map(|expr| trees.of_customer(expr))),
            "consent" => {
                let why = gate.why.as_deref().unwrap_or_default();
                let purpose = policy.purposes[moment.purpose.index()].as_ref().filter(|_| why.contains("purpose"));
                let data = policy.data.iter().filter(|data| why.split(',').any(|name| name == data.name));
                for expr in purpose.into_iter().chain(data.map(|data| &data.allowed)) {
                    features.extend(trees.of_customer(expr));
                }
            }
            "evidence" => moment.enough.iter().for_each(|expr| features.extend(trees.of(expr, subject.as_ref()))),
            "mood" => match policy.mood.as_ref().map(|mood| &mood.source) {
                Some(MoodSource::Latest { slot, .. }) => features.push(trees.of_slot(*slot)),
                Some(MoodSource::Signals(sources)) => {
                    features.extend(sources.iter().filter_map(|source| trees.of_policy(source.slot)));
                }
                None => {}
            },
            "cooldown" | "pressure" => features.extend(policy.receipts.and_then(|slot| trees.of_policy(slot))),
            _ => {}
        }
    }
}
