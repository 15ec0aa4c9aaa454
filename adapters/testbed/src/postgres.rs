//! A PostgreSQL of one's own.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::Signal;

use crate::child::{Server, children_of, processor_ns, send};
use crate::folder::Folder;
use crate::port;
use crate::proxy::{Place, Served};
use crate::redis::answer;
use crate::tls::{Authority, ClientCertificate};

/// Names the folder of `postgres`, `initdb` and `psql`, where they are neither on the search path nor where Debian puts
/// them.
pub const POSTGRES_BIN: &str = "POSTGRES_BIN";

/// Names the socket, where there is no other port.
const PORT: u16 = 5432;
const DEBIAN: &str = "/usr/lib/postgresql";
/// PostgreSQL refuses to run as root; who is root lends it to one of these.
const ORDINARY_USERS: &[&str] = &["postgres", "nobody"];

/// A server with one superuser `postgres`, who needs no password on its socket.
#[derive(Debug)]
pub struct Postgres {
    server: Option<Server>,
    settings: Vec<String>,
    tls: Option<u16>,
    user: User,
    folder: Folder,
}

impl Postgres {
    /// Starts one on a socket in its folder, with further settings (`&["max_connections=20"]`), and waits until it answers.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn start(settings: &[&str]) -> Result<Self, String> {
        Self::new(settings, None)
    }

    /// Starts one that speaks TLS on a free port of the loopback, as `localhost` and by a certificate of that authority.
    /// There the user `player` has that password.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_tls(
        authority: &Authority,
        clients: ClientCertificate,
        password: &str,
        settings: &[&str],
    ) -> Result<Self, String> {
        let server = Self::new(settings, Some((authority, clients)))?;
        let quoted = password.replace('\'', "''");
        server.sql(&format!("CREATE ROLE player LOGIN SUPERUSER PASSWORD '{quoted}'"))?;
        Ok(server)
    }

    fn new(settings: &[&str], tls: Option<(&Authority, ClientCertificate)>) -> Result<Self, String> {
        let mut postgres = Self::unstarted(settings)?;
        let data = postgres.data();
        answer(postgres.user.command("cp").arg("-R").arg(template()?).arg(&data))?;
        if let Some((authority, clients)) = tls {
            let identity = authority.server()?;
            let asked = if clients == ClientCertificate::Required { " clientcert=verify-ca" } else { "" };
            let who = format!("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256{asked}\n");
            let files = [
                ("ca.pem", authority.pem()),
                ("cert.pem", &identity.certificate),
                ("key.pem", &identity.key),
                ("pg_hba.conf", &who),
            ];
            for (name, text) in files {
                postgres.user.writes(&data.join(name), text)?;
            }
            let names = ["ssl=on", "ssl_ca_file=ca.pem", "ssl_cert_file=cert.pem", "ssl_key_file=key.pem"];
            postgres.settings.extend(names.map(str::to_owned));
            postgres.tls = Some(port::free()?);
        }
        postgres.restart()?;
        Ok(postgres)
    }

    /// A folder for one, and nothing in it.
    fn unstarted(settings: &[&str]) -> Result<Self, String> {
        let (user, folder) = (User::ordinary()?, Folder::new("postgres")?);
        user.owns(folder.path())?;
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        Ok(Self { server: None, settings, tls: None, user, folder })
    }

    /// The same cluster as it is now, started elsewhere: what an operator restores from a base backup.
    ///
    /// # Errors
    /// It cannot be copied, or its copy cannot be started.
    pub fn backup(&self) -> Result<Self, String> {
        self.copied(&[])
    }

    /// A copy that follows this one and only reads, until `SELECT pg_promote()`.
    ///
    /// # Errors
    /// As [`Self::backup`].
    pub fn standby(&self) -> Result<Self, String> {
        self.copied(&["-R"])
    }

    fn copied(&self, how: &[&str]) -> Result<Self, String> {
        let mut copy = Self::unstarted(&[])?;
        copy.settings.clone_from(&self.settings);
        let mut backup = self.user.command(program("pg_basebackup"));
        backup.args(["-X", "stream", "-c", "fast", "--no-sync", "-d", &self.url(), "-D"]).arg(copy.data()).args(how);
        answer(backup.current_dir(copy.folder.path()))?;
        copy.restart()?;
        Ok(copy)
    }

    /// Everything in its database, written into another server's: what an operator moves by `pg_dump`.
    ///
    /// # Errors
    /// One of them refuses.
    pub fn dump_into(&self, other: &Self) -> Result<(), String> {
        let file = self.folder.path().join("dump.sql");
        let mut dump = self.user.command(program("pg_dump"));
        answer(dump.args(["-d", &self.url(), "-f"]).arg(&file).current_dir(self.folder.path()))?;
        let mut psql = Command::new(program("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &other.url(), "-f"]).arg(&file);
        answer(&mut psql).map(drop)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where clients find it, as `tokio-postgres` and `psql` read it.
    pub fn url(&self) -> String {
        url_of(self.folder.path(), self.tls.unwrap_or(PORT))
    }

    /// Where clients find it by TLS, with the password of the user `player`.
    pub fn tls_url(&self, password: &str) -> Option<String> {
        let port = self.tls?;
        Some(format!("host=localhost hostaddr=127.0.0.1 port={port} user=player password={password} dbname=postgres"))
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(format!(".s.PGSQL.{}", self.tls.unwrap_or(PORT)))
    }

    /// The postmaster first, then its children; none when it does not run.
    pub fn pids(&self) -> Vec<u32> {
        let Some(postmaster) = self.server.as_ref().map(Server::pid) else { return Vec::new() };
        std::iter::once(postmaster).chain(children_of(postmaster)).collect()
    }

    /// What it and its children have used of a processor. Children that have ended no longer count: keep connections open
    /// while you measure.
    pub fn processor_ns(&self) -> Option<u64> {
        processor_ns(self.server.as_ref()?.pid())
    }

    /// Ends it with all its children, as a lost machine would.
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
        self.kill9()?;
        let mut command = self.user.command(program("postgres"));
        command.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        let (address, port) = self.tls.map_or(("", PORT), |port| ("127.0.0.1", port));
        let address = format!("listen_addresses={address}");
        // After a crash of one child the others stay away: whoever was killed is started by the test.
        for setting in [&address, "restart_after_crash=off", "max_connections=60", "shared_buffers=64MB"] {
            command.args(["-c", setting]);
        }
        command.args(["-p", &port.to_string()]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.current_dir(self.folder.path());
        let mut server = Server::start(command, &self.folder.path().join("log"))?;
        self.folder.watch(Some(server.pid()));
        let url = self.url();
        let ready = server.wait_until("postgres", || sql(&url, "SELECT 1").is_ok());
        self.server = Some(server);
        ready
    }

    /// Stops it and its children in their tracks: connections stay, answers do not come.
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
        let pids = self.pids();
        let (postmaster, children) = pids.split_first().ok_or("postgres does not run")?;
        send(*postmaster, signal)?;
        // One that ended meanwhile needs no signal.
        for child in children {
            _ = send(*child, signal);
        }
        Ok(())
    }

    /// What a statement answers: a row a line, columns with a bar between.
    ///
    /// # Errors
    /// The server refuses it.
    pub fn sql(&self, statement: &str) -> Result<String, String> {
        sql(&self.url(), statement)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once, but so that it gives its shared memory back.
        if let Some(mut server) = self.server.take() {
            server.end(Signal::QUIT);
        }
        self.folder.watch(None);
    }
}

impl Served for Postgres {
    fn place(&self) -> Place {
        Place::Socket(self.socket())
    }

    fn url_at(&self, socket: &Path) -> String {
        url_of(socket.parent().unwrap_or(socket), PORT)
    }
}

/// A data folder as `initdb` makes it, once a process: each server begins with a copy.
fn template() -> Result<PathBuf, String> {
    static MADE: OnceLock<Result<Folder, String>> = OnceLock::new();
    let folder = MADE.get_or_init(|| {
        let user = User::ordinary()?;
        let folder = Folder::new("initdb")?;
        user.owns(folder.path())?;
        let mut initdb = user.command(program("initdb"));
        initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]);
        initdb.arg(folder.path().join("data")).current_dir(folder.path());
        let advice = format!("install PostgreSQL 13 or later, or name the folder of its programs in {POSTGRES_BIN}");
        answer(&mut initdb).map_err(|error| format!("{error}; {advice}"))?;
        Ok(folder)
    });
    folder.as_ref().map(|folder| folder.path().join("data")).map_err(String::clone)
}

