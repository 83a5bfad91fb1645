//! `propice test`: the cases of a pack.

mod judge;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::inputs::{failure, fixtures};
use super::{CommandResult, Failure, load_pack, print};
use judge::{CaseReport, CaseResult, judge};
use propice_define::Plan;
use propice_define::plan::{Given, TestCase};
use propice_edge::sink::{MemorySink, ViewMode};
use propice_edge::source::files::{self, Wanted};
use propice_edge::source::missing::missing;
use propice_edge::source::{Batch, LinesSource, MergedSource, Source};
use propice_run as run;

const EXAMPLES: &str = "\
Examples:
  propice test dataflows/bank.toml
  propice test dataflows/bank.toml --filter salary";

/// Run the [[test]] cases of a pack, and show what differs
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// The pack
    #[arg(value_name = "PACK")]
    pub(crate) pack: PathBuf,
    /// Only cases whose name holds this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
}

/// Runs the cases.
pub(crate) fn run(args: &Args) -> CommandResult {
    let plan = Arc::new(load_pack(&args.pack)?);
    let wanted = |case: &&TestCase| args.filter.as_ref().is_none_or(|filter| case.name.contains(filter.as_str()));
    let cases: Vec<&TestCase> = plan.tests.iter().filter(wanted).collect();
    if cases.is_empty() && args.filter.is_some() {
        return Err(Failure::Wrong("no case has such a name".to_owned()));
    }
    let mut failed = 0;
    for case in &cases {
        let report = one(&args.pack, &plan, case)?;
        failed += usize::from(!report.is_right);
        let place = format!("{}:{}", args.pack.display(), case.line);
        let head =
            if report.is_right { format!("ok    {}", case.name) } else { format!("FAIL  {}  ({place})", case.name) };
        print(&format!("{head}\n{}", report.text))?;
    }
    print(&format!("{} cases: {} right, {failed} wrong\n", cases.len(), cases.len() - failed))?;
    if failed > 0 { Err(Failure::WrongAndSaid) } else { Ok(()) }
}

/// Runs a case. One that cannot be run is wrong, and the others are run all the same.
fn one(pack: &Path, plan: &Arc<Plan>, case: &TestCase) -> Result<CaseReport, Failure> {
    let found = given(pack, plan, case)
        .and_then(|given| play(plan, case, given).map_err(|error| Failure::io("what is given", &error)));
    let why = match found {
        Ok(found) => return Ok(judge(plan, case, &found)),
        Err(Failure::Wrong(why) | Failure::Usage(why) | Failure::Io(why)) => why,
        Err(other) => return Err(other),
    };
    let text = why.trim_end().lines().flat_map(|line| ["   !  ", line, "\n"]).collect();
    Ok(CaseReport { is_right: false, text })
}

/// What a case gives.
fn given(pack: &Path, plan: &Arc<Plan>, case: &TestCase) -> Result<Box<dyn Source>, Failure> {
    let path = match &case.given {
        Given::Records(lines) => return Ok(Box::new(LinesSource::new(plan, "given", lines))),
        Given::Path(path) => path,
    };
    let places = [pack.parent().unwrap_or(Path::new("")).join(path), fixtures(pack, plan).join(path)];
    let Some(place) = places.iter().find(|place| place.exists()) else {
        let [first, second] = places.map(|place| place.display().to_string());
        return Err(Failure::Wrong(format!("`given` is neither {first} nor {second}")));
    };
    if !place.is_dir() {
        return Ok(Box::new(LinesSource::open(plan, place).map_err(|error| failure(&error))?));
    }
    let wanted = [Wanted::Folder(place.clone())];
    let files = files::find(plan, &wanted).map_err(|error| failure(&error))?;
    // A case gives what it is about; what is not there was not forgotten, unless there is something
    // of nearly that name.
    let missing = missing(plan, &wanted, &files).map_err(|error| failure(&error))?;
    if files.is_empty() || missing.is_suspicious() {
        let told = if missing.is_suspicious() { missing.suspected() } else { missing.told_all() };
        return Err(Failure::Wrong(format!("{}: {told}", case.name)));
    }
    let never = Arc::new(AtomicBool::new(false));
    Ok(Box::new(MergedSource::open(plan, &files, &never).map_err(|error| failure(&error))?))
}

