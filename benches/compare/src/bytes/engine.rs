//! What the memory store keeps of a player and of an outcome, against the same in a Redis.

use std::sync::Arc;

use liveops_bench::Traffic;
use liveops_bench::traffic::RULES;
use liveops_compare::measure::Row;
use liveops_compare::redis::{Client, Reply};
use liveops_core::event::Parser;
use liveops_core::record::{ChangeSet, RecordRef};
use liveops_core::store::{Consumer, Feed as _, Happened};
use liveops_core::{Command, Engine, MemoryStore, Rules};
use liveops_testbed::Redis;

use crate::kept;

const PLAYERS: u64 = 200_000;
const FEW: u64 = 20_000;
const BATCH: usize = 1_000;
/// Outcomes of each player beyond the first.
const MORE: u64 = 4;
/// What an event of the traffic brings, and the boards that it is counted in.
const POINTS: &str = "50";
const BOARDS: usize = 3;
const FEED_LEN: usize = 10_000;

/// 200,000 players with one outcome and an entry in each of three boards, no receipts.
pub(crate) fn redis() -> Result<Row, String> {
    let ((engine, mut traffic), bytes) = {
        let (made, bytes) = kept(|| ours(PLAYERS));
        (made?, bytes)
    };
    let parser = engine.rules().door().parser();
    let ((), more) = kept(|| {
        for _ in 0..MORE {
            in_batches(traffic.one_of_each(&parser), |batch| _ = engine.submit_batch(&batch));
        }
    });
    drop(engine);
    let (few, few_bytes) = kept(|| ours(FEW));
    drop(few?);
    Ok(Row {
        name: "engine.bytes.redis",
        ours: bytes / PLAYERS as f64,
        peer: peer()? / PLAYERS as f64,
        unit: "bytes/player",
        // Memory waits for no processor.
        wait_percent: 0.0,
        more: vec![
            ("ours, an outcome more", more / (PLAYERS * MORE) as f64),
            ("ours, of 20,000 players", few_bytes / FEW as f64),
        ],
        ..Row::default()
    })
}

fn ours(players: u64) -> Result<(Engine<MemoryStore>, Traffic), String> {
    let (rules, parser) = rules()?;
    let (engine, mut traffic) = (Engine::new(rules, MemoryStore::new()), Traffic::new(players, 7));
    in_batches(traffic.one_of_each(&parser), |batch| _ = engine.submit_batch(&batch));
    Ok((engine, traffic))
}

/// Bytes of all keys that the bare script of `redis.event1.bare` would make of the same events, each looked at: events, players and
/// boards, without the stream. Tables of keys, and of those that expire, are not counted.
fn peer() -> Result<f64, String> {
    let (rules, parser) = rules()?;
    let (engine, mut traffic) = (Engine::new(rules, MemoryStore::with_feed(FEED_LEN)), Traffic::new(PLAYERS, 7));
    let consumer = Consumer::new("peer").map_err(text)?;
    engine.store().ack(&consumer, 0, 0).map_err(text)?;
    let server = Redis::start(&[])?;
    let mut client = Client::connect(&server)?;
    let mut sum = 0.0;
    let mut boards: Vec<String> = Vec::new();
    let mut failed = Ok(());
    in_batches(traffic.one_of_each(&parser), |batch| {
        if failed.is_ok() {
            failed = decided(&engine, &consumer, &batch)
                .and_then(|sets| write(&mut client, &sets, &mut boards).map(|bytes| sum += bytes));
        }
    });
    failed?;
    if boards.len() != BOARDS {
        return Err("other boards than three".to_owned());
    }
    for board in &boards {
        client.queue(&["MEMORY", "USAGE", board, "SAMPLES", "0"]);
    }
    Ok(sum + usage(&mut client)?)
}

/// What an engine in memory decided.
fn decided(
    engine: &Engine<MemoryStore>,
    consumer: &Consumer,
    batch: &[Command],
) -> Result<Vec<Arc<ChangeSet>>, String> {
    let store = engine.store();
    let before = store.last(0).map_err(text)?;
    engine.submit_batch(batch);
    let entries = store.feed(0, before, batch.len()).map_err(text)?;
    store.ack(consumer, 0, store.last(0).map_err(text)?).map_err(text)?;
    let sets = entries.into_iter().filter_map(|entry| match entry.what {
        Happened::Committed(set) => Some(set),
        _ => None,
    });
    Ok(sets.collect())
}

/// As the bare script does; the bytes of the keys of events and players.
fn write(client: &mut Client, sets: &[Arc<ChangeSet>], boards: &mut Vec<String>) -> Result<f64, String> {
    let mut keys = Vec::new();
    for set in sets {
        let [(id, outcome)] = set.outcomes.as_slice() else { return Err("not one outcome".to_owned()) };
        let (event, player) = (format!("{{bare}}:e:{}", id.id), format!("{{bare}}:p:{}", set.player));
        let (outcome, record) = (stored(RecordRef::Outcome(outcome)), stored(RecordRef::Player(&set.record)));
        client.queue::<&[u8]>(&[b"SET", event.as_bytes(), &outcome, b"EX", b"86400"]);
        let version = set.record.version.to_string();
        client.queue::<&[u8]>(&[b"HSET", player.as_bytes(), b"v", version.as_bytes(), b"s", &record]);
        for (key, _) in &set.shown {
            let board = format!("{{bare}}:b:{}:{}:{}", key.board, key.period.window.as_str(), key.period.index);
            client.queue(&["ZINCRBY", &board, POINTS, set.player.as_str()]);
            if !boards.contains(&board) {
                boards.push(board);
            }
        }
        keys.extend([event, player]);
    }
    client.send()?;
    for key in &keys {
        client.queue(&["MEMORY", "USAGE", key, "SAMPLES", "0"]);
    }
    usage(client)
}

fn usage(client: &mut Client) -> Result<f64, String> {
    let bytes = client.send()?.iter().map(Reply::integer).sum::<Option<i64>>();
    bytes.map(|bytes| bytes as f64).ok_or_else(|| "no memory usage".to_owned())
}

/// The traffic's, without what a level brings.
fn rules() -> Result<(Rules, Parser), String> {
    let mut document: serde_json::Value = serde_json::from_str(RULES).map_err(text)?;
    document["rewards"] = serde_json::json!({});
    let rules = Rules::from_json(&document.to_string()).map_err(text)?;
    let parser = rules.door().parser();
    Ok((rules, parser))
}

fn in_batches(mut commands: impl Iterator<Item = Command>, mut each: impl FnMut(Vec<Command>)) {
    loop {
        let batch: Vec<Command> = commands.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return;
        }
        each(batch);
    }
}

fn stored(record: RecordRef<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    record.encode_into(&mut bytes);
    bytes
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
