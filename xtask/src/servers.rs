//! The servers that tests and comparisons start for themselves: found, or installed where we may. None is left running.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::process::{answers, cargo, run, target_dir};
use crate::setup::{apt_install, as_root};

/// Names the program `redis-server`; people may set it as well.
pub(crate) const REDIS_SERVER: &str = "REDIS_SERVER";
/// Names the folder of PostgreSQL's programs; people may set it as well.
pub(crate) const POSTGRES_BIN: &str = "POSTGRES_BIN";
/// Names the program that starts servers for tests in Python and Node.
pub(crate) const TESTBED: &str = "LIVEOPS_TESTBED";

const POSTGRES_PROGRAMS: &[&str] = &["postgres", "initdb", "psql", "pg_dump", "pg_basebackup"];
const POSTGRES_VERSION_MIN: u32 = 13;
/// Where Debian and Ubuntu put every version.
const POSTGRES_DEBIAN: &str = "/usr/lib/postgresql";
/// Debian's package would make a cluster and leave a service behind that listens from now on. While this file is there it does
/// not.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/liveops-none.conf";

/// `cargo xtask servers`: finds or installs them and prints where they are, for a shell.
pub(crate) fn run_task() -> Result<(), String> {
    println!("export {REDIS_SERVER}={}", redis_server()?.display());
    println!("export {POSTGRES_BIN}={}", postgres_bin()?.display());
    Ok(())
}

/// Tells a program where servers are. Returns those that are missing, each with the reason.
pub(crate) fn tell(program: &mut Command) -> Vec<(&'static str, String)> {
    let mut missing = Vec::new();
    // Sockets in folders: servers of one's own need Unix.
    if cfg!(unix) {
        match redis_server() {
            Ok(path) => drop(program.env(REDIS_SERVER, path)),
            Err(reason) => missing.push(("redis-server", reason)),
        }
        match postgres_bin() {
            Ok(path) => drop(program.env(POSTGRES_BIN, path)),
            Err(reason) => missing.push(("postgresql", reason)),
        }
    }
    missing
}

/// The program that starts servers for tests in other languages, built.
pub(crate) fn testbed() -> Result<PathBuf, String> {
    run(cargo(["build", "--package", "liveops-testbed"]))?;
    Ok(target_dir().join("debug/liveops-testbed"))
}

/// The program `redis-server`, with `redis-cli` beside it or on the search path; installed if need be and if we may. Tried
/// once, whoever asks again.
pub(crate) fn redis_server() -> Result<PathBuf, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOUND.get_or_init(find_or_install_redis).clone()
}

/// The folder of `postgres`, `initdb` and `psql`, installed if need be and if we may. Tried once, whoever asks again.
pub(crate) fn postgres_bin() -> Result<PathBuf, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOUND.get_or_init(find_or_install_postgres).clone()
}

fn find_or_install_redis() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os(REDIS_SERVER) {
        return if answers(&named) {
            with_client(named.into())
        } else {
            Err(format!("{REDIS_SERVER} names no program"))
        };
    }
    if answers("redis-server") {
        return with_client("redis-server".into());
    }
    // Debian's package `redis-server` would leave a service behind that listens from now on. Its `redis-tools` has the
    // same program by the name of a checker; it goes by the name that it is called by.
    let copy = target_dir().join("redis-server");
    if !answers(&copy) {
        apt_install("redis-tools", "there is no redis-server")?;
        fs::create_dir_all(target_dir()).map_err(|error| format!("{}: {error}", target_dir().display()))?;
        fs::copy("/usr/bin/redis-check-rdb", &copy).map_err(|error| format!("{}: {error}", copy.display()))?;
    }
    if answers(&copy) { with_client(copy) } else { Err(format!("{} is no redis-server", copy.display())) }
}

/// Clusters are made by `redis-cli`.
fn with_client(server: PathBuf) -> Result<PathBuf, String> {
    if server.with_file_name("redis-cli").is_file() || answers("redis-cli") {
        return Ok(server);
    }
    apt_install("redis-tools", "there is no redis-cli")?;
    Ok(server)
}

fn find_or_install_postgres() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os(POSTGRES_BIN) {
        let folder = PathBuf::from(named);
        return has_postgres(&folder).map(|()| folder).map_err(|lacks| format!("{POSTGRES_BIN}: {lacks}"));
    }
    if let Some(folder) = debians_newest().or_else(on_the_search_path) {
        return Ok(folder);
    }
    let write = format!("mkdir -p \"$(dirname {NO_CLUSTER})\" && echo 'create_main_cluster = false' > {NO_CLUSTER}");
    let installed = as_root(&["sh", "-c", &write]).and_then(|()| apt_install("postgresql", "there is no PostgreSQL"));
    // Whoever installs a server for themselves later gets what the package says.
    let tidied = as_root(&["rm", "-f", NO_CLUSTER]);
    installed.and(tidied)?;
    debians_newest().ok_or_else(|| format!("the package postgresql brought no programs into {POSTGRES_DEBIAN}"))
}

fn debians_newest() -> Option<PathBuf> {
    let versions = fs::read_dir(POSTGRES_DEBIAN).into_iter().flatten().flatten();
    let numbered = versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    let whole =
        numbered.map(|(version, path)| (version, path.join("bin"))).filter(|(_, bin)| has_postgres(bin).is_ok());
    whole.filter(|(version, _)| *version >= POSTGRES_VERSION_MIN).max().map(|(_, bin)| bin)
}

fn on_the_search_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| has_postgres(folder).is_ok())
}

fn has_postgres(folder: &Path) -> Result<(), String> {
    let lacks = POSTGRES_PROGRAMS.iter().find(|program| !answers(folder.join(program)));
    lacks.map_or(Ok(()), |program| Err(format!("{} has no working `{program}`", folder.display())))
}
