//! `propice schema`: the contract with subscribers, as documents that machines read.

use std::path::PathBuf;

use super::{CommandResult, Failure, load_pack, print};
use propice_edge::schema;

const EXAMPLES: &str = "\
Examples:
  propice schema trigger
  propice schema decision
  propice schema asyncapi dataflows/bank.toml > bank.asyncapi.json";

/// Print the JSON Schema of what is published, or an AsyncAPI document of the channels of a pack
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// Which document
    #[arg(value_enum)]
    document: Document,
    /// The pack whose channels the AsyncAPI document is about, which needs it; the schemas are the
    /// same for every pack
    #[arg(value_name = "PACK")]
    pack: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Document {
    /// JSON Schema of the data of a trigger
    Trigger,
    /// JSON Schema of a trigger with the CloudEvent around it, in structured mode
    Event,
    /// JSON Schema of a line of decisions.jsonl
    Decision,
    /// AsyncAPI 3.0: the channels, their topics and messages
    Asyncapi,
}

/// What is said when channels are asked for and no pack is there to have them.
const NO_PACK: &str = "schema asyncapi describes the channels of a pack, and none is given\n\n\
                       Give it: propice schema asyncapi dataflows/bank.toml";

/// Prints a document.
pub(crate) fn run(args: &Args) -> CommandResult {
    // A pack that is named is read, so that one with mistakes is never taken for sound.
    let plan = args.pack.as_deref().map(load_pack).transpose()?;
    let document = match args.document {
        Document::Trigger => schema::trigger(),
        Document::Event => schema::event(),
        Document::Decision => schema::decision(),
        Document::Asyncapi => {
            let plan = plan.ok_or_else(|| Failure::Usage(NO_PACK.to_owned()))?;
            schema::asyncapi(&plan)
        }
    };
    print(&format!("{document:#}\n"))
}
