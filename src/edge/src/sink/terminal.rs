//! A sink for people: triggers, episodes or decisions as they come, or the lines of their files.
//!
//! A trigger is a head (when, whom, which moment, what and where) and, below it, what is in it for the customer and why. Episodes and decisions are one row each.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;

use crate::source::DeadLetter;
use crate::trigger::{Trigger, TriggerType, channel_name, triggers};
use propice_define::Plan;
use propice_define::plan::{Evidence, Verdict};
use propice_flow::policy::{Decision, FailedGate, Judgement, Shown, What};
use propice_flow::{Transition, ViewPart};
use propice_model::time::format_time;
use propice_model::{Id, KindId, LogicalTime};

use super::columns::{cell, cut, shown, wrapped};
use super::{Sink, json};

/// Columns when the output is no terminal.
const WIDTH: usize = 160;
/// Least columns that are left for the last column.
const REST: usize = 20;
/// How far the words of a trigger stand to the right.
const INDENT: usize = 4;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// What is published.
    Triggers,
    /// Episodes that open and close.
    Episodes,
    /// Everything that is decided.
    Decisions,
}

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// The lines of the file.
    JsonLines,
}

/// Shows what a run gives on standard output. Views and dead letters are not shown.
pub struct TerminalSink {
    plan: Arc<Plan>,
    show: Show,
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
    pub fn stdout(plan: &Arc<Plan>, show: Show, format: Format) -> TerminalSink {
        let width = comfy_table::Table::new().width().filter(|_| io::stdout().is_terminal());
        TerminalSink::new(plan, show, format, Box::new(anstream::stdout()), width.map_or(WIDTH, usize::from))
    }

    /// Anywhere, so many columns wide.
    pub fn new(
        plan: &Arc<Plan>,
        show: Show,
        format: Format,
        out: Box<dyn Write + Send>,
        columns: usize,
    ) -> TerminalSink {
        let longest = plan.moments.iter().map(|moment| moment.name.len()).max().unwrap_or(0);
        let about = plan.moments.iter().any(|moment| moment.about.is_some());
        let widths =
            Widths { customer: 10, entity: if about { 18 } else { 0 }, moment: longest.clamp(6, 28), all: columns };
        TerminalSink { plan: Arc::clone(plan), show, format, out, widths, begun: false, text: String::new() }
    }

    /// The head of the table, once.
    fn begin(&mut self) {
        if std::mem::replace(&mut self.begun, true) || self.format == Format::JsonLines {
            return;
        }
        let (word, rest) = match self.show {
            Show::Triggers => return,
            Show::Episodes => ("", "evidence"),
            Show::Decisions => ("decision", "why"),
        };
        let Widths { customer, entity, moment, .. } = self.widths;
        let entity_head = if entity > 0 { format!("{:<entity$}  ", "entity") } else { String::new() };
        let word_width = self.word_width();
        let _ = writeln!(
            self.text,
            "{DIM}{:<24}  {:<customer$}  {entity_head}{:<moment$}  {word:<word_width$}  {rest}{RESET}",
            "time", "customer", "moment"
        );
    }

    /// Columns for what happened.
    fn word_width(&self) -> usize {
        if self.show == Show::Decisions { 15 } else { 6 }
    }

    /// When, whom, about what: the first columns, each followed by two spaces.
    fn who(&self, time: LogicalTime, customer: &Id, entity: Option<&(KindId, Id)>) -> String {
        let mut line = cell(&format_time(time as i64), 24);
        line += &cell(&customer.to_string(), self.widths.customer);
        if self.widths.entity > 0 {
            let about = entity.map(|(kind, id)| format!("{} {id}", self.plan.entities[kind.index()].name));
            line += &cell(&about.unwrap_or_default(), self.widths.entity);
        }
        line
    }

    fn write_row(&mut self, who: &str, moment: &str, (colour, word): (&str, &str), rest: &str) {
        let name = cell(moment, self.widths.moment);
        let word = format!("{:<width$}", word, width = self.word_width());
        let used = who.chars().count() + name.chars().count() + word.chars().count() + 2;
        let rest = cut(&shown(rest), self.widths.all.saturating_sub(used).max(REST));
        let _ = writeln!(self.text, "{who}{BOLD}{name}{RESET}{colour}{word}{RESET}  {DIM}{rest}{RESET}");
    }

    fn write_transition(&mut self, transition: &Transition) {
        let who = self.who(transition.time, &transition.customer, transition.entity.as_ref());
        let plan = Arc::clone(&self.plan);
        let pairs: Vec<String> =
            json::evidence(&plan, transition).map(|(name, value)| format!("{name}={value}")).collect();
        let colour = if transition.opened { GREEN } else { DIM };
        let word = (colour, json::transition_name(transition.opened));
        self.write_row(&who, &plan.moments[transition.moment.index()].name, word, &pairs.join(" "));
    }

