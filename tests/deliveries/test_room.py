"""The places of one worker: how many each system has, and when it is worth asking for more."""

from __future__ import annotations

import pytest

from app.deliveries.jobs.carriers import THREADS
from app.deliveries.jobs.room import Room
from app.systems.queries.snapshot import KnownSystem
from app.systems.rules.defaults import CARRIERS

MANY = 10_000


def _system(name: str, in_flight: int = 100, paused: bool = False) -> KnownSystem:
    return KnownSystem(name, name.upper(), "", "", (), in_flight, paused)


def _free(room: Room, *systems: KnownSystem, unwritten: int = 0) -> tuple[dict[str, int], bool]:
    """The places of the systems themselves."""
    free, short = room.free(systems, unwritten)
    return {name: places for name, places in free.items() if name not in CARRIERS}, short


def test_all_of_its_places_are_free_at_first() -> None:
    crm, slow = _system("crm"), _system("operacao", 7)
    assert _free(Room(MANY), crm, slow) == ({"crm": 100, "operacao": 7}, False)


@pytest.mark.parametrize(
    ("taken", "unwritten", "expected", "short"),
    [
        (1, 0, {"crm": 99}, False),
        (75, 0, {"crm": 25}, False),
        # For fewer it is not worth asking: what is due waits.
        (76, 0, {}, True),
        (100, 0, {}, True),
        (50, 25, {"crm": 25}, False),
        (50, 26, {}, True),
        (0, 500, {}, True),
    ],
)
def test_what_is_in_flight_or_unwritten_takes_places(
    taken: int, unwritten: int, expected: dict[str, int], short: bool
) -> None:
    room = Room(MANY)
    room.taken["crm"] = taken
    assert _free(room, _system("crm"), unwritten=unwritten) == (expected, short)


def test_a_paused_system_has_none_and_nothing_waits_for_it() -> None:
    assert _free(Room(MANY), _system("crm", paused=True)) == ({}, False)


def test_what_blocks_a_thread_has_as_many_as_there_are_threads() -> None:
    room = Room(MANY)
    assert _free(room, _system("whatsapp")) == ({"whatsapp": THREADS}, False)
    carrier = "email"
    room.taken[carrier] = THREADS
    free, _ = room.free([], 0)
    assert carrier not in free and set(free) == set(CARRIERS) - {carrier}


@pytest.mark.parametrize(
    ("taken", "expected"),
    # Shares of two: systems and carriers alike.
    [(0, 8), (30, 2), (39, 1), (40, 0)],
)
def test_few_places_are_shared_and_something_may_have_to_wait(taken: int, expected: int) -> None:
    room = Room(40)
    room.taken["crm"] = taken
    free, short = room.free([_system("operacao"), _system("site"), _system("marketing")], 0)
    assert short and set(free.values()) == ({expected} if expected else set())
