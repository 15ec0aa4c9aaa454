//! How often a batch goes to the server and back.

use std::time::Duration;

use liveops_testbed::Proxy;

use crate::common::{game, line, open, options, send, server};

#[test]
fn a_batch_takes_two_round_trips() {
    for (players, partitions) in [(1, 1), (1, 64), (40, 64), (256, 64)] {
        let proxy = Proxy::start(server()).unwrap();
        let patient = options(&game("trips")).partitions(partitions).timeout(Duration::from_secs(10));
        let engine = open(&proxy.url(), patient);
        let lines = |round: usize| -> String {
            (0..players).map(|at| line(&format!("evt-{round}-{at}"), &format!("zoe-{at}"), 5)).collect()
        };
        // The first teaches the server its scripts.
        assert!(send(&engine, &lines(0)).iter().all(|code| code == "applied"));
        // A held back answer keeps one flight one, however long it is.
        proxy.delay(Duration::from_millis(30));
        proxy.watch("zoe-");
        let mut trips = Vec::new();
        for round in 1..=8 {
            let before = proxy.round_trips();
            assert!(send(&engine, &lines(round)).iter().all(|code| code == "applied"));
            // A look at the outbox may come in between, or be under way and take the batch's question along: it belongs to no batch.
            trips.push(proxy.round_trips() - before);
        }
        assert!(trips.contains(&2), "{players} players over {partitions} partitions: {trips:?}");
        assert_eq!(proxy.watched(), 16, "load and commit of 8 batches of {players} players");
    }
}
