//! Random packs.

use super::condition::Place;
use super::policy::Contact;
use super::world::{IDS, Input, OTHER_IDS, World};
use super::{Name, PackText, Rng, Ty};

pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

pub(super) fn entry(key: &str, value: impl Into<String>) -> (String, String) {
    (key.to_owned(), value.into())
}

/// A random pack about a world.
pub(crate) fn write(rng: &mut Rng, world: &World) -> PackText {
    let mut pack = PackText::default();
    let mut head = vec![entry("name", quoted("random"))];
    head.extend(rng.chance(30).then(|| entry("version", quoted("2026.1"))));
    head.extend(world.zone.map(|zone| entry("timezone", quoted(zone))));
    pack.keys("pack", None, head);
    for input in world.inputs.iter().chain(&world.contact) {
        write_input(&mut pack, world, input);
    }
    for (position, (input, owners_only)) in world.relations.iter().enumerate() {
        let by = &world.inputs[*input].name;
        let filter = if *owners_only { ", where = \"role == 'O'\"" } else { "" };
        let belongs = format!("{{ customer = \"c\", by = \"{by}\"{filter} }}");
        pack.keys(&format!("entity.{}", world.kinds[position + 1]), None, vec![entry("belongs_to", belongs)]);
    }
    let mut names: Vec<Vec<Name>> = world.kinds.iter().map(|_| Vec::new()).collect();
    for kind in (0..world.kinds.len()).rev() {
        write_features(rng, &mut pack, world, kind, &mut names);
        if !names[kind].is_empty() {
            write_attributes(rng, &mut pack, world, kind, &mut names);
        }
    }
    let mut contact = Contact::new(rng, world);
    write_moments(rng, &mut pack, world, &names, &mut contact);
    contact.write(rng, &mut pack, world, &names);
    pack
}

fn type_text(world: &World, ty: &Ty) -> String {
    match ty {
        Ty::Bool => "bool".to_owned(),
        Ty::Int => "int".to_owned(),
        Ty::Float => "float".to_owned(),
        Ty::Decimal(scale) => format!("decimal({scale})"),
        Ty::Text => "text".to_owned(),
        Ty::Time => "time".to_owned(),
        Ty::Duration => "duration".to_owned(),
        Ty::Id(kind) => format!("id({})", world.kinds[*kind]),
        Ty::List(_) => unreachable!("no field is a list"),
    }
}

fn write_input(pack: &mut PackText, world: &World, input: &Input) {
    let fields = input.fields.iter().map(|field| {
        let optional = if field.optional { "?" } else { "" };
        let ty = format!("{}{optional}", type_text(world, &field.ty));
        if field.column == field.name && field.unit.is_none() {
            return format!("{} = \"{ty}\"", field.name);
        }
        let unit = field.unit.map_or_else(String::new, |unit| format!(", unit = \"{unit}\""));
        format!("{} = {{ type = \"{ty}\", column = \"{}\"{unit} }}", field.name, field.column)
    });
    let mut keys = vec![entry("fields", format!("{{ {} }}", fields.collect::<Vec<_>>().join(", ")))];
    keys.extend(input.timed.then(|| entry("time", quoted("at"))));
    keys.extend(input.about.map(|about| entry("about", quoted(about))));
    keys.extend(input.has("v").then(|| entry("order", quoted("v"))));
    keys.extend(input.format.map(|format| entry("format", format)));
    let section = if input.is_table { "table" } else { "stream" };
    if input.is_table {
        let key: Vec<String> = input.key.iter().map(|field| quoted(field)).collect();
        keys.push(entry("key", format!("[{}]", key.join(", "))));
        keys.extend(input.deletes.then(|| entry("delete", "\"role == 'X'\"")));
    }
    pack.keys(&format!("{section}.{}", input.name), None, keys);
}

