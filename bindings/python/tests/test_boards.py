"""Leaderboards whole: batches, cursors, iteration, periods, archives, payouts, snapshots."""

from __future__ import annotations

import ctypes
import inspect
import json
import pickle
import subprocess
import sys
import threading
from array import array
from datetime import datetime, timezone
from typing import Any

import pytest

import liveops
from conftest import DOCUMENT, NOW_MS, event

DAY = 86_400_000
GOLD: list[dict[str, Any]] = [{"tier": "gold", "ranks": [1, 1]}, {"tier": "top-half", "percent": "50"}]


def ids(rows: Any) -> list[str]:
    return [row.player_id for row in rows]


def filled(players: int, **choices: Any) -> liveops.Leaderboard:
    board = liveops.Leaderboard(**choices)
    board.submit_batch([f"p{n:05}" for n in range(players)], range(players, 0, -1))
    return board


def test_a_range_of_scores_is_not_cut_short() -> None:
    board = liveops.Leaderboard()
    board.submit_batch([f"p{n}" for n in range(2_500)], range(2_500))
    assert len(board.by_score_range(0, 2_499)) == 2_500
    assert len(board.by_score_range(0, 2_499, 0, 100)) == 100
    for of in (liveops.Leaderboard, liveops.WindowedLeaderboard, liveops.Standings):
        assert inspect.signature(of.by_score_range).parameters["limit"].default == 100_000


@pytest.mark.parametrize(
    ("owners", "scores", "subscores"),
    [
        (["ana", "bo", "ana"], [5, 7, 1], [0, 1, 2]),
        (("ana", "bo", "ana"), (5, 7, 1), (0, 1, 2)),
        (b"ana\nbo\nana", array("q", [5, 7, 1]), array("q", [0, 1, 2])),
        (b"ana\nbo\nana\n", memoryview(array("q", [5, 7, 1])), [0, 1, 2]),
        (["ana", "bo", "ana"], (ctypes.c_int64.__ctype_be__ * 3)(5, 7, 1), (ctypes.c_int64 * 3)(0, 1, 2)),
        (["ana", "bo", "ana"], (ctypes.c_int64.__ctype_le__ * 3)(5, 7, 1), array("I", [0, 1, 2])),
        (iter(["ana", "bo", "ana"]), memoryview(array("q", [5, 9, 7, 9, 1]))[::2], iter([0, 1, 2])),
    ],
)
def test_a_batch_in_every_form(owners: Any, scores: Any, subscores: Any) -> None:
    board = liveops.Leaderboard(capacity=10)
    board.submit_batch(owners, scores, subscores)
    assert [(row.player_id, row.score, row.subscore) for row in board] == [("bo", 7, 1), ("ana", 6, 2)]


def test_an_empty_batch() -> None:
    board = liveops.Leaderboard()
    board.submit_batch([], [])
    board.submit_batch(b"", array("q"))
    assert len(board) == 0 and list(board) == []


def test_a_batch_is_taken_whole_or_not_at_all() -> None:
    board = liveops.Leaderboard()
    board.submit("ana", 2**53 - 2)
    for owners, scores, code, index in [
        (["bo", "no spaces", "cy"], [1, 2, 3], "id_invalid", 1),
        (b"bo\n\ncy", [1, 2, 3], "id_invalid", 1),
        (["bo", "ana", "ana"], [1, 1, 1], "score_overflow", 2),
        (["bo", "cy"], [1, 2**63], "out_of_range", 1),
        (["bo", "cy"], [1, 2**53], "score_overflow", 1),
        (b"bo\ncy", array("q", [1, -(2**53)]), "score_overflow", 1),
    ]:
        with pytest.raises(liveops.BatchError) as refused:
            board.submit_batch(owners, scores)
        assert (refused.value.code, refused.value.index) == (code, index)
        assert isinstance(refused.value, liveops.ArgumentError)
        assert pickle.loads(pickle.dumps(refused.value)).index == index
        assert ids(board) == ["ana"] and board.score("ana") == liveops.Score(2**53 - 2, 0)


