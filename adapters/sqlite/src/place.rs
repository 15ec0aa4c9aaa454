//! Where a file may be.

use std::fs;
use std::path::Path;

use liveops_core::error::StoreError;

use crate::error::misconfigured;

/// File systems of other machines and of other programs, by the number that Linux gives them: NFS, SMB of three ages, 9p, FUSE.
#[cfg(target_os = "linux")]
const FOREIGN: [i64; 6] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x6573_5546];

/// Whether a file that is there may serve: a file, with one name, that may be written.
pub(crate) fn check_file(path: &Path) -> Result<(), StoreError> {
    let Ok(found) = fs::metadata(path) else { return Ok(()) };
    if !found.is_file() {
        return Err(misconfigured("the path has to name a file"));
    }
    // The system lets its administrator write it all the same.
    if found.permissions().readonly() {
        return Err(misconfigured("the file has to be writable"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&found) > 1 {
        return Err(misconfigured("the file may have one name only: its log is found by it"));
    }
    Ok(())
}

/// Refuses file systems whose locks and syncs may not do what they say. Elsewhere than on Linux nothing is checked.
pub(crate) fn check_file_system(path: &Path, on_network: bool) -> Result<(), StoreError> {
    #[cfg(target_os = "linux")]
    if !on_network {
        let folder = path.parent().unwrap_or(path);
        let unreadable = |_| misconfigured("the file's folder has to be readable");
        // A file may be mounted alone; one that is not there yet comes to be where its folder is.
        let found = [Some(rustix::fs::statfs(folder).map_err(unreadable)?), rustix::fs::statfs(path).ok()];
        // The number is of some width and sign, by machine; it has 32 bits.
        #[expect(clippy::useless_conversion, reason = "not on every machine")]
        if found.iter().flatten().any(|found| FOREIGN.contains(&(i64::from(found.f_type) & 0xffff_ffff))) {
            return Err(misconfigured(
                "the file has to be on a disk of this machine, unless a network's is allowed by name",
            ));
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (path, on_network);
    Ok(())
}
