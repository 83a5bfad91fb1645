//! How long a store is waited for, and how often it is asked again.

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use crate::error::{Doing, Error};

/// How long, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For one attempt, in milliseconds.
    pub attempt_ms: u64,
    /// Attempts of one call, at least one.
    pub attempts: u32,
    /// Before the second attempt, in milliseconds; twice as long before each one that follows.
    pub pause_ms: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { attempt_ms: 30_000, attempts: 4, pause_ms: 200 }
    }
}

impl Patience {
    pub(crate) fn attempt(self) -> Duration {
        Duration::from_millis(self.attempt_ms)
    }

    /// The pause after the so-manieth attempt.
    pub(crate) fn pause(self, tried: u32) -> Duration {
        Duration::from_millis(self.pause_ms.saturating_mul(1 << tried.saturating_sub(1).min(16)))
    }
}

/// What to do about an error.
pub(crate) enum Judged {
    /// Asking again will not help.
    Final(Error),
    /// It may.
    Again(String),
}

/// Judges what a store said.
pub(crate) fn judge(error: &object_store::Error, doing: Doing, name: &str, place: &str) -> Judged {
    use object_store::Error as Said;
    let (name, place) = (name.to_owned(), place.to_owned());
    let cause = chain(error);
    match error {
        Said::NotFound { .. } => Judged::Final(Error::Missing { name, place }),
        Said::AlreadyExists { .. } | Said::Precondition { .. } => Judged::Final(Error::Exists { name, place }),
        Said::PermissionDenied { .. } | Said::Unauthenticated { .. } => {
            Judged::Final(Error::Denied { name, place, doing, cause })
        }
        Said::NotImplemented { .. } | Said::NotSupported { .. } | Said::InvalidPath { .. } => {
            Judged::Final(Error::Failed { name, place, doing, cause, tried: 1 })
        }
        _ => match io_kind(error) {
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) => {
                Judged::Final(Error::Full { name, place, doing })
            }
            Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory) => {
                Judged::Final(Error::Denied { name, place, doing, cause })
            }
            _ => Judged::Again(cause),
        },
    }
}

/// What the operating system said, beneath all that was put around it.
fn io_kind(error: &object_store::Error) -> Option<ErrorKind> {
    let mut beneath = error.source();
    while let Some(error) = beneath {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return Some(error.kind());
        }
        beneath = error.source();
    }
    None
}

/// An error with what it stems from, each said once.
fn chain(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut beneath = error.source();
    while let Some(error) = beneath {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        beneath = error.source();
    }
    text
}
