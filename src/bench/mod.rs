//! Measures propice as its users would.
#[path = "../../benches/reference/limit.rs"]
pub mod limit;
#[path = "../../benches/reference/workload.rs"]
pub mod workload;

pub mod equal;
pub mod facts;
pub mod pack;
pub mod session;

use crate::flow::decode::RecordError;

/// Why something could not be measured.
#[derive(Debug)]
pub struct Failed(pub String);

impl From<RecordError> for Failed {
    fn from(error: RecordError) -> Failed {
        Failed(error.message)
    }
}
