"""The package as a whole: its names, its examples, its programs."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path


import liveops
import liveops.engine
import liveops.progression
import liveops.verdicts

ROOT = Path(__file__).resolve().parents[3]


def test_names() -> None:
    assert sorted(liveops.__all__) == liveops.__all__
    assert all(hasattr(liveops, name) for name in liveops.__all__)
    for name in liveops.__all__:
        if isinstance(getattr(liveops, name), type):
            assert getattr(liveops, name).__doc__, f"{name} is documented"
    version = (ROOT / "Cargo.toml").read_text().split('version = "', 1)[1].split('"')[0]
    assert liveops.__version__ == version


def test_examples_in_the_documentation() -> None:
    for module in (liveops, liveops.engine, liveops.progression, liveops.verdicts):
        results = doctest.testmod(module)
        assert results.attempted > 0 and results.failed == 0
    readme = doctest.testfile(str(ROOT / "bindings" / "python" / "README.md"), module_relative=False)
    assert readme.attempted > 10 and readme.failed == 0
    # Each class that has an example: they are found in the extension too.
    found = {test.name for test in doctest.DocTestFinder().find(liveops) if test.examples}
    boards = {"Leaderboard", "WindowedLeaderboard", "Tiers", "Archive"}
    door = {"Secret", "Key", "Signer", "Verifier", "EventParser", "Intake", "Request"}
    limits = {"Quota", "RateLimiter", "SlidingLimiter", "SlidingLog", "Decision"}
    levels = {"Boost", "Progression", "MigrationPolicy", "Loot"}
    cheats = {"Family", "ZScore", "DropRate", "Regularity", "Hysteresis", "AlertBudget"}
    assert {f"liveops.{name}" for name in boards | door | limits | levels | cheats | {"LevelCurve.gained"}} <= found
    streaks = {test.name for test in doctest.DocTestFinder().find(liveops.progression) if test.examples}
    assert streaks == {"liveops.progression.Streak", "liveops.progression.Overflow"}
    # Functions and static methods are not.
    examples = {
        liveops.gcra: 5,
        liveops.LevelCurve.from_dict: 1,
        liveops.LevelCurve.polynomial: 2,
        liveops.plan_migration: 3,
        liveops.receipt_id: 1,
        liveops.sign_receipt: 4,
    }
    for function, count in examples.items():
        [test] = doctest.DocTestFinder().find(function, globs=vars(liveops))
        results = doctest.DocTestRunner().run(test)
        assert results.attempted == count and results.failed == 0


def test_replay_ends_in_the_digest_of_rust() -> None:
    data = ROOT / "examples" / "data"
    command = [sys.executable, str(ROOT / "examples" / "python" / "replay.py")]
    replay = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert replay.returncode == 0, replay.stderr
    last = replay.stdout.splitlines()[-1]
    assert last.startswith("digest v1:")
    if (data / "season.digest").exists():
        assert last == (data / "season.digest").read_text().strip()


def test_replay_says_what_is_wrong(tmp_path: Path) -> None:
    replay = ROOT / "examples" / "python" / "replay.py"
    rules = tmp_path / "rules.json"
    events = tmp_path / "events.ndjson"
    events.write_text("no json\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, str(replay), *arguments], capture_output=True, text=True, timeout=60)

    missing = run("nothing.ndjson", str(rules))
    assert missing.returncode != 0 and "rules.json: No such file" in missing.stderr
    rules.write_text('{"version": 1, "game": 7}')
    wrong = run(str(events), str(rules))
    assert wrong.returncode != 0 and "rules_invalid at /game" in wrong.stderr
    rules.write_text('{"version": 1, "game": "g"}')
    (tmp_path / "secret.txt").write_text(liveops.generate_secret())
    broken = run(str(events), str(rules))
    assert broken.returncode == 0 and "events.ndjson:1: broken line" in broken.stderr
    assert broken.stdout.splitlines()[-1].startswith("digest v1:")