@pytest.mark.parametrize(
    ("owners", "scores"),
    [
        ("ana", [1]),
        (["ana"], [1.0]),
        (["ana"], [True]),
        (["ana"], ["1"]),
        ([7], [1]),
        ([b"ana"], [1]),
        (["ana"], array("d", [1.0])),
        (["ana"], array("i", [1])),
        (["ana"], array("Q", [1])),
        (["ana"], b"12345678"),
        (["ana"], memoryview(array("q", [1, 2])).cast("B").cast("q", (2, 1))),
        (7, [1]),
        (["ana"], 7),
    ],
)
def test_a_batch_of_other_types(owners: Any, scores: Any) -> None:
    for board in (liveops.Leaderboard(), liveops.WindowedLeaderboard({"daily": 1})):
        with pytest.raises(TypeError):
            board.submit_batch(owners, scores)


def test_columns_of_other_lengths_and_bytes_that_are_no_text() -> None:
    board = liveops.Leaderboard()
    for owners, scores, subscores in (
        (["ana"], [], None),
        (["ana"], [1, 2], None),
        (["ana"], [1], []),
        (b"ana\nbo", [1], None),
        (b"\xff", [1], None),
    ):
        with pytest.raises(liveops.ArgumentError) as wrong:
            board.submit_batch(owners, scores, subscores)
        assert wrong.value.code == "invalid_argument" and not isinstance(wrong.value, liveops.BatchError)


def test_cursors() -> None:
    board = filled(7, name="laps")
    first = board.page_after(None, 3)
    assert ids(first.rows) == ["p00000", "p00001", "p00002"]
    assert liveops.Page.from_dict(json.loads(json.dumps(first.to_dict()))) == first
    board.remove("p00002")
    board.submit("p00006", 100)
    second = board.page_after(first.next, 100)
    assert ids(second.rows) == ["p00003", "p00004", "p00005"] and second.next is None
    for wrong in ("", "zz", "00", first.next + "00" if first.next else ""):
        with pytest.raises(liveops.ArgumentError) as refused:
            board.page_after(wrong, 3)
        assert refused.value.code == "cursor_invalid"
    with pytest.raises(liveops.ArgumentError) as other:
        filled(7, name="other").page_after(first.next, 3)
    assert other.value.code == "cursor_invalid"
    with pytest.raises(TypeError):
        board.page_after(7, 3)  # type: ignore[arg-type]


def test_iteration_is_lazy_and_sees_who_stays_exactly_once() -> None:
    board = filled(2_000)
    rows = iter(board)
    assert iter(rows) is rows
    seen = [next(rows).player_id for _ in range(600)]
    moved = {f"p{n:05}" for n in range(0, 2_000, 3)}
    for n, owner in enumerate(sorted(moved)):
        board.submit(owner, n * 7 - 2_000)
    board.submit("new", 1_000_000)
    for owner in ("p00001", "p01999"):
        board.remove(owner)
    seen += ids(rows)
    stayed = {f"p{n:05}" for n in range(2_000)} - moved - {"p00001", "p01999"}
    assert [owner for owner in seen if owner in stayed] == sorted(stayed)
    assert "p01999" not in seen and "new" not in seen
    assert list(rows) == [] and len(list(board)) == len(board)


def test_iterating_keeps_the_board() -> None:
    rows = iter(filled(1_500))
    assert len(list(rows)) == 1_500


