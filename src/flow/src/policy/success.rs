//! Did it help? What was released (or held out) is watched for a while.

use super::scene::Look;
use super::standing::{Standing, Watch};
use super::{Decision, Outcome, What};

impl Standing {
    /// Ends the watches whose success has come, or is waited for no more.
    pub(super) fn watch(&mut self, look: &Look<'_>, out: &mut Vec<Decision>) {
        self.watches.retain(|watch| {
            let end = watch.started.saturating_add(look.moment(&watch.key).success_within_ms.unsigned_abs());
            let helped = helped(look, watch);
            if !helped && look.now() < end {
                look.wake.at(end);
                return true;
            }
            let outcome = Outcome { helped, group: watch.group, started: watch.started };
            out.push(Decision {
                time: look.now(),
                customer: look.scene.customer.clone(),
                episode: Some(watch.key.clone()),
                what: What::Outcome(outcome),
            });
            false
        });
    }
}

/// Whether the success of a moment holds: not of what is not there, nor by data that may not be used.
fn helped(look: &Look<'_>, watch: &Watch) -> bool {
    let moment = look.moment(&watch.key);
    let Some(success) = &moment.success else { return false };
    let is_there = match &watch.key.entity {
        None => look.scene.exists,
        Some((kind, id)) => look.scene.parts.slots(*kind, id).is_some(),
    };
    let may_be_used = moment.success_data == 0 || moment.success_data & look.denied() == 0;
    is_there && may_be_used && look.with_env(&watch.key, |env| look.holds_in(success, env))
}
