//! Which names an expression may use, and where their values are.

use std::collections::HashMap;
use std::ops::Range;

use super::problem::{Problem, Problems};
use super::spot::Text;
use crate::expr::{self, Expected, Expr, Name, Names, Ref};
use crate::plan::Input;
use propice_model::{FieldId, InputId, KindId, Type};

/// What everything is checked against: the text, and what of the pack is already understood.
pub(super) struct Ground<'a> {
    /// The text of the pack.
    pub text: &'a str,
    /// The names of the kinds of entities; the customer is the first.
    pub kinds: &'a [String],
    /// The inputs, in the order of the pack.
    pub inputs: &'a [InputShape],
}

/// An input as far as it could be understood.
pub(super) struct InputShape {
    pub input: Input,
    /// Its fields that are personal.
    pub personal: Vec<FieldId>,
    /// Fields that are declared, but not in a way that could be understood.
    pub broken: Vec<String>,
    /// Whether its fields are not declared at all.
    pub fieldless: bool,
    /// Whether its primary key could not be understood.
    pub key_broken: bool,
}

impl InputShape {
    /// Whether a field may be there, had it been understood.
    pub(super) fn is_broken(&self, field: &str) -> bool {
        self.fieldless || self.broken.iter().any(|broken| broken == field)
    }
}

impl Ground<'_> {
    /// The input of a name.
    pub(super) fn input(&self, name: &str) -> Option<InputId> {
        self.inputs.iter().position(|shape| shape.input.name == name).map(|at| InputId(at as u16))
    }

    /// The kind of a name.
    pub(super) fn kind(&self, name: &str) -> Option<KindId> {
        kind_named(self.kinds, name)
    }

    /// A type as packs spell it.
    pub(super) fn type_name(&self, ty: &Type) -> String {
        type_name(self.kinds, ty)
    }
}

/// The kind of a name.
pub(super) fn kind_named(kinds: &[String], name: &str) -> Option<KindId> {
    kinds.iter().position(|kind| kind == name).map(|at| KindId(at as u16))
}

/// A type as packs spell it.
pub(super) fn type_name(kinds: &[String], ty: &Type) -> String {
    match ty {
        Type::Id(kind) => format!("id({})", kinds.get(kind.index()).map_or("?", String::as_str)),
        Type::List(of) => format!("list of {}", type_name(kinds, of)),
        other => other.to_string(),
    }
}

/// What to do about a field inside of another.
pub(super) fn nested(path: &str) -> String {
    let path = path.trim_start_matches(['$', '.', '/']);
    let last = path.rsplit(['.', '/', '>']).next().unwrap_or(path).trim_end_matches([']', '\'', '"']);
    let last = last.rsplit(['[', '\'', '"']).next().unwrap_or(last);
    let path = path.replace("->", ".").replace('/', ".");
    format!("nested fields are not read: bring it to the top of the record first, as `jq -c '.{last} = .{path}'` does")
}

/// The names of a scope, and those among the names that were asked for that are broken elsewhere.
pub(super) trait Scope: Names {
    /// What was asked for and is broken: whoever uses it is not to be blamed.
    fn broken(&self) -> &[String];
}

/// Compiles an expression; its mistakes are reported where they stand in the pack.
pub(super) fn compile(
    ground: &Ground<'_>,
    text: &Text,
    scope: &mut impl Scope,
    expected: &Expected,
    problems: &mut Problems,
) -> Option<Expr> {
    let mistakes = match expr::compile(&text.value, scope, expected) {
        Ok(expr) => return Some(expr),
        Err(mistakes) => mistakes,
    };
    for mistake in mistakes {
        let said = text.value.get(mistake.span.clone()).unwrap_or("");
        if scope.broken().iter().any(|name| said.contains(name.as_str())) {
            continue;
        }
        let span = locate(ground.text, text, &mistake.span);
        problems.add(Problem::Expression { message: mistake.message, help: mistake.help }, &span);
    }
    None
}

/// Where a part of a text stands in the pack: exactly, unless the text is written with escapes.
pub(super) fn locate(source: &str, text: &Text, part: &Range<usize>) -> Range<usize> {
    let Some(raw) = source.get(text.span.clone()) else { return text.span.clone() };
    let delimiter = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|delimiter| raw.starts_with(delimiter));
    let mut begin = delimiter.map_or(0, str::len);
    if begin == 3 {
        begin += raw[3..]
            .bytes()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .take(2)
            .position(|b| b == b'\n')
            .map_or(0, |at| at + 1);
    }
    if raw.get(begin..begin + text.value.len()) != Some(text.value.as_str()) {
        return text.span.clone();
    }
    let start = text.span.start + begin;
    let end = start + part.end.min(text.value.len());
    (start + part.start.min(text.value.len())).min(end)..end
}

