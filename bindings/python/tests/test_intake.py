"""The door: signatures, quotas, headers of every shape, and what an HTTP answer needs."""

from __future__ import annotations

import email.message
import pickle
from collections.abc import Callable, Iterator, Mapping
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


def test_processes_that_share_quotas(rules: liveops.Rules) -> None:
    shares = [liveops.Intake(rules, trusted=True, quota_share=3) for _ in range(3)]
    for intake in shares:
        intake.admit({}, event(), now_ms=NOW_MS)
        with pytest.raises(liveops.Refusal) as refusal:
            intake.admit({}, event(), now_ms=NOW_MS)
        assert (refusal.value.code, refusal.value.retry_after) == ("rate_limited", 60), "together as much as one alone"
    for wrong in (0, -1, 2**32):
        with pytest.raises(liveops.ArgumentError, match="out_of_range"):
            liveops.Intake(rules, trusted=True, quota_share=wrong)


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


@pytest.mark.parametrize(("limit", "more"), [(10, 0), (1001, 1)])
def test_what_was_used_outlives_replaced_rules(limit: int, more: int) -> None:
    def daily(limit: int) -> liveops.Rules:
        quota = f'{{"per": "player", "limit": {limit}, "periodSeconds": 86400}}'
        return liveops.Rules.from_json(f'{{"version": 1, "game": "g", "door": {{"quotas": [{quota}]}}}}')

    door = liveops.Intake(daily(1000), trusted=True)

    def let_in(events: int) -> int:
        answers = door.admit_batch([({}, event("e", "ana", 1))] * events, now_ms=NOW_MS)
        return sum(isinstance(answer, liveops.Command) for answer in answers)

    assert let_in(1001) == 1000
    door.replace(daily(limit))
    assert let_in(20) == more


def test_senders_whom_the_caller_knows(intake: liveops.Intake) -> None:
    assert intake.admit({}, event("e1"), trusted=True, now_ms=NOW_MS).player_id == "ana"
    assert intake.admit({}, event("e2", "ana"), trusted_player="ana", now_ms=NOW_MS).id == "e2"
    with pytest.raises(liveops.Refusal) as refusal:
        intake.admit({}, event("e3", "bo"), trusted_player="ana", now_ms=NOW_MS)
    assert (refusal.value.code, refusal.value.http_status) == ("key_player_mismatch", 401)
    headers = {"Idempotency-Key": "e4"}
    assert intake.admit(headers, event(None), trusted_player="ana", now_ms=NOW_MS).id == "e4", "headers count"
    forged = {**signed(event(None)), "webhook-signature": "v1,AAAA"}
    assert intake.admit(forged, event("e1", "bo"), trusted_player="bo", now_ms=NOW_MS).id == "e1", "nobody looks"
    with pytest.raises(liveops.Refusal) as unsigned:
        intake.admit({}, event("e5"), now_ms=NOW_MS)
    assert unsigned.value.code == "missing_header"
    with pytest.raises(TypeError, match="not both"):
        intake.admit({}, event(), trusted=True, trusted_player="ana", now_ms=NOW_MS)
    with pytest.raises(liveops.ArgumentError) as invalid:
        intake.admit({}, event(), trusted_player="", now_ms=NOW_MS)
    assert invalid.value.code == "id_invalid"
    for wrong in (1, "yes", None):
        with pytest.raises(TypeError):
            intake.admit({}, event(), trusted=wrong, now_ms=NOW_MS)  # type: ignore[arg-type]
    open_ = liveops.Intake(liveops.Rules.from_json('{"version": 1, "game": "g"}'), trusted=True)
    for lost in (None, 7, b"ana"):
        with pytest.raises(TypeError):
            open_.admit({}, event(), trusted_player=lost, now_ms=NOW_MS)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            liveops.Request({}, event(), trusted_player=lost)  # type: ignore[arg-type]
    with pytest.raises(liveops.Refusal):
        open_.admit({}, event("e1", "bo"), trusted_player="ana", now_ms=NOW_MS)


