//! The contract as documents, generated from the types: JSON Schemas of the trigger and of the
//! decision, and an AsyncAPI 3.0 document.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::sink::DecisionLine;
use crate::trigger::{DATA_SCHEMA, DEFAULT_CHANNEL, Payload, Trigger, TriggerType};
use propice_define::Plan;

/// The `$id` of the schema of lines of `decisions.jsonl`.
pub const DECISION_SCHEMA: &str = "urn:propice:schema:decision:v1";
/// The version of AsyncAPI.
const ASYNCAPI: &str = "3.0.0";
/// The topic of decisions, and its name among the channels: no channel of a pack can be called so.
const DECISIONS: &str = "propice.decisions";
/// The media type of structured mode.
const STRUCTURED: &str = "application/cloudevents+json";
/// Where the schemas of an AsyncAPI document are.
const SCHEMAS: &str = "/components/schemas";

/// The JSON Schema of the data of a trigger: what its `dataschema` names.
pub fn trigger() -> Value {
    identified::<Payload>(DATA_SCHEMA, "A trigger of propice")
}

/// The JSON Schema of a trigger with the event around it, in structured mode.
pub fn event() -> Value {
    identified::<Trigger>("urn:propice:schema:event:v1", "A trigger of propice as a CloudEvent")
}

/// The JSON Schema of a line of `decisions.jsonl`.
pub fn decision() -> Value {
    identified::<DecisionLine<'_>>(DECISION_SCHEMA, "A decision of propice")
}

fn identified<T: JsonSchema>(id: &str, title: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    if let Value::Object(fields) = &mut schema {
        fields.insert("$id".to_owned(), id.into());
        fields.insert("title".to_owned(), title.into());
    }
    schema
}

/// The AsyncAPI document: a channel per declared channel with a message per type of trigger, and
/// the decisions.
pub fn asyncapi(plan: &Plan) -> Value {
    let mut channels = Map::new();
    let mut operations = Map::new();
    for (name, topic, moments) in destinations(plan) {
        let messages: Map<String, Value> = TriggerType::ALL
            .into_iter()
            .map(|ty| (ty.key().to_owned(), json!({ "$ref": format!("#/components/messages/{}", ty.key()) })))
            .collect();
        let description = if moments.is_empty() { "Triggers.".to_owned() } else { format!("Triggers of {moments}.") };
        let channel = json!({ "address": topic, "description": description, "messages": messages,
            "bindings": { "kafka": { "topic": topic } } });
        channels.insert(name.clone(), channel);
        let of_channel = |ty: TriggerType| json!({ "$ref": format!("#/channels/{name}/messages/{}", ty.key()) });
        let messages: Vec<Value> = TriggerType::ALL.into_iter().map(of_channel).collect();
        let operation = json!({ "action": "send", "channel": { "$ref": format!("#/channels/{name}") },
            "summary": "Publishes triggers, in order per customer.", "messages": messages });
        operations.insert(format!("publish_{name}"), operation);
    }
    add_decisions(&mut channels, &mut operations);
    json!({
        "asyncapi": ASYNCAPI,
        "info": {
            "title": format!("Triggers of {}", plan.name),
            "version": plan.version,
            "description": plan.description.as_deref().map_or("What propice publishes.", str::trim),
        },
        "defaultContentType": STRUCTURED,
        "channels": channels,
        "operations": operations,
        "components": components(),
    })
}

/// Channels that triggers go to: name, topic, and the moments that go there.
fn destinations(plan: &Plan) -> Vec<(String, String, String)> {
    let moments = |of: &dyn Fn(&propice_define::plan::Moment) -> bool| {
        let moments = plan.moments.iter().filter(|moment| of(moment));
        moments.map(|moment| moment.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut found = Vec::new();
    for (position, channel) in plan.channels.iter().enumerate() {
        let topic = channel.topic.clone().unwrap_or_else(|| channel.name.clone());
        let goes = |moment: &propice_define::plan::Moment| {
            moment.channels.contains(&position) || moment.human_channel == Some(position)
        };
        found.push((channel.name.clone(), topic, moments(&goes)));
    }
    let without = moments(&|moment| moment.channels.is_empty());
    if !without.is_empty() {
        found.push((DEFAULT_CHANNEL.to_owned(), DEFAULT_CHANNEL.to_owned(), without));
    }
    found
}

fn add_decisions(channels: &mut Map<String, Value>, operations: &mut Map<String, Value>) {
    let messages = json!({ "decision": { "$ref": "#/components/messages/decision" } });
    let channel = json!({ "address": DECISIONS, "messages": messages, "bindings": { "kafka": { "topic": DECISIONS } },
        "description": "Every verdict, also the silent ones, what was heard of triggers, and whether they helped." });
    channels.insert(DECISIONS.to_owned(), channel);
    let operation = json!({ "action": "send", "channel": { "$ref": format!("#/channels/{DECISIONS}") },
        "summary": "Publishes decisions, in order per customer.",
        "messages": [{ "$ref": format!("#/channels/{DECISIONS}/messages/decision") }] });
    operations.insert("publish_decisions".to_owned(), operation);
}

/// Messages and the schemas that they are made of. These are of draft 7, which AsyncAPI reads
/// without further ado.
fn components() -> Value {
    let mut settings = SchemaSettings::draft07().for_serialize();
    settings.definitions_path = SCHEMAS.into();
    let mut generator = settings.into_generator();
    let event = generator.subschema_for::<Trigger>().to_value();
    let decision = generator.subschema_for::<DecisionLine<'_>>().to_value();
    let key = json!({ "type": "string", "description": "The customer." });
    let mut messages = Map::new();
    for ty in TriggerType::ALL {
        let only = json!({ "properties": { "type": { "const": ty.name() } } });
        let message = json!({
            "name": ty.name(),
            "title": ty.title(),
            "contentType": STRUCTURED,
            "payload": { "allOf": [event, only] },
            "correlationId": { "location": "$message.payload#/correlationid" },
            "bindings": { "kafka": { "key": key } },
        });
        messages.insert(ty.key().to_owned(), message);
    }
    let message = json!({
        "name": "propice.decision.v1",
        "title": "A decision",
        "contentType": "application/json",
        "payload": decision,
        "bindings": { "kafka": { "key": key } },
    });
    messages.insert("decision".to_owned(), message);
    json!({ "messages": messages, "schemas": generator.take_definitions(true) })
}
