//! What the closing summary says of decisions: a line for everything that happened, and none for
//! what did not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use propice_define::plan::{Gate, Purpose};
use propice_edge::sink::DecisionTally;
use propice_edge::sink::columns::wrapped;
use propice_edge::trigger::Telling;
use propice_model::MomentId;

/// Releases by moment and channel.
type ReleaseCounts = BTreeMap<(MomentId, Option<u16>), u64>;

/// Columns of the names.
const NAMES: usize = 15;

/// Appends what was decided, so many columns wide.
pub(super) fn write(telling: &Telling<'_>, tally: &DecisionTally, columns: usize, text: &mut String) {
    let start = NAMES + 2 + 10 + 2;
    let mut line = |name: &str, count: u64, rest: &str| {
        if count == 0 {
            return;
        }
        let head = format!("{name:<NAMES$}  {:>10}", telling.teller.number(&count.to_string()));
        let mut rest = wrapped(rest, columns.saturating_sub(start).max(1)).into_iter();
        let first = rest.next().unwrap_or_default();
        let _ = writeln!(text, "{}", format!("{head}  {first}").trim_end());
        for more in rest {
            let _ = writeln!(text, "{:start$}{more}", "");
        }
    };
    let all = |published: &ReleaseCounts| published.values().sum::<u64>();
    let pick = |english: &'static str, french: &'static str| telling.pick(english, french);
    let on = |published: &ReleaseCounts| format!("{} {}", pick("on", "sur"), by_channel(telling, published));
    let purposes = by_purpose(telling, &tally.released);
    let released = format!("{} {purposes}{} {}", pick("for", "pour"), pick(";", " ;"), on(&tally.released));
    line(pick("released", "émis"), all(&tally.released), &released);
    line(pick("to a person", "à une personne"), all(&tally.handed_over), &on(&tally.handed_over));
    line(pick("deferred", "reportés"), tally.deferred, &deferrals(telling, tally));
    let suppressed = format!("{} {}", pick("by", "par"), by_gate(telling, &tally.suppressed_by));
    line(pick("suppressed", "retenus"), tally.suppressed, &suppressed);
    let over = pick("before a release: the situation was over", "avant d'être émis : la situation avait cessé");
    line(pick("withdrawn", "retirés"), tally.withdrawn_before, over);
    let ended = joined(telling, tally.ended_after.iter().map(|(how, count)| (telling.ending(*how), *count)));
    let after = format!("{} {ended}", pick("withdrawn after a release:", "retirés après avoir été émis :"));
    line(pick("taken back", "repris"), tally.withdrawn_after, &after);
    line(pick("expired", "expirés"), tally.expired, "");
    let waits = pick("for the end of a deferral, or for a fact to change", "la fin d'un report, ou qu'un fait change");
    line(pick("still waiting", "en attente"), tally.still_open(), waits);
}

fn by_purpose(telling: &Telling<'_>, published: &ReleaseCounts) -> String {
    let count = |purpose: Purpose| {
        let of = published.iter().filter(|((moment, _), _)| telling.plan.moments[moment.index()].purpose == purpose);
        of.map(|(_, count)| count).sum::<u64>()
    };
    joined(telling, Purpose::ALL.into_iter().map(|(_, purpose)| (telling.purpose(purpose), count(purpose))))
}

fn by_channel(telling: &Telling<'_>, published: &ReleaseCounts) -> String {
    let mut channels: BTreeMap<&str, u64> = BTreeMap::new();
    for ((_, channel), count) in published {
        *channels.entry(telling.channel(*channel)).or_default() += count;
    }
    joined(telling, channels.into_iter())
}

fn by_gate(telling: &Telling<'_>, gates: &BTreeMap<Gate, u64>) -> String {
    joined(telling, gates.iter().map(|(gate, count)| (telling.gate(*gate), *count)))
}

fn deferrals(telling: &Telling<'_>, tally: &DecisionTally) -> String {
    let mut text = format!("{} {}", telling.pick("by", "par"), by_gate(telling, &tally.deferred_by));
    if let Some(median) = tally.median_deferral_ms() {
        let length = telling.teller.language.length(median);
        text += &telling.pick(format!("; {length} at the median"), format!(" ; {length} en médiane"));
    }
    if tally.still_deferred() > 0 {
        let still = telling.teller.number(&tally.still_deferred().to_string());
        text += &telling.pick(format!("; {still} still"), format!(" ; {still} encore"));
    }
    text
}

fn joined<'a>(telling: &Telling<'_>, counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let number = |count: u64| telling.teller.number(&count.to_string());
    let counts = counts.filter(|(_, count)| *count > 0);
    let parts: Vec<String> = counts.map(|(name, count)| format!("{name} {}", number(count))).collect();
    parts.join(", ")
}
