//! What a plan stores, as data: kept beside what is stored, so that another plan can be compared
//! with it before anything is touched.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use propice_define::Plan;
use propice_define::plan::{Entity, FeatureSource, Input};
use propice_model::{FieldId, KindId};

use super::entry::Fingerprint;
use super::meaning::{self, type_name};

/// What a plan stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanShape {
    /// The name of the pack: part of the ids of episodes.
    pub pack: String,
    /// Its version, for people.
    pub version: String,
    /// Streams and tables.
    pub inputs: Vec<InputShape>,
    /// Kinds of entities.
    pub kinds: Vec<KindShape>,
    /// Moments.
    pub moments: Vec<MomentShape>,
    /// Of everything that decides whether what is open is said.
    pub policy: Fingerprint,
}

/// A stream or a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputShape {
    /// Its name.
    pub name: String,
    /// The fields of its primary key, for a table.
    pub key: Option<Vec<String>>,
    /// The fields by which records are ranked: event time, then order.
    pub rank: [Option<String>; 2],
    /// Its fields.
    pub fields: Vec<FieldShape>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldShape {
    /// Its name.
    pub name: String,
    /// Its type, as packs spell it.
    pub ty: String,
    /// Whether it may be null.
    pub optional: bool,
}

/// A kind of entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindShape {
    /// Its name.
    pub name: String,
    /// Not declared, but what the policy reads.
    pub implied: bool,
    /// What relates it to customers, and by which input.
    pub relation: Option<(Fingerprint, String)>,
    /// Its features over records.
    pub features: Vec<FeatureShape>,
}

/// A feature over records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureShape {
    /// Its name.
    pub name: String,
    /// What it means.
    pub print: Fingerprint,
    /// Over which input.
    pub input: String,
}

/// A moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MomentShape {
    /// Its name.
    pub name: String,
    /// What its condition means.
    pub condition: Fingerprint,
    /// About which kind of entity.
    pub about: Option<String>,
}

impl PlanShape {
    /// What a plan stores.
    pub fn of(plan: &Plan) -> PlanShape {
        let kinds = plan.entities.iter().enumerate();
        let moment = |moment: &propice_define::plan::Moment| MomentShape {
            name: moment.name.clone(),
            condition: meaning::of_condition(plan, moment),
            about: moment.about.map(|kind| plan.entities[kind.index()].name.clone()),
        };
        PlanShape {
            pack: plan.name.clone(),
            version: plan.version.clone(),
            inputs: plan.inputs.iter().map(|input| input_shape(plan, input)).collect(),
            kinds: kinds.map(|(at, entity)| kind_shape(plan, KindId(at as u16), entity)).collect(),
            moments: plan.moments.iter().map(moment).collect(),
            policy: policy_print(plan),
        }
    }

    /// A fingerprint of all of it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of([format!("{:?}", PlanShape { version: String::new(), ..self.clone() }).as_str()])
    }

    /// Whether what holds, and what is decided of it, is the same.
    pub(super) fn decides_like(&self, other: &PlanShape) -> bool {
        self.moments == other.moments && self.policy == other.policy
    }

    fn input(&self, name: &str) -> Option<&InputShape> {
        self.inputs.iter().find(|input| input.name == name)
    }
}

fn input_shape(plan: &Plan, input: &Input) -> InputShape {
    let name = |field: &FieldId| input.fields[field.index()].name.clone();
    let fields = input.fields.iter().map(|field| FieldShape {
        name: field.name.clone(),
        ty: type_name(plan, &field.ty),
        optional: field.optional,
    });
    InputShape {
        name: input.name.clone(),
        key: input.table.as_ref().map(|table| table.key.iter().map(name).collect()),
        rank: [input.time.as_ref().map(name), input.order.as_ref().map(name)],
        fields: fields.collect(),
    }
}

