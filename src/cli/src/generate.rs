//! `propice generate`: life-like streams, with the truth beside them.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use indicatif::{ProgressBar, ProgressStyle};

use super::signals::Signals;
use super::{CommandResult, Failure, generate_live, whole};
use propice_edge::output::{OutputFolder, OutputKind};
use propice_generate::{self as generate, FILES, Progress, Settings};
use propice_model::Decimal;

const EXAMPLES: &str = "\
Examples:
  propice generate bank --customers 1000 --days 90 --seed 1 --output data
  propice generate bank --customers 1000 --days 90 --seed 1 --disorder 0.05 --duplicates 0.01 --output data
  propice generate bank --customers 200 --live --rate 100 --config deploy/local/live.toml";

/// Write life-like streams for a pack that ships, and the truth about them
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::EXIT_CODES))]
pub(crate) struct Args {
    /// What to generate
    #[arg(value_enum)]
    world: World,
    /// How many customers
    #[arg(long, value_name = "N", default_value_t = 1_000, allow_negative_numbers = true, value_parser = whole::<u32>(1, 10_000_000))]
    customers: u32,
    /// How many days, after a history of 180 days with salaries, bills and standing savings only
    #[arg(long, value_name = "D", default_value_t = 90, allow_negative_numbers = true, value_parser = whole::<u32>(1, 3_650))]
    days: u32,
    /// What randomness begins with; the same seed gives the same bytes everywhere
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true, value_parser = whole::<u64>(0, u64::MAX))]
    seed: u64,
    /// The folder to write to; it is made where it is not there. It replaces streams that were
    /// generated before as a whole, and never what propice did not write
    #[arg(long, short, value_name = "DIR", required_unless_present = "live")]
    output: Option<PathBuf>,
    /// Write into topics instead of files, as it would happen: the history as fast as it goes, then
    /// so many records a second. The last day is yesterday unless --start says otherwise
    #[arg(long, requires = "config", conflicts_with_all = ["output", "compress", "force"])]
    live: bool,
    /// Records a second, behind the history
    #[arg(long, value_name = "N", default_value_t = 100, requires = "live", value_parser = whole::<u32>(1, 10_000_000))]
    rate: u32,
    /// Where the topics are: the deployment file of `propice live`
    #[arg(long, value_name = "FILE", requires = "live")]
    config: Option<PathBuf>,
    /// The pack whose inputs the topics are
    #[arg(long, value_name = "PACK", default_value = "dataflows/bank.toml", requires = "live")]
    pack: PathBuf,
    /// Replace generated streams also when they were changed after they were written
    #[arg(long)]
    force: bool,
    /// The first day
    #[arg(long, value_name = "DATE", default_value_if("live", "true", None), default_value = "2026-01-01", allow_negative_numbers = true, value_parser = day)]
    start: Option<i64>,
    /// How many of the records arrive out of order, from 0 to 1: late by up to six hours
    #[arg(long, value_name = "SHARE", default_value = "0", allow_negative_numbers = true, value_parser = share)]
    disorder: u32,
    /// How many of the records arrive twice, from 0 to 1. Streams count every record, so the truth
    /// fits a run without
    #[arg(long, value_name = "SHARE", default_value = "0", allow_negative_numbers = true, value_parser = share)]
    duplicates: u32,
    /// How the files are compressed
    #[arg(long, value_enum, default_value_t = Compress::None)]
    compress: Compress,
}

/// What can be generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum World {
    /// A retail bank, for dataflows/bank.toml
    Bank,
}

/// How files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Compress {
    /// NAME.jsonl
    None,
    /// NAME.jsonl.gz
    Gz,
    /// NAME.jsonl.zst
    Zst,
}

