//! What a power loss may leave: states of a folder, built from the log of what was done to it.
//!
//! The model: the bytes of a file are safe once the file was synced after they were written, names once the folder was. Of the rest any part may
//! be there, in any order, torn at sectors; names come and go in order, as with every file system that has a journal, but bytes
//! do not wait for names nor names for bytes. What a sync that failed should have made safe may be lost for ever, whatever is synced later.

use std::collections::BTreeMap;
use std::path::Path;

use liveops_bench::Random;

/// One thing that was done to the disk.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    New,
    Write {
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate(usize),
    /// Of a file; of the folder if the name is empty.
    Sync,
    SyncFailed,
    Unlink,
    Rename(String),
}

/// Reads the log of a folder. Locks and shared memory are not what a restart finds.
pub(crate) fn read_log(log: &Path, folder: &Path) -> Vec<Operation> {
    let bytes = std::fs::read(log).expect("the child wrote it");
    let mut rest = bytes.as_slice();
    let mut operations = Vec::new();
    while let Some((head, more)) = rest.split_at_checked(32) {
        let number = |at: usize| i64::from_ne_bytes(head[at * 8..at * 8 + 8].try_into().expect("eight bytes"));
        let [kind, path_len, at, len] =
            [0, 1, 2, 3].map(|place| usize::try_from(number(place)).expect("no negative numbers"));
        // The last entry may be cut off where the child was killed.
        let Some((path, more)) = more.split_at_checked(path_len) else { break };
        let Some((data, more)) = more.split_at_checked(len) else { break };
        rest = more;
        let in_folder = |path: &[u8]| {
            let path = Path::new(std::str::from_utf8(path).expect("we name the files"));
            path.strip_prefix(folder).expect("in the folder").to_str().expect("we name the files").to_owned()
        };
        let what = match u8::try_from(kind).expect("a letter") {
            b'n' => What::New,
            b'w' => What::Write { at, bytes: data.to_vec() },
            b't' => What::Truncate(at),
            b's' => What::Sync,
            b'f' => What::SyncFailed,
            b'u' => What::Unlink,
            b'r' => What::Rename(in_folder(data)),
            other => panic!("{other} is no operation"),
        };
        let name = in_folder(path);
        if !name.ends_with("-shm") && !name.ends_with("-lock") {
            operations.push(Operation { name, what });
        }
    }
    operations
}

/// What becomes of that which was not made safe.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    /// All of it is there: the process was killed, the machine was not.
    Nothing,
    /// None of it is there.
    Everything,
    /// The first of each file's.
    Tail,
    /// Any part, torn at so many bytes.
    Any(usize),
}

impl Loss {
    pub(crate) fn draw(random: &mut Random) -> Self {
        [Self::Nothing, Self::Everything, Self::Tail, Self::Any(4096), Self::Any(4096), Self::Any(512), Self::Any(512)]
            [random.below(7) as usize]
    }
}

/// A folder, as far as it is safe, and what more was done to it.
#[derive(Default)]
pub(crate) struct Folder {
    /// Names as processes see them.
    names: BTreeMap<String, usize>,
    /// Names as the disk surely has them.
    safe_names: BTreeMap<String, usize>,
    /// What was done to names since.
    pending_names: Vec<Operation>,
    files: Vec<File>,
}

#[derive(Default)]
struct File {
    safe: Vec<u8>,
    pending: Vec<What>,
}

