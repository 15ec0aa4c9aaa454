"""Beside the official package `standardwebhooks`: what either signs, both verify; and where ours refuses what theirs lets in."""

from __future__ import annotations

import base64
import datetime as dates
import random
import string
from collections.abc import Callable

import pytest
import standardwebhooks
import standardwebhooks.webhooks

import liveops

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1_780_000_000
BODY = '{"type": "progression"}'

Headers = dict[str, str]
SetClock = Callable[[int], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Theirs reads the clock; this is the one it reads, in Unix seconds."""

    def at(seconds: int) -> None:
        class Clock(dates.datetime):
            @classmethod
            def now(cls, tz: dates.tzinfo | None = None) -> Clock:
                return cls.fromtimestamp(seconds, tz)

        monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Clock)

    at(NOW)
    return at


def signed_by_them(secret: str, id: str, seconds: int, body: str) -> Headers:
    time = dates.datetime.fromtimestamp(seconds, dates.timezone.utc)
    signature = standardwebhooks.Webhook(secret).sign(id, time, body)
    return {"webhook-id": id, "webhook-timestamp": str(seconds), "webhook-signature": signature}


def is_verified_by_them(secret: str, headers: Headers, body: str | bytes) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(body, headers, json_parse=False)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


def code_of_ours(headers: Headers, body: str, seconds: int = NOW, secret: str = SECRET) -> str | None:
    try:
        liveops.Verifier(secret).verify(headers, body.encode(), now_ms=seconds * 1000)
    except liveops.SignatureError as error:
        return error.code
    return None


class Draw:
    """Messages as people might send them, from a seed."""

    def __init__(self) -> None:
        self.seed = random.randrange(2**32)
        print(f"seed {self.seed}")
        self.random = random.Random(self.seed)

    def secret(self) -> str:
        raw = self.random.randbytes(self.random.randrange(24, 65))
        return "whsec_" + base64.b64encode(raw).decode()

    def id(self) -> str:
        letters = string.ascii_letters + string.digits + "_-"
        return "".join(self.random.choices(letters, k=self.random.randrange(1, 65)))

    def body(self) -> str:
        alphabet = self.random.choice(["ab", string.printable, "\0\x7f\x80é\u2028\ufeff\uffff😀", '{}[]":,.0123456789v'])
        return "".join(self.random.choices(alphabet, k=self.random.choice([0, 1, 55, 64, 65, 500, 15_000])))

    def seconds(self) -> int:
        return self.random.choice([1, NOW, 253_402_300_000 - 1, self.random.randrange(1, 2**34)])


def test_theirs_verify_here() -> None:
    draw = Draw()
    for _ in range(300):
        secret, id, body, seconds = draw.secret(), draw.id(), draw.body(), draw.seconds()
        headers = signed_by_them(secret, id, seconds, body)
        skew = draw.random.randrange(-300, 301)
        verified = liveops.Verifier(secret).verify(headers, body.encode(), now_ms=(seconds + skew) * 1000)
        assert verified == liveops.Verified(id, None, None)
        assert liveops.Signer(secret).sign(id, body.encode(), now_ms=seconds * 1000) == headers, "the same to the letter"
        assert code_of_ours(headers, body + " ", seconds, secret) == "signature_mismatch"
        assert code_of_ours(headers, body, seconds + 301, secret) == "timestamp_too_old"


def test_ours_verify_there(set_clock: SetClock) -> None:
    draw = Draw()
    for _ in range(300):
        secret, id, body = draw.secret(), draw.id(), draw.body()
        seconds = draw.random.randrange(10**6, 2**34)
        headers = liveops.Signer(secret).sign(id, body.encode(), now_ms=seconds * 1000 + draw.random.randrange(1000))
        set_clock(seconds + draw.random.randrange(-300, 301))
        assert is_verified_by_them(secret, headers, body.encode())
        assert not is_verified_by_them(secret, headers, body + " ")
        assert not is_verified_by_them(secret, {**headers, "webhook-id": id + "_"}, body)
        set_clock(seconds + 301)
        assert not is_verified_by_them(secret, headers, body)


def test_by_the_clock_of_the_wall() -> None:
    """Nothing stands in for anything."""
    secret = liveops.generate_secret()
    ours = liveops.Signer(secret).sign("evt_1", BODY.encode())
    assert standardwebhooks.Webhook(secret).verify(BODY, ours) == {"type": "progression"}
    theirs = signed_by_them(secret, "evt_1", int(dates.datetime.now().timestamp()), BODY)
    assert liveops.Verifier(secret).verify(theirs, BODY.encode()).message_id == "evt_1"


def test_a_secret_that_is_being_replaced(set_clock: SetClock) -> None:
    """The sender signs with the old and the new one, as the standard says; who knows either of them believes it."""
    old, new, other = (liveops.generate_secret() for _ in range(3))
    ring = liveops.Verifier(keys=[liveops.Key("old", old, not_after=NOW * 1000), liveops.Key("new", new)])
    for sign in (signed_by_them, signed_by_us):
        first, second = sign(old, "evt_1", NOW, BODY), sign(new, "evt_1", NOW, BODY)
        signatures = [first["webhook-signature"], second["webhook-signature"]]
        for order in (signatures, signatures[::-1], ["v1a,bm9uZSBvZiBvdXJz", *signatures]):
            both = {**first, "webhook-signature": " ".join(order)}
            assert is_verified_by_them(old, both, BODY) and is_verified_by_them(new, both, BODY)
            assert not is_verified_by_them(other, both, BODY)
            assert code_of_ours(both, BODY, secret=old) is code_of_ours(both, BODY, secret=new) is None
            assert code_of_ours(both, BODY, secret=other) == "signature_mismatch"
            assert ring.verify(both, BODY.encode(), now_ms=NOW * 1000).key_id == "new"
        assert ring.verify(first, BODY.encode(), now_ms=NOW * 1000).key_id == "old"
        with pytest.raises(liveops.SignatureError):
            ring.verify(first, BODY.encode(), now_ms=NOW * 1000 + 1)


def signed_by_us(secret: str, id: str, seconds: int, body: str) -> Headers:
    return liveops.Signer(secret).sign(id, body.encode(), now_ms=seconds * 1000)


# What follows 1.1.0 of theirs lets in and ours refuses. Should a later release refuse it too, its part of the test goes.


def test_an_id_that_took_in_the_time(set_clock: SetClock) -> None:
    """`id.timestamp.body` can be cut at other dots: a message becomes another one, of another id, and can be sent again."""
    inner = '{"type": "drop_claimed"}'
    body = f"{NOW + 60}.{inner}"
    honest = signed_by_them(SECRET, "evt_1", NOW, body)
    assert code_of_ours(honest, body) is None
    shifted = {**honest, "webhook-id": f"evt_1.{NOW}", "webhook-timestamp": str(NOW + 60)}
    assert is_verified_by_them(SECRET, shifted, inner)
    assert code_of_ours(shifted, inner) == "malformed_header"
    with pytest.raises(liveops.SignatureError) as error:
        signed_by_us(SECRET, "evt_1.1", NOW, BODY)
    assert error.value.code == "invalid_argument"


@pytest.mark.parametrize(
    "timestamp",
    ["1_780_000_000", "1780000000.999", "1.78e9", "+1780000000", "01780000000", " 1780000000 ", "١٧٨٠٠٠٠٠٠٠"],
)
def test_a_time_that_was_not_signed(set_clock: SetClock, timestamp: str) -> None:
    """Theirs signs the number it read, not the text that came: many texts go with one signature."""
    headers = {**signed_by_them(SECRET, "evt_1", NOW, BODY), "webhook-timestamp": timestamp}
    assert is_verified_by_them(SECRET, headers, BODY)
    assert code_of_ours(headers, BODY) == "malformed_header"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:9] + "!" + text[9:],
        lambda text: text + "\n",
        lambda text: text + "=",
        lambda text: text[:-2] + chr(ord(text[-2]) + 1) + "=",
        lambda text: " ".join(["v1,AAAA"] + [text] * 16),
    ],
)
def test_signatures_that_are_not_canonical(set_clock: SetClock, change: Callable[[str], str]) -> None:
    """Theirs skips what is no base64, whatever stands behind the last byte, and takes as many signatures as come."""
    headers = signed_by_them(SECRET, "evt_1", NOW, BODY)
    assert code_of_ours(headers, BODY) is None
    headers["webhook-signature"] = change(headers["webhook-signature"])
    assert is_verified_by_them(SECRET, headers, BODY)
    assert code_of_ours(headers, BODY) == "malformed_header"


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8G", SECRET + "=", SECRET + "!"])
def test_secrets_that_are_none(set_clock: SetClock, secret: str) -> None:
    """Theirs takes short ones, and reads past what is no base64."""
    assert is_verified_by_them(secret, signed_by_them(secret, "evt_1", NOW, BODY), BODY)
    with pytest.raises(liveops.SignatureError) as error:
        liveops.Verifier(secret)
    assert error.value.code == "secret_invalid"


def test_bytes_that_are_no_text(set_clock: SetClock) -> None:
    """The other way round: theirs knows texts only, where the standard speaks of bytes."""
    headers = liveops.Signer(SECRET).sign("evt_1", b"\xff", now_ms=NOW * 1000)
    assert liveops.Verifier(SECRET).verify(headers, b"\xff", now_ms=NOW * 1000).message_id == "evt_1"
    with pytest.raises(UnicodeDecodeError):
        is_verified_by_them(SECRET, headers, b"\xff")
