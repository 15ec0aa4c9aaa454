"""Runs `vectors/*.json`, which Rust and Node run too; `vectors/README.md` fixes the format."""

from __future__ import annotations

import dataclasses
import json
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import groupby, product
from pathlib import Path
from typing import Any

import pytest

import liveops
import refused

FOLDER = Path(__file__).resolve().parents[3] / "vectors"

Case = dict[str, Any]


def documents() -> list[tuple[str, Any]]:
    return [(file.stem, json.loads(file.read_text(encoding="utf-8"))) for file in sorted(FOLDER.glob("*.json"))]


def cases() -> list[Any]:
    return [
        pytest.param(document["kind"], case, id=f"{stem}: {case['name']}")
        for stem, document in documents()
        for case in document["cases"]
    ]


@pytest.mark.parametrize(("kind", "case"), cases())
def test_vector(kind: str, case: Case) -> None:
    KINDS[kind](case)


def test_every_kind_has_cases() -> None:
    assert {document["kind"] for _, document in documents()} == set(KINDS)


def hmac(case: Case) -> None:
    key, data = bytes.fromhex(case["keyHex"]), bytes.fromhex(case["dataHex"])
    assert liveops.hmac_sha256_hex(key, data) == case["macHex"]
    assert liveops.verify_hmac_sha256_hex(key, data, case["macHex"])


def signing(case: Case) -> None:
    if "secretError" in case:
        for make in (liveops.Signer, liveops.Verifier):
            with pytest.raises(liveops.SignatureError) as refused:
                make(case["secret"])
            assert refused.value.code == case["secretError"]
        return
    scheme = case.get("scheme", "standard")
    try:
        if case["do"] == "sign":
            signer = liveops.Signer(case["secret"], scheme=scheme)
            actual: Case = {"headers": signer.sign(case["id"], body(case), now_ms=case["nowMs"])}
        else:
            assert case["do"] == "verify"
            tolerance = case.get("toleranceSeconds", 300)
            verifier = liveops.Verifier(case["secret"], scheme=scheme, tolerance_seconds=tolerance)
            [answer] = verifier.verify_batch([(case["headers"], body(case))], now_ms=case["nowMs"])
            told = answer.code if isinstance(answer, liveops.SignatureError) else answer.message_id
            assert told == case["expect"].get("code", case["expect"].get("messageId"))
            verified = verifier.verify(case["headers"], body(case), now_ms=case["nowMs"])
            actual = {"messageId": verified.message_id}
    except liveops.LiveopsError as error:
        actual = {"code": error.code}
    assert actual == case["expect"]


def event(case: Case) -> None:
    intake = liveops.Intake(rules(case), trusted=True, quotas=False)
    try:
        admitted = intake.admit({}, body(case), now_ms=case["receivedMs"])
    except liveops.Refusal as refusal:
        issues = [issue.to_dict() for issue in refusal.issues]
        compare(case["expect"], {"code": refusal.code, "issues": issues})
    else:
        compare(case["expect"], {"event": admitted.to_dict()})
        assert set(admitted.payload) == set(case["expect"]["event"]["payload"])
    parse_alone(case)


def parse_alone(case: Case) -> None:
    """The body without a door, by itself and as a line of a batch."""
    parser, sent, now_ms = liveops.EventParser(rules(case)), body(case), case["receivedMs"]
    parsed: Case | None = None
    issues: list[Case] = []
    try:
        parsed = parser.parse(sent, now_ms=now_ms)
    except liveops.ValidationError as error:
        issues = [issue.to_dict() for issue in error.issues]
    if "event" in case["expect"]:
        compare(case["expect"]["event"], parsed)
    if case["expect"].get("issues"):
        compare(case["expect"]["issues"], issues)
    if sent and b"\n" not in sent.removesuffix(b"\n"):
        report = parser.validate_batch(sent, now_ms=now_ms)
        told = [[issue.to_dict() for issue in line.issues] for line in report.errors]
        assert told == ([issues] if issues else [])


def intake(case: Case) -> None:
    try:
        door_ = door(case)
    except liveops.SignatureError as error:
        assert {"code": error.code} == case["expect"]
        return
    headers, sent, now_ms = case["headers"], body(case), case["nowMs"]
    try:
        alone: liveops.Command | liveops.Refusal = door_.admit(headers, sent, now_ms=now_ms)
    except liveops.Refusal as refusal:
        alone = refusal
    batch = door_.admit_batch([(headers, sent), liveops.Request(headers, sent)], now_ms=now_ms)
    for answer in (alone, *batch):
        if isinstance(answer, liveops.Refusal):
            issues = [issue.to_dict() for issue in answer.issues]
            actual: Case = {"code": answer.code, "status": answer.http_status, "issues": issues}
        else:
            actual = {"event": answer.to_dict()}
        compare(case["expect"], actual)
        assert ("event" in actual) == ("event" in case["expect"])


