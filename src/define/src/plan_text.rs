//! The plan as people read it: as text, and as a graph in the languages of Graphviz and Mermaid.
//!
//! Everything comes in the order of the plan, so that two plans can be compared line by line.

use std::fmt::Write as _;

use super::expr::Expr;
use super::plan::{Aggregate, Entity, Feature, FeatureSource, Input, Interval, Moment, Plan, Purpose};
use propice_model::time::format_duration;
use propice_model::{KindId, Type};

/// The plan as text.
pub fn text(plan: &Plan) -> String {
    let mut out = format!("pack {}, version {}, zone {}\n", plan.name, plan.version, plan.timezone);
    for line in plan.description.iter().flat_map(|description| description.trim().lines()) {
        let _ = writeln!(out, "  {}", line.trim_end());
    }
    for input in &plan.inputs {
        write_input(&mut out, plan, input);
    }
    for (position, entity) in plan.entities.iter().enumerate().filter(|(_, entity)| !entity.implied) {
        write_entity(&mut out, plan, KindId(position as u16), entity);
    }
    for moment in &plan.moments {
        write_moment(&mut out, plan, moment);
    }
    out
}

fn write_input(out: &mut String, plan: &Plan, input: &Input) {
    let absent = if input.optional { " (may be absent)" } else { "" };
    let _ = writeln!(out, "\n{} {}{absent}", if input.is_table() { "table" } else { "stream" }, input.name);
    let name = |at: usize| input.fields[at].name.as_str();
    if let Some(table) = &input.table {
        let key: Vec<&str> = table.key.iter().map(|field| name(field.index())).collect();
        let _ = writeln!(out, "  key    {}", key.join(", "));
        if let Some(delete) = &table.delete {
            let _ = writeln!(out, "  delete {}", one_line(delete.source()));
        }
    }
    let time = input.time.map_or("none: known since before everything", |field| name(field.index()));
    let _ = writeln!(out, "  time   {time}");
    if let Some(order) = input.order {
        let _ = writeln!(out, "  order  {}", name(order.index()));
    }
    if let Some((field, kind)) = input.about {
        let _ = writeln!(out, "  about  {} by {}", plan.entities[kind.index()].name, name(field.index()));
    }
    let fields: Vec<String> = input
        .fields
        .iter()
        .map(|field| format!("{} {}{}", field.name, type_name(plan, &field.ty), if field.optional { "?" } else { "" }))
        .collect();
    let _ = writeln!(out, "  fields {}", fields.join(", "));
}

fn write_entity(out: &mut String, plan: &Plan, kind: KindId, entity: &Entity) {
    let _ = writeln!(out, "\nentity {}", entity.name);
    if let Some(relation) = &entity.relation {
        let input = &plan.inputs[relation.input.index()];
        let name = |at: usize| input.fields[at].name.as_str();
        let (of, to) = (name(relation.entity.index()), name(relation.customer.index()));
        let filter = relation.filter.as_ref().map_or_else(String::new, |e| format!(" where {}", one_line(e.source())));
        let _ = writeln!(out, "  belongs to customers by {} ({of} to {to}){filter}", input.name);
    }
    let width = (0..entity.slots()).map(|slot| entity.slot(slot).0.len()).max().unwrap_or(0);
    for feature in &entity.features {
        let ty = type_name(plan, &feature.ty);
        let _ = writeln!(out, "  feature   {:width$}  {ty:14} {}", feature.name, feature_text(plan, feature));
    }
    for &position in &entity.evaluation {
        let attribute = &entity.attributes[position];
        let (ty, expression) = (type_name(plan, &attribute.ty), one_line(attribute.expr.source()));
        let clock = if attribute.expr.depends_on_now() { " (turns by itself)" } else { "" };
        let _ = writeln!(out, "  attribute {:width$}  {ty:14} = {expression}{clock}", attribute.name);
    }
    let moments: Vec<&str> = plan
        .moments
        .iter()
        .filter(|moment| moment.about.unwrap_or(KindId::CUSTOMER) == kind)
        .map(|moment| moment.name.as_str())
        .collect();
    if !moments.is_empty() {
        let _ = writeln!(out, "  moments   {}", moments.join(", "));
    }
}

