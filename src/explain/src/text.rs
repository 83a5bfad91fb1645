//! An answer laid out for people.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::answer::{Answer, Clause, Entity, Episode, Feature, Gate, Line, Record, State, Timeline};
use propice_edge::trigger::language::{Language, Teller};
use propice_model::{LogicalTime, Value};

/// An answer in words.
pub fn write(answer: &Answer, language: Language) -> String {
    let zone = TimeZone::get(&answer.zone).unwrap_or(TimeZone::UTC);
    let mut page = Page { out: String::new(), teller: Teller::new(language, zone) };
    page.answer(answer);
    page.out
}

struct Page {
    out: String,
    teller: Teller,
}

/// Deeper by one.
const STEP: usize = 2;

impl Page {
    fn pick<'t>(&self, english: &'t str, french: &'t str) -> &'t str {
        self.teller.language.pick(english, french)
    }

    fn time(&self, time: LogicalTime) -> String {
        self.teller.logical(time)
    }

    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{:depth$}{text}", "");
    }

    fn heading(&mut self, english: &str, french: &str) {
        let heading = self.pick(english, french).to_owned();
        self.line(0, "");
        self.line(0, &heading);
    }

    fn answer(&mut self, answer: &Answer) {
        let at = self.time(answer.at.0);
        let Answer { customer, zone, .. } = answer;
        let head = match self.teller.language {
            Language::English => format!("Customer {customer}, as of {at} (times of {zone})"),
            Language::French => format!("Client {customer}, état au {at} (heures de {zone})"),
        };
        self.line(0, &head);
        for story in &answer.explained {
            self.line(0, "");
            self.story(story);
        }
        if !answer.explained.is_empty() && !answer.summary.is_empty() {
            self.heading(
                "Others, in short (--entity ID tells more):",
                "Les autres, en bref (--entity ID en dit plus) :",
            );
        }
        let mut last = None;
        for line in &answer.summary {
            let title = self.title(line);
            if answer.explained.is_empty() && last.replace(title).is_none_or(|last| last != title) {
                self.line(0, "");
                self.line(0, title);
            }
            self.short(line);
        }
        if answer.unread > 0 {
            let count = self.teller.number(&answer.unread.to_string());
            let text = match self.teller.language {
                Language::English => format!("{count} records could not be read; propice run tells why"),
                Language::French => format!("{count} enregistrements illisibles ; propice run dit pourquoi"),
            };
            self.line(0, "");
            self.line(0, &text);
        }
    }

    fn title(&self, line: &Line) -> &'static str {
        let (english, french) = match line.state {
            State::Open { .. } => ("Open:", "Ouverts :"),
            State::Holding { .. } => ("Holding, not yet for long enough:", "Vrais, pas encore assez longtemps :"),
            State::Silent { .. } | State::Gone => {
                ("Not fired, by the first clause that fails:", "Non déclenchés, par la première clause fausse :")
            }
        };
        self.teller.language.pick(english, french)
    }

    fn short(&mut self, line: &Line) {
        let name = named(&line.moment, line.entity.as_ref());
        let colon = self.pick(":", " :");
        let text = format!("{name}{colon} {}", line.told);
        self.line(STEP, &text);
    }

    fn story(&mut self, story: &Timeline) {
        let name = named(&story.moment, story.entity.as_ref());
        let colon = self.pick(":", " :");
        let label = story.label.as_ref().map_or_else(String::new, |label| format!("{label}, "));
        let head = format!("{name} ({label}{}){colon} {}", story.purpose, story.benefit);
        self.line(0, &head);
        for record in &story.belongs {
            let belongs = self.pick("It belongs to the customer by", "Appartient au client d'après");
            let text = format!("{belongs} {}:{}", record.file, record.line);
            self.line(0, &text);
        }
        self.line(0, &story.told);
        if !story.fails.is_empty() {
            let or = self.pick("; or ", " ; ou ");
            let text = format!("{} {}", self.pick("First of all:", "D'abord :"), story.fails.join(or));
            self.line(0, &text);
        }
        self.heading("The condition:", "La condition :");
        self.clause(&story.condition, STEP, true);
        self.heading("What it is made of:", "De quoi elle est faite :");
        story.features.iter().for_each(|feature| self.feature(feature, STEP));
        if !story.episodes.is_empty() {
            self.heading("What was decided:", "Ce qui a été décidé :");
            story.episodes.iter().for_each(|episode| self.episode(episode));
        }
        if !story.gates.is_empty() {
            self.heading("What the gates have looked at:", "Ce que les barrières ont regardé :");
            story.gates.iter().for_each(|feature| self.feature(feature, STEP));
        }
        if !story.remedies.is_empty() {
            self.heading("What would have to change:", "Ce qui devrait changer :");
            story.remedies.iter().for_each(|remedy| self.line(STEP, remedy));
        }
    }

    /// A clause, marked by whether it holds. The parts of a whole that is an `&&` stand for it.
    fn clause(&mut self, clause: &Clause, depth: usize, is_top: bool) {
        if is_top && clause.joined == Some("all") {
            clause.parts.iter().for_each(|part| self.clause(part, depth, false));
            return;
        }
        let mark = match clause.holds {
            Some(true) => self.pick("yes", "oui"),
            Some(false) => self.pick("no ", "non"),
            None => " ? ",
        };
        let told = match (clause.told.as_str(), clause.joined) {
            ("", Some("all")) => self.pick(": all of", " : tout ceci").to_owned(),
            ("", Some("any")) => self.pick(": one of", " : l'un de ceux-ci").to_owned(),
            ("", Some("not")) => self.pick(": not so", " : contraire de").to_owned(),
            ("", Some(_)) => self.pick(": that is", " : c'est-à-dire").to_owned(),
            ("", None) => String::new(),
            (told, _) => format!("{}{told}", self.pick(": ", " : ")),
        };
        let text = format!("{mark} {}{told}", one_line(&clause.text));
        self.line(depth, &text);
        clause.parts.iter().for_each(|part| self.clause(part, depth + 2 * STEP, false));
    }

    fn feature(&mut self, feature: &Feature, depth: usize) {
        let name = named(&feature.name, feature.of.as_ref());
        let value = match (&feature.withheld, feature.value.is_some()) {
            (Some(kind), _) => match self.teller.language {
                Language::English => format!(" is withheld ({kind})"),
                Language::French => format!(" : non communiqué ({kind})"),
            },
            (None, true) => format!(" = {}", feature.shown),
            (None, false) => String::new(),
        };
        let colon = self.pick(":", " :");
        let told = if feature.told.is_empty() { String::new() } else { format!("{colon} {}", one_line(&feature.told)) };
        let again = feature.more.as_ref().filter(|_| feature.uses.is_empty() && feature.key.is_none());
        let again = again.map_or(String::new(), |more| format!(" ({more})"));
        self.line(depth, &format!("{name}{value}{told}{again}"));
        feature.uses.iter().for_each(|used| self.feature(used, depth + STEP));
        feature.records.iter().for_each(|record| self.record(record, depth + STEP));
        if let Some(more) = feature.more.as_ref().filter(|_| again.is_empty()) {
            self.line(depth + STEP, more);
        }
    }

    fn record(&mut self, record: &Record, depth: usize) {
        let mut text = format!("{}:{}", record.file, record.line);
        if let Some(at) = record.event_time {
            let _ = write!(text, "  {}", self.time(at.0));
        }
        for (at, (name, value)) in record.fields.iter().enumerate() {
            let shown = match &value.0 {
                Value::Text(text) => self.teller.language.pick(format!("“{text}”"), format!("« {text} »")),
                other => self.teller.value(other, &value.1),
            };
            let _ = write!(text, "{}{name} = {shown}", if at == 0 { "  " } else { ", " });
        }
        if let Some(until) = record.until {
            let until = self.time(until.0);
            let _ = write!(text, "  {} {until}", self.pick("until", "jusqu'au"));
        }
        self.line(depth, &text);
    }

    fn episode(&mut self, episode: &Episode) {
        let opened = self.time(episode.opened.0);
        let closed = episode.closed.map(|closed| self.time(closed.0));
        let head = match (self.teller.language, closed) {
            (Language::English, None) => format!("episode {}, open since {opened}", episode.id),
            (Language::English, Some(closed)) => format!("episode {}, from {opened} to {closed}", episode.id),
            (Language::French, None) => format!("épisode {}, ouvert depuis le {opened}", episode.id),
            (Language::French, Some(closed)) => format!("épisode {}, du {opened} au {closed}", episode.id),
        };
        self.line(STEP, &head);
        for event in &episode.events {
            let colon = self.pick(":", " :");
            let text = format!("{}{colon} {}", self.time(event.time.0), event.told);
            self.line(2 * STEP, &text);
            event.gates.iter().for_each(|gate| self.gate(gate));
        }
    }

    fn gate(&mut self, gate: &Gate) {
        let until = gate.until.map_or(String::new(), |until| {
            let until = self.time(until.0);
            format!(", {} {until}", self.pick("until", "jusqu'au"))
        });
        let colon = self.pick(":", " :");
        self.line(3 * STEP, &format!("{}{colon} {}{until}", gate.gate, gate.told));
    }
}

fn named(name: &str, entity: Option<&Entity>) -> String {
    entity.map_or_else(|| name.to_owned(), |Entity { kind, id }| format!("{name} [{kind} {id}]"))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
