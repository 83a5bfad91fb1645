//! What features, conditions and relations mean, as a fingerprint: neither their names nor where
//! they stand are part of it.

use propice_define::Plan;
use propice_define::expr::Expr;
use propice_define::plan::{Aggregate, Entity, Feature, FeatureSource, Interval, Moment};
use propice_model::{InputId, KindId, Type};

use super::entry::Fingerprint;

/// A text that is put together part by part.
#[derive(Default)]
struct Meaning(Vec<String>);

impl Meaning {
    fn add(&mut self, part: impl Into<String>) -> &mut Meaning {
        self.0.push(part.into());
        self
    }

    /// An expression over the fields of an input: its text, and the types of the fields in it.
    fn over_fields(&mut self, plan: &Plan, input: InputId, expr: Option<&Expr>) -> &mut Meaning {
        let Some(expr) = expr else { return self.add("") };
        self.add(canonical(expr.source()));
        for (reference, name) in expr.refs() {
            let ty = &plan.inputs[input.index()].fields[usize::from(reference.slot)].ty;
            self.add(format!("{name}: {}", type_name(plan, ty)));
        }
        self.add(";")
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.iter().map(String::as_str))
    }
}

/// What a kind of entity is called in what is stored. What the policy reads of customers has a name
/// that no pack can give: an entity may be called `policy` too.
pub fn kind_name(entity: &Entity) -> &str {
    if entity.implied { "policy.reads" } else { &entity.name }
}

/// The kind of entity of such a name.
pub fn kind_named(plan: &Plan, name: &str) -> Option<KindId> {
    plan.entities.iter().position(|entity| kind_name(entity) == name).map(|at| KindId(at as u16))
}

/// What a feature of a kind of entity means; `None` for a rollup, which is derived.
pub fn of_feature(plan: &Plan, kind: KindId, feature: &Feature) -> Option<Fingerprint> {
    let FeatureSource::Records { input, key } = feature.source else { return None };
    let declared = &plan.inputs[input.index()];
    let field = |id: propice_model::FieldId| declared.fields[id.index()].name.clone();
    let mut meaning = Meaning::default();
    meaning.add("feature").add(kind_name(&plan.entities[kind.index()]));
    meaning.add(if declared.is_table() { "table" } else { "stream" });
    meaning.add(declared.name.clone()).add(field(key)).add(feature.aggregate.name());
    meaning.over_fields(plan, input, feature.argument.as_ref()).over_fields(plan, input, feature.filter.as_ref());
    match &feature.interval {
        Interval::Always => {
            meaning.add("always");
        }
        Interval::Window { length_ms, pane_ms } => {
            meaning.add(format!("window {length_ms}")).add(pane_ms.map_or_else(String::new, |pane| pane.to_string()));
        }
        Interval::During { from, until } => {
            meaning.add("during").over_fields(plan, input, Some(from)).over_fields(plan, input, Some(until));
        }
    }
    if matches!(feature.aggregate, Aggregate::First | Aggregate::Last) {
        meaning.add(declared.order.map_or_else(String::new, field));
    }
    Some(meaning.fingerprint())
}

/// What the condition of a moment means: of its slots the names count, and what they mean.
pub fn of_condition(plan: &Plan, moment: &Moment) -> Fingerprint {
    let mut meaning = Meaning::default();
    meaning.add("condition").add(canonical(moment.when.source())).add(moment.for_ms.to_string());
    meaning.add(moment.about.map_or_else(String::new, |kind| plan.entities[kind.index()].name.clone()));
    for (reference, name) in moment.when.refs() {
        let kind = if reference.scope == 0 { KindId::CUSTOMER } else { moment.about.unwrap_or(KindId::CUSTOMER) };
        meaning.add(name.clone()).add(of_slot(plan, kind, usize::from(reference.slot)).to_string());
    }
    meaning.fingerprint()
}

/// What a slot means: a feature, or an attribute over others.
fn of_slot(plan: &Plan, kind: KindId, slot: usize) -> Fingerprint {
    let entity = &plan.entities[kind.index()];
    if let Some(feature) = entity.features.get(slot) {
        return of_feature(plan, kind, feature).unwrap_or_else(|| of_rollup(plan, feature));
    }
    let attribute = &entity.attributes[slot - entity.features.len()];
    let mut meaning = Meaning::default();
    meaning.add("attribute").add(canonical(attribute.expr.source())).add(type_name(plan, &attribute.ty));
    for (reference, name) in attribute.expr.refs() {
        meaning.add(name.clone()).add(of_slot(plan, kind, usize::from(reference.slot)).to_string());
    }
    meaning.fingerprint()
}

fn of_rollup(plan: &Plan, feature: &Feature) -> Fingerprint {
    let mut meaning = Meaning::default();
    let FeatureSource::Entities(kind) = feature.source else { return meaning.fingerprint() };
    meaning.add("rollup").add(plan.entities[kind.index()].name.clone()).add(feature.aggregate.name());
    meaning.add(of_relation(plan, &plan.entities[kind.index()]).map_or_else(String::new, |it| it.to_string()));
    for expr in [&feature.argument, &feature.filter] {
        let Some(expr) = expr else {
            meaning.add("");
            continue;
        };
        meaning.add(canonical(expr.source()));
        for (reference, name) in expr.refs() {
            meaning.add(name.clone()).add(of_slot(plan, kind, usize::from(reference.slot)).to_string());
        }
    }
    meaning.fingerprint()
}

/// What relates a kind of entity to customers; `None` for one that nothing relates.
pub fn of_relation(plan: &Plan, entity: &Entity) -> Option<Fingerprint> {
    let relation = entity.relation.as_ref()?;
    let input = &plan.inputs[relation.input.index()];
    let mut meaning = Meaning::default();
    meaning.add("relation").add(entity.name.clone()).add(input.name.clone());
    meaning.add(input.fields[relation.customer.index()].name.clone());
    meaning.add(input.fields[relation.entity.index()].name.clone());
    meaning.over_fields(plan, relation.input, relation.filter.as_ref());
    Some(meaning.fingerprint())
}

/// A type with the name of its kind of entity.
pub(super) fn type_name(plan: &Plan, ty: &Type) -> String {
    match ty {
        Type::Id(kind) => format!("id({})", plan.entities[kind.index()].name),
        Type::List(of) => format!("list of {}", type_name(plan, of)),
        other => other.to_string(),
    }
}

/// An expression without the blanks that mean nothing: outside of texts one is left where it keeps
/// two words apart.
fn canonical(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let (mut quote, mut escaped, mut blank) = (None, false, false);
    for c in text.chars() {
        if let Some(end) = quote {
            out.push(c);
            quote = if c == end && !escaped { None } else { quote };
            escaped = c == '\\' && !escaped;
            continue;
        }
        if c.is_whitespace() {
            blank = true;
            continue;
        }
        if blank && is_word(c) && out.chars().next_back().is_some_and(is_word) {
            out.push(' ');
        }
        blank = false;
        if c == '"' || c == '\'' {
            quote = Some(c);
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_mean_nothing_outside_of_texts() {
        assert_eq!(canonical(" a >  1 && b == 'x  y' "), "a>1&&b=='x  y'");
        assert_eq!(canonical("a in  [1, 2]"), "a in[1,2]");
        assert_eq!(canonical(r"x == 'it\'s  ' && y"), r"x=='it\'s  '&&y");
    }
}
