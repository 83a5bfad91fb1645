//! Checking inputs: the types and roles of their fields, how their files are written.

use super::instant::check_pattern;
use super::problem::{Problem, Problems};
use super::raw;
use super::scope::{InputShape, kind_named, type_name};
use super::section::word_of;
use super::spot::Text;
use super::words::shortened;
use crate::plan::{Field, Format, Input, Table, TimeUnit};
use propice_model::limits::FIELD_SCALE;
use propice_model::nearest::nearest;
use propice_model::{FieldId, KindId, Type};

/// Everything of an input but its expressions.
pub(super) fn input(raw: &raw::Input, kinds: &[String], problems: &mut Problems) -> InputShape {
    let (fields, mut broken) = fields(raw, kinds, problems);
    broken.extend(raw.broken.iter().cloned());
    let mut shape = InputShape {
        input: Input {
            name: raw.name.value.clone(),
            description: raw.description.clone(),
            fields,
            time: None,
            order: None,
            about: None,
            table: None,
            format: format(&raw.format, problems),
            optional: raw.optional,
        },
        personal: Vec::new(),
        broken,
        fieldless: raw.fieldless,
        key_broken: false,
    };
    let mut roles = Roles { shape: &shape, place: raw.place(), kinds, problems };
    let time = roles.time(raw);
    let about = roles.about(raw);
    let order = raw.order.as_ref().and_then(|name| roles.field(name));
    let personal = raw.personal.iter().filter_map(|name| roles.field(name)).collect();
    let key = raw.table.then(|| roles.key(raw));
    shape.personal = personal;
    shape.input.time = time;
    shape.input.about = about;
    shape.input.order = order;
    if let Some(key) = key {
        shape.key_broken = key.is_none();
        shape.input.table = Some(Table { key: key.unwrap_or_default(), delete: None });
    }
    shape
}

/// The fields that can be understood, and the names of those that cannot.
fn fields(raw: &raw::Input, kinds: &[String], problems: &mut Problems) -> (Vec<Field>, Vec<String>) {
    let (mut fields, mut broken): (Vec<Field>, _) = (Vec::new(), Vec::new());
    for field in &raw.fields {
        let (ty, optional) = match parse_type(&field.ty.value, kinds) {
            Ok(found) => found,
            Err(problem) => {
                problems.add(problem, &field.ty.span);
                broken.push(field.name.value.clone());
                continue;
            }
        };
        if let Some(pattern) = &field.format {
            if ty != Type::Time {
                problems.add(Problem::PatternNotTime { ty: type_name(kinds, &ty) }, &pattern.span);
            } else if let Err(reason) = check_pattern(&pattern.value) {
                problems.add(Problem::BadPattern { found: shortened(&pattern.value), reason }, &pattern.span);
            }
        }
        let unit = field.unit.as_ref().and_then(|unit| unit_of(unit, field, &ty, kinds, problems));
        let column = field.column.as_ref().unwrap_or(&field.name);
        if !raw.format.declared && is_path(&column.value) {
            problems.add(Problem::NestedColumn { column: shortened(&column.value) }, &column.span);
        }
        if fields.iter().any(|other| other.column == column.value) {
            problems.add(Problem::Duplicate { what: "column", name: shortened(&column.value) }, &column.span);
        }
        fields.push(Field {
            name: field.name.value.clone(),
            column: column.value.clone(),
            ty,
            optional,
            format: field.format.as_ref().map(|text| text.value.clone()),
            unit,
        });
    }
    (fields, broken)
}

/// What the numbers of a time count.
fn unit_of(unit: &Text, field: &raw::Field, ty: &Type, kinds: &[String], problems: &mut Problems) -> Option<TimeUnit> {
    if *ty != Type::Time {
        problems.add(Problem::UnitNotTime { ty: type_name(kinds, ty) }, &unit.span);
    } else if field.format.is_some() {
        problems.add(Problem::UnitAndPattern, &unit.span);
    }
    word_of(unit, "unit of times", &TimeUnit::ALL, problems)
}

