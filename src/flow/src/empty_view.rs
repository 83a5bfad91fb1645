//! The view of what nothing is known of.

use propice_define::Plan;
use propice_define::expr::Env;
use propice_define::plan::Entity;
use propice_model::{KindId, LogicalTime, Value};

use super::aggregate::null_or_zero;

/// The slots of an entity without contributions, features only; attributes are null.
pub fn empty_features(entity: &Entity) -> Vec<Value> {
    let features = entity.features.iter().map(|feature| null_or_zero(feature.aggregate, &feature.ty));
    let mut row: Vec<Value> = features.collect();
    row.resize(entity.slots(), Value::Null);
    row
}

/// The view of an entity without contributions, at a time.
pub fn empty_row(plan: &Plan, kind: KindId, time: LogicalTime) -> Vec<Value> {
    let entity = &plan.entities[kind.index()];
    let mut row = empty_features(entity);
    for &position in &entity.evaluation {
        let value = entity.attributes[position].expr.eval(&Env::of(&row, time)).unwrap_or_default();
        row[entity.features.len() + position] = value;
    }
    row
}
