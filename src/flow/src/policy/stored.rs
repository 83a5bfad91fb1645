//! What the policy remembers of a customer, by names; and back.

use std::sync::Arc;

use crate::episode::episode_hash;
use crate::state::{EpisodeEntry, Names, PolicyEntry, Progress, ReleaseEntry, WatchEntry};
use propice_define::Plan;
use propice_model::{Id, Value};

use super::state::{EpisodeState, OpenEpisode, PolicyState, Release, Watch};

impl PolicyState {
    /// What is remembered, if anything.
    pub(crate) fn entry(&self, names: &Names) -> Option<PolicyEntry> {
        let PolicyState { episodes, releases, lingering, watches, receipts: _ } = self;
        if episodes.is_empty() && releases.is_empty() && lingering.is_empty() && watches.is_empty() {
            return None;
        }
        let mut episodes: Vec<EpisodeEntry> = episodes.iter().map(|episode| episode_entry(episode, names)).collect();
        episodes.sort_unstable();
        let release = |release: &Release| ReleaseEntry {
            episode: names.episode(&release.key),
            at: release.at,
            channel: names.channel(release.channel),
            handed: release.handed,
            id: release.id,
        };
        let watch = |watch: &Watch| WatchEntry {
            episode: names.episode(&watch.key),
            started: watch.started,
            group: watch.group,
        };
        let mut lingering: Vec<_> = lingering.iter().map(|(moment, until)| (names.moment(*moment), *until)).collect();
        lingering.sort_unstable();
        let mut watches: Vec<WatchEntry> = watches.iter().map(watch).collect();
        watches.sort_unstable();
        Some(PolicyEntry { episodes, releases: releases.iter().map(release).collect(), lingering, watches })
    }

    /// What was remembered. Moments and kinds of entities that the plan has no more are let go.
    pub(crate) fn restored(plan: &Plan, names: &Names, customer: &Id, entry: &PolicyEntry) -> PolicyState {
        let episode = |entry: &EpisodeEntry| {
            let state = match &entry.progress {
                Progress::Pending => EpisodeState::Pending,
                Progress::Published { at, channel } => {
                    EpisodeState::Published { at: *at, channel: names.channel_named(channel.as_ref()) }
                }
                Progress::Unsaid => EpisodeState::Unsaid,
                Progress::Expired => EpisodeState::Expired,
            };
            let key = names.episode_named(&entry.episode)?;
            Some(OpenEpisode { key, state, given: entry.given.clone(), held_out: entry.held_out })
        };
        let release = |entry: &ReleaseEntry| {
            let key = names.episode_named(&entry.episode)?;
            let hash = || episode_hash(plan, customer, key.moment, key.entity.as_ref(), key.since);
            let id = plan.policy.receipts.map(|_| entry.id.unwrap_or_else(hash));
            let channel = names.channel_named(entry.channel.as_ref());
            Some(Release { key, at: entry.at, channel, handed: entry.handed, id })
        };
        let watch = |entry: &WatchEntry| {
            Some(Watch { key: names.episode_named(&entry.episode)?, started: entry.started, group: entry.group })
        };
        let lingering = entry.lingering.iter();
        PolicyState {
            episodes: entry.episodes.iter().filter_map(episode).collect(),
            releases: entry.releases.iter().filter_map(release).collect(),
            lingering: lingering.filter_map(|(moment, until)| Some((names.moment_named(moment)?, *until))).collect(),
            watches: entry.watches.iter().filter_map(watch).collect(),
            receipts: None,
        }
    }

    /// The receipts that were known when it was looked at last: they are in the view.
    pub(crate) fn know_receipts(&mut self, receipts: Option<&Value>) {
        self.receipts = match receipts {
            Some(Value::List(list)) => Some(Arc::clone(list)),
            _ => None,
        };
    }
}

fn episode_entry(episode: &OpenEpisode, names: &Names) -> EpisodeEntry {
    let progress = match episode.state {
        EpisodeState::Pending => Progress::Pending,
        EpisodeState::Published { at, channel } => Progress::Published { at, channel: names.channel(channel) },
        EpisodeState::Unsaid => Progress::Unsaid,
        EpisodeState::Expired => Progress::Expired,
    };
    EpisodeEntry {
        episode: names.episode(&episode.key),
        progress,
        given: episode.given.clone(),
        held_out: episode.held_out,
    }
}
