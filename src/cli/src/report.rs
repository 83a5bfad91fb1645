//! `propice report`: what decisions amount to.

use std::io::{self, BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::language::{Lang, of_pack};
use super::{CommandResult, Failure, load_pack, print, say};
use propice_define::Plan;
use propice_edge::output::{language_of, replace_file};
use propice_edge::source::{LineRead, Lines, open_path};
use propice_model::Language;
use propice_model::limits::RECORD_BYTES;
use propice_report::{Report, ReportScope, ReportTally, Unit, page, tables};

const EXAMPLES: &str = "\
Examples:
  propice report out
  propice report out --pack dataflows/bank.toml --output report.html
  propice report out --language fr --output rapport.html
  propice report out/decisions.jsonl --by week --format json | jq .totals";

/// What tables in a file end with, in English and in French: by that it is known as ours when it is
/// to be replaced.
const WRITTEN_BY: [&str; 2] = ["\nwritten by propice report\n", "\nécrit par propice report\n"];
/// Endings of files that hold something else than a report, whatever --format says.
const FOREIGN: [&str; 18] = [
    "pdf", "doc", "docx", "odt", "rtf", "xls", "xlsx", "ods", "ppt", "pptx", "png", "jpg", "jpeg", "svg", "gz", "zst",
    "zip", "parquet",
];

/// Bad lines that are told one by one.
const TOLD: u64 = 10;

/// Report what was said to customers, what was not and why, and whether it helped, over the
/// decisions of a run
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// The decisions: a decisions.jsonl (may be packed with gzip or zstd), a folder with one, or
    /// `-` for standard input
    #[arg(value_name = "DECISIONS")]
    pub(crate) decisions: PathBuf,
    /// The pack that decided: its moments and channels are shown although nothing happened to them,
    /// days begin in its zone, and the language is its own. Without it: in UTC
    #[arg(long, value_name = "PACK")]
    pub(crate) pack: Option<PathBuf>,
    /// How it is written; without it: as the name of --output ends (.html, .json, .txt), or else
    /// `table`
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// What the timeline counts by; without it: what fits the time between the first decision and
    /// the last
    #[arg(long, value_enum)]
    pub(crate) by: Option<By>,
    /// In which language the tables and the page are; without it that of the pack, as --pack or the
    /// output of a run tells it, or else English. JSON is in none
    #[arg(long, value_enum, alias = "lang")]
    pub(crate) language: Option<Lang>,
    /// The file to write to; without it: standard output. A file that is there is replaced when it
    /// is a report
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Tables for a terminal
    Table,
    /// One JSON object
    Json,
    /// One page with plots, complete in itself
    Html,
}

/// What the timeline counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum By {
    /// From Monday
    Week,
    /// From the first
    Month,
    /// From the first of January
    Year,
}

impl From<By> for Unit {
    fn from(by: By) -> Unit {
        match by {
            By::Week => Unit::Week,
            By::Month => Unit::Month,
            By::Year => Unit::Year,
        }
    }
}

/// Writes a report.
pub(crate) fn run(args: &Args) -> CommandResult {
    let format = format(args)?;
    let plan = args.pack.as_deref().map(load_pack).transpose()?;
    let zone = plan.as_ref().map_or("UTC", |plan| plan.timezone.as_str());
    // The zone of a pack that is sound is known.
    let tally = ReportTally::new(TimeZone::get(zone).unwrap_or(TimeZone::UTC));
    let tally = read(&args.decisions, tally)?;
    if tally.decisions() == 0 && tally.bad_lines() > 0 {
        let text = format!("{}: no line is a decision", shown(&args.decisions));
        return Err(Failure::Wrong(text));
    }
    let scope = ReportScope { plan: plan.as_ref(), zone: zone.to_owned(), unit: args.by.map(Unit::from) };
    let report = Report::of(tally, &scope);
    // JSON is in no language.
    let language = if format == Format::Json { Language::default() } else { language(args, plan.as_ref()) };
    let text = match format {
        Format::Table => tables(&report, language, columns(args)),
        Format::Json => report.json(),
        Format::Html => page(&report, language),
    };
    match &args.output {
        None => print(&text),
        Some(path) => {
            let text = if format == Format::Table { text + language.pick(WRITTEN_BY[0], WRITTEN_BY[1]) } else { text };
            replace_file(path, &text, is_report).map_err(Failure::output)?;
            say(&format!("written to {}\n", path.display()));
            Ok(())
        }
    }
}

