//! A sink for people: triggers, episodes or decisions as they come, or the lines of their files.
//!
//! It begins with the pack, and the zone of all its times. A trigger is a head (when, whom, which
//! moment, what and where) and, below it, what is in it for the customer and why; episodes and
//! decisions are a row each. No line is wider than the terminal: what does not fit beside stands
//! below.

use std::io::{self, Write};
use std::sync::Arc;

use crate::source::DeadLetter;
use crate::trigger::{Telling, Trigger, TriggerType};
use propice_define::Plan;
use propice_define::plan::{Reason, ReasonPart, Verdict};
use propice_flow::policy::{Decision, EpisodeKey, FailedGate, Judgement, Shown, What};
use propice_flow::{Transition, ViewPart};
use propice_model::{Id, KindId, LogicalTime, MomentId, Type};

use super::columns::{self, OutputStream, width};
use super::row::{TerminalRow, words};
use super::{OutgoingDecision, OutgoingTransition, Sink, json};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";

/// Columns from which on times have milliseconds.
const ROOMY: usize = 140;
/// Columns that a text beside the others needs.
const TEXT: usize = 24;

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
pub enum TerminalFormat {
    /// For people.
    Table,
    /// The lines of the file.
    JsonLines,
}

/// Shows what a run gives on standard output. Views and dead letters are not shown.
pub struct TerminalSink {
    plan: Arc<Plan>,
    show: Show,
    format: TerminalFormat,
    out: Box<dyn Write + Send>,
    widths: Widths,
    /// The table has its head.
    begun: bool,
    text: String,
}

/// Columns of the table.
#[derive(Clone, Copy)]
struct Widths {
    all: usize,
    time: usize,
    customer: usize,
    /// 0: no moment is about an entity.
    entity: usize,
    moment: usize,
    word: usize,
    /// What happened stands below: there is no room beside.
    below: bool,
}

impl Widths {
    fn of(plan: &Plan, show: Show, all: usize) -> Widths {
        let telling = Telling::of(plan);
        let moments = (0..plan.moments.len()).map(|moment| width(telling.moment(MomentId(moment as u16))));
        let about = plan.moments.iter().any(|moment| moment.about.is_some());
        let channels = plan.channels.iter().enumerate().map(|(at, _)| width(telling.channel(Some(at as u16))));
        let longest = channels.max().unwrap_or(0).max(width(telling.channel(None)));
        let word = match show {
            Show::Triggers => width(telling.pick("handed to a person: ", "confié à une personne\u{a0}: ")) + longest,
            Show::Episodes => 8,
            Show::Decisions => 14,
        };
        let mut widths = Widths {
            all,
            time: if all >= ROOMY { 23 } else { 19 },
            customer: 10,
            entity: if about { 16 } else { 0 },
            moment: moments.max().unwrap_or(0).clamp(6, 24),
            word,
            below: false,
        };
        let needed = if show == Show::Triggers { word } else { word + 2 + TEXT };
        let about = if about { widths.entity + 2 } else { 0 };
        widths.below = widths.time + 2 + widths.customer + 2 + about + widths.moment + 2 + needed > all;
        widths
    }
}

/// The first cells of a row: when, whom, about what, which moment.
struct Who<'a> {
    time: LogicalTime,
    customer: &'a Id,
    entity: Option<&'a (KindId, Id)>,
    moment: Option<MomentId>,
}

impl<'a> Who<'a> {
    fn of(decision: &'a Decision) -> Who<'a> {
        let episode: Option<&EpisodeKey> = decision.episode.as_ref();
        Who {
            time: decision.time,
            customer: &decision.customer,
            entity: episode.and_then(|episode| episode.entity.as_ref()),
            moment: episode.map(|episode| episode.moment),
        }
    }
}

impl TerminalSink {
    /// On standard output; with colours when that is a terminal.
    pub fn stdout(plan: &Arc<Plan>, show: Show, format: TerminalFormat) -> TerminalSink {
        TerminalSink::new(plan, show, format, Box::new(anstream::stdout()), columns::columns(OutputStream::Out))
    }

    /// Anywhere, so many columns wide.
    pub fn new(
        plan: &Arc<Plan>,
        show: Show,
        format: TerminalFormat,
        out: Box<dyn Write + Send>,
        columns: usize,
    ) -> TerminalSink {
        let widths = Widths::of(plan, show, columns);
        TerminalSink { plan: Arc::clone(plan), show, format, out, widths, begun: false, text: String::new() }
    }

