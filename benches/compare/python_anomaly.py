"""anomaly.river, anomaly.river.batch: a value scored against a running mean and deviation, then learned.

Prints one JSON line; `cargo xtask compare anomaly` starts it with the name of the row. The peer is river's
`StandardAbsoluteDeviation`, the detector of its that does what `ZScore` does: |value - mean| / sd, the sample deviation, of
all earlier values. Both must come to the same scores before anything is timed. The peer knows no batches that score, so that a
batch of ours is held against its calls in a loop; `Var.update_many`, which learns a batch without scoring it, is beside it. Ours
says more: a verdict with reason, baseline and threshold, and learning that no spike spoils.
"""

import random
import sys
from array import array
from collections.abc import Callable
from statistics import median

import numpy
from river import anomaly, stats

import liveops
from python_measure import NOW_MS, Stopwatch, print_row

VALUES = 50_000
ROUNDS = 15


def check(values: list[float]) -> None:
    """The same scores, to river's 1e-10 beside its deviation, as long as nothing is clamped."""
    ours, peer = liveops.ZScore(6.0), anomaly.StandardAbsoluteDeviation()
    for n, value in enumerate(values):
        verdict, score = ours.observe(value), peer.score_one(None, value)
        peer.learn_one(None, value)
        assert n < 10 or abs(verdict.score - score) < 1e-6 * max(score, 1.0), (n, verdict, score)
    batched = liveops.ZScore(6.0)
    batched.observe_many(array("d", values))
    assert batched.to_bytes() == ours.to_bytes()


def singly(values: list[float]) -> dict[str, Callable[[], None]]:
    detector, peer = liveops.ZScore(6.0), anomaly.StandardAbsoluteDeviation()
    gauss, variance = anomaly.GaussianScorer(), stats.Var()
    family, profile = liveops.Family(), liveops.PlayerProfile()

    def ours() -> None:
        for value in values:
            detector.observe(value)

    def river() -> None:
        for value in values:
            peer.score_one(None, value)
            peer.learn_one(None, value)

    def river_gaussian() -> None:
        for value in values:
            gauss.score_one(None, value)
            gauss.learn_one(None, value)

    def river_learning() -> None:
        for value in values:
            variance.update(value)

    def our_learning() -> None:
        for value in values:
            detector.learn(value)

    def our_family() -> None:
        at = NOW_MS
        for value in values:
            at += 61_000
            family.observe(profile, at, activity="dungeon", amount=value)

    return {
        "ours": ours,
        "peer": river,
        "ours, learning alone": our_learning,
        "peer, learning alone (Var)": river_learning,
        "ours, a family of five": our_family,
        "peer, GaussianScorer": river_gaussian,
    }


def batches(values: list[float]) -> dict[str, Callable[[], None]]:
    detector, peer, variance = liveops.ZScore(6.0), anomaly.StandardAbsoluteDeviation(), stats.Var()
    family, profile = liveops.Family(), liveops.PlayerProfile()
    column = numpy.array(values)
    times = NOW_MS + numpy.arange(len(values), dtype=numpy.int64) * 61_000

    def ours() -> None:
        numpy.asarray(detector.observe_many(column).scores)

    def river() -> None:
        for value in values:
            peer.score_one(None, value)
            peer.learn_one(None, value)

    def our_family() -> None:
        family.observe_many(profile, times, activity="dungeon", amount=column)

    def river_learning() -> None:
        variance.update_many(column)

    return {
        "ours": ours,
        "peer": river,
        "ours, a family of five": our_family,
        "peer, learning alone (Var)": river_learning,
    }


ROWS = {"anomaly.river": singly, "anomaly.river.batch": batches}


def main(name: str) -> None:
    dice = random.Random(7)
    values = [dice.uniform(50.0, 150.0) for _ in range(VALUES)]
    check(values)
    sides = ROWS[name](values)
    stopwatch = Stopwatch()
    costs: dict[str, list[float]] = {side: [] for side in sides}
    for n in range(ROUNDS + 1):
        for side, work in sides.items():
            cost, _ = stopwatch.time(work)
            # The first round only warms up.
            if n > 0:
                costs[side].append(cost / VALUES)
    ours, peer, *_ = costs.values()
    print_row(name, ours, peer, stopwatch, {side: median(cost) for side, cost in list(costs.items())[2:]})


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ROWS:
        sys.exit(f"the rows are: {', '.join(ROWS)}")
    main(sys.argv[1])
