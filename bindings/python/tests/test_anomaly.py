"""Detectors alone and as a family, tables and thresholds from history, and what comes of it in an engine."""

from __future__ import annotations

import copy
import ctypes
import dataclasses
import io
import json
import pickle
import random
import threading
from array import array
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, get_args

import pytest

import liveops
from conftest import NOW_MS, event, kill

START = 1_794_009_600_000
DAY_MS = 86_400_000
DETECTORS = ("robust", "drift", "dropRate", "timeFloor", "regularity")
FAMILY = {
    "kind": "family",
    "floors": {"hydra": 45_000},
    "drops": {"crown": {"boss": "ogre", "odds": "0.05"}},
    "action": {"timeFloor": "hold", "robust": "flag"},
}


def rules(**more: Any) -> liveops.Rules:
    document = {"version": 1, "game": "g", "detectors": {"cheats": FAMILY}, **more}
    return liveops.Rules.from_json(json.dumps(document))


def time_of(n: int) -> int:
    """A minute apart, give or take: nothing is as regular as a program."""
    return START + n * 61_000 + n * n * 7919 % 40_000


def shifted(column: array[Any]) -> Any:
    """The same numbers where no number of their size may begin."""
    kind: Any = column.typecode
    return memoryview(b"." + bytes(column))[1:].cast(kind)


USUAL = [float(80 + n * 37 % 50) for n in range(60)]
BURST = [40_000.0] * 12


def history() -> list[bytes]:
    """Lines of 250 players, a piece for each."""

    def line(who: int, n: int) -> bytes:
        ts = (START - 20 * DAY_MS + n * 61_000 + (n + who) ** 2 * 7919 % 40_000) // 1000
        return event(f"h{who}-{n}", f"p{who}", 2000 + (who * 131 + n * 977) % 6000, ts) + b"\n"

    return [b"".join(line(who, n) for n in range(40)) for who in range(250)]


# Detectors of values.

MAKERS: dict[str, Callable[[], Any]] = {
    "ZScore": lambda: liveops.ZScore(4),
    "Ewma": lambda: liveops.Ewma(4, 30),
    "Robust": lambda: liveops.Robust(6, (5.0, 1.0, 8.0)),
    "Cusum": lambda: liveops.Cusum(12, (4.6, 1.5, 4.0)),
    "TimeFloor": lambda: liveops.TimeFloor(100),
}
CONFIGURED: dict[str, tuple[Any, ...]] = {
    "ZScore": (4,),
    "Ewma": (4, 30),
    "Robust": (6, (5.0, 1.0, 8.0)),
    "Cusum": (12, (4.6, 1.5, 4.0)),
    "TimeFloor": (100,),
}


def restored(name: str, detector: Any) -> Any:
    return getattr(liveops, name).from_bytes(detector.to_bytes(), *CONFIGURED[name])


@pytest.mark.parametrize("name", MAKERS)
def test_a_detector_goes_on_from_its_bytes_at_any_value(name: str) -> None:
    through, stopped = MAKERS[name](), MAKERS[name]()
    for value in USUAL + BURST + USUAL:
        stopped = restored(name, stopped)
        assert stopped.score(value) == through.score(value)
        assert stopped.observe(value) == through.observe(value)
    data = through.to_bytes()
    assert len(data) <= 36
    for wrong in (data[1:], data + b"\0", b"", b"\5" + data[1:]):
        with pytest.raises(liveops.StoreError) as error:
            getattr(liveops, name).from_bytes(wrong, *CONFIGURED[name])
        assert error.value.code == "store_corrupt"


def copies(of: Any) -> list[Any]:
    return [pickle.loads(pickle.dumps(of)), copy.copy(of), copy.deepcopy(of)]


@pytest.mark.parametrize("name", MAKERS)
def test_copies_of_a_detector_go_on_apart(name: str) -> None:
    detector = MAKERS[name]()
    detector.observe_many(USUAL)
    before = detector.to_bytes()
    for kept in copies(detector):
        assert (type(kept), repr(kept), kept.to_bytes()) == (type(detector), repr(detector), before)
        assert kept.observe(5e6) == detector.score(5e6)
        kept.learn(7.0)
        assert detector.to_bytes() == before
    again = eval(repr(detector), vars(liveops))
    assert again.to_bytes() == MAKERS[name]().to_bytes() and again.score(5e6) == MAKERS[name]().score(5e6)


def test_bytes_of_another_detector_are_refused() -> None:
    with pytest.raises(liveops.StoreError):
        liveops.Robust.from_bytes(liveops.Ewma().to_bytes())
    with pytest.raises(liveops.StoreError):
        liveops.ZScore.from_bytes(liveops.Cusum().to_bytes())


