//! One opener: a lock beside the file, held as long as the store lives.
//!
//! The lock belongs to one opening of the lock's file, so that it also keeps a second store of this process out. SQLite's own
//! locks are of another kind, and let many in.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use liveops_core::error::{StoreError, StoreErrorKind};

use crate::error::misconfigured;

/// How often a waiting opener looks.
const LOOK: Duration = Duration::from_millis(10);

/// The file's one name: with no links in it, so that two names lead to one lock.
pub(crate) fn canonical(path: &Path) -> Result<PathBuf, StoreError> {
    if let Ok(known) = path.canonicalize() {
        return Ok(known);
    }
    let name = path.file_name().ok_or_else(|| misconfigured("the path has to end in the name of a file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let folder = folder.canonicalize().map_err(|_| misconfigured("the file's folder has to be there"))?;
    // Somebody may have made it since: a plain file has this name and no other.
    let path = folder.join(name);
    if path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        return Err(misconfigured("a link in place of the file has to lead somewhere"));
    }
    Ok(path)
}

/// The name of a file beside another.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

/// Takes the lock of a file, waiting for it at most so long. It is let go when the answer is dropped.
pub(crate) fn lock(path: &Path, wait: Duration) -> Result<File, StoreError> {
    let file = File::options().create(true).truncate(false).write(true).open(beside(path, "-lock"));
    let file = file.map_err(|error| StoreError::with_source(StoreErrorKind::Misconfigured, error))?;
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => {
                return Err(StoreError::with_source(StoreErrorKind::Misconfigured, error));
            }
            Err(TryLockError::WouldBlock) if waited >= wait => return Err(StoreErrorKind::InUse.into()),
            Err(TryLockError::WouldBlock) => {
                let more = LOOK.min(wait.saturating_sub(waited));
                std::thread::sleep(more);
                waited += more;
            }
        }
    }
}
