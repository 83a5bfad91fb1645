//! `propice completions`: for shells.

use super::{CommandResult, grammar, print};

const EXAMPLES: &str = "\
Examples:
  propice completions bash > ~/.local/share/bash-completion/completions/propice
  propice completions fish > ~/.config/fish/completions/propice.fish";

/// Write completions for a shell to standard output
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Prints the completions.
pub(crate) fn run(args: &Args) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut grammar(), "propice", &mut script);
    print(&String::from_utf8_lossy(&script))
}
