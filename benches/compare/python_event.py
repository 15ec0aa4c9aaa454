"""event.parse.msgspec, event.parse.pydantic: a batch of 1,000 events checked against their schemas.

Prints one JSON line; `cargo xtask compare event` starts it with the name of the row. All sides get the same `bytes` of 1,000
lines. Ours ends with a report that stays in the library, a peer's with every event as a Python value. The peer is at its
cheapest: ids are texts of 1 to 64 characters of any kind. The figure with a pattern has ids as ours are, visible ASCII.
"""

import sys
from collections.abc import Callable
from statistics import median
from typing import Any

import liveops
from python_measure import NOW_MS, Stopwatch, events, print_row

LINES = 1_000
BATCHES = 20
PLAYERS = 10_000
ROUNDS = 15

# The limits of the built-in types. A peer that knows no clock has the time's as constants.
TS_MIN, TS_MAX = NOW_MS // 1000 - 86_400, NOW_MS // 1000 + 300
XP_MAX, DURATION_MAX, PARTY_MAX, QUANTITY_MAX, INTEGER_MAX = 1_000_000, 86_400_000, 100, 10_000, 2**53 - 1
VISIBLE = "^[!-~]{1,64}$"

Peer = Callable[[bytes], list[Any]]


def msgspec_peer(pattern: str | None) -> Peer:
    """As https://jcristharif.com/msgspec/perf-tips.html asks for: one decoder made once, structs that the collector need not
    track, a tagged union, and decode_lines for the whole buffer."""
    import msgspec
    from msgspec import Meta, Struct
    from typing import Annotated

    id_type = Annotated[str, Meta(pattern=pattern) if pattern else Meta(min_length=1, max_length=64)]
    ts_type = Annotated[int, Meta(ge=TS_MIN, le=TS_MAX)]
    xp_type = Annotated[int, Meta(ge=0, le=XP_MAX)]

    class Payload(Struct, forbid_unknown_fields=True, gc=False):
        pass

    class ProgressionPayload(Payload):
        deltaXp: xp_type
        activity: id_type = ""
        zone: id_type = ""

    class BossKillPayload(Payload):
        bossId: id_type
        durationMs: Annotated[int, Meta(ge=1, le=DURATION_MAX)]
        difficulty: id_type = ""
        partySize: Annotated[int, Meta(ge=1, le=PARTY_MAX)] = 1
        damage: Annotated[int, Meta(ge=0, le=INTEGER_MAX)] = 0
        deltaXp: xp_type = 0
        activity: id_type = ""

    class DropClaimedPayload(Payload):
        dropId: id_type
        itemId: id_type
        quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
        sourceBossId: id_type = ""
        rarity: id_type = ""
        deltaXp: xp_type = 0
        activity: id_type = ""

    class Event(Struct, forbid_unknown_fields=True, gc=False, tag_field="type", kw_only=True):
        id: id_type = ""
        playerId: id_type
        ts: ts_type

    class Progression(Event, tag="progression"):
        payload: ProgressionPayload

    class BossKill(Event, tag="boss_kill"):
        payload: BossKillPayload

    class DropClaimed(Event, tag="drop_claimed"):
        payload: DropClaimedPayload

    return msgspec.json.Decoder(Progression | BossKill | DropClaimed).decode_lines


