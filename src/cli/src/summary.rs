//! What a run says when it is over.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use propice_define::Plan;
use propice_edge::sink::Counts;
use propice_edge::sink::columns::{cut, shown, width, wrapped};
use propice_edge::trigger::Telling;
use propice_model::{Language, MomentId};
use propice_run::{HeldBack, Summary};

/// A run that is over.
pub(super) struct Done<'p> {
    pub(super) plan: &'p Plan,
    pub(super) summary: Summary,
    pub(super) counts: Counts,
    pub(super) elapsed: Duration,
    pub(super) interrupted: bool,
}

impl Done<'_> {
    /// The closing summary, in the language of the pack, so many columns wide.
    pub(super) fn text(&self, output: Option<&Path>, views: bool, until: bool, columns: usize) -> String {
        let telling = Telling::of(self.plan);
        let mut text = String::new();
        if self.interrupted {
            let words = telling.pick(
                "interrupted; what was read until then is decided and published",
                "interrompu ; ce qui était lu jusque-là est décidé et publié",
            );
            say(words, columns, &mut text);
        }
        self.write_episodes(&telling, columns, &mut text);
        super::decided::write(&telling, &self.counts.decided, columns, &mut text);
        let mut say = |words: String| self::say(&words, columns, &mut text);
        self.held_back(&telling).into_iter().for_each(&mut say);
        say(self.records(&telling, views));
        self.dead_letters(&telling, output).into_iter().for_each(&mut say);
        if let Some(folder) = output {
            let views = if views { "views.jsonl, " } else { "" };
            let files = format!("triggers/, decisions.jsonl, episodes.jsonl, {views}dead_letters.jsonl");
            let folder = folder.display();
            say(telling.pick(format!("written to {folder}: {files}"), format!("écrit dans {folder} : {files}")));
        }
        if !until && self.summary.records > 0 && !self.interrupted {
            let end = telling.time(self.summary.through);
            say(telling.pick(
                format!(
                    "the clock stands at the last record, {end}; --until TIME moves it on, so that windows end and deadlines pass"
                ),
                format!(
                    "l'horloge est au dernier enregistrement, {end} ; --until TIME l'avance, pour que fenêtres et délais se terminent"
                ),
            ));
        }
        text
    }

    fn write_episodes(&self, telling: &Telling<'_>, columns: usize, text: &mut String) {
        const NUMBER: usize = 10;
        let Summary { opened, closed, .. } = &self.summary;
        let count = |counts: &[u64], at: usize| counts.get(at).copied().unwrap_or(0);
        let rows = (0..self.plan.moments.len())
            .map(|at| (telling.moment(MomentId(at as u16)), count(opened, at), count(closed, at)));
        let rows: Vec<(&str, u64, u64)> = rows.filter(|(_, opened, closed)| opened + closed > 0).collect();
        if rows.is_empty() {
            text.push_str(telling.pick("no episodes\n", "aucun épisode\n"));
            return;
        }
        let heads = telling.pick(["opened", "closed", "still open"], ["ouverts", "fermés", "encore ouverts"]);
        let number = heads.into_iter().map(width).fold(NUMBER, usize::max);
        let room = columns.saturating_sub(3 * (number + 2)).max(8);
        let names = rows.iter().map(|(name, ..)| width(name)).max().unwrap_or(0).clamp(8, room);
        let mut line = |name: &str, numbers: [String; 3]| {
            let name = cut(name, names);
            let _ = write!(text, "{name}{:1$}", "", names - width(&name));
            for shown in numbers {
                let _ = write!(text, "  {:1$}{shown}", "", number.saturating_sub(width(&shown)));
            }
            text.push('\n');
        };
        line(telling.pick("episodes", "épisodes"), heads.map(str::to_owned));
        let all = (telling.pick("all", "tous"), opened.iter().sum(), closed.iter().sum());
        for (name, opened, closed) in rows.into_iter().chain([all]) {
            let numbers = [opened, closed, opened.saturating_sub(closed)];
            line(name, numbers.map(|count| telling.teller.number(&count.to_string())));
        }
    }

    fn held_back(&self, telling: &Telling<'_>) -> Option<String> {
        let from = self.plan.policy.publish_from;
        let number = |count: u64| telling.teller.number(&count.to_string());
        let HeldBack { transitions, decisions, unsaid } = self.summary.held_back;
        let (from_shown, unsaid) = (telling.time(from), number(unsaid));
        let (decisions, transitions) = (number(decisions), number(transitions));
        (from > 0).then(|| {
            telling.pick(
                format!(
                    "held back before {from_shown}: {unsaid} triggers that count as not said, {decisions} decisions in all, {transitions} openings and closings"
                ),
                format!(
                    "retenu avant {from_shown} : {unsaid} messages qui comptent comme non dits, {decisions} décisions en tout, {transitions} ouvertures et fermetures"
                ),
            )
        })
    }

    fn records(&self, telling: &Telling<'_>, views: bool) -> String {
        let number = |count: u64| telling.teller.number(&count.to_string());
        let Summary { records, late, dead_letters, .. } = self.summary;
        let seconds = self.elapsed.as_secs_f64();
        let rate = number(if seconds > 0.0 { (records as f64 / seconds) as u64 } else { 0 });
        let (records, late, dead) = (number(records), number(late), number(dead_letters));
        let seconds = telling.teller.number(&format!("{seconds:.2}"));
        let mut text = telling.pick(
            format!("{records} records in {seconds} s ({rate} per second), {late} late, {dead} dead letters"),
            format!(
                "{records} enregistrements en {seconds} s ({rate} par seconde), {late} en retard, {dead} illisibles"
            ),
        );
        if views {
            let views = number(self.counts.customers.unsigned_abs());
            text += &telling.pick(format!(", {views} views"), format!(", {views} vues"));
        }
        text
    }

    fn dead_letters(&self, telling: &Telling<'_>, output: Option<&Path>) -> Vec<String> {
        let Some(first) = &self.counts.first_dead_letter else { return Vec::new() };
        let reasons = self
            .counts
            .dead_letters
            .iter()
            .map(|(reason, count)| format!("{} {reason}", Language::English.count(*count)));
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        let place = format!("{}:{}: {}", first.file, first.line, first.error);
        let keep = if output.is_some() {
            ""
        } else {
            telling.pick("; --output DIR keeps them all", " ; --output DIR les garde tous")
        };
        vec![
            telling.pick(format!("dead letters: {reasons}"), format!("enregistrements illisibles : {reasons}")),
            telling.pick(format!("  the first is {place}{keep}"), format!("  le premier : {place}{keep}")),
        ]
    }
}

/// Appends words, in as many lines as they need; what goes on is moved to the right.
fn say(words: &str, columns: usize, text: &mut String) {
    let depth = words.len() - words.trim_start().len();
    let lines = wrapped(&shown(words), columns.saturating_sub(depth + 2).max(1));
    let fits = depth + width(words.trim_start()) <= columns;
    for (at, line) in if fits { vec![words.trim_start().to_owned()] } else { lines }.into_iter().enumerate() {
        let _ = writeln!(text, "{:1$}{line}", "", if at == 0 { depth } else { depth + 2 });
    }
}
