//! The outside world: files in, files out.

pub mod sink;
pub mod source;
