//! The declarations of a pack, read from its text. The pack is known to be valid: whatever is wrong
//! panics.

use toml::{Table, Value};

use super::expr::{Node, Uses, read};
use super::policy::{Policy, Rules, moment};
use super::value::{Ty, V, read_duration};

pub(crate) struct Pack {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) inputs: Vec<Input>,
    /// Input, field and kind: the records of the input feed a feature of the entity that the field
    /// names.
    pub(crate) feeds: Vec<(usize, usize, usize)>,
    /// The customer is the first.
    pub(crate) kinds: Vec<Kind>,
    /// In the order of their names.
    pub(crate) moments: Vec<Moment>,
    pub(crate) policy: Policy,
}

pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) time: Option<usize>,
    /// Field and kind.
    pub(crate) about: Option<(usize, usize)>,
    pub(crate) order: Option<usize>,
    /// The primary key of a table.
    pub(crate) key: Option<Vec<usize>>,
    pub(crate) delete: Option<Node>,
    /// Between the values of its delimited files.
    pub(crate) delimiter: char,
    /// Whether these name their columns.
    pub(crate) header: bool,
}

pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) column: String,
    pub(crate) ty: Ty,
    pub(crate) optional: bool,
    /// What the numbers of a time count: `s`, `ms`, `us` or `ns`.
    pub(crate) unit: String,
}

/// A kind of entity. Its slots are the features, the attributes, then the fields of tables that are
/// keyed by it alone.
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) relation: Option<Relation>,
    pub(crate) features: Vec<Feature>,
    pub(crate) attributes: Vec<Attribute>,
    /// Attributes, each after those that it uses.
    pub(crate) evaluation: Vec<usize>,
    /// Input and field.
    pub(crate) extras: Vec<(usize, usize)>,
}

pub(crate) struct Relation {
    pub(crate) input: usize,
    pub(crate) customer: usize,
    pub(crate) entity: usize,
    pub(crate) filter: Option<Node>,
}

pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) ty: Ty,
    pub(crate) source: Source,
    pub(crate) aggregate: String,
    pub(crate) at_most: Option<usize>,
    pub(crate) argument: Option<Node>,
    pub(crate) filter: Option<Node>,
    pub(crate) interval: Interval,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Source {
    /// Input and the field with the id.
    Records(usize, usize),
    /// The entities of a kind.
    Entities(usize),
}

pub(crate) enum Interval {
    Always,
    Window(i64, Option<i64>),
    During(Node, Node),
}

pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) ty: Ty,
    pub(crate) expr: Node,
}

pub(crate) struct Moment {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) about: Option<usize>,
    pub(crate) when: Node,
    pub(crate) for_ms: i64,
    pub(crate) uses: Uses,
    /// What it says of policy.
    pub(crate) rules: Rules,
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

pub(crate) fn table<'a>(parent: &'a Table, name: &str) -> Vec<(&'a String, &'a Table)> {
    let Some(section) = parent.get(name) else { return Vec::new() };
    let section = section.as_table().expect("a table");
    section.iter().map(|(name, value)| (name, value.as_table().expect("a table"))).collect()
}

