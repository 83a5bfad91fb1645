//! A sink for people: one line per transition as it comes, or the lines of `episodes.jsonl`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;

use crate::define::Plan;
use crate::edge::source::DeadLetter;
use crate::flow::policy::Decision;
use crate::flow::{Transition, ViewPart};
use crate::model::LogicalTime;
use crate::model::time::format_time;

use super::{Sink, json};

/// Columns when the output is no terminal.
const WIDTH: usize = 160;
/// Least columns that are left for the evidence.
const EVIDENCE: usize = 20;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RESET: &str = "\x1b[0m";

/// How transitions are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table for people.
    Table,
    /// The lines of `episodes.jsonl`.
    JsonLines,
}

/// Shows transitions on standard output. Views and dead letters are not shown.
pub struct TerminalSink {
    plan: Arc<Plan>,
    format: Format,
    out: Box<dyn Write + Send>,
    widths: Widths,
    /// The table has its head.
    begun: bool,
    text: String,
}

/// Columns of the table, in characters.
struct Widths {
    customer: usize,
    entity: usize,
    moment: usize,
    all: usize,
}

impl TerminalSink {
    /// On standard output; with colours when that is a terminal.
    pub fn stdout(plan: &Arc<Plan>, format: Format) -> TerminalSink {
        let width = comfy_table::Table::new().width().filter(|_| io::stdout().is_terminal());
        TerminalSink::new(plan, format, Box::new(anstream::stdout()), width.map_or(WIDTH, usize::from))
    }

    /// Anywhere, so many columns wide.
    pub fn new(plan: &Arc<Plan>, format: Format, out: Box<dyn Write + Send>, columns: usize) -> TerminalSink {
        let longest = plan.moments.iter().map(|moment| moment.name.len()).max().unwrap_or(0);
        let about = plan.moments.iter().any(|moment| moment.about.is_some());
        let widths =
            Widths { customer: 10, entity: if about { 18 } else { 0 }, moment: longest.clamp(6, 28), all: columns };
        TerminalSink { plan: Arc::clone(plan), format, out, widths, begun: false, text: String::new() }
    }

    fn write_head(&mut self) {
        let Widths { customer, entity, moment, .. } = self.widths;
        let entity_head = if entity > 0 { format!("{:<entity$}  ", "entity") } else { String::new() };
        let _ = writeln!(
            self.text,
            "{DIM}{:<24}  {:<customer$}  {entity_head}{:<moment$}  {:<6}  evidence{RESET}",
            "time", "customer", "moment", ""
        );
    }

    fn write_row(&mut self, transition: &Transition) {
        let Widths { customer, entity, moment, all } = self.widths;
        let mut line = cell(&format_time(transition.time as i64), 24);
        line += &cell(&transition.customer.to_string(), customer);
        if entity > 0 {
            let about = transition.entity.as_ref();
            let about = about.map(|(kind, id)| format!("{} {id}", self.plan.entities[kind.index()].name));
            line += &cell(&about.unwrap_or_default(), entity);
        }
        let name = cell(&self.plan.moments[transition.moment.index()].name, moment);
        let word = json::transition_name(transition.opened);
        let used = line.chars().count() + name.chars().count() + word.len() + 2;
        let pairs: Vec<String> =
            json::evidence(&self.plan, transition).map(|(name, value)| format!("{name}={value}")).collect();
        let evidence = cut(&pairs.join(" "), all.saturating_sub(used).max(EVIDENCE));
        let colour = if transition.opened { GREEN } else { DIM };
        let _ = writeln!(self.text, "{line}{BOLD}{name}{RESET}{colour}{word}{RESET}  {DIM}{evidence}{RESET}");
    }
}

impl Sink for TerminalSink {
    fn transitions(&mut self, transitions: &[Transition]) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) && self.format == Format::Table {
            self.write_head();
        }
        for transition in transitions {
            match self.format {
                Format::Table => self.write_row(transition),
                Format::JsonLines => json::write_transition(&self.plan, transition, &mut self.text),
            }
        }
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        self.out.flush()
    }

    fn decisions(&mut self, decisions: &[Decision]) -> io::Result<()> {
        let _ = decisions;
        Ok(())
    }

    fn views(&mut self, _updates: &[(ViewPart, LogicalTime, isize)]) -> io::Result<()> {
        Ok(())
    }

    fn dead_letters(&mut self, _letters: &[DeadLetter]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _through: LogicalTime) -> io::Result<()> {
        self.out.flush()
    }
}

/// A text in so many columns, and two more. What controls a terminal is shown, not sent.
fn cell(text: &str, width: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { '·' } else { c }).collect();
    format!("{:<width$}  ", cut(&clean, width))
}

/// A text cut to so many characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_record_reaches_the_terminal_as_a_command() {
        assert_eq!(cell("a\x1b[2Jb", 8), "a·[2Jb    ");
        assert_eq!(cell("longer than that", 8), "longer …  ");
    }
}
