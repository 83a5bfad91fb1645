//! Which episode an id is of: of the episode itself, or of one of its triggers.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use propice_define::plan::Verdict;
use propice_edge::sink::{OutgoingDecision, OutgoingTransition, Sink};
use propice_edge::source::DeadLetter;
use propice_flow::ViewPart;
use propice_flow::policy::EpisodeKey;
use propice_model::{Id, LogicalTime};

/// An id that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sought {
    episode: String,
    /// Of a trigger.
    pub(super) verdict: Option<Verdict>,
}

impl Sought {
    /// `EPISODE` or `EPISODE-VERDICT`; `None` for what cannot be an id.
    pub(super) fn parse(id: &str) -> Option<Sought> {
        let (episode, verdict) = match id.split_once('-') {
            None => (id, None),
            Some((episode, name)) => {
                let (_, verdict) = Verdict::ALL.into_iter().find(|(known, _)| *known == name)?;
                (episode, Some(verdict))
            }
        };
        let is_hash = episode.len() == 32 && episode.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| Sought { episode: episode.to_ascii_lowercase(), verdict })
    }
}

/// An episode that was found.
#[derive(Clone, Debug)]
pub(super) struct FoundEpisode {
    pub(super) customer: Id,
    pub(super) episode: EpisodeKey,
    /// When the verdict was given; of an episode, when it opened.
    pub(super) at: Option<LogicalTime>,
}

/// Looks for an id and stops the run when it is found. Clones look together.
#[derive(Clone)]
pub(super) struct Seeker {
    sought: Sought,
    found: Arc<Mutex<Option<FoundEpisode>>>,
    stop: Arc<AtomicBool>,
}

impl Seeker {
    pub(super) fn new(sought: Sought, stop: &Arc<AtomicBool>) -> Seeker {
        Seeker { sought, found: Arc::default(), stop: Arc::clone(stop) }
    }

    /// What was found.
    pub(super) fn found(&self) -> Option<FoundEpisode> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, found: FoundEpisode) {
        if found.at.is_some() {
            self.stop.store(true, Ordering::Relaxed);
        }
        let mut known = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.at.is_none()) {
            *known = Some(found);
        }
    }

    fn is_done(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Sink for Seeker {
    fn transitions(&mut self, transitions: &[OutgoingTransition<'_>]) -> io::Result<()> {
        for outgoing in transitions.iter().filter(|outgoing| outgoing.transition.opened) {
            if !self.is_done() && outgoing.episode_id() == self.sought.episode {
                let transition = outgoing.transition;
                let at = self.sought.verdict.is_none().then_some(transition.since);
                self.note(FoundEpisode { customer: transition.customer.clone(), episode: transition.episode(), at });
            }
        }
        Ok(())
    }

    fn decisions(&mut self, decisions: &[OutgoingDecision<'_>]) -> io::Result<()> {
        for outgoing in decisions {
            let decision = outgoing.decision;
            let (Some(episode), Some(judgement)) = (&decision.episode, decision.judgement()) else { continue };
            if self.is_done() || self.sought.verdict != Some(judgement.verdict) {
                continue;
            }
            if outgoing.episode_id() == Some(self.sought.episode.as_str()) {
                let customer = decision.customer.clone();
                self.note(FoundEpisode { customer, episode: episode.clone(), at: Some(decision.time) });
            }
        }
        Ok(())
    }

    fn views(&mut self, _updates: &[(ViewPart, LogicalTime, isize)]) -> io::Result<()> {
        Ok(())
    }

    fn dead_letters(&mut self, _letters: &[DeadLetter]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _through: LogicalTime) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_an_episode_or_of_a_trigger() {
        let id = "9bded331ad80ee038cd5b58714cc8dc4";
        let verdict = |text: &str| Sought::parse(text).map(|sought| sought.verdict);
        assert_eq!(verdict(id), Some(None));
        assert_eq!(verdict(&format!("{id}-handed_to_human")), Some(Some(Verdict::HandedToHuman)));
        for other in ["", "9bde", &format!("{id}-other"), &format!("{id}0"), &id.replace('9', "x")] {
            assert_eq!(verdict(other), None, "{other}");
        }
    }
}