def pydantic_peer(pattern: str | None) -> Peer:
    """As https://docs.pydantic.dev/latest/concepts/performance/ asks for: TypedDicts instead of models, one adapter made once, a
    discriminated union, and validate_json on the bytes of each line."""
    from typing import Annotated, Literal

    from pydantic import ConfigDict, Field, TypeAdapter
    from typing_extensions import NotRequired, TypedDict  # pydantic asks for this one below Python 3.12

    id_type = Annotated[str, Field(pattern=pattern) if pattern else Field(min_length=1, max_length=64)]
    ts_type = Annotated[int, Field(ge=TS_MIN, le=TS_MAX)]
    xp_type = Annotated[int, Field(ge=0, le=XP_MAX)]
    strict = ConfigDict(extra="forbid", strict=True)

    class ProgressionPayload(TypedDict):
        __pydantic_config__ = strict
        deltaXp: xp_type
        activity: NotRequired[id_type]
        zone: NotRequired[id_type]

    class BossKillPayload(TypedDict):
        __pydantic_config__ = strict
        bossId: id_type
        durationMs: Annotated[int, Field(ge=1, le=DURATION_MAX)]
        difficulty: NotRequired[id_type]
        partySize: NotRequired[Annotated[int, Field(ge=1, le=PARTY_MAX)]]
        damage: NotRequired[Annotated[int, Field(ge=0, le=INTEGER_MAX)]]
        deltaXp: NotRequired[xp_type]
        activity: NotRequired[id_type]

    class DropClaimedPayload(TypedDict):
        __pydantic_config__ = strict
        dropId: id_type
        itemId: id_type
        quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX)]
        sourceBossId: NotRequired[id_type]
        rarity: NotRequired[id_type]
        deltaXp: NotRequired[xp_type]
        activity: NotRequired[id_type]

    class Progression(TypedDict):
        __pydantic_config__ = strict
        id: NotRequired[id_type]
        type: Literal["progression"]
        playerId: id_type
        ts: ts_type
        payload: ProgressionPayload

    class BossKill(TypedDict):
        __pydantic_config__ = strict
        id: NotRequired[id_type]
        type: Literal["boss_kill"]
        playerId: id_type
        ts: ts_type
        payload: BossKillPayload

    class DropClaimed(TypedDict):
        __pydantic_config__ = strict
        id: NotRequired[id_type]
        type: Literal["drop_claimed"]
        playerId: id_type
        ts: ts_type
        payload: DropClaimedPayload

    validate = TypeAdapter(
        Annotated[Progression | BossKill | DropClaimed, Field(discriminator="type")]
    ).validate_json
    return lambda buffer: [validate(line) for line in buffer.split(b"\n")]


PEERS = {"event.parse.msgspec": msgspec_peer, "event.parse.pydantic": pydantic_peer}


def check(parser: liveops.EventParser, peers: list[Peer], good: bytes) -> None:
    """All sides take what will be measured, and each of them refuses what each of them should."""
    report = parser.validate_batch(good, now_ms=NOW_MS)
    assert (report.accepted, report.refused) == (LINES, 0), report
    assert all(len(peer(good)) == LINES for peer in peers)
    line = good.split(b"\n")[0]
    for part, wrong in [
        (b'"deltaXp":50', b'"deltaXp":1000001'),
        (b'"deltaXp":50', b'"deltaXp":50.5'),
        (b'"deltaXp":50', b'"deltaXp":"50"'),
        (b'"deltaXp":50', b'"deltaXp":50,"x":1'),
        (b'"progression"', b'"duel"'),
        (b'"activity":"dungeon"', b'"activity":null'),
        (b'"playerId":"', b'"playerId":"' + b"p" * 64),
        (b'"ts":', b'"ts":1'),
        (b'"type":', b'"x":1,"type":'),
        (b'"}}', b'"}'),
    ]:
        assert part in line
        refused = line.replace(part, wrong)
        assert parser.validate_batch(refused, now_ms=NOW_MS).refused == 1, refused
        for peer in peers:
            try:
                peer(refused)
            except ValueError:  # of both peers
                continue
            raise AssertionError(f"a peer takes {refused!r}")


def main(name: str) -> None:
    lines = events(LINES * BATCHES, PLAYERS)
    buffers = [b"\n".join(lines[at : at + LINES]) for at in range(0, len(lines), LINES)]
    parser = liveops.EventParser()
    cheapest, with_pattern = PEERS[name](None), PEERS[name](VISIBLE)
    check(parser, [cheapest, with_pattern], buffers[0])

    sides: list[Callable[[bytes], Any]] = [
        lambda buffer: parser.validate_batch(buffer, now_ms=NOW_MS),
        cheapest,
        with_pattern,
    ]
    stopwatch = Stopwatch()
    costs: list[list[float]] = [[], [], []]
    for n in range(ROUNDS + 1):
        # By turns, batch for batch: each begins as often as the others, so that the memory is warm for none more often.
        for buffer in buffers:
            for turn in range(3):
                side = (n + turn) % 3
                cost, result = stopwatch.time(lambda: sides[side](buffer))
                del result  # Nobody is charged for letting it go.
                if n > 0:  # The first round only warms up.
                    costs[side].append(cost / LINES)

    ours, peer, patterned = costs
    more = {"peer with pattern": median(patterned), "ratio with pattern": median(patterned) / median(ours)}
    print_row(name, ours, peer, stopwatch, more)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PEERS:
        sys.exit(f"the rows are: {', '.join(PEERS)}")
    main(sys.argv[1])
