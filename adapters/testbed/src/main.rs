//! `liveops-testbed redis|cluster|postgres`: starts a server, prints where it is, and ends it when standard input ends. For
//! tests in other languages.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that answers on a terminal or a pipe")]

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    use liveops_testbed::{Postgres, Redis, RedisCluster};

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let wait = |urls: String| {
        println!("{urls}");
        // Whatever is said, until nothing more can be.
        _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    };
    let done = match arguments.split_first() {
        Some((&"redis", rest)) => Redis::start(rest).map(|redis| wait(redis.url())),
        Some((&"cluster", rest)) => RedisCluster::start(3, 0, rest).map(|cluster| wait(cluster.urls().join(" "))),
        Some((&"postgres", rest)) => Postgres::start(rest).map(|postgres| wait(postgres.url())),
        _ => Err("liveops-testbed redis|cluster|postgres [argument or setting..]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("servers of one's own need a Unix system");
    ExitCode::FAILURE
}
