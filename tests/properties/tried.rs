//! Trying cases by the thousand, and showing the ones that fail.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use propice_define::Plan;
use propice_edge::sink::{MemorySink, ViewMode};
use propice_edge::source::{Batch, LinesSource, Source};
use propice_flow::Engine;
use propice_run::{LineTexts, Options, Summary, execute};

use crate::compare;
use crate::files::{self, File, Folder};
use crate::generate::{Case, Rng};
use crate::happened::{Share, Tally, What, in_case};
use crate::oracle::{self, Arrivals};
use crate::shrink::shrink;

/// What came of a case.
pub(crate) enum Tried {
    /// With what happened.
    Fine(Vec<What>),
    /// The pack was not accepted.
    Refused,
    Wrong(String),
}

/// An engine, a number of workers, and how many lines a batch has at most. A batch is an epoch of
/// the dataflow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    engine: Engine,
    workers: usize,
    batch: usize,
    views: bool,
}

/// Another way, to be told from the plain one by nothing.
pub(crate) const OTHER: Way = Way { engine: Engine::Reference, workers: 2, batch: 3, views: true };

pub(crate) const PLAIN: Way = Way { engine: Engine::Fused, workers: 1, batch: usize::MAX, views: true };

/// The ways in which a case is run: both engines, batches of other sizes with every seed, more
/// workers with most.
///
/// What a seed means for the case (every fourth has no policy) and what it means here must not go
/// together: the number of workers is drawn from a hash of it.
fn ways(seed: u64) -> Vec<Way> {
    const SIZES: [usize; 4] = [usize::MAX, 1, 2, 5];
    let mut rng = Rng::new(seed ^ 0x57a1_0000);
    let mut way = |engine, workers: &[usize], views| {
        let (workers, batch) = (*rng.pick(workers), *rng.pick(&SIZES));
        Way { engine, workers, batch, views }
    };
    vec![
        way(Engine::Fused, &[1, 1, 2], true),
        way(Engine::Reference, &[1, 1, 1, 2, 4], true),
        // Whoever takes no views is woken less often.
        way(Engine::Fused, &[1, 1, 2, 4], false),
    ]
}

/// The pack of a case, if it is accepted.
pub(crate) fn load(case: &Case) -> Option<Arc<Plan>> {
    let mut plan = propice_define::load("random.toml", &case.pack.text()).ok()?;
    plan.policy.publish_from = case.publish_from;
    Some(Arc::new(plan))
}

/// What a case must give.
fn expected(case: &Case, arrivals: Arrivals<'_>) -> oracle::Expected {
    oracle::run_from(&case.pack.text(), arrivals, case.until, case.grain, case.publish_from)
}

/// The lines of a case, or its files.
pub(crate) fn arrivals<'c>(case: &'c Case, files: Option<&'c [File]>) -> Arrivals<'c> {
    files.map_or(Arrivals::Lines(&case.lines), Arrivals::Files)
}

/// Runs a case in one way.
pub(crate) fn run_one(plan: &Arc<Plan>, case: &Case, way: Way) -> Result<(LineTexts, Summary), String> {
    let files = files::of(case, plan);
    let told = |error: &dyn std::fmt::Display| format!("{way:?}: {error}");
    let folder = files.as_ref().map(|files| Folder::of(files)).transpose().map_err(|error| told(&error))?;
    run_from(plan, case, folder.as_ref().zip(files.as_deref()), way)
}

/// What the lines of a case come from: its files, if it has any.
pub(crate) fn source(
    plan: &Arc<Plan>,
    case: &Case,
    files: Option<(&Folder, &[File])>,
) -> Result<Box<dyn Source>, String> {
    Ok(match files {
        None => Box::new(LinesSource::new(plan, "lines", &case.lines)),
        Some((folder, files)) => Box::new(folder.source(plan, files).map_err(|error| error.to_string())?),
    })
}

/// Runs a case in one way, over its files if it has any.
fn run_from(
    plan: &Arc<Plan>,
    case: &Case,
    files: Option<(&Folder, &[File])>,
    way: Way,
) -> Result<(LineTexts, Summary), String> {
    let options = Options { engine: way.engine, workers: way.workers, views: way.views, until: case.until };
    let source = source(plan, case, files).map_err(|error| format!("{way:?}: {error}"))?;
    let run = || in_batches(plan, source, way.batch, &options);
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(format!("{way:?}: {error}")),
        Err(_) => Err(format!("{way:?} panicked")),
    }
}

