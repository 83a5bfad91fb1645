//! Receipts for what was released: the ids of triggers are known only when a case has been run.

use std::collections::BTreeMap;

use super::policy::KINDS;
use super::{Case, Rng, time_of};
use crate::oracle;

type Decision = BTreeMap<String, serde_json::Value>;

/// Adds receipts that name what was released.
pub(super) fn answer(rng: &mut Rng, case: &mut Case) {
    let text = case.pack.text();
    if !text.contains("[stream.receipts]") && !text.contains("[table.receipts]") {
        return;
    }
    let Ok(plan) = propice_define::load("random.toml", &text) else { return };
    let files = crate::files::of(case, &plan);
    let arrivals = files.as_deref().map_or(oracle::Arrivals::Lines(&case.lines), oracle::Arrivals::Files);
    let run = || oracle::run_from(&text, arrivals, case.until, case.grain, 0);
    let Ok(given) = std::panic::catch_unwind(run) else { return };
    let parsed = |line: &str| serde_json::from_str(line).expect("a decision");
    let decisions: Vec<Decision> = given.decisions.lines().map(parsed).collect();
    let word = |decision: &Decision, key: &str| decision[key].as_str().unwrap_or("").to_owned();
    let mut published = decisions.clone();
    published.retain(|decision| {
        let verdict = decision.get("verdict").and_then(|verdict| verdict.as_str()).unwrap_or("");
        verdict == "released"
            || verdict == "handed_to_human"
            || (verdict == "withdrawn" && !decision["channel"].is_null())
    });
    if published.is_empty() {
        return;
    }
    // Beside another episode of the same moment, of which something is decided at the same time:
    // what is heard of one counts for the other.
    let is_beside = |release: &&Decision| {
        let same = |other: &&Decision| {
            ["logical_time_ms", "customer", "moment"].iter().all(|key| other[*key] == release[*key])
        };
        decisions.iter().filter(same).any(|other| other["episode"] != release["episode"])
    };
    let beside: Vec<Decision> = published.iter().filter(is_beside).cloned().collect();
    for _ in 0..1 + rng.below(20) {
        let among = if beside.is_empty() || rng.chance(60) { &published } else { &beside };
        let release = rng.pick(among);
        let at = release["logical_time_ms"].as_i64().expect("a time");
        let grain = case.grain as i64;
        let at = at - at.rem_euclid(grain);
        // Behind the release as a rule. A backtest has receipts of what another policy released
        // earlier.
        let at = match rng.below(10) {
            0..=2 => (at - grain * rng.between(1, 40)).max(0),
            3 => at,
            _ => at + grain * rng.between(1, 40),
        };
        let (episode, verdict) = (word(release, "episode"), word(release, "verdict"));
        let trigger = if rng.chance(25) { episode } else { format!("{episode}-{verdict}") };
        let customer = if rng.chance(5) { "c1".to_owned() } else { word(release, "customer") };
        let kind = match rng.below(4) {
            0 | 1 => "\"dismissed\"",
            2 => "\"snoozed\"",
            _ => rng.pick(KINDS),
        };
        let mut line = format!(
            "{{\"stream\":\"receipts\",\"c\":\"{customer}\",\"at\":{at},\"kind\":{kind},\"trigger\":\"{trigger}\""
        );
        let channel = word(release, "channel");
        if !channel.is_empty() && rng.chance(60) {
            line += &format!(",\"channel\":\"{channel}\"");
        }
        if rng.chance(50) {
            line += &format!(",\"purpose\":\"{}\"", word(release, "purpose"));
        }
        if rng.chance(30) {
            line += &format!(",\"until\":{}", at + grain * rng.between(-2, 60));
        }
        line += &format!(",\"v\":{}", rng.next() % (1 << 40));
        line += &format!(",\"h\":{}}}", if rng.chance(80) { rng.between(10, 1_000) } else { rng.between(1, 4) });
        // Behind what is earlier, so that it is rarely late.
        let later = |line: &String| time_of(line).is_some_and(|other| other > at);
        let first = case.lines.iter().position(later).unwrap_or(case.lines.len());
        let position = if rng.chance(85) { first } else { first + rng.below(case.lines.len() - first + 1) };
        case.lines.insert(position, line);
    }
}
