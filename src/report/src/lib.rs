//! The report: what was said to customers, what was not and why, and whether it helped.
//!
//! ```text
//! decisions.jsonl ─▶ line ─▶ tally ─▶ figures ─┬─▶ JSON
//!   line by line     read    count    compute  └─▶ sections ─┬─▶ text  tables for a terminal
//!                                                words       └─▶ html  one page with plots
//! ```
//!
//! Pure: it is handed lines and gives texts; `cli/report.rs` opens files. Decisions are read once
//! and forgotten. What is kept grows with the customers (a count each) and with the episodes that
//! are still open, never with the number of decisions.
//!
//! Words are those of a language that is asked for (`terms`, and the sentences where they are used,
//! both languages side by side); JSON has none.
//!
//! The format of a decision is that of `docs/policy.md`; what the figures mean is told in
//! `docs/report.md`. Checked by `tests/integrated/report`.

mod figures;
mod html;
mod lengths;
mod line;
mod periods;
mod sections;
mod stats;
mod tally;
mod terms;
mod text;
mod words;

pub use figures::{Report, ReportScope};
pub use html::{GENERATOR, escaped, page};
pub use periods::Unit;
pub use tally::ReportTally;
pub use text::tables;
