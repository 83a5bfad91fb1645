//! On which worker what is stored is needed. It follows from the plan and the number of workers,
//! and is never stored.

use std::sync::Arc;

use propice_define::Plan;

use crate::fused::CustomerRouting;
use crate::shard::{of_row, shard, worker_of};

use super::collection::Collection;
use super::entry::Key;

/// Where entries belong under a plan.
pub struct Placement {
    plan: Arc<Plan>,
    routing: Option<CustomerRouting>,
}

impl Placement {
    /// Under a plan.
    pub fn of(plan: &Arc<Plan>) -> Placement {
        Placement { plan: Arc::clone(plan), routing: crate::fused::customer_routing(plan) }
    }

    /// The worker, of so many, that needs an entry; `None`: every worker does (the holidays).
    pub fn worker(&self, collection: &str, key: &Key, workers: usize) -> Option<usize> {
        match (Collection::named(collection), key) {
            (Some(Collection::Rows(table)), Key::Row(key)) => {
                if self.is_for_everybody(table) {
                    None
                } else {
                    Some(self.row_worker(table, key, workers))
                }
            }
            (_, Key::Id(id)) => Some(worker_of(shard(id), workers)),
            _ => Some(0),
        }
    }

    /// Whether every worker needs the rows of a table.
    pub(super) fn is_for_everybody(&self, table: &str) -> bool {
        self.plan.policy.holidays.is_some_and(|holidays| self.plan.inputs[holidays.input.index()].name == table)
    }

    /// The worker that keeps a row.
    pub(super) fn row_worker(&self, table: &str, key: &[propice_model::Value], workers: usize) -> usize {
        let Some(input) = self.plan.inputs.iter().position(|input| input.name == table) else { return 0 };
        let input = propice_model::InputId(input as u16);
        let shard =
            self.routing.as_ref().map_or_else(|| of_row(input, key), |routing| routing.shard_of_row(input, key));
        worker_of(shard, workers)
    }
}
