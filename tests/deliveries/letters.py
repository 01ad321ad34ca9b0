"""Messages with the outcomes we choose, through the real actions; and what must always hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app import clock, counters, queues
from app.db import reading
from app.deliveries.actions.claim import Claimed, claim
from app.deliveries.actions.record import Tried, record
from app.deliveries.models import OPEN, PENDING, DeadLetter, Delivery
from app.deliveries.rules.retry import Policy
from app.events.actions.intake import accept
from app.events.models import Event
from app.events.rules import Accepted, NewEvent
from app.payloads import dump_json
from app.systems.rules.breaker import Limits

# Breakers that never open: they have tests of their own.
NEVER = Limits(failures=1 << 30)
ONCE = Policy(max_attempts=1)
LEASE = 30_000
SYSTEMS = ("crm", "marketing", "financeiro", "operacao", "cuidadores", "atendimento")


def post(event_type: str = "lead.created", source: str = "site", count: int = 1) -> list[int]:
    """Accept events; their ids."""
    payload = {"name": "Ana", "email": "ana@exemplo.com.br"}
    raw = dump_json(payload)
    told = accept([NewEvent(event_type, source, payload, raw, raw, "test") for _ in range(count)])
    return [one.id for one in told if isinstance(one, Accepted)]


def take(
    queue: str = queues.HIGH, now: int | None = None, systems: Iterable[str] = SYSTEMS
) -> list[Claimed]:
    """Claim all that is due."""
    room = dict.fromkeys(systems, 10_000)
    return claim(queue, room, NEVER, LEASE, now or clock.now()).rows


def tried(row: Claimed, status: int | None = 200, error_class: str = "") -> Tried:
    """An attempt that ended so."""
    return Tried(
        row=row, url="http://127.0.0.1/", started_at=clock.now(), latency_ms=5, status=status,
        error_class=error_class, error="", request_headers={"X-Event-ID": str(row.event_id)},
        response_body=b"{}", retry_after=None,
    )  # fmt: skip


def end(
    rows: Sequence[Claimed], status: int | None = 200, policy: Policy = ONCE, now: int | None = None
) -> int:
    """Record one outcome for all of these; how many were ours."""
    return record([tried(row, status) for row in rows], policy, NEVER, "w", now or clock.now())


def die(
    event_type: str = "payment.failed", source: str = "financeiro", count: int = 1
) -> list[int]:
    """Accept events of which every delivery is refused; ids of the dead letters, in order."""
    with reading() as c:
        before = c.execute(select(func.coalesce(func.max(DeadLetter.id), 0))).scalar_one()
    post(event_type, source, count)
    end(take(), 404)
    with reading() as c:
        new = select(DeadLetter.id).where(DeadLetter.id > before).order_by(DeadLetter.id)
        return list(c.scalars(new))


def rows(model: Any) -> list[Any]:
    """All rows of a table, by id."""
    with reading() as c:
        return list(c.execute(select(model.__table__).order_by(model.__table__.c[0])))


def row(model: Any, id_: int) -> Any:
    """One row of a table."""
    with reading() as c:
        return c.execute(select(model.__table__).where(model.__table__.c[0] == id_)).one()


def check_counts() -> None:
    """Each gauge equals what counting the rows gives; each event's counts and state fit."""
    with reading() as c:
        for metric, a, b, where in (
            ("events.pending", Event.event_type, Event.source_system, Event.status == "pending"),
            ("deliveries.waiting", Delivery.queue, Delivery.system, Delivery.status == PENDING),
            ("dlq.open", DeadLetter.event_type, DeadLetter.system, DeadLetter.state == OPEN),
            ("dlq.cause", DeadLetter.cause, DeadLetter.system, DeadLetter.state == OPEN),
        ):
            counted = c.execute(select(a, b, func.count()).where(where).group_by(a, b)).all()
            assert counters.gauges(c, metric) == {(x, y): n for x, y, n in counted}, metric
        _check_events(c)
        _check_letters(c)


def _check_events(c: Connection) -> None:
    """Open and failed counts are those of the deliveries; the state follows from them."""
    states: dict[int, Counter[str]] = {}
    for event_id, status in c.execute(select(Delivery.event_id, Delivery.status)):
        states.setdefault(event_id, Counter())[status] += 1
    for event in c.execute(select(Event.__table__).where(Event.planned)):
        has = states.get(event.id, Counter())
        assert (event.open_count, event.failed_count) == (has["pending"], has["failed"]), event.id
        assert (event.finished_at is None) == bool(has["pending"])
        if has["pending"]:
            assert event.status in ("pending", "processing")
        else:
            assert event.status == ("failed" if has["failed"] else "done")
        if event.status == "pending":
            assert not has["failed"] and not has["sent"]


def _check_letters(c: Connection) -> None:
    """Each letter's state fits its delivery; each dead delivery has a letter."""
    fits = {"open": "failed", "archived": "failed", "retrying": "pending", "resolved": "sent"}
    pairs = select(DeadLetter.state, Delivery.status).join(
        Delivery, Delivery.id == DeadLetter.delivery_id
    )
    for state, status in c.execute(pairs):
        assert fits[state] == status
    buried = select(DeadLetter.delivery_id)
    dead = select(func.count()).select_from(Delivery).where(Delivery.status == "failed")
    assert c.execute(dead.where(Delivery.id.not_in(buried))).scalar_one() == 0