/// A run in batches of so many records.
fn in_batches(
    plan: &Arc<Plan>,
    source: Box<dyn Source>,
    batch: usize,
    options: &Options,
) -> std::io::Result<(LineTexts, Summary)> {
    let source = Trickle { source, read: Batch::default(), batch };
    let sink = MemorySink::new(plan, ViewMode::Changes);
    let summary = execute(plan, Box::new(source), Box::new(sink.clone()), options)?;
    let texts = sink.texts();
    let texts = LineTexts {
        episodes: texts.episodes,
        decisions: texts.decisions,
        view_changes: texts.views,
        dead_letters: texts.dead_letters,
    };
    Ok((texts, summary))
}

/// Hands records over in small batches.
struct Trickle {
    source: Box<dyn Source>,
    read: Batch,
    batch: usize,
}

impl Source for Trickle {
    fn fill(&mut self, batch: &mut Batch) -> std::io::Result<bool> {
        let more = !self.read.facts.is_empty() || self.source.fill(&mut self.read)?;
        batch.dead.append(&mut self.read.dead);
        batch.facts.extend(self.read.facts.drain(..self.batch.min(self.read.facts.len())));
        self.read.bytes_read = 0;
        self.read.warnings.clear();
        Ok(more || !self.read.facts.is_empty())
    }

    fn total_bytes(&self) -> Option<u64> {
        None
    }
}

/// A case in several ways, against the oracle.
pub(crate) fn against_the_oracle(seed: u64, case: &Case) -> Tried {
    let Some(plan) = load(case) else { return Tried::Refused };
    let files = files::of(case, &plan);
    let computed = std::panic::catch_unwind(|| expected(case, arrivals(case, files.as_deref())));
    let Ok(expected) = computed else { return Tried::Wrong(ORACLE_PANICKED.to_owned()) };
    let folder = match files.as_ref().map(|files| Folder::of(files)).transpose() {
        Ok(folder) => folder,
        Err(error) => return Tried::Wrong(format!("its files cannot be written: {error}")),
    };
    let mut before: Option<(Way, LineTexts)> = None;
    let ways = ways(seed);
    for way in &ways {
        let (texts, summary) = match run_from(&plan, case, folder.as_ref().zip(files.as_deref()), *way) {
            Ok(done) => done,
            Err(error) => return Tried::Wrong(error),
        };
        let texts = if way.views { texts } else { LineTexts { view_changes: expected_views(&before), ..texts } };
        let difference = compare::difference(&expected, files.as_deref(), &texts)
            .or_else(|| compare::counts(&expected, case, files.is_some(), &summary));
        if let Some(difference) = difference {
            return Tried::Wrong(format!("{way:?}: {difference}"));
        }
        let same = |(_, other): &(Way, LineTexts)| {
            other.episodes == texts.episodes
                && other.view_changes == texts.view_changes
                && other.decisions == texts.decisions
        };
        if let Some((other, _)) = before.as_ref().filter(|before| !same(before)) {
            return Tried::Wrong(format!("{way:?} is not byte for byte as {other:?}"));
        }
        before = Some((*way, texts));
    }
    let uninterrupted = before.map(|(_, texts)| texts).unwrap_or_default();
    let files_of_case = folder.as_ref().zip(files.as_deref());
    if let Some(error) = crate::restore::difference(seed, &plan, case, files_of_case, &uninterrupted) {
        return Tried::Wrong(error);
    }
    let workers = ways.iter().map(|way| way.workers).max().unwrap_or(1);
    Tried::Fine(in_case(case, &plan, files.as_deref(), &expected, workers))
}

/// The views that another way gave, for one that gives none.
fn expected_views(before: &Option<(Way, LineTexts)>) -> String {
    before.as_ref().map(|(_, texts)| texts.view_changes.clone()).unwrap_or_default()
}

const ORACLE_PANICKED: &str = "the oracle panicked";

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Tries cases of many seeds on all cores. Panics with the smallest form of the first that fails,
/// or when what has to happen does so in too few.
pub(crate) fn at_least(
    cases: u64,
    what: &str,
    shares: &[Share],
    generate: &(dyn Fn(u64) -> Case + Sync),
    check: &(dyn Fn(u64, &Case) -> Tried + Sync),
) {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let (first, count) = (number("PROPICE_SEED", 1), number("PROPICE_CASES", cases));
    let tally = try_seeds(what, first..first + count, generate, check);
    announce(&format!("{what}: {}", tally.told(shares)));
    // Of few cases, and of those that somebody picked, nothing is asked but that they hold.
    if count >= cases && !is_set("PROPICE_SEED") {
        assert!(tally.wrong(shares).is_none(), "{what}: {}", tally.wrong(shares).unwrap_or_default());
    }
    if !is_set("PROPICE_SEED") {
        let fresh = fresh_seed();
        announce(&format!("{what}: {} fresh cases from PROPICE_SEED={fresh}", count.div_ceil(FRESH_PART)));
        try_seeds(what, fresh..fresh + count.div_ceil(FRESH_PART), generate, check);
    }
}

