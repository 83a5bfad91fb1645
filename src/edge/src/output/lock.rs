//! Who writes a folder: a lock of the system on the folder itself, and a note beside it that says
//! who has it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The note, in a folder of work.
pub(super) const HOLDER: &str = "holder.json";
/// A folder that changes places each time that it is looked at is given up after so many looks.
const LOOKS: usize = 100;

/// A lock that is held until it is dropped, or the process ends.
#[derive(Debug)]
pub(super) struct HeldLock {
    _folder: File,
}

/// Whether it was free.
pub(super) enum LockState {
    Ours(HeldLock),
    Busy,
}

#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
}

/// Takes the lock of a folder, if nobody has it.
pub(super) fn take(folder: &Path) -> io::Result<LockState> {
    for _ in 0..LOOKS {
        let open = File::open(folder)?;
        match open.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(LockState::Busy),
            // Some systems of files know no locks of folders, or none at all: there is nothing to
            // wait for.
            Err(TryLockError::Error(error)) if is_unsupported(&error) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Another folder may have taken its place before it was locked.
        let is_same =
            |held: &fs::Metadata, named: &fs::Metadata| (held.dev(), held.ino()) == (named.dev(), named.ino());
        if is_same(&open.metadata()?, &folder.metadata()?) {
            return Ok(LockState::Ours(HeldLock { _folder: open }));
        }
    }
    Ok(LockState::Busy)
}

fn is_unsupported(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let none = [Errno::NOSYS, Errno::NOTSUP, Errno::NOLCK, Errno::BADF, Errno::INVAL];
    Errno::from_io_error(error).is_some_and(|errno| none.contains(&errno))
}

/// Notes in a folder of work that this process has it.
pub(super) fn tell(work: &Path) -> io::Result<()> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let holder = Holder { pid: std::process::id(), host };
    fs::write(work.join(HOLDER), serde_json::to_string(&holder)? + "\n")
}

/// Who has a folder of work, and since when.
pub(super) fn holder(work: &Path) -> Option<String> {
    let path = work.join(HOLDER);
    let Holder { pid, host } = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
    // To the second: more says nothing.
    let since = Timestamp::try_from(path.metadata().ok()?.modified().ok()?).ok()?;
    let since = Timestamp::from_second(since.as_second()).ok()?;
    Some(format!("process {pid} on {host}, since {since},"))
}
