"""More workers for a while: an order with an end, carried out by the supervisor's scale.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.access.actions import audit
from app.access.actor import SYSTEM, Actor
from app.db import Tx, reading, transaction
from app.errors import Conflict, Invalid, NotFound
from app.monitoring.models import ScaleOrder
from app.monitoring.rules.workers import LINES, LONGEST_MINUTES, MOST, SHORTEST_MINUTES
from app.paging import AnyRow


def order_workers(
    line: str, count: int, minutes: int, *, usual: int, by: Actor, why: str, now: int
) -> int:
    """Ask for `count` workers of a line for some minutes; the order's id."""
    problems = {
        "line": [] if line in LINES else ["is not a line of workers"],
        "count": [] if usual < count <= MOST else [f"must be from {usual + 1} to {MOST}"],
        "minutes": []
        if SHORTEST_MINUTES <= minutes <= LONGEST_MINUTES
        else [f"must be from {SHORTEST_MINUTES} to {LONGEST_MINUTES}"],
        "why": [] if why.strip() else ["must not be empty"],
    }
    if wrong := {name: texts for name, texts in problems.items() if texts}:
        raise Invalid(details=wrong)
    values = {
        "active_key": line, "line": line, "count": count, "usual": usual, "starts_at": now,
        "ends_at": now + minutes * clock.MINUTE, "why": why.strip()[:500], "by": by.name[:120],
    }  # fmt: skip
    try:
        with transaction() as tx:
            made = tx.connection.execute(insert(ScaleOrder).values(**values)).inserted_primary_key
            after = {"count": count, "until": clock.iso(now + minutes * clock.MINUTE)}
            audit.record(tx, by, "workers.added", line, why, {"count": usual}, after)
    except IntegrityError:
        raise Conflict("Já há workers a mais nesta fila; encerre esse pedido primeiro") from None
    return int(made[0]) if made else 0


def end_order(order_id: int, *, by: Actor, now: int) -> None:
    """Back to the usual number now."""
    with transaction() as tx:
        row = tx.connection.execute(
            select(ScaleOrder.__table__).where(ScaleOrder.id == order_id)
        ).one_or_none()
        if row is None:
            raise NotFound("Order not found")
        if not _end(tx, row, by, now):
            raise Conflict("Este pedido já terminou")


def end_due_orders(now: int) -> int:
    """End what has run its time; how many (each is ended once, whoever else looks)."""
    due = select(ScaleOrder.__table__).where(
        ScaleOrder.active_key.is_not(None), ScaleOrder.ends_at <= now
    )
    with reading() as c:
        rows = c.execute(due).all()
    ended = 0
    for row in rows:
        with transaction() as tx:
            ended += _end(tx, row, SYSTEM, now)
    return ended


def _end(tx: Tx, row: AnyRow, by: Actor, now: int) -> bool:
    change = update(ScaleOrder).where(ScaleOrder.id == row.id, ScaleOrder.active_key.is_not(None))
    values = {"active_key": None, "ended_at": now, "ended_by": by.name[:120]}
    if not tx.connection.execute(change.values(values)).rowcount:
        return False
    before, after = {"count": row.count}, {"count": row.usual}
    audit.record(tx, by, "workers.reset", row.line, None, before, after)
    return True


def write_scale(data_dir: Path) -> None:
    """Bring scale.json to the orders that run; what others wrote for other lines stays."""
    with reading() as c:
        running = select(ScaleOrder.line, ScaleOrder.count).where(
            ScaleOrder.active_key.is_not(None)
        )
        wanted = {row.line: row.count for row in c.execute(running)}
        ordered = set(c.execute(select(ScaleOrder.line).distinct()).scalars())
    if not ordered:
        return
    file = data_dir / "scale.json"
    found = _read(file)
    fresh = {line: n for line, n in found.items() if line not in ordered} | wanted
    if fresh != found:
        new = file.with_name(f"{file.name}.new")
        new.write_text(json.dumps(fresh), encoding="utf-8")
        new.replace(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
