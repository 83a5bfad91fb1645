//! Pressure: how often a customer is contacted, by every system.

use propice_define::plan::{Budget, Purpose, ReceiptKind};
use propice_model::{LogicalTime, MomentId};

use super::calendar::end_of_window;
use super::context::EvaluationContext;
use super::state::Release;

/// A contact that a budget may count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contact {
    pub at: LogicalTime,
    pub purpose: Option<Purpose>,
    /// Position in `Plan::channels`; `None` for one that the pack does not know.
    pub channel: Option<usize>,
}

/// It is quiet, or a budget is used up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocked {
    /// Until then; `None`: nobody knows.
    pub until: Option<LogicalTime>,
}

impl EvaluationContext<'_> {
    /// Everything that counts as a contact: releases to the customer, and what other systems tell.
    pub(super) fn contacts(&self, releases: &[Release]) -> Vec<Contact> {
        let plan = &self.policy.plan;
        let purpose_of = |moment: MomentId| Some(plan.moments[moment.index()].purpose);
        let mut contacts: Vec<Contact> = (releases.iter().filter(|release| !release.handed))
            .map(|release| Contact {
                at: release.at,
                purpose: purpose_of(release.key.moment),
                channel: release.channel.map(usize::from),
            })
            .collect();
        let others = self.heard().iter().filter(|heard| heard.kind == Some(ReceiptKind::Contacted));
        contacts.extend(others.map(|heard| Contact {
            at: heard.at,
            purpose: heard.purpose.as_deref().and_then(Purpose::named),
            channel:
                heard.channel.as_deref().and_then(|name| plan.channels.iter().position(|channel| channel.name == name)),
        }));
        contacts
    }

    /// Whether a budget is used up, and until when.
    pub(super) fn used_up(&self, budget: &Budget, contacts: &[Contact]) -> Option<Blocked> {
        let keep = self.policy.plan.policy.keep_ms.unsigned_abs();
        let counted = contacts.iter().filter(|contact| {
            (budget.purpose.is_none() || budget.purpose == contact.purpose)
                && !contact.purpose.is_some_and(|purpose| budget.except.contains(&purpose))
                && (budget.channel.is_none() || budget.channel == contact.channel)
        });
        let ends = counted
            .map(|contact| end_of_window(budget.per, contact.at, self.zone()).min(contact.at.saturating_add(keep)));
        let mut ends: Vec<LogicalTime> = ends.filter(|end| self.now() < *end).collect();
        let at_most = budget.at_most as usize;
        if at_most == 0 {
            return Some(Blocked { until: None });
        }
        if ends.len() < at_most {
            return None;
        }
        ends.sort_unstable_by(|left, right| right.cmp(left));
        Some(Blocked { until: ends.get(at_most - 1).copied() })
    }
}