def door(case: Case) -> liveops.Intake:
    def key(of: Case) -> liveops.Key:
        names = {"notBeforeMs": "not_before", "notAfterMs": "not_after", "playerId": "player_id"}
        return liveops.Key(of["id"], of["secret"], **{name: of[member] for member, name in names.items() if member in of})

    names = {
        "secret": "secret",
        "scheme": "scheme",
        "toleranceSeconds": "tolerance_seconds",
        "trusted": "trusted",
        "allowUnsignedId": "allow_unsigned_id",
    }
    options = {name: case[member] for member, name in names.items() if member in case}
    keys = [key(of) for of in case["keys"]] if "keys" in case else None
    return liveops.Intake(rules(case), keys=keys, quotas=False, **options)


def curve(case: Case) -> None:
    expect = case["expect"]
    document = {"version": 1, "game": "vectors", "progress": {"curve": case["curve"]}}
    try:
        levels = liveops.Rules.from_json(json.dumps(document)).levels
    except liveops.RulesError as error:
        compare(expect, {"error": {"path": error.path, "issue": error.issue}})
        with pytest.raises(liveops.RulesError) as alone:
            liveops.LevelCurve.from_dict(case["curve"])
        assert "/progress/curve" + alone.value.path == error.path
        assert alone.value.issue == error.issue
        return
    actual = {
        "maxLevel": levels.max_level,
        "cost": [[at, levels.cost(at)] for at, _ in expect["cost"]],
        "total": [[at, levels.total(at)] for at, _ in expect["total"]],
        "levelAt": [[xp, levels.level_at(xp)] for xp, _ in expect["levelAt"]],
    }
    assert actual == expect
    assert levels.totals() == [levels.total(level) for level in range(1, levels.max_level + 1)]
    assert liveops.LevelCurve.from_dict(case["curve"]) == levels
    assert constructed(case["curve"], levels.max_level, case["curve"].get("cumulative", False)) == levels


def constructed(of: Case, max_level: int, cumulative: bool, rounding: Any = "floor") -> liveops.LevelCurve:
    """By constructors in place of the grammar."""
    whole: Case = {"max_level": max_level, "cumulative": cumulative}
    rounded = {**whole, "rounding": of.get("rounding", rounding)}
    if of["kind"] == "piecewise":
        starts = [piece["fromLevel"] for piece in of["pieces"]]
        return liveops.LevelCurve.piecewise(
            [
                (start, constructed(piece, *reach(start, end, cumulative), rounded["rounding"]))
                for piece, start, end in zip(of["pieces"], starts, [*starts[1:], max_level], strict=True)
            ],
            **whole,
        )
    if of["kind"] == "table":
        values: list[int] = of["totals"] if "totals" in of else of["costs"]
        # Totals that do not begin at 0 are those of a piece, which counts on here and anew in a document.
        before = range(max_level - len(values)) if "totals" in of and values[0] else []
        return liveops.LevelCurve.table([*before, *values], **{**whole, "cumulative": "totals" in of})
    if of["kind"] == "linear":
        return liveops.LevelCurve.linear(of["base"], of["step"], **whole)
    if of["kind"] == "exponential":
        return liveops.LevelCurve.exponential(of["base"], of["growth"], **rounded)
    times = of.get("times", {})
    more = {"times": times.get("coefficients"), "times_rounding": times.get("rounding", "floor")}
    return liveops.LevelCurve.polynomial(of["coefficients"], **rounded, **more)


def reach(start: int, end: int, cumulative: bool) -> tuple[int, bool]:
    """How many levels a piece has by itself."""
    return (max(end, 2) if cumulative else max(end - start + 1, 2)), cumulative


def period(case: Case) -> None:
    dates = calendar(case)
    found = dates.period(case["window"], case["tsMs"])
    actual = found and {
        "index": found.index,
        "label": found.label,
        "startMs": found.start,
        "endMs": found.end,
        "closesMs": found.closes_at,
    }
    compare(case["expect"], actual)
    assert dates.next_reset(case["window"], case["tsMs"]) == case["nextResetMs"]
    if found is not None:
        assert dates.describe(found.window, found.index) == found  # type: ignore[arg-type]


def closed(case: Case) -> None:
    closings = calendar(case).closed_between(case["windows"], case["afterMs"], case["throughMs"])
    assert [[period.closes_at, period.window, period.label] for period in closings] == case["expect"]


def state(case: Case) -> None:
    dates = calendar(case)
    found = dates.describe(case["window"], case["index"])
    assert [[now, dates.state(found, case["keep"], now)] for now, _ in case["expect"]] == case["expect"]


def choices(case: Case) -> Case:
    return {name: case[name] for name in ("order", "operator", "ties", "ranking") if name in case}


def code_of(call: Callable[[], object]) -> str | None:
    try:
        call()
    except liveops.LiveopsError as error:
        return error.code
    return None


