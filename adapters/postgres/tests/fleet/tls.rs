//! Encrypted connections: whom the store trusts, and that it tells nobody else anything.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use liveops_adapters::Tls;
use liveops_core::Engine;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_postgres::{Options, PostgresStore};
use liveops_testbed::{Authority, ClientCertificate, Postgres};

use crate::game::{at, options, rules, xp};

pub(crate) const PASSWORD: &str = "correct-horse-battery";

fn tls_options(tls: Tls) -> Options {
    options("tls").tls(tls).timeout(Duration::from_secs(2))
}

fn refused(url: &str, options: Options) -> StoreError {
    PostgresStore::connect_blocking(url, options).err().unwrap()
}

#[test]
fn a_server_of_ones_own_authority_is_trusted_and_no_other() {
    let (ours, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let server = Postgres::start_tls(&ours, ClientCertificate::NotAsked, PASSWORD, &[]).unwrap();
    let url = server.tls_url(PASSWORD).unwrap();
    let trusting = tls_options(Tls::default().roots(ours.pem()));
    let engine = Engine::open(rules("tls"), PostgresStore::connect_blocking(&url, trusting).unwrap()).unwrap();
    let now = at("2026-11-06T12:00:00Z");
    assert_eq!(engine.submit_ndjson(&xp("e1", "ana", 10, now), now)[0].code(), "applied");
    let used = server
        .sql("SELECT count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = 'player'")
        .unwrap();
    assert_eq!(used, "t");

    for (tls, what) in
        [(Tls::default().roots(other.pem()), "another authority"), (Tls::default(), "those of the system")]
    {
        let error = refused(&url, tls_options(tls));
        assert!(matches!(error.kind, StoreErrorKind::Unavailable | StoreErrorKind::Misconfigured), "{what}: {error:?}");
    }
    // The certificate is for `localhost`.
    let elsewhere = url.replace("host=localhost", "host=example.org");
    let error = refused(&elsewhere, tls_options(Tls::default().roots(ours.pem())));
    assert!(
        matches!(error.kind, StoreErrorKind::Unavailable | StoreErrorKind::Misconfigured),
        "another name: {error:?}"
    );
    let plain = refused(&url, options("tls"));
    assert_eq!(plain.kind, StoreErrorKind::Misconfigured, "a server that wants TLS, and nobody offers it");
    let wrong = server.tls_url("wrong").unwrap();
    assert_eq!(refused(&wrong, tls_options(Tls::default().roots(ours.pem()))).kind, StoreErrorKind::Misconfigured);
    let nowhere = url.replace("dbname=postgres", "dbname=nowhere");
    assert_eq!(refused(&nowhere, tls_options(Tls::default().roots(ours.pem()))).kind, StoreErrorKind::Misconfigured);
}

#[test]
fn a_server_may_ask_for_a_certificate() {
    let authority = Authority::new().unwrap();
    let server = Postgres::start_tls(&authority, ClientCertificate::Required, PASSWORD, &[]).unwrap();
    let url = server.tls_url(PASSWORD).unwrap();
    let trusting = Tls::default().roots(authority.pem());
    let error = refused(&url, tls_options(trusting.clone()));
    assert!(matches!(error.kind, StoreErrorKind::Unavailable | StoreErrorKind::Misconfigured), "{error:?}");
    let us = authority.client("player").unwrap();
    let known = tls_options(trusting.client(us.certificate, us.key));
    PostgresStore::connect_blocking(&url, known).unwrap();
}

/// Who asks for TLS never goes on without.
#[test]
fn a_server_without_tls_learns_neither_name_nor_password() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 8];
        stream.read_exact(&mut request).unwrap();
        stream.write_all(b"N").unwrap();
        let mut rest = Vec::new();
        _ = stream.read_to_end(&mut rest);
        rest
    });
    let url = format!("host=localhost hostaddr=127.0.0.1 port={port} user=player password={PASSWORD} dbname=postgres");
    let error = refused(&url, tls_options(Tls::default()));
    assert!(matches!(error.kind, StoreErrorKind::Unavailable | StoreErrorKind::Misconfigured), "{error:?}");
    assert_eq!(heard.join().unwrap(), b"", "the connection ends there");
}