@pytest.mark.parametrize("name", MAKERS)
def test_many_values_are_as_one_after_the_other(name: str) -> None:
    singly = MAKERS[name]()
    verdicts = [singly.observe(value) for value in USUAL + BURST]
    wanted = [(index, verdict) for index, verdict in enumerate(verdicts) if verdict.is_anomaly]
    assert wanted
    values = array("d", USUAL + BURST)
    gaps = array("d", [number for value in USUAL + BURST for number in (value, -1.0)])
    whole = array("q", map(int, USUAL + BURST))
    for column in (
        values,
        memoryview(values),
        list(values),
        iter(values),
        whole,
        memoryview(gaps)[::2],
        memoryview(bytes(values)).cast("d"),
        shifted(values),
        shifted(whole),
        (ctypes.c_double * len(values))(*values),
        (ctypes.c_int64 * len(values))(*whole),
        # In the order of other machines, whose bytes would be other numbers here.
        (ctypes.c_double.__ctype_be__ * len(values))(*values),
        (ctypes.c_double.__ctype_le__ * len(values))(*values),
        (ctypes.c_int64.__ctype_be__ * len(values))(*whole),
    ):
        batched = MAKERS[name]()
        told = batched.observe_many(column)
        assert told.scores == array("d", [verdict.score for verdict in verdicts])
        assert [(finding.index, finding.verdict) for finding in told.findings] == wanted
        assert batched.to_bytes() == singly.to_bytes()
    assert MAKERS[name]().observe_many([]).scores == array("d")
    assert MAKERS[name]().observe_many(array("d")).findings == ()


@pytest.mark.parametrize("name", MAKERS)
def test_one_bad_value_teaches_nothing(name: str) -> None:
    detector = MAKERS[name]()
    detector.observe_many(USUAL)
    before = detector.to_bytes()
    for bad in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(liveops.BatchError) as error:
            detector.observe_many(array("d", [5.0, 6.0, bad, 7.0]))
        assert (error.value.index, error.value.code) == (2, "invalid_argument")
        assert detector.observe(bad).reason == "notFinite" and detector.score(bad).score == 1e9
        detector.learn(bad)
        assert detector.to_bytes() == before
    with pytest.raises(liveops.BatchError) as error:
        detector.observe_many([5, 10**400])
    assert (error.value.index, error.value.code) == (1, "out_of_range")
    with pytest.raises(liveops.ArgumentError) as refused:
        detector.observe(10**400)
    assert refused.value.code == "out_of_range"
    if name in ("Robust", "Cusum"):
        assert detector.observe(-1).reason == "negative"
        with pytest.raises(liveops.BatchError, match="negative"):
            detector.observe_many([3, -1])
        assert detector.to_bytes() == before
    for wrong in (True, "5", None, b"5", [1]):
        with pytest.raises(TypeError):
            detector.observe(wrong)
    for wrong in (
        "55",
        5,
        None,
        array("f", [1.0]),
        b"12345678",
        [True],
        ["5"],
        memoryview(bytes(16)).cast("d", (1, 2)),
    ):
        with pytest.raises(TypeError):
            detector.observe_many(wrong)
    assert detector.to_bytes() == before


def test_configuration_is_checked() -> None:
    for make in (liveops.ZScore, liveops.Ewma, liveops.Robust, liveops.Cusum, liveops.Regularity):
        for threshold in (0, -1, float("nan"), float("inf"), 2e6):
            with pytest.raises(liveops.ArgumentError):
                make(threshold)
    for prior in ((-1, 1, 1), (1, 0, 1), (1, 1, float("nan"))):
        with pytest.raises(liveops.ArgumentError, match="prior"):
            liveops.Cusum(12, prior)
    for odds in (0, 1, -0.5, float("nan")):
        with pytest.raises(liveops.ArgumentError, match="odds"):
            liveops.DropRate(odds)
    with pytest.raises(liveops.ArgumentError):
        liveops.AlertBudget(0)


@pytest.mark.parametrize("name", ["ZScore", "Ewma", "Robust", "Cusum"])
def test_merging_pools_what_was_learned(name: str) -> None:
    one, other = MAKERS[name](), MAKERS[name]()
    one.observe_many(USUAL[:20])
    other.observe_many(USUAL[20:])
    one.merge(other)
    assert one.score(100).baseline.n == len(USUAL)
    with pytest.raises(TypeError):
        one.merge(liveops.TimeFloor(5))


@pytest.mark.parametrize(
    "make", [*MAKERS.values(), lambda: liveops.DropRate(0.05), liveops.Regularity, liveops.PlayerProfile]
)
def test_nobody_takes_itself_in(make: Callable[[], Any]) -> None:
    one = make()
    before = one.to_bytes()
    with pytest.raises(liveops.ArgumentError, match="another one"):
        one.merge(one)
    one.merge(make())
    assert one.to_bytes() == before, "and of one that knows nothing nothing is learned"


