//! Listings by the page: everything once, whatever the page's length and the number of partitions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeSet;

use common::{START, as_inner, at, kill, player, progression, rules};
use liveops_core::engine::{ScanCursor, ScanPage, by_page};
use liveops_core::error::StoreError;
use liveops_core::record::{ChangeSet, CommitOutcome, Horizon, Kind};
use liveops_core::store::{Loaded, Partitioned};
use liveops_core::{Code, Engine, Error, Key, MemoryStore, PlayerId, Record, Scan, Store};

/// Three partitions, by the last letter of the player's name; each call answers at most five records, as a store may.
struct InThree(MemoryStore);

fn partition(player: &PlayerId) -> u16 {
    u16::from(*player.as_bytes().last().unwrap()) % 3
}

impl Store for InThree {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.0.load(keys)
    }
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.0.commit(batch)
    }
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.0.advance(to)
    }
    as_inner!(0);
}

impl Partitioned for InThree {
    fn partitions(&self) -> u16 {
        3
    }
}

impl Scan for InThree {
    fn scan(
        &self,
        of: u16,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        let all = common::records(&self.0).into_iter();
        let is_next = |key: &Key| {
            partition(key.player().unwrap()) == of
                && kind.is_none_or(|kind| key.kind() == Some(kind))
                && after.is_none_or(|after| key > after)
        };
        Ok(all.filter(|(key, _)| is_next(key)).take(limit.min(5)).collect())
    }
    fn scan_player(
        &self,
        player: &PlayerId,
        kind: Option<Kind>,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        self.0.scan_player(player, kind, after, limit.min(5))
    }
}

/// Twenty players, of whom every third is flagged twice.
fn play<S: Store>(store: S) -> Engine<S> {
    let engine = Engine::new(rules(), store);
    for n in 0..20 {
        let name = format!("p{n}");
        engine.submit(&progression("e1", &name, START, 250));
        if n % 3 == 0 {
            for event in ["k1", "k2"] {
                assert_eq!(engine.submit(&kill(event, &name, START, "ogre", 10)).code(), "applied");
            }
        }
    }
    engine
}

fn everything<T: std::fmt::Debug>(
    what: &str,
    page: impl Fn(Option<&ScanCursor>, usize) -> Result<ScanPage<T>, Error>,
    name: impl Fn(&T) -> String,
    expected: &[String],
) {
    for limit in [1, 2, 3, 5, 7, 100, usize::MAX] {
        let found: Result<Vec<_>, _> = by_page(|after| {
            let found = page(after, limit)?;
            assert!(found.items.len() <= limit, "{what}");
            // Through its text, as callers hand it out.
            let next = found.next.map(|next| next.to_string().parse().unwrap());
            Ok(ScanPage { next, ..found })
        })
        .collect();
        let found: Vec<_> = found.unwrap().iter().map(&name).collect();
        assert_eq!(found.len(), expected.len(), "{what} by {limit}: each once");
        assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected.iter().collect(), "{what} by {limit}");
    }
}

fn listings<S: Store + Scan>(engine: &Engine<S>) {
    let players: Vec<_> = engine.players().unwrap().iter().map(|player| player.player_id.to_string()).collect();
    assert!(players.len() == 20 && players.is_sorted());
    everything("players", |after, n| engine.players_page(after, n), |player| player.player_id.to_string(), &players);

    let suspicions: Vec<_> = engine.suspicions().unwrap();
    assert_eq!(suspicions.len(), 14);
    assert!(suspicions.is_sorted_by(|(a, m, _), (b, n, _)| (a, m) < (b, n)));
    let lines: Vec<_> = engine.suspicions_ndjson().unwrap().lines().map(|line| format!("{line}\n")).collect();
    let suspicions: Vec<_> = suspicions.iter().map(|(player, n, _)| format!("{player} {n}")).collect();
    everything(
        "suspicions",
        |a, n| engine.suspicions_page(a, n),
        |(player, n, _)| format!("{player} {n}"),
        &suspicions,
    );
    everything("lines", |after, n| engine.suspicions_ndjson_page(after, n), Clone::clone, &lines);

    let ana = player("p0");
    let receipts: Vec<_> = engine.receipts(&ana).unwrap().iter().map(|receipt| receipt.number.to_string()).collect();
    assert_eq!(receipts, ["1", "2"]);
    let page = |after: Option<&ScanCursor>, n: usize| engine.receipts_page(&ana, after, n);
    everything("receipts", page, |receipt| receipt.number.to_string(), &receipts);
    let whole = engine.export_player(&ana).unwrap();
    assert_eq!((whole.outcomes.len(), whole.receipts.len(), whole.suspicions.len()), (3, 2, 2));
    for limit in [1, 3, 100, usize::MAX] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = engine.export_player_page(&ana, after.as_ref(), limit).unwrap();
            let part = page.part;
            let lens = [part.receipts.len(), part.suspicions.len(), part.outcomes.len(), part.record.iter().len()];
            assert!(lens.iter().sum::<usize>() <= limit);
            found.push(part);
            let Some(next) = page.next else { break };
            after = Some(next.to_string().parse().unwrap());
        }
        assert_eq!(found.iter().find_map(|part| part.record.clone()), whole.record);
        assert_eq!(found.iter().flat_map(|part| part.receipts.clone()).collect::<Vec<_>>(), whole.receipts);
        assert_eq!(found.iter().flat_map(|part| part.suspicions.clone()).collect::<Vec<_>>(), whole.suspicions);
        assert_eq!(found.iter().flat_map(|part| part.outcomes.clone()).collect::<Vec<_>>(), whole.outcomes);
    }
}

#[test]
fn whatever_the_page_everything_is_met_once() {
    listings(&play(MemoryStore::new()));
    listings(&play(InThree(MemoryStore::new())));
}

#[test]
fn a_cursor_of_another_listing_is_refused() {
    let engine = play(InThree(MemoryStore::new()));
    let [a, b] = ["p0", "p3"].map(player);
    let players = engine.players_page(None, 1).unwrap().next.unwrap();
    let suspicions = engine.suspicions_page(None, 1).unwrap().next.unwrap();
    let receipts = engine.receipts_page(&a, None, 1).unwrap().next.unwrap();
    let invalid = |result: Result<(), Error>| assert_eq!(result.unwrap_err().code(), Code::CursorInvalid);
    invalid(engine.players_page(Some(&suspicions), 1).map(drop));
    invalid(engine.suspicions_page(Some(&players), 1).map(drop));
    invalid(engine.migrations_page(Some(&receipts), 1, at(START)).map(drop));
    invalid(engine.receipts_page(&a, Some(&players), 1).map(drop));
    invalid(engine.receipts_page(&b, Some(&receipts), 1).map(drop));
    invalid(engine.export_player_page(&b, Some(&receipts), 1).map(drop));
    assert_eq!(engine.migrations_page(Some(&players), 1, at(START)).unwrap().items, [], "players by any name");
    // Behind the last of the partitions, as they are now.
    let last = engine.players_page(None, 19).unwrap().next.unwrap();
    let one = play(MemoryStore::new());
    if one.partitions() < 3 {
        invalid(one.players_page(Some(&last), 1).map(drop));
    }
}

#[test]
fn an_error_ends_an_iteration() {
    let mut calls = 0;
    let mut pages = by_page::<u8>(|_| {
        calls += 1;
        Err(Code::StoreUnavailable.into())
    });
    assert!(pages.next().unwrap().is_err());
    assert!(pages.next().is_none());
    drop(pages);
    assert_eq!(calls, 1);
}
