//! How what is withdrawn ended: it succeeded, another moment overtook it, or it is no longer so.

use std::collections::BTreeSet;

use crate::Transition;
use propice_define::plan::{Ending, Evidence, Moment};
use propice_model::{KindId, MomentId};

use super::context::EvaluationContext;
use super::state::PolicyState;
use super::{Ended, EpisodeKey, Policy};

impl Policy {
    /// How an episode ended that closes now. What opens now is open already, what closes is not any
    /// more.
    pub(super) fn ended(
        &self,
        state: &PolicyState,
        context: &EvaluationContext<'_>,
        key: &EpisodeKey,
        transitions: &[Transition],
    ) -> Ended {
        if context.succeeds(key) {
            return Ended { how: Ending::Succeeded, by: Vec::new() };
        }
        let silencers = &self.silencers[key.moment.index()];
        let open = state.episodes.iter().map(|episode| episode.key.moment);
        let mut by: BTreeSet<MomentId> = open.filter(|moment| silencers.contains(moment)).collect();
        let opened = transitions.iter().filter(|transition| transition.opened && self.follows(transition, key));
        by.extend(opened.map(|transition| transition.moment));
        let how = if by.is_empty() { Ending::NoLongerSo } else { Ending::Overtaken };
        Ended { how, by: by.into_iter().collect() }
    }

    /// Whether what opens is another moment of the same subject, whose condition uses something
    /// that this one's uses too.
    fn follows(&self, opened: &Transition, key: &EpisodeKey) -> bool {
        let is_same_subject = match (&opened.entity, &key.entity) {
            (Some((kind, id)), Some((other_kind, other_id))) if kind == other_kind => id == other_id,
            _ => true,
        };
        opened.moment != key.moment
            && is_same_subject
            && shares_a_slot(self.moment(opened.moment), self.moment(key.moment))
    }
}

/// Whether two conditions use the same feature or attribute of the same kind of entity.
fn shares_a_slot(one: &Moment, other: &Moment) -> bool {
    let place = |moment: &Moment, used: &Evidence| {
        let kind = if used.scope == 0 { KindId::CUSTOMER } else { moment.about.unwrap_or(KindId::CUSTOMER) };
        (kind, used.slot)
    };
    let of_one: BTreeSet<_> = one.evidence.iter().map(|used| place(one, used)).collect();
    other.evidence.iter().any(|used| of_one.contains(&place(other, used)))
}
