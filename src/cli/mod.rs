//! What people touch: the commands.

pub mod generate;