def board(case: Case) -> None:
    board = liveops.Leaderboard(**choices(case))
    for step in case["steps"]:
        if "submit" in step:
            code = code_of(lambda: board.submit(*step["submit"], at=step.get("atMs")))
            assert code == step.get("error"), step
        elif "submitBatch" in step:
            owners, scores, subscores = columns(step["submitBatch"])
            refused = None
            try:
                board.submit_batch(owners, scores, subscores)
            except liveops.BatchError as error:
                refused = (error.code, error.index)
            assert refused == ((step["error"], step["index"]) if "error" in step else None), step
        else:
            [(verb, owner)] = step.items()
            {"hide": board.hide, "unhide": board.unhide, "remove": board.remove}[verb](owner)
    expect = case["expect"]
    top = [[row.rank, row.player_id, row.score] for row in board.top(1000)]
    actual = {
        "top": top,
        "rank": {owner: board.rank(owner) for owner in expect.get("rank", {})},
        "percentile": {owner: board.percentile(owner) for owner in expect.get("percentile", {})},
        "around": [[owner, n, ids(board.around(owner, n))] for owner, n, _ in expect.get("around", [])],
        "byOwners": [
            [owners, [[row.rank, row.player_id] for row in board.by_owners(owners)]]
            for owners, _ in expect.get("byOwners", [])
        ],
        "countAbove": [[score, board.count_above(score)] for score, _ in expect.get("countAbove", [])],
        "byScoreRange": [
            [*asked, ids(board.by_score_range(*asked))] for *asked, _ in expect.get("byScoreRange", [])
        ],
        "pages": [[limit, pages(board, limit)] for limit, _ in expect.get("pages", [])],
    }
    assert set(expect) <= set(actual)
    compare(expect, actual)
    assert len(board) == len(top)
    assert [[row.rank, row.player_id, row.score] for row in board] == top
    assert list(liveops.Leaderboard.restore(board.snapshot())) == list(board)


def columns(values: list[Any]) -> tuple[list[str], list[int], list[int]]:
    return [v[0] for v in values], [v[1] for v in values], [v[2] if len(v) > 2 else 0 for v in values]


def ids(rows: Iterable[liveops.Row]) -> list[str]:
    return [row.player_id for row in rows]


def pages(board: liveops.Leaderboard, limit: int) -> list[list[str]]:
    found = []
    cursor = None
    while True:
        page = board.page_after(cursor, limit)
        found.append(ids(page.rows))
        cursor = page.next
        if cursor is None:
            return found


def windowed(case: Case) -> None:
    setup = {**choices(case), "calendar": calendar(case), "name": case.get("board")}
    board = liveops.WindowedLeaderboard(case["windows"], **setup)
    for step in case["steps"]:
        now = step.get("nowMs", step.get("tsMs"))
        if "submit" in step:
            try:
                late = board.submit(*step["submit"], ts=step["tsMs"], now_ms=now)
                actual: object = [[period.window, period.label] for period in late]
            except liveops.LiveopsError as error:
                actual = error.code
            assert actual == step.get("error", step.get("late", [])), step
        elif "advance" in step:
            board.advance(now_ms=step["advance"])
        elif "archive" in step:
            period = board.calendar.describe(*step["archive"])
            assert code_of(lambda: board.archive(period, now_ms=now)) == step.get("error"), step
        elif "restore" in step:
            board = liveops.WindowedLeaderboard.restore(board.snapshot(), case["windows"], **setup)
        elif "expect" in step:
            check_windowed(board, step["expect"])
        else:
            [verb] = step.keys() - {"is"}
            change = {"hide": board.hide, "unhide": board.unhide, "remove": board.remove}[verb]
            assert change(step[verb]) == step["is"], step
    check_windowed(board, case["expect"])


def check_windowed(board: liveops.WindowedLeaderboard, expect: Case) -> None:
    def told(asked: Case, member: str, read: Callable[[liveops.Period], Any]) -> Case:
        period = board.calendar.describe(asked["window"], asked["index"])
        try:
            came = {member: read(period)}
        except liveops.LiveopsError as error:
            came = {"error": error.code}
        same = {name: asked[name] for name in ("window", "index", "nowMs", "tiers") if name in asked}
        return {**same, "label": period.label, **came}

    def triples(rows: Iterable[liveops.Row]) -> list[Any]:
        return [[row.rank, row.player_id, row.score] for row in rows]

    def label(window: Any, now: int) -> Any:
        try:
            return board.period(window, now_ms=now).label
        except liveops.NotFoundError as error:
            return {"error": error.code}

    def state(window: Any, index: int, now: int) -> str | None:
        try:
            return board.state(board.calendar.describe(window, index), now_ms=now)
        except liveops.NotFoundError:
            return None

    def payout(asked: Case, period: liveops.Period) -> list[Any]:
        awards = board.payout(period, asked["tiers"], now_ms=asked["nowMs"])
        return [[award.rank, award.player_id, award.tier] for award in awards]

    actual = {
        "current": [[window, now, label(window, now)] for window, now, _ in expect.get("current", [])],
        "periods": [
            told(asked, "rows", lambda period: triples(board.rows(period, now_ms=asked["nowMs"])))
            for asked in expect.get("periods", [])
        ],
        "archived": [
            told(asked, "rows", lambda period: triples(board.archived(period, now_ms=asked["nowMs"])))
            for asked in expect.get("archived", [])
        ],
        "states": [
            [window, index, [[now, state(window, index, now)] for now, _ in states]]
            for window, index, states in expect.get("states", [])
        ],
        "payouts": [
            told(asked, "awards", lambda period: payout(asked, period)) for asked in expect.get("payouts", [])
        ],
    }
    assert set(expect) <= set(actual)
    compare(expect, actual)


