//! From TOML to a checked plan.
//!
//! ```text
//! text ──toml──▶ spanned tables ──read──▶ raw declarations ──check──▶ Plan
//! ```
//!
//! *Reading* knows keys and TOML types, *checking* knows names and meanings. Neither stops at a
//! mistake: what could not be understood is remembered as broken, so that whoever names it is not
//! blamed as well. Never panics, whatever the text. Checked by
//! `tests/integrated/check_messages.rs`: every message, and thousands of mutated packs.

mod attributes;
mod cases;
mod check;
mod checked;
mod contact;
mod customer;
mod data;
pub(crate) mod depth;
mod features;
mod implied;
mod inputs;
mod instant;
mod lint;
mod moments;
mod mood;
mod policy;
pub(crate) mod problem;
pub(crate) mod raw;
mod raw_policy;
mod read;
mod read_cases;
mod read_contact;
mod read_moments;
mod read_mood;
mod read_policy;
mod read_views;
mod read_words;
mod reason;
mod remedy;
mod scope;
pub(crate) mod section;
pub(crate) mod spot;
pub(crate) mod words;

use toml::de::DeTable;

use super::diagnostic::PackErrors;
use super::plan::Plan;
use problem::{Problem, Problems};
use propice_model::limits::PACK_BYTES;

pub use instant::parse_instant;
pub use problem::CODES;

/// Reads and checks a pack. `path` is for messages only.
///
/// # Errors
/// All mistakes at once, with the warnings.
pub fn load(path: &str, text: &str) -> Result<Plan, PackErrors> {
    let told = |problems: Problems| {
        let diagnostics = problems.into_sorted().into_iter().map(|(problem, span)| problem.diagnostic(span));
        PackErrors::new(path, text, diagnostics.collect())
    };
    let (mut plan, warnings) = understand(text).map_err(told)?;
    plan.warnings = told(warnings).diagnostics;
    Ok(plan)
}

fn understand(text: &str) -> Result<(Plan, Problems), Problems> {
    let mut problems = Problems::default();
    if text.len() > PACK_BYTES {
        problems.add(Problem::PackTooLarge, &(0..0));
        return Err(problems);
    }
    if let Some(span) = depth::too_deep(text) {
        problems.add(Problem::TooDeep { limit: depth::DOTS }, &span);
        return Err(problems);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        problems.add(Problem::Syntax { message: error.message().to_owned() }, &span);
    }
    let raw = read::pack(table.get_ref(), &mut problems);
    if !errors.is_empty() {
        problems.retain_certain();
        return Err(problems);
    }
    check::pack(text, &raw, problems)
}
