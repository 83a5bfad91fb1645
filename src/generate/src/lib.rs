//! Life-like streams for the packs that ship, with the truth beside them.
//!
//! `bank` writes one file of JSON Lines per input of `dataflows/bank.toml`, each in order of event
//! time unless disorder is asked for, and `truth`: which customers were put into which situation,
//! from when until when. Same settings, same bytes, on every machine: integers only, and chance
//! from `random` alone.
//!
//! ```text
//! person     who they are           ┐
//! situation  what happens to whom   ├→ life, scenes → desk → line, outbox → files
//! calendar   when                   ┘  day by day     records  text, order
//! ```
//!
//! The run is preceded by a history of 180 days in which there are salaries, bills and standing
//! savings only, so that what is usual can be told from the first day. A day is simulated for
//! everybody before the next; memory holds a customer in about 400 bytes, and the text of one day.
//!
//! Checked by `tests/integrated/generate.rs`: same bytes, order, disorder and duplicates, and that
//! every line is a record of the pack.

mod answers;
mod calendar;
mod desk;
mod life;
mod line;
mod outbox;
mod person;
mod random;
mod scenario;
mod scenes;
mod schedule;

use std::io::{self, Write as _};

use desk::Desk;
use life::Today;
use outbox::Outbox;
use person::Person;

pub use outbox::{Arriving, Deliver, FILES, OpenFile};

/// Days of history before the run.
const HISTORY: i64 = 180;

/// What is generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many customers.
    pub customers: u32,
    /// How many days, after the history.
    pub days: u32,
    /// What chance is drawn from.
    pub seed: u64,
    /// The first day, since 1970-01-01.
    pub start_day: i64,
    /// Of a million records so many arrive late, by up to six hours.
    pub disorder_ppm: u32,
    /// Of a million records so many arrive twice, within an hour.
    pub duplicates_ppm: u32,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Days done, history included.
    pub days: u64,
    /// Days in all.
    pub of_days: u64,
    /// Lines written.
    pub lines: u64,
}

/// Writes the streams of the bank and the truth to the files that `open` opens, one for each of
/// [`FILES`]. Gives the number of lines of each, in that order.
///
/// # Errors
/// When a file cannot be opened or written, or `progress` asks to stop.
pub fn bank(
    settings: &Settings,
    open: &mut OpenFile<'_>,
    progress: &mut dyn FnMut(Progress) -> io::Result<()>,
) -> io::Result<Vec<u64>> {
    let mut files = FILES.iter().map(|name| open(name)).collect::<io::Result<Vec<_>>>()?;
    let lines = bank_live(settings, &mut |Arriving { file, line, .. }| files[file].write_all(line), progress)?;
    files.iter_mut().try_for_each(std::io::Write::flush)?;
    Ok(lines)
}

/// Delivers the lines of all files in the order in which they arrive. Gives the number of lines of
/// each of [`FILES`].
///
/// # Errors
/// When `deliver` fails, or `progress` asks to stop.
pub fn bank_live<'o>(
    settings: &Settings,
    deliver: &'o mut Deliver<'o>,
    progress: &mut dyn FnMut(Progress) -> io::Result<()>,
) -> io::Result<Vec<u64>> {
    let (seed, start, days) = (settings.seed, settings.start_day, i64::from(settings.days));
    let out = Outbox::new(deliver, seed, settings.disorder_ppm, settings.duplicates_ppm);
    let mut desk = Desk { out, next_entry: 0 };
    let mut people: Vec<Person> =
        (0..settings.customers).map(|number| Person::draw(seed, number, settings.customers, start, days)).collect();
    for index in -HISTORY..days {
        let today = Today::new(seed, start + index, start);
        if index == -HISTORY {
            desk.holidays(today.day, start + days);
        }
        for person in &mut people {
            if index == -HISTORY {
                life::begin(&mut desk, person, &today);
            }
            if index >= 0 && index % schedule::STRETCH == 0 {
                person.scenario = schedule::plan(seed, person, index / schedule::STRETCH, today.day, days - index);
            }
            life::calendar(&mut desk, person, &today);
            if index >= 0 {
                life::chance(&mut desk, person, &today);
                answers::day(&mut desk, person, &today);
                scenes::play(&mut desk, person, today.day);
            }
        }
        desk.out.end_of_day(today.day)?;
        progress(Progress {
            days: (index + HISTORY + 1) as u64,
            of_days: (days + HISTORY) as u64,
            lines: desk.out.written(),
        })?;
    }
    desk.out.finish()
}
