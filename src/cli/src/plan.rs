//! `propice plan`: what a pack computes from what.

use std::path::PathBuf;

use super::{CommandResult, load_pack, print};
use propice_define::plan_text;

const EXAMPLES: &str = "\
Examples:
  propice plan dataflows/bank.toml
  propice plan dataflows/bank.toml --format dot | dot -Tsvg > bank.svg";

/// Show what a pack computes from what: the dataflow as text or as a graph
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// The pack
    #[arg(value_name = "PACK")]
    pack: PathBuf,
    /// Text, or a graph for Graphviz or Mermaid
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Dot,
    Mermaid,
}

/// Prints the plan.
pub(crate) fn run(args: &Args) -> CommandResult {
    let plan = load_pack(&args.pack)?;
    print(&match args.format {
        Format::Text => plan_text::text(&plan),
        Format::Dot => plan_text::dot(&plan),
        Format::Mermaid => plan_text::mermaid(&plan),
    })
}
