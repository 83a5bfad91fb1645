//! The policy: what is decided of every open episode. `docs/policy.md` says what everything here
//! means.
//!
//! ```text
//!              ┌──────────── PolicyState: what is known of one customer ────────────┐
//! episodes ──▶ │ open episodes · releases · silences that linger · success watched │ ──▶ decisions
//!              └──────────────────────────────▲───────────────────────────────────┘
//! view, receipts, signals of mood, holidays ──┘ Snapshot: the customer at one logical time
//! ```
//!
//! [`Policy::step`] is pure: from a customer at one logical time, and what was decided before, to
//! decisions. Both engines call it, once per logical time at which anything changes for the
//! customer, and at the time that it asked for itself; nothing is polled, nothing reads a clock.
//! What it gives does not depend on how often it is called in between: a verdict is given when it
//! differs from the one before.
//!
//! Checked by the oracle of `tests/properties`, which shares no code with it, and by the cases of
//! the packs.

mod budgets;
mod calendar;
mod context;
mod decision;
mod ended;
mod gates;
mod judge;
mod mood;
mod quiet;
mod rank;
mod receipts;
mod state;
mod stored;
mod success;

pub use crate::episode::EpisodeKey;
pub use calendar::HolidayTable;
pub use context::{EntityViews, Snapshot};
pub use decision::{Decision, Ended, FailedGate, Group, Judgement, Outcome, Receipt, Shown, What};
pub use state::PolicyState;

use std::sync::Arc;

use propice_define::Plan;
use propice_define::plan::Moment;
use propice_model::{LogicalTime, MomentId};

use super::Transition;
use calendar::Zones;
use context::{EvaluationContext, Wake};

/// The policy of a plan, ready to be applied to customers.
pub struct Policy {
    plan: Arc<Plan>,
    /// By moment: the moments that silence it.
    silencers: Vec<Vec<MomentId>>,
    zones: Zones,
}

impl Policy {
    /// Of a plan.
    pub fn new(plan: &Arc<Plan>) -> Policy {
        let mut silencers = vec![Vec::new(); plan.moments.len()];
        for (position, moment) in plan.moments.iter().enumerate() {
            for silenced in moment.silence.iter().flat_map(|silence| &silence.moments) {
                silencers[silenced.index()].push(MomentId(position as u16));
            }
        }
        Policy { silencers, zones: Zones::new(&plan.timezone), plan: Arc::clone(plan) }
    }

    /// Whether anything may have to be decided of a customer that was touched. It is `busy` while
    /// its standing is not idle.
    pub fn concerns(&self, busy: bool, transitions: &[Transition], receipts_changed: impl FnOnce() -> bool) -> bool {
        !transitions.is_empty() || busy || (self.plan.policy.receipts.is_some() && receipts_changed())
    }

    /// Decides what is to be decided of one customer at one logical time. `transitions` are those
    /// of this customer at this time. Returns the next time at which something may be decided
    /// though nothing changes.
    pub fn step(
        &self,
        state: &mut PolicyState,
        snapshot: &Snapshot<'_>,
        transitions: &[Transition],
        out: &mut Vec<Decision>,
    ) -> Option<LogicalTime> {
        state.forget(self.plan.policy.keep_ms, snapshot.time);
        let wake = Wake::new(snapshot.time);
        let context = EvaluationContext::new(self, snapshot, &wake);
        let closing = transitions.iter().filter(|transition| !transition.opened);
        let closed: Vec<_> = closing.filter_map(|transition| self.close(state, &context, transition)).collect();
        for transition in transitions.iter().filter(|transition| transition.opened) {
            state.open(transition);
        }
        for episode in &closed {
            self.withdraw(state, &context, episode, transitions, out);
        }
        self.expire(state, &context, out);
        self.release(state, &context, out);
        // Behind the releases: a receipt of the same time answers what was released just now.
        self.hear(state, &context, out);
        state.watch(&context, out);
        wake.next()
    }

    fn moment(&self, moment: MomentId) -> &Moment {
        &self.plan.moments[moment.index()]
    }
}