def test_one_iterator_between_threads_gives_each_row_once() -> None:
    rows, found = iter(filled(5_000)), [[] for _ in range(4)]  # type: ignore[var-annotated]
    threads = [threading.Thread(target=lambda mine=mine: mine.extend(ids(rows))) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(owner for mine in found for owner in mine) == [f"p{n:05}" for n in range(5_000)]


def test_one_thread_submits_and_another_reads() -> None:
    board = liveops.Leaderboard(order="desc")
    done = threading.Event()
    errors: list[BaseException] = []

    def write() -> None:
        try:
            for turn in range(60):
                board.submit_batch([f"p{n}" for n in range(500)], range(turn, turn + 500))
        except BaseException as error:
            errors.append(error)
        done.set()

    def read() -> None:
        try:
            while not done.is_set():
                page = [row.score for row in board.page(0, 2_000)]
                assert page == sorted(page, reverse=True), "a page is sorted"
                # A batch is seen whole: each turn adds as much to the last as to the first, and 499 more.
                assert len(page) in (0, 500) and (not page or (page[0] - page[-1]) % 499 == 0)
                assert len(board.snapshot()) > 0 and sum(1 for _ in board) in (0, 500)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write), threading.Thread(target=read), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    assert errors == []
    assert board.score("p0") == liveops.Score(sum(range(60)), 0)


def test_snapshots() -> None:
    board = liveops.Leaderboard(order="asc", operator="best", ties="ownerId", ranking="dense", name="laps")
    board.submit_batch(["ana", "bo", "cy"], [5, 5, 4], [1, 2, 3])
    board.hide("bo")
    copy = liveops.Leaderboard.restore(board.snapshot())
    assert (copy.order, copy.operator, copy.ties, copy.ranking, copy.name) == ("asc", "best", "ownerId", "dense", "laps")
    assert copy.top() == board.top() and copy.snapshot() == board.snapshot()
    assert copy.unhide("bo") and copy.score("bo") == liveops.Score(5, 2)
    assert copy.page_after(board.page_after(None, 1).next, 5).rows == copy.page_after(None, 5).rows[1:]
    bytes_ = board.snapshot()
    for at in range(len(bytes_)):
        for broken in (bytes_[:at], bytes_[:at] + bytes([bytes_[at] ^ 1]) + bytes_[at + 1 :]):
            with pytest.raises(liveops.StoreError) as wrong:
                liveops.Leaderboard.restore(broken)
            assert wrong.value.code in ("snapshot_corrupt", "record_too_new")
    with pytest.raises(TypeError):
        liveops.Leaderboard.restore("text")  # type: ignore[arg-type]


def test_a_windowed_snapshot_of_another_board() -> None:
    board = liveops.WindowedLeaderboard({"daily": 1}, name="xp")
    board.submit("ana", 5, now_ms=0)
    restore = liveops.WindowedLeaderboard.restore
    assert restore(board.snapshot(), {"daily": 1}, name="xp").top("daily", now_ms=0) == board.top("daily", now_ms=0)
    for wrong in (
        lambda: restore(board.snapshot(), {"daily": 1}),
        lambda: restore(board.snapshot(), {"weekly": 1}, name="xp"),
        lambda: restore(board.snapshot(), {"daily": 1}, name="xp", order="asc"),
    ):
        with pytest.raises(liveops.RulesError) as refused:
            wrong()
        assert refused.value.code == "board_incompatible"
    with pytest.raises(liveops.StoreError):
        restore(liveops.Leaderboard().snapshot(), {"daily": 1}, name="xp")