    /// The head of the table, before its first row.
    fn begin(&mut self, telling: &Telling<'_>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let mut title = TerminalRow::new(&mut self.text, self.widths.all);
        title.flow(&telling.title(), DIM);
        title.finish();
        let (word, rest) = match self.show {
            Show::Triggers => (telling.pick("what and where", "quoi et où"), ""),
            Show::Episodes => ("", telling.pick("evidence", "preuves")),
            Show::Decisions => (telling.pick("decision", "décision"), telling.pick("why", "pourquoi")),
        };
        let Widths { all, time, customer, entity, moment, word: word_width, below } = self.widths;
        let mut row = TerminalRow::new(&mut self.text, all);
        row.cell(telling.pick("time", "heure"), time, DIM);
        row.cell(telling.pick("customer", "client"), customer, DIM);
        if entity > 0 {
            row.cell(telling.pick("about", "au sujet de"), entity, DIM);
        }
        row.cell(telling.pick("moment", "moment"), moment, DIM);
        if !below {
            row.cell(word, word_width, DIM);
            row.cell(rest, 0, DIM);
        }
        row.finish();
    }

    fn write_row(&mut self, telling: &Telling<'_>, who: &Who<'_>, (colour, word): (&str, &str), rest: &str) {
        self.begin(telling);
        let widths = self.widths;
        let mut row = TerminalRow::new(&mut self.text, widths.all);
        let mut time = telling.time(who.time);
        if widths.time < 23 {
            // Milliseconds are left to the files.
            time = time.split('.').next().unwrap_or_default().to_owned();
        }
        row.cell(&time, widths.time, "");
        row.cell(&who.customer.to_string(), widths.customer, "");
        if widths.entity > 0 {
            let about = who.entity.map(|(kind, id)| format!("{} {id}", telling.kind(*kind)));
            row.cell(&about.unwrap_or_default(), widths.entity, "");
        }
        row.cell(who.moment.map_or("", |moment| telling.moment(moment)), widths.moment, BOLD);
        if widths.below {
            row.below();
        }
        if rest.is_empty() {
            row.flow(word, colour);
        } else {
            row.cell(word, if widths.below { 0 } else { widths.word }, colour);
            row.flow(rest, DIM);
        }
        row.finish();
    }

    fn write_transition(&mut self, telling: &Telling<'_>, transition: &Transition) {
        let Transition { time, customer, entity, moment, opened, .. } = transition;
        let who = Who { time: *time, customer, entity: entity.as_ref(), moment: Some(*moment) };
        let names = telling.plan.moments[moment.index()].evidence.iter();
        let pairs = names.zip(transition.evidence.iter());
        let pairs: Vec<String> =
            pairs.map(|(used, value)| pair(telling, telling.used(*moment, used), (value, &used.ty))).collect();
        let word = if *opened { (GREEN, ("opened", "ouvert")) } else { (DIM, ("closed", "fermé")) };
        self.write_row(telling, &who, (word.0, telling.pick(word.1.0, word.1.1)), &pairs.join(", "));
    }

    fn write_decision(&mut self, telling: &Telling<'_>, decision: &Decision) {
        let who = Who::of(decision);
        let receipt = telling.pick("receipt", "accusé");
        match &decision.what {
            What::Verdict(judgement) => {
                let word = (colour_of(judgement.verdict), telling.verdict(judgement.verdict));
                self.write_row(telling, &who, word, &grounds(telling, who.moment, judgement));
            }
            What::Receipt(heard) => {
                let rest = format!("{} {}", heard.kind, heard.trigger.as_deref().unwrap_or_default());
                self.write_row(telling, &who, ("", receipt), rest.trim_end());
            }
            What::Outcome(outcome) => {
                let words = if outcome.helped {
                    telling.pick("it helped", "cela a aidé")
                } else {
                    telling.pick("it did not help", "cela n'a pas aidé")
                };
                self.write_row(telling, &who, ("", telling.pick("outcome", "résultat")), words);
            }
        }
    }

