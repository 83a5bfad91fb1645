//! The view of one customer, put together from its parts as they come and go.

use std::collections::BTreeMap;

use crate::ViewPart;
use crate::empty_view::empty_row;
use crate::policy::EntityViews;
use propice_define::Plan;
use propice_model::{Id, KindId, LogicalTime, Value};

use super::Subject;
use super::view_rows::Slots;

/// What is known of a customer at a logical time.
#[derive(Default)]
pub(super) struct View {
    /// `None`: does not exist.
    pub(super) slots: Option<Slots>,
    pub(super) entities: BTreeMap<Subject, Slots>,
}

impl View {
    /// A part comes, or goes. A part that changes is taken away and put back: what goes, goes
    /// first.
    pub(super) fn apply(&mut self, part: ViewPart, diff: isize) {
        let slots = (diff > 0).then_some(part.slots);
        match (part.entity, slots) {
            (None, slots) => self.slots = slots,
            (Some(entity), Some(slots)) => drop(self.entities.insert(entity, slots)),
            (Some(entity), None) => drop(self.entities.remove(&entity)),
        }
    }

    /// The slots of the customer; those over nothing when it does not exist.
    pub(super) fn row(&self, plan: &Plan, now: LogicalTime) -> Slots {
        self.slots.clone().unwrap_or_else(|| Slots::from(empty_row(plan, KindId::CUSTOMER, now)))
    }
}

impl EntityViews for View {
    fn slots(&self, kind: KindId, id: &Id) -> Option<&[Value]> {
        self.entities.get(&(kind, id.clone())).map(AsRef::as_ref)
    }
}
