//! What became of what is withdrawn, in words: those of the moment, or a sentence without any name
//! that is not for people.

use jiff::tz::TimeZone;
use propice_define::Plan;
use propice_define::plan::{Ending, Evidence, Moment};
use propice_flow::policy::{Ended, Judgement};
use propice_model::KindId;

use super::language::{Language, Teller, spoken};
use super::payload::Words;
use super::reason::{sentence, written};

/// Tells how an episode ended.
pub struct Speech<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Of which moment.
    pub moment: &'a Moment,
    /// Its last verdict.
    pub judgement: &'a Judgement,
    /// Of whoever is told.
    pub locale: Option<&'a str>,
    /// The zone of times.
    pub zone: &'a TimeZone,
}

impl Speech<'_> {
    /// How it ended: in the words of the moment, or in words for any.
    pub fn ended(&self, ended: &Ended) -> Words {
        let words = self.moment.ended.of(ended.how);
        let own = written(self.plan, self.moment, words, self.judgement, (self.locale, self.zone));
        own.unwrap_or_else(|| {
            let language = spoken(self.plan, self.locale);
            Words { text: self.stand_in(ended, language), language: language.code().to_owned() }
        })
    }

    fn stand_in(&self, ended: &Ended, language: Language) -> String {
        let colon = language.pick(": ", "\u{a0}: ");
        let about = self.plan.text(&self.moment.label, self.locale);
        let others = ended.by.iter().map(|moment| &self.plan.moments[moment.index()].label);
        let others: Option<Vec<String>> =
            others.map(|label| self.plan.text(label, self.locale).map(str::to_owned)).collect();
        let others = others.filter(|others| !others.is_empty());
        let told = match (ended.how, others) {
            (Ending::Succeeded, _) => language.pick("this has been settled", "c'est réglé").to_owned(),
            (Ending::NoLongerSo, _) => language.pick("this is no longer the case", "ce n'est plus le cas").to_owned(),
            (Ending::Overtaken, None) => {
                language.pick("something else comes first now", "autre chose passe désormais avant").to_owned()
            }
            (Ending::Overtaken, Some(others)) => {
                let come = match others.as_slice() {
                    [_] => language.pick("comes first now", "passe désormais avant"),
                    _ => language.pick("come first now", "passent désormais avant"),
                };
                format!("{} {come}", Teller::new(language, self.zone.clone()).list(&others))
            }
        };
        match about {
            Some(about) => sentence(&format!("{about}{colon}{told}")),
            None => sentence(&told),
        }
    }
}

/// What people call a slot that a moment uses, where the pack says so.
pub fn slot_label<'a>(plan: &'a Plan, moment: &Moment, used: &Evidence, locale: Option<&str>) -> Option<&'a str> {
    let kind = if used.scope == 0 { KindId::CUSTOMER } else { moment.about? };
    let entity = &plan.entities[kind.index()];
    plan.text(entity.labels.get(entity.slot(usize::from(used.slot)).0)?, locale)
}
