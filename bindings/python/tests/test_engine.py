"""The whole engine, from the door to the boards."""

from __future__ import annotations

import gc
import json
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import liveops
from conftest import DOCUMENT, NOW_MS, event, kill


def admit(intake: liveops.Intake, body: bytes) -> liveops.Command:
    return intake.admit({}, body, now_ms=NOW_MS)


def test_an_event_takes_effect_once(engine: liveops.Engine, trusted: liveops.Intake) -> None:
    command = admit(trusted, event(xp=300))
    first = engine.submit(command)
    assert (first.status, first.code, first.http_status) == ("applied", "applied", 202)
    effect = first.unwrap()
    assert (effect.xp.granted, effect.level, effect.held) == (300, 2, None)
    assert [(r.reward, r.scope.level, r.items) for r in effect.receipts] == [
        ("level-gold", 2, (liveops.Item("currency", "gold", 100),))
    ]
    again = engine.submit(command)
    assert again.status == "replayed"
    assert again.unwrap() == effect
    other = engine.submit(admit(trusted, event(xp=301)))
    assert (other.status, other.code, other.http_status) == ("refused", "event_id_reused", 409)
    assert other.effect is None
    with pytest.raises(liveops.Refusal) as refusal:
        other.unwrap()
    assert refusal.value.code == "event_id_reused"
    assert engine.stats() == {
        "applied": 1,
        "commands": 3,
        "refused": 1,
        "refused.event_id_reused": 1,
        "replayed": 1,
    }


def test_reads(engine: liveops.Engine, trusted: liveops.Intake) -> None:
    assert engine.player("ana") is None
    assert engine.receipts("ana") == []
    engine.submit(admit(trusted, event("e1", "ana", 300)))
    engine.submit(admit(trusted, event("e2", "bo", 90)))
    player = engine.player("ana")
    assert player is not None
    assert player.to_dict() == {
        "playerId": "ana",
        "xp": 300,
        "level": 2,
        "intoLevel": 50,
        "toNext": 250,
        "hidden": False,
        "receipts": 1,
        "version": 1,
    }
    assert [p.player_id for p in engine.players()] == ["ana", "bo"]
    receipts = engine.receipts("ana")
    assert liveops.verify_chain(receipts, engine.chain_head("ana")) is None
    forged = [liveops.Receipt.from_dict({**receipts[0].to_dict(), "ts": 1})]
    assert liveops.verify_chain(forged, engine.chain_head("ana")) == 1
    export = engine.export_player("ana")
    assert (export["playerId"], export["record"]["xp"], len(export["outcomes"])) == ("ana", 300, 1)