def test_two_threads_that_merge_each_other_come_to_an_end() -> None:
    one, other = liveops.PlayerProfile(), liveops.PlayerProfile()
    left, right = liveops.ZScore(), liveops.ZScore()

    def work(a: liveops.PlayerProfile, b: liveops.PlayerProfile, x: liveops.ZScore, y: liveops.ZScore) -> None:
        for _ in range(2_000):
            a.merge(b)
            x.learn(5.0)
            assert a == a and x.observe_many(array("d", [1.0] * 3)).scores
            if x.score(1.0).baseline.n < 10_000:
                x.merge(y)

    threads = [threading.Thread(target=work, args=of) for of in ((one, other, left, right), (other, one, right, left))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("times", [1e-6, 1.0, 1_200.0, 1e6])
def test_without_a_prior_the_first_values_say_what_is_usual_in_whatever_unit(times: float) -> None:
    xp = liveops.Robust()
    quests = [xp.observe((100 + n % 7 * 9) * times).reason for n in range(30)]
    assert quests == ["tooFewSamples"] * 10 + ["usual"] * 20
    assert [xp.observe(0).reason, xp.observe(10_000 * times).reason] == ["usual", "farAboveUsual"]
    kept = liveops.Robust.from_bytes(xp.to_bytes())
    assert kept.score(100 * times) == xp.score(100 * times)
    about = liveops.Robust(6, (4.6, 1.5, 4.0))
    about.observe(100)
    assert liveops.Robust.from_bytes(about.to_bytes()).score(5).baseline.n == 1, "what was kept about a prior goes on"


def test_families_without_a_population_keep_activities_apart() -> None:
    family, ana = liveops.Family(activities=["quest", "dungeon"]), liveops.PlayerProfile()
    for n in range(60):
        activity, amount = ("quest", 40 + n * 7 % 31) if n % 2 else ("dungeon", 90_000 + n * 700)
        assert family.observe(ana, START, activity=activity, amount=amount) == ()
    found = [family.observe(ana, START, activity="quest", amount=90_000) for _ in range(9)]
    [spike] = [finding for findings in found for finding in findings]
    assert (spike.detector, spike.verdict.baseline.source) == ("robust", "player")
    with pytest.raises(liveops.ArgumentError, match="activity"):
        liveops.Family(activities=["no id"])


def test_a_cusum_finds_a_slow_rise() -> None:
    xp = liveops.Cusum()
    assert not any(xp.observe(80 + n * 7 % 41).is_anomaly for n in range(300))
    found = next(n for n in range(400) if xp.observe(100 * 1.005**n).reason == "risesSteadily")
    assert found < 150, "before it has doubled"


def test_a_drop_rate_has_exact_tails() -> None:
    for odds, chances, hits, tail in ((0.0473, 262, 42, 5.653e-12), (0.5, 305, 211, 8.791e-12)):
        drops = liveops.DropRate(odds)
        verdict = drops.observe(chances, hits)
        assert (verdict.reason, drops.chances, drops.hits) == ("tooManyDrops", chances, hits)
        assert drops.tail == pytest.approx(tail, rel=1e-3)
        assert liveops.DropRate.from_bytes(drops.to_bytes(), odds).tail == drops.tail
        other = liveops.DropRate(odds)
        other.merge(drops)
        assert other.score(0, 0) == drops.score(0, 0)
        for kept in copies(drops):
            assert (repr(kept), kept.score(5, 1)) == (f"DropRate(odds={odds}, threshold=11.5)", drops.score(5, 1))
    lucky = liveops.DropRate(0.05)
    before = lucky.to_bytes()
    for wrong in ((1, 2), (-1, 0), (2**32, 0)):
        with pytest.raises(liveops.ArgumentError):
            lucky.observe(*wrong)
        with pytest.raises(liveops.ArgumentError):
            lucky.learn(*wrong)
    assert lucky.to_bytes() == before and lucky.observe(1_000, 0).reason == "usual", "bad luck is none of its business"
    with pytest.raises(liveops.ArgumentError, match="same odds"):
        lucky.merge(liveops.DropRate(0.06))
    with pytest.raises(liveops.StoreError):
        liveops.DropRate.from_bytes(b"\1\5\6", 0.1)


def test_regularity_tells_a_clock_from_a_person() -> None:
    clock, person = liveops.Regularity(), liveops.Regularity()
    zero = datetime(2026, 11, 7, tzinfo=timezone.utc)
    reasons = [clock.observe(zero + timedelta(seconds=30 * n)).reason for n in range(60)]
    assert "tooRegular" in reasons
    dice = random.Random(5)
    at = START
    for _ in range(300):
        at += int(dice.lognormvariate(10.5, 0.9))
        assert not person.observe(at).is_anomaly
    again = liveops.Regularity.from_bytes(clock.to_bytes())
    assert again.score(START) == clock.score(START)
    among = liveops.Regularity(20, liveops.Population())
    among.observe(START)
    assert repr(clock) == "Regularity(threshold=16.0, population=None)" and "population=Population(" in repr(among)
    for of in (clock, among):
        for kept in copies(of):
            assert (repr(kept), kept.to_bytes(), kept.score(START)) == (repr(of), of.to_bytes(), of.score(START))
    person.merge(clock)
    assert person.score(START).score == clock.score(START).score
    with pytest.raises(TypeError):
        clock.observe(1.5)  # type: ignore[arg-type]


def test_one_alert_an_excursion_and_some_a_day() -> None:
    xp, alerts = liveops.Robust(6, (4.6, 1.5, 4.0)), liveops.Hysteresis()
    budget, tally = liveops.AlertBudget(2), liveops.AlertTally()
    raised = [alerts.is_first(xp.observe(value)) for value in (5e6, 9e6, 100, 5e6)]
    assert raised == [True, False, False, True] and alerts.is_raised
    assert [budget.allows(tally, now_ms=START + n) for n in range(4)] == [True, True, False, False]
    assert tally.suppressed == 2
    kept = pickle.loads(pickle.dumps(tally))
    assert kept == tally and kept is not tally
    assert budget.allows(kept, now_ms=START + DAY_MS) and kept != tally
    with pytest.raises(liveops.StoreError):
        liveops.AlertTally.from_bytes(b"\2\0\0\0")
    with pytest.raises(TypeError):
        alerts.is_first("usual")  # type: ignore[arg-type]


# Verdicts.


def test_a_verdict_is_used_like_a_dataclass() -> None:
    verdict = liveops.Robust(6, (4.6, 1.5, 4.0)).observe(5e6)
    assert (
        verdict
        == liveops.Verdict.from_dict(verdict.to_dict())
        == pickle.loads(pickle.dumps(verdict))
        == copy.copy(verdict)
    )
    assert hash(verdict) == hash(liveops.Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))))
    assert eval(repr(verdict), {"Verdict": liveops.Verdict, "Baseline": liveops.Baseline}) == verdict
    assert list(verdict.to_dict()) == ["score", "threshold", "direction", "reason", "baseline", "action"]
    match verdict:
        case liveops.Verdict(score, _, "high", "farAboveUsual", liveops.Baseline(0), "flag"):
            assert score > 6
        case _:
            pytest.fail("it matches")
    assert verdict.sentence().startswith(
        "The value is more times as large as is usual than the threshold allows: score "
    )
    assert verdict.describe() == liveops._native.verdict_reasons()[verdict.reason]
    parts = (verdict.score, verdict.threshold, verdict.direction, verdict.reason, verdict.baseline, verdict.action)
    assert liveops.Verdict(*parts) == verdict
    for wrong in ({"direction": "up"}, {"reason": "ban"}, {"action": ""}, {"score": float("nan")}):
        with pytest.raises(liveops.ArgumentError):
            liveops.Verdict.from_dict({**verdict.to_dict(), **wrong})
    with pytest.raises(AttributeError):
        verdict.score = 5  # type: ignore[misc]