/// The fields of a record.
pub(super) struct FieldScope<'a> {
    kinds: &'a [String],
    shape: &'a InputShape,
    broken: Vec<String>,
}

impl<'a> FieldScope<'a> {
    pub(super) fn new(ground: &Ground<'a>, input: InputId) -> FieldScope<'a> {
        FieldScope { kinds: ground.kinds, shape: &ground.inputs[input.index()], broken: Vec::new() }
    }
}

impl Scope for FieldScope<'_> {
    fn broken(&self) -> &[String] {
        &self.broken
    }
}

impl Names for FieldScope<'_> {
    fn resolve(&mut self, path: &[&str]) -> Option<Name> {
        let [name] = path else { return None };
        let Some(field) = self.shape.input.field(name) else {
            if self.shape.is_broken(name) {
                self.broken.push((*name).to_owned());
            }
            return None;
        };
        let ty = self.shape.input.fields[field.index()].ty.clone();
        Some(Name { reference: Ref { scope: 0, slot: field.0 }, ty, never_negative: false })
    }

    fn candidates(&self) -> Vec<String> {
        self.shape.input.fields.iter().map(|field| field.name.clone()).collect()
    }

    fn remedy(&self, path: &[&str]) -> Option<String> {
        let [first, _, ..] = path else { return None };
        Some(if kind_named(self.kinds, first).is_some() {
            format!(
                "an expression over records reads their fields; what belongs to `{first}` stands in attributes and moments"
            )
        } else {
            nested(&path.join("."))
        })
    }

    fn kind_name(&self, kind: KindId) -> String {
        self.kinds.get(kind.index()).cloned().unwrap_or_default()
    }

    fn allows_now(&self) -> bool {
        false
    }
}

/// What is known of a slot while a pack is being checked.
#[derive(Clone, Debug)]
pub(super) enum SlotState {
    /// It could not be understood.
    Broken,
    /// An attribute that is still to be compiled.
    Pending,
    /// It is understood.
    Known { ty: Type, never_negative: bool },
}

/// The slots of a kind of entity: declared features, implied features, attributes.
#[derive(Debug, Default)]
pub(super) struct KindView {
    pub slots: Vec<(String, SlotState)>,
    index: HashMap<String, usize>,
    /// Names that are declared, but not in a way that could be read.
    pub broken: Vec<String>,
}

impl KindView {
    /// Adds a slot; of two with one name the first counts.
    pub(super) fn push(&mut self, name: &str, state: SlotState) {
        self.index.entry(name.to_owned()).or_insert(self.slots.len());
        self.slots.push((name.to_owned(), state));
    }

    /// The slot of a name.
    pub(super) fn slot(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }
}

/// A field of a table that is read as `table.field` by a kind of entity.
pub(super) type Lookup = (KindId, InputId, FieldId);

/// The views that an expression is over.
pub(super) struct ViewScope<'a> {
    ground: &'a Ground<'a>,
    views: &'a [KindView],
    /// Scopes with their kinds, in the order in which names are looked up.
    scopes: Vec<(u8, KindId)>,
    now: bool,
    /// Fields of tables that were asked for and have no slot yet.
    pub requests: Vec<Lookup>,
    /// Attributes (slots) that were asked for and are still to be compiled.
    pub pending: Vec<usize>,
    broken: Vec<String>,
}