fn write_features(rng: &mut Rng, pack: &mut PackText, world: &World, kind: usize, names: &mut [Vec<Name>]) {
    for number in 0..=rng.below(5) {
        let rollup = kind == 0 && world.kinds.len() > 1 && rng.chance(40);
        let over = if rollup { 1 + rng.below(world.kinds.len() - 1) } else { 0 };
        let written = if rollup && !names[over].is_empty() {
            let over_keys = vec![entry("over", quoted(world.kinds[over]))];
            aggregate(rng, over_keys, &names[over], true, world.grain)
        } else {
            over_records(rng, world, kind)
        };
        if let Some((keys, mut name)) = written {
            name.text = format!("f{number}");
            pack.keys(&format!("{}.feature", world.kinds[kind]), Some(&name.text), keys);
            names[kind].push(name);
        }
    }
}

type Written = (Vec<(String, String)>, Name);

fn over_records(rng: &mut Rng, world: &World, kind: usize) -> Option<Written> {
    let grain = world.grain;
    let naming = |input: &&Input| input.has(IDS[kind]);
    let fitting: Vec<&Input> = world.inputs.iter().filter(naming).collect();
    if fitting.is_empty() {
        return None;
    }
    let input = *rng.pick(&fitting);
    let mut keys = vec![entry("from", quoted(&input.name))];
    let (first, second) = (IDS[kind], OTHER_IDS[kind]);
    if input.has(second) && rng.chance(50) {
        keys.push(entry("by", quoted(second)));
    } else if rng.chance(20) || (input.has(second) && input.about != Some(first)) {
        keys.push(entry("by", quoted(first)));
    }
    let names = input.names();
    let (mut keys, name) = aggregate(rng, keys, &names, false, grain)?;
    let place = Place { names: &names, now: false, grain };
    match rng.below(12) {
        0..=2 => keys.push(entry("window", quoted(&format!("{}ms", grain * rng.between(1, 100))))),
        3..=5 => {
            keys.push(entry("window", quoted(&format!("{}ms", grain * rng.between(1, 100)))));
            keys.push(entry("pane", quoted(&format!("{}ms", grain * rng.pick(&[1, 7, 10, 16, 50])))));
        }
        6 => {
            if let (Some(first), Some(second)) = (place.value(rng, &Ty::Time, 1), place.value(rng, &Ty::Time, 1)) {
                let (before, after) = (grain * rng.between(0, 30), grain * rng.between(0, 60));
                keys.push(entry("during", format!("[\"{first} - {before}ms\", \"{second} + {after}ms\"]")));
            }
        }
        _ => {}
    }
    Some((keys, name))
}

const AGGREGATES: [&str; 11] =
    ["count", "sum", "avg", "stddev", "min", "max", "first", "last", "distinct", "set", "top"];

/// An aggregate of an expression over names, perhaps of only some.
fn aggregate(
    rng: &mut Rng,
    mut keys: Vec<(String, String)>,
    names: &[Name],
    rollup: bool,
    grain: i64,
) -> Option<Written> {
    let place = Place { names, now: false, grain };
    let how = *rng.pick(&AGGREGATES);
    if rollup && (how == "first" || how == "last") {
        return None;
    }
    if rng.chance(35) {
        keys.push(entry("where", quoted(&place.condition(rng, 1))));
    }
    let numeric = |ty: &Ty| matches!(ty, Ty::Int | Ty::Float | Ty::Decimal(_));
    let fits = |name: &&Name| match how {
        "stddev" => numeric(&name.ty) && !name.huge,
        "sum" => numeric(&name.ty) || name.ty == Ty::Duration,
        // A mean of times may lie between the grains.
        "avg" => numeric(&name.ty) || (grain == 1 && matches!(name.ty, Ty::Duration | Ty::Time)),
        _ => !matches!(name.ty, Ty::List(_)),
    };
    if how == "count" && rng.chance(60) {
        keys.push(entry("count", "true"));
        return Some((keys, Name { never_negative: true, ..Name::of("", Ty::Int) }));
    }
    let fitting: Vec<&Name> = names.iter().filter(fits).collect();
    if fitting.is_empty() {
        return None;
    }
    let name = (*rng.pick(&fitting)).clone();
    // Only names that fit as well may take part.
    let fitting: Vec<Name> = fitting.into_iter().cloned().collect();
    let argument = if name.huge || rng.chance(60) {
        name.text.clone()
    } else {
        Place { names: &fitting, now: false, grain }.value(rng, &name.ty, 1)?
    };
    keys.push(entry(how, quoted(&argument)));
    let list = how == "set" || (how == "top" && rng.chance(50));
    if list && (how == "top" || rng.chance(60)) {
        keys.push(entry("at_most", rng.between(1, 3).to_string()));
    }
    let ty = match (how, name.ty.clone()) {
        ("count" | "distinct", _) => Ty::Int,
        ("stddev", _) | ("avg", Ty::Int) => Ty::Float,
        (_, ty) if list => Ty::List(Box::new(ty)),
        (_, ty) => ty,
    };
    let counts = matches!(how, "count" | "distinct");
    Some((keys, Name { never_negative: counts, huge: name.huge && !counts, ..Name::of("", ty) }))
}