def payout(case: Case) -> None:
    board = liveops.Leaderboard(**choices(case), operator="set", name="board")
    if "players" in case:
        count = case["players"]
        board.submit_batch([f"p{n}" for n in range(1, count + 1)], [count - n for n in range(1, count + 1)])
    else:
        board.submit_batch(*columns(case["owners"]))
    try:
        awards = board.awards(case["tiers"])
    except liveops.ArgumentError as error:
        assert case["expect"] == {"error": error.code}
        return
    assert case["expect"] == {"awards": [[award.rank, award.player_id, award.tier] for award in awards]}
    period = liveops.Calendar().describe("daily", -1)
    archive, names = board.archive(period, now_ms=0)
    assert archive.read(names).awards(case["tiers"]) == awards


def engine(case: Case) -> None:
    for in_batches in (False, True):
        engine = liveops.Engine(rules(case))
        for steps in runs(case["steps"], in_batches):
            first = steps[0]
            if is_line(first):
                data = "\n".join(line(step) for step in steps).encode()
                outcomes = engine.submit_ndjson(data, now_ms=first["nowMs"])
                assert len(outcomes) == len(steps)
                for step, outcome in zip(steps, outcomes, strict=True):
                    compare(step["expect"], as_dict(outcome))
            elif "advance" in first:
                # What is refused is the core's rule, by the horizon; here the clock is asked: see `test_engine.py`.
                if "error" not in first:
                    engine.advance(now_ms=first["advance"], far=True)
            elif "restoreAt" in first:
                engine = liveops.Engine.restore(engine.rules, engine.snapshot(), at=first["restoreAt"])
            elif "payout" in first:
                compare(first["expect"], pay(engine, first))
            elif "payClosed" in first:
                compare(first["expect"], engine.pay_closed(first["payClosed"], now_ms=first["nowMs"]).to_dict())
            elif "planMigration" in first:
                new = liveops.Rules.from_json(json.dumps(first["planMigration"]))
                compare(first["expect"], engine.plan_migration(new).to_dict())
            elif "replaceRules" in first:
                new = liveops.Rules.from_json(json.dumps(first["replaceRules"]))
                compare(first["expect"], engine.replace_rules(new))
            elif "migrations" in first:
                compare(first["expect"], migrate(engine, first["migrations"]))
            else:
                compare(first["expect"], as_dict(engine.submit(command(engine, first))))
        check(case, engine)


def runs(steps: list[Case], in_batches: bool) -> list[list[Case]]:
    """Consecutive lines of one time together, if that is asked for; all else one by one."""
    if not in_batches:
        return [[step] for step in steps]
    groups = groupby(enumerate(steps), lambda item: ("lines", item[1]["nowMs"]) if is_line(item[1]) else item[0])
    return [[step for _, step in group] for _, group in groups]


def is_line(step: Case) -> bool:
    return "submit" in step or "line" in step


def line(step: Case) -> str:
    text: str = step["line"] if "line" in step else json.dumps(step["submit"])
    return text


def command(engine: liveops.Engine, step: Case) -> liveops.Command:
    [verb] = step.keys() - {"nowMs", "expect"}
    make: dict[str, Callable[..., liveops.Command]] = {
        "adjust": liveops.Command.adjust,
        "review": liveops.Command.review,
        "setVisibility": liveops.Command.set_visibility,
        "erase": liveops.Command.erase,
        "claim": liveops.Command.claim,
        "revoke": liveops.Command.revoke,
        "migrate": liveops.Command.migrate,
    }
    arguments = {"player_id" if name == "playerId" else name: value for name, value in step[verb].items()}
    if verb in ("claim", "revoke"):
        # The receipt of a number, as far as it is kept; else one that is not there.
        number = arguments.pop("number")
        kept = [receipt for receipt in engine.receipts(arguments["player_id"]) if receipt.number == number]
        arguments["receipt"] = kept[0] if kept else (number, "00" * 32)
    if verb == "migrate":
        arguments["curve_hash"] = arguments.pop("curve", engine.rules.levels.hash)
        player = engine.player(arguments["player_id"])
        arguments["version"] = 0 if player is None else player.version
    return make[verb](**arguments, now_ms=step["nowMs"])


def migrate(engine: liveops.Engine, now_ms: int) -> list[Case]:
    """Brings everybody to the curve in force, in one batch, and what came of it."""
    commands = list(engine.migrations(now_ms=now_ms))
    outcomes = engine.submit_batch(commands)
    return [{"playerId": c.player_id, **as_dict(o)} for c, o in zip(commands, outcomes, strict=True)]