impl<'a> ViewScope<'a> {
    /// Over the slots of one kind.
    pub(super) fn of(ground: &'a Ground<'a>, views: &'a [KindView], kind: KindId, now: bool) -> ViewScope<'a> {
        ViewScope {
            ground,
            views,
            scopes: vec![(0, kind)],
            now,
            requests: Vec::new(),
            pending: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Over the slots of a customer and, first, of one of its entities.
    pub(super) fn about(ground: &'a Ground<'a>, views: &'a [KindView], about: Option<KindId>) -> ViewScope<'a> {
        let mut scope = ViewScope::of(ground, views, KindId::CUSTOMER, true);
        if let Some(kind) = about {
            scope.scopes.insert(0, (1, kind));
        }
        scope
    }

    fn slot(&mut self, name: &str, scope: u8, kind: KindId, slot: usize) -> Option<Name> {
        match &self.views[kind.index()].slots[slot].1 {
            SlotState::Known { ty, never_negative } => Some(name_of(scope, slot, ty.clone(), *never_negative)),
            SlotState::Broken => {
                self.broken.push(name.to_owned());
                None
            }
            SlotState::Pending => {
                self.pending.push(slot);
                None
            }
        }
    }

    /// `table.field`: the current row of the entity, when the table is keyed by it.
    fn lookup(&mut self, table: &str, field: &str, scope: u8, kind: KindId) -> Option<Name> {
        let input = self.ground.input(table)?;
        let shape = &self.ground.inputs[input.index()];
        if shape.key_broken || shape.is_broken(field) {
            self.broken.push(field.to_owned());
            return None;
        }
        if lookup_key(&shape.input) != Some(kind) {
            return None;
        }
        let field_id = shape.input.field(field)?;
        let ty = shape.input.fields[field_id.index()].ty.clone();
        let slot = self.views[kind.index()].slot(&format!("{table}.{field}"));
        if slot.is_none() {
            self.requests.push((kind, input, field_id));
        }
        Some(name_of(scope, slot.unwrap_or(0), ty, false))
    }
}

fn name_of(scope: u8, slot: usize, ty: Type, never_negative: bool) -> Name {
    let slot = u16::try_from(slot).unwrap_or(u16::MAX);
    Name { reference: Ref { scope, slot }, ty, never_negative }
}

/// The kind of entity whose rows a table holds, one each.
fn lookup_key(input: &Input) -> Option<KindId> {
    let [key] = input.table.as_ref()?.key.as_slice() else { return None };
    match input.fields[key.index()].ty {
        Type::Id(kind) => Some(kind),
        _ => None,
    }
}

impl Scope for ViewScope<'_> {
    fn broken(&self) -> &[String] {
        &self.broken
    }
}

impl Names for ViewScope<'_> {
    fn resolve(&mut self, path: &[&str]) -> Option<Name> {
        let scopes = self.scopes.clone();
        match path {
            [name] => {
                let found = scopes
                    .iter()
                    .find_map(|&(scope, kind)| self.views[kind.index()].slot(name).map(|slot| (scope, kind, slot)));
                if let Some((scope, kind, slot)) = found {
                    return self.slot(name, scope, kind, slot);
                }
                if scopes.iter().any(|(_, kind)| self.views[kind.index()].broken.iter().any(|broken| broken == name)) {
                    self.broken.push((*name).to_owned());
                }
                None
            }
            [qualifier, name] => {
                for &(scope, kind) in &scopes {
                    if self.ground.kinds[kind.index()] != *qualifier {
                        continue;
                    }
                    let view = &self.views[kind.index()];
                    if let Some(slot) = view.slot(name) {
                        return self.slot(name, scope, kind, slot);
                    }
                    if view.broken.iter().any(|broken| broken == name) {
                        self.broken.push((*name).to_owned());
                    }
                }
                scopes.iter().find_map(|&(scope, kind)| self.lookup(qualifier, name, scope, kind))
            }
            _ => None,
        }
    }

    fn remedy(&self, path: &[&str]) -> Option<String> {
        let is_table = |name: &str| self.ground.input(name).is_some();
        matches!(path, [first, _, _, ..] if is_table(first)).then(|| nested(&path[1..].join(".")))
    }

    fn candidates(&self) -> Vec<String> {
        let mut names = Vec::new();
        // What is said of a pending name is forgotten, and of a broken one too: suggestions would
        // be for nothing.
        if !self.pending.is_empty() || !self.broken.is_empty() {
            return names;
        }
        for &(_, kind) in &self.scopes {
            let entity = &self.ground.kinds[kind.index()];
            for (name, _) in &self.views[kind.index()].slots {
                names.push(name.clone());
                if self.scopes.len() > 1 {
                    names.push(format!("{entity}.{name}"));
                }
            }
            for shape in self.ground.inputs.iter().filter(|shape| !shape.key_broken) {
                if lookup_key(&shape.input) == Some(kind) {
                    let fields = shape.input.fields.iter();
                    names.extend(fields.map(|field| format!("{}.{}", shape.input.name, field.name)));
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    fn kind_name(&self, kind: KindId) -> String {
        self.ground.kinds.get(kind.index()).cloned().unwrap_or_default()
    }

    fn allows_now(&self) -> bool {
        self.now
    }
}
