//! From a decision to a trigger.

use propice_define::Plan;
use propice_define::plan::{Interval, Moment, Verdict, said};
use propice_flow::policy::{self, Decision, EpisodeKey, Judgement, Shown};
use propice_model::LogicalTime;
use propice_model::time::format_duration;

use super::ended::{Speech, slot_label};
use super::event::{self, CLASSIFICATION, DATA_CONTENT_TYPE, DATA_SCHEMA, SPEC_VERSION, Trigger};
use super::language::{Language, spoken, zone_of};
use super::payload::{
    Consent, DataConsent, Ended, Entity, Evidence, FailedGate, Instant, Json, Mood, Overtaking, PartyType, Payload,
    Published, Rank, Routing, Success, Times, Treatment, Validity, ValueStatement, Words,
};
use super::reason::{UNDETERMINED, reason};

/// Where triggers of moments without channels go.
pub const DEFAULT_CHANNEL: &str = "default";

/// The name of a channel of a decision.
pub fn channel_name(plan: &Plan, channel: Option<u16>) -> &str {
    channel.map_or(DEFAULT_CHANNEL, |channel| plan.channels[usize::from(channel)].name.as_str())
}

/// Whether a decision is published.
pub(crate) fn is_published(decision: &Decision) -> bool {
    published(decision).is_some()
}

/// The trigger of a decision that is published: of the episode of that id, at a position among what
/// is published of the same customer at the same time.
pub(crate) fn trigger(plan: &Plan, decision: &Decision, episode_id: &str, position: u32) -> Option<Trigger> {
    let (verdict, episode, judgement) = published(decision)?;
    Some(Verdicted { plan, decision, verdict, episode, judgement }.trigger(episode_id, position))
}

/// What of a decision is published, if anything is.
fn published(decision: &Decision) -> Option<(Published, &EpisodeKey, &Judgement)> {
    let (episode, judgement) = (decision.episode.as_ref()?, decision.judgement()?);
    let verdict = match judgement.verdict {
        Verdict::Released => Published::Released,
        Verdict::HandedToHuman => Published::HandedToHuman,
        Verdict::Withdrawn if judgement.released_at.is_some() => Published::Withdrawn,
        Verdict::Withdrawn | Verdict::Deferred | Verdict::Suppressed | Verdict::Expired => return None,
    };
    Some((verdict, episode, judgement))
}

/// A verdict that is published, with all that is said of it.
struct Verdicted<'a> {
    plan: &'a Plan,
    decision: &'a Decision,
    verdict: Published,
    episode: &'a EpisodeKey,
    judgement: &'a Judgement,
}

