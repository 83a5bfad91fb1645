//! Why, in words: the moment's template in the customer's language, or, without one, a sentence
//! that fits its purpose.
//!
//! Only what the moment shares is ever told. A template that names anything else, or something that
//! is withheld, is not used: then the sentence of the purpose stands in for it. Names of the pack
//! are for those who write it, and are never told to a customer.

use propice_define::Plan;
use propice_define::plan::{Evidence, Moment, Purpose, Reason, ReasonPart, said};
use propice_flow::policy::{Judgement, Shown};
use propice_model::Value;

use super::language::{Language, Teller, spoken};
use super::payload::Words;
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
    written(plan, moment, &moment.reason, judgement, (locale, zone))
        .unwrap_or_else(|| Words { text: stand_in(moment.purpose, own).to_owned(), language: own.code().to_owned() })
}

/// What is said where a moment has no words of its own: true of every moment of the purpose. What
/// is in it for the customer is said beside it.
fn stand_in(purpose: Purpose, language: Language) -> &'static str {
    match purpose {
        Purpose::Safety => language.pick(
            "Something needs your attention, for your own safety.",
            "Un point demande votre attention, pour votre sécurité.",
        ),
        Purpose::Assistance => language.pick(
            "Your situation has changed, and we may be able to help you.",
            "Votre situation a changé, et nous pouvons peut-être vous aider.",
        ),
        Purpose::Service => language.pick(
            "There is news about something that you have with us.",
            "Il y a du nouveau au sujet de ce que vous avez chez nous.",
        ),
        Purpose::Relationship => language.pick(
            "We are thinking of you and would like to stay in touch.",
            "Nous pensons à vous et aimerions garder le contact.",
        ),
        Purpose::Sales => language.pick(
            "We have a proposal that may be of use to you.",
            "Nous avons une proposition qui peut vous être utile.",
        ),
    }
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

/// With a capital and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
