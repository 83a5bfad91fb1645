//! The lines of `decisions.jsonl`, as `docs/policy.md` says: types that serde writes and of which
//! `docs/schema/decision.json` is made.

use std::borrow::Cow;
use std::io;

use propice_define::Plan;
use propice_define::plan::{Ending, Evidence, Gate, Verdict};
use propice_flow::policy::{self, Shown};
use propice_model::time::format_logical;
use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::SerializeMap as _;
use serde_json::ser::{Formatter, Serializer};

use super::OutgoingDecision;

/// A line of `decisions.jsonl`: a verdict, a receipt that was heard, or an outcome.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Decision")]
pub struct DecisionLine<'a> {
    /// When, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    time: String,
    /// The same in milliseconds since 1970.
    logical_time_ms: u64,
    /// The customer.
    customer: String,
    /// What the moment is about, where it is not the customer.
    entity: Option<Entity<'a>>,
    /// The moment; null for a receipt that answers no release.
    moment: Option<&'a str>,
    /// Its version.
    version: Option<&'a str>,
    /// What it is for: `safety`, `assistance`, `service`, `relationship` or `sales`.
    purpose: Option<&'static str>,
    /// The id of the episode.
    episode: Option<&'a str>,
    /// What was decided or learnt.
    #[serde(flatten)]
    what: What<'a>,
}

/// An entity that belongs to the customer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DecisionEntity")]
struct Entity<'a> {
    /// Its kind.
    kind: &'a str,
    /// Its id.
    id: String,
}

/// What was decided or learnt.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "decision", rename_all = "snake_case")]
enum What<'a> {
    /// A verdict on an episode.
    Verdict {
        /// The verdict.
        verdict: Verdict,
        /// Every gate that failed, in order.
        gates: Vec<FailedGate<'a>>,
        /// When all of them pass if nothing else changes; null when nobody knows, or none failed.
        #[schemars(extend("format" = "date-time"))]
        until: Option<String>,
        /// Where it is published.
        channel: Option<&'a str>,
        /// When it was released or handed over.
        #[schemars(extend("format" = "date-time"))]
        released_at: Option<String>,
        /// For `withdrawn`: how it ended.
        #[serde(skip_serializing_if = "Option::is_none")]
        ended: Option<Ending>,
        /// The moments that overtook it, in the order of their names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overtaken_by: Vec<&'a str>,
        /// With what receipts add to it.
        priority: f64,
        /// A coarse band: `negative` or `calm`.
        mood: &'static str,
        /// The values that the condition uses, by the name that it uses.
        evidence: ShownValues<'a>,
    },
    /// What came back.
    Receipt {
        /// Its kind, as it spells it.
        receipt: &'a str,
        /// The trigger (or episode) that it names.
        trigger: Option<&'a str>,
        /// The channel that it names.
        channel: Option<&'a str>,
        /// When it happened.
        #[schemars(extend("format" = "date-time"))]
        at: String,
        /// It stands in an earlier line too, that answers nothing: it came before the release that
        /// it answers.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        heard_before: bool,
    },
    /// Whether a release, or what was held out, helped.
    Outcome {
        /// The moment's `success` held in time.
        helped: bool,
        /// `treated` or `holdout`.
        group: policy::Group,
        /// Since when it was watched.
        #[schemars(extend("format" = "date-time"))]
        started: String,
    },
}

/// A gate that failed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DecisionGate")]
struct FailedGate<'a> {
    /// Which.
    gate: Gate,
    /// What failed in it.
    why: Option<&'a str>,
    /// When it passes if nothing else changes; null when nobody knows.
    #[schemars(extend("format" = "date-time"))]
    until: Option<String>,
}

/// Values by their names; `{"withheld": KIND}` for what the customer does not consent to.
#[derive(Debug)]
struct ShownValues<'a> {
    plan: &'a Plan,
    names: &'a [Evidence],
    values: &'a [Shown],
}

