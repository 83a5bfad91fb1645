//! What is remembered of a customer between two looks: its open episodes, what was released, what
//! is watched.

use std::sync::Arc;

use crate::Transition;
use propice_model::limits::RELEASES;
use propice_model::{Duration, LogicalTime, MomentId, Value};

use super::{EpisodeKey, FailedGate, Group};
use propice_define::plan::Verdict;

/// What the policy remembers of one customer.
#[derive(Clone, Debug, Default)]
pub struct PolicyState {
    pub(super) episodes: Vec<OpenEpisode>,
    /// In the order in which they were released.
    pub(super) releases: Vec<Release>,
    /// Moments whose silence lasts until then, though their episode has closed.
    pub(super) lingering: Vec<(MomentId, LogicalTime)>,
    pub(super) watches: Vec<Watch>,
    /// The receipts that were known at the last look.
    pub(super) receipts: Option<Arc<[Value]>>,
}

/// An open episode.
#[derive(Clone, Debug)]
pub(super) struct OpenEpisode {
    pub key: EpisodeKey,
    pub state: EpisodeState,
    /// The last verdict that was given, with its grounds.
    pub given: Option<(Verdict, Vec<FailedGate>)>,
    pub held_out: bool,
}

/// How far an episode has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EpisodeState {
    Pending,
    /// Released or handed over, when and where.
    Published {
        at: LogicalTime,
        channel: Option<u16>,
    },
    /// It passed every gate before anything is published: nobody was told, and nobody will be.
    Unsaid,
    Expired,
}

/// A release.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub key: EpisodeKey,
    pub at: LogicalTime,
    pub channel: Option<u16>,
    /// It went to a person of the bank: the customer was not contacted.
    pub handed: bool,
    /// The hash that the episode is called by; there when receipts are read.
    pub id: Option<[u8; 16]>,
}

/// A success that is waited for.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub key: EpisodeKey,
    pub started: LogicalTime,
    pub group: Group,
}

impl PolicyState {
    /// Whether there is nothing to decide unless an episode opens or a receipt arrives.
    pub fn is_idle(&self) -> bool {
        self.watches.is_empty() && !self.is_pending()
    }

    /// Whether an episode is open that is not decided for good.
    pub fn is_pending(&self) -> bool {
        self.episodes.iter().any(|episode| episode.state == EpisodeState::Pending)
    }

    pub(super) fn open(&mut self, transition: &Transition) {
        self.episodes.push(OpenEpisode {
            key: transition.episode(),
            state: EpisodeState::Pending,
            given: None,
            held_out: false,
        });
    }

    /// Takes the open episode that a transition closes.
    pub(super) fn take(&mut self, transition: &Transition) -> Option<OpenEpisode> {
        let is_it =
            |episode: &OpenEpisode| episode.key.moment == transition.moment && episode.key.entity == transition.entity;
        let position = self.episodes.iter().position(is_it)?;
        Some(self.episodes.swap_remove(position))
    }

    /// Forgets releases and silences that count no more.
    pub(super) fn forget(&mut self, keep_ms: Duration, now: LogicalTime) {
        self.releases.retain(|release| now < release.at.saturating_add(keep_ms.unsigned_abs()));
        if self.releases.len() > RELEASES {
            self.releases.drain(..self.releases.len() - RELEASES);
        }
        self.lingering.retain(|(_, until)| now < *until);
    }
}
