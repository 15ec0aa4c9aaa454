//! What the bindings need before they can be tested or measured: environments, packages, extensions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{answers, cargo, command, read, root, run, target_dir};

/// How an extension is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As `cargo test` does: overflow and debug assertions are checked, dependencies are shared.
    Dev,
    /// As users run it.
    Release,
}

/// `cargo xtask build [python|node]`.
pub(crate) fn run_task(languages: &[&str]) -> Result<(), String> {
    let languages = if languages.is_empty() { &["python", "node"] } else { languages };
    for language in languages {
        match *language {
            "python" => {
                let venv = Venv::prepare("venv", &["bindings/python/requirements-dev.txt"])?;
                venv.install_liveops(Profile::Release)?;
                println!("\nliveops is installed; run it with {}", venv.python().display());
            }
            "node" => {
                build_addon(Profile::Release)?;
                println!("\nbindings/node can be imported");
            }
            other => return Err(format!("`{other}` has no extension; one of: python, node")),
        }
    }
    Ok(())
}

/// A virtual environment under `target`.
pub(crate) struct Venv {
    dir: PathBuf,
}

impl Venv {
    /// Makes it if it is not there, and installs the requirement files if they changed since.
    pub(crate) fn prepare(name: &str, requirements: &[&str]) -> Result<Self, String> {
        let venv = Self { dir: target_dir().join(name) };
        if !venv.python().exists() {
            venv.create()?;
        }
        let mut wanted = String::new();
        for file in requirements {
            wanted.push_str(&read_file(&root().join(file))?);
        }
        let stamp = venv.dir.join("requirements.stamp");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(venv);
        }
        let mut install = venv.command(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        for file in requirements {
            install.args(["-r", file]);
        }
        run(install)?;
        write_file(&stamp, &wanted)?;
        Ok(venv)
    }