/// Runs everything that is given, and moves the clock on to where the case ends.
fn play(plan: &Arc<Plan>, case: &TestCase, mut source: Box<dyn Source>) -> io::Result<CaseResult> {
    let mut all = Batch::default();
    loop {
        let mut batch = Batch::default();
        let more = source.fill(&mut batch)?;
        all.facts.append(&mut batch.facts);
        all.dead.append(&mut batch.dead);
        if !more {
            break;
        }
    }
    let last_record = all.facts.iter().map(|fact| fact.rank.event_time).max();
    let last_expected = case.expect.iter().map(|expected| expected.at).max();
    let until = last_record.max(case.until.or(last_expected));
    let sink = MemorySink::new(plan, ViewMode::None);
    let options = run::Options { until, ..run::Options::default() };
    run::execute(plan, Box::new(Once(Some(all))), Box::new(sink.clone()), &options)?;
    Ok(CaseResult { transitions: sink.transitions(), decisions: sink.decisions(), letters: sink.letters() })
}

/// A source of one batch.
struct Once(Option<Batch>);

impl Source for Once {
    fn fill(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let given = self.0.take();
        let is_there = given.is_some();
        *batch = given.unwrap_or_default();
        Ok(is_there)
    }

    fn total_bytes(&self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use propice_define as define;

    const PACK: &str = r#"
[pack]
name = "p"
[stream.s]
time = "at"
about = "c"
fields = { at = "time", c = "id(customer)", n = "int" }
[customer.feature]
n = { from = "s", sum = "n" }
last = { from = "s", last = "n" }
[moment.many]
when = "n > 2"
purpose = "assistance"
value = { kind = "economic", benefit = "It helps" }
[moment.low]
when = "last < 0"
purpose = "assistance"
value = { kind = "economic", benefit = "It helps" }
"#;
    const GIVEN: &str = r#"
given = [
  { stream = "s", at = "2026-01-01", c = 1, n = 3 },
  { stream = "s", at = "2026-01-03", c = 1, n = -1 },
  { stream = "s", at = "2026-01-05", c = 1, n = "x" },
]
"#;

    fn report(expectations: &str) -> CaseReport {
        let text = format!("{PACK}[[test]]\nname = \"a case\"\n{GIVEN}\n{expectations}");
        let plan = Arc::new(define::load("p.toml", &text).unwrap_or_else(|errors| panic!("{errors}")));
        let case = &plan.tests[0];
        let Ok(source) = given(Path::new("p.toml"), &plan, case) else { panic!("it is in the pack") };
        let found = play(&plan, case, source).expect("a run in memory");
        judge(&plan, case, &found)
    }

    #[test]
    fn a_record_that_is_refused_has_to_be_expected() {
        const RIGHT: &str = r#"expect = [{ customer = "1", moment = "many", transition = "opened", at = "2026-01-01" },
                         { customer = "1", moment = "many", transition = "closed", at = "2026-01-03" }]"#;
        let right = ["dead_letters = 1", "dead_letters = true", "dead_letters = [\"wrong_type\"]"];
        for expected in right {
            let report = report(&format!("{RIGHT}\n{expected}"));
            assert_eq!((report.is_right, report.text.as_str()), (true, ""), "{expected}");
        }
        let letter = "   =  2026-01-01T00:00:00Z  1  many opened  (as expected)\n   =  2026-01-03T00:00:00Z  1  many closed  (as expected)\n   !  given:3 is a dead letter (wrong_type): `n` is not int: \"x\"\n";
        let help = "   !  no record may be refused: `dead_letters = 1` says that it is meant\n";
        for (expected, told) in [
            ("", help.to_owned()),
            ("dead_letters = 0", help.to_owned()),
            ("dead_letters = 2", "   !  2 dead letters are expected, and 1 came\n".to_owned()),
            (
                "dead_letters = [\"unreadable\"]",
                "   !  dead letters are expected for unreadable, and came for wrong_type\n".to_owned(),
            ),
        ] {
            let report = report(&format!("{RIGHT}\n{expected}"));
            assert_eq!((report.is_right, report.text), (false, format!("{letter}{told}")), "{expected}");
        }
    }

    #[test]
    fn a_case_that_is_wrong_shows_what_came_and_what_did_not() {
        let report = report(
            r#"expect = [{ customer = "1", moment = "many", transition = "opened", at = "2026-01-01" },
                         { customer = "2", moment = "many", transition = "opened", at = "2026-01-02" }]
               silent = ["low"]"#,
        );
        assert!(!report.is_right);
        let expected = "   =  2026-01-01T00:00:00Z  1  many opened  (as expected)\n   \
                        -  2026-01-02T00:00:00Z  2  many opened  (expected, did not come)\n   \
                        +  2026-01-03T00:00:00Z  1  low opened  (came, not expected)\n   \
                        +  2026-01-03T00:00:00Z  1  many closed  (came, not expected)\n   \
                        !  given:3 is a dead letter (wrong_type): `n` is not int: \"x\"\n   \
                        !  no record may be refused: `dead_letters = 1` says that it is meant\n";
        assert_eq!(report.text, expected);
    }
}