impl Verdicted<'_> {
    fn trigger(&self, id: &str, position: u32) -> Trigger {
        let customer = event::attribute(&self.decision.customer.to_string());
        let time = self.decision.time;
        let cause = if self.verdict == Published::Withdrawn { "closed" } else { "opened" };
        let data = self.payload(id);
        Trigger {
            specversion: SPEC_VERSION.to_owned(),
            id: format!("{id}-{}", self.verdict.name()),
            source: event::source(&self.plan.name),
            ty: self.verdict.into(),
            subject: customer.clone(),
            time: Instant::at(time),
            datacontenttype: DATA_CONTENT_TYPE.to_owned(),
            dataschema: DATA_SCHEMA.to_owned(),
            partitionkey: customer,
            sequence: format!("{time:015}-{position:06}"),
            expirytime: data.validity.expires_at,
            correlationid: id.to_owned(),
            causationid: format!("{id}-{cause}"),
            recordedtime: Instant::at(time),
            dataclassification: CLASSIFICATION.to_owned(),
            traceparent: None,
            data,
        }
    }

    fn moment(&self) -> &Moment {
        &self.plan.moments[self.episode.moment.index()]
    }

    fn payload(&self, id: &str) -> Payload {
        let Verdicted { plan, judgement, verdict, .. } = self;
        let moment = self.moment();
        let (time_zone, zone) = zone_of(plan, judgement.zone.as_deref());
        let mood = if judgement.mood_is_negative { Mood::Negative } else { Mood::Calm };
        let locale = judgement.locale.as_deref();
        Payload {
            customer: self.decision.customer.to_string(),
            party_type: PartyType::Customer,
            entity: self.entity(),
            moment: moment.name.clone(),
            label: self.label(locale),
            version: moment.version.clone(),
            episode: id.to_owned(),
            purpose: moment.purpose,
            value: self.value(locale),
            effort: moment.effort,
            verdict: *verdict,
            gates: self.gates(),
            rank: Rank { purpose_class: moment.purpose.index() as u8 + 1, priority: judgement.priority.get() },
            holdout: moment.holdout.map(|_| Treatment::Treated),
            mood,
            evidence: self.evidence(),
            reason: match &judgement.ended {
                Some(ended) => Speech { plan, moment, judgement, locale, zone: &zone }.ended(ended),
                None => reason(plan, moment, judgement, locale, &zone),
            },
            ended: judgement.ended.as_ref().map(|ended| self.ended(ended, locale)),
            tone: moment.tone.clone().unwrap_or_else(|| tone(moment, mood, spoken(plan, locale)).to_owned()),
            validity: self.validity(),
            routing: self.routing(time_zone),
            consent: self.consent(),
            times: self.times(),
            success: moment.success.as_ref().map(|success| Success {
                condition: success.source().to_owned(),
                within: format_duration(moment.success_within_ms),
            }),
        }
    }

    /// In the customer's language, with it where the pack says which it is.
    fn value(&self, locale: Option<&str>) -> ValueStatement {
        let value = &self.moment().value;
        let (language, benefit) = said(&value.benefit, locale, self.plan.language.as_deref()).unzip();
        ValueStatement {
            kind: value.kind,
            benefit: benefit.cloned().unwrap_or_default(),
            language: language.flatten().map(str::to_owned),
        }
    }

    fn label(&self, locale: Option<&str>) -> Option<Words> {
        let (language, text) = said(&self.moment().label, locale, self.plan.language.as_deref())?;
        Some(Words { text: text.clone(), language: language.unwrap_or(UNDETERMINED).to_owned() })
    }

    fn ended(&self, ended: &policy::Ended, locale: Option<&str>) -> Ended {
        let by = ended.by.iter().map(|moment| &self.plan.moments[moment.index()]);
        let by = by.map(|moment| Overtaking {
            moment: moment.name.clone(),
            label: self.plan.text(&moment.label, locale).map(str::to_owned),
        });
        Ended { how: ended.how, by: by.collect() }
    }

    fn entity(&self) -> Option<Entity> {
        let (kind, id) = self.episode.entity.as_ref()?;
        let entity = &self.plan.entities[kind.index()];
        let label = self.plan.text(&entity.label, self.judgement.locale.as_deref()).map(str::to_owned);
        Some(Entity { kind: entity.name.clone(), id: id.to_string(), label })
    }

    fn gates(&self) -> Vec<FailedGate> {
        let gates = self.judgement.gates.iter();
        gates
            .map(|failed| FailedGate {
                gate: failed.gate,
                why: failed.why.clone(),
                until: failed.until.map(Instant::at),
            })
            .collect()
    }

    /// What the moment shares, and nothing else.
    fn evidence(&self) -> Vec<Evidence> {
        let moment = self.moment();
        let of = |(evidence, shown): (&propice_define::plan::Evidence, &Shown)| {
            let (value, withheld) = match shown {
                Shown::Value(value) => (Some(Json::of(value, &evidence.ty)), None),
                Shown::Withheld(kind) => (None, Some(self.plan.policy.data[usize::from(*kind)].name.clone())),
            };
            let compared = moment.when.threshold(evidence.reference());
            Evidence {
                name: evidence.name.clone(),
                label: slot_label(self.plan, moment, evidence, self.judgement.locale.as_deref()).map(str::to_owned),
                ty: evidence.ty.to_string(),
                value,
                withheld,
                window: self.window(evidence),
                threshold: compared.map(|compared| format!("{} {}", compared.operator, compared.literal)),
            }
        };
        moment.shares.iter().zip(&self.judgement.shared).map(of).collect()
    }

    /// How far back a feature looks.
    fn window(&self, evidence: &propice_define::plan::Evidence) -> Option<String> {
        let kind = if evidence.scope == 0 { 0 } else { self.moment().about?.index() };
        let feature = self.plan.entities[kind].features.get(usize::from(evidence.slot))?;
        match &feature.interval {
            Interval::Window { length_ms, .. } => Some(format_duration(*length_ms)),
            Interval::Always | Interval::During { .. } => None,
        }
    }

    /// What is handed over when its time is over has no end: a queue would drop it.
    fn validity(&self) -> Validity {
        let moment = self.moment();
        let length = moment.valid_for_ms.and_then(|length| u64::try_from(length).ok());
        let expires = length.map(|length| self.episode.since.saturating_add(length));
        let lasts = |expires: &LogicalTime| *expires > self.decision.time && self.verdict != Published::Withdrawn;
        Validity {
            not_before: Instant::at(self.decision.time),
            expires_at: expires.filter(lasts).map(Instant::at),
            on_expiry: moment.on_expiry,
        }
    }

    fn routing(&self, time_zone: String) -> Routing {
        let channels = &self.plan.channels;
        let chosen = self.judgement.channel.map(|channel| &channels[usize::from(channel)]);
        Routing {
            channel: chosen.map(|channel| channel.name.clone()),
            human: chosen.is_some_and(|channel| channel.human),
            channels: self.moment().channels.iter().map(|channel| channels[*channel].name.clone()).collect(),
            locale: self.judgement.locale.clone(),
            time_zone,
        }
    }

    /// What is withdrawn rests on none: it takes back.
    fn consent(&self) -> Option<Consent> {
        let policy = &self.plan.policy;
        let moment = self.moment();
        let purpose = policy.purposes[moment.purpose.index()].as_ref().map(|allowed| allowed.source().to_owned());
        let data: Vec<DataConsent> = (policy.kinds(moment.data))
            .map(|data| DataConsent { kind: data.name.clone(), condition: data.allowed.source().to_owned() })
            .collect();
        let declared = purpose.is_some() || !data.is_empty();
        (declared && self.verdict != Published::Withdrawn).then_some(Consent { purpose, data })
    }

    fn times(&self) -> Times {
        let (event, decided) = (self.episode.since, self.decision.time);
        let released = self.judgement.released_at.filter(|_| self.verdict == Published::Withdrawn);
        Times {
            event: Instant::at(event),
            event_ms: event,
            decided: Instant::at(decided),
            decided_ms: decided,
            released_at: released.map(Instant::at),
        }
    }
}

/// How to speak, by purpose and mood, in the customer's language.
fn tone(moment: &Moment, mood: Mood, language: Language) -> &'static str {
    use propice_define::plan::Purpose;
    match (mood, moment.purpose) {
        (Mood::Negative, Purpose::Safety) => language
            .pick("calm and clear: what happened, what to do now", "calme et clair : ce qui s'est passé, que faire"),
        (Mood::Negative, _) => language.pick("listen first; no offer, no hurry", "écouter d'abord ; ni offre, ni hâte"),
        (Mood::Calm, Purpose::Safety) => language.pick("clear and immediate", "clair et immédiat"),
        (Mood::Calm, Purpose::Assistance) => language.pick("helpful and concrete", "utile et concret"),
        (Mood::Calm, Purpose::Service) => language.pick("factual and short", "factuel et bref"),
        (Mood::Calm, Purpose::Relationship) => language.pick("warm and personal", "chaleureux et personnel"),
        (Mood::Calm, Purpose::Sales) => language.pick("informative, without pressure", "informatif, sans pression"),
    }
}
