//! Whether a case is right: what came, against what was expected, in order of time.
//!
//! Of a moment that a case names with a transition, all transitions have to be expected; of one
//! that it names with a verdict, all verdicts, those that an episode gets twice in a row once.

use std::collections::HashMap;
use std::fmt::Write as _;

use propice_define::Plan;
use propice_define::plan::{DeadLetters, ExpectedEpisode, ExpectedEvent, Gate, TestCase, Verdict};
use propice_edge::sink::json::transition_name;
use propice_edge::source::DeadLetter;
use propice_flow::Transition;
use propice_flow::policy::{Decision, EpisodeKey, What};
use propice_model::time::format_time;
use propice_model::{Id, LogicalTime};

/// What a case gave.
pub(super) struct CaseResult {
    pub(super) transitions: Vec<Transition>,
    /// In order of time.
    pub(super) decisions: Vec<Decision>,
    pub(super) letters: Vec<DeadLetter>,
}

/// Whether a case is right, and what there is to say.
pub(super) struct CaseReport {
    pub(super) is_right: bool,
    pub(super) text: String,
}

/// Something that happened to an episode.
struct Came<'a> {
    time: LogicalTime,
    customer: &'a Id,
    entity: Option<&'a Id>,
    moment: &'a str,
    event: CaseEvent,
}

enum CaseEvent {
    Opened,
    Closed,
    Verdict(Verdict, Vec<Gate>),
}

/// Compares what came with what was expected.
pub(super) fn judge(plan: &Plan, case: &TestCase, found: &CaseResult) -> CaseReport {
    let mut missing: Vec<&ExpectedEpisode> = case.expect.iter().collect();
    // Lines with their times; `=` came as expected, `-` did not come, `+` was not expected.
    let mut lines: Vec<(u64, char, String)> = Vec::new();
    let came = transitions(plan, found).chain(verdicts(plan, found));
    for came in came.filter(|came| came.matters(case)) {
        let at = missing.iter().position(|expected| came.is_what(expected));
        let sign = if at.map(|at| missing.swap_remove(at)).is_some() { '=' } else { '+' };
        lines.push((came.time, sign, came.shown()));
    }
    lines.extend(missing.into_iter().map(|expected| (expected.at, '-', shown_expected(expected))));
    lines.sort();
    let letters = letters_wrong(case, found);
    let is_right = lines.iter().all(|(_, sign, _)| *sign == '=') && letters.is_none();
    let mut text = String::new();
    for (time, sign, line) in lines.iter().filter(|_| !is_right) {
        let told = match sign {
            '-' => "expected, did not come",
            '+' => "came, not expected",
            _ => "as expected",
        };
        let _ = writeln!(text, "   {sign}  {}  {line}  ({told})", format_time(*time as i64));
    }
    if let Some(wrong) = letters {
        for letter in &found.letters {
            let DeadLetter { file, line, reason, error, .. } = letter;
            let _ = writeln!(text, "   !  {file}:{line} is a dead letter ({reason}): {error}");
        }
        let _ = writeln!(text, "   !  {wrong}");
    }
    CaseReport { is_right, text }
}

/// How the records that were refused differ from those that were to be.
fn letters_wrong(case: &TestCase, found: &CaseResult) -> Option<String> {
    let came = found.letters.len();
    match &case.dead_letters {
        None | Some(DeadLetters::Count(0)) if came > 0 => {
            Some(format!("no record may be refused: `dead_letters = {came}` says that it is meant"))
        }
        Some(DeadLetters::Some) if came == 0 => Some("dead letters are expected, and none came".to_owned()),
        Some(DeadLetters::Count(count)) if *count != came as u64 => {
            Some(format!("{count} dead letters are expected, and {came} came"))
        }
        Some(DeadLetters::Reasons(reasons)) => {
            let sorted = |mut reasons: Vec<&str>| {
                reasons.sort_unstable();
                if reasons.is_empty() { "nothing".to_owned() } else { reasons.join(", ") }
            };
            let expected = sorted(reasons.iter().map(String::as_str).collect());
            let came = sorted(found.letters.iter().map(|letter| letter.reason).collect());
            (expected != came).then(|| format!("dead letters are expected for {expected}, and came for {came}"))
        }
        _ => None,
    }
}

