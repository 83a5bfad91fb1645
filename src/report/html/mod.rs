//! stub
use super::figures::Report;
/// The page.
pub fn page(report: &Report) -> String { report.json() }
