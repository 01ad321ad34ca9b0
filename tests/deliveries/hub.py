"""A hub without its processes: seeded, with events that went through the real intake."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select, text, update

from app import clock, counters
from app.config import SYSTEMS
from app.db import Base, reading, transaction
from app.deliveries.actions.claim import Claim, Claimed, claim
from app.deliveries.actions.record import Tried, record
from app.deliveries.models import Attempt, DeadLetter, Delivery
from app.deliveries.rules.retry import Policy
from app.errors import Conflict
from app.events.actions.intake import accept
from app.events.models import Event
from app.events.rules import new_event
from app.mappings.actions.routing import put_routes
from app.mappings.queries import SavedRoute
from app.mappings.queries.plan import forget_plan
from app.mappings.seed import seed as seed_mappings
from app.queues import HIGH, QUEUES
from app.systems.actions import breakers
from app.systems.models import BreakerMove, Endpoint, System
from app.systems.queries import snapshot
from app.systems.rules.breaker import Breaker, Limits
from app.systems.seed import seed as seed_systems

LEASE = 30_000
LIMITS = Limits()
POLICY = Policy()
ROOM = dict.fromkeys(SYSTEMS, 100)
# One event type for one system, straight from the seeded routes.
TO = {"crm": "lead.updated", "operacao": "caregiver.available", "atendimento": "whatsapp.status"}


class Hub:
    """What the tests of the delivery ask and do; all times in ms."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.settings = app.extensions["settings"]
        seed_systems(self.settings, now=clock.now())
        seed_mappings(now=clock.now())
        with transaction() as tx:
            breakers.ensure(tx, self.settings.systems)
        snapshot.forget()
        forget_plan()

    def event(self, event_type: str, payload: Any = None, key: str | None = None) -> int:
        """Accept an event; its id."""
        content = payload if payload is not None else {"name": "Maria", "id": 7}
        (outcome,) = accept([new_event(event_type, "site", content, raw=b"{}", via="api", key=key)])
        assert not isinstance(outcome, Conflict)
        return outcome.id

    def deliveries(self, system: str = "crm", count: int = 1, **values: Any) -> list[int]:
        """Accept events that go to one system; ids of the deliveries, changed by `values`."""
        content = {"name": "Maria"}
        events = [
            new_event(TO[system], "site", {**content, "n": n}, raw=b"{}", via="api")
            for n in range(count)
        ]
        ids = [outcome.id for outcome in accept(events) if not isinstance(outcome, Conflict)]
        with reading() as c:
            query = select(Delivery.id).where(Delivery.event_id.in_(ids)).order_by(Delivery.id)
            found = list(c.scalars(query))
        # Due for a while already, whatever moment a slow test takes for now.
        self.change(found, **{"due_at": Delivery.due_at - clock.MINUTE, **values})
        return found

    def change(self, ids: list[int], **values: Any) -> None:
        with transaction() as tx:
            tx.connection.execute(update(Delivery).where(Delivery.id.in_(ids)).values(**values))

    def breaker(self, system: str = "crm", **values: Any) -> Breaker:
        """Read a breaker, after setting values of it."""
        with transaction() as tx:
            before = breakers.load(tx.connection, [system])[system]
            if values:
                after = Breaker(**{**{n: getattr(before, n) for n in breakers.COLUMNS}, **values})
                breakers.save(tx, before, after, "test", "test", clock.now())
                return after
            return before

    def rows(self, model: type[Base], *where: Any) -> list[Any]:
        """Rows of a table by id."""
        key = next(iter(model.__table__.primary_key))  # type: ignore[attr-defined]
        with reading() as c:
            return list(c.execute(select(model.__table__).where(*where).order_by(key)))

    def delivery(self, id_: int) -> Any:
        (row,) = self.rows(Delivery, Delivery.id == id_)
        return row

    def states(self, ids: Iterable[int]) -> set[str]:
        """The states that these deliveries are in."""
        return {self.delivery(id_).status for id_ in ids}

    def of_event(self, event_id: int) -> list[Any]:
        return self.rows(Delivery, Delivery.event_id == event_id)

    def event_row(self, id_: int) -> Any:
        (row,) = self.rows(Event, Event.id == id_)
        return row

    def attempts(self, delivery_id: int) -> list[Any]:
        return self.rows(Attempt, Attempt.delivery_id == delivery_id)

    def dead_letters(self) -> list[Any]:
        return self.rows(DeadLetter)

    def moves(self) -> list[tuple[str, str]]:
        return [(row.before, row.after) for row in self.rows(BreakerMove)]

    def count(self, model: type[Base], *where: Any) -> int:
        with reading() as c:
            return c.execute(select(func.count()).select_from(model).where(*where)).scalar_one()

    def gauges(self, metric: str) -> dict[tuple[str, str], int]:
        with reading() as c:
            return counters.gauges(c, metric)

    def total(self, metric: str) -> int:
        with reading() as c:
            return counters.total(c, metric, clock.now() - clock.HOUR)

    def claim(self, queue: str = HIGH, now: int | None = None, **room: int) -> Claim:
        return claim(queue, room or ROOM, LIMITS, LEASE, now or clock.now())

    def record(self, *tries: Tried, policy: Policy = POLICY, now: int | None = None) -> int:
        return record(tries, policy, LIMITS, "test:1", now or clock.now())

    def fail(self, system: str, count: int = 1, now: int | None = None) -> list[int]:
        """So many deliveries to a system that each failed once with 503."""
        ids = self.deliveries(system, count)
        rows = self.claim(now=now, **{system: count}).rows
        assert sorted(row.id for row in rows) == ids
        self.record(*(tried(row, 503) for row in rows), now=now)
        return ids

    def endpoint(self, system: str, **values: Any) -> int:
        """Change the endpoint of a system; its id."""
        with transaction() as tx:
            if values:
                tx.connection.execute(
                    update(Endpoint).where(Endpoint.system == system).values(**values)
                )
            found = tx.connection.execute(select(Endpoint.id).where(Endpoint.system == system))
            id_ = int(found.scalar_one())
        snapshot.forget()
        return id_

    def system(self, name: str, **values: Any) -> None:
        with transaction() as tx:
            tx.connection.execute(update(System).where(System.name == name).values(**values))
        snapshot.forget()

    def route(self, event_type: str, *systems: str) -> None:
        with transaction() as tx:
            wanted = [SavedRoute(event_type, name, active=True) for name in systems]
            put_routes(tx, wanted, now=clock.now())
        forget_plan()

    def rows_of(self, table: str, column: str) -> dict[int, str]:
        """A column by id."""
        with reading() as c:
            found = c.execute(text(f"SELECT id, {column} FROM {table}"))
            return {row[0]: row[1] for row in found}

    def restore(self, table: str, column: str, values: dict[int, str]) -> None:
        """Put back what `rows_of` gave."""
        with transaction() as tx:
            for id_, value in values.items():
                change = text(f"UPDATE {table} SET {column} = :value WHERE id = :id")
                tx.connection.execute(change, {"value": value, "id": id_})
        snapshot.forget()

    def insert(self, model: type[Base], **values: Any) -> None:
        with transaction() as tx:
            tx.connection.execute(insert(model).values(**values))

    def at_once(self, count: int, work: Callable[[int], Any]) -> list[Any]:
        """Do the work in so many threads that start together; their results."""
        start, results = threading.Barrier(count), [None] * count

        def run(number: int) -> None:
            with self.app.app_context():
                start.wait()
                results[number] = work(number)

        threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def consistent(self) -> None:
        """The counters and the events say what the rows say."""
        waiting: dict[tuple[str, str], int] = {}
        for row in self.rows(Delivery, Delivery.status == "pending"):
            waiting[row.queue, row.system] = waiting.get((row.queue, row.system), 0) + 1
        assert self.gauges("deliveries.waiting") == waiting
        open_letters: dict[tuple[str, str], int] = {}
        for row in self.rows(DeadLetter, DeadLetter.state == "open"):
            key = row.event_type, row.system
            open_letters[key] = open_letters.get(key, 0) + 1
        assert self.gauges("dlq.open") == open_letters
        pending = self.count(Event, Event.status == "pending")
        assert sum(self.gauges("events.pending").values()) == pending
        for event in self.rows(Event, Event.planned.is_(True)):
            found = [row.status for row in self.of_event(event.id)]
            assert event.open_count == found.count("pending")
            assert event.failed_count == found.count("failed")
        assert {row.queue for row in self.rows(Delivery)} <= set(QUEUES)


def tried(row: Claimed, status: int | None = 200, error_class: str = "", **values: Any) -> Tried:
    """An attempt that ended like that."""
    usual: dict[str, Any] = {
        "url": "http://127.0.0.1:9/hook",
        "started_at": clock.now(),
        "latency_ms": 12,
        "error": "",
        "request_headers": {"X-Event-Type": row.event_type},
        "response_body": b"{}",
        "retry_after": None,
    }
    return Tried(row=row, status=status, error_class=error_class, **{**usual, **values})
