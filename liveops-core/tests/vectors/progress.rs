//! Experience, migrations, loot and receipts, each alone.

use std::num::NonZeroU64;

use liveops_core::hash::{Digest, unhex};
use liveops_core::progress::{
    Asked, AtMaxLevel, Boost, Floor, Keep, Levels, MigrationPolicy, Overflow, PlayerXp, Progression, Remainder,
    Remainders, Stacking, Streak, StreakStep, plan_migration,
};
use liveops_core::record::{sign_receipt, verify_receipt};
use liveops_core::reward::{Receipt, Roll, Scope, receipt_id, receipts_from_json, seed_commitment, verify_chain};
use liveops_core::signing::{Key, KeyRing, Secret};
use liveops_core::{Id, PlayerId, Rules};
use serde_json::{Value, json};

use super::case::{Case, text, time};

fn levels(curve: &Value) -> Levels {
    let rules = json!({ "version": 1, "game": "vectors", "progress": { "curve": curve } });
    Rules::from_json(&rules.to_string()).unwrap().progression().levels.clone()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("a number expected, not {value}"))
}

fn small(value: &Value) -> u32 {
    number(value).try_into().unwrap()
}

pub(crate) fn progress(case: &Case) {
    if case.get("curve").is_some() {
        return grants(case);
    }
    if let Some(streak) = case.get("streak") {
        let mut state = Streak::default();
        for day in streak["days"].as_array().unwrap() {
            let step = match state.step(day[0].as_i64().unwrap(), small(&streak["missedDaysMax"])) {
                StreakStep::Same => Value::Null,
                StreakStep::Day(day) => day.into(),
            };
            case.compare(&day[1], &step);
        }
        return case.compare(case.expect(), &json!(state));
    }
    let overflow = case.need("overflow");
    let every = NonZeroU64::new(number(&overflow["every"])).unwrap();
    let mut state = Overflow::default();
    for gathered in overflow["gathered"].as_array().unwrap() {
        state = state.gather(number(&gathered[0]), every).unwrap();
        case.compare(gathered, &json!([gathered[0], state.units, state.rest]));
    }
}

fn grants(case: &Case) {
    let boost = |boost: &Value| Boost {
        id: Id::new(text(&boost["id"])).unwrap(),
        from: time(&boost["fromMs"]),
        until: time(&boost["untilMs"]),
        factor: text(&boost["factor"]).parse().unwrap(),
    };
    let progression = Progression {
        at_max_level: match case.get("atMaxLevel").map_or("bank", text) {
            "bank" => AtMaxLevel::Bank,
            "discard" => AtMaxLevel::Discard,
            "convert" => AtMaxLevel::Convert,
            other => panic!("unknown atMaxLevel {other}"),
        },
        daily_xp_cap: case.get("dailyXpCap").map(number),
        boosts: case.get("boosts").and_then(Value::as_array).into_iter().flatten().map(boost).collect(),
        stacking: match case.get("boostStacking").map_or("multiply", text) {
            "multiply" => Stacking::Multiply,
            "add" => Stacking::Add,
            "highest" => Stacking::Highest,
            other => panic!("unknown boostStacking {other}"),
        },
        floor: case.get("floor").map(|floor| match text(floor) {
            "level" => Floor::Level,
            "zero" => Floor::Zero,
            other => panic!("unknown floor {other}"),
        }),
        ..Progression::new(levels(case.need("curve")))
    };
    let too_fine = case.get("tooFine").map(|at| usize::try_from(number(at)).unwrap());
    assert_eq!(progression.stacking.too_fine(&progression.boosts), too_fine, "{}", case.name());
    if too_fine.is_some() {
        return;
    }
    for step in case.need("grants").as_array().unwrap() {
        let [total, today, requested] = ["totalXp", "grantedToday", "requested"].map(|member| number(&step[member]));
        let asked = Asked { gains: requested, losses: step.get("losses").map_or(0, number) };
        let left_over = step.get("remainders");
        let mut kept = left_over.map_or_else(Remainders::default, |left_over| remainders(&left_over[0]));
        let ts = time(&step["tsMs"]);
        let alone = left_over.is_none() && asked.losses == 0;
        let settled = if alone {
            progression.grant(total, today, requested, ts)
        } else {
            progression.settle(total, today, asked, &mut kept, ts)
        };
        let actual = match settled {
            Ok(grant) => json!(grant),
            Err(error) => json!({ "error": error.code() }),
        };
        case.compare(&step["expect"], &actual);
        if let Some(left_over) = left_over {
            let kept: Vec<_> = kept.iter().map(|one| json!([one.factor(), one.rest()])).collect();
            case.compare(&left_over[1], &json!(kept));
        }
    }
}

fn remainders(left_over: &Value) -> Remainders {
    let all = left_over.as_array().unwrap().iter();
    Remainders::new(all.map(|one| Remainder::new(text(&one[0]), number(&one[1])).unwrap())).unwrap()
}

