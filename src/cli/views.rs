//! `propice views`: the 360° view as of a logical time.

use std::path::PathBuf;

use super::inputs::Inputs;
use super::{Failure, Outcome, load_pack};

const EXAMPLES: &str = "\
Examples:
  propice views dataflows/bank.toml --input fixtures/bank --customer c1
  propice views dataflows/bank.toml --input fixtures/bank --at 2026-03-02T09:00:00Z";

/// Show the views of customers as of a logical time
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// The pack
    #[arg(value_name = "PACK")]
    pub(crate) pack: PathBuf,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// Only this customer
    #[arg(long, value_name = "ID")]
    pub(crate) customer: Option<String>,
    /// As of this time, such as 2026-03-02T09:00:00Z; without an offset in the zone of the pack. Without it: behind the
    /// last record
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

/// Shows views.
pub(crate) fn run(args: &Args) -> Outcome {
    load_pack(&args.pack)?;
    Err(Failure::Usage("propice views is not there yet".to_owned()))
}