/// Who runs the programs: ourselves, or an ordinary user where we are root.
#[derive(Clone, Copy, Debug)]
struct User(Option<(u32, u32)>);

impl User {
    fn ordinary() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let number = |flag: &str, name: &str| answer(Command::new("id").args([flag, name])).ok()?.parse().ok();
        let known = ORDINARY_USERS.iter().find_map(|name| number("-u", name).zip(number("-g", name)));
        let refused =
            format!("PostgreSQL refuses to run as root, and there is no user {}", ORDINARY_USERS.join(" or "));
        known.map(|ids| Self(Some(ids))).ok_or(refused)
    }

    fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Self(Some((user, group))) = self {
            command.uid(user).gid(group);
        }
        command
    }

    fn owns(self, path: &Path) -> Result<(), String> {
        let Self(Some((user, group))) = self else { return Ok(()) };
        chown(path, Some(user), Some(group)).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// A file that only that user reads.
    fn writes(self, path: &Path, text: &str) -> Result<(), String> {
        std::fs::write(path, text)
            .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        self.owns(path)
    }
}

/// One of PostgreSQL's programs: where the variable says, else where Debian puts the newest, else on the search path.
fn program(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os(POSTGRES_BIN) {
        return Path::new(&folder).join(name);
    }
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest =
        versions.map(|version| version.path()).filter(|path| path.join("bin").join(name).is_file()).max_by_key(number);
    newest.map_or_else(|| name.into(), |version| version.join("bin").join(name))
}

fn url_of(folder: &Path, port: u16) -> String {
    format!("host={} port={port} user=postgres dbname=postgres", folder.display())
}

fn sql(url: &str, statement: &str) -> Result<String, String> {
    // -X reads no file of the user's; a statement that fails fails the call.
    answer(Command::new(program("psql")).args([
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        url,
        "-c",
        statement,
    ]))
}
