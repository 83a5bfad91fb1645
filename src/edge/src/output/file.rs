//! A single file that a command writes.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::OutputError;

/// How much of a file is looked at to know whether it is ours.
const LOOKED_AT: u64 = 1 << 24;

/// Writes a file, whole or not at all. One that is there is replaced when it is empty, or `is_ours`
/// says so of what it begins with.
///
/// # Errors
/// When it is not ours, or cannot be written.
pub fn replace_file(path: &Path, text: &str, is_ours: impl Fn(&[u8]) -> bool) -> Result<(), OutputError> {
    let failed = |error| OutputError::failed(path, error);
    match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        // A pipe or a terminal holds nothing that could be lost.
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => return fs::write(path, text).map_err(failed),
        Ok(_) => {
            let mut begin = Vec::new();
            File::open(path).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut begin)).map_err(failed)?;
            if !begin.is_empty() && !is_ours(&begin) {
                let text =
                    format!("{}: propice did not write this file; remove it, or give another name", path.display());
                return Err(OutputError::Refused(text));
            }
        }
    }
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.propice", std::process::id()));
    let beside = place.with_file_name(name);
    let written = File::create_new(&beside).and_then(|mut file| file.write_all(text.as_bytes()));
    written.and_then(|()| fs::rename(&beside, &place)).map_err(|error| {
        // What was begun is of no use.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}
