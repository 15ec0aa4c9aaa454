"""What an operator wants to see after a run, in plain text of a hundred columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Any, cast

import liveops

if TYPE_CHECKING:
    from replay import Tally

WINDOWS = ("daily", "weekly", "monthly", "seasonal", "allTime")
LEVEL_BANDS_MAX = 25
CLOSED_MAX = 12
SUSPECTS_MAX = 30


def render(engine: liveops.Engine, document: dict[str, Any], tally: Tally, source: str, seconds: float) -> str:
    """A run and the state after it. The last line is `digest v1:<hex>`."""
    parts = [
        [f"{engine.rules.game} from {source}", ""],
        run(tally, seconds),
        outcomes(tally),
        players(engine, tally),
        rewards(tally),
        boards(engine, document, tally.last_ms or 0),
        closed(tally),
        suspects(list(engine.suspicions())),
        ["", f"digest {engine.digest()}"],
    ]
    return "\n".join(line.rstrip() for part in parts for line in part)


def run(tally: Tally, seconds: float) -> Iterator[str]:
    if tally.first_ms is not None and tally.last_ms is not None:
        first, last = (utc(ms).strftime("%Y-%m-%d %H:%M") for ms in (tally.first_ms, tally.last_ms))
        yield f"received     {first} to {last}"
    broken = f", {tally.broken:,} of them broken and left out" if tally.broken else ""
    yield f"lines        {tally.lines:,}{broken}"
    if tally.resumed:
        yield f"resumed      after {tally.resumed:,} lines that the store holds"
    rate = int(tally.lines / max(seconds, 1e-9))
    yield f"speed        {rate:,} events a second: read, verified, validated, decided, committed in {seconds:.2f} s"


def outcomes(tally: Tally) -> Iterator[str]:
    yield from heading("Outcomes", "by code, most frequent first")
    total = max(tally.outcomes.total(), 1)
    cells: list[str] = []
    for code, count in sorted(tally.outcomes.items(), key=lambda item: (-item[1], item[0])):
        permille = count * 1000 // total
        cells.append(f"{count:>9,}  {code:<22}{permille // 10:>3}.{permille % 10} %")
    half = max(-(-len(cells) // 2), 1)
    yield from side_by_side([cells[:half], cells[half:]], 50)
    if tally.late:
        yield ""
        yield f"  {tally.late:,} applied events came too late for a period and count on longer ones."


def players(engine: liveops.Engine, tally: Tally) -> Iterator[str]:
    yield from heading("Players", "by level")
    everyone = list(engine.players())
    highest = max((player.level for player in everyone), default=1)
    step = max(-(-highest // LEVEL_BANDS_MAX), 1)
    bands = Counter((player.level - 1) // step for player in everyone)
    most = max(bands.values(), default=1)
    for band in range(max(bands, default=0) + 1):
        first, last = band * step + 1, (band + 1) * step
        label = f"level {first}" if step == 1 else f"level {first}-{last}"
        yield f"  {label:<14}{bands[band]:>9,}  {'#' * -(-bands[band] * 64 // most)}"
    yield ""
    yield (
        f"  {len(everyone):,} players, {tally.xp_granted:,} XP granted, of which {max(tally.xp_boosted, 0):,} by boosts; "
        f"{tally.xp_over_cap:,} withheld by the daily cap"
    )


def rewards(tally: Tally) -> Iterator[str]:
    yield from heading("Rewards", "granted in this run")
    if not tally.rewards:
        yield "  none"
    for name, prize in sorted(tally.rewards.items()):
        items = ", ".join(f"{amount:,} {id} ({kind})" for (kind, id), amount in sorted(prize.items.items()))
        yield f"{prize.times:>9,} x {name:<22} {items}"


def boards(engine: liveops.Engine, document: dict[str, Any], now_ms: int) -> Iterator[str]:
    """The top ten of every board in every window."""
    for name in engine.rules.boards:
        board = engine.board(name)
        yield from heading(f"Board {name}", described(document["boards"][name], board))
        tables: list[list[str]] = []
        for window in board.windows:
            try:
                standings = board.at(window, now_ms=now_ms)
            except liveops.NotFoundError:  # Between two seasons there is none.
                continue
            title = "all time" if window == "allTime" else f"{window} {standings.period.label}"
            rows = standings.top(10)
            ranked = f"  {len(standings):,} ranked"
            tables.append([f"  {title}", ranked, *(f"{r.rank:>4}. {r.player_id[:16]:<16}{r.score:>9,}" for r in rows)])
        for at in range(0, len(tables), 3):
            if at:
                yield ""
            yield from side_by_side(tables[at : at + 3], 33)


def described(rule: dict[str, Any], board: liveops.Board) -> str:
    value: Any = rule["value"]
    words = {"grantedXp": "XP granted", "requestedXp": "XP asked for"}
    if isinstance(value, dict):
        value = cast(dict[str, str], value)["field"]
    elif isinstance(value, int):
        value = f"{value} an event"
    operator = {"incr": "sum of", "best": "best", "set": "latest"}.get(board.operator, "less")
    order = "highest first" if board.order == "desc" else "lowest first"
    return f"{operator} {words.get(value, value)}, {order}"


def closed(tally: Tally) -> Iterator[str]:
    """Periods that closed, window by window, with who was first on each board."""
    yield from heading("Closed", "periods that ended in this run, with who was first")
    if not tally.closings:
        yield "  none"
    ordered = sorted(tally.closings, key=lambda closing: WINDOWS.index(closing.period.window))
    for window, group in groupby(ordered, key=lambda closing: closing.period.window):
        closings = list(group)
        if len(closings) > CLOSED_MAX:
            yield f"  {window:<9}{len(closings) - CLOSED_MAX} earlier ones"
        for closing in closings[-CLOSED_MAX:]:
            winners = " | ".join(f"{board}: {row.player_id} {row.score:,}" for board, row in closing.winners)
            at = utc(closing.period.closes_at or 0).strftime("%m-%d %H:%M")
            yield f"  {window:<9}{closing.period.label:<11} closed {at}  {winners}"


class Suspect:
    """What one detector minded in one player."""

    def __init__(self) -> None:
        self.times = 0
        self.worst: liveops.Judgement | None = None
        self.type = ""

    def add(self, judgement: liveops.Judgement, type: str) -> None:
        self.times += 1
        if self.worst is None or strength(judgement) > strength(self.worst):
            self.worst, self.type = judgement, type


def suspects(suspicions: Sequence[liveops.Suspicion]) -> Iterator[str]:
    """Held players first, then by how often."""
    yield from heading("Flagged and held", "for a person to review; nobody is banned")
    found: dict[tuple[str, str], Suspect] = {}
    for suspicion in suspicions:
        for judgement in suspicion.verdicts:
            suspect = found.setdefault((suspicion.player_id, judgement.detector), Suspect())
            suspect.add(judgement, suspicion.event["type"])
    players = {player for player, _ in found}
    held = sum(suspicion.held for suspicion in suspicions)
    flagged = len(suspicions) - held
    yield f"  {len(players):,} players, {len(suspicions):,} events: {flagged:,} flagged, {held:,} held"
    listed = [(player, suspect.worst, suspect) for (player, _), suspect in found.items() if suspect.worst]
    listed.sort(key=lambda entry: (entry[1].action != "hold", -entry[2].times, entry[0], entry[1].detector))
    for player, worst, suspect in listed[:SUSPECTS_MAX]:
        action = "held" if worst.action == "hold" else "flagged"
        yield ""
        yield f"  {player:<22} {action} {suspect.times:,} x by {worst.detector} ({suspect.type})"
        yield f"    {worst.describe()}"
        yield f"    {figures(worst)}"
    if len(listed) > SUSPECTS_MAX:
        yield ""
        yield f"  and {len(listed) - SUSPECTS_MAX} more"


def strength(judgement: liveops.Judgement) -> float:
    """For a floor, what is further below it; else what is further away."""
    return -judgement.score if judgement.reason == "belowFloor" else judgement.score


def figures(judgement: liveops.Judgement) -> str:
    """The numbers behind a verdict, in the unit of the value."""
    score, threshold = judgement.score, f"{judgement.threshold:g}"
    n, mean, sd = judgement.baseline.n, judgement.baseline.mean, judgement.baseline.sd
    sign = 1 if judgement.direction == "high" else -1
    origin = {
        "player": f"from {n} earlier values of the player",
        "population": f"from what is known of all players and {n} values of this one",
    }.get(judgement.baseline.source, "from the rules")
    if judgement.reason == "belowFloor":
        return f"{score:.0f} ms, where {threshold} is the least."
    if judgement.reason == "farAboveUsual":  # This detector works on ln(1 + x).
        value, usual = math.expm1(mean + sign * score * sd), math.expm1(mean)
        return f"{value:.0f}, usual {usual:.0f}; score {score:.1f}, threshold {threshold}; {origin}."
    if judgement.reason == "changeAfterConstancy":
        return f"Always {mean:.0f}; {origin}."
    value = mean + sign * score * sd
    numbers = f"{value:.0f}, mean {mean:.0f}, deviation {sd:.1f}"
    return f"{numbers}; score {score:.1f}, threshold {threshold}; {origin}."


def heading(title: str, detail: str) -> Iterator[str]:
    line = f"{title}, {detail}"
    yield from ("", line, "-" * len(line))


def side_by_side(columns: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    for cells in zip_longest(*columns, fillvalue=""):
        yield "".join(f"{cell[: width - 1]:<{width}}" for cell in cells).rstrip()


def utc(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, timezone.utc)
