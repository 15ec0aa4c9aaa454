"""Bodies and batches of bodies: what is wrong, where, and nothing of what was sent."""

from __future__ import annotations

import json
import pickle
import random
from typing import Any

import pytest

import liveops
from conftest import NOW_MS, event, kill

RULES: dict[str, Any] = {
    "version": 1,
    "game": "g",
    "limits": {"maxPastSeconds": 60, "maxFutureSeconds": 0},
    "events": {
        "progression": {"fields": {"deltaXp": {"max": 5000}}},
        "arena_win": {"fields": {"rating": {"type": "uint", "max": 5000, "required": True}}},
    },
}


def issues_of(body: bytes, parser: liveops.EventParser | None = None) -> list[dict[str, Any]]:
    with pytest.raises(liveops.ValidationError) as error:
        (parser or liveops.EventParser()).parse(body, now_ms=NOW_MS)
    assert error.value.code == error.value.issues[0].code and error.value.http_status in (400, 413)
    return error.value.errors()


def test_where_reading_stopped() -> None:
    [issue] = issues_of(b'{"type": "progression", "ts": 01}')
    assert (issue["type"], issue["loc"]) == ("syntax", ("ts",))
    assert issue["ctx"] == {"offset": 31}
    assert issues_of(b"")[0]["ctx"] == {"offset": 0}
    assert issues_of(b'{"a": "\xff"}')[0]["type"] == "invalid_utf8"
    [deep] = issues_of(b"[" * 9 + b"]" * 9)
    assert (deep["type"], deep["ctx"]["limit"]) == ("too_deep", 8)
    [large] = issues_of(b" " * 65_537)
    assert (large["type"], large["ctx"]["limit"]) == ("too_large", 65_536)
    with pytest.raises(liveops.ValidationError) as error:
        liveops.validate(b"{} {}", now_ms=NOW_MS)
    [issue_] = error.value.issues
    assert issue_.to_dict()["offset"] == issue_.offset == 3
    assert "limit" not in issue_.to_dict()
    copy = pickle.loads(pickle.dumps(error.value))
    assert (copy.issues, copy.errors(), str(copy)) == (error.value.issues, error.value.errors(), str(error.value))


