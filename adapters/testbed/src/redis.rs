//! A `redis-server` of one's own.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::child::{Server, processor_ns};
use crate::folder::Folder;
use crate::port;
use crate::proxy::{Place, Served};
use crate::tls::{Authority, ClientCertificate};

/// Names the program, where it is not `redis-server` on the search path.
pub const REDIS_SERVER: &str = "REDIS_SERVER";

const PING_MILLIS_MAX: u64 = 1_000;
/// Where it keeps its log of commands, in its folder.
const DISK: &str = "appendonlydir";

/// A server that keeps nothing, unless its arguments say otherwise, and only as long as its folder lives.
#[derive(Debug)]
pub struct Redis {
    server: Option<Server>,
    arguments: Vec<String>,
    listens: Listens,
    folder: Folder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listens {
    Socket,
    Port(u16),
    Tls(u16),
}

impl Redis {
    /// Starts one on a socket in its folder, with further arguments (`&["--appendonly", "yes"]`), and waits until it
    /// answers.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn start(arguments: &[&str]) -> Result<Self, String> {
        Self::new(Listens::Socket, arguments, Folder::new("redis")?)
    }

    /// Starts one on a free port of the loopback.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_on_port(arguments: &[&str]) -> Result<Self, String> {
        Self::new(Listens::Port(port::free()?), arguments, Folder::new("redis")?)
    }

    /// Starts one that speaks TLS on a free port of the loopback, as 127.0.0.1 and by a certificate of that authority.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_tls(authority: &Authority, clients: ClientCertificate, arguments: &[&str]) -> Result<Self, String> {
        let folder = Folder::new("redis")?;
        let server = authority.server()?;
        for (name, text) in [("ca.pem", authority.pem()), ("cert.pem", &server.certificate), ("key.pem", &server.key)] {
            std::fs::write(folder.path().join(name), text).map_err(|error| format!("{name}: {error}"))?;
        }
        let asked = if clients == ClientCertificate::Required { "yes" } else { "no" };
        let files = ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-ca-cert-file", "ca.pem"];
        let arguments = [&files, &["--tls-auth-clients", asked][..], arguments].concat();
        Self::new(Listens::Tls(port::free()?), &arguments, folder)
    }

    fn new(listens: Listens, arguments: &[&str], folder: Folder) -> Result<Self, String> {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut redis = Self { server: None, arguments, listens, folder };
        redis.restart()?;
        Ok(redis)
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        match self.listens {
            Listens::Socket => url_of(&self.socket()),
            Listens::Port(port) => format!("redis://127.0.0.1:{port}"),
            Listens::Tls(port) => format!("rediss://127.0.0.1:{port}"),
        }
    }

    /// The same, with a password.
    pub fn url_with(&self, password: &str) -> String {
        match self.listens {
            Listens::Socket => format!("{}?pass={password}", self.url()),
            Listens::Port(port) => format!("redis://:{password}@127.0.0.1:{port}"),
            Listens::Tls(port) => format!("rediss://:{password}@127.0.0.1:{port}"),
        }
    }

    /// Its socket, where it listens on one.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Its port, where it listens on one.
    pub fn port(&self) -> Option<u16> {
        match self.listens {
            Listens::Socket => None,
            Listens::Port(port) | Listens::Tls(port) => Some(port),
        }
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// What it has used of a processor since it started.
    pub fn processor_ns(&self) -> Option<u64> {
        processor_ns(self.pid()?)
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// It is still there.
    pub fn kill9(&mut self) -> Result<(), String> {
        self.folder.watch(None);
        self.server.take().map_or(Ok(()), |mut server| server.kill9().map(drop))
    }

    /// Starts it once more with what it has kept, after [`Self::kill9`] or in place of the one that runs.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self) -> Result<(), String> {
        self.restart_unready(&[])?;
        self.ready()
    }

    /// The same, with more arguments and without waiting until it answers.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn restart_unready(&mut self, arguments: &[&str]) -> Result<(), String> {
        self.kill9()?;
        let mut command = Command::new(program());
        // Arguments in place of a file: whatever is configured on this machine is not read.
        command.args([
            "--daemonize",
            "no",
            "--loglevel",
            "notice",
            "--save",
            "",
            "--appendonly",
            "no",
            "--bind",
            "127.0.0.1",
        ]);
        let (plain, tls) = match self.listens {
            Listens::Socket => (0, 0),
            Listens::Port(port) => (port, 0),
            Listens::Tls(port) => (0, port),
        };
        command.args(["--port", &plain.to_string()]);
        if tls != 0 {
            command.args(["--tls-port", &tls.to_string()]);
        }
        if self.listens == Listens::Socket {
            command.args(["--unixsocket", "socket"]);
        }
        command.arg("--dir").arg(self.folder.path()).args(&self.arguments).args(arguments);
        command.current_dir(self.folder.path());
        let server = Server::start(command, &self.folder.path().join("log"))
            .map_err(|error| format!("{error}; install Redis 7 or later, or name its program in {REDIS_SERVER}"))?;
        self.folder.watch(Some(server.pid()));
        self.server = Some(server);
        Ok(())
    }

    /// Copies what it has on its disk, as it is at this moment.
    ///
    /// # Errors
    /// It has nothing there, or cannot be copied.
    pub fn copy_disk(&self) -> Result<(), String> {
        let (disk, copy) = (self.folder.path().join(DISK), self.folder.path().join("copy"));
        answer(Command::new("rm").arg("-rf").arg(&copy))?;
        answer(Command::new("cp").arg("-R").arg(disk).arg(copy)).map(drop)
    }

    /// Loses power: starts it once more with what [`Self::copy_disk`] had found, and nothing that came after.
    ///
    /// # Errors
    /// As [`Self::restart`], or there is no copy.
    pub fn restart_from_copy(&mut self) -> Result<(), String> {
        self.kill9()?;
        let (disk, copy) = (self.folder.path().join(DISK), self.folder.path().join("copy"));
        answer(Command::new("rm").arg("-rf").arg(&disk))?;
        answer(Command::new("cp").arg("-R").arg(copy).arg(disk))?;
        self.restart()
    }

    /// Waits until it answers and has read what it had kept.
    ///
    /// # Errors
    /// It does not.
    pub fn ready(&mut self) -> Result<(), String> {
        let (listens, socket) = (self.listens, self.socket());
        let server = self.server.as_mut().ok_or("redis-server does not run")?;
        server.wait_until("redis-server", || match listens {
            Listens::Socket => UnixStream::connect(&socket).is_ok_and(|stream| {
                _ = stream.set_read_timeout(Some(Duration::from_millis(PING_MILLIS_MAX)));
                has_loaded(stream)
            }),
            Listens::Port(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok_and(|stream| {
                _ = stream.set_read_timeout(Some(Duration::from_millis(PING_MILLIS_MAX)));
                has_loaded(stream)
            }),
            Listens::Tls(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok(),
        })
    }

    /// Stops it in its tracks: connections stay, answers do not come.
    ///
    /// # Errors
    /// It does not run.
    pub fn stop(&self) -> Result<(), String> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It does not run.
    pub fn cont(&self) -> Result<(), String> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        self.server.as_ref().ok_or("redis-server does not run")?.signal(signal)
    }

    /// What `redis-cli` answers to a command, trimmed.
    ///
    /// # Errors
    /// There is no `redis-cli`, or the server refuses the command.
    pub fn cli(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(beside("redis-cli"));
        match self.listens {
            Listens::Socket => drop(command.arg("-s").arg(self.socket())),
            Listens::Port(port) => drop(command.args(["-h", "127.0.0.1", "-p", &port.to_string()])),
            Listens::Tls(port) => {
                command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "--tls", "--cacert", "ca.pem"]);
                command.args(["--cert", "cert.pem", "--key", "key.pem"]).current_dir(self.folder.path());
            }
        }
        answer(command.args(["-e", "--raw"]).args(arguments))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        _ = self.kill9();
    }
}