impl Pack {
    pub(crate) fn read(source: &str) -> Pack {
        let root: Table = source.parse().expect("TOML");
        let version = root["pack"].get("version").map_or("1", text).to_owned();
        let name = text(&root["pack"]["name"]).to_owned();
        let mut kind_names = vec!["customer".to_owned()];
        kind_names.extend(table(&root, "entity").iter().map(|(name, _)| (*name).clone()));
        let mut inputs = Vec::new();
        // Streams and tables of one pack have different names; their order does not matter.
        for (name, declared) in table(&root, "stream").into_iter().chain(table(&root, "table")) {
            inputs.push(input(name, declared, &kind_names));
        }
        let mut pack = Pack {
            name,
            version,
            inputs,
            feeds: Vec::new(),
            kinds: Vec::new(),
            moments: Vec::new(),
            policy: Policy::default(),
        };
        let mut kinds: Vec<Kind> =
            kind_names.iter().enumerate().map(|(kind, name)| pack.kind(kind, name, &root)).collect();
        // Entities first: the customer's rollups use them.
        for kind in (0..kinds.len()).rev() {
            if let Some(section) = root.get(&kind_names[kind]) {
                let section = section.as_table().expect("a table");
                for (name, declared) in table(section, "feature") {
                    let feature = pack.feature(kind, name, declared, &kinds);
                    kinds[kind].features.push(feature);
                }
                if let Some(declared) = section.get("attribute") {
                    pack.attributes(&mut kinds[kind], declared.as_table().expect("a table"));
                }
            }
        }
        let mut moments: Vec<Moment> =
            table(&root, "moment").into_iter().map(|(name, declared)| moment(&pack, name, declared, &kinds)).collect();
        moments.sort_by(|a, b| a.name.cmp(&b.name));
        for (kind, declared) in kinds.iter().enumerate() {
            for feature in &declared.features {
                if let Source::Records(input, field) = feature.source {
                    pack.feeds.push((input, field, kind));
                }
            }
            // A field of a table that any expression uses is a feature too.
            for (input, field) in &declared.extras {
                let path = format!("{}.{}", pack.inputs[*input].name, pack.inputs[*input].fields[*field].name);
                if source.contains(&path) {
                    let key = pack.inputs[*input].key.as_ref().expect("a table")[0];
                    pack.feeds.push((*input, key, kind));
                }
            }
        }
        pack.kinds = kinds;
        let mut policy = Policy::read(&pack, &root);
        policy.mark_data(&pack, &mut moments);
        pack.policy = policy;
        pack.moments = moments;
        pack
    }

    pub(crate) fn input_of(&self, name: &str) -> usize {
        self.inputs.iter().position(|input| input.name == name).expect("a known input")
    }

    fn kind(&self, kind: usize, name: &str, root: &Table) -> Kind {
        let relation = root.get("entity").and_then(|entities| entities.get(name)).map(|declared| {
            let belongs = declared["belongs_to"].as_table().expect("a table");
            let input = self.input_of(text(&belongs["by"]));
            let entity = belongs.get("entity").map(|field| self.inputs[input].field(text(field)));
            Relation {
                input,
                customer: self.inputs[input].field(text(&belongs["customer"])),
                entity: entity.unwrap_or_else(|| self.inputs[input].only_id(kind)),
                filter: belongs.get("where").map(|condition| self.over_record(input, text(condition))),
            }
        });
        let mut extras = Vec::new();
        for (position, input) in self.inputs.iter().enumerate() {
            if let Some([key]) = input.key.as_deref()
                && input.fields[*key].ty == Ty::Id(kind)
            {
                extras.extend((0..input.fields.len()).map(|field| (position, field)));
            }
        }
        Kind {
            name: name.to_owned(),
            relation,
            features: Vec::new(),
            attributes: Vec::new(),
            evaluation: Vec::new(),
            extras,
        }
    }

    pub(crate) fn over_record(&self, input: usize, source: &str) -> Node {
        self.inputs[input].expr(source)
    }