def test_names_are_those_of_the_core() -> None:
    def texts(alias: object) -> tuple[str, ...]:
        return tuple(text for literals in get_args(alias) for text in get_args(literals))

    assert list(texts(liveops.VerdictReason)) == list(liveops._native.verdict_reasons())
    assert texts(liveops.FamilyDetector) == DETECTORS == liveops.FamilyBatch.detectors
    finding = liveops.Family(floors={"hydra": 45_000}).score(
        liveops.PlayerProfile(), START, boss="hydra", duration_ms=5
    )[0]
    assert liveops.FamilyFinding.from_dict(finding.to_dict()) == finding == pickle.loads(pickle.dumps(finding))


# A family alone.


def test_a_family_says_a_floor_once_in_words() -> None:
    family, ana = liveops.Family(floors={"hydra": 45_000}), liveops.PlayerProfile()
    at = datetime.fromtimestamp(START / 1000, timezone.utc)
    scored = family.score(ana, at, boss="hydra", duration_ms=12_000)
    assert (ana.scores.time_floor, ana.alerted) == (0, ())
    observed = family.observe(ana, at, boss="hydra", duration_ms=12_000)
    assert observed == scored
    [finding] = observed
    verdict = finding.verdict
    assert (finding.detector, verdict.reason, verdict.direction, verdict.action) == (
        "timeFloor",
        "belowFloor",
        "low",
        "flag",
    )
    assert verdict.sentence() == "The duration is shorter than the rules hold possible, which is 45 s."
    assert family.observe(ana, at, boss="hydra", duration_ms=12_000) == (), "said once"
    assert (ana.scores.time_floor, ana.alerted) == (100, ("timeFloor",))