def test_windowed_readings_by_window_and_by_period() -> None:
    board = liveops.WindowedLeaderboard({"daily": 2, "allTime": 0}, name="xp", capacity=100)
    assert board.submit_batch(["ana", "bo", "cy"], [30, 20, 10], now_ms=NOW_MS) == []
    board.submit("cy", 5, now_ms=NOW_MS + DAY)
    yesterday = board.period("daily", now_ms=NOW_MS)
    at: Any
    window: Any
    for window, at in (
        ("daily", {"periods_ago": 1, "now_ms": NOW_MS + DAY}),
        (yesterday, {"now_ms": NOW_MS + DAY}),
        (board.period("daily", now_ms=NOW_MS + DAY), {"periods_ago": 1, "now_ms": NOW_MS + DAY}),
    ):
        assert ids(board.top(window, 2, **at)) == ["ana", "bo"]
        assert ids(board.rows(window, **at)) == ["ana", "bo", "cy"]
        assert ids(board.page(window, 1, 9, **at)) == ["bo", "cy"]
        page = board.page_after(window, None, 2, **at)
        assert ids(board.page_after(window, page.next, 2, **at).rows) == ["cy"]
        assert (board.rank(window, "cy", **at), board.len(window, **at)) == (3, 3)
        assert (board.percentile(window, "bo", **at), board.count_above(window, 10, **at)) == (5_000, 2)
        assert ids(board.around(window, "bo", 1, **at)) == ["ana", "bo", "cy"]
        assert ids(board.by_owners(window, ["cy", "ana"], **at)) == ["ana", "cy"]
        assert ids(board.by_score_range(window, 10, 20, **at)) == ["bo", "cy"]
        assert board.score(window, "bo", **at) == liveops.Score(20, 0)
    assert board.windows == {"daily": 2, "allTime": 0} and board.owners == 3
    closed = list(board.closed_between(NOW_MS, NOW_MS + DAY))
    assert [period.label for period in closed] == [yesterday.label]
    with pytest.raises(liveops.ArgumentError) as other:
        board.page_after("daily", board.page_after(yesterday, None, 1, now_ms=NOW_MS).next, now_ms=NOW_MS + DAY)
    assert other.value.code == "cursor_invalid"
    for wrong in (7, None, b"daily", ("daily", 3)):
        with pytest.raises(TypeError):
            board.top(wrong, now_ms=NOW_MS)  # type: ignore[arg-type]


def test_a_windowed_batch_says_what_was_late_and_what_was_refused() -> None:
    board = liveops.WindowedLeaderboard({"daily": 1, "allTime": 0})
    late = board.submit_batch(b"ana\nbo", array("q", [1, 2]), ts=NOW_MS, now_ms=NOW_MS + DAY)
    assert [period.label for period in late] == ["2026-11-07"]
    with pytest.raises(liveops.BatchError) as refused:
        board.submit_batch(["ana", "b o", "cy"], [5, 5, 5], now_ms=NOW_MS)
    assert (refused.value.code, refused.value.index) == ("id_invalid", 1)
    assert ids(board.rows("daily", now_ms=NOW_MS)) == [], "all of them or none"


def test_archives() -> None:
    board = liveops.WindowedLeaderboard({"daily": 2}, name="xp", ranking="competition")
    board.submit_batch(["ana", "bo", "cy", "dee"], [30, 20, 20, 10], now_ms=NOW_MS)
    day = board.period("daily", now_ms=NOW_MS)
    with pytest.raises(liveops.ArgumentError) as early:
        board.archive(day, now_ms=NOW_MS)
    assert early.value.code == "period_open"
    archive, names = board.archive(day, now_ms=NOW_MS + DAY)
    assert board.state(day, now_ms=NOW_MS + DAY) == "archived"
    assert archive.heading == liveops.Heading("xp", day, "desc", "firstToReach", "competition")
    assert liveops.Heading.from_dict(archive.heading.to_dict()) == archive.heading
    assert [(row.rank, row.score) for row in archive.rows()] == [(1, 30), (2, 20), (2, 20), (4, 10)]
    assert archive == liveops.Archive.from_bytes(archive.to_bytes()) == pickle.loads(pickle.dumps(archive))
    assert names == liveops.Names.from_bytes(names.to_bytes()) == pickle.loads(pickle.dumps(names))
    assert (names.archive, names.place_of("bo"), len(names)) == (archive.checksum, 1, 4)
    view = archive.read(names, hidden=["bo"])
    assert ids(view) == ["ana", "cy", "dee"] and (view.rank("cy"), view.rank("bo"), len(view)) == (2, None, 3)
    assert ids(view.around("cy", 1)) == ["ana", "cy", "dee"] and ids(view.page(1, 1)) == ["cy"]
    assert [(award.player_id, award.tier) for award in view.awards(GOLD)] == [("ana", "gold"), ("cy", "top-half")]
    assert names.forget("ana") and not names.forget("ana")
    assert ids(archive.read(names)) == ["bo", "cy", "dee"]
    assert ids(board.archived(day, now_ms=NOW_MS + DAY)) == ["ana", "bo", "cy", "dee"], "the board has its own names"
    board.hide("cy")
    assert ids(board.archived(day, now_ms=NOW_MS + DAY)) == ["ana", "bo", "dee"]
    awards = board.payout(day, liveops.Tiers(GOLD), now_ms=NOW_MS + DAY)
    assert awards[0] == liveops.Award("ana", 1, "gold", 30, 0)
    with pytest.raises(liveops.ArgumentError):
        archive.read(filled(3, name="xp").archive(day, now_ms=NOW_MS + DAY)[1])
    for kind, bytes_ in ((liveops.Archive, archive.to_bytes()), (liveops.Names, names.to_bytes())):
        for at in range(len(bytes_)):
            with pytest.raises(liveops.StoreError):
                kind.from_bytes(bytes_[:at])
            with pytest.raises(liveops.StoreError):
                kind.from_bytes(bytes_[:at] + bytes([bytes_[at] ^ 1]) + bytes_[at + 1 :])


