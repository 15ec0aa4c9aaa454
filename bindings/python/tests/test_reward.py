"""Loot, receipts and what is claimed and revoked."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

import liveops
from conftest import NOW_MS, event

SEED = bytes(range(32))
HOUR_MS = 3_600_000

GOLD: dict[str, Any] = {"kind": "currency", "id": "gold", "amount": 100}
RULES: dict[str, Any] = {
    "version": 1,
    "game": "emberfall",
    "progress": {
        "curve": {"kind": "linear", "base": 100, "step": 0, "maxLevel": 9},
        "streaks": {"daily": {"on": "progression"}},
    },
    "rewards": {
        "level-gold": {"on": {"everyLevels": 1}, "grant": GOLD},
        "crate": {"on": {"level": 2}, "claimWithinSeconds": 3600, "grant": {"kind": "item", "id": "crate", "amount": 1}},
        "day": {"on": {"streak": "daily", "day": 1}, "grant": {"kind": "currency", "id": "dust", "amount": 5}},
    },
}


@pytest.fixture
def engine() -> liveops.Engine:
    return liveops.Engine(liveops.Rules.from_json(json.dumps(RULES)))


@pytest.fixture
def crate(engine: liveops.Engine) -> liveops.Receipt:
    """One that waits."""
    [waiting] = engine.submit_ndjson(event(xp=120), now_ms=NOW_MS)[0].unwrap().claimable
    return waiting


# Loot.


def chest(**more: Any) -> liveops.Loot:
    crown = liveops.LootEntry("crown", 1, (liveops.Item("item", "crown", 1),))
    return liveops.Loot([liveops.LootEntry("scale", 99), crown], **more)


PITY = liveops.Pity("crown", 50)


def test_a_table_tells_what_it_is() -> None:
    dust = liveops.Item("currency", "dust", 3)
    table = chest(guaranteed=[dust], pity=PITY)
    assert [entry.name for entry in table.entries] == ["crown", "scale"]
    assert (table.guaranteed, table.pity, len(table)) == ([dust], PITY, 2)
    crown, scale = Decimal("0.0253168445589315"), Decimal("0.974683155441069")
    assert table.odds() == [liveops.Odds("crown", 1, 100, crown), liveops.Odds("scale", 99, 100, scale)]
    assert [liveops.Odds.from_dict(odds.to_dict()) for odds in table.odds()] == table.odds()
    assert table.odds()[0].to_dict()["longRun"] == "0.0253168445589315"
    assert chest().odds()[0].long_run == Decimal("0.01")
    # A fortieth of all, as the table gives it: nothing to the long run, too many for the weight alone.
    counted = [liveops.DropRate(odds).observe(5_000, 127).is_anomaly for odds in (0.01, float(crown))]
    assert counted == [True, False]
    assert table.items("crown") == [dust, liveops.Item("item", "crown", 1)] and table.items("scale") == [dust]
    assert table.expected_rolls("crown") == Decimal("39.499393")
    assert chest().expected_rolls("crown") == 100 and isinstance(chest().expected_rolls("crown"), Decimal)
    assert chest(pity=liveops.Pity("crown", 1)).expected_rolls("scale") is None, "it never comes"
    assert pickle.loads(pickle.dumps(table)) == table != chest()
    assert repr(table) == "Loot(entries=2, pity='crown' at 50)" and repr(chest()) == "Loot(entries=2)"
    for call in (table.items, table.expected_rolls):
        with pytest.raises(liveops.ArgumentError, match="no such entry"):
            call("moon")


def test_rolls_repeat_and_are_verified() -> None:
    table = chest(pity=PITY)
    of: dict[str, Any] = {"seed": SEED, "table": "chest", "player_id": "ana"}
    commitment = liveops.loot_seed_commitment(SEED)
    misses = 0
    rolls = []
    for nonce in range(500):
        roll = table.roll(**of, nonce=nonce, misses=misses)
        assert roll == table.roll(**of, nonce=nonce, misses=misses)
        assert table.verify_roll(roll, commitment=commitment, **of, misses=misses)
        misses = roll.misses_after
        rolls.append(roll)
        assert misses < 50
    counts = Counter(roll.entry for roll in rolls)
    assert 10 <= counts["crown"] < 30 and counts.total() == 500
    roll = rolls[7]
    assert liveops.Roll.from_dict(roll.to_dict()) == pickle.loads(pickle.dumps(roll)) == roll
    assert roll.to_dict()["missesAfter"] == roll.misses_after
    proof = {**of, "commitment": commitment, "misses": rolls[6].misses_after}
    assert table.verify_roll(roll, **proof)
    for wrong in ({"seed": bytes(32)}, {"commitment": "00" * 32}, {"misses": 49}, {"misses": 4}):
        assert not table.verify_roll(roll, **{**proof, **wrong})
    assert not table.verify_roll(liveops.Roll("moon", roll.nonce, roll.misses_after), **proof)


def test_tables_refuse() -> None:
    entry = liveops.LootEntry
    big = entry("b", 2**53 - 1)
    refused: list[tuple[list[liveops.LootEntry], dict[str, Any], str]] = [
        ([], {}, "too_short"),
        ([entry("a", 1), entry("a", 2)], {}, "duplicate_key"),
        ([entry("a", 0)], {}, "out_of_range"),
        ([entry("a", -1)], {}, "out_of_range"),
        ([entry("a", 1), big], {}, "out_of_range"),
        ([entry("a", 1)], {"pity": liveops.Pity("b", 5)}, "missing"),
        ([entry("a", 1)], {"pity": liveops.Pity("a", 0)}, "out_of_range"),
        ([entry("a", 1)], {"pity": liveops.Pity("a", 10_001)}, "out_of_range"),
        ([entry("a b", 1)], {}, "id_invalid"),
        ([entry("a", 1, (liveops.Item("k", "i", 0),))], {}, "out_of_range"),
        ([entry("a", 1, (liveops.Item("k", "i", -1),))], {}, "out_of_range"),
        ([entry("a", 1)], {"guaranteed": [liveops.Item("k", "", 1)]}, "id_invalid"),
        ([entry(f"e{n}", 1) for n in range(1_001)], {}, "too_long"),
    ]
    for entries, more, code in refused:
        with pytest.raises(liveops.ArgumentError) as error:
            liveops.Loot(entries, **more)
        assert error.value.code == code, (entries, more)
    with pytest.raises(liveops.ArgumentError, match="at most 1000"):
        liveops.Loot(entry(f"e{n}", 1) for n in count())
    half: Any = 1.5
    others: list[Any] = [7, None, [("a", 1)], ["a"], [entry("a", half)], [entry("a", True)], [entry(half, 1)]]
    for wrong in (*others, [entry("a", 1, half)]):
        with pytest.raises(TypeError):
            liveops.Loot(wrong)
    mores: list[Any] = [{"pity": ("a", 5)}, {"pity": liveops.Pity("a", half)}, {"guaranteed": [GOLD]}]
    for more in (*mores, {"guaranteed": half}):
        with pytest.raises(TypeError):
            liveops.Loot([entry("a", 1)], **more)


def test_rolls_refuse() -> None:
    of: dict[str, Any] = {"seed": SEED, "table": "chest", "player_id": "ana", "nonce": 0, "misses": 0}
    refused: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"seed": bytes(31)}, liveops.ArgumentError),
        ({"seed": "x" * 32}, TypeError),
        ({"table": ""}, liveops.ArgumentError),
        ({"player_id": "a b"}, liveops.ArgumentError),
        ({"nonce": -1}, liveops.ArgumentError),
        ({"misses": 2**32}, liveops.ArgumentError),
        ({"misses": 1.0}, TypeError),
    ]
    for wrong, error in refused:
        with pytest.raises(error):
            chest().roll(**{**of, **wrong})
    with pytest.raises(TypeError, match="misses"):
        chest().roll(seed=SEED, table="chest", player_id="ana", nonce=0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="a Roll is meant"):
        chest().verify_roll("crown", seed=SEED, commitment="00" * 32, table="t", player_id="p", misses=0)  # type: ignore[arg-type]
    with pytest.raises(liveops.ArgumentError, match="64 hex digits"):
        chest().verify_roll(liveops.Roll("a", 0, 0), seed=SEED, commitment="00", table="t", player_id="p", misses=0)


def test_tables_by_the_grammar_of_rules(rules: liveops.Rules) -> None:
    crown = {"weight": 1, "grant": {"kind": "item", "id": "crown", "amount": 1}}
    wire = {"entries": {"crown": crown, "scale": {"weight": 99}}, "pity": {"entry": "crown", "guaranteedAt": 50}}
    assert liveops.Loot.from_dict(wire) == chest(pity=PITY)
    assert list(rules.loot) == ["chest"] and rules.loot["chest"].odds() == rules.odds("chest")
    refused: list[tuple[dict[str, Any], str]] = [
        ({"entries": {"crown": {"weight": 1.5}}}, "/entries/crown/weight"),
        ({"entries": {}}, ""),
        ({"entries": {"a": {"weight": 1}}, "pity": {"entry": "a"}}, "/pity/guaranteedAt"),
    ]
    for wrong, path in refused:
        with pytest.raises(liveops.RulesError) as error:
            liveops.Loot.from_dict(wrong)
        assert error.value.path == path
    with pytest.raises(TypeError):
        liveops.Loot.from_dict([])  # type: ignore[arg-type]


def rolling(**more: Any) -> liveops.Rules:
    """Every event rolls."""
    rewards = {"chest": {"on": {"event": "progression"}, "loot": "chest", **more}}
    entries = {name: {"weight": 1, "grant": {**GOLD, "id": name}} for name in ("a", "b", "c")}
    loot = {"chest": {"entries": entries, "pity": {"entry": "a", "guaranteedAt": 3}}}
    return liveops.Rules.from_json(json.dumps({"version": 1, "game": "emberfall", "rewards": rewards, "loot": loot}))


def rolled(engine: liveops.Engine, id: str, player: str = "ana") -> liveops.Receipt:
    effect = engine.submit_ndjson(event(id, player), now_ms=NOW_MS)[0].unwrap()
    [receipt] = effect.receipts + effect.claimable
    return receipt


def test_what_an_engine_rolled_is_verified_by_the_table_alone() -> None:
    rules = rolling().with_loot_seed(SEED)
    commitment = rules.loot_commitment
    assert commitment == liveops.loot_seed_commitment(SEED)
    assert rolling().loot_commitment is None, "of the game's name alone: nothing to commit to"
    engine, table = liveops.Engine(rules), rules.loot["chest"]
    receipts = [rolled(engine, f"e{n}") for n in range(30)]
    proof: dict[str, Any] = {"seed": SEED, "commitment": commitment, "player_id": "ana"}
    misses = 0
    for n, receipt in enumerate(receipts):
        roll = receipt.roll
        assert roll == liveops.RollProof("chest", receipt.items[0].id, NOW_MS + n, misses), "no number is left out"
        alone = table.roll(seed=SEED, table=roll.table, player_id="ana", nonce=roll.nonce, misses=roll.misses)
        misses = alone.misses_after
        assert (alone.entry, table.items(roll.entry)) == (roll.entry, list(receipt.items))
        assert rules.verify_roll(**proof, table="chest", nonce=roll.nonce, misses=roll.misses, entry=roll.entry)
        for form in (receipt, receipt.to_dict(), liveops.Receipt.from_dict(receipt.to_dict())):
            assert table.verify_receipt(form, **proof)
    first = receipts[0]
    assert first.roll is not None
    for wrong in ({"seed": bytes(32)}, {"commitment": "00" * 32}):
        assert not table.verify_receipt(first, **{**proof, **wrong})
    assert not all(table.verify_receipt(receipt, **{**proof, "player_id": "bo"}) for receipt in receipts)
    wire = first.to_dict()
    forged: list[dict[str, Any]] = [
        {"items": [{**wire["items"][0], "amount": 1_000}]},
        {"items": []},
        {"roll": None},
        {"roll": {**wire["roll"], "entry": "moon"}},
        {"roll": {**wire["roll"], "entry": "abc".replace(first.roll.entry, "")[0]}},
    ]
    for change in forged:
        assert not table.verify_receipt(wire | change, **proof), change
    assert not chest().verify_receipt(first, **proof), "of another table"


def test_receipts_keep_how_they_were_rolled() -> None:
    engine = liveops.Engine(rolling(claimWithinSeconds=3600).with_loot_seed(SEED), feed=9)
    [outcome] = outcomes = engine.submit_ndjson(event(xp=120), now_ms=NOW_MS)
    [waiting] = outcome.unwrap().claimable
    [given] = engine.submit(liveops.Command.claim("ana", waiting, now_ms=NOW_MS)).unwrap().receipts
    rolled(engine, "e2")
    proof: dict[str, Any] = {"seed": SEED, "commitment": engine.rules.loot_commitment, "player_id": "ana"}
    for receipt in (waiting, given):
        wire = receipt.to_dict()
        assert isinstance(receipt.roll, liveops.RollProof)
        told = {"table": "chest", "entry": receipt.items[0].id, "nonce": NOW_MS, "misses": 0}
        assert wire["roll"] == receipt.roll.to_dict() == told
        copies = [liveops.Receipt.from_dict(json.loads(json.dumps(wire))), pickle.loads(pickle.dumps(receipt))]
        assert copies == [receipt] * 2 and {hash(copy) for copy in copies} == {hash(receipt)}
        assert all(engine.rules.loot["chest"].verify_receipt(copy, **proof) for copy in copies)
    assert pickle.loads(pickle.dumps(outcomes)) == outcomes
    assert pickle.loads(pickle.dumps(outcome)).effect == outcome.unwrap()
    assert liveops.Effect.from_dict(outcome.unwrap().to_dict()) == outcome.unwrap()
    assert outcome.to_dict()["effect"]["claimable"] == [waiting.to_dict()]
    assert [entry.receipts[0].roll for entry in [*engine.feed()][:2] if isinstance(entry, liveops.FeedEntry)] == [waiting.roll] * 2
    assert engine.export_player("ana")["receipts"] == [receipt.to_dict() for receipt in engine.receipts("ana")]
    restored = liveops.Engine.restore(engine.rules, engine.snapshot())
    assert restored.receipts("ana") == engine.receipts("ana")
    # It is part of the chain, of the hash and of signatures.
    receipts, head = engine.receipts("ana"), engine.chain_head("ana")
    wires = [receipt.to_dict() for receipt in receipts]
    assert liveops.verify_chain(receipts, head) is liveops.verify_chain(json.dumps(wires), head) is None
    keys = [liveops.Key("2026", liveops.generate_secret())]
    tag = liveops.sign_receipt(given, keys)
    liveops.verify_receipt(waiting, tag, keys)
    others = [{**wires[0]["roll"], **change} for change in ({"nonce": 7}, {"misses": 1}, {"entry": "z"}, {"table": "z"})]
    for roll in (None, *others):
        forged = wires[0] | {"roll": roll}
        assert liveops.verify_chain([forged, wires[1]], head) == given.number
        assert liveops.Receipt.from_dict(forged).hash() != given.hash()
        with pytest.raises(liveops.SignatureError):
            liveops.verify_receipt(forged, tag, keys)
    # None where nothing was rolled.
    plain = liveops.Engine(liveops.Rules.from_json(json.dumps(RULES))).submit_ndjson(event(xp=120), now_ms=NOW_MS)
    assert all(receipt.roll is None and "roll" not in receipt.to_dict() for receipt in plain[0].unwrap().receipts)


def test_new_rules_keep_the_seed() -> None:
    engine = liveops.Engine(rolling().with_loot_seed(SEED))
    commitment = engine.rules.loot_commitment
    other = rolling(claimWithinSeconds=60)
    assert other.loot_commitment is None
    assert [warning.code for warning in other.warnings()] == ["foreseeable"]
    for replaced in (engine.replace_rules(other), engine.replace_rules(other, now_ms=NOW_MS)):
        assert "added" in replaced and engine.rules.loot_commitment == commitment
    proof: dict[str, Any] = {"seed": SEED, "commitment": commitment, "player_id": "ana"}
    assert engine.rules.loot["chest"].verify_receipt(rolled(engine, "e1"), **proof)
    engine.replace_rules(other.with_loot_seed(bytes(32)))
    assert engine.rules.loot_commitment == liveops.loot_seed_commitment(bytes(32)), "they have one of their own"
    assert engine.rules.warnings() == []
    assert liveops.Engine.restore(other, engine.snapshot()).rules.loot_commitment is None


def test_verifying_receipts_refuses() -> None:
    rules = rolling()
    receipt = rolled(liveops.Engine(rules), "e1")
    proof: dict[str, Any] = {"seed": SEED, "commitment": "00" * 32, "player_id": "ana"}
    refused: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"seed": bytes(31)}, liveops.ArgumentError),
        ({"seed": "x" * 32}, TypeError),
        ({"commitment": "00"}, liveops.ArgumentError),
        ({"player_id": "a b"}, liveops.ArgumentError),
        ({"receipt": None}, TypeError),
        ({"receipt": receipt.roll and receipt.roll.entry}, TypeError),
        ({"receipt": receipt.roll}, liveops.ValidationError),
        ({"receipt": {}}, liveops.ValidationError),
    ]
    for wrong, error in refused:
        with pytest.raises(error):
            rules.loot["chest"].verify_receipt(**{"receipt": receipt, **proof, **wrong})
    with pytest.raises(TypeError, match="player_id"):
        rules.loot["chest"].verify_receipt(receipt, seed=SEED, commitment="00" * 32)  # type: ignore[call-arg]


# Claims and claw-backs.


def test_claims(engine: liveops.Engine, crate: liveops.Receipt) -> None:
    [first] = engine.submit_ndjson(event(xp=120), now_ms=NOW_MS)
    effect = first.unwrap()
    assert first.status == "replayed" and effect.claimable == (crate,)
    assert effect.to_dict()["claimable"] == [crate.to_dict()]
    assert "crate" not in [receipt.reward for receipt in effect.receipts], "nothing is given yet"
    assert pickle.loads(pickle.dumps(first)) == first
    assert pickle.loads(pickle.dumps(first)).effect.claimable == (crate,)
    assert liveops.Effect.from_dict(effect.to_dict()) == effect

    assert (crate.state, crate.claim_until, crate.settled_at) == ("claimable", NOW_MS + HOUR_MS, None)
    states = [crate.state_at(now) for now in (0, NOW_MS + HOUR_MS - 1, NOW_MS + HOUR_MS)]
    assert states == ["claimable", "claimable", "expired"]
    assert crate.state_at(datetime.fromtimestamp(NOW_MS / 1000 + 3600, timezone.utc)) == "expired"

    command = liveops.Command.claim("ana", crate, now_ms=NOW_MS + 1)
    assert command == liveops.Command.claim("ana", (crate.number, crate.id), now_ms=NOW_MS + 1)
    assert command == liveops.Command.claim("ana", crate.to_dict(), now_ms=NOW_MS + 1)
    assert command == liveops.Command.claim("ana", command.payload["receipt"], now_ms=NOW_MS + 1)
    assert command.payload == {"receipt": {"number": crate.number, "id": crate.id}}
    assert (command.type, command.origin, len(command.id)) == ("claim", "operator", 32)
    assert command.to_dict()["type"] == "claim"
    claimed = engine.submit(command)
    [given] = claimed.unwrap().receipts
    assert (given.state, given.settled_at, given.hash()) == ("claimed", NOW_MS + 1, crate.hash())
    assert given.state_at(2**50) == "claimed"
    assert pickle.loads(pickle.dumps(claimed)).effect.receipts == (given,)
    assert engine.submit(command).status == "replayed"
    again = engine.submit(liveops.Command.claim("ana", given, now_ms=NOW_MS + 2))
    assert (again.status, again.unwrap().receipts) == ("replayed", (given,))
    assert engine.receipts("ana")[crate.number - 1] == given


def gold_of(engine: liveops.Engine) -> liveops.Receipt:
    return next(receipt for receipt in engine.receipts("ana") if receipt.reward == "level-gold")


def test_claims_refused(engine: liveops.Engine, crate: liveops.Receipt) -> None:
    gold = gold_of(engine)
    for command, code, status in [
        (liveops.Command.claim("ana", crate, now_ms=NOW_MS + HOUR_MS), "claim_expired", 410),
        (liveops.Command.claim("ana", (99, crate.id), now_ms=NOW_MS), "receipt_unknown", 404),
        (liveops.Command.claim("ana", (crate.number, "00" * 32), now_ms=NOW_MS), "receipt_unknown", 404),
        (liveops.Command.claim("bo", crate, now_ms=NOW_MS), "receipt_unknown", 404),
        (liveops.Command.claim("ana", gold, now_ms=NOW_MS), "receipt_settled", 409),
    ]:
        outcome = engine.submit(command)
        assert (outcome.status, outcome.code, outcome.http_status) == ("refused", code, status)
        with pytest.raises(liveops.Refusal) as refusal:
            outcome.unwrap()
        assert refusal.value.problem()["code"] == code and refusal.value.message


def test_time_to_claim_counts_from_the_decision(engine: liveops.Engine) -> None:
    two_hours_late = event(xp=120, ts=(NOW_MS - 2 * HOUR_MS) // 1000)
    [waiting] = engine.submit_ndjson(two_hours_late, now_ms=NOW_MS)[0].unwrap().claimable
    assert (waiting.ts, waiting.claim_until) == (NOW_MS - 2 * HOUR_MS, NOW_MS + HOUR_MS)
    assert engine.claimable("ana", now_ms=NOW_MS + HOUR_MS - 1) == [waiting]
    command = liveops.Command.claim("ana", waiting, now_ms=NOW_MS + HOUR_MS - 1)
    assert engine.submit(command).status == "applied"


def test_what_waits_is_kept_for_its_time() -> None:
    document = {**RULES, "retention": {"receiptsPerPlayer": 2}}
    engine = liveops.Engine(liveops.Rules.from_json(json.dumps(document)))
    [crate] = engine.submit_ndjson(event(xp=120), now_ms=NOW_MS)[0].unwrap().claimable
    engine.submit_ndjson(event("e2", xp=300), now_ms=NOW_MS)[0].unwrap()
    kept = engine.receipts("ana")
    assert len(kept) == 2 and crate.number < kept[0].number, "others of its age are trimmed"
    times: list[dict[str, Any]] = [{"now_ms": NOW_MS}, {"now": datetime.fromtimestamp(NOW_MS / 1000, timezone.utc)}]
    for now in times:
        assert engine.claimable("ana", **now) == [crate]
    assert engine.claimable("ana", now_ms=NOW_MS + HOUR_MS) == engine.claimable("nobody", now_ms=NOW_MS) == []
    assert liveops.Engine.restore(engine.rules, engine.snapshot()).claimable("ana", now_ms=NOW_MS) == [crate]
    exported = engine.export_player("ana")
    assert exported["record"]["claimable"] == [[crate.number, crate.claim_until]]
    assert exported["receipts"] == [receipt.to_dict() for receipt in (crate, *kept)]
    assert liveops.verify_chain(kept, engine.chain_head("ana")) is None
    [given] = engine.submit(liveops.Command.claim("ana", crate, now_ms=NOW_MS)).unwrap().receipts
    assert (given.state, engine.claimable("ana", now_ms=NOW_MS)) == ("claimed", [])
    # Nothing keeps it any more.
    assert engine.submit(liveops.Command.claim("ana", crate, now_ms=NOW_MS + 1)).code == "receipt_unknown"
    with pytest.raises(liveops.ArgumentError):
        engine.claimable("no spaces", now_ms=NOW_MS)
    with pytest.raises(TypeError):
        engine.claimable("ana", now_ms=1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        engine.claimable("ana", NOW_MS)  # type: ignore[call-arg]


def test_claw_backs(engine: liveops.Engine, crate: liveops.Receipt) -> None:
    gold = gold_of(engine)
    revoke = liveops.Command.revoke("ticket-1", "ana", gold, "a stolen card", now_ms=NOW_MS)
    assert (revoke.id, revoke.type) == ("ticket-1", "revoke")
    assert revoke.payload == {"receipt": {"number": gold.number, "id": gold.id}, "reason": "a stolen card"}
    [back] = engine.submit(revoke).unwrap().receipts
    assert back.items == (liveops.Item("currency", "gold", -100),)
    assert back.scope == liveops.Scope(revoke=liveops.ScopeRevoke(gold.number, gold.id))
    assert back.to_dict()["scope"] == {"revoke": {"number": gold.number, "receipt": gold.id}}
    stored = engine.receipts("ana")[gold.number - 1]
    assert (stored.state, stored.settled_at) == ("revoked", NOW_MS)
    again = liveops.Command.revoke("ticket-2", "ana", back, "twice", now_ms=NOW_MS)
    assert engine.submit(again).code == "receipt_settled"
    # What waits can no longer be claimed, and nothing is taken.
    [empty] = engine.submit(liveops.Command.revoke("ticket-3", "ana", crate, "no", now_ms=NOW_MS)).unwrap().receipts
    assert empty.items == ()
    assert engine.submit(liveops.Command.claim("ana", crate, now_ms=NOW_MS)).code == "receipt_settled"
    assert liveops.verify_chain(engine.receipts("ana"), engine.chain_head("ana")) is None


def test_orders_refuse_what_are_no_receipts() -> None:
    named = liveops.Command.claim("ana", (1, "00" * 32), now_ms=0).payload["receipt"]
    assert named == {"number": 1, "id": "00" * 32}
    hash_ = "00" * 32
    others: list[Any] = [None, 1, hash_, (1,), (1, hash_, 2), ("1", hash_), (1.0, hash_), (True, hash_), (1, 2), {}]
    for wrong in (*others, {"number": 1}, {"number": "1", "id": hash_}):
        with pytest.raises(TypeError):
            liveops.Command.claim("ana", wrong, now_ms=0)
    for bad in ((-1, "00" * 32), (2**64, "00" * 32), (1, ""), (1, "0" * 63), (1, "zz" * 32)):
        with pytest.raises(liveops.ArgumentError):
            liveops.Command.claim("ana", bad, now_ms=0)
    for reason in ("", "x" * 257, "a\nb"):
        with pytest.raises(liveops.ArgumentError):
            liveops.Command.revoke("o", "ana", (1, "00" * 32), reason, now_ms=0)


# Receipts alone.


def test_receipts_come_back(engine: liveops.Engine, crate: liveops.Receipt) -> None:
    receipts = engine.receipts("ana")
    assert [receipt.reward for receipt in receipts if receipt.scope.streak] == ["day"]
    for receipt in receipts:
        wire = receipt.to_dict()
        assert ("claimUntil" in wire) == (receipt == crate) and "settledAt" not in wire
        assert liveops.Receipt.from_dict(json.loads(json.dumps(wire))) == receipt
        assert pickle.loads(pickle.dumps(receipt)) == receipt and hash(receipt) == hash(pickle.loads(pickle.dumps(receipt)))
        assert liveops.receipt_id("emberfall", "ana", receipt.reward, receipt.scope) == receipt.id
        assert liveops.receipt_id("emberfall", "ana", receipt.reward, receipt.scope.to_dict()) == receipt.id
    for receipt, following in zip(receipts, receipts[1:], strict=False):
        assert receipt.hash() == following.previous
    assert receipts[-1].hash() == engine.chain_head("ana")


def test_chains_in_every_form(engine: liveops.Engine, crate: liveops.Receipt) -> None:
    receipts, head = engine.receipts("ana"), engine.chain_head("ana")
    wire = [receipt.to_dict() for receipt in receipts]
    text = json.dumps(wire)
    forms: list[Any] = [
        receipts, tuple(receipts), iter(receipts), wire, [receipts[0], *wire[1:]],
        text, text.encode(), bytearray(text.encode()), memoryview(text.encode()),
    ]  # fmt: skip
    assert [liveops.verify_chain(form, head) for form in forms] == [None] * len(forms)
    assert liveops.verify_chain(receipts[1:], head) is None, "trimmed"
    assert liveops.verify_chain([], "00" * 32) is None
    assert liveops.verify_chain([], head) == 0
    forged = json.loads(text)
    forged[1]["items"] = [GOLD | {"amount": 1_000_000}]
    assert liveops.verify_chain(forged, head) == liveops.verify_chain(json.dumps(forged), head) == receipts[1].number
    forged[1]["items"] = wire[1]["items"]
    forged[1]["state"] = "revoked"
    assert liveops.verify_chain(forged, head) is None, "a state is no part of the chain"


def test_what_is_no_receipt(crate: liveops.Receipt) -> None:
    wire = crate.to_dict()
    refused: list[tuple[dict[str, Any], str, str]] = [
        ({"number": -1}, "/0/number", "out_of_range"),
        ({"number": 1.5}, "/0/number", "wrong_type"),
        ({"id": "00"}, "/0/id", "invalid_format"),
        ({"scope": {"moon": 1}}, "/0/scope", "invalid_format"),
        ({"items": [GOLD | {"amount": 0}]}, "/0/items/0/amount", "out_of_range"),
        ({"state": "lost"}, "/0/state", "invalid_format"),
        ({"previous": None}, "/0/previous", "missing"),
        ({"roll": 7}, "/0/roll", "wrong_type"),
        ({"roll": {"table": "t", "entry": "e", "nonce": 1}}, "/0/roll/misses", "missing"),
        ({"roll": {"table": "t", "entry": "e", "nonce": 1, "misses": 2**32}}, "/0/roll/misses", "out_of_range"),
        ({"roll": {"table": "t", "entry": "e", "nonce": -1, "misses": 0}}, "/0/roll/nonce", "out_of_range"),
    ]
    for change, path, code in refused:
        for form in ([wire | change], json.dumps([wire | change])):
            with pytest.raises(liveops.ValidationError) as error:
                liveops.verify_chain(form, "00" * 32)
            [issue] = error.value.issues
            assert (issue.path, issue.code, error.value.code) == (path, code, code)
            assert path in str(error.value)
    alone = liveops.Receipt.from_dict(wire | {"number": -1})
    with pytest.raises(liveops.ValidationError) as place:
        alone.hash()
    assert place.value.issues[0].path == "/number"
    for text in ("", "[", "{}", "[7]", "[NaN]", '["\\ud800"]', "[" * 100_000, b"\xff", "[{}] 1"):
        with pytest.raises(liveops.ValidationError):
            liveops.verify_chain(text, "00" * 32)
    for wrong in (7, None, crate, [7], ["x"], {"a": 1}, [None]):
        with pytest.raises(TypeError):
            liveops.verify_chain(wrong, "00" * 32)  # type: ignore[arg-type]
    with pytest.raises(liveops.ArgumentError, match="64 hex digits"):
        liveops.verify_chain([], "")


def test_ids_of_every_scope() -> None:
    scopes = [
        liveops.Scope(level=2),
        liveops.Scope(event=liveops.ScopeEvent("e1", NOW_MS)),
        liveops.Scope(payout=liveops.ScopePayout("xp", "weekly", 2966, "gold")),
        liveops.Scope(streak=liveops.ScopeStreak("daily", -3)),
        liveops.Scope(overflow=liveops.ScopeOverflow(12)),
        liveops.Scope(revoke=liveops.ScopeRevoke(1, "11" * 32)),
    ]
    ids = {liveops.receipt_id("emberfall", "ana", "gold", scope, index) for scope in scopes for index in (0, 1)}
    assert len(ids) == 2 * len(scopes)
    assert all(liveops.Scope.from_dict(scope.to_dict()) == scope for scope in scopes)
    assert [list(scope.to_dict()) for scope in scopes[2:4]] == [["payout"], ["streak"]]
    for wrong in (liveops.Scope(), {}, {"level": -1}, {"level": 2**40}, {"streak": {"streak": "s"}}):
        with pytest.raises(liveops.ValidationError) as error:
            liveops.receipt_id("g", "ana", "gold", wrong)
        assert error.value.issues[0].path.startswith("/scope")
    for other in (7, None, "level", [2]):
        with pytest.raises(TypeError, match="a Scope is meant"):
            liveops.receipt_id("g", "ana", "gold", other)  # type: ignore[arg-type]
    with pytest.raises(liveops.ArgumentError):
        liveops.receipt_id("g", "ana", "", liveops.Scope(level=2))


def test_signatures(crate: liveops.Receipt) -> None:
    old = liveops.Key("2025", liveops.generate_secret(), not_after=NOW_MS - 1)
    new = liveops.Key("2026", liveops.generate_secret(), not_before=NOW_MS)
    tag = liveops.sign_receipt(crate, [old, new])
    assert tag.startswith("v1,") and tag.endswith(",2026") and len(tag) == 3 + 64 + 5
    assert liveops.sign_receipt(crate.to_dict(), [new]) == tag
    liveops.verify_receipt(crate, tag, [old, new])
    later = liveops.Receipt.from_dict(crate.to_dict() | {"state": "claimed", "settledAt": NOW_MS})
    liveops.verify_receipt(later, tag, (new,))
    earlier = liveops.Receipt.from_dict(crate.to_dict() | {"ts": NOW_MS - 1})
    assert liveops.sign_receipt(earlier, [old, new]).endswith(",2025")
    other = liveops.Receipt.from_dict(crate.to_dict() | {"number": crate.number + 1})
    stranger = liveops.Key("2026", liveops.generate_secret())
    for receipt, signature, keys, code in [
        (other, tag, [new], "signature_mismatch"),
        (crate, tag, [stranger], "signature_mismatch"),
        (crate, tag, [old], "unknown_key"),
        (earlier, tag, [new], "unknown_key"),
        (crate, tag.upper(), [new], "malformed_header"),
        (crate, "", [new], "malformed_header"),
        (crate, "v1," + "ä" * 64 + ",2026", [new], "malformed_header"),
    ]:
        with pytest.raises(liveops.SignatureError) as error:
            liveops.verify_receipt(receipt, signature, keys)
        assert error.value.code == code
    with pytest.raises(liveops.SignatureError) as none:
        liveops.sign_receipt(crate, [old])
    assert none.value.code == "unknown_key"
    for wrong in (new, "whsec_" + "A" * 32, [liveops.Secret.generate()], None):
        with pytest.raises(TypeError):
            liveops.sign_receipt(crate, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a Receipt is meant"):
        liveops.sign_receipt("receipt", [new])  # type: ignore[arg-type]


def test_exports_and_feeds_carry_the_state(crate: liveops.Receipt) -> None:
    engine = liveops.Engine(liveops.Rules.from_json(json.dumps(RULES)), feed=9)
    [waiting] = engine.submit_ndjson(event(xp=120), now_ms=NOW_MS)[0].unwrap().claimable
    assert waiting == crate
    engine.submit(liveops.Command.claim("ana", waiting, now_ms=NOW_MS)).unwrap()
    first, second = engine.feed()
    assert isinstance(first, liveops.FeedEntry) and isinstance(second, liveops.FeedEntry)
    assert waiting in first.receipts and first.outcomes[0].effect.claimable == (waiting,)
    [claimed] = second.receipts
    assert (claimed.number, claimed.state) == (waiting.number, "claimed")
    assert pickle.loads(pickle.dumps(second)) == second
    exported = engine.export_player("ana")["receipts"]
    assert exported == [receipt.to_dict() for receipt in engine.receipts("ana")]
    assert liveops.verify_chain(exported, engine.chain_head("ana")) is None
    restored = liveops.Engine.restore(engine.rules, engine.snapshot())
    assert restored.receipts("ana") == engine.receipts("ana") and restored.digest() == engine.digest()


def test_held_events_wait_and_of_too_many_rewards_that_wait_the_oldest_is_given() -> None:
    crate = {"on": {"event": "progression"}, "claimWithinSeconds": 60, "grant": {"kind": "item", "id": "crate", "amount": 1}}
    floor = {"kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold"}
    rules = {"version": 1, "game": "g", "detectors": {"floor": floor}, "rewards": {"crate": crate}}
    engine = liveops.Engine(liveops.Rules.from_json(json.dumps(rules)))

    def many(kind: str, payload: dict[str, Any]) -> bytes:
        event = {"type": kind, "playerId": "ana", "ts": NOW_MS // 1000, "payload": payload}
        return "\n".join(json.dumps({"id": f"{kind}-{n}", **event}) for n in range(300)).encode()

    kills = engine.submit_ndjson(many("boss_kill", {"bossId": "hydra", "durationMs": 5}), now_ms=NOW_MS)
    assert [outcome.code for outcome in kills] == ["held"] * 256 + ["holds_full"] * 44
    assert len(list(engine.suspicions("ana"))) == 256
    outcomes = engine.submit_ndjson(many("progression", {"deltaXp": 0}), now_ms=NOW_MS)
    given = [receipt for outcome in outcomes for receipt in outcome.unwrap().receipts]
    assert [(receipt.number, receipt.state) for receipt in given] == [(n + 1, "claimed") for n in range(44)]
    assert len(engine.claimable("ana", now_ms=NOW_MS)) == 256
