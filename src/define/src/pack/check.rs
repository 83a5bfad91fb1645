//! Checking a whole pack: from raw declarations to a plan.
//!
//! ```text
//! inputs → relations → features over records → attributes of entities → rollups → attributes of customers → moments
//! ```
//!
//! The slots of an entity are its declared features, then those that `table.field` implies, then
//! its attributes. Which ones are implied is known only when everything has been compiled, so the
//! part behind the inputs is done again when the first pass finds any; the second pass finds no
//! more.

use std::collections::{BTreeMap, HashSet};

use jiff::tz::TimeZone;

use super::attributes::{Attributes, compile_all};
use super::cases::Cases;
use super::checked::CheckedKind;
use super::customer::PolicyGround;
use super::data::DataOf;
use super::lint::Lint;
use super::moments::{MomentGround, texts};
use super::policy::PolicyDone;
use super::problem::{Problem, Problems};
use super::raw;
use super::scope::{FieldScope, Ground, InputShape, KindView, Lookup, SlotState, compile};
use super::spot::Spot;
use super::spot::Text;
use super::words::{check_slot_name, is_name, shortened};
use super::{features, inputs, lint, policy};
use crate::expr::{Expected, Expr};
use crate::plan::{Channel, Entity, Moment, Plan, Relation, TestCase, Texts};
use propice_model::limits::{DECLARATIONS, FIELDS, SLOTS};
use propice_model::nearest::nearest;
use propice_model::{InputId, KindId, Type};

/// What a pass finds.
struct Pass {
    kinds: Vec<CheckedKind>,
    moments: Vec<Option<Moment>>,
    policy: PolicyDone,
    requests: Vec<Lookup>,
    problems: Problems,
}

/// The plan of a pack with what it is warned of, or all its problems.
pub(super) fn pack(text: &str, raw: &raw::Pack, mut problems: Problems) -> Result<(Plan, Problems), Problems> {
    check_limits(raw, &mut problems);
    if raw.inputs.len().max(raw.entities.len()).max(raw.moments.len()) > DECLARATIONS {
        return Err(problems);
    }
    let zone = zone(raw, &mut problems);
    let mut kinds = vec!["customer".to_owned()];
    kinds.extend(raw.entities.iter().map(|entity| entity.name.value.clone()));
    check_duplicate_inputs(raw, &mut problems);
    let shapes: Vec<InputShape> = raw.inputs.iter().map(|input| inputs::input(input, &kinds, &mut problems)).collect();
    let channels = channels(raw);

    let ground = Ground { text, kinds: &kinds, inputs: &shapes };
    let deletes = deletes(&ground, raw, &mut problems);
    let relations: Vec<Option<Relation>> =
        raw.entities.iter().map(|entity| relation(&ground, entity, &mut problems)).collect();
    check_names(&ground, raw, &mut problems);
    let mut pass = passes(&ground, raw, &channels);
    problems.append(std::mem::take(&mut pass.problems));
    let cases = Cases { ground: &ground, moments: &raw.moments, zone: &zone };
    let tests: Vec<Option<TestCase>> = raw.tests.iter().map(|test| cases.check(test, &mut problems)).collect();
    if problems.has_errors() {
        return Err(problems);
    }
    let parts = Understood { raw, zone, kinds: kinds.clone(), channels, deletes, relations, tests, pass };
    match assemble(parts, shapes) {
        Some(plan) => Ok((plan, problems)),
        None => {
            // Everything that is left out has been reported; should that ever fail, it is still no
            // plan.
            problems.add(Problem::Syntax { message: "it could not be understood".to_owned() }, &(0..0));
            Err(problems)
        }
    }
}

fn check_limits(raw: &raw::Pack, problems: &mut Problems) {
    let mut check = |what: &'static str, limit: usize, spans: Vec<&std::ops::Range<usize>>| {
        if let Some(span) = spans.get(limit) {
            problems.add(Problem::TooMany { what, limit }, span);
        }
    };
    check("inputs", DECLARATIONS, raw.inputs.iter().map(|input| &input.name.span).collect());
    check("entities", DECLARATIONS, raw.entities.iter().map(|entity| &entity.name.span).collect());
    check("moments", DECLARATIONS, raw.moments.iter().map(|moment| &moment.name.span).collect());
    for input in &raw.inputs {
        check("fields of an input", FIELDS, input.fields.iter().map(|field| &field.name.span).collect());
    }
    for view in &raw.views {
        let features = view.features.iter().map(|feature| &feature.name.span);
        let attributes = view.attributes.iter().map(|attribute| &attribute.name.span);
        check("features and attributes of an entity", SLOTS, features.chain(attributes).collect());
    }
}

