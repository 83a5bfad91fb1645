//! What can go wrong with what is stored, each with the object and the remedy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong with the store, or with an object in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object is not there.
    #[error("`{name}` is not in {place}")]
    Missing {
        /// The object.
        name: String,
        /// The store.
        place: String,
    },
    /// The object is there already, with another content.
    #[error("`{name}` is already in {place}")]
    Exists {
        /// The object.
        name: String,
        /// The store.
        place: String,
    },
    /// No room is left.
    #[error(
        "{place} is full while it {doing} `{name}`: make room and start again; what was stored before is still whole"
    )]
    Full {
        /// The object.
        name: String,
        /// The store.
        place: String,
        /// What was being done.
        doing: Doing,
    },
    /// The store does not let us.
    #[error(
        "{place} does not allow that one {doing} `{name}` ({cause}): give this process the right to read, write, list and delete there"
    )]
    Denied {
        /// The object.
        name: String,
        /// The store.
        place: String,
        /// What was being done.
        doing: Doing,
        /// What the store said.
        cause: String,
    },
    /// The store failed, and went on failing for as many times as it was tried.
    #[error(
        "{place} failed {tried} time(s) while it {doing} `{name}` ({cause}): see whether it can be reached, then start again"
    )]
    Failed {
        /// The object.
        name: String,
        /// The store.
        place: String,
        /// What was being done.
        doing: Doing,
        /// What the store said the last time.
        cause: String,
        /// How often it was tried.
        tried: u32,
    },
    /// What the object holds is not what was written.
    #[error("`{name}` is damaged: {what}")]
    Damaged {
        /// The object.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// The object has a format that this propice does not know.
    #[error(
        "`{name}` was written by a newer propice (format {format}, this one reads up to {ours}): install that version again"
    )]
    Newer {
        /// The object.
        name: String,
        /// Its format.
        format: u32,
        /// The newest format that is known here.
        ours: u32,
    },
    /// The object is of another cluster.
    #[error("`{name}` belongs to the cluster `{theirs}`, not to `{ours}`: give each cluster a folder of its own")]
    OtherCluster {
        /// The object.
        name: String,
        /// The cluster that wrote it.
        theirs: String,
        /// The cluster that reads it.
        ours: String,
    },
    /// A key or an entry that its type cannot be written to or read from.
    #[error("a record of the collection `{collection}` in `{name}`: {cause}")]
    Entry {
        /// The object.
        name: String,
        /// The collection.
        collection: String,
        /// Why not.
        cause: String,
    },
    /// A URL that names no store.
    #[error(
        "`{url}` names no store: {cause}; write a folder, `file:///…`, `s3://bucket/…`, `gs://bucket/…` or `az://container/…`"
    )]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// What is there does not allow what was asked for.
    #[error("{reason}: {remedy}")]
    Refused {
        /// Why.
        reason: String,
        /// What to do.
        remedy: String,
    },
}

/// What was being done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Written.
    Write,
    /// Read.
    Read,
    /// Listed.
    List,
    /// Deleted.
    Delete,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doing::Write => "writes",
            Doing::Read => "reads",
            Doing::List => "lists",
            Doing::Delete => "deletes",
        })
    }
}

/// Why an object that is there, or should be, cannot be used. What a recovery decides upon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// It is gone.
    Missing,
    /// It does not hold what was written.
    Damaged(String),
    /// It has a format that this propice does not know.
    Newer {
        /// Its format.
        format: u32,
    },
    /// It is of another cluster.
    OtherCluster(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Missing => f.write_str("missing"),
            Fault::Damaged(what) => write!(f, "damaged ({what})"),
            Fault::Newer { format } => write!(f, "of the newer format {format}"),
            Fault::OtherCluster(theirs) => write!(f, "of the cluster `{theirs}`"),
        }
    }
}

impl Error {
    /// What is wrong with the object, if that is what is wrong; the store itself otherwise.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Error::Missing { .. } => Some(Fault::Missing),
            Error::Damaged { what, .. } => Some(Fault::Damaged(what.clone())),
            Error::Entry { collection, cause, .. } => Some(Fault::Damaged(format!("{collection}: {cause}"))),
            Error::Newer { format, .. } => Some(Fault::Newer { format: *format }),
            Error::OtherCluster { theirs, .. } => Some(Fault::OtherCluster(theirs.clone())),
            _ => None,
        }
    }

    /// The object that it is about, if it is about one.
    pub fn object(&self) -> Option<&str> {
        match self {
            Error::Missing { name, .. }
            | Error::Exists { name, .. }
            | Error::Full { name, .. }
            | Error::Denied { name, .. }
            | Error::Failed { name, .. }
            | Error::Damaged { name, .. }
            | Error::Newer { name, .. }
            | Error::OtherCluster { name, .. }
            | Error::Entry { name, .. } => Some(name),
            Error::Url { .. } | Error::Refused { .. } => None,
        }
    }

    pub(crate) fn damaged(name: &str, what: impl Into<String>) -> Error {
        Error::Damaged { name: name.to_owned(), what: what.into() }
    }
}
