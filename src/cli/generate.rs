//! `propice generate`: life-like streams, with the truth beside them.

use std::path::PathBuf;

use super::{Failure, Outcome};

const EXAMPLES: &str = "\
Examples:
  propice generate bank --customers 1000 --days 90 --seed 1 --output data
  propice generate bank --customers 1000 --days 90 --seed 1 --disorder 0.05 --duplicates 0.01 --output data";

/// Write life-like streams for a pack that ships, and the truth about them
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// What to generate
    #[arg(value_enum)]
    pub(crate) world: World,
    /// How many customers
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) customers: u64,
    /// How many days
    #[arg(long, value_name = "D", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: u32,
    /// What randomness begins with; the same seed gives the same bytes everywhere
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The folder to write to; it is made where it is not there
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// How many of the records arrive out of order, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) disorder: f64,
    /// How many of the records arrive twice, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) duplicates: f64,
}

/// What can be generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum World {
    /// A retail bank, for dataflows/bank.toml
    Bank,
}

/// Generates.
pub(crate) fn run(_args: &Args) -> Outcome {
    Err(Failure::Usage("propice generate is not there yet".to_owned()))
}
