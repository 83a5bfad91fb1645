//! Reading `[ENTITY.feature]`, `[ENTITY.attribute]` and `[ENTITY.labels]`.

use toml::de::DeValue;

use super::problem::{Problem, Problems};
use super::raw::{Argument, Attribute, Feature, View};
use super::read_words;
use super::section::{ENTITY_KEYS, Section, TomlItem, text_of, wrong_type};
use super::spot::{Spot, Text};
use super::words::shortened;
use propice_model::limits::SET_MOST;

/// The aggregates, by name.
pub(super) const AGGREGATES: [&str; 11] =
    ["count", "sum", "avg", "stddev", "min", "max", "first", "last", "distinct", "set", "top"];

/// The sections of one entity.
pub(super) fn view(entity: Text, item: TomlItem<'_>, problems: &mut Problems) -> Option<View> {
    let mut section = Section::of(format!("[{}]", entity.value), &entity.value, item, problems)?;
    let view = of_section(entity, &mut section, &ENTITY_KEYS, problems);
    section.finish(problems);
    Some(view)
}

/// Those of an entity that is called like a section of the language, which has other keys too.
pub(super) fn beside(entity: Text, item: TomlItem<'_>, keys: &[&str], problems: &mut Problems) -> Option<View> {
    let mut section = Section::of(format!("[{}]", entity.value), &entity.value, item, problems)?;
    Some(of_section(entity, &mut section, keys, problems))
}

/// The features and attributes that stand in a section under these keys.
pub(super) fn of_section(entity: Text, section: &mut Section<'_>, keys: &[&str], problems: &mut Problems) -> View {
    let mut view =
        View { entity, features: Vec::new(), attributes: Vec::new(), labels: Vec::new(), broken: Vec::new() };
    if let Some(item) = section.get("feature").filter(|_| keys.contains(&"feature")) {
        let inner = Section::of("the features".to_owned(), "feature", item, problems);
        for (name, item) in inner.iter().flat_map(Section::entries) {
            match feature(name.clone(), item, problems) {
                Some(feature) => view.features.push(feature),
                None => view.broken.push(name.value),
            }
        }
    }
    if let Some(item) = section.get("attribute").filter(|_| keys.contains(&"attribute")) {
        let inner = Section::of("the attributes".to_owned(), "attribute", item, problems);
        for (name, item) in inner.iter().flat_map(Section::entries) {
            match text_of(&name.value, item, problems) {
                Some(expression) => view.attributes.push(Attribute { name, expression }),
                None => view.broken.push(name.value),
            }
        }
    }
    if let Some(item) = section.get("labels").filter(|_| keys.contains(&"labels")) {
        let inner = Section::of("the labels".to_owned(), "labels", item, problems);
        for (name, item) in inner.iter().flat_map(Section::entries) {
            let place = format!("the label of `{}`", shortened(&name.value));
            let label = read_words::line_of(place, &name.value, item, problems);
            view.labels.push((name, label));
        }
    }
    view
}

/// `name = { from = "…", sum = "…" }`
fn feature(name: Text, item: TomlItem<'_>, problems: &mut Problems) -> Option<Feature> {
    let mut section = Section::of(format!("feature `{}`", shortened(&name.value)), &name.value, item, problems)?;
    section.span = name.span.clone();
    let mut feature = Feature {
        from: section.filled("from", problems),
        by: section.filled("by", problems),
        over: section.filled("over", problems),
        aggregates: Vec::new(),
        filter: section.filled("where", problems),
        window: section.duration("window", false, problems),
        pane: section.duration("pane", false, problems),
        during: section.texts("during", problems),
        at_most: section.number("at_most", (1, SET_MOST as u64), problems),
        description: section.text("description", problems).map(|text| text.value),
        name,
        damaged: false,
    };
    for aggregate in AGGREGATES {
        let Some(item) = section.get(aggregate) else { continue };
        match argument(aggregate, item, problems) {
            Some(argument) => feature.aggregates.push((aggregate, Spot::new(argument, item.span()))),
            None => section.damaged = true,
        }
    }
    feature.damaged = section.finish(problems);
    Some(feature)
}

/// `true` behind `count`, an expression behind all.
fn argument(aggregate: &'static str, item: TomlItem<'_>, problems: &mut Problems) -> Option<Argument> {
    match item.get_ref() {
        DeValue::String(text) => Some(Argument::Expression(text.to_string())),
        DeValue::Boolean(true) if aggregate == "count" => Some(Argument::Records),
        DeValue::Boolean(false) if aggregate == "count" => {
            problems.add(Problem::CountFalse, &item.span());
            None
        }
        other => {
            let expected = if aggregate == "count" { "true or an expression" } else { "an expression in quotes" };
            problems.add(wrong_type(aggregate, expected, other), &item.span());
            None
        }
    }
}
