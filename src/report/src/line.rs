//! One line of `decisions.jsonl`, read.
//!
//! Only what the report uses is read; keys that it does not know are passed over, so that a
//! decision may say more. A line that does not say what it must is an error with its column.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use propice_define::plan::{Gate, Purpose, ReceiptKind, Verdict};
use propice_flow::policy::Group;
use propice_model::LogicalTime;
use propice_model::time::LATEST_EVENT_TIME_MS;

/// A decision.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) time: LogicalTime,
    pub(super) customer: Cow<'a, str>,
    /// `None` for a receipt that answers no release.
    pub(super) episode: Option<Episode<'a>>,
    pub(super) what: Decided<'a>,
}

/// The episode that was decided upon.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Episode<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) moment: Cow<'a, str>,
    pub(super) purpose: Purpose,
}

/// What was decided or learnt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decided<'a> {
    Verdict {
        verdict: Verdict,
        gates: Vec<Gate>,
        channel: Option<Cow<'a, str>>,
        was_released: bool,
    },
    Receipt {
        /// `None`: of a kind that means nothing.
        kind: Option<ReceiptKind>,
        /// It stands in an earlier line too, as one that answers nothing.
        heard_before: bool,
    },
    Outcome {
        helped: bool,
        group: Group,
    },
}

/// Why a line is none.
#[derive(Debug, PartialEq, Eq)]
pub struct BadLine {
    /// From 1, where it is known.
    pub column: Option<usize>,
    /// For people.
    pub message: String,
}

/// The keys of a line, whatever it is.
#[derive(Deserialize)]
struct AnyLine<'a> {
    logical_time_ms: LogicalTime,
    #[serde(borrow)]
    customer: Cow<'a, str>,
    #[serde(borrow)]
    decision: Cow<'a, str>,
    #[serde(borrow, default)]
    moment: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    episode: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "purpose")]
    purpose: Option<Purpose>,
    #[serde(default)]
    verdict: Option<Verdict>,
    #[serde(default)]
    gates: Option<Vec<RawGate>>,
    #[serde(borrow, default)]
    channel: Option<Cow<'a, str>>,
    #[serde(default)]
    released_at: Option<serde::de::IgnoredAny>,
    #[serde(borrow, default)]
    receipt: Option<Cow<'a, str>>,
    #[serde(default)]
    helped: Option<bool>,
    #[serde(default)]
    group: Option<Group>,
    #[serde(default)]
    heard_before: bool,
}

#[derive(Deserialize)]
struct RawGate {
    gate: Gate,
}

fn purpose<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Purpose>, D::Error> {
    let Some(name) = Option::<Cow<'de, str>>::deserialize(input)? else { return Ok(None) };
    Purpose::named(&name).map(Some).ok_or_else(|| serde::de::Error::custom(format_args!("`{name}` is no purpose")))
}

/// Reads a line.
pub(super) fn read(bytes: &[u8]) -> Result<Line<'_>, BadLine> {
    let raw: AnyLine<'_> = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = error.to_string();
        let column = Some(error.column()).filter(|column| *column > 0);
        BadLine { column, message: message.strip_suffix(&place).unwrap_or(&message).to_owned() }
    })?;
    if raw.logical_time_ms > LATEST_EVENT_TIME_MS {
        return Err(wrong("`logical_time_ms` lies behind the year 9999"));
    }
    let episode = match (raw.episode, raw.moment, raw.purpose) {
        (Some(id), Some(moment), Some(purpose)) => Some(Episode { id, moment, purpose }),
        (None, None, None) => None,
        _ => return Err(wrong("`episode`, `moment` and `purpose` go together")),
    };
    let what = match &*raw.decision {
        "verdict" => Decided::Verdict {
            verdict: raw.verdict.ok_or_else(|| missing("verdict"))?,
            gates: gates(raw.gates.ok_or_else(|| missing("gates"))?),
            channel: raw.channel,
            was_released: raw.released_at.is_some(),
        },
        "receipt" => Decided::Receipt {
            kind: ReceiptKind::named(&raw.receipt.ok_or_else(|| missing("receipt"))?),
            heard_before: raw.heard_before,
        },
        "outcome" => Decided::Outcome {
            helped: raw.helped.ok_or_else(|| missing("helped"))?,
            group: raw.group.ok_or_else(|| missing("group"))?,
        },
        other => return Err(wrong(&format!("`{other}` is no decision: expected `verdict`, `receipt` or `outcome`"))),
    };
    if episode.is_none() && !matches!(what, Decided::Receipt { .. }) {
        return Err(missing("episode"));
    }
    Ok(Line { time: raw.logical_time_ms, customer: raw.customer, episode, what })
}

/// Each once.
fn gates(failed: Vec<RawGate>) -> Vec<Gate> {
    let mut gates: Vec<Gate> = failed.into_iter().map(|failed| failed.gate).collect();
    gates.sort_unstable();
    gates.dedup();
    gates
}

fn missing(key: &str) -> BadLine {
    wrong(&format!("missing field `{key}`"))
}

pub(super) fn wrong(message: &str) -> BadLine {
    BadLine { column: None, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"logical_time_ms":5,"customer":"c\"1","moment":"m","purpose":"sales","episode":"e","#;

    fn error(rest: &str) -> String {
        read(format!("{HEAD}{rest}").as_bytes()).expect_err("no decision").message
    }

    #[test]
    fn decisions_are_read() {
        let text = format!(
            "{HEAD}\"decision\":\"verdict\",\"verdict\":\"withdrawn\",\"gates\":[{{\"gate\":\"quiet\",\"why\":null}}],\
             \"channel\":null,\"released_at\":\"x\",\"more\":[1]}}"
        );
        let line = read(text.as_bytes()).expect("a decision");
        assert_eq!(line.customer, "c\"1");
        assert_eq!(line.episode.expect("an episode").purpose, Purpose::Sales);
        let gates = vec![Gate::Quiet];
        let verdict = Verdict::Withdrawn;
        assert_eq!(line.what, Decided::Verdict { verdict, gates, channel: None, was_released: true });

        let text = r#"{"logical_time_ms":5,"customer":"1","moment":null,"purpose":null,"episode":null,"decision":"receipt","receipt":"sung"}"#;
        assert_eq!(
            read(text.as_bytes()).expect("a receipt").what,
            Decided::Receipt { kind: None, heard_before: false }
        );
    }

    #[test]
    fn what_is_no_decision_says_why() {
        assert!(
            error("\"decision\":\"verdict\",\"gates\":[],\"verdict\":\"sung\"}").contains("unknown variant `sung`")
        );
        assert_eq!(error("\"decision\":\"verdict\",\"verdict\":\"released\"}"), "missing field `gates`");
        assert_eq!(
            error("\"decision\":\"song\"}"),
            "`song` is no decision: expected `verdict`, `receipt` or `outcome`"
        );
        assert_eq!(error("\"decision\":\"outcome\",\"helped\":true}"), "missing field `group`");
        assert!(error("").contains("EOF while parsing"));
        let bad = read(br#"{"customer":7}"#).expect_err("no text");
        assert_eq!(bad.column, Some(13));
        let text = r#"{"logical_time_ms":5,"customer":"1","decision":"outcome","helped":true,"group":"treated"}"#;
        assert_eq!(read(text.as_bytes()).expect_err("of nothing").message, "missing field `episode`");
    }
}