/// The zone of the pack.
fn zone(raw: &raw::Pack, problems: &mut Problems) -> String {
    let Some(text) = &raw.timezone else { return "UTC".to_owned() };
    if TimeZone::get(&text.value).is_err() {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let nearest = nearest(&text.value, known.iter().map(String::as_str));
        problems.add(Problem::UnknownZone { found: shortened(&text.value), nearest }, &text.span);
        return "UTC".to_owned();
    }
    text.value.clone()
}

/// A stream and a table cannot have one name.
fn check_duplicate_inputs(raw: &raw::Pack, problems: &mut Problems) {
    let mut seen = HashSet::new();
    for input in &raw.inputs {
        if !seen.insert(input.name.value.as_str()) {
            problems.add(Problem::Duplicate { what: "input", name: input.name.value.clone() }, &input.name.span);
        }
    }
}

/// The conditions that delete rows, per input.
fn deletes(ground: &Ground<'_>, raw: &raw::Pack, problems: &mut Problems) -> Vec<Option<Expr>> {
    let delete = |(position, input): (usize, &raw::Input)| {
        let text = input.delete.as_ref()?;
        let mut scope = FieldScope::new(ground, InputId(position as u16));
        compile(ground, text, &mut scope, &Expected::Condition, problems)
    };
    raw.inputs.iter().enumerate().map(delete).collect()
}

/// What relates an entity to customers.
fn relation(ground: &Ground<'_>, entity: &raw::Entity, problems: &mut Problems) -> Option<Relation> {
    let kind = ground.kind(&entity.name.value)?;
    let raw = entity.belongs_to.as_ref()?;
    let input = features::input_named(ground, raw.by.as_ref()?, problems)?;
    let customer = id_field(ground, input, "customer", raw.customer.as_ref(), KindId::CUSTOMER, problems);
    let entity = match &raw.entity {
        Some(text) => id_field(ground, input, "entity", Some(text), kind, problems),
        None => features::only_id_field(ground, kind, input, "entity", &raw.span, problems),
    };
    let mut scope = FieldScope::new(ground, input);
    let filter = match &raw.filter {
        Some(text) => Some(compile(ground, text, &mut scope, &Expected::Condition, problems)?),
        None => None,
    };
    Some(Relation { input, customer: customer?, entity: entity?, filter })
}

/// The field of a name, which has to hold the id of an entity of this kind.
fn id_field(
    ground: &Ground<'_>,
    input: InputId,
    key: &'static str,
    text: Option<&Text>,
    kind: KindId,
    problems: &mut Problems,
) -> Option<propice_model::FieldId> {
    let text = text?;
    let shape = &ground.inputs[input.index()];
    let field = inputs::field_named(shape, &features::place_of(ground, input), text, problems)?;
    let found = &shape.input.fields[field.index()].ty;
    if *found == Type::Id(kind) {
        return Some(field);
    }
    let (expected, found) = (format!("`{}`", ground.type_name(&Type::Id(kind))), ground.type_name(found));
    problems.add(Problem::FieldType { key, field: text.value.clone(), expected, found }, &text.span);
    None
}

/// The names of features and attributes, and what their keys must be together.
fn check_names(ground: &Ground<'_>, raw: &raw::Pack, problems: &mut Problems) {
    let mut taken: Vec<&str> = ground.kinds.iter().map(String::as_str).collect();
    taken.extend(raw.inputs.iter().filter(|input| input.table).map(|input| input.name.value.as_str()));
    for view in &raw.views {
        let mut seen = HashSet::new();
        for feature in &view.features {
            check_slot_name("a feature", &feature.name, &taken, problems);
            features::check_keys(feature, problems);
            if !seen.insert(feature.name.value.as_str()) {
                let (what, name) = ("feature or attribute", feature.name.value.clone());
                problems.add(Problem::Duplicate { what, name }, &feature.name.span);
            }
        }
        for attribute in &view.attributes {
            check_slot_name("an attribute", &attribute.name, &taken, problems);
            if !seen.insert(attribute.name.value.as_str()) {
                let (what, name) = ("feature or attribute", attribute.name.value.clone());
                problems.add(Problem::Duplicate { what, name }, &attribute.name.span);
            }
        }
    }
}

