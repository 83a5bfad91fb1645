//! The reference engine.

use std::sync::Arc;

use crate::define::Plan;
use crate::model::Fact;

use super::{Flow, Updates};

/// Builds the dataflow.
pub fn build<'scope>(_plan: &Arc<Plan>, _facts: Updates<'scope, Fact>, _with_views: bool) -> Flow<'scope> {
    todo!()
}
