//! Words of the pack for people, each in as many languages as the pack gives.

use std::collections::BTreeMap;

use propice_model::Language;
use propice_model::language::primary;

use super::{Ending, Gate, Purpose, Reason};

impl Gate {
    /// What people call it.
    pub fn word(self, language: Language) -> &'static str {
        let french = match self {
            Gate::Refusal => "refus",
            Gate::Consent => "consentement",
            Gate::Silence => "silence",
            Gate::Holdout => "groupe témoin",
            Gate::Cooldown => "délai de répétition",
            Gate::Evidence => "preuves",
            Gate::Mood => "humeur",
            Gate::Quiet => "heures calmes",
            Gate::Pressure => "pression",
            Gate::Arbitration => "arbitrage",
        };
        language.pick(self.name(), french)
    }
}

impl Purpose {
    /// What people call it.
    pub fn word(self, language: Language) -> &'static str {
        let french = match self {
            Purpose::Safety => "sécurité",
            Purpose::Assistance => "assistance",
            Purpose::Service => "service",
            Purpose::Relationship => "relation",
            Purpose::Sales => "vente",
        };
        language.pick(self.name(), french)
    }
}

/// One text by language (`en`, `fr-FR`). The empty language is that of the pack, where it names
/// one, or any.
pub type Texts = BTreeMap<String, String>;

/// What is said when what was published is true no more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndedWords {
    /// However it ended.
    pub any: Reason,
    /// How a kind of ending is told, where it has words of its own.
    pub by_ending: BTreeMap<Ending, Reason>,
}

impl EndedWords {
    /// The words for an ending.
    pub fn of(&self, ending: Ending) -> &Reason {
        self.by_ending.get(&ending).unwrap_or(&self.any)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Reason> {
        std::iter::once(&self.any).chain(self.by_ending.values())
    }
}

/// What is said to somebody whose locale is `wanted`, with its language: in their language; or in
/// that of the pack; or what names no language; or in English; or what there is.
pub fn said<'a, T>(
    texts: &'a BTreeMap<String, T>,
    wanted: Option<&str>,
    pack: Option<&'a str>,
) -> Option<(Option<&'a str>, &'a T)> {
    let in_language = |locale: &str| {
        let wanted = locale.trim().replace('_', "-").to_ascii_lowercase();
        let is = |(language, _): &(&'a String, &'a T)| language.to_ascii_lowercase() == wanted;
        let is_near =
            |(language, _): &(&'a String, &'a T)| !language.is_empty() && primary(language) == primary(&wanted);
        let exact = texts.iter().find(is).filter(|(language, _)| !language.is_empty());
        let plain = || texts.get_key_value("").filter(|_| pack.is_some_and(|pack| primary(pack) == primary(&wanted)));
        exact.or_else(|| texts.get_key_value(&primary(&wanted))).or_else(|| texts.iter().find(is_near)).or_else(plain)
    };
    let found = wanted.filter(|wanted| !primary(wanted).is_empty()).and_then(in_language);
    let found = found.or_else(|| pack.and_then(in_language)).or_else(|| texts.get_key_value(""));
    let found = found.or_else(|| in_language("en")).or_else(|| texts.iter().next());
    found.map(|(language, text)| (Some(language.as_str()).filter(|language| !language.is_empty()).or(pack), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(of: &[&str]) -> Texts {
        of.iter().map(|language| ((*language).to_owned(), format!("in {language}"))).collect()
    }

    #[test]
    fn the_language_of_whoever_reads_goes_first() {
        let all = texts(&["cs", "en", "fr-FR"]);
        let in_language = |wanted, pack| said(&all, wanted, pack).and_then(|(language, _)| language);
        assert_eq!(in_language(Some("fr"), None), Some("fr-FR"));
        assert_eq!(in_language(Some("FR_fr"), Some("cs")), Some("fr-FR"));
        assert_eq!(in_language(Some("de"), Some("cs")), Some("cs"));
        assert_eq!(in_language(Some("de"), None), Some("en"));
        assert_eq!(in_language(Some(""), None), Some("en"));
    }

    #[test]
    fn a_text_of_no_language_is_in_that_of_the_pack() {
        let all = texts(&["", "en"]);
        assert_eq!(said(&all, Some("fr"), Some("fr")), Some((Some("fr"), &"in ".to_owned())));
        assert_eq!(said(&all, Some("en"), Some("fr")), Some((Some("en"), &"in en".to_owned())));
        assert_eq!(said(&all, Some("de"), None), Some((None, &"in ".to_owned())));
        assert_eq!(said(&Texts::new(), Some("de"), None), None);
    }
}