def pay(engine: liveops.Engine, step: Case) -> Case:
    of, now = step["payout"], step["nowMs"]
    period = engine.rules.calendar.describe(of["window"], of["index"])
    try:
        payout = engine.payout(of["board"], period, now_ms=now)
    except liveops.LiveopsError as error:
        return {"code": error.code}
    commands = payout.commands()
    outcomes = engine.submit_batch(commands)
    told = [{"playerId": c.player_id, **as_dict(o)} for c, o in zip(commands, outcomes, strict=True)]
    return {**payout.to_dict(), "outcomes": told}


def as_dict(outcome: liveops.Outcome) -> Case:
    return {"status": outcome.status, "code": outcome.code, "effect": outcome.effect and outcome.effect.to_dict()}


def check(case: Case, engine: liveops.Engine) -> None:
    for expected in case.get("players", []):
        player = engine.player(expected["playerId"])
        assert (player is None) == expected.get("absent", False)
        if player is not None:
            compare(expected, player.to_dict())
    for player_id, expected in case.get("receipts", {}).items():
        receipts = engine.receipts(player_id)
        compare(expected, [receipt.to_dict() for receipt in receipts])
        assert liveops.verify_chain(receipts, engine.chain_head(player_id)) is None
    for player_id, expected in case.get("explain", {}).items():
        compare(expected, explain(engine, player_id, expected["nowMs"]))
    for player_id, expected in case.get("suspicions", {}).items():
        compare(expected, [suspicion.to_dict() for suspicion in engine.suspicions(player_id)])
    for expected in case.get("boards", []):
        rows = engine.board(expected["board"]).top(expected["window"], 100, now_ms=expected["nowMs"])
        assert [[row.rank, row.player_id, row.score] for row in rows] == expected["rows"]
    assert engine.digest() == case["digest"]


def explain(engine: liveops.Engine, player_id: str, now_ms: int) -> Case | None:
    why = engine.explain(player_id, now_ms=now_ms)
    if why is None:
        return None
    assert sum(line.xp for line in why.lines) == why.xp, "the lines add up"
    lines = [[line.topic, line.xp, line.text] for line in why.lines]
    return {"nowMs": now_ms, "xp": why.xp, "level": why.level, "lines": lines}


def progress(case: Case) -> None:
    if "streak" in case:
        streak = liveops.Streak()
        for day, expected in case["streak"]["days"]:
            streak, counted = streak.step(day, case["streak"]["missedDaysMax"])
            assert counted == expected, day
        compare(case["expect"], streak.to_dict())
        return
    if "overflow" in case:
        overflow = liveops.Overflow()
        for surplus, units, rest in case["overflow"]["gathered"]:
            overflow = overflow.gather(surplus, case["overflow"]["every"])
            assert overflow == liveops.Overflow(units, rest)
        return
    names = {"atMaxLevel": "at_max_level", "dailyXpCap": "daily_xp_cap", "boostStacking": "boost_stacking", "floor": "floor"}
    options = {name: case[member] for member, name in names.items() if member in case}
    boosts = [
        liveops.Boost(boost["id"], boost["fromMs"], boost["untilMs"], boost["factor"])
        for boost in case.get("boosts", [])
    ]
    curve = liveops.LevelCurve.from_dict(case["curve"])
    if "tooFine" in case:
        with pytest.raises(liveops.ArgumentError, match=rf"boosts\[{case['tooFine']}\]") as too_fine:
            liveops.Progression(curve, boosts=boosts, **options)
        assert too_fine.value.code == "out_of_range"
        return
    progression = liveops.Progression(curve, boosts=boosts, **options)
    for step in case["grants"]:
        today = {"granted_today": step["grantedToday"], "losses": step.get("losses", 0), "now_ms": step["tsMs"]}
        try:
            if "remainders" in step:
                before, after = ([liveops.Remainder(*one) for one in each] for each in step["remainders"])
                grant, left = progression.settle(step["totalXp"], step["requested"], remainders=before, **today)
                assert list(left) == after
            else:
                grant = progression.grant(step["totalXp"], step["requested"], **today)
            actual = grant.to_dict()
        except liveops.ArgumentError as error:
            actual = {"error": error.code}
        compare(step["expect"], actual)


def migration(case: Case) -> None:
    old, new = liveops.LevelCurve.from_dict(case["old"]), liveops.LevelCurve.from_dict(case["new"])
    told = case["policy"]
    policy = liveops.MigrationPolicy(
        told["policy"],
        never_lose_a_level=told.get("neverLoseALevel", False),
        skip_rewards=told.get("skipRewards", False),
    )
    players = [(liveops.PlayerXp(xp, through), count) for xp, through, count in case["players"]]
    after = [policy.apply(old, new, player.xp, granted_through=player.granted_through) for player, _ in players]
    plan = liveops.plan_migration(old, new, policy, players)
    actual = {"after": [[player.xp, player.granted_through] for player in after], "plan": plan.to_dict()}
    compare(case["expect"], actual)
    one_by_one = (player for player, count in players for _ in range(count))
    assert liveops.plan_migration(old, new, policy, one_by_one) == plan


