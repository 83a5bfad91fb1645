//! The outside world: files in, files and triggers out.

pub mod output;
pub mod schema;
pub mod sink;
pub mod source;
pub mod trigger;
