//! Moment by moment: what became of them, what customers said, and whether it helped.

use super::super::figures::{OneMoment, Report};
use super::super::stats::{LEAST_WATCHED, Share};
use super::super::words::{NOTHING, ReportWords};
use super::{ReportSection, ReportTable, Topic};

pub(super) fn moments(report: &Report, words: ReportWords) -> ReportSection {
    let rows = report.moments.iter().map(|of| {
        let [released, handed, withdrawn, expired, deferred, suppressed] =
            words.ends(&of.totals).map(|(_, count)| count);
        let after = of.totals.withdrawn_after_release;
        let counts = [of.totals.episodes, released, handed, withdrawn, after, expired, deferred, suppressed];
        let head = [words.name(&of.moment), words.purpose(of.purpose).to_owned()];
        head.into_iter().chain(counts.map(|count| words.count(count))).collect()
    });
    let heads = words.pick(
        [
            "moment",
            "purpose",
            "episodes",
            "released",
            "handed to a human",
            "withdrawn before",
            "withdrawn after",
            "expired",
            "still deferred",
            "still suppressed",
        ],
        [
            "moment",
            "but",
            "épisodes",
            "émis",
            "confiés à une personne",
            "retirés avant",
            "retirés après",
            "expirés",
            "encore reportés",
            "encore retenus",
        ],
    );
    let mut table = ReportTable::new(&heads, rows.collect());
    table.numbers_from = 2;
    let says = words.pick(
        "Withdrawn before: the situation ended by itself before anything was said. Withdrawn after: it ended after the \
         release.",
        "Retirés avant\u{a0}: la situation a pris fin d’elle-même avant que rien ne soit dit. Retirés après\u{a0}: elle \
         a pris fin après l’émission.",
    );
    ReportSection { topic: Topic::Moments, title: words.pick("Moments", "Moments"), says: says.to_owned(), table }
}

/// Kinds of receipts that have a column.
const ANSWERS: [&str; 6] = ["seen", "acted", "dismissed", "useful", "not_useful", "wrong"];

/// Moments that customers have heard of or answered.
pub(in super::super) fn that_were_sent(report: &Report) -> Vec<&OneMoment> {
    report.moments.iter().filter(|of| of.sent() > 0 || !of.receipts.is_empty()).collect()
}

pub(super) fn usefulness(report: &Report, words: ReportWords) -> ReportSection {
    let rows = that_were_sent(report).into_iter().map(|of| {
        let answers = ANSWERS.map(|kind| {
            let count = of.received(kind);
            match (count, of.sent()) {
                (0, _) | (_, 0) => words.count(count),
                (count, sent) => {
                    format!("{} ({})", words.count(count), words.0.percent(count as f64 / sent as f64, 0))
                }
            }
        });
        let head = [words.name(&of.moment), words.count(of.sent())];
        head.into_iter().chain(answers).chain([with_interval(of.useful, words)]).collect()
    });
    let heads = words.pick(
        ["moment", "triggers", "seen", "acted on", "dismissed", "useful", "not useful", "wrong", "rated useful"],
        ["moment", "envois", "vus", "suivis", "écartés", "utiles", "inutiles", "erronés", "jugés utiles"],
    );
    let says = words.pick(
        "Receipts by kind, and per trigger (a trigger can be answered more than once). Rated useful: the share of \
         useful among all that say useful, not useful or wrong, with its interval of 95% confidence.",
        "Réponses par type, et par envoi (un envoi peut recevoir plusieurs réponses). Jugés utiles\u{a0}: la part \
         des «\u{a0}utile\u{a0}» parmi les réponses «\u{a0}utile\u{a0}», «\u{a0}inutile\u{a0}» et «\u{a0}erroné\u{a0}», \
         avec son intervalle de confiance à 95\u{202f}%.",
    );
    let title = words.pick("What customers said", "Ce que les clients ont dit");
    ReportSection {
        topic: Topic::Usefulness,
        title,
        says: says.to_owned(),
        table: ReportTable::new(&heads, rows.collect()),
    }
}

/// Moments whose success was watched to its end.
pub(in super::super) fn that_were_watched(report: &Report) -> Vec<&OneMoment> {
    report.moments.iter().filter(|of| of.treated.of + of.holdout.of > 0).collect()
}

/// A share with its interval and how many it is of.
fn with_interval(share: Share, words: ReportWords) -> String {
    let (Some(rate), Some(low), Some(high)) = (share.rate, share.low, share.high) else { return NOTHING.to_owned() };
    let [rate, low, high] = [rate, low, high].map(|share| words.percent(share));
    let of = words.count(share.of);
    words.pick(format!("{rate} ({low} to {high}) of {of}"), format!("{rate} ({low} à {high}) sur {of}"))
}

/// A difference of shares, in points.
fn points(difference: f64, words: ReportWords) -> String {
    let sign = if difference > 0.0 { "+" } else { "" };
    format!("{sign}{}", words.fixed(difference * 100.0, 1)).replace('-', "−")
}

pub(super) fn success(report: &Report, words: ReportWords) -> ReportSection {
    let rows = that_were_watched(report).into_iter().map(|of| {
        let (difference, says) = match of.treated_against_holdout {
            Some(of) => {
                let [difference, low, high] = [of.difference, of.low, of.high].map(|of| points(of, words));
                (format!("{difference} ({low} {} {high})", words.pick("to", "à")), words.says(of.says))
            }
            None if of.holdout.of == 0 => (NOTHING.to_owned(), words.pick("no control group", "sans groupe témoin")),
            None => (NOTHING.to_owned(), words.pick("nobody treated", "personne de traité")),
        };
        let [treated, holdout] = [of.treated, of.holdout].map(|share| with_interval(share, words));
        vec![words.name(&of.moment), treated, holdout, difference, says.to_owned()]
    });
    let says = words.pick(
        format!(
            "Outcomes: did what the moment is for come about in time? Treated after a release, held out in the control \
             group without one. The difference is in points of percent, with its interval of 95% confidence \
             (Newcombe); fewer than {LEAST_WATCHED} outcomes in a group are too few to tell. One comparison in twenty \
             shows a difference by chance alone."
        ),
        format!(
            "Résultats\u{a0}: ce que vise le moment est-il arrivé à temps\u{202f}? Traités\u{a0}: après une émission\u{202f}; \
             témoins\u{a0}: sans émission, dans le groupe témoin. L’écart est en points de pourcentage, avec son \
             intervalle de confiance à 95\u{202f}% (Newcombe)\u{202f}; moins de {LEAST_WATCHED} résultats dans un \
             groupe ne permettent pas de conclure. Une comparaison sur vingt montre un écart par le seul hasard."
        ),
    );
    let heads = words.pick(
        ["moment", "treated: helped", "held out: helped", "difference", "so"],
        ["moment", "traités\u{a0}: aidés", "témoins\u{a0}: aidés", "écart", "conclusion"],
    );
    let mut table = ReportTable::new(&heads, rows.collect());
    table.words = Some(4);
    let title = words.pick("Did it help?", "Cela a-t-il aidé\u{202f}?");
    ReportSection { topic: Topic::Success, title, says, table }
}