fn transitions<'a>(plan: &'a Plan, found: &'a CaseResult) -> impl Iterator<Item = Came<'a>> {
    found.transitions.iter().map(|transition| Came {
        time: transition.time,
        customer: &transition.customer,
        entity: transition.entity.as_ref().map(|(_, id)| id),
        moment: &plan.moments[transition.moment.index()].name,
        event: if transition.opened { CaseEvent::Opened } else { CaseEvent::Closed },
    })
}

/// The verdicts of each episode, repeats left out.
fn verdicts<'a>(plan: &'a Plan, found: &'a CaseResult) -> impl Iterator<Item = Came<'a>> {
    let mut last: HashMap<(&Id, &EpisodeKey), Verdict> = HashMap::new();
    found.decisions.iter().filter_map(move |decision| {
        let (Some(episode), What::Verdict(judgement)) = (&decision.episode, &decision.what) else { return None };
        if last.insert((&decision.customer, episode), judgement.verdict) == Some(judgement.verdict) {
            return None;
        }
        let gates = judgement.gates.iter().map(|failed| failed.gate).collect();
        Some(Came {
            time: decision.time,
            customer: &decision.customer,
            entity: episode.entity.as_ref().map(|(_, id)| id),
            moment: &plan.moments[episode.moment.index()].name,
            event: CaseEvent::Verdict(judgement.verdict, gates),
        })
    })
}

impl Came<'_> {
    /// Whether the case says anything of it.
    fn matters(&self, case: &TestCase) -> bool {
        let is_verdict = matches!(self.event, CaseEvent::Verdict(..));
        let is_named = case.expect.iter().any(|expected| {
            expected.moment == self.moment && matches!(expected.event, ExpectedEvent::Verdict { .. }) == is_verdict
        });
        let is_in = |names: &[String]| names.iter().any(|name| name == self.moment);
        is_named
            || match self.event {
                CaseEvent::Opened => is_in(&case.silent),
                CaseEvent::Verdict(Verdict::Released | Verdict::HandedToHuman, _) => is_in(&case.unreleased),
                _ => false,
            }
    }

    /// Whether it is what is expected.
    fn is_what(&self, expected: &ExpectedEpisode) -> bool {
        let is_entity = match (&expected.entity, self.entity) {
            (None, _) => true,
            (Some(expected), Some(id)) => Id::parse(expected) == *id,
            (Some(_), None) => false,
        };
        let is_event = match (&expected.event, &self.event) {
            (ExpectedEvent::Opened, CaseEvent::Opened) | (ExpectedEvent::Closed, CaseEvent::Closed) => true,
            (ExpectedEvent::Verdict { verdict, gates }, CaseEvent::Verdict(came, failed)) => {
                let is_set = |gates: &Vec<Gate>| {
                    gates.iter().all(|gate| failed.contains(gate)) && failed.iter().all(|gate| gates.contains(gate))
                };
                verdict == came && gates.as_ref().is_none_or(is_set)
            }
            _ => false,
        };
        is_event
            && is_entity
            && expected.moment == self.moment
            && expected.at == self.time
            && Id::parse(&expected.customer) == *self.customer
    }

    fn shown(&self) -> String {
        let event = match &self.event {
            CaseEvent::Opened => transition_name(true).to_owned(),
            CaseEvent::Closed => transition_name(false).to_owned(),
            CaseEvent::Verdict(verdict, gates) => verdict_text(*verdict, gates),
        };
        let entity = self.entity.map(ToString::to_string);
        shown(&self.customer.to_string(), entity.as_deref(), self.moment, &event)
    }
}

fn shown_expected(expected: &ExpectedEpisode) -> String {
    let event = match &expected.event {
        ExpectedEvent::Opened => transition_name(true).to_owned(),
        ExpectedEvent::Closed => transition_name(false).to_owned(),
        ExpectedEvent::Verdict { verdict, gates } => verdict_text(*verdict, gates.as_deref().unwrap_or_default()),
    };
    shown(&expected.customer, expected.entity.as_deref(), &expected.moment, &event)
}

