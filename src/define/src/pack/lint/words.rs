//! Words for people: labels of what there is, and every text in every language that others are
//! given in.

use std::collections::BTreeSet;

use super::Lint;
use crate::pack::problem::{Problem, Problems, Span};
use crate::pack::raw::Said;
use crate::pack::read_words::is_language;
use crate::pack::words::shortened;
use propice_model::language::primary;
use propice_model::nearest::nearest;

/// Looks at all words of a pack.
pub(super) fn check(lint: &Lint<'_>, problems: &mut Problems) {
    labels(lint, problems);
    languages(lint, problems);
}

/// A label is that of a feature or an attribute, or of a field of a table that is read.
fn labels(lint: &Lint<'_>, problems: &mut Problems) {
    for view in &lint.raw.views {
        let mut known: Vec<String> = view.broken.clone();
        known.extend(view.features.iter().map(|feature| feature.name.value.clone()));
        known.extend(view.attributes.iter().map(|attribute| attribute.name.value.clone()));
        let kind = lint.ground.kind(&view.entity.value).and_then(|kind| lint.kinds.get(kind.index()));
        known.extend(kind.iter().flat_map(|kind| &kind.features).flatten().map(|feature| feature.name.clone()));
        known.dedup();
        for (name, _) in view.labels.iter().filter(|(name, _)| !known.contains(&name.value)) {
            let nearest = nearest(&name.value, known.iter().map(String::as_str));
            let place = format!(" of {}", view.entity.value);
            let (what, name_of, known) = ("feature or attribute", shortened(&name.value), known.clone());
            problems.add(Problem::Unknown { what, name: name_of, place, nearest, known }, &name.span);
        }
    }
}

/// What is given in languages is given in all that the pack knows. A text that names none is for
/// everybody.
fn languages(lint: &Lint<'_>, problems: &mut Problems) {
    let all = texts(lint);
    let named = |said: &Said| -> BTreeSet<String> {
        said.iter().filter(|(language, _)| is_language(language)).map(|(language, _)| primary(language)).collect()
    };
    let known: BTreeSet<String> = all.iter().flat_map(|(_, said)| named(said)).collect();
    for (what, said) in &all {
        let given = named(said);
        let missing: Vec<String> = known.difference(&given).cloned().collect();
        if given.is_empty() || missing.is_empty() {
            continue;
        }
        let span: Span = said[0].1.span.clone();
        let example = missing[0].clone();
        problems.add(Problem::LanguageMissing { what: what.clone(), languages: missing.join(", "), example }, &span);
    }
}

/// Every text, with what it is.
fn texts<'a>(lint: &Lint<'a>) -> Vec<(String, &'a Said)> {
    let mut all = Vec::new();
    let raw = lint.raw;
    let label = |what: &str, name: &str| format!("the label of {what} `{}`", shortened(name));
    all.extend(raw.entities.iter().map(|entity| (label("entity", &entity.name.value), &entity.label)));
    all.extend(raw.channels.iter().map(|channel| (label("channel", &channel.name.value), &channel.label)));
    for view in &raw.views {
        let slots = view.labels.iter();
        all.extend(slots.map(|(name, said)| (label("feature or attribute", &name.value), said)));
    }
    for moment in &raw.moments {
        let name = shortened(&moment.name.value);
        all.push((label("moment", &moment.name.value), &moment.label));
        all.extend(moment.value.iter().map(|(_, benefit)| (format!("the benefit of moment `{name}`"), benefit)));
        all.push((format!("the reason of moment `{name}`"), &moment.reason));
        for (ending, said) in &moment.ended {
            let of = ending.map_or_else(String::new, |ending| format!(" ({})", ending.name()));
            all.push((format!("`ended`{of} of moment `{name}`"), said));
        }
    }
    all.retain(|(_, said)| !said.is_empty());
    all
}