def test_what_each_detector_is_for() -> None:
    def reasons(of: Callable[[int], dict[str, Any]], count: int = 120, **thresholds: float) -> list[str]:
        family = liveops.Family(
            thresholds=liveops.Thresholds(**thresholds), floors={"ogre": None}, drops={"crown": 0.05}
        )
        profile, found = liveops.PlayerProfile(), []
        for n in range(count):
            fields = {"at": START + n * 300_000 + n * n * 7919 % 290_000, **of(n)}
            found += family.observe(profile, **fields)
        return [f"{finding.detector} {finding.verdict.reason}" for finding in found]

    def gain(amount: float, boost: float = 1) -> dict[str, Any]:
        return {"activity": "dungeon", "amount": amount, "boost": boost}

    def lucky(n: int) -> dict[str, Any]:
        return {"boss": "ogre", "duration_ms": 50_000, "drop": "crown", "chances": 1, "hits": int(n % 3 == 0)}

    assert reasons(lambda n: gain(80 + n * 37 % 50)) == []
    assert reasons(lambda n: gain(80 + n * 37 % 50 if n < 60 else 40_000), 75) == ["robust farAboveUsual"]
    assert reasons(lambda n: gain((80 + n * 37 % 50) * (1 if n < 60 else 2), 1 if n < 60 else 2)) == [], "a weekend"
    assert reasons(lambda n: gain(100 * 1.02**n), 200, drift=12) == ["drift risesSteadily"]
    assert reasons(lucky) == ["dropRate tooManyDrops"]
    assert reasons(lambda n: {"at": START + n * 30_000}) == ["regularity tooRegular"]


def test_thresholds() -> None:
    assert liveops.Family().thresholds == liveops.Thresholds()
    given = dataclasses.replace(liveops.Thresholds(), robust=19.5)
    assert liveops.Family(thresholds=given).thresholds == given
    assert liveops.Thresholds.from_dict(given.to_dict()) == given and "dropRate" in given.to_dict()
    off = liveops.Family(thresholds=liveops.Thresholds(time_floor=100), floors={"hydra": 45_000})
    assert off.observe(liveops.PlayerProfile(), START, boss="hydra", duration_ms=1) == ()
    for robust in (0, -1, float("nan"), float("inf")):
        with pytest.raises(liveops.ArgumentError):
            liveops.Family(thresholds=liveops.Thresholds(robust=robust))
    with pytest.raises(TypeError):
        liveops.Family(thresholds={"robust": 20})  # type: ignore[arg-type]


def test_what_is_no_event_teaches_nothing() -> None:
    family, ana = liveops.Family(floors={"hydra": None}, drops={"crown": 0.05}), liveops.PlayerProfile()
    for call in (family.observe, family.score):
        for amount in (float("nan"), float("inf"), -1):
            with pytest.raises(liveops.ArgumentError, match="finite and not negative"):
                call(ana, START, activity="dungeon", amount=amount)
        for boost in (0, -2, float("nan")):
            with pytest.raises(liveops.ArgumentError):
                call(ana, START, activity="dungeon", amount=5, boost=boost)
        for unknown in ({"boss": "ogre", "duration_ms": 5}, {"drop": "scale", "hits": 1}):
            with pytest.raises(liveops.ArgumentError, match="does not know"):
                call(ana, START, **unknown)  # type: ignore[arg-type]
        for outside in (
            {"boss": "hydra", "duration_ms": 0},
            {"boss": "hydra", "duration_ms": 2**32},
            {"drop": "crown", "chances": -1},
        ):
            with pytest.raises(liveops.ArgumentError):
                call(ana, START, **outside)  # type: ignore[arg-type]
        for apart in (
            {"activity": "a"},
            {"amount": 5},
            {"boost": 2},
            {"boss": "hydra"},
            {"duration_ms": 5},
            {"drop": "crown"},
            {"hits": 1},
        ):
            with pytest.raises(TypeError, match="together|goes with"):
                call(ana, START, **apart)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            call(ana, 1.5)  # type: ignore[arg-type]
        with pytest.raises(liveops.ArgumentError, match="naive"):
            call(ana, datetime(2026, 11, 7))
    assert ana == liveops.PlayerProfile()
    for floors in ({"a b": None}, {"hydra": 0}, {f"b{n}": None for n in range(256)}):
        with pytest.raises(liveops.ArgumentError, match="a boss"):
            liveops.Family(floors=floors)  # type: ignore[arg-type]
    for odds in (0, 1, float("nan")):
        with pytest.raises(liveops.ArgumentError, match="a drop"):
            liveops.Family(drops={"crown": odds})