def test_tiers() -> None:
    tiers = liveops.Tiers([{"tier": "gold", "ranks": (1, 1)}, {"tier": "rest", "percent": 100}])
    assert tiers.to_list() == [{"tier": "gold", "ranks": [1, 1]}, {"tier": "rest", "percent": "100"}]
    assert tiers == liveops.Tiers(tiers.to_list()) == pickle.loads(pickle.dumps(tiers)) and len(tiers) == 2
    wrong: Any
    for wrong, code in [
        ([], "invalid_argument"),
        ([{"tier": "a"}], "invalid_argument"),
        ([{"tier": "a", "ranks": [1, 1], "percent": "1"}], "invalid_argument"),
        ([{"tier": "a", "ranks": [1, 1], "grant": []}], "invalid_argument"),
        ([{"tier": "a", "ranks": [1]}], "invalid_argument"),
        ([{"tier": "a", "ranks": [0, 1]}], "invalid_argument"),
        ([{"tier": "a", "ranks": [3, 1]}], "invalid_argument"),
        ([{"tier": "a", "ranks": [-1, 1]}], "out_of_range"),
        ([{"tier": "a", "percent": "0"}], "out_of_range"),
        ([{"tier": "a", "percent": 101}], "out_of_range"),
        ([{"tier": "a", "percent": 2**31}], "out_of_range"),
        ([{"tier": "a", "percent": "1.234"}], "invalid_format"),
        ([{"tier": "a", "percent": "1"}, {"tier": "a", "ranks": [9, 9]}], "invalid_argument"),
        ([{"tier": "a b", "percent": "1"}], "id_invalid"),
    ]:
        for make in (liveops.Tiers, liveops.Leaderboard().awards):
            with pytest.raises(liveops.ArgumentError) as refused:
                make(wrong)
            assert refused.value.code == code, wrong
    floats = [[{"tier": "a", "percent": 1.5}], [{"tier": "a", "ranks": [1.0, 2]}]]
    for wrong in (7, [7], [{"tier": 7, "percent": "1"}], *floats):
        with pytest.raises(TypeError):
            liveops.Tiers(wrong)


@pytest.fixture
def paying() -> liveops.Engine:
    board = {
        "value": "grantedXp",
        "keepPeriods": {"daily": 2},
        "payouts": {"daily": [{**tier, "grant": {"kind": "item", "id": "crown", "amount": 1}} for tier in GOLD]},
    }
    other = {"value": "grantedXp", "keepPeriods": {"daily": 2}}
    document = {**DOCUMENT, "boards": {"xp": board, "other": other}}
    engine = liveops.Engine(liveops.Rules.from_json(json.dumps(document)))
    lines = b"\n".join(event("e1", player, xp) for player, xp in (("ana", 30), ("bo", 20), ("cy", 10)))
    assert engine.submit_ndjson(lines, now_ms=NOW_MS).counts() == {"applied": 3}
    return engine