pub(crate) fn migration(case: &Case) {
    let [old, new] = ["old", "new"].map(|member| levels(case.need(member)));
    let written = case.need("policy");
    let keep = match text(&written["policy"]) {
        "keepTotalXp" => Keep::TotalXp,
        "keepLevelAndFraction" => Keep::LevelAndFraction,
        "keepEffort" => Keep::Effort,
        other => panic!("unknown policy {other}"),
    };
    let said = |member: &str| written.get(member).is_some_and(|said| said.as_bool().unwrap());
    let policy =
        MigrationPolicy { keep, never_lose_a_level: said("neverLoseALevel"), skip_rewards: said("skipRewards") };
    let player =
        |player: &Value| (PlayerXp { xp: number(&player[0]), granted_through: small(&player[1]) }, number(&player[2]));
    let players: Vec<_> = case.need("players").as_array().unwrap().iter().map(player).collect();
    let after = players.iter().map(|(player, _)| policy.apply(&old, &new, *player));
    let after: Vec<_> = after.map(|after| json!([after.xp, after.granted_through])).collect();
    let plan = plan_migration(&old, &new, policy, players);
    case.compare(case.expect(), &json!({ "after": after, "plan": plan }));
}

pub(crate) fn loot(case: &Case) {
    let rules = json!({ "version": 1, "game": "vectors", "loot": { "t": case.need("loot") } });
    let rules = match Rules::from_json(&rules.to_string()) {
        Ok(rules) => rules,
        Err(error) => {
            let actual = json!({ "error": { "path": error.path, "issue": error.issue } });
            return case.compare(case.expect(), &actual);
        }
    };
    let id = |text: &str| Id::new(text).unwrap();
    let (loot, expect) = (&rules.loot()[&id("t")], case.expect());
    let (table, player) = (id(case.text("table")), PlayerId::new(case.text("playerId")).unwrap());
    let seed: [u8; 32] = case.bytes_of_hex("seedHex").try_into().unwrap();
    let commitment = seed_commitment(&seed);
    let by_entry = |value: &dyn Fn(&Id) -> Value| -> Value {
        let entries = loot.entries().iter().map(|entry| (entry.name.to_string(), value(&entry.name)));
        Value::Object(entries.collect())
    };
    let rolls = expect["rolls"].as_array().unwrap_or_else(|| panic!("{} should fail", case.name()));
    let rolls: Vec<_> = rolls
        .iter()
        .map(|expected| {
            let (nonce, misses) = (number(&expected[0]), small(&expected[1]));
            let roll = loot.roll(&seed, &table, &player, nonce, misses);
            assert!(loot.verify_roll(&seed, commitment, &table, &player, misses, &roll));
            let later = Roll { nonce: nonce + 1, ..roll.clone() };
            let same = loot.roll(&seed, &table, &player, nonce + 1, misses).entry == roll.entry;
            assert_eq!(loot.verify_roll(&seed, commitment, &table, &player, misses, &later), same);
            json!([nonce, misses, roll.entry, roll.misses_after])
        })
        .collect();
    let actual = json!({
        "commitment": commitment,
        "odds": loot.odds(),
        "expectedRolls": by_entry(&|entry| json!(loot.expected_rolls(entry))),
        "items": by_entry(&|entry| json!(loot.items(entry))),
        "rolls": rolls,
    });
    case.compare(expect, &actual);
}

pub(crate) fn receipt(case: &Case) {
    if let Some(scope) = case.get("scope") {
        let id = |member| Id::new(case.text(member)).unwrap();
        let player = PlayerId::new(case.text("playerId")).unwrap();
        let (scope, index) = (read_scope(scope), small(case.need("index")));
        let found = receipt_id(case.text("game"), &player, &id("reward"), &scope, index);
        return case.compare(case.expect(), &json!({ "id": found }));
    }
    if let Some(receipt) = case.get("receipt") {
        let receipt = &read(&json!([receipt]))[0];
        let key = case.need("key");
        let secret = Secret::parse(text(&key["secret"])).unwrap();
        let ring = KeyRing::new([Key::new(Id::new(text(&key["id"])).unwrap(), &secret)]).unwrap();
        let tag = sign_receipt(&ring, receipt).unwrap();
        assert_eq!(verify_receipt(&ring, receipt, &text(&case.expect()["tag"]).parse().unwrap()), Ok(()));
        return case.compare(case.expect(), &json!({ "tag": tag.to_string() }));
    }
    let receipts = read(case.need("receipts"));
    let head = Digest(unhex(case.text("head")).unwrap().try_into().unwrap());
    let broken = verify_chain(&receipts, head).err().map(|broken| broken.number);
    let hashes: Vec<_> = receipts.iter().map(Receipt::hash).collect();
    let asked = case.expect().get("states").and_then(Value::as_array).into_iter().flatten();
    let states = asked.map(|asked| {
        let now = time(&asked[0]);
        json!([asked[0], receipts.iter().map(|receipt| receipt.state_at(now)).collect::<Vec<_>>()])
    });
    let states: Vec<_> = states.collect();
    case.compare(case.expect(), &json!({ "broken": broken, "hashes": hashes, "states": states }));
    // What is written again is what was read.
    case.compare(case.need("receipts"), &json!(receipts));
}

fn read(receipts: &Value) -> Vec<Receipt> {
    receipts_from_json(receipts.to_string().as_bytes()).unwrap()
}

/// By way of a receipt that has it.
fn read_scope(scope: &Value) -> Scope {
    let zeros = "00".repeat(32);
    let receipt = json!([{ "number": 1, "id": zeros, "reward": "r", "scope": scope, "items": [],
        "cause": { "origin": "event", "id": "e" }, "ts": 0, "rules": zeros, "previous": zeros }]);
    read(&receipt).remove(0).scope
}
