"""Each part alone."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta, timezone

import pytest

import liveops
from conftest import NOW_MS


def test_leaderboard() -> None:
    board = liveops.Leaderboard(order="desc", operator="incr")
    assert board.submit("ana", 120) == liveops.Score(120, 0)
    board.submit("bo", 90)
    board.submit("cy", 90)
    assert (board.rank("ana"), board.rank("cy"), board.rank("nobody")) == (1, 3, None)
    assert len(board) == 3 and "ana" in board and "nobody" not in board
    assert [row.player_id for row in board.top(2)] == ["ana", "bo"]
    assert board.page(1, 1) == board.top(2)[1:]
    assert [row.rank for row in board.around("bo", 1)] == [1, 2, 3]
    assert [row.player_id for row in board.by_owners(["cy", "ana"])] == ["ana", "cy"]
    assert board.count_above(90) == 1
    assert board.hide("ana") and not board.hide("ana")
    assert board.rank("bo") == 1 and board.score("ana") == liveops.Score(120, 0)
    assert board.unhide("ana") and board.remove("cy")
    assert board.score("cy") is None
    for score, subscore in [(2**53 - 120, 0), (2**53, 0), (-(2**53), 0), (2**63 - 1, 0), (1, 2**53), (1, -(2**63))]:
        with pytest.raises(liveops.ArgumentError) as overflow:
            board.submit("ana", score, subscore)
        assert overflow.value.code == "score_overflow"
    assert board.score("ana") == liveops.Score(120, 0)
    with pytest.raises(liveops.ArgumentError) as bad:
        board.submit("no spaces", 1)
    assert bad.value.code == "id_invalid"
    with pytest.raises(liveops.ArgumentError, match="desc, asc"):
        liveops.Leaderboard(order="up")  # type: ignore[arg-type]


def test_leaderboard_choices() -> None:
    laps = liveops.Leaderboard(order="asc", operator="best", ties="lastToReach", ranking="competition")
    laps.submit("ana", 61, 5, at=1)
    laps.submit("bo", 61, 5, at=datetime(2026, 1, 1, tzinfo=timezone.utc))
    laps.submit("cy", 61, 4, at=3)
    assert [(row.rank, row.player_id, row.subscore) for row in laps.top()] == [(1, "cy", 4), (2, "bo", 5), (2, "ana", 5)]


def test_windowed_leaderboard() -> None:
    board = liveops.WindowedLeaderboard({"daily": 1, "allTime": 0}, calendar=liveops.Calendar(grace_seconds=60))
    day = 86_400_000
    assert board.submit("ana", 70, now_ms=NOW_MS) == []
    [late] = board.submit("ana", 50, ts=NOW_MS, now_ms=NOW_MS + day)
    assert (late.window, late.label) == ("daily", "2026-11-07")
    assert board.top("allTime", now_ms=NOW_MS + day)[0].score == 120
    assert board.top("daily", now_ms=NOW_MS + day) == []
    assert board.page("daily", 0, 9, 1, now_ms=NOW_MS + day)[0].score == 70
    assert board.rank("daily", "ana", now_ms=NOW_MS) == 1
    assert board.period("daily", now_ms=NOW_MS).label == "2026-11-07"
    board.advance(now_ms=NOW_MS + 3 * day)
    with pytest.raises(liveops.NotFoundError) as dropped:
        board.page("daily", 0, 9, 3, now_ms=NOW_MS + 3 * day)
    assert (dropped.value.code, dropped.value.http_status) == ("period_dropped", 410)
    with pytest.raises(liveops.ArgumentError, match="daily, weekly"):
        liveops.WindowedLeaderboard({"hourly": 1})  # type: ignore[dict-item]


def test_curves() -> None:
    curve = liveops.LevelCurve.exponential(250, "1.2", max_level=60)
    assert (curve.cost(4), curve.level_at(1341), curve.level_at(1342)) == (432, 4, 5)
    assert (curve.max_level, curve.total(5), len(curve.costs())) == (60, 1342, 59)
    assert curve.progress(1341) == liveops.LevelProgress(4, 431, 1)
    assert curve == pickle.loads(pickle.dumps(curve)) != liveops.LevelCurve.linear(100, 10, max_level=60)
    assert liveops.LevelCurve.linear(100, 10, max_level=4).costs() == [100, 110, 120]
    assert liveops.LevelCurve.table([5, 6]).costs() == [5, 6]
    assert liveops.LevelCurve.polynomial(["0", "50", "0.5"], max_level=3, rounding="ceil").costs() == [51, 102]
    pieces = [(1, liveops.LevelCurve.linear(100, 10, max_level=9)), (4, curve)]
    assert liveops.LevelCurve.piecewise(pieces, max_level=7).costs() == [100, 110, 120, 250, 300, 360]
    with pytest.raises(TypeError, match='write "1.2"'):
        liveops.LevelCurve.exponential(250, 1.2, max_level=60)  # type: ignore[arg-type]
    with pytest.raises(liveops.ArgumentError, match="highest level"):
        liveops.LevelCurve.exponential(250, "1.2", max_level=1)


def test_signing() -> None:
    signer, verifier = liveops.Signer("whsec_" + "A" * 32), liveops.Verifier("whsec_" + "A" * 32)
    now = datetime.fromtimestamp(NOW_MS / 1000, timezone(timedelta(hours=9)))
    headers = signer.sign("evt_1", b"{}", now=now)
    assert list(headers) == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    verified = verifier.verify(headers, b"{}", now_ms=NOW_MS)
    assert verified == liveops.Verified("evt_1", None, None)
    with pytest.raises(liveops.SignatureError) as error:
        verifier.verify(headers, b"[]", now_ms=NOW_MS)
    assert (error.value.code, error.value.http_status) == ("signature_mismatch", 401)
    with pytest.raises(liveops.SignatureError) as old:
        verifier.verify(headers, b"{}")
    assert old.value.code in ("timestamp_too_old", "timestamp_too_new"), "the clock is read"
    mac = liveops.hmac_sha256_hex(b"secret123", b"hello world")
    assert mac.startswith("57938295") and mac.endswith("42646")
    assert liveops.verify_hmac_sha256_hex(b"secret123", b"hello world", mac.upper())
    with pytest.raises(liveops.SignatureError) as short:
        liveops.Secret("whsec_AAAA")
    assert short.value.code == "secret_invalid"


def test_rate_limits() -> None:
    limiter = liveops.RateLimiter(60, period_seconds=60, burst=10)
    decision = limiter.check("player:ana", now_ms=NOW_MS)
    assert decision.allowed and decision.remaining == 9 and decision.retry_after is None
    refused = limiter.check("player:ana", 10, now_ms=NOW_MS)
    assert (refused.allowed, refused.code, refused.retry_after) == (False, "rate_limited", 1)
    assert refused.headers() == {
        "RateLimit-Policy": '"default";q=60;w=60',
        "RateLimit": '"default";r=9;t=1',
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Window": "60",
        "X-RateLimit-Remaining": "9",
        "Retry-After": "1",
    }
    assert refused.to_dict()["retryAfterMillis"] == 1000
    assert pickle.loads(pickle.dumps(refused)) == refused
    assert len(limiter) == 1
    log = liveops.SlidingLog(2, window_seconds=60)
    assert [log.check(now_ms=at).allowed for at in (0, 30_000, 59_999, 60_000)] == [True, True, False, True]
    with pytest.raises(liveops.ArgumentError):
        liveops.RateLimiter(0)
    small = liveops.RateLimiter(1, period_seconds=60, capacity=1)
    assert small.check("a", now_ms=NOW_MS).allowed
    assert small.check("b", now_ms=NOW_MS).code == "limiter_full"


def test_detectors() -> None:
    xp = liveops.ZScore(3.0)
    for value in (100, 120, 90, 110, 100, 95, 105, 115, 85, 100):
        assert not xp.observe(value).is_anomaly
    verdict = xp.score(5_000)
    assert verdict == xp.observe(5_000)
    assert (verdict.reason, verdict.action, verdict.direction, verdict.baseline.mean) == ("farFromMean", "flag", "high", 102)
    assert "standard deviations" in verdict.describe()
    assert pickle.loads(pickle.dumps(verdict)) == verdict
    assert liveops.Robust(6, (4.6, 1.5, 4.0)).observe(5_000_000).reason == "farAboveUsual"
    assert liveops.Robust().observe(5_000_000).reason == "tooFewSamples", "without a prior the unit is not known"
    assert liveops.Robust(6, (15.0, 1.0, 4.0)).observe(5_000_000).reason == "usual"
    floor = liveops.TimeFloor(45_000)
    assert floor.score(44_999).reason == "belowFloor" and not floor.score(45_000).is_anomaly
    ewma = liveops.Ewma(4, 20)
    for turn in range(100):
        assert not ewma.observe(60_000 - turn * 100 - turn % 3 * 700).is_anomaly
    assert ewma.observe(5_000).is_anomaly
    assert xp.observe(float("nan")).reason == "notFinite"
    for wrong in (0, -1, float("nan"), 1e9):
        with pytest.raises(liveops.ArgumentError):
            liveops.ZScore(wrong)


def test_event_parser(rules: liveops.Rules) -> None:
    body = b'{"type": "progression", "playerId": "ana", "ts": %d, "payload": {"deltaXp": 120}}' % (NOW_MS // 1000)
    parsed = liveops.validate(body, now_ms=NOW_MS)
    assert parsed == {"type": "progression", "playerId": "ana", "ts": NOW_MS // 1000, "payload": {"deltaXp": 120}}
    wrong = b'{"type": "progression", "playerId": "a b", "ts": 1.5, "payload": {"deltaXp": 1000001}}'
    with pytest.raises(liveops.ValidationError) as error:
        liveops.EventParser(rules).parse(wrong, now_ms=NOW_MS)
    assert [issue.code for issue in error.value.issues] == ["invalid_format", "not_integer", "out_of_range"]
    assert error.value.errors()[2] == {
        "type": "out_of_range",
        "loc": ("payload", "deltaXp"),
        "msg": "at most 1000000",
        "ctx": {"limit": 1_000_000},
    }
    assert pickle.loads(pickle.dumps(error.value)).issues == error.value.issues
    with pytest.raises(liveops.ValidationError) as first:
        liveops.EventParser(first_issue=True).parse(wrong, now_ms=NOW_MS)
    assert len(first.value.issues) == 1