def test_an_engine_pays_once(paying: liveops.Engine) -> None:
    board, now = paying.board("xp"), NOW_MS + DAY
    day = board.period("daily", now_ms=NOW_MS)
    with pytest.raises(liveops.ArgumentError) as early:
        paying.payout("xp", day, now_ms=now)
    assert early.value.code == "period_open"
    paying.advance(now_ms=now)
    payout = paying.payout("xp", day, now_ms=now)
    assert (payout.board, payout.window, payout.index, payout.closed_at) == ("xp", "daily", day.index, day.closes_at)
    assert payout.awards == [liveops.Award("ana", 1, "gold", 30, 0), liveops.Award("bo", 2, "top-half", 20, 0)]
    assert payout.holds == [] and payout == paying.payout("xp", day, now_ms=now)
    command = payout.commands()[0]
    assert (command.type, command.origin, command.player_id) == ("payout", "operator", "ana")
    items = [{"kind": "item", "id": "crown", "amount": 1}]
    place = {"board": "xp", "window": "daily", "index": day.index, "tier": "gold"}
    assert command.payload == {**place, "rank": 1, "items": items}
    assert paying.submit_batch(payout.commands()).counts() == {"applied": 2}
    assert paying.submit_batch(payout.commands()).counts() == {"replayed": 2}
    receipt = paying.receipts("ana")[-1]
    assert receipt.scope == liveops.Scope(payout=liveops.ScopePayout("xp", "daily", day.index, "gold"))
    assert receipt.to_dict()["scope"] == {"payout": place}
    assert liveops.Receipt.from_dict(receipt.to_dict()) == receipt == pickle.loads(pickle.dumps(receipt))
    assert liveops.verify_chain(paying.receipts("ana"), paying.chain_head("ana")) is None
    archive, names = board.archive(day, now_ms=now)
    assert paying.payout_archived(archive, names, now_ms=now).awards == payout.awards
    assert paying.submit_batch(paying.payout_archived(archive, names, now_ms=now).commands()).counts() == {"replayed": 2}
    for name, code in (("other", "unknown_payout"), ("nothing", "unknown_board")):
        with pytest.raises(liveops.NotFoundError) as unknown:
            paying.payout(name, day, now_ms=now)
        assert unknown.value.code == code
    with pytest.raises(liveops.NotFoundError) as unknown:
        paying.payout("xp", paying.rules.calendar.describe("weekly", 0), now_ms=now)
    assert (unknown.value.code, unknown.value.http_status) == ("unknown_window", 400)
    with pytest.raises(liveops.NotFoundError) as unknown:
        paying.payout("xp", paying.rules.calendar.describe("daily", 0), now_ms=now)
    assert (unknown.value.code, unknown.value.http_status) == ("period_dropped", 410)
    with pytest.raises(TypeError):
        paying.payout("xp", "daily", now_ms=now)  # type: ignore[arg-type]


