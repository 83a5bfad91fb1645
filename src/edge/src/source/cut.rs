//! Why a source ends before its end.

use std::io;

/// Why no more is read of a source that is not at its end. It travels in an [`io::Error`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// A file that turned out to be damaged, or that cannot be read further.
    #[error(
        "{file}: {problem} behind line {line}: {error}\nwhat was read until there is decided, published and counted"
    )]
    Unreadable {
        /// The file as it was named.
        file: String,
        /// In a few words.
        problem: &'static str,
        /// The last line that was read whole.
        line: u64,
        /// What the system or the unpacking says.
        error: String,
    },
    /// More records were refused than may be.
    #[error("{0}")]
    Refused(String),
}

impl Cut {
    /// Of a file that failed behind a line.
    pub(super) fn unreadable(file: &str, line: u64, error: &io::Error) -> Cut {
        let problem = match error.kind() {
            // `InvalidInput` is what the unpacking of gzip says of bytes that are none.
            io::ErrorKind::UnexpectedEof => "it ends too early, as if it had been cut off,",
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => "it is damaged",
            _ => "it cannot be read",
        };
        Cut::Unreadable { file: file.to_owned(), problem, line, error: error.to_string() }
    }

    /// What an error of a source holds.
    pub fn of(error: &io::Error) -> Option<&Cut> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<Cut> for io::Error {
    fn from(cut: Cut) -> io::Error {
        io::Error::other(cut)
    }
}
