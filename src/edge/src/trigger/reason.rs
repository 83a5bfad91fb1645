//! Why, in words: the moment's template in the customer's language, or, without one, a sentence that fits its purpose.
//!
//! Only what the moment shares is ever told. A template that names anything else, or something that is withheld, is not used: then the sentence of the
//! purpose stands in for it. Names of the pack are for those who write it, and are never told to a customer.

use propice_define::plan::{Evidence, Moment, Purpose, ReasonPart};
use propice_flow::policy::{Judgement, Shown};
use propice_model::Value;

use super::language::{Language, Teller, primary};
use super::payload::{Published, Words};
use jiff::tz::TimeZone;

/// The language of a text of which nobody said it.
const UNDETERMINED: &str = "und";

/// Why a trigger is published.
pub(super) fn reason(
    moment: &Moment,
    verdict: Published,
    judgement: &Judgement,
    locale: Option<&str>,
    zone: &TimeZone,
) -> Words {
    let template = template(moment, locale);
    // Who has no language of their own, or one that is not spoken here, is spoken to in that of the template.
    let of_template = template.and_then(|(language, _)| Language::of_locale(language));
    let spoken = locale.and_then(Language::of_locale).or(of_template).unwrap_or_default();
    let teller = Teller::new(spoken, zone.clone());
    if verdict == Published::Withdrawn {
        let text = told(moment, judgement, &teller);
        return Words { text, language: spoken.code().to_owned() };
    }
    if let Some((language, parts)) = template {
        let code = if language.is_empty() { UNDETERMINED } else { language };
        let spoken = if language.is_empty() { spoken } else { Language::of_locale(language).unwrap_or_default() };
        let teller = Teller::new(spoken, zone.clone());
        if let Some(text) = filled(moment, parts, judgement, &teller) {
            return Words { text, language: code.to_owned() };
        }
    }
    Words { text: stand_in(moment.purpose, spoken).to_owned(), language: spoken.code().to_owned() }
}

/// What is said where a moment has no words of its own: true of every moment of the purpose. What is in it for the customer is said beside it.
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

/// The template for a locale: in its language, or of any language, or in English, or what there is.
fn template<'a>(moment: &'a Moment, locale: Option<&str>) -> Option<(&'a str, &'a [ReasonPart])> {
    let wanted = locale.map(primary);
    let named = |language: &str| moment.reason.get_key_value(language);
    let chosen = wanted.as_deref().filter(|wanted| !wanted.is_empty()).and_then(named);
    let chosen = chosen.or_else(|| named("")).or_else(|| named("en")).or_else(|| moment.reason.iter().next());
    chosen.map(|(language, parts)| (language.as_str(), parts.as_slice()))
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

/// That it is no longer so, with what the moment shares, one after the other.
fn told(moment: &Moment, judgement: &Judgement, teller: &Teller) -> String {
    let is = teller.language.pick("is", "est");
    let mut parts = Vec::new();
    for (evidence, shown) in moment.shares.iter().zip(&judgement.shared) {
        let Shown::Value(value) = shown else { continue };
        let value = teller.value(value, &evidence.ty);
        parts.push(format!("{} {is} {value}", plain(&evidence.name)));
    }
    let name = plain(&moment.name);
    let holds = teller.language.pick("no longer so", "ce n'est plus le cas");
    let colon = teller.language.pick(":", "\u{a0}:");
    let values = teller.list(&parts);
    let said = if parts.is_empty() { format!("{name}{colon} {holds}") } else { format!("{holds}{colon} {values}") };
    sentence(&said)
}

/// A name as people read it.
fn plain(name: &str) -> String {
    name.replace(['_', '.'], " ")
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
