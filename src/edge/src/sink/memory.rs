//! A sink that keeps what it is given, as the text of the files that
//! [`DirectorySink`](super::DirectorySink) writes.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::source::DeadLetter;
use crate::trigger::channel_name;
use propice_define::Plan;
use propice_flow::policy::Decision;
use propice_flow::{Transition, ViewPart};
use propice_model::LogicalTime;

use super::views::{ViewMode, Views};
use super::{OutgoingDecision, OutgoingTransition, Sink, json};

/// The texts of the files of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputTexts {
    /// `episodes.jsonl`
    pub episodes: String,
    /// `decisions.jsonl`
    pub decisions: String,
    /// `triggers/CHANNEL.jsonl`, by channel; only channels that got any.
    pub triggers: BTreeMap<String, String>,
    /// `views.jsonl`
    pub views: String,
    /// `dead_letters.jsonl`
    pub dead_letters: String,
}

/// Keeps what it is given. Clones keep the same.
#[derive(Clone)]
pub struct MemorySink {
    plan: Arc<Plan>,
    mode: ViewMode,
    kept: Arc<Mutex<Kept>>,
}

struct Kept {
    texts: OutputTexts,
    transitions: Vec<Transition>,
    decisions: Vec<Decision>,
    letters: Vec<DeadLetter>,
    views: Views,
}

impl MemorySink {
    /// An empty one.
    pub fn new(plan: &Arc<Plan>, mode: ViewMode) -> MemorySink {
        let kept = Kept {
            texts: OutputTexts::default(),
            transitions: Vec::new(),
            decisions: Vec::new(),
            letters: Vec::new(),
            views: Views::new(plan),
        };
        MemorySink { plan: Arc::clone(plan), mode, kept: Arc::new(Mutex::new(kept)) }
    }

    /// What was written so far.
    pub fn texts(&self) -> OutputTexts {
        self.kept().texts.clone()
    }

    /// The transitions so far.
    pub fn transitions(&self) -> Vec<Transition> {
        self.kept().transitions.clone()
    }

    /// The decisions so far.
    pub fn decisions(&self) -> Vec<Decision> {
        self.kept().decisions.clone()
    }

    /// The dead letters so far.
    pub fn letters(&self) -> Vec<DeadLetter> {
        self.kept().letters.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing here leaves half of a change behind, so what a failed thread held is still good.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for MemorySink {
    fn transitions(&mut self, transitions: &[OutgoingTransition<'_>]) -> io::Result<()> {
        let mut kept = self.kept();
        for transition in transitions {
            json::write_transition(&self.plan, transition, &mut kept.texts.episodes);
        }
        kept.transitions.extend(transitions.iter().map(|outgoing| outgoing.transition.clone()));
        Ok(())
    }

    fn decisions(&mut self, decisions: &[OutgoingDecision<'_>]) -> io::Result<()> {
        let mut kept = self.kept();
        for decision in decisions {
            json::write_decision(&self.plan, decision, &mut kept.texts.decisions);
        }
        for decision in decisions {
            let Some(trigger) = decision.trigger() else { continue };
            let channel = channel_name(&self.plan, decision.channel()).to_owned();
            json::write_trigger(trigger, kept.texts.triggers.entry(channel).or_default());
        }
        kept.decisions.extend(decisions.iter().map(|outgoing| outgoing.decision.clone()));
        Ok(())
    }

    fn views(&mut self, updates: &[(ViewPart, LogicalTime, isize)]) -> io::Result<()> {
        let mut kept = self.kept();
        let Kept { texts, views, .. } = &mut *kept;
        match self.mode {
            ViewMode::None => {}
            ViewMode::Final => views.apply(updates),
            ViewMode::Changes => views.apply_and_write(updates, &mut texts.views),
        }
        Ok(())
    }

    fn dead_letters(&mut self, letters: &[DeadLetter]) -> io::Result<()> {
        let mut kept = self.kept();
        for letter in letters {
            json::write_dead_letter(letter, &mut kept.texts.dead_letters);
        }
        kept.letters.extend_from_slice(letters);
        Ok(())
    }

    fn finish(&mut self, through: LogicalTime) -> io::Result<()> {
        let mut kept = self.kept();
        let Kept { texts, views, .. } = &mut *kept;
        if self.mode == ViewMode::Final {
            views.write(through, &mut texts.views);
        }
        Ok(())
    }
}