def test_a_batch_answers_each_by_itself(intake: liveops.Intake) -> None:
    body = event("e0")
    requests: list[Any] = [
        (signed(body, "e0"), body),
        (signed(body, "e0"), body + b" "),
        ({}, body, "203.0.113.9"),
        (list(signed(body, "e0").items()), bytearray(body), None),
        liveops.Request(signed(body, "other"), memoryview(body)),
        liveops.Request({}, body, trusted_player="ana"),
        liveops.Request({}, body, trusted_player="bo"),
        liveops.Request({}, b"no json", trusted=True, address="203.0.113.9"),
        liveops.Request({}, body, trusted=True),
    ]
    answers = intake.admit_batch(iter(requests), now_ms=NOW_MS)
    assert [answer.code if isinstance(answer, liveops.Refusal) else answer.id for answer in answers] == [
        "e0",
        "signature_mismatch",
        "missing_header",
        "e0",
        "event_id_mismatch",
        "e0",
        "key_player_mismatch",
        "syntax",
        "rate_limited",
    ], "the fourth of a player is one too many"
    refused = answers[-1]
    assert isinstance(refused, liveops.Refusal)
    assert refused.headers()["RateLimit-Policy"] == '"player";q=3;w=60' and refused.retry_after == 20
    commands = [answer for answer in answers if isinstance(answer, liveops.Command)]
    assert [command.received_at_ms for command in commands] == [NOW_MS] * 3
    for answer in answers:
        if isinstance(answer, liveops.Refusal):
            copy = pickle.loads(pickle.dumps(answer))
            assert (copy.problem(), copy.headers(), copy.issues) == (answer.problem(), answer.headers(), answer.issues)
    assert intake.admit_batch([]) == []
    assert repr(requests[4]) == "Request(..)", "neither a signature nor a body ends up in a log"


def test_a_batch_goes_into_the_engine(engine: liveops.Engine, trusted: liveops.Intake) -> None:
    answers = trusted.admit_batch([({}, event(f"e{n}", f"p{n % 7}")) for n in range(50)] + [({}, b"{}")], now_ms=NOW_MS)
    commands = [answer for answer in answers if isinstance(answer, liveops.Command)]
    assert engine.submit_batch(commands).counts() == {"applied": 50}
    assert answers[50].code == "missing"  # type: ignore[union-attr]


def test_what_is_no_request_is_a_fault_of_the_program(intake: liveops.Intake) -> None:
    body = event()
    wrong: list[Any] = [
        7,
        [body],
        ["ab"],
        [{"headers": {}, "body": body}],
        [[{}, body]],
        [({},)],
        [({}, body, None, None)],
        [({}, body, 7)],
        [({}, body.decode())],
        [({}, None)],
        [(None, body)],
        [(body, {})],
        [({"webhook-id": 7}, body)],
    ]
    for requests in wrong:
        with pytest.raises((TypeError, ValueError)):
            intake.admit_batch(requests, now_ms=NOW_MS)
    make_wrong: list[Callable[[], object]] = [
        lambda: liveops.Request({}, body.decode()),  # type: ignore[arg-type]
        lambda: liveops.Request({"webhook-id": 7}, body),  # type: ignore[arg-type]
        lambda: liveops.Request({}, body, address=b"::1"),  # type: ignore[arg-type]
        lambda: liveops.Request({}, body, "::1"),  # type: ignore[call-arg]
        lambda: liveops.Request({}, body, trusted=True, trusted_player="ana"),
    ]
    for make in make_wrong:
        with pytest.raises(TypeError):
            make()


def test_a_request_holds_what_it_was_given(intake: liveops.Intake) -> None:
    body, headers = bytearray(event("e0")), signed(event("e0"), "e0")
    request = liveops.Request(headers, body)
    headers.clear()
    body[:] = b"x" * len(body)
    for _ in range(2):
        [answer] = intake.admit_batch([request], now_ms=NOW_MS)
        assert isinstance(answer, liveops.Command) and answer.id == "e0"