    fn feature(&self, kind: usize, name: &str, declared: &Table, kinds: &[Kind]) -> Feature {
        let aggregate = ["count", "sum", "avg", "stddev", "min", "max", "first", "last", "distinct", "set", "top"]
            .into_iter()
            .find(|aggregate| declared.contains_key(*aggregate))
            .expect("an aggregate");
        let source = match declared.get("over") {
            Some(over) => Source::Entities(kinds.iter().position(|kind| kind.name == text(over)).expect("a kind")),
            None => {
                let input = self.input_of(text(&declared["from"]));
                let by = declared.get("by").map(|field| self.inputs[input].field(text(field)));
                Source::Records(input, by.unwrap_or_else(|| self.inputs[input].naming(kind)))
            }
        };
        let read_expr = |source_text: &str| match source {
            Source::Records(input, _) => self.over_record(input, source_text),
            Source::Entities(over) => {
                let resolve = |path: &[&str]| kinds[over].resolve(&self.inputs, 0, path);
                read(source_text, &resolve).expect("an expression over an entity").0
            }
        };
        let argument = match &declared[aggregate] {
            Value::Boolean(true) => None,
            argument => Some(read_expr(text(argument))),
        };
        let filter = declared.get("where").map(|condition| read_expr(text(condition)));
        let at_most = declared.get("at_most").map(|most| most.as_integer().expect("a number") as usize);
        let of = argument.as_ref().map_or(Ty::Bool, |node| node.ty.kept());
        let ty = match aggregate {
            "count" | "distinct" => Ty::Int,
            "stddev" => Ty::Float,
            "avg" if of == Ty::Int => Ty::Float,
            "set" => Ty::List(Box::new(of)),
            "top" if at_most.is_some() => Ty::List(Box::new(of)),
            _ => of,
        };
        let span = |key: &str| declared.get(key).map(|length| read_duration(text(length)).expect("a duration"));
        let interval = match (declared.get("during"), source) {
            (Some(during), Source::Records(input, _)) => {
                let bounds = during.as_array().expect("two expressions");
                Interval::During(self.over_record(input, text(&bounds[0])), self.over_record(input, text(&bounds[1])))
            }
            _ => span("window").map_or(Interval::Always, |length| Interval::Window(length, span("pane"))),
        };
        Feature {
            name: name.to_owned(),
            ty,
            source,
            aggregate: aggregate.to_owned(),
            at_most,
            argument,
            filter,
            interval,
        }
    }

    /// Attributes may use each other in any order: they are read as soon as what they use is known.
    fn attributes(&self, kind: &mut Kind, declared: &Table) {
        let names: Vec<&String> = declared.keys().collect();
        let mut read_so_far: Vec<Option<Attribute>> = names.iter().map(|_| None).collect();
        let mut evaluation = Vec::new();
        while evaluation.len() < names.len() {
            let before = evaluation.len();
            for (position, name) in names.iter().enumerate() {
                if read_so_far[position].is_some() {
                    continue;
                }
                let resolve = |path: &[&str]| {
                    if let [name] = path
                        && let Some(at) = names.iter().position(|other| other == name)
                    {
                        let attribute = read_so_far[at].as_ref()?;
                        return Some((0, kind.features.len() + at, attribute.ty.clone()));
                    }
                    kind.resolve_with(&self.inputs, names.len(), 0, path)
                };
                if let Ok((expr, _)) = read(text(&declared[*name]), &resolve) {
                    let ty = expr.ty.kept();
                    read_so_far[position] = Some(Attribute { name: (*name).clone(), ty, expr });
                    evaluation.push(position);
                }
            }
            assert!(evaluation.len() > before, "attributes that cannot be read: {names:?}");
        }
        kind.attributes = read_so_far.into_iter().flatten().collect();
        kind.evaluation = evaluation;
    }
}

impl Input {
    pub(crate) fn field(&self, name: &str) -> usize {
        self.fields.iter().position(|field| field.name == name).expect("a known field")
    }

    fn only_id(&self, kind: usize) -> usize {
        self.fields.iter().position(|field| field.ty == Ty::Id(kind)).expect("a field with the id")
    }

    /// The field that names an entity of a kind: `about`, or the only one.
    fn naming(&self, kind: usize) -> usize {
        match self.about {
            Some((field, of)) if of == kind => field,
            _ => self.only_id(kind),
        }
    }

    fn expr(&self, source: &str) -> Node {
        let resolve = |path: &[&str]| {
            let position = self.fields.iter().position(|field| [field.name.as_str()] == path)?;
            Some((0, position, self.fields[position].ty.clone()))
        };
        read(source, &resolve).expect("an expression over a record").0
    }
}

