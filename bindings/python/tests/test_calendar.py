"""Calendars: periods, their lives, and named time zones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import liveops

HOUR_MS = 3_600_000
PAGE = Path(__file__).parents[3] / "docs" / "calendars.md"


def at(*date: int) -> datetime:
    return datetime(*date, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]


def ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def test_periods() -> None:
    tokyo = liveops.Calendar(utc_offset_minutes=540, reset_minute=300)
    time = at(2026, 12, 31, 20)
    day, week = tokyo.period("daily", time), tokyo.period("weekly", time)
    assert day is not None and (day.label, day.start) == ("2027-01-01", ms(time))
    assert week is not None and week.label == "2026-W53"
    assert tokyo.describe("daily", day.index) == day
    assert tokyo.describe("daily", day.index - 1).end == day.start
    assert tokyo.next_reset("allTime", time) is None
    assert tokyo.next_reset("daily", time) == day.end
    assert tokyo == liveops.Calendar(utc_offset_minutes=540, reset_minute=300) != liveops.Calendar()
    ever = tokyo.describe("allTime", 0)
    assert (ever.label, ever.start, ever.end, ever.closes_at) == ("all-time", None, None, None)


def test_states_follow_one_another() -> None:
    calendar = liveops.Calendar(grace_seconds=3600)
    day = calendar.describe("daily", 20_764)
    assert day.end is not None and day.closes_at is not None and day.start is not None
    for time, state in [
        (day.start - 1, "future"),
        (day.start, "open"),
        (day.end - 1, "open"),
        (day.end, "grace"),
        (day.closes_at - 1, "grace"),
        (day.closes_at, "sealed"),
        (day.closes_at + 24 * HOUR_MS - 1, "sealed"),
        (day.closes_at + 24 * HOUR_MS, "dropped"),
    ]:
        assert calendar.state(day, 1, time) == state
    assert calendar.state(day, 1, at(2026, 11, 7, 12)) == "open"


def test_closings_are_made_as_they_are_taken() -> None:
    calendar = liveops.Calendar()
    closed = calendar.closed_between(["daily", "monthly"], at(2026, 10, 30, 12), at(2026, 11, 1))
    assert isinstance(closed, Iterator) and iter(closed) is closed
    assert [period.label for period in closed] == ["2026-10-30", "2026-10-31", "2026-10"]
    assert list(closed) == []
    # The whole of it would fill any memory.
    endless = calendar.closed_between(["daily"], 0, (1 << 63) - 1)
    assert [period.index for period in islice(endless, 3)] == [0, 1, 2]
    with pytest.raises(liveops.LiveopsError) as error:
        calendar.closed_between(["hourly"], 0, 1)  # type: ignore[list-item]
    assert error.value.code == "unknown_window"


def test_a_table_of_seasons() -> None:
    table = liveops.Calendar(seasons=[("one", 0, 1000), ("two", 2000, 3000)])
    assert table.period("seasonal", 1500) is None
    assert table.next_reset("seasonal", 1500) == 2000
    assert [period.label for period in table.closed_between(["seasonal"], -1, 5000)] == ["one", "two"]
    overlap = [("one", 0, 1000), ("two", 999, 3000)]
    for wrong in (overlap, list(reversed(overlap)), [("one", 0, 0)], [("one", 0, 1), ("one", 1, 2)]):
        with pytest.raises(liveops.ArgumentError):
            liveops.Calendar(seasons=wrong)


def recipe() -> dict[str, Any]:
    """What the program in the documentation defines."""
    code = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {"liveops": liveops}
    exec(code, names)
    return names


def test_the_recipe_for_named_time_zones() -> None:
    names = recipe()
    berlin = names["calendar"]
    assert names["utc_offsets"]("Europe/Berlin", 2026, 2028) == {
        "utc_offset_minutes": 60,
        "utc_offset_changes": [
            (at(2026, 3, 29, 1), 120),
            (at(2026, 10, 25, 1), 60),
            (at(2027, 3, 28, 1), 120),
            (at(2027, 10, 31, 1), 60),
        ],
    }
    assert names["utc_offsets"]("Asia/Kathmandu", 2026, 2028) == {"utc_offset_minutes": 345, "utc_offset_changes": []}
    # The calendar of the page begins its days at five, so that the short one is that of the 28th.
    for date, hours in [((2026, 3, 27), 24), ((2026, 3, 28), 23), ((2026, 10, 24), 25), ((2026, 10, 25), 24)]:
        day = berlin.period("daily", at(*date, 12))
        assert (day.end - day.start, day.label) == (hours * HOUR_MS, "{}-{:02}-{:02}".format(*date))
    midnights = liveops.Calendar(**names["utc_offsets"]("Europe/Berlin", 2026, 2036))
    zone = ZoneInfo("Europe/Berlin")
    time = datetime(2026, 1, 1, tzinfo=zone)
    while time.year < 2036:
        day = midnights.period("daily", time)
        assert day is not None and (day.start, day.label) == (ms(time), time.date().isoformat())
        time = datetime.combine(time.date() + timedelta(days=1), datetime.min.time(), zone)


def test_tables_that_make_no_sense() -> None:
    change = (at(2026, 3, 29, 1), 120)
    for wrong in ([change, change], [(change[0], 841)], [change, (0, 60)]):
        with pytest.raises(liveops.ArgumentError):
            liveops.Calendar(utc_offset_minutes=60, utc_offset_changes=wrong)
    with pytest.raises(liveops.ArgumentError, match="utc_offset_minutes"):
        liveops.Calendar(utc_offset_changes=[change])
    with pytest.raises(liveops.ArgumentError):
        liveops.Calendar(reset_minute=1440)
    with pytest.raises(TypeError):
        liveops.Calendar(utc_offset_minutes=60, utc_offset_changes=[(at(2026, 3, 29), 1.5)])  # type: ignore[list-item]