fn write_attributes(rng: &mut Rng, pack: &mut PackText, world: &World, kind: usize, names: &mut [Vec<Name>]) {
    let mut known = names[kind].clone();
    known.extend(extras(world, kind));
    let mut written = Vec::new();
    for number in 0..rng.below(4) {
        let place = Place { names: &known, now: true, grain: world.grain };
        let (expression, mut name) = if rng.chance(50) {
            (place.condition(rng, 2), Name::of("", Ty::Bool))
        } else {
            let of = rng.pick(&known).clone();
            let Some(value) = place.value(rng, &of.ty, 2) else { continue };
            (value, Name::of("", of.ty))
        };
        name.text = format!("g{number}");
        known.push(name.clone());
        names[kind].push(name.clone());
        written.push((name.text, expression));
    }
    rng.shuffle(&mut written);
    for (name, expression) in written {
        let body = super::Body::Plain(quoted(&expression));
        let section = format!("{}.attribute", world.kinds[kind]);
        pack.declarations.push(super::Declaration { section, name: Some(name), body });
    }
}

/// The fields of tables that are keyed by the id of a kind alone.
pub(super) fn extras(world: &World, kind: usize) -> Vec<Name> {
    let keyed = world.inputs.iter().chain(&world.contact).filter(|input| input.key == [IDS[kind]]);
    keyed
        .flat_map(|input| {
            input.names().into_iter().map(|name| Name { text: format!("{}.{}", input.name, name.text), ..name })
        })
        .collect()
}

fn write_moments(rng: &mut Rng, pack: &mut PackText, world: &World, names: &[Vec<Name>], contact: &mut Contact) {
    for number in 0..contact.moments() {
        let about = rng.below(world.kinds.len());
        let mut known = names[about].clone();
        known.extend(extras(world, about));
        if about > 0 {
            for name in &mut known {
                if rng.chance(30) && !name.text.contains('.') {
                    name.text = format!("{}.{}", world.kinds[about], name.text);
                }
            }
            let hidden = |text: &str| names[about].iter().any(|name| name.text == text);
            for name in &names[0] {
                let text = if hidden(&name.text) || rng.chance(30) {
                    format!("customer.{}", name.text)
                } else {
                    name.text.clone()
                };
                known.push(Name { text, ..name.clone() });
            }
        }
        if known.is_empty() {
            continue;
        }
        let place = Place { names: &known, now: true, grain: world.grain };
        let mut keys = vec![entry("when", quoted(&place.condition(rng, 2)))];
        keys.extend((about > 0).then(|| entry("about", quoted(world.kinds[about]))));
        keys.extend(rng.chance(60).then(|| entry("for", quoted(&format!("{}ms", world.grain * rng.between(0, 25))))));
        keys.extend(rng.chance(20).then(|| entry("version", quoted("7"))));
        keys.push(entry("value", "{ kind = \"economic\", benefit = \"a gain in words\" }"));
        contact.write_moment(rng, number, &mut keys, place);
        pack.keys(&format!("moment.m{number}"), None, keys);
    }
}
