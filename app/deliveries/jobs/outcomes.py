"""Outcomes that wait to be written: by the hundred, and kept while the database is away."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import clock
from app.deliveries.actions.record import Tried, record
from app.deliveries.jobs.turns import Turns
from app.deliveries.rules.retry import Policy
from app.sqlite_writes import Busy
from app.systems.rules.breaker import Limits

WRITE_AT = 400
WRITE_AFTER = 0.1
# Seconds between tries to write while the database is away.
WRITE_AGAIN = 0.5
# No database takes such a row, however often it is asked.
UNFIT = (DataError, IntegrityError, ValueError, OverflowError)
# The database is away, locked or full, or the process lacks something: that may pass.
PASSING = (OperationalError, InterfaceError, PoolTimeout, OSError)
# So many outcomes in a row are tried one by one where none can be written.
MOST_STUCK = 16

log = logging.getLogger(__name__)


class Outcomes:
    """The attempts of one worker that ended and are not written down yet."""

    def __init__(
        self, policy: Policy, limits: Limits, lease_ms: int, worker: str, turns: Turns
    ) -> None:
        self._policy, self._limits, self._worker = policy, limits, worker
        self._lease_ms, self._turns = lease_ms, turns
        self._ended: list[Tried] = []
        self._first_ended = 0.0
        self._write_from = 0.0

    def __len__(self) -> int:
        return len(self._ended)

    def add(self, tried: Tried) -> None:
        """Keep it until it is written."""
        if not self._ended:
            self._first_ended = clock.monotonic()
        self._ended.append(tried)

    def are_ripe(self, idle: bool) -> bool:
        """By the hundred, each tenth of a second, or at once where nothing else is in flight."""
        now = clock.monotonic()
        if not self._ended or now < self._write_from or not self._turns.is_due:
            return False
        return idle or len(self._ended) >= WRITE_AT or now - self._first_ended >= WRITE_AFTER

    def write(self, patient: bool = True) -> None:
        """Write them; unless `patient` not while another writer is at it."""
        if not self._ended:
            return
        try:
            self.record(self._ended, patient)
        except Busy:
            self._turns.refused()
            return
        except UNFIT:
            self._ended = self._write_each()
        except PASSING as problem:
            log.warning("%d outcomes not written yet: %s", len(self._ended), problem)
        except Exception:
            log.exception("%d outcomes not written at once", len(self._ended))
            self._ended = self._write_each()
        else:
            self._ended = []
        if self._ended:
            self._write_from = clock.monotonic() + WRITE_AGAIN
        else:
            self._turns.had()

    def _write_each(self) -> list[Tried]:
        """One outcome that cannot be stored must not take its neighbours along; what to keep.

        One that is not kept is tried again once its lease has run out, which counts as a crash: in
        the end it is a dead letter.
        """
        stuck: list[Tried] = []
        for place, tried in enumerate(self._ended):
            if len(stuck) >= MOST_STUCK:
                return [*self._ended[place:], *stuck]
            try:
                self.record([tried], patient=True)
            except UNFIT:
                log.exception("the outcome of delivery %d cannot be written", tried.row.id)
            except PASSING as problem:
                log.warning("outcomes not written yet: %s", problem)
                return [*self._ended[place:], *stuck]
            except Exception:
                log.debug("the outcome of delivery %d is stuck", tried.row.id, exc_info=True)
                if self._is_ours(tried):
                    stuck.append(tried)
        return stuck

    def _is_ours(self, tried: Tried) -> bool:
        """Whether its lease goes on; after that the outcome is of no use to anybody."""
        ours = clock.now() - tried.started_at < self._lease_ms
        if not ours:
            log.error("the outcome of delivery %d was not written in time", tried.row.id)
        return ours

    def record(self, tries: Sequence[Tried], patient: bool) -> None:
        """Write these; Busy."""
        record(tries, self._policy, self._limits, self._worker, clock.now(), patient=patient)
