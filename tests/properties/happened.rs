//! What happened in cases: nothing is shown by cases in which nothing happens, so how many there are
//! is counted, told and asked for.

use std::collections::BTreeMap;

use propice_define::Plan;

use crate::files::File;
use crate::generate::Case;
use crate::oracle::Expected;

/// What happens in a case.
pub(crate) type What = &'static str;

/// In how many cases of a hundred something has to happen.
pub(crate) type Share = (What, u64);

/// A property had something to hold for.
pub(crate) const EXERCISED: What = "exercised";

/// Of so many packs of a hundred that are drawn, no more may be refused and drawn again.
const MOST_REFUSED: u64 = 25;

/// What happened in cases so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    cases: u64,
    /// Packs that were refused and drawn again.
    refused: u64,
    happened: BTreeMap<What, u64>,
}

impl Tally {
    /// Counts a case.
    pub(crate) fn add(&mut self, refused: u64, happened: &[What]) {
        self.cases += 1;
        self.refused += refused;
        for what in happened {
            *self.happened.entry(what).or_default() += 1;
        }
    }

    /// Counts in words, those that are asked for with how many cases of a hundred that is at least.
    pub(crate) fn told(&self, shares: &[Share]) -> String {
        let mut all: BTreeMap<What, u64> = shares.iter().map(|(what, _)| (*what, 0)).collect();
        all.extend(&self.happened);
        let told = all.iter().map(|(what, count)| match shares.iter().find(|(other, _)| other == what) {
            Some((_, least)) => format!("{what} {count} (at least {least} %)"),
            None => format!("{what} {count}"),
        });
        let told = told.collect::<Vec<_>>().join(", ");
        format!("{} cases, {} packs refused and drawn again; {told}", self.cases, self.refused)
    }

    /// What happens too rarely, or too often.
    pub(crate) fn wrong(&self, shares: &[Share]) -> Option<String> {
        let count = |what: What| self.happened.get(what).copied().unwrap_or(0);
        let rare = shares.iter().find(|(what, least)| count(what) * 100 < self.cases * least);
        if let Some((what, least)) = rare {
            let found = count(what);
            return Some(format!("`{what}` in {found} of {} cases, not in {least} of a hundred", self.cases));
        }
        let drawn = self.cases + self.refused;
        (self.refused * 100 > drawn * MOST_REFUSED)
            .then(|| format!("{} of {drawn} packs that were drawn are refused", self.refused))
    }
}

/// What happened in a case that was compared with the oracle.
pub(crate) fn in_case(
    case: &Case,
    plan: &Plan,
    files: Option<&[File]>,
    expected: &Expected,
    workers: usize,
) -> Vec<What> {
    let pack = case.pack.text();
    let decisions = &expected.decisions;
    let is_policy = pack.contains("[policy]");
    let gates = decisions.contains("\"gates\":[{");
    let released = decisions.contains("\"verdict\":\"released\"");
    let receipts = answered(decisions);
    let twice = |line: &String| crate::files::undeclared_keys(plan, line).1;
    let undeclared = |line: &String| crate::files::undeclared_keys(plan, line).0;
    let holidays = is_policy && pack.contains("region = \"region\"");
    let everything = is_policy
        && ["[entity.", "[table.", "window = "].iter().all(|word| pack.contains(word))
        && expected.late > 0
        && workers > 1
        && gates;
    let all = [
        ("policy", is_policy),
        ("several workers", workers > 1),
        ("policy on several workers", is_policy && workers > 1),
        ("gates fail", gates),
        ("something is released", released),
        ("receipts answer", receipts),
        ("`for` elapses", expected.elapsed > 0),
        ("late records", expected.late > 0),
        ("everything together", everything),
        ("everything together, with releases and receipts", everything && released && receipts),
        ("files", files.is_some()),
        ("CSV", files.is_some_and(|files| files.iter().any(|file| file.name.ends_with(".csv")))),
        ("several files of an input", files.is_some_and(|files| files.iter().any(|file| !file.name.contains("_0.")))),
        ("a zone of the pack", plan.timezone != "UTC"),
        ("a version of the pack", pack.contains("version = \"2026.1\"")),
        ("holidays by region", holidays),
        ("undeclared keys", case.lines.iter().any(undeclared)),
        ("an undeclared key twice", case.lines.iter().any(twice)),
    ];
    let mut happened: Vec<What> = all.into_iter().filter(|(_, happens)| *happens).map(|(what, _)| what).collect();
    let reasons = ["unreadable", "missing_field", "wrong_type", "out_of_range", "unknown_input", "expression"];
    happened.extend(reasons.into_iter().filter(|reason| expected.dead.iter().any(|dead| dead.reason == *reason)));
    happened
}

/// Whether a receipt was heard that answers something.
fn answered(decisions: &str) -> bool {
    decisions.lines().any(|line| line.contains("\"decision\":\"receipt\"") && !line.contains("\"moment\":null"))
}
