"""The places of one worker: how many requests it may start, and for which system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from app.deliveries.jobs.carriers import THREADS
from app.deliveries.rules.places import shared, width
from app.pipeline import SENDERS
from app.systems.queries.snapshot import KnownSystem
from app.systems.rules.defaults import CARRIERS

# Claiming for a few free places costs as much as claiming for many: a system is asked about when
# a quarter of its places is free.
WORTH_CLAIMING = 0.25


class Room:
    """Who has places; `places` is how many requests all systems together may have in flight."""

    def __init__(self, places: int) -> None:
        self._places = places
        # Requests in flight by system.
        self.taken: Counter[str] = Counter()

    def free(
        self, systems: Iterable[KnownSystem], unwritten: int
    ) -> tuple[Mapping[str, int], bool]:
        """Free places by system, none of them 0, and whether rows may have to wait for want of
        places; `unwritten` outcomes take up places as well."""
        wanted, short = {}, False
        for system in (each for each in systems if not each.paused):
            most = self._width(system)
            free = most - self.taken[system.name] - unwritten
            if free >= most * WORTH_CLAIMING:
                wanted[system.name] = free
            else:
                short = True
        carriers = {each: THREADS - self.taken[each] for each in CARRIERS}
        wanted |= {name: free for name, free in carriers.items() if free > 0}
        given = shared(wanted, self._places - self.taken.total())
        return given, short or given != wanted

    def _width(self, system: KnownSystem) -> int:
        """Requests at once for one system."""
        most = min(system.in_flight, THREADS) if system.name in SENDERS else system.in_flight
        return width(most, self._places)
