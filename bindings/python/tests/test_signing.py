"""Keys, rotation and batches; requests of every shape, and what is no request."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest

import liveops
from conftest import NOW_MS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DAY_MS = 86_400_000
BODY = b'{"any": "bytes"}'


def signed(body: bytes = BODY, id: str = "evt_1", now_ms: int = NOW_MS) -> dict[str, str]:
    return liveops.Signer(SECRET).sign(id, body, now_ms=now_ms)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(liveops.SignatureError) as error:
        call()
    return error.value.code


def test_a_retired_key_stops_at_its_end() -> None:
    ring = [
        liveops.Key("2025", liveops.generate_secret(), not_after=NOW_MS),
        liveops.Key("2026", liveops.generate_secret(), not_before=NOW_MS - DAY_MS),
    ]
    signer, verifier = liveops.Signer(keys=ring), liveops.Verifier(keys=ring)
    old = liveops.Signer(keys=ring[:1])
    assert signer.sign("e", BODY, now_ms=NOW_MS - 2 * DAY_MS)["webhook-key-id"] == "2025"
    assert signer.sign("e", BODY, now_ms=NOW_MS - DAY_MS)["webhook-key-id"] == "2026", "the newest that is valid"
    headers = old.sign("e", BODY, now_ms=NOW_MS)
    assert verifier.verify(headers, BODY, now_ms=NOW_MS) == liveops.Verified("e", "2025", None)
    assert code_of(lambda: verifier.verify(headers, BODY, now_ms=NOW_MS + 1)) == "unknown_key"
    del headers["webhook-key-id"]
    assert verifier.verify(headers, BODY, now_ms=NOW_MS).key_id == "2025", "any valid one is tried"
    assert code_of(lambda: verifier.verify(headers, BODY, now_ms=NOW_MS + 1)) == "signature_mismatch"
    assert code_of(lambda: verifier.verify({**headers, "webhook-key-id": "2024"}, BODY, now_ms=NOW_MS)) == "unknown_key"
    assert code_of(lambda: old.sign("e", BODY, now_ms=NOW_MS + 1)) == "unknown_key", "no key is left to sign with"


def test_rings_that_are_none() -> None:
    twice = [liveops.Key("a", SECRET), liveops.Key("a", liveops.Secret.generate())]
    for keys in ([], twice):
        assert code_of(lambda: liveops.Verifier(keys=keys)) == "invalid_argument"
        assert code_of(lambda: liveops.Signer(keys=keys)) == "invalid_argument"
    with pytest.raises(liveops.ArgumentError):
        liveops.Key("no spaces", SECRET)
    assert repr(liveops.Key("a", SECRET)) == "Key('a', ..)"


def test_a_key_of_one_player() -> None:
    keys = [liveops.Key("ana-1", SECRET, player_id="ana")]
    headers = liveops.Signer(keys=keys).sign("e", BODY, now_ms=NOW_MS)
    verified = liveops.Verifier(keys=keys).verify(headers, BODY, now_ms=NOW_MS)
    assert verified == liveops.Verified("e", "ana-1", "ana")
    verified.check_player("ana")
    assert code_of(lambda: verified.check_player("bo")) == "key_player_mismatch"
    liveops.Verified("e", None, None).check_player("bo")


def test_sizes_and_tolerances() -> None:
    body = b" " * 65_537
    headers = signed(body)
    verifier = liveops.Verifier(SECRET)
    assert code_of(lambda: verifier.verify(headers, body, now_ms=NOW_MS)) == "too_large"
    assert verifier.verify(signed(body[1:]), body[1:], now_ms=NOW_MS).message_id == "evt_1"
    assert liveops.Verifier(SECRET, body_bytes_max=65_537).verify(headers, body, now_ms=NOW_MS).message_id == "evt_1"
    strict = liveops.Verifier(SECRET, tolerance_seconds=0, body_bytes_max=16)
    assert strict.verify(signed(), BODY, now_ms=NOW_MS + 999).message_id == "evt_1"
    assert code_of(lambda: strict.verify(signed(), BODY, now_ms=NOW_MS + 1000)) == "timestamp_too_old"
    assert code_of(lambda: strict.verify(signed(), BODY, now_ms=NOW_MS - 1)) == "timestamp_too_new"
    assert code_of(lambda: strict.verify(signed(), BODY + b" ", now_ms=NOW_MS)) == "too_large"


def test_a_batch_answers_each_by_itself() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    verifier = liveops.Verifier(SECRET)
    messages: list[tuple[dict[str, str], bytes]] = []
    for n in range(200):
        body = draw.randbytes(draw.randrange(300))
        headers = signed(body, f"evt_{n}", NOW_MS - draw.choice([0, 0, 0, 301_000]))
        if draw.random() < 0.3:
            del headers[draw.choice(sorted(headers))]
        if draw.random() < 0.2:
            body += b"!"
        messages.append((headers, body))

    def alone(message: tuple[dict[str, str], bytes]) -> object:
        try:
            return verifier.verify(*message, now_ms=NOW_MS)
        except liveops.SignatureError as error:
            return error

    answers = verifier.verify_batch(iter(messages), now_ms=NOW_MS)
    assert [show(answer) for answer in answers] == [show(alone(message)) for message in messages]
    codes = {answer.code for answer in answers if isinstance(answer, liveops.SignatureError)}
    assert codes == {"missing_header", "timestamp_too_old", "signature_mismatch"}
    assert verifier.verify_batch([]) == []


def show(answer: object) -> object:
    return (answer.code, answer.message) if isinstance(answer, liveops.SignatureError) else answer


def test_errors_pickle() -> None:
    verifier = liveops.Verifier(SECRET)
    [error] = verifier.verify_batch([({}, BODY)], now_ms=NOW_MS)
    assert isinstance(error, liveops.SignatureError) and error.http_status == 401
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.message) == (liveops.SignatureError, "missing_header", "webhook-id is missing")
    assert str(copy) == "missing_header: webhook-id is missing"


def test_headers_that_arrive() -> None:
    verifier = liveops.Verifier(SECRET)
    headers = signed()
    raw = [[name.title().encode(), value.encode()] for name, value in headers.items()]
    shapes: list[Any] = [
        {name.upper(): value for name, value in headers.items()},
        list(headers.items()),
        iter(headers.items()),
        raw,  # ASGI's, which need not be tuples
        [(b"x-filler", b"\xff" * 100)] * 50_000 + [(name, value) for name, value in raw],
        {**headers, "x-huge": "x" * 10_000_000},
        {**headers, "x-odd": "\ud800", "\udfff": ""},
    ]
    for shape in shapes:
        assert verifier.verify(shape, BODY, now_ms=NOW_MS).message_id == "evt_1"


def test_headers_that_lie() -> None:
    verifier = liveops.Verifier(SECRET)
    headers = signed()
    cases: list[tuple[Any, str]] = [
        ({}, "missing_header"),
        ([*headers.items(), ("Webhook-Id", "evt_1")], "malformed_header"),
        ([*headers.items(), (b"WEBHOOK-SIGNATURE", headers["webhook-signature"].encode())], "malformed_header"),
        ({**headers, "Webhook-Timestamp": headers["webhook-timestamp"]}, "malformed_header"),
        ({**headers, "webhook-id": "x" * 10_000_000}, "malformed_header"),
        ({**headers, "webhook-id": "evt_1\ud800"}, "malformed_header"),
        ({**headers, "webhook-id": "evt_1\0"}, "malformed_header"),
        ({**headers, "webhook-id": "evt_\u0661"}, "malformed_header"),
        ({**headers, "webhook-timestamp": "١٧٩٤٠٥٢٨٠٠"}, "malformed_header"),
        ({**headers, "webhook-timestamp": "9" * 4301}, "malformed_header"),
        ({**headers, "webhook-signature": "v1," + "A" * 5_000_000}, "malformed_header"),
        ({**headers, "webhook-signature": " ".join(["v1," + "A" * 43 + "="] * 17)}, "malformed_header"),
        ({**headers, "webhook-signature": " ".join(["v1," + "A" * 43 + "="] * 16)}, "signature_mismatch"),
        ({**headers, "webhook-key-id": ""}, "malformed_header"),
    ]
    for shape, code in cases:
        assert code_of(lambda: verifier.verify(shape, BODY, now_ms=NOW_MS)) == code
        assert shape is not None and code_of_batch(verifier, shape) == code


def code_of_batch(verifier: liveops.Verifier, headers: Any) -> str | None:
    [answer] = verifier.verify_batch([(headers, BODY)], now_ms=NOW_MS)
    return answer.code if isinstance(answer, liveops.SignatureError) else None


def test_what_is_no_request_is_a_fault_of_the_program() -> None:
    verifier = liveops.Verifier(SECRET)
    headers = signed()
    no_headers: list[Any] = [
        None,
        7,
        b"webhook-id: evt_1",
        "webhook-id: evt_1",
        ["ab", "cd"],
        [("webhook-id",)],
        [("webhook-id", "a", "b")],
        [{"webhook-id", "a"}],
        {"webhook-id": 1},
        {"webhook-id": None},
        {"webhook-id": ["evt_1"]},
        {7: "evt_1"},
    ]
    for wrong in no_headers:
        with pytest.raises(TypeError):
            verifier.verify(wrong, BODY, now_ms=NOW_MS)
        with pytest.raises(TypeError):
            verifier.verify_batch([(headers, BODY), (wrong, BODY)], now_ms=NOW_MS)
    for wrong in (BODY.decode(), None, 7, [123], {"any": "bytes"}):
        with pytest.raises(TypeError, match="as they were received"):
            verifier.verify(headers, wrong, now_ms=NOW_MS)  # type: ignore[arg-type]
    messages: list[Any] = [7, [7], [BODY], [(headers,)], [(headers, BODY, NOW_MS)], [(BODY, headers)]]
    for wrong in messages:
        with pytest.raises((TypeError, ValueError)):
            verifier.verify_batch(wrong, now_ms=NOW_MS)


def test_bodies_of_every_kind() -> None:
    verifier = liveops.Verifier(SECRET)
    backwards = memoryview(BODY[::-1])[::-1]
    for body in (bytearray(BODY), memoryview(BODY), memoryview(bytearray(BODY)), backwards):
        assert verifier.verify(signed(), body, now_ms=NOW_MS).message_id == "evt_1"
        assert liveops.Signer(SECRET).sign("evt_1", body, now_ms=NOW_MS) == signed()


def test_an_iterator_that_fails_says_so() -> None:
    def messages() -> Any:
        yield signed(), BODY
        raise RuntimeError("the connection broke")

    with pytest.raises(RuntimeError, match="broke"):
        liveops.Verifier(SECRET).verify_batch(messages(), now_ms=NOW_MS)
