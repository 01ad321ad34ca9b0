"""The bands in force: the runbook's, unless management set others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from app.monitoring.models import SlaBand
from app.monitoring.rules.bands import SLA, Band
from app.paging import AnyRow


def limits(c: Connection) -> dict[str, Band]:
    """Per measure its newest band."""
    newest = {row.measure: row for row in _newest(c)}
    return {
        name: replace(band, warning=newest[name].warning, critical=newest[name].critical)
        if name in newest
        else band
        for name, band in SLA.items()
    }


def versions(c: Connection) -> dict[str, int]:
    """Per measure the number of its newest version; 0 is the runbook's own."""
    return dict.fromkeys(SLA, 0) | {row.measure: row.version for row in _newest(c)}


def _newest(c: Connection) -> Sequence[AnyRow]:
    last = (
        select(SlaBand.measure, func.max(SlaBand.version).label("version"))
        .group_by(SlaBand.measure)
        .subquery()
    )
    same = (SlaBand.measure == last.c.measure) & (SlaBand.version == last.c.version)
    return c.execute(select(SlaBand.__table__).join(last, same)).all()


def history(c: Connection) -> Sequence[AnyRow]:
    """Changes of bands, newest first."""
    query = select(SlaBand.__table__).order_by(SlaBand.at.desc(), SlaBand.version.desc())
    return c.execute(query.limit(50)).all()