    /// Builds the extension and installs the package, as `pip install ./bindings/python` does for users.
    pub(crate) fn install_liveops(&self, profile: Profile) -> Result<(), String> {
        expect_dir("bindings/python")?;
        // Without isolation pip takes the maturin of this environment instead of fetching one for every build.
        let mut install = self.command(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        install.args(["--no-build-isolation", "./bindings/python"]);
        if profile == Profile::Dev {
            install.env("MATURIN_PEP517_ARGS", "--profile=dev");
        }
        run(install)
    }

    /// Its interpreter, with arguments, run at the top of the repository.
    pub(crate) fn command<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut python = command(self.python(), args);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(self.bin()).chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(path) {
            python.env("PATH", path);
        }
        python
            .env("VIRTUAL_ENV", &self.dir)
            .env("MYPY_CACHE_DIR", target_dir().join("mypy"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // A PYTHONPATH or PYTHONHOME of the outside would reach in.
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME");
        python
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.bin().join(if cfg!(windows) { "python.exe" } else { "python" })
    }

    fn bin(&self) -> PathBuf {
        self.dir.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    fn create(&self) -> Result<(), String> {
        // Debian ships python3 without ensurepip, which venv needs to put pip in.
        if read(command("python3", ["-c", "import ensurepip, venv"])).is_err() {
            apt_install("python3-venv", "python3 has no `ensurepip`, so it cannot make virtual environments")?;
        }
        let mut make = command("python3", ["-m", "venv", "--clear"]);
        make.arg(&self.dir);
        run(make)
    }
}

/// Builds Node's addon and puts it where `index.js` looks for it.
pub(crate) fn build_addon(profile: Profile) -> Result<(), String> {
    expect_dir("bindings/node")?;
    let mut build = cargo(["build", "--package", "liveops-node", "--message-format=json-render-diagnostics"]);
    if profile == Profile::Release {
        build.arg("--release");
    }
    build.stderr(std::process::Stdio::inherit());
    eprintln!("\n-- cargo build --package liveops-node ({profile:?})");
    let messages = read(build)?;
    let library = addon_in(&messages).ok_or("liveops-node built no cdylib; is `crate-type = [\"cdylib\"]` set?")?;
    // By way of a rename: a process that has the old file open keeps it whole.
    let place = root().join("bindings/node/native.node");
    let fresh = place.with_extension("node.new");
    fs::copy(&library, &fresh)
        .and_then(|_| fs::rename(&fresh, &place))
        .map_err(|error| format!("cannot copy {} to {}: {error}", library.display(), place.display()))
}

/// The packages of a folder's `package.json`, if they changed since. No lock file: versions are exact there, and no
/// address of a registry enters the repository.
pub(crate) fn npm_install(folder: &str) -> Result<(), String> {
    let dir = root().join(folder);
    let wanted = read_file(&dir.join("package.json"))?;
    let stamp = dir.join("node_modules/.installed-package.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut install = command(npm, ["install", "--no-package-lock", "--no-audit", "--no-fund"]);
    install.current_dir(&dir);
    run(install)?;
    fs::create_dir_all(dir.join("node_modules")).map_err(|error| format!("{folder}/node_modules: {error}"))?;
    write_file(&stamp, &wanted)
}

/// Says what is missing, and mends it where we may: as root, or with a `sudo` that asks for no password.
pub(crate) fn apt_install(package: &str, problem: &str) -> Result<(), String> {
    let advice = format!("{problem}; on Debian and Ubuntu: apt-get install {package}");
    eprintln!("{advice}");
    if !answers("apt-get") {
        return Err(advice);
    }
    let apt = |verb: &[&str]| {
        let quietly =
            ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes", "--no-install-recommends"];
        as_root(&[&quietly, verb].concat())
    };
    let install = || apt(&["install", package]);
    install().or_else(|_| apt(&["update"]).and_then(|()| install())).map_err(|reason| format!("{advice} ({reason})"))
}

/// Runs something with the rights of root, if we have them or `sudo` lends them without a password.
pub(crate) fn as_root(words: &[&str]) -> Result<(), String> {
    let is_root = read(command("id", ["-u"])).is_ok_and(|id| id.trim() == "0");
    if !is_root && read(command("sudo", ["-n", "true"])).is_err() {
        return Err("that takes root, or a `sudo` that asks for no password".to_owned());
    }
    let mut line = if is_root { command("env", []) } else { command("sudo", ["-n", "env"]) };
    line.args(words);
    run(line)
}

fn addon_in(messages: &str) -> Option<PathBuf> {
    let artifact = |line: &str| -> Option<PathBuf> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_cdylib = message["target"]["crate_types"].as_array()?.iter().any(|kind| kind == "cdylib");
        let is_ours = message["package_id"].as_str()?.contains("bindings/node");
        let files = message["filenames"].as_array()?.iter().filter_map(|name| name.as_str()).map(PathBuf::from);
        let library = |file: &PathBuf| file.extension().is_some_and(|e| e == "so" || e == "dylib" || e == "dll");
        if is_cdylib && is_ours { files.into_iter().find(library) } else { None }
    };
    messages.lines().filter_map(artifact).next_back()
}

fn expect_dir(folder: &str) -> Result<(), String> {
    if root().join(folder).is_dir() { Ok(()) } else { Err(format!("there is no folder {folder}")) }
}

fn read_file(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write_file(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addon_is_found_among_cargos_messages() {
        let message = |id: &str, kind: &str, file: &str| {
            serde_json::json!({"reason": "compiler-artifact", "package_id": id, "filenames": [file],
                "target": {"crate_types": [kind]}})
            .to_string()
        };
        let messages = [
            message("path+file:///x/liveops-core#0.1.0", "lib", "/t/libliveops_core.rlib"),
            message("path+file:///x/bindings/node#liveops-node@0.1.0", "cdylib", "/t/libliveops_node.so"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        assert_eq!(addon_in(&messages.join("\n")), Some(PathBuf::from("/t/libliveops_node.so")));
        assert_eq!(addon_in(&messages[0]), None);
    }
}
