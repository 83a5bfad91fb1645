//! From a typed row to a fact.

use crate::define::Plan;
use crate::model::{Fact, InputId, Origin};

use super::{Decoded, RecordError};

/// What a record says: which entities it names, and what it contributes to which of their features.
///
/// # Errors
/// When an expression over the record fails: then the record contributes to nothing.
pub fn fact_of(_plan: &Plan, _input: InputId, _record: &Decoded, _origin: Origin) -> Result<Fact, RecordError> {
    todo!()
}
