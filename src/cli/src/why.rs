//! `propice why`: which records, which values, which condition, which gates; and what would have to
//! change.

use std::path::PathBuf;
use std::sync::Arc;

use super::inputs::{InputOptions, failure};
use super::language::Lang;
use super::{CommandResult, Failure, instant, load_pack, print, say, whole};
use propice_edge::source::InputFile;
use propice_edge::trigger::language::Language;
use propice_explain::{self as explain, About, Problem, Question, text};

const EXAMPLES: &str = "\
Examples:
  propice why dataflows/bank.toml --input fixtures/bank --customer c7
  propice why dataflows/bank.toml --input fixtures/bank --customer c7 --moment overdraft_ahead --at 2026-02-20
  propice why dataflows/bank.toml --input fixtures/bank --trigger 0bfc7a7354134a1b17b03934ae3754b6-released --lang fr";

/// Tell why something was said to a customer, or why it was not
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
#[command(group = clap::ArgGroup::new("about").required(true).multiple(true).args(["customer", "trigger"]))]
pub(crate) struct Args {
    /// The pack
    #[arg(value_name = "PACK")]
    pack: PathBuf,
    #[command(flatten)]
    inputs: InputOptions,
    /// About this customer; without --moment all moments in short
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    customer: Option<String>,
    /// Only this moment, in full
    #[arg(long, value_name = "NAME", requires = "customer", conflicts_with = "trigger")]
    moment: Option<String>,
    /// Only this entity, of a moment that is about one
    #[arg(long, value_name = "ID", requires = "moment", allow_negative_numbers = true)]
    entity: Option<String>,
    /// About this trigger or episode. With --customer, whose it is, it is found without a run over
    /// all records
    #[arg(long, value_name = "ID")]
    trigger: Option<String>,
    /// As of this time, such as 2026-03-02T09:00:00Z; without an offset in the zone of the pack.
    /// Without it: the last record; of a trigger, when it was published
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    at: Option<String>,
    /// In which language; without it that of the surroundings (`LANG`)
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// How it is told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// How many records are shown of each feature, the newest first
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true, value_parser = whole::<u16>(1, 65_535))]
    records: u16,
}

/// How an explanation is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// In words
    Text,
    /// One JSON object
    Json,
}

/// Tells why.
pub(crate) fn run(args: &Args) -> CommandResult {
    let plan = Arc::new(load_pack(&args.pack)?);
    let (files, notes) = args.inputs.files(&args.pack, &plan)?;
    if args.customer.is_none() && files.iter().any(InputFile::is_read_once) {
        let text =
            "whose a trigger is takes a run before, and standard input or a pipe can be read once: add --customer ID";
        return Err(Failure::Usage(text.to_owned()));
    }
    say(&notes);
    let about = match (&args.trigger, &args.customer) {
        (Some(trigger), customer) => About::Trigger { id: trigger.clone(), customer: customer.clone() },
        (None, customer) => About::Customer {
            customer: customer.clone().unwrap_or_default(),
            moment: args.moment.clone(),
            entity: args.entity.clone(),
        },
    };
    let at = args.at.as_deref().map(|text| instant("--at", text, &plan)).transpose()?;
    let language = language(args.lang);
    let question = Question { about, at, language, records: usize::from(args.records) };
    let answer = explain::explain(&plan, &files, &question).map_err(failed)?;
    match args.format {
        Format::Text => print(&text::write(&answer, language)),
        Format::Json => {
            let mut json = serde_json::to_string(&answer).map_err(|error| Failure::Io(error.to_string()))?;
            json.push('\n');
            print(&json)
        }
    }
}

/// The language that is asked for, or that of the surroundings, or English.
fn language(asked: Option<Lang>) -> Language {
    match asked {
        Some(asked) => asked.into(),
        None => {
            let named = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(named);
            locale.and_then(|locale| Language::of_locale(&locale)).unwrap_or_default()
        }
    }
}

fn failed(problem: Problem) -> Failure {
    match problem {
        Problem::Unknown(text) => Failure::Wrong(text),
        Problem::Source(error) => failure(&error),
        Problem::Io(error) => Failure::io("the run failed", &error),
    }
}
