//! What one customer costs: `why` and `views --customer` against a run over the same files, of a
//! bank that is generated.
//!
//! The run reads every record, decides everything and writes nothing: no view is asked of it. Each
//! is timed in turn, in this process, on the wall, since all of them read on several threads; what
//! the process took of its cores is told beside it.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use propice_define::{self as define, Plan};
use propice_edge::sink::{LatestViews, Sink, Tee};
use propice_edge::source::files::{self, Wanted};
use propice_edge::source::{InputFile, MergedSource, Own, Source};
use propice_edge::trigger::language::Language;
use propice_explain::{About, Question, explain};
use propice_generate::{Settings, bank};
use propice_model::Id;
use propice_run::{self as run, Options};

use super::clock::{of_process, on_wall};
use super::figures::Figure;
use super::{Failed, Scale};

/// The pack of the bank that ships.
const BANK: &str = include_str!("../../../dataflows/bank.toml");
/// The first day of what is generated: 2026-01-01.
const START_DAY: i64 = 20_454;

/// A generated bank, in files that are removed with it.
struct Bank {
    plan: Arc<Plan>,
    folder: PathBuf,
    files: Vec<InputFile>,
}

/// How long something took, and how much of the cores.
struct Cost {
    wall: Duration,
    cpu: Duration,
}

impl Bank {
    fn generate(customers: u32, days: u32) -> Result<Bank, Failed> {
        let plan =
            define::load("bank.toml", BANK).map_err(|errors| Failed(format!("the bank has mistakes: {errors:?}")))?;
        let folder = std::env::temp_dir().join(format!("propice-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
        let mut bank = Bank { plan: Arc::new(plan), folder, files: Vec::new() };
        write(&bank.folder, customers, days).map_err(|error| failed(&error))?;
        bank.files = files::find(&bank.plan, &[Wanted::Folder(bank.folder.clone())]).map_err(|error| failed(&error))?;
        Ok(bank)
    }

    fn run(&self, source: impl Source + 'static, sink: impl Sink + 'static, views: bool) -> Result<u64, Failed> {
        let options = Options { views, ..Options::default() };
        let summary = run::execute(&self.plan, Box::new(source), Box::new(sink), &options);
        summary.map(|summary| summary.records).map_err(|error| failed(&error))
    }

    /// Everything of everybody. How many records there are.
    fn whole(&self) -> Result<u64, Failed> {
        let source = MergedSource::open(&self.plan, &self.files, &running()).map_err(|error| failed(&error))?;
        self.run(source, Tee::new(Vec::new()).0, false)
    }

    /// As `propice why`.
    fn why(&self, customer: &str) -> Result<(), Failed> {
        let about = About::Customer { customer: customer.to_owned(), moment: None, entity: None };
        let question = Question { about, at: None, language: Language::English, records: 10 };
        explain(&self.plan, &self.files, &question).map(|_| ()).map_err(|error| failed(&error))
    }

    /// As `propice views --customer`.
    fn views(&self, customer: &str) -> Result<(), Failed> {
        let id = Id::parse(customer);
        let own = Own::find(&self.plan, &self.files, &id).map_err(|error| failed(&error))?;
        let source =
            MergedSource::open_own(&self.plan, &self.files, &own, &running()).map_err(|error| failed(&error))?;
        let latest = LatestViews::new(&self.plan);
        self.run(source, latest.clone(), true)?;
        let exists = latest.look(|views| views.slots(&id).is_some());
        if exists { Ok(()) } else { Err(Failed(format!("the bank has no customer {customer}"))) }
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        // What is left in a folder for temporary files is removed by others.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn failed(error: &dyn std::fmt::Display) -> Failed {
    Failed(format!("one customer of a bank: {error}"))
}

fn running() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

fn write(folder: &Path, customers: u32, days: u32) -> std::io::Result<()> {
    let settings = Settings { customers, days, seed: 1, start_day: START_DAY, disorder_ppm: 0, duplicates_ppm: 0 };
    let mut open = |name: &str| {
        let file = File::create(folder.join(format!("{name}.jsonl")))?;
        Ok(Box::new(BufWriter::new(file)) as Box<dyn Write>)
    };
    bank(&settings, &mut open, &mut |_| Ok(())).map(|_| ())
}

fn cost<R>(work: impl FnOnce() -> Result<R, Failed>) -> Result<(Cost, R), Failed> {
    let before = of_process();
    let (wall, result) = on_wall(work);
    Ok((Cost { wall, cpu: of_process().saturating_sub(before) }, result?))
}

/// One customer against everybody.
pub(super) fn ratio(scale: &Scale) -> Result<Vec<Figure>, Failed> {
    let (customers, days) = scale.bank;
    let bank = Bank::generate(customers, days)?;
    // Files that were never read are slower the first time.
    let mut records = bank.whole()?;
    let mut rounds: [Vec<f64>; 6] = Default::default();
    for round in 0..scale.rounds.max(3) {
        let customer = format!("c{}", customers as usize / 2 + round);
        let (whole, count) = cost(|| bank.whole())?;
        let (why, ()) = cost(|| bank.why(&customer))?;
        let (views, ()) = cost(|| bank.views(&customer))?;
        records = count;
        let part = |of: Duration, whole: Duration| of.as_secs_f64() / whole.as_secs_f64();
        let found = [
            whole.wall.as_secs_f64() * 1e6 / count as f64,
            part(why.wall, whole.wall),
            part(views.wall, whole.wall),
            part(why.cpu, whole.cpu),
            part(views.cpu, whole.cpu),
            why.wall.as_secs_f64() * 1e3,
        ];
        rounds.iter_mut().zip(found).for_each(|(rounds, found)| rounds.push(found));
    }
    let [each, why, views, why_cpu, views_cpu, took] = rounds;
    let figure = |name, unit, rounds| Figure::of("one-customer", name, unit, rounds);
    Ok(vec![
        figure("a run over the bank", "µs per record", each).at(records),
        figure("why", "ms", took).at(records),
        figure("why / run", "times", why),
        figure("views --customer / run", "times", views),
        figure("why / run, time of cores", "times", why_cpu),
        figure("views --customer / run, time of cores", "times", views_cpu),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_bank_is_measured_and_removed() {
        let bank = Bank::generate(5, 3).expect("a bank");
        let folder = bank.folder.clone();
        assert!(bank.whole().expect("a run") > 100);
        bank.why("c3").expect("an answer");
        bank.views("c3").expect("a view");
        assert!(bank.views("nobody").is_err());
        drop(bank);
        assert!(!folder.exists());
    }
}
