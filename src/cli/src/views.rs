//! `propice views`: the 360° view as of a logical time.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError};

use super::inputs::{InputOptions, OpenedInputs, RefusalOptions, ended};
use super::meter::Metered;
use super::view_table;
use super::{CommandResult, Failure, instant, load_pack, print, say};
use propice_define::Plan;
use propice_edge::sink::columns::{OutputStream, columns};
use propice_edge::sink::{LatestViews, Tee, Views};
use propice_model::time::format_time;
use propice_model::{Id, LogicalTime};
use propice_run as run;

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
    pub(crate) inputs: InputOptions,
    #[command(flatten)]
    pub(crate) refusals: RefusalOptions,
    /// Only this customer
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub(crate) customer: Option<String>,
    /// As of this time, such as 2026-03-02T09:00:00Z; without an offset in the zone of the pack.
    /// Without it: behind the last record
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub(crate) at: Option<String>,
    /// How views are shown; without it: `table` on a terminal, `jsonl` elsewhere
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// How views are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A readable table per customer
    Table,
    /// The lines of views.jsonl
    Jsonl,
}

/// Shows views.
pub(crate) fn run(args: &Args) -> CommandResult {
    let plan = Arc::new(load_pack(&args.pack)?);
    let at = args.at.as_deref().map(|text| instant("--at", text, &plan)).transpose()?;
    let stop = Arc::new(AtomicBool::new(false));
    let OpenedInputs { source, notes } = match &args.customer {
        None => args.inputs.open(&args.pack, &plan, &stop)?,
        Some(customer) => args.inputs.open_own(&args.pack, &plan, &Id::parse(customer), at, &stop)?,
    };
    say(&notes);
    let latest = LatestViews::new(&plan);
    let (sink, counts) = Tee::new(vec![Box::new(latest.clone())]);
    let options = run::Options { views: true, until: at, ..run::Options::default() };
    let limit = if args.customer.is_some() { args.refusals.limit_of_own() } else { args.refusals.limit() };
    let source = source.with_limit(limit);
    let (source, meter) = Metered::new(Box::new(source), true);
    let done = run::execute(&plan, Box::new(source), Box::new(sink), &options);
    meter.clear();
    let (summary, failure) = ended(done)?;
    let through = summary.through;
    let dead: u64 = counts.lock().unwrap_or_else(PoisonError::into_inner).dead_letters.values().sum();
    if dead > 0 {
        say(&format!("{dead} records could not be read; propice run tells why\n"));
    }
    let default = if io::stdout().is_terminal() { Format::Table } else { Format::Jsonl };
    let format = args.format.unwrap_or(default);
    let shown = latest.look(|views| match &args.customer {
        Some(customer) => {
            if show(views, &plan, &Id::parse(customer), through, format)? {
                return Ok(());
            }
            let time = format_time(through as i64);
            Err(Failure::Wrong(format!("there is no customer `{customer}` at {time}")))
        }
        None => views.customers().try_for_each(|customer| show(views, &plan, customer, through, format).map(|_| ())),
    });
    // What was read of a source that failed is shown; a customer may be missing for that.
    failure.map_or(shown, Err)
}

/// Shows one customer; whether it exists.
fn show(views: &Views, plan: &Plan, id: &Id, time: LogicalTime, format: Format) -> Result<bool, Failure> {
    let mut text = String::new();
    let exists = match format {
        Format::Jsonl => views.write_customer(id, time, &mut text),
        Format::Table => view_table::write(views, plan, id, time, columns(OutputStream::Out), &mut text),
    };
    print(&text)?;
    Ok(exists)
}
