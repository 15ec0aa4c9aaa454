//! TLS and passwords: who may come, who is believed, and what is said to whom.

use std::time::Duration;

use liveops_adapters::Tls;
use liveops_core::error::StoreError;
use liveops_redis::{Options, RedisStore};
use liveops_testbed::{Authority, ClientCertificate, Redis};

use crate::common::{Blocked, KEEPING, board, one, open, options, silent, store_failure, xp};

const PASSWORD: &str = "swordfish-77";

fn patient() -> Options {
    options("emberfall").timeout(Duration::from_secs(5))
}

fn connect(url: &str, tls: Option<Tls>) -> Result<Blocked, StoreError> {
    let options = patient();
    RedisStore::connect_blocking(url, if let Some(tls) = tls { options.tls(tls) } else { options })
}

#[test]
fn a_server_of_ones_own_authority_is_believed_and_no_other() {
    let (own, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let redis = Redis::start_tls(&own, ClientCertificate::NotAsked, KEEPING).unwrap();
    let url = redis.url();
    let engine = open(&url, patient().tls(Tls::default().roots(own.pem())));
    assert_eq!(one(&engine, "evt-0", "zoe", 5), "applied");
    assert_eq!(board(&engine), [("zoe".to_owned(), 5)]);
    for tls in [Some(Tls::default().roots(other.pem())), Some(Tls::default()), None] {
        assert_eq!(store_failure(connect(&url, tls)), "store_misconfigured");
    }
    // Without encryption there is nobody.
    let plain = url.replace("rediss:", "redis:");
    let code = store_failure(connect(&plain, None));
    assert!(["store_unavailable", "store_misconfigured"].contains(&code.as_str()), "{code}");
    assert_eq!(xp(&engine, "zoe"), 5);
}

#[test]
fn a_server_may_ask_its_clients_for_a_certificate() {
    let (own, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let redis = Redis::start_tls(&own, ClientCertificate::Required, KEEPING).unwrap();
    let roots = || Tls::default().roots(own.pem());
    let shown = own.client("game server").unwrap();
    let engine = open(&redis.url(), patient().tls(roots().client(shown.certificate, shown.key)));
    assert_eq!(one(&engine, "evt-0", "zoe", 5), "applied");
    let strange = other.client("somebody").unwrap();
    for tls in [roots(), roots().client(strange.certificate, strange.key)] {
        let code = store_failure(connect(&redis.url(), Some(tls)));
        assert!(["store_unavailable", "store_misconfigured"].contains(&code.as_str()), "{code}");
    }
}

#[test]
fn a_wrong_password_is_a_wrong_set_up() {
    let redis = Redis::start(&["--requirepass", PASSWORD]).unwrap();
    let engine = open(&redis.url_with(PASSWORD), patient());
    assert_eq!(one(&engine, "evt-0", "zoe", 5), "applied");
    for url in [redis.url(), redis.url_with("swordfish-78")] {
        assert_eq!(store_failure(connect(&url, None)), "store_misconfigured");
    }
    // Changed under us, it is refused as soon as there is a new connection.
    let as_root = ["-a", PASSWORD, "--no-auth-warning"];
    redis.cli(&[&as_root[..], &["config", "set", "requirepass", "swordfish-79"]].concat()).unwrap();
    let as_root = ["-a", "swordfish-79", "--no-auth-warning"];
    redis.cli(&[&as_root[..], &["client", "kill", "type", "normal", "skipme", "yes"]].concat()).unwrap();
    let codes: Vec<String> = (0..3).map(|_| one(&engine, "evt-1", "zoe", 5)).collect();
    assert_eq!(codes.last().unwrap(), "store_misconfigured", "{codes:?}");
}

#[test]
fn urls_that_lead_nowhere_are_not_repeated() {
    let urls = [
        "redis://zoe:swordfish@127.0.0.1:1",
        "redis+unix:///tmp/liveops-nobody/socket?pass=swordfish",
        "redis://swordfish@nobody.invalid",
        "rediss://:swordfish@127.0.0.1:1",
        "swordfish",
        "redis://[swordfish",
        "http://swordfish",
    ];
    for url in urls {
        let Err(error) = connect(url, None) else { panic!("somebody is there") };
        silent(&error);
        let Err(error) = RedisStore::connect_cluster_blocking(&[url.to_owned()], patient()) else {
            panic!("somebody is there")
        };
        silent(&error);
    }
    // What was set, shown for a log.
    let shown = format!("{:?}", patient().tls(Tls::default().client("swordfish", "swordfish")));
    assert!(!shown.contains("swordfish"), "{shown}");
}
