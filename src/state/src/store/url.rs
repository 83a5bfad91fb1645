//! Which store a text names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Once};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use super::remote::Remote;
use super::{Patience, Shared};
use crate::error::{Doing, Error};

/// How a store is opened.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Make the folder if it is not there. Without it a folder that is missing is an error, so that
    /// a command that only looks makes nothing.
    pub create: bool,
    /// Options of the bucket beyond those of the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`), by
    /// the names that `object_store` gives them: `region`, `endpoint`, `allow_http`, …
    pub options: BTreeMap<String, String>,
    /// How long it is waited for.
    pub patience: Patience,
}

/// Opens the store that a folder or a URL names.
///
/// # Errors
///
/// The place names no store, or cannot be opened.
pub fn open(place: &str, opening: &Opening) -> Result<Shared, Error> {
    let bad = |cause: String| Error::Url { url: place.to_owned(), cause };
    let Some((scheme, rest)) = place.split_once("://") else {
        return folder(PathBuf::from(place), place, opening);
    };
    if scheme == "file" {
        if !rest.starts_with('/') {
            return Err(bad("three slashes stand before a whole path".to_owned()));
        }
        let path = percent_decoded(rest).ok_or_else(|| bad("a `%` is not followed by two hex digits".to_owned()))?;
        return folder(PathBuf::from(path), place, opening);
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(bad("the bucket is missing".to_owned()));
    }
    let store = bucket_of(scheme, place, opening).ok_or_else(|| bad(format!("`{scheme}` is not known")))?;
    let store = store.map_err(|error| bad(error.to_string()))?;
    let prefix = Path::parse(prefix.trim_end_matches('/')).map_err(|error| bad(error.to_string()))?;
    let store = Box::new(PrefixStore::new(store, prefix));
    Ok(Arc::new(Remote::new(store, place.to_owned(), None, opening.patience)?))
}

fn folder(path: PathBuf, place: &str, opening: &Opening) -> Result<Shared, Error> {
    let failed =
        |doing, cause: String| Error::Failed { name: String::new(), place: place.to_owned(), doing, cause, tried: 1 };
    if place.is_empty() {
        return Err(Error::Url { url: String::new(), cause: "it is empty".to_owned() });
    }
    if opening.create {
        std::fs::create_dir_all(&path).map_err(|error| failed(Doing::Write, error.to_string()))?;
    } else if !path.is_dir() {
        return Err(Error::Refused {
            reason: format!("there is no folder `{}`", path.display()),
            remedy: "give the folder that `propice live` keeps its state in".to_owned(),
        });
    }
    let store = LocalFileSystem::new_with_prefix(&path).map_err(|error| failed(Doing::Read, error.to_string()))?;
    let store = Box::new(store.with_fsync(true));
    Ok(Arc::new(Remote::new(store, path.display().to_string(), Some(path), opening.patience)?))
}

type Built = Result<Box<dyn ObjectStore>, object_store::Error>;

fn bucket_of(scheme: &str, url: &str, opening: &Opening) -> Option<Built> {
    let client = ClientOptions::new().with_timeout(opening.patience.attempt());
    // Most of the patience is ours; what is asked again inside of one attempt is a broken
    // connection.
    let retry = RetryConfig {
        max_retries: 2,
        retry_timeout: Duration::from_millis(opening.patience.attempt_ms),
        ..RetryConfig::default()
    };
    macro_rules! built {
        ($builder:ty) => {{
            choose_tls();
            let mut builder = <$builder>::from_env().with_client_options(client).with_retry(retry).with_url(url);
            for (key, value) in &opening.options {
                match key.to_ascii_lowercase().parse() {
                    Ok(key) => builder = builder.with_config(key, value),
                    Err(error) => return Some(Err(error)),
                }
            }
            Some(builder.build().map(|store| Box::new(store) as Box<dyn ObjectStore>))
        }};
    }
    match scheme {
        "s3" | "s3a" => built!(AmazonS3Builder),
        "gs" => built!(GoogleCloudStorageBuilder),
        "az" | "azure" | "abfs" | "abfss" => built!(MicrosoftAzureBuilder),
        _ => None,
    }
}

/// Says with what TLS is spoken, once per process. Whoever said it before us is right too.
fn choose_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