fn kind_shape(plan: &Plan, kind: KindId, entity: &Entity) -> KindShape {
    let feature = |feature: &propice_define::plan::Feature| {
        let FeatureSource::Records { input, .. } = feature.source else { return None };
        Some(FeatureShape {
            name: feature.name.clone(),
            print: meaning::of_feature(plan, kind, feature)?,
            input: plan.inputs[input.index()].name.clone(),
        })
    };
    let by = entity.relation.as_ref().map(|relation| plan.inputs[relation.input.index()].name.clone());
    KindShape {
        name: meaning::kind_name(entity).to_owned(),
        implied: entity.implied,
        relation: meaning::of_relation(plan, entity).zip(by),
        features: entity.features.iter().filter_map(feature).collect(),
    }
}

/// Of everything that a decision follows from, beside conditions. That it is finer than it need be
/// costs a look at every customer, and no more.
fn policy_print(plan: &Plan) -> Fingerprint {
    let mut text = String::new();
    let policy = &plan.policy;
    let _ = write!(text, "{:?}{:?}{:?}", policy.refusal, policy.purposes, policy.data);
    let _ = write!(text, "{:?}{:?}{:?}{:?}", policy.mood, policy.quiet, policy.holidays, policy.zone);
    let _ = write!(text, "{:?}{:?}{:?}{:?}", policy.region, policy.pressure, policy.arbitration, policy.rest);
    let _ = write!(text, "{:?}{:?}{:?}{:?}", policy.snooze_ms, policy.rating, policy.receipts, policy.keep_ms);
    let _ = write!(text, "{:?}{:?}{:?}", policy.human, plan.moments, plan.channels);
    Fingerprint::of([text.as_str()])
}

/// What becomes of a part of what is stored, under another plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on as it is.
    Kept,
    /// A feature or relation is filled from the rows of this table.
    Filled(String),
    /// It begins with nothing, and is right from now on; of a feature over a stream with a window
    /// once that has passed.
    FromNowOn,
    /// It is another than before: looked at again at once.
    Changed,
    /// It is let go.
    Dropped,
    /// It cannot go on.
    Refused(String),
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Kept => f.write_str("goes on"),
            Fate::Filled(table) => write!(f, "is filled from the rows of `{table}`"),
            Fate::FromNowOn => f.write_str("is right from now on, or once its window has passed"),
            Fate::Changed => f.write_str("is another than before, and looked at again"),
            Fate::Dropped => f.write_str("is let go"),
            Fate::Refused(reason) => f.write_str(reason),
        }
    }
}

/// What becomes of what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Each part as people call it (``feature `account.balance` ``), with what becomes of it.
    pub parts: Vec<(String, Fate)>,
}

impl Comparison {
    /// Why the plan cannot go on from what is stored: every part that cannot, with the reason.
    pub fn refusals(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.iter().filter_map(|(part, fate)| match fate {
            Fate::Refused(reason) => Some((part.as_str(), reason.as_str())),
            _ => None,
        })
    }

    /// The parts that are not as they were.
    pub fn differences(&self) -> impl Iterator<Item = &(String, Fate)> {
        self.parts.iter().filter(|(_, fate)| *fate != Fate::Kept)
    }

    fn add(&mut self, part: String, fate: Fate) {
        self.parts.push((part, fate));
    }
}

/// What becomes of what one plan stored, under another one.
pub fn compare(before: &PlanShape, now: &PlanShape) -> Comparison {
    let mut comparison = Comparison::default();
    if before.pack != now.pack {
        let reason = format!("the state is that of the pack `{}`, whose name is in the ids of episodes", before.pack);
        comparison.add(format!("pack `{}`", now.pack), Fate::Refused(reason));
    }
    compare_tables(before, now, &mut comparison);
    for kind in &before.kinds {
        if !kind.implied && !now.kinds.iter().any(|other| other.name == kind.name) {
            let reason = "the pack has it no more: what is known of such entities would be lost".to_owned();
            comparison.add(format!("entity `{}`", kind.name), Fate::Refused(reason));
        }
    }
    for kind in &now.kinds {
        let known = before.kinds.iter().find(|known| known.name == kind.name);
        compare_relation(known, kind, before, now, &mut comparison);
        compare_features(known, kind, before, now, &mut comparison);
    }
    compare_moments(before, now, &mut comparison);
    comparison
}