/// Generates, and says on standard error what was written.
pub(crate) fn run(args: &Args) -> CommandResult {
    let World::Bank = args.world;
    let settings = Settings {
        customers: args.customers,
        days: args.days,
        seed: args.seed,
        start_day: args.start.unwrap_or_else(|| today() - i64::from(args.days)),
        disorder_ppm: args.disorder,
        duplicates_ppm: args.duplicates,
    };
    if let Some(config) = args.config.as_ref().filter(|_| args.live) {
        return generate_live::run(&settings, &args.pack, config, args.rate);
    }
    let Some(output) = &args.output else {
        return Err(Failure::Usage("say where to write: --output DIR, or --live".to_owned()));
    };
    let folder = output.display();
    let failed = |error| Failure::io(&format!("cannot write to {folder}"), &error);
    let signals = Signals::listen()?;
    let made = OutputFolder::open(output, OutputKind::Streams, &[], args.force).map_err(Failure::output)?;
    let path = made.path();
    let bar = bar();
    let mut files = Vec::new();
    let mut open = |name: &str| {
        let shared = Shared(Rc::new(RefCell::new(GeneratedFile::create(&path, name, args.compress)?)));
        files.push(shared.clone());
        Ok(Box::new(shared) as Box<dyn Write>)
    };
    let lines = generate::bank(&settings, &mut open, &mut |progress: Progress| {
        bar.set_length(progress.of_days);
        bar.set_position(progress.days);
        bar.set_message(progress.lines.to_string());
        if signals.outcome().is_err() { Err(io::Error::other("stopped")) } else { Ok(()) }
    });
    signals.outcome()?;
    let lines = lines.map_err(failed)?;
    files.iter().try_for_each(|file| file.0.borrow_mut().finish()).map_err(failed)?;
    made.publish().map_err(Failure::output)?;
    bar.finish_and_clear();
    let situations = lines.last().copied().unwrap_or_default();
    let records = lines.iter().sum::<u64>() - situations;
    writeln!(io::stderr().lock(), "{folder}: {records} records of {} inputs, {situations} situations", FILES.len() - 1)
        .map_err(|error| Failure::io("cannot write to standard error", &error))
}

fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} day {pos}/{len}  {msg} lines  {elapsed}") {
        bar.set_style(style);
    }
    bar
}

/// A file that is being written.
enum GeneratedFile {
    Plain(BufWriter<File>),
    Gz(flate2::write::GzEncoder<BufWriter<File>>),
    Zst(zstd::Encoder<'static, BufWriter<File>>),
}

impl GeneratedFile {
    fn create(folder: &Path, name: &str, compress: Compress) -> io::Result<GeneratedFile> {
        let create = |ending: &str| File::create(folder.join(format!("{name}.jsonl{ending}"))).map(BufWriter::new);
        Ok(match compress {
            Compress::None => GeneratedFile::Plain(create("")?),
            Compress::Gz => {
                GeneratedFile::Gz(flate2::write::GzEncoder::new(create(".gz")?, flate2::Compression::fast()))
            }
            Compress::Zst => GeneratedFile::Zst(zstd::Encoder::new(create(".zst")?, 3)?),
        })
    }

    /// Writes what a compressed file ends with, so that a full disk is noticed.
    fn finish(&mut self) -> io::Result<()> {
        match self {
            GeneratedFile::Plain(out) => out.flush(),
            GeneratedFile::Gz(out) => out.try_finish().and_then(|()| out.get_mut().flush()),
            GeneratedFile::Zst(out) => out.do_finish().and_then(|()| out.get_mut().flush()),
        }
    }
}

/// A file in the hands of the generator, which is finished here.
#[derive(Clone)]
struct Shared(Rc<RefCell<GeneratedFile>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *self.0.borrow_mut() {
            GeneratedFile::Plain(out) => out.write(bytes),
            GeneratedFile::Gz(out) => out.write(bytes),
            GeneratedFile::Zst(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut *self.0.borrow_mut() {
            GeneratedFile::Plain(out) => out.flush(),
            GeneratedFile::Gz(out) => out.flush(),
            GeneratedFile::Zst(out) => out.flush(),
        }
    }
}

/// Today, since 1970.
fn today() -> i64 {
    jiff::Timestamp::now().as_second().div_euclid(86_400)
}

/// A day since 1970. Room is left for the history before it and the run behind it.
fn day(text: &str) -> Result<i64, String> {
    let date: jiff::civil::Date = text.parse().map_err(|_| "a date is written 2026-01-01".to_owned())?;
    if !(1971..=9_900).contains(&date.year()) {
        return Err("the first day lies between the years 1971 and 9900".to_owned());
    }
    let since = date.since(jiff::civil::Date::constant(1970, 1, 1)).map_err(|error| error.to_string())?;
    Ok(i64::from(since.get_days()))
}

/// A share, in parts of a million.
fn share(text: &str) -> Result<u32, String> {
    match Decimal::parse(text, 6).map(Decimal::units) {
        Some(units @ 0..=1_000_000) => Ok(units as u32),
        _ => Err("a share is a number from 0 to 1 with at most six decimals".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_shares_are_read() {
        assert_eq!(day("1971-01-01"), Ok(365));
        assert_eq!(day("2026-01-01"), Ok(20_454));
        assert!(day("1970-12-31").is_err());
        assert!(day("01/02/2026").is_err());
        assert_eq!(share("0.05"), Ok(50_000));
        assert_eq!(share("1"), Ok(1_000_000));
        for bad in ["-0.1", "1.01", "5%", "0.0000001"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }
}
