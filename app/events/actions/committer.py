"""Group commit: what arrives together is written in one transaction, each caller waits for it.

One fdatasync then serves many requests. There is no thread of its own: of the callers waiting,
one leads, writes everybody's items, and hands the lead to the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AT_ONCE = 256
# Longer than any transaction may take; a leader that vanished must not hold the others for ever.
WAIT_SECONDS = 60


class _Ticket(Generic[Item, Result]):
    """One caller's item and what became of it; `ready` is held until then."""

    __slots__ = ("error", "item", "leads", "ready", "result")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.ready = threading.Lock()
        self.ready.acquire()
        self.leads = False
        self.result: Result | None = None
        self.error: BaseException | None = None


class Committer(Generic[Item, Result]):
    """Calls `write` with all items waiting; results come back in the same order.

    `common` are errors that no item is to blame for (a locked database): all get them at once.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Sequence[Result]],
        common: tuple[type[Exception], ...] = (),
    ) -> None:
        self._write = write
        self._common = common
        self._lock = threading.Lock()
        self._waiting: list[_Ticket[Item, Result]] = []
        self._led = False

    def submit(self, item: Item) -> Result:
        """Write the item, alone or with others; returns or raises once it is committed or not."""
        ticket: _Ticket[Item, Result] = _Ticket(item)
        with self._lock:
            self._waiting.append(ticket)
            if not self._led:
                self._led = ticket.leads = True
        if not ticket.leads and not ticket.ready.acquire(timeout=WAIT_SECONDS):
            self._give_up(ticket)
        if ticket.leads:
            self._lead()
        if ticket.error is not None:
            raise ticket.error
        return ticket.result  # type: ignore[return-value]

    def _give_up(self, ticket: _Ticket[Item, Result]) -> None:
        """Wait no longer, unless the lead was handed over in this very moment."""
        with self._lock:
            if not ticket.leads:
                self._waiting = [one for one in self._waiting if one is not ticket]
                raise TimeoutError("the group's leader did not answer")

    def _lead(self) -> None:
        """Write one batch (the leader's own ticket is in it), then pass the lead on."""
        with self._lock:
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        try:
            self._write_batch(batch)
        finally:
            with self._lock:
                self._led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].ready.release()
            for ticket in batch:
                if not ticket.leads:
                    ticket.ready.release()

    def _write_batch(self, batch: list[_Ticket[Item, Result]]) -> None:
        try:
            for ticket, result in zip(batch, self._write([t.item for t in batch]), strict=True):
                ticket.result = result
        except self._common as error:
            # Whoever came meanwhile would wait as long, only to hear the same.
            with self._lock:
                batch += self._waiting
                self._waiting = []
            _blame(batch, error)
        except Exception as error:  # noqa: BLE001 - handed to the callers it belongs to
            if len(batch) == 1:
                batch[0].error = error
                return
            # One bad item must not refuse its neighbours: each for itself.
            for ticket in batch:
                self._write_batch([ticket])
        except BaseException as error:
            _blame(batch, error)
            raise


def _blame(batch: Sequence[_Ticket[Any, Any]], error: BaseException) -> None:
    for ticket in batch:
        ticket.error = error
