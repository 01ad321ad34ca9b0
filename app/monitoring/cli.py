"""Terminal door of monitoring: prove the counters against the rows."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from app import clock
from app.monitoring.actions.repair_counters import repair_counters
from app.monitoring.queries.drift import Drift, find_drift

DRIFTED = 1


@click.command("check-counters")
@click.option("--repair", is_flag=True, help="Set the counters to what the rows say.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
@with_appcontext
def check_counters(context: click.Context, repair: bool, as_json: bool) -> None:
    """Compare the kept counters with the rows; exit code 1 when they differ and stay so.

    Reads the whole tables. The old system had no such command.
    """
    drifts = find_drift()
    if repair and drifts:
        repair_counters(drifts, clock.now())
    _tell(drifts, repair, as_json)
    if drifts and not repair:
        context.exit(DRIFTED)


def _tell(drifts: list[Drift], repair: bool, as_json: bool) -> None:
    if as_json:
        told = {"repaired": repair and bool(drifts), "drift": [asdict(drift) for drift in drifts]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for drift in drifts:
        labels = f"{drift.metric} {drift.a} {drift.b}"
        click.echo(f"{labels}: kept {drift.kept}, counted {drift.counted}")
    ending = " Repaired." if repair and drifts else ""
    click.echo(f"{len(drifts)} counters differ from the rows.{ending}")