/// Whether a file is one of our reports, in any format, by what it begins with.
fn is_report(begin: &[u8]) -> bool {
    let text = String::from_utf8_lossy(begin);
    let is_json = || {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(begin)
            .is_ok_and(|report| ["decisions", "totals", "moments"].iter().all(|key| report.contains_key(*key)))
    };
    WRITTEN_BY.iter().any(|written| text.ends_with(written))
        || (text.starts_with("<!DOCTYPE html>") && text.contains(propice_report::GENERATOR))
        || is_json()
}

/// The language that is asked for; or that of the pack, which is given or has left its language
/// with its output; or English. It does not depend on the surroundings: the same decisions give the
/// same page.
fn language(args: &Args, plan: Option<&Plan>) -> Language {
    if let Some(asked) = args.language {
        return asked.into();
    }
    let with_output = || file(&args.decisions).ok().and_then(|file| language_of(&file));
    let Some(named) = plan.and_then(of_pack).or_else(with_output) else { return Language::default() };
    Language::of_locale(&named).unwrap_or_else(|| {
        say(&format!("there is no report in `{named}`, the language of the pack: it is in English\n"));
        Language::default()
    })
}

/// As it is asked for, or as the name of the file says. A name that promises something else is
/// refused.
fn format(args: &Args) -> Result<Format, Failure> {
    const ENDINGS: [(&str, Format); 5] = [
        ("txt", Format::Table),
        ("text", Format::Table),
        ("json", Format::Json),
        ("html", Format::Html),
        ("htm", Format::Html),
    ];
    let Some(path) = &args.output else { return Ok(args.format.unwrap_or(Format::Table)) };
    let Some(ending) = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()) else {
        return Ok(args.format.unwrap_or(Format::Table));
    };
    let promised = ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, format)| *format);
    let refused = |what: &str| {
        let help = "A report is .html (one page with plots), .json or .txt (tables)";
        Err(Failure::Usage(format!("{}: {what}\n\n{help}", path.display())))
    };
    match (promised, args.format) {
        (Some(promised), None) => Ok(promised),
        (Some(promised), Some(asked)) if promised == asked => Ok(asked),
        (Some(_), Some(_)) => refused("the name of the file says something else than --format"),
        (None, Some(asked)) if !FOREIGN.contains(&ending.as_str()) => Ok(asked),
        _ => refused(&format!("no report is written as .{ending}")),
    }
}

/// The width of the terminal, when that is where the tables go.
fn columns(args: &Args) -> Option<u16> {
    let onto_terminal = args.output.is_none() && io::stdout().is_terminal();
    comfy_table::Table::new().width().filter(|_| onto_terminal)
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// Counts every line. Those that are no decisions are told, the first of them one by one.
fn read(path: &Path, mut tally: ReportTally) -> Result<ReportTally, Failure> {
    let path = file(path)?;
    let name = shown(&path);
    let failed = |error| Failure::io(&format!("cannot read {name}"), &error);
    let bytes = if path.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        open_path(&path).map_err(failed)?
    };
    let mut lines = Lines::new(bytes);
    let mut line = Vec::new();
    loop {
        let (column, message) = match lines.next(&mut line).map_err(failed)? {
            LineRead::End => break,
            LineRead::TooLong => {
                tally.add_unreadable();
                (None, format!("longer than {RECORD_BYTES} bytes"))
            }
            LineRead::Whole => match tally.add(&line) {
                Ok(()) => continue,
                Err(bad) => (bad.column, bad.message),
            },
        };
        if tally.bad_lines() <= TOLD {
            let column = column.map_or_else(String::new, |column| format!(":{column}"));
            say(&format!("{name}:{}{column}: {}\n", lines.number(), message.escape_debug()));
        }
    }
    if tally.bad_lines() > TOLD {
        say(&format!("{name}: {} lines are no decisions; these were the first {TOLD}\n", tally.bad_lines()));
    }
    Ok(tally)
}

/// The file itself, or the one of a folder.
fn file(path: &Path) -> Result<PathBuf, Failure> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let named = ["", ".gz", ".zst"].map(|packing| path.join(format!("decisions.jsonl{packing}")));
    named
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| Failure::Usage(format!("{}: no decisions.jsonl in this folder", path.display())))
}
