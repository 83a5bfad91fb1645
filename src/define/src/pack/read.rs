//! Reading `[pack]`, the inputs, the entities and the channels; the other sections have files of
//! their own.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems};
use super::raw::{BelongsTo, Channel, Entity, Field, Format, Input, Pack, View};
use super::section::{ENTITY_KEYS, Section, TomlItem, wrong_type};
use super::spot::{Spot, Text};
use super::words::{check_expression_name, check_name, shortened};
use super::{read_cases, read_moments, read_policy, read_views, read_words};
use propice_model::nearest::nearest;

/// Reads a whole pack.
pub(super) fn pack(table: &DeTable<'_>, problems: &mut Problems) -> Pack {
    let mut top = Section::new("the pack".to_owned(), 0..0, table);
    let mut pack = Pack::default();
    let owners = declared_entities(table);
    header(&mut top, &mut pack, problems);
    for (name, item) in declarations(&mut top, "stream", &owners, problems) {
        pack.inputs.extend(input(name, item, false, problems));
    }
    for (name, item) in declarations(&mut top, "table", &owners, problems) {
        pack.inputs.extend(input(name, item, true, problems));
    }
    // In the order of the text, whether stream or table.
    pack.inputs.sort_by_key(|input| input.name.span.start);
    for (name, item) in declarations(&mut top, "entity", &owners, problems) {
        if let Some((entity, view)) = entity(name, item, problems) {
            pack.entities.push(entity);
            add_view(&mut pack, view);
        }
    }
    for (name, item) in declarations(&mut top, "moment", &owners, problems) {
        pack.moments.extend(read_moments::moment(name, item, problems));
    }
    for (name, item) in declarations(&mut top, "channel", &owners, problems) {
        pack.channels.extend(channel(name, item, problems));
    }
    if let Some(item) = top.get("policy") {
        pack.policy = read_policy::policy(item, problems);
    }
    // An entity that is called `test` may have its features in a table of that name, where a pack
    // has no cases.
    let has_cases = !(owners.iter().any(|owner| owner == "test") && top.is_table("test"));
    if let Some(cases) = has_cases.then(|| top.list("test", problems)).flatten() {
        for item in cases.value {
            pack.tests.extend(read_cases::case(item, problems));
        }
    }
    views(&top, &owners, &mut pack, problems);
    pack
}

/// The names of all entities, the customer first.
fn declared_entities(table: &DeTable<'_>) -> Vec<String> {
    let mut names = vec!["customer".to_owned()];
    let Some(section) = table.get("entity").and_then(|item| item.get_ref().as_table()) else { return names };
    let is_own = section.get("entity").is_some();
    let declared = section.iter().filter(|(key, item)| !(is_own && is_view(key.get_ref(), item)));
    names.extend(declared.map(|(key, _)| key.get_ref().to_string()).filter(|name| name != "customer"));
    names
}

/// Whether this is where an entity has its features or its attributes, rather than a stream, a
/// moment, … that is called `feature` or `attribute`: every feature is a table, every attribute a
/// text.
fn is_view(key: &str, item: &Spanned<DeValue<'_>>) -> bool {
    let Some(table) = item.get_ref().as_table() else { return false };
    let mut values = table.iter().map(|(name, item)| (name.get_ref().as_ref(), item.get_ref()));
    match key {
        "feature" => values.all(|(name, value)| match value.as_table() {
            // The declaration of an entity has nothing else.
            Some(table) => name != "belongs_to" || table.get("by").is_none() || table.get("from").is_some(),
            None => false,
        }),
        "attribute" => values.all(|(_, value)| value.is_str()),
        "labels" => values.all(|(_, value)| value.is_str() || value.is_table()),
        _ => false,
    }
}

/// The keys that a pack knows besides its entities, which may be called like them.
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
    section.leave_views();
    section.finish(problems);
}

/// The named tables of a section such as `[stream.NAME]`.
/// Of an entity that is called like the section, the features and attributes are left out.
fn declarations<'s>(
    top: &mut Section<'s>,
    key: &'static str,
    owners: &[String],
    problems: &mut Problems,
) -> Vec<(Text, TomlItem<'s>)> {
    let Some(item) = top.get(key) else { return Vec::new() };
    let Some(section) = Section::of(key.to_owned(), key, item, problems) else { return Vec::new() };
    let is_owned = owners.iter().any(|owner| owner == key);
    section.entries().filter(|(name, item)| !(is_owned && is_view(&name.value, item))).collect()
}

/// `[stream.NAME]` or `[table.NAME]`
fn input(name: Text, item: TomlItem<'_>, table: bool, problems: &mut Problems) -> Option<Input> {
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
        if let Some(path) = nested_name(&name, item) {
            let place = section.place.clone();
            problems.add(Problem::NestedField { name: path, place }, &name.span);
            broken.push(name.value);
            continue;
        }
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

/// The path of a field that is declared inside of another: `"meta.at" = "time"`, `meta.at =
/// "time"`, `meta = { at = "time" }`.
fn nested_name(name: &Text, item: TomlItem<'_>) -> Option<String> {
    if name.value.contains('.') {
        return Some(shortened(&name.value));
    }
    let table = item.get_ref().as_table().filter(|table| table.get("type").is_none())?;
    let (inner, value) = table.iter().next()?;
    let is_key = matches!(inner.get_ref().as_ref(), "column" | "format");
    let is_field = matches!(value.get_ref(), DeValue::String(_) | DeValue::Table(_));
    (is_field && !is_key).then(|| shortened(&format!("{}.{}", name.value, inner.get_ref())))
}

/// `name = "type"` or `name = { type = "type", … }`
fn field(name: Text, item: TomlItem<'_>, problems: &mut Problems) -> Option<Field> {
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
        declared: true,
        delimiter: inner.text("delimiter", problems),
        quote: inner.text("quote", problems),
        encoding: inner.text("encoding", problems),
        header: inner.flag("header", problems),
    };
    inner.finish(problems);
    format
}