fn compare_tables(before: &PlanShape, now: &PlanShape, comparison: &mut Comparison) {
    for table in before.inputs.iter().filter(|input| input.key.is_some()) {
        let part = format!("table `{}`", table.name);
        let fate = match now.input(&table.name) {
            None => Fate::Dropped,
            Some(other) => table_reason(table, other).map_or(Fate::Kept, Fate::Refused),
        };
        comparison.add(part, fate);
    }
    for table in now.inputs.iter().filter(|input| input.key.is_some()) {
        match before.input(&table.name) {
            None => comparison.add(format!("table `{}`", table.name), Fate::FromNowOn),
            Some(other) if other.key.is_none() => {
                let reason = "it was a stream: its records are not kept".to_owned();
                comparison.add(format!("table `{}`", table.name), Fate::Refused(reason));
            }
            Some(_) => {}
        }
    }
}

/// Why the rows of a table cannot be those of another one.
fn table_reason(before: &InputShape, now: &InputShape) -> Option<String> {
    let Some(key) = &now.key else { return Some("it is a stream now: its rows would count for ever".to_owned()) };
    if before.key.as_ref() != Some(key) {
        return Some(format!("its key was {:?}", before.key.as_deref().unwrap_or_default()));
    }
    if before.rank != now.rank {
        return Some("its `time` or `order` is another field: which record is the latest would change".to_owned());
    }
    for field in &now.fields {
        match before.fields.iter().find(|known| known.name == field.name) {
            Some(known) if known.ty != field.ty => {
                return Some(format!("`{}` was {}, and is {}", field.name, known.ty, field.ty));
            }
            Some(known) if known.optional && !field.optional => {
                return Some(format!(
                    "`{}` is required now, and rows from before may lack it: keep the `?`",
                    field.name
                ));
            }
            None if !field.optional => {
                return Some(format!("`{}` is new and required, and rows from before lack it: add a `?`", field.name));
            }
            _ => {}
        }
    }
    None
}

/// Where what is new comes from.
fn source_of(input: &str, before: &PlanShape, now: &PlanShape) -> Fate {
    let is_table = |shape: &PlanShape| shape.input(input).is_some_and(|input| input.key.is_some());
    if is_table(before) && is_table(now) { Fate::Filled(input.to_owned()) } else { Fate::FromNowOn }
}

fn compare_relation(
    known: Option<&KindShape>,
    kind: &KindShape,
    before: &PlanShape,
    now: &PlanShape,
    comparison: &mut Comparison,
) {
    let Some((print, input)) = &kind.relation else { return };
    let part = format!("entity `{}`", kind.name);
    let Some(known) = known else { return comparison.add(part, source_of(input, before, now)) };
    let fate = match &known.relation {
        Some((same, _)) if same == print => Fate::Kept,
        Some((_, by)) if before.input(by).is_some_and(|by| by.key.is_none()) => {
            Fate::Refused(format!("it belonged to customers by the stream `{by}`, whose records are not kept"))
        }
        _ => match source_of(input, before, now) {
            Fate::FromNowOn => {
                Fate::Refused(format!("nothing is known of `{input}` from before: it would belong to nobody"))
            }
            filled => filled,
        },
    };
    comparison.add(part, fate);
}

fn compare_features(
    known: Option<&KindShape>,
    kind: &KindShape,
    before: &PlanShape,
    now: &PlanShape,
    comparison: &mut Comparison,
) {
    let prints: Vec<Fingerprint> = known.iter().flat_map(|known| &known.features).map(|it| it.print).collect();
    for feature in &kind.features {
        let is_known = prints.contains(&feature.print);
        let fate = if is_known { Fate::Kept } else { source_of(&feature.input, before, now) };
        comparison.add(format!("feature `{}.{}`", kind.name, feature.name), fate);
    }
    for feature in known.iter().flat_map(|known| &known.features) {
        if kind.features.iter().all(|other| other.print != feature.print) {
            comparison.add(format!("feature `{}.{}` as it was", kind.name, feature.name), Fate::Dropped);
        }
    }
}