def test_types_come_by_rules() -> None:
    parser = liveops.EventParser(liveops.Rules.from_json(json.dumps(RULES)))
    arena = {"type": "arena_win", "playerId": "ana", "ts": NOW_MS // 1000, "payload": {"rating": 7}}
    assert parser.parse(json.dumps(arena).encode(), now_ms=NOW_MS) == arena
    assert issues_of(json.dumps(arena).encode()) == [
        {"type": "unknown_type", "loc": ("type",), "msg": "the rules know no such event type"}
    ]
    assert issues_of(event(xp=5001), parser)[0]["ctx"] == {"limit": 5000}
    assert issues_of(event(ts=NOW_MS // 1000 - 61), parser)[0]["type"] == "too_old"
    assert liveops.EventParser().parse(event(ts=NOW_MS // 1000 - 61), now_ms=NOW_MS)["id"] == "e1"


def test_as_many_issues_as_asked_for() -> None:
    wrong = b'{"type": "progression", "playerId": "", "ts": "7", "payload": {"deltaXp": -1}}'
    assert [issue["type"] for issue in issues_of(wrong)] == ["too_short", "wrong_type", "out_of_range"]
    assert [issue["type"] for issue in issues_of(wrong, liveops.EventParser(first_issue=True))] == ["too_short"]
    fields = {f"field{n}": n for n in range(100)}
    many = {"type": "progression", "playerId": "ana", "ts": NOW_MS // 1000, "payload": {"deltaXp": 1, **fields}}
    assert len(issues_of(json.dumps(many).encode())) == 32


def test_no_value_is_echoed() -> None:
    secret = "hunter2"
    bodies = [
        {"type": secret, "playerId": "ana", "ts": 1, "payload": {}},
        {"type": "progression", "playerId": f"{secret} ", "ts": secret, "payload": {"deltaXp": secret}},
        {"type": "boss_kill", "playerId": [secret], "ts": {"a": secret}, "payload": {"bossId": f"{secret}\n"}},
        {"type": "progression", "playerId": "ana", "ts": 1, "payload": secret},
        secret,
    ]
    for body in bodies:
        for text in (json.dumps(body), json.dumps(body)[:-1]):
            with pytest.raises(liveops.ValidationError) as error:
                liveops.EventParser().parse(text.encode(), now_ms=NOW_MS)
            report = liveops.EventParser().validate_batch(text.encode(), now_ms=NOW_MS)
            told = (error.value, str(error.value), error.value.errors(), report.to_dict(), report.errors, str(report))
            assert secret not in repr(told)


def test_a_batch_of_lines() -> None:
    lines = [event("e1"), event(None), b"", b"no json", event(xp=-1), kill("k"), b'{"type": "progression"}\r']
    report = liveops.EventParser().validate_batch(b"\n".join(lines) + b"\n", now_ms=NOW_MS)
    assert (report.accepted, report.refused) == (3, 4)
    assert [(error.line, error.code) for error in report.errors] == [
        (3, "syntax"),
        (4, "syntax"),
        (5, "out_of_range"),
        (7, "missing"),
    ]
    assert report.errors is report.errors, "made once"
    assert report.errors[0].issues[0].offset == 0
    assert report.errors[2].errors() == [
        {"type": "out_of_range", "loc": ("payload", "deltaXp"), "msg": "at least 0", "ctx": {"limit": 0}}
    ]
    assert [str(error) for error in report.errors[2:]] == [
        "line 5: out_of_range at /payload/deltaXp: at least 0",
        "line 7: missing at /playerId: the field is required (and 2 more)",
    ]
    assert repr(report) == "BatchReport(accepted=3, refused=4)"
    wire = report.to_dict()
    assert (wire["accepted"], wire["refused"], len(wire["errors"])) == (3, 4, 4)
    assert wire["errors"] == [error.to_dict() for error in report.errors]
    assert [liveops.LineError.from_dict(error) for error in wire["errors"]] == list(report.errors)


def test_reports_compare_and_pickle() -> None:
    parser = liveops.EventParser(first_issue=True)
    report = parser.validate_batch(event() + b"\n{}", now_ms=NOW_MS)
    assert len(report.errors[0].issues) == 1
    copy = pickle.loads(pickle.dumps(report))
    assert type(copy) is liveops.BatchReport
    assert copy == report and copy.errors == report.errors
    assert copy != liveops.EventParser().validate_batch(event() + b"\n{}", now_ms=NOW_MS), "which has every issue"
    assert report != parser.validate_batch(event() + b"\n[]", now_ms=NOW_MS)
    assert report != 1
    with pytest.raises(liveops.ArgumentError):
        liveops.BatchReport._rebuild(0, 1, [(1, [("no_such_code", "", "", None, None)])])


def test_the_errors_of_a_batch_are_bounded() -> None:
    report = liveops.EventParser().validate_batch(b"{}\n" * 1500, now_ms=NOW_MS)
    assert (report.accepted, report.refused, len(report.errors)) == (0, 1500, 1000)
    assert report.errors[-1].line == 1000
    for nothing in (b"", b"\n"):
        empty = liveops.EventParser().validate_batch(nothing, now_ms=NOW_MS)
        assert (empty.accepted, empty.refused, empty.errors) == (0, 0, ())


def test_a_batch_says_what_one_body_says() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    parser = liveops.EventParser()
    lines = []
    for n in range(400):
        line = bytearray(event(f"e{n}", xp=draw.randrange(2_000_000)))
        for _ in range(draw.choice([0, 0, 1, 3])):
            line[draw.randrange(len(line))] = draw.choice(b'x0"{}[]:,\\ ~\xff')
        lines.append(bytes(line))
    report = parser.validate_batch(b"\n".join(lines), now_ms=NOW_MS)
    told = {error.line: error.errors() for error in report.errors}
    assert 0 < report.accepted < len(lines) and report.accepted + report.refused == len(lines)
    for number, body in enumerate(lines, 1):
        for check in (parser.parse, parser.validate):
            try:
                check(body, now_ms=NOW_MS)
                assert number not in told
            except liveops.ValidationError as error:
                assert told[number] == error.errors()
    assert parser.validate(event(), now_ms=NOW_MS) is None  # type: ignore[func-returns-value]


def test_what_is_no_body() -> None:
    parser = liveops.EventParser()
    for wrong in (event().decode(), None, 7, [event()], {"type": "progression"}):
        with pytest.raises(TypeError, match="as they were received"):
            parser.parse(wrong, now_ms=NOW_MS)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="as they were received"):
            parser.validate_batch(wrong, now_ms=NOW_MS)  # type: ignore[arg-type]
    for body in (bytearray(event()), memoryview(event()), memoryview(b" " + event())[1:]):
        assert parser.parse(body, now_ms=NOW_MS)["id"] == "e1"
        assert parser.validate_batch(body, now_ms=NOW_MS).accepted == 1
    with pytest.raises(TypeError, match="not both"):
        parser.validate_batch(b"", now_ms=NOW_MS, now=NOW_MS)  # type: ignore[arg-type]
