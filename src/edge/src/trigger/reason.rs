//! Why, in words: the moment's template in the customer's language, or, without one, what the condition looks at with its values.
//!
//! Only what the moment shares is ever told. A template that names anything else, or something that is withheld, is not used: then the rest is told.

use propice_define::Plan;
use propice_define::plan::{Evidence, Moment, Reason, ReasonPart, said};
use propice_flow::policy::{Judgement, Shown};
use propice_model::Value;

use super::language::{Language, Teller, spoken};
use super::payload::Words;
use super::thresholds::threshold;
use jiff::tz::TimeZone;

/// The language of a text of which nobody said it.
pub(super) const UNDETERMINED: &str = "und";

/// Why a trigger is published.
pub(super) fn reason(
    plan: &Plan,
    moment: &Moment,
    judgement: &Judgement,
    locale: Option<&str>,
    zone: &TimeZone,
) -> Words {
    let own = spoken(plan, locale);
    written(plan, moment, &moment.reason, judgement, (locale, zone)).unwrap_or_else(|| {
        let teller = Teller::new(own, zone.clone());
        Words { text: told(moment, judgement, &teller), language: own.code().to_owned() }
    })
}

/// Words of the pack with their values; `None` when there are none, or a value is withheld.
pub(super) fn written(
    plan: &Plan,
    moment: &Moment,
    words: &Reason,
    judgement: &Judgement,
    (locale, zone): (Option<&str>, &TimeZone),
) -> Option<Words> {
    let (language, parts) = said(words, locale, plan.language.as_deref())?;
    let code = language.unwrap_or(UNDETERMINED);
    let values_in = match language {
        Some(language) => Language::of_locale(language).unwrap_or_default(),
        None => spoken(plan, locale),
    };
    let teller = Teller::new(values_in, zone.clone());
    let text = filled(moment, parts, judgement, &teller)?;
    Some(Words { text, language: code.to_owned() })
}

fn filled(moment: &Moment, parts: &[ReasonPart], judgement: &Judgement, teller: &Teller) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            ReasonPart::Text(part) => text.push_str(part),
            ReasonPart::Slot(slot) => text.push_str(&teller.value(shared(moment, judgement, slot)?, &slot.ty)),
        }
    }
    Some(text)
}

/// The value of a slot, when it is shared and not withheld.
fn shared<'a>(moment: &Moment, judgement: &'a Judgement, slot: &Evidence) -> Option<&'a Value> {
    let mut shared = moment.shares.iter().zip(&judgement.shared);
    let (_, shown) = shared.find(|(known, _)| (known.scope, known.slot) == (slot.scope, slot.slot))?;
    match shown {
        Shown::Value(value) => Some(value),
        Shown::Withheld(_) => None,
    }
}

/// What the moment shares, one after the other.
fn told(moment: &Moment, judgement: &Judgement, teller: &Teller) -> String {
    let is = teller.language.pick("is", "est");
    let mut parts = Vec::new();
    for (evidence, shown) in moment.shares.iter().zip(&judgement.shared) {
        let Shown::Value(value) = shown else { continue };
        let value = teller.value(value, &evidence.ty);
        // That a value is what it has to be equal to says nothing more.
        let compared = threshold(moment.when.source(), &evidence.name).filter(|(operator, _)| *operator != "==");
        let compared = compared.map(|(operator, literal)| format!(" ({})", teller.comparison(operator, literal)));
        parts.push(format!("{} {is} {value}{}", plain(&evidence.name), compared.unwrap_or_default()));
    }
    let name = plain(&moment.name);
    if parts.is_empty() {
        let colon = teller.language.pick(":", "\u{a0}:");
        return sentence(&format!("{name}{colon} {}", teller.language.pick("it is so now", "c'est le cas maintenant")));
    }
    sentence(&teller.list(&parts))
}

/// A name as people read it.
fn plain(name: &str) -> String {
    name.replace(['_', '.'], " ")
}

/// With a capital and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