/// The channels that are declared, and those that moments name without a declaration: a channel
/// needs one only when something has to be said about it. A name that is near a declared one is
/// taken for a mistake, and left to be reported.
fn channels(raw: &raw::Pack) -> Vec<Channel> {
    let declared: Vec<&str> = raw.channels.iter().map(|channel| channel.name.value.as_str()).collect();
    let mut channels: Vec<Channel> = raw
        .channels
        .iter()
        .map(|channel| Channel {
            name: channel.name.value.clone(),
            label: texts(&channel.label),
            topic: channel.topic.clone(),
            human: channel.human,
        })
        .collect();
    for named in raw.moments.iter().flat_map(|moment| &moment.channels).chain(&raw.policy.human) {
        let known = channels.iter().any(|channel| channel.name == named.value);
        if !known && is_name(&named.value) && nearest(&named.value, declared.iter().copied()).is_none() {
            channels.push(Channel { name: named.value.clone(), label: Texts::new(), topic: None, human: false });
        }
    }
    channels.sort_by(|a, b| a.name.cmp(&b.name));
    channels
}

/// Passes until none asks for a field of a table that has no slot yet.
fn passes(ground: &Ground<'_>, raw: &raw::Pack, channels: &[Channel]) -> Pass {
    let mut implied: Vec<Lookup> = Vec::new();
    loop {
        let mut pass = one_pass(ground, raw, channels, &implied);
        let before = implied.len();
        for request in std::mem::take(&mut pass.requests) {
            if !implied.contains(&request) {
                implied.push(request);
            }
        }
        if implied.len() == before || implied.len() > SLOTS {
            for (kind, name) in pass.kinds.iter().zip(ground.kinds) {
                if kind.features.len() + kind.attributes.len() > SLOTS || implied.len() > SLOTS {
                    let view = raw.views.iter().find(|view| view.entity.value == *name);
                    let span = view.map_or(0..0, |view| view.entity.span.clone());
                    let what = "features and attributes of an entity";
                    pass.problems.add(Problem::TooMany { what, limit: SLOTS }, &span);
                    break;
                }
            }
            return pass;
        }
    }
}

fn one_pass(ground: &Ground<'_>, raw: &raw::Pack, channels: &[Channel], implied: &[Lookup]) -> Pass {
    let mut pass = Pass {
        kinds: Vec::new(),
        moments: Vec::new(),
        policy: PolicyDone::default(),
        requests: Vec::new(),
        problems: Problems::default(),
    };
    let declared: Vec<Option<&raw::View>> =
        ground.kinds.iter().map(|kind| raw.views.iter().find(|view| view.entity.value == *kind)).collect();
    let mut views = start(ground, &declared, implied, &mut pass);
    // The customer comes last: its rollups look at the slots of its entities.
    for position in (1..views.len()).chain(0..1) {
        let kind = KindId(position as u16);
        let Some(view) = declared[position] else { continue };
        for (slot, feature) in view.features.iter().enumerate().filter(|(_, feature)| features::is_rollup(feature)) {
            let done = features::of_entities(ground, &views, kind, feature, &mut pass.requests, &mut pass.problems);
            views[position].slots[slot].1 = features::state_of(done.as_ref());
            pass.kinds[position].features[slot] = done;
        }
        let first = pass.kinds[position].features.len();
        let Attributes { compiled, evaluation } =
            compile_all(ground, &view.attributes, &mut views, (kind, first), &mut pass.requests, &mut pass.problems);
        pass.kinds[position].attributes = compiled;
        pass.kinds[position].evaluation = evaluation;
    }
    moments_and_policy(ground, raw, channels, &views, &mut pass);
    pass
}

/// The features over records, and views in which rollups are broken and attributes pending.
fn start(ground: &Ground<'_>, declared: &[Option<&raw::View>], implied: &[Lookup], pass: &mut Pass) -> Vec<KindView> {
    let mut views = Vec::new();
    for (position, raw) in declared.iter().enumerate() {
        let kind = KindId(position as u16);
        let mut view = KindView::default();
        let mut done = CheckedKind { features: Vec::new(), attributes: Vec::new(), evaluation: Vec::new() };
        for raw in raw.iter().flat_map(|raw| &raw.features) {
            let feature = features::of_records(ground, kind, raw, &mut pass.problems);
            view.push(&raw.name.value, features::state_of(feature.as_ref()));
            done.features.push(feature);
        }
        for &(_, input, field) in implied.iter().filter(|(of, _, _)| *of == kind) {
            let feature = features::implied(ground, input, field, &mut pass.problems);
            let input = &ground.inputs[input.index()].input;
            let name = format!("{}.{}", input.name, input.fields[field.index()].name);
            view.push(&name, features::state_of(feature.as_ref()));
            done.features.push(feature);
        }
        for raw in raw.iter().flat_map(|raw| &raw.attributes) {
            view.push(&raw.name.value, SlotState::Pending);
        }
        view.broken = raw.map_or_else(Vec::new, |raw| raw.broken.clone());
        views.push(view);
        pass.kinds.push(done);
    }
    views
}

