"""The package as a whole: its names, its examples, its programs."""

from __future__ import annotations

import doctest
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path


import liveops
import liveops.engine
import liveops.progression
import liveops.store
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
    for module in (liveops, liveops.engine, liveops.progression, liveops.store, liveops.verdicts):
        results = doctest.testmod(module)
        assert results.attempted > 0 and results.failed == 0
    readme = doctest.testfile(str(ROOT / "bindings" / "python" / "README.md"), module_relative=False)
    assert readme.attempted > 10 and readme.failed == 0
    # Each class that has an example: they are found in the extension too.
    found = {test.name for test in doctest.DocTestFinder().find(liveops) if test.examples}
    boards = {"Leaderboard", "WindowedLeaderboard", "Tiers", "Archive", "Board", "MemoryStore"}
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
    assert "rules.json: warning: /loot: rolls follow from the game's name" in replay.stderr
    last = replay.stdout.splitlines()[-1]
    assert last.startswith("digest v1:")
    if (data / "season.digest").exists():
        assert last == (data / "season.digest").read_text().strip()


def written(store: Path) -> int:
    """Bytes of a file and of its log."""
    return sum(file.stat().st_size for file in (store, store.with_name(f"{store.name}-wal")) if file.exists())


def test_a_replay_into_a_file_may_be_killed_and_run_again(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    delays = random.Random(seed)
    store = tmp_path / "game.db"
    command = [sys.executable, str(ROOT / "examples" / "python" / "replay.py"), "--store", str(store)]
    for _ in range(5):
        replay = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Until something of it was written: a batch is larger than an empty file, or lies beside it.
        grown = written(store) + 200_000 + delays.randrange(300_000)
        while written(store) < grown and replay.poll() is None:
            time.sleep(0.001)
        replay.kill()
        replay.wait()
    for resumed in (r"resumed      after [\d,]+ lines", r"resumed      after 5,000 lines|resumed      after 4,9\d\d lines"):
        last = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert last.returncode == 0, last.stderr
        assert last.stdout.splitlines()[-1] == (ROOT / "examples" / "data" / "season.digest").read_text().strip()
        assert re.search(resumed, last.stdout), "some of it was there before"
    text = tmp_path / "text.db"
    text.write_text("no database" * 1000)
    wrong = subprocess.run([*command[:3], str(text)], capture_output=True, text=True, timeout=60)
    assert wrong.returncode != 0 and "text.db: store_corrupt" in wrong.stderr


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


def test_cheaters_are_named_with_the_reason(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    start = 1_792_281_600

    def line(who: str, n: int, xp: int) -> str:
        payload = {"deltaXp": xp, "activity": "dungeon"}
        ts = start + n * 61 + n * n * 7919 % 40
        return json.dumps({"type": "progression", "playerId": who, "ts": ts, "payload": payload}) + "\n"

    honest = [line(f"p{who}", n, 2000 + (who * 131 + n * 977) % 6000) for who in range(250) for n in range(40)]
    burst = [line("eve", n, 2000 + n * 977 % 6000 if n < 25 else 400_000) for n in range(40)]
    log.write_text("no event\n" + "".join(honest + burst))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = ROOT / "examples" / "python" / "cheaters.py"
        return subprocess.run([sys.executable, str(program), *arguments], capture_output=True, text=True, timeout=60)

    told = run(str(log))
    assert told.returncode == 0, told.stderr
    first, *named, last = told.stdout.splitlines()
    assert first.startswith("10040 events, 1 lines that are none; population ")
    assert named[0].startswith("eve 2026-10-18T") and " robust: The value is more times as large as is usual" in named[0]
    assert last == "1 of 251 players stand out"
    assert run(str(log), "0").stderr.startswith("invalid_argument: a budget is finite and above 0")
    assert "No such file" in run("nothing.ndjson").stderr and run().returncode == 1
