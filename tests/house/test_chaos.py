"""The instruments of `make chaos`: they find what is lost, and draw the same from the same seed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.systems.rules.signing import signed_headers
from chaos import disk, faults
from chaos.clients import Sent, Try
from chaos.disk import SYNC, UNLINK, WRITE, Operation
from chaos.figures import BROKEN, KEPT, TOLD, Figure, at_least, at_most, exactly, yes
from chaos.reconcile import reconcile
from chaos.rows import big
from chaos.rows.machine_clock import HOUR_MS, needless
from chaos.setting import Setting
from chaos.table import END, START, markdown, put
from chaos.target import Entry, Target
from chaos.target_server import ACCEPTED, FORGED, HELD, KILLER, POISON, REFUSED

SECRET = "whsec_" + "Y2hhb3M" * 6
FILE = "hub.db-wal"


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (exactly(0), 0, KEPT), (exactly(0), 1, BROKEN), (at_most(5), 5, KEPT),
        (at_most(5), 5.1, BROKEN), (at_least(2), 2, KEPT), (at_least(2), 1, BROKEN),
        (None, 7, TOLD),
    ],
)  # fmt: skip
def test_a_figure_is_held_against_its_promise(goal: object, value: float, verdict: str) -> None:
    assert Figure("x", value, goal).verdict() == verdict  # type: ignore[arg-type]


def test_the_table_says_what_broke_and_what_did_not_run() -> None:
    figures = [Figure("lost", 2, exactly(0)), yes("intact", True), Figure("told", 3, None, "s")]
    result = {
        "date": "2026-01-02", "command": "python -m chaos", "database": "sqlite",
        "machine": {"cpus": 2, "python": "3.11"}, "faults": {"herd": "no room"},
        "figures": [each.as_json("big") for each in figures],
    }  # fmt: skip
    text = markdown(result)
    assert "| lost | = 0 | 2 | **broken** |" in text
    assert "| intact | yes | yes | kept |" in text
    assert "| told |  | 3 s |  |" in text
    assert "Not run to its end: herd (no room)." in text
    assert put(f"a\n{START}\nold\n{END}\nb", result) == f"a\n{START}\n{text}\n{END}\nb"


def test_the_seed_decides_all_chance() -> None:
    def schedule(seed: int) -> list[faults.Fault]:
        chance = Setting(seed).random("big")
        return [
            *faults.kills(chance, {"web": 3, "high.1": 2}, 60),
            *faults.outages(chance, ("503", "reset"), 5, 60),
            *faults.flushes(chance, 2, 60),
        ]

    assert schedule(7) == schedule(7) != schedule(8)
    found = schedule(7)
    assert sum(each.what == faults.KILL for each in found) == 5
    assert all(0 <= each.at <= 60 for each in found)


def write(begun: float, offset: int, data: bytes) -> Operation:
    return Operation(begun, begun + 0.1, WRITE, FILE, offset, data)


def sync(begun: float) -> Operation:
    return Operation(begun, begun + 0.1, SYNC, FILE)


def test_only_what_was_synced_is_sure_to_be_there() -> None:
    story = [write(1, 0, b"a" * 1024), sync(2), write(3, 1024, b"b" * 1024)]
    seen = set()
    for seed in range(40):
        chance = Setting(seed).random("x")
        (_, files), = disk.cuts({}, story, [4.0], chance)  # fmt: skip
        assert files[FILE][:1024] == b"a" * 1024
        seen.add(files[FILE][1024:])
    # Nothing of the second write, all of it, or single sectors.
    assert {b"", b"b" * 1024} < seen


def test_a_write_under_way_while_the_sync_began_is_not_safe() -> None:
    late = Operation(1.95, 2.05, WRITE, FILE, 0, b"x")
    found = {
        next(disk.cuts({FILE: b"o"}, [late, sync(2)], [3.0], Setting(seed).random("x")))[1][FILE]
        for seed in range(40)
    }
    assert found == {b"o", b"x"}


def test_a_cut_before_the_end_of_a_sync_knows_nothing_of_it() -> None:
    story = [write(1, 0, b"a"), sync(2)]
    found = {
        next(disk.cuts({}, story, [2.05], Setting(seed).random("x")))[1].get(FILE, b"")
        for seed in range(40)
    }
    assert found == {b"", b"a"}


def test_calls_are_read_as_strace_writes_them(tmp_path: Path) -> None:
    path = "".join(f"\\x{byte:02x}" for byte in b"/data/hub.db-wal")
    lines = [
        f'10.5 pwrite64(3<{path}>, "\\x61\\x62", 2, 4096) = 2 <0.25>',
        f"11.0 fdatasync(3<{path}>) = 0 <0.5>",
        f"11.6 fdatasync(3<{path}> <unfinished ...>) = ?",
        f'12.0 unlink("{path}") = 0 <0.1>',
        "13.0 --- SIGTERM {si_signo=SIGTERM} ---",
    ]
    (tmp_path / "trace.1").write_text("\n".join(lines))
    assert disk.read(tmp_path) == [
        Operation(10.5, 10.75, WRITE, FILE, 4096, b"ab"),
        Operation(11.0, 11.5, SYNC, FILE),
        Operation(12.0, 12.1, UNLINK, FILE),
    ]


def attempt(n: int, status: int, id_: int | None) -> Try:
    return Try(n, 1, 2, status, id_, "")


def entry(at: int, n: int, event: int, outcome: str = ACCEPTED) -> Entry:
    return Entry(at, "crm", f"msg_{event}", event, n, outcome, 4_000)


def test_the_reconciliation_finds_each_kind_of_wrong() -> None:
    sent = Sent([attempt(0, 201, 10), attempt(1, 0, None), attempt(1, 200, 11),
                 attempt(2, 201, 12), attempt(3, 201, 13)])  # fmt: skip
    entries = [entry(5, 0, 10), entry(6, 0, 10), entry(7, 1, 11), entry(8, 3, 13, REFUSED),
               entry(9, 9, 19), entry(9, 1, 99), entry(9, 0, 10, FORGED)]  # fmt: skip
    found = reconcile(sent, entries, never=[3])
    assert (found.attempted, found.acknowledged, found.recovered) == (4, 4, 1)
    assert (found.lost, found.unexpected) == ([2], [1, 9])
    assert (found.again, found.forged) == ([(0, 6)], 1)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with Target(tmp_path) as running:
        running.knows({"crm": [SECRET]})
        yield running


def deliver(target: Target, mark: str = "", secret: str = SECRET) -> int:
    body = json.dumps({"number": 3, "mark": mark, "_meta": {"event_id": 8}}).encode()
    now = faults.now() // 1000
    headers = signed_headers(body, [secret], "msg_1", now)
    return requests.post(f"{target.url}/crm/hook", body, headers=headers, timeout=2).status_code


def test_the_target_checks_answers_and_keeps_books(target: Target) -> None:
    assert deliver(target) == 200
    assert deliver(target, POISON) == 400
    assert deliver(target, secret="another secret of the same kind") == 400
    target.mode("503", "crm")
    assert deliver(target) == 503
    target.mode("reset", "crm")
    with pytest.raises(requests.ConnectionError):
        deliver(target)
    target.mode("ok")
    with pytest.raises(requests.Timeout):
        deliver(target, KILLER)
    outcomes = [each.outcome for each in target.entries()]
    assert outcomes == [ACCEPTED, REFUSED, FORGED, "failed", "failed", HELD]
    assert {(each.number, each.event) for each in target.entries()} == {(3, 8)}


def test_the_target_answers_calls_and_fails_them_too(target: Target) -> None:
    address = f"{target.url}/crm/api/v1/leads"
    assert requests.get(address, timeout=2).json() == {"data": []}
    assert requests.post(address, json={}, timeout=2).json() == {"data": {"id": 1}}
    target.mode("503", "crm")
    assert requests.get(address, timeout=2).status_code == 503
    assert target.entries() == []


def test_only_what_was_in_flight_at_a_kill_may_come_again_and_soon() -> None:
    hand = faults.Hand(None, None)  # type: ignore[arg-type]
    hand.killed += [faults.Kill(10_000, "web"), faults.Kill(20_000, "high.1")]
    of = [big._kill_of(taken, hand) for taken in (9_000, 15_900, 16_000, 20_000, 20_001)]
    assert of == [None, None, hand.killed[1], hand.killed[1], None]
    kills, outage = hand.killed[1:], faults.Outage(25_000, 33_000)
    assert [big._soon(at, kills, []) for at in (19_999, 20_000, 26_000, 26_001)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert [big._soon(at, kills, [outage]) for at in (39_000, 39_001)] == [True, False]
    assert not big._soon(39_000, kills, [faults.Outage(26_001, 33_000)])


@pytest.mark.parametrize(
    ("came", "count"),
    [
        ([40], 0),  # once
        ([40, 1_900], 1),
        ([700, 2_900], 1),
        # It came late, so that its answer did.
        ([800, 2_100], 0),
        # The clock was stepped back, or forth, between sending and coming.
        ([40 - HOUR_MS, 1_900 - HOUR_MS], 1),
        ([40 + HOUR_MS, 1_900 + HOUR_MS], 1),
    ],
)
def test_a_repeat_is_needless_if_the_answer_left_in_time(came: list[int], count: int) -> None:
    assert needless([(5_000, [5_000 + each for each in came])]) == count


def test_the_command_tells_its_rows() -> None:
    words = [sys.executable, "-m", "chaos", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "big" in done.stdout
    assert "--seed" in done.stdout
