//! The deployment file of `propice live`: where records come from, where what is decided goes,
//! where state lives.
//!
//! ```text
//! text ──toml──▶ tables ──substitute──▶ tables ──read──▶ Deployment
//!                            ▲                    ▲
//!                  lookup (env, files)          Plan
//! ```
//!
//! Read as a pack is: every mistake at once, with place and remedy. Pure: whoever calls says what
//! variables stand for. What is a secret is shown nowhere: not when it is printed, not in a
//! message, not in the lines of the file that a message shows.

mod desk;
mod known_options;
mod mask;
mod options;
mod origin;
mod print;
mod problem;
mod read;
mod read_inputs;
mod read_kafka;
mod read_output;
mod secret;
mod settings;
mod substitute;
#[cfg(test)]
mod tests;
mod topics;
mod types;

use toml::de::DeTable;

use desk::Desk;
use problem::{Found, Problem};
use propice_model::limits::PACK_BYTES;

use crate::diagnostic::{Diagnostic, PackErrors};
use crate::pack::depth;
use crate::pack::problem::{Problem as Common, Problems};
use crate::plan::Plan;

pub use mask::shown_text;
pub use options::refused_options;
pub use origin::{Origin, Origins, Used, Variable};
pub use print::print;
pub use problem::CODES;
pub use secret::{HIDDEN, Secret, Setting};
pub use substitute::Lookup;
pub use types::*;

/// Reads and checks the deployment of a pack. `path` is for messages; `lookup` says what variables
/// stand for.
///
/// # Errors
/// All mistakes at once, with the warnings.
pub fn load_deployment(path: &str, text: &str, plan: &Plan, lookup: &Lookup<'_>) -> Result<Deployment, PackErrors> {
    let refused = |diagnostic: Diagnostic| Err(PackErrors::new(path, text, vec![diagnostic]));
    if text.len() > PACK_BYTES {
        return refused(Problem::TooLarge.diagnostic(0..0));
    }
    if let Some(span) = depth::too_deep(text) {
        return refused(Common::TooDeep { limit: depth::DOTS }.diagnostic(span));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut table = table.into_inner();
    let shown = mask::masked(text, &table, errors.is_empty());
    let mut desk = Desk {
        line_breaks: text.match_indices('\n').map(|(at, _)| at).collect(),
        plan,
        done: substitute::Substituted::default(),
        found: Found::default(),
        common: Problems::default(),
        origins: Origins::new(path),
        topics: Vec::new(),
    };
    for error in &errors {
        let message = error.message().to_owned();
        desk.common.add(Common::Syntax { message }, &error.span().unwrap_or(0..0));
    }
    if errors.is_empty() {
        desk.done = substitute::substitute(text, &mut table, lookup, &mut desk.found);
    }
    let mut deployment = read::deployment(&table, &mut desk);
    if !errors.is_empty() {
        // What is missing may only be missing because the text could not be read to its end.
        desk.common.retain_certain();
        desk.found = Found::default();
    }
    let is_clean = desk.is_clean();
    let diagnostics = diagnostics(desk.common, desk.found);
    let told = PackErrors::new(path, &shown, diagnostics);
    if !is_clean {
        return Err(told);
    }
    deployment.warnings = told.diagnostics;
    Ok(deployment)
}

/// All mistakes in the order of the text.
fn diagnostics(problems: Problems, found: Found) -> Vec<Diagnostic> {
    let common = problems.into_sorted().into_iter().map(|(problem, span)| problem.diagnostic(span));
    let own = found.0.into_iter().map(|(problem, span)| problem.diagnostic(span));
    let mut diagnostics: Vec<Diagnostic> = common.chain(own).collect();
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    // What is asked for twice is reported once.
    diagnostics.dedup();
    diagnostics
}