/// `sum of amount from trans where amount < 0.00, for 30d in panes of 1d`
fn feature_text(plan: &Plan, feature: &Feature) -> String {
    let mut out = aggregate_text(feature.aggregate);
    match &feature.argument {
        Some(argument) => {
            let _ = write!(out, " of {}", one_line(argument.source()));
        }
        None => out.push_str(" of records"),
    }
    match feature.source {
        FeatureSource::Records { input, key } => {
            let input = &plan.inputs[input.index()];
            let _ = write!(out, " from {} by {}", input.name, input.fields[key.index()].name);
        }
        FeatureSource::Entities(kind) => {
            let _ = write!(out, " over {}", plan.entities[kind.index()].name);
        }
    }
    if let Some(filter) = &feature.filter {
        let _ = write!(out, " where {}", one_line(filter.source()));
    }
    match &feature.interval {
        Interval::Always => {}
        Interval::Window { length_ms, pane_ms } => {
            let _ = write!(out, ", for {}", format_duration(*length_ms));
            if let Some(pane_ms) = pane_ms {
                let _ = write!(out, " in panes of {}", format_duration(*pane_ms));
            }
        }
        Interval::During { from, until } => {
            let _ = write!(out, ", from {} until {}", one_line(from.source()), one_line(until.source()));
        }
    }
    if feature.implied {
        out.push_str(" (implied)");
    }
    out
}

fn aggregate_text(aggregate: Aggregate) -> String {
    match aggregate {
        Aggregate::Set(most) => format!("set (at most {most})"),
        Aggregate::TopList(most) => format!("top {most}"),
        other => other.name().to_owned(),
    }
}

fn write_moment(out: &mut String, plan: &Plan, moment: &Moment) {
    let about = plan.entities[moment.about.unwrap_or(KindId::CUSTOMER).index()].name.as_str();
    let _ = writeln!(out, "\nmoment {} (version {})", moment.name, moment.version);
    let _ = writeln!(out, "  about    {about}");
    let _ = writeln!(out, "  purpose  {}", purpose_text(moment.purpose));
    let _ = writeln!(out, "  benefit  {}", plan.text(&moment.value.benefit, None).unwrap_or_default());
    let _ = writeln!(out, "  when     {}", one_line(moment.when.source()));
    if moment.for_ms > 0 {
        let _ = writeln!(out, "  for      {}", format_duration(moment.for_ms));
    }
    let uses: Vec<String> = moment
        .evidence
        .iter()
        .map(|evidence| {
            let kind = if evidence.scope == 0 { KindId::CUSTOMER } else { moment.about.unwrap_or(KindId::CUSTOMER) };
            let entity = &plan.entities[kind.index()];
            let slot = usize::from(evidence.slot);
            match entity.features.get(slot).filter(|feature| feature.implied) {
                Some(implied) => implied.name.clone(),
                None => format!("{}.{}", entity.name, entity.slot(slot).0),
            }
        })
        .collect();
    let clock = if moment.when.depends_on_now() { Some("the clock".to_owned()) } else { None };
    let uses: Vec<String> = uses.into_iter().chain(clock).collect();
    let _ = writeln!(out, "  uses     {}", if uses.is_empty() { "nothing".to_owned() } else { uses.join(", ") });
    let channels: Vec<&str> = moment.channels.iter().map(|&channel| plan.channels[channel].name.as_str()).collect();
    if !channels.is_empty() {
        let _ = writeln!(out, "  channels {}", channels.join(", "));
    }
}

fn purpose_text(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Safety => "safety",
        Purpose::Assistance => "assistance",
        Purpose::Service => "service",
        Purpose::Relationship => "relationship",
        Purpose::Sales => "sales",
    }
}

/// A type as packs spell it.
fn type_name(plan: &Plan, ty: &Type) -> String {
    match ty {
        Type::Id(kind) => format!("id({})", plan.entities[kind.index()].name),
        Type::List(of) => format!("list of {}", type_name(plan, of)),
        other => other.to_string(),
    }
}

/// An expression that is written over several lines, on one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The plan as a graph.
struct Graph {
    /// Title of the group, then its nodes.
    groups: Vec<(String, Vec<GraphNode>)>,
    /// From, to, label.
    edges: Vec<(String, String, String)>,
}

/// Name, label, kind.
type GraphNode = (String, String, NodeKind);

#[derive(Clone, Copy, PartialEq, Eq)]
enum NodeKind {
    Input,
    Entity,
    Slot,
    Moment,
}

