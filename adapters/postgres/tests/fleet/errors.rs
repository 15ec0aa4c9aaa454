//! What errors say: a kind and a code. No password, address, id or payload, in whatever way they are printed.

use std::fmt::Write as _;
use std::time::Duration;

use liveops_adapters::Tls;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::testing::EventBuilder;
use liveops_core::{Engine, Outcome};
use liveops_postgres::{Options, PostgresStore};
use liveops_testbed::{Authority, ClientCertificate, Fault, Postgres, Proxy};

use crate::game::{at, open, options, rules};

const PASSWORD: &str = "secret-password";
const PLAYER: &str = "secret-player";
const EVENT: &str = "secret-event";
const TEXT: &str = "secret-text";
const SECRETS: [&str; 9] =
    [PASSWORD, PLAYER, EVENT, TEXT, "secret-game", "secret-database", "secret-user", "127.0.0.1", "/tmp/"];

/// All that an error says, to whomever.
fn all_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = format!("{error}\n{error:?}\n{error:#?}");
    let mut next = error.source();
    while let Some(source) = next {
        _ = write!(said, "\n{source}\n{source:?}\n{source:#?}");
        next = source.source();
    }
    said
}

fn assert_discreet(error: &(dyn std::error::Error + 'static), what: &str) {
    let said = all_of(error);
    for secret in SECRETS {
        assert!(!said.contains(secret), "{what} says {secret}: {said}");
    }
}

fn refused(url: &str, options: Options, wanted: StoreErrorKind, what: &str) {
    let error: StoreError =
        PostgresStore::connect_blocking(url, options).err().unwrap_or_else(|| panic!("{what} is accepted"));
    assert_eq!(error.kind, wanted, "{what}: {error:?}");
    assert_discreet(&error, what);
}

#[test]
fn who_cannot_open_is_told_why_and_no_secrets() {
    use StoreErrorKind::{Misconfigured, Unavailable};

    let authority = Authority::new().unwrap();
    let server = Postgres::start_tls(&authority, ClientCertificate::NotAsked, PASSWORD, &[]).unwrap();
    let url = server.tls_url(PASSWORD).unwrap();
    let ours = || options("secret-game").timeout(Duration::from_secs(2)).tls(Tls::default().roots(authority.pem()));
    refused(&format!("host={PASSWORD} port=none"), ours(), Misconfigured, "no address at all");
    refused(&format!("postgres://secret-user:{PASSWORD}@[::1"), ours(), Misconfigured, "half an address");
    refused(&url.replace("dbname=postgres", "dbname=secret-database"), ours(), Misconfigured, "no such database");
    refused(&url.replace("user=player", "user=secret-user"), ours(), Misconfigured, "no such user");
    refused(&url.replace(PASSWORD, "secret-passwordd"), ours(), Misconfigured, "another password");
    refused(&url, options("secret-game"), Misconfigured, "no TLS");
    refused("host=127.0.0.1 port=1 user=secret-user", options("secret-game"), Unavailable, "nobody there");
    refused(&format!("host=/tmp/{TEXT} user=secret-user"), options("secret-game"), Unavailable, "no such socket");
    refused(&url, ours().tls(Tls::default().roots(TEXT)), Misconfigured, "no certificate");

    let plain = server.url();
    for (setting, what) in [("fsync", "no syncs"), ("full_page_writes", "half pages")] {
        let own = Postgres::start(&[&format!("{setting}=off")]).unwrap();
        refused(&own.url(), options("secret-game"), Misconfigured, what);
    }
    server.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'").unwrap();
    refused(
        &plain.replace("dbname=postgres", "dbname=latin"),
        options("secret-game"),
        Misconfigured,
        "another encoding",
    );
    server.sql("CREATE ROLE beggar LOGIN").unwrap();
    refused(&plain.replace("user=postgres", "user=beggar"), options("secret-game"), Misconfigured, "no rights");
}

/// Every way in which a commit or a load can fail here.
#[test]
fn whoever_fails_later_says_no_secrets_either() {
    let server = Postgres::start(&[]).unwrap();
    let proxy = Proxy::start(&server).unwrap();
    let game = "secret-game";
    let store = open(&proxy.url(), options(game).timeout(Duration::from_secs(1)));
    let engine = Engine::open(rules(game), store).unwrap();
    let now = at("2026-11-06T12:00:00Z");
    let submit = |id: &str| {
        let said = EventBuilder::new("said", PLAYER, now).id(id).field("text", TEXT).field("deltaXp", 5);
        engine.submit_ndjson(&said.body(), now).remove(0)
    };
    let fails = |id: &str, wanted: &str, what: &str| match submit(id) {
        Outcome::Refused(error) | Outcome::Unknown(error) => {
            assert_eq!(error.code().as_str(), wanted, "{what}: {error:?}");
            assert_discreet(&error, what);
        }
        other => panic!("{what}: {}", other.code()),
    };
    assert_eq!(submit("first").code(), "applied");
    proxy.order("secret-event-lost", 1, Fault::LoseReply);
    fails("secret-event-lost", "store_outcome_unknown", "a lost reply");
    proxy.order("secret-event-half", 0, Fault::HalfReply);
    fails("secret-event-half", "store_unavailable", "half an answer");

    // DETAIL of these holds the whole row.
    let check = |sql: &str| server.sql(sql).unwrap();
    check("ALTER TABLE liveops.player ADD CONSTRAINT few CHECK (xp < 7) NOT VALID");
    fails("secret-event-check", "store_corrupt", "a constraint of somebody else's");
    check("ALTER TABLE liveops.player DROP CONSTRAINT few");
    let trigger = |code: &str| {
        check(&format!(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               RAISE EXCEPTION '%', NEW.player USING ERRCODE = '{code}', DETAIL = '{TEXT}'; END $$;
             CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON liveops.outcome FOR EACH ROW EXECUTE FUNCTION refuse()"
        ));
    };
    for (code, wanted) in [
        ("53100", "store_full"),
        ("53200", "store_unavailable"),
        ("53300", "store_unavailable"),
        ("55P03", "store_unavailable"),
        ("57014", "store_unavailable"),
        ("25006", "store_unavailable"),
        ("40001", "store_unavailable"),
        ("40P01", "store_unavailable"),
        ("42501", "store_misconfigured"),
        ("42P01", "store_misconfigured"),
        ("23505", "store_corrupt"),
        ("XX001", "store_corrupt"),
        ("57P01", "store_outcome_unknown"),
        ("08006", "store_outcome_unknown"),
        ("XX000", "store_outcome_unknown"),
    ] {
        trigger(code);
        fails(&format!("{EVENT}-{code}"), wanted, code);
    }
    check("DROP TRIGGER refuse ON liveops.outcome");
    assert_eq!(submit("last").code(), "applied", "none of that stays");

    check("ALTER SYSTEM SET default_transaction_read_only = on");
    check("SELECT pg_reload_conf()");
    proxy.cut();
    for _ in 0..2 {
        if let Outcome::Refused(error) | Outcome::Unknown(error) = submit("secret-event-readonly") {
            assert_eq!(error.code().as_str(), "store_unavailable", "a server that only reads");
            assert_discreet(&error, "a server that only reads");
        }
    }
    check("ALTER SYSTEM RESET default_transaction_read_only");
    check("SELECT pg_reload_conf()");
    proxy.cut();
    _ = submit("again");
    assert_ne!(submit("secret-event-readonly").code(), "store_unavailable", "and writes again");
}
