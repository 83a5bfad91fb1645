//! What people touch: the commands.
//!
//! One file per command, each with its arguments and a `run` that says how it ended. This file has
//! what they share: the list of commands, how a pack is read, and what an end means for the exit
//! code.

mod bench;
mod check;
mod completions;
mod decided;
mod generate;
mod generate_live;
mod inputs;
mod language;
mod live;
mod meter;
mod plan;
mod report;
mod run;
mod schema;
mod signals;
mod summary;
mod test;
mod view_table;
mod views;
mod why;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use miette::GraphicalTheme;

use propice_define::{self as define, PackErrors, Plan};
use propice_edge::output::OutputError;
use propice_model::LogicalTime;

/// Exit codes, as `--help` shows them.
const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the pack has mistakes, a test of it failed, or the input cannot be what it is said to be
  2    the command line is wrong
  3    reading or writing failed; what was read of a damaged file until then is published
  4    too many records were refused: all of an input, or more than --max-dead-letters; what was read until then is published
  129, 130, 143
       ended by a hang-up, by Ctrl-C, by a request to terminate; what was read until then is decided and published";

/// The exit code that asks whoever supervises a process to start it again (`EX_TEMPFAIL` of
/// sysexits.h).
const TRY_AGAIN: u8 = 75;

/// What `propice --help` shows first.
const EXAMPLES: &str = "\
Examples:
  propice check dataflows/bank.toml
  propice run dataflows/bank.toml --input fixtures/bank --output out
  propice views dataflows/bank.toml --input fixtures/bank --customer c1 --at 2026-03-02T09:00:00Z
  propice why dataflows/bank.toml --input fixtures/bank --customer c1 --at 2026-03-02T09:00:00Z
  propice test dataflows/bank.toml";

/// Keeps a 360° view of every customer up to date from event streams, and notices the moments at
/// which it is right to be in touch.
#[derive(Debug, Parser)]
#[command(name = "propice", version, after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"), max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Live(live::Args),
    Check(check::Args),
    Test(test::Args),
    Plan(plan::Args),
    Views(views::Args),
    Report(report::Args),
    Why(why::Args),
    Schema(schema::Args),
    Generate(generate::Args),
    Bench(bench::Args),
    Completions(completions::Args),
}

/// How a command ends when it does not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The pack or the input is wrong; the text says how, in full.
    Wrong(String),
    /// The same, when everything has been said already.
    WrongAndSaid,
    /// The command line is wrong in a way that its grammar does not show.
    Usage(String),
    /// Reading or writing failed.
    Io(String),
    /// Too many records were refused; the text says which.
    Refused(String),
    /// Something outside ended it; starting again may help.
    TryAgain(String),
    /// Nobody reads what is written; there is nothing to say.
    BrokenPipe,
    /// Ended by a signal: its number.
    Interrupted(u8),
}

/// How a command ends.
pub(crate) type CommandResult = Result<(), Failure>;

impl Failure {
    /// A failure of the outside world, with what was being done.
    pub(crate) fn io(doing: &str, error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::Io(format!("{doing}: {error}")),
        }
    }

    /// A folder or file that is not written.
    pub(crate) fn output(error: OutputError) -> Failure {
        match error {
            OutputError::Refused(text) => Failure::Usage(text),
            OutputError::Busy(text) => Failure::Io(text),
            OutputError::Failed { .. } => Failure::io("cannot write", &error.into()),
        }
    }

    /// Says it and gives the exit code.
    fn end(self) -> ExitCode {
        let (code, text) = match self {
            Failure::Wrong(text) => (1, text),
            Failure::WrongAndSaid => (1, String::new()),
            Failure::Usage(text) => (2, text),
            Failure::Io(text) => (3, text),
            Failure::Refused(text) => (4, text),
            Failure::TryAgain(text) => (TRY_AGAIN, text),
            Failure::BrokenPipe => (0, String::new()),
            Failure::Interrupted(signal) => (signals::EXIT_BASE + signal, String::new()),
        };
        if !text.is_empty() {
            // When nobody reads the errors either, the exit code is all there is to say.
            let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
        }
        ExitCode::from(code)
    }
}

/// Runs the command that the command line names.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Live(args) => live::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Views(args) => views::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Why(args) => why::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    outcome.map_or_else(Failure::end, |()| ExitCode::SUCCESS)
}

/// The grammar of the command line.
fn grammar() -> clap::Command {
    Cli::command()
}

/// Reads and checks a pack; its mistakes are told in full.
pub(crate) fn load_pack(path: &Path) -> Result<Plan, Failure> {
    define::load(&path.display().to_string(), &read_pack(path)?).map_err(|errors| Failure::Wrong(told(&errors)))
}

/// A time of the command line: without an offset in the zone of the pack.
pub(crate) fn instant(option: &str, text: &str, plan: &Plan) -> Result<LogicalTime, Failure> {
    define::pack::parse_instant(text, &plan.timezone).ok_or_else(|| {
        Failure::Usage(format!("{option} takes a time such as 2026-03-02T09:00:00Z or 2026-03-02, not `{text}`"))
    })
}

/// Reads a whole number of the command line.
pub(crate) fn whole<T: TryFrom<u64>>(least: u64, most: u64) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            let range = if most == u64::MAX { format!("from {least} on") } else { format!("from {least} to {most}") };
            format!("it is a whole number {range}")
        })
    }
}

/// Says something on standard error.
pub(crate) fn say(text: &str) {
    // When nobody reads it, the run goes on all the same.
    let _ = write!(io::stderr().lock(), "{text}");
}

/// The text of a pack.
fn read_pack(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::io(&format!("cannot read {}", path.display()), &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        Failure::Wrong(format!("{}: line {line} is not UTF-8", path.display()))
    })
}

/// All mistakes of a pack, in colours where they are wanted.
fn told(errors: &PackErrors) -> String {
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    errors.render(if colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() })
}

/// Writes to standard output, whole.
pub(crate) fn print(text: &str) -> CommandResult {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::io("cannot write to standard output", &error))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_grammar_is_sound() {
        super::grammar().debug_assert();
    }
}
