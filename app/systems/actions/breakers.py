"""Writes on breakers; each runs inside the transaction of the work that moves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from app import queues
from app.access.actions import audit
from app.access.actor import Actor
from app.db import Tx, transaction
from app.errors import Invalid
from app.facts import BreakerMoved, DeliveriesDue
from app.systems.models import BreakerMove, BreakerRow
from app.systems.rules import breaker as rules
from app.systems.rules.breaker import Breaker, Limits, Outcome

COLUMNS = tuple(Breaker.__dataclass_fields__)
_ROWS = select(*(getattr(BreakerRow, column) for column in COLUMNS)).order_by(BreakerRow.system)
_NAMED = _ROWS.where(BreakerRow.system.in_(bindparam("names", expanding=True)))


def load(
    c: Connection, names: Iterable[str] | None = None, lock: bool = False
) -> dict[str, Breaker]:
    """Breakers by system; with `lock` nobody else moves them until the transaction ends."""
    query = _ROWS
    if names is not None:
        query = _NAMED.params(names=list(names))
    if lock and c.dialect.name != "sqlite":
        query = query.with_for_update()
    return {row.system: Breaker(*row) for row in c.execute(query)}


def save(tx: Tx, before: Breaker, after: Breaker, cause: str, by: str, now: int) -> None:
    """Write the new state, and the move into the history when the state changed."""
    if before == after:
        return
    values = asdict(after)
    system = values.pop("system")
    tx.connection.execute(update(BreakerRow).where(BreakerRow.system == system).values(**values))
    if before.state == after.state:
        return
    tx.connection.execute(
        insert(BreakerMove).values(
            system=system, at=now, before=before.state, after=after.state, cause=cause[:500],
            moved_by=by[:120],
        )
    )  # fmt: skip
    tx.tell(BreakerMoved(system, after.state))


def record(
    tx: Tx, outcomes: Mapping[str, list[tuple[Outcome, str]]], limits: Limits, now: int
) -> None:
    """Move the breakers of the systems whose attempts ended; the text is each attempt's error.

    Systems that are well and stay well cost one read and no lock; failures that only count up are
    written once.
    """
    current = load(tx.connection, outcomes)
    touched = [
        system
        for system, told in outcomes.items()
        if system in current and _matters(current[system], told)
    ]
    if not touched:
        return
    for system, before in load(tx.connection, sorted(touched), lock=True).items():
        _move(tx, before, outcomes[system], limits, now)


def _move(
    tx: Tx, breaker: Breaker, told: list[tuple[Outcome, str]], limits: Limits, now: int
) -> None:
    """One breaker through what is told of it; each change of state is a row of its history."""
    written = breaker
    for outcome, error in told:
        moved = rules.after(breaker, (outcome,), limits, now)
        if moved.state != breaker.state:
            save(tx, written, moved, _cause(breaker, moved, error), "hub", now)
            written = moved
        breaker = moved
    save(tx, written, breaker, "", "hub", now)


def _matters(breaker: Breaker, told: list[tuple[Outcome, str]]) -> bool:
    if breaker.state != rules.CLOSED or breaker.failures:
        return True
    return any(outcome.bad for outcome, _ in told)


def _cause(before: Breaker, moved: Breaker, error: str) -> str:
    if before.state == rules.HALF_OPEN and moved.state == rules.OPEN:
        return f"o teste de recuperação falhou: {error}"
    if moved.state == rules.OPEN:
        return f"falhas seguidas: {error}" if error else "falhas seguidas"
    if moved.state == rules.HALF_OPEN:
        return "teste de recuperação"
    return "o sistema voltou a responder"


def ensure(tx: Tx, names: Iterable[str]) -> None:
    """Make sure every system has a breaker row."""
    there = set(load(tx.connection))
    missing = [{"system": name} for name in names if name not in there]
    if missing:
        rows = [{**asdict(Breaker(row["system"]))} for row in missing]
        tx.connection.execute(insert(BreakerRow), rows)


def reset(system: str, why: str, *, by: Actor, now: int) -> Breaker:
    """Close a breaker by hand; what waits is let out gradually. Invalid: unknown system."""
    with transaction() as tx:
        before = load(tx.connection, [system], lock=True).get(system)
        if before is None:
            raise Invalid("Invalid service", {"service": sorted(load(tx.connection))})
        is_closed = before.state == rules.CLOSED
        after = replace(before, failures=0) if is_closed else rules.closed(before, now)
        save(tx, before, after, why or "religado por uma pessoa", by.name, now)
        tx.tell(DeliveriesDue(frozenset(queues.QUEUES)))
        states = {"state": before.state, "failures": before.failures}, {"state": after.state}
        audit.record(tx, by, "breaker.reset", f"breaker:{system}", why, *states)
    return after