impl Folder {
    /// Takes in what was done next.
    pub(crate) fn apply(&mut self, operation: &Operation, random: &mut Random) {
        let Operation { name, what } = operation;
        let file = self.names.get(name).copied();
        match what {
            What::New => {
                self.names.insert(name.clone(), self.files.len());
                self.pending_names.push(operation.clone());
                self.files.push(File::default());
            }
            What::Unlink => {
                self.names.remove(name).expect("it was there");
                self.pending_names.push(operation.clone());
            }
            What::Rename(to) => {
                let moved = self.names.remove(name).expect("it was there");
                self.names.insert(to.clone(), moved);
                self.pending_names.push(operation.clone());
            }
            What::Sync | What::SyncFailed if name.is_empty() => {
                if *what == What::Sync {
                    self.pending_names.clear();
                    self.safe_names = self.names.clone();
                }
            }
            What::Sync => {
                let file = &mut self.files[file.expect("it was there")];
                for change in file.pending.drain(..) {
                    change.apply(&mut file.safe);
                }
            }
            What::SyncFailed => {
                let file = &mut self.files[file.expect("it was there")];
                // The kernel calls these pages clean now; each may have reached the disk or not.
                let kept: Vec<What> = file
                    .pending
                    .drain(..)
                    .flat_map(|change| change.torn(512))
                    .filter(|_| random.below(2) == 0)
                    .collect();
                for change in kept {
                    change.apply(&mut file.safe);
                }
            }
            What::Write { .. } | What::Truncate(_) => {
                self.files[file.expect("it was there")].pending.push(what.clone());
            }
        }
    }

    /// A state that the disk may be in now.
    pub(crate) fn state(&self, loss: Loss, random: &mut Random) -> BTreeMap<String, Vec<u8>> {
        let done = match loss {
            Loss::Nothing => self.pending_names.len(),
            Loss::Everything => 0,
            Loss::Tail | Loss::Any(_) => random.below(self.pending_names.len() as u64 + 1) as usize,
        };
        let mut names = self.safe_names.clone();
        // A name made anew belongs to the file that was made then, whatever the name means now.
        let mut made = self.made_since();
        for operation in &self.pending_names[..done] {
            match &operation.what {
                What::New => drop(names.insert(operation.name.clone(), made.next().expect("one file each"))),
                What::Unlink => drop(names.remove(&operation.name)),
                What::Rename(to) => {
                    if let Some(moved) = names.remove(&operation.name) {
                        names.insert(to.clone(), moved);
                    }
                }
                _ => {}
            }
        }
        names.into_iter().map(|(name, file)| (name, self.files[file].state(loss, random))).collect()
    }

    /// The files whose making is not safe, in order.
    fn made_since(&self) -> impl Iterator<Item = usize> {
        let made = self.pending_names.iter().filter(|operation| operation.what == What::New).count();
        self.files.len() - made..self.files.len()
    }
}

impl File {
    fn state(&self, loss: Loss, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.safe.clone();
        let kept: Vec<What> = match loss {
            Loss::Nothing => self.pending.clone(),
            Loss::Everything => Vec::new(),
            Loss::Tail => self.pending[..random.below(self.pending.len() as u64 + 1) as usize].to_vec(),
            Loss::Any(sector) => {
                let tenths = [1, 5, 9][random.below(3) as usize];
                let torn = self.pending.iter().flat_map(|change| change.torn(sector));
                torn.filter(|_| random.below(10) < tenths).collect()
            }
        };
        for change in kept {
            change.apply(&mut bytes);
        }
        bytes
    }
}

impl What {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[*at..end].copy_from_slice(bytes);
            }
            Self::Truncate(len) => file.resize(*len, 0),
            _ => {}
        }
    }

    /// In the parts that a disk writes whole.
    fn torn(&self, sector: usize) -> Vec<Self> {
        let Self::Write { at, bytes } = self else { return vec![self.clone()] };
        let mut parts = Vec::new();
        let mut from = 0;
        while from < bytes.len() {
            let len = (sector - (at + from) % sector).min(bytes.len() - from);
            parts.push(Self::Write { at: at + from, bytes: bytes[from..from + len].to_vec() });
            from += len;
        }
        parts
    }
}

/// Makes a state a folder.
pub(crate) fn write(state: &BTreeMap<String, Vec<u8>>, folder: &Path) {
    drop(std::fs::remove_dir_all(folder));
    std::fs::create_dir_all(folder).expect("a folder of our own");
    for (name, bytes) in state {
        std::fs::write(folder.join(name), bytes).expect("a file of our own");
    }
}
