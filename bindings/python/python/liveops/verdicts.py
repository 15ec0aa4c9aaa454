"""Results of detectors: verdicts, alerts, thresholds."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from . import _native
from ._native import Verdict
from .result import Result

__all__ = [
    "Baseline",
    "Calibration",
    "DetectorBatch",
    "FamilyBatch",
    "FamilyDetector",
    "FamilyFinding",
    "FamilyScores",
    "HistoryCount",
    "IndexedVerdict",
    "Judgement",
    "Thresholds",
    "Verdict",
    "VerdictAction",
    "VerdictReason",
]

_REASONS = _native.verdict_reasons()
_ROBUST, _DRIFT, _DROP_RATE, _TIME_FLOOR, _REGULARITY = _native.default_thresholds()

# Unions at run time too: a type checker reads several literals as one, and `stubtest` compares both.

#: Why a verdict is what it is: no anomaly, or one.
VerdictReason: TypeAlias = (
    Literal["usual", "tooFewSamples"]
    | Literal[
        "farFromMean",
        "farFromRecent",
        "changeAfterConstancy",
        "farAboveUsual",
        "belowFloor",
        "notFinite",
        "risesSteadily",
        "tooManyDrops",
        "tooRegular",
        "negative",
    ]
)
#: What is done about it: nothing, or something.
VerdictAction: TypeAlias = Literal["allow"] | Literal["flag", "hold"]
#: The detectors of a family: of amounts, and of all else.
FamilyDetector: TypeAlias = Literal["robust", "drift"] | Literal["dropRate", "timeFloor", "regularity"]


@dataclass(frozen=True, slots=True)
class Baseline(Result):
    """What a value was compared with."""

    n: int
    mean: float
    sd: float
    source: Literal["player", "population", "rule"]


@dataclass(frozen=True, slots=True)
class Judgement(Result):
    """What one detector of the rules said."""

    _nested = {"baseline": Baseline}

    detector: str
    score: float
    threshold: float
    direction: Literal["high", "low"]
    reason: VerdictReason
    baseline: Baseline
    action: VerdictAction

    def describe(self) -> str:
        """The reason as a sentence for people."""
        return _REASONS[self.reason]

    def sentence(self) -> str:
        """The whole finding in one sentence: what is wrong, by how much, and compared with what."""
        return _native.sentence_of(self)


@dataclass(frozen=True, slots=True)
class IndexedVerdict(Result):
    """An anomaly among many values: the one at `index`, counted from 0."""

    _nested = {"verdict": Verdict}

    index: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class DetectorBatch:
    """What one detector said of many values: a score for each, and those that are anomalies."""

    scores: array[float]
    findings: tuple[IndexedVerdict, ...]


@dataclass(frozen=True, slots=True)
class FamilyFinding(Result):
    """An alert: which detector of a family, and why. `index` is that of the event in a batch."""

    _nested = {"verdict": Verdict}

    detector: FamilyDetector
    verdict: Verdict
    index: int = 0


@dataclass(frozen=True, slots=True)
class FamilyBatch:
    """What a family said of many events: five scores after each, in the order of `detectors`, and the alerts.

    `numpy.asarray(batch.scores).reshape(-1, 5)` has a row for each event, without copying.
    """

    detectors: ClassVar[tuple[FamilyDetector, ...]] = tuple(_native.family_detectors())

    scores: array[float]
    findings: tuple[FamilyFinding, ...]


@dataclass(frozen=True, slots=True)
class FamilyScores(Result):
    """What each detector of a family has gathered: natural logarithms of how improbable honest play is, 0 to 100."""

    robust: float
    drift: float
    drop_rate: float
    time_floor: float
    regularity: float


@dataclass(frozen=True, slots=True)
class Thresholds(Result):
    """Scores above which the detectors of a family alert; 100 switches one off. Without a calibration cautious guesses.

    >>> import dataclasses
    >>> dataclasses.replace(Thresholds(robust=20), regularity=100).regularity
    100
    """

    robust: float = _ROBUST
    drift: float = _DRIFT
    drop_rate: float = _DROP_RATE
    time_floor: float = _TIME_FLOOR
    regularity: float = _REGULARITY


@dataclass(frozen=True, slots=True)
class HistoryCount(Result):
    """What became of the lines of a history: events that were taken in, and lines that are none by the rules."""

    events: int
    refused: int


@dataclass(frozen=True, slots=True)
class Calibration(Result):
    """Thresholds that spend a budget of false alerts, and what became of the lines of the history.

    `left_out` are events of players for whom there was no room: four million are kept apart.
    """

    _nested = {"thresholds": Thresholds}

    thresholds: Thresholds
    events: int
    refused: int
    left_out: int
