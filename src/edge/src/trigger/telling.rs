//! What things are called in front of whoever runs a pack: in the language of the pack, by its
//! labels, in its zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use propice_define::Plan;
use propice_define::plan::{Ending, Evidence, Gate, Purpose, Verdict};
use propice_model::time::format_time;
use propice_model::{KindId, LogicalTime, MomentId, Type, Value};

use super::build::DEFAULT_CHANNEL;
use super::ended::slot_label;
use super::language::{Language, Teller, spoken, zone_of};

/// Names things in the language of a pack, and times in its zone.
pub struct Telling<'p> {
    /// The pack.
    pub plan: &'p Plan,
    /// Tells values.
    pub teller: Teller,
    zone: TimeZone,
}

impl<'p> Telling<'p> {
    /// For a pack.
    pub fn of(plan: &'p Plan) -> Telling<'p> {
        let (_, zone) = zone_of(plan, None);
        Telling { plan, teller: Teller::new(spoken(plan, None), zone.clone()), zone }
    }

    /// What is said in the language of the pack.
    pub fn pick<T>(&self, english: T, french: T) -> T {
        self.language().pick(english, french)
    }

    /// The language of the pack.
    pub fn language(&self) -> Language {
        self.teller.language
    }

    /// `:` or ` :`
    pub fn colon(&self) -> &'static str {
        self.pick(":", "\u{a0}:")
    }

    /// What a run shows first: the pack, and the zone of its times.
    pub fn title(&self) -> String {
        let Plan { name, version, timezone, .. } = self.plan;
        self.pick(
            format!("{name}, version {version}; times of {timezone}"),
            format!("{name}, version {version} ; heures de {timezone}"),
        )
    }

    /// A time on the wall clock of the zone, `2026-03-02 10:00:00`; with its milliseconds where
    /// there are any.
    pub fn time(&self, time: LogicalTime) -> String {
        self.instant(i64::try_from(time).unwrap_or(i64::MAX))
    }

    fn instant(&self, time_ms: i64) -> String {
        let Ok(timestamp) = Timestamp::from_millisecond(time_ms) else { return format_time(time_ms) };
        let at = timestamp.to_zoned(self.zone.clone());
        let second = format!("{} {:02}:{:02}:{:02}", at.date(), at.hour(), at.minute(), at.second());
        match at.millisecond() {
            0 => second,
            ms => format!("{second}.{ms:03}"),
        }
    }

    /// A moment.
    pub fn moment(&self, moment: MomentId) -> &'p str {
        let moment = &self.plan.moments[moment.index()];
        self.plan.text(&moment.label, None).unwrap_or(&moment.name)
    }

    /// The moments of these names, joined by `,`.
    pub fn moments(&self, names: &str) -> String {
        let named = |name: &str| {
            let moment = self.plan.moments.iter().find(|moment| moment.name == name);
            moment.and_then(|moment| self.plan.text(&moment.label, None)).unwrap_or(name).to_owned()
        };
        names.split(',').map(named).collect::<Vec<_>>().join(", ")
    }

    /// A channel.
    pub fn channel(&self, channel: Option<u16>) -> &'p str {
        let Some(channel) = channel else { return self.pick(DEFAULT_CHANNEL, "défaut") };
        let channel = &self.plan.channels[usize::from(channel)];
        self.plan.text(&channel.label, None).unwrap_or(&channel.name)
    }

    /// A kind of entity.
    pub fn kind(&self, kind: KindId) -> &'p str {
        let entity = &self.plan.entities[kind.index()];
        match self.plan.text(&entity.label, None) {
            Some(label) => label,
            None if kind == KindId::CUSTOMER => self.pick("customer", "client"),
            None => &entity.name,
        }
    }

    /// What a moment uses, or its name as the moment spells it.
    pub fn used<'a>(&'a self, moment: MomentId, used: &'a Evidence) -> &'a str {
        slot_label(self.plan, &self.plan.moments[moment.index()], used, None).unwrap_or(&used.name)
    }

    /// A slot of a kind of entity.
    pub fn slot(&self, kind: KindId, slot: usize) -> &'p str {
        let entity = &self.plan.entities[kind.index()];
        let (name, _) = entity.slot(slot);
        entity.labels.get(name).and_then(|label| self.plan.text(label, None)).unwrap_or(name)
    }

    /// A value, with nothing left out that it is worth looking at it for.
    pub fn value(&self, value: &Value, ty: &Type) -> String {
        match value {
            Value::Time(time_ms) => self.instant(*time_ms),
            Value::Float(number) => self.teller.number(&plain(number.get())),
            Value::List(values) => {
                let of = if let Type::List(of) = ty { of } else { ty };
                self.teller.list(&values.iter().map(|value| self.value(value, of)).collect::<Vec<_>>())
            }
            value => self.teller.value(value, ty),
        }
    }

    /// A verdict.
    pub fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Released => self.pick("released", "émis"),
            Verdict::HandedToHuman => self.pick("to a person", "à une personne"),
            Verdict::Deferred => self.pick("deferred", "reporté"),
            Verdict::Suppressed => self.pick("suppressed", "retenu"),
            Verdict::Withdrawn => self.pick("withdrawn", "retiré"),
            Verdict::Expired => self.pick("expired", "expiré"),
        }
    }

    /// How what is withdrawn ended.
    pub fn ending(&self, ending: Ending) -> &'static str {
        match ending {
            Ending::Succeeded => self.pick("succeeded", "réussi"),
            Ending::NoLongerSo => self.pick("no longer so", "plus d'actualité"),
            Ending::Overtaken => self.pick("overtaken", "dépassé"),
        }
    }

    /// A gate.
    pub fn gate(&self, gate: Gate) -> &'static str {
        gate.word(self.language())
    }

    /// A purpose.
    pub fn purpose(&self, purpose: Purpose) -> &'static str {
        purpose.word(self.language())
    }

    /// Why a gate failed: moments by their labels, everything else as it is.
    pub fn why(&self, gate: Gate, why: &str) -> String {
        match gate {
            Gate::Silence | Gate::Arbitration => self.moments(why),
            Gate::Cooldown | Gate::Mood | Gate::Consent => {
                why.split(',').map(|word| self.ground(word)).collect::<Vec<_>>().join(", ")
            }
            _ => why.to_owned(),
        }
    }

    fn ground<'a>(&self, word: &'a str) -> &'a str {
        let french = match word {
            "released" => "déjà émis",
            "rest" => "repos",
            "snoozed" => "remis à plus tard",
            "negative" => "négative",
            "purpose" => "finalité",
            other => other,
        };
        self.pick(word, french)
    }
}

/// A float as people write it, with at most six decimals that matter.
fn plain(number: f64) -> String {
    const DIGITS: i32 = 6;
    if number == 0.0 || !number.is_finite() {
        return if number.is_finite() { "0".to_owned() } else { number.to_string() };
    }
    let magnitude = number.abs().log10().floor() as i32;
    let decimals = usize::try_from(DIGITS - 1 - magnitude).unwrap_or(0).min(12);
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn floats_keep_what_matters() {
        let shown: Vec<String> = [0.1 + 0.2, 1_234_567.891, -0.000_123_456_78, 0.0, 2.5, 100.0].map(plain).to_vec();
        assert_eq!(shown, ["0.3", "1234568", "-0.000123457", "0", "2.5", "100"]);
    }
}
