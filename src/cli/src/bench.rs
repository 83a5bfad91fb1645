//! `propice bench`: measures propice on this machine, against a hand-written engine and against its
//! goals.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{CommandResult, Failure, print, say, whole};
use propice_bench::instructions::{self, InstructionCounts, MeasuredEngine};
use propice_bench::machine::MachineFacts;
use propice_bench::{self as bench, Failed, PARTS, Scale, goals, memory, page};
use propice_edge::output::{OutputFolder, OutputKind};

const EXAMPLES: &str = "\
Examples:
  propice bench
  propice bench --only throughput --only quiet
  propice bench --full --output bench
  propice bench --instructions

The workload, the hand-written engine and the pack are in benches/reference; docs/performance.md says how to read the figures.";

/// Measure throughput, latency and memory on this machine
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// A minute instead of five, with one round: to see that it works
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// More rounds, more events, 10,000,000 customers where they fit
    #[arg(long)]
    full: bool,
    /// Measure this part alone; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PARTS.map(|part| part.name))]
    only: Vec<String>,
    /// A folder for bench.json, bench.html and the percentiles (`*.hgrm`); it replaces earlier
    /// measurements, and never what propice did not write
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Count instructions of a fixed run with valgrind instead: the same on a noisy machine
    #[arg(long)]
    instructions: bool,
    /// With `--instructions`: a file with the counts of another commit, to compare with
    #[arg(long, value_name = "FILE", requires = "instructions")]
    against: Option<PathBuf>,
    /// With `--against`: fail when the engine takes more instructions by more than so many percent
    #[arg(long, value_name = "PERCENT", requires = "against")]
    at_most_more: Option<f64>,
    /// The fixed run itself
    #[arg(long, hide = true, value_name = "SUBJECT", value_parser = MeasuredEngine::ALL.map(|(name, _)| name))]
    fixed_run: Option<String>,
    /// Events of the fixed run
    #[arg(long, hide = true, default_value_t = 60_000, allow_negative_numbers = true, value_parser = whole::<u64>(1, u64::MAX))]
    events: u64,
    /// Measure memory in this process, with so many customers
    #[arg(long, hide = true, value_name = "CUSTOMERS", allow_negative_numbers = true, value_parser = whole::<u64>(1, u64::MAX))]
    measure_memory: Option<u64>,
}

impl From<Failed> for Failure {
    fn from(Failed(why): Failed) -> Failure {
        Failure::Wrong(format!("the measurement failed: {why}"))
    }
}

/// Measures.
pub(crate) fn run(args: &Args) -> CommandResult {
    if let Some(subject) = args.fixed_run.as_deref().and_then(MeasuredEngine::named) {
        instructions::fixed_run(subject, args.events)?;
        return Ok(());
    }
    if let Some(customers) = args.measure_memory {
        let rest = if args.quick { Duration::ZERO } else { memory::GIVEN_BACK };
        let held = memory::measure(customers, Duration::from_secs(5), rest)?;
        return print(&serde_json::to_string(&held).unwrap_or_default());
    }
    let machine = MachineFacts::this();
    if args.instructions {
        return count_instructions(&machine, args.against.as_deref(), args.at_most_more);
    }
    if !machine.optimised {
        say("This build is not optimised: its figures mean nothing. Build with --release.\n");
    }
    let folder = args.output.as_deref().map(|folder| OutputFolder::open(folder, OutputKind::Measurements, &[], false));
    let folder = folder.transpose().map_err(Failure::output)?;
    let scale = match (args.quick, args.full) {
        (true, _) => Scale::QUICK,
        (_, true) => Scale::FULL,
        _ => Scale::DEFAULT,
    };
    let started = Instant::now();
    let wanted = |part: &str| args.only.is_empty() || args.only.iter().any(|only| only == part);
    let tell = |text: &str| say(&format!("{:>5.0} s  {text}\n", started.elapsed().as_secs_f64()));
    let results = bench::run(&scale, wanted, tell)?;
    let goals = goals::goals(&results);
    if let Some(folder) = folder {
        let written = page::write(&folder.path(), &machine, &results, &goals);
        written.map_err(|error| Failure::io("cannot write", &error))?;
        folder.publish().map_err(Failure::output)?;
    }
    let after = MachineFacts::this();
    let missing = results.missing.join("\n  ");
    print(&format!(
        "{}\nload when it ended {:.1}, {:.0} s\n\n{}\n{}\nnot measured:\n  {missing}\n",
        machine.text(),
        after.load,
        started.elapsed().as_secs_f64(),
        page::text(&results),
        goals::table(&goals)
    ))
}

/// `InstructionCounts` instructions, and says how much that is more or less than another commit
/// took.
fn count_instructions(machine: &MachineFacts, against: Option<&Path>, at_most_more: Option<f64>) -> CommandResult {
    let known = against.map(known_counts).transpose()?;
    let counts = instructions::count()?;
    let compared = known.as_ref().map(|known| counts.against(known)).unwrap_or_default();
    let results = bench::figures::Results { figures: counts.figures(), ..Default::default() };
    print(&format!(
        "{}\n\n{}{compared}\nAs a file for --against:\n{}",
        machine.text(),
        page::text(&results),
        counts.text()
    ))?;
    match (known.map(|known| counts.growth_percent(&known)), at_most_more) {
        (Some(growth), Some(most)) if growth > most => {
            Err(Failure::Wrong(format!("an event takes {growth:.1}% more instructions: {most}% are allowed")))
        }
        _ => Ok(()),
    }
}

/// The counts of another commit.
fn known_counts(path: &Path) -> Result<InstructionCounts, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::io(&format!("cannot read {}", path.display()), &error))?;
    InstructionCounts::read(&text).map_err(|why| Failure::Wrong(format!("{}: {why}", path.display())))
}
