//! What held episodes back, and for how long.

use super::super::figures::{OneMoment, Report, Waits};
use super::super::words::ReportWords;
use super::{ReportSection, ReportTable, Topic};

pub(super) fn gates(report: &Report, words: ReportWords) -> ReportSection {
    let rows = report.gates.iter().map(|of| {
        let counts = [of.suppressed, of.deferred, of.expired].map(|count| words.count(count));
        std::iter::once(words.gate(of.gate).to_owned()).chain(counts).collect()
    });
    let says = words.pick(
        "Episodes that each gate held back at some time: suppressed, deferred, and still failing when the episode \
         expired. An episode that several gates held back counts at each of them.",
        "Épisodes que chaque barrière a arrêtés un temps\u{a0}: retenus, reportés, et encore arrêtés à leur expiration. \
         Un épisode que plusieurs barrières ont arrêté compte à chacune d’elles.",
    );
    let heads =
        words.pick(["gate", "suppressed", "deferred", "expired"], ["barrière", "retenus", "reportés", "expirés"]);
    let table = ReportTable::new(&heads, rows.collect());
    let title = words.pick("Which gate held back", "Quelle barrière a arrêté");
    ReportSection { topic: Topic::Gates, title, says: says.to_owned(), table }
}

/// Heads of what is told of lengths.
fn heads(words: ReportWords) -> [&'static str; 5] {
    words.pick(
        ["over", "median", "nine in ten within", "longest", "still open"],
        ["terminées", "médiane", "neuf sur dix en", "la plus longue", "en cours"],
    )
}

fn waits(waits: &Waits, words: ReportWords) -> [String; 5] {
    let lengths = [waits.median_ms, waits.p90_ms, waits.longest_ms].map(|length| words.some_length(length));
    let [median, p90, longest] = lengths;
    [words.count(waits.ended), median, p90, longest, words.count(waits.still_open)]
}

fn there_are(waits: &Waits) -> bool {
    waits.ended + waits.still_open > 0
}

pub(super) fn by_gate(report: &Report, words: ReportWords) -> ReportSection {
    let all = [(words.pick("all", "toutes"), &report.deferrals)];
    let gates = report.gates.iter().map(|of| (words.gate(of.gate), &of.deferrals)).filter(|(_, of)| there_are(of));
    let rows = all.into_iter().chain(gates);
    let rows = rows.map(|(gate, of)| std::iter::once(gate.to_owned()).chain(waits(of, words)).collect());
    let says = words.pick(
        "A deferral lasts until the verdict is another one; at a gate, as long as verdicts name the gate. Those that \
         were still open at the end are counted, and not measured.",
        "Une attente dure tant que l’épisode est reporté\u{202f}; à une barrière, tant que les verdicts la nomment. \
         Celles qui duraient encore à la fin sont comptées, et non mesurées.",
    );
    let heads = [&[words.pick("gate", "barrière")][..], &heads(words)].concat();
    let table = ReportTable::new(&heads, rows.collect());
    let title = words.pick("How long deferrals lasted, by gate", "Durée des attentes, par barrière");
    ReportSection { topic: Topic::WaitsByGate, title, says: says.to_owned(), table }
}

/// Moments with deferrals, those that waited longest first.
pub(in super::super) fn that_waited(report: &Report) -> Vec<&OneMoment> {
    let mut moments: Vec<&OneMoment> = report.moments.iter().filter(|of| there_are(&of.deferrals)).collect();
    moments.sort_by_key(|of| std::cmp::Reverse(of.deferrals.median_ms));
    moments
}

pub(super) fn by_moment(report: &Report, words: ReportWords) -> ReportSection {
    let rows = that_waited(report).into_iter().map(|of| {
        let released = of.then.get("released").copied().unwrap_or(0);
        let released = words.percent_of(released, of.deferrals.ended);
        std::iter::once(words.name(&of.moment)).chain(waits(&of.deferrals, words)).chain([released]).collect()
    });
    let says = words.pick(
        "The last column is the share of the deferrals that are over which ended in a release.",
        "La dernière colonne est la part des attentes terminées qui ont abouti à une émission.",
    );
    let heads = [&["moment"][..], &heads(words), &[words.pick("then released", "puis émis")]].concat();
    let table = ReportTable::new(&heads, rows.collect());
    let title = words.pick("How long deferrals lasted, by moment", "Durée des attentes, par moment");
    ReportSection { topic: Topic::WaitsByMoment, title, says: says.to_owned(), table }
}
