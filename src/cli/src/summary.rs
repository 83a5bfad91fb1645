//! What a run says when it is over.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use propice_define::Plan;
use propice_edge::sink::Counts;
use propice_model::time::format_time;
pub(super) use propice_report::grouped;
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
    /// The closing summary.
    pub(super) fn text(&self, output: Option<&Path>, views: bool, until: bool) -> String {
        let mut text = String::new();
        if self.interrupted {
            text.push_str("interrupted; what was read until then is decided and published\n");
        }
        self.write_episodes(&mut text);
        super::decided::write(self.plan, &self.counts.decided, &mut text);
        self.write_held_back(&mut text);
        self.write_records(views, &mut text);
        self.write_dead_letters(output, &mut text);
        if let Some(folder) = output {
            let views = if views { "views.jsonl, " } else { "" };
            let _ = writeln!(
                text,
                "written to {}: triggers/, decisions.jsonl, episodes.jsonl, {views}dead_letters.jsonl",
                folder.display()
            );
        }
        if !until && self.summary.records > 0 && !self.interrupted {
            let end = format_time(self.summary.through as i64);
            let _ = writeln!(
                text,
                "the clock stands at the last record, {end}; --until TIME moves it on, so that windows end and deadlines pass"
            );
        }
        text
    }

    fn write_episodes(&self, text: &mut String) {
        let Summary { opened, closed, .. } = &self.summary;
        let count = |counts: &[u64], at: usize| counts.get(at).copied().unwrap_or(0);
        let rows = self.plan.moments.iter().enumerate();
        let rows = rows.map(|(at, moment)| (moment.name.as_str(), count(opened, at), count(closed, at)));
        let rows: Vec<(&str, u64, u64)> = rows.filter(|(_, opened, closed)| opened + closed > 0).collect();
        if rows.is_empty() {
            text.push_str("no episodes\n");
            return;
        }
        let width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0).max(8);
        let _ = writeln!(text, "{:<width$}  {:>10}  {:>10}  {:>10}", "episodes", "opened", "closed", "still open");
        let all = ("all", opened.iter().sum(), closed.iter().sum());
        for (name, opened, closed) in rows.into_iter().chain([all]) {
            let open = grouped(opened.saturating_sub(closed));
            let _ = writeln!(text, "{name:<width$}  {:>10}  {:>10}  {open:>10}", grouped(opened), grouped(closed));
        }
    }

    fn write_held_back(&self, text: &mut String) {
        let from = self.plan.policy.publish_from;
        if from > 0 {
            let HeldBack { transitions, decisions, unsaid } = self.summary.held_back;
            let _ = writeln!(
                text,
                "held back before {}: {} triggers that count as not said, {} decisions in all, {} openings and closings",
                format_time(from as i64),
                grouped(unsaid),
                grouped(decisions),
                grouped(transitions)
            );
        }
    }

    fn write_records(&self, views: bool, text: &mut String) {
        let Summary { records, late, .. } = self.summary;
        let seconds = self.elapsed.as_secs_f64();
        let rate = if seconds > 0.0 { (records as f64 / seconds) as u64 } else { 0 };
        let _ = write!(text, "{} records in {seconds:.2} s ({} per second)", grouped(records), grouped(rate));
        let _ = write!(text, ", {} late, {} dead letters", grouped(late), grouped(self.summary.dead_letters));
        if views {
            let _ = write!(text, ", {} views", grouped(self.counts.customers.unsigned_abs()));
        }
        text.push('\n');
    }

    fn write_dead_letters(&self, output: Option<&Path>, text: &mut String) {
        let Some(first) = &self.counts.first_dead_letter else { return };
        let reasons = self.counts.dead_letters.iter().map(|(reason, count)| format!("{} {reason}", grouped(*count)));
        let reasons: Vec<String> = reasons.collect();
        let _ = writeln!(text, "dead letters: {}", reasons.join(", "));
        let _ = write!(text, "  the first is {}:{}: {}", first.file, first.line, first.error);
        text.push_str(if output.is_some() { "\n" } else { "; --output DIR keeps them all\n" });
    }
}