/// `[entity.NAME]`, with `[entity.NAME.feature]` and `[entity.NAME.attribute]`.
fn entity(name: Text, item: TomlItem<'_>, problems: &mut Problems) -> Option<(Entity, View)> {
    if name.value == "customer" {
        problems.add(Problem::CustomerDeclared, &name.span);
        return None;
    }
    check_expression_name("an entity", &name, problems);
    let place = format!("entity `{}`", shortened(&name.value));
    let mut section = Section::of(place.clone(), &name.value, item, problems)?;
    section.span = name.span.clone();
    let item = section.wanted("belongs_to", "what relates it to customers", problems);
    let belongs_to = item.and_then(|item| belongs_to(format!("`belongs_to` of {place}"), &name, item, problems));
    let label = read_words::line(&mut section, "label", problems);
    let view = read_views::of_section(name.clone(), &mut section, &ENTITY_KEYS, problems);
    section.finish(problems);
    Some((Entity { name, label, belongs_to }, view))
}

fn belongs_to(place: String, entity: &Text, item: TomlItem<'_>, problems: &mut Problems) -> Option<BelongsTo> {
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
fn channel(name: Text, item: TomlItem<'_>, problems: &mut Problems) -> Option<Channel> {
    check_name("a channel", &name, problems);
    let mut section = Section::of(format!("channel `{}`", shortened(&name.value)), &name.value, item, problems)?;
    let topic = section.filled("topic", problems).map(|text| text.value);
    let human = section.flag("human", problems).unwrap_or(false);
    let label = read_words::line(&mut section, "label", problems);
    section.finish(problems);
    Some(Channel { name, label, topic, human })
}

/// Takes the features and attributes of an entity, which may stand in two places.
fn add_view(pack: &mut Pack, view: View) {
    match pack.views.iter_mut().find(|known| known.entity.value == view.entity.value) {
        Some(known) => {
            known.features.extend(view.features);
            known.attributes.extend(view.attributes);
            known.broken.extend(view.broken);
        }
        None if view.features.is_empty() && view.attributes.is_empty() && view.broken.is_empty() => {}
        None => pack.views.push(view),
    }
}

/// What is left at the top are the sections of entities, or mistakes. In the sections of the
/// language stand those of entities that are called so.
fn views(top: &Section<'_>, owners: &[String], pack: &mut Pack, problems: &mut Problems) {
    for (name, item) in top.entries() {
        let is_section = SECTIONS.contains(&name.value.as_str());
        let undeclared = |nearest| Problem::UndeclaredEntity { name: shortened(&name.value), nearest };
        if is_section {
            let is_owned = owners.contains(&name.value);
            for part in parts_with_views(item) {
                let keys = view_keys(&name.value, part);
                if !keys.is_empty() && is_owned {
                    let view = read_views::beside(name.clone(), part, &keys, problems);
                    view.into_iter().for_each(|view| add_view(pack, view));
                } else if !keys.is_empty() && NAMELESS.contains(&name.value.as_str()) {
                    problems.add(undeclared(None), &name.span);
                }
            }
        } else if owners.contains(&name.value) {
            let view = read_views::view(name, item, problems);
            view.into_iter().for_each(|view| add_view(pack, view));
        } else if looks_like_view(item) {
            let nearest = nearest(&name.value, owners.iter().map(String::as_str));
            problems.add(undeclared(nearest), &name.span);
        } else {
            let known: Vec<String> = SECTIONS.iter().map(|key| (*key).to_owned()).chain(owners.to_vec()).collect();
            let nearest = nearest(&name.value, known.iter().map(String::as_str));
            let place = "the pack".to_owned();
            problems.add(Problem::UnknownKey { key: shortened(&name.value), place, nearest, known }, &name.span);
        }
    }
}

/// Sections that hold nothing that has a name of its own.
const NAMELESS: [&str; 3] = ["pack", "policy", "test"];

/// Where a section of the language has what belongs to an entity of its name: in itself, or, when
/// it is a list of cases, in those behind which it is written.
fn parts_with_views(item: TomlItem<'_>) -> Vec<TomlItem<'_>> {
    match item.get_ref() {
        DeValue::Array(cases) => cases.iter().filter(|case| case.get_ref().is_table()).collect(),
        _ => vec![item],
    }
}

/// The keys of a section of the language that belong to an entity of its name.
fn view_keys(section: &str, item: TomlItem<'_>) -> Vec<&'static str> {
    let inner = |key: &str| item.get_ref().as_table().and_then(|table| table.get(key));
    let is_one = |key: &&str| {
        inner(key).is_some_and(
            |item| if NAMELESS.contains(&section) { item.get_ref().is_table() } else { is_view(key, item) },
        )
    };
    ENTITY_KEYS.into_iter().filter(is_one).collect()
}

fn looks_like_view(item: &Spanned<DeValue<'_>>) -> bool {
    item.get_ref().as_table().is_some_and(|table| table.get("feature").or(table.get("attribute")).is_some())
}
