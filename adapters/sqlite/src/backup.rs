//! Copies of the file while it is used.

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use liveops_core::error::StoreError;
use rusqlite::OpenFlags;

use crate::SqliteStore;
use crate::connection::{at_runtime, connect};
use crate::create::{io_error, sync_folder};
use crate::error::{Fault, misconfigured};
use crate::lock::{beside, canonical};
use crate::meta;

/// So that two backups at once are two files until they are whole.
static NUMBER: AtomicU32 = AtomicU32::new(0);

impl SqliteStore {
    /// Writes the state of this moment into a new file, which is a store's own again: whole, without a log, and without room
    /// that nothing fills. Others read and write meanwhile. Opened, it begins a new epoch of the feed's cursors: it does not know
    /// those that the file hands out later. The file is on the disk when this returns.
    ///
    /// Errors: `store_misconfigured` if something is in its place, or it cannot be written there; `store_full`.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        self.guard()?;
        let path = canonical(path.as_ref())?;
        if path.symlink_metadata().is_ok() {
            return Err(misconfigured("nothing may be in the place of the backup"));
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let part = beside(&path, &format!("-part-{}-{number}", std::process::id()));
        let name = part.to_str().ok_or_else(|| misconfigured("the name of a backup has to be UTF-8"))?;
        match fs::remove_file(&part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io_error(error)),
            _ => {}
        }
        let copied = self.copy(name).map_err(StoreError::from).and_then(|()| {
            File::options().write(true).open(&part).and_then(|file| file.sync_all()).map_err(io_error)?;
            fs::rename(&part, &path).map_err(io_error)
        });
        if let Err(error) = copied {
            _ = fs::remove_file(&part);
            return Err(error);
        }
        sync_folder(&path)
    }

    /// Over a connection of its own: it may take a while, and writes, if not to this file.
    fn copy(&self, to: &str) -> Result<(), Fault> {
        let conn = connect(&self.inner.path, OpenFlags::empty()).map_err(at_runtime)?;
        conn.execute("VACUUM INTO ?1", [to])?;
        // Cursors that the file hands out from now on are not the copy's.
        let copy = connect(Path::new(to), OpenFlags::empty())?;
        copy.execute_batch("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;")?;
        meta::set(&copy, meta::IS_COPY, 1)?;
        copy.close().map_err(|(_, error)| Fault::from(error))
    }
}
