//! What is integrated: the command as a person runs it, runs over files, whole packs, pages of the
//! documentation, the house itself.
//!
//! One binary, so that it is linked once.

mod boundaries;
mod check_messages;
mod check_policy;
mod commands;
mod deployment;
mod docs;
mod files;
mod first_hour_inputs;
mod first_hour_language;
mod first_hour_numbers;
mod first_hour_output;
mod first_hour_pages;
mod first_hour_terminal;
mod generate;
mod golden;
mod house;
mod live;
mod own;
mod pages;
mod report;
mod robustness;
mod skipped;
mod triggers;
mod why;

/// The top of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
