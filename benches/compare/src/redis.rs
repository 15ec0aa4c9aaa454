//! A `redis-server` of one's own, and what it takes to talk to it: no TCP port, nothing kept, gone when it is dropped.
//!
//! The protocol is RESP2, <https://redis.io/docs/latest/develop/reference/protocol-spec/>, as much of it as sorted sets
//! answer with. The client crates would bring a hundred others along.

use std::fs::DirBuilder;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Where to find the program, if it is not `redis-server` on the search path.
pub const PROGRAM_VARIABLE: &str = "REDIS_SERVER";

/// The shell becomes the server, and leaves somebody behind who ends it and tidies up when our end of the pipe closes: also
/// when this process was killed. A line instead says that we see to it ourselves.
const ENDED_WITH_US: &str =
    "exec 3<&0; (read -r _ <&3 || { kill -9 $$; rm -f socket; rmdir \"$PWD\"; }) & exec \"$@\" 3<&-";

const STARTING_MILLIS_MAX: u64 = 10_000;

/// A running server, whose socket lies in a folder that only this user can open.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts one and waits until it listens.
    ///
    /// # Errors
    /// Why there is none, in words for whoever reads the output of a test.
    pub fn start() -> Result<Self, String> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("liveops-redis-{}-{number}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;

        let program = std::env::var_os(PROGRAM_VARIABLE).unwrap_or_else(|| "redis-server".into());
        let mut command = Command::new("sh");
        command.args(["-c", ENDED_WITH_US, "sh"]).arg(&program);
        // Arguments in place of a file: whatever is configured on this machine is not read.
        command.args(["--port", "0", "--unixsocket", "socket", "--save", "", "--appendonly", "no"]);
        command.args(["--daemonize", "no", "--loglevel", "warning", "--dir"]).arg(&folder).current_dir(&folder);
        match command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn() {
            Ok(child) => Self { child, folder }.listening(&program.to_string_lossy()),
            Err(error) => {
                _ = std::fs::remove_dir(&folder);
                Err(format!("cannot start `sh`: {error}"))
            }
        }
    }

    fn listening(mut self, program: &str) -> Result<Self, String> {
        for _ in 0..STARTING_MILLIS_MAX / 10 {
            if self.connect().is_ok() {
                return Ok(self);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let advice = format!("install Redis, or name its program in {PROGRAM_VARIABLE}");
                return Err(format!("`{program}` did not start ({status}); {advice}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(format!("`{program}` does not listen after {STARTING_MILLIS_MAX} ms"))
    }

    /// A new connection.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn connect(&self) -> Result<Client, String> {
        let socket = UnixStream::connect(self.folder.join("socket")).map_err(|error| error.to_string())?;
        Ok(Client { socket: BufReader::with_capacity(1 << 16, socket), queued: Vec::new(), waiting: 0 })
    }

    /// What the thread that runs all commands has used of a processor since it started, in nanoseconds: the first number
    /// of `/proc/<pid>/schedstat`. `None` where the kernel does not tell.
    pub fn processor_ns(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/schedstat", self.child.id())).ok()?;
        stat.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.child.stdin.take() {
            _ = pipe.write_all(b"\n");
        }
        _ = self.child.kill();
        _ = self.child.wait();
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A connection, with commands that wait to be sent together.
#[derive(Debug)]
pub struct Client {
    socket: BufReader<UnixStream>,
    queued: Vec<u8>,
    waiting: usize,
}

/// An answer. An error is no answer: it fails the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// There is no such thing.
    Nil,
    /// A count, a rank.
    Integer(i64),
    /// A status, a member, a score: scores come as text.
    Text(String),
    /// A page.
    List(Vec<Reply>),
}

impl Client {
    /// Adds a command to those that wait.
    pub fn queue(&mut self, command: &[&str]) {
        let mut put = |text: &[&[u8]]| text.iter().for_each(|part| self.queued.extend_from_slice(part));
        put(&[b"*", command.len().to_string().as_bytes(), b"\r\n"]);
        for word in command {
            put(&[b"$", word.len().to_string().as_bytes(), b"\r\n", word.as_bytes(), b"\r\n"]);
        }
        self.waiting += 1;
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Sends all that wait at once, and returns their answers in order.
    ///
    /// # Errors
    /// The first command that was refused, or a broken connection.
    pub fn send(&mut self) -> Result<Vec<Reply>, String> {
        self.socket.get_mut().write_all(&self.queued).map_err(|error| error.to_string())?;
        self.queued.clear();
        (0..std::mem::take(&mut self.waiting)).map(|_| self.reply()).collect()
    }

    /// One command and its answer.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn call(&mut self, command: &[&str]) -> Result<Reply, String> {
        self.queue(command);
        self.send()?.pop().ok_or_else(|| "no answer".to_owned())
    }

    fn reply(&mut self) -> Result<Reply, String> {
        let mut line = String::new();
        self.socket.read_line(&mut line).map_err(|error| error.to_string())?;
        let strange = || format!("a strange answer: {line:?}");
        let (kind, rest) = line.trim_end().split_at_checked(1).ok_or_else(strange)?;
        let length = || rest.parse::<i64>().map_err(|_| strange()).map(|length| usize::try_from(length).ok());
        Ok(match kind {
            "+" => Reply::Text(rest.to_owned()),
            ":" => Reply::Integer(rest.parse().map_err(|_| strange())?),
            "$" => match length()? {
                Some(length) => Reply::Text(self.text(length)?),
                None => Reply::Nil,
            },
            "*" => match length()? {
                Some(length) => Reply::List((0..length).map(|_| self.reply()).collect::<Result<_, _>>()?),
                None => Reply::Nil,
            },
            "-" => return Err(rest.to_owned()),
            _ => return Err(strange()),
        })
    }

    fn text(&mut self, length: usize) -> Result<String, String> {
        let mut bytes = vec![0; length + 2];
        self.socket.read_exact(&mut bytes).map_err(|error| error.to_string())?;
        bytes.truncate(length);
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }
}

impl Reply {
    /// A count or a rank, or a score that is an integer.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Nil | Self::List(_) => None,
        }
    }

    /// A page with scores.
    pub fn scored(&self) -> Option<Vec<(String, i64)>> {
        let Self::List(items) = self else { return None };
        items
            .chunks(2)
            .map(|pair| match pair {
                [Self::Text(member), score] => Some((member.clone(), score.integer()?)),
                _ => None,
            })
            .collect()
    }
}