impl Graph {
    fn of(plan: &Plan) -> Graph {
        let mut graph = Graph { groups: Vec::new(), edges: Vec::new() };
        let inputs = plan.inputs.iter().enumerate();
        let inputs = inputs.map(|(at, input)| (format!("input{at}"), input.name.clone(), NodeKind::Input)).collect();
        graph.groups.push(("inputs".to_owned(), inputs));
        for (kind, entity) in plan.entities.iter().enumerate().filter(|(_, entity)| !entity.implied) {
            let slots = (0..entity.slots()).map(|slot| {
                let (name, ty) = entity.slot(slot);
                (slot_node(kind, slot), format!("{name}: {}", type_name(plan, ty)), NodeKind::Slot)
            });
            let mut nodes: Vec<GraphNode> = slots.collect();
            if let Some(relation) = &entity.relation {
                nodes.insert(0, (format!("entity{kind}"), entity.name.clone(), NodeKind::Entity));
                graph.edge(format!("input{}", relation.input.index()), format!("entity{kind}"), "belongs to");
            }
            graph.groups.push((entity.name.clone(), nodes));
            graph.entity_edges(kind, entity);
        }
        let moments = plan.moments.iter().enumerate();
        let moments = moments.map(|(at, moment)| (format!("moment{at}"), moment.name.clone(), NodeKind::Moment));
        graph.groups.push(("moments".to_owned(), moments.collect()));
        for (at, moment) in plan.moments.iter().enumerate() {
            for evidence in &moment.evidence {
                let kind = if evidence.scope == 0 { 0 } else { moment.about.map_or(0, KindId::index) };
                graph.edge(slot_node(kind, usize::from(evidence.slot)), format!("moment{at}"), "");
            }
        }
        graph
    }

    fn entity_edges(&mut self, kind: usize, entity: &Entity) {
        for (slot, feature) in entity.features.iter().enumerate() {
            let aggregate = aggregate_text(feature.aggregate);
            match feature.source {
                FeatureSource::Records { input, .. } => {
                    self.edge(format!("input{}", input.index()), slot_node(kind, slot), &aggregate);
                }
                FeatureSource::Entities(of) => {
                    self.edge(format!("entity{}", of.index()), slot_node(kind, slot), &aggregate);
                    let used = feature.argument.iter().chain(&feature.filter).flat_map(Expr::refs);
                    for (reference, _) in used {
                        let from = slot_node(of.index(), usize::from(reference.slot));
                        self.edge(from, slot_node(kind, slot), "");
                    }
                }
            }
        }
        for (position, attribute) in entity.attributes.iter().enumerate() {
            for (reference, _) in attribute.expr.refs() {
                let to = slot_node(kind, entity.features.len() + position);
                self.edge(slot_node(kind, usize::from(reference.slot)), to, "");
            }
        }
    }

    fn edge(&mut self, from: String, to: String, label: &str) {
        let edge = (from, to, label.to_owned());
        if !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }
}

fn slot_node(kind: usize, slot: usize) -> String {
    format!("entity{kind}slot{slot}")
}

/// The plan as a graph in the language of Graphviz.
pub fn dot(plan: &Plan) -> String {
    let graph = Graph::of(plan);
    let mut out =
        format!("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n", plan.name);
    for (position, (title, nodes)) in graph.groups.iter().enumerate() {
        let _ = writeln!(out, "  subgraph cluster{position} {{\n    label=\"{title}\";");
        for (name, label, kind) in nodes {
            let shape = match kind {
                NodeKind::Input => ", shape=cylinder",
                NodeKind::Entity => ", shape=hexagon",
                NodeKind::Slot => "",
                NodeKind::Moment => ", shape=ellipse",
            };
            let _ = writeln!(out, "    {name} [label=\"{label}\"{shape}];");
        }
        out.push_str("  }\n");
    }
    for (from, to, label) in &graph.edges {
        let label = if label.is_empty() { String::new() } else { format!(" [label=\"{label}\"]") };
        let _ = writeln!(out, "  {from} -> {to}{label};");
    }
    out.push_str("}\n");
    out
}

/// The plan as a graph in the language of Mermaid.
pub fn mermaid(plan: &Plan) -> String {
    let graph = Graph::of(plan);
    let mut out = "flowchart LR\n".to_owned();
    for (position, (title, nodes)) in graph.groups.iter().enumerate() {
        let _ = writeln!(out, "  subgraph group{position}[\"{title}\"]");
        for (name, label, kind) in nodes {
            let (open, close) = match kind {
                NodeKind::Input => ("[(", ")]"),
                NodeKind::Entity => ("{{", "}}"),
                NodeKind::Slot => ("[", "]"),
                NodeKind::Moment => ("([", "])"),
            };
            let _ = writeln!(out, "    {name}{open}\"{label}\"{close}");
        }
        out.push_str("  end\n");
    }
    for (from, to, label) in &graph.edges {
        let arrow = if label.is_empty() { "-->".to_owned() } else { format!("-->|\"{label}\"|") };
        let _ = writeln!(out, "  {from} {arrow} {to}");
    }
    out
}