def test_boards(engine: liveops.Engine, trusted: liveops.Intake) -> None:
    for at, (player, xp) in enumerate([("ana", 120), ("bo", 90), ("cy", 60)]):
        engine.submit(admit(trusted, event(f"e{at}", player, xp)))
    board = engine.board("xp")
    assert (board.name, board.order, board.operator) == ("xp", "desc", "incr")
    assert board.windows == {"daily": 2, "allTime": 0}
    top = board.top("daily", 2, now_ms=NOW_MS)
    assert [(row.rank, row.player_id, row.score) for row in top] == [(1, "ana", 120), (2, "bo", 90)]
    assert top[0].to_dict() == {"rank": 1, "playerId": "ana", "score": 120, "subscore": 0, "reachedAt": NOW_MS}
    today = board.at("daily", now_ms=NOW_MS)
    assert today.page(1, 1) == [top[1]]
    assert [row.player_id for row in today.around("bo", 1)] == ["ana", "bo", "cy"]
    assert [row.rank for row in today.by_owners(["cy", "ana", "nobody"])] == [1, 3]
    assert (today.rank("bo"), today.rank("nobody")) == (2, None)
    assert today.count_above(90) == 1
    assert len(board.at("allTime", now_ms=NOW_MS)) == 3
    day = 86_400_000
    assert list(board.at("daily", 1, now_ms=NOW_MS + day)) == list(today)
    period = board.period("daily", 1, now_ms=NOW_MS + day)
    assert (period.label, period.start) == ("2026-11-07", NOW_MS - day // 2)
    assert board.of(period).page(0, 9) == today.page(0, 9) and board.of(period).period == today.period == period
    assert board.period("allTime", now_ms=NOW_MS).end is None
    with pytest.raises(liveops.NotFoundError) as unknown:
        board.top("weekly", now_ms=NOW_MS)
    assert unknown.value.code == "unknown_window"
    with pytest.raises(LookupError):
        engine.board("nothing")


def test_operators_commands(engine: liveops.Engine, trusted: liveops.Intake) -> None:
    engine.submit(admit(trusted, event(xp=120)))
    adjust = liveops.Command.adjust("op1", "ana", -20, "refund", now_ms=NOW_MS)
    assert (adjust.origin, adjust.type, adjust.payload) == ("operator", "adjust", {"xp": -20, "reason": "refund"})
    assert engine.submit(adjust).unwrap().adjusted == -20
    hide = liveops.Command.set_visibility("op2", "ana", True, now_ms=NOW_MS)
    assert engine.submit(hide).status == "applied"
    assert len(engine.board("xp").at("daily", now_ms=NOW_MS)) == 0

    held = engine.submit(admit(trusted, kill("k1", duration_ms=1_000)))
    assert (held.status, held.code) == ("applied", "held")
    [suspicion] = engine.suspicions("ana")
    assert suspicion.number == held.unwrap().held
    assert suspicion.verdicts[0].reason == "belowFloor"
    assert suspicion.verdicts[0].describe() == "The duration is shorter than the rules hold possible."
    assert suspicion.event["id"] == "k1"
    assert list(engine.suspicions()) == [suspicion]
    review = liveops.Command.review("op3", "ana", suspicion.number, "release", now_ms=NOW_MS)
    assert [r.reward for r in engine.submit(review).unwrap().receipts] == ["hydra-loot"]
    again = liveops.Command.review("op4", "ana", suspicion.number, "confirm", now_ms=NOW_MS)
    assert engine.submit(again).code == "suspicion_settled"

    erase = liveops.Command.erase("op5", "ana", now_ms=NOW_MS)
    assert engine.submit(erase).status == "applied"
    assert engine.player("ana") is None
    assert engine.submit(admit(trusted, event("e9"))).code == "player_erased"
    assert list(engine.players()) == []
    engine.submit(liveops.Command.adjust("op6", "ana", 7, "back", now_ms=NOW_MS + 1)).unwrap()
    back = engine.player("ana")
    assert back is not None and back.xp == 7 and list(engine.players()) == [back], "who comes back is seen at once"


def test_loot_can_be_verified(rules: liveops.Rules) -> None:
    seed = bytes(range(32))
    seeded = rules.with_loot_seed(seed)
    commitment = liveops.loot_seed_commitment(seed)

    def gave(entry: str) -> bool:
        return seeded.verify_roll(
            "chest", seed=seed, commitment=commitment, player_id="ana", nonce=0, misses=0, entry=entry
        )

    right = [entry for entry in ("crown", "scale") if gave(entry)]
    assert len(right) == 1
    engine = liveops.Engine(seeded)
    engine.submit_ndjson(kill("k1"), now_ms=NOW_MS)
    assert [item.id for item in engine.receipts("ana")[0].items] == right
    assert [(o.entry, o.weight, o.total) for o in rules.odds("chest")] == [("crown", 1, 100), ("scale", 99, 100)]


def test_state_as_a_whole(rules: liveops.Rules, engine: liveops.Engine) -> None:
    engine.submit_ndjson(b"\n".join(event(f"e{n}", f"p{n % 7}") for n in range(50)), now_ms=NOW_MS)
    digest = engine.digest()
    assert digest.startswith("v1:") and len(digest) == 67
    restored = liveops.Engine.restore(rules, engine.snapshot())
    assert type(restored) is liveops.Engine
    assert restored.digest() == digest
    assert restored.board("xp").top("daily", now_ms=NOW_MS) == engine.board("xp").top("daily", now_ms=NOW_MS)
    with pytest.raises(liveops.StoreError) as corrupt:
        liveops.Engine.restore(rules, engine.snapshot()[:-1])
    assert corrupt.value.code == "store_corrupt"
    horizon = engine.advance(now_ms=NOW_MS)
    assert horizon == liveops.Horizon(NOW_MS, NOW_MS - 86_400_000)
    assert engine.advance(now=datetime(2026, 1, 1, tzinfo=timezone.utc)) == horizon, "never back"
    assert engine.size()["players"] == 7


def test_a_wrong_clock_moves_nothing(engine: liveops.Engine) -> None:
    clock_ms = time.time_ns() // 1_000_000
    engine.advance(now_ms=clock_ms - 90 * 86_400_000)
    digest, month = engine.digest(), 31 * 86_400_000
    for wrong, code, word in (
        (clock_ms * 1_000_000, "clock_unit", "nanoseconds"),
        (clock_ms * 1_000, "clock_unit", "microseconds"),
        (clock_ms // 1_000, "clock_unit", "seconds"),
        (clock_ms + month + 600_000, "clock_jump", "31 days"),
    ):
        with pytest.raises(liveops.ArgumentError, match=word) as refused:
            engine.advance(now_ms=wrong)
        assert (refused.value.code, engine.digest()) == (code, digest)
    assert engine.advance().now >= clock_ms, "months asleep are no fault: the clock alone is asked"
    assert engine.advance(now_ms=NOW_MS - 1).now >= clock_ms
    assert engine.advance(now_ms=clock_ms + month - 600_000).now == clock_ms + month - 600_000
    assert engine.advance(now_ms=clock_ms + 4 * month, far=True).now == clock_ms + 4 * month


def test_the_way_back_takes_nothing_in_twice(engine: liveops.Engine) -> None:
    assert engine.submit_ndjson(event("e1"), now_ms=NOW_MS).counts() == {"applied": 1}
    engine.advance(now_ms=NOW_MS + 10_000 * 86_400_000, far=True)
    later = NOW_MS + 60_000
    missed = event("e2", ts=later // 1000)
    assert engine.submit_ndjson(missed, now_ms=later)[0].code == "too_old"
    at = datetime.fromtimestamp(later / 1000, timezone.utc)
    back = liveops.Engine.restore(engine.rules, engine.snapshot(), at=at)
    assert back.advance(now_ms=later) == liveops.Horizon(later, NOW_MS + 1)
    assert back.submit_ndjson(event("e1"), now_ms=later)[0].code == "too_old", "applied before, its outcome dropped"
    assert [back.submit_ndjson(missed, now_ms=later)[0].code for _ in range(2)] == ["applied", "replayed"]
    with pytest.raises(TypeError):
        liveops.Engine(engine.rules, at=later)


def test_closings_come_once_and_in_order(engine: liveops.Engine) -> None:
    day = 86_400_000
    closed = list(engine.closed_between(NOW_MS, NOW_MS + 2 * day))
    assert [period.label for period in closed] == ["2026-11-07", "2026-11-08"]
    first = engine.closed_between(datetime.fromtimestamp(NOW_MS / 1000, timezone.utc), NOW_MS + day)
    assert list(first) == closed[:1]


def test_feed(rules: liveops.Rules) -> None:
    engine = liveops.Engine(rules, feed=2)
    outcomes = engine.submit_ndjson(b"\n".join(event(f"e{n}", f"p{n}", 300) for n in range(3)), now_ms=NOW_MS)
    assert outcomes.counts() == {"applied": 2, "feed_full": 1}
    first, second = engine.feed()
    assert isinstance(first, liveops.FeedEntry) and first.kind == "committed"
    assert (first.version, first.forget, first.xp, first.run) == (1, False, 300, None)
    assert first.outcomes[0].effect.level == 2
    assert first.receipts == first.outcomes[0].effect.receipts
    assert engine.feed_page(first.cursor, 5) == liveops.FeedPage((second,), engine.last())
    engine.ack("inventory", second.cursor)
    assert list(engine.feed(second.cursor)) == [] == list(liveops.Engine(rules).feed())
    with pytest.raises(liveops.StoreError) as gone:
        engine.feed()
    assert (gone.value.code, gone.value.http_status) == ("feed_gap", 410)


def test_consumers_of_the_feed(rules: liveops.Rules) -> None:
    engine = liveops.Engine(rules, store=liveops.MemoryStore(feed=10), recording=True)
    for consumer in ("inventory", "audit"):
        engine.ack(consumer)
    command = liveops.Command.adjust("op1", "ana", 300, "gift", now_ms=NOW_MS)
    engine.submit(command).unwrap()
    engine.advance(now_ms=NOW_MS)
    engine.advance(now_ms=NOW_MS)  # nothing moved, nothing told
    first, second = engine.feed()
    assert isinstance(first, liveops.FeedEntry)
    assert first.run is not None and first.run.commands == (command,) and first.run.rules == engine.rules.identity
    assert first.to_dict()["run"]["commands"] == [command.to_dict()]
    assert second == liveops.FeedAdvance(engine.last(), NOW_MS, NOW_MS - 86_400_000)
    assert second.to_dict()["kind"] == "advanced" and liveops.FeedAdvance.from_dict(second.to_dict()) == second
    assert liveops.FeedEntry.from_dict(first.to_dict()).receipts == first.receipts
    engine.ack("inventory", second.cursor)
    assert list(engine.feed()) == [first, second], "the other has not read them"
    marks = {mark.consumer: mark.cursors for mark in engine.consumers()}
    assert marks["inventory"] == (second.cursor,) and marks["audit"] != marks["inventory"]
    engine.drop_consumer("audit")
    engine.drop_consumer("nobody")
    assert engine.size()["feed"] == 0 and engine.feed_page(second.cursor).next == second.cursor == engine.last()
    for wrong in ("", "x", "0", "1.0", "0.-1", "0.01"):
        for call in (engine.feed_page, engine.feed, lambda cursor: engine.ack("inventory", cursor)):
            with pytest.raises(liveops.ArgumentError) as refused:
                call(wrong)
            assert refused.value.code == "cursor_invalid", wrong
    for beyond in (lambda: engine.feed_page("0.9"), lambda: engine.ack("inventory", "0.9")):
        with pytest.raises(liveops.StoreError) as gap:
            beyond()
        assert gap.value.code == "feed_gap"
    with pytest.raises(liveops.ArgumentError) as refused:
        engine.ack("no spaces", None)
    assert refused.value.code == "id_invalid"


def test_pages_and_walks(rules: liveops.Rules, trusted: liveops.Intake) -> None:
    engine = liveops.Engine(rules)
    engine.submit_ndjson(b"\n".join(event(f"e{n}", f"p{n:03}", 300) for n in range(25)), now_ms=NOW_MS)
    engine.submit_batch([admit(trusted, kill(f"k{n}", f"p{n:03}", 1)) for n in range(25)])
    engine.submit_batch([liveops.Command.adjust(f"a{n}", "p000", 2_000, "up", now_ms=NOW_MS) for n in range(5)])

    def all_of(page: Any) -> list[Any]:
        found, cursor = [], None
        while True:
            listing = page(cursor, 7)
            assert len(listing.items) <= 7
            found += listing.items
            cursor = listing.next
            if cursor is None:
                return found

    assert all_of(engine.players_page) == list(engine.players())
    assert sorted(player.player_id for player in engine.players()) == [f"p{n:03}" for n in range(25)]
    assert all_of(engine.suspicions_page) == list(engine.suspicions()) and len(list(engine.suspicions())) == 25
    assert "".join(all_of(engine.suspicions_ndjson_page)).count("\n") == 25
    receipts = all_of(lambda cursor, limit: engine.receipts_page("p000", cursor, limit))
    assert receipts == engine.receipts("p000") and len(receipts) > 7
    assert all_of(engine.migrations_page) == []
    cursor = engine.players_page(limit=7).next
    for call in (engine.suspicions_page, engine.players_page, lambda cursor: engine.receipts_page("p001", cursor)):
        with pytest.raises(liveops.ArgumentError) as refused:
            call(cursor if call != engine.players_page else "x")
        assert refused.value.code == "cursor_invalid"
    with pytest.raises(liveops.ArgumentError):
        engine.receipts("no spaces")


def test_rules_change_under_a_live_engine(rules: liveops.Rules, engine: liveops.Engine) -> None:
    assert engine.rules == rules
    changed = json.loads(json.dumps(DOCUMENT))
    changed["rewards"]["level-gold"]["grant"][0]["amount"] = 200
    assert engine.replace_rules(liveops.Rules.from_json(json.dumps(changed))) == {
        "added": [],
        "removed": [],
        "changed": ["/rewards/level-gold/grant/0/amount"],
    }
    assert engine.rules != rules
    changed["boards"]["xp"]["operator"] = "best"
    with pytest.raises(liveops.RulesError) as refused:
        engine.replace_rules(liveops.Rules.from_json(json.dumps(changed)))
    assert refused.value.code == "board_incompatible"


def test_rules_from_a_file(tmp_path: Path, rules: liveops.Rules) -> None:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(DOCUMENT))
    assert liveops.Rules.from_file(path) == liveops.Rules.from_file(str(path)) == rules
    assert (rules.game, rules.boards, len(rules.hash)) == ("emberfall", ["xp"], 64)
    assert rules.levels.cost(4) == 432
    with pytest.raises(FileNotFoundError):
        liveops.Rules.from_file(tmp_path / "nothing.json")
    with pytest.raises(liveops.RulesError) as wrong:
        liveops.Rules.from_json('{"version": 1, "game": "g", "progress": {"curve": {"kind": "exponential", "base": 250, '
                                '"growth": 1.2, "maxLevel": 60}}}')
    assert (wrong.value.code, wrong.value.path) == ("rules_invalid", "/progress/curve/growth")
    assert 'write "1.2"' in str(wrong.value)


def test_batches_are_cut_anyhow(rules: liveops.Rules, trusted: liveops.Intake) -> None:
    commands = [admit(trusted, event(f"e{n % 90}", f"p{n % 11}", n % 5 * 50)) for n in range(100)]
    one, many = liveops.Engine(rules), liveops.Engine(rules)
    singles = [one.submit(command) for command in commands]
    batch = many.submit_batch(iter(commands))
    assert list(batch) == singles
    assert one.digest() == many.digest()


def test_threads_share_an_engine(rules: liveops.Rules) -> None:
    engine = liveops.Engine(rules)
    lines = [b"\n".join(event(f"e{n}", f"p{t}-{n % 20}") for n in range(500)) for t in range(4)]
    results: list[liveops.Outcomes] = []
    threads = [
        threading.Thread(target=lambda data=data: results.append(engine.submit_ndjson(data, now_ms=NOW_MS)))
        for data in lines
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r.counts() for r in results] == [{"applied": 500}] * 4
    alone = liveops.Engine(rules)
    for data in lines:
        alone.submit_ndjson(data, now_ms=NOW_MS)
    assert engine.digest() == alone.digest()


def test_batches_release_the_interpreter(rules: liveops.Rules) -> None:
    engine = liveops.Engine(rules)
    data = b"\n".join(event(f"e{n}", f"p{n % 997}") for n in range(40_000))
    turns, done = 0, threading.Event()

    def work() -> None:
        engine.submit_ndjson(data, now_ms=NOW_MS)
        done.set()

    gc.collect()
    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        turns += 1
        done.wait(0.001)
    thread.join()
    assert turns > 3, "this thread ran while the batch was decided"


def test_a_player_is_exported_in_parts(engine: liveops.Engine) -> None:
    engine.submit_ndjson(b"\n".join(event(f"e{n}", xp=500) for n in range(30)), now_ms=NOW_MS)
    whole = engine.export_player("ana")
    page = engine.export_player_page("ana", limit=4)
    parts = [page]
    while page["next"] is not None:
        page = engine.export_player_page("ana", page["next"], 4)
        parts.append(page)
    assert len(parts) > 3
    for name in ("receipts", "outcomes"):
        assert whole[name] and [one for part in parts for one in part[name]] == whole[name]
    assert [part["record"] for part in parts if part.get("record")] == [whole["record"]]
    with pytest.raises(liveops.ArgumentError) as other:
        engine.export_player_page("bo", parts[0]["next"])
    assert other.value.code == "cursor_invalid"