def test_all_that_closed_since_a_mark_is_paid_however_long_ago(paying: liveops.Engine) -> None:
    for n in range(1, 9):
        line = event(f"d{n}", "bo", 10, (NOW_MS + n * DAY) // 1000)
        assert paying.submit_ndjson(line, now_ms=NOW_MS + n * DAY).counts() == {"applied": 1}
    now = NOW_MS + 9 * DAY
    paying.advance(now_ms=now)
    first = next(iter(paying.closed_between(NOW_MS, now)))
    with pytest.raises(liveops.NotFoundError) as dropped:
        paying.payout("xp", first, now_ms=now)
    assert dropped.value.code == "period_dropped"
    run = paying.pay_closed(NOW_MS, now_ms=now)
    assert [(paid.label, paid.paid, paid.paid_before) for paid in run.periods] == [("2026-11-14", 1, 0), ("2026-11-15", 1, 0)]
    assert run.dropped == (liveops.DroppedPeriods("xp", "daily", first.index, first.index + 6),)
    assert (run.mark, run.periods[0].receipts[0].reward, run.periods[0].unpaid, run.periods[0].holds) == (now, "gold", (), ())
    archive, _ = paying.board("xp").archive(run.periods[1], now_ms=now)
    assert len(archive) == 1, "it goes wherever a period is meant"
    assert liveops.PayRun.from_dict(run.to_dict()) == run == pickle.loads(pickle.dumps(run))
    digest = paying.digest()
    assert [paid.paid_before for paid in paying.pay_closed(now_ms=now).periods] == [1, 1], "the mark was lost"
    since = datetime.fromtimestamp(now / 1000, timezone.utc)
    assert paying.pay_closed(since, now_ms=now) == liveops.PayRun(now, (), ())
    assert paying.digest() == digest
    assert liveops.Engine(paying.rules).pay_closed().mark is None


def test_readings_of_an_engines_board(paying: liveops.Engine) -> None:
    board, now = paying.board("xp"), NOW_MS + DAY
    day = board.period("daily", 1, now_ms=now)
    for standings in (board.at("daily", 1, now_ms=now), board.of(day)):
        assert (standings.board, standings.period) == ("xp", day)
        assert ids(standings) == ["ana", "bo", "cy"] == ids(standings.page(0, 5_000)) == ids(standings.top())
        page = standings.page_after(None, 2)
        assert ids(page.rows) == ["ana", "bo"] and ids(standings.page_after(page.next).rows) == ["cy"]
        assert (standings.percentile("bo"), len(standings), standings.rank("cy")) == (5_000, 3, 3)
        assert ids(standings.by_score_range(10, 20)) == ["bo", "cy"]
        assert ids(standings.by_score_range(10, 20, 1, 5)) == ["cy"]
        assert standings.count_above(10) == 2 and ids(standings.by_owners(["cy"])) == ["cy"]
        assert ids(standings.around("ana", 1)) == ["ana", "bo"]
    assert [board.state(day, now_ms=NOW_MS + n * DAY) for n in (-1, 0, 1, 3)] == ["future", "open", "sealed", "dropped"]
    assert (board.ties, board.ranking) == ("firstToReach", "ordinal")
    with pytest.raises(liveops.NotFoundError) as unknown:
        board.at("weekly", now_ms=now)
    assert unknown.value.code == "unknown_window"
    with pytest.raises(liveops.NotFoundError) as unknown:
        board.at("daily", 3, now_ms=now)
    assert unknown.value.code == "period_dropped"
    with pytest.raises(liveops.NotFoundError):
        board.of(paying.rules.calendar.describe("weekly", 0))


def test_rules_may_change_what_has_not_begun() -> None:
    def rules(until: str) -> liveops.Rules:
        table = [
            {"label": "s1", "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"},
            {"label": "s2", "from": "2026-12-01T00:00:00Z", "until": until},
        ]
        boards = {"xp": {"value": "grantedXp", "keepPeriods": {"seasonal": 1}}}
        document = {**DOCUMENT, "boards": boards, "calendar": {"seasons": {"table": table}}}
        return liveops.Rules.from_json(json.dumps(document))

    old, new = rules("2027-01-01T00:00:00Z"), rules("2027-02-01T00:00:00Z")
    engine = liveops.Engine(old)
    for refuse in (engine.replace_rules, old.diff):
        with pytest.raises(liveops.RulesError) as error:
            refuse(new)
        assert error.value.code == "board_incompatible"
    assert old.diff(new, now_ms=NOW_MS) == engine.replace_rules(new, now_ms=NOW_MS)
    assert engine.rules == new


def test_small_boards_take_little_memory() -> None:
    pytest.importorskip("resource", reason="this system does not tell")
    script = """
import resource, sys, liveops
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
before = peak()
boards = [liveops.Leaderboard() for _ in range(2_000)]
empty = peak()
for board in boards:
    board.submit("ana", 1)
print((empty - before) // len(boards), (peak() - empty) // len(boards))
"""
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    empty, first = map(int, told.split())
    assert empty < 10_000 and first < 10_000, "bytes of an empty board, and what its first owner adds"
