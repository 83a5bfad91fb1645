//! Did it help? What was released (or held out) is watched for a while.

use super::context::EvaluationContext;
use super::state::PolicyState;
use super::{Decision, EpisodeKey, Outcome, What};

impl PolicyState {
    /// Ends the watches whose success has come, or is waited for no more.
    pub(super) fn watch(&mut self, context: &EvaluationContext<'_>, out: &mut Vec<Decision>) {
        self.watches.retain(|watch| {
            let end = watch.started.saturating_add(context.moment(&watch.key).success_within_ms.unsigned_abs());
            let helped = context.succeeds(&watch.key);
            if !helped && context.now() < end {
                context.wake.at(end);
                return true;
            }
            let outcome = Outcome { helped, group: watch.group, started: watch.started };
            out.push(Decision {
                time: context.now(),
                customer: context.snapshot.customer.clone(),
                episode: Some(watch.key.clone()),
                what: What::Outcome(outcome),
            });
            false
        });
    }
}

impl EvaluationContext<'_> {
    /// Whether the success of a moment holds: not of what is not there, nor by data that may not be
    /// used.
    pub(super) fn succeeds(&self, key: &EpisodeKey) -> bool {
        let moment = self.moment(key);
        let Some(success) = &moment.success else { return false };
        let is_there = match &key.entity {
            None => self.snapshot.exists,
            Some((kind, id)) => self.snapshot.parts.slots(*kind, id).is_some(),
        };
        let may_be_used = moment.success_data == 0 || moment.success_data & self.denied() == 0;
        is_there && may_be_used && self.with_env(key, |env| self.holds_in(success, env))
    }
}