def loot(case: Case) -> None:
    expect = case["expect"]
    try:
        table = liveops.Loot.from_dict(case["loot"])
    except liveops.RulesError as error:
        compare(expect, {"error": {"path": "/loot/t" + error.path, "issue": error.issue}})
        return
    document = {"version": 1, "game": "vectors", "loot": {"t": case["loot"]}}
    assert liveops.Rules.from_json(json.dumps(document)).loot == {"t": table}
    assert liveops.Loot(reversed(table.entries), guaranteed=table.guaranteed, pity=table.pity) == table
    seed = bytes.fromhex(case["seedHex"])
    commitment = liveops.loot_seed_commitment(seed)
    of = {"seed": seed, "table": case["table"], "player_id": case["playerId"]}
    rolls = []
    for nonce, misses, _, _ in expect["rolls"]:
        roll = table.roll(**of, nonce=nonce, misses=misses)
        rolls.append([nonce, misses, roll.entry, roll.misses_after])
        assert table.verify_roll(roll, commitment=commitment, **of, misses=misses)
        assert not table.verify_roll(roll, commitment="00" * 32, **of, misses=misses)
    names = [entry.name for entry in table.entries]
    expected = {name: table.expected_rolls(name) for name in names}
    actual = {
        "commitment": commitment,
        "odds": [odds.to_dict() for odds in table.odds()],
        "expectedRolls": {name: None if rolls is None else str(rolls) for name, rolls in expected.items()},
        "items": {name: [item.to_dict() for item in table.items(name)] for name in names},
        "rolls": rolls,
    }
    assert set(expect) <= set(actual)
    compare(expect, actual)


def receipt(case: Case) -> None:
    expect = case["expect"]
    if "scope" in case:
        of = (case["game"], case["playerId"], case["reward"])
        for scope in (case["scope"], liveops.Scope.from_dict(case["scope"])):
            assert {"id": liveops.receipt_id(*of, scope, case["index"])} == expect
        return
    if "receipt" in case:
        keys = [liveops.Key(case["key"]["id"], case["key"]["secret"])]
        for signed in (case["receipt"], liveops.Receipt.from_dict(case["receipt"])):
            assert {"tag": liveops.sign_receipt(signed, keys)} == expect
            liveops.verify_receipt(signed, expect["tag"], keys)
        return
    wire, head = case["receipts"], case["head"]
    receipts = [liveops.Receipt.from_dict(each) for each in wire]
    broken = {liveops.verify_chain(form, head) for form in (wire, json.dumps(wire), json.dumps(wire).encode())}
    [number] = {liveops.verify_chain(receipts, head)} | broken
    actual = {
        "broken": number,
        "hashes": [each.hash() for each in receipts],
        "states": [[now, [each.state_at(now) for each in receipts]] for now, _ in expect.get("states", [])],
    }
    assert set(expect) <= set(actual)
    compare(expect, actual)
    assert [each.to_dict() for each in receipts] == wire


def http(case: Case) -> None:
    document = rules(case)
    secret = case.get("secret")
    intake = liveops.Intake(document, secret=secret) if secret else liveops.Intake(document, trusted=True)
    engine = liveops.Engine(document)
    actual: Case = {}
    for request in case["requests"]:
        try:
            outcome = engine.submit(intake.admit(request.get("headers", {}), body(request), now_ms=request["nowMs"]))
            actual = {"status": outcome.http_status, "headers": outcome.headers(), "problem": None}
            outcome.unwrap()
        except (liveops.Refusal, liveops.UnknownOutcome) as error:
            actual = {"status": error.http_status, "headers": error.headers(), "problem": error.problem()}
    compare(case["expect"], actual)


def quota(case: Case) -> None:
    for decide in deciders(case):
        for step in case["steps"]:
            for _ in range(step.get("times", 1)):
                decision = decide(step)
            if "replace" in step:
                continue
            headers = decision.headers(step["policy"]) if "policy" in step else None
            compare(step["expect"], {**decision.to_dict(), "headers": headers})
            assert headers is None or bool(headers) == bool(step["expect"]["headers"])


