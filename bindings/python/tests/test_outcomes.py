"""Batches: lazy rows that never raise, compare, pickle and count."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Sequence

import pytest

import liveops
from conftest import NOW_MS, event

LINES = b"\n".join(
    [
        event("e1", xp=300),
        event("e1", xp=300),
        event("e1", xp=301),
        b'{"type": "progression"}',
        b"not json",
        event(None),
        event("e2", ts=NOW_MS // 1000 - 90_000),
    ]
)
CODES = ["applied", "replayed", "event_id_reused", "missing", "syntax", "missing_event_id", "too_old"]


@pytest.fixture
def outcomes(engine: liveops.Engine) -> liveops.Outcomes:
    return engine.submit_ndjson(LINES + b"\r\n", now_ms=NOW_MS)


def test_rows(outcomes: liveops.Outcomes) -> None:
    assert [row.code for row in outcomes] == CODES
    assert len(outcomes) == 7
    assert outcomes[0].code == outcomes[-7].code == "applied"
    assert [row.code for row in outcomes[1::2]] == CODES[1::2]
    assert [row.code for row in outcomes[::-1]] == CODES[::-1]
    assert len(outcomes[9:]) == 0
    for index in (7, -8, 2**70):
        with pytest.raises((IndexError, ValueError)):
            outcomes[index]
    with pytest.raises(TypeError):
        outcomes["0"]  # type: ignore[call-overload]
    assert outcomes.counts() == dict.fromkeys(CODES, 1)
    assert isinstance(outcomes, Sequence)
    assert outcomes == liveops.Outcomes(list(outcomes))
    assert outcomes != outcomes[1:]
    assert repr(outcomes) == "Outcomes(len=7)"
    assert repr(outcomes[0]) == "Outcome(status='applied', code='applied')"


def test_bytes_like_and_empty_input(engine: liveops.Engine) -> None:
    assert len(engine.submit_ndjson(b"", now_ms=NOW_MS)) == 0
    assert engine.submit_ndjson(bytearray(event("a")), now_ms=NOW_MS)[0].code == "applied"
    assert engine.submit_ndjson(memoryview(event("b")), now_ms=NOW_MS)[0].code == "applied"
    with pytest.raises(TypeError, match="bytes are meant"):
        engine.submit_ndjson(event().decode(), now_ms=NOW_MS)  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [1, 2, 5, 64])
def test_threads_change_nothing(engine: liveops.Engine, threads: int) -> None:
    lines = [event(f"e{n % 900}", f"p{n % 37}", n % 50) for n in range(1_000)] + [b"not json", b""] + LINES.split(b"\n")
    data = b"\n".join(lines)
    outcomes = engine.submit_ndjson(data, now_ms=NOW_MS, threads=threads)
    alone = liveops.Engine(engine.rules)
    expected = alone.submit_ndjson(data, now_ms=NOW_MS)
    assert outcomes == expected and outcomes.counts() == expected.counts()
    assert [row.code for row in outcomes] == [row.code for row in expected]
    assert engine.digest() == alone.digest()


def test_how_many_threads_there_may_be(engine: liveops.Engine) -> None:
    for count in (0, 65, -1, 2**70):
        with pytest.raises(liveops.ArgumentError) as raised:
            engine.submit_ndjson(b"", now_ms=NOW_MS, threads=count)
        assert raised.value.code == "out_of_range"
        with pytest.raises(liveops.ArgumentError):
            asyncio.run(engine.submit_ndjson_async(b"", now_ms=NOW_MS, threads=count))
    for wrong in (True, 1.0, "2", None):
        with pytest.raises(TypeError):
            engine.submit_ndjson(b"", now_ms=NOW_MS, threads=wrong)  # type: ignore[arg-type]
    assert asyncio.run(engine.submit_ndjson_async(event(), now_ms=NOW_MS, threads=2)).counts() == {"applied": 1}


def test_many_rows_are_found_where_they_are(engine: liveops.Engine) -> None:
    data = b"\n".join(event(f"e{n}", f"p{n % 10}", n) for n in range(70_000))
    outcomes = engine.submit_ndjson(data, now_ms=NOW_MS, threads=2)
    assert outcomes.counts() == {"applied": 70_000}
    for at in (0, 1, 32_767, 32_768, 65_535, 69_999):
        assert outcomes[at].unwrap().xp.requested == at
    assert [row.unwrap().xp.requested for row in outcomes[69_999:10:-30_000]] == [69_999, 39_999, 9_999]


def test_what_a_refused_row_says(outcomes: liveops.Outcomes) -> None:
    row = outcomes[3]
    assert (row.status, row.http_status, row.effect) == ("refused", 400, None)
    error = row.error
    assert isinstance(error, liveops.Refusal)
    assert [(issue.code, issue.path) for issue in error.issues] == [
        ("missing", "/playerId"),
        ("missing", "/ts"),
        ("missing", "/payload"),
    ]
    problem = row.to_dict()["problem"]
    assert problem == error.problem()
    assert (problem["status"], problem["code"], len(problem["issues"])) == (400, "missing", 3)
    assert outcomes[0].error is None


def test_dicts_are_camel_case_and_come_back(outcomes: liveops.Outcomes) -> None:
    dict_ = outcomes[0].to_dict()
    effect = outcomes[0].unwrap()
    assert dict_ == {"status": "applied", "code": "applied", "effect": effect.to_dict()}
    assert dict_["effect"]["xp"]["overDailyCap"] == 0
    assert dict_["effect"]["receipts"][0]["scope"] == {"level": 2}
    assert liveops.Effect.from_dict(effect.to_dict()) == effect
    assert outcomes.to_dict()[0] == dict_


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickling(outcomes: liveops.Outcomes, protocol: int) -> None:
    copies = pickle.loads(pickle.dumps(outcomes, protocol))
    assert copies == outcomes
    for copy, row in zip(copies, outcomes, strict=True):
        assert copy.to_dict() == row.to_dict()
        assert pickle.loads(pickle.dumps(copy, protocol)) == row
    effect = outcomes[0].unwrap()
    assert pickle.loads(pickle.dumps(effect, protocol)) == effect
    assert hash(effect) == hash(pickle.loads(pickle.dumps(effect, protocol)))
    error = outcomes[3].error
    copy = pickle.loads(pickle.dumps(error, protocol))
    assert (type(copy), str(copy), copy.issues) == (liveops.Refusal, str(error), error.issues)  # type: ignore[union-attr]
    assert copy.problem() == error.problem()  # type: ignore[union-attr]


def test_a_pickle_that_lies_is_refused() -> None:
    with pytest.raises(liveops.ArgumentError):
        liveops.Outcome._rebuild("applied", "applied", b"\xff", None, [])
    with pytest.raises(liveops.ArgumentError):
        liveops.Outcome._rebuild("gone", "gone", None, None, [])


def test_results_are_frozen(outcomes: liveops.Outcomes) -> None:
    with pytest.raises(AttributeError):
        outcomes[0].unwrap().level = 9  # type: ignore[misc]
    with pytest.raises(AttributeError):
        outcomes[0].status = "unknown"  # type: ignore[misc]
    with pytest.raises(TypeError):
        hash(outcomes[0])
