//! Reading `[pack]`, the inputs, the entities and the channels; the other sections have files of their own.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems};
use super::raw::{BelongsTo, Channel, Entity, Field, Format, Input, Pack, Spot, Text};
use super::section::{Item, Section, wrong_type};
use super::words::{check_entity_name, check_expression_name, check_name, nearest, shortened};
use super::{read_cases, read_moments, read_policy, read_views, read_words};

/// Reads a whole pack.
pub(super) fn pack(table: &DeTable<'_>, problems: &mut Problems) -> Pack {
    let mut top = Section::new("the pack".to_owned(), 0..0, table);
    let mut pack = Pack::default();
    header(&mut top, &mut pack, problems);
    for (name, item) in declarations(&mut top, "stream", problems) {
        pack.inputs.extend(input(name, item, false, problems));
    }
    for (name, item) in declarations(&mut top, "table", problems) {
        pack.inputs.extend(input(name, item, true, problems));
    }
    // In the order of the text, whether stream or table.
    pack.inputs.sort_by_key(|input| input.name.span.start);
    for (name, item) in declarations(&mut top, "entity", problems) {
        pack.entities.extend(entity(name, item, problems));
    }
    for (name, item) in declarations(&mut top, "moment", problems) {
        pack.moments.extend(read_moments::moment(name, item, problems));
    }
    for (name, item) in declarations(&mut top, "channel", problems) {
        pack.channels.extend(channel(name, item, problems));
    }
    if let Some(item) = top.get("policy") {
        pack.policy = read_policy::policy(item, problems);
    }
    if let Some(cases) = top.list("test", problems) {
        for item in cases.value {
            pack.tests.extend(read_cases::case(item, problems));
        }
    }
    views(&top, &mut pack, problems);
    pack
}

/// The keys that a pack knows besides its entities.
const SECTIONS: [&str; 8] = ["pack", "stream", "table", "entity", "moment", "policy", "channel", "test"];

/// `[pack]`
fn header(top: &mut Section<'_>, pack: &mut Pack, problems: &mut Problems) {
    let Some(item) = top.get("pack") else {
        problems.add(
            Problem::Missing { place: "a pack".to_owned(), key: "[pack]", what: "the section with its `name`" },
            &(0..0),
        );
        return;
    };
    let Some(mut section) = Section::of("[pack]".to_owned(), "pack", item, problems) else { return };
    pack.name = section.needed("name", "the name of the pack", problems);
    if let Some(name) = &pack.name {
        check_name("a pack", name, problems);
    }
    pack.version = section.filled("version", problems);
    pack.timezone = section.text("timezone", problems);
    pack.language = section.filled("language", problems);
    if let Some(language) = &pack.language {
        read_words::check_language(language, problems);
    }
    pack.description = section.text("description", problems).map(|text| text.value);
    section.finish(problems);
}

/// The named tables of a section such as `[stream.NAME]`.
fn declarations<'s>(top: &mut Section<'s>, key: &'static str, problems: &mut Problems) -> Vec<(Text, Item<'s>)> {
    let Some(item) = top.get(key) else { return Vec::new() };
    Section::of(key.to_owned(), key, item, problems).map_or_else(Vec::new, |section| section.entries().collect())
}

/// `[stream.NAME]` or `[table.NAME]`
fn input(name: Text, item: Item<'_>, table: bool, problems: &mut Problems) -> Option<Input> {
    let what = if table { "a table" } else { "a stream" };
    check_expression_name(what, &name, problems);
    let place = format!("{} `{}`", if table { "table" } else { "stream" }, shortened(&name.value));
    let mut section = Section::of(place.clone(), &name.value, item, problems)?;
    section.span = name.span.clone();
    let (fields, broken) = fields(&mut section, problems);
    let time = if table || section.has("time") {
        section.filled("time", problems)
    } else {
        section.missing("time", "the field that holds the event time", problems);
        None
    };
    let (mut key, mut delete) = (None, None);
    if table {
        if !section.has("key") {
            section.missing("key", "the fields of the primary key", problems);
        }
        key = section.texts("key", problems);
        delete = section.filled("delete", problems);
    } else {
        for key in ["key", "delete"] {
            if let Some(item) = section.get(key) {
                problems.add(Problem::OnlyForTables { key, place: place.clone() }, &item.span());
            }
        }
    }
    let fieldless = fields.is_empty() && broken.is_empty();
    let input = Input {
        about: section.filled("about", problems),
        order: section.filled("order", problems),
        personal: section.filled_texts("personal", problems),
        format: format(&mut section, problems),
        optional: section.flag("optional", problems).unwrap_or(false),
        description: section.text("description", problems).map(|text| text.value),
        name,
        table,
        fields,
        broken,
        fieldless,
        time,
        key,
        delete,
    };
    section.finish(problems);
    Some(input)
}

