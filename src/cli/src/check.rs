//! `propice check`: every mistake of a pack at once.

use std::io::Write as _;
use std::path::PathBuf;

use super::{CommandResult, Failure, print, read_pack, told};
use propice_define::{self as define, PackErrors, Plan};

const EXAMPLES: &str = "\
Examples:
  propice check dataflows/bank.toml
  propice check dataflows/*.toml --format json | jq -r '\"\\(.file):\\(.line):\\(.column): \\(.message)\"'";

/// Check packs, and show every mistake at once, each with its place and its remedy
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// The packs
    #[arg(value_name = "PACK", required = true)]
    packs: Vec<PathBuf>,
    /// How mistakes are written: `text` on standard error, or `json` on standard output, an object
    /// per line with file, line, column, code, message and help
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Take warnings for mistakes
    #[arg(long)]
    deny_warnings: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Checks every pack, also behind one that has mistakes.
pub(crate) fn run(args: &Args) -> CommandResult {
    let mut wrong = false;
    for path in &args.packs {
        let (name, text) = (path.display().to_string(), read_pack(path)?);
        let (plan, said) = match define::load(&name, &text) {
            Ok(mut plan) => {
                let warnings = std::mem::take(&mut plan.warnings);
                (Some(plan), PackErrors::new(&name, &text, warnings))
            }
            Err(errors) => (None, errors),
        };
        let is_sound = plan.is_some() && (!args.deny_warnings || said.diagnostics.is_empty());
        wrong |= !is_sound;
        if !said.diagnostics.is_empty() {
            match args.format {
                // When nobody reads the mistakes, the exit code is all there is to say.
                Format::Text => drop(anstream::stderr().write_all(told(&said).as_bytes())),
                Format::Json => print(&said.to_json_lines())?,
            }
        }
        if let Some(plan) = plan.filter(|_| is_sound && args.format == Format::Text) {
            print(&summary(&name, &plan))?;
        }
    }
    if wrong { Err(Failure::WrongAndSaid) } else { Ok(()) }
}

/// What is in a pack, in one line.
fn summary(path: &str, plan: &Plan) -> String {
    let tables = plan.inputs.iter().filter(|input| input.is_table()).count();
    let entities = || plan.entities.iter().filter(|entity| !entity.implied);
    let features = entities().flat_map(|entity| &entity.features).filter(|feature| !feature.implied).count();
    let attributes = entities().map(|entity| entity.attributes.len()).sum();
    let counts = [
        (plan.inputs.len() - tables, "stream"),
        (tables, "table"),
        (entities().count() - 1, "entity"),
        (features, "feature"),
        (attributes, "attribute"),
        (plan.moments.len(), "moment"),
        (plan.tests.len(), "test"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| match (count, noun) {
            (1, noun) => format!("1 {noun}"),
            (count, "entity") => format!("{count} entities"),
            (count, noun) => format!("{count} {noun}s"),
        })
        .collect();
    let counts = if counts.is_empty() { "nothing in it".to_owned() } else { counts.join(", ") };
    format!("{path}: pack {} is sound: {counts}\n", plan.name)
}