def test_profiles_are_restored_at_any_event_to_the_last_bit() -> None:
    family, through, stopped = liveops.Family(), liveops.PlayerProfile(), liveops.PlayerProfile()
    for n, amount in enumerate(USUAL + BURST):
        event = {"activity": "dungeon", "amount": amount}
        assert family.observe(stopped, time_of(n), **event) == family.observe(through, time_of(n), **event)  # type: ignore[arg-type]
        stopped = liveops.PlayerProfile.from_bytes(stopped.to_bytes())
    assert stopped == through and through.alerted == ("robust",) and len(through.to_bytes()) == 63
    for kept in (pickle.loads(pickle.dumps(through)), copy.deepcopy(through)):
        assert kept == through and kept is not through
    for cut in range(63):
        with pytest.raises(liveops.StoreError):
            liveops.PlayerProfile.from_bytes(through.to_bytes()[:cut])
    other = liveops.PlayerProfile()
    other.merge(through)
    assert other.scores == through.scores and other.alerted == ("robust",)
    with pytest.raises(TypeError):
        hash(other)


# Columns.


def columns(count: int = 72) -> dict[str, Any]:
    return {
        "at_ms": array("q", [time_of(n) for n in range(count)]),
        "activity": ["quest" if n % 3 == 0 else "dungeon" for n in range(count)],
        "amount": array("d", (USUAL + BURST)[:count]),
        "boost": array("d", [1.0 + n % 2 for n in range(count)]),
        "boss": ["ogre" if n % 2 == 0 else "hydra" for n in range(count)],
        "duration_ms": array("I", [60_000 - n * 400 for n in range(count)]),
        "drop": "crown",
        "chances": array("q", [1] * count),
        "hits": [int(n % 5 == 0) for n in range(count)],
    }


def the_family() -> liveops.Family:
    return liveops.Family(floors={"ogre": None, "hydra": 45_000}, drops={"crown": 0.05})