/// Whether a column is written as the way to a field inside of another: `meta.at`, `$.meta.at`,
/// `meta['at']`, `items[0]`, `meta->at`, `/meta/at`. A point before a space (`No. of items`) makes
/// no path, and `Amount [EUR]` is none.
fn is_path(column: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '$' | '@' | '*'))
            && !word.ends_with(char::is_whitespace)
    };
    let is_index = |inner: &str| inner.starts_with(['\'', '"']) || inner == "*" || inner.parse::<u32>().is_ok();
    let indexed = column.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
    let words = || column.split('.');
    column.starts_with(['/', '$'])
        || column.contains("->")
        || indexed.is_some_and(|(before, inner)| !before.is_empty() && is_index(inner))
        || words().count() > 1 && words().all(|word| is_word(word.trim_end_matches(']')))
}

/// `int`, `decimal(2)?`, `id(account)`: the type, and whether it is optional.
fn parse_type(text: &str, kinds: &[String]) -> Result<(Type, bool), Problem> {
    let whole = text.trim();
    let (word, optional) = match whole.strip_suffix('?') {
        Some(word) => (word.trim_end(), true),
        None => (whole, false),
    };
    let inner = |name: &str| word.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')').map(str::trim);
    let ty = match word {
        "int" => Type::Int,
        "float" => Type::Float,
        "bool" => Type::Bool,
        "text" => Type::Text,
        "time" => Type::Time,
        "duration" => Type::Duration,
        _ => {
            if let Some(scale) = inner("decimal") {
                let known = scale.parse::<u8>().ok().filter(|scale| *scale <= FIELD_SCALE);
                Type::Decimal(known.ok_or_else(|| Problem::BadScale { found: shortened(scale), most: FIELD_SCALE })?)
            } else if let Some(entity) = inner("id") {
                Type::Id(kind_named(kinds, entity).ok_or_else(|| Problem::UndeclaredEntity {
                    name: shortened(entity),
                    nearest: nearest(entity, kinds.iter().map(String::as_str)),
                })?)
            } else {
                return Err(Problem::BadType { found: shortened(whole), nearest: meant_type(word) });
            }
        }
    };
    Ok((ty, optional))
}

/// The type that was probably meant: under the name that others have for it, or misspelt.
fn meant_type(word: &str) -> Option<String> {
    const TYPES: [&str; 7] = ["int", "float", "bool", "text", "time", "duration", "decimal(2)"];
    const OTHERS: [(&str, &str); 16] = [
        ("bigint", "int"),
        ("boolean", "bool"),
        ("date", "time"),
        ("datetime", "time"),
        ("decimal", "decimal(2)"),
        ("double", "float"),
        ("id", "id(customer)"),
        ("integer", "int"),
        ("interval", "duration"),
        ("long", "int"),
        ("money", "decimal(2)"),
        ("number", "float"),
        ("numeric", "decimal(2)"),
        ("str", "text"),
        ("string", "text"),
        ("timestamp", "time"),
    ];
    let word = word.to_ascii_lowercase();
    match OTHERS.iter().find(|(other, _)| *other == word) {
        Some((_, meant)) => Some((*meant).to_owned()),
        None => nearest(&word, TYPES),
    }
}

/// The fields of an input and what they are for.
struct Roles<'a> {
    shape: &'a InputShape,
    place: String,
    kinds: &'a [String],
    problems: &'a mut Problems,
}