impl<'a> DecisionLine<'a> {
    /// The line of a decision.
    pub(super) fn new(plan: &'a Plan, outgoing: &'a OutgoingDecision<'a>) -> DecisionLine<'a> {
        let decision = outgoing.decision;
        let moment = decision.episode.as_ref().map(|episode| &plan.moments[episode.moment.index()]);
        DecisionLine {
            time: format_logical(decision.time),
            logical_time_ms: decision.time,
            customer: decision.customer.to_string(),
            entity: decision
                .episode
                .as_ref()
                .and_then(|episode| episode.entity.as_ref())
                .map(|(kind, id)| Entity { kind: &plan.entities[kind.index()].name, id: id.to_string() }),
            moment: moment.map(|moment| moment.name.as_str()),
            version: moment.map(|moment| moment.version.as_str()),
            purpose: moment.map(|moment| moment.purpose.name()),
            episode: outgoing.episode_id(),
            what: What::new(plan, moment.map_or(&[], |moment| &moment.evidence), &decision.what),
        }
    }
}

impl DecisionLine<'_> {
    /// Appends it.
    pub(super) fn write(&self, out: &mut String) {
        let mut line = Vec::new();
        // Everything in it has a JSON form, and JSON is UTF-8.
        if self.serialize(&mut Serializer::with_formatter(&mut line, LineFormat)).is_ok() {
            out.push_str(str::from_utf8(&line).unwrap_or_default());
        }
        out.push('\n');
    }
}

impl<'a> What<'a> {
    fn new(plan: &'a Plan, names: &'a [Evidence], what: &'a policy::What) -> What<'a> {
        match what {
            policy::What::Verdict(judgement) => What::Verdict {
                verdict: judgement.verdict,
                gates: judgement.gates.iter().map(FailedGate::new).collect(),
                until: judgement.until.map(format_logical),
                channel: judgement.channel.map(|channel| plan.channels[usize::from(channel)].name.as_str()),
                released_at: judgement.released_at.map(format_logical),
                ended: judgement.ended.as_ref().map(|ended| ended.how),
                overtaken_by: (judgement.ended.iter().flat_map(|ended| &ended.by))
                    .map(|moment| plan.moments[moment.index()].name.as_str())
                    .collect(),
                priority: judgement.priority.get(),
                mood: if judgement.mood_is_negative { "negative" } else { "calm" },
                evidence: ShownValues { plan, names, values: &judgement.evidence },
            },
            policy::What::Receipt(receipt) => What::Receipt {
                receipt: &receipt.kind,
                trigger: receipt.trigger.as_deref(),
                channel: receipt.channel.as_deref(),
                at: format_logical(receipt.at),
                heard_before: receipt.heard_before,
            },
            policy::What::Outcome(outcome) => {
                What::Outcome { helped: outcome.helped, group: outcome.group, started: format_logical(outcome.started) }
            }
        }
    }
}

impl<'a> FailedGate<'a> {
    fn new(failed: &'a policy::FailedGate) -> FailedGate<'a> {
        FailedGate { gate: failed.gate, why: failed.why.as_deref(), until: failed.until.map(format_logical) }
    }
}

impl Serialize for ShownValues<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        let mut json = String::new();
        for (evidence, shown) in self.names.iter().zip(self.values) {
            match shown {
                Shown::Value(value) => {
                    json.clear();
                    value.write_json(&evidence.ty, &mut json);
                    map.serialize_entry(&evidence.name, &WrittenJson(&json))?;
                }
                Shown::Withheld(kind) => {
                    let withheld = Withheld { withheld: &self.plan.policy.data[usize::from(*kind)].name };
                    map.serialize_entry(&evidence.name, &withheld)?;
                }
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Withheld<'a> {
    withheld: &'a str,
}

impl JsonSchema for ShownValues<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Values by their names; {\"withheld\": KIND} for what the customer does not consent to.",
            "type": "object",
            "additionalProperties": true
        })
    }
}

/// A text that is JSON. [`LineFormat`] writes it as it is.
struct WrittenJson<'a>(&'a str);

impl Serialize for WrittenJson<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_bytes())
    }
}

/// Compact JSON, in which bytes are JSON that is written already: values spell themselves, since
/// decimals keep all their decimals.
struct LineFormat;

impl Formatter for LineFormat {
    fn write_byte_array<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: &[u8]) -> io::Result<()> {
        writer.write_all(value)
    }
}