/// `fields = { … }`, and the names of those that could not be read.
fn fields(section: &mut Section<'_>, problems: &mut Problems) -> (Vec<Field>, Vec<String>) {
    let (mut fields, mut broken) = (Vec::new(), Vec::new());
    let Some(item) = section.get("fields") else {
        section.missing("fields", "what its records hold", problems);
        return (fields, broken);
    };
    let Some(inner) = Section::of(format!("the fields of {}", section.place), "fields", item, problems) else {
        return (fields, broken);
    };
    for (name, item) in inner.entries() {
        check_expression_name("a field", &name, problems);
        match field(name.clone(), item, problems) {
            Some(field) => fields.push(field),
            None => broken.push(name.value),
        }
    }
    if fields.is_empty() && broken.is_empty() {
        problems.add(Problem::Empty { key: "fields".to_owned() }, &item.span());
    }
    (fields, broken)
}

/// `name = "type"` or `name = { type = "type", … }`
fn field(name: Text, item: Item<'_>, problems: &mut Problems) -> Option<Field> {
    match item.get_ref() {
        DeValue::String(ty) => {
            let ty = Spot::new(ty.to_string(), item.span());
            Some(Field { name, ty, column: None, format: None, unit: None })
        }
        DeValue::Table(table) => {
            let mut section = Section::new(format!("field `{}`", shortened(&name.value)), name.span.clone(), table);
            let ty = section.needed("type", "the type of its values", problems);
            let column = section.filled("column", problems);
            let format = section.filled("format", problems);
            let unit = section.filled("unit", problems);
            section.finish(problems);
            Some(Field { name, ty: ty?, column, format, unit })
        }
        other => {
            problems.add(wrong_type(&name.value, "a type in quotes or a table", other), &item.span());
            None
        }
    }
}

/// `format = { … }`
fn format(section: &mut Section<'_>, problems: &mut Problems) -> Format {
    let place = format!("the format of {}", section.place);
    let Some(item) = section.get("format") else { return Format::default() };
    let Some(mut inner) = Section::of(place, "format", item, problems) else { return Format::default() };
    let format = Format {
        delimiter: inner.text("delimiter", problems),
        quote: inner.text("quote", problems),
        encoding: inner.text("encoding", problems),
        header: inner.flag("header", problems),
    };
    inner.finish(problems);
    format
}

/// `[entity.NAME]`
fn entity(name: Text, item: Item<'_>, problems: &mut Problems) -> Option<Entity> {
    if name.value == "customer" {
        problems.add(Problem::CustomerDeclared, &name.span);
        return None;
    }
    check_entity_name(&name, problems);
    let place = format!("entity `{}`", shortened(&name.value));
    let mut section = Section::of(place.clone(), &name.value, item, problems)?;
    section.span = name.span.clone();
    let item = section.wanted("belongs_to", "what relates it to customers", problems);
    let belongs_to = item.and_then(|item| belongs_to(format!("`belongs_to` of {place}"), &name, item, problems));
    let label = read_words::line(&mut section, "label", problems);
    section.finish(problems);
    Some(Entity { name, label, belongs_to })
}

fn belongs_to(place: String, entity: &Text, item: Item<'_>, problems: &mut Problems) -> Option<BelongsTo> {
    let mut section = Section::of(place, "belongs_to", item, problems)?;
    if section.span.is_empty() {
        section.span = entity.span.clone();
    }
    let belongs_to = BelongsTo {
        span: section.span.clone(),
        by: section.needed("by", "the table or stream that relates it to customers", problems),
        customer: section.needed("customer", "the field with the id of the customer", problems),
        entity: section.filled("entity", problems),
        filter: section.filled("where", problems),
    };
    section.finish(problems);
    Some(belongs_to)
}

/// `[channel.NAME]`
fn channel(name: Text, item: Item<'_>, problems: &mut Problems) -> Option<Channel> {
    check_name("a channel", &name, problems);
    let mut section = Section::of(format!("channel `{}`", shortened(&name.value)), &name.value, item, problems)?;
    let topic = section.filled("topic", problems).map(|text| text.value);
    let human = section.flag("human", problems).unwrap_or(false);
    let label = read_words::line(&mut section, "label", problems);
    section.finish(problems);
    Some(Channel { name, label, topic, human })
}

/// What is left at the top are the sections of entities, or mistakes.
fn views(top: &Section<'_>, pack: &mut Pack, problems: &mut Problems) {
    let declared: Vec<String> = std::iter::once("customer".to_owned())
        .chain(pack.entities.iter().map(|entity| entity.name.value.clone()))
        .collect();
    for (name, item) in top.entries() {
        if SECTIONS.contains(&name.value.as_str()) {
            continue;
        }
        if declared.contains(&name.value) {
            pack.views.extend(read_views::view(name, item, problems));
        } else if looks_like_view(item) {
            let nearest = nearest(&name.value, declared.iter().map(String::as_str));
            problems.add(Problem::UndeclaredEntity { name: shortened(&name.value), nearest }, &name.span);
        } else {
            let known: Vec<String> = SECTIONS.iter().map(|key| (*key).to_owned()).chain(declared.clone()).collect();
            let nearest = nearest(&name.value, known.iter().map(String::as_str));
            let place = "the pack".to_owned();
            problems.add(Problem::UnknownKey { key: shortened(&name.value), place, nearest, known }, &name.span);
        }
    }
}

fn looks_like_view(item: &Spanned<DeValue<'_>>) -> bool {
    item.get_ref().as_table().is_some_and(|table| table.get("feature").or(table.get("attribute")).is_some())
}
