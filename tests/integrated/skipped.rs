//! What is not tested here, said where it is seen: `tests/run` prints it at its end.

use std::fs::OpenOptions;
use std::io::Write as _;

/// Says that something is not tested, and why.
pub(crate) fn skipped(what: &str) {
    // Not by `eprintln`: the harness would capture it.
    let _ = writeln!(std::io::stderr().lock(), "skipped: {what}");
    if let Some(path) = std::env::var_os("PROPICE_SKIPPED") {
        let mut file = OpenOptions::new().append(true).create(true).open(path).expect("the file of what is skipped");
        writeln!(file, "{what}").expect("a line");
    }
}
