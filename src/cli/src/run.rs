//! `propice run`: records in, triggers, decisions and views out.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::inputs::{self, InputOptions, RefusalOptions, ended};
use super::language;
use super::meter::Metered;
use super::signals::Signals;
use super::summary::Done;
use super::{CommandResult, Failure, instant, load_pack, say, whole};
use propice_define::Plan;
use propice_edge::output::{OutputFolder, OutputKind};
use propice_edge::sink::columns::{OutputStream, columns};
use propice_edge::sink::{DirectorySink, Show, Sink, Tee, TerminalFormat, TerminalSink, ViewMode};
use propice_flow as flow;
use propice_run as run;

const EXAMPLES: &str = "\
Examples:
  propice run dataflows/bank.toml
  propice run dataflows/bank.toml --input fixtures/bank --output out
  zcat trans.csv.gz | propice run dataflows/berka.toml --input berka --input trans=- --show episodes --format jsonl
  propice run dataflows/bank.toml --input history --publish-from 2026-03-01 --output out

Records of a pipe take effect as they come: what is decided of one is shown within 100 ms, although the pipe stays open.
The files of --output appear at the end of the run, all at once.";

/// Run a pack over files: show what is published and why, write everything to a folder
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// The pack
    #[arg(value_name = "PACK")]
    pub(crate) pack: PathBuf,
    #[command(flatten)]
    pub(crate) inputs: InputOptions,
    #[command(flatten)]
    pub(crate) refusals: RefusalOptions,
    /// A folder for triggers, decisions, episodes, views and dead letters (`*.jsonl`); it is made
    /// where it is not there. At the end of the run it replaces the output of an earlier run as a
    /// whole, and never what propice did not write
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Replace an earlier output also when its files were changed after they were written. Not a
    /// folder that propice did not write
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
    /// Which dataflow runs the pack; both mean the same
    #[arg(long, value_enum, default_value_t = EngineName::Fused)]
    pub(crate) engine: EngineName,
    /// How many worker threads; the output is the same for any number
    #[arg(long, short, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = whole::<u16>(1, 256))]
    pub(crate) workers: u16,
    /// Move the clock on to this time behind the last record, so that windows end and deadlines
    /// pass; before it, the run ends there
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub(crate) until: Option<String>,
    /// Publish nothing before this time: everything until then is computed, and what would have
    /// been said counts as not said, so that it uses up no budget and no cooldown. For a first run
    /// over the past
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub(crate) publish_from: Option<String>,
    /// Which views are kept up to date and written to the output folder: the last one of each
    /// customer, every change, or none
    #[arg(long, value_enum, default_value_t = ViewsOption::Final)]
    pub(crate) views: ViewsOption,
    /// What is shown on standard output
    #[arg(long, value_enum, default_value_t = ShowOption::Triggers)]
    pub(crate) show: ShowOption,
    /// How it is shown; without it: `table`, and `none` with --output
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// No progress and no closing summary
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// The names of the engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum EngineName {
    /// Stateful operators that keep their state in place
    Fused,
    /// Ordinary differential operators: the executable meaning
    Reference,
}

impl From<EngineName> for flow::Engine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Fused => flow::Engine::Fused,
            EngineName::Reference => flow::Engine::Reference,
        }
    }
}

/// Which views are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ViewsOption {
    /// The last one of each customer
    Final,
    /// Every change
    Changes,
    /// None
    None,
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ShowOption {
    /// What is published to channels, with what is in it for the customer and why
    Triggers,
    /// Episodes that open and close
    Episodes,
    /// Every verdict, also the silent ones, with the gates that failed
    Decisions,
}

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// JSON Lines, as in the files of --output
    Jsonl,
    /// Not at all
    None,
}

/// Runs a pack.
pub(crate) fn run(args: &Args) -> CommandResult {
    let mut plan = load_pack(&args.pack)?;
    let until = args.until.as_deref().map(|text| instant("--until", text, &plan)).transpose()?;
    if let Some(text) = &args.publish_from {
        plan.policy.publish_from = instant("--publish-from", text, &plan)?;
    }
    let plan = Arc::new(plan);
    let signals = Signals::listen()?;
    let (files, notes) = args.inputs.files(&args.pack, &plan)?;
    let read: Vec<PathBuf> = files.iter().filter(|file| !file.is_stdin()).map(|file| file.path.clone()).collect();
    let folder = args.output.as_deref().map(|folder| OutputFolder::open(folder, OutputKind::Run, &read, args.force));
    let folder = folder.transpose().map_err(Failure::output)?;
    let folder = folder.map(|folder| folder.in_language(language::of_pack(&plan)));
    if !args.quiet {
        say(&notes);
    }
    let Some(source) = inputs::opened(&plan, files, signals.stop())? else { return signals.outcome() };
    let (sinks, shows) = sinks(args, &plan, folder)?;
    let (sink, counts) = Tee::new(sinks);
    let options = run::Options {
        engine: args.engine.into(),
        workers: usize::from(args.workers),
        views: args.views != ViewsOption::None,
        until,
    };
    // A bar would be drawn into the table.
    let into_table = shows && io::stdout().is_terminal();
    let bar = !args.quiet && !into_table;
    let source = source.with_limit(args.refusals.limit());
    let (source, meter) = Metered::new(Box::new(source), bar);
    let started = Instant::now();
    let done = run::execute(&plan, Box::new(source), Box::new(sink), &options);
    meter.clear();
    let (summary, failure) = ended(done)?;
    let outcome = signals.outcome();
    if !args.quiet {
        let counts = counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let interrupted = outcome.is_err();
        let done = Done { plan: &plan, summary, counts, elapsed: started.elapsed(), interrupted };
        let moved = until.is_some() || failure.is_some();
        say(&done.text(args.output.as_deref(), options.views, moved, columns(OutputStream::Err)));
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    outcome
}

/// Where everything goes, and whether anything is shown.
fn sinks(args: &Args, plan: &Arc<Plan>, folder: Option<OutputFolder>) -> Result<(Vec<Box<dyn Sink>>, bool), Failure> {
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    let unasked = if args.output.is_some() { Format::None } else { Format::Table };
    let format = args.format.unwrap_or(unasked);
    let show = match args.show {
        ShowOption::Triggers => Show::Triggers,
        ShowOption::Episodes => Show::Episodes,
        ShowOption::Decisions => Show::Decisions,
    };
    match format {
        Format::Table => sinks.push(Box::new(TerminalSink::stdout(plan, show, TerminalFormat::Table))),
        Format::Jsonl => sinks.push(Box::new(TerminalSink::stdout(plan, show, TerminalFormat::JsonLines))),
        Format::None => {}
    }
    let shows = !sinks.is_empty();
    if let Some(folder) = folder {
        let mode = match args.views {
            ViewsOption::Final => ViewMode::Final,
            ViewsOption::Changes => ViewMode::Changes,
            ViewsOption::None => ViewMode::None,
        };
        let sink = DirectorySink::into_folder(plan, folder, mode).map_err(Failure::output)?;
        sinks.push(Box::new(sink));
    }
    Ok((sinks, shows))
}
