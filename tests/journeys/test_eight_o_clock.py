"""The clock passes 08:00 on a host that keeps UTC, with two schedulers: one checklist."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app import clock, embedded_redis
from tests.faults.running import RunningHub
from tests.house.running import ROOT, until
from tests.journeys.doors import Doors

# What the start of a hub may take before it is eight; the minute's timer follows within another.
SOON = 75
ZONE = "Lab"


def zone_file(offset: int) -> bytes:
    """A zone (TZif, RFC 8536) that is so many seconds ahead of UTC, without summer time."""
    kinds = struct.pack(">lbB", offset, 0, 0) + b"LAB\0"
    block = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4) + kinds
    sign, (minutes, seconds) = "-" if offset > 0 else "", divmod(abs(offset), 60)
    footer = f"\nLAB{sign}{minutes // 60}:{minutes % 60:02}:{seconds:02}\n"
    return block + block + footer.encode()


@pytest.fixture
def patience(tmp_path: Path) -> dict[str, str]:
    """A zone in which it will soon be eight; the host itself keeps UTC."""
    since_midnight = clock.now() // clock.SECOND % 86_400
    offset = (8 * 3600 - SOON - since_midnight + 43_200) % 86_400 - 43_200
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / ZONE).write_bytes(zone_file(offset))
    return {"HUB_TIMEZONE": ZONE, "PYTHONTZPATH": str(folder), "TZ": "UTC", "LIVE_POLL": "1"}


@pytest.fixture
def second_scheduler(hub: RunningHub) -> Iterator[int]:
    """Another scheduler beside the hub's own, with the same database and Redis."""
    environ = hub.hub.environ | {"REDIS_URL": embedded_redis.url(hub.data)}
    with (hub.data / "second.log").open("wb") as log:
        command = [sys.executable, "worker.py", "--scheduler"]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
    yield process.pid
    assert process.poll() is None, (hub.data / "second.log").read_text()
    process.terminate()
    process.wait(30)


def sign_the_evening(hub: RunningHub, doors: Doors) -> None:
    """The shift before is handed over just in time."""
    evening = "SELECT id FROM checklists WHERE shift='evening' ORDER BY due_at DESC LIMIT 1"
    ((one,),) = until(lambda: hub.ask(evening))
    for n in (1, 2, 3):
        doors.done(f"/hoje/{one}/{n}", command="done", seen=0, note="conferido")
    doors.done(f"/hoje/{one}/assinar", note="O CRM troca o certificado às 7:00.")


def test_one_checklist(hub: RunningHub, desk: Page, second_scheduler: int) -> None:
    alive = "SELECT count(*) FROM heartbeats WHERE kind='scheduler'"
    until(lambda: hub.ask(alive) == [(2,)], 60)
    desk.goto(f"{hub.url}/hoje")
    sign_the_evening(hub, Doors(hub, desk.context))
    expect(desk.get_by_role("heading", name="Verificação matinal")).to_be_visible(timeout=120_000)
    # The shift sees first what the one before left to it.
    left = desk.locator("#live > :first-child")
    expect(left).to_contain_text("Passagem de turno de Gestão")
    expect(left).to_contain_text("O CRM troca o certificado às 7:00.")
    left.get_by_role("button", name="Li a passagem").click()
    expect(desk.get_by_text("O CRM troca o certificado")).to_have_count(0)
    taken = (
        "SELECT count(*) FROM slots JOIN checklists ON slot = due_at"
        " WHERE job = 'checklist' AND shift = 'morning'"
    )
    until(lambda: hub.ask(taken) == [(1,)], 120)
    mornings = "SELECT day, count(*) FROM checklists WHERE shift='morning' GROUP BY day"
    assert [count for _, count in hub.ask(mornings)] == [1]
    items = "SELECT count(*), sum(first_json <> '') FROM checklist_items JOIN checklists ON id ="
    assert hub.ask(f"{items} checklist_id WHERE shift='morning'") == [(5, 5)]
