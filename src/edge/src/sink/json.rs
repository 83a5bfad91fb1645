//! The lines of `episodes.jsonl`, `decisions.jsonl` and `dead_letters.jsonl`, as `docs/output.md`
//! and `docs/policy.md` say.

use std::fmt::Write as _;

use crate::source::DeadLetter;
use crate::trigger::Trigger;
use propice_define::Plan;
use propice_flow::Transition;
use propice_model::time::format_time;
use propice_model::value::write_json_with;

use super::decision::DecisionLine;
use super::{OutgoingDecision, OutgoingTransition};

/// Appends the line of a transition.
pub fn write_transition(plan: &Plan, outgoing: &OutgoingTransition<'_>, out: &mut String) {
    let transition = outgoing.transition;
    let moment = &plan.moments[transition.moment.index()];
    let _ = write!(
        out,
        "{{\"time\":\"{}\",\"logical_time_ms\":{},\"customer\":",
        format_time(transition.time as i64),
        transition.time
    );
    write_json_with(out, &transition.customer.to_string());
    out.push_str(",\"entity\":");
    match &transition.entity {
        None => out.push_str("null"),
        Some((kind, id)) => {
            let _ = write!(out, "{{\"kind\":\"{}\",\"id\":", plan.entities[kind.index()].name);
            write_json_with(out, &id.to_string());
            out.push('}');
        }
    }
    let _ = write!(out, ",\"moment\":\"{}\",\"version\":", moment.name);
    write_json_with(out, &moment.version);
    let _ = write!(
        out,
        ",\"episode\":\"{}\",\"transition\":\"{}\",\"evidence\":",
        outgoing.episode_id(),
        transition_name(transition.opened)
    );
    out.push('{');
    for (position, (name, value)) in evidence(plan, transition).enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_json_with(out, name);
        out.push(':');
        out.push_str(&value);
    }
    out.push_str("}}\n");
}

/// Appends the line of a decision.
pub fn write_decision(plan: &Plan, decision: &OutgoingDecision<'_>, out: &mut String) {
    DecisionLine::new(plan, decision).write(out);
}

/// Appends a trigger in structured mode.
pub fn write_trigger(trigger: &Trigger, out: &mut String) {
    write_json_with(out, trigger);
    out.push('\n');
}

/// How a transition is called.
pub fn transition_name(opened: bool) -> &'static str {
    if opened { "opened" } else { "closed" }
}

/// The evidence of a transition: names as the condition spells them, values as JSON.
pub fn evidence<'a>(plan: &'a Plan, transition: &'a Transition) -> impl Iterator<Item = (&'a str, String)> {
    let moment = &plan.moments[transition.moment.index()];
    moment.evidence.iter().zip(&transition.evidence).map(|(evidence, value)| {
        let mut json = String::new();
        value.write_json(&evidence.ty, &mut json);
        (evidence.name.as_str(), json)
    })
}

/// Appends the line of a dead letter. Nothing of the record is lost, whatever its bytes.
pub fn write_dead_letter(letter: &DeadLetter, out: &mut String) {
    out.push_str("{\"input\":");
    write_json_with(out, &letter.input);
    out.push_str(",\"file\":");
    write_json_with(out, &letter.file);
    let _ = write!(out, ",\"line\":{},\"reason\":\"{}\",\"error\":", letter.line, letter.reason);
    write_json_with(out, &letter.error);
    if let Ok(text) = std::str::from_utf8(&letter.record) {
        out.push_str(",\"record\":");
        write_json_with(out, text);
    } else {
        out.push_str(",\"record_base64\":\"");
        write_base64(&letter.record, out);
        out.push('"');
    }
    out.push_str("}\n");
}

/// RFC 4648, with padding.
fn write_base64(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let at = |position: usize| u32::from(chunk.get(position).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_standard() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            let mut out = String::new();
            write_base64(bytes.as_bytes(), &mut out);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn a_dead_letter_is_lossless() {
        let mut letter = DeadLetter {
            input: None,
            file: "a\"b.csv".to_owned(),
            line: 7,
            reason: "unreadable",
            error: "not UTF-8".to_owned(),
            record: b"x\xff\n".to_vec(),
        };
        let mut out = String::new();
        write_dead_letter(&letter, &mut out);
        letter.record = "é\u{1}".into();
        letter.input = Some("trans".to_owned());
        write_dead_letter(&letter, &mut out);
        let expected = "{\"input\":null,\"file\":\"a\\\"b.csv\",\"line\":7,\"reason\":\"unreadable\",\"error\":\"not UTF-8\",\
                        \"record_base64\":\"eP8K\"}\n{\"input\":\"trans\",\"file\":\"a\\\"b.csv\",\"line\":7,\
                        \"reason\":\"unreadable\",\"error\":\"not UTF-8\",\"record\":\"é\\u0001\"}\n";
        assert_eq!(out, expected);
    }
}
