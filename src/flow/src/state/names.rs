//! The names of what a plan has at positions.

use std::sync::Arc;

use propice_define::Plan;
use propice_model::{Id, KindId, MomentId};

use super::entry::{Fingerprint, NamedEntity, NamedEpisode};
use super::meaning;
use crate::policy::EpisodeKey;

/// Names of moments, kinds and channels, made once.
pub(crate) struct Names {
    /// With the fingerprint of its condition.
    moments: Vec<(Arc<str>, Fingerprint)>,
    kinds: Vec<Arc<str>>,
    channels: Vec<Arc<str>>,
}

impl Names {
    pub(crate) fn of(plan: &Plan) -> Names {
        let moment = |moment: &propice_define::plan::Moment| {
            (Arc::from(moment.name.as_str()), meaning::of_condition(plan, moment))
        };
        Names {
            moments: plan.moments.iter().map(moment).collect(),
            kinds: plan.entities.iter().map(|entity| Arc::from(meaning::kind_name(entity))).collect(),
            channels: plan.channels.iter().map(|channel| Arc::from(channel.name.as_str())).collect(),
        }
    }

    pub(crate) fn moment(&self, moment: MomentId) -> Arc<str> {
        Arc::clone(&self.moments[moment.index()].0)
    }

    pub(crate) fn condition(&self, moment: MomentId) -> Fingerprint {
        self.moments[moment.index()].1
    }

    pub(crate) fn entity(&self, entity: Option<&(KindId, Id)>) -> Option<NamedEntity> {
        entity.map(|(kind, id)| (Arc::clone(&self.kinds[kind.index()]), id.clone()))
    }

    pub(crate) fn channel(&self, channel: Option<u16>) -> Option<Arc<str>> {
        channel.and_then(|channel| self.channels.get(usize::from(channel)).map(Arc::clone))
    }

    pub(crate) fn episode(&self, key: &EpisodeKey) -> NamedEpisode {
        NamedEpisode { moment: self.moment(key.moment), entity: self.entity(key.entity.as_ref()), since: key.since }
    }

    /// The position of a moment of that name.
    pub(crate) fn moment_named(&self, name: &str) -> Option<MomentId> {
        self.moments.iter().position(|(known, _)| **known == *name).map(|at| MomentId(at as u16))
    }

    /// The position of a channel of that name.
    pub(crate) fn channel_named(&self, name: Option<&Arc<str>>) -> Option<u16> {
        let name = name?;
        self.channels.iter().position(|known| known == name).map(|at| at as u16)
    }

    /// An episode of a moment and a kind that the plan has.
    pub(crate) fn episode_named(&self, named: &NamedEpisode) -> Option<EpisodeKey> {
        let entity = match &named.entity {
            None => None,
            Some((kind, id)) => {
                let kind = self.kinds.iter().position(|known| known == kind)?;
                Some((KindId(kind as u16), id.clone()))
            }
        };
        Some(EpisodeKey { moment: self.moment_named(&named.moment)?, entity, since: named.since })
    }
}
