//! `propice run`: records in, episodes and views out.

use std::path::PathBuf;

use super::inputs::Inputs;
use super::{Failure, Outcome, load_pack};
use crate::flow;

const EXAMPLES: &str = "\
Examples:
  propice run dataflows/bank.toml
  propice run dataflows/bank.toml --input fixtures/bank --output out
  zcat trans.csv.gz | propice run dataflows/berka.toml --input berka --input trans=- --format jsonl";

/// Run a pack over files, and show or write the episodes that open and close
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// The pack
    #[arg(value_name = "PACK")]
    pub(crate) pack: PathBuf,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// A folder for episodes, views and dead letters (`*.jsonl`); it is made where it is not there
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Which dataflow runs the pack; both mean the same
    #[arg(long, value_enum, default_value_t = EngineName::Fused)]
    pub(crate) engine: EngineName,
    /// How many worker threads; the output is the same for any number
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: u16,
    /// Move the clock on to this time behind the last record, so that windows end and deadlines pass
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Which views are written to the output folder: the last one of each customer, every change, or none
    #[arg(long, value_enum, default_value_t = Views::Final)]
    pub(crate) views: Views,
    /// How episodes are shown on standard output; without it: `table` on a terminal, `jsonl` elsewhere, and `none` with
    /// --output
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
pub(crate) enum Views {
    /// The last one of each customer
    Final,
    /// Every change
    Changes,
    /// None
    None,
}

/// How episodes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A readable table
    Table,
    /// The lines of episodes.jsonl
    Jsonl,
    /// Not at all
    None,
}

/// Runs a pack.
pub(crate) fn run(args: &Args) -> Outcome {
    load_pack(&args.pack)?;
    Err(Failure::Usage("propice run is not there yet".to_owned()))
}
