//! A folder or a bucket, through `object_store`.
//!
//! Durability of a folder: a file is written beside its name, synchronised, given its name by a
//! hard link (which fails if the name is taken: the put-if-absent) or a rename, and then the folder
//! is synchronised too. Whoever was answered finds it after a power cut, as far as the disk keeps
//! what it says. The file system must know hard links: NFS does, some network drives do not.
//!
//! Buckets answer when the object is durable. What was uploaded in pieces and never finished is
//! hidden there; a life-cycle rule of the bucket removes it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tokio::runtime::Runtime;

use super::retry::{Judged, Patience, judge};
use super::{Found, Store, Upload};
use crate::error::{Doing, Error};
use crate::names;

/// A folder or a bucket.
pub(crate) struct Remote {
    inner: Arc<Inner>,
}

struct Inner {
    /// Taken when this is dropped: a call that hangs must not hold up the end of the process.
    runtime: Option<Runtime>,
    store: Box<dyn ObjectStore>,
    place: String,
    /// Of a folder: where it is.
    folder: Option<PathBuf>,
    patience: Patience,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Inner {
    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("taken only when dropped")
    }

    /// Asks, and asks again while that can help.
    fn ask<T, F>(&self, doing: Doing, name: &str, ask: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        self.runtime().block_on(async {
            let mut tried = 0;
            loop {
                tried += 1;
                let cause = match tokio::time::timeout(self.patience.attempt(), ask()).await {
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(error)) => match judge(&error, doing, name, &self.place) {
                        Judged::Final(error) => return Err(error),
                        Judged::Again(cause) => cause,
                    },
                    Err(_) => format!("no answer within {} ms", self.patience.attempt_ms),
                };
                if tried >= self.patience.attempts {
                    let (name, place) = (name.to_owned(), self.place.clone());
                    return Err(Error::Failed { name, place, doing, cause, tried });
                }
                tokio::time::sleep(self.patience.pause(tried)).await;
            }
        })
    }

    /// Of a folder: files that have a name for the time being, such as `parts/…#1`.
    fn staged(&self) -> Result<Vec<String>, std::io::Error> {
        let mut staged = Vec::new();
        let Some(folder) = &self.folder else { return Ok(staged) };
        for part in [names::GENERATIONS, names::CHECKPOINTS, names::PARTS] {
            let entries = match std::fs::read_dir(folder.join(part)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let name = entry?.file_name();
                if let Some(name) = name.to_str().filter(|name| is_staged(name)) {
                    staged.push(format!("{part}/{name}"));
                }
            }
        }
        staged.sort();
        Ok(staged)
    }
}

fn is_staged(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Remote {
    pub(crate) fn new(
        store: Box<dyn ObjectStore>,
        place: String,
        folder: Option<PathBuf>,
        patience: Patience,
    ) -> Result<Remote, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Refused {
            reason: format!("no thread for {place} could be started ({error})"),
            remedy: "raise the limits on threads and files of this process".to_owned(),
        })?;
        let inner = Inner { runtime: Some(runtime), store, place, folder, patience };
        Ok(Remote { inner: Arc::new(inner) })
    }

    /// An error of the operating system about a folder.
    fn failed(&self, doing: Doing, name: &str, error: &std::io::Error) -> Error {
        let (name, place) = (name.to_owned(), self.inner.place.clone());
        Error::Failed { name, place, doing, cause: error.to_string(), tried: 1 }
    }
}

impl Store for Remote {
    fn place(&self) -> &str {
        &self.inner.place
    }

    fn put_if_absent(&self, name: &str, content: Bytes) -> Result<(), Error> {
        let path = Path::from(name);
        let put = self.inner.ask(Doing::Write, name, || {
            let options = PutOptions::from(PutMode::Create);
            self.inner.store.put_opts(&path, PutPayload::from_bytes(content.clone()), options)
        });
        match put {
            Ok(_) => Ok(()),
            // Ours, if an earlier attempt succeeded and its answer was lost.
            Err(Error::Exists { name, place }) => {
                let length = content.len() as u64;
                if self.size(&name)? == length && self.get(&name, 0..length)? == content {
                    return Ok(());
                }
                Err(Error::Exists { name, place })
            }
            Err(error) => Err(error),
        }
    }