fn moments_and_policy(ground: &Ground<'_>, raw: &raw::Pack, channels: &[Channel], views: &[KindView], pass: &mut Pass) {
    let against = PolicyGround { ground, views, channels, raw };
    pass.policy = policy::policy(&against, &mut pass.requests, &mut pass.problems);
    let mut names: Vec<&str> = raw.moments.iter().map(|moment| moment.name.value.as_str()).collect();
    names.sort_unstable();
    let version = raw.version.as_ref().map_or("1", |version| version.value.as_str());
    let moments =
        MomentGround { ground, views, channels, raw: &raw.moments, names, version, human: pass.policy.policy.human };
    let known = (raw.policy.data.as_slice(), pass.policy.policy.data.as_slice());
    let data = DataOf::find(ground, views, &pass.kinds, known, &mut pass.problems);
    for raw in &raw.moments {
        let mut moment = moments.moment(raw, &mut pass.requests, &mut pass.problems);
        moment.iter_mut().for_each(|moment| data.mark(moment));
        pass.moments.push(moment);
    }
    let mut mood_fields: HashSet<_> = pass.policy.mood_fields.iter().copied().collect();
    for (position, shape) in ground.inputs.iter().enumerate() {
        mood_fields.extend(shape.input.field("mood").map(|field| (InputId(position as u16), field.0)));
    }
    let moments: Vec<_> = raw.moments.iter().zip(pass.moments.iter().map(Option::as_ref)).collect();
    let (mood_fields, moments) = (&mood_fields, moments.as_slice());
    let lint = Lint { ground, raw, kinds: &pass.kinds, mood_fields, moments, channels, policy: &pass.policy.policy };
    lint::check(&lint, &mut pass.problems);
}

/// Everything that was understood besides the inputs.
struct Understood<'a> {
    raw: &'a raw::Pack,
    zone: String,
    kinds: Vec<String>,
    channels: Vec<Channel>,
    deletes: Vec<Option<Expr>>,
    relations: Vec<Option<Relation>>,
    tests: Vec<Option<TestCase>>,
    pass: Pass,
}

/// The plan; `None` when a part is missing.
fn assemble(parts: Understood<'_>, shapes: Vec<InputShape>) -> Option<Plan> {
    let raw = parts.raw;
    let mut inputs: Vec<_> = shapes.into_iter().map(|shape| shape.input).collect();
    for (input, delete) in inputs.iter_mut().zip(parts.deletes) {
        if let Some(table) = &mut input.table {
            table.delete = delete;
        }
    }
    let relations = std::iter::once(None).chain(parts.relations);
    let mut entities = Vec::new();
    for ((name, relation), done) in parts.kinds.into_iter().zip(relations).zip(parts.pass.kinds) {
        if relation.is_none() && !entities.is_empty() {
            return None;
        }
        let declared = raw.entities.iter().find(|entity| entity.name.value == name);
        let labels = raw.views.iter().filter(|view| view.entity.value == name).flat_map(|view| &view.labels);
        entities.push(Entity {
            label: declared.map_or_else(Texts::new, |entity| texts(&entity.label)),
            labels: labels.map(|(slot, said)| (slot.value.clone(), texts(said))).collect(),
            name,
            relation,
            features: done.features.into_iter().collect::<Option<_>>()?,
            attributes: done.attributes.into_iter().collect::<Option<_>>()?,
            evaluation: done.evaluation,
            implied: false,
        });
    }
    if parts.pass.policy.policy.kind.is_some() {
        entities.push(Entity {
            name: "policy".to_owned(),
            label: Texts::new(),
            labels: BTreeMap::new(),
            relation: None,
            features: parts.pass.policy.implied.into_iter().collect::<Option<_>>()?,
            attributes: Vec::new(),
            evaluation: Vec::new(),
            implied: true,
        });
    }
    let mut moments = parts.pass.moments.into_iter().collect::<Option<Vec<Moment>>>()?;
    moments.sort_by(|a, b| a.name.cmp(&b.name));
    let text = |spot: &Option<Spot<String>>| spot.as_ref().map(|spot| spot.value.clone());
    Some(Plan {
        name: text(&raw.name)?,
        version: text(&raw.version).unwrap_or_else(|| "1".to_owned()),
        timezone: parts.zone,
        language: text(&raw.language),
        description: raw.description.clone(),
        inputs,
        entities,
        moments,
        policy: parts.pass.policy.policy,
        channels: parts.channels,
        tests: parts.tests.into_iter().collect::<Option<_>>()?,
        warnings: Vec::new(),
        keeps_rows: false,
    })
}
