//! Why, in words: the moment's template in the customer's language, or, without one, what the condition looks at with its values.
//!
//! Only what the moment shares is ever told. A template that names anything else, or something that is withheld, is not used: then the rest is told.

use propice_define::plan::{Evidence, Moment, ReasonPart};
use propice_flow::policy::{Judgement, Shown};
use propice_model::Value;

use super::language::{Language, Teller, primary};
use super::payload::{Published, Words};
use super::thresholds::threshold;
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
    let spoken = locale.and_then(Language::of_locale).unwrap_or_default();
    let teller = Teller::new(spoken, zone.clone());
    if verdict == Published::Withdrawn {
        let text = told(moment, verdict, judgement, &teller);
        return Words { text, language: spoken.code().to_owned() };
    }
    if let Some((language, parts)) = template(moment, locale) {
        let code = if language.is_empty() { UNDETERMINED } else { language };
        let spoken = if language.is_empty() { spoken } else { Language::of_locale(language).unwrap_or_default() };
        let teller = Teller::new(spoken, zone.clone());
        if let Some(text) = filled(moment, parts, judgement, &teller) {
            return Words { text, language: code.to_owned() };
        }
    }
    Words { text: told(moment, verdict, judgement, &teller), language: spoken.code().to_owned() }
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

/// What the moment shares, one after the other.
fn told(moment: &Moment, verdict: Published, judgement: &Judgement, teller: &Teller) -> String {
    let is = teller.language.pick("is", "est");
    let mut parts = Vec::new();
    for (evidence, shown) in moment.shares.iter().zip(&judgement.shared) {
        let Shown::Value(value) = shown else { continue };
        let value = teller.value(value, &evidence.ty);
        // That a value is what it has to be equal to says nothing more.
        let compared = threshold(moment.when.source(), &evidence.name)
            .filter(|(operator, _)| verdict != Published::Withdrawn && *operator != "==");
        let compared = compared.map(|(operator, literal)| format!(" ({})", teller.comparison(operator, literal)));
        parts.push(format!("{} {is} {value}{}", plain(&evidence.name), compared.unwrap_or_default()));
    }
    let name = plain(&moment.name);
    let holds = match (verdict, parts.is_empty()) {
        (Published::Withdrawn, _) => teller.language.pick("no longer so", "ce n'est plus le cas"),
        (_, true) => teller.language.pick("it is so now", "c'est le cas maintenant"),
        (_, false) => "",
    };
    let colon = teller.language.pick(":", "\u{a0}:");
    let values = teller.list(&parts);
    match (holds.is_empty(), parts.is_empty()) {
        (true, _) => sentence(&values),
        (false, true) => sentence(&format!("{name}{colon} {holds}")),
        (false, false) => sentence(&format!("{holds}{colon} {values}")),
    }
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