impl Kind {
    pub(crate) fn resolve(&self, inputs: &[Input], scope: usize, path: &[&str]) -> Option<(usize, usize, Ty)> {
        self.resolve_with(inputs, self.attributes.len(), scope, path)
    }

    fn resolve_with(
        &self,
        inputs: &[Input],
        attributes: usize,
        scope: usize,
        path: &[&str],
    ) -> Option<(usize, usize, Ty)> {
        let features = self.features.len();
        match path {
            [name] => {
                if let Some(at) = self.features.iter().position(|feature| feature.name == *name) {
                    return Some((scope, at, self.features[at].ty.clone()));
                }
                let at = self.attributes.iter().position(|attribute| attribute.name == *name)?;
                Some((scope, features + at, self.attributes[at].ty.clone()))
            }
            [table, field] => {
                let at = self.extras.iter().position(|(input, position)| {
                    inputs[*input].name == *table && inputs[*input].fields[*position].name == *field
                })?;
                let (input, position) = self.extras[at];
                Some((scope, features + attributes + at, inputs[input].fields[position].ty.clone()))
            }
            _ => None,
        }
    }
}

fn input(name: &str, declared: &Table, kinds: &[String]) -> Input {
    let fields: Vec<Field> = declared["fields"]
        .as_table()
        .expect("fields")
        .iter()
        .map(|(name, declared)| {
            let (ty, column, unit) = match declared {
                Value::Table(long) => (
                    text(&long["type"]),
                    long.get("column").map_or(name.as_str(), text),
                    long.get("unit").map_or("ms", text),
                ),
                short => (text(short), name.as_str(), "ms"),
            };
            let (ty, optional) = ty.strip_suffix('?').map_or((ty, false), |ty| (ty, true));
            Field {
                name: name.clone(),
                column: column.to_owned(),
                ty: field_type(ty, kinds),
                optional,
                unit: unit.to_owned(),
            }
        })
        .collect();
    let format = |key: &str| declared.get("format").and_then(|format| format.get(key));
    let mut input = Input {
        name: name.to_owned(),
        fields,
        time: None,
        about: None,
        order: None,
        key: None,
        delete: None,
        delimiter: format("delimiter").map_or(',', |text| self::text(text).chars().next().expect("a delimiter")),
        header: format("header").and_then(Value::as_bool) != Some(false),
    };
    input.time = declared.get("time").map(|field| input.field(text(field)));
    input.order = declared.get("order").map(|field| input.field(text(field)));
    input.about = declared.get("about").map(|field| {
        let field = input.field(text(field));
        let Ty::Id(kind) = input.fields[field].ty else { panic!("about is an id") };
        (field, kind)
    });
    input.key = declared
        .get("key")
        .map(|key| key.as_array().expect("a list of fields").iter().map(|field| input.field(text(field))).collect());
    input.delete = declared.get("delete").map(|condition| input.expr(text(condition)));
    input
}

fn field_type(ty: &str, kinds: &[String]) -> Ty {
    let inner = |prefix: &str| ty.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')'));
    match ty {
        "int" => Ty::Int,
        "float" => Ty::Float,
        "bool" => Ty::Bool,
        "text" => Ty::Text,
        "time" => Ty::Time,
        "duration" => Ty::Duration,
        _ => match (inner("decimal("), inner("id(")) {
            (Some(scale), _) => Ty::Decimal(scale.parse().expect("a scale")),
            (_, Some(kind)) => Ty::Id(kinds.iter().position(|name| name == kind).expect("a kind")),
            _ => panic!("not a type: {ty}"),
        },
    }
}

/// What an aggregate gives over nothing.
pub(crate) fn over_nothing(feature: &Feature) -> V {
    match (feature.aggregate.as_str(), &feature.ty) {
        ("count" | "distinct", _) | ("sum", Ty::Int) => V::Int(0),
        ("sum", Ty::Decimal(scale)) => V::Decimal(0, *scale),
        ("sum", Ty::Float) => V::Float(0.0),
        ("sum", _) => V::Duration(0),
        _ => V::Null,
    }
}
