"""The clock jumps over 23:00 and back with two live schedulers: the night's pull runs once."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app import clock
from tests.faults.running import RunningHub
from tests.house.running import until
from tests.partners.client import Partners

pytestmark = pytest.mark.faults
ZONE = ZoneInfo("America/Sao_Paulo")
LATE = 90


class Wall:
    """The clock on the wall of all processes of a hub; it can be set while they run."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def environment(self) -> dict[str, str]:
        """What makes a process look at this clock; its waits stay real."""
        package = importlib.util.find_spec("libfaketime")
        assert package is not None and package.origin is not None
        library = Path(package.origin).parent / "vendor" / "libfaketime" / "src"
        return {
            "LD_PRELOAD": str(library / "libfaketime.so.1"),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def show(self, text: str) -> int:
        """Set it to a time of today in São Paulo; that moment in ms."""
        now = clock.to_datetime(clock.now(), ZONE)
        wanted = datetime.combine(now.date(), time.fromisoformat(text), ZONE)
        seconds = round((wanted - now) / timedelta(seconds=1))
        self.file.write_text(f"{seconds:+d}\n")
        return clock.from_datetime(wanted)


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path / "clock")


@pytest.fixture
def running(tmp_path: Path, partners: Partners, wall: Wall) -> Iterator[RunningHub]:
    wall.show("22:50")
    more = {"HUB_WORKERS": "high=2,scheduler=2", **wall.environment()}
    hub = RunningHub(tmp_path, partners, **more)
    yield hub
    hub.hub.clear_up()


def test_the_nights_pull_runs_once(running: RunningHub, wall: Wall) -> None:
    partners = running.partners
    assert {"scheduler.1", "scheduler.2"} <= running.hub.pids().keys()
    partners.seed(services=5)
    night = "sync.operacao_financeiro"
    running.write("UPDATE sync_schedules SET paused = 0 WHERE name = 'operacao_financeiro'")
    jumped = wall.show("23:40")
    runs = "SELECT status, slot FROM sync_runs WHERE job_type = ? AND trigger = 'schedule'"
    until(lambda: [row[0] for row in running.ask(runs, night)] == ["done"], LATE)
    ((_, slot),) = running.ask(runs, night)
    assert slot == jumped - 40 * clock.MINUTE
    # Back before the hour, and over it once more: the minute is rung again, nothing runs twice.
    for text in ("22:40", "23:41"):
        at = wall.show(text)
        until(lambda at=at: _seen(running, at), LATE)
    assert len(running.ask(runs, night)) == 1
    invoices = Counter(
        row["operacao_service_id"] for row in partners.rows("financeiro", "invoices")
    )
    assert len(invoices) == 5 and set(invoices.values()) == {1}
    running.stop()


def _seen(running: RunningHub, at: int) -> bool:
    """Whether both schedulers live at this time of the wall."""
    query = "SELECT count(*) FROM heartbeats WHERE kind = 'scheduler' AND abs(beat_at - ?) < 60000"
    return bool(running.ask(query, at) == [(2,)])
