//! `propice test`: the cases of a pack.

use std::path::PathBuf;

use super::{Failure, Outcome, load_pack};

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
pub(crate) fn run(args: &Args) -> Outcome {
    load_pack(&args.pack)?;
    Err(Failure::Usage("propice test is not there yet".to_owned()))
}
