"""Terminal door of the syncs: run one now, with its progress until the end."""

from __future__ import annotations

import json

import click

from app import clock, queues
from app.access.actor import terminal
from app.db import reading
from app.deliveries import jobs
from app.errors import HubError
from app.paging import AnyRow
from app.syncs.actions.start import named, start
from app.syncs.models import ACTIVE, DONE
from app.syncs.queries import runs


def run_sync(name: str, why: str | None, as_json: bool) -> None:
    """Start a run (or with `full` all four) and work on it here, beside the workers.

    Ends with 1 where a run failed.
    """
    try:
        ids = start(named(name), by=terminal(), why=why, now=clock.now())
    except HubError as problem:
        raise click.ClickException(problem.message) from None
    ended = [_follow(run_id, quiet=as_json) for run_id in ids]
    if as_json:
        told = [runs.run_json(row) for row in ended]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    if any(row.status != DONE for row in ended):
        raise SystemExit(1)


def _follow(run_id: int, quiet: bool) -> AnyRow:
    """Work until the run has ended, with a line whenever it got on; its row."""
    said = ""
    while True:
        with reading() as c:
            row = runs.one(c, run_id)
        line = _line(row)
        if line != said and not quiet:
            click.echo(line)
        said = line
        if row.status not in ACTIVE:
            return row
        # Leases keep this process and the workers out of each other's way.
        jobs.work(queues.LOW)


def _line(row: AnyRow) -> str:
    """How far a run is: n of m."""
    counts = f"{row.done + row.failed} of {row.total}"
    parts = [f"{row.job_type} #{row.id} {row.status:<8} {counts}"]
    parts += [f"{row.failed} failed"] if row.failed else []
    parts += [f"{row.skipped} skipped"] if row.skipped else []
    return ", ".join(parts) + (f": {row.error}" if row.error else "")
