//! A folder of one's own, and somebody who looks after it when we are killed.

use std::fs::DirBuilder;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Reads which process to end, the last line counts, until our end of the pipe closes: then we are gone, whatever ended
/// us. Asks first, so that PostgreSQL gives its shared memory back; a stopped process hears it once it goes on.
const GUARD: &str = r#"
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
    children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
    kill -INT "$pid" && kill -CONT "$pid" && sleep 1
    kill -9 "$pid" $children
fi 2>/dev/null
rm -rf "$1"
"#;

/// A folder under the system's temporary one that only its owner can open; removed when dropped, or by its guard.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    guard: Child,
}

impl Folder {
    pub(crate) fn new(kind: &str) -> Result<Self, String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("liveops-{kind}-{}-{number}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "sh"]).arg(&path).stdin(Stdio::piped()).stdout(Stdio::null());
        // A group of its own: what a terminal sends to a test's group does not reach it.
        match guard.process_group(0).spawn() {
            Ok(guard) => Ok(Self { path, guard }),
            Err(error) => {
                _ = std::fs::remove_dir(&path);
                Err(format!("cannot start `sh`: {error}"))
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Which process ends with us; none once it has ended.
    pub(crate) fn watch(&mut self, pid: Option<u32>) {
        if let Some(pipe) = &mut self.guard.stdin {
            _ = writeln!(pipe, "{}", pid.map(|pid| pid.to_string()).unwrap_or_default());
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.watch(None);
        drop(self.guard.stdin.take());
        _ = self.guard.wait();
        _ = std::fs::remove_dir_all(&self.path);
    }
}
