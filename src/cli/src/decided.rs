//! What the closing summary says of decisions: a line for everything that happened, and none for what did not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::summary::grouped;
use propice_define::Plan;
use propice_define::plan::{Gate, Purpose};
use propice_edge::sink::Tally;
use propice_edge::trigger::channel_name;
use propice_model::{Language, MomentId};

/// Releases by moment and channel.
type Published = BTreeMap<(MomentId, Option<u16>), u64>;

/// Appends what was decided.
pub(super) fn write(plan: &Plan, tally: &Tally, text: &mut String) {
    let mut line = |name: &str, count: u64, rest: &str| {
        if count > 0 {
            let _ = writeln!(text, "{}", format!("{name:<15}  {:>10}  {rest}", grouped(count)).trim_end());
        }
    };
    let all = |published: &Published| published.values().sum::<u64>();
    let released = format!("for {}; on {}", by_purpose(plan, &tally.released), by_channel(plan, &tally.released));
    line("released", all(&tally.released), &released);
    line("to a person", all(&tally.handed_over), &format!("on {}", by_channel(plan, &tally.handed_over)));
    line("deferred", tally.deferred, &deferrals(tally));
    line("suppressed", tally.suppressed, &format!("by {}", by_gate(&tally.suppressed_by)));
    let (before, after) = (tally.withdrawn_before, tally.withdrawn_after);
    line("withdrawn", before, "before a release: the situation was over");
    line("taken back", after, "withdrawn after a release");
    line("expired", tally.expired, "");
    line("still waiting", tally.still_open(), "for the end of a deferral, or for a fact to change");
}

fn by_purpose(plan: &Plan, published: &Published) -> String {
    let count = |purpose: Purpose| {
        let of = published.iter().filter(|((moment, _), _)| plan.moments[moment.index()].purpose == purpose);
        of.map(|(_, count)| count).sum::<u64>()
    };
    joined(Purpose::ALL.into_iter().map(|(name, purpose)| (name, count(purpose))))
}

fn by_channel(plan: &Plan, published: &Published) -> String {
    let mut channels: BTreeMap<&str, u64> = BTreeMap::new();
    for ((_, channel), count) in published {
        *channels.entry(channel_name(plan, *channel)).or_default() += count;
    }
    joined(channels.into_iter())
}

fn by_gate(gates: &BTreeMap<Gate, u64>) -> String {
    joined(gates.iter().map(|(gate, count)| (gate.name(), *count)))
}

fn deferrals(tally: &Tally) -> String {
    let mut text = format!("by {}", by_gate(&tally.deferred_by));
    if let Some(median) = tally.median_deferral_ms() {
        let _ = write!(text, "; {} at the median", Language::English.length(median));
    }
    if tally.still_deferred() > 0 {
        let _ = write!(text, "; {} still", grouped(tally.still_deferred()));
    }
    text
}

fn joined<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let parts: Vec<String> =
        counts.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {}", grouped(count))).collect();
    parts.join(", ")
}