    fn write_trigger(&mut self, telling: &Telling<'_>, decision: &Decision, channel: Option<u16>, trigger: &Trigger) {
        let channel = telling.channel(channel);
        let ended = trigger.data.ended.as_ref().map_or("", |ended| telling.ending(ended.how));
        let colon = telling.colon();
        let (colour, word) = match trigger.ty {
            TriggerType::Released => {
                (GREEN, telling.pick(format!("released to {channel}"), format!("émis sur {channel}")))
            }
            TriggerType::HandedToHuman => {
                let handed = telling.pick("handed to a person", "confié à une personne");
                (YELLOW, format!("{handed}{colon} {channel}"))
            }
            TriggerType::Withdrawn => {
                (DIM, telling.pick(format!("withdrawn{colon} {ended}"), format!("repris{colon} {ended}")))
            }
        };
        self.write_row(telling, &Who::of(decision), (colour, &word), "");
        let all = self.widths.all;
        if trigger.ty != TriggerType::Withdrawn {
            words(&mut self.text, all, &trigger.data.value.benefit, "");
        }
        words(
            &mut self.text,
            all,
            &format!("{}{}", trigger.data.reason.text, other_zone(telling, decision, trigger)),
            DIM,
        );
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        self.out.flush()
    }
}

impl Sink for TerminalSink {
    fn transitions(&mut self, transitions: &[OutgoingTransition<'_>]) -> io::Result<()> {
        if self.show != Show::Episodes {
            return Ok(());
        }
        let plan = Arc::clone(&self.plan);
        let telling = Telling::of(&plan);
        for transition in transitions {
            match self.format {
                TerminalFormat::Table => self.write_transition(&telling, transition.transition),
                TerminalFormat::JsonLines => json::write_transition(&plan, transition, &mut self.text),
            }
        }
        self.flush()
    }

    fn decisions(&mut self, decisions: &[OutgoingDecision<'_>]) -> io::Result<()> {
        let plan = Arc::clone(&self.plan);
        let telling = Telling::of(&plan);
        match self.show {
            Show::Episodes => return Ok(()),
            Show::Decisions => {
                for decision in decisions {
                    match self.format {
                        TerminalFormat::Table => self.write_decision(&telling, decision.decision),
                        TerminalFormat::JsonLines => json::write_decision(&plan, decision, &mut self.text),
                    }
                }
            }
            Show::Triggers => {
                for decision in decisions {
                    let Some(trigger) = decision.trigger() else { continue };
                    match self.format {
                        TerminalFormat::Table => {
                            self.write_trigger(&telling, decision.decision, decision.channel(), trigger);
                        }
                        TerminalFormat::JsonLines => json::write_trigger(trigger, &mut self.text),
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

/// What a verdict rests on: how it ended, the gates that failed, where it was published; or the
/// values.
fn grounds(telling: &Telling<'_>, moment: Option<MomentId>, judgement: &Judgement) -> String {
    let gate = |failed: &FailedGate| {
        let why = failed.why.as_ref().map_or(String::new(), |why| format!(" ({})", telling.why(failed.gate, why)));
        let until = failed
            .until
            .map_or(String::new(), |until| format!(" {} {}", telling.pick("until", "jusqu'au"), telling.time(until)));
        format!("{}{why}{until}", telling.gate(failed.gate))
    };
    let mut parts = Vec::new();
    parts.extend(judgement.ended.as_ref().map(|ended| telling.ending(ended.how).to_owned()));
    parts.extend(judgement.gates.iter().map(gate));
    let on = |_| format!("{} {}", telling.pick("on", "sur"), telling.channel(judgement.channel));
    parts.extend(judgement.released_at.map(on));
    if let Some(moment) = moment.filter(|_| parts.is_empty()) {
        let names = &telling.plan.moments[moment.index()].evidence;
        for (used, shown) in names.iter().zip(&judgement.evidence) {
            if let Shown::Value(value) = shown {
                parts.push(pair(telling, telling.used(moment, used), (value, &used.ty)));
            }
        }
    }
    parts.join(", ")
}

/// A name with its value.
fn pair(telling: &Telling<'_>, name: &str, (value, ty): (&propice_model::Value, &Type)) -> String {
    format!("{name} = {}", telling.value(value, ty))
}

/// The zone of what a customer is told, where it tells times and they are of another one.
fn other_zone(telling: &Telling<'_>, decision: &Decision, trigger: &Trigger) -> String {
    let zone = &trigger.data.routing.time_zone;
    let moment = decision.episode.as_ref().map(|episode| &telling.plan.moments[episode.moment.index()]);
    let has_times = moment.is_some_and(|moment| match &trigger.data.ended {
        Some(ended) => tells_times(moment.ended.of(ended.how)),
        None if moment.reason.is_empty() => moment.shares.iter().any(|used| used.ty == Type::Time),
        None => tells_times(&moment.reason),
    });
    if *zone == telling.plan.timezone || !has_times {
        return String::new();
    }
    telling.pick(format!(" (times of {zone})"), format!(" (heures de {zone})"))
}

fn tells_times(words: &Reason) -> bool {
    words.values().flatten().any(|part| matches!(part, ReasonPart::Slot(used) if used.ty == Type::Time))
}
