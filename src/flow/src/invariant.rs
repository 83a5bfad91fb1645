//! What can never be, unless the program is wrong: then it stops.
//!
//! To go on would give wrong views, and decisions that follow from them, for ever: nothing would
//! tell that they are wrong. So a broken invariant ends the worker, also in release builds, and
//! whoever runs it ends the run with this message (`run::on_workers`).

/// Ends the worker: something can never be, and is.
///
/// # Panics
/// Always.
#[cold]
#[track_caller]
pub(crate) fn broken(what: &str) -> ! {
    panic!("a broken invariant: {what}. This is a mistake of propice, not of the pack or the data; please report it");
}
