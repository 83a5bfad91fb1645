//! What a generation that begins does with what is there.
//!
//! [`decide()`] is a pure function from what was observed to a decision. [`recover`] observes: it
//! reads no more than the decision needs, and asks again with what it learned.

mod decide;
mod observe;

pub use decide::{Decision, Extent, Observed, Skipped, Topics, decide};
pub use observe::{Depth, observe, recover};

#[cfg(test)]
mod tests;
