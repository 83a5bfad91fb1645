//! The deployment file of `propice live`: where records come from, where what is decided goes,
//! where state lives.
//!
//! ```text
//! text ──toml──▶ tables ──substitute──▶ tables ──read──▶ Deployment ──check──▶ Deployment
//!                            ▲                    ▲
//!                       lookup (env, files)     Plan
//! ```
//!
//! Read as a pack is: every mistake at once, with place and remedy. Pure: whoever calls says what
//! variables stand for.

mod origin;
mod print;
mod secret;
mod settings;
mod types;

pub use origin::{Origin, Origins, Used, Variable};
pub use print::print;
pub use secret::{HIDDEN, Secret, Setting};
pub use types::*;