fn compare_moments(before: &PlanShape, now: &PlanShape, comparison: &mut Comparison) {
    for moment in &now.moments {
        let fate = match before.moments.iter().find(|known| known.name == moment.name) {
            None => Fate::FromNowOn,
            Some(known) if known == moment => Fate::Kept,
            Some(_) => Fate::Changed,
        };
        comparison.add(format!("moment `{}`", moment.name), fate);
    }
    for moment in &before.moments {
        if now.moments.iter().all(|other| other.name != moment.name) {
            comparison.add(format!("moment `{}`", moment.name), Fate::Dropped);
        }
    }
    if before.policy != now.policy {
        comparison.add("policy".to_owned(), Fate::Changed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: &str = r#"
[pack]
name = "p"
[stream.s]
about = "c"
time = "at"
fields = { c = "id(customer)", at = "time", n = "int" }
[table.t]
about = "c"
key = ["k"]
time = "at"
fields = { k = "int", c = "id(customer)", at = "time", m = "int?" }
[customer.feature]
n = { from = "s", sum = "n" }
m = { from = "t", max = "m" }
[moment.one]
when = "n > 1"
purpose = "assistance"
value = { kind = "economic", benefit = "It helps" }
"#;

    fn shape(text: &str) -> PlanShape {
        PlanShape::of(&propice_define::load("p.toml", text).unwrap_or_else(|errors| panic!("{errors:?}")))
    }

    fn after(changes: &[(&str, &str)]) -> Comparison {
        let mut text = PACK.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        compare(&shape(PACK), &shape(&text))
    }

    fn differences(changes: &[(&str, &str)]) -> Vec<(String, Fate)> {
        after(changes).differences().cloned().collect()
    }

    #[test]
    fn what_means_the_same_goes_on() {
        assert_eq!(differences(&[("sum = \"n\"", "sum = \" n \"")]), []);
        // A name is no meaning: a feature that is called otherwise holds what it held.
        let renamed = differences(&[("n = { from", "nn = { from"), ("n > 1", "nn > 1")]);
        assert_eq!(renamed, [("moment `one`".to_owned(), Fate::Changed), ("policy".to_owned(), Fate::Changed)]);
    }

    #[test]
    fn what_is_new_is_filled_where_that_can_be() {
        let more = "m = { from = \"t\", max = \"m\" }\nleast = { from = \"t\", min = \"m\" }\nmost = { from = \"s\", max = \"n\" }";
        let expected = [
            ("feature `customer.least`".to_owned(), Fate::Filled("t".to_owned())),
            ("feature `customer.most`".to_owned(), Fate::FromNowOn),
        ];
        assert_eq!(differences(&[("m = { from = \"t\", max = \"m\" }", more)]), expected);
        let thresholds = differences(&[("n > 1", "n > 2")]);
        assert_eq!(thresholds[0], ("moment `one`".to_owned(), Fate::Changed));
    }

    #[test]
    fn what_cannot_go_on_is_refused_with_the_reason() {
        let refused = |changes: &[(&str, &str)]| {
            let comparison = after(changes);
            comparison.refusals().map(|(part, reason)| format!("{part}: {reason}")).collect::<Vec<_>>()
        };
        assert_eq!(refused(&[("m = \"int?\"", "m = \"float?\"")]), ["table `t`: `m` was int, and is float"]);
        assert_eq!(refused(&[("key = [\"k\"]", "key = [\"k\", \"c\"]")]), ["table `t`: its key was [\"k\"]"]);
        assert_eq!(refused(&[("m = \"int?\"", "m = \"int\"")]).len(), 1);
        assert_eq!(refused(&[("m = \"int?\"", "m = \"int?\", o = \"int\"")]).len(), 1);
        assert!(refused(&[("m = \"int?\"", "m = \"int?\", o = \"int?\"")]).is_empty());
        assert_eq!(refused(&[("name = \"p\"", "name = \"q\"")]).len(), 1);
    }
}
