//! Decisions of a year that never was, for a page with something on it: drawn from one documented
//! generator, so always the same.

use std::fmt::Write as _;

const MOMENTS: [(&str, &str, &[&str], u64); 9] = [
    ("overdraft_ahead", "assistance", &["mobile_push", "adviser"], 10),
    ("fraud_suspected", "safety", &["mobile_push", "call"], 4),
    ("card_offer", "sales", &["mail"], 7),
    ("trip_ahead", "assistance", &["mobile_push"], 8),
    ("rate_change", "service", &["mail"], 5),
    ("financial_fragility", "assistance", &["adviser"], 6),
    ("complaint_unanswered", "service", &["call"], 3),
    ("years_together", "relationship", &["mail"], 3),
    ("retirement_savings_gap", "sales", &["adviser", "mail"], 3),
];
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// 2025-01-01.
const START_MS: u64 = 1_735_689_600_000;

/// `SplitMix64`.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
}

struct Writer<'a> {
    lines: &'a mut Vec<(u64, String)>,
    head: String,
}

impl Writer<'_> {
    fn write(&mut self, time: u64, rest: &str) {
        self.lines.push((time, format!("{{\"logical_time_ms\":{time},{}{rest}}}\n", self.head)));
    }

    fn verdict(&mut self, time: u64, verdict: &str, gates: &[&str], channel: Option<&str>) {
        let gates: Vec<String> =
            gates.iter().map(|gate| format!("{{\"gate\":\"{gate}\",\"why\":null,\"until\":null}}")).collect();
        let channel = channel.map_or_else(|| "null".to_owned(), |channel| format!("\"{channel}\""));
        let rest = format!(
            "\"decision\":\"verdict\",\"verdict\":\"{verdict}\",\"gates\":[{}],\"channel\":{channel},\"released_at\":null",
            gates.join(",")
        );
        self.write(time, &rest);
    }

    fn withdrawn_after(&mut self, time: u64) {
        let rest = "\"decision\":\"verdict\",\"verdict\":\"withdrawn\",\"gates\":[],\"channel\":null,\"released_at\":\"before\"";
        self.write(time, rest);
    }

    fn receipt(&mut self, time: u64, kind: &str) {
        self.write(time, &format!("\"decision\":\"receipt\",\"receipt\":\"{kind}\""));
    }

    fn outcome(&mut self, time: u64, helped: bool, group: &str) {
        self.write(time, &format!("\"decision\":\"outcome\",\"helped\":{helped},\"group\":\"{group}\""));
    }
}

/// The lines of `decisions.jsonl`, for so many episodes.
pub(crate) fn decisions(episodes: u64) -> String {
    let mut chance = Chance(7);
    let mut lines = Vec::new();
    let weights: u64 = MOMENTS.iter().map(|moment| moment.3).sum();
    for number in 0..episodes {
        let mut at = chance.below(weights);
        let moment = MOMENTS
            .iter()
            .find(|moment| {
                moment.3 > at || {
                    at -= moment.3;
                    false
                }
            })
            .unwrap_or(&MOMENTS[0]);
        let (name, purpose, channels, _) = *moment;
        // A few customers have many episodes, most have few.
        let customer = chance.below(900).min(chance.below(900));
        let mut head = String::new();
        let _ = write!(
            head,
            "\"customer\":\"c{customer}\",\"moment\":\"{name}\",\"purpose\":\"{purpose}\",\"episode\":\"{number:08x}\","
        );
        let mut writer = Writer { lines: &mut lines, head };
        let opened = START_MS + chance.below(365 * 24) * HOUR_MS + chance.below(HOUR_MS);
        let channel = channels[chance.below(channels.len() as u64) as usize];
        live(&mut chance, &mut writer, opened, purpose, channel);
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// One episode from its first verdict to what comes of it.
fn live(chance: &mut Chance, writer: &mut Writer<'_>, opened: u64, purpose: &str, channel: &str) {
    if purpose != "safety" && chance.percent(30) {
        let gate = ["refusal", "consent", "silence", "cooldown"][chance.below(4) as usize];
        writer.verdict(opened, "suppressed", &[gate, "quiet"], None);
        match chance.below(3) {
            0 => writer.verdict(opened + chance.below(9) * DAY_MS, "withdrawn", &[], None),
            1 => writer.verdict(opened + 10 * DAY_MS, "expired", &[gate], None),
            _ => {}
        }
        return;
    }
    if purpose != "safety" && chance.percent(12) {
        writer.verdict(opened, "suppressed", &["holdout"], None);
        writer.verdict(opened + 10 * DAY_MS, "expired", &["holdout"], None);
        let helped = chance.percent(35);
        writer.outcome(opened + 30 * DAY_MS, helped, "holdout");
        return;
    }
    let mut now = opened;
    if chance.percent(45) {
        let (gate, most) =
            [("mood", 12), ("quiet", 14), ("pressure", 24 * 40), ("arbitration", 1), ("evidence", 24 * 6)]
                [chance.below(5) as usize];
        writer.verdict(now, "deferred", &[gate], None);
        now += chance.below(most * HOUR_MS) + 60_000;
        if chance.percent(18) {
            writer.verdict(now, "withdrawn", &[], None);
            return;
        }
        if chance.percent(5) {
            return;
        }
    }
    let verdict = if chance.percent(6) { "handed_to_human" } else { "released" };
    writer.verdict(now, verdict, &[], Some(if verdict == "released" { channel } else { "adviser" }));
    answer(chance, writer, now, purpose);
    if chance.percent(25) {
        writer.withdrawn_after(now + chance.below(9 * DAY_MS));
    }
    let base = if purpose == "sales" { 33 } else { 58 };
    let helped = chance.percent(base);
    writer.outcome(now + 30 * DAY_MS, helped, "treated");
}

/// What the customer says.
fn answer(chance: &mut Chance, writer: &mut Writer<'_>, now: u64, purpose: &str) {
    let minute = 60_000;
    if !chance.percent(70) {
        return;
    }
    writer.receipt(now + minute, "delivered");
    writer.receipt(now + 9 * minute, "seen");
    let welcome = if purpose == "sales" { 35 } else { 80 };
    if chance.percent(40) {
        let kind = if chance.percent(welcome) { "useful" } else { ["not_useful", "wrong"][chance.below(2) as usize] };
        writer.receipt(now + 20 * minute, kind);
    }
    let kind = if chance.percent(welcome) { "acted" } else { "dismissed" };
    writer.receipt(now + 30 * minute, kind);
}
