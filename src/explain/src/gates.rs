//! Gates in plain words: what failed, until when, and what would have to change.

use super::answer::{self, At};
use super::render::{Rendered, fails};
use super::words;
use propice_define::expr::{Env, Expr};
use propice_define::plan::{Gate, Moment, Verdict};
use propice_flow::policy::{Decision, EpisodeKey, FailedGate, What};
use propice_model::LogicalTime;

/// Tells the gates of one moment.
pub(super) struct Gates<'a> {
    pub(super) told: &'a Rendered<'a>,
    pub(super) moment: &'a Moment,
    /// The customer and the entity as of the instant, for what would have to change.
    pub(super) env: Option<Env<'a>>,
    /// What was decided of the customer.
    pub(super) decisions: &'a [Decision],
}

/// What failed, and what would have to change.
type GateWords = (String, String);

impl Gates<'_> {
    /// A gate that failed, of an episode at a time.
    pub(super) fn tell(&self, failed: &FailedGate, key: Option<&EpisodeKey>, at: LogicalTime) -> answer::Gate {
        let why = failed.why.as_deref().unwrap_or_default();
        let (told, remedy) = match failed.gate {
            Gate::Refusal => self.refusal(),
            Gate::Consent => self.consent(why),
            Gate::Silence => self.silence(why, failed.until),
            Gate::Holdout => self.holdout(),
            Gate::Cooldown => self.cooldown(why, failed.until, &self.last_release(key, at)),
            Gate::Evidence => self.evidence(why),
            Gate::Mood => self.mood(failed.until),
            Gate::Quiet => self.quiet(failed.until),
            Gate::Pressure => self.pressure(why, failed.until, &self.last_release(None, at)),
            Gate::Arbitration => self.arbitration(why, failed.until),
        };
        let until = failed.until.map(At);
        answer::Gate { gate: failed.gate.name(), why: failed.why.clone(), until, told, remedy }
    }

    /// What was released last by a time, of the moment and entity of an episode, or of any: `
    /// (offer, 2 March 2026, 08:00)`.
    fn last_release(&self, key: Option<&EpisodeKey>, at: LogicalTime) -> String {
        let is_release = |decision: &&Decision| {
            let is_alike =
                |known: &EpisodeKey| key.is_none_or(|key| (known.moment, &known.entity) == (key.moment, &key.entity));
            decision.time <= at
                && decision.episode.as_ref().is_some_and(is_alike)
                && matches!(&decision.what, What::Verdict(judgement) if judgement.released_at == Some(decision.time)
                    && (key.is_some() || judgement.verdict == Verdict::Released))
        };
        let last = self.decisions.iter().rfind(is_release);
        let Some((decision, key)) = last.and_then(|decision| Some((decision, decision.episode.as_ref()?))) else {
            return String::new();
        };
        let name = &self.told.plan.moments[key.moment.index()].name;
        let at = self.time(decision.time);
        self.pick(format!(" (last release: {name}, {at})"), format!(" (dernière émission : {name}, {at})"))
    }

    fn pick(&self, english: impl Into<String>, french: impl Into<String>) -> String {
        self.told.teller.language.pick(english.into(), french.into())
    }

    fn time(&self, time: LogicalTime) -> String {
        self.told.teller.logical(time)
    }

    /// ` (free_cash is …; it would have to be …)`: why a condition over the customer is not as it
    /// should be.
    fn because(&self, condition: Option<&Expr>, wanted: bool) -> String {
        let (Some(condition), Some(env)) = (condition, self.env) else { return String::new() };
        let open = Rendered { evidence: &[], ..*self.told };
        let clause = open.condition(None, condition, &Env::of(env.row, env.now), wanted);
        let fails = fails(&clause, wanted);
        if fails.is_empty() { String::new() } else { format!(" ({})", fails.join("; ")) }
    }

    fn refusal(&self) -> GateWords {
        let because = self.because(self.told.plan.policy.refusal.as_ref(), false);
        let told = self.pick("the customer refuses personalised contact", "le client refuse tout contact personnalisé");
        let remedy = self.pick(
            format!("the customer would have to accept personalised contact{because}"),
            format!("il faudrait que le client accepte les contacts personnalisés{because}"),
        );
        (told, remedy)
    }

    fn consent(&self, why: &str) -> GateWords {
        let policy = &self.told.plan.policy;
        let purpose = self.moment.purpose.name();
        let (mut told, mut remedies) = (Vec::new(), Vec::new());
        for missing in why.split(',') {
            let (what, condition) = if missing == "purpose" {
                let what = self.pick(format!("contacts for {purpose}"), format!("aux contacts « {purpose} »"));
                (what, policy.purposes[self.moment.purpose.index()].as_ref())
            } else {
                let what = self.pick(format!("the use of {missing}"), format!("à l'utilisation de « {missing} »"));
                (what, policy.data.iter().find(|data| data.name == missing).map(|data| &data.allowed))
            };
            remedies.push(format!("{what}{}", self.because(condition, true)));
            told.push(what);
        }
        let (told, remedies) = (self.told.teller.list(&told), self.told.teller.list(&remedies));
        let told =
            self.pick(format!("the customer does not consent to {told}"), format!("le client ne consent pas {told}"));
        let remedy = self.pick(
            format!("the customer would have to consent to {remedies}"),
            format!("il faudrait que le client consente {remedies}"),
        );
        (told, remedy)
    }

    fn silence(&self, why: &str, until: Option<LogicalTime>) -> GateWords {
        let names: Vec<String> = why.split(',').map(str::to_owned).collect();
        let names = self.told.teller.list(&names);
        let told = self.pick(format!("{names} imposes silence"), format!("{names} impose le silence"));
        let remedy = match until {
            Some(until) => self.pick(
                format!("the silence ends by itself on {}", self.time(until)),
                format!("le silence prend fin de lui-même le {}", self.time(until)),
            ),
            None => self.pick(format!("{names} would have to be over"), format!("il faudrait que {names} prenne fin")),
        };
        (told, remedy)
    }

    fn holdout(&self) -> GateWords {
        let share = self.told.teller.number(&format!("{}", self.moment.holdout.unwrap_or_default() * 100.0));
        let told = self.pick(
            format!("the customer is in the control group of this moment ({share}% of the customers)"),
            format!("le client est dans le groupe témoin de ce moment ({share} % des clients)"),
        );
        let remedy = self.pick(
            "nothing can: the control group stays the same for ever",
            "rien ne le peut : le groupe témoin reste toujours le même",
        );
        (told, remedy)
    }

    fn cooldown(&self, why: &str, until: Option<LogicalTime>, last: &str) -> GateWords {
        let length = self.moment.cooldown_ms.map(|ms| self.told.teller.duration(ms)).unwrap_or_default();
        let parts: Vec<String> = (why.split(','))
            .map(|part| match part {
                "rest" => {
                    self.pick("what the customer answered makes it rest", "les réponses du client le mettent au repos")
                }
                "snoozed" => {
                    self.pick("the customer asked for it later", "le client a demandé à le recevoir plus tard")
                }
                _ => self.pick(
                    format!("it was released less than {length} ago{last}"),
                    format!("il a été émis il y a moins de {length}{last}"),
                ),
            })
            .collect();
        (self.told.teller.list(&parts), self.only_time(until))
    }

    /// What waits for nothing but a time.
    fn only_time(&self, until: Option<LogicalTime>) -> String {
        match until {
            Some(until) => self.pick(
                format!("it passes by itself on {}", self.time(until)),
                format!("cela passe de soi-même le {}", self.time(until)),
            ),
            None => self.pick("nobody knows when it passes", "nul ne sait quand cela passe"),
        }
    }

    fn evidence(&self, why: &str) -> GateWords {
        let told = self.pick(
            format!("too little is known, or it is too old; not so: {why}"),
            format!("on en sait trop peu, ou c'est trop ancien ; pas vrai : {why}"),
        );
        let mut fail = Vec::new();
        if let Some(env) = self.env {
            for condition in &self.moment.enough {
                fail.extend(fails(&self.told.condition(self.moment.about, condition, &env, true), true));
            }
        }
        let fail = if fail.is_empty() { why.to_owned() } else { fail.join("; ") };
        (
            told,
            self.pick(
                format!("the evidence would have to be enough: {fail}"),
                format!("il faudrait en savoir assez : {fail}"),
            ),
        )
    }

    fn mood(&self, until: Option<LogicalTime>) -> GateWords {
        let told = self.pick("the customer's recent mood is negative", "l'humeur récente du client est négative");
        let remedy = match until {
            Some(until) => self.pick(
                format!("the mood passes at about {}, if nothing else is heard", self.time(until)),
                format!("l'humeur passe vers le {}, si rien d'autre n'est entendu", self.time(until)),
            ),
            None => self.pick("another mood would have to be heard", "il faudrait entendre une autre humeur"),
        };
        (told, remedy)
    }

    fn quiet(&self, until: Option<LogicalTime>) -> GateWords {
        let channels = self.channels();
        let told = self.pick(format!("it is quiet time{channels}"), format!("c'est une heure de silence{channels}"));
        let remedy = match until {
            Some(until) => self.pick(
                format!("quiet time ends by itself on {}", self.time(until)),
                format!("le silence prend fin de lui-même le {}", self.time(until)),
            ),
            None => self.only_time(None),
        };
        (told, remedy)
    }

    fn channels(&self) -> String {
        let names = self.moment.channels.iter().map(|at| self.told.plan.channels[*at].name.clone());
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            return String::new();
        }
        let names = self.told.teller.list(&names);
        self.pick(format!(" on {names}"), format!(" sur {names}"))
    }

    fn pressure(&self, why: &str, until: Option<LogicalTime>, last: &str) -> GateWords {
        let budgets = &self.told.plan.policy.pressure;
        let numbers = why.split(',').filter_map(|number| number.parse::<usize>().ok()?.checked_sub(1));
        let named: Vec<String> = numbers
            .filter_map(|at| budgets.get(at))
            .map(|budget| words::budget(self.told.teller, self.told.plan, budget))
            .collect();
        let named = self.told.teller.list(&named);
        let told = self
            .pick(format!("the budget of {named} is used up{last}"), format!("le budget de {named} est épuisé{last}"));
        let remedy = match until {
            Some(until) => self.pick(
                format!("the budget of {named} frees a slot on {}", self.time(until)),
                format!("le budget de {named} libère une place le {}", self.time(until)),
            ),
            None => self.pick("the budget would have to be greater", "il faudrait un budget plus grand"),
        };
        (told, remedy)
    }

    fn arbitration(&self, why: &str, until: Option<LogicalTime>) -> GateWords {
        let window = self.told.teller.duration(self.told.plan.policy.arbitration.window_ms);
        let told = self.pick(
            format!("{why} went first, and there is one release in {window}"),
            format!("{why} est passé avant, et il n'y a qu'une émission par {window}"),
        );
        (told, self.only_time(until))
    }
}