/// `deferred by mood, quiet`
fn verdict_text(verdict: Verdict, gates: &[Gate]) -> String {
    let gates: Vec<&str> = gates.iter().map(|gate| gate.name()).collect();
    if gates.is_empty() { verdict.name().to_owned() } else { format!("{} by {}", verdict.name(), gates.join(", ")) }
}

fn shown(customer: &str, entity: Option<&str>, moment: &str, event: &str) -> String {
    let about = entity.map(|entity| format!(" {entity}")).unwrap_or_default();
    format!("{customer}{about}  {moment} {event}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use propice_define as define;
    use propice_flow::policy::Judgement;
    use propice_model::MomentId;

    const PACK: &str = r#"
[pack]
name = "p"
[stream.s]
time = "at"
about = "c"
fields = { at = "time", c = "id(customer)", n = "int" }
[customer.feature]
n = { from = "s", sum = "n" }
[moment.many]
when = "n > 2"
purpose = "assistance"
value = { kind = "economic", benefit = "It helps" }
[[test]]
name = "a case"
given = []
"#;

    fn decision(time: u64, verdict: Verdict, gates: &[Gate]) -> Decision {
        let episode = EpisodeKey { moment: MomentId(0), entity: None, since: 1_000 };
        Decision {
            time,
            customer: Id::parse("1"),
            episode: Some(episode),
            what: What::Verdict(Judgement::bare(verdict, gates)),
        }
    }

    fn report(expectations: &str, decisions: Vec<Decision>) -> CaseReport {
        let plan = define::load("p.toml", &format!("{PACK}{expectations}")).unwrap_or_else(|errors| panic!("{errors}"));
        judge(&plan, &plan.tests[0], &CaseResult { transitions: Vec::new(), decisions, letters: Vec::new() })
    }

    fn waits_and_speaks() -> Vec<Decision> {
        vec![
            decision(1_000, Verdict::Deferred, &[Gate::Mood, Gate::Quiet]),
            decision(2_000, Verdict::Deferred, &[Gate::Quiet]),
            decision(3_000, Verdict::Released, &[]),
        ]
    }

    #[test]
    fn every_verdict_of_a_moment_that_is_named_is_expected_and_repeats_are_none() {
        let whole = r#"expect = [
            { customer = 1, moment = "many", verdict = "released", at = "1970-01-01T00:00:03Z" },
            { customer = 1, moment = "many", verdict = "deferred", gates = ["quiet", "mood"], at = "1970-01-01T00:00:01Z" }]"#;
        let right = report(whole, waits_and_speaks());
        assert!(right.is_right, "{}", right.text);
        let part = r#"expect = [{ customer = 1, moment = "many", verdict = "released", at = "1970-01-01T00:00:03Z" }]"#;
        let wrong = report(part, waits_and_speaks());
        assert!(!wrong.is_right);
        let expected = "   +  1970-01-01T00:00:01Z  1  many deferred by mood, quiet  (came, not expected)\n   \
                        =  1970-01-01T00:00:03Z  1  many released  (as expected)\n";
        assert_eq!(wrong.text, expected);
    }

    #[test]
    fn gates_that_are_named_are_all_that_failed() {
        let one = r#"expect = [
            { customer = 1, moment = "many", verdict = "released", at = "1970-01-01T00:00:03Z" },
            { customer = 1, moment = "many", verdict = "deferred", gates = ["mood"], at = "1970-01-01T00:00:01Z" }]"#;
        let wrong = report(one, waits_and_speaks());
        let expected = "   +  1970-01-01T00:00:01Z  1  many deferred by mood, quiet  (came, not expected)\n   \
                        -  1970-01-01T00:00:01Z  1  many deferred by mood  (expected, did not come)\n   \
                        =  1970-01-01T00:00:03Z  1  many released  (as expected)\n";
        assert_eq!(wrong.text, expected);
    }

    #[test]
    fn what_must_not_be_released_may_wait() {
        let waits = vec![decision(1_000, Verdict::Deferred, &[Gate::Mood])];
        assert!(report("unreleased = [\"many\"]", waits).is_right);
        assert!(!report("unreleased = [\"many\"]", waits_and_speaks()).is_right);
        let handed = vec![decision(1_000, Verdict::HandedToHuman, &[Gate::Mood])];
        assert!(!report("unreleased = [\"many\"]", handed).is_right);
    }
}
