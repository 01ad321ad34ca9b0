"""A wall clock stepped under a living process: not believed unless the others say the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from app import clock, heartbeats
from app.db import transaction
from app.heartbeats import Heartbeat, Peers

START = 1_800_000_000_000


class Machine:
    """A wall clock that can be stepped and one that cannot."""

    def __init__(self) -> None:
        self.steady = 5_000
        self.step = 0

    @property
    def true(self) -> int:
        return START + self.steady


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(clock, "wall", lambda: made.true + made.step)
    monkeypatch.setattr(clock, "_steady", lambda: made.steady)
    monkeypatch.setattr(clock, "hands", clock.Hands())
    return made


@pytest.mark.parametrize("step", [clock.HOUR, -clock.HOUR])
def test_a_step_is_believed_only_after_a_while(machine: Machine, step: int) -> None:
    machine.step = step
    assert clock.now() == machine.true
    machine.steady += clock.BELIEVED_AFTER - 1
    assert clock.now() == machine.true
    machine.steady += 1
    assert clock.now() == machine.true + step


def test_small_corrections_are_followed_at_once(machine: Machine) -> None:
    for _ in range(10):
        machine.step += clock.STEP
        assert clock.now() == machine.true + machine.step


def test_a_step_that_is_taken_back_leaves_no_trace(machine: Machine) -> None:
    machine.step = clock.HOUR
    clock.now()
    machine.step = 0
    machine.steady += clock.BELIEVED_AFTER
    assert clock.now() == machine.true
    machine.step = clock.HOUR
    assert clock.now() == machine.true


def test_held_as_long_as_the_others_say_so(machine: Machine) -> None:
    machine.step = clock.HOUR
    for _ in range(10):
        assert clock.now() == machine.true
        machine.steady += clock.BELIEVED_AFTER - 1
        clock.hands.hold()
    assert clock.now() == machine.true


H = clock.HOUR


@pytest.mark.parametrize(
    ("clocks", "found"),
    [
        ([], None),
        ([0], None),
        ([0, 0], 0),
        ([0, H], None),
        ([0, 4_000, H], 0),
        ([0, 4_000, -H], 0),
        ([0, 0, H, H], None),
        ([0, -H, H], None),
        ([H, H, H, 0], H),
    ],
)
def test_what_most_of_the_clocks_say(clocks: list[int], found: int | None) -> None:
    agreed = heartbeats.agreed(clocks)
    assert (agreed is None) is (found is None)
    assert abs((agreed or 0) - (found or 0)) <= clock.STEP


@pytest.fixture
def others(app_context: None) -> Callable[[int], None]:
    """`others(ms)`: three other processes beat, their clocks saying so."""
    with transaction() as tx:
        rows = [
            {"name": f"worker:{n}", "kind": "worker", "host": "there", "pid": n, "started_at": 0,
             "beat_at": 0, "doing": ""}
            for n in range(3)
        ]  # fmt: skip
        tx.connection.execute(Heartbeat.__table__.insert(), rows)  # type: ignore[attr-defined]

    def beat(ms: int) -> None:
        with transaction() as tx:
            tx.connection.execute(update(Heartbeat).values(beat_at=ms))

    return beat


def look(machine: Machine, others: Callable[[int], None], peers: Peers, off: int = 0) -> None:
    machine.steady += 5 * clock.SECOND
    others(machine.true + off)
    peers.look()


def test_one_whose_clock_was_wrong_from_the_start_gives_in(
    machine: Machine, others: Callable[[int], None]
) -> None:
    machine.step = clock.HOUR
    clock.hands.__init__()  # type: ignore[misc]
    peers = Peers()
    for _ in range(2):
        look(machine, others, peers)
    assert clock.now() == machine.true + clock.HOUR
    for _ in range(20):
        look(machine, others, peers)
        assert clock.now() == machine.true
    machine.step = 0
    assert clock.now() == machine.true


def test_a_step_of_the_whole_machine_is_followed(
    machine: Machine, others: Callable[[int], None]
) -> None:
    peers = Peers()
    look(machine, others, peers)
    machine.step = clock.HOUR
    for _ in range(2):
        look(machine, others, peers, off=clock.HOUR)
    assert clock.now() == machine.true + clock.HOUR


def test_while_the_others_are_silent_those_heard_of_last_count(
    machine: Machine, others: Callable[[int], None]
) -> None:
    """A machine with far too much to do: nobody can write for a while."""
    peers = Peers()
    look(machine, others, peers)
    machine.step = -clock.HOUR
    heard = machine.true
    for _ in range(heartbeats.ALIVE_MS // (5 * clock.SECOND)):
        machine.steady += 5 * clock.SECOND
        peers.look()
        assert clock.now() == machine.true
    while machine.true < heard + heartbeats.ALIVE_MS + clock.BELIEVED_AFTER:
        assert clock.now() == machine.true
        machine.steady += 5 * clock.SECOND
        peers.look()
    # They are dead, then, and nobody contradicts.
    assert clock.now() == machine.true - clock.HOUR


def test_whoever_cannot_write_still_looks(
    machine: Machine, others: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(row: object) -> None:
        raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("locked"))

    monkeypatch.setattr(heartbeats, "peers", Peers())
    monkeypatch.setattr(heartbeats, "_write", busy)
    machine.step = clock.HOUR
    for _ in range(10):
        machine.steady += 5 * clock.SECOND
        others(machine.true)
        with pytest.raises(OperationalError):
            heartbeats.beat("worker", "nothing")
        assert clock.now() == machine.true


def test_it_is_settled_a_while_after_a_step_was_believed(machine: Machine) -> None:
    assert clock.is_settled(clock.DAY)
    machine.step = clock.HOUR
    assert not clock.is_settled(0)
    machine.steady += clock.BELIEVED_AFTER
    assert clock.is_settled(0) and not clock.is_settled(1)
    machine.steady += clock.MINUTE
    assert clock.is_settled(clock.MINUTE) and not clock.is_settled(clock.MINUTE + 1)


def test_a_step_that_was_taken_back_leaves_it_settled(machine: Machine) -> None:
    machine.step = clock.HOUR
    assert not clock.is_settled(0)
    machine.step = 0
    assert clock.is_settled(clock.DAY)


def test_it_is_not_settled_after_the_others_had_their_way(machine: Machine) -> None:
    machine.step = clock.HOUR
    clock.now()
    clock.hands.agree(machine.true + clock.HOUR)
    assert not clock.is_settled(1) and clock.is_settled(0)


def test_the_dead_have_no_say(machine: Machine, others: Callable[[int], None]) -> None:
    peers = Peers()
    others(machine.true - clock.HOUR)
    for _ in range(5):
        machine.steady += 5 * clock.SECOND
        peers.look()
    assert clock.now() == machine.true
