"""Change the limits of a measure: a new version with its reason, old ones stay."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from app.access.actions import audit
from app.access.actor import Actor
from app.db import transaction
from app.errors import Conflict, Invalid, NotFound
from app.monitoring.models import SlaBand
from app.monitoring.queries.bands import limits, versions
from app.monitoring.rules.bands import SLA, Band

MOST = 1_000_000.0


def change_band(
    measure: str, warning: float, critical: float, *, seen: int, by: Actor, why: str, now: int
) -> int:
    """Set both limits; `seen` is the version that was looked at. The new version's number."""
    if measure not in SLA:
        raise NotFound("Unknown measure")
    problems = _problems(SLA[measure], warning, critical)
    if not why.strip():
        problems["why"] = ["must not be empty"]
    if problems:
        raise Invalid(details=problems)
    values = {"warning": warning, "critical": critical}
    try:
        with transaction() as tx:
            if versions(tx.connection)[measure] != seen:
                raise Conflict("Outra pessoa mudou este limite entretanto")
            old = limits(tx.connection)[measure]
            row = {"measure": measure, "version": seen + 1, "at": now, "by": by.name[:120]}
            tx.connection.execute(insert(SlaBand).values(**row, **values, why=why.strip()[:500]))
            before = {"warning": old.warning, "critical": old.critical}
            audit.record(tx, by, "sla.changed", measure, why, before, values)
    except IntegrityError:
        raise Conflict("Outra pessoa mudou este limite entretanto") from None
    return seen + 1


def _problems(band: Band, warning: float, critical: float) -> dict[str, list[str]]:
    """A limit must be sensible, and the critical one lie behind the warning one."""
    most = 100.0 if band.unit == "%" else MOST
    problems = {
        name: [f"must lie from 0 to {most:g}"]
        for name, value in (("warning", warning), ("critical", critical))
        if not 0 <= value <= most
    }
    behind = critical < warning if band.low_is_bad else critical > warning
    if not problems and not behind:
        problems["critical"] = ["must be worse than the warning limit"]
    return problems
