//! The language in which people are told things: as it is asked for, or as a pack has it.

use std::collections::BTreeSet;

use propice_define::Plan;
use propice_model::Language;
use propice_model::language::primary;

/// The languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Lang {
    /// English
    En,
    /// French
    Fr,
}

impl From<Lang> for Language {
    fn from(asked: Lang) -> Language {
        match asked {
            Lang::En => Language::English,
            Lang::Fr => Language::French,
        }
    }
}

/// The language of a pack, as a locale: the one that it declares; or that of all customers, where
/// `policy.locale` is a literal; or the only one that its reasons are in.
pub(crate) fn of_pack(plan: &Plan) -> Option<String> {
    let locale = || literal(plan.policy.locale.as_ref()?.source());
    plan.language.clone().or_else(locale).or_else(|| of_reasons(plan))
}

/// The text that an expression is, when it is nothing but one.
fn literal(source: &str) -> Option<String> {
    let source = source.trim();
    let quote = source.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
    let text = source.strip_prefix(quote)?.strip_suffix(quote)?;
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)).then(|| text.to_owned())
}

fn of_reasons(plan: &Plan) -> Option<String> {
    let named = plan.moments.iter().flat_map(|moment| moment.reason.keys()).filter(|language| !language.is_empty());
    let mut languages: BTreeSet<String> = named.map(|language| primary(language)).collect();
    languages.pop_first().filter(|_| languages.is_empty())
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn only_a_literal_is_the_language_of_everybody() {
        assert_eq!(literal(" 'fr-FR' ").as_deref(), Some("fr-FR"));
        assert_eq!(literal("\"fr\"").as_deref(), Some("fr"));
        for other in ["customers.language", "'fr' + x + 'x'", "'", "", "x == 'fr'"] {
            assert_eq!(literal(other), None, "{other}");
        }
    }
}