/// Beside the fixed cases so many of others are tried, which nobody has tried before: a part of so
/// many.
const FRESH_PART: u64 = 20;

/// A seed that no run before began with, most likely.
fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    1_000_000_000 + now.as_nanos() as u64 % 1_000_000_000_000
}

/// Says something that is seen whatever the harness captures.
fn announce(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn try_seeds(
    what: &str,
    seeds: std::ops::Range<u64>,
    generate: &(dyn Fn(u64) -> Case + Sync),
    check: &(dyn Fn(u64, &Case) -> Tried + Sync),
) -> Tally {
    let tally = Mutex::new(Tally::default());
    let count = seeds.end - seeds.start;
    let (next, refused, failed) = (AtomicU64::new(seeds.start), AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || failed.load(Ordering::Relaxed) < u64::MAX {
                        break;
                    }
                    let case = generate(seed);
                    match check(seed, &case) {
                        Tried::Fine(happened) => {
                            tally.lock().unwrap_or_else(PoisonError::into_inner).add(case.refused, &happened);
                        }
                        Tried::Refused => drop(refused.fetch_add(1, Ordering::Relaxed)),
                        Tried::Wrong(_) => drop(failed.fetch_min(seed, Ordering::Relaxed)),
                    }
                }
            });
        }
    });
    let (failed, refused) = (failed.into_inner(), refused.into_inner());
    if failed < u64::MAX {
        show(what, failed, generate(failed), &|case| check(failed, case));
    }
    assert!(refused * 100 <= count.max(100), "of {refused} of {count} cases every pack that was drawn is refused");
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn show(what: &str, seed: u64, case: Case, check: &dyn Fn(&Case) -> Tried) -> ! {
    std::panic::set_hook(Box::new(|_| {}));
    let small = shrink(case, &|case| matches!(check(case), Tried::Wrong(error) if error != ORACLE_PANICKED));
    let error = match check(&small) {
        Tried::Wrong(error) => error,
        _ => "it fails only sometimes".to_owned(),
    };
    drop(std::panic::take_hook());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("{what}_{seed}");
    let until = small.until.map_or("-".to_owned(), |until| until.to_string());
    let (from, files) = (small.publish_from, small.files.map_or("-".to_owned(), |files| files.to_string()));
    let until = format!("# until = {until}, grain = {}, publish_from = {from}, files = {files}\n", small.grain);
    let (pack, lines) = (small.pack.text(), small.lines.join("\n"));
    let _ = std::fs::write(folder.join(format!("{name}.toml")), format!("{until}{pack}"));
    let _ = std::fs::write(folder.join(format!("{name}.jsonl")), format!("{lines}\n"));
    panic!(
        "seed {seed} ({what}): {error}\n\n{until}{pack}\n{lines}\n\n(in {}/{name}.*: copy both to tests/properties/regressions)",
        folder.display()
    );
}

/// A case that failed once: a pack with `# until = N, grain = N, publish_from = N, files = N` in its
/// first line (from `publish_from` on it may be left out; `-` is none), and its lines.
pub(crate) fn regressions() -> Vec<(PathBuf, Case)> {
    let folder = Path::new(crate::ROOT).join("tests/properties/regressions");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of cases that failed") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let pack = std::fs::read_to_string(&path).expect("a pack");
            let lines = std::fs::read_to_string(path.with_extension("jsonl")).expect("its lines");
            let head = pack.lines().next().and_then(|line| line.strip_prefix("# until = ")).expect("until and grain");
            let (until, grain) = head.split_once(", grain = ").expect("until and grain");
            let (grain, from) = grain.split_once(", publish_from = ").unwrap_or((grain, "0"));
            let (from, files) = from.split_once(", files = ").unwrap_or((from, "-"));
            let (until, grain) = (until.parse().ok(), grain.parse().expect("a number"));
            let publish_from = from.parse().expect("a number");
            let lines = lines.lines().map(str::to_owned).collect();
            let files = files.parse().ok();
            let pack = crate::generate::PackText::verbatim(pack);
            cases.push((path, Case { pack, lines, until, grain, publish_from, files, refused: 0 }));
        }
    }
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}