def deciders(case: Case) -> list[Callable[[Case], liveops.Decision]]:
    """All that must decide alike."""
    room = {name: case[told] for told, name in (("capacity", "capacity"), ("whenFull", "when_full")) if told in case}
    if "sliding" in case:
        limit, window = case["sliding"]["limit"], case["sliding"]["windowSeconds"]
        sliding = liveops.SlidingLimiter(limit, window_seconds=window, **room)
        logs = defaultdict[str, liveops.SlidingLog](lambda: liveops.SlidingLog(limit, window_seconds=window))

        def shared(step: Case) -> liveops.Decision:
            if "replace" in step:
                sliding.replace(step["replace"]["limit"], window_seconds=step["replace"]["windowSeconds"])
                return liveops.Decision.unlimited()
            return sliding.check(step["key"], cost(step), now_ms=step["nowMs"])

        def apart(step: Case) -> liveops.Decision:
            if "replace" in step:
                for log in logs.values():
                    log.replace(step["replace"]["limit"], window_seconds=step["replace"]["windowSeconds"])
                return liveops.Decision.unlimited()
            return logs[step["key"]].check(cost(step), now_ms=step["nowMs"])

        return [shared] if room else [shared, apart]
    quotas = [
        liveops.Quota(told["limit"], period_seconds=told["periodSeconds"], burst=told.get("burst"), name=told.get("name"))
        for told in case["quotas"]
    ]
    limiters = [liveops.RateLimiter(quotas[0], **room) for _ in range(2)]
    states: States = {}
    own = [0, 0]

    def requests(step: Case, own: int) -> list[tuple[liveops.Quota, str]]:
        return [(quotas[at], key) for at, key in step.get("requests", [[own, step.get("key")]])]

    def keyed(step: Case) -> liveops.Decision:
        if "replace" in step:
            limiters[0].replace(quotas[step["replace"]])
            return liveops.Decision.unlimited()
        if "requests" in step:
            return limiters[0].check_all(requests(step, 0), cost(step), now_ms=step["nowMs"])
        return limiters[0].check(step["key"], cost(step), now_ms=step["nowMs"])

    def all_at_once(step: Case) -> liveops.Decision:
        if "replace" in step:
            own[0] = step["replace"]
            return liveops.Decision.unlimited()
        return limiters[1].check_all(requests(step, own[0]), cost(step), now_ms=step["nowMs"])

    def kept(step: Case) -> liveops.Decision:
        if "replace" in step:
            own[1] = step["replace"]
            return liveops.Decision.unlimited()
        return check_kept(states, requests(step, own[1]), cost(step), step["nowMs"])

    return [keyed, all_at_once] if room else [keyed, all_at_once, kept]


#: Of each name of a quota and key, as a caller may keep them: with the quota it was left under.
States = dict[tuple[str | timedelta, str], tuple[int, liveops.Quota]]


def check_kept(states: States, requests: list[tuple[liveops.Quota, str]], cost: int, now_ms: int) -> liveops.Decision:
    """`check_all` by `gcra` alone."""
    paid, unpaid = dict(states), dict(states)
    overall = liveops.Decision.unlimited()

    def ask(states: States, quota: liveops.Quota, key: str, cost: int) -> liveops.Decision:
        name = (quota.name or quota.period, key)
        state: int | None = None
        if name in states:
            before, left_under = states[name]
            state = quota.carry(before, left_under.interval, now_ms=now_ms)
        after, decision = liveops.gcra(state, quota, cost, now_ms=now_ms)
        states[name] = (after, quota)
        return decision

    for quota, key in requests:
        overall &= ask(paid, quota, key, cost)
        ask(unpaid, quota, key, 0)
    states.update(paid if overall.allowed else unpaid)
    return overall


DETECTORS: dict[str, Callable[[Case], tuple[type[Any], tuple[Any, ...]]]] = {
    "zScore": lambda of: (liveops.ZScore, (of["threshold"],)),
    "ewma": lambda of: (liveops.Ewma, (of["threshold"], of["span"])),
    "robust": lambda of: (liveops.Robust, (of["threshold"], prior_of(of))),
    "cusum": lambda of: (liveops.Cusum, (of["threshold"], prior_of(of))),
    "timeFloor": lambda of: (liveops.TimeFloor, (of["minimumMs"],)),
    "dropRate": lambda of: (liveops.DropRate, (of["odds"], of["threshold"])),
    "regularity": lambda of: (liveops.Regularity, (of["threshold"],)),
}


def prior_of(of: Case) -> tuple[float, float, float] | None:
    return tuple(of["prior"]) if "prior" in of else None


def bits(number: float) -> str:
    return struct.pack(">d", number).hex()


def detector(case: Case) -> None:
    kind, configured = DETECTORS[case["detector"]["kind"]](case["detector"])
    one, verdicts = kind(*configured), []
    for value in case["observe"]:
        one = kind.from_bytes(one.to_bytes(), *configured)
        verdicts.append(one.observe(*value) if isinstance(value, list) else one.observe(value))
    scores, reasons = [bits(verdict.score) for verdict in verdicts], [verdict.reason for verdict in verdicts]
    compare(case["expect"], {"scores": scores, "reasons": reasons, "bytesHex": one.to_bytes().hex()})
    if hasattr(one, "observe_many") and "negative" not in reasons:
        batched = kind(*configured)
        told = batched.observe_many(case["observe"])
        assert [bits(score) for score in told.scores] == scores and batched.to_bytes() == one.to_bytes()