def rows(of: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for n, at in enumerate(of["at_ms"]):
        row = {name: column if isinstance(column, str) else column[n] for name, column in of.items()}
        del row["at_ms"]
        yield {"at": at, **row}


def test_columns_say_what_one_event_at_a_time_says() -> None:
    family, singly, batched = the_family(), liveops.PlayerProfile(), liveops.PlayerProfile()
    scores, findings = array("d"), []
    for index, row in enumerate(rows(columns())):
        findings += [dataclasses.replace(found, index=index) for found in family.observe(singly, **row)]
        scores.extend(dataclasses.astuple(singly.scores))
    assert len(findings) >= 2
    told = family.observe_many(batched, **columns())
    assert (told.scores, told.findings) == (scores, tuple(findings))
    assert batched == singly
    # Whatever the form.
    whole = columns()
    whole["amount"] = memoryview(whole["amount"])
    whole["duration_ms"] = list(whole["duration_ms"])
    whole["chances"] = iter(whole["chances"])
    whole["at_ms"] = memoryview(bytes(whole["at_ms"])).cast("q")
    assert family.observe_many(liveops.PlayerProfile(), **whole) == told
    whole = columns()
    whole["at_ms"] = (ctypes.c_int64.__ctype_be__ * 72)(*whole["at_ms"])
    whole["duration_ms"] = (ctypes.c_uint32.__ctype_be__ * 72)(*whole["duration_ms"])
    whole["chances"] = (ctypes.c_uint32 * 72)(*whole["chances"])
    whole["amount"] = shifted(whole["amount"])
    assert family.observe_many(liveops.PlayerProfile(), **whole) == told


def test_columns_are_taken_whole_or_not_at_all() -> None:
    family, ana = the_family(), liveops.PlayerProfile()
    family.observe_many(ana, **columns(10))
    before = ana.to_bytes()
    nan = float("nan")
    for name, bad in (("amount", nan), ("amount", -1.0), ("boost", 0.0), ("boost", nan), ("duration_ms", 0)):
        wrong = columns()
        wrong[name][7] = bad
        with pytest.raises(liveops.BatchError) as error:
            family.observe_many(ana, **wrong)
        assert (error.value.index, error.value.code) == (7, "invalid_argument")
    for name, column in (("duration_ms", [2**32] * 72), ("chances", array("q", [-1] * 72))):
        with pytest.raises(liveops.BatchError) as error:
            family.observe_many(ana, **{**columns(), name: column})
        assert error.value.index == 0
    with pytest.raises(liveops.BatchError) as error:
        family.observe_many(ana, [START, 2**63])
    assert (error.value.index, error.value.code) == (1, "out_of_range")
    for name in ("amount", "boost", "duration_ms", "hits", "activity", "boss"):
        short = columns()
        short[name] = short[name][1:]
        with pytest.raises(liveops.ArgumentError, match="as long as"):
            family.observe_many(ana, **short)
    for missing in ("activity", "amount", "boss", "duration_ms", "drop", "chances", "hits"):
        apart = columns()
        del apart[missing]
        with pytest.raises(TypeError, match="together|goes with"):
            family.observe_many(ana, **apart)
    for name, other in (
        ("amount", array("f", [1.0] * 72)),
        ("at_ms", array("d", [1.0] * 72)),
        ("activity", 5),
        ("activity", [5] * 72),
        ("boss", b"ogre"),
    ):
        with pytest.raises(TypeError):
            family.observe_many(ana, **{**columns(), name: other})
    with pytest.raises(liveops.ArgumentError, match="does not know"):
        family.observe_many(ana, **{**columns(), "boss": "troll"})
    assert ana.to_bytes() == before
    nothing = family.observe_many(ana, [])
    assert (nothing.scores, nothing.findings) == (array("d"), ())


def test_a_batch_lets_other_threads_run() -> None:
    detector = liveops.ZScore(9)
    values = array("d", [float(n % 97) for n in range(2_000_000)])
    ticks = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(None)
            done.wait(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    detector.observe_many(values)
    during = len(ticks)
    done.set()
    thread.join()
    assert during > 1


def turns_beside(batch: Callable[[], Any], one: Callable[[], Any]) -> int:
    """How often this thread had its turn while one thread was at a batch and another waited for it."""
    batching, waiting = threading.Thread(target=batch), threading.Thread(target=one)
    batching.start()
    waiting.start()
    turns = 0
    while batching.is_alive() and waiting.is_alive():
        turns += 1
        batching.join(0.001)
    batching.join()
    waiting.join()
    return turns


def test_who_waits_for_a_batch_lets_other_threads_run() -> None:
    detector, family, profile = liveops.ZScore(9), liveops.Family(), liveops.PlayerProfile()
    values = array("d", [float(n % 97) for n in range(2_000_000)])
    times = array("q", range(START, START + 400_000))
    for batch, one in (
        (lambda: detector.observe_many(values), lambda: detector.observe(5.0)),
        (lambda: family.observe_many(profile, times), lambda: family.observe(profile, START)),
        (lambda: family.observe_many(profile, times), lambda: profile == profile),
    ):
        # Once may be too few: whoever is to wait may come first.
        assert any(turns_beside(batch, one) > 5 for _ in range(5))


# History.


def test_a_population_from_history() -> None:
    builder = liveops.PopulationBuilder()
    pieces = history()
    assert builder.teach_ndjson(rules(), pieces[0]) == liveops.HistoryCount(40, 0)
    assert builder.teach_ndjson(rules(), iter(pieces[1:])) == liveops.HistoryCount(249 * 40, 0)
    assert builder.teach_ndjson(rules(), io.BytesIO(b"no json\n" + kill("k1"))) == liveops.HistoryCount(1, 1)
    assert builder.left_out == 0
    population = builder.finish()
    assert population.bosses == [], "one kill is no table"
    assert len(population.hash) == 64
    for kept in (liveops.Population.from_bytes(population.to_bytes()), pickle.loads(pickle.dumps(population))):
        assert kept == population and hash(kept) == hash(population)
    assert population != liveops.Population()
    for wrong in (population.to_bytes()[1:], b""):
        with pytest.raises(liveops.StoreError):
            liveops.Population.from_bytes(wrong)
    for lines in ("text", 5, ["text"]):
        with pytest.raises(TypeError):
            builder.teach_ndjson(rules(), lines)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        builder.teach_ndjson(rules(), (pieces[0] for _ in [1 // 0]))


def test_a_population_from_numbers() -> None:
    builder = liveops.PopulationBuilder()
    for n in range(300):
        builder.gain(f"p{n % 30}", time_of(n), "dungeon", 50 + n % 40, 1.5)
        builder.kill(f"p{n % 30}", time_of(n), "hydra", 60_000 + n * 100)
    for wrong in (float("nan"), -1):
        with pytest.raises(liveops.ArgumentError):
            builder.gain("ana", START, "dungeon", wrong)
    with pytest.raises(liveops.ArgumentError):
        builder.kill("ana", START, "hydra", 0)
    with pytest.raises(liveops.ArgumentError):
        builder.gain("ana", START, "no id", 5)
    population = builder.finish()
    assert (population.activities, population.bosses) == (["dungeon"], ["hydra"])
    family = liveops.Family(population)
    assert family.score(liveops.PlayerProfile(), START, boss="hydra", duration_ms=60_000) == ()


def test_a_calibrator() -> None:
    family, calibrator = liveops.Family(), liveops.Calibrator()
    dice = random.Random(11)
    for _ in range(250):
        profile, most = liveops.PlayerProfile(), calibrator.player()
        at = START
        for _ in range(30):
            at += int(dice.lognormvariate(10.5, 1.0))
            family.observe(profile, at, activity="dungeon", amount=dice.lognormvariate(4, 1))
            most.observe(profile)
        calibrator.add(most, 1)
    strict, lax = calibrator.thresholds(per_player=0.001), calibrator.thresholds(per_player=0.05)
    longer = [calibrator.thresholds(per_player=0.05, events=events).regularity for events in (10, 1_000, 100_000)]
    assert longer == sorted(longer) and longer[0] < longer[2], "who plays longer is flagged more often"
    with pytest.raises(TypeError, match="per_player"):
        calibrator.thresholds(per_event=1e-5, events=10)  # type: ignore[call-overload]
    assert strict.regularity > lax.regularity >= lax.robust >= 7
    assert calibrator.thresholds(per_player_day=0.001) == strict, "each was there for one day"
    assert calibrator.thresholds(per_event=1.0).regularity <= lax.regularity
    for budget in ({}, {"per_event": 1e-5, "per_player": 0.1}):
        with pytest.raises(TypeError, match="one of"):
            calibrator.thresholds(**budget)  # type: ignore[call-overload]
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(liveops.ArgumentError, match="budget"):
            calibrator.thresholds(per_player_day=rate)
    with pytest.raises(liveops.ArgumentError, match="200 players"):
        liveops.Calibrator().thresholds(per_player=0.01)
    with pytest.raises(TypeError):
        liveops._native.PlayerMost()


# In an engine.


def anchored() -> tuple[liveops.Rules, liveops.Population]:
    builder = liveops.PopulationBuilder()
    builder.teach_ndjson(rules(), history())
    population = builder.finish()
    return rules().with_population(population), population


def test_rules_are_anchored_and_calibrated() -> None:
    plain = rules()
    with_tables, population = anchored()
    assert (plain.population_hash, with_tables.population_hash) == (None, population.hash)
    assert with_tables.hash == plain.hash
    whole = with_tables.calibrate("cheats", b"".join(history()), per_player=0.003)
    assert (whole.events, whole.refused, whole.left_out) == (10_000, 0, 0)
    assert with_tables.calibrate("cheats", iter(history()), per_player=0.003) == whole
    assert with_tables.calibrate("cheats", io.BytesIO(b"".join(history())), per_player=0.003) == whole
    calibrated = with_tables.with_thresholds("cheats", whole.thresholds)
    assert calibrated.thresholds("cheats") == whole.thresholds != with_tables.thresholds("cheats")
    assert liveops.Calibration.from_dict(whole.to_dict()) == whole
    for work in (
        lambda: plain.thresholds("moon"),
        lambda: plain.with_thresholds("moon", whole.thresholds),
        lambda: plain.calibrate("moon", b"", per_player=0.1),
    ):
        with pytest.raises(liveops.ArgumentError, match="no family"):
            work()
    with pytest.raises(liveops.ArgumentError, match="200 players"):
        plain.calibrate("cheats", b"", per_player=0.1)

    def broken() -> Iterator[bytes]:
        yield history()[0]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        plain.calibrate("cheats", broken(), per_player=0.1)


def test_what_is_impossible_is_held_reviewed_once_and_exported() -> None:
    with_tables, population = anchored()
    engine = liveops.Engine(with_tables)
    effect = engine.submit_ndjson(kill("e1", duration_ms=12_000), now_ms=NOW_MS)[0].unwrap()
    [judgement] = effect.verdicts
    assert (effect.held, judgement.action, judgement.reason) == (1, "hold", "belowFloor")
    assert judgement.sentence() == "The duration is shorter than the rules hold possible, which is 45 s."
    assert not liveops.Hysteresis().is_raised and liveops.Hysteresis().is_first(judgement)
    [line] = map(json.loads, engine.suspicions_ndjson().splitlines())
    assert (line["playerId"], line["number"], line["sentences"]) == ("ana", 1, [judgement.sentence()])
    # In a later process, with the same tables.
    later = liveops.Engine.restore(with_tables, engine.snapshot())
    assert later.digest() == engine.digest() and later.rules.population_hash == population.hash
    release = liveops.Command.review("ticket-1", "ana", 1, "release", now_ms=NOW_MS)
    assert [later.submit(release).code, later.submit(release).code] == ["applied", "replayed"]
    again = liveops.Command.review("ticket-2", "ana", 1, "confirm", now_ms=NOW_MS)
    assert later.submit(again).status == "refused"
    assert [suspicion.settled for suspicion in later.suspicions("ana")] == ["released"]
    # Rules without tables keep those that there are.
    later.replace_rules(rules(), now_ms=NOW_MS)
    assert later.rules.population_hash == population.hash