def test_quotas_by_address(rules: liveops.Rules) -> None:
    per_address = '{"version": 1, "game": "g", "door": {"quotas": [{"per": "ip", "limit": 2, "periodSeconds": 60}]}}'
    intake = liveops.Intake(liveops.Rules.from_json(per_address), secret=SECRET)
    requests: list[Any] = [({}, b"", address) for address in ["a", "a", "a", "b"]]
    answers = intake.admit_batch(requests, now_ms=NOW_MS)
    assert [answer.code for answer in answers if isinstance(answer, liveops.Refusal)] == [
        "missing_header",
        "missing_header",
        "rate_limited",
        "missing_header",
    ], "asked before the signature"
    assert answers[2].headers()["RateLimit-Policy"] == '"ip";q=2;w=60'  # type: ignore[union-attr]


def test_a_limiter_for_several_intakes(rules: liveops.Rules) -> None:
    limiter = liveops.RateLimiter(1, capacity=1)
    first, second = (liveops.Intake(rules, trusted=True, quotas=limiter) for _ in range(2))
    for n, intake in enumerate((first, second, first)):
        intake.admit({}, event(f"e{n}"), now_ms=NOW_MS)
    with pytest.raises(liveops.Refusal) as refusal:
        second.admit({}, event("e3"), now_ms=NOW_MS)
    assert refusal.value.code == "rate_limited"
    with pytest.raises(liveops.Refusal) as full:
        first.admit({}, event("e4", "bo"), now_ms=NOW_MS)
    assert (full.value.code, full.value.http_status) == ("limiter_full", 429)
    assert len(limiter) == 1
    for wrong in (None, 7, liveops.SlidingLimiter(5), liveops.Quota(5)):
        with pytest.raises(TypeError):
            liveops.Intake(rules, trusted=True, quotas=wrong)  # type: ignore[arg-type]


def test_as_much_as_is_asked_for(rules: liveops.Rules) -> None:
    wrong = b'{"type": "progression", "playerId": "", "ts": "7", "payload": {"deltaXp": -1}}'
    for first_issue, issues in ((False, 3), (True, 1)):
        intake = liveops.Intake(rules, trusted=True, first_issue=first_issue)
        for _ in range(2):
            [answer] = intake.admit_batch([({}, wrong)], now_ms=NOW_MS)
            assert isinstance(answer, liveops.Refusal) and len(answer.issues) == issues
            assert len(answer.problem()["issues"]) == len(answer.errors()) == issues
            intake.replace(rules)  # which does not make it say more
    [answer] = intake.admit_batch([({}, b'{"id": 01}')], now_ms=NOW_MS)
    assert isinstance(answer, liveops.Refusal)
    assert answer.errors()[0]["ctx"]["offset"] == answer.problem()["issues"][0]["offset"] == 8


def test_hostile_headers_and_bodies(intake: liveops.Intake) -> None:
    body = event(None)
    headers = signed(body)
    cases: list[tuple[Any, Any, str]] = [
        (headers, b"\0" * 65_537, "too_large"),
        (headers, b"\0" * 65_536, "signature_mismatch"),
        ({**headers, "webhook-id": "e" * 1_000_000}, body, "malformed_header"),
        ([*headers.items(), ("WEBHOOK-ID", "e1")], body, "malformed_header"),
        ([*headers.items(), ("Idempotency-Key", "a"), ("idempotency-key", "a")], body, "malformed_header"),
        ({**headers, "Idempotency-Key": "no spaces"}, body, "id_invalid"),
        ({**headers, "Idempotency-Key": "e2"}, body, "event_id_mismatch"),
        ({**headers, "Idempotency-Key": "\ud800"}, body, "id_invalid"),
        ({name: value + "\n" for name, value in headers.items()}, body, "malformed_header"),
        ({}, b"", "missing_header"),
    ]
    for shape, sent, code in cases:
        with pytest.raises(liveops.Refusal) as refusal:
            intake.admit(shape, sent, now_ms=NOW_MS)
        [answer] = intake.admit_batch([(shape, sent)], now_ms=NOW_MS)
        assert refusal.value.code == code and isinstance(answer, liveops.Refusal) and answer.code == code
        assert answer.problem() == refusal.value.problem()
        for value in headers.values():
            assert value not in str(answer.problem()) and value not in str(answer)
    assert intake.admit(headers, body, now_ms=NOW_MS).id == "e1"
