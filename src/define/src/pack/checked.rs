//! What is understood of a kind of entity while its pack is checked.

use crate::plan::{Attribute, Feature};

/// What a pass understands of a kind of entity.
pub(super) struct CheckedKind {
    /// Declared, then implied.
    pub features: Vec<Option<Feature>>,
    pub attributes: Vec<Option<Attribute>>,
    pub evaluation: Vec<usize>,
}
