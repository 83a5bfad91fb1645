//! From TOML to a checked plan.

use super::diagnostic::PackErrors;
use super::plan::Plan;

/// Reads and checks a pack. `path` is for messages only.
///
/// # Errors
/// All mistakes at once.
pub fn load(_path: &str, _text: &str) -> Result<Plan, PackErrors> {
    todo!()
}