    fn write_decision(&mut self, decision: &Decision) {
        let plan = Arc::clone(&self.plan);
        let episode = decision.episode.as_ref();
        let who = self.who(decision.time, &decision.customer, episode.and_then(|episode| episode.entity.as_ref()));
        let moment = episode.map_or("", |episode| plan.moments[episode.moment.index()].name.as_str());
        match &decision.what {
            What::Verdict(judgement) => {
                let names = episode.map_or(&[][..], |episode| &plan.moments[episode.moment.index()].evidence[..]);
                let word = (colour_of(judgement.verdict), judgement.verdict.name());
                self.write_row(&who, moment, word, &grounds(&plan, judgement, names));
            }
            What::Receipt(receipt) => {
                let rest = format!("{} {}", receipt.kind, receipt.trigger.as_deref().unwrap_or_default());
                self.write_row(&who, moment, ("", "receipt"), rest.trim_end());
            }
            What::Outcome(outcome) => {
                let word = if outcome.helped { "it helped" } else { "it did not help" };
                self.write_row(&who, moment, ("", "outcome"), word);
            }
        }
    }

    fn write_trigger(&mut self, decision: &Decision, channel: Option<u16>, trigger: &Trigger) {
        let entity = decision.episode.as_ref().and_then(|episode| episode.entity.as_ref());
        let who = self.who(decision.time, &decision.customer, entity);
        let name = cell(&trigger.data.moment, self.widths.moment);
        let (colour, word) = match trigger.ty {
            TriggerType::Released => (GREEN, "released to"),
            TriggerType::HandedToHuman => (YELLOW, "handed to a person:"),
            TriggerType::Withdrawn => (DIM, "withdrawn from"),
        };
        let channel = channel_name(&self.plan, channel);
        let _ = writeln!(self.text, "{who}{BOLD}{name}{RESET}{colour}{word} {channel}{RESET}");
        if trigger.ty != TriggerType::Withdrawn {
            self.write_words("", &trigger.data.value.benefit);
        }
        self.write_words(DIM, &trigger.data.reason.text);
    }

    /// Words below a head, in as many lines as they need.
    fn write_words(&mut self, colour: &str, words: &str) {
        let width = self.widths.all.saturating_sub(INDENT).max(REST);
        for line in wrapped(&shown(words), width) {
            let reset = if colour.is_empty() { "" } else { RESET };
            let _ = writeln!(self.text, "{:INDENT$}{colour}{line}{reset}", "");
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        self.out.flush()
    }
}

impl Sink for TerminalSink {
    fn transitions(&mut self, transitions: &[Transition]) -> io::Result<()> {
        if self.show != Show::Episodes {
            return Ok(());
        }
        self.begin();
        for transition in transitions {
            match self.format {
                Format::Table => self.write_transition(transition),
                Format::JsonLines => json::write_transition(&self.plan, transition, &mut self.text),
            }
        }
        self.flush()
    }

    fn decisions(&mut self, decisions: &[Decision]) -> io::Result<()> {
        let plan = Arc::clone(&self.plan);
        match self.show {
            Show::Episodes => return Ok(()),
            Show::Decisions => {
                self.begin();
                for decision in decisions {
                    match self.format {
                        Format::Table => self.write_decision(decision),
                        Format::JsonLines => json::write_decision(&plan, decision, &mut self.text),
                    }
                }
            }
            Show::Triggers => {
                for (channel, decision, trigger) in triggers(&plan, decisions) {
                    match self.format {
                        Format::Table => self.write_trigger(decision, channel, &trigger),
                        Format::JsonLines => json::write_trigger(&trigger, &mut self.text),
                    }
                }
            }
        }
        self.flush()
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

/// The colour of a verdict.
fn colour_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Released => GREEN,
        Verdict::HandedToHuman | Verdict::Deferred => YELLOW,
        Verdict::Suppressed | Verdict::Withdrawn | Verdict::Expired => DIM,
    }
}

/// What a verdict rests on: the gates that failed, or where it was published, or the values.
fn grounds(plan: &Plan, judgement: &Judgement, names: &[Evidence]) -> String {
    let gate = |failed: &FailedGate| {
        let why = failed.why.as_ref().map_or(String::new(), |why| format!(" ({why})"));
        let until = failed.until.map_or(String::new(), |until| format!(" until {}", format_time(until as i64)));
        format!("{}{why}{until}", failed.gate.name())
    };
    let mut parts: Vec<String> = judgement.gates.iter().map(gate).collect();
    parts.extend(judgement.released_at.map(|_| format!("on {}", channel_name(plan, judgement.channel))));
    if parts.is_empty() {
        for (evidence, shown) in names.iter().zip(&judgement.evidence) {
            if let Shown::Value(value) = shown {
                let mut json = String::new();
                value.write_json(&evidence.ty, &mut json);
                parts.push(format!("{}={json}", evidence.name));
            }
        }
    }
    parts.join(", ")
}