def history_lines(players: int, events: int, startMs: int, perPlayer: float) -> Iterator[bytes]:
    for who, n in product(range(players), range(events)):
        ts = (startMs + n * 61_000 + (n + who) ** 2 * 7919 % 40_000) // 1000
        kind, payload = "progression", {"deltaXp": 2000 + (who * 131 + n * 977) % 6000, "activity": ("dungeon", "quest")[n % 2]}
        if n % 10 == 9:
            kind, payload = "boss_kill", {"bossId": "ogre", "durationMs": 60_000 + (who * 7907 + n * 311) % 60_000}
        yield json.dumps({"type": kind, "playerId": f"p{who}", "ts": ts, "payload": payload}).encode() + b"\n"


def family(case: Case) -> None:
    came: Case = {}
    population, thresholds = liveops.Population(), liveops.Thresholds()
    if "history" in case:
        detectors = {"cheats": {"kind": "family"}}
        document = {"version": 1, "game": "vectors", "activities": ["dungeon", "quest"], "detectors": detectors}
        rules = liveops.Rules.from_json(json.dumps(document))
        builder = liveops.PopulationBuilder()
        assert builder.teach_ndjson(rules, history_lines(**case["history"])).refused == 0
        population = liveops.Population.from_bytes(builder.finish().to_bytes())
        anchored = rules.with_population(population)
        budget = case["history"]["perPlayer"]
        thresholds = anchored.calibrate("cheats", history_lines(**case["history"]), per_player=budget).thresholds
        came["populationHash"] = population.hash
        came["thresholds"] = [bits(threshold) for threshold in dataclasses.astuple(thresholds)]
    known = {event["boss"]: None for event in case["events"] if "boss" in event}
    floors = {**known, **case.get("floors", {})}
    one = liveops.Family(population, thresholds=thresholds, floors=floors, drops=case.get("drops"))
    profile, findings = liveops.PlayerProfile(), []
    for index, event in enumerate(case["events"]):
        profile = liveops.PlayerProfile.from_bytes(profile.to_bytes())
        fields = {{"durationMs": "duration_ms"}.get(name, name): value for name, value in event.items() if name != "atMs"}
        for finding in one.observe(profile, event["atMs"], **fields):
            findings.append([index, finding.detector, finding.verdict.reason, finding.verdict.sentence()])
    came["findings"] = findings
    came["scores"] = [bits(score) for score in dataclasses.astuple(profile.scores)]
    came["profileHex"] = profile.to_bytes().hex()
    compare(case["expect"], came)


def cost(step: Case) -> int:
    return int(step.get("cost", 1))


def rules_document(case: Case) -> None:
    try:
        read = rules(case)
    except liveops.RulesError as error:
        compare(case["expect"], {"error": {"path": error.path, "issue": error.issue}})
        return
    if "lootSeedHex" in case:
        read = read.with_loot_seed(bytes.fromhex(case["lootSeedHex"]))
    warnings = read.warnings()
    assert all(str(warning) == f"{warning.path}: {warning.message}" for warning in warnings)
    actual = {
        "warnings": [[warning.path, warning.code] for warning in warnings],
        "messages": [warning.message for warning in warnings],
        "lootCommitment": read.loot_commitment,
    }
    compare(case["expect"], actual)


KINDS: dict[str, Callable[[Case], None]] = {
    "arguments": refused.run,
    "rules": rules_document,
    "hmac": hmac,
    "signing": signing,
    "event": event,
    "intake": intake,
    "quota": quota,
    "curve": curve,
    "period": period,
    "closed": closed,
    "state": state,
    "board": board,
    "windowed": windowed,
    "payout": payout,
    "progress": progress,
    "migration": migration,
    "loot": loot,
    "receipt": receipt,
    "engine": engine,
    "http": http,
    "detector": detector,
    "family": family,
}


def rules(case: Case) -> liveops.Rules:
    return liveops.Rules.from_json(json.dumps(case.get("rules", {"version": 1, "game": "vectors"})))


def calendar(case: Case) -> liveops.Calendar:
    document = {"version": 1, "game": "vectors", "calendar": case.get("calendar", {})}
    return liveops.Rules.from_json(json.dumps(document)).calendar


def body(of: Case) -> bytes:
    """Either a text, or parts that may be repeated, or bytes in hex."""
    if "bodyHex" in of:
        return bytes.fromhex(of["bodyHex"])
    parts = [of["body"]] if isinstance(of["body"], str) else of["body"]
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts).encode()


def compare(expected: Any, actual: Any, path: str = "") -> None:
    """Objects member by member, as far as they are listed; lists whole; null also for what is not there."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            compare(value, actual.get(name), f"{path}/{name}")
    elif isinstance(expected, list) and isinstance(actual, list):
        assert len(expected) == len(actual), f"at {path}: {expected} expected, {actual} came"
        for at, (value, found) in enumerate(zip(expected, actual, strict=True)):
            compare(value, found, f"{path}/{at}")
    else:
        assert expected == actual, f"at {path}: {expected} expected, {actual} came"
        assert isinstance(expected, bool) == isinstance(actual, bool), f"at {path}: {actual} came"