    fn upload(&self, name: &str) -> Result<Box<dyn Upload>, Error> {
        let path = Path::from(name);
        let upload = self.inner.ask(Doing::Write, name, || self.inner.store.put_multipart(&path))?;
        Ok(Box::new(Pieces { inner: self.inner.clone(), name: name.to_owned(), upload }))
    }

    fn get(&self, name: &str, range: Range<u64>) -> Result<Bytes, Error> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let path = Path::from(name);
        let content = self.inner.ask(Doing::Read, name, || self.inner.store.get_range(&path, range.clone()))?;
        if content.len() as u64 != range.end - range.start {
            return Err(Error::damaged(name, format!("bytes {} to {} are not there", range.start, range.end)));
        }
        Ok(content)
    }

    fn size(&self, name: &str) -> Result<u64, Error> {
        let path = Path::from(name);
        Ok(self.inner.ask(Doing::Read, name, || self.inner.store.head(&path))?.size)
    }

    fn list(&self, folder: &str) -> Result<Vec<Found>, Error> {
        let path = Path::from(folder);
        let found: Vec<_> = self.inner.ask(Doing::List, folder, || self.inner.store.list(Some(&path)).try_collect())?;
        let found = found.into_iter().map(|found| Found { name: found.location.to_string(), size: found.size });
        let mut found: Vec<Found> = found.collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    fn delete(&self, name: &str) -> Result<(), Error> {
        let path = Path::from(name);
        match self.inner.ask(Doing::Delete, name, || self.inner.store.delete(&path)) {
            Ok(()) | Err(Error::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn leftovers(&self) -> Result<Vec<String>, Error> {
        self.inner.staged().map_err(|error| self.failed(Doing::List, "", &error))
    }

    fn delete_leftover(&self, name: &str) -> Result<(), Error> {
        let Some(folder) = self.inner.folder.as_ref().filter(|_| is_staged(name)) else { return Ok(()) };
        match std::fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.failed(Doing::Delete, name, &error)),
            _ => Ok(()),
        }
    }
}

/// An object that is being uploaded.
struct Pieces {
    inner: Arc<Inner>,
    name: String,
    upload: Box<dyn MultipartUpload>,
}

impl Pieces {
    fn judged(&self, outcome: Result<object_store::Result<()>, tokio::time::error::Elapsed>) -> Result<(), Error> {
        let (doing, place) = (Doing::Write, self.inner.place.clone());
        let cause = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => match judge(&error, doing, &self.name, &place) {
                Judged::Final(error) => return Err(error),
                Judged::Again(cause) => cause,
            },
            Err(_) => format!("no answer within {} ms", self.inner.patience.attempt_ms),
        };
        Err(Error::Failed { name: self.name.clone(), place, doing, cause, tried: 1 })
    }
}

impl Upload for Pieces {
    fn write(&mut self, content: Bytes) -> Result<(), Error> {
        let put = self.upload.put_part(PutPayload::from_bytes(content));
        let patience = self.inner.patience.attempt();
        let outcome = self.inner.runtime().block_on(async { tokio::time::timeout(patience, put).await });
        self.judged(outcome)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        let (inner, patience) = (self.inner.clone(), self.inner.patience.attempt());
        let outcome = inner.runtime().block_on(async {
            let complete = async { self.upload.complete().await.map(|_| ()) };
            tokio::time::timeout(patience, complete).await
        });
        self.judged(outcome)
    }

    fn abort(mut self: Box<Self>) {
        let (inner, patience) = (self.inner.clone(), self.inner.patience.attempt());
        // What stays behind is found as a leftover later.
        let _ = inner.runtime().block_on(async { tokio::time::timeout(patience, self.upload.abort()).await });
    }
}