impl Served for Redis {
    fn place(&self) -> Place {
        self.port().map_or_else(|| Place::Socket(self.socket()), Place::Port)
    }

    fn url_at(&self, socket: &Path) -> String {
        url_of(socket)
    }
}

/// The program, as `redis-cli` and others lie beside it or on the search path.
fn program() -> OsString {
    std::env::var_os(REDIS_SERVER).unwrap_or_else(|| "redis-server".into())
}

fn beside(name: &str) -> PathBuf {
    let neighbour = Path::new(&program()).with_file_name(name);
    if neighbour.is_file() { neighbour } else { name.into() }
}

/// Runs a client program to its end.
pub(crate) fn answer(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|error| format!("cannot start `{program}`: {error}"))?;
    let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    if done.status.success() {
        return Ok(said);
    }
    Err(format!("`{program}` failed ({}): {said} {}", done.status, String::from_utf8_lossy(&done.stderr).trim()))
}

/// `redis-cli --cluster ..`.
pub(crate) fn cluster_cli(arguments: &[String]) -> Result<String, String> {
    answer(Command::new(beside("redis-cli")).arg("--cluster").args(arguments))
}

fn url_of(socket: &Path) -> String {
    format!("redis+unix://{}", socket.display())
}

/// Whatever it answers but LOADING: without a password that may be a refusal.
fn has_loaded(mut stream: impl std::io::Read + std::io::Write) -> bool {
    let mut answer = [0; 8];
    stream.write_all(b"PING\r\n").and_then(|()| stream.read_exact(&mut answer[..5])).is_ok()
        && !answer.starts_with(b"-LOAD")
}
