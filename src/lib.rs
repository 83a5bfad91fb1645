//! propice keeps a 360° view of every customer up to date from event streams and notices the moments at which it
//! is right to be in touch.
//!
//! Data flows one way, and the folders follow it; imports go down only:
//!
//! ```text
//! cli                        what people touch
//! explain | bench            why: records, values, conditions, gates | measures the rest
//! run | report               assembles a worker: sources, dataflow, sinks | what decisions amount to
//! flow | edge                the dataflow (pure) | the outside world
//! define                     text → checked → plan (pure)
//! model                      values, rows, times, ids, errors, limits (pure)
//! ```
//!
//! `docs/architecture.md` walks through them with the path of one record.

pub mod bench;
pub mod cli;
pub mod define;
pub mod edge;
pub mod explain;
pub mod flow;
pub mod generate;
pub mod model;
pub mod report;
pub mod run;
