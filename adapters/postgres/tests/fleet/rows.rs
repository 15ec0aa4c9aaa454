//! What stands in the tables is for ever: rows that a later version has to read. And plans, whatever is in them.

use liveops_core::{Command, Engine, EventId, Rules};

use crate::game::{at, fresh, open, options, player, server, xp};

/// Of this test alone: receipts name the rules that they were given under.
const RULES: &str = r#"{ "version": 1, "game": "golden",
  "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 60 } },
  "rewards": { "level-gold": { "on": { "everyLevels": 1 }, "grant": { "kind": "currency", "id": "gold", "amount": 100 } } },
  "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2 } } } }"#;

/// Bytes and columns as the first version wrote them.
#[test]
fn golden_rows() {
    let game = fresh("golden");
    let engine = Engine::open(Rules::from_json(RULES).unwrap(), open(&server().url(), options(&game))).unwrap();
    let now = at("2026-11-06T12:00:00Z");
    assert_eq!(engine.submit_ndjson(&xp("e1", "ana", 120, now), now)[0].code(), "applied");
    let order = Command::adjust(EventId::new("o1").unwrap(), player("bo"), now, 5, "a present").unwrap();
    assert_eq!(engine.submit(&order).code(), "applied");
    let of = format!("game = (SELECT id FROM liveops.game WHERE name = '{game}')");
    let rows = |columns: &str, table: &str, order: &str| {
        server().sql(&format!("SELECT {columns} FROM liveops.{table} WHERE {of} ORDER BY {order}")).unwrap()
    };
    let player =
        "player, version, mark, remembered, xp, level, receipts, newest_ts, hidden, erased, encode(record, 'hex')";
    let found = [
        ("player", rows(player, "player", "player")),
        ("outcome", rows("player, origin, id, ts, encode(record, 'hex')", "outcome", "player, origin, id")),
        ("receipt", rows("player, number, reward, state, ts, encode(record, 'hex')", "receipt", "player, number")),
        ("outbox", rows("kind, encode(told, 'hex')", "outbox", "cursor")),
    ];
    let found: Vec<String> = found.map(|(table, rows)| format!("# {table}\n{}\n", rows.trim())).into();
    let found = found.concat();
    assert_eq!(found, include_str!("golden.txt"), "what was stored once is read for ever:\n{found}");
}

/// Each statement of a round looks rows up by their whole key, also in tables that the planner believes to be empty.
#[test]
fn plans_need_no_statistics() {
    let commit = include_str!("../../src/sql/commit.sql");
    let load = include_str!("../../src/sql/load.sql");
    let scan = include_str!("../../src/sql/scan.sql");
    let tail = include_str!("../../src/sql/tail.sql");
    drop(open(&server().url(), options(&fresh("plans"))));
    for (name, sql) in [("commit", commit), ("load", load), ("scan", scan), ("tail", tail)] {
        let prepared = format!("{name}_plan");
        let values =
            (1..=99).take_while(|n| sql.contains(&format!("${n}"))).map(|_| "NULL").collect::<Vec<_>>().join(", ");
        let plan = server()
            .sql(&format!(
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; PREPARE {prepared} AS {sql}; \
                 EXPLAIN (COSTS OFF) EXECUTE {prepared}({values})"
            ))
            .unwrap();
        for line in plan.lines() {
            assert!(!line.contains("Seq Scan"), "{name} reads a whole table: {plan}");
            // A look-up by the game alone is a scan of the game.
            let alone = line.contains("Index Cond:") && line.contains("(game = $1)") && !line.contains(" AND ");
            let small = ["consumer"].iter().any(|table| plan.contains(table));
            assert!(!alone || (small && name == "commit"), "{name} reads a whole game: {line} in {plan}");
        }
    }
}
