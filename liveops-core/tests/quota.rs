//! Quotas as users see them: at the door, and under a store that fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::intake::Request;
use liveops_core::quota::{Decision, Quota, QuotaStore};
use liveops_core::signing::Headers;
use liveops_core::{Code, Intake, Rules, Timestamp};

const NOW_SECONDS: i64 = 1_794_052_800;
const BODY: &[u8] = br#"{"id":"e","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":1}}"#;

/// One event a minute from a player, two from an address.
fn intake(store: Option<Arc<dyn QuotaStore>>) -> Intake {
    let rules = br#"{ "version": 1, "game": "emberfall", "door": { "quotas": [
        { "per": "player", "limit": 1, "periodSeconds": 60 }, { "per": "ip", "limit": 2, "periodSeconds": 60 },
        { "per": "player", "limit": 100, "periodSeconds": 86400 } ] } }"#;
    let builder = Intake::builder(Rules::from_json(std::str::from_utf8(rules).unwrap()).unwrap().door()).trusted();
    store.into_iter().fold(builder, liveops_core::intake::IntakeBuilder::quota_store).build().unwrap()
}

#[test]
fn a_refusal_at_the_door_names_whose_quota_it_was() {
    let intake = intake(None);
    let now = Timestamp::from_unix_seconds(NOW_SECONDS);
    let send = || intake.admit_request(&Request::new(Headers::default(), BODY).from_address("192.0.2.1"), now);
    assert!(send().is_ok());
    let by_player = send().unwrap_err();
    assert_eq!((by_player.code(), by_player.scope), (Code::RateLimited, "player"));
    let told = [
        ("Content-Type", "application/problem+json"),
        ("RateLimit-Policy", r#""player";q=1;w=60"#),
        ("RateLimit", r#""player";r=0;t=60"#),
        ("X-RateLimit-Limit", "1"),
        ("X-RateLimit-Window", "60"),
        ("X-RateLimit-Remaining", "0"),
        ("Retry-After", "60"),
    ];
    assert_eq!(by_player.headers(), told.map(|(name, value)| (name, value.to_owned())), "of two, the one that refused");
    let by_address = send().unwrap_err();
    assert_eq!(by_address.scope, "ip");
    assert!(by_address.headers().contains(&("RateLimit-Policy", r#""ip";q=2;w=60"#.to_owned())));
}

/// Says nothing but that it is down.
struct Down(StoreErrorKind);

impl QuotaStore for Down {
    fn check_all(&self, _: &[(Quota, &str)], _: u32, _: Timestamp) -> Result<Decision, StoreError> {
        Err(self.0.into())
    }
}

struct OpenWhenDown<S>(S);

impl<S: QuotaStore> QuotaStore for OpenWhenDown<S> {
    fn check_all(&self, requests: &[(Quota, &str)], cost: u32, now: Timestamp) -> Result<Decision, StoreError> {
        self.0.check_all(requests, cost, now).or_else(|_| Ok(Decision::unlimited()))
    }
}

#[test]
fn a_store_that_is_down_refuses_unless_it_is_wrapped() {
    let now = Timestamp::from_unix_seconds(NOW_SECONDS);
    for (kind, code) in [
        (StoreErrorKind::Unavailable, Code::StoreUnavailable),
        (StoreErrorKind::OutcomeUnknown, Code::StoreOutcomeUnknown),
    ] {
        let closed = intake(Some(Arc::new(Down(kind)))).admit(&Headers::default(), BODY, now).unwrap_err();
        assert_eq!((closed.code(), closed.http_status(), closed.decision), (code, 503, None));
        let open = intake(Some(Arc::new(OpenWhenDown(Down(kind)))));
        assert!((0..3).all(|_| open.admit(&Headers::default(), BODY, now).is_ok()));
    }
}

fn door(quotas: &str) -> liveops_core::rules::Door {
    Rules::from_json(&format!(r#"{{ "version": 1, "game": "emberfall", "door": {{ "quotas": [{quotas}] }} }}"#))
        .unwrap()
        .door()
}

/// How many of these many events of one player are let in at one moment.
fn let_in(intake: &Intake, events: usize) -> usize {
    let now = Timestamp::from_unix_seconds(NOW_SECONDS);
    (0..events).filter(|_| intake.admit(&Headers::default(), BODY, now).is_ok()).count()
}

#[test]
fn what_was_used_outlives_replaced_rules() {
    let daily = |limit: u32| format!(r#"{{ "per": "player", "limit": {limit}, "periodSeconds": 86400 }}"#);
    let named = |limit: u32, period: u32| {
        format!(r#"{{ "id": "x", "per": "player", "limit": {limit}, "periodSeconds": {period} }}"#)
    };
    for (before, after, more) in [
        (daily(1000), daily(10), 0),
        (daily(1000), daily(1001), 1),
        (named(1000, 86_400), named(1002, 3600), 2),
        (named(1000, 86_400), named(10, 604_800), 0),
        // Another name is another quota.
        (named(1000, 86_400), daily(3), 3),
    ] {
        let intake = Intake::builder(door(&before)).trusted().build().unwrap();
        assert_eq!(let_in(&intake, 1001), 1000);
        intake.replace(&door(&after));
        assert_eq!(let_in(&intake, 20), more, "{before} {after}");
    }
}

/// Rules of before names have them: of several for one period, each counts on its own.
#[test]
fn quotas_of_one_period_count_apart() {
    let both = r#"{ "per": "player", "limit": 30, "periodSeconds": 60, "burst": 9 },
        { "per": "player", "limit": 15, "periodSeconds": 60, "burst": 12 }"#;
    let intake = Intake::builder(door(both)).trusted().build().unwrap();
    assert_eq!(let_in(&intake, 20), 9);
    let names: Vec<_> = door(both).quotas().iter().map(|quota| quota.quota.name()).collect();
    assert_ne!(names[0], names[1]);
}

/// Every process counts by itself; with its share of the quota, all together let through what one alone does.
#[test]
fn processes_with_a_share_each_let_through_the_whole() {
    let (few, many) = [10, 60]
        .map(|limit| format!(r#"{{ "id": "x", "per": "player", "limit": {limit}, "periodSeconds": 60, "burst": 9 }}"#))
        .into();
    for processes in [1_usize, 3] {
        let share = u32::try_from(processes).unwrap();
        let intake = |_| Intake::builder(door(&few)).trusted().quota_share(share).build().unwrap();
        let intakes: Vec<Intake> = (0..processes).map(intake).collect();
        // Replaced rules are shared, too.
        for intake in &intakes {
            intake.replace(&door(&many));
        }
        let start = Timestamp::from_unix_seconds(NOW_SECONDS);
        let at = |tenth: usize| start.plus_millis(i64::try_from(tenth).unwrap() * 100);
        let admit = |tenth: usize| intakes[tenth % processes].admit(&Headers::default(), BODY, at(tenth)).is_ok();
        let let_in = (0..1_200).filter(|tenth| admit(*tenth)).count();
        // Each may be about to let its next one in.
        assert!((128 - processes..=128).contains(&let_in), "{processes}: {let_in}");
    }
}
