//! From the text of a pack to a plan: text → checked → plan. Pure.
//!
//! ```text
//! toml text ──read──▶ raw declarations ──check──▶ Plan
//!                        (spans kept)      ▲
//!                                     expr: CEL text → typed → compiled
//! ```
//!
//! Every mistake is reported at once, with its place and remedy ([`diagnostic`]). What comes out is
//! a [`plan::Plan`]: data that names everything, holds no text that is still to be understood, and
//! knows nothing of timely.

pub mod clauses;
pub mod deployment;
pub mod diagnostic;
pub mod expr;
pub mod pack;
pub mod plan;
pub mod plan_text;

pub use deployment::{Deployment, load_deployment};
pub use diagnostic::{Diagnostic, PackErrors, Severity};
pub use pack::{load, parse_instant};
pub use plan::Plan;
