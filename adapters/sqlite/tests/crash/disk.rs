//! A disk that can be watched and broken: `disk.c`, compiled here and put under a child with `LD_PRELOAD`.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What the disk counts, and what can be asked of it: places in the control file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dial {
    /// Counted: operations that change the disk.
    Operations,
    /// Counted.
    Syncs,
    /// Counted, in bytes.
    Written,
    /// By how many bytes files may still grow.
    FreeBytes,
    /// How much longer a sync takes.
    #[allow(dead_code, reason = "comparisons slow it down")]
    SyncMicros,
    /// The one sync that fails.
    SyncFails,
    /// The one operation that fails.
    Fails,
    /// With which error number.
    FailsWith,
}

const DIALS: usize = 8;

/// A folder whose disk is watched.
pub(crate) struct Disk {
    folder: PathBuf,
    control: File,
    control_path: PathBuf,
    log: Option<PathBuf>,
}

impl Disk {
    /// A new folder `data` in `home`; with a log of every operation if wanted.
    pub(crate) fn new(home: &Path, logged: bool) -> Self {
        let folder = home.join("data");
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        // The shim compares paths as the kernel names them.
        let folder = folder.canonicalize().expect("it is there");
        let control_path = home.join("control");
        let control = File::options().read(true).write(true).create(true).truncate(true).open(&control_path);
        let control = control.expect("a file of our own");
        let disk = Self { folder, control, control_path, log: logged.then(|| home.join("log")) };
        disk.reset();
        disk
    }

    /// Counts from 0, and no faults.
    pub(crate) fn reset(&self) {
        for place in 0..DIALS {
            let counted = place <= Dial::Written as usize;
            self.control
                .write_all_at(&(if counted { 0_i64 } else { -1 }).to_ne_bytes(), place as u64 * 8)
                .expect("written");
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn log(&self) -> &Path {
        self.log.as_deref().expect("it was asked for")
    }

    pub(crate) fn control(&self) -> Control {
        Control(self.control.try_clone().expect("a handle"))
    }

    /// Puts the disk under a program.
    pub(crate) fn under<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("LD_PRELOAD", shim()).env("DISK_FOLDER", &self.folder).env("DISK_CONTROL", &self.control_path);
        if let Some(log) = &self.log {
            command.env("DISK_LOG", log);
        }
        command
    }
}

/// What is counted, and what is asked.
pub(crate) struct Control(File);

impl Control {
    /// Of the disk that this process runs on.
    pub(crate) fn of_this_process() -> Self {
        let path = std::env::var_os("DISK_CONTROL").expect("this process runs on such a disk");
        Self(File::options().read(true).write(true).open(path).expect("it is there"))
    }

    pub(crate) fn get(&self, dial: Dial) -> i64 {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, dial as u64 * 8).expect("read");
        i64::from_ne_bytes(bytes)
    }

    pub(crate) fn set(&self, dial: Dial, value: i64) {
        self.0.write_all_at(&value.to_ne_bytes(), dial as u64 * 8).expect("written");
    }
}

/// The library, compiled once a run and left beside this program: what is built is nowhere else.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let program = std::env::current_exe().expect("this program has a name");
        let library = program.with_file_name("liveops-disk.so");
        let fresh = program.with_file_name(format!("liveops-disk-{}.so", std::process::id()));
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let mut compile = Command::new(&compiler);
        compile.args(["-shared", "-fPIC", "-O1", "-x", "c", "-", "-ldl", "-pthread", "-o"]).arg(&fresh);
        let compile = compile.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut compile = compile.unwrap_or_else(|error| panic!("no C compiler, {}: {error}", compiler.display()));
        let source = compile.stdin.take().expect("it was piped").write_all(include_bytes!("disk.c"));
        let done = compile.wait_with_output().expect("it was started");
        assert!(source.is_ok() && done.status.success(), "disk.c: {}", String::from_utf8_lossy(&done.stderr));
        // Another program that does the same at this moment finds a whole file, its own or this one.
        std::fs::rename(&fresh, &library).expect("it was compiled");
        library
    })
}
