"""The door: signatures, quotas, headers of every shape, and what an HTTP answer needs."""

from __future__ import annotations

import email.message
import pickle
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import liveops
from conftest import NOW_MS, event

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def intake(rules: liveops.Rules) -> liveops.Intake:
    return liveops.Intake(rules, secret=SECRET)


def signed(body: bytes, id: str = "e1", now_ms: int = NOW_MS) -> dict[str, str]:
    return liveops.Signer(SECRET).sign(id, body, now_ms=now_ms)


class MultiHeaders(Mapping[str, str]):
    """As Starlette's: a mapping whose `items()` repeats what came twice."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def __getitem__(self, name: str) -> str:
        return next(value for key, value in self.pairs if key == name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.pairs))

    def __len__(self) -> int:
        return len(dict(self.pairs))

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        return self.pairs


def test_headers_of_every_shape(intake: liveops.Intake) -> None:
    body = event(None)
    headers = signed(body)
    message = email.message.Message()  # http.client.HTTPMessage is one
    for name, value in headers.items():
        message[name.title()] = value
    shapes: list[Any] = [
        headers,
        list(headers.items()),
        MultiHeaders(list(headers.items())),
        message,
        [(name.encode(), value.encode()) for name, value in headers.items()],
    ]
    for shape in shapes:
        intake = liveops.Intake(liveops.Rules.from_json('{"version": 1, "game": "g"}'), secret=SECRET)
        command = intake.admit(shape, body, now_ms=NOW_MS)
        assert (command.id, command.origin, command.player_id) == ("e1", "event", "ana")
        assert (command.ts_ms, command.received_at_ms) == (NOW_MS, NOW_MS)
        assert command.to_dict() == {
            "id": "e1",
            "type": "progression",
            "playerId": "ana",
            "ts": NOW_MS // 1000,
            "payload": {"deltaXp": 120},
        }
    twice = MultiHeaders([*headers.items(), ("webhook-id", "e1")])
    with pytest.raises(liveops.Refusal) as refusal:
        intake.admit(twice, body, now_ms=NOW_MS)
    assert refusal.value.code == "malformed_header"
    for wrong in [{"webhook-id": 1}, {"webhook-id": None}, ["webhook-id"], 7]:
        with pytest.raises((TypeError, ValueError)):
            intake.admit(wrong, body, now_ms=NOW_MS)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="as they were received"):
        intake.admit(headers, body.decode(), now_ms=NOW_MS)  # type: ignore[arg-type]


def test_refusals_carry_the_answer(intake: liveops.Intake) -> None:
    body = event(None)
    with pytest.raises(liveops.Refusal) as forged:
        intake.admit(signed(body), body + b" ", now_ms=NOW_MS)
    error = forged.value
    assert (error.code, error.http_status, error.retry_after) == ("signature_mismatch", 401, None)
    assert str(error) == "signature_mismatch: no signature matches the message"
    assert error.headers() == {"Content-Type": "application/problem+json"}
    assert error.problem()["type"] == "urn:liveops:error:signature_mismatch"

    with pytest.raises(liveops.Refusal) as skewed:
        intake.admit(signed(body), body, now_ms=NOW_MS + 301_000)
    assert "301" in str(skewed.value) and "300" in str(skewed.value)

    invalid = b'{"type": "progression", "playerId": "ana", "ts": 1, "payload": {"deltaXp": true, "extra": [1]}}'
    with pytest.raises(liveops.Refusal) as wrong:
        intake.admit(signed(invalid), invalid, now_ms=NOW_MS)
    errors = {(error["type"], error["loc"]) for error in wrong.value.errors()}
    assert ("wrong_type", ("payload", "deltaXp")) in errors
    assert ("unknown_field", ("payload", "extra")) in errors


def test_quotas(intake: liveops.Intake, rules: liveops.Rules) -> None:
    for n in range(3):
        body = event(f"e{n}")
        intake.admit(signed(body, f"e{n}"), body, now_ms=NOW_MS)
    body = event("e3")
    with pytest.raises(liveops.Refusal) as refusal:
        intake.admit(signed(body, "e3"), body, now_ms=NOW_MS)
    error = refusal.value
    assert (error.code, error.http_status, error.retry_after) == ("rate_limited", 429, 20)
    assert error.headers()["Retry-After"] == "20"
    assert error.is_transient
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.retry_after, copy.headers(), copy.problem()) == (20, error.headers(), error.problem())
    without = liveops.Intake(rules, secret=SECRET, quotas=False)
    for _ in range(10):
        without.admit(signed(body, "e3"), body, now_ms=NOW_MS)


def test_keys_and_schemes(rules: liveops.Rules) -> None:
    old, new = liveops.generate_secret(), liveops.Secret.generate()
    assert old != liveops.generate_secret() and old.startswith("whsec_")
    assert repr(new) == "Secret(..)"
    keys = [
        liveops.Key("old", old, not_after=NOW_MS),
        liveops.Key("ana", new, not_before=NOW_MS, player_id="ana"),
    ]
    intake = liveops.Intake(rules, keys=keys, quotas=False)
    body = event(None)
    headers = liveops.Signer(keys=keys).sign("e1", body, now_ms=NOW_MS)
    assert headers["webhook-key-id"] == "ana"
    assert intake.admit(headers, body, now_ms=NOW_MS).id == "e1"
    stranger = event(None, "bo")
    headers = liveops.Signer(keys=keys).sign("e1", stranger, now_ms=NOW_MS)
    with pytest.raises(liveops.Refusal) as refusal:
        intake.admit(headers, stranger, now_ms=NOW_MS)
    assert refusal.value.code == "key_player_mismatch"

    short = liveops.Secret.short(b"secret123")
    legacy = liveops.Intake(rules, secret=short, scheme="legacyBody")
    signature = liveops.hmac_sha256_hex(b"secret123", event())
    assert legacy.admit({"X-Signature": signature}, event(), now_ms=NOW_MS).id == "e1"
    with pytest.raises(liveops.Refusal) as unnamed:
        signature = liveops.hmac_sha256_hex(b"secret123", body)
        legacy.admit({"X-Signature": signature, "Idempotency-Key": "e1"}, body, now_ms=NOW_MS)
    assert unnamed.value.code == "missing_event_id"


def test_how_it_may_be_set_up(rules: liveops.Rules) -> None:
    for options in [{}, {"secret": SECRET, "trusted": True}, {"keys": []}, {"secret": "whsec_AAAA"}]:
        with pytest.raises(liveops.LiveopsError):
            liveops.Intake(rules, **options)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not both"):
        liveops.Intake(rules, secret=SECRET, keys=[liveops.Key("a", SECRET)])
    with pytest.raises(TypeError, match="whsec_"):
        liveops.Intake(rules, secret=b"bytes")  # type: ignore[arg-type]
    with pytest.raises(liveops.ArgumentError, match="legacyBody"):
        liveops.Intake(rules, secret=SECRET, scheme="none")  # type: ignore[arg-type]


def test_it_is_told_of_new_rules(trusted: liveops.Intake) -> None:
    arena = b'{"id": "a", "type": "arena_win", "playerId": "ana", "ts": %d, "payload": {}}' % (NOW_MS // 1000)
    with pytest.raises(liveops.Refusal) as refusal:
        trusted.admit({}, arena, now_ms=NOW_MS)
    assert refusal.value.code == "unknown_type"
    trusted.replace(liveops.Rules.from_json('{"version": 1, "game": "g", "events": {"arena_win": {"fields": {}}}}'))
    assert trusted.admit({}, arena, now_ms=NOW_MS).type == "arena_win"