impl Roles<'_> {
    fn field(&mut self, name: &Text) -> Option<FieldId> {
        field_named(self.shape, &self.place, name, self.problems)
    }

    fn time(&mut self, raw: &raw::Input) -> Option<FieldId> {
        let name = raw.time.as_ref()?;
        let field = self.field(name)?;
        self.needs_type("time", name, field, "`time`", |ty| *ty == Type::Time);
        self.needs_presence("time", name, field);
        Some(field)
    }

    fn about(&mut self, raw: &raw::Input) -> Option<(FieldId, KindId)> {
        let name = raw.about.as_ref()?;
        let field = self.field(name)?;
        self.needs_type("about", name, field, "`id(ENTITY)`", |ty| matches!(ty, Type::Id(_)));
        match self.shape.input.fields[field.index()].ty {
            Type::Id(kind) => Some((field, kind)),
            _ => None,
        }
    }

    /// `None` when it could not be understood.
    fn key(&mut self, raw: &raw::Input) -> Option<Vec<FieldId>> {
        let names = raw.key.as_ref()?;
        if names.value.is_empty() {
            self.problems.add(Problem::Empty { key: "key".to_owned() }, &names.span);
        }
        let mut key = Vec::new();
        for name in &names.value {
            let field = self.field(name);
            if field.is_some_and(|field| key.contains(&field)) {
                self.problems.add(Problem::Duplicate { what: "field", name: name.value.clone() }, &name.span);
            }
            if let Some(field) = field {
                self.needs_presence("key", name, field);
            }
            key.extend(field);
        }
        (!key.is_empty() && key.len() == names.value.len()).then_some(key)
    }

    fn needs_type(&mut self, key: &'static str, name: &Text, field: FieldId, expected: &str, fits: fn(&Type) -> bool) {
        let ty = &self.shape.input.fields[field.index()].ty;
        if !fits(ty) {
            let (expected, found) = (expected.to_owned(), type_name(self.kinds, ty));
            let field = name.value.clone();
            self.problems.add(Problem::FieldType { key, field, expected, found }, &name.span);
        }
    }

    fn needs_presence(&mut self, key: &'static str, name: &Text, field: FieldId) {
        if self.shape.input.fields[field.index()].optional {
            self.problems.add(Problem::FieldOptional { key, field: name.value.clone() }, &name.span);
        }
    }
}

/// The field of a name, or a report that there is none.
pub(super) fn field_named(shape: &InputShape, place: &str, name: &Text, problems: &mut Problems) -> Option<FieldId> {
    let found = shape.input.field(&name.value);
    if found.is_none() && !shape.is_broken(&name.value) {
        let known: Vec<String> = shape.input.fields.iter().map(|field| field.name.clone()).collect();
        if is_path(&name.value) {
            let (name_text, place) = (shortened(&name.value), place.to_owned());
            problems.add(Problem::NestedField { name: name_text, place }, &name.span);
            return None;
        }
        let nearest = nearest(&name.value, known.iter().map(String::as_str));
        let place = format!(" in {place}");
        problems
            .add(Problem::Unknown { what: "field", name: shortened(&name.value), place, nearest, known }, &name.span);
    }
    found
}

/// How its files are written.
fn format(raw: &raw::Format, problems: &mut Problems) -> Format {
    let mut format = Format::default();
    if let Some(text) = &raw.delimiter {
        format.delimiter = one_character("delimiter", text, problems).unwrap_or(format.delimiter);
    }
    if let Some(text) = &raw.quote {
        format.quote = one_character("quote", text, problems).unwrap_or(format.quote);
    }
    if let Some(text) = raw.delimiter.as_ref().or(raw.quote.as_ref()).filter(|_| format.delimiter == format.quote) {
        problems.add(Problem::SameCharacter, &text.span);
    }
    if let Some(text) = &raw.encoding {
        if encoding_rs::Encoding::for_label(text.value.as_bytes()).is_none() {
            const COMMON: [&str; 8] = [
                "utf-8",
                "latin1",
                "windows-1250",
                "windows-1252",
                "iso-8859-1",
                "iso-8859-2",
                "iso-8859-15",
                "utf-16le",
            ];
            let (found, nearest) = (shortened(&text.value), nearest(&text.value, COMMON));
            problems.add(Problem::UnknownEncoding { found, nearest }, &text.span);
        }
        format.encoding.clone_from(&text.value);
    }
    format.header = raw.header.unwrap_or(format.header);
    format
}

fn one_character(key: &'static str, text: &Text, problems: &mut Problems) -> Option<u8> {
    match text.value.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Some(*byte),
        _ => {
            problems.add(Problem::OneCharacter { key }, &text.span);
            None
        }
    }
}
